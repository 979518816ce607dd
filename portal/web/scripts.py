"""What scripts say, in the reader's language: it stands in them in English, and their tag carries it in any other."""

from __future__ import annotations

import json
import re
from functools import lru_cache

from markupsafe import Markup

from ..words import _ as said
from ..words import counted, language
from .assets import load

_TEXT = r'"((?:[^"\\]|\\.)*)"'
_SAID = re.compile(rf"\b_\({_TEXT}")
_COUNTED = re.compile(rf"\bngettext\({_TEXT}, {_TEXT}")


@lru_cache(maxsize=16)
def sentences(name: str) -> tuple[list[str], list[tuple[str, str]]]:
    """What the script says, and what it says of a number: for one, for many."""
    text = load(name).body.decode()
    return _SAID.findall(text), _COUNTED.findall(text)


@lru_cache(maxsize=64)
def _carried(name: str, _language: str) -> Markup:
    plain, numbered = sentences(name)
    words: dict[str, str | list[str]] = {text: said(text) for text in plain}
    words |= {one: counted(one, many) for one, many in numbered}
    return Markup(' data-words="{}"').format(json.dumps(words, ensure_ascii=False))


def words_of(name: str) -> Markup:
    """The attribute for the script's tag; nothing in English, which the script speaks by itself."""
    return Markup("") if language() == "en" else _carried(name, language())
