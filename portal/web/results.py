"""What became of a list of people, kept with the session: the page that tells it is loaded again without anything being done again."""

from __future__ import annotations

import json
import secrets
import zlib
from collections.abc import Sequence
from dataclasses import astuple
from typing import Any

from flask import g, request, session

from ..vault import Unreadable, open_bytes, seal_bytes

LARGEST = 2_800  # characters, sealed: a browser keeps a cookie of 4,096, and this is not all there is in it
NAME = "told"


def keep(about: str, outcomes: Sequence[Any]) -> str:
    """The mark under which `told` finds the values of these dataclasses in this browser, until there are others; empty when they are too
    many to be kept. They are sealed: a session is signed only, and the values may hold more than the page says of them."""
    packed = zlib.compress(json.dumps([astuple(outcome) for outcome in outcomes], separators=(",", ":")).encode(), 9)
    mark = secrets.token_urlsafe(6)
    if len(sealed := seal_bytes(packed, _for(about, mark))) > LARGEST:
        session.pop(NAME, None)
        return ""
    session[NAME] = sealed
    return mark


def told(about: str) -> list[list[Any]] | None:
    """The lines the address of the page asks for; None when they are not there any more, or somebody else's."""
    try:
        packed = open_bytes(str(session.get(NAME, "")), _for(about, request.args.get(NAME, "")))
    except Unreadable:
        return None
    lines: list[list[Any]] = json.loads(zlib.decompress(packed))
    return lines


def _for(about: str, mark: str) -> str:
    """What the lines are about and whose they are; they can be opened for nobody else."""
    viewer = g.viewer
    return f"results {mark} {viewer.user_id} {viewer.organisation_id} {viewer.party_id} {about}"
