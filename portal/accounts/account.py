"""One's own account: name, language and time zone, address, signed-in browsers, and what one may do where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from ..audit.kinds import Kind
from ..audit.record import Trace, record
from ..clock import now, zone_names
from ..database import queue_up, start_writing
from ..extensions import db
from ..mail.outbox import post
from ..organisations.models import Organisation
from ..refusals import NotVisible, Refusal, Unfit
from ..words import _, later
from . import affiliation, invitations, links, mail_addresses, passwords, sessions, throttle
from .models import LoginSession, Membership, OneTimeLink, Profile, Purpose, User, membership_profile
from .permissions import ProfileType, in_words
from .viewer import Viewer, languages_for

EMAIL_LINK = timedelta(hours=24)
WRONG_DOMAIN = later("Your organisation does not use addresses of this domain. Enter another address, or ask the security team.")
# What everybody may do without any permission, said to themselves.
ALWAYS = {
    ProfileType.ADMIN: "Sign in to the console. Administrators of the platform never read cases.",
    ProfileType.ORGANISATION: "Read the organisation's cases, except restricted ones you are not named on",
    ProfileType.EXTERNAL: later("Read the cases that are shared with you"),
}
# Guests are told in the words of their side.
OUTSIDE_WORDS = {
    "Report incidents": later("Report incidents to the security team"),
    "Upload files": later("Upload files to these cases"),
    "Write messages": later("Write messages to the security team on these cases"),
    "Add evidence items": later("Add evidence items, such as suspicious addresses, to these cases"),
}


@dataclass(frozen=True)
class Place:
    """An organisation one belongs to and what one may do there, in words. Guests are not told what their profiles are called."""

    name: str
    current: bool
    profiles: list[str] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)


def places(viewer: Viewer) -> list[Place]:
    """Where one works and what one may do there; the organisation worked in comes first."""
    rows = db.session.execute(
        select(Organisation.id, Organisation.name.label("place"), Profile.name, Profile.type, Profile.permissions)
        .join(Membership, Membership.organisation_id == Organisation.id)
        .join(membership_profile, membership_profile.c.membership_id == Membership.id)
        .join(Profile, Profile.id == membership_profile.c.profile_id)
        .where(Membership.user_id == viewer.user_id, Organisation.locked.is_(False))
        .order_by(Organisation.name, Profile.name)
    ).all()
    found = []
    for key, name in dict.fromkeys((row.id, row.place) for row in sorted(rows, key=lambda row: row.id != viewer.organisation_id)):
        own = [row for row in rows if row.id == key]
        sentences = [
            line for kind in dict.fromkeys(row.type for row in own) for line in _may(kind, (p for row in own for p in row.permissions))
        ]
        found.append(Place(name, key == viewer.organisation_id, [] if viewer.external else [row.name for row in own], sentences))
    return found


def _may(kind: ProfileType, permissions: Iterable[str]) -> list[str]:
    words = in_words(permissions, kind)
    sentences = [ALWAYS[kind], *([OUTSIDE_WORDS.get(word, word) for word in words] if kind is ProfileType.EXTERNAL else words)]
    return [str(sentence) for sentence in sentences]


def rename(viewer: Viewer, name: str) -> None:
    """Be called something else from now on; what was written before keeps the name it was signed with."""
    user = _own(viewer)
    wanted = select(Organisation).join(Membership, Membership.organisation_id == Organisation.id).where(Membership.user_id == user.id)
    for organisation in db.session.scalars(wanted):
        name = invitations.proper_name(name, user.type, organisation, was=user.name)
    if name != user.name:
        record(Kind.USER_EDITED, actor=viewer, object_id=user.id, changes={"name": [user.name, name]})
        user.name = name
        affiliation.rename(user)


def set_reading(viewer: Viewer, *, language: str, time_zone: str) -> None:
    """Choose language and time zone; empty for what the browser says and for UTC."""
    if language and language not in languages_for(viewer):
        raise Unfit("language", _("Choose one of the languages in the list."))
    if time_zone and time_zone not in zone_names():
        raise Unfit("time_zone", _("Choose one of the time zones in the list."))
    user = _own(viewer)
    user.language, user.time_zone = language, time_zone


def _own(viewer: Viewer) -> User:
    return db.session.get_one(User, viewer.user_id, populate_existing=True, with_for_update=True)


@dataclass(frozen=True)
class Pending:
    """An address that was asked for and waits to be confirmed."""

    email: str
    expires_at: datetime


def pending_email(viewer: Viewer) -> Pending | None:
    """The change that waits, if any."""
    rows = OneTimeLink.__table__.c
    row = db.session.execute(
        select(rows.email, rows.expires_at)
        .join(User, User.id == rows.user_id)
        .where(
            rows.user_id == viewer.user_id,
            rows.purpose == Purpose.EMAIL,
            rows.used_at.is_(None),
            rows.superseded_at.is_(None),
            rows.expires_at > now(),
            rows.epoch == User.epoch,
        )
    ).first()
    return Pending(row.email, row.expires_at) if row else None


def ask_for_email(viewer: Viewer, email: str, password: str, *, trace: Trace) -> None:
    """Mail a link to the new address; nothing changes until it is opened there.

    For an address that has an account all is the same but the letter: nobody learns here who has one.
    """
    email = mail_addresses.tidied(email)
    if viewer.email in mail_addresses.spellings(email):
        raise Unfit("email", _("This is your address already."))
    if not affiliation.allows(viewer.user_id, email):
        raise Unfit("email", WRONG_DOMAIN)
    throttle.spend(("password", str(viewer.user_id), throttle.SIGN_IN_ACCOUNT))
    stored = db.session.scalar(select(User.password_hash).where(User.id == viewer.user_id))
    db.session.rollback()
    if not passwords.verify(stored, password):
        raise Unfit("password", _("Your password is not right."))
    limits = throttle.MAIL_ADDRESS
    throttle.spend(
        ("mail", email, limits),
        ("new-address", str(viewer.user_id), limits),
        ("mail-network", throttle.network(trace.ip), throttle.MAIL_NETWORK),
    )
    start_writing()
    user = _own(viewer)
    if user.password_hash != stored or not sessions.still_open(viewer, user):
        raise Refusal(_("Your account was changed elsewhere in the meantime. Sign in again."))
    throttle.forgive("password", str(user.id), tries=1)
    link = links.make_link(Purpose.EMAIL, user=user)
    link.email, link.expires_at = email, now() + EMAIL_LINK
    if not affiliation.address_of(email, but=user.id):
        post("email_change", to_user_id=user.id, to_address=email, organisation_id=viewer.organisation_id, link_id=link.id)
    record(Kind.EMAIL_CHANGE_ASKED, actor=viewer, object_id=user.id, changes={"email": [user.email, email]})


def cancel_email(viewer: Viewer) -> None:
    """Think better of it: the link in the letter stops working."""
    links.supersede(Purpose.EMAIL, _own(viewer))


def confirm_email(token: str, *, keep: int | None) -> User:
    """Take the new address, by the link that was mailed there. Other links and all sessions end, but for the one of this browser."""
    queue_up("administrators")  # in the order of whoever changes somebody's address
    queue_up("addresses")
    link = links.open_link(Purpose.EMAIL, token)
    if link is None or not link.email or not links.consume(link):
        raise NotVisible("link")
    user = db.session.get_one(User, link.user_id, populate_existing=True, with_for_update=True)
    if user.epoch != link.epoch or not user.active or affiliation.address_of(link.email, but=user.id):
        raise NotVisible("link")
    if not affiliation.allows(user.id, link.email):
        raise NotVisible("link")
    before, user.email = user.email, link.email
    user.epoch += 1
    db.session.flush()
    db.session.execute(delete(LoginSession).where(LoginSession.user_id == user.id, LoginSession.id != (keep or 0)))
    db.session.execute(update(LoginSession).where(LoginSession.user_id == user.id, LoginSession.id == (keep or 0)).values(epoch=user.epoch))
    affiliation.readdress(user, before)
    for purpose in (Purpose.RESET, Purpose.INVITATION):
        links.supersede(purpose, user)
    post("email_changed", to_user_id=user.id, to_address=before, organisation_id=None, extra={"at": now().isoformat()})
    record(Kind.EMAIL_CHANGED, actor=user, object_id=user.id, changes={"email": [before, user.email]})
    return user


def end_browser(viewer: Viewer, mark: str) -> None:
    """Sign another of one's own browsers out, by its mark."""
    own = (LoginSession.user_id == viewer.user_id, LoginSession.viewed_by_id.is_(None))
    marked = (sessions.is_marked(mark), *own)
    if db.session.scalar(select(LoginSession.id).where(*marked, LoginSession.id == viewer.session_id)) is not None:
        raise Refusal(_("This is the browser you are using. Use 'Sign out' in the menu instead."))
    if db.session.scalar(delete(LoginSession).where(*marked).returning(LoginSession.id)) is None:
        raise NotVisible("session")
    record(Kind.SIGNED_OUT, actor=viewer, object_id=viewer.user_id)


def end_other_browsers(viewer: Viewer) -> int:
    """Sign out everywhere else; how many browsers that were."""
    own = (LoginSession.user_id == viewer.user_id, LoginSession.viewed_by_id.is_(None))
    others = delete(LoginSession).where(*own, LoginSession.id != viewer.session_id)
    ended = len(db.session.scalars(others.returning(LoginSession.id)).all())
    if ended:
        record(Kind.SIGNED_OUT, actor=viewer, object_id=viewer.user_id, changes={"browsers": [ended, 0]})
    return ended
