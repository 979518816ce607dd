"""The first administrator: a printed one-time link leads to a form, as long as there is nobody."""

from __future__ import annotations

from typing import Any

from flask import Response, render_template, request

from ..accounts import links, platform, sign_in
from ..accounts.models import Purpose, User
from ..refusals import Refusal
from ..settings import values
from ..web.face import Needs
from ..web.gate import turn_to
from ..web.show import see_other
from . import cookies
from .face import entry
from .forms import SetupForm
from .invitation import broken_link


@entry.route("/set-up/<token>", needs=Needs.ANYONE)
def open_setup(token: str) -> Any:
    """The printed address; it changes nothing."""
    return cookies.keep_link(token, "entry.setup") if links.open_link(Purpose.SETUP, token) else broken_link()


@entry.route("/set-up", needs=Needs.ANYONE, methods=["GET", "POST"], late=True)
def setup() -> Any:
    """Name the team and make its first administrator."""
    if links.open_link(Purpose.SETUP, cookies.link_token()) is None:
        return broken_link()
    turn_to("console")
    form = SetupForm()
    if request.method == "GET" or not form.validate():
        return render_template("entry/setup.html", form=form, problem=None), 422 if form.errors else 200
    try:
        user, _ = platform.create_first_administrator(
            team=form.team.data, name=form.name.data, email=form.email.data, password=form.password.data
        )
    except Refusal as refusal:
        return render_template("entry/setup.html", form=form, problem=refusal.sentence), 422
    return _welcome(user)


def _welcome(user: User) -> Any:
    """Signed in at once; on to the second step where one is asked for."""
    opened = sign_in.start(user, "console", cookies.trace())
    cookies.start_over()
    return cookies.drop_link(cookies.welcome(_afterwards(), opened))


def _afterwards() -> Response:
    """Straight to the second step where one is required, so that the first page says what comes next."""
    if values.sign_in_policy().demands_mfa(external=False, platform=False):
        return see_other("entry.second_factor", "Your team is ready. Now protect your account.", face="console")
    return see_other("console.home", "Your team is ready. Create a case, or invite people under People.")
