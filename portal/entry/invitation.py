"""Invitations: looking at one costs nothing, only the form's button uses it up; and asking for a new link."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import redirect, render_template, request, url_for

from ..accounts import affiliation, invitations, links, sign_in
from ..accounts.models import OneTimeLink, Purpose, User
from ..extensions import db
from ..organisations.models import Organisation
from ..refusals import NotVisible, Refusal, TooMany, Unfit
from ..web import times
from ..web.face import Needs
from ..web.gate import turn_to
from ..web.show import see_other
from ..words import _, later
from . import cookies
from .face import entry
from .forms import AcceptForm, EmailForm

BROKEN = later("This link can't be used. It may have been used before, replaced by a newer one, or be too old.")


@dataclass(frozen=True)
class Shown:
    """What an invitation tells its owner."""

    name: str
    email: str
    organisation: str
    invited_by: str
    expires_at: datetime
    face: str
    works_for: str


def _shown(link: OneTimeLink) -> Shown:
    user = db.session.get_one(User, link.user_id)
    organisation = db.session.get_one(Organisation, link.organisation_id)
    face = turn_to(sign_in.face_of(user))
    works_for = affiliation.employer(user.id, organisation.id) if face == "portal" else ""
    by = link.created_by_name or organisation.name
    return Shown(user.name, user.email, organisation.name, by, link.expires_at, face, works_for)


def broken_link() -> Any:
    """One page for whatever is wrong with a link: it says what to do, never what was wrong."""
    return render_template("entry/new_link.html", form=EmailForm(formdata=None), sent=False, reason=BROKEN), 410


@entry.route("/invitation/<token>", needs=Needs.ANYONE)
def open_invitation(token: str) -> Any:
    """The mailed address. Scanners fetch it too, so it changes nothing."""
    return cookies.keep_link(token, "entry.invitation") if links.open_link(Purpose.INVITATION, token) else broken_link()


@entry.route("/invitation", needs=Needs.ANYONE, methods=["GET", "POST"])
def invitation() -> Any:
    """Who invites whom, to what; a button leads on."""
    link = links.open_link(Purpose.INVITATION, cookies.link_token())
    if link is None:
        return broken_link()
    if request.method == "POST":
        return cookies.set_link(redirect(url_for("entry.accept"), 303), cookies.link_token())  # type: ignore[arg-type]
    return render_template("entry/invitation.html", invitation=_shown(link))


@entry.route("/invitation/account", needs=Needs.ANYONE, methods=["GET", "POST"], late=True)
def accept() -> Any:
    """Confirm the name, choose a password; this uses the link and signs in."""
    link = links.open_link(Purpose.INVITATION, cookies.link_token())
    if link is None:
        return broken_link()
    shown = _shown(link)
    form = (
        AcceptForm() if request.method == "POST" and not cookies.is_other_link() else AcceptForm(formdata=None, data={"name": shown.name})
    )
    if request.method == "GET" or cookies.is_other_link() or not form.validate():
        context = {"form": form, "invitation": shown, "problem": None, "link": cookies.link_mark()}
        return render_template("entry/accept.html", **context), 422 if form.errors else 200
    return _take_over(form, shown)


def _take_over(form: AcceptForm, shown: Shown) -> Any:
    try:
        user = invitations.accept(cookies.link_token(), name=form.name.data, password=form.password.data)
        opened = sign_in.start(user, shown.face, cookies.trace(), language=times.language(""))
    except NotVisible:
        return broken_link()
    except Refusal as refusal:
        field = form.name if isinstance(refusal, Unfit) and refusal.field == "name" else form.password
        field.errors = [refusal.sentence]
        return render_template("entry/accept.html", form=form, invitation=shown, problem=None, link=cookies.link_mark()), 422
    cookies.start_over()
    response = cookies.welcome(see_other(cookies.HOME[shown.face], _("Your account is ready.")), opened)
    return cookies.drop_link(response)


@entry.route("/new-link", needs=Needs.ANYONE, methods=["GET", "POST"], late=True)
def new_link() -> Any:
    """Send me a new link: the same answer for every address."""
    form = EmailForm()
    if request.method == "POST" and form.validate():
        try:
            sign_in.ask_for_new_link(form.email.data, trace=cookies.trace())
        except TooMany as refusal:
            form.email.errors = [refusal.sentence]
            return (
                render_template("entry/new_link.html", form=form, sent=False, reason=None),
                429,
                {"Retry-After": str(refusal.retry_after)},
            )
        return render_template("entry/new_link.html", form=form, sent=True, reason=None)
    return render_template("entry/new_link.html", form=form, sent=False, reason=None), 422 if form.errors else 200
