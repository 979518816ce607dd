"""Mail addresses as people type and paste them: one shape for all, and a pasted text taken apart."""

from __future__ import annotations

import re
from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email

from ..refusals import Unfit
from ..words import _

LONGEST = 128
# What stands between addresses; pasted texts also bring blanks that cannot be seen.
_BETWEEN = re.compile("[\\s,;\0\u200b\u2060\ufeff]+")


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
    key = f"{parts.local_part}@{domain}".lower()
    return Address(email, frozenset((email, parts.normalized.lower(), key)), domain, key)


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
    """The addresses in a text, or what stands in their place: in lower case, each once, in the order they were typed."""
    return list(dict.fromkeys(word.lower() for word in _BETWEEN.split(text) if word))
