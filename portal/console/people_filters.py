"""What the list of people is narrowed to and ordered by: the form, its chips, its addresses."""

from __future__ import annotations

from typing import Any

from flask import g, request, url_for
from werkzeug.datastructures import ImmutableMultiDict
from wtforms import HiddenField, SearchField, SelectField
from wtforms.validators import AnyOf, Length, Optional

from ..accounts import directory, selection, standing
from ..web.forms import Form, stripped
from .forms import choices

KINDS = choices(("", "Any kind"), ("internal", "Colleague"), ("external", "External user"), ("service", "Service"))
SECOND = choices(("", "Second factor or not"), ("yes", "Set up"), ("no", "Not set up"))
STATES = choices(("", "Any account"), *((state, standing.WORDS[state]) for state in standing.FILTERS))


class PeopleFilterForm(Form):
    """Sent with GET; what makes no sense is left out."""

    q = SearchField("Search", filters=[stripped], validators=[Length(max=128)])
    kind = SelectField("Kind", choices=KINDS, default="")
    state = SelectField("Account", choices=STATES, default="")
    profile = SelectField("Profile", default="")
    organisation = SelectField("Organisation", default="")
    second = SelectField("Second factor", choices=SECOND, default="")
    sort = HiddenField(default="name", validators=[Optional(), AnyOf(tuple(selection.ORDERS))])


def read_filters() -> tuple[PeopleFilterForm, dict[str, str]]:
    """The form as it was sent, and what in it counts."""
    form = PeopleFilterForm(formdata=ImmutableMultiDict(request.args))
    form.profile.choices = choices(("", "Any profile"), *((str(key), name) for key, name in directory.profiles(g.viewer)))
    if g.viewer.platform:
        form.organisation.choices = choices(("", "Any organisation"), *((str(key), name) for key, name in directory.organisations()))
    else:
        del form.organisation
    chosen = {field.name: field.data for field in form if field.validate(form) and field.data}
    form.sort.data = chosen.setdefault("sort", "name")
    return form, chosen


def list_url(chosen: dict[str, str], endpoint: str = ".people", **more: str) -> str:
    """The address of the list with these filters; what is usual is left out."""
    values: dict[str, Any] = {**chosen, **more}
    return url_for(endpoint, **{name: value for name, value in values.items() if (name, value) != ("sort", "name")})


def chips(form: PeopleFilterForm, chosen: dict[str, str]) -> list[tuple[str, str]]:
    """Each active filter in words, with the address of the list without it."""
    told = []
    for name, value in chosen.items():
        if name == "sort":
            continue
        words = value if name == "q" else next(choice.label for choice in form[name].iter_choices() if choice.value == value)
        told.append((f"{form[name].label.text}: {words}", list_url({key: kept for key, kept in chosen.items() if key != name})))
    return told


def headers(chosen: dict[str, str]) -> dict[str, tuple[str, str]]:
    """For each column that sorts: how it is sorted now, in ARIA's words, and where its heading leads."""
    sort = chosen["sort"]
    ways = {"name": ("name", "-name", "ascending", "descending"), "seen": ("seen", "-seen", "descending", "ascending")}
    return {
        column: ({first: said, second: other}.get(sort, ""), list_url(chosen, sort=second if sort == first else first))
        for column, (first, second, said, other) in ways.items()
    }
