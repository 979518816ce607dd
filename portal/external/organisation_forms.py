"""Forms of "Your organisation"."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from wtforms import HiddenField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from ..sharing.records import OwnAddress, OwnRole
from ..web.address_list import AddressForm, AddressList
from ..web.forms import CheckboxList, Form, stripped
from ..words import Wording, later

LONGEST_LIST = 100_000  # characters of pasted addresses
ADDRESS_KINDS = Wording(
    {
        "actual": later("Where you work (actual address)"),
        "legal": later("As registered (legal address)"),
        "shipping": later("For deliveries (shipping address)"),
    }
)


def _line(label: Any, most: int, **options: Any) -> StringField:
    rules = [*options.pop("validators", ()), Length(max=most, message=later("Use at most %(count)s characters.", count=most))]
    return StringField(label, filters=[stripped], validators=rules, **options)


class DetailsForm(Form):
    """What a portal administrator may change about their organisation."""

    name = _line(later("Name of your organisation"), 128, validators=[DataRequired(later("Give the name of your organisation."))])
    phone = _line(later("Phone"), 64, render_kw={"autocomplete": "off", "inputmode": "tel"})
    version = HiddenField()


class RolesForm(Form):
    """What people may do."""

    roles = CheckboxList(later("What may they do?"), choices=[])

    def offer(self, roles: Iterable[OwnRole]) -> None:
        """Let these be chosen; a role that is not open is refused by the verb."""
        self.roles.choices = [(role.uid, role.name) for role in roles]


class AddForm(RolesForm):
    """Addresses of new people, and what they may do. `organisation`: whose form it is; somebody may look after two."""

    organisation = HiddenField()
    addresses = TextAreaField(
        later("E-mail addresses"),
        validators=[Length(max=LONGEST_LIST, message=later("This is too much at once. Add these people in parts."))],
    )


class OwnAddressForm(AddressForm):
    """One address of the organisation."""

    kind = SelectField(later("What is this address for?"), choices=lambda: list(ADDRESS_KINDS.items()), validate_choice=False)


class OwnAddresses(AddressList):
    """All of them."""

    one = OwnAddressForm

    @property
    def records(self) -> list[OwnAddress]:
        """What was typed."""
        return [OwnAddress(**values) for values in self.values]
