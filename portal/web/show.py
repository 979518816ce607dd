"""Showing: the page, or the partial the page includes; redirects with a notice."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, render_template, request, url_for

from .face import go_to


def wants_fragment() -> bool:
    """Whether htmx asks for a part; boosted links and history ask for whole pages."""
    headers = request.headers
    return (
        headers.get("HX-Request") == "true"
        and headers.get("HX-Request-Type", "partial") == "partial"
        and "HX-History-Restore-Request" not in headers
    )


def show(page: str, part: str | None = None, *, status: int = 200, **context: Any) -> tuple[str, int]:
    """Render `part` for htmx where there is one, else the page."""
    return render_template(part if part and wants_fragment() else page, **context), status


def see_other(endpoint: str, notice: str | None = None, *, warning: bool = False, **values: Any) -> Response:
    """Go on to another page of the same face, with a sentence to show there."""
    if notice:
        flash(str(notice), "warning" if warning else "message")
    return go_to(url_for(endpoint, **values))
