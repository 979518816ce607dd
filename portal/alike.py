"""Names that look alike to a reader, so that nobody outside takes the name of the team, and names that are the same."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection
from functools import cache

from .words import LANGUAGES, _, speaking

# Letters of other scripts that look like Latin ones; enough to catch who tries.
LETTERS = str.maketrans("абвеикмнорстухісјѕԁԛԝαβεηικμνορτυχıտꓢᏚ", "abbeukmhopctyxicjsdqwabenikmvoptuxisss")
# Digits and signs that stand for letters; those of one stroke are told apart by nobody.
SIGNS = str.maketrans("01345678@$!|i", "oleasgtbaslll")
# What shows letters in another order than they are kept in; forms leave them away. The marks that some scripts need are not among them.
TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
UNSEEN = "\u115f\u1160\u3164\uffa0"
SHORT = 3
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
    it counts as the whole name or as a part set apart, and where it has several words, as these words side by side. So does what looks
    like it by digits for letters or letters for each other, unless it is so short that people are called so; or could by letters that are
    turned round.
    """
    if not TURNS.isdisjoint(name) or _passes(name, tenant, _team(), bare):
        return True
    tenant = tenant if len(bare(tenant)) > SHORT else ""
    return _passes(_strokes(name), _strokes(tenant), frozenset(map(_glance, map(_strokes, _team()))), _glance)


def _strokes(name: str) -> str:
    """Letters by what they look like; what stands between words stays."""
    return _seen(unicodedata.normalize("NFKC", name)).casefold().translate(LETTERS).translate(SIGNS)


def _glance(name: str) -> str:
    return bare(name).replace("rn", "m").replace("vv", "w")


def _passes(name: str, tenant: str, team: Collection[str], read: Callable[[str], str]) -> bool:
    said, own = read(name), read(tenant)
    return any(words in said for words in team) or (bool(own) and (said == own or _is_part(own, tenant, name, read)))


def _is_part(own: str, tenant: str, name: str, read: Callable[[str], str]) -> bool:
    if len(_words(tenant)) < 2:
        return own in map(read, APART.split(_seen(name)))
    words = _words(name)
    return any(read("".join(words[start:end])) == own for end in range(1, len(words) + 1) for start in range(end))


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
