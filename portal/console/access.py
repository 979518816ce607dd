"""Manage external access: the drawer that shares a case and takes it back."""

from __future__ import annotations

from typing import Any

from flask import g, request

from ..accounts.directory import Outsider, count_outsiders, counted
from ..accounts.permissions import Permission
from ..cases import cases, queries
from ..refusals import Refusal
from ..sharing import access
from ..sharing.models import Access
from ..sharing.offer import offer
from ..web import times
from ..web.show import see_other, show, wants_fragment
from .cases import case_context
from .face import console
from .forms import AccessForm


@console.route("/cases/<id:number>/access", needs=Permission.SHARE_OUTSIDE, methods=["GET", "POST"], endpoint="access")
def manage_access(number: int) -> Any:
    """Show who can see the case and what a choice would change; with POST, do it."""
    case = cases.load(number, change=request.method == "POST")
    if request.method == "POST":
        return _confirm(case, AccessForm())
    if "q" in request.args and wants_fragment():
        return _found(case, AccessForm(formdata=request.args))
    if "access" in request.args:
        return _preview(case)
    named, through = access.still_there(case), access.parties_on(case)[case.id]
    return _drawer(case, _form(case, named, through), known=access.Known(named, through))


def _confirm(case: Any, form: AccessForm) -> Any:
    if "find" in request.form:  # the search button of the page without JavaScript: everything ticked comes along
        return _drawer(case, form)
    if not form.validate():
        return _drawer(case, form, problem=None if form.until.errors else "Choose who should see this case.")
    version = int(form.version.data) if (form.version.data or "").isdecimal() else None
    plan, shown = _plan_or_none(case, form), request.form.get("seen", "") if version is not None else ""
    if plan is not None and plan.changed and shown != plan.mark and version in (None, case.version):
        return _drawer(case, form, plan=plan, unseen=True)  # nothing is opened that was not shown before
    try:
        done = access.set_access(
            case,
            Access(form.access.data),
            _chosen(form),
            by=g.viewer,
            version=version,
            again=form.again.data,
            reason=form.reason.data or "",
            until=_until(case, form),
            parties=_parties(form),
        )
    except Refusal as refusal:
        return _drawer(case, form, problem=refusal.sentence)
    if wants_fragment():
        return show("console/access/_saved.html", notice=_notice(done), **case_context(case))
    return see_other(".case", _notice(done), number=case.number)


def _form(case: Any, named: list[Outsider], through: dict[int, str]) -> AccessForm:
    chosen = case.access_now.value if case.access is not Access.RESTRICTED else "internal"
    until = times.local(case.shared_until).date() if case.shared_until and case.shared else None
    ticked = {"users": [person.id for person in named], "parties": list(through)}
    return AccessForm(formdata=None, data={"access": chosen, **ticked, "until": until, "version": case.version})


def _until(case: Any, form: AccessForm) -> access.Until:
    """The end that was chosen: the last second of the day on the clock of who chose it. A day that was left as it stood changes nothing."""
    day = form.until.data
    if "until" not in request.values or not form.until.validate(form):
        return access.KEEP
    if day is None:
        return None
    if case.shared and case.shared_until and times.local(case.shared_until).date() == day:
        return access.KEEP
    return times.end_of_day(day)


def _chosen(form: AccessForm) -> set[int]:
    """Whom the form names. A number no account can have becomes one that none has."""
    return {key if 0 < key < 2**63 else 0 for key in form.users.data or ()}


def _parties(form: AccessForm) -> set[int]:
    """The external organisations the form names, in the same way."""
    return {key if 0 < key < 2**63 else 0 for key in form.parties.data or ()}


def _found(case: Any, form: AccessForm) -> Any:
    """The list of people alone, searched anew."""
    return show("console/access/_people.html", **_people(case, form))


def _people(case: Any, form: AccessForm, named: list[Outsider] | None = None) -> dict[str, Any]:
    """Whom to offer, see sharing.offer; `named`: those chosen, where they are at hand."""
    return offer(case.organisation_id, _chosen(form), _parties(form), str(request.values.get("q", "")), named)


def _preview(case: Any) -> Any:
    """What the choice in the form would do, while it is being made."""
    form = AccessForm(formdata=request.args)
    if not form.until.validate(form):
        return _drawer(case, form, problem=str(form.until.errors[0]), preview=True)
    try:
        plan = access.plan(case, Access(form.access.data), _chosen(form), _until(case, form), parties=_parties(form))
    except (Refusal, ValueError) as refusal:
        return _drawer(case, form, problem=getattr(refusal, "sentence", "Choose who should see this case."), preview=True)
    return _drawer(case, form, plan=plan, preview=True)


def _drawer(
    case: Any,
    form: AccessForm,
    *,
    problem: str | None = None,
    plan: access.Plan | None = None,
    preview: bool = False,
    unseen: bool = False,
    known: access.Known | None = None,
) -> Any:
    form.version.data = str(case.version)
    restricted = case.access is Access.RESTRICTED
    if plan is None and not restricted:
        plan = _plan_or_none(case, form, known or access.FACTS)
    status = 422 if (problem or form.errors) and request.method == "POST" else 200
    part = "console/access/_audience.html" if preview else "console/access/_drawer.html"
    refusal = access.RESTRICTED if restricted else None
    sentence = queries.case_view(case)[1].sentence if plan is None else ""
    context = {"case": case, "sentence": sentence, "form": form, "refusal": refusal, "plan": plan, "problem": problem, "unseen": unseen}
    if not preview or not wants_fragment():
        context |= {"everybody": count_outsiders(case.organisation_id), **_people(case, form, known.named if known else None)}
    return show("console/access/edit.html", part, status=status, **context)


def _plan_or_none(case: Any, form: AccessForm, facts: access.Facts = access.FACTS) -> access.Plan | None:
    if form.until.errors:
        return None
    try:
        return access.plan(case, Access(form.access.data), _chosen(form), _until(case, form), parties=_parties(form), facts=facts)
    except (Refusal, ValueError):
        return None


def _notice(done: access.Plan) -> str:
    if not done.changed:
        return "Nothing changed."
    if done.before == done.after and not done.parties_changed:
        return "The last day of sharing is set." if done.until else "Sharing has no end date any more."
    if done.access is Access.INTERNAL:
        return "Access revoked. Nobody outside can see this case any more."
    if done.access is Access.ALL_EXTERNAL:
        return "Shared with all external users."
    lost = f"{'1 person' if done.lost == 1 else f'{counted(done.lost)} people'} cannot see it any more. " if done.lost else ""
    return f"{lost}{counted(done.total)} external user{'' if done.total == 1 else 's'} can see this case now."
