"""Notices: the bell in the top bar, what it tells of, and having read it."""

from __future__ import annotations

from typing import Any

from flask import g, request, url_for

from ..notices import notices
from ..web.face import Needs
from ..web.show import see_other, show, wants_fragment
from .face import console

SIZE = 25
SHOWN = (("", "All"), ("unread", "Unread"))


@console.app_template_global("unread_notices")
def unread_notices() -> int:
    """The number on the bell; no page asks the database but one that draws the bell and does not know it already."""
    return g.unread_notices if "unread_notices" in g else notices.unread(g.viewer)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None


@console.route("/notices", needs=Needs.TEAM, quiet=True, endpoint="notices")
def notice_list() -> Any:
    """What the viewer was told of, newest first; for htmx the bell, which asks by itself."""
    if wants_fragment():
        return show("console/notices/_bell.html")
    chosen, before = request.args.get("show", ""), _number(request.args.get("before", ""))
    found = notices.newest(g.viewer, unread=chosen == "unread", before=before, size=SIZE)
    rows = found[:SIZE]
    values: dict[str, Any] = {"show": "unread"} if chosen == "unread" else {}
    return show(
        "console/notices/list.html",
        rows=rows,
        shown=[(word, url_for(".notices", show=value or None), value == values.get("show", "")) for value, word in SHOWN],
        older=url_for(".notices", **values, before=rows[-1].id) if len(found) > SIZE else None,
        newest=url_for(".notices", **values) if before else None,
    )


@console.route("/notices/<id:notice_id>/read", needs=Needs.TEAM, methods=["POST"])
def read_notice(notice_id: int) -> Any:
    """Mark one as read."""
    notices.read_one(g.viewer, notice_id)
    return see_other(".notices")


@console.route("/notices/read", needs=Needs.TEAM, methods=["POST"])
def read_notices() -> Any:
    """Mark all as read that were there when the page was drawn."""
    notices.read_all(g.viewer, until=_number(request.form.get("until", "")))
    return see_other(".notices", "Everything is marked as read.")
