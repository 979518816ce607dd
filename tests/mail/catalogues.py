"""`tongues`: languages that mark whatever was said in them with their name; `french`: a small real one."""

from __future__ import annotations

import gettext
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages import Catalog
from babel.messages.mofile import write_mo

from portal import words
from portal.web import scripts
from tests.fixtures.languages import Marking

_INNERMOST = re.compile("⟦[^⟦⟧]*⟧")


class Tongue(Marking):
    """Says every text as ⟦fr|text⟧, so that what was said in another language can be found, too."""

    def __init__(self, code: str) -> None:
        super().__init__()
        self.code = code

    def gettext(self, message: str) -> str:
        return super().gettext(f"{self.code}|{message}")


def unsaid(text: str) -> str:
    """What is left of a text without all that was said in some language."""
    while (less := _INNERMOST.sub("", text)) != text:
        text = less
    return text


def _catalogue(code: str) -> gettext.NullTranslations:
    return gettext.NullTranslations() if code == "en" else Tongue(code)


@pytest.fixture
def tongues(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """All languages but English mark what is said in them."""
    monkeypatch.setattr(words, "_catalogue", _catalogue)
    _forget_drawn()
    yield
    _forget_drawn()


def _forget_drawn() -> None:
    words._drawn.cache_clear()
    scripts._carried.cache_clear()


FRENCH: dict[str | tuple[str, str], str | tuple[str, str]] = {
    "Case #%(number)s has news": "Du nouveau sur le dossier n° %(number)s",
    "%(subject)s: %(title)s": "%(subject)s : %(title)s",
    "Hello %(person)s,": "Bonjour %(person)s,",
    "There is a new message on case #%(number)s. Sign in to read it and to answer.": "Un nouveau message vous attend (n° %(number)s).",
    "%(label)s:": "%(label)s :",
    "Open case #%(number)s": "Ouvrir le dossier n° %(number)s",
    ("%(num)s case has news", "%(num)s cases have news"): ("Du nouveau sur %(num)s dossier", "Du nouveau sur %(num)s dossiers"),
    "new message": "nouveau message d'aujourd'hui",
    "Too many e-mails? %(link)s.": "Trop de messages ? %(link)s.",
    "Choose which ones you get": "Choisissez ceux que vous recevez",
    "The password of your account was changed on %(when)s, and all other browsers were signed out.": "Mot de passe changé le %(when)s.",
}


@pytest.fixture
def french(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A compiled French catalogue with a few sentences; all others are English."""
    catalogue, folder = Catalog(locale="fr"), tmp_path / "fr" / "LC_MESSAGES"
    for english, said in FRENCH.items():
        catalogue.add(english, said)
    folder.mkdir(parents=True)
    with (folder / "portal.mo").open("wb") as file:
        write_mo(file, catalogue)
    _forget()
    monkeypatch.setattr(words, "CATALOGUES", tmp_path)
    yield
    _forget()


def _forget() -> None:
    words._catalogue.cache_clear()
    words._drawn.cache_clear()
