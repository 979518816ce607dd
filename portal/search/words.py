"""Words: how a text is taken apart, without accents and capitals, the same for what is stored and what is asked."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

WORD = re.compile(r"[^\W_]+")
LONGEST_WORD = 200
LAST_PLACE = 16383  # further places in a text PostgreSQL does not tell apart
_ACCENT = re.compile("[\u0300-\u036f]")


def fold(text: str) -> str:
    """The text without capitals and accents; as long as it was, so that places stay what they are."""
    if text.isascii():
        return text.lower()
    return "".join(_plain(letter) for letter in text)


@lru_cache(maxsize=4096)
def _plain(letter: str) -> str:
    bare = _ACCENT.sub("", unicodedata.normalize("NFD", letter)).lower()
    bare = _ACCENT.sub("", bare)
    return bare if len(bare) == 1 else letter.lower() if len(letter.lower()) == 1 else letter


def split(text: str) -> list[str]:
    """The words of a text in their order."""
    composed = text if text.isascii() else unicodedata.normalize("NFC", text)
    return [word[:LONGEST_WORD] for word in WORD.findall(fold(composed))]


def places(text: str) -> str:
    """The words and where they stand, as PostgreSQL writes a tsvector; words hold neither quotes nor backslashes."""
    found: dict[str, list[str]] = {}
    for place, word in enumerate(split(text), 1):
        at = found.setdefault(word, [])
        if len(at) < 255:
            at.append(str(min(place, LAST_PLACE)))
    return " ".join(f"'{word}':{','.join(dict.fromkeys(at))}" for word, at in found.items())
