"""Close, reopen, delete: the drawers that end a case, and go on with one."""

from __future__ import annotations

from typing import Any

from flask import g, request

from ..accounts.permissions import Permission
from ..cases import cases, fields, lifecycle, queries, tasks
from ..refusals import NotAllowed, Refusal, Stale
from ..web.show import see_other, show
from .face import console
from .forms import CloseForm, DeleteCaseForm, VersionForm


@console.route("/cases/<id:number>/close", needs=Permission.UPDATE_CASE, methods=["GET", "POST"])
def close_case(number: int) -> Any:
    """Ask for verdict, impact and summary; with POST, close."""
    case = cases.load(number, change=request.method == "POST")
    if request.method == "GET":
        return _page("close", case, CloseForm(formdata=None, data={"summary": case.summary, "impact": case.impact or "NotApplicable"}))
    form = CloseForm()
    if uid := request.form.get("task"):
        return _move_on(case, form, uid)
    if not form.validate():
        return _page("close", case, form)
    chosen = {"status": form.status.data, "summary": form.summary.data, "impact": form.impact.data}
    return _do("close", case, form, lambda: lifecycle.close_case(case, **chosen, version=form.seen, by=g.viewer))


def _move_on(case: Any, form: CloseForm, uid: str) -> Any:
    """Complete a mandatory task from here, or reopen one that was cancelled; what was typed about the case stays in the form."""
    task = next((task for task in tasks.closing(case)[0] if task.uid == uid), None)
    if task is None:
        return _page("close", case, form, moved="This task is completed already, or it is not mandatory any more.")
    act = "complete" if task.status in tasks.OPEN else "reopen"
    try:
        tasks.move_on(case, task, act, by=g.viewer)
    except NotAllowed:
        raise
    except Refusal as refusal:
        return _page("close", case, form, refusal.sentence)
    return _page("close", case, form, moved=f"“{task.title}” is {'completed' if act == 'complete' else 'open again'}.")


@console.route("/cases/<id:number>/reopen", needs=Permission.REOPEN_CASE, methods=["GET", "POST"])
def reopen_case(number: int) -> Any:
    """Ask once; with POST, reopen."""
    case, form = cases.load(number, change=request.method == "POST"), VersionForm()
    if request.method == "GET":
        return _page("reopen", case, form)
    return _do("reopen", case, form, lambda: lifecycle.reopen_case(case, version=form.seen, by=g.viewer))


@console.route("/cases/<id:number>/delete", needs=Permission.DELETE_CASE, methods=["GET", "POST"])
def delete_case(number: int) -> Any:
    """Ask for the number by hand; with POST, delete."""
    case, form = cases.load(number, change=request.method == "POST"), DeleteCaseForm()
    if request.method == "GET":
        return _page("delete", case, form)
    return _do("delete", case, form, lambda: lifecycle.delete_case(case, form.confirmation.data or "", version=form.seen, by=g.viewer))


DONE = {"close": "Case #{} is closed.", "reopen": "Case #{} is open again.", "delete": "Case #{} is deleted."}


def _do(act: str, case: Any, form: Any, verb: Any) -> Any:
    try:
        verb()
    except Refusal as refusal:
        return _page(act, case, form, refusal.sentence, seen=isinstance(refusal, Stale))
    if act == "delete":
        return see_other(".cases", DONE[act].format(case.number))
    return see_other(".case", DONE[act].format(case.number), number=case.number)


def _page(act: str, case: Any, form: Any, problem: str | None = None, moved: str | None = None, *, seen: bool = False) -> Any:
    """`seen`: it is said that somebody changed the case meanwhile; else the form goes on from what it was opened with."""
    view, audience = queries.case_view(case)
    if request.method == "GET" or seen:
        form.version.data = str(case.version)
    status = 422 if problem or form.errors else 200
    names = f"console/lifecycle/{act}.html", f"console/lifecycle/_{act}.html"
    missing, ending = tasks.closing(case) if act == "close" else ([], [])
    context: dict[str, Any] = {"case": view, "audience": audience, "missing_tasks": missing, "ending": len(ending)}
    context["missing"] = fields.missing_mandatory(case) if act == "close" else []
    return show(*names, status=status, form=form, problem=problem, moved=moved, **context)
