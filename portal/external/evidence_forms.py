"""Forms for reporting and for adding evidence, in the words of the portal."""

from __future__ import annotations

from typing import Any

from flask import g
from wtforms import DateTimeLocalField, HiddenField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional, ValidationError

from ..web.forms import LONGEST_MESSAGE, Form
from ..web.times import in_english, reading, time_now, typed, zone_in_words, zone_of_form
from ..words import Number, _, later

LONGEST_TITLE = 200
TOO_LONG = later("This is longer than %(most)s characters. Put a part of it into a file.", most=Number(LONGEST_MESSAGE))


class MomentField(DateTimeLocalField):  # type: ignore[misc]
    """A day and a time; what is none is explained in words."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what was typed."""
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError(_("Give a day and a time, such as 2026-11-21 and 09:30, or leave it empty.")) from None


def sensible_year(_form: Any, field: Any) -> None:
    """Refuse slips such as the year 24."""
    if field.data is not None and not 1970 <= field.data.year <= 2999:
        raise ValidationError(_("Give a date between 1970 and today."))


class ItemsForm(Form):
    """Things to look at, one a line."""

    kind = SelectField(later("What is it?"), choices=[], validate_choice=False)  # the verb judges it, in our own words
    text = TextAreaField(
        later("Suspicious addresses, numbers or names"),
        description=later("One on each line: a web address, an e-mail address, a phone number, the name of a file."),
        validators=[DataRequired(later("Type or paste at least one line.")), Length(max=LONGEST_MESSAGE, message=TOO_LONG)],
    )


class ReportForm(Form):
    """The questions of a report. What is only kept need not be right; what is sent must be. `zone`: whose clock the time was typed by."""

    title = StringField(
        later("In a few words"),
        description=later("Such as: Strange payment request by mail."),
        validators=[
            DataRequired(later("Say in a few words what it is about, such as: Strange payment request by mail.")),
            Length(
                max=LONGEST_TITLE,
                message=later("Use at most %(most)s characters here; there is room for the details below.", most=LONGEST_TITLE),
            ),
        ],
    )
    happened = TextAreaField(
        later("What happened?"),
        description=later("What did you see, receive or do? Copy the words of a message if you can."),
        validators=[
            DataRequired(later("Tell us what happened; one sentence is enough to begin with.")),
            Length(max=LONGEST_MESSAGE, message=TOO_LONG),
        ],
    )
    began = MomentField(
        later("When did it begin?"),
        description=later("As well as you know. Leave it empty if you do not."),
        format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        validators=[Optional(), sensible_year],
    )
    zone = HiddenField()
    affected = TextAreaField(
        later("Who is affected?"),
        description=later("People, departments, computers, accounts: whatever you know of."),
        validators=[Length(max=LONGEST_MESSAGE, message=TOO_LONG)],
    )
    done = TextAreaField(
        later("What have you done already?"),
        description=later("Such as: changed my password, told my manager, unplugged the computer. Nothing is a good answer, too."),
        validators=[Length(max=LONGEST_MESSAGE, message=TOO_LONG)],
    )
    matters = TextAreaField(
        later("Why does it matter?"),
        description=later("What could come of it for you or your organisation? This helps to decide what is looked at first."),
        validators=[Length(max=LONGEST_MESSAGE, message=TOO_LONG)],
    )
    items = TextAreaField(
        later("Suspicious addresses, numbers or names"),
        description=later("One on each line: a web address, an e-mail address, a phone number, the name of a file. Do not open them."),
        validators=[Length(max=LONGEST_MESSAGE, message=TOO_LONG)],
    )

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.zone.data = zone = zone_of_form((self.zone.data or "") if self.typed_fields["began"] else "")  # no time yet: as it is here now
        self.began.label.text = _("When did it begin? (%(zone)s)", zone=zone_in_words(zone))
        if zone == "UTC" and not reading().zone_name and not g.viewer.time_zone:
            self.began.description = _(
                "As well as you know; leave it empty if you do not. The time is in UTC, where it is %(time)s now. "
                "You can choose your own time zone in your account.",
                time=time_now(zone),
            )

    @property
    def typed_fields(self) -> dict[str, str]:
        """What stands in each field, as it was typed, and the zone its time is read in."""
        return {field.name: str((field.raw_data or [""])[0]) for field in self} | {"zone": self.zone.data}

    @property
    def moment(self) -> Any:
        """When it began; None where that is not said."""
        return typed(self.began.data, zone=self.zone.data) if self.began.data else None

    @property
    def moment_in_words(self) -> str:
        """The same for the description, in English as its headings are."""
        moment = self.moment
        return in_english(moment, self.zone.data) if moment else ""
