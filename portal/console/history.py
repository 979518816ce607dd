"""History: what happened on a case, narrowed to a kind or to one side, with the way to what it was about."""

from __future__ import annotations

from typing import Any

from flask import g, request, url_for
from werkzeug.datastructures import ImmutableMultiDict
from wtforms import SelectField

from ..audit import feed
from ..cases import cases, queries
from ..web.face import Needs
from ..web.forms import Form
from ..web.show import show
from .face import console
from .forms import choices

SIZE = 50
GROUPS = (
    ("", "Everything"),
    ("case", "Case"),
    ("sharing", "Sharing"),
    ("comments", "Comments"),
    ("files", "Attachments"),
    ("observables", "Observables"),
    ("tasks", "Tasks"),
    ("views", "Views by external users"),
)
SIDES = (("", "By everybody"), ("inside", "By colleagues"), ("outside", "By external users"))


class HistoryForm(Form):
    """What the history is narrowed to."""

    show = SelectField("What", choices=choices(*GROUPS), default="")
    by = SelectField("By whom", choices=choices(*SIDES), default="")


# Where each kind of thing is shown: the endpoint, and what the uid is there: the end of an element's id, or an argument.
PLACES = {
    "comment": ("console.case", {"_anchor": "comment-{}"}),
    "file": ("console.attachments", {"_anchor": "file-{}"}),
    "observable": ("console.observables", {"_anchor": "observable-{}"}),
    "task": ("console.task", {"task": "{}"}),
}
CHANNELS = {"console": "in the console", "portal": "in the portal", "system": "by the system", "api": "by API"}


@console.route("/cases/<id:number>/history", needs=Needs.TEAM)
def history(number: int) -> Any:
    """What happened on the case, newest first."""
    case, form = cases.load(number), HistoryForm(formdata=ImmutableMultiDict(request.args))
    chosen = {field.name: field.data for field in form if field.validate(form) and field.data}
    before = request.args.get("before", "")
    place = int(before) if before.isascii() and before.isdigit() and len(before) < 18 else None
    events = feed.history(case.id, group=chosen.get("show", ""), side=chosen.get("by", ""), before=place, size=SIZE)
    shown = events[:SIZE]
    context: dict[str, Any] = {
        "entries": list(zip(shown, _links(case, shown), strict=True)),
        "channels": CHANNELS,
        "older": url_for(".history", number=number, **chosen, before=shown[-1].id) if len(events) > SIZE else None,
        "newest": url_for(".history", number=number, **chosen) if place else None,
    }
    view, audience = queries.case_view(case)
    names = "console/cases/history.html", "console/cases/_history.html"
    return show(*names, filters=form, case=view, audience=audience, can=g.viewer.permissions, **context)


def _links(case: Any, events: list[feed.Event]) -> list[str | None]:
    """For each event the address of what it was about, if that still exists."""
    alive = feed.still_there(case.id, events)
    return [_link(case.number, event) if event.object_id in alive else None for event in events]


def _link(number: int, event: feed.Event) -> str:
    endpoint, arguments = PLACES[event.kind.partition(":")[0]]
    values: dict[str, Any] = {name: value.format(event.object_id) for name, value in arguments.items()}
    return url_for(endpoint, number=number, **values)
