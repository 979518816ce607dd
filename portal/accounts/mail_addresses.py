"""Mail addresses as people type and paste them: one shape for all, and a pasted text taken apart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from email_validator import EmailNotValidError, validate_email

from ..refusals import Unfit
from ..words import _

LONGEST = 128
# Pasted texts bring names in quotes, addresses in <>, and words; also blanks that cannot be seen.
_BLANK = "\\s\0\u200b\u2060\ufeff"
_PART = re.compile(
    f'"(?P<name>[^"<>]*)"(?=\\s*<[^<>]*@)|"(?P<quoted>[^"<>]*)"|<(?P<inside>[^<>]*)>|(?P<word>[^{_BLANK},;<>"]+)|(?P<mark>[,;])'
)
_WORD = re.compile(f'[^{_BLANK},;<>"]+')
_NAME = re.compile(r"[(\[]?[^\W\d_]+(?:[-'’][^\W\d_]+)*[.:]?[)\]]?|[-–—|/&+]+")  # no dot within, no digit: an address without its @ is none
_AROUND = "\"'“”„‚‘’«».,;:"  # around an address, not part of it


@dataclass(frozen=True)
class Address:
    """An address as accounts keep it, every way it is written (an international domain has two, composed letters have two), its domain as
    machines write it, and what is equal for all of these ways."""

    email: str
    spellings: frozenset[str]
    domain: str
    key: str


def read(email: str) -> Address:
    """The address; refused at its field when it is too long, none, or one that many mail servers cannot write to."""
    email = email.strip().lower()
    if len(email) > LONGEST:
        raise Unfit("email", _("Use at most %(count)s characters.", count=LONGEST))
    if not email.partition("@")[0].isascii():
        raise Unfit("email", _("Many mail servers cannot write to addresses with such letters before the @. Enter another address."))
    try:
        parts = validate_email(email, check_deliverability=False, globally_deliverable=False, allow_smtputf8=False)
    except EmailNotValidError:
        raise Unfit("email", _("Enter an e-mail address like name@example.org.")) from None
    domain = parts.ascii_domain.lower()
    key, plain = f"{parts.local_part}@{domain}".lower(), parts.normalized.lower()
    kept = email if email in (plain, key) else plain  # what only looks like it, as wide letters do, is folded
    if len(kept) > LONGEST:
        raise Unfit("email", _("Use at most %(count)s characters.", count=LONGEST))
    return Address(kept, frozenset((email, plain, key)), domain, key)


def tidied(email: str) -> str:
    """The address as accounts keep it; refused at its field when it is too long or none."""
    return read(email).email


def spellings(email: str) -> frozenset[str]:
    """Every way an address is written; of what is none, as a sign-in name of long ago may be, the one."""
    try:
        return read(email).spellings
    except Unfit:
        return frozenset((email,))


def split(text: str) -> list[str]:
    """The addresses in a text, or what stands in their place: in lower case, each once, in the order they were typed.

    Names beside an address are left out; between commas, semicolons and ends of lines, where there is no address, nothing is.
    """
    return list(dict.fromkeys(word.lower() for line in text.splitlines() for piece in _pieces(line) for word in _in(piece)))


_Piece = list[tuple[str | None, str]]


def _pieces(line: str) -> list[_Piece]:
    """The words of a line, piece by piece, without the names that stand before a comma and belong to the address after it."""
    pieces: list[_Piece] = [[]]
    marks = [";"]
    for part in _PART.finditer(line):
        if part.lastgroup == "mark":
            marks.append(part[0])
            pieces.append([])
        elif part.lastgroup != "name":
            pieces[-1] += [(part.lastgroup, word) for word in _WORD.findall(part[0])]
    marks.append(";")
    pairs = enumerate(pairwise(pieces))
    names = {place for place, pair in pairs if marks[place : place + 3] == [";", ",", ";"] and _belong(*pair)}
    return [piece for place, piece in enumerate(pieces) if place not in names]


def _belong(piece: _Piece, following: _Piece) -> bool:
    """Whether two pieces are one person, like "Moe, Kari <kari@...>" and "Kari Moe, kari@..."; one word alone may be anything."""
    named = all(_NAME.fullmatch(word) for _kind, word in piece) and any("@" in word for _kind, word in following)
    return named and (len(piece) > 1 or _NAME.fullmatch(following[0][1]) is not None)


def _in(piece: _Piece) -> list[str]:
    """The addresses of a piece, and what can be no name; where there is no address, every word."""
    named = any("@" in word for _kind, word in piece)
    return [_bare(word) if "@" in word else word for kind, word in piece if not named or kind == "inside" or not _NAME.fullmatch(word)]


def _bare(address: str) -> str:
    """An address without what programs and sentences put around it."""
    before, at, domain = address.strip(_AROUND).rpartition("@")
    if "mailto:" in before.lower():
        domain = domain.partition("?")[0]  # a subject may follow
    return f"{before.rpartition(':')[2].lstrip(_AROUND)}{at}{domain.rstrip(_AROUND)}"
