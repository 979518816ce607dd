"""What a choice of access would change: who gains, who loses, what they would see, and what stands against it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, Table, bindparam, func, literal, select, text, union_all

from ..accounts.directory import Outsider, count_outsiders, counted, outsider_ids, outsiders
from ..cases.models import Attachment, Case, Comment, Observable
from ..cases.text import snippet
from ..clock import now
from ..extensions import db
from ..refusals import Refusal
from .models import SHARED, Access, Grant

RESTRICTED = "A restricted case cannot be shared with external users. Make it visible to the whole organisation first."
RED_TO_ALL = (
    "The case is TLP:RED, which is for named people only, so it cannot be shared with all external users. "
    "Choose the people by name, or lower the TLP of the case first."
)
MOST = 128
NAMED = 8  # so many names stand for everybody
RETURNING_SHOWN = 20
STRICT, RED = 3, 4  # TLP:AMBER+STRICT, TLP:RED
SHORTEST_REASON, LONGEST_REASON = 10, 1000


class Keep(Enum):
    """Says of an end date that it stays as it is."""

    KEEP = "keep"


KEEP = Keep.KEEP
Until = datetime | None | Keep

# The external people a case reaches: their ids, or None for every one there is and will be.
Reach = frozenset[int] | None
NOBODY: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Plan:
    """What confirming would do. `total` people will see the case; `gained` and `lost` count those whose names the lists begin,
    up to directory.MANY and one.

    `returning`: what outsiders saw before and would see again, the first of `returns`; `comments`, `files`, `items`: how many external
    ones, and how much evidence added from outside, they would see. `until`: when sharing would end by itself. `needs_reason`: it goes
    further than the TLP, so why must be written down.
    """

    access: Access
    before: Reach
    after: Reach
    total: int
    gains: list[str]
    gained: int
    losses: list[str]
    lost: int
    changed: bool
    warnings: list[str] = field(default_factory=list)
    returning: list[str] = field(default_factory=list)
    returns: int = 0
    comments: int = 0
    files: int = 0
    items: int = 0
    until: datetime | None = None
    until_changed: bool = False
    needs_reason: bool = False

    @property
    def mark(self) -> str:
        """What tells this plan from another one: whoever confirms sends back the mark of the plan they saw."""
        whom = "all" if self.after is None else ",".join(map(str, sorted(self.after)))
        until = f":{self.until:%Y-%m-%d}" if self.until_changed and self.until else ""
        return hashlib.sha256(f"{self.access.value}:{whom}:{self.gained}:{self.lost}{until}".encode()).hexdigest()[:16]

    @property
    def button(self) -> str:
        """The effect, as the confirming button says it."""
        if not self.changed:
            return "Nothing to change"
        if self.before == self.after and self.until_changed:
            return "Change the end date" if self.until else "Remove the end date"
        if self.access is Access.ALL_EXTERNAL:
            return "Share with all external users"
        if self.gained:
            return f"Share with {_people(self.gained)}" + (f", revoke for {counted(self.lost)}" if self.lost else "")
        return f"Revoke access for {_people(self.lost)}" if self.lost else "Confirm"


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{counted(count)} people"


def named_on(case: Case) -> set[int]:
    """Ids of the people named on the case."""
    return set(db.session.scalars(select(Grant.user_id).where(Grant.case_id == case.id)))


def reach(case: Case) -> Reach:
    """Whom outside the case reaches now; people who were locked since they were named are not among them."""
    return _reach(case, still_there(case) if case.access_now is Access.EXTERNAL else [])


def _reach(case: Case, named: list[Outsider]) -> Reach:
    if case.access_now is Access.ALL_EXTERNAL:
        return None
    return frozenset(person.id for person in named) if case.access_now is Access.EXTERNAL else NOBODY


_NAMED = select(Grant.user_id).where(Grant.case_id == bindparam("case_id"))


def still_there(case: Case) -> list[Outsider]:
    """The external people named on the case who can be shared with today."""
    return outsiders(case.organisation_id, ids=_NAMED, case_id=case.id)


def audience(case: Case) -> list[int]:
    """Ids of everybody outside who can see the case now."""
    reached = reach(case)
    return outsider_ids(case.organisation_id) if reached is None else sorted(reached)


class Facts:
    """What a plan asks of the database, about one case; sharing.bulk asks it once for many."""

    def reach(self, case: Case) -> Reach:
        """Whom the case reaches now."""
        return reach(case)

    def names(self, case: Case, ids: frozenset[int]) -> list[str]:
        """Those of these people who can be shared with today."""
        return [person.name for person in outsiders(case.organisation_id, ids=ids)]

    def crowd(self, case: Case, but: frozenset[int]) -> tuple[list[str], int]:
        """Everybody but these: the first few names, and how many they are, up to directory.MANY and one."""
        people = outsiders(case.organisation_id, but=but, limit=NAMED)
        total = len(people) if len(people) < NAMED else count_outsiders(case.organisation_id, but=but)
        return [person.name for person in people], total

    def everybody(self, case: Case) -> int:
        """How many external people there are, counted as far."""
        return count_outsiders(case.organisation_id)

    def shown(self, case: Case) -> tuple[int, int, int]:
        """How many external files and comments there are on the case, and evidence items people outside added."""
        return _shown(case)

    def returning(self, case: Case) -> tuple[list[str], int]:
        """What outsiders would see again."""
        return _returning(case)


FACTS = Facts()


@dataclass(frozen=True)
class Known(Facts):
    """Facts of one case for whoever has asked already who is named on it."""

    named: list[Outsider]

    def reach(self, case: Case) -> Reach:
        """Whom the case reaches now."""
        return _reach(case, self.named)


def plan(case: Case, access: Access, user_ids: set[int], until: Until = KEEP, *, facts: Facts = FACTS) -> Plan:
    """Compare the wanted access with today's; nothing is written, and nobody is loaded who is not named in the answer."""
    _check(case, access)
    before = facts.reach(case)
    if access is Access.EXTERNAL:
        _check_named(case, user_ids, frozenset(user_ids) - (before or NOBODY), facts)
    after = None if access is Access.ALL_EXTERNAL else frozenset(user_ids) if access is Access.EXTERNAL else NOBODY
    gains, gained = _difference(case, after, before, facts)
    losses, lost = _difference(case, before, after, facts)
    ends = _until(case, access, until)
    until_changed = access in SHARED and ends != (case.shared_until if case.shared else None)
    returning, returns = facts.returning(case) if access in SHARED and not case.shared else ([], 0)
    shown = dict(zip(("files", "comments", "items"), facts.shown(case), strict=True)) if access in SHARED else {}
    return Plan(
        access=access,
        before=before,
        after=after,
        total=facts.everybody(case) if after is None else len(after),
        gains=gains,
        gained=gained,
        losses=losses,
        lost=lost,
        changed=access is not case.access_now or before != after or until_changed,
        warnings=_warnings(case, access),
        returning=returning,
        returns=returns,
        **shown,
        until=ends,
        until_changed=until_changed,
        needs_reason=case.tlp == STRICT and access in SHARED and (gained > 0 or (after is None and before is not None)),
    )


