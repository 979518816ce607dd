"""Cases: list, page, new, edit, history."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import g, request, url_for
from werkzeug.datastructures import ImmutableMultiDict

from ..accounts.directory import colleagues
from ..accounts.permissions import Permission
from ..audit import feed
from ..cases import cases, comments, queries
from ..cases.models import STATUSES, Stage
from ..refusals import Refusal, Stale
from ..sharing.marks import refusal_to_mark
from ..web import times
from ..web.face import Needs, go_to
from ..web.filters import STATUS
from ..web.forms import MessageForm
from ..web.show import see_other, show
from .face import console
from .forms import CaseForm, EditCaseForm, FilterForm, choices


@console.route("/", needs=Needs.SIGNED_IN)
def home() -> Any:
    """Cases for teams; for the platform's administrators the first thing they may administer."""
    if not g.viewer.platform:
        return see_other(".cases")
    pages = {Permission.MANAGE_USER: ".people", Permission.MANAGE_ORGANISATION: ".organisations", Permission.MANAGE_PROFILE: ".profiles"}
    return go_to(next((url_for(page) for right, page in pages.items() if g.viewer.can(right)), url_for("entry.account", face="console")))


@console.route("/cases", needs=Needs.TEAM, endpoint="cases")
def case_list() -> Any:
    """The organisation's cases, latest change first."""
    form = FilterForm(formdata=ImmutableMultiDict(request.args))
    chosen = {field.name: field.data for field in form if field.validate(form) and field.data}
    after = request.args.get("after", "")
    page = queries.case_list(g.viewer, queries.Filters(**chosen), after)
    return show(
        "console/cases/list.html",
        "console/cases/_table.html",
        rows=page.rows,
        filters=form,
        chips=_chips(form, chosen),
        older=_list_url(chosen, after=page.next) if page.next else None,
        newest=_list_url(chosen) if after else None,
        can_create=g.viewer.can(Permission.CREATE_CASE),
    )


def _chips(form: FilterForm, chosen: dict[str, str]) -> list[tuple[str, str]]:
    """Each active filter in words, with the address of the list without it."""

    def without(name: str) -> str:
        return _list_url({key: value for key, value in chosen.items() if key != name})

    words = {name: {choice.value: choice.label for choice in form[name].iter_choices()} for name in chosen}
    return [(f"{form[name].label.text}: {words[name][value]}", without(name)) for name, value in chosen.items()]


def _list_url(chosen: dict[str, str], **more: str) -> str:
    values: dict[str, Any] = {**chosen, **more}
    return url_for(".cases", **values)


@console.route("/cases/<id:number>", needs=Needs.TEAM)
def case(number: int) -> Any:
    """One case and the talk on it."""
    return show_case(cases.load(number), MessageForm(formdata=None))


def case_context(case: Any, form: MessageForm | None = None, *, problem: str | None = None) -> dict[str, Any]:
    """What the case page and its conversation need."""
    view, audience = queries.case_view(case)
    can_mark, refusal = g.viewer.can(Permission.COMMENT), refusal_to_mark(case)
    return {
        "case": view,
        "audience": audience,
        "comments": [queries.comment_view(row, g.viewer, can_mark=can_mark, refusal=refusal) for row in comments.comments_of(case)],
        "comment_form": form or MessageForm(formdata=None),
        "can": g.viewer.permissions,
        "problem": problem,
    }


def show_case(case: Any, form: MessageForm, *, problem: str | None = None, status: int = 200) -> Any:
    """The case page, or its conversation for htmx."""
    context = case_context(case, form, problem=problem)
    return show("console/cases/show.html", "console/comments/_conversation.html", status=status, **context)


@console.route("/cases/new", needs=Permission.CREATE_CASE, methods=["GET", "POST"])
def new_case() -> Any:
    """Open a case."""
    form = CaseForm()
    if request.method == "GET" or not form.validate():
        return _edit_page(form, None)
    try:
        made = cases.create_case(_draft(form, None), by=g.viewer)
    except Refusal as refusal:
        return _edit_page(form, None, problem=refusal.sentence)
    return see_other(".case", f"Case #{made.number} is open.", number=made.number)


