"""Dates and times in words: on a reader's clock and in the order of their language, for pages and letters alike."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from .clock import zone_names

# As each language shortens them, with its full stop or without.
MONTHS = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "fr": ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."),
    "de": ("Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez."),
    "es": ("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sept", "oct", "nov", "dic"),
}

_IN_ENGLISH = re.compile(r"(?:(\d{1,2}) ([A-Z][a-z]{2})|([A-Z][a-z]{2}) (\d{1,2}),) (\d{4}), (\d\d:\d\d .+)")


@dataclass(frozen=True)
class Reading:
    """How this reader wants times. `zone_name` is what they chose, empty for UTC."""

    zone: tzinfo = UTC
    zone_name: str = ""
    language: str = "en"


@lru_cache(maxsize=1024)
def reading_of(zone_name: str, language: str) -> Reading:
    """The reading somebody chose; what is no zone is UTC."""
    known = zone_name in zone_names() and zone_name != "UTC"
    return Reading(ZoneInfo(zone_name) if known else UTC, zone_name if known else "", language)


def on_clock(moment: datetime, reader: Reading) -> datetime:
    """The moment on the reader's clock."""
    try:
        return moment.astimezone(reader.zone)
    except OverflowError:  # the first or last day of the calendar
        return moment.astimezone(UTC)


def date_words(shown: datetime, reader: Reading) -> str:
    """The date of a moment that is on the reader's clock."""
    spoken = reader.language[:2]
    month = MONTHS.get(spoken, MONTHS["en"])[shown.month - 1]
    if reader.language == "en-US":
        return f"{month} {shown.day}, {shown.year}"
    first = "1er" if spoken == "fr" and shown.day == 1 else f"{shown.day}{'.' if spoken == 'de' else ''}"
    return f"{first} {month} {shown.year}"


def _zone(shown: datetime) -> str:
    """CET; or UTC+05:30 where the zone has no short name."""
    name = shown.tzname() or "UTC"
    if name[0] not in "+-":
        return name
    return f"UTC{name[:3]}:{name[3:]}" if len(name) == 5 else f"UTC{name}"


def time_words(moment: datetime, reader: Reading) -> str:
    """Date, time and zone."""
    shown = on_clock(moment, reader)
    return f"{date_words(shown, reader)}, {shown.hour:02}:{shown.minute:02} {_zone(shown)}"


def said_again(words: str, language: str) -> str:
    """What `time_words` said in English and a text keeps, in another language: on the clock it was said by. Other words stay."""
    found = _IN_ENGLISH.fullmatch(words)
    month = found and (found[2] or found[3])
    if found is None or month not in MONTHS["en"]:
        return words
    try:
        day = datetime(int(found[5]), MONTHS["en"].index(month) + 1, int(found[1] or found[4]), tzinfo=UTC)
    except ValueError:  # no such day
        return words
    return f"{date_words(day, Reading(language=language))}, {found[6]}"
