"""Lists as they stand in an address: days that were asked for, and the address again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from ..clock import now
from . import times
from .filters import address


def address_with(endpoint: str, values: Mapping[str, Any]) -> str:
    """The address of a page with these values behind it; a list has two dozen of these, and url_for takes its time."""
    return f"{address(endpoint)}?{urlencode(values)}" if values else address(endpoint)


def days_ago(days: int) -> datetime:
    """So many days before this moment."""
    return now() - timedelta(days=days)


def day_asked(text: str, *, after: bool) -> datetime | None:
    """The first moment of a day on the reader's clock, or of the day after it; None for what is no day."""
    try:
        day = date.fromisoformat(text) + timedelta(days=after)
        if len(text) != 10 or not 1970 <= day.year <= 2999:
            return None
    except (ValueError, OverflowError):
        return None
    return datetime(day.year, day.month, day.day, tzinfo=times.reading().zone).astimezone(UTC)
