"""Types of observables: the list, making one, deleting one; for the platform's administrators."""

from __future__ import annotations

from typing import Any

from flask import g, request

from ..accounts.directory import counted
from ..accounts.permissions import Permission
from ..cases import observable_types as types
from ..refusals import Refusal
from ..web.show import see_other, show
from .face import console
from .observable_forms import TypeForm

MANAGE = Permission.MANAGE_TYPES


@console.route("/observable-types", needs=MANAGE, methods=["GET", "POST"])
def observable_types() -> Any:
    """Every type with how many observables have it, and a form for a new one."""
    if request.method == "GET":
        return _page(TypeForm(formdata=None, data={"holds": "value"}))
    form = TypeForm()
    if not form.validate():
        return _page(form)
    try:
        made = types.create(form.name.data or "", is_file=form.holds.data == "file", by=g.viewer)
    except Refusal as refusal:
        return _page(form, form.complain(getattr(refusal, "field", ""), refusal.sentence))
    return see_other(".observable_types", f"The type {made.name} is there. It can be chosen from now on.")


def _page(form: TypeForm, problem: str | None = None) -> Any:
    rows = [(row, counted(row.used, types.MANY)) for row in types.listed(by=g.viewer)]
    status = 422 if problem or form.errors else 200
    return show("console/observable_types/list.html", status=status, rows=rows, form=form, problem=problem)


@console.route("/observable-types/<id:type_id>/delete", needs=MANAGE, methods=["GET", "POST"])
def delete_observable_type(type_id: int) -> Any:
    """Ask, then delete."""
    if request.method == "GET":
        return _delete_page(type_id)
    try:
        name = types.delete(type_id, by=g.viewer)
    except Refusal as refusal:
        return _delete_page(type_id, refusal.sentence)
    return see_other(".observable_types", f"The type {name} is deleted.")


def _delete_page(type_id: int, problem: str | None = None) -> Any:
    found = types.load(type_id, by=g.viewer)
    reason = problem or types.refusal_to_delete(found)
    return show("console/observable_types/delete.html", status=422 if problem else 200, found=found, reason=reason)
