"""Statuses: the list by stage, making, changing and deleting one."""

from __future__ import annotations

from typing import Any

from flask import g, request
from wtforms import BooleanField, ColorField, RadioField, StringField, TextAreaField
from wtforms.validators import InputRequired, NumberRange

from ..accounts.permissions import Permission
from ..cases import statuses
from ..cases.models import Stage, Status
from ..refusals import Refusal, Stale
from ..web.filters import STAGE
from ..web.forms import Form, stripped
from ..web.show import see_other, show
from .face import console
from .forms import choices
from .settings_forms import WholeNumber, version_field

MANAGE = Permission.MANAGE_PLATFORM


def order_field() -> WholeNumber:
    """Where it stands among its like."""
    check = NumberRange(0, 9999, "Give a whole number from 0 to 9,999.")
    return WholeNumber("Order", description="Small numbers first.", default=0, validators=[check], render_kw={"inputmode": "numeric"})


class LookForm(Form):
    """What can be changed of a status."""

    label = StringField("Label", description="What colleagues read. External users only read the stage.", filters=[stripped])
    colour = ColorField(
        "Colour", description="A dot beside the word, in the console. It never says anything by itself.", filters=[stripped]
    )
    description = TextAreaField("Description", description="When to use it; only this page shows it.")
    position = order_field()
    hidden = BooleanField("Hidden", description="It stays on the cases that have it, and nobody can pick it any more.")

    def look(self) -> statuses.Look:
        """As the verbs want it."""
        return statuses.Look(
            self.label.data or "", self.colour.data or "", self.description.data or "", self.position.data or 0, bool(self.hidden.data)
        )


class StatusForm(LookForm):
    """A new status."""

    value = StringField(
        "Value",
        description="The technical name, for exports and other programs. It cannot be changed later, for they would no longer find it.",
        filters=[stripped],
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )
    stage = RadioField(
        "Stage",
        description="Where a case with this status stands. It cannot be changed later, for the dates of cases were written by it.",
        choices=choices(*STAGE.items()),
        default=Stage.IN_PROGRESS.value,
        validators=[InputRequired("Choose one of the three stages.")],
    )


class EditStatusForm(LookForm):
    """An existing status."""

    version = version_field()


STAGES = {
    "New": "Nobody works on the case yet.",
    "InProgress": "Somebody works on the case.",
    "Closed": "How a case ended. Picked when it is closed, nowhere else.",
}


@console.route("/statuses", needs=MANAGE, endpoint="statuses")
def status_list() -> Any:
    """Every status, stage by stage."""
    rows = statuses.listed(by=g.viewer)
    groups = [(stage.value, STAGE[stage.value], STAGES[stage.value], [row for row in rows if row.stage is stage]) for stage in Stage]
    return show("console/statuses/list.html", groups=groups)


@console.route("/statuses/new", needs=MANAGE, methods=["GET", "POST"])
def new_status() -> Any:
    """Make a status."""
    if request.method == "GET":
        return _new_page(StatusForm(formdata=None, data={"colour": statuses.COLOURS[Stage.IN_PROGRESS], "position": 10}))
    form = StatusForm()
    if not form.validate():
        return _new_page(form)
    try:
        made = statuses.create(form.value.data or "", Stage(form.stage.data), form.look(), by=g.viewer)
    except Refusal as refusal:
        return _new_page(form, form.place(refusal))
    return see_other(".statuses", f"The status {made.label} is created. It can be picked from now on.")


def _new_page(form: StatusForm, problem: str | None = None) -> Any:
    return show("console/statuses/new.html", status=422 if problem or form.errors else 200, form=form, problem=problem, stages=STAGES)


@console.route("/statuses/<id:status_id>", needs=MANAGE, methods=["GET", "POST"])
def status(status_id: int) -> Any:
    """The form that changes a status."""
    found = statuses.load(status_id, by=g.viewer)
    if request.method == "GET":
        names = ("label", "colour", "description", "position", "hidden", "version")
        return _page(found, EditStatusForm(formdata=None, data={name: getattr(found, name) for name in names}))
    form = EditStatusForm()
    if not form.validate():
        return _page(found, form)
    try:
        statuses.edit(status_id, form.look(), version=form.version.data, by=g.viewer)
    except Stale as refusal:
        return _page(found, brought_up(form, found.version), refusal.sentence, stale=_differences(found, form))
    except Refusal as refusal:
        return _page(found, form, form.place(refusal))
    return see_other(".statuses", f"The status {found.label} is saved.")


def brought_up(form: Any, version: int) -> Any:
    """The form again, to be sent once more knowing what the other one did."""
    form.version.data, form.version.raw_data = version, [str(version)]
    return form


def _differences(found: Status, form: EditStatusForm) -> list[tuple[str, str, str]]:
    """Where the stored status and the form differ: what, theirs, yours."""
    pairs = statuses.differences(found, form.look()).items()
    return [("Hidden" if name == "hidden" else form[name].label.text, in_words(old), in_words(new)) for name, (old, new) in pairs]


def in_words(value: Any) -> str:
    """A value as the table of differences shows it."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return "\n".join(value) if isinstance(value, list) else str(value)


def _page(found: Status, form: EditStatusForm, problem: str | None = None, *, stale: list[Any] | None = None) -> Any:
    context: dict[str, Any] = {
        "found": found,
        "uses": statuses.uses(found.value),
        "stage": STAGE[found.stage.value],
        "reason": STAGES[found.stage.value],
    }
    return show(
        "console/statuses/show.html", status=422 if problem or form.errors else 200, form=form, problem=problem, stale=stale, **context
    )


@console.route("/statuses/<id:status_id>/delete", needs=MANAGE, methods=["GET", "POST"])
def delete_status(status_id: int) -> Any:
    """Ask, then delete."""
    found = statuses.load(status_id, by=g.viewer)
    if request.method == "GET":
        return _delete_page(found)
    try:
        label = statuses.delete(status_id, by=g.viewer)
    except Refusal as refusal:
        return _delete_page(found, refusal.sentence)
    return see_other(".statuses", f"The status {label} is deleted.")


def _delete_page(found: Status, problem: str | None = None) -> Any:
    reason = problem or statuses.why_not_deleted(found)
    return show("console/statuses/delete.html", status=422 if problem else 200, found=found, reason=reason)
