"""Icons, pills, initials and their kind: small templates that depend on their arguments only, drawn once and kept."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from flask import Flask
from markupsafe import Markup

from ..words import language

NAMES = (
    "icon",
    "external_mark",
    "severity",
    "dot",
    "pill",
    "tlp",
    "pap",
    "tags",
    "linked_tags",
    "avatar",
    "who",
    "access_badge",
    "case_link",
    "case_cells",
    "shared_link",
    "shared_cells",
)
TEMPLATE = "_shared/_marks.html"
OF_LISTS = ("tags", "linked_tags")
Mark = Callable[..., Markup]


def install(app: Flask) -> None:
    """Give every template the macros of _shared/_marks.html as globals. A page calls them hundreds of times, with few arguments."""
    for name in NAMES:
        app.jinja_env.globals[name] = _kept(app, name)


def _kept(app: Flask, name: str) -> Mark:
    @lru_cache(maxsize=2048, typed=True)
    def draw(_language: str, *arguments: Any) -> Markup:
        macros: Any = app.jinja_env.get_template(TEMPLATE).module
        drawn: Markup = getattr(macros, name)(*arguments)
        return drawn

    if name in OF_LISTS:
        return lambda names: draw(language(), tuple(names))
    return lambda *arguments: draw(language(), *arguments)
