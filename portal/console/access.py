"""Manage external access: the drawer that shares a case and takes it back."""

from __future__ import annotations

from typing import Any

from flask import g, request

from ..accounts.directory import outsiders
from ..accounts.permissions import Permission
from ..cases import cases, queries
from ..refusals import Refusal
from ..sharing import access
from ..sharing.models import Access
from ..web.show import see_other, show, wants_fragment
from .cases import case_context
from .face import console
from .forms import AccessForm


@console.route("/cases/<id:number>/access", needs=Permission.SHARE_OUTSIDE, methods=["GET", "POST"], endpoint="access")
def manage_access(number: int) -> Any:
    """Show who can see the case and what a choice would change; with POST, do it."""
    case = cases.load(number, change=request.method == "POST")
    if request.method == "GET":
        return _preview(case) if "access" in request.args else _drawer(case, _form(case))
    return _confirm(case, AccessForm())


def _confirm(case: Any, form: AccessForm) -> Any:
    if not form.validate():
        return _drawer(case, form, problem="Choose who should see this case.")
    version = int(form.version.data) if (form.version.data or "").isdecimal() else None
    try:
        done = access.set_access(
            case, Access(form.access.data), set(form.users.data or ()), by=g.viewer, version=version, again=form.again.data
        )
    except Refusal as refusal:
        return _drawer(case, form, problem=refusal.sentence)
    if wants_fragment():
        return show("console/access/_saved.html", notice=_notice(done), **case_context(case))
    return see_other(".case", _notice(done), number=case.number)


def _form(case: Any) -> AccessForm:
    chosen = case.access.value if case.access is not Access.RESTRICTED else "internal"
    return AccessForm(formdata=None, data={"access": chosen, "users": sorted(access.named_on(case)), "version": case.version})


def _preview(case: Any) -> Any:
    """What the choice in the form would do, while it is being made."""
    form = AccessForm(formdata=request.args)
    try:
        plan = access.plan(case, Access(form.access.data), set(form.users.data or ()))
    except (Refusal, ValueError) as refusal:
        return _drawer(case, form, problem=getattr(refusal, "sentence", "Choose who should see this case."), preview=True)
    return _drawer(case, form, plan=plan, preview=True)


def _drawer(case: Any, form: AccessForm, *, problem: str | None = None, plan: access.Plan | None = None, preview: bool = False) -> Any:
    view, audience = queries.case_view(case)
    form.version.data = str(case.version)
    restricted = case.access is Access.RESTRICTED
    if plan is None and not restricted:
        plan = _plan_or_none(case, form)
    status = 422 if problem and request.method == "POST" else 200
    part = "console/access/_audience.html" if preview else "console/access/_drawer.html"
    chosen = set(form.users.data or ())
    people = sorted(outsiders(case.organisation_id), key=lambda p: p.id not in chosen)
    listed = [
        {"id": p.id, "name": p.name, "email": p.email, "organisation": p.organisation, "state": p.state, "chosen": p.id in chosen}
        for p in people
    ]
    refusal = access.RESTRICTED if restricted else None
    context = {"case": view, "audience": audience, "form": form, "people": listed, "refusal": refusal, "plan": plan, "problem": problem}
    return show("console/access/edit.html", part, status=status, **context)


def _plan_or_none(case: Any, form: AccessForm) -> access.Plan | None:
    try:
        return access.plan(case, Access(form.access.data), set(form.users.data or ()))
    except (Refusal, ValueError):
        return None


def _notice(done: access.Plan) -> str:
    if not done.changed:
        return "Nothing changed."
    if done.access is Access.INTERNAL:
        return "Access revoked. Nobody outside can see this case any more."
    if done.access is Access.ALL_EXTERNAL:
        return "Shared with all external users."
    return f"{done.total} external user{'' if done.total == 1 else 's'} can see this case now."
