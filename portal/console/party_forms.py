"""Forms about external organisations: details, new people, contacts, addresses, agreements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from wtforms import DateField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional
from wtforms.widgets import HiddenInput

from ..accounts.newcomers import MOST_AT_ONCE
from ..organisations.addresses import AddressLine
from ..organisations.agreements import SEVERITIES, Terms
from ..organisations.parties import LARGEST_CAP
from ..web.address_list import AddressForm, AddressList
from ..web.filters import SEVERITY
from ..web.forms import CheckboxList, Form, stripped, stripped_lines
from .forms import choices, sensible_year
from .people_forms import name_field
from .people_forms import number as id_of

KINDS = {"client": "Client", "department": "Department", "vendor": "Vendor"}
ADDRESS_KINDS = {"actual": "Actual", "legal": "Legal", "shipping": "Shipping"}
STATUSES = {"draft": "Draft", "active": "Active", "ended": "Ended"}
LONGEST_LIST = 100_000  # characters of pasted addresses
Pairs = Iterable[tuple[int, str]]


def number_or_none(text: object) -> int | None:
    """An id as a list sends it; None for its empty line."""
    return id_of(text) or None


def line(label: str, most: int, hint: str = "", **options: Any) -> StringField:
    """A line of text."""
    rules = [*options.pop("validators", ()), Length(max=most, message=f"Use at most {most} characters.")]
    return StringField(label, description=hint, filters=[stripped], validators=rules, render_kw={"autocomplete": "off"}, **options)


def version() -> IntegerField:
    """Which state of the thing the form was made from."""
    return IntegerField(widget=HiddenInput(), validators=[InputRequired("Reload the page and try again.")])


class PartyForm(Form):
    """A new external organisation."""

    organisation_id = SelectField("Has to do with the cases of", coerce=id_of, validate_choice=False)
    name = line("Name", 128, validators=[DataRequired("Give the organisation a name.")])
    kind = SelectField("Kind", choices=choices(*KINDS.items()), validators=[InputRequired("Choose one of the three.")])
    phone = line("Phone", 64)
    domains = TextAreaField(
        "Mail domains",
        description="Only addresses with one of these domains can be added, such as example.org. Leave it empty to allow any.",
        filters=[stripped_lines],
        validators=[Length(max=5_000, message="Use at most 5,000 characters.")],
        render_kw={"rows": 2, "autocomplete": "off", "spellcheck": "false"},
    )
    cap = IntegerField(
        "Most people",
        description="How many people it may have that are not deactivated. Leave it empty for any number.",
        validators=[Optional(), NumberRange(1, LARGEST_CAP, f"Give a number from 1 to {LARGEST_CAP:,}, or leave it empty.")],
        render_kw={"min": 1, "max": LARGEST_CAP, "inputmode": "numeric"},
    )
    role_ids = CheckboxList("Open roles", coerce=id_of, choices=[])
    notes = TextAreaField(
        "Notes",
        description="For the security team alone. Nobody outside reads them.",
        filters=[stripped_lines],
        validators=[Length(max=65_536, message="Use at most 65,536 characters.")],
        render_kw={"rows": 4},
    )

    def draft(self) -> dict[str, Any]:
        """What was typed, as verbs take it."""
        words = {name: self[name].data or "" for name in ("name", "kind", "phone", "domains", "notes")}
        return {**words, "cap": self.cap.data, "role_ids": self.role_ids.data or ()}


class EditPartyForm(PartyForm):
    """An existing one."""

    organisation_id = None
    primary_contact_id = SelectField(
        "Primary contact", description="Whom the team turns to first.", coerce=number_or_none, validate_choice=False
    )
    version = version()

    def draft(self) -> dict[str, Any]:
        """What was typed, as verbs take it."""
        return {**super().draft(), "primary_contact_id": self.primary_contact_id.data}


class PeopleForm(Form):
    """Addresses of new people, and what they may do."""

    addresses = TextAreaField(
        "E-mail addresses",
        description=f"Up to {MOST_AT_ONCE} at once, with spaces, commas, semicolons or line breaks between.",
        validators=[Length(max=LONGEST_LIST, message="This is too much at once. Add these people in parts.")],
        render_kw={"rows": 5, "autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"},
    )
    roles = CheckboxList("Roles in the portal", coerce=id_of, choices=[])


class RolesForm(Form):
    """What the people ticked may do from now on."""

    roles = CheckboxList("Roles in the portal", coerce=id_of, choices=[])


class ContactForm(Form):
    """A person record."""

    name = name_field()
    emails = TextAreaField(
        "E-mail addresses",
        description="One a line; the first is the one to write to.",
        validators=[Length(max=5_000, message="Use at most 5,000 characters.")],
        render_kw={"rows": 3, "autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"},
    )
    phone = line("Phone", 64)
    job_title = line("Job title", 128)

    def draft(self) -> dict[str, str]:
        """What was typed, as verbs take it."""
        return {name: self[name].data or "" for name in ("name", "emails", "phone", "job_title")}


class EditContactForm(ContactForm):
    """An existing one."""

    version = version()


def _time(severity: str, label: str) -> StringField:
    return line(f"{label}, {SEVERITY[int(severity)].lower()} severity", 64)


class AgreementForm(Form):
    """A service agreement. Response and resolution times stand in a table, so each has a field of its own."""

    number = line("Number", 64, validators=[DataRequired("Give the agreement a number.")])
    title = line("Title", 200, validators=[DataRequired("Give the agreement a title.")])
    status = SelectField("Status", choices=choices(*STATUSES.items()), default="draft")
    starts_on = DateField("First day", validators=[Optional(), sensible_year])
    ends_on = DateField("Last day", validators=[Optional(), sensible_year])
    hours = line("Service hours", 300, "In words, such as Monday to Friday, 8:00 to 18:00 CET.")
    contact_ids = CheckboxList("Named contacts", coerce=id_of, choices=[])

    def terms(self) -> Terms:
        """What was typed, as verbs take it."""
        times = {key: (self[f"response_{key}"].data or "", self[f"resolution_{key}"].data or "") for key in SEVERITIES}
        words: dict[str, Any] = {name: self[name].data or "" for name in ("number", "title", "status", "hours")}
        words |= {name: self[name].data for name in ("starts_on", "ends_on")}
        return Terms(**words, times=times, contact_ids=self.contact_ids.data or ())


for _key in SEVERITIES:
    for _name, _label in (("response", "First response"), ("resolution", "Resolution")):
        setattr(AgreementForm, f"{_name}_{_key}", _time(_key, _label))


class EditAgreementForm(AgreementForm):
    """An existing one."""

    version = version()


class PartyAddressForm(AddressForm):
    """One address of the organisation."""

    kind = SelectField("Kind", choices=choices(*ADDRESS_KINDS.items()))


class PartyAddresses(AddressList):
    """All of them."""

    one = PartyAddressForm

    @property
    def lines(self) -> list[AddressLine]:
        """What was typed."""
        return [AddressLine(**values) for values in self.values]


def offer(field: Any, pairs: Pairs, empty: str = "") -> None:
    """What there is to choose from, with a line for none of it where that is said."""
    field.choices = choices(*([("", empty)] if empty else []), *pairs)


def brought_up(form: Any, stored_version: int) -> Any:
    """The form again, to be sent once more knowing what the other one did."""
    form.version.data, form.version.raw_data = stored_version, [str(stored_version)]
    return form


def differences(form: Form, stored: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Where what is stored and the form differ: label, theirs, yours."""
    told = []
    for name, theirs in stored.items():
        if name not in form or name == "version":
            continue
        pair = _in_words(form[name], theirs), _in_words(form[name], form[name].data)
        if pair[0] != pair[1]:
            told.append((form[name].label.text, *pair))
    return told


def _in_words(field: Any, value: Any) -> str:
    if hasattr(field, "iter_choices"):
        wanted = {str(one) for one in (value if isinstance(value, list | tuple | set | frozenset) else [value]) if one}
        return ", ".join(choice.label for choice in field.iter_choices() if str(choice.value) in wanted)
    return "" if value is None else "\n".join(str(value).split("\r\n")).strip()
