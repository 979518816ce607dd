"""Names that look alike to a reader, so that nobody outside takes the name of the team."""

from __future__ import annotations

import unicodedata

TEAM = ("security team", "the security team")
# Letters of other scripts that look like Latin ones; enough to catch who tries.
LETTERS = str.maketrans("абвеикмнорстухісјѕԁԛԝαβεηικμνορτυχ", "abbeukmhopctyxicjsdqwabenikmvoptux")


def bare(name: str) -> str:
    """Only what a reader takes in: letters and digits, without capitals, widths, accents and what cannot be seen."""
    plain = unicodedata.normalize("NFKD", name).casefold().translate(LETTERS)
    return "".join(c for c in plain if c.isalnum() and c not in "\u115f\u1160\u3164\uffa0")


def is_team(name: str, tenant: str) -> bool:
    """Whether a reader would take it for the team, or for the organisation (the tenant) the team works for."""
    return bare(name) in {bare(text) for text in (*TEAM, tenant)}
