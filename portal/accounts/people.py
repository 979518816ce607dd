"""What is done to an account as a whole: edited, locked, unlocked, signed out, deleted."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import delete as delete_from
from sqlalchemy import select, update

from ..audit.kinds import Kind
from ..audit.record import record
from ..cases.models import Case
from ..clock import now
from ..extensions import db
from ..mail.models import OutboxMessage, State
from ..mail.outbox import post
from ..organisations.models import Organisation
from ..refusals import Refusal, Stale, Unfit
from ..settings import values
from ..sharing.models import Access, Grant
from . import affiliation, invitations, joining, links, newcomers, powers, sessions
from .models import (
    AccountType,
    ApiKey,
    Challenge,
    LoginSession,
    Membership,
    OneTimeLink,
    Passkey,
    Picture,
    Purpose,
    RecoveryCode,
    Submission,
    Totp,
    User,
    membership_profile,
)
from .viewer import Viewer

FIXED_ADDRESS = "The account is set up, so only its owner can change the address, on their account page."
# Everything that would let somebody in, or that is about the person alone.
SECRETS = (LoginSession, ApiKey, Passkey, Totp, RecoveryCode, Challenge, Picture, Submission, Grant)


def details_mark(user: User) -> str:
    """What tells today's details from those an older form was made from."""
    return hashlib.sha256(f"{user.name}\n{user.email}".encode()).hexdigest()[:16]


def edit(user_id: int, *, name: str, email: str | None = None, seen: str | None = None, by: Viewer) -> User:
    """Another name; another address only for an account nobody has taken possession of, and then the invitation goes there.

    `seen`: the mark of the details the person looked at, when known.
    """
    user, organisation = powers.account(user_id, by=by)
    if seen and seen != details_mark(user):
        raise Stale(f"Somebody changed these details meanwhile: now it is {user.name}, {user.email}. Save again if yours are right.")
    name = invitations.proper_name(name, user.type, organisation, was=user.name)
    email = user.email if email is None else email.strip().lower()
    if email != user.email:
        if user.activated_at is not None and user.type is not AccountType.SERVICE:
            raise Unfit("email", FIXED_ADDRESS)
        email = invitations.free_address(email)
        if user.external:
            _check_contacts(user, email)
    changes = {key: [old, new] for key, old, new in (("name", user.name, name), ("email", user.email, email)) if old != new}
    if changes:
        before = user.email
        user.name, user.email = name, email
        affiliation.rename(user)
        affiliation.readdress(user, before)
        record(Kind.USER_EDITED, actor=by, organisation_id=organisation.id, object_id=user.id, changes=changes)
    if "email" in changes and user.type is not AccountType.SERVICE:
        links.supersede(Purpose.INVITATION, user)  # the older link went to somebody else
        if user.active:
            invitations.send_invitation(user, organisation, by=by)
    return user


def _check_contacts(user: User, email: str) -> None:
    """Account and contact have the same address, and an address is one contact's."""
    if whose := affiliation.address_of(email, but=user.id):
        raise Unfit("email", f"{email} is an address of the contact {whose}. Take it from that contact first.")
    if not affiliation.allows(user.id, email):
        raise Unfit("email", "Those they work for take only addresses of certain domains. Choose another address.")


def lock(user_id: int, *, by: Viewer) -> User:
    """Close the account: sessions, links and waiting invitations end in this transaction. It can be reopened; by the team alone, also
    where a portal administrator had closed it before."""
    if user_id == by.user_id:
        raise Refusal("You cannot lock your own account. Ask another administrator.")
    user, organisation = powers.account(user_id, by=by)
    if user.active:
        powers.spare(user.id)
        close([user], "the account was locked")
    elif not closed_outside(user):
        raise Refusal("The account was locked already.")
    record(Kind.USER_LOCKED, actor=by, organisation_id=organisation.id, object_id=user.id)
    return user


def closed_outside(user: User) -> bool:
    """Whether a portal administrator closed the account, and can open it again."""
    return not user.active and user.external and bool(powers.closed_outside([user.id]))


