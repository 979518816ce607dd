"""Settings of the platform: mail with its test and the letters that did not leave, and how people sign in."""

from __future__ import annotations

import smtplib
from dataclasses import asdict
from typing import Any

from flask import current_app, g, request
from sqlalchemy import select

from ..accounts import throttle
from ..accounts.models import User
from ..accounts.permissions import Permission
from ..config import Settings
from ..extensions import db
from ..mail import outbox, transport
from ..refusals import Refusal, Stale, Unfit
from ..settings import change, values
from ..settings.values import MAIL, SEALED, SignInPolicy
from ..vault import Unreadable, open_sealed, seal
from ..web.show import see_other, show
from .face import console
from .settings_forms import MailForm, SignInPolicyForm, typed_in

MANAGE = Permission.MANAGE_PLATFORM
TESTS = ((20, 3600),)
SWITCHES = ("mfa_admin", "mfa_organisation", "mfa_external")
PASSWORD = {
    "none": "It is kept encrypted and never shown again.",
    "kept": "A password is kept. Type a new one to replace it.",
    "lost": "The password that was kept cannot be read with the present secret key. Type it again.",
}
LETTER = {
    "invitation": "Invitation",
    "invitation_reminder": "Reminder of an invitation",
    "portal_admin": "Somebody is portal administrator",
    "people_digest": "People of external organisations",
    "reset": "Password reset",
    "ask_for_reset": "Somebody asked for a password reset",
    "ask_for_new_link": "Somebody asked for a new link",
    "password_changed": "Password was changed",
    "case_shared": "A case was shared",
    "cases_shared": "Cases were shared",
    "access_ending": "Sharing ends soon",
    "access_ended": "Sharing has ended",
    "case_news": "News in a case",
    "case_status": "New status of a case",
    "case_digest": "News in several cases",
    "case_reported": "Case reported in the portal",
    "case_assigned": "A case was assigned",
    "report_received": "Report was received",
    "external_reply": "Reply from an external user",
}
SECURITY = {"starttls": "STARTTLS", "tls": "TLS", "none": "None"}


@console.route("/settings/mail", needs=MANAGE, methods=["GET", "POST"])
def mail_settings() -> Any:
    """How letters leave, and those that did not."""
    form = _mail_form()
    if request.method == "GET" or not form.validate():
        return _mail_page(form)
    try:
        change.save_mail(_mail_choice(form), version=form.version.data, by=g.viewer)
    except Stale as refusal:
        return _mail_page(form, refusal.sentence, stale=_mail_differences(form))
    except Refusal as refusal:
        return _mail_page(form, _placed(form, refusal))
    return see_other(".mail_settings", "The mail settings are saved. They hold from now on.")


def _mail_form() -> MailForm:
    """The form without what the environment settles; on GET filled with what holds now."""
    settings: Settings = current_app.config["SETTINGS"]
    form = MailForm(formdata=None, data=_mail_now()) if request.method == "GET" else MailForm()
    for name in MAIL:
        if settings.overrules(name):
            del form[name]
    if settings.overrules(SEALED):
        del form.forget_password
        del form.typed_password
    else:
        form.smtp_password.description = PASSWORD[change.password_state()]
    if "mail_from" in form:
        form.mail_from.description = f"Whom letters come from. While it is empty: {settings.mail_from}."
    return form


def _mail_now() -> dict[str, Any]:
    now = values.current()
    shown = {name: getattr(now, name) for name in MAIL if name != SEALED}
    return {**shown, "version": change.version_of("mail")}


def _mail_choice(form: MailForm) -> dict[str, Any]:
    """What the form asks for, with the password that was typed now or before it came back."""
    chosen = typed_in(form, (*MAIL, "forget_password"))
    if SEALED in form and not chosen[SEALED] and form.typed_password.data:
        try:
            chosen[SEALED] = open_sealed(form.typed_password.data, _place())
        except Unreadable:
            pass  # of another session: it must be typed again
    return chosen


def _place() -> str:
    return f"typed in session {g.viewer.session_id}"


def _placed(form: Any, refusal: Refusal) -> str | None:
    """Put the sentence beside the field it is about; what is about none is returned."""
    if not isinstance(refusal, Unfit) or refusal.field not in form:
        return refusal.sentence
    form[refusal.field].errors = [refusal.sentence]
    return None


def _mail_differences(form: MailForm) -> list[tuple[str, Any, Any]]:
    """Where what is stored and the form differ; the form may be sent again knowing it."""
    values.forget()
    now = _mail_now()
    form.version.data, form.version.raw_data = now["version"], [str(now["version"])]
    names = [name for name in MAIL if name in form and name != SEALED]
    pairs = [(form[name].label.text, now[name], form[name].data) for name in names]
    return [(label, str(theirs), str(yours)) for label, theirs, yours in pairs if theirs != yours]


def _mail_page(form: MailForm, problem: str | None = None, *, tried: tuple[bool, str] | None = None, stale: Any = None) -> Any:
    settings: Settings = current_app.config["SETTINGS"]
    if SEALED in form:
        typed = _mail_choice(form)[SEALED] if request.method == "POST" else ""
        form.typed_password.data = seal(typed, _place()) if typed else ""
        form.typed_password.raw_data = None
    settled = {name: _shown(name, settings) for name in MAIL if settings.overrules(name)}
    status = 422 if problem or form.errors else 200
    letters = [(letter, LETTER.get(letter.letter, letter.letter.replace("_", " ").capitalize())) for letter in outbox.stuck(by=g.viewer)]
    context: dict[str, Any] = {"password": change.password_state(), "address": g.viewer.email, "letters": letters, "settled": settled}
    return show("console/settings/mail.html", status=status, form=form, problem=problem, tried=tried, stale=stale, **context)


