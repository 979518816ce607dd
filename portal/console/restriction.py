"""Restrict access: the drawer that hides a case from all but named colleagues, and shows it to the organisation again."""

from __future__ import annotations

from typing import Any

from flask import g, request

from ..accounts.directory import colleagues
from ..accounts.permissions import Permission
from ..cases import cases, queries
from ..refusals import Refusal, Stale
from ..sharing import restriction
from ..sharing.models import Access
from ..web.show import see_other, show
from .face import console
from .forms import RestrictForm


@console.route("/cases/<id:number>/restriction", needs=Permission.RESTRICT, methods=["GET", "POST"], endpoint="restriction")
def restrict_case(number: int) -> Any:
    """Show who of the organisation can see the case; with POST, change it."""
    case = cases.load(number, change=request.method == "POST")
    form = RestrictForm()
    if request.method == "GET":
        return _page(case, _form(case))
    if not form.validate():
        return _page(case, form, "Choose who should see this case.")
    return _confirm(case, form)


def _confirm(case: Any, form: RestrictForm) -> Any:
    version = int(form.version.data) if (form.version.data or "").isdecimal() else None
    try:
        if form.visible_to.data == "named":
            changed = restriction.restrict(case, set(form.users.data or ()), by=g.viewer, version=version)
            notice = "Only the people you chose can see this case now."
        else:
            changed = restriction.make_visible(case, by=g.viewer, version=version)
            notice = "The whole organisation can see this case again."
    except Stale as refusal:
        return _page(case, _form(case), refusal.sentence)
    except Refusal as refusal:
        return _page(case, form, refusal.sentence)
    return see_other(".case", notice if changed else "Nothing changed.", number=case.number)


def _form(case: Any) -> RestrictForm:
    restricted = case.access is Access.RESTRICTED
    data = {"visible_to": "named" if restricted else "all", "users": sorted(restriction.named_colleagues(case)), "version": case.version}
    return RestrictForm(formdata=None, data=data)


def _page(case: Any, form: RestrictForm, problem: str | None = None) -> Any:
    view, _ = queries.case_view(case)
    form.version.data = str(case.version)
    always = {g.viewer.user_id, case.assignee_id}
    chosen = always | set(form.users.data or ())
    known = colleagues(case.organisation_id, besides=chosen)
    people = [{"id": key, "name": name, "fixed": key in always, "chosen": key in chosen} for key, name in known]
    people.sort(key=lambda person: (not person["fixed"], not person["chosen"]))
    context: dict[str, Any] = {"case": view, "form": form, "people": people, "refusal": restriction.refusal_to_restrict(case)}
    names = "console/restriction/edit.html", "console/restriction/_drawer.html"
    return show(*names, status=422 if problem else 200, problem=problem, me=g.viewer.user_id, **context)
