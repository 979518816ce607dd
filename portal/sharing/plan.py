"""What a choice of access would change: who gains, who loses, what they would see, and what stands against it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from ..accounts.directory import MANY, Outsider, count_outsiders, counted, crews, outsiders, together
from ..accounts.models import folded
from ..cases.cases import RED, STRICT
from ..cases.models import Case
from ..clock import now
from ..refusals import Refusal
from . import contents
from .models import SHARED, Access
from .reached import NOBODY, Reach, employers, parties_on, people_of, reached, still_there

RESTRICTED = "A restricted case cannot be shared with external users. Make it visible to the whole organisation first."
RED_TO_ALL = (
    "The case is TLP:RED, which is for named people only, so it cannot be shared with all external users. "
    "Choose the people by name, or lower the TLP of the case first."
)
RED_TO_MANY = (
    "The case is TLP:RED, which is for named people only, so it cannot be shared with a whole organisation. "
    "Choose the people by name, or lower the TLP of the case first."
)
MOST = 128
NAMED = 8  # so many names stand for everybody
FEW = 3  # names in a sentence


class Keep(Enum):
    """Says of an end date that it stays as it is."""

    KEEP = "keep"


KEEP = Keep.KEEP
Until = datetime | None | Keep


@dataclass(frozen=True)
class Plan:
    """What confirming would do. `total` people will see the case; `gained` and `lost` count those whose names the lists begin,
    up to directory.MANY and one. `mixed`: how many external organisations would read the same case, when more than one, counted as far;
    `mixing` says so, and stands apart from the other `warnings` to be said once.

    `returning`: what outsiders saw before and would see again, the first of `returns`; `comments`, `files`, `items`: how many external
    ones, and how much evidence added from outside, they would see. `until`: when sharing would end by itself. `needs_reason`: it goes
    further than the TLP, so why must be written down.
    `staying`: who sees it before and after, None: everybody; a new end is theirs, too, in place of `until_before`.
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
    mixed: int = 0
    mixing: str = ""
    returning: list[str] = field(default_factory=list)
    returns: int = 0
    comments: int = 0
    files: int = 0
    items: int = 0
    until: datetime | None = None
    until_changed: bool = False
    until_before: datetime | None = None
    staying: tuple[str, ...] | None = ()
    needs_reason: bool = False
    # Who is named on the case then: people, and external organisations with their names. `after` has the people of both.
    named: frozenset[int] = NOBODY
    parties: tuple[tuple[int, str], ...] = ()
    parties_before: tuple[tuple[int, str], ...] = ()

    @property
    def parties_changed(self) -> bool:
        """Whether it is shared with other external organisations than before."""
        return dict(self.parties) != dict(self.parties_before)

    @property
    def only_the_end(self) -> bool:
        """Whether who sees the case stays the same, and only until when changes."""
        return self.until_changed and self.before == self.after and not self.parties_changed

    @property
    def ends_for(self) -> str:
        """Of those who see it already, whom the new end is for, too; empty where there is none of them, or no new end."""
        if not self.until_changed or not self.until:
            return ""
        if self.staying is None:
            return "All external users"
        return together(list(self.staying), FEW) if self.staying else ""

    @property
    def mark(self) -> str:
        """What tells this plan from another one: whoever confirms sends back the mark of the plan they saw."""
        whom = "all" if self.after is None else ",".join(map(str, sorted(self.after)))
        until = f":{self.until:%Y-%m-%d}" if self.until and self.until_changed else ":none" if self.until_changed else ""
        through = f":{sorted(self.parties)}" if self.parties or self.parties_changed else ""
        return hashlib.sha256(f"{self.access.value}:{whom}:{self.gained}:{self.lost}{until}{through}".encode()).hexdigest()[:16]

    @property
    def button(self) -> str:
        """The effect, as the confirming button says it."""
        if not self.changed:
            return "Nothing to change"
        if self.only_the_end:
            return "Change the end date" if self.until else "Remove the end date"
        if self.access is Access.ALL_EXTERNAL:
            return "Share with all external users"
        if self.gained:
            return f"Share with {_people(self.gained)}" + (f", revoke for {counted(self.lost)}" if self.lost else "")
        if self.lost:
            return f"Revoke access for {_people(self.lost)}"
        return f"Share with {self.parties[0][1]}" if self.parties_changed and len(self.parties) == 1 else "Confirm"


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{counted(count)} people"


