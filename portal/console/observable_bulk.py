"""Several observables at once: changed or deleted one by one, and what became of each is told."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from flask import g, request

from ..accounts.permissions import Permission
from ..cases import cases, finds, indicators, observables
from ..extensions import db
from ..refusals import NotVisible, Refusal
from ..web import results
from ..web.show import see_other, show
from .face import console
from .observable_forms import BulkForm
from .observables import PATH, page_context

MOST = 200
UID = re.compile(r"[0-9A-Za-z_.-]{1,32}")
NONE = "Tick at least one observable, then choose what to do with them."
EMPTY = "Say what to change, or cancel."


@dataclass(frozen=True)
class Outcome:
    """What became of one observable: done, or why not."""

    name: str
    done: bool
    sentence: str


@console.route(f"{PATH}/bulk", needs=Permission.OBSERVABLE, methods=["GET", "POST"])
def bulk_observables(number: int) -> Any:
    """Say what would be done to which; with POST, do it."""
    asked = request.method == "GET"
    case, act = cases.load(number, change=not asked), request.values.get("act", "")
    if asked and results.NAME in request.args:
        return _tell_again(case, act)
    uids = list(dict.fromkeys(uid for uid in request.values.getlist("observables") if _is_uid(uid)))
    if act not in ("change", "delete") or not uids or len(uids) > MOST:
        sentence = f"Tick at most {MOST} observables at once." if len(uids) > MOST else NONE
        return see_other(".observables", sentence, warning=True, number=number)
    form = BulkForm(formdata=None if asked else request.form)
    problem = EMPTY if not asked and act == "change" and form.empty else None
    if asked or problem or (act == "change" and not form.validate()):
        return _page(case, act, uids, form, problem)
    names = {row.uid: row.shown for row in finds.chosen(g.viewer, case.id, uids)}
    outcomes = [_one(case, uid, names, act, form) for uid in uids]
    return _tell(case, act, outcomes)


def _tell(case: Any, act: str, outcomes: list[Outcome]) -> Any:
    """What became of each, at an address that can be loaded again."""
    if mark := results.keep(f"{request.path} {act}", outcomes):
        return see_other(".bulk_observables", number=case.number, act=act, told=mark)
    return show("console/observables/done.html", act=act, outcomes=outcomes, **page_context(case))


def _tell_again(case: Any, act: str) -> Any:
    lines = results.told(f"{request.path} {act}")
    if lines is None:
        return see_other(".observables", number=case.number)
    return show("console/observables/done.html", act=act, outcomes=[Outcome(*line) for line in lines], **page_context(case))


def _is_uid(text: str) -> bool:
    return bool(UID.fullmatch(text))


def _page(case: Any, act: str, uids: list[str], form: BulkForm, problem: str | None) -> Any:
    rows = finds.chosen(g.viewer, case.id, uids)
    if not rows:
        return see_other(".observables", NONE, warning=True, number=case.number)
    status = 422 if problem or form.errors else 200
    return show("console/observables/bulk.html", status=status, act=act, rows=rows, form=form, problem=problem, **page_context(case))


def _one(case: Any, uid: str, names: dict[str, str], act: str, form: BulkForm) -> Outcome:
    """What is refused for one must not undo what was done to the others."""
    name = names.get(uid, "One that is gone")
    try:
        with db.session.begin_nested():
            return _done(case, observables.load_observable(case, uid), name, act, form)
    except Refusal as refusal:
        return Outcome(name, False, refusal.sentence)
    except NotVisible:
        return Outcome(name, False, "Somebody deleted it in the meantime.")


def _done(case: Any, found: Any, name: str, act: str, form: BulkForm) -> Outcome:
    if act == "delete":
        observables.delete_observable(case, found, by=g.viewer)
        return Outcome(name, True, "Deleted.")
    changed = observables.change(case, found, form.applied(observables.facets_of(found)), by=g.viewer)
    words = ", ".join(indicators.FACETS.get(one, one) for one in changed if one != "sighted_at")
    return Outcome(name, bool(changed), f"Changed: {words}." if changed else "It was like this already.")
