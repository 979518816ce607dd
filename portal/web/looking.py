"""The door for a colleague who looks at the portal through an external person's eyes: pages may be read, nothing else is there."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, flash, request, url_for
from werkzeug.exceptions import Forbidden, NotFound

from ..accounts import sessions
from ..accounts.permissions import Permission
from ..accounts.viewer import Viewer
from .face import SAFE, go_to

COOKIE = "look"
READ_ONLY = "You are looking at the portal as somebody else, and looking changes nothing. Exit that view to work on the case yourself."
# Beside the portal's own pages: the pictures on them. Account, sign-in and second step stay the person's own.
SHOWN = frozenset({"entry.own_picture", "entry.own_logo"})


def find(look_key: str, console_key: str | None) -> Viewer | None:
    """The outsider being looked as, while the colleague's own session lives in this browser and still has the right to."""
    found = sessions.find(console_key, "console") if console_key else None
    if found is None or found.viewer.platform or found.viewer.must_enrol or not found.viewer.can(Permission.SHARE_OUTSIDE):
        return None
    return sessions.find_look(look_key, found.viewer)


def stop(viewer: Viewer | None, cookie: str) -> Any:
    """What ends the request before any view runs; None when it may go on. A look that is over never becomes somebody else's session."""
    if viewer is None:
        flash("You no longer look at the portal as somebody else.", "message")
        return leave(go_to(url_for("console.home")), cookie)
    if request.method not in SAFE:
        raise Forbidden(READ_ONLY)
    if request.blueprint != "external" and request.endpoint not in SHOWN:
        raise NotFound
    return None


def carry(response: Response, cookie: str, key: str) -> Response:
    """Hand the key of a look to the browser, for as long as it lasts."""
    seconds = int(sessions.LOOK_LASTS.total_seconds())
    secure = current_app.config["SETTINGS"].secure
    response.set_cookie(cookie, key, max_age=seconds, secure=secure, httponly=True, samesite="Lax", path="/")
    return response


def leave(response: Response, cookie: str) -> Response:
    """Take the key of a look away."""
    response.delete_cookie(cookie, path="/", secure=current_app.config["SETTINGS"].secure, httponly=True, samesite="Lax")
    return response