def _check(case: Case, access: Access) -> None:
    if case.access is Access.RESTRICTED:
        raise Refusal(RESTRICTED)
    if access not in (Access.INTERNAL, *SHARED):
        raise Refusal("Choose one of the three kinds of access.")
    if access is Access.ALL_EXTERNAL and case.tlp == RED and case.access_now is not Access.ALL_EXTERNAL:
        raise Refusal(RED_TO_ALL)


def _until(case: Case, access: Access, until: Until) -> datetime | None:
    """When the wanted sharing ends; one that is over already ends nothing that begins now."""
    if access not in SHARED:
        return None
    if isinstance(until, Keep):
        return case.shared_until if case.shared else None
    if until is not None and until <= now():
        raise Refusal("The last day of sharing must not be in the past. Choose today or a later day, or leave it empty.")
    return until


def _difference(case: Case, some: Reach, others: Reach, facts: Facts) -> tuple[list[str], int]:
    """Those of `some` who are not among `others`: names, of a crowd the first few, and how many they are."""
    if others is None or (some is not None and not some - others):
        return [], 0
    if some is None:
        return facts.crowd(case, others)
    names = facts.names(case, some - others)
    return names, len(names)


def _check_named(case: Case, user_ids: set[int], newcomers: frozenset[int], facts: Facts) -> None:
    if not user_ids:
        raise Refusal("Choose at least one external user, or choose Internal to share with nobody.")
    if len(user_ids) > MOST:
        raise Refusal(f"Choose at most {MOST} people, or share with all external users.")
    if newcomers and len(facts.names(case, newcomers)) < len(newcomers):
        raise Refusal(
            "One of the people you chose cannot be given access any more: the account was locked or is not external. "
            "Look at the list again."
        )


