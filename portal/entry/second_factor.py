"""One's own second factors: an app, passkeys and recovery codes; every change asks for the password first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import segno
from flask import Response, g, render_template, request
from werkzeug.datastructures import Headers

from ..accounts import mfa, passkeys
from ..accounts.models import User
from ..accounts.steps import Aim, Step
from ..extensions import db
from ..refusals import Refusal, TooMany, Unfit
from ..web.face import Needs
from ..web.show import see_other
from ..words import _, later
from . import cookies
from .account import BASE
from .face import entry
from .factor_forms import AgainForm, NewAppForm, NewPasskeyForm
from .sign_in import FACE

PATH = f"/{FACE}/account/second-step"
OWN = Needs.SIGNED_IN


@dataclass(frozen=True)
class Act:
    """What the password is asked for: the words of its page, and where it leads."""

    aim: Aim | None
    title: str
    lead: str
    button: str
    endpoint: str = "entry.second_factor"
    danger: bool = False


BEGINNINGS = {
    "app": Act(
        Aim.APP,
        later("Set up an authenticator app"),
        later("An app on your phone shows a new code every 30 seconds. You type one each time you sign in."),
        later("Continue"),
        "entry.add_app",
    ),
    "passkey": Act(
        Aim.PASSKEY,
        later("Add a passkey"),
        later("Your phone, computer or security key proves that it is you, with its own lock or your fingerprint."),
        later("Continue"),
        "entry.add_passkey",
    ),
    "codes": Act(
        Aim.CODES,
        later("Make new recovery codes"),
        later("You get ten new codes for the day your phone or passkey is not at hand. The older ones stop working at once."),
        later("Make new codes"),
        "entry.recovery_codes",
    ),
}
REMOVE_APP = Act(
    None,
    later("Remove the authenticator app"),
    later("Its codes no longer let you in. Your other browsers will be signed out."),
    later("Remove the app"),
    danger=True,
)
REMOVE_PASSKEY = Act(
    None,
    later("Remove the passkey"),
    later("It no longer lets you in. Your other browsers will be signed out."),
    later("Remove the passkey"),
    danger=True,
)


def _show(template: str, face: str, *, status: int = 200, **context: Any) -> Any:
    """A page of the face; while a second step is demanded, in the plain frame, for nothing else can be reached."""
    base = "entry/base.html" if g.viewer.must_enrol else BASE[face]
    return render_template(f"entry/{template}.html", base=base, face=face, **context), status


def _ask(face: str, act: Act, form: AgainForm, refusal: Refusal | None = None, *, about: str = "") -> Any:
    """Ask for the password, saying what for; with why it was refused."""
    problem = None
    if isinstance(refusal, Unfit):
        form.password.errors = [refusal.sentence]
    elif refusal is not None:
        problem = refusal.sentence
    status = 429 if isinstance(refusal, TooMany) else 422 if form.errors or problem else 200
    html, status = _show("second_ask", face, status=status, act=act, form=form, problem=problem, about=about)
    return html, status, Headers({"Retry-After": str(refusal.retry_after)}) if isinstance(refusal, TooMany) else Headers()


def _back(face: str, notice: str, *, warning: bool = False) -> Response:
    return see_other("entry.second_factor", notice, warning=warning, face=face)


def _settled(face: str, changed: mfa.Changed, notice: str) -> Response:
    """Go on in this browser with its new session; where a first factor brought codes, they are shown next."""
    cookies.start_over()
    if changed.codes:
        return cookies.keep_step(cookies.welcome(see_other("entry.recovery_codes", face=face), changed), face, changed.codes)
    return cookies.drop_step(cookies.welcome(_back(face, notice), changed), face)


@entry.route(PATH, needs=OWN, enrolling=True)
def second_factor(face: str) -> Any:
    """What is set up, and what can be."""
    return _show("second_factor", face, factors=mfa.factors_of(g.viewer.user_id), possible=passkeys.possible(), why=mfa.NO_PASSKEYS)


@entry.route(f"{PATH}/begin/<any(app, passkey, codes):act>", needs=OWN, methods=["GET", "POST"], late=True, enrolling=True)
def begin_factor(face: str, act: str) -> Any:
    """Ask for the password; begin."""
    form, what = AgainForm(), BEGINNINGS[act]
    if request.method == "GET" or not form.validate():
        return _ask(face, what, form)
    try:
        key = mfa.start(g.viewer, what.aim or Aim.APP, form.password.data, face=face)
    except Refusal as refusal:
        return _ask(face, what, form, refusal)
    return cookies.keep_step(see_other(what.endpoint, face=face), face, key)


def _step(face: str, *aims: Aim) -> Step | None:
    try:
        return mfa.step_of(g.viewer, cookies.step_key(face), face, *aims)
    except mfa.Over:
        return None


@entry.route(f"{PATH}/app", needs=OWN, methods=["GET", "POST"], enrolling=True)
def add_app(face: str) -> Any:
    """Show the secret as picture and text; take the app into use by its first code."""
    step, form = _step(face, Aim.APP), NewAppForm()
    if step is None:
        return _back(face, mfa.OVER, warning=True)
    if request.method == "POST" and form.validate():
        try:
            changed = mfa.add_app(g.viewer, cookies.step_key(face), form.code.data, face=face, trace=cookies.trace())
            return _settled(face, changed, _("The authenticator app is set up. Your other browsers are signed out."))
        except Unfit as refusal:
            form.code.errors = [refusal.sentence]
    return _show_app(face, step, form)


def _show_app(face: str, step: Step, form: NewAppForm) -> Any:
    secret, address = mfa.secret_of(step), mfa.address_of(step, g.viewer)
    groups = [secret[start : start + 4] for start in range(0, len(secret), 4)]
    size, path = _drawn(address)
    status = 422 if form.errors else 200
    return _show("second_app", face, status=status, form=form, groups=groups, address=address, qr_size=size, qr_path=path)


def _drawn(text: str) -> tuple[int, str]:
    """A QR code as the path of an SVG: side by side, its dark squares; with the quiet margin readers need."""
    rows = [list(row) for row in segno.make_qr(text, error="m").matrix_iter(border=4)]
    dark = [(x, y) for y, row in enumerate(rows) for x, square in enumerate(row) if square]
    return len(rows), "".join(f"M{x} {y}h1v1h-1z" for x, y in dark)


@entry.route(f"{PATH}/passkey", needs=OWN, methods=["GET", "POST"], enrolling=True)
def add_passkey(face: str) -> Any:
    """Let the browser make a passkey; keep its public half."""
    step, form, problem = _step(face, Aim.PASSKEY), NewPasskeyForm(), None
    if step is None:
        return _back(face, mfa.OVER, warning=True)
    if request.method == "POST" and form.validate():
        sent = form.name.data, form.credential.data
        try:
            changed = mfa.add_passkey(g.viewer, cookies.step_key(face), *sent, face=face, trace=cookies.trace())
            return _settled(face, changed, _("The passkey is set up. Your other browsers are signed out."))
        except Refusal as refusal:
            problem = refusal.sentence
    options = passkeys.creation_options(db.session.get_one(User, g.viewer.user_id), step)
    form.credential.data = ""
    return _show("second_passkey", face, status=422 if form.errors or problem else 200, form=form, options=options, problem=problem)


@entry.route(f"{PATH}/codes", needs=OWN, methods=["GET", "POST"], enrolling=True)
def recovery_codes(face: str) -> Any:
    """Show the codes that were just made; over once their owner says that they are kept."""
    step = _step(face, Aim.CODES, Aim.FIRST_CODES)
    if step is None:
        return _back(face, _("Recovery codes are shown once. Make new ones if you did not keep them."), warning=True)
    if request.method == "GET":
        return _show("second_codes", face, codes=mfa.codes_of(step), first=step.aim is Aim.FIRST_CODES)
    mfa.close_codes(g.viewer, step)
    if step.aim is Aim.FIRST_CODES:
        done = see_other(cookies.HOME[face], _("Your second step is set up. You need it the next time you sign in."))
    else:
        done = _back(face, _("Your new recovery codes count from now on."))
    return cookies.drop_step(done, face)


@entry.route(f"{PATH}/app/remove", needs=OWN, methods=["GET", "POST"], late=True, enrolling=True)
def remove_app(face: str) -> Any:
    """The app's codes no longer count."""
    form = AgainForm()
    if mfa.factors_of(g.viewer.user_id).app_since is None:
        return _back(face, _("No authenticator app is set up."), warning=True)
    if request.method == "GET" or not form.validate():
        return _ask(face, REMOVE_APP, form)
    try:
        changed = mfa.remove_app(g.viewer, form.password.data, face=face, trace=cookies.trace())
    except Refusal as refusal:
        return _ask(face, REMOVE_APP, form, refusal)
    return _settled(face, changed, _("The authenticator app is removed. Your other browsers are signed out."))


@entry.route(f"{PATH}/passkeys/<uid:passkey>/remove", needs=OWN, methods=["GET", "POST"], late=True, enrolling=True)
def remove_passkey(face: str, passkey: str) -> Any:
    """The passkey no longer counts."""
    form, name = AgainForm(), passkeys.own(g.viewer.user_id, passkey).name
    if request.method == "GET" or not form.validate():
        return _ask(face, REMOVE_PASSKEY, form, about=name)
    try:
        changed = mfa.remove_passkey(g.viewer, passkey, form.password.data, face=face, trace=cookies.trace())
    except Refusal as refusal:
        return _ask(face, REMOVE_PASSKEY, form, refusal, about=name)
    return _settled(face, changed, _("The passkey is removed. Your other browsers are signed out."))
