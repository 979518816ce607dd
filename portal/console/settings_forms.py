"""Forms of the platform's settings."""

from __future__ import annotations

from typing import Any

from wtforms import BooleanField, EmailField, HiddenField, IntegerField, PasswordField, RadioField, StringField
from wtforms.validators import InputRequired, Length, NumberRange, Optional
from wtforms.widgets import HiddenInput

from ..config import LIMITS
from ..settings.change import SIGN_IN_LIMITS
from ..web.forms import Address, CheckboxList, Form, lowered, stripped
from .forms import choices

ALL_LIMITS = {**LIMITS, **SIGN_IN_LIMITS}


class WholeNumber(IntegerField):  # type: ignore[misc]
    """A number between its limits, with one sentence for whatever else was typed."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take what was typed."""
        typed = valuelist[0].strip() if valuelist else ""
        if not (typed.isascii() and typed.isdigit() and len(typed) <= 9):
            self.data = None
            return  # the limits say what would be right
        self.data = int(typed)


def number(label: str, name: str, hint: str) -> WholeNumber:
    """A whole number within the limits of the setting."""
    least, most = ALL_LIMITS[name]
    check = NumberRange(least, most, f"Use a whole number between {least} and {most}.")
    return WholeNumber(label, description=hint, validators=[check], render_kw={"min": least, "max": most, "inputmode": "numeric"})


def version_field() -> IntegerField:
    """Which version of the settings the form was made from."""
    return WholeNumber(widget=HiddenInput(), validators=[NumberRange(0, message="Reload the page and try again.")])


class MailForm(Form):
    """How letters leave, and how long the links in them work."""

    smtp_host = StringField(
        "Mail server",
        description="For example smtp.example.org. While it is empty, letters are written to files instead of being sent.",
        filters=[stripped],
        validators=[Length(max=253, message="Use at most 253 characters.")],
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )
    smtp_port = number("Port", "smtp_port", "Usually 587 with STARTTLS and 465 with TLS.")
    smtp_security = RadioField(
        "Encryption",
        choices=choices(("starttls", "STARTTLS"), ("tls", "TLS"), ("none", "None")),
        validators=[InputRequired("Choose one of the three.")],
    )
    smtp_username = StringField(
        "User name",
        description="Leave it empty for a server that asks for none.",
        filters=[stripped],
        validators=[Length(max=256, message="Use at most 256 characters.")],
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )
    smtp_password = PasswordField(
        "Password", validators=[Length(max=256, message="Use at most 256 characters.")], render_kw={"autocomplete": "new-password"}
    )
    # What was typed before the form came back, sealed for this session: a password is never written into a page.
    typed_password = HiddenField(validators=[Length(max=2000)])
    forget_password = BooleanField("Remove the password that is kept")
    mail_from = EmailField(
        "Sender address",
        filters=[lowered],
        validators=[Optional(), Length(max=128, message="Use at most 128 characters."), Address()],
        render_kw={"autocomplete": "off"},
    )
    invitation_hours = number("Invitations work for (hours)", "invitation_hours", "Between 1 hour and 30 days (720). Usually 24.")
    reset_minutes = number("Password resets work for (minutes)", "reset_minutes", "Between 5 minutes and a day (1440). Usually 60.")
    version = version_field()


class SignInPolicyForm(Form):
    """How people sign in."""

    password_shortest = number("Shortest password (characters)", "password_shortest", "Between 12 and 64.")
    attempts = number("Wrong passwords", "attempts", "Between 3 and 50.")
    attempt_minutes = number("Within (minutes)", "attempt_minutes", "Between 1 and 120.")
    idle_minutes_console = number("Without a click for (minutes)", "idle_minutes_console", "Between 5 and 720.")
    hours_console = number("At the latest after (hours)", "hours_console", "Between 1 and 72.")
    idle_minutes_portal = number("Without a click for (minutes)", "idle_minutes_portal", "Between 5 and 720.")
    hours_portal = number("At the latest after (hours)", "hours_portal", "Between 1 and 72.")
    second_step = CheckboxList(
        "Second step required for",
        choices=choices(
            ("mfa_admin", "Administrators of the platform"), ("mfa_organisation", "Colleagues"), ("mfa_external", "External users")
        ),
    )
    version = version_field()


def typed_in(form: Form, names: Any) -> dict[str, Any]:
    """What the form holds of these fields; those the environment settles are not in it."""
    return {name: form[name].data for name in names if name in form}
