"""Forms about observables: finding, adding, changing one or many, and the filters of the list."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import request, url_for
from werkzeug.datastructures import ImmutableMultiDict
from wtforms import (
    BooleanField,
    DateTimeLocalField,
    HiddenField,
    PasswordField,
    RadioField,
    SearchField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, Optional

from ..cases import finds, observables
from ..cases.tags import split_tags
from ..web import times
from ..web.filters import PAP, TLP
from ..web.forms import LONGEST_MESSAGE, Form, stripped
from .forms import VersionForm, choices, fitting_tags, sensible_year

LEAVE = ("", "Leave as it is")


def _tags(label: str = "Tags", hint: str = "Separated by commas.") -> StringField:
    return StringField(label, description=hint, filters=[stripped], validators=[fitting_tags])


class FacetsForm(VersionForm):
    """What can be said about an observable."""

    message = TextAreaField(
        "Message",
        description="What it is about, for colleagues. Markdown.",
        validators=[Length(max=LONGEST_MESSAGE, message=f"Use at most {LONGEST_MESSAGE:,} characters.")],
    )
    tags = _tags()
    tlp = SelectField("TLP", choices=choices(*TLP.items()), coerce=int, default=2)
    pap = SelectField("PAP", choices=choices(*PAP.items()), coerce=int, default=2)
    ioc = BooleanField("It is an IOC: meeting it elsewhere means trouble")
    sighted = BooleanField("It was sighted in your own systems")

    def facets(self) -> observables.Facets:
        """What the form says."""
        return observables.Facets(
            message=self.message.data or "",
            tags=split_tags(self.tags.data or ""),
            tlp=self.tlp.data,
            pap=self.pap.data,
            ioc=self.ioc.data,
            sighted=self.sighted.data,
        )


class AddForm(FacetsForm):
    """One value, or one in each line."""

    type = SelectField("Type", default="")
    text = TextAreaField(
        "Value",
        description="Harmless writing such as hxxp and [.] is turned back. At most 500 lines and 64 KB.",
        validators=[InputRequired("Type or paste at least one value.")],
    )
    per_line = BooleanField("One per line: each line is an observable of its own", default=True)

    def offer(self, names: list[str]) -> None:
        """The types there are."""
        self.type.choices = choices(("", "Guess the type"), *((name, name) for name in names))


class AddFilesForm(FacetsForm):
    """Files as observables."""

    type = SelectField("Type")
    unpack = BooleanField("These are ZIP archives: add what is in them, file by file")
    password = PasswordField(
        "Password of the archives",
        description="Only if they need one; infected is tried by itself.",
        validators=[Length(max=512, message="Use at most 512 characters.")],
        render_kw={"autocomplete": "off"},
    )

    def offer(self, names: list[str]) -> None:
        """The types there are."""
        self.type.choices = choices(*((name, name) for name in names))


class EditObservableForm(FacetsForm):
    """What is said about one that exists."""

    sighted_at = DateTimeLocalField(
        "When it was sighted",
        description="Leave it empty for now.",
        format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        validators=[Optional(), sensible_year],
    )
    ignore_similarity = BooleanField("Do not count it as the same thing in other cases")

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.sighted_at.label.text = f"When it was sighted ({times.zone_in_words()})"

    def changed(self, before: datetime | None) -> observables.Facets:
        """What the form says. `before`: when it was sighted until now; the minute it has already is no change."""
        typed = self.sighted_at.data
        since = times.typed(typed, before=before) if typed else None
        if before and since == before.replace(second=0, microsecond=0):
            since = before
        return replace(self.facets(), sighted_at=since, ignore_similarity=self.ignore_similarity.data)


class BulkForm(Form):
    """What to change of many; what is left empty stays as it is."""

    ioc = SelectField("IOC", choices=choices(LEAVE, ("yes", "Is an IOC"), ("no", "Is no IOC")), default="")
    sighted = SelectField("Sighted", choices=choices(LEAVE, ("yes", "Was sighted"), ("no", "Was not sighted")), default="")
    tlp = SelectField("TLP", choices=choices(LEAVE, *((str(key), word) for key, word in TLP.items())), default="")
    pap = SelectField("PAP", choices=choices(LEAVE, *((str(key), word) for key, word in PAP.items())), default="")
    add_tags = _tags("Add tags")
    remove_tags = _tags("Remove tags")

    @property
    def empty(self) -> bool:
        """Whether nothing was asked for."""
        return not any(field.data for field in self)

    def applied(self, now: observables.Facets) -> observables.Facets:
        """The facets after the change."""
        tags = (set(now.tags) | set(split_tags(self.add_tags.data or ""))) - set(split_tags(self.remove_tags.data or ""))
        wanted: dict[str, Any] = {"tags": tuple(sorted(tags))}
        for name in ("ioc", "sighted"):
            if self[name].data:
                wanted[name] = self[name].data == "yes"
        for name in ("tlp", "pap"):
            if self[name].data:
                wanted[name] = int(self[name].data)
        return replace(now, **wanted)


class FindForm(Form):
    """What the list is narrowed to; sent with GET, what makes no sense is left out."""

    q = SearchField("Search", filters=[stripped], validators=[Length(max=256)])
    type = SelectField("Type", default="")
    ioc = SelectField("IOC", choices=choices(("", "IOC or not"), ("yes", "IOC"), ("no", "Not an IOC")), default="")
    sighted = SelectField("Sighted", choices=choices(("", "Sighted or not"), ("yes", "Sighted"), ("no", "Not sighted")), default="")
    source = SelectField(
        "Added by", choices=choices(("", "Added by anybody"), ("outside", "External users"), ("inside", "Colleagues")), default=""
    )


class TypeForm(Form):
    """A new type of observable."""

    name = StringField(
        "Name",
        description="1 to 64 small letters, digits, hyphens and underscores, as in bank-account. It cannot be changed later.",
        validators=[InputRequired("Give the type a name.")],
        render_kw={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"},
    )
    holds = RadioField("What does it hold?", choices=choices(("value", "A value"), ("file", "A file")), default="value")


class DeleteForm(Form):
    """A decision that needs nothing but a button."""

    confirmed = HiddenField()


def read_filters(types: list[str]) -> tuple[FindForm, dict[str, str]]:
    """The form as it was sent, and what in it counts."""
    form = FindForm(formdata=ImmutableMultiDict(request.args))
    form.type.choices = choices(("", "Any type"), *((name, name) for name in types))
    return form, {field.name: field.data for field in form if field.validate(form) and field.data}


def filters_of(chosen: dict[str, str]) -> finds.Filters:
    """As queries take it."""
    return finds.Filters(**chosen)


def list_url(number: int, chosen: dict[str, str], endpoint: str = ".observables", **more: str) -> str:
    """The address of the list with these filters."""
    values: dict[str, Any] = {"number": number, **chosen, **more}
    return url_for(endpoint, **values)


def chips(number: int, form: FindForm, chosen: dict[str, str]) -> list[tuple[str, str]]:
    """Each active filter in words, with the address of the list without it."""
    told = []
    for name, value in chosen.items():
        words = value if name == "q" else next(choice.label for choice in form[name].iter_choices() if choice.value == value)
        rest = {key: kept for key, kept in chosen.items() if key != name}
        told.append((f"{form[name].label.text}: {words}", list_url(number, rest)))
    return told
