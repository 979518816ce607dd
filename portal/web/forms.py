"""The base form, and fields and validators several forms share. Forms shape input; they never ask the database."""

from __future__ import annotations

import unicodedata
from typing import Any

from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import EmailField, PasswordField, SelectMultipleField, TextAreaField
from wtforms.validators import DataRequired, Length, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from ..accounts import mail_addresses
from ..refusals import Refusal, Unfit
from ..settings import values
from ..words import Number, _, later

LONGEST_MESSAGE = 65_536
EMAIL, NEW_PASSWORD = later("E-mail address"), later("New password")
MISSING_PASSWORD = later("Type your password.")


class Form(FlaskForm):  # type: ignore[misc]
    """Tokens against forgery are checked once, in the gate, for every unsafe request."""

    class Meta:
        csrf = False

    def complain(self, name: str, sentence: str) -> str | None:
        """Put a sentence beside a field of the form; return it when there is no such field."""
        if name not in self:
            return sentence
        self[name].errors = [*self[name].errors, sentence]
        return None

    def place(self, refusal: Refusal) -> str | None:
        """Put a refusal beside the field it is about; what is about none is returned."""
        if not isinstance(refusal, Unfit):
            return refusal.sentence
        left = [self.complain(refusal.field, refusal.sentence), self.place(refusal.other) if refusal.other else None]
        return " ".join(filter(None, left)) or None


def typed_before(fields: dict[str, str]) -> MultiDict[str, str]:
    """What was typed on an earlier page, for a form to read as if it came now."""
    return MultiDict(fields)


def stripped(value: Any) -> Any:
    """A filter for one line that takes blanks off both ends, and out what nobody can see: control characters, and those that turn
    text around."""
    return "".join(c for c in value if not _unseen(c)).strip() if isinstance(value, str) else value


def stripped_lines(value: Any) -> Any:
    """The same filter for several lines: they stay lines, and tabs stay tabs."""
    if not isinstance(value, str):
        return value
    ended = value.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in ended if c in "\n\t" or not _unseen(c)).strip()


def _unseen(character: str) -> bool:
    """Whether it takes no room on a page; the two joiners stay, for some languages are written with them."""
    return unicodedata.category(character) in ("Cc", "Cf") and character not in "\u200c\u200d"


def lowered(value: Any) -> Any:
    """A filter for addresses: no blanks, lower case."""
    return value.strip().lower() if isinstance(value, str) else value


class Address:
    """Accepts anything shaped like an address, private domains included; nothing is looked up."""

    def __call__(self, form: Any, field: Any) -> None:
        if field.errors:  # too long, which is said already
            return
        try:
            mail_addresses.read(field.data or "")
        except Unfit as refusal:
            raise ValidationError(refusal.sentence) from None


class SameAs:
    """The field repeats another one."""

    def __init__(self, other: str) -> None:
        self.other = other

    def __call__(self, form: Any, field: Any) -> None:
        if field.data != form[self.other].data:
            raise ValidationError(_("This is not the same as above. Type the password again."))


def email_field(label: Any = EMAIL, **options: Any) -> EmailField:
    """An address of at most 128 characters."""
    checks = [
        DataRequired(later("Enter an e-mail address like name@example.org.")),
        Length(max=128, message=later("Use at most 128 characters.")),
        Address(),
    ]
    return EmailField(label, filters=[lowered], validators=checks, render_kw={"autocomplete": "email", "inputmode": "email"}, **options)


class NewPassword(PasswordField):  # type: ignore[misc]
    """A password being chosen; how short it may be is asked when the page is written, for administrators may change it."""

    @property
    def description(self) -> str:
        """The hint."""
        shortest = values.sign_in_policy().password_shortest
        return _("At least %(count)s characters. A few words in a row are easy to remember.", count=shortest)

    @description.setter
    def description(self, _text: str) -> None:
        """WTForms sets one of its own."""

    def __call__(self, **kwargs: Any) -> Any:
        return super().__call__(minlength=values.sign_in_policy().password_shortest, **kwargs)


def new_password(label: Any = NEW_PASSWORD) -> PasswordField:
    """A password being chosen; its strength is judged by the verb."""
    rule = DataRequired(later("Choose a password."))
    return NewPassword(label, validators=[rule], render_kw={"autocomplete": "new-password", "maxlength": 256})


def repeated_password() -> PasswordField:
    """The same password once more."""
    return PasswordField(
        later("The same password again"),
        validators=[DataRequired(later("Type the password a second time.")), SameAs("password")],
        render_kw={"autocomplete": "new-password"},
    )


class CheckboxList(SelectMultipleField):  # type: ignore[misc]
    """Several of many, each with its own box."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def pre_validate(self, form: Any) -> None:
        """Which ids may be chosen is the verb's question; a stale list must get a sentence, not a shrug."""


class MessageForm(Form):
    """A comment or message."""

    message = TextAreaField(
        later("Message"),
        validators=[
            DataRequired(later("Write something before you send it.")),
            Length(
                max=LONGEST_MESSAGE,
                message=later("This is longer than %(count)s characters. Send it in parts.", count=Number(LONGEST_MESSAGE)),
            ),
        ],
    )


class SignInForm(Form):
    """Address and password; whether they belong together is the verb's business."""

    email = email_field()
    password = PasswordField(later("Password"), validators=[DataRequired(MISSING_PASSWORD)], render_kw={"autocomplete": "current-password"})
