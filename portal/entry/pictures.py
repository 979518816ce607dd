"""Pictures of people and organisations, for those who may see them; and changing one's own."""

from __future__ import annotations

from typing import Any

from flask import Response, g

from ..accounts import pictures
from ..web.face import Needs
from .face import entry
from .sign_in import FACE

# A new picture has a new address, so nobody need ask again for one they have.
KEPT = "private, max-age=86400, immutable"


def _image(found: tuple[bytes, str], version: str) -> Response:
    content, current = found
    response = Response(content, mimetype="image/png")
    if version == current:
        response.headers["Cache-Control"] = KEPT
    return response


@entry.route(f"/{FACE}/pictures/own/<version>", needs=Needs.SIGNED_IN)
def own_picture(version: str, **_face: str) -> Any:
    """One's own picture. Its address has no number: people outside would see from theirs how many accounts there are."""
    return _image(pictures.own_picture(g.viewer), version)


@entry.route(f"/{FACE}/pictures/logo/<version>", needs=Needs.SIGNED_IN)
def own_logo(version: str, **_face: str) -> Any:
    """The logo of the organisation worked in."""
    return _image(pictures.own_logo(g.viewer), version)


@entry.route(f"/{FACE}/pictures/people/<id:user_id>/<version>", needs=Needs.SIGNED_IN)
def person_picture(user_id: int, version: str, **_face: str) -> Any:
    """Somebody's picture as it is now."""
    return _image(pictures.person_picture(user_id, by=g.viewer), version)


@entry.route(f"/{FACE}/pictures/organisations/<id:organisation_id>/<version>", needs=Needs.SIGNED_IN)
def organisation_picture(organisation_id: int, version: str, **_face: str) -> Any:
    """An organisation's logo as it is now."""
    return _image(pictures.organisation_picture(organisation_id, by=g.viewer), version)
