"""Signing in, forgotten passwords, changing one's own: each with the same answer and the same work for unknown accounts."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from ..audit.kinds import Kind
from ..audit.record import Trace, record, record_apart
from ..clock import now
from ..database import start_writing
from ..extensions import db
from ..mail.models import OutboxMessage
from ..mail.outbox import NEW_LINK, RESET, order, post
from ..organisations.models import Organisation
from ..refusals import NotVisible, Refusal
from ..words import _, later
from . import links, mfa, passwords, sessions, steps, throttle
from .invitations import send_invitation
from .mail_addresses import spellings
from .models import AccountType, Membership, Purpose, User
from .standing import standing_of
from .viewer import LANGUAGES, Viewer

LATEST = timedelta(hours=24)  # for what was asked for: a letter that comes later is no answer any more
WRONG = later("The e-mail address or the password is not right.")


@dataclass(frozen=True)
class SignedIn:
    """A session that was just opened: its key goes into the face's cookie."""

    key: str
    face: str
    user: User


@dataclass(frozen=True)
class StepDue:
    """The password was right and a second step is due: the key of the step goes into a cookie, and nothing is open yet."""

    key: str
    face: str


class WrongDoor(Refusal):
    """The account belongs on the other face, which `face` names; only whoever has its password learns that."""

    def __init__(self, sentence: str, face: str) -> None:
        super().__init__(sentence)
        self.face = face


@dataclass(frozen=True)
class Stranger:
    """Who tried to sign in with an address nobody has, for the record."""

    name: str = "an unknown account"


def sign_in(email: str, password: str, *, face: str, trace: Trace, language: str = "") -> SignedIn | StepDue:
    """Check the password, then open a session on this face or begin the second step; `language` as `start` takes it.

    No lock is held while hashing; the account is read again afterwards.
    """
    email = email.strip().lower()
    network = throttle.network(trace.ip)
    throttle.spend(("sign-in", f"{email}|{network}", throttle.SIGN_IN_ACCOUNT), ("network", network, throttle.SIGN_IN_NETWORK))
    user = _by_email(email)
    stored, user_id = (user.password_hash, user.id) if user else (None, None)
    db.session.rollback()
    right = passwords.verify(stored, password)
    renewed = passwords.hash_password(password) if right and passwords.needs_rehash(stored or "") else stored
    start_writing()
    user = db.session.get(User, user_id, populate_existing=True, with_for_update=True) if user_id else None
    if not right or user is None or not user.active or user.password_hash != stored:
        db.session.rollback()
        record_apart(Kind.SIGN_IN_FAILED, actor=user or Stranger(), object_id=user_id or "")
        raise Refusal(WRONG)
    user.password_hash = renewed
    throttle.forgive("sign-in", f"{email}|{network}")
    throttle.forgive("network", network, tries=1)
    try:
        return _second_step(user, face) if user.mfa else start(user, face, trace, language=language)
    except Refusal:  # right password, wrong door: whoever tries that leaves a trace
        db.session.rollback()
        record_apart(Kind.SIGN_IN_FAILED, actor=user, object_id=user_id or "")
        raise


def _by_email(email: str) -> User | None:
    """The account with the address, however it is written; one with exactly these letters first."""
    wanted = select(User).where(User.email.in_(spellings(email)))
    return db.session.scalar(wanted.order_by((User.email == email).desc()).limit(1))


def face_of(user: User) -> str:
    """The face this account belongs on."""
    return "portal" if user.type is AccountType.EXTERNAL else "console"


def _second_step(user: User, face: str) -> StepDue:
    _place(user, face)
    return StepDue(steps.start(steps.Aim.SIGN_IN, user, face)[0], face)


def start(user: User, face: str, trace: Trace, *, mfa_at: datetime | None = None, language: str = "") -> SignedIn:
    """Open a session for somebody who has just proved who they are; `mfa_at`, with a second factor too.

    `language`: what their browser asks for, one of ours or nothing; letters to people of the portal follow it.
    """
    place = _place(user, face)
    key = sessions.open_session(user, place, face, user_agent=trace.user_agent, ip=trace.ip, mfa_at=mfa_at)
    user.last_sign_in_at = now()
    if face == "portal":
        user.browser_language = language if language in LANGUAGES else ""
    record(Kind.SIGNED_IN, actor=user, organisation_id=place, object_id=user.id)
    return SignedIn(key, face, user)


