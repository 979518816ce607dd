"""Preview: how a text will look, before anything is kept."""

from __future__ import annotations

from typing import Any

from flask import request

from ..cases.text import LONGEST, shown, tidy
from ..web.face import Needs
from ..web.show import show
from .face import console

FIELDS = ("message", "description", "summary")


@console.route("/preview", needs=Needs.TEAM, dry=True, methods=["POST"])
def preview() -> Any:
    """The field the button names, rendered as it would be kept. Without JavaScript it opens in a tab of its own, so that
    the form stays as it is."""
    field = request.form.get("preview", "")
    text = tidy(request.form.get(field, "")) if field in FIELDS else ""
    problem = f"This is longer than {LONGEST:,} characters; shorten it before you save it." if len(text) > LONGEST else None
    html = None if problem else shown(text)
    return show("console/preview/show.html", "console/preview/_text.html", html=html, problem=problem)
