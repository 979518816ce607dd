"""What templates may call: words for codes, addresses of files, the marks htmx and forms need."""

from __future__ import annotations

import re
import secrets
from functools import lru_cache
from typing import Any

from flask import Flask, g, get_flashed_messages, has_request_context, request, url_for
from flask_wtf.csrf import generate_csrf
from jinja2 import StrictUndefined
from markupsafe import Markup, escape

from .. import words
from ..accounts.directory import counted
from ..cases import indicators, statuses
from ..settings import values
from ..words import Wording, later
from . import sizes, times
from .assets import asset
from .headers import nonce
from .scripts import words_of

SEVERITY = Wording({1: later("Low"), 2: later("Medium"), 3: later("High"), 4: later("Critical")})
SEVERITY_HELP = Wording(
    {
        1: later("Little or no harm so far. Normal working hours are enough."),
        2: later("Limited harm, or harm that can still be prevented."),
        3: later("Serious harm to systems, data or people. Handled before other work."),
        4: later("Severe harm, still going on or about to happen. Handled around the clock."),
    }
)
TLP = {0: "CLEAR", 1: "GREEN", 2: "AMBER", 3: "AMBER+STRICT", 4: "RED"}
PAP = {0: "CLEAR", 1: "GREEN", 2: "AMBER", 3: "RED"}
IMPACT = {"NotApplicable": "Not applicable", "WithImpact": "With impact", "NoImpact": "No impact"}
STAGE = Wording({"New": later("New"), "InProgress": later("In progress"), "Closed": later("Closed")})
OF_TIMES = ("ago", "calendar_day", "day", "moment", "stated", "until")
THEMES = ("light", "dark", "system")


def theme() -> str:
    """The theme kept in a cookie, so that the first paint is right."""
    chosen = request.cookies.get("theme", "system")
    return chosen if chosen in THEMES else "system"


def mail_notice() -> str | None:
    """A sentence for colleagues while letters are written to files instead of being sent."""
    if g.get("viewer") is None or g.face != "console" or values.mail_is_set_up():
        return None
    return "Mail is not set up: letters are written to files in the instance's mail folder, not sent."


class _Words:
    """Status -> its label for colleagues, as an administrator has it now; anything else stays what it is."""

    def __getitem__(self, value: str) -> str:
        word = statuses.words().get(value)
        return word.label if word else value

    get = __getitem__


class _Dots:
    """Status -> the colour of the dot beside its word, empty for none."""

    def __getitem__(self, value: str) -> str:
        word = statuses.words().get(value)
        return word.dot if word else ""


@lru_cache(maxsize=4096)
def _address(endpoint: str, values: tuple[tuple[str, Any], ...]) -> str:
    return url_for(endpoint, **dict(values))


def address(endpoint: str, **values: Any) -> str:
    """Flask's url_for, worked out once for each page of this product: it is always at the root, whoever asks."""
    return _address(endpoint, tuple(values.items()))


def _hx() -> Markup:
    return Markup(f'hx-nonce="{nonce()}"')


def portrait(user_id: int, version: str) -> str:
    """The address of a person's picture, empty while they have none. One's own is named without the number."""
    if not version:
        return ""
    if user_id == g.viewer.user_id:
        return url_for("entry.own_picture", face=g.face, version=version)
    return url_for("entry.person_picture", face=g.face, user_id=user_id, version=version)


def logo(organisation_id: int, version: str) -> str:
    """The address of an organisation's picture, empty while it has none. That of one's own is named without the number."""
    if not version:
        return ""
    if organisation_id == g.viewer.organisation_id:
        return url_for("entry.own_logo", face=g.face, version=version)
    return url_for("entry.organisation_picture", face=g.face, organisation_id=organisation_id, version=version)


def _context() -> dict[str, object]:
    return {
        "viewer": g.get("viewer"),
        "face": g.get("face", "portal"),
        "theme": theme(),
        "language": times.reading().language,
        "notices": get_flashed_messages(with_categories=True),
        "mail_notice": mail_notice(),
        "path": request.path,
        "languages": words.LANGUAGES,
    }


def defanged(text: str) -> str:
    """Observables as the record names them ("ip 192.0.2.1, url https://name.example"), as they can be shown."""
    parts = (part.partition(" ") for part in re.split(r", (?=[\w-]+ \S)", text))
    return ", ".join(f"{kind}{blank}{indicators.defang(kind, value)}" for kind, blank, value in parts)


def breakable(email: str) -> Markup:
    """An address that a narrow page breaks after its @ and dots, not in the middle of a word."""
    return Markup("<wbr>").join(escape(part) for part in re.split(r"(?<=[@.])", email) if part)


def install(app: Flask) -> None:
    """Give templates their filters and globals."""
    env = app.jinja_env
    env.undefined = StrictUndefined
    env.trim_blocks = env.lstrip_blocks = True
    env.filters.update({name: getattr(times, name) for name in OF_TIMES}, counted=counted)
    env.filters.update(filesizeformat=sizes.in_words, defanged=defanged, breakable=breakable)
    env.globals.update(
        asset=asset,
        url_for=address,
        csp_nonce=nonce,
        hx=_hx,
        portrait=portrait,
        logo=logo,
        _=words.in_page,
        ngettext=words.several_in_page,
        words_of=words_of,
        csrf_token=generate_csrf,
        submission=lambda: secrets.token_hex(16),
        severity_word=SEVERITY,
        severity_help=SEVERITY_HELP,
        tlp_word=TLP,
        pap_word=PAP,
        status_word=_Words(),
        status_dot=_Dots(),
        stage_word=STAGE,
        impact_word=IMPACT,
    )
    app.context_processor(lambda: _context() if has_request_context() else {})
