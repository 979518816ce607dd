"""Opening a case to the outside and closing it again: what would change, who gains, who loses, and the act itself."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, insert, select

from ..accounts.directory import MANY, Outsider, count_outsiders, counted, outsider_ids, outsiders
from ..accounts.permissions import Permission
from ..accounts.viewer import Viewer
from ..audit.kinds import Kind
from ..audit.record import record
from ..cases.models import Case, Comment
from ..cases.text import snippet
from ..clock import now
from ..extensions import db
from ..mail.outbox import post
from ..refusals import NotAllowed, Refusal, Stale
from .models import SHARED, Access, Grant

RESTRICTED = "A restricted case cannot be shared with external users. Make it visible to the whole organisation first."
MOST = 128
NAMED = 8  # so many names stand for everybody


# The external people a case reaches: their ids, or None for every one there is and will be.
Reach = frozenset[int] | None
NOBODY: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Plan:
    """What confirming would do. `total` people will see the case; `gained` and `lost` count those whose names the lists begin,
    up to directory.MANY and one.

    `returning`: comments outsiders saw before, which would appear again.
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

    @property
    def mark(self) -> str:
        """What tells this plan from another one: whoever confirms sends back the mark of the plan they saw."""
        whom = "all" if self.after is None else ",".join(map(str, sorted(self.after)))
        return hashlib.sha256(f"{self.access.value}:{whom}:{self.gained}:{self.lost}".encode()).hexdigest()[:16]

    @property
    def button(self) -> str:
        """The effect, as the confirming button says it."""
        if not self.changed:
            return "Nothing to change"
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
    if case.access is Access.ALL_EXTERNAL:
        return None
    return frozenset(person.id for person in still_there(case)) if case.access is Access.EXTERNAL else NOBODY


def still_there(case: Case) -> list[Outsider]:
    """The external people named on the case who can be shared with today."""
    return outsiders(case.organisation_id, ids=select(Grant.user_id).where(Grant.case_id == case.id))


def audience(case: Case) -> list[int]:
    """Ids of everybody outside who can see the case now."""
    reached = reach(case)
    return outsider_ids(case.organisation_id) if reached is None else sorted(reached)


def plan(case: Case, access: Access, user_ids: set[int]) -> Plan:
    """Compare the wanted access with today's; nothing is written, and nobody is loaded who is not named in the answer."""
    if case.access is Access.RESTRICTED:
        raise Refusal(RESTRICTED)
    if access not in (Access.INTERNAL, *SHARED):
        raise Refusal("Choose one of the three kinds of access.")
    before = reach(case)
    if access is Access.EXTERNAL:
        _check_named(user_ids, user_ids - (before or NOBODY), case.organisation_id)
    after = None if access is Access.ALL_EXTERNAL else frozenset(user_ids) if access is Access.EXTERNAL else NOBODY
    gains, gained = _difference(case.organisation_id, after, before)
    losses, lost = _difference(case.organisation_id, before, after)
    return Plan(
        access=access,
        before=before,
        after=after,
        total=count_outsiders(case.organisation_id) if after is None else len(after),
        gains=gains,
        gained=gained,
        losses=losses,
        lost=lost,
        changed=access is not case.access or before != after,
        warnings=_warnings(case, access),
        returning=_returning(case) if access in SHARED and not case.shared else [],
    )


def _difference(organisation_id: int, some: Reach, others: Reach) -> tuple[list[str], int]:
    """Those of `some` who are not among `others`: names, of a crowd the first few, and how many they are."""
    if others is None or (some is not None and not some - others):
        return [], 0
    if some is not None:
        people = outsiders(organisation_id, ids=some - others)
        return [person.name for person in people], len(people)
    people = outsiders(organisation_id, but=others, limit=NAMED)
    total = len(people) if len(people) < NAMED else count_outsiders(organisation_id, but=others)
    return [person.name for person in people], total


