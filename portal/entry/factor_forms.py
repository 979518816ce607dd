"""Forms of the second step: showing a factor, and setting one up."""

from __future__ import annotations

from typing import Any

from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import DataRequired, Length

from ..accounts.second_step import Way
from ..web.forms import Form, stripped
from ..words import later

NO_PASSKEY = later("Your browser handed over no passkey. Press the button again and follow your browser; it needs JavaScript.")


def _code(label: Any, hint: Any) -> StringField:
    return StringField(
        label,
        description=hint,
        filters=[stripped],
        validators=[DataRequired(later("Type the six digits your app shows."))],
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": 12, "spellcheck": "false"},
    )


def _credential() -> HiddenField:
    return HiddenField(later("Passkey"), validators=[DataRequired(NO_PASSKEY), Length(max=20_000, message=NO_PASSKEY)])


class CodeForm(Form):
    """A code of the app."""

    code = _code(later("Code from your app"), later("Six digits. They change every 30 seconds."))

    @property
    def proof(self) -> str:
        """What is shown."""
        return str(self.code.data)


class RecoveryForm(Form):
    """A recovery code."""

    recovery_code = StringField(
        later("Recovery code"),
        description=later("One of the ten you kept when you set up the second step. It works once."),
        filters=[stripped],
        validators=[
            DataRequired(later("Type one of your recovery codes.")),
            Length(max=64, message=later("A recovery code has 24 letters and digits.")),
        ],
        render_kw={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false", "maxlength": 64},
    )

    @property
    def proof(self) -> str:
        """What is shown."""
        return str(self.recovery_code.data)


class PasskeyForm(Form):
    """What the browser signed."""

    credential = _credential()

    @property
    def proof(self) -> str:
        """What is shown."""
        return str(self.credential.data)


PROOFS: dict[Way, type[CodeForm | RecoveryForm | PasskeyForm]] = {
    Way.CODE: CodeForm,
    Way.PASSKEY: PasskeyForm,
    Way.RECOVERY: RecoveryForm,
}


def proof_forms() -> dict[str, Form]:
    """One form for each way, empty."""
    return {way.value: form(formdata=None) for way, form in PROOFS.items()}


class AgainForm(Form):
    """The password once more, before anything about the second step changes."""

    password = PasswordField(
        later("Your password"),
        description=later("So that nobody else at this browser can change how you sign in."),
        validators=[DataRequired(later("Type your password."))],
        render_kw={"autocomplete": "current-password"},
    )


class NewAppForm(Form):
    """The first code of an app."""

    code = _code(later("Code the app shows now"), later("Six digits, to see that the app and this product agree."))


class NewPasskeyForm(Form):
    """A passkey the browser made, and what its owner calls it."""

    name = StringField(
        later("Name of this passkey"),
        description=later("So that you know it again, for example Work laptop."),
        filters=[stripped],
        validators=[
            DataRequired(later("Give the passkey a name, so that you know it again.")),
            Length(max=64, message=later("Use at most 64 characters.")),
        ],
        render_kw={"maxlength": 64, "autocomplete": "off"},
    )
    credential = _credential()
