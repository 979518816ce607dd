"""Several files of a case at once: what is about to happen to which, then done for each by itself, and told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import g, request

from ..accounts.permissions import Permission
from ..cases import attachments, cases
from ..refusals import NotAllowed, NotVisible, Refusal, Stale
from ..sharing import marks
from ..web import results
from ..web.show import see_other, show
from .attachments import PATH, page_context
from .face import console

MOST = 100
NOTHING = "Tick at least one file, then choose what to do with it."


@dataclass(frozen=True)
class Outcome:
    """What became of one file: done, or why not."""

    name: str
    done: bool
    sentence: str


@console.route(f"{PATH}/bulk", needs=Permission.UPDATE_CASE, methods=["GET", "POST"])
def bulk_files(number: int) -> Any:
    """Say what would be done to which files; with POST, do it."""
    case = cases.load(number, change=request.method == "POST")
    act, uids = request.values.get("act", ""), _ticked()
    if request.method == "GET" and results.NAME in request.args:
        return _tell_again(case, act)
    rows = attachments.chosen(case, uids)
    if act not in ("external", "internal", "remove") or not uids or (request.method == "GET" and not rows):
        return see_other(".attachments", NOTHING if request.values else None, warning=True, number=number)
    problem, again = _problem(case) if act == "external" else (None, False)
    if request.method == "GET" or problem:
        about = {"act": act, "rows": rows, "problem": problem, "again": again, **page_context(case)}
        return show("console/attachments/bulk.html", status=422 if problem and request.method == "POST" else 200, **about)
    outcomes = [_one(case, act, row.uid, row.name) for row in rows]
    outcomes += [Outcome("A file", False, "It was removed in the meantime.")] * (len(uids) - len(rows))
    return _tell(case, act, outcomes)


def _tell(case: Any, act: str, outcomes: list[Outcome]) -> Any:
    """What became of each, at an address that can be loaded again."""
    if mark := results.keep(f"{request.path} {act}", outcomes):
        return see_other(".bulk_files", number=case.number, act=act, told=mark)
    return _done(case, act, outcomes)


def _tell_again(case: Any, act: str) -> Any:
    lines = results.told(f"{request.path} {act}")
    return see_other(".attachments", number=case.number) if lines is None else _done(case, act, [Outcome(*line) for line in lines])


def _done(case: Any, act: str, outcomes: list[Outcome]) -> Any:
    return show("console/attachments/done.html", act=act, outcomes=outcomes, **page_context(case))


def _problem(case: Any) -> tuple[str | None, bool]:
    """Why the files are not made external, and whether pressing again would do it."""
    if problem := marks.refusal_to_mark(case):
        return problem, False
    try:
        if request.method == "POST":
            marks.check_shown(case, request.form.get("seen", ""))
    except Stale as refusal:
        return refusal.sentence, True
    return None, False


def _ticked() -> list[str]:
    uids = {uid for uid in request.values.getlist("files") if uid.isascii() and uid.isprintable() and 0 < len(uid) <= 32}
    return sorted(uids)[:MOST]


def _one(case: Any, act: str, uid: str, name: str) -> Outcome:
    try:
        file = attachments.load_file(case, uid)
        if act == "remove":
            attachments.remove_file(case, file, by=g.viewer)
            return Outcome(name, True, "It is off the case. The history keeps its name and hash.")
        if not marks.mark_attachment(case, file, act == "external", by=g.viewer):
            return Outcome(name, False, f"It was {act} already.")
    except NotAllowed:
        raise
    except NotVisible:
        return Outcome(name, False, "It was removed in the meantime.")
    except Refusal as refusal:
        return Outcome(name, False, refusal.sentence)
    return Outcome(name, True, "External users can see it now." if act == "external" else "External users no longer see it.")
