"""The cookies of the front door: a face's session, a step that was begun, and a link that was opened but not yet used."""

from __future__ import annotations

import hashlib

from flask import Response, current_app, redirect, request, session, url_for

from ..accounts.mfa import Changed
from ..accounts.sign_in import SignedIn
from ..accounts.steps import LIFETIME
from ..audit.record import Trace
from ..extensions import db
from ..web.gate import cookie_name

HOME = {"console": "console.home", "portal": "external.home"}
LINK_SECONDS = 600
FORM_SECONDS = 3600
YEAR = 365 * 86400


def _set(response: Response, name: str, value: str, max_age: int | None = None) -> None:
    secure = current_app.config["SETTINGS"].secure
    response.set_cookie(name, value, max_age=max_age, secure=secure, httponly=True, samesite="Lax", path="/")


def keep_choice(response: Response, name: str, value: str) -> None:
    """How somebody wants every page in this browser, signed in or not."""
    _set(response, name, value, YEAR)


def start_over() -> None:
    """Forget the form tokens of before the sign-in; pages made after this carry new ones."""
    session.clear()


def welcome(response: Response, opened: SignedIn | Changed) -> Response:
    """Hand the new session's key to the browser."""
    _set(response, cookie_name(opened.face), opened.key)
    return response


def farewell(response: Response, face: str) -> Response:
    """Take the key away and ask the browser to forget what it kept."""
    settings = current_app.config["SETTINGS"]
    response.delete_cookie(cookie_name(face), path="/", secure=settings.secure, httponly=True, samesite="Lax")
    if settings.secure:
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def _step_cookie(face: str) -> str:
    return cookie_name(f"{face}-step")


def keep_step(response: Response, face: str, key: str) -> Response:
    """Hand the key of a step that was begun to the browser, for as long as it lasts."""
    _set(response, _step_cookie(face), key, int(LIFETIME.total_seconds()))
    return response


def step_key(face: str) -> str:
    """The key of the step that was begun in this browser."""
    return request.cookies.get(_step_cookie(face), "")


def drop_step(response: Response, face: str) -> Response:
    """Forget the step: it is over."""
    response.delete_cookie(_step_cookie(face), path="/", secure=current_app.config["SETTINGS"].secure, httponly=True, samesite="Lax")
    return response


def trace() -> Trace:
    """Through which door this request came."""
    found: Trace = db.session.info["trace"]
    return found


def keep_link(token: str, endpoint: str) -> Response:
    """Move a link's token from the address into a short-lived cookie, so that it stays out of histories, logs and referrers."""
    response = redirect(url_for(endpoint), 303)
    assert isinstance(response, Response)
    set_link(response, token, LINK_SECONDS)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _link_cookie() -> str:
    return cookie_name("link")


def set_link(response: Response, token: str, seconds: int = FORM_SECONDS) -> Response:
    """Keep the token for a while longer, for filling in a form."""
    _set(response, _link_cookie(), token, seconds)
    return response


def link_token() -> str:
    """The token of the link that was opened in this browser."""
    return request.cookies.get(_link_cookie(), "")


def link_mark() -> str:
    """A mark of the opened link for its form: the cookie may have been replaced by another link in another tab."""
    return hashlib.sha256(link_token().encode()).hexdigest()[:16]


def is_other_link() -> bool:
    """Whether the form that was sent belongs to another link than the one now open in this browser."""
    return request.method == "POST" and request.form.get("link", link_mark()) != link_mark()


def drop_link(response: Response) -> Response:
    """Forget the token: it was used."""
    response.delete_cookie(_link_cookie(), path="/", secure=current_app.config["SETTINGS"].secure, httponly=True, samesite="Lax")
    return response
