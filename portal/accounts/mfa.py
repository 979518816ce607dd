"""Second factors: an app's codes, passkeys, recovery codes; set up, taken away by their owner, reset by an administrator."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import pyotp
from flask import current_app
from sqlalchemy import CursorResult, delete, func, select, update

from ..audit.kinds import Kind
from ..audit.record import Trace, record
from ..clock import now
from ..database import start_writing
from ..extensions import db
from ..mail.outbox import post
from ..organisations.models import Organisation
from ..refusals import NotVisible, Refusal, Unfit
from ..settings import values
from ..vault import Unreadable, open_sealed, seal
from ..words import _, later
from . import passkeys, passwords, powers, sessions, steps, throttle
from .models import AccountType, LoginSession, Membership, Passkey, RecoveryCode, Totp, User
from .steps import Aim, Step
from .viewer import Viewer

SECONDS = 30
CODES, CODE_BYTES = 10, 15
WRONG_CODE = later("This code is not right. Type the six digits the app shows now; each works once.")
OVER = later("This took longer than ten minutes, or something about your account changed. Begin again.")
NO_PASSKEYS = later("Passkeys need this product to be reached by a name, over https.")
REQUIRED = later("A second step is required of you, so the last one stays. Add another one first, then remove this one.")
# What people type when they read a recovery code from paper.
MISREAD = str.maketrans({"0": "O", "1": "I", "8": "B", "-": "", " ": ""})


class Over(Refusal):
    """The step that was begun has ended: too old, used, or the account changed."""

    def __init__(self) -> None:
        super().__init__(OVER)


@dataclass(frozen=True)
class Factors:
    """What somebody has set up, for themselves."""

    app_since: datetime | None
    passkeys: list[Passkey]
    codes_left: int
    required: bool


@dataclass(frozen=True)
class Changed:
    """The session this browser goes on with; and the key to the recovery codes, where new ones were made."""

    key: str
    face: str
    codes: str = ""


def factors_of(user_id: int) -> Factors:
    """What the person has set up."""
    app_since = db.session.scalar(select(Totp.confirmed_at).where(Totp.user_id == user_id))
    unused = select(func.count()).where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    return Factors(app_since, passkeys.of(user_id), db.session.scalar(unused) or 0, is_required(user_id))


def is_required(user_id: int) -> bool:
    """Whether one of the places the person works in demands a second factor."""
    policy = values.sign_in_policy()
    rows = db.session.execute(
        select(User.type, Organisation.built_in)
        .join(Membership, Membership.user_id == User.id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(User.id == user_id)
    )
    return any(policy.demands_mfa(external=kind is AccountType.EXTERNAL, platform=built_in) for kind, built_in in rows)


def prove(viewer: Viewer, password: str) -> User:
    """The account, locked for a change, after its password was right; no lock is held while hashing."""
    throttle.spend(("password", str(viewer.user_id), throttle.SIGN_IN_ACCOUNT))
    stored = db.session.scalar(select(User.password_hash).where(User.id == viewer.user_id))
    db.session.rollback()
    if not passwords.verify(stored, password):
        raise Unfit("password", _("Your password is not right."))
    start_writing()
    user = _own(viewer.user_id)
    if user.password_hash != stored or not sessions.still_open(viewer, user):
        raise Refusal(_("Your account was changed elsewhere in the meantime. Sign in again."))
    throttle.forgive("password", str(user.id), tries=1)
    return user


def _own(user_id: int) -> User:
    return db.session.get_one(User, user_id, populate_existing=True, with_for_update=True)


def start(viewer: Viewer, aim: Aim, password: str, *, face: str) -> str:
    """Begin to set something up; the step's key. New recovery codes are made at once, the older ones end."""
    user = prove(viewer, password)
    if aim is Aim.PASSKEY and not passkeys.possible():
        raise Refusal(NO_PASSKEYS)
    if aim is not Aim.CODES:
        return steps.start(aim, user, face)[0]
    if not user.mfa:
        raise Refusal(_("Set up an app or a passkey first. Recovery codes are for the day it is not at hand."))
    _tell(user, "codes")
    return _make_codes(user, aim, face)


def step_of(viewer: Viewer, key: str, face: str, *aims: Aim) -> Step:
    """The step this person has begun."""
    step = steps.find(key, face, *aims)
    if step is None or step.user_id != viewer.user_id:
        raise Over
    return step


# Codes of an app.


def secret_of(step: Step) -> str:
    """What the app is told; sealed and kept only once a first code of it was right."""
    return base64.b32encode(steps.derived(step, "app", 20)).decode()


