"""Sign in, sign out, and where to go afterwards."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, flash, g, make_response, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException

from ..accounts import second_step, sessions, sign_in
from ..audit.kinds import Kind
from ..audit.record import record
from ..refusals import Refusal, TooMany
from ..web import times
from ..web.assets import serve
from ..web.face import Needs
from ..web.forms import SignInForm
from ..web.kept import read, sign_in_page
from ..web.show import see_other
from ..words import _, later
from . import cookies
from .face import entry
from .factor_forms import proof_forms

FACE = "<any(console, portal):face>"
LETTERS = "entry.letters"  # every letter about a case leads there
OVER = later("The sign-in took longer than ten minutes, or something about the account changed. Sign in again.")


@entry.route("/", needs=Needs.ANYONE)
def front() -> Any:
    """The bare address: most people who type it are guests."""
    return redirect(url_for("external.home"), 303)


@entry.route("/healthz", needs=Needs.ANYONE)
def health() -> Any:
    """For monitors: it answers, nothing more."""
    return Response("ok\n", mimetype="text/plain")


@entry.route("/static/<version>/<name>", needs=Needs.ANYONE)
def static_file(version: str, name: str) -> Any:
    """Style sheets, scripts, icons."""
    return serve(version, name)


@entry.route(f"/{FACE}/sign-in", needs=Needs.ANYONE, methods=["GET", "POST"], late=True, endpoint="sign_in")
def sign_in_view(face: str) -> Any:
    """Ask for address and password; open a session on this face."""
    if request.method == "GET":
        return go_on(face) if g.viewer else sign_in_page(face, to=request.args.get("to", ""))
    form, to, token = SignInForm(), request.form.get("to", ""), request.form.get("kept", "")
    if not form.validate():
        return sign_in_page(face, form=form, to=to, token=token), 422
    try:
        opened = sign_in.sign_in(form.email.data, form.password.data, face=face, trace=cookies.trace(), language=times.language(""))
    except TooMany as refusal:
        return sign_in_page(face, form=form, to=to, token=token, problem=refusal.sentence), 429, {"Retry-After": str(refusal.retry_after)}
    except Refusal as refusal:
        return sign_in_page(face, form=form, to=to, token=token, problem=refusal.sentence, door=getattr(refusal, "face", "")), 422
    if isinstance(opened, sign_in.StepDue):
        return cookies.keep_step(_to_second_step(opened, to, token), face, opened.key)
    cookies.start_over()
    return cookies.welcome(afterwards(face, to, token), opened)


def _to_second_step(due: sign_in.StepDue, to: str, token: str) -> Response:
    """The page that asks for it; what was typed elsewhere and kept is too long for an address, so then the page is the answer."""
    if token:
        return make_response(step_page(due.face, key=due.key, to=to, token=token))
    return see_other("entry.second_step", face=due.face, to=to or None)


def step_page(face: str, *, key: str, to: str = "", token: str = "", sent: str = "", form: Any = None, problem: str | None = None) -> Any:
    """Ask for the second step, with the form that was `sent` and refused; sign-in anew when none is due any more."""
    due = second_step.due(key, face)
    if due is None:
        return cookies.drop_step(make_response(sign_in_page(face, to=to, token=token, problem=OVER), 422 if sent else 200), face)
    forms = proof_forms() | ({sent: form} if sent else {})
    return render_template("entry/second_step.html", face=face, to=to, kept_token=token, due=due, forms=forms, sent=sent, problem=problem)


def afterwards(face: str, to: str, token: str) -> Response:
    """Back to the page that was asked for; or, when something typed was kept, to sending it."""
    pairs, address = read(token) if token else ([], "")
    if not pairs or not address.startswith(f"/{face}/"):
        return go_on(face, to)
    home = url_for(cookies.HOME[face])
    return make_response(render_template("entry/resume.html", base="entry/base.html", action=address, kept=pairs, to_url=home))


def go_on(face: str, to: str = "") -> Response:
    """A page of this face, rebuilt from its endpoint: an address from outside is never followed as such."""
    target = url_for(cookies.HOME[face])
    try:
        endpoint, values = current_app.create_url_adapter(request).match(to, method="GET")  # type: ignore[union-attr]
        if endpoint.split(".")[0] == cookies.HOME[face].split(".")[0] or (endpoint == LETTERS and values["face"] == face):
            target = url_for(endpoint, **values)
    except HTTPException:
        pass
    response = redirect(target, 303)
    assert isinstance(response, Response)
    return response


@entry.route(f"/{FACE}/sign-out", needs=Needs.SIGNED_IN, methods=["POST"], enrolling=True)
def sign_out(face: str) -> Any:
    """End this browser's session."""
    record(Kind.SIGNED_OUT, actor=g.viewer, object_id=g.viewer.user_id)
    sessions.end(g.viewer.session_id)
    cookies.start_over()
    response = redirect(url_for("entry.sign_in", face=face), 303)
    assert isinstance(response, Response)
    cookies.farewell(response, face)
    flash(_("You are signed out."))
    return response
