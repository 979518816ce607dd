"""Forms of one's own account."""

from __future__ import annotations

from typing import Any

from flask import g
from wtforms import FileField, PasswordField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length

from ..accounts.viewer import languages_for
from ..web.forms import Form, email_field, stripped
from ..web.times import zones_by_region
from ..words import _, later


class NameForm(Form):
    """What one is called."""

    name = StringField(
        later("Name"),
        description=later("As others see it on what you write from now on."),
        filters=[stripped],
        validators=[
            DataRequired(later("Type your name as others should see it.")),
            Length(max=128, message=later("Use at most 128 characters.")),
        ],
        render_kw={"autocomplete": "name", "maxlength": 128},
    )


class PictureForm(Form):
    """A picture; what is in the file is the verb's question."""

    picture = FileField(
        later("Choose a picture"),
        description=later("PNG or JPEG, under 500 kB. It is cut to a square."),
        render_kw={"accept": "image/png,image/jpeg"},
    )

    def content(self) -> bytes:
        """What was uploaded; nothing when there was no file."""
        sent: Any = self.picture.data
        return bytes(sent.read()) if hasattr(sent, "read") else b""


class NewEmailForm(Form):
    """Another address."""

    email = email_field(later("New e-mail address"))
    password = PasswordField(
        later("Your password"),
        description=later("So that nobody else at this browser can take your account away."),
        validators=[DataRequired(later("Type your password."))],
        render_kw={"autocomplete": "current-password"},
    )


class ReadingForm(Form):
    """Language and time zone."""

    language = SelectField(later("Language"))
    time_zone = SelectField(later("Time zone"), description=later("Times are shown, and typed, as the clock there says."))

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        offered = [("", _("As my browser says")), *languages_for(g.viewer).items()]
        self.language.choices = [SelectChoice(key, words) for key, words in offered]
        places = [(key, place, region) for region, zones in zones_by_region().items() for key, place in zones]
        # Who chose nothing outside goes by their browser, so that UTC is a choice of its own; in letters, which no browser asked for, it
        # is UTC either way.
        unset = {"": _("As my browser says"), "UTC": "UTC"} if g.viewer.external else {"": "UTC"}
        self.time_zone.choices = [
            *(SelectChoice(key, words) for key, words in unset.items()),
            *(SelectChoice(key, place, optgroup=region) for key, place, region in places),
        ]
        for field, sentence in (
            (self.language, later("Choose one of the languages.")),
            (self.time_zone, later("Choose one of the time zones.")),
        ):
            field.invalid_choice_message = sentence
