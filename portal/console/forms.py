"""Forms of the console."""

from __future__ import annotations

from typing import Any

from wtforms import (
    BooleanField,
    DateField,
    DateTimeLocalField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length, Optional, ValidationError
from wtforms.widgets import HiddenInput

from ..cases import cases, statuses, tags
from ..cases.models import Stage
from ..clock import now
from ..refusals import Unfit
from ..web.filters import IMPACT, PAP, SEVERITY, TLP
from ..web.forms import LONGEST_MESSAGE, CheckboxList, Form, stripped, stripped_lines
from ..web.times import local, zone_in_words


def choices(*pairs: tuple[object, str]) -> list[SelectChoice]:
    """Value and label of each thing to choose from."""
    return [SelectChoice(value, label) for value, label in pairs]


def number_or_none(text: Any) -> int | None:
    """What a list of people, or nobody, sends."""
    return int(text) if text else None


def sensible_year(_form: Any, field: Any) -> None:
    """Refuse slips such as the year 24: nothing that happened then is handled here."""
    if field.data is not None and not 1970 <= field.data.year <= 2999:
        raise ValidationError("Give a date between 1970 and 2999.")


def not_over(_form: Any, field: Any) -> None:
    """Refuse a last day that has passed on the clock of who types it."""
    if field.data is not None and field.data < local(now()).date():
        raise ValidationError("The last day must not be in the past. Choose today or a later day, or leave it empty.")


def fitting_tags(_form: Any, field: Any) -> None:
    """Say beside the field what the one rule for tags says."""
    try:
        tags.checked(tags.split_tags(field.data or ""))
    except Unfit as refusal:
        raise ValidationError(refusal.sentence) from None


def strict_reason() -> TextAreaField:
    """Why people outside may have a case that becomes TLP:AMBER+STRICT; drawn only where they see it, see cases.asks_reason."""
    return TextAreaField(
        "Why may external users receive it?",
        description="Needed for AMBER+STRICT, which stays within one organisation. At least 10 characters, on record for colleagues only.",
        filters=[stripped_lines],
        validators=[Length(max=cases.LONGEST_REASON, message=f"Use at most {cases.LONGEST_REASON:,} characters.")],
        render_kw={"rows": 3},
    )


class CaseForm(Form):
    """A new case."""

    title = StringField(
        "Title",
        filters=[stripped],
        validators=[
            DataRequired("Give the case a title."),
            Length(max=512, message="Use at most 512 characters; details belong in the description."),
        ],
    )
    description = TextAreaField(
        "Description",
        description="Markdown. External users see this once the case is shared.",
        validators=[DataRequired("Describe what happened; one sentence is enough to begin with."), Length(max=LONGEST_MESSAGE)],
    )
    severity = SelectField("Severity", choices=choices(*SEVERITY.items()), coerce=int, default=2)
    tlp = SelectField("TLP", choices=choices(*TLP.items()), coerce=int, default=2)
    pap = SelectField("PAP", choices=choices(*PAP.items()), coerce=int, default=2)
    start_date = DateTimeLocalField(
        "When it began",
        description="When the incident happened, not when you opened the case. Leave it empty for now.",
        format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        validators=[Optional(), sensible_year],
    )
    tags = StringField("Tags", description="Separated by commas.", filters=[stripped], validators=[fitting_tags])

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.start_date.label.text = f"When it began ({zone_in_words()})"


class VersionForm(Form):
    """A decision about a case as it was seen."""

    version = HiddenField()

    @property
    def seen(self) -> int:
        """The version the person looked at; 0, which none has, for anything odd."""
        text = self.version.data or ""
        return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0


class CloseForm(VersionForm):
    """How a case ended."""

    status = RadioField(
        "How did it end?", choices=lambda: choices(*statuses.offered(Stage.CLOSED)), validators=[InputRequired("Choose one.")]
    )
    impact = RadioField(
        "What impact did it have?", choices=choices(*IMPACT.items()), validators=[InputRequired("Choose one.")], default="NotApplicable"
    )
    summary = TextAreaField(
        "Summary",
        description="What came of it, for colleagues. Markdown. External users never see it.",
        validators=[DataRequired("Say in a sentence or two what came of the case."), Length(max=LONGEST_MESSAGE)],
    )


class DeleteCaseForm(VersionForm):
    """The number of the case, typed by hand."""

    confirmation = StringField("Type the number of the case", render_kw={"autocomplete": "off", "inputmode": "numeric"})


class EditCaseForm(CaseForm):
    """An existing case."""

    status = SelectField("Status", choices=lambda: choices(*statuses.open_ones()))
    assignee = SelectField("Assignee", coerce=number_or_none, validators=[Optional()])
    reason = strict_reason()
    version = IntegerField(widget=HiddenInput(), validators=[InputRequired("Reload the page and try again.")])
    # The marks of the values the form was opened with; see case_edit.
    base = HiddenField()


class AccessForm(Form):
    """Who outside may see a case."""

    access = RadioField(
        "Who can see this case",
        choices=choices(("internal", "Internal"), ("all_external", "All external users"), ("external", "Selected external users")),
        validators=[InputRequired("Choose one of the three.")],
    )
    users = CheckboxList("External users", coerce=int, choices=[])
    parties = CheckboxList("External organisations", coerce=int, choices=[])
    again = BooleanField("Show these to external users again")
    until = DateField("Last day", validators=[Optional(), sensible_year, not_over])
    reason = TextAreaField(
        "Why may these people receive it?",
        description="At least 10 characters. It goes on record and is shown to colleagues only.",
        filters=[stripped_lines],
        render_kw={"rows": 3},
    )
    version = HiddenField()

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.until.description = (
            f"Sharing ends by itself at the end of that day ({zone_in_words()}). Leave it empty to share until you end it."
        )


class RestrictForm(Form):
    """Who of the organisation may see a case."""

    visible_to = RadioField(
        "Who in the organisation can see this case",
        choices=choices(("all", "Everybody in the organisation"), ("named", "Only named colleagues")),
        validators=[InputRequired("Choose one of the two.")],
    )
    users = CheckboxList("Colleagues", coerce=int, choices=[])
    version = HiddenField()
