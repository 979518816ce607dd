"""The case page's small acts: one fact edited where it stands, the star, and tags suggested while they are typed."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import g, request, url_for

from ..accounts.permissions import Permission
from ..cases import cases, queries
from ..cases.tags import LONGEST_LINE, LONGEST_TAG, split_tags, suggest
from ..refusals import Refusal
from ..web import times
from ..web.face import Needs, go_to
from ..web.show import see_other, show, wants_fragment
from .case_edit import form_data, mark, offer, plain, word_of
from .face import console
from .forms import EditCaseForm

DRAFT = {"assignee": "assignee_id"}  # a form's field -> the draft's, where they differ
TAG_FIELDS = ("tags", "add", "remove", "tag")


@console.route(
    "/cases/<id:number>/facts/<any(title,description,severity,tlp,pap,status,assignee,start_date,tags):what>",
    needs=Permission.UPDATE_CASE,
    methods=["GET", "POST"],
)
def fact(number: int, what: str) -> Any:
    """One fact of a case in a small form; with POST, save it alone."""
    case = cases.load(number, change=request.method == "POST")
    view, _ = queries.case_view(case)
    if request.method == "GET" and "shown" in request.args and wants_fragment():
        return show("console/details/_fact.html", **_context(view, what), edited=True)
    form = _form(case, view, what)
    if request.method == "GET" or not form.validate():
        return _form_page(view, what, form)
    return _save(case, view, what, form)


def _form(case: Any, view: Any, name: str) -> Any:
    """The form of a case with this one field alone."""
    stored = form_data(case)
    form = EditCaseForm() if request.method == "POST" else EditCaseForm(formdata=None, data=stored)
    for other in {field.name for field in form} - {name, "base", "reason" if name == "tlp" else ""}:
        del form[other]
    offer(form, case, view.assignee)
    if request.method == "GET":
        form.base.data = mark(plain(name, stored[name]))
    return form


def _context(view: Any, name: str) -> dict[str, Any]:
    return {"case": view, "name": name, "can": g.viewer.permissions}


def _form_page(view: Any, name: str, form: Any, *, problem: str | None = None, theirs: str | None = None) -> Any:
    status = 422 if problem or theirs is not None or form.errors else 200
    more = {"form": form, "problem": problem, "theirs": theirs}
    return show("console/details/edit.html", "console/details/_form.html", status=status, **_context(view, name), **more)


def _save(case: Any, view: Any, name: str, form: Any) -> Any:
    stored, wanted = (plain(name, value) for value in (form_data(case)[name], form[name].data))
    opened_with = form.base.data or mark("")  # "Assign to me" is offered while nobody has the case
    if opened_with != mark(stored) and wanted != stored:
        form.base.data, form.base.raw_data = mark(stored), None
        return _form_page(view, name, form, theirs=word_of(form[name], stored))
    try:
        reason = (form.reason.data or "") if "reason" in form else ""
        changed = cases.update_case(case, _draft(case, name, form), version=case.version, by=g.viewer, reason=reason)
    except Refusal as refusal:
        return _form_page(view, name, form, problem=form.place(refusal))
    notice = f"{form[name].label.text.partition(' (')[0]} saved." if changed else "Nothing changed."
    notice = f"{notice} {cases.warning_after(case, changed)}".strip()
    if not wants_fragment():
        return see_other(".case", notice, number=case.number)
    view, _ = queries.case_view(case)
    return show("console/details/_saved.html", **_context(view, name), notice=notice, edited=True)


def _draft(case: Any, name: str, form: Any) -> cases.Draft:
    value = form[name].data
    if name == "tags":
        value = split_tags(value or "")
    if name == "start_date" and value:
        value = times.typed(value, before=case.start_date)
    return cases.draft_of(case, **{DRAFT.get(name, name): value})


@console.route("/cases/<id:number>/flag", needs=Permission.UPDATE_CASE, methods=["POST"])
def flag_case(number: int) -> Any:
    """Put the case first in everybody's list, or back."""
    case = cases.load(number, change=True)
    cases.flag_case(case, request.form.get("flagged") == "y", by=g.viewer)
    if wants_fragment():
        return show("console/details/_star.html", number=number, flagged=case.flagged)
    came_from = urlsplit(request.referrer or "")
    if came_from.path == url_for(".cases"):
        return go_to(f"{came_from.path}?{came_from.query}" if came_from.query else came_from.path)
    return see_other(".case", number=number)


@console.route("/tags", needs=Needs.TEAM)
def tags() -> Any:
    """What the tag being typed may become: the line as it would be with each of the suggestions."""
    line = next((request.args[name] for name in TAG_FIELDS if name in request.args), "").replace("\0", "")[:LONGEST_LINE]
    before, comma, start = line.rpartition(",")
    kept = set(split_tags(before))
    found = [tag for tag in suggest(g.viewer, start.strip()[:LONGEST_TAG]) if tag not in kept]
    return show("console/details/tags.html", "console/details/_options.html", found=found, before=f"{before}{comma} " if comma else "")
