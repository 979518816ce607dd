"""What became of a list of people, kept with the session: the page that tells it is loaded again without anything being done again."""

from __future__ import annotations

import json
import secrets
import zlib
from collections.abc import Sequence
from dataclasses import astuple
from typing import Any

from flask import g, request, session

LARGEST = 2_000  # bytes, packed: a browser keeps a cookie of 4,096, and this is not all there is in it
NAME = "told"


def keep(about: str, outcomes: Sequence[Any]) -> str:
    """The mark under which `told` finds the values of these dataclasses in this browser, until there are others; empty when they are too
    many to be kept."""
    lines = [astuple(outcome) for outcome in outcomes]
    if len(zlib.compress(json.dumps(lines).encode())) > LARGEST:
        session.pop(NAME, None)
        return ""
    mark = secrets.token_urlsafe(6)
    session[NAME] = {"mark": mark, "whose": _whose(about), "lines": lines}
    return mark


def told(about: str) -> list[list[Any]] | None:
    """The lines the address of the page asks for; None when they are not there any more, or somebody else's."""
    kept = session.get(NAME)
    if not isinstance(kept, dict) or kept.get("mark") != request.args.get(NAME) or kept.get("whose") != _whose(about):
        return None
    lines: list[list[Any]] = kept["lines"]
    return lines


def _whose(about: str) -> list[Any]:
    return [about, g.viewer.user_id, g.viewer.organisation_id, g.viewer.party_id]
