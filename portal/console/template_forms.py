"""Forms of case templates, and of a new case that may begin with one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from wtforms import BooleanField, FieldList, FormField, HiddenField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional, ValidationError
from wtforms.widgets import HiddenInput

from ..cases import tasks
from ..cases.models import CustomField, FieldType
from ..cases.tags import split_tags
from ..cases.templates import LONGEST_DESCRIPTION, LONGEST_NAME, LONGEST_PREFIX, MOST_TASKS, Draft
from ..web.filters import PAP, SEVERITY, TLP
from ..web.forms import LONGEST_MESSAGE, Form, stripped
from .forms import CaseForm, choices, fitting_tags

PREFIX = "value-"


def _at_most(longest: int) -> Length:
    return Length(max=longest, message=f"Use at most {longest:,} characters.")


class TaskRowForm(Form):
    """A task of a template; a row without a title is none."""

    title = StringField("Title", filters=[stripped], validators=[_at_most(tasks.LONGEST_TITLE)])
    group = StringField("Group", filters=[stripped], validators=[_at_most(tasks.LONGEST_GROUP)])
    description = TextAreaField("Description", validators=[_at_most(LONGEST_MESSAGE)])
    mandatory = BooleanField("Mandatory before closing")


class TemplateForm(Form):
    """What cases of a kind begin with."""

    name = StringField("Name", filters=[stripped], validators=[DataRequired("Give the template a name."), _at_most(LONGEST_NAME)])
    description = TextAreaField(
        "What it is for", description="Colleagues read it when they choose.", validators=[_at_most(LONGEST_DESCRIPTION)]
    )
    title_prefix = StringField(
        "Beginning of the title", description="Such as “Phishing:”.", filters=[stripped], validators=[_at_most(LONGEST_PREFIX)]
    )
    case_description = TextAreaField(
        "Description of the case", description="Markdown. Questions to answer work well.", validators=[_at_most(LONGEST_MESSAGE)]
    )
    severity = SelectField("Severity", choices=choices(*SEVERITY.items()), coerce=int, default=2)
    tlp = SelectField("TLP", choices=choices(*TLP.items()), coerce=int, default=2)
    pap = SelectField("PAP", choices=choices(*PAP.items()), coerce=int, default=2)
    tags = StringField("Tags", description="Separated by commas.", filters=[stripped], validators=[fitting_tags])
    tasks = FieldList(FormField(TaskRowForm), max_entries=MOST_TASKS)
    version = IntegerField(widget=HiddenInput(), validators=[Optional()])

    def draft(self, values: dict[str, str]) -> Draft:
        """What the form says; `values`: the custom fields as typed."""
        return Draft(
            name=self.name.data or "",
            description=self.description.data or "",
            title_prefix=self.title_prefix.data or "",
            case_description=self.case_description.data or "",
            severity=self.severity.data,
            tlp=self.tlp.data,
            pap=self.pap.data,
            tags=split_tags(self.tags.data or ""),
            tasks=tuple(_task(row.data) for row in self.tasks if row.data["title"] or row.data["description"]),
            fields=values,
        )


def _task(row: dict[str, Any]) -> tasks.Draft:
    title, group, description = (row[name] or "" for name in ("title", "group", "description"))
    return tasks.Draft(title, group=group, description=description, mandatory=bool(row["mandatory"]))


def data_of(draft: Draft, version: int | None = None) -> dict[str, Any]:
    """A draft as the form shows it."""
    names = ("name", "description", "title_prefix", "case_description", "severity", "tlp", "pap")
    kept = ("title", "group", "description", "mandatory")
    rows = [{name: getattr(task, name) for name in kept} for task in draft.tasks]
    return {name: getattr(draft, name) for name in names} | {"tags": ", ".join(draft.tags), "tasks": rows, "version": version}


def values_form(known: Iterable[CustomField], values: dict[str, str]) -> Any:
    """A form with an input for each custom field, holding these values."""
    inputs = {PREFIX + field.name: _input(field, values.get(field.name, "")) for field in known}
    return type("ValuesForm", (Form,), inputs)(formdata=None, data={PREFIX + name: text for name, text in values.items()})


def _input(field: CustomField, text: str) -> Any:
    if not field.options and field.type is not FieldType.BOOLEAN:
        kind = {"type": "date"} if field.type is FieldType.DATE else {}
        return StringField(field.label, description=field.description, render_kw=kind)
    picks = dict.fromkeys([*(field.options or ["yes", "no"]), text])
    pairs = [("", "Nothing chosen"), *((pick, pick if field.options else pick.capitalize()) for pick in picks if pick)]
    return SelectField(field.label, description=field.description, choices=choices(*pairs), validate_choice=False)


class NewCaseForm(CaseForm):
    """A new case; `filled` is the template that the form was filled in with."""

    template = SelectField(
        "Template", coerce=lambda text: int(text) if text else None, validators=[Optional()], default="", validate_choice=False
    )
    filled = HiddenField()
    assignee = SelectField("Assignee", coerce=lambda text: int(text) if text else None, validators=[Optional()])
    tasks = TextAreaField("Tasks", description="One per line; who does them until when can be said later.", validators=[_at_most(30_000)])

    def validate_template(self, field: Any) -> None:
        """Refuse one that was deleted meanwhile, for its tasks would be missing."""
        if str(field.data) not in {str(choice.value) for choice in field.choices}:
            raise ValidationError("This template does not exist any more. Choose another one, or none.")

    def offer(self, templates: list[tuple[int, str]], people: list[tuple[int, str]]) -> None:
        """Which templates there are, and whom the case can be given to."""
        self.template.choices = choices(("", "No template"), *((str(key), name) for key, name in templates))
        self.assignee.choices = choices(*((str(key), name) for key, name in people))
