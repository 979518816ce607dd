"""Names that look alike to a reader, so that nobody outside takes the name of the team, and names that are the same."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from .words import LANGUAGES, _, speaking

# Letters of other scripts that look like Latin ones; enough to catch who tries.
LETTERS = str.maketrans("абвеикмнорстухісјѕԁԛԝαβεηικμνορτυχı", "abbeukmhopctyxicjsdqwabenikmvoptuxi")
UNSEEN = "\u115f\u1160\u3164\uffa0"
APART = re.compile(r"[^\w\s.&'’-]|_|\s-|-\s")  # what sets a part of a name apart from the rest


def bare(name: str) -> str:
    """Only what a reader takes in: letters and digits, without capitals, widths, accents and what cannot be seen."""
    plain = unicodedata.normalize("NFKD", name).casefold().translate(LETTERS)
    return "".join(c for c in plain if c.isalnum() and c not in UNSEEN)


@cache
def _team() -> frozenset[str]:
    """What the portal calls the team, bare, in each of its languages."""
    said: set[str] = set()
    for code in LANGUAGES:
        with speaking(code):
            said |= {_("Security team"), _("The security team"), _("%(person)s, security team", person="")}
    return frozenset(filter(None, map(bare, said)))


def is_team(name: str, tenant: str) -> bool:
    """Whether a reader would take it for the team, or for the organisation (the tenant) the team works for.

    The team's own name counts wherever it stands. The tenant's is some word, perhaps one that people or departments are called too:
    it counts as the whole name or as a part set apart, and where it has several words, as these words side by side.
    """
    said, own = bare(name), bare(tenant)
    return any(team in said for team in _team()) or (bool(own) and (said == own or _is_part(own, tenant, name)))


def _is_part(own: str, tenant: str, name: str) -> bool:
    if len(_words(tenant)) < 2:
        return own in map(bare, APART.split(_seen(name)))
    words = _words(name)
    return any("".join(words[start:end]) == own for end in range(1, len(words) + 1) for start in range(end))


def _words(name: str) -> list[str]:
    return [word for part in re.split(r"[\W_]+", _seen(name)) if (word := bare(part))]


def _seen(name: str) -> str:
    """Without what cannot be seen, which would set letters of one word apart, and without accents."""
    plain = unicodedata.normalize("NFKD", name)
    return "".join(c for c in plain if unicodedata.category(c) not in ("Cf", "Mn", "Me") and c not in UNSEEN)


def same_name(one: str, other: str) -> bool:
    """Whether two names are the same to people, however they are typed: databases lower ASCII only, or by rules of their own."""
    return _plain(one) == _plain(other)


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
