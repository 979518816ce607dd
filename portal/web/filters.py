"""What templates may call: times, words for codes, addresses of files, the marks htmx and forms need."""

from __future__ import annotations

import secrets
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

from flask import Flask, current_app, g, get_flashed_messages, has_request_context, request
from flask.templating import Environment
from flask_wtf.csrf import generate_csrf
from jinja2 import StrictUndefined
from markupsafe import Markup

from ..clock import now
from .assets import asset
from .headers import nonce

SEVERITY = {1: "Low", 2: "Medium", 3: "High", 4: "Critical"}
SEVERITY_HELP = {
    1: "Little or no harm so far. Normal working hours are enough.",
    2: "Limited harm, or harm that can still be prevented.",
    3: "Serious harm to systems, data or people. Handled before other work.",
    4: "Severe harm, still going on or about to happen. Handled around the clock.",
}
TLP = {0: "CLEAR", 1: "GREEN", 2: "AMBER", 3: "AMBER+STRICT", 4: "RED"}
PAP = {0: "CLEAR", 1: "GREEN", 2: "AMBER", 3: "RED"}
STATUS = {
    "New": "New",
    "InProgress": "In progress",
    "TruePositive": "True positive",
    "FalsePositive": "False positive",
    "Indeterminate": "Indeterminate",
    "Other": "Other",
    "Duplicated": "Duplicated",
}
IMPACT = {"NotApplicable": "Not applicable", "WithImpact": "With impact", "NoImpact": "No impact"}
STAGE = {"New": "New", "InProgress": "In progress", "Closed": "Closed"}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
THEMES = ("light", "dark", "system")
STEPS = ((60, "second", 1), (3600, "minute", 60), (86400, "hour", 3600), (30 * 86400, "day", 86400), (365 * 86400, "month", 30 * 86400))


def _words(moment: datetime) -> str:
    return f"{moment.day} {MONTHS[moment.month - 1]} {moment.year}, {moment.hour:02}:{moment.minute:02} UTC"


def _time(moment: datetime, text: str) -> Markup:
    moment = moment.astimezone(UTC)
    # Only numbers and our own words go in, so nothing needs escaping; a list shows fifty of these.
    stamp = moment.isoformat(timespec="seconds").replace("+00:00", "Z")
    return Markup(f'<time datetime="{stamp}" title="{_words(moment)}" data-local>{text}</time>')


def ago(moment: datetime) -> Markup:
    """How long ago, or in how long, with the full time beneath."""
    seconds = (now() - moment).total_seconds()
    distance, future = abs(seconds), seconds < 0
    if distance < 45:
        return _time(moment, "just now")
    word, size = next(((word, size) for limit, word, size in STEPS if distance < limit), ("year", 365 * 86400))
    count = max(1, round(distance / size))
    length = f"{count} {word}{'' if count == 1 else 's'}"
    return _time(moment, f"in {length}" if future else f"{length} ago")


def day(moment: datetime) -> Markup:
    """The date in words."""
    return _time(moment, f"{moment.day} {MONTHS[moment.month - 1]} {moment.year}")


def moment(value: datetime) -> Markup:
    """Date and time in words."""
    return _time(value, _words(value.astimezone(UTC)))


def theme() -> str:
    """The theme kept in a cookie, so that the first paint is right."""
    chosen = request.cookies.get("theme", "system")
    return chosen if chosen in THEMES else "system"


def mail_notice() -> str | None:
    """A sentence for colleagues while letters are written to files instead of being sent."""
    if g.get("viewer") is None or g.face != "console" or current_app.config["SETTINGS"].smtp_host:
        return None
    return "Mail is not set up: letters are written to the instance's mail folder, not sent. Set PORTAL_SMTP_HOST to send them."


def _hx() -> Markup:
    return Markup(f'hx-nonce="{nonce()}"')


def _context() -> dict[str, object]:
    return {
        "viewer": g.get("viewer"),
        "face": g.get("face", "portal"),
        "theme": theme(),
        "notices": get_flashed_messages(with_categories=True),
        "mail_notice": mail_notice(),
        "path": request.path,
    }


class Templates(Environment):
    """Flask's environment, with one dictionary of globals for all templates.

    Jinja lays a ChainMap over it for globals a single template may bring, which none here does, and compares the two at
    every import: that comparison was a tenth of the work of a page.
    """

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """The environment's own globals, unless a template brings some."""
        return super().make_globals(d) if d else self.globals


def install(app: Flask) -> None:
    """Give templates their filters and globals."""
    env = app.jinja_env
    env.undefined = StrictUndefined
    env.trim_blocks = env.lstrip_blocks = True
    env.filters.update(ago=ago, day=day, moment=moment)
    env.globals.update(
        asset=asset,
        csp_nonce=nonce,
        hx=_hx,
        csrf_token=generate_csrf,
        submission=lambda: secrets.token_hex(16),
        severity_word=SEVERITY,
        severity_help=SEVERITY_HELP,
        tlp_word=TLP,
        pap_word=PAP,
        status_word=STATUS,
        stage_word=STAGE,
        impact_word=IMPACT,
    )
    app.context_processor(lambda: _context() if has_request_context() else {})