def address_of(step: Step, viewer: Viewer) -> str:
    """The secret as apps take it: from the QR code, or as a link on the phone itself."""
    host = urlsplit(current_app.config["BASE_URL"]).hostname or "Case portal"
    return pyotp.TOTP(secret_of(step)).provisioning_uri(name=viewer.email, issuer_name=host)


def counter_of(secret: str, code: str) -> int | None:
    """Which half minute's code this is: the present one, or one to either side for clocks that are a little off."""
    digits = "".join(code.split())
    if len(digits) != 6 or not (digits.isascii() and digits.isdigit()):
        return None
    present = int(now().timestamp()) // SECONDS
    known = ((counter, pyotp.TOTP(secret).generate_otp(counter)) for counter in (present, present - 1, present + 1))
    return next((counter for counter, right in known if hmac.compare_digest(right, digits)), None)


def add_app(viewer: Viewer, key: str, code: str, *, face: str, trace: Trace) -> Changed:
    """Take the app into use, by its first code; another app used before no longer counts."""
    step = step_of(viewer, key, face, Aim.APP)
    secret = secret_of(step)
    counter = counter_of(secret, code)
    if counter is None:
        raise Unfit("code", WRONG_CODE)
    user = _own(viewer.user_id)
    if not steps.consume(step):
        raise Over
    db.session.execute(delete(Totp).where(Totp.user_id == user.id))
    sealed = seal(secret, f"totp:{user.id}")
    db.session.add(Totp(user_id=user.id, secret=sealed, last_counter=counter, confirmed_at=now()))
    record(Kind.MFA_ADDED, actor=viewer, object_id=user.id, changes={"second_factor": [None, "app"]})
    return _settle(user, viewer, "app-added", face, trace)


def use_code(user_id: int, code: str) -> bool:
    """Whether the code is right; each works once, also when two browsers send it at the same moment."""
    sealed = db.session.scalar(select(Totp.secret).where(Totp.user_id == user_id, Totp.confirmed_at.is_not(None)))
    try:
        counter = counter_of(open_sealed(sealed, f"totp:{user_id}"), code) if sealed else None
    except Unreadable:  # the secret key was changed: a recovery code or an administrator helps
        return False
    if counter is None:
        return False
    return _did_one(update(Totp).where(Totp.user_id == user_id, Totp.last_counter < counter).values(last_counter=counter))


def remove_app(viewer: Viewer, password: str, *, face: str, trace: Trace) -> Changed:
    """The app's codes no longer count."""
    user = prove(viewer, password)
    if db.session.scalar(select(Totp.id).where(Totp.user_id == user.id)) is None:
        raise NotVisible("app")
    _check_last(user)
    db.session.execute(delete(Totp).where(Totp.user_id == user.id))
    record(Kind.MFA_REMOVED, actor=viewer, object_id=user.id, changes={"second_factor": ["app", None]})
    return _settle(user, viewer, "app-removed", face, trace)


# Passkeys.


def add_passkey(viewer: Viewer, key: str, name: str, credential: str, *, face: str, trace: Trace) -> Changed:
    """Take the passkey the browser made into use."""
    step = step_of(viewer, key, face, Aim.PASSKEY)
    if not name.strip():
        raise Unfit("name", _("Give the passkey a name, so that you know it again."))
    user = _own(viewer.user_id)
    if not steps.consume(step):
        raise Over
    passkey = passkeys.register(step, name.strip()[:64], credential)
    record(Kind.MFA_ADDED, actor=viewer, object_id=user.id, changes={"second_factor": [None, f"passkey {passkey.name}"]})
    return _settle(user, viewer, "passkey-added", face, trace)


def remove_passkey(viewer: Viewer, uid: str, password: str, *, face: str, trace: Trace) -> Changed:
    """The passkey no longer counts."""
    user = prove(viewer, password)
    passkey = passkeys.own(user.id, uid)
    _check_last(user)
    record(Kind.MFA_REMOVED, actor=viewer, object_id=user.id, changes={"second_factor": [f"passkey {passkey.name}", None]})
    db.session.delete(passkey)
    db.session.flush()
    return _settle(user, viewer, "passkey-removed", face, trace)


# Recovery codes.


def codes_of(step: Step) -> list[str]:
    """The codes that were just made, for their owner to keep; we have hashes only."""
    made = [base64.b32encode(steps.derived(step, f"code {number}", CODE_BYTES)).decode() for number in range(CODES)]
    return ["-".join(code[start : start + 4] for start in range(0, len(code), 4)) for code in made]


