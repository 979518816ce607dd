"""Custom fields of a case: the form of one group, or of all."""

from __future__ import annotations

from typing import Any

from flask import g, request
from wtforms import DateField, Field, SelectField, StringField, TextAreaField
from wtforms.widgets import NumberInput, URLInput

from ..accounts.permissions import Permission
from ..cases import cases, fields, queries
from ..cases.models import Case, CustomField, FieldType
from ..refusals import Refusal, Stale, Unfit
from ..web.forms import CheckboxList
from ..web.show import see_other, show
from .face import console
from .forms import VersionForm, choices
from .statuses import brought_up

PREFIX = "field-"
Texts = dict[str, list[str]]


@console.route("/cases/<id:number>/fields", needs=Permission.UPDATE_CASE, methods=["GET", "POST"])
def edit_fields(number: int) -> Any:
    """Fill in the custom fields of a group; without one, of all."""
    case = cases.load(number, change=request.method == "POST")
    shown, before = fields.in_group(request.args.get("group")), fields.values_of(case.id)
    if request.method == "GET":
        form = _form(shown, before, before, formdata=None)
        return _page(case, shown, brought_up(form, case.version))
    typed = _typed()
    form = _form(shown, typed, before)
    if several := request.form.get("several", ""):
        return _page(case, shown, _form(shown, typed, before, several=several))
    return _save(case, shown, form, typed)


def _typed() -> Texts:
    """What was sent, by technical name; a field in the form without anything sent is an emptied one."""
    return {
        name: [line for text in request.form.getlist(PREFIX + name) for line in text.splitlines()]
        for name in request.form.getlist("fields")
    }


def _save(case: Case, shown: list[CustomField], form: Any, typed: Texts) -> Any:
    if _mistakes(shown, form, typed, fields.values_of(case.id)):
        return _page(case, shown, form)
    try:
        changed = fields.set_values(case, typed, version=form.seen, by=g.viewer)
    except Stale as refusal:
        stale = _differences(shown, typed, fields.values_of(case.id))
        return _page(case, shown, brought_up(form, case.version), refusal.sentence, stale=stale)
    except Refusal as refusal:
        return _page(case, shown, form, refusal.sentence)
    told = f"Saved: {', '.join(changed)}." if changed else "Nothing was different, so nothing is changed."
    return see_other(".case", told, number=case.number)


def _mistakes(shown: list[CustomField], form: Any, typed: Texts, before: Texts) -> bool:
    """Put every sentence beside its field, so that all are seen at once."""
    for field in shown:
        try:
            fields.checked(field, typed.get(field.name, []), before.get(field.name, []))
        except Unfit as refusal:
            form[PREFIX + field.name].errors = [refusal.sentence]
    return bool(form.errors)


def _differences(shown: list[CustomField], typed: Texts, before: Texts) -> list[tuple[str, str, str]]:
    """Where the stored values and the form differ: label, theirs, yours."""
    pairs = [(field.label, "\n".join(before.get(field.name, [])), "\n".join(typed.get(field.name, []))) for field in shown]
    return [pair for pair in pairs if pair[1] != pair[2]]


def _form(shown: list[CustomField], values: Texts, before: Texts, **more: Any) -> Any:
    """A form with an input for each field, holding these values; `several`: the field that shall take more than one."""
    several = more.pop("several", "")
    inputs, data = {}, {}
    for field in shown:
        texts = values.get(field.name, [])
        many = max(len(texts), len(before.get(field.name, []))) > 1 or field.name == several or _came_as_lines(field)
        inputs[PREFIX + field.name], data[PREFIX + field.name] = _input(field, texts, many)
    made: Any = type("FieldsForm", (VersionForm,), inputs)(formdata=None, data=data)
    made.version.data = request.form.get("version", "")
    return made


def _came_as_lines(field: CustomField) -> bool:
    return field.name in request.form.getlist("lines")


def _input(field: CustomField, texts: list[str], many: bool) -> tuple[Field, Any]:
    """The input for a field of this type, and what it holds."""
    text, words = texts[0] if texts else "", {"description": field.description}
    if field.options or field.type is FieldType.BOOLEAN:
        picks = _picks(field, texts)
        if many:
            return CheckboxList(field.label, choices=choices(*picks), **words), texts
        return SelectField(field.label, choices=choices(("", "Nothing chosen"), *picks), validate_choice=False, **words), text
    if many:
        return TextAreaField(field.label, description=f"{field.description} One per line.".strip()), "\n".join(texts)
    return StringField(field.label, widget=WIDGETS.get(field.type), render_kw=HINTS.get(field.type), **words), text


def _picks(field: CustomField, texts: list[str]) -> list[tuple[str, str]]:
    if field.type is FieldType.BOOLEAN:
        return [("yes", "Yes"), ("no", "No")]
    return [(option, option) for option in dict.fromkeys([*field.options, *texts])]


WIDGETS = {
    FieldType.INTEGER: NumberInput(step="1"),
    FieldType.FLOAT: NumberInput(step="any"),
    FieldType.DATE: DateField.widget,
    FieldType.URL: URLInput(),
}
HINTS = {
    FieldType.STRING: {"autocomplete": "off"},
    FieldType.INTEGER: {"autocomplete": "off", "inputmode": "numeric"},
    FieldType.FLOAT: {"autocomplete": "off", "inputmode": "decimal"},
    FieldType.URL: {"autocomplete": "off", "placeholder": "https://"},
}


def _page(case: Case, shown: list[CustomField], form: Any, problem: str | None = None, *, stale: list[Any] | None = None) -> Any:
    view, audience = queries.case_view(case)
    status = 422 if problem or form.errors or "several" in request.form else 200
    group = request.args.get("group")
    groups = {field.group: [other for other in shown if other.group == field.group] for field in shown}
    context: dict[str, Any] = {"group": group, "groups": groups, "prefix": PREFIX, "stale": stale}
    names = "console/fields/edit.html", "console/fields/_edit.html"
    return show(*names, status=status, case=view, audience=audience, form=form, problem=problem, **context)
