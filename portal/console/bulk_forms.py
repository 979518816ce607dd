"""Forms of the acts on many cases."""

from __future__ import annotations

from typing import Any

from wtforms import BooleanField, DateField, RadioField, SelectField, StringField
from wtforms.validators import InputRequired, Length, Optional, StopValidation

from ..web.filters import SEVERITY, TLP
from ..web.forms import CheckboxList, Form, stripped
from ..web.times import zone_in_words
from .forms import choices, fitting_tags, not_over, number_or_none, sensible_year, strict_reason

CHOOSE = "Choose one from the list."


class AssignForm(Form):
    """Who takes the cases."""

    assignee = SelectField("Assignee", coerce=number_or_none, validators=[Optional()])


class StatusForm(Form):
    """Where the cases stand now; closing one asks more than this."""

    status = SelectField("Status", validators=[InputRequired(CHOOSE)])


class SeverityForm(Form):
    """How bad they are."""

    severity = SelectField("Severity", choices=choices(*SEVERITY.items()), coerce=int, default=2)


class TlpForm(Form):
    """How far they may be told."""

    tlp = SelectField("TLP", choices=choices(*TLP.items()), coerce=int, default=2)
    reason = strict_reason()


class TagsForm(Form):
    """Tags that come and tags that go."""

    add = StringField("Add tags", description="Separated by commas.", filters=[stripped], validators=[fitting_tags])
    remove = StringField("Remove tags", description="Separated by commas.", filters=[stripped], validators=[fitting_tags])


class BulkDeleteForm(Form):
    """How many cases, typed by hand."""

    confirmation = StringField("How many cases are these?", render_kw={"autocomplete": "off", "inputmode": "numeric"})


def no_day_if_endless(form: Any, field: Any) -> None:
    """Refuse a last day beside the wish for none."""
    if field.data is not None and form.endless.data:
        raise StopValidation("Choose a last day or none, not both.")


class BulkAccessForm(Form):
    """Who outside may see all of the cases."""

    access = RadioField(
        "Who can see these cases",
        choices=choices(
            ("internal", "Internal"),
            ("all_external", "All external users"),
            ("external", "Selected external users"),
            ("add", "Add these people"),
        ),
        validators=[InputRequired("Choose one of the four.")],
    )
    users = CheckboxList("External users", coerce=int, choices=[])
    parties = CheckboxList("External organisations", coerce=int, choices=[])
    until = DateField("Last day", validators=[no_day_if_endless, Optional(), sensible_year, not_over])
    endless = BooleanField("No last day any more, for those that have one")
    again = BooleanField("Show these to external users again")
    reason = StringField(
        "Why may they receive it?",
        description="At least 10 characters. It goes on record and is shown to colleagues only.",
        filters=[stripped],
        validators=[Length(max=1000)],
    )

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.until.description = (
            f"Sharing of each of these cases ends by itself at the end of that day ({zone_in_words()}). "
            "Leave it empty to keep what each case has; one that is shared anew then has no end."
        )
