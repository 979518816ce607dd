"""The words of the interface in its reader's language: English stands in the code, other languages in the catalogues beside it."""

from __future__ import annotations

import gettext
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from markupsafe import Markup, escape

# What the portal speaks, in its own words. A tag names one of them: "fr", or "en-GB" where it also says how dates are written.
LANGUAGES = {"en": "English", "fr": "Français", "de": "Deutsch", "es": "Español"}
CATALOGUES = Path(__file__).parent / "translations"

# What stands between thousands, and before decimals; the narrow blank of French does not break.
SEPARATORS = {"en": (",", "."), "fr": ("\N{NARROW NO-BREAK SPACE}", ","), "de": (".", ","), "es": (".", ",")}
K = TypeVar("K")

_spoken: ContextVar[str] = ContextVar("spoken", default="en")


def language() -> str:
    """The language spoken now: one of LANGUAGES."""
    return _spoken.get()


def speak(tag: str) -> None:
    """Speak this language from here on, in this request or letter; English where it is none of ours."""
    code = tag.partition("-")[0].lower()
    _spoken.set(code if code in LANGUAGES else "en")


@contextmanager
def speaking(tag: str) -> Iterator[None]:
    """Speak this language for a while."""
    before = language()
    speak(tag)
    try:
        yield
    finally:
        _spoken.set(before)


@lru_cache(maxsize=len(LANGUAGES))
def _catalogue(code: str) -> gettext.NullTranslations:
    return gettext.NullTranslations() if code == "en" else gettext.translation("portal", CATALOGUES, [code])


def _(text: str, **values: Any) -> str:
    """The text in the language spoken now; `%(name)s` in it becomes the value."""
    said = _catalogue(_spoken.get()).gettext(text)
    return said % values if values else said


def ngettext(one: str, many: str, num: int, **values: Any) -> str:
    """One or the other, by the number, which is `%(num)s` in them."""
    return _catalogue(_spoken.get()).ngettext(one, many, num) % {"num": num, **values}


def counted(one: str, many: str) -> list[str]:
    """Both of them with their placeholders, for a script, which counts by itself."""
    return [_catalogue(_spoken.get()).ngettext(one, many, num) for num in (1, 2)]


class Later:
    """A text for a form's class or a table of words, which are made before anybody reads them: it is said when it is shown."""

    def __init__(self, text: str, values: dict[str, Any]) -> None:
        self.text, self.values = text, values

    def __str__(self) -> str:
        return _(self.text, **self.values)

    def __html__(self) -> str:
        return _safe(str(self))

    def __mod__(self, values: Any) -> str:
        said: str = str(self) % values
        return said

    def __repr__(self) -> str:
        return f"later({self.text!r})"


def later(text: str, **values: Any) -> Any:
    """The text, to be said in the language of whoever reads it. Any: forms take it wherever they take a str."""
    return Later(text, values)


class Number(int):
    """A number that is said with its thousands apart, as the language spoken then writes them."""

    def __str__(self) -> str:
        return f"{int(self):,}".replace(",", SEPARATORS[language()][0])


def decimal(number: float) -> str:
    """A number to one decimal."""
    return f"{number:.1f}".replace(".", SEPARATORS[language()][1])


class Wording(Mapping[K, str]):
    """Our own words for codes, each made with `later`: said whenever they are asked for, so what comes out is a plain str."""

    def __init__(self, texts: dict[K, Any]) -> None:
        self._texts = texts

    def __getitem__(self, code: K) -> str:
        return str(self._texts[code])

    def __iter__(self) -> Iterator[K]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)


def _safe(text: str) -> Markup:
    """Our own text in a page, its apostrophes as they are: every attribute stands in double quotes, and French is full of them."""
    return Markup(str(escape(text)).replace("&#39;", "'"))


@lru_cache(maxsize=8192)
def _drawn(_code: str, text: str) -> Markup:
    return _safe(_(text))


def in_page(text: str, **values: Any) -> Markup:
    """The text for a page: `_` of the templates. Values are escaped unless they are markup already."""
    said = _drawn(_spoken.get(), text)
    return said % values if values else said


def several_in_page(one: str, many: str, num: int, **values: Any) -> Markup:
    """One or the other for a page: `ngettext` of the templates."""
    said = _catalogue(_spoken.get()).ngettext(one, many, num)
    return _safe(said) % {"num": num, **values}