def _hash(code: str) -> str:
    return hashlib.sha256(code.upper().translate(MISREAD).encode()).hexdigest()


def _make_codes(user: User, aim: Aim, face: str) -> str:
    key, step = steps.start(aim, user, face)
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    db.session.add_all(RecoveryCode(user_id=user.id, code_hash=_hash(code)) for code in codes_of(step))
    record(Kind.RECOVERY_CODES_MADE, actor=user, object_id=user.id)
    return key


def close_codes(viewer: Viewer, step: Step) -> None:
    """Their owner has kept the codes; they are not shown again."""
    if step.user_id != viewer.user_id:
        raise NotVisible("step")
    steps.consume(step)


def use_recovery_code(user_id: int, code: str) -> bool:
    """Whether the code is right; it never works again, and its owner is told."""
    mine = (RecoveryCode.user_id == user_id, RecoveryCode.code_hash == _hash(code), RecoveryCode.used_at.is_(None))
    if not _did_one(update(RecoveryCode).where(*mine).values(used_at=now())):
        return False
    user = db.session.get_one(User, user_id)
    left = factors_of(user_id).codes_left
    record(Kind.RECOVERY_CODE_USED, actor=user, object_id=user_id, changes={"codes_left": [left + 1, left]})
    _tell(user, "code-used", left=left)
    return True


# What follows.


def _did_one(change: Any) -> bool:
    result: Any = db.session.execute(change)
    assert isinstance(result, CursorResult)
    return result.rowcount == 1


def _has_factor(user_id: int) -> bool:
    apps, keys = select(Totp.id).where(Totp.user_id == user_id), select(Passkey.id).where(Passkey.user_id == user_id)
    return any(db.session.scalar(wanted.limit(1)) is not None for wanted in (apps, keys))


def _check_last(user: User) -> None:
    """Refuse to leave somebody without a factor where one is required."""
    found = factors_of(user.id)
    if found.required and len(found.passkeys) + (found.app_since is not None) < 2:
        raise Refusal(REQUIRED)


def _settle(user: User, viewer: Viewer, what: str, face: str, trace: Trace) -> Changed:
    """The account is another one now: all sessions end, this browser gets a new one, the owner is told; a first factor brings codes."""
    db.session.flush()
    user.mfa = _has_factor(user.id)
    proven = None if not user.mfa else now() if what.endswith("-added") else shown_at(viewer)
    sessions.end_all(user)
    key = sessions.open_session(user, viewer.organisation_id, face, user_agent=trace.user_agent, ip=trace.ip, mfa_at=proven)
    _tell(user, what)
    if not user.mfa:
        db.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    needs_codes = user.mfa and factors_of(user.id).codes_left == 0
    return Changed(key, face, _make_codes(user, Aim.FIRST_CODES, face) if needs_codes else "")


def shown_at(viewer: Viewer) -> datetime | None:
    """When a second factor was shown in this session; a session that replaces it keeps that."""
    return db.session.scalar(select(LoginSession.mfa_at).where(LoginSession.id == viewer.session_id))


def _tell(user: User, what: str, **more: Any) -> None:
    post("mfa_changed", to_user_id=user.id, organisation_id=None, extra={"what": what, "at": now().isoformat(), **more})


def reset(user_id: int, *, by: Viewer) -> User:
    """Take a person's second factors away, so that they can sign in with the password and set up new ones; they are told by whom."""
    if user_id == by.user_id:
        raise Refusal("You cannot reset your own second step. Change it on your account page, or ask another administrator.")
    user, organisation = powers.account(user_id, by=by)
    if not user.mfa:
        raise Refusal(f"{user.name} has no second step that could be reset.")
    take_away(user, by=by, organisation_id=organisation.id)
    return user


def take_away(user: User, *, by: Viewer | None, organisation_id: int | None = None) -> None:
    """The account without second factors, signed out everywhere. The caller has asked whether `by` may; None is the command line."""
    for model in (Totp, Passkey, RecoveryCode):
        db.session.execute(delete(model).where(model.user_id == user.id))
    user.mfa = False
    sessions.end_all(user)
    told = {"by": by.name if by else "", "at": now().isoformat()}
    post("mfa_reset", to_user_id=user.id, organisation_id=organisation_id, extra=told)
    record(Kind.MFA_RESET, actor=by, organisation_id=organisation_id, object_id=user.id)
