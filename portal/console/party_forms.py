"""Forms about external organisations: details, new people, contacts, addresses, agreements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wtforms import DateField, HiddenField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional
from wtforms.widgets import HiddenInput

from ..organisations.addresses import LONGEST as LONGEST_LINES
from ..organisations.addresses import MOST as MOST_ADDRESSES
from ..organisations.addresses import AddressLine
from ..organisations.agreements import SEVERITIES, Terms
from ..organisations.parties import LARGEST_CAP
from ..refusals import Refusal, Unfit
from ..web.filters import SEVERITY
from ..web.forms import CheckboxList, Form, stripped
from .forms import choices, sensible_year
from .people_forms import complain, name_field
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
        filters=[stripped],
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
        filters=[stripped],
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
        description="As many as you like, with spaces, commas, semicolons or line breaks between.",
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


class AddressForm(Form):
    """One address; a page has several, so each has a prefix of its own."""

    key = HiddenField()
    kind = SelectField("Kind", choices=choices(*ADDRESS_KINDS.items()))
    street = line("Street and number", LONGEST_LINES["street"])
    postal_code = line("Postal code", LONGEST_LINES["postal_code"])
    city = line("City", LONGEST_LINES["city"])
    region = line("Region", LONGEST_LINES["region"])
    country = line("Country", LONGEST_LINES["country"])

    @property
    def record(self) -> AddressLine:
        """What was typed."""
        return AddressLine(id_of(self.key.data), self.kind.data or "", **{name: self[name].data or "" for name in LONGEST_LINES})


@dataclass
class AddressesForm:
    """All addresses of the page, each with its number there."""

    rows: list[tuple[int, AddressForm]]
    seen: str

    @classmethod
    def of(cls, lines: Iterable[AddressLine], seen: str) -> AddressesForm:
        """With what is stored."""
        rows = [
            (
                at,
                AddressForm(
                    formdata=None, prefix=f"a{at}-", data={"key": one.id, "kind": one.kind, **{k: getattr(one, k) for k in LONGEST_LINES}}
                ),
            )
            for at, one in enumerate(lines)
        ]
        return cls(rows, seen)

    @classmethod
    def sent(cls, places: Sequence[str], seen: str) -> AddressesForm:
        """As the page sent it; `places` are the numbers of the addresses on it."""
        known = list(dict.fromkeys(id_of(text) for text in places))[:MOST_ADDRESSES]
        return cls([(at, AddressForm(prefix=f"a{at}-")) for at in known], seen)

    def add(self) -> None:
        """One more, empty."""
        at = max((at for at, _form in self.rows), default=-1) + 1
        self.rows.append((at, AddressForm(formdata=None, prefix=f"a{at}-")))

    def drop(self, wanted: int) -> None:
        """Without this one."""
        self.rows = [(at, form) for at, form in self.rows if at != wanted]

    def go_on_from(self, stored: Iterable[AddressLine], seen: str) -> None:
        """Stand in for this newer list: what was deleted meanwhile is new again."""
        self.seen, known = seen, {one.id for one in stored}
        for _at, form in self.rows:
            form.key.data = form.key.data if id_of(form.key.data) in known else 0

    def validate(self) -> bool:
        """Whether every address will do as far as its form can tell."""
        told = [form.validate() for _at, form in self.rows]  # all of them, so that each says what is wrong
        return all(told)

    @property
    def lines(self) -> list[AddressLine]:
        """What was typed."""
        return [form.record for _at, form in self.rows]

    @property
    def errors(self) -> dict[str | None, Sequence[Any]]:
        """Of all of them, by the id of the field."""
        return {form[name].id: told for _at, form in self.rows for name, told in form.errors.items() if name}

    def place(self, refusal: Refusal) -> str | None:
        """Put a sentence about one address beside its field; what is about none is returned."""
        index, dash, name = refusal.field.partition("-") if isinstance(refusal, Unfit) else ("", "", "")
        if not dash or int(index) >= len(self.rows):
            return refusal.sentence
        return complain(self.rows[int(index)][1], name, refusal.sentence)


def offer(field: Any, pairs: Pairs, empty: str = "") -> None:
    """What there is to choose from, with a line for none of it where that is said."""
    field.choices = choices(*([("", empty)] if empty else []), *pairs)


def place(form: Form, refusal: Refusal) -> str | None:
    """Put the sentence beside the field it is about; what is about none is returned."""
    return complain(form, refusal.field, refusal.sentence) if isinstance(refusal, Unfit) else refusal.sentence


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
