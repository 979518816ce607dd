"""One's own account on both faces: password, theme, signed-in browsers, the organisation worked in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import g, render_template, request
from werkzeug.exceptions import NotFound

from ..accounts import directory, sessions, sign_in
from ..refusals import Refusal
from ..web.face import Needs
from ..web.filters import THEMES
from ..web.gate import cookie_name
from ..web.show import see_other
from . import cookies
from .face import entry
from .forms import PasswordForm
from .sign_in import FACE

BASE = {"console": "console/base.html", "portal": "external/base.html"}
YEAR = 365 * 86400


@dataclass(frozen=True)
class Browser:
    """A signed-in browser, for its owner."""

    created_at: datetime
    last_seen_at: datetime
    current: bool
    device: str


def _device(user_agent: str) -> str:
    names = (("Edg", "Edge"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
    systems = (
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    )
    browser = next((name for mark, name in names if mark in user_agent), "A browser")
    system = next((name for mark, name in systems if mark in user_agent), "")
    return f"{browser} on {system}" if system else browser


def _page(face: str, form: PasswordForm, problem: str | None = None) -> str:
    browsers = [
        Browser(row.created_at, row.last_seen_at, row.id == g.viewer.session_id, _device(row.user_agent))
        for row in sessions.sessions_of(g.viewer.user_id)
    ]
    profiles = directory.profiles_of(g.viewer.user_id, g.viewer.organisation_id)
    return render_template("entry/account.html", base=BASE[face], form=form, sessions=browsers, profiles=profiles, problem=problem)


@entry.route(f"/{FACE}/account", needs=Needs.SIGNED_IN)
def account(face: str) -> Any:
    """The account page."""
    return _page(face, PasswordForm(formdata=None))


@entry.route(f"/{FACE}/account/password", needs=Needs.SIGNED_IN, methods=["POST"], late=True)
def change_password(face: str) -> Any:
    """Change the password; other browsers are signed out."""
    form = PasswordForm()
    if not form.validate():
        return _page(face, form), 422
    try:
        opened = sign_in.change_password(g.viewer, form.current.data, form.password.data, face=face, trace=cookies.trace())
    except Refusal as refusal:
        return _page(face, form, refusal.sentence), refusal.status if refusal.status == 429 else 422
    cookies.start_over()
    return cookies.welcome(see_other("entry.account", "Your password is changed. Other browsers are signed out.", face=face), opened)


@entry.route(f"/{FACE}/account/theme", needs=Needs.ANYONE, methods=["POST"])
def set_theme(face: str) -> Any:
    """Keep the chosen theme in a cookie."""
    chosen = request.form.get("theme", "")
    response = see_other("entry.account" if g.viewer else "entry.sign_in", face=face)
    if chosen in THEMES:
        secure = cookie_name(face) != face
        response.set_cookie("theme", chosen, max_age=YEAR, secure=secure, httponly=True, samesite="Lax", path="/")
    return response


@entry.route(f"/{FACE}/organisation", needs=Needs.SIGNED_IN, methods=["POST"])
def switch_organisation(face: str) -> Any:
    """Work in another of one's own organisations."""
    wanted = request.form.get("organisation", "")
    places = {str(place): name for place, name in g.viewer.organisations}
    if wanted not in places:
        raise NotFound
    sessions.switch(g.viewer.session_id, int(wanted))
    return see_other(cookies.HOME[face], f"You are now working in {places[wanted]}.")
