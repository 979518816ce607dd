"""Times as their reader wants them: in their zone and the order of their language, the full time beneath."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, time
from functools import lru_cache
from math import inf
from typing import Any

from flask import g, has_request_context, request
from markupsafe import Markup
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from ..accounts.viewer import CONSOLE_LANGUAGES, LANGUAGES
from ..clock import REGIONS, now, zone_names
from ..dates import Reading, date_words, on_clock, reading_of, time_words
from ..words import _, ngettext
from ..words import language as spoken

# Up to how many seconds a length is told in which unit, and how many of them one is.
STEPS = (
    (60, "second", 1),
    (3600, "minute", 60),
    (86400, "hour", 3600),
    (30 * 86400, "day", 86400),
    (365 * 86400, "month", 30 * 86400),
    (inf, "year", 365 * 86400),
)


@lru_cache(maxsize=1)
def zones_by_region() -> dict[str, list[tuple[str, str]]]:
    """Region -> its zones with their names, to choose from."""
    regions: dict[str, list[tuple[str, str]]] = {region: [] for region in REGIONS}
    for name in sorted(zone_names() - {"UTC"}):
        region, place = name.split("/", 1)
        regions[region].append((name, place.replace("_", " ").replace("/", ", ")))
    return {region: places for region, places in regions.items() if places}


def reading() -> Reading:
    """How whoever asks now reads times; worked out once a request."""
    if not has_request_context():
        return reading_of("", "en")
    here: Any = g._get_current_object()  # asked for every time on a page: the detour through the proxy is most of it
    viewer = here.get("viewer")
    kept: tuple[object, Reading] | None = here.get("reading")
    if kept is None or kept[0] is not viewer:
        zone = (viewer.time_zone if viewer else "") or _zone_of_browser(viewer)
        kept = here.reading = (viewer, reading_of(zone, language(viewer.language if viewer else "")))
    return kept[1]


def _zone_of_browser(viewer: Any) -> str:
    """For who chose no zone: what app.js says of the browser. On the portal only; colleagues compare times with each other, and while one
    looks as somebody else, the browser is not that person's."""
    looking = viewer is not None and viewer.viewed_by_id is not None
    return request.cookies.get("zone", "")[:64] if g.get("face") == "portal" and not looking else ""


def language(chosen: str) -> str:
    """The language a page is in: what its reader chose, else what the browser says as far as we speak it."""
    spoken = CONSOLE_LANGUAGES if g.get("face") == "console" else LANGUAGES
    chosen = chosen or request.cookies.get("language", "")
    if chosen in spoken:
        return chosen
    return _best(request.headers.get("Accept-Language", "")[:200], tuple(spoken))


@lru_cache(maxsize=512)
def _best(asked: str, spoken: tuple[str, ...]) -> str:
    """The first language asked for that is spoken, whatever country it is of. Werkzeug's own choice prefers a French asked for last to
    an English of Canada asked for first. Worked out once for each way browsers ask, of which there are few."""
    known = {one.lower(): one for one in (*spoken, "en")}
    for tag, quality in parse_accept_header(asked, LanguageAccept):
        found = known.get(tag.lower()) or known.get(tag.partition("-")[0].lower())
        if found and quality > 0:
            return found
    return "en"


def zone_of_form(drawn: str = "") -> str:
    """The zone of a form's times: the one it was `drawn` with, for it is what stands at the field, whatever the browser says since; the
    reader's own where it says none, or none we know."""
    return drawn if drawn in zone_names() else reading().zone_name or "UTC"


def _reading_in(zone: str) -> Reading:
    """How the reader reads times of this zone; of their own where it is empty."""
    return reading_of(zone, reading().language) if zone else reading()


def zone_in_words(zone: str = "") -> str:
    """The zone a form's times are in."""
    return (zone or zone_of_form()).replace("_", " ")


def time_now(zone: str = "") -> str:
    """What the clock of that zone shows."""
    return f"{on_clock(now(), _reading_in(zone)):%H:%M}"


def local(moment: datetime) -> datetime:
    """The moment on the reader's clock."""
    return on_clock(moment, reading())


def typed(wall: datetime, *, before: datetime | None = None, zone: str = "") -> datetime:
    """The moment somebody typed as their clock shows it, or the one of `zone`, where the form says it. What they left as it was shown is
    `before`: an hour can come twice a year."""
    if before is not None and local(before).replace(tzinfo=None, second=0, microsecond=0) == wall:
        return before.replace(second=0, microsecond=0)
    return wall.replace(tzinfo=_reading_in(zone).zone).astimezone(UTC)


