"""Many cases at once: what is about to happen to which, then done to each by itself, and told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlencode

from flask import g, request, url_for

from ..accounts.directory import colleagues
from ..accounts.permissions import Permission
from ..cases import bulk, statuses
from ..cases.cases import RED
from ..cases.models import Case
from ..cases.tags import split_tags
from ..refusals import NotAllowed, Refusal
from ..sharing.models import Access
from ..sharing.reached import parties_on
from ..web import results
from ..web.face import go_to
from ..web.forms import Form
from ..web.show import see_other, show, wants_fragment
from .bulk_forms import AssignForm, BulkDeleteForm, SeverityForm, StatusForm, TagsForm, TlpForm
from .face import console
from .forms import choices

FORMS: dict[str, type[Form]] = {"assign": AssignForm, "status": StatusForm, "severity": SeverityForm, "tlp": TlpForm, "tags": TagsForm}


@console.route("/cases/bulk/<any(assign,status,severity,tlp,tags):what>", needs=Permission.UPDATE_CASE, methods=["GET", "POST"])
def bulk_change(what: str) -> Any:
    """Ask what the cases ticked should have; with POST, give it to them."""
    if told_before():
        return tell_again(act="change", what=what)
    form = _change_form(what)
    if request.method == "GET" or not form.validate():
        return ask_first("change", form, what=what)
    return do_to_each("change", form, lambda: ACTS[what](form), what=what)


def _change_form(what: str) -> Any:
    form = FORMS[what](formdata=request.form if request.method == "POST" else None)
    if what == "assign":
        people = ((str(key), name) for key, name in colleagues(g.viewer.organisation_id, besides=[g.viewer.user_id]))
        form.assignee.choices = choices(("", "Nobody"), *people)
        if request.method == "GET":
            form.assignee.data = g.viewer.user_id
    if what == "status":
        form.status.choices = choices(*statuses.open_ones())
    return form


ACTS: dict[str, Callable[[Any], bulk.Act]] = {
    "assign": lambda form: bulk.change(g.viewer, assignee_id=form.assignee.data),
    "status": lambda form: bulk.change(g.viewer, status=form.status.data),
    "severity": lambda form: bulk.change(g.viewer, severity=form.severity.data),
    "tlp": lambda form: bulk.change_tlp(g.viewer, ticked_numbers(), form.tlp.data, form.reason.data or ""),
    "tags": lambda form: bulk.change_tags(g.viewer, split_tags(form.add.data or ""), split_tags(form.remove.data or "")),
}


@console.route("/cases/bulk/delete", needs=Permission.DELETE_CASE, methods=["GET", "POST"])
def bulk_delete() -> Any:
    """Ask how many cases these are; with POST, delete them."""
    if told_before():
        return tell_again(act="delete")
    form = BulkDeleteForm(formdata=request.form if request.method == "POST" else None)
    if request.method == "GET":
        return ask_first("delete", form)
    return do_to_each("delete", form, lambda: bulk.delete(g.viewer, len(seen()), form.confirmation.data or ""))


def ticked_numbers() -> set[int]:
    """The numbers ticked in the list; what is no number is passed over."""
    return {int(text) for text in request.values.getlist("case") if _is_number(text)}


def seen(name: str = "seen") -> dict[int, str]:
    """Number -> the mark shown with that case, from the fields of this name ("46.7"); a case without one was not shown."""
    pairs = (text.partition(".") for text in request.form.getlist(name))
    marks = {int(number): mark for number, _, mark in pairs if _is_number(number)}
    return {number: marks.get(number, "") for number in ticked_numbers()}


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10  # as many digits as a column of numbers takes


def ask_first(act: str, form: Any, *, problem: str | None = None, **more: Any) -> Any:
    """The cases ticked and what is to be decided for them."""
    try:
        cases = bulk.ticked(ticked_numbers())
    except Refusal as refusal:
        return see_other(".cases", refusal.sentence, warning=True)
    if not cases:
        return see_other(".cases", bulk.NOTHING, warning=True)
    status = 422 if problem or form.errors else 200
    context = {"form": form, "problem": problem, "cases": cases, **way_back(), **more}
    context["to_many"] = _open_to_many(cases) if more.get("what") == "tlp" else 0
    return show(f"console/bulk/{act}.html", f"console/bulk/_{act}.html", status=status, **context)


def _open_to_many(cases: list[Case]) -> int:
    """How many of them cannot become RED: those not shared with people by name alone."""
    through = parties_on(*cases)
    return sum(1 for case in cases if case.tlp != RED and (case.access_now is Access.ALL_EXTERNAL or through[case.id]))


def do_to_each(act: str, form: Any, verb: Callable[[], bulk.Act], **more: Any) -> Any:
    """Do it, and tell of every case; what is refused for all of them leads back to the question."""
    try:
        outcomes = bulk.each(seen(), verb())
    except NotAllowed:
        raise
    except Refusal as refusal:
        return ask_first(act, form, problem=form.place(refusal), **more)
    return tell(outcomes, act=act, **more)


def tell(outcomes: list[bulk.Outcome], *, act: str, **more: Any) -> Any:
    """What was done and what was left, and why, at an address that can be loaded again; the drawer tells it at once."""
    mark, back = results.keep(request.path, [one if act == "delete" else replace(one, title="") for one in outcomes]), way_back()
    again = url_for(str(request.endpoint), **(request.view_args or {}), told=mark, back=back["back"] or None) if mark else ""
    if again and not wants_fragment():
        return go_to(again)
    context: dict[str, Any] = {"outcomes": outcomes, "act": act, "again": again, **back, **more}
    return show("console/bulk/done.html", "console/bulk/_done.html", **context)


def told_before() -> bool:
    """Whether it is the result of an act that is asked for."""
    return request.method == "GET" and results.NAME in request.args


def tell_again(**more: Any) -> Any:
    """What became of each, while this browser still has it, else the list. Titles are those one may read now, but of what is deleted."""
    back, lines = way_back(), results.told(request.path)
    if not lines:
        return go_to(back["back_url"])
    titles = {case.number: case.title for case in bulk.ticked(number for number, *_ in lines)}
    outcomes = [bulk.Outcome(number, titles.get(number, title), done, sentence) for number, title, done, sentence in lines]
    context: dict[str, Any] = {"outcomes": outcomes, **back, **more}
    return show("console/bulk/done.html", **context)


def way_back() -> dict[str, str]:
    """The list as it was filtered, from the field `back`: only ever an address of this list."""
    back = request.values.get("back", "")[:2000]
    kept = urlencode(parse_qs(back), doseq=True)
    return {"back": back, "back_url": url_for(".cases") + (f"?{kept}" if kept else "")}