def _check_named(user_ids: set[int], newcomers: set[int], organisation_id: int) -> None:
    if not user_ids:
        raise Refusal("Choose at least one external user, or choose Internal to share with nobody.")
    if len(user_ids) > MOST:
        raise Refusal(f"Choose at most {MOST} people, or share with all external users.")
    if newcomers and len(outsiders(organisation_id, ids=newcomers)) < len(newcomers):
        raise Refusal(
            "One of the people you chose cannot be given access any more: the account was locked or is not external. "
            "Look at the list again."
        )


def _warnings(case: Case, access: Access) -> list[str]:
    told = []
    if access is Access.ALL_EXTERNAL:
        told.append("This includes people who are invited later.")
    if access in SHARED and case.tlp >= 3:
        told.append(f"The case is TLP:{'AMBER+STRICT' if case.tlp == 3 else 'RED'}. Make sure these people may receive it.")
    return told


def _returning(case: Case) -> list[str]:
    rows = db.session.scalars(select(Comment).where(Comment.case_id == case.id, Comment.external).order_by(Comment.created_at))
    return [f"{row.author_name}: {snippet(row.message)}" for row in rows]


def set_access(case: Case, access: Access, user_ids: set[int], *, by: Viewer, version: int | None = None, again: bool = False) -> Plan:
    """Share, widen, narrow or revoke, at once. `again` confirms that earlier external comments appear again.

    The caller holds the case's row locked. `version`: the one the person looked at, when known.
    """
    if not by.can(Permission.SHARE_OUTSIDE):
        raise NotAllowed("Your profile does not let you share cases with external users.")
    if version is not None and version != case.version:
        raise Stale("Somebody changed this case or its access while you were deciding. Look at the current state below and confirm again.")
    wanted = plan(case, access, user_ids)
    if not wanted.changed:
        return wanted
    if wanted.returning and not again:
        count = len(wanted.returning)
        thing = "One comment was" if count == 1 else f"{count} comments were"
        raise Refusal(
            f"{thing} external when this case was shared before and would be visible again. "
            "Tick the box if that is meant; if not, close this and make those comments internal first."
        )
    before = case.access
    _write(case, wanted, by)
    changes: dict[str, list[Any]] = {
        "access": [before.value, access.value],
        "gained": [None, _told(wanted.gains, wanted.gained)],
        "lost": [None, _told(wanted.losses, wanted.lost)],
    }
    record(Kind.ACCESS_CHANGED, actor=by, case=case, object_id=case.number, changes={k: v for k, v in changes.items() if v[1]})
    return wanted


def _told(names: list[str], total: int) -> list[str]:
    if len(names) == total:
        return names
    return [*names, "and many more" if total > MANY else f"and {total - len(names)} more"]


def _write(case: Case, wanted: Plan, by: Viewer) -> None:
    moment, was_shared = now(), case.shared
    kept = wanted.after or NOBODY
    granted = named_on(case)
    db.session.execute(delete(Grant).where(Grant.case_id == case.id, Grant.user_id.not_in(kept)))
    new = [{"case_id": case.id, "user_id": user_id, "granted_at": moment, "granted_by_id": by.user_id} for user_id in kept - granted]
    if new:
        db.session.execute(insert(Grant), new)
    case.access = wanted.access
    case.version += 1
    case.updated_at = moment
    if case.shared and not was_shared:
        case.shared_since = case.details_at = case.outside_at = moment
    elif not case.shared:
        case.shared_since = None
    _tell(case, wanted)


def _tell(case: Case, wanted: Plan) -> None:
    """A letter for each who gains; when that is everybody, one note that the sender turns into letters, so that sharing stays quick."""
    if wanted.before is None:
        return
    if wanted.after is None:
        post("case_shared", organisation_id=case.organisation_id, case_id=case.id, extra={"but": sorted(wanted.before)})
        return
    for user_id in sorted(wanted.after - wanted.before):
        post("case_shared", organisation_id=case.organisation_id, to_user_id=user_id, case_id=case.id)
