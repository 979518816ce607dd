"""Keyset pages: a cursor says where the next page begins, so that the thousandth costs what the first does."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

T = TypeVar("T")
SIZE = 25
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Page(Generic[T]):
    """A slice of a list, and the cursor of the next one if there is more."""

    rows: list[T]
    next: str | None


def cursor(moment: datetime, number: int) -> str:
    """The place right after a row, for an address."""
    return f"{(moment - EPOCH) // timedelta(microseconds=1)}-{number}"


def read_cursor(text: str) -> tuple[datetime, int] | None:
    """The place a cursor names; None (the first page) for anything that is not one."""
    first, _, second = text.partition("-")
    if not (first.isascii() and second.isascii() and first.isdigit() and second.isdigit() and len(first) < 18 and len(second) < 18):
        return None
    try:
        return EPOCH + timedelta(microseconds=int(first)), int(second)
    except OverflowError:
        return None


def text_cursor(text: str, number: int) -> str:
    """The place right after a row in a list that is ordered by a text."""
    return f"{number}-{base64.urlsafe_b64encode(text.encode()).decode().rstrip('=')}"


def read_text_cursor(text: str) -> tuple[str, int] | None:
    """The place such a cursor names; None for anything that is not one."""
    number, _, packed = text.partition("-")
    if not (number.isascii() and number.isdigit() and len(number) < 18 and packed.isascii()):
        return None
    try:
        place = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return None if "\0" in place else (place, int(number))