def _draft(form: CaseForm, began: datetime | None, **more: Any) -> cases.Draft:
    start = form.start_date.data
    return cases.Draft(
        title=form.title.data,
        description=form.description.data,
        severity=form.severity.data,
        tlp=form.tlp.data,
        pap=form.pap.data,
        tags=cases.split_tags(form.tags.data or ""),
        start_date=times.typed(start, before=began) if start else None,
        **more,
    )


def _edit_page(form: CaseForm, case: Any, *, problem: str | None = None, stale: list[Any] | None = None) -> Any:
    status = 422 if problem or stale or form.errors else 200
    return show("console/cases/edit.html", status=status, form=form, case=case, stale=stale, problem=problem)


@console.route("/cases/<id:number>/edit", needs=Permission.UPDATE_CASE, methods=["GET", "POST"])
def edit_case(number: int) -> Any:
    """Change what is known about the case."""
    case = cases.load(number, change=request.method == "POST")
    view, _ = queries.case_view(case)
    form = EditCaseForm() if request.method == "POST" else EditCaseForm(formdata=None, data=_form_data(case))
    open_ones = [status for status, stage in STATUSES.items() if stage is not Stage.CLOSED]
    form.status.choices = choices(*((s, STATUS[s]) for s in ([case.status] if case.stage is Stage.CLOSED else open_ones)))
    form.assignee.choices = choices(("", "Nobody"), *((str(key), name) for key, name in _assignees(case, view.assignee)))
    if request.method == "GET" or not form.validate():
        return _edit_page(form, view)
    return _save(case, view, form)


def _assignees(case: Any, name: str | None) -> list[tuple[int, str]]:
    """Whom the case can be assigned to; somebody who left or is locked may keep it."""
    known = colleagues(case.organisation_id, besides=[case.assignee_id])
    if case.assignee_id is not None and case.assignee_id not in dict(known):
        known.append((case.assignee_id, f"{name} (no longer active)"))
    return known


def _save(case: Any, view: Any, form: EditCaseForm) -> Any:
    draft = _draft(form, case.start_date, status=form.status.data, assignee_id=form.assignee.data)
    try:
        cases.update_case(case, draft, version=form.version.data, by=g.viewer)
    except Stale as refusal:
        differences = _differences(form, case)
        form.version.data = case.version
        form.version.raw_data = [str(case.version)]
        return _edit_page(form, view, problem=refusal.sentence, stale=differences)
    except Refusal as refusal:
        return _edit_page(form, view, problem=refusal.sentence)
    return see_other(".case", f"Case #{case.number} is saved.", number=case.number)


def _form_data(case: Any) -> dict[str, Any]:
    names = ("title", "description", "severity", "tlp", "pap", "status", "version")
    more = {"start_date": times.local(case.start_date), "tags": ", ".join(case.tags), "assignee": str(case.assignee_id or "")}
    return {name: getattr(case, name) for name in names} | more


def _differences(form: EditCaseForm, case: Any) -> list[tuple[str, str, str]]:
    """Where the stored case and the form differ: label, theirs, yours."""
    told = []
    for name, theirs in _form_data(case).items():
        field = form[name]
        yours = field.data
        if name == "start_date":
            theirs, yours = theirs.strftime("%Y-%m-%d %H:%M"), yours.strftime("%Y-%m-%d %H:%M") if yours else ""
        words = {str(choice.value): choice.label for choice in field.choices} if hasattr(field, "choices") else {}
        pair = [words.get(str(value if value is not None else ""), str(value if value is not None else "")) for value in (theirs, yours)]
        if name != "version" and pair[0].strip() != pair[1].replace("\r\n", "\n").strip():
            told.append((field.label.text, pair[0], pair[1]))
    return told


@console.route("/cases/<id:number>/history", needs=Needs.TEAM)
def history(number: int) -> Any:
    """What happened on the case, newest first."""
    case = cases.load(number)
    before = request.args.get("before", "")
    events = feed.history(case.id, before=int(before) if before.isascii() and before.isdigit() and len(before) < 18 else None)
    older = url_for(".history", number=number, before=events[49].id) if len(events) > 50 else None
    return show("console/cases/history.html", entries=events[:50], older=older, **case_context(case))
