"""Forms about people: a new account, its places, a person's details."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wtforms import BooleanField, HiddenField, RadioField, SelectField, StringField
from wtforms.validators import DataRequired, InputRequired, Length

from ..accounts.joining import LONGEST_PARTY, Seat
from ..accounts.models import AccountType
from ..refusals import Refusal, Unfit
from ..web.forms import CheckboxList, Form, email_field, stripped
from .forms import choices

KINDS = {"internal": AccountType.NORMAL, "external": AccountType.EXTERNAL, "service": AccountType.SERVICE}
MOST_SEATS = 20
Pairs = Sequence[tuple[int, str]]


def number(text: object) -> int:
    """An id as forms send it; 0, which nothing has, for whatever is none."""
    text = str(text or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0


def name_field(label: str = "Name") -> StringField:
    """What somebody is called."""
    checks = [DataRequired("Type a name."), Length(max=128, message="Use at most 128 characters.")]
    return StringField(label, filters=[stripped], validators=checks, render_kw={"autocomplete": "off"})


def works_for_field() -> StringField:
    """Whom an external user works for."""
    return StringField(
        "Works for",
        description="Their company or department. Known ones are offered as you type; for another name you are asked whether it is new.",
        filters=[stripped],
        validators=[Length(max=LONGEST_PARTY, message=f"Use at most {LONGEST_PARTY} characters.")],
        render_kw={"autocomplete": "off", "list": "parties"},
    )


def new_party_field() -> BooleanField:
    """That a name nobody knows is no slip; drawn once it was asked."""
    return BooleanField("It is a new external organisation: make it")


class SeatForm(Form):
    """A place in an organisation. Which of the lists counts depends on the kind of account."""

    organisation = SelectField("Organisation", coerce=number, validate_choice=False)
    profile = SelectField("Profile", coerce=number, validate_choice=False)
    roles = CheckboxList("Roles in the portal", coerce=number, choices=[])

    def offer(
        self, organisations: Sequence[tuple[int, str]], profiles: Sequence[tuple[int, str]], roles: Sequence[tuple[int, str]]
    ) -> None:
        """What there is to choose from."""
        self.organisation.choices = choices(("", "Choose an organisation"), *organisations)
        self.profile.choices = choices(("", "Choose a profile"), *profiles)
        self.roles.choices = choices(*roles)

    def chosen(self, *, external: bool) -> frozenset[int]:
        """The ids of what was picked."""
        if external:
            return frozenset(self.roles.data or ())
        return frozenset({self.profile.data} if self.profile.data else ())


class NewPersonForm(Form):
    """Who somebody is; where they work is told in as many SeatForms as there are organisations."""

    kind = RadioField(
        "What kind of account?",
        description="It decides where the account lives and is fixed for good. To change it, delete the account and make a new one.",
        choices=choices(
            ("external", "External user: uses the portal only"),
            ("internal", "Colleague: uses this console"),
            ("service", "Program: uses the API only"),
        ),
        default="external",
        validators=[InputRequired("Choose one of the three.")],
    )
    name = name_field()
    email = email_field()
    works_for = works_for_field()
    new_party = new_party_field()
    default = SelectField("Begins in", coerce=number, validate_choice=False)

    def __init__(self, *args: Any, seats: Sequence[SeatForm] = (), **more: Any) -> None:
        super().__init__(*args, **more)
        self.seats = list(seats)

    @property
    def errors(self) -> dict[str | None, Sequence[Any]]:
        """Those of the places too, so that one summary tells of all."""
        own: dict[str | None, Sequence[Any]] = dict(super().errors)
        for seat in self.seats:
            own |= {seat[name].id: told for name, told in seat.errors.items() if name}
        return own

    @property
    def type(self) -> AccountType:
        """The kind of account that was chosen."""
        return KINDS.get(self.kind.data, AccountType.EXTERNAL)

    def details(self) -> dict[str, Any]:
        """Who it is, as verbs take it."""
        return {"email": self.email.data, "name": self.name.data, "kind": self.type, "works_for": self.works_for.data or ""}

    def wanted(self) -> list[Seat]:
        """The places as verbs take them."""
        external, first = self.type is AccountType.EXTERNAL, self.default.data
        return [Seat(seat.organisation.data or 0, seat.chosen(external=external), index == first) for index, seat in enumerate(self.seats)]

    def place(self, refusal: Refusal) -> str | None:
        """Put the sentence beside the field it is about; what is about none is returned."""
        if not isinstance(refusal, Unfit):
            return refusal.sentence
        index, _, name = refusal.field.rpartition("-")
        return (self.seats[int(index)] if index else self).complain(name, refusal.sentence)


class SeatPageForm(SeatForm):
    """One place of a person who exists."""

    works_for = works_for_field()
    new_party = new_party_field()
    default = BooleanField("Begins here after signing in")


class PersonForm(Form):
    """A person's details."""

    name = name_field()
    email = email_field()
    seen = HiddenField()


class DeleteForm(Form):
    """Typing the name is what keeps a slip of the hand from deleting somebody."""

    confirm = StringField("Type the name or the e-mail address", filters=[stripped], render_kw={"autocomplete": "off"})
