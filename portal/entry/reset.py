"""Forgotten passwords."""

from __future__ import annotations

from typing import Any

from flask import render_template, request

from ..accounts import links, sign_in
from ..accounts.models import Purpose, User
from ..extensions import db
from ..refusals import NotVisible, Refusal, TooMany
from ..web.face import Needs
from ..web.gate import turn_to
from ..web.show import see_other
from ..words import _
from . import cookies
from .face import entry
from .forms import EmailForm, ResetForm
from .invitation import broken_link
from .sign_in import FACE


@entry.route(f"/{FACE}/forgotten", needs=Needs.ANYONE, methods=["GET", "POST"], late=True)
def forgotten(face: str) -> Any:
    """Ask for a reset link: the same answer for every address."""
    form = EmailForm()
    if request.method == "GET" or not form.validate():
        return render_template("entry/forgotten.html", form=form, sent=False, face=face), 422 if form.errors else 200
    try:
        sign_in.ask_for_reset(form.email.data, trace=cookies.trace())
    except TooMany as refusal:
        form.email.errors = [refusal.sentence]
        return render_template("entry/forgotten.html", form=form, sent=False, face=face), 429, {"Retry-After": str(refusal.retry_after)}
    return render_template("entry/forgotten.html", form=form, sent=True, face=face)


@entry.route("/reset/<token>", needs=Needs.ANYONE)
def open_reset(token: str) -> Any:
    """The mailed address; it changes nothing."""
    return cookies.keep_link(token, "entry.reset") if links.open_link(Purpose.RESET, token) else broken_link()


@entry.route("/reset", needs=Needs.ANYONE, methods=["GET", "POST"], late=True)
def reset() -> Any:
    """Choose a new password. It ends every session and signs nobody in."""
    link = links.open_link(Purpose.RESET, cookies.link_token())
    if link is None:
        return broken_link()
    user, form = db.session.get_one(User, link.user_id), ResetForm()
    email, face = user.email, turn_to(sign_in.face_of(user))
    if request.method == "GET" or cookies.is_other_link() or not form.validate():
        return render_template("entry/reset.html", form=form, email=email, link=cookies.link_mark()), 422 if form.errors else 200
    try:
        sign_in.reset_password(cookies.link_token(), form.password.data)
    except NotVisible:
        return broken_link()
    except Refusal as refusal:
        form.password.errors = [refusal.sentence]
        return render_template("entry/reset.html", form=form, email=email, link=cookies.link_mark()), 422
    return cookies.drop_link(see_other("entry.sign_in", _("Your password is changed. Sign in with the new one."), face=face))