def _shown(name: str, settings: Settings) -> str:
    value = getattr(settings, name)
    if name == SEALED:
        return "A password is set" if value else "None"
    return SECURITY[value] if name == "smtp_security" else str(value) or "None"


@console.route("/settings/mail/test", needs=MANAGE, methods=["POST"], late=True)
def test_mail() -> Any:
    """Send a letter to oneself with what is in the form, before anything is saved."""
    form = _mail_form()
    if not form.validate():
        return _mail_page(form)
    try:
        settings = change.draft_mail(_mail_choice(form), by=g.viewer)
        throttle.spend(("mail-test", str(g.viewer.user_id), TESTS))
    except Refusal as refusal:
        return _mail_page(form, _placed(form, refusal))
    return _mail_page(form, tried=_try(settings))


def _try(settings: Settings) -> tuple[bool, str]:
    """Whether the letter left, and what the server said about it."""
    address, where = g.viewer.email, f"{settings.smtp_host}, port {settings.smtp_port}"
    db.session.rollback()  # no transaction stays open while a server is slow
    try:
        how = transport.send_test(address, settings)
    except (transport.Unanswered, smtplib.SMTPException, OSError, ValueError) as error:
        return False, f"No test letter was sent by {where}: {transport.explain(error)}."
    if how == "smtp":
        return True, f"{where} accepted the test letter to {address}. Look into your mailbox."
    return True, f"There is no mail server in the form, so the test letter was written to the file {how} in the instance's mail folder."


@console.route("/settings/mail/again", needs=MANAGE, methods=["GET", "POST"])
def retry_mail() -> Any:
    """Send a letter again, or all that failed; of one that may have arrived it asks first."""
    wanted = request.values.get("letter", "")
    if request.method == "GET":
        return _ask_again(wanted)
    return _again_all() if wanted == "failed" else _again(wanted)


def _again_all() -> Any:
    count = outbox.retry_failed(by=g.viewer)
    return see_other(".mail_settings", f"{_letters(count)} tried again now. Reload this page in a moment to see how it went.")


def _again(wanted: str) -> Any:
    letter = next((letter for letter in outbox.stuck(by=g.viewer) if str(letter.id) == wanted), None)
    if letter is None:
        return see_other(".mail_settings", "This letter is no longer waiting for a decision.", warning=True)
    if letter.unknown and request.form.get("twice") != "1":
        return _ask_again(wanted)
    outbox.retry(letter.id, twice=letter.unknown, by=g.viewer)
    return see_other(".mail_settings", f"The letter to {letter.to} is tried again now. Reload this page in a moment to see how it went.")


def _letters(count: int) -> str:
    return "No letter is" if count == 0 else "1 letter is" if count == 1 else f"{count:,} letters are"


def _ask_again(wanted: str) -> Any:
    letter = next((letter for letter in outbox.stuck(by=g.viewer) if str(letter.id) == wanted), None)
    if letter is None:
        return see_other(".mail_settings")
    kind = LETTER.get(letter.letter, letter.letter.replace("_", " ").capitalize())
    return show("console/settings/again.html", letter=letter, kind=kind)


@console.route("/settings/sign-in", needs=MANAGE, methods=["GET", "POST"])
def sign_in_settings() -> Any:
    """Passwords, tries, how long a session lasts, and who needs a second step."""
    form = _sign_in_form()
    if request.method == "GET" or not form.validate():
        return _sign_in_page(form)
    try:
        change.save_sign_in(_policy(form), version=form.version.data, by=g.viewer)
    except Stale as refusal:
        return _sign_in_page(form, refusal.sentence, stale=_sign_in_differences(form))
    except Refusal as refusal:
        return _sign_in_page(form, _placed(form, refusal))
    return see_other(".sign_in_settings", "The sign-in settings are saved. They hold from everybody's next click.")


def _sign_in_form() -> SignInPolicyForm:
    if request.method == "POST":
        return SignInPolicyForm()
    now = asdict(values.sign_in_policy())
    chosen = [name for name in SWITCHES if now[name]]
    return SignInPolicyForm(formdata=None, data={**now, "second_step": chosen, "version": change.version_of("sign_in")})


def _policy(form: SignInPolicyForm) -> SignInPolicy:
    chosen = set(form.second_step.data or ())
    numbers = {name: form[name].data for name in asdict(SignInPolicy()) if name not in SWITCHES}
    return SignInPolicy(**numbers, **{name: name in chosen for name in SWITCHES})


def _sign_in_differences(form: SignInPolicyForm) -> list[tuple[str, Any, Any]]:
    values.forget()
    now, yours = asdict(values.sign_in_policy()), asdict(_policy(form))
    version = change.version_of("sign_in")
    form.version.data, form.version.raw_data = version, [str(version)]
    words = {choice.value: choice.label for choice in form.second_step.iter_choices()}
    told: list[tuple[str, Any, Any]] = []
    for name in (name for name in now if now[name] != yours[name]):
        if name in SWITCHES:
            theirs, mine = ("Required" if side[name] else "Not required" for side in (now, yours))
            told.append((f"Second step for {words[name]}", theirs, mine))
        else:
            face = ", console" if name.endswith("console") else ", portal" if name.endswith("portal") else ""
            told.append((f"{form[name].label.text}{face}", str(now[name]), str(yours[name])))
    return told


def _sign_in_page(form: SignInPolicyForm, problem: str | None = None, *, stale: Any = None) -> Any:
    status = 422 if problem or form.errors else 200
    protected = bool(db.session.scalar(select(User.mfa).where(User.id == g.viewer.user_id)))
    usual = SignInPolicy()
    return show("console/settings/sign_in.html", status=status, form=form, problem=problem, stale=stale, protected=protected, usual=usual)
