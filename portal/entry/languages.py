"""The language of the portal's front door, chosen before anybody signs in; afterwards the account's own choice counts."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from flask import Response, request, url_for

from ..accounts.viewer import CONSOLE_LANGUAGES
from ..web.face import Needs, go_to, page_at
from ..web.gate import DOOR
from ..words import LANGUAGES
from . import cookies
from .face import entry
from .sign_in import FACE


@entry.route(f"/{FACE}/language", needs=Needs.ANYONE, methods=["POST"], dry=True)
def choose_language(face: str) -> Response:
    """Keep the language in a cookie and show the same page again."""
    response = go_to(_page(face, request.form.get("to", "")))
    chosen = request.form.get("language", "")
    if chosen in LANGUAGES:
        cookies.keep_choice(response, "language", _english() if chosen == "en" else chosen)
    return response


def _english() -> str:
    """With dates as the browser wants them."""
    return request.accept_languages.best_match(CONSOLE_LANGUAGES) or next(iter(CONSOLE_LANGUAGES))


def _page(face: str, address: str) -> str:
    """A page of the front door or of this face, rebuilt from its endpoint: an address from outside is never followed as such."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return url_for("entry.sign_in", face=face)
    endpoint, values = page_at(parts.path) or ("", {})
    if parts.netloc or endpoint.partition(".")[0] not in ("entry", DOOR[face]) or values.get("face", face) != face:
        return url_for("entry.sign_in", face=face)
    asked = parse_qs(parts.query).get("to", [""])[0]
    return url_for(endpoint, **values, to=asked or None)
