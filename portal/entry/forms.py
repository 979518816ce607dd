"""Forms of the front door."""

from __future__ import annotations

from wtforms import PasswordField, StringField
from wtforms.validators import DataRequired, Length

from ..web.forms import Form, SameAs, email_field, new_password, repeated_password, stripped
from ..words import later


class EmailForm(Form):
    """One's own address, to be sent a link."""

    email = email_field()


class ResetForm(Form):
    """A new password."""

    password = new_password()
    again = repeated_password()


class AcceptForm(Form):
    """Taking possession of an invited account."""

    name = StringField(
        later("Your name"),
        filters=[stripped],
        validators=[
            DataRequired(later("Type your name as others should see it.")),
            Length(max=128, message=later("Use at most 128 characters.")),
        ],
        render_kw={"autocomplete": "name"},
    )
    password = new_password(later("Password"))
    again = repeated_password()


class SetupForm(AcceptForm):
    """The first administrator and their team."""

    team = StringField(
        "Your security team",
        description="The name people will see, for example Northwind CSIRT.",
        filters=[stripped],
        validators=[DataRequired("Give your team a name."), Length(max=64, message="Use at most 64 characters.")],
        render_kw={"autocomplete": "organization"},
    )
    email = email_field()


class PasswordForm(Form):
    """Changing one's own password."""

    current = PasswordField(
        later("Current password"),
        validators=[DataRequired(later("Type your current password."))],
        render_kw={"autocomplete": "current-password"},
    )
    password = new_password()
    again = PasswordField(
        later("The new password again"),
        validators=[DataRequired(later("Type the new password a second time.")), SameAs("password")],
        render_kw={"autocomplete": "new-password"},
    )
