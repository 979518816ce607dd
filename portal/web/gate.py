"""The door: every request is matched to a session, a person and what the route needs, before any view runs."""

from __future__ import annotations

import secrets
from typing import Any, cast

from flask import Flask, Response, current_app, g, redirect, request, url_for
from flask_login import current_user
from werkzeug.exceptions import Forbidden, NotFound, RequestEntityTooLarge

from ..accounts import sessions
from ..accounts.permissions import Permission
from ..accounts.viewer import Viewer
from ..audit.record import Trace
from ..database import start_writing
from ..extensions import csrf, db, login
from ..sharing import guard
from ..words import _, speak
from . import looking, oversize, times
from .errors import session_ended
from .face import SAFE, Needs, go_to
from .uploads import Received, TooLarge, too_large

FACES = ("console", "portal")
DOOR = {"console": "console", "portal": "external"}


class Unguarded(RuntimeError):
    """A view was registered without saying what it needs."""


def cookie_name(face: str) -> str:
    """The face's session cookie. Browsers keep `__Host-` cookies over TLS only; without TLS the plain name is used."""
    return f"__Host-{face}" if current_app.config["SETTINGS"].secure else face


def face_of_path() -> str | None:
    """Which face an address belongs to, also when nothing is served there: a blueprint owns no URL space."""
    first = request.path.split("/", 2)[1] if request.path.startswith("/") else ""
    return first if first in FACES else None


def turn_to(face: str) -> str:
    """A mailed link names no face: once it is known whose it is, the page looks and speaks as theirs does. Gives it back."""
    g.face = face
    g.pop("reading", None)
    speak(times.language(""))
    return face


def looks() -> bool:
    """Whether this browser looks at the portal through somebody else's eyes; then no session of the portal's own counts in it."""
    return face_of_path() == "portal" and cookie_name(looking.COOKIE) in request.cookies


def install(app: Flask) -> None:
    """Put the gate before every view."""
    app.before_request(check)
    login.init_app(app)
    login.session_protection = None
    login.request_loader(_load)


def check() -> Any:
    """Runs before each view; returns an answer to stop the request."""
    g.request_id = secrets.token_hex(8)
    if request.method == "HEAD":
        request.method = "GET"  # views tell asking from sending by GET; the server leaves the body of the answer away
    g.viewer, g.window = None, None
    face = face_of_path()
    g.face = face or "portal"
    speak(times.language(""))
    db.session.info["trace"] = Trace(face or "system", g.request_id, request.remote_addr or "", (request.user_agent.string or "")[:200])
    if request.endpoint is None:
        g.viewer = _viewer() if face else None
        return None  # 404 or 405; the error page keeps the face's frame
    view: Any = current_app.view_functions[request.endpoint]
    needs = getattr(view, "needs", None)
    if needs is None:
        raise Unguarded(f"{request.endpoint} does not say what it needs")
    return _look(needs) if looks() else _enter(view, needs, face)


def _look(needs: Any) -> Any:
    g.viewer = _viewer()
    if (stop := looking.stop(g.viewer, cookie_name(looking.COOKIE))) is not None:
        return stop
    return _admit(needs, g.viewer)


def _enter(view: Any, needs: Any, face: str | None) -> Any:
    unsafe = request.method not in SAFE
    if unsafe:
        _same_origin()
        if not (view.late or view.uploads):
            start_writing()
    g.viewer = _viewer() if face else None
    if needs is Needs.ANYONE:
        _protect(unsafe)
        return None
    if g.viewer is None:
        return _ask_to_sign_in(face or "portal", unsafe)
    if unsafe and view.uploads and not g.viewer.must_enrol:
        return _receive(needs, g.viewer, late=view.late)
    return _let_in(view, g.viewer, unsafe)


def _let_in(view: Any, viewer: Viewer, unsafe: bool) -> Any:
    _protect(unsafe)
    if viewer.must_enrol and not view.enrolling:
        return _lead_to_second_step(g.face, unsafe)
    return _admit(view.needs, viewer)


def _receive(needs: Any, viewer: Viewer, *, late: bool) -> None:
    """A form with files: whoever may not send it is refused before it is read, and nobody waits for its files to write."""
    _admit(needs, viewer)
    db.session.rollback()  # what was read so far is old when the files are there, and SQLite writes nothing on top of that
    cast("Received", request).take_files()
    try:
        _protect(True)
    except RequestEntityTooLarge as error:
        raise TooLarge(too_large()) from error
    if not late:
        start_writing()


def _protect(unsafe: bool) -> None:
    if unsafe:
        if oversize.UNREAD in request.environ:
            raise RequestEntityTooLarge
        csrf.protect()


def _same_origin() -> None:
    """Other sites' forms stop here, before tokens and cookies are even looked at."""
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    if origin is not None and origin != current_app.config["SETTINGS"].origin:
        raise Forbidden("origin")
    if site is not None and site not in ("same-origin", "none"):
        raise Forbidden("site")


def _load(_request: Any) -> Viewer | None:
    """Flask-Login's way in: the face's cookie, looked up among the server's sessions."""
    face = face_of_path()
    if looks():
        return looking.find(request.cookies[cookie_name(looking.COOKIE)], request.cookies.get(cookie_name("console")))
    key = request.cookies.get(cookie_name(face)) if face else None
    found = sessions.find(key, face) if key and face else None
    if found is None:
        return None
    view = current_app.view_functions.get(request.endpoint or "")
    if not (getattr(view, "quiet", False) and request.headers.get("HX-Request") == "true"):
        late = getattr(view, "late", False) or getattr(view, "uploads", False)
        sessions.touch(found, writing=request.method not in SAFE and not late)
    return found.viewer


def _viewer() -> Viewer | None:
    person = current_user._get_current_object()
    if not isinstance(person, Viewer):
        return None
    speak(times.language(person.language))
    return person


def _ask_to_sign_in(face: str, unsafe: bool) -> Response:
    if unsafe or request.headers.get("HX-Request") == "true":
        key = request.cookies.get(cookie_name(face))
        return session_ended(face, ended=not key or sessions.was_ended(key, face))  # whoever signs out takes the key along
    to = request.path if request.path not in ("/console/", "/portal/") else None
    answer = redirect(url_for("entry.sign_in", face=face, to=to), 303)
    assert isinstance(answer, Response)
    return answer


def _lead_to_second_step(face: str, unsafe: bool) -> Response:
    """Somebody of whom a second factor is required sees nothing else before it is set up; what they sent is refused, not lost."""
    if unsafe:
        raise Forbidden(_("A second step is required of you now. Set it up under Your account, then come back and send this again."))
    return go_to(url_for("entry.second_factor", face=face))


def _admit(needs: Any, viewer: Viewer) -> None:
    if needs is Needs.TEAM and viewer.platform:
        raise Forbidden("The admin organisation cannot hold cases. Switch to the organisation you work in.")
    if isinstance(needs, Permission) and not viewer.can(needs):
        raise Forbidden(_("Your profile does not allow this. Ask an administrator of your organisation if you need it."))
    if needs is Needs.PORTAL_ADMIN and (not viewer.portal_admin or viewer.party_id is None or viewer.viewed_by_id is not None):
        raise NotFound
    if request.blueprint not in ("console", "external"):
        return  # the front door deals with accounts only; it may not import what it could leak
    if request.blueprint != DOOR[g.face] or viewer.external != (g.face == "portal"):
        raise NotFound
    guard.engage(viewer)
    if request.blueprint == "external":
        g.window = current_app.config["WINDOW"](viewer)
