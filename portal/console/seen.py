"""Who has seen what of a case."""

from __future__ import annotations

from typing import Any

from flask import g, request, url_for
from werkzeug.exceptions import NotFound

from ..audit import feed
from ..audit.kinds import Kind
from ..audit.record import record_apart
from ..cases import cases, queries
from ..sharing import seen as eyes
from ..web.export import FORMATS, export
from ..web.face import Needs
from ..web.show import show
from .face import console

EVENTS = 50
COLUMNS = ("id", "name", "has_access", "views", "downloads", "first_at", "last_at")


def _place(name: str) -> int | None:
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None


@console.route("/cases/<id:number>/seen", needs=Needs.TEAM)
def seen(number: int) -> Any:
    """Who outside opened the case and its files, and who never did; or the same as a timeline."""
    case = cases.load(number)
    context = _timeline(case) if request.args.get("as") == "timeline" else _people(case)
    context["case"], context["audience"] = queries.case_view(case)
    files = [(kind, url_for(".export_seen", number=number, format=kind)) for kind in FORMATS]
    return show("console/seen/show.html", files=files, can=g.viewer.permissions, **context)


def _people(case: Any) -> dict[str, Any]:
    after = _place("after")
    page, never = eyes.seers(case, after), [] if after else eyes.never(case)
    return {
        "timeline": False,
        "rows": page.rows,
        "never": never[: eyes.NEVER_SHOWN],
        "many": len(never) > eyes.NEVER_SHOWN,
        "older": url_for(".seen", number=case.number, after=page.next) if page.next else None,
        "newest": url_for(".seen", number=case.number) if after else None,
    }


def _timeline(case: Any) -> dict[str, Any]:
    before = _place("before")
    events = feed.shown(case.id, before=before, size=EVENTS)
    values: dict[str, Any] = {"number": case.number, "as": "timeline"}
    older = url_for(".seen", **values, before=events[EVENTS - 1].id) if len(events) > EVENTS else None
    newest = url_for(".seen", **values) if before else None
    return {"timeline": True, "entries": events[:EVENTS], "older": older, "newest": newest}


@console.route("/cases/<id:number>/seen/export", needs=Needs.TEAM)
def export_seen(number: int) -> Any:
    """All of it as a file, those who never looked included."""
    kind = request.args.get("format", "csv")
    if kind not in FORMATS:
        raise NotFound
    case = cases.load(number)
    rows: list[tuple[Any, ...]] = [
        (s.user_id, s.name, s.has_access, s.views, s.downloads, s.first_at, s.last_at) for s in eyes.everybody(case)
    ]
    rows += [(person.id, person.name, True, 0, 0, None, None) for person in eyes.never(case, None)]
    record_apart(Kind.SEEN_EXPORTED, actor=g.viewer, case=case, object_id=number)
    return export(f"case-{number}-seen", kind, COLUMNS, rows)
