"""Opening many cases to the outside at once, or closing them: what would happen to each, then done to each, with one letter a person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import bindparam, delete, func, select

from ..accounts.directory import MANY, Outsider, count_outsiders, outsiders
from ..accounts.permissions import Permission
from ..accounts.viewer import Viewer
from ..cases import bulk
from ..cases.cases import checked_reason
from ..cases.models import Attachment, Case, Comment, Observable
from ..dates import Reading, date_words, on_clock
from ..extensions import db
from ..mail.models import OutboxMessage, State
from ..refusals import NotAllowed, Refusal
from .access import set_access
from .models import Access, Grant
from .plan import FACTS, KEEP, MOST, NAMED, Facts, Plan, Until, plan
from .reached import NOBODY, Reach, parties_on, people_of

NO_RIGHT = "Your profile does not let you share cases with external users."
LETTER, ONE_FOR_ALL = "case_shared", "cases_shared"
UTC_READER = Reading()


@dataclass(frozen=True)
class Choice:
    """What was chosen for all of the cases, and confirmed: `again` and `reason` as in access.set_access.

    `adding`: whoever can see a case already keeps it, and `users` and `parties`, external organisations, come on top.
    `until`: the moment sharing of each of them ends by itself, told on the clock of `reader`; KEEP: as it is with each.
    """

    access: Access
    users: frozenset[int] = frozenset()
    again: bool = False
    reason: str = ""
    adding: bool = False
    parties: frozenset[int] = frozenset()
    until: Until = KEEP
    reader: Reading = UTC_READER

    def of(self, case: Case, facts: Facts = FACTS) -> tuple[Access, set[int], set[int]]:
        """What it means for one case: the access wanted, who is named then, and which external organisations are."""
        if not self.adding:
            return self.access, set(self.users), set(self.parties)
        if not self.users and not self.parties:
            if self.until is KEEP:
                raise Refusal("Choose at least one person or organisation to add.")
            if not case.shared:
                raise Refusal("It is not shared, so it has no last day.")
        if case.access_now is Access.ALL_EXTERNAL:
            return Access.ALL_EXTERNAL, set(), set()
        return Access.EXTERNAL, {*facts.granted(case), *self.users}, {*facts.parties(case), *self.parties}


@dataclass(frozen=True)
class Prospect:
    """What the choice would do to one case; without a plan, why it cannot be done. `left_out`: what is missing to do it."""

    case: Case
    plan: Plan | None
    refusal: str = ""
    left_out: str = ""

    @property
    def mark(self) -> str:
        """What tells it from another one: nothing is done to a case that was not shown before."""
        return f"{self.case.version}-{self.plan.mark}-{self.plan.returns}" if self.plan else f"{self.case.version}-no"


_NAMED_ON = select(Grant.user_id).where(Grant.case_id.in_(bindparam("cases", expanding=True)))


class Together(Facts):
    """The facts of many cases of one organisation, asked once for all of them; they hold as long as the cases' rows are locked."""

    def __init__(self, cases: Iterable[Case], choice: Choice) -> None:
        self.cases, self.users, self.wanted = {case.id: case for case in cases}, choice.users, choice.parties
        self.place = next((case.organisation_id for case in self.cases.values()), 0)

    @cached_property
    def chosen(self) -> dict[int, Outsider]:
        """Those of the people chosen who can be shared with, by name."""
        return {person.id: person for person in outsiders(self.place, ids=self.users)} if self.users else {}

    @cached_property
    def named(self) -> dict[int, Outsider]:
        """Those of the people named on any of the cases who can be shared with, by name."""
        return {person.id: person for person in outsiders(self.place, ids=_NAMED_ON, cases=list(self.cases))}

    @cached_property
    def _through(self) -> dict[int, dict[int, str]]:
        return parties_on(*self.cases.values())

    @cached_property
    def _chosen_parties(self) -> dict[int, str]:
        return super().crews(next(iter(self.cases.values())), self.wanted) if self.cases else {}

    @cached_property
    def _crews(self) -> dict[str, list[Outsider]]:
        """Who works for any of the external organisations that are or would be on a case, by its name."""
        ids = {*self.wanted, *(key for parties in self._through.values() for key in parties)}
        at: dict[str, list[Outsider]] = defaultdict(list)
        for person in people_of(self.place, ids):
            at[person.organisation].append(person)
        return at

    @cached_property
    def _grants(self) -> dict[int, frozenset[int]]:
        on: dict[int, set[int]] = defaultdict(set)
        for case_id, user_id in db.session.execute(select(Grant.case_id, Grant.user_id).where(Grant.case_id.in_(self.cases))):
            on[case_id].add(user_id)
        return {case_id: frozenset(ids & self.named.keys()) for case_id, ids in on.items()}

    @cached_property
    def _first(self) -> list[Outsider]:
        """So many of all external people that enough are left without those of any case."""
        crews = sum(map(len, self._crews.values()))
        return outsiders(self.place, limit=NAMED + crews + max([len(self.users), *map(len, self._grants.values())]))

    @cached_property
    def _total(self) -> int:
        return count_outsiders(self.place, most=MANY + 1 + MOST + sum(map(len, self._crews.values())))

    @cached_property
    def _outside(self) -> list[dict[int, int]]:
        """How many external files, comments and observables of outsiders there are, by case."""
        files = (Attachment, Attachment.external.is_(True) & Attachment.log_id.is_(None))
        kinds: tuple[Any, ...] = (files, (Comment, Comment.external.is_(True)), (Observable, Observable.author_external.is_(True)))
        counts = (select(of.case_id, func.count()).where(of.case_id.in_(self.cases), which).group_by(of.case_id) for of, which in kinds)
        return [dict(db.session.execute(wanted).all()) for wanted in counts]

    def reached(self, case: Case) -> list[Outsider] | None:
        """As told together."""
        if case.access_now is Access.ALL_EXTERNAL:
            return None
        people = {key: self.named[key] for key in self.granted(case)}
        people |= {person.id: person for name in self._through[case.id].values() for person in self._crews[name]}
        return list(people.values())

    def granted(self, case: Case) -> frozenset[int]:
        """As told together."""
        return self._grants.get(case.id, NOBODY) if case.access_now is Access.EXTERNAL else NOBODY

    def parties(self, case: Case) -> dict[int, str]:
        """As told together."""
        return self._through[case.id]

    def crews(self, case: Case, ids: frozenset[int]) -> dict[int, str]:
        """As told together."""
        return {key: name for key, name in self._chosen_parties.items() if key in ids}

    def crew(self, case: Case, ids: frozenset[int]) -> list[Outsider]:
        """As told together."""
        names = {**self._chosen_parties, **self._through[case.id]}
        return [person for key in ids for person in self._crews[names[key]]]

    def people(self, case: Case, ids: frozenset[int]) -> list[Outsider]:
        """As told together; whoever gains was chosen, whoever loses was named."""
        known = {**self.named, **self.chosen}
        return [known[key] for key in ids if key in known]

    def crowd(self, case: Case, but: frozenset[int]) -> tuple[list[str], int]:
        """As told together; `but` are people who can be shared with, so they were counted."""
        names = [person.name for person in self._first if person.id not in but][:NAMED]
        return names, min(self._total - len(but), MANY + 1)

    def everybody(self, case: Case) -> int:
        """As counted together."""
        return min(self._total, MANY + 1)

    @cached_property
    def _employers(self) -> list[str]:
        return super().employers(next(iter(self.cases.values()))) if self.cases else []

    def employers(self, case: Case) -> list[str]:
        """As asked together."""
        return self._employers

    def shown(self, case: Case) -> tuple[int, int, int]:
        """As counted together."""
        files, said, items = (counts.get(case.id, 0) for counts in self._outside)
        return files, said, items

    def returning(self, case: Case) -> tuple[list[str], int]:
        """Asked of those cases only that have such things."""
        return super().returning(case) if any(case.id in counts for counts in self._outside) else ([], 0)