def close(users: Sequence[User], why: str) -> None:
    """What closes accounts, however many: nothing goes in or out any more. Whether it may be done is the caller's business."""
    ids = [user.id for user in users]
    for user in users:
        user.active = False
        user.epoch += 1
    db.session.flush()
    db.session.execute(delete_from(LoginSession).where(LoginSession.user_id.in_(ids)))
    _drop_letters(ids, why)


def unlock(user_id: int, *, by: Viewer) -> User:
    """Let the person in again; links made before stay dead, an unfinished invitation must be sent anew."""
    user, organisation = powers.account(user_id, by=by)
    if not user.active:
        for party in affiliation.employers(user.id):
            newcomers.check_room(party)
        user.active = True
        record(Kind.USER_UNLOCKED, actor=by, organisation_id=organisation.id, object_id=user.id)
    return user


def end_sessions(user_id: int, *, by: Viewer) -> User:
    """Sign the person out everywhere; they can sign in again."""
    user, organisation = powers.account(user_id, by=by)
    number = len(browsers(user))
    if not number:
        raise Refusal(f"{user.name} is not signed in anywhere.")
    sessions.end_all(user)
    record(Kind.USER_ENDED_SESSIONS, actor=by, organisation_id=organisation.id, object_id=user.id, changes={"sessions": [number, 0]})
    return user


def browsers(user: User) -> list[datetime]:
    """When each browser the person is signed in with was last seen, the latest first. Whose they are is the caller's business."""
    rows, policy, moment = LoginSession.__table__.c, values.sign_in_policy(), now()
    wanted = select(rows.face, rows.created_at, rows.last_seen_at).where(
        rows.user_id == user.id, rows.epoch == user.epoch, rows.viewed_by_id.is_(None)
    )
    living = [
        row.last_seen_at
        for row in db.session.execute(wanted)
        if row.last_seen_at > moment - policy.idle(row.face) and row.created_at > moment - policy.longest(row.face)
    ]
    return sorted(living, reverse=True)


def send_reset(user_id: int, *, by: Viewer) -> User:
    """Mail the person a link to choose a new password; nobody else gets to see it."""
    user, organisation = powers.account(user_id, by=by)
    if user.type is AccountType.SERVICE:
        raise Refusal(f"{user.name} is a program and has no password. Make a new API key instead.")
    if not user.active:
        raise Refusal(f"{user.name}'s account is locked. Unlock it first.")
    if user.activated_at is None:
        raise Refusal(f"{user.name} has not set up the account yet. Send the invitation again instead.")
    links.check_pace(Purpose.RESET, user)
    link = links.make_link(Purpose.RESET, user=user, by=by)
    post("reset", to_user_id=user.id, organisation_id=organisation.id, link_id=link.id)
    record(Kind.PASSWORD_RESET_ASKED, actor=by, organisation_id=organisation.id, object_id=user.id)
    return user


def delete(user_id: int, *, by: Viewer) -> str:
    """Delete the account for good; return the name, which stays on what its owner wrote."""
    user, organisation = powers.account(user_id, by=by)
    erase(user, organisation, by=by)
    return user.name


def remove(user_id: int, organisation_id: int, *, by: Viewer) -> bool:
    """Take the person out of an organisation; whether it was the last one, so that the account is deleted."""
    user, organisation, seat = joining.seat_of(user_id, organisation_id, by=by)
    if user.id == by.user_id:
        raise Refusal("You cannot remove yourself. Ask another administrator.")
    others = _others(user.id, organisation.id)
    if not others:
        erase(user, organisation, by=by)
        return True
    if organisation.built_in:
        powers.spare(user.id)
    changes = {"profiles": [[profile.name for profile in seat.profiles], None]}
    record(Kind.MEMBERSHIP_REMOVED, actor=by, organisation_id=organisation.id, object_id=user.id, changes=changes)
    _leave(user.id, organisation.id)
    if seat.default:
        joining.mark_default(user.id, others[0])
    return False


