"""Inviting people: the account exists at once, the mailed link lets its owner take possession."""

from __future__ import annotations

from sqlalchemy import func, select

from ..audit.kinds import Kind
from ..audit.record import record
from ..clock import now
from ..database import start_writing
from ..extensions import db
from ..mail.outbox import post
from ..organisations.models import Organisation, Party, PartyKind
from ..refusals import NotVisible, Refusal
from . import links, passwords
from .models import AccountType, OneTimeLink, Profile, Purpose, User
from .platform import join
from .powers import check_grant, member, organisation_for, type_for
from .viewer import Viewer


def profiles_for(kind: AccountType, organisation: Organisation) -> list[Profile]:
    """The profiles an account of this kind may hold in this organisation."""
    wanted = select(Profile).where(Profile.type == type_for(kind, organisation))
    return list(db.session.scalars(wanted.order_by(Profile.name)))


def invite(
    *, email: str, name: str, kind: AccountType, profile_ids: list[int], organisation_id: int, by: Viewer, works_for: str = ""
) -> User:
    """Create the account and send its owner an invitation; both in the running transaction, the mail when the server is there."""
    organisation = organisation_for(organisation_id, by=by)
    email = email.strip().lower()
    if db.session.scalar(select(User.id).where(User.email == email)):
        raise Refusal("There is already an account with this address.")
    profiles = [profile for profile in profiles_for(kind, organisation) if profile.id in profile_ids]
    if kind is not AccountType.EXTERNAL and len(profiles) != 1:
        raise Refusal("Choose one profile that fits a colleague in this organisation.")
    if kind is AccountType.EXTERNAL and (not profiles or organisation.built_in):
        raise Refusal("Choose at least one role for the external user, in an organisation that holds cases.")
    check_grant(profiles, by=by)
    user = User(email=email, name=name.strip(), type=kind)
    db.session.add(user)
    db.session.flush()
    party = _party(organisation, works_for) if kind is AccountType.EXTERNAL else None
    join(user, organisation, profiles, default=True, party_id=party.id if party else None)
    record(
        Kind.USER_CREATED,
        actor=by,
        organisation_id=organisation.id,
        object_id=user.id,
        changes={"profiles": [None, [p.name for p in profiles]]},
    )
    send_invitation(user, organisation, by=by)
    return user


def _party(organisation: Organisation, name: str) -> Party | None:
    name = name.strip()
    if not name:
        return None
    party = db.session.scalar(select(Party).where(Party.organisation_id == organisation.id, func.lower(Party.name) == name.lower()))
    if party is None:
        party = Party(organisation_id=organisation.id, name=name, kind=PartyKind.CLIENT)
        db.session.add(party)
        db.session.flush()
    return party


def send_invitation(user: User, organisation: Organisation, *, by: Viewer | None) -> OneTimeLink:
    """A new link and its letter; the older link dies."""
    if not user.active:
        raise Refusal(f"{user.name}'s account is locked. Unlock it before you send an invitation.")
    if user.activated_at is not None:
        raise Refusal(f"{user.name} has set up the account already. They can use 'Forgotten your password?' on the sign-in page.")
    link = links.make_link(Purpose.INVITATION, user=user, organisation_id=organisation.id, by=by)
    post("invitation", to_user_id=user.id, organisation_id=organisation.id, link_id=link.id)
    record(Kind.USER_INVITED, actor=by, organisation_id=organisation.id, object_id=user.id)
    return link


def resend(user_id: int, *, by: Viewer) -> User:
    """Invite a person of one's organisation again."""
    user, organisation = member(user_id, by=by)
    send_invitation(user, organisation, by=by)
    return user


def _check_name(name: str, link: OneTimeLink) -> None:
    """Nobody may sign as the team towards other guests."""
    organisation = db.session.get(Organisation, link.organisation_id)
    taken = {"security team", "the security team", organisation.name.lower() if organisation else ""}
    if " ".join(name.lower().split()) in taken:
        raise Refusal("Use your own name, so that everybody knows who is writing.")


def accept(token: str, *, name: str, password: str) -> User:
    """Take possession of the account: name and password set, link used up; the caller opens the session.

    The password is hashed before the write begins, and the link is looked at again inside it.
    """
    link = links.open_link(Purpose.INVITATION, token)
    if link is None:
        raise NotVisible("link")
    invited = db.session.get_one(User, link.user_id)
    _check_name(name, link)
    passwords.check_strength(password, [invited.name, invited.email, name])
    stored = passwords.hash_password(password)
    start_writing()
    link = links.open_link(Purpose.INVITATION, token)
    if link is None or not links.consume(link):
        raise NotVisible("link")
    user = db.session.get_one(User, link.user_id)
    user.name, user.password_hash, user.activated_at = name.strip(), stored, now()
    user.epoch += 1
    record(Kind.USER_ACTIVATED, actor=user, organisation_id=link.organisation_id, object_id=user.id)
    return user