def _warnings(case: Case, access: Access) -> list[str]:
    told = []
    if access is Access.ALL_EXTERNAL:
        told.append("This includes people who are invited later.")
    if access in SHARED and case.tlp == STRICT:
        told.append(
            "The case is TLP:AMBER+STRICT, which stays within one organisation. Whoever is outside may receive it for a reason only."
        )
    if access in SHARED and case.tlp == RED:
        told.append("The case is TLP:RED: only for the people you name. Make sure that each of them may receive it.")
    return told


_file, _comment, _item = (cast("Table", model.__table__) for model in (Attachment, Comment, Observable))


def _number_of(table: Table, *which: Any) -> Any:
    return select(func.count()).select_from(table).where(table.c.case_id == bindparam("case_id"), *which).scalar_subquery()


_COUNTED = select(
    _number_of(_file, _file.c.external.is_(True), _file.c.log_id.is_(None)),
    _number_of(_comment, _comment.c.external.is_(True)),
    _number_of(_item, _item.c.author_external.is_(True)),
)


def _shown(case: Case) -> tuple[int, int, int]:
    """External files and comments on the case, which whoever asks has loaded and so may see, and evidence from outside."""
    files, said, items = db.session.connection().execute(_COUNTED, {"case_id": case.id}).one()
    return files, said, items


def _external_files(case: Case) -> tuple[ColumnElement[bool], ...]:
    return Attachment.case_id == case.id, Attachment.external.is_(True), Attachment.log_id.is_(None)


def _things(of: Any, what: Any) -> Select[Any]:
    return select(of.author_name.label("who"), what.label("what"), of.created_at.label("moment"))


def _returning(case: Case) -> tuple[list[str], int]:
    """What outsiders would see again, the oldest first and only the first of many; and how many things that are."""
    kinds: list[tuple[str, Select[Any]]] = [
        ("{}: {}", _things(Comment, Comment.message).where(Comment.case_id == case.id, Comment.external)),
        ("File by {}: {}", _things(Attachment, Attachment.name).where(*_external_files(case))),
        ("Observable by {}: {}", _things(Observable, Observable.value).where(Observable.case_id == case.id, Observable.author_external)),
    ]
    firsts = [wanted.add_columns(literal(place).label("place")) for place, (_, wanted) in enumerate(kinds)]
    together = union_all(*(select(first.order_by(text("moment")).limit(RETURNING_SHOWN).subquery()) for first in firsts)).subquery()
    rows = db.session.execute(select(together).order_by(together.c.place, together.c.moment))
    told = [kinds[row.place][0].format(row.who, row.what if row.place == 1 else snippet(row.what)) for row in rows]
    if len(told) < RETURNING_SHOWN:
        return told, len(told)
    counts = union_all(*(wanted.with_only_columns(func.count()) for _, wanted in kinds))
    return told, sum(db.session.scalars(counts))