def prospects(cases: Collection[Case], choice: Choice) -> list[Prospect]:
    """Look at many cases of one organisation."""
    facts = Together(cases, choice)
    return [prospect(case, choice, facts) for case in cases]


def prospect(case: Case, choice: Choice, facts: Facts = FACTS) -> Prospect:
    """Look at one case."""
    try:
        access, users, parties = choice.of(case, facts)
        wanted = plan(case, access, users, choice.until, parties=parties, facts=facts)
    except Refusal as refusal:
        return Prospect(case, None, refusal.sentence)
    return Prospect(case, wanted, left_out=_missing(wanted, choice))


def _missing(wanted: Plan, choice: Choice) -> str:
    if wanted.changed and wanted.returning and not choice.again:
        return "what was external before is not confirmed"
    try:
        if wanted.changed and wanted.needs_reason:
            checked_reason(choice.reason, "no reason")
    except Refusal as refusal:
        return refusal.sentence.rstrip(".")
    return ""


def people_once(lines: Iterable[Prospect]) -> tuple[int, int]:
    """How many people come to see any of the cases they could not see, and how many lose any, whoever it is counted once."""
    plans = [line.plan for line in lines if line.plan and line.plan.changed and not line.left_out]
    gained = _once([(plan.after, plan.before, plan.gained) for plan in plans])
    return gained, _once([(plan.before, plan.after, plan.lost) for plan in plans])


