"""Changing one's address: asked for on the account page, confirmed by a link that went to the new one."""

from __future__ import annotations

from typing import Any

from flask import g, render_template, request

from ..accounts import account as own
from ..accounts import links, sessions, sign_in
from ..accounts.models import Purpose, User
from ..extensions import db
from ..refusals import NotVisible, Refusal
from ..web.face import Needs
from ..web.gate import cookie_name, turn_to
from ..web.show import see_other
from ..words import _, later
from . import cookies
from .account import back, page
from .account_forms import NewEmailForm
from .face import entry
from .sign_in import FACE

BROKEN = later("This link can't be used. It may have been used before, replaced by a newer one, or be too old.")
ASKED = later("If this address can be used, a link is on its way there. Your address changes when you open it and confirm.")


@entry.route(f"/{FACE}/account/email", needs=Needs.SIGNED_IN, methods=["POST"], late=True)
def ask_for_email(face: str) -> Any:
    """Ask for another address: the same answer whether it is free or not."""
    form = NewEmailForm()
    if not form.validate():
        return page(face, "email", form)
    try:
        own.ask_for_email(g.viewer, form.email.data, form.password.data, trace=cookies.trace())
    except Refusal as refusal:
        return page(face, "email", form, refusal)
    return back(face, ASKED, "email")


@entry.route(f"/{FACE}/account/email/cancel", needs=Needs.SIGNED_IN, methods=["POST"])
def cancel_email(face: str) -> Any:
    """Keep the address one has."""
    own.cancel_email(g.viewer)
    return back(face, _("Your address stays as it is; the link in the letter does not work any more."), "email")


@entry.route("/new-address/<token>", needs=Needs.ANYONE)
def open_new_email(token: str) -> Any:
    """The mailed address. Scanners fetch it too, so it changes nothing."""
    return cookies.keep_link(token, "entry.new_email") if links.open_link(Purpose.EMAIL, token) else _broken()


@entry.route("/new-address", needs=Needs.ANYONE, methods=["GET", "POST"])
def new_email() -> Any:
    """Which address replaces which; the button does it."""
    link = links.open_link(Purpose.EMAIL, cookies.link_token())
    if link is None:
        return _broken()
    user = db.session.get_one(User, link.user_id)
    face = turn_to(sign_in.face_of(user))
    if request.method == "GET" or cookies.is_other_link():
        return render_template("entry/new_email.html", face=face, old=user.email, new=link.email, link=cookies.link_mark())
    try:
        own.confirm_email(cookies.link_token(), keep=_this_browser(user.id, face))
    except NotVisible:
        return _broken()
    notice = _("Your e-mail address is changed. Other browsers are signed out; sign in with the new address from now on.")
    return cookies.drop_link(see_other("entry.account", notice, face=face))


def _this_browser(user_id: int, face: str) -> int | None:
    """The session of whoever confirms, where they are signed in as the one whose address it is."""
    key = request.cookies.get(cookie_name(face))
    found = sessions.find(key, face) if key else None
    return found.viewer.session_id if found and found.viewer.user_id == user_id else None


def _broken() -> Any:
    return render_template("entry/broken_email.html", reason=BROKEN), 410
