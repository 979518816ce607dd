"""One act on many cases: each by itself, in a savepoint of its own, and every one of them told about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from ..accounts.permissions import Permission
from ..accounts.viewer import Viewer
from ..extensions import db
from ..refusals import NotAllowed, Refusal, Stale
from .cases import SAY_WHY, asks_reason, checked_reason, draft_of, update_case, warning_after
from .lifecycle import delete_case
from .models import Case, Stage
from .tags import checked as checked_tags

MOST = 200
NOTHING = "Tick at least one case, then choose what to do."
GONE = "There is no such case any more, or you may not see it."
CHANGED = "Somebody changed it while you were deciding. Look at it again."
CLOSED_ALREADY = "It is closed. Reopen it first."

Act = Callable[[Case], str]


@dataclass(frozen=True)
class Outcome:
    """What became of one case: done, or why not. A case one may not see has no title here."""

    number: int
    title: str
    done: bool
    sentence: str


def ticked(numbers: Iterable[int], *, change: bool = False) -> list[Case]:
    """Those of the cases the viewer may see, the oldest first; `change` locks their rows, always in that order."""
    wanted = set(numbers)
    if not wanted:
        raise Refusal(NOTHING)
    if len(wanted) > MOST:
        raise Refusal(f"Tick at most {MOST} cases at once.")
    found = select(Case).where(Case.number.in_(wanted)).order_by(Case.id)
    return list(db.session.scalars(found.with_for_update().execution_options(populate_existing=True) if change else found))


def each(seen: Mapping[int, str], act: Act, *, mark: Callable[[Case], str] | None = None) -> list[Outcome]:
    """Do it to every case. `seen`: number -> the mark that was shown with it (its version, unless `mark` makes others)."""
    cases = {case.number: case for case in ticked(seen, change=True)}
    marked = mark or (lambda case: str(case.version))
    told = [_one(case, act, seen[number] == marked(case)) for number, case in cases.items()]
    gone = [Outcome(number, "", False, GONE) for number in sorted(seen.keys() - cases.keys())]
    return [*told, *gone]


def _one(case: Case, act: Act, as_shown: bool) -> Outcome:
    """What is refused for one case must not undo what was done to the others."""
    number, title = case.number, case.title
    if not as_shown:
        return Outcome(number, title, False, CHANGED)
    try:
        with db.session.begin_nested():
            return Outcome(number, title, True, act(case))
    except Stale:
        return Outcome(number, title, False, CHANGED)
    except Refusal as refusal:
        return Outcome(number, title, False, refusal.sentence)


def change(by: Viewer, *, reason: str = "", **fields: Any) -> Act:
    """Set these fields of a case, as one edit. `reason` as in cases.update_case."""
    if not by.can_inside(Permission.UPDATE_CASE):
        raise NotAllowed("Your profile does not let you edit cases.")

    def act(case: Case) -> str:
        if "status" in fields and case.stage is Stage.CLOSED:
            raise Refusal(CLOSED_ALREADY)
        changed = update_case(case, draft_of(case, **fields), version=case.version, by=by, reason=reason)
        return f"{_told(changed)} {warning_after(case, changed)}".strip()

    return act


def change_tlp(by: Viewer, numbers: Iterable[int], tlp: int, reason: str) -> Act:
    """Say how far cases may be told. Where the TLP asks why people outside see one of them, that is asked before any is touched."""
    if any(asks_reason(case, tlp) for case in ticked(numbers)):
        checked_reason(reason, SAY_WHY)
    return change(by, reason=reason, tlp=tlp)


def change_tags(by: Viewer, add: Iterable[str], remove: Iterable[str]) -> Act:
    """Add these tags to a case and take those off."""
    more, less = set(checked_tags(add)), set(remove)
    if not by.can_inside(Permission.UPDATE_CASE):
        raise NotAllowed("Your profile does not let you edit cases.")
    if not more | less:
        raise Refusal("Type at least one tag to add or to remove.")
    if both := sorted(more & less):
        raise Refusal(f"You want to add and remove {', '.join(both)} at once. Keep it in one of the two fields.")

    def act(case: Case) -> str:
        wanted = tuple(sorted((set(case.tags) | more) - less))
        return _told(update_case(case, draft_of(case, tags=wanted), version=case.version, by=by))

    return act


def _told(changed: list[str]) -> str:
    return "Changed." if changed else "It was so already."


def delete(by: Viewer, count: int, confirmation: str) -> Act:
    """Remove a case for good. `confirmation`: how many there are, typed by hand."""
    if not by.can_inside(Permission.DELETE_CASE):
        raise NotAllowed("Your profile does not let you delete cases.")
    if confirmation.strip() != str(count):
        raise Refusal(f"Type {count} to say that you mean {'this one case' if count == 1 else 'all of these cases'}.")

    def act(case: Case) -> str:
        delete_case(case, str(case.number), version=case.version, by=by)
        return "Deleted for good."

    return act
