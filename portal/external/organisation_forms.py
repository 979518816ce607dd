"""Forms of "Your organisation"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wtforms import HiddenField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from ..refusals import Refusal, Unfit
from ..sharing.records import OwnAddress, OwnRole
from ..web.forms import CheckboxList, Form, stripped
from ..words import Wording, _, later

LONGEST_LIST = 100_000  # characters of pasted addresses
MOST_ADDRESSES = 50
ADDRESS_KINDS = Wording(
    {
        "actual": later("Where you work (actual address)"),
        "legal": later("As registered (legal address)"),
        "shipping": later("For deliveries (shipping address)"),
    }
)


def number(text: Any) -> int:
    """A number that was sent along; 0, which nothing has, for anything odd."""
    text = str(text or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0


def place(form: Form, refusal: Refusal) -> str | None:
    """Put the sentence beside the field it is about; what is about none is returned."""
    if not isinstance(refusal, Unfit) or refusal.field not in form:
        return refusal.sentence
    form[refusal.field].errors = [*form[refusal.field].errors, refusal.sentence]
    return None


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

    roles = CheckboxList(later("What may they do?"), coerce=number, choices=[])

    def offer(self, roles: Iterable[OwnRole]) -> None:
        """Let these be chosen; a role that is not open is refused by the verb."""
        self.roles.choices = [(role.id, role.name) for role in roles]


class AddForm(RolesForm):
    """Addresses of new people, and what they may do."""

    addresses = TextAreaField(
        later("E-mail addresses"),
        description=later("As many as you like, with spaces, commas or line breaks between. You can paste a list."),
        validators=[Length(max=LONGEST_LIST, message=later("This is too much at once. Add these people in parts."))],
    )


class AddressForm(Form):
    """One address; a page has several, so each has a prefix of its own."""

    key = HiddenField()
    kind = SelectField(later("What is this address for?"), choices=lambda: list(ADDRESS_KINDS.items()), validate_choice=False)
    street = _line(later("Street and number"), 200)
    postal_code = _line(later("Postal code"), 32)
    city = _line(later("Town or city"), 128)
    region = _line(later("Region or state"), 128)
    country = _line(later("Country"), 64)

    @property
    def empty(self) -> bool:
        """Whether it is a new one nothing was typed into."""
        return not number(self.key.data) and not any(self[name].data for name in ("street", "postal_code", "city", "region", "country"))

    @property
    def record(self) -> OwnAddress:
        """What was typed."""
        words = {name: self[name].data or "" for name in ("kind", "street", "city", "region", "postal_code", "country")}
        return OwnAddress(id=number(self.key.data), **words)


@dataclass
class AddressesForm:
    """All addresses of the page, in their order. `seen`: of which list they were made; `unsaved`: they differ from what is kept."""

    rows: list[tuple[int, AddressForm]]
    seen: str
    unsaved: bool = False

    @classmethod
    def of(cls, lines: Iterable[OwnAddress], seen: str) -> AddressesForm:
        """With what is kept."""
        made = [AddressForm(formdata=None, prefix=f"a{at}", data={"key": line.id} | _words(line)) for at, line in enumerate(lines)]
        return cls(list(enumerate(made)), seen)

    @classmethod
    def sent(cls, data: Mapping[str, Any], places: Sequence[str], seen: str) -> AddressesForm:
        """As the page sent it; `places` are the numbers of the addresses on it."""
        known = list(dict.fromkeys(number(text) for text in places if text.isdigit()))[:MOST_ADDRESSES]
        return cls([(at, AddressForm(formdata=data, prefix=f"a{at}")) for at in known], seen, unsaved=True)

    def add(self) -> None:
        """One more, empty."""
        at = max((at for at, _form in self.rows), default=-1) + 1
        if at < 10**6:
            self.rows.append((at, AddressForm(formdata=None, prefix=f"a{at}")))

    def leave_out(self, wanted: int) -> None:
        """Without this one."""
        self.rows = [(at, form) for at, form in self.rows if at != wanted]

    def go_on_from(self, kept: Iterable[OwnAddress], seen: str) -> None:
        """Stand in for this newer list: what was deleted meanwhile is new again."""
        self.seen, known = seen, {line.id for line in kept}
        for _at, form in self.rows:
            form.key.data = form.key.data if number(form.key.data) in known else 0

    def validate(self) -> bool:
        """Whether every address will do as far as its form can tell."""
        self.rows = [(at, form) for at, form in self.rows if not form.empty]
        told = [form.validate() for _at, form in self.rows]  # each of them, so that all complain at once
        return all(told)

    @property
    def records(self) -> list[OwnAddress]:
        """What was typed."""
        return [form.record for _at, form in self.rows]

    @property
    def errors(self) -> dict[str, Sequence[Any]]:
        """Of all of them, by the id of the field, for one summary."""
        return {form[name].id: told for _at, form in self.rows for name, told in form.errors.items() if name}

    def place(self, refusal: Refusal) -> str | None:
        """Put a sentence about one address, "2-street", beside its field; what is about none is returned."""
        at, dash, name = refusal.field.partition("-") if isinstance(refusal, Unfit) else ("", "", "")
        if not (dash and at.isdigit() and int(at) < len(self.rows)):
            return refusal.sentence
        form = self.rows[int(at)][1]
        if name not in form:
            return _("Address %(number)s: %(problem)s", number=int(at) + 1, problem=refusal.sentence)
        form[name].errors = [*form[name].errors, refusal.sentence]
        return None


def _words(line: OwnAddress) -> dict[str, str]:
    return {name: getattr(line, name) for name in ("kind", "street", "city", "region", "postal_code", "country")}
