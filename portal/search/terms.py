"""Terms: what was typed into the search box, taken apart; or a sentence that says why nothing can be searched for."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..words import _
from .words import split

LONGEST = 200
MOST_TERMS = 12
SHORTEST_OPEN = 3  # letters from which on a word stands for all that begin with it: phish for phishing
_PIECE = re.compile(r'"([^"]*)"|(\S+)')
_NUMBER = re.compile(r"#?([1-9][0-9]{0,17})")


@dataclass(frozen=True)
class Term:
    """Words that must stand one after the other; `open` when the last one may go on."""

    words: tuple[str, ...]
    open: bool


@dataclass(frozen=True)
class Question:
    """What to look for, all of it; or what is wrong with it. `note` says how odd input was understood."""

    terms: tuple[Term, ...] = ()
    problem: str = ""
    note: str = ""


def number_in(text: str) -> int | None:
    """The case number when the text is nothing else: `#46` or `46`."""
    found = _NUMBER.fullmatch(text.strip())
    return int(found[1]) if found else None


def read(text: str) -> Question:
    """Take the text apart."""
    if len(text) > LONGEST:
        return Question(problem=_("This is longer than %(most)s characters. Search for a few words that matter.", most=LONGEST))
    note = ""
    if text.count('"') % 2:
        text, note = text.replace('"', " "), 'There was a " without its partner, so each word was searched for by itself.'
    terms = []
    for phrase, word in _PIECE.findall(text):
        term = _term(phrase or word, exact=bool(phrase))
        if term is None:
            return Question(problem=_("A * stands for the rest of a word, so it goes at the end, as in mail*."))
        if term.words and term not in terms:
            terms.append(term)
    if not terms:
        return Question(
            problem=_("There is no letter or number in this to search for. Type a word, its beginning with a *, or a case number.")
        )
    if len(terms) > MOST_TERMS:
        return Question(problem=_("These are more than %(most)s words. Leave out those that do not matter.", most=MOST_TERMS))
    return Question(tuple(terms), note=note)


def _term(piece: str, *, exact: bool) -> Term | None:
    """The piece as a term; None where a * stands before or within a word, which no index can answer."""
    words = tuple(split(piece))
    if not words:
        return Term((), open=False)
    if "*" in piece.rstrip("*"):
        return None
    goes_on = not exact and len(words[-1]) >= SHORTEST_OPEN and not words[-1].isdecimal()
    return Term(words, open=goes_on or piece.endswith("*"))


def for_sqlite(terms: tuple[Term, ...]) -> str:
    """As FTS5 reads it; words hold letters and digits only, so nothing in them is an operator."""
    return " AND ".join(" + ".join(f'"{word}"' for word in term.words) + (" *" if term.open else "") for term in terms)


def for_postgres(terms: tuple[Term, ...]) -> str:
    """As a tsquery is written."""
    return " & ".join("(" + " <-> ".join(f"'{word}'" for word in term.words) + (":*" if term.open else "") + ")" for term in terms)