def works_elsewhere(user_id: int, organisation_id: int) -> bool:
    """Whether the person has a place in another organisation."""
    return bool(_others(user_id, organisation_id))


def _others(user_id: int, organisation_id: int) -> list[int]:
    wanted = select(Membership.organisation_id).where(Membership.user_id == user_id, Membership.organisation_id != organisation_id)
    return list(db.session.scalars(wanted.order_by(Membership.id)))


def _leave(user_id: int, organisation_id: int) -> None:
    """What the person had there ends: rights, being named on cases, browsers that work there, letters on their way."""
    case = Case.__table__.c  # also those cases the administrator cannot see
    cases = select(case.id).where(case.organisation_id == organisation_id)
    db.session.execute(delete_from(Grant).where(Grant.user_id == user_id, Grant.case_id.in_(cases)))
    # A restricted case is open to its assignee: coming back must not open it again.
    restricted = (Case.organisation_id == organisation_id, Case.assignee_id == user_id, Case.access == Access.RESTRICTED)
    db.session.execute(update(Case).where(*restricted).values(assignee_id=None).execution_options(synchronize_session=False))
    db.session.execute(delete_from(LoginSession).where(LoginSession.user_id == user_id, LoginSession.organisation_id == organisation_id))
    waiting = (OutboxMessage.to_user_id == user_id, OutboxMessage.organisation_id == organisation_id)
    db.session.execute(
        update(OutboxMessage)
        .where(*waiting, OutboxMessage.state == State.WAITING)
        .values(state=State.DROPPED, last_error="the person left the organisation")
    )
    open_links = (OneTimeLink.user_id == user_id, OneTimeLink.organisation_id == organisation_id, OneTimeLink.superseded_at.is_(None))
    db.session.execute(update(OneTimeLink).where(*open_links, OneTimeLink.used_at.is_(None)).values(superseded_at=now()))
    here = select(Membership.id).where(Membership.user_id == user_id, Membership.organisation_id == organisation_id)
    db.session.execute(delete_from(membership_profile).where(membership_profile.c.membership_id.in_(here)))
    db.session.execute(delete_from(Membership).where(Membership.user_id == user_id, Membership.organisation_id == organisation_id))


def erase(user: User, organisation: Organisation, *, by: Viewer) -> None:
    """Take everything from an account but its name; the address is free again. The caller has asked whether `by` may."""
    if user.id == by.user_id:
        raise Refusal("You cannot delete your own account. Ask another administrator.")
    powers.spare(user.id)
    changes = {"name": [user.name, None], "email": [user.email, None]}
    record(Kind.USER_DELETED, actor=by, organisation_id=organisation.id, object_id=user.id, changes=changes)
    sessions.end_all(user)
    _drop_letters([user.id], "the account was deleted")
    _take_away(user.id)
    user.deleted_at, user.active, user.email = now(), False, f"deleted-{user.id}"
    user.password_hash, user.mfa, user.picture = None, False, ""
    user.language, user.browser_language, user.time_zone = "", "", ""
    db.session.flush()


def _drop_letters(user_ids: Collection[int], why: str) -> None:
    waiting = (OutboxMessage.to_user_id.in_(user_ids), OutboxMessage.state == State.WAITING)
    db.session.execute(update(OutboxMessage).where(*waiting).values(state=State.DROPPED, last_error=why))


def _take_away(user_id: int) -> None:
    own = select(OneTimeLink.id).where(OneTimeLink.user_id == user_id)
    db.session.execute(update(OutboxMessage).where(OutboxMessage.link_id.in_(own)).values(link_id=None))
    db.session.execute(delete_from(OneTimeLink).where(OneTimeLink.user_id == user_id))
    for model in SECRETS:
        db.session.execute(delete_from(model).where(model.user_id == user_id))
    seats = select(Membership.id).where(Membership.user_id == user_id)
    db.session.execute(delete_from(membership_profile).where(membership_profile.c.membership_id.in_(seats)))
    db.session.execute(delete_from(Membership).where(Membership.user_id == user_id))
