"""Evidence items of a case (observables): those people outside added, adding some, and taking one's own back while that is possible."""

from __future__ import annotations

from typing import Any

from flask import g, request, url_for

from ..accounts.permissions import Permission
from ..refusals import Refusal
from ..web.face import Needs
from ..web.show import see_other, show, wants_fragment
from ..words import _, ngettext
from .evidence_forms import ItemsForm
from .face import external
from .news import show_part

PATH = "/cases/<id:number>/evidence"


@external.route(PATH, needs=Needs.SIGNED_IN)
def evidence(number: int) -> Any:
    """The evidence items of a case, newest first."""
    return _show(number, after=request.args.get("after", ""))


def evidence_context(number: int, after: str = "") -> dict[str, Any]:
    """What the section of the evidence items shows."""
    own = g.window.evidence
    page = own.items(number, after)
    return {
        "items": page.rows,
        "older_items": url_for(".evidence", number=number, after=page.next) if page.next else None,
        "newest_items": url_for(".evidence", number=number) if after else None,
        "can_add": own.can_add,
        "limits": own.limits,
        "items_form": _form(formdata=None),
        "lines": [],
        "items_problem": None,
    }


def _form(**options: Any) -> ItemsForm:
    form = ItemsForm(**options)
    form.kind.choices = list(g.window.evidence.kinds)
    return form


def _show(number: int, *, after: str = "", status: int = 200, part: str = "external/evidence/_items.html", **changes: Any) -> Any:
    context = {"case": g.window.case(number), **evidence_context(number, after), **changes}
    return show_part("external/evidence/list.html", part, number, status=status, **context)


@external.route(PATH, needs=Permission.OBSERVABLE, methods=["POST"])
def add_items(number: int) -> Any:
    """Add evidence, one item a line; what was left out is named."""
    form = _form()
    if not form.validate():
        return _show(number, status=422, items_form=form)
    try:
        lines = g.window.evidence.add(number, form.kind.data, form.text.data)
    except Refusal as refusal:
        return _show(number, status=422, items_form=form, items_problem=refusal.sentence)
    if all(line.problem for line in lines):
        return _show(number, status=422, items_form=form, lines=lines)
    if wants_fragment() or any(line.problem for line in lines):
        return _show(number, lines=lines)
    notice = ngettext("One item is added.", "%(num)s items are added.", len(lines))
    return see_other(".case", notice, number=number, _anchor="evidence")


@external.route(f"{PATH}/<uid:item>/withdraw", needs=Permission.OBSERVABLE, methods=["GET", "POST"])
def withdraw_item(number: int, item: str) -> Any:
    """Take an own item back, for everybody, while that is possible."""
    own, case = g.window.evidence, g.window.case(number)
    try:
        if request.method == "GET":
            context = {"case": case, "item": item, "shown": own.item(number, item), "limits": own.limits}
            return show("external/evidence/withdraw.html", "external/evidence/_withdraw.html", **context)
        own.withdraw_item(number, item)
    except Refusal as refusal:
        if wants_fragment():
            raise
        return _show(number, status=422, items_problem=refusal.sentence)
    if wants_fragment():
        return _show(number, part="external/evidence/_saved.html", notice=_("Your item is withdrawn."), withdrawn=item)
    return see_other(".case", _("Your item is withdrawn."), number=number, _anchor="evidence-title")
