"""Sizes of files in the words of whoever reads them."""

from __future__ import annotations

from ..words import Wording, decimal, later, ngettext

BASE = 1000
UNITS = Wording({1: later("%(size)s kB"), 2: later("%(size)s MB"), 3: later("%(size)s GB"), 4: later("%(size)s TB")})


def in_words(size: int) -> str:
    """The size of a file, to one decimal where it needs one; Jinja's own filter of the same name speaks English only."""
    if size < BASE:
        return ngettext("%(num)s Byte", "%(num)s Bytes", size)
    power = next((power for power in UNITS if size < BASE ** (power + 1)), 4)
    whole, rest = divmod(size, BASE**power)
    return UNITS[power] % {"size": decimal(size / BASE**power) if rest else str(whole)}
