"""Whom a case can be shared with: external people and organisations, those chosen first, then others to choose."""

from __future__ import annotations

from typing import Any

from ..accounts.directory import Outsider, crews, first_crews, outsiders
from .plan import MOST

OFFERED, ORGANISATIONS = 25, 5


def offer(organisation_id: int, users: set[int], parties: set[int], text: str, named: list[Outsider] | None = None) -> dict[str, Any]:
    """For the picker: those chosen, then the first others; while searching, who is found comes first. `named`: the people chosen, where
    they are at hand."""
    text = text.replace("\0", "").strip()[:128]
    if named is None:
        named = outsiders(organisation_id, ids=sorted(users)[:MOST]) if users else []
    found = outsiders(organisation_id, text=text, but=() if text else [person.id for person in named], limit=OFFERED + 1)
    people = _in_order(found[:OFFERED], named, searching=bool(text))
    known = crews(organisation_id, ids=sorted(parties)[:MOST]) if parties else []
    most = ORGANISATIONS + 1 + len(known)
    some = crews(organisation_id, text=text, limit=most) if text else first_crews(organisation_id, most)
    shown = _in_order([crew for crew in some if text or crew.id not in parties][:ORGANISATIONS], known, searching=bool(text))
    return {
        "people": [{"person": person, "chosen": person.id in users} for person in people],
        "crews": [{"crew": crew, "chosen": crew.id in parties} for crew in shown],
        "more_crews": len({crew.id for crew in some} - {crew.id for crew in shown}) > 0,
        "q": text,
        "found": len(found[:OFFERED]),
        "more": len(found) > OFFERED,
    }


def _in_order(offered: list[Any], chosen: list[Any], *, searching: bool) -> list[Any]:
    ids = {one.id for one in offered}
    return [*offered, *(one for one in chosen if one.id not in ids)] if searching else [*chosen, *offered]
