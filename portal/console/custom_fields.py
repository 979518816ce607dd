"""Custom fields: the list by group, making, changing and deleting one."""

from __future__ import annotations

from typing import Any

from flask import g, request
from wtforms import BooleanField, RadioField, StringField, TextAreaField
from wtforms.validators import InputRequired

from ..accounts.permissions import Permission
from ..cases import definitions, fields
from ..cases.models import CustomField, FieldType
from ..refusals import Refusal, Stale
from ..web.forms import Form, stripped
from ..web.show import see_other, show
from .face import console
from .forms import choices
from .settings_forms import version_field
from .statuses import brought_up, in_words, order_field

MANAGE = Permission.MANAGE_FIELDS
TYPES = {
    "string": ("Text", "One line, or one of a list of options."),
    "integer": ("Whole number", "From -2,147,483,648 to 2,147,483,647."),
    "float": ("Number", "With or without decimals."),
    "boolean": ("Yes or no", ""),
    "date": ("Date", "A day without a time."),
    "url": ("Web address", "Begins with https:// or http://."),
}


class ShapeForm(Form):
    """What can be changed of a field."""

    label = StringField("Label", description="What people read.", filters=[stripped])
    group = StringField("Group", description="Fields of one group stand together under this heading.", filters=[stripped])
    description = TextAreaField(
        "Help", description="What belongs in the field. Shown beside it, in the portal too when the field is shown there."
    )
    options = TextAreaField("Options", description="One per line. For text and numbers; leave it empty to allow anything of the type.")
    position = order_field()
    mandatory = BooleanField("Mandatory", description="A case can be saved without a value, but not closed.")
    shown_outside = BooleanField(
        "Show in the portal",
        description="External users read label, help and value on cases shared with them. Fields without this stay inside, names and all.",
    )

    def shape(self) -> definitions.Shape:
        """As the verbs want it."""
        options = tuple((self.options.data or "").splitlines())
        texts = (self.label.data or "", self.group.data or "", self.description.data or "")
        return definitions.Shape(*texts, options, bool(self.mandatory.data), bool(self.shown_outside.data), self.position.data or 0)


class FieldForm(ShapeForm):
    """A new field."""

    name = StringField(
        "Technical name",
        description="For exports and other programs: a to z, digits and -. It cannot be changed later, for they would no longer find it.",
        filters=[stripped],
        render_kw={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"},
    )
    type = RadioField(
        "Type",
        description="What the field holds. It cannot be changed later, for what cases already hold might not fit.",
        choices=choices(*((name, label) for name, (label, _) in TYPES.items())),
        default="string",
        validators=[InputRequired("Choose one of the types.")],
    )


class EditFieldForm(ShapeForm):
    """An existing field."""

    version = version_field()


@console.route("/custom-fields", needs=MANAGE, endpoint="custom_fields")
def field_list() -> Any:
    """Every custom field, group by group."""
    definitions.check_right(g.viewer)
    rows, uses = fields.definitions(), definitions.uses_of_all()
    groups = {row.group: [other for other in rows if other.group == row.group] for row in rows}
    counts = {row.id: definitions.in_words(uses[row.id]) if row.id in uses else "" for row in rows}
    return show("console/custom_fields/list.html", groups=groups, counts=counts, types=TYPES)


@console.route("/custom-fields/new", needs=MANAGE, methods=["GET", "POST"])
def new_field() -> Any:
    """Make a field."""
    form = FieldForm()
    if request.method == "GET":
        return _new_page(FieldForm(formdata=None))
    if not form.validate():
        return _new_page(form)
    try:
        made = definitions.create(form.name.data or "", FieldType(form.type.data), form.shape(), by=g.viewer)
    except Refusal as refusal:
        return _new_page(form, form.place(refusal))
    return see_other(".custom_fields", f"The field {made.label} is created. It can be filled in on every case from now on.")


def _new_page(form: FieldForm, problem: str | None = None) -> Any:
    hints = {name: hint for name, (_, hint) in TYPES.items()}
    return show(
        "console/custom_fields/new.html",
        status=422 if problem or form.errors else 200,
        form=form,
        problem=problem,
        hints=hints,
        **_groups(),
    )


def _groups() -> dict[str, Any]:
    """The groups there are, for the browser to suggest."""
    return {"known": sorted({row.group for row in fields.definitions() if row.group})}


@console.route("/custom-fields/<id:field_id>", needs=MANAGE, methods=["GET", "POST"])
def custom_field(field_id: int) -> Any:
    """The form that changes a field; showing it in the portal asks once."""
    found = definitions.load(field_id, by=g.viewer, change=request.method == "POST")
    if request.method == "GET":
        return _page(found, EditFieldForm(formdata=None, data=_data(found)))
    form = EditFieldForm()
    if not form.validate():
        return _page(found, form)
    if form.shown_outside.data and not found.shown_outside and request.form.get("sure") != "1":
        return _page(found, form, asked=True)
    return _save(found, form)


def _save(found: CustomField, form: EditFieldForm) -> Any:
    try:
        definitions.edit(found.id, form.shape(), version=form.version.data, by=g.viewer)
    except Stale as refusal:
        return _page(found, brought_up(form, found.version), refusal.sentence, stale=_differences(found, form))
    except Refusal as refusal:
        return _page(found, form, form.place(refusal))
    return see_other(".custom_fields", f"The field {found.label} is saved.")


def _data(found: CustomField) -> dict[str, Any]:
    names = ("label", "group", "description", "position", "mandatory", "shown_outside", "version")
    return {**{name: getattr(found, name) for name in names}, "options": "\n".join(found.options)}


def _differences(found: CustomField, form: EditFieldForm) -> list[tuple[str, str, str]]:
    """Where the stored field and the form differ: what, theirs, yours."""
    pairs = definitions.differences(found, form.shape()).items()
    return [(form[name].label.text, in_words(old), in_words(new)) for name, (old, new) in pairs]


def _page(
    found: CustomField, form: EditFieldForm, problem: str | None = None, *, asked: bool = False, stale: list[Any] | None = None
) -> Any:
    status = 422 if problem or form.errors or asked else 200
    context: dict[str, Any] = {
        "found": found,
        "type": TYPES[found.type.value][0],
        "with_options": found.type in definitions.WITH_OPTIONS,
        "uses": definitions.in_words(definitions.uses(found.id)),
        "seen": definitions.in_words(definitions.appearances(found.id), "shared case"),
        "asked": asked,
    }
    return show("console/custom_fields/show.html", status=status, form=form, problem=problem, stale=stale, **context, **_groups())


@console.route("/custom-fields/<id:field_id>/delete", needs=MANAGE, methods=["GET", "POST"])
def delete_field(field_id: int) -> Any:
    """Ask, then delete."""
    found = definitions.load(field_id, by=g.viewer)
    if request.method == "GET":
        return _delete_page(found)
    try:
        label = definitions.delete(field_id, by=g.viewer)
    except Refusal as refusal:
        return _delete_page(found, refusal.sentence)
    return see_other(".custom_fields", f"The field {label} is deleted.")


def _delete_page(found: CustomField, problem: str | None = None) -> Any:
    reason = problem or definitions.why_not_deleted(found)
    return show("console/custom_fields/delete.html", status=422 if problem else 200, found=found, reason=reason)