def end_of_day(day: date) -> datetime:
    """The last second of a day on the clock of who chose it."""
    return typed(datetime.combine(day, time(23, 59, 59)))


def in_words(moment: datetime, zone: str = "") -> str:
    """Date, time and zone."""
    return time_words(moment, _reading_in(zone))


def in_english(moment: datetime, zone: str = "") -> str:
    """The same for a text that is kept, and read by people of several languages."""
    reader = _reading_in(zone)
    return time_words(moment, reader if reader.language in CONSOLE_LANGUAGES else replace(reader, language="en-GB"))


@lru_cache(maxsize=8192)
def _element(moment: datetime, text: str, reader: Reading) -> Markup:
    """Drawn once for each reader: a list shows fifty of these, and shows them again a moment later."""
    # Only numbers, our own words and names of the time zone database go in, so nothing needs escaping; none of our words has < or &.
    stamp = moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    # Who chose no zone is told by their browser what time that is where they are.
    told = "" if reader.zone_name else " data-local"
    title = time_words(moment, reader)
    return Markup(f'<time datetime="{stamp}" title="{title}"{told}>{text or title}</time>')


def ago(moment: datetime) -> Markup:
    """How long ago, or in how long, with the full time beneath."""
    seconds = (now() - moment).total_seconds()
    distance = abs(seconds)
    if distance < 45:
        return _element(moment, _("just now"), reading())
    word, size = next((word, size) for limit, word, size in STEPS if distance < limit)
    return _element(moment, _distance(spoken(), seconds < 0, word, max(1, round(distance / size))), reading())


@lru_cache(maxsize=4096)
def _distance(_language: str, future: bool, word: str, count: int) -> str:
    """In words; there are few of them, and a page asks for fifty."""
    return (_in if future else _past)(word, count)


def _past(unit: str, count: int) -> str:
    """Each language has its own order of these words, so each stands as a whole."""
    match unit:
        case "second":
            return ngettext("%(num)s second ago", "%(num)s seconds ago", count)
        case "minute":
            return ngettext("%(num)s minute ago", "%(num)s minutes ago", count)
        case "hour":
            return ngettext("%(num)s hour ago", "%(num)s hours ago", count)
        case "day":
            return ngettext("%(num)s day ago", "%(num)s days ago", count)
        case "month":
            return ngettext("%(num)s month ago", "%(num)s months ago", count)
        case _:
            return ngettext("%(num)s year ago", "%(num)s years ago", count)


def _in(unit: str, count: int) -> str:
    match unit:
        case "second":
            return ngettext("in %(num)s second", "in %(num)s seconds", count)
        case "minute":
            return ngettext("in %(num)s minute", "in %(num)s minutes", count)
        case "hour":
            return ngettext("in %(num)s hour", "in %(num)s hours", count)
        case "day":
            return ngettext("in %(num)s day", "in %(num)s days", count)
        case "month":
            return ngettext("in %(num)s month", "in %(num)s months", count)
        case _:
            return ngettext("in %(num)s year", "in %(num)s years", count)


def until(end: datetime | None) -> str:
    """The end of sharing, as a title goes on; nothing while there is none."""
    if end is None:
        return ""
    return f", until {in_words(end)}" if end > now() else f". Sharing ended on {in_words(end)}"


def day(moment: datetime) -> Markup:
    """The date in words."""
    reader = reading()
    return _element(moment, date_words(on_clock(moment, reader), reader), reader)


def calendar_day(text: str) -> str:
    """A day of the calendar, written as 2026-11-21, in words; it has no zone."""
    day = date.fromisoformat(text)
    return date_words(datetime(day.year, day.month, day.day, tzinfo=UTC), reading())


_KEPT = re.compile(r"(\d{4}-\d\d-\d\d)(T\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:\d\d|Z))?")


def stated(text: str) -> str:
    """A text as it is, but a day or a moment kept as 2026-11-21 or 2026-11-21T10:00:00+00:00 in words."""
    found = _KEPT.fullmatch(text)
    try:
        return text if found is None else moment(datetime.fromisoformat(text)) if found[2] else calendar_day(text)
    except ValueError:  # no such day
        return text


def moment(value: datetime) -> Markup:
    """Date and time in words."""
    return _element(value, "", reading())
