"""Keyset pages: a cursor says where the next page begins, so that the thousandth costs what the first does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

T = TypeVar("T")
SIZE = 25
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Page(Generic[T]):
    """A slice of a list, and the cursor of the next one if there is more."""

    rows: list[T]
    next: str | None


def cursor(moment: datetime, number: int) -> str:
    """The place right after a row, for an address."""
    return f"{(moment - _EPOCH) // timedelta(microseconds=1)}-{number}"


def read_cursor(text: str) -> tuple[datetime, int] | None:
    """The place a cursor names; None (the first page) for anything that is not one."""
    first, _, second = text.partition("-")
    if not (first.isascii() and second.isascii() and first.isdigit() and second.isdigit() and len(first) < 18 and len(second) < 18):
        return None
    try:
        return _EPOCH + timedelta(microseconds=int(first)), int(second)
    except OverflowError:
        return None
