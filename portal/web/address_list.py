"""Several addresses on one page as one form: nothing counts until all of them are saved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from wtforms import HiddenField, StringField
from wtforms.validators import Length

from ..organisations.addresses import LONGEST, MOST
from ..refusals import Refusal, Unfit
from ..words import _, later
from .forms import Form, stripped


def number(text: Any) -> int:
    """A number that was sent along; 0, which nothing has, for anything odd."""
    text = str(text or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0


def _line(label: Any, name: str) -> StringField:
    most = LONGEST[name]
    fits = Length(max=most, message=later("Use at most %(count)s characters.", count=most))
    return StringField(label, filters=[stripped], validators=[fits])


class AddressForm(Form):
    """One address; a page has several, so each has a prefix of its own. Each face says its own kinds."""

    key = HiddenField()
    street = _line(later("Street and number"), "street")
    postal_code = _line(later("Postal code"), "postal_code")
    city = _line(later("Town or city"), "city")
    region = _line(later("Region or state"), "region")
    country = _line(later("Country"), "country")

    @property
    def empty(self) -> bool:
        """Whether it is a new one nothing was typed into."""
        return not number(self.key.data) and not any(self[name].data for name in LONGEST)

    @property
    def values(self) -> dict[str, Any]:
        """What was typed, as records take it."""
        return {"id": number(self.key.data), **{name: self[name].data or "" for name in ("kind", *LONGEST)}}


@dataclass
class AddressList:
    """All addresses of the page, each with its number there. `seen`: of which list they were made; `unsaved`: they differ from it."""

    one: ClassVar[type[AddressForm]]
    most: ClassVar[int] = MOST

    rows: list[tuple[int, Any]]
    seen: str
    unsaved: bool = False

    @classmethod
    def of(cls, lines: Iterable[Any], seen: str) -> Self:
        """With what is kept."""
        kept = [{"key": line.id, **{name: getattr(line, name) for name in ("kind", *LONGEST)}} for line in lines]
        return cls([(at, cls.one(formdata=None, prefix=f"a{at}", data=data)) for at, data in enumerate(kept)], seen)

    @classmethod
    def sent(cls, data: Mapping[str, Any], places: Sequence[str], seen: str) -> Self:
        """As the page sent it; `places` are the numbers of the addresses on it. One too many is read as well, to be refused."""
        known = list(dict.fromkeys(number(text) for text in places if text.isdigit()))[: MOST + 1]
        return cls([(at, cls.one(formdata=data, prefix=f"a{at}")) for at in known], seen, unsaved=True)

    @property
    def full(self) -> bool:
        """Whether there may be no more."""
        return len(self.rows) >= MOST

    def add(self) -> None:
        """One more, empty, where there is room."""
        at = max((at for at, _form in self.rows), default=-1) + 1
        if at < 10**6 and not self.full:
            self.rows.append((at, self.one(formdata=None, prefix=f"a{at}")))

    def leave_out(self, wanted: int) -> None:
        """Without this one."""
        self.rows = [(at, form) for at, form in self.rows if at != wanted]

    def go_on_from(self, kept: Iterable[Any], seen: str) -> None:
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
    def values(self) -> list[dict[str, Any]]:
        """What was typed, address by address."""
        return [form.values for _at, form in self.rows]

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