class Facts:
    """What a plan asks of the database, about one case; sharing.bulk asks it once for many."""

    def reached(self, case: Case) -> list[Outsider] | None:
        """Whom the case reaches now; None for everybody."""
        return reached(case)

    def granted(self, case: Case) -> frozenset[int]:
        """Who is named on the case now and can be shared with."""
        return frozenset(person.id for person in still_there(case)) if case.access_now is Access.EXTERNAL else NOBODY

    def parties(self, case: Case) -> dict[int, str]:
        """The external organisations the case is shared with now."""
        return parties_on(case)[case.id]

    def crews(self, case: Case, ids: frozenset[int]) -> dict[int, str]:
        """Those of these external organisations there are."""
        return {crew.id: crew.name for crew in crews(case.organisation_id, ids=ids)} if ids else {}

    def crew(self, case: Case, ids: frozenset[int]) -> list[Outsider]:
        """Who works for these external organisations."""
        return people_of(case.organisation_id, ids)

    def people(self, case: Case, ids: frozenset[int]) -> list[Outsider]:
        """Those of these people who can be shared with today."""
        return outsiders(case.organisation_id, ids=ids) if ids else []

    def crowd(self, case: Case, but: frozenset[int]) -> tuple[list[str], int]:
        """Everybody but these: the first few names, and how many they are, up to directory.MANY and one."""
        people = outsiders(case.organisation_id, but=but, limit=NAMED)
        total = len(people) if len(people) < NAMED else count_outsiders(case.organisation_id, but=but)
        return [person.name for person in people], total

    def everybody(self, case: Case) -> int:
        """How many external people there are, counted as far."""
        return count_outsiders(case.organisation_id)

    def employers(self, case: Case) -> list[str]:
        """The external organisations all external people work for, as told in reached."""
        return employers(case.organisation_id)

    def shown(self, case: Case) -> tuple[int, int, int]:
        """How many external files and comments there are on the case, and evidence items people outside added."""
        return contents.shown(case)

    def returning(self, case: Case) -> tuple[list[str], int]:
        """What outsiders would see again."""
        return contents.returning(case)


FACTS = Facts()


@dataclass(frozen=True)
class Known(Facts):
    """Facts of one case for whoever has asked already whom it reaches, by name and through which organisations."""

    named: list[Outsider]
    through: dict[int, str]

    def reached(self, case: Case) -> list[Outsider] | None:
        """Whom the case reaches now; None for everybody."""
        if self.through or case.access_now is not Access.EXTERNAL:
            return reached(case)
        return self.named

    def parties(self, case: Case) -> dict[int, str]:
        """The external organisations the case is shared with now."""
        return self.through


def plan(
    case: Case, access: Access, user_ids: set[int], until: Until = KEEP, *, parties: Collection[int] = (), facts: Facts = FACTS
) -> Plan:
    """Compare the wanted access with today's; nothing is written, and nobody is loaded who is not named in the answer.

    `parties`: the external organisations to share with, all their people of today and of later; like `user_ids` for selected ones only.
    """
    _check(case, access)
    turn = _turn(case, access, frozenset(user_ids), frozenset(parties), facts)
    gains, gained = _difference(case, turn.after, turn.before, facts, turn.known)
    losses, lost = _difference(case, turn.before, turn.after, facts, turn.known)
    ends, ended = _until(case, access, until), case.shared_until if case.shared else None
    until_changed = access in SHARED and ends != ended
    returning, returns = facts.returning(case) if access in SHARED and not case.shared else ([], 0)
    shown: dict[str, Any] = dict(zip(("files", "comments", "items"), facts.shown(case), strict=True)) if access in SHARED else {}
    return Plan(
        access=access,
        before=turn.before,
        after=turn.after,
        total=facts.everybody(case) if turn.after is None else len(turn.after),
        gains=gains,
        gained=gained,
        losses=losses,
        lost=lost,
        changed=access is not case.access_now or turn.before != turn.after or until_changed or turn.wanted != turn.through,
        warnings=_warnings(case, access, turn),
        returning=returning,
        returns=returns,
        **shown,
        until=ends,
        until_changed=until_changed,
        until_before=ended,
        needs_reason=case.tlp == STRICT and access in SHARED and (gained > 0 or turn.opens),
        **turn.told,
    )


