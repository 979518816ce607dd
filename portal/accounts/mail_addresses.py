"""Mail addresses as people type and paste them: one shape for all, and a pasted text taken apart."""

from __future__ import annotations

import re
from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email

from ..refusals import Unfit
from ..words import _

LONGEST = 128
# Pasted texts bring names in quotes, addresses in <>, what ends a name, and words; also blanks that cannot be seen.
_BLANK = "\\s\0\u200b\u2060\ufeff"
_PART = re.compile(f'"(?P<quoted>[^"\\n<>]*)"|<(?P<inside>[^<>\\n]*)>|(?P<end>[;\\r\\n])|(?P<comma>,)|(?P<word>[^{_BLANK},;<>"]+)')
_WORD = re.compile(f'[^{_BLANK},;<>"]+')
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

    Of "Name <address>" and "Name: address" the name is left out; nothing else is.
    """
    told: list[str] = []
    name: list[str] = []  # what may turn out to be the name of the address that comes next
    for part in _PART.finditer(text):
        kind, found = part.lastgroup, part[part.lastgroup or 0]
        if kind == "end":
            told += _words(name)
            name = []
        elif kind == "inside" and "@" in found:
            told += _words([found])
            name = []
        elif kind == "word" and "@" in found:
            told += _words(_before_label(name, found))
            told.append(_bare(found))
            name = []
        else:
            name.append(found)
    return list(dict.fromkeys(word.lower() for word in (*told, *_words(name)) if word))


def _before_label(name: list[str], address: str) -> list[str]:
    """What stands before an address without the label that ends in a colon right before it."""
    label, colon, _rest = address.partition("@")[0].rpartition(":")
    labelled = (colon and label.lower() != "mailto") or (name and name[-1].endswith(":"))
    if not labelled:
        return name
    return name[: max((number for number, part in enumerate(name) if part == ","), default=0)]


def _bare(address: str) -> str:
    """An address without what programs and sentences put around it."""
    before, at, domain = address.strip(_AROUND).rpartition("@")
    if "mailto:" in before.lower():
        domain = domain.partition("?")[0]  # a subject may follow
    return f"{before.rpartition(':')[2].lstrip(_AROUND)}{at}{domain.rstrip(_AROUND)}"


def _words(parts: list[str]) -> list[str]:
    """The words in these parts, addresses bare."""
    return [_bare(word) if "@" in word else word for part in parts for word in _WORD.findall(part)]