def _place(user: User, face: str) -> int:
    """The organisation somebody begins in on this face; refused where they cannot come in."""
    if user.type is AccountType.SERVICE:
        raise Refusal(_("A service account cannot sign in here; it uses the API."))
    if face_of(user) != face:
        if face == "console":
            raise WrongDoor("This account belongs to the portal. Sign in there.", "portal")
        raise WrongDoor(_("This account belongs to the analyst console. %(link)s.", link=_("Sign in there")), "console")
    place = db.session.execute(
        select(Membership.organisation_id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(Membership.user_id == user.id, Organisation.locked.is_(False))
        .order_by(Membership.is_default.desc(), Organisation.built_in, Membership.id)
    ).scalar()
    if place is None:
        raise Refusal(_("Your organisation is locked. Ask its administrator."))
    return int(place)


def ask_for_reset(email: str, *, trace: Trace) -> None:
    """Have a reset link mailed if the account is active; nobody learns whether it is."""
    _ask(RESET, email, trace)


def ask_for_new_link(email: str, *, trace: Trace) -> None:
    """Have another invitation sent to somebody who has one open or expired, or a reset link to somebody already active.

    Who was never invited, or whose invitation was cancelled, gets none by asking.
    """
    _ask(NEW_LINK, email, trace)


def _ask(wanted: str, email: str, trace: Trace) -> None:
    """The same rows for every address, without a look at the accounts: the time of the answer must not tell which have one."""
    email = email.strip().lower()
    throttle.spend(("mail", email, throttle.MAIL_ADDRESS), ("mail-network", throttle.network(trace.ip), throttle.MAIL_NETWORK))
    start_writing()
    order(wanted, to_address=email, extra={"trace": asdict(trace)})


def carry_out(wanted: OutboxMessage) -> bool:
    """What was asked for, by the sender, in its running transaction; whether there was anything to do.

    Who asked is forgotten here, for it may have been anybody.
    """
    email, trace = wanted.to_address or "", Trace(**wanted.extra["trace"])
    wanted.to_address, wanted.extra = None, {key: value for key, value in wanted.extra.items() if key != "trace"}
    asked_at = datetime.fromisoformat(wanted.extra["at"]) if "at" in wanted.extra else wanted.created_at
    user = _by_email(email) if now() - asked_at < LATEST else None
    if user is None or not user.active or user.type is AccountType.SERVICE:
        return False
    place = db.session.scalar(
        select(Membership.organisation_id).where(Membership.user_id == user.id).order_by(Membership.is_default.desc(), Membership.id)
    )
    if user.activated_at is None:
        return wanted.letter == NEW_LINK and place is not None and _invite_again(user, db.session.get_one(Organisation, place), trace)
    link = links.make_link(Purpose.RESET, user=user)
    post("reset", to_user_id=user.id, organisation_id=place, link_id=link.id)
    record(Kind.PASSWORD_RESET_ASKED, actor=user, organisation_id=place, object_id=user.id, trace=trace)
    return True


def _invite_again(user: User, organisation: Organisation, trace: Trace) -> bool:
    if standing_of(user).state == "uninvited" or organisation.locked:
        return False
    send_invitation(user, organisation, by=None, trace=trace)
    return True


def reset_password(token: str, password: str) -> User:
    """Set a new password by a mailed link; every session of the account ends. It signs nobody in."""
    link = links.open_link(Purpose.RESET, token)
    if link is None:
        raise NotVisible("link")
    user = db.session.get_one(User, link.user_id)
    passwords.check_strength(password, [user.name, user.email])
    stored = passwords.hash_password(password)
    start_writing()
    link = links.open_link(Purpose.RESET, token)
    if link is None or not links.consume(link):
        raise NotVisible("link")
    user = db.session.get_one(User, link.user_id, populate_existing=True, with_for_update=True)
    if user.epoch != link.epoch or not user.active:
        raise NotVisible("link")
    _replace_password(user, stored)
    return user


def change_password(viewer: Viewer, current: str, new: str, *, face: str, trace: Trace) -> SignedIn:
    """Change one's own password; all sessions end and this browser gets a new one."""
    throttle.spend(("password", str(viewer.user_id), throttle.SIGN_IN_ACCOUNT))
    user = db.session.get_one(User, viewer.user_id)
    before, about = user.password_hash, [user.name, user.email]
    if new == current:
        raise Refusal(_("This is your password already. Choose another one."))
    passwords.check_strength(new, about)
    db.session.rollback()
    if not passwords.verify(before, current):
        raise Refusal(_("Your current password is not right."))
    stored = passwords.hash_password(new)
    start_writing()
    user = db.session.get_one(User, viewer.user_id, populate_existing=True, with_for_update=True)
    if user.password_hash != before or not sessions.still_open(viewer, user):
        raise Refusal(_("Your account was changed elsewhere in the meantime. Sign in again."))
    throttle.forgive("password", str(user.id), tries=1)
    shown_at = mfa.shown_at(viewer)
    _replace_password(user, stored)
    key = sessions.open_session(user, viewer.organisation_id, face, user_agent=trace.user_agent, ip=trace.ip, mfa_at=shown_at)
    return SignedIn(key, face, user)


def _replace_password(user: User, stored: str) -> None:
    user.password_hash = stored
    sessions.end_all(user)
    links.supersede(Purpose.RESET, user)
    post("password_changed", to_user_id=user.id, organisation_id=None, extra={"at": now().isoformat()})
    record(Kind.PASSWORD_CHANGED, actor=user, object_id=user.id)