@dataclass(frozen=True)
class _Turn:
    """From whom to whom: people by id, and external organisations, id -> name, the case is shared with now and then. `known`: the
    people in question; `named`: those who are named on the case then; `crowd`: the organisations of everybody, where it is everybody."""

    before: Reach
    after: Reach
    through: dict[int, str]
    wanted: dict[int, str]
    named: frozenset[int]
    known: dict[int, Outsider]
    crowd: list[str]

    @property
    def opens(self) -> bool:
        """Whether people can come to see it who were not among those of now."""
        return bool(self.wanted.keys() - self.through.keys()) or (self.after is None and self.before is not None)

    @property
    def told(self) -> dict[str, Any]:
        """What a plan says of it as it is."""
        parties = {"parties": tuple(self.wanted.items()), "parties_before": tuple(self.through.items())}
        return {"named": self.named, "staying": self.staying, "mixed": len(self.mixed), "mixing": _mixing(self.mixed), **parties}

    @property
    def staying(self) -> tuple[str, ...] | None:
        """Who sees it before and after, by name; None: everybody."""
        ids = self.after if self.before is None else self.before if self.after is None else self.before & self.after
        return None if ids is None else tuple(sorted((self.known[key].name for key in ids), key=folded))

    @property
    def mixed(self) -> list[str]:
        """The external organisations whose people would read the same case, by name; none when it is only one."""
        theirs = {self.known[key].organisation for key in self.after or () if key in self.known}
        names = sorted({*theirs, *self.wanted.values(), *self.crowd} - {""})
        return names if len(names) > 1 else []


def _turn(case: Case, access: Access, user_ids: frozenset[int], parties: frozenset[int], facts: Facts) -> _Turn:
    now_reached = facts.reached(case)
    known = {person.id: person for person in now_reached or ()}
    before = None if now_reached is None else frozenset(known)
    through, wanted, named = facts.parties(case), dict[int, str](), NOBODY
    if access is Access.EXTERNAL:
        wanted, named = _parties(case, parties, through, facts), user_ids
        known |= _newcomers(case, named, known, wanted, facts)
    after = None if access is Access.ALL_EXTERNAL else _all_of(named, wanted, known)
    return _Turn(before, after, through, wanted, named, known, facts.employers(case) if after is None else [])


def _parties(case: Case, ids: frozenset[int], through: dict[int, str], facts: Facts) -> dict[int, str]:
    found = through | facts.crews(case, ids - through.keys())
    if ids - found.keys():
        raise Refusal("One of the organisations you chose is not there any more. Look at the list again.")
    if case.tlp == RED and ids - through.keys():
        raise Refusal(RED_TO_MANY)
    return {key: name for key, name in found.items() if key in ids}


def _newcomers(case: Case, named: frozenset[int], known: dict[int, Outsider], wanted: dict[int, str], facts: Facts) -> dict[int, Outsider]:
    """Whoever is chosen and whom the case does not reach yet; refused when one of them cannot be given access."""
    new = {person.id: person for person in facts.people(case, named - known.keys())}
    _check_named(named, new.keys() | known.keys(), wanted)
    return new | {person.id: person for person in facts.crew(case, frozenset(wanted))}


def _all_of(named: frozenset[int], wanted: dict[int, str], known: dict[int, Outsider]) -> frozenset[int]:
    names = set(wanted.values())  # no two external organisations of a tenant are called the same
    return named | {key for key, person in known.items() if person.organisation in names} if names else named


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


def _difference(case: Case, some: Reach, others: Reach, facts: Facts, known: dict[int, Outsider]) -> tuple[list[str], int]:
    """Those of `some` who are not among `others`: names, of a crowd the first few, and how many they are."""
    if others is None or (some is not None and not some - others):
        return [], 0
    if some is None:
        return facts.crowd(case, others)
    people = sorted((known[key] for key in some - others), key=lambda person: (folded(person.name), person.id))
    return [person.name for person in people], len(people)


def _check_named(user_ids: frozenset[int], there: AbstractSet[int], parties: dict[int, str]) -> None:
    if not user_ids and not parties:
        raise Refusal("Choose at least one external user or organisation, or choose Internal to share with nobody.")
    if len(user_ids) > MOST:
        raise Refusal(f"Choose at most {MOST} people, or share with their organisation or with all external users.")
    if user_ids - there:
        raise Refusal(
            "One of the people you chose cannot be given access any more: the account was locked or is not external. "
            "Look at the list again."
        )


def _warnings(case: Case, access: Access, turn: _Turn) -> list[str]:
    told = []
    if access is Access.ALL_EXTERNAL:
        told.append("This includes people who are invited later.")
    if turn.wanted:
        told.append(f"This includes people who join {together(list(turn.wanted.values()), NAMED)} later.")
    if access in SHARED and case.tlp == STRICT:
        told.append(
            "The case is TLP:AMBER+STRICT, which stays within one organisation. Whoever is outside may receive it for a reason only."
        )
    if access in SHARED and case.tlp == RED:
        told.append("The case is TLP:RED: only for the people you name. Make sure that each of them may receive it.")
    return told


def _mixing(names: list[str]) -> str:
    """That people of several external organisations read the same case; empty where they do not."""
    if not names:
        return ""
    many = f"People of {counted(len(names))} external organisations"
    return f"{many} will read the same case and what the others write: {together(names[:MANY], FEW)}."