def _once(turns: list[tuple[Reach, Reach, int]]) -> int:
    """Of whoever is in the first of two groups and not in the second, how often everybody once; None: everybody there is, see Plan."""
    named = {key for there, other, _ in turns if there is not None and other is not None for key in there - other}
    crowds = [(other, count) for there, other, count in turns if there is None and other is not None]
    if not crowds:
        return len(named)
    spared = frozenset.intersection(*(other for other, _ in crowds)) - named
    everybody = max(len(other) + count for other, count in crowds)
    return min(everybody - len(spared), MANY + 1)


def share(seen: Mapping[int, str], choice: Choice, *, by: Viewer) -> list[bulk.Outcome]:
    """Give all of the cases this access. `seen`: number -> the mark of the prospect that was shown."""
    if not by.can(Permission.SHARE_OUTSIDE):
        raise NotAllowed(NO_RIGHT)
    before = db.session.scalar(select(func.max(OutboxMessage.id))) or 0
    found = {line.case.number: line for line in prospects(bulk.ticked(seen, change=True), choice)}

    def act(case: Case) -> str:
        wanted = found[case.number].plan
        if wanted is None:
            raise Refusal(found[case.number].refusal)
        ids = set(wanted.named)
        return _told(set_access(case, wanted.access, ids, by=by, again=choice.again, reason=choice.reason, planned=wanted), choice.reader)

    outcomes = bulk.each(seen, act, mark=lambda case: found[case.number].mark)
    _one_letter_each(before, [outcome.number for outcome in outcomes if outcome.done])
    return outcomes


def _told(done: Plan, reader: Reading) -> str:
    if not done.changed:
        return "It was so already."
    if done.access is Access.INTERNAL:
        return "Internal: nobody outside can see it any more."
    day = date_words(on_clock(done.until, reader), reader) if done.until_changed and done.until else ""
    if done.only_the_end:
        return f"The last day of sharing is {day} now." if day else "Sharing has no last day any more."
    end = f" The last day of sharing is {day}." if day else ""
    if done.access is Access.ALL_EXTERNAL:
        return f"Shared with all external users.{end}"
    return f"{done.total} external user{'' if done.total == 1 else 's'} can see it.{end}"


def _one_letter_each(before: int, numbers: Iterable[int]) -> None:
    """Of several letters this act posted to one person, the first stays and says that there are several cases."""
    db.session.flush()
    mine = select(OutboxMessage).join(Case, Case.id == OutboxMessage.case_id).where(Case.number.in_(list(numbers)))
    fresh = mine.where(OutboxMessage.id > before, OutboxMessage.letter == LETTER, OutboxMessage.state == State.WAITING)
    to: dict[int | None, list[OutboxMessage]] = defaultdict(list)
    for letter in db.session.scalars(fresh.order_by(OutboxMessage.id)):
        to[letter.to_user_id].append(letter)
    spare = [letter.id for letters in to.values() if len(letters) > 1 for letter in _keep_first(letters)]
    if spare:
        db.session.execute(delete(OutboxMessage).where(OutboxMessage.id.in_(spare)))


def _keep_first(letters: list[OutboxMessage]) -> list[OutboxMessage]:
    """Make the first speak for all of them; the others, which are not needed any more."""
    first, *others = letters
    extra: dict[str, object] = {"cases": [letter.case_id for letter in letters], "at": first.extra["at"], "marks": first.extra["marks"]}
    if first.to_user_id is None:  # a note for everybody: whoever could see each of the cases before is told nothing
        extra["but"] = sorted(set.intersection(*(set(letter.extra.get("but", ())) for letter in letters)))
    # It hangs on none of the cases: whoever deletes one of them must not take the news of the others with it.
    first.letter, first.extra, first.case_id = ONE_FOR_ALL, extra, None
    return others
