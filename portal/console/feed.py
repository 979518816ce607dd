"""Live feed: what happened lately, as far as the viewer may know of it; the page keeps itself up to date."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from flask import g, request, url_for

from ..audit import feed
from ..web.face import Needs
from ..web.show import show
from .face import console

SIZE = 50
TEAM = (("", "Everything"), ("outside", "By external users"), ("cases", "Cases"))
MANAGERS = (*TEAM, ("people", "People"))
PLATFORM = (("", "Everything"), ("people", "People"), ("platform", "Platform"))


@console.route("/feed", needs=Needs.SIGNED_IN, quiet=True, endpoint="feed")
def live_feed() -> Any:
    """The newest happenings, grouped where several in a row are about one case."""
    group, before = request.args.get("show", ""), request.args.get("before", "")
    place = int(before) if before.isascii() and before.isdigit() and len(before) < 18 else None
    found = feed.newest(g.viewer, group=group, before=place, size=SIZE)
    older = url_for(".feed", show=group or None, before=found[SIZE - 1].id) if len(found) > SIZE else None
    runs = [(key, list(run)) for key, run in groupby(found[:SIZE], key=lambda event: (event.case_number, event.case_title))]
    context: dict[str, Any] = {"runs": runs, "group": group, "groups": _groups(), "older": older, "first": place is None}
    return show("console/feed/list.html", "console/feed/_events.html", **context)


def _groups() -> tuple[tuple[str, str], ...]:
    if g.viewer.platform:
        return PLATFORM
    return MANAGERS if g.viewer.can("manageUser") else TEAM
