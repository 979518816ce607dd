"""Inviting people: the account exists at once, the mailed link lets its owner take possession."""

from __future__ import annotations

from sqlalchemy import select

from ..alike import bare, is_team
from ..audit.kinds import Kind
from ..audit.record import record
from ..clock import now
from ..database import queue_up, start_writing
from ..extensions import db
from ..mail.outbox import post
from ..organisations.models import Organisation
from ..refusals import NotAllowed, NotVisible, Refusal, Unfit
from ..settings import values
from ..words import _
from . import affiliation, joining, links, mail_addresses, passwords
from .joining import Seat
from .models import AccountType, OneTimeLink, Profile, Purpose, User
from .permissions import Permission
from .platform import join
from .powers import NO_RIGHT, account, member
from .sending import check_open
from .sending import send_invitation as send_invitation
from .viewer import Viewer

LONGEST = mail_addresses.LONGEST


def free_address(email: str) -> str:
    """The sign-in name, tidied; refused at its field when it is none, too long or somebody else's."""
    email = mail_addresses.tidied(email)
    queue_up("addresses")
    if db.session.scalar(select(User.id).where(User.email.in_(mail_addresses.spellings(email))).limit(1)):
        raise Unfit("email", "There is already an account with this address. Choose another one.")
    return email


def proper_name(name: str, kind: AccountType, organisation: Organisation | None, *, was: str = "") -> str:
    """The name, tidied; refused at its field when it is empty, too long or that of the team. Somebody may keep what they are called."""
    name = " ".join(name.split())
    if not name:
        raise Unfit("name", _("Type a name."))
    if len(name) > LONGEST:
        raise Unfit("name", _("Use at most %(count)s characters.", count=LONGEST))
    if kind is AccountType.EXTERNAL and name != was:
        _check_name(name, organisation)
    return name


def invite(*, email: str, name: str, kind: AccountType, seats: list[Seat], by: Viewer, works_for: str = "") -> User:
    """Create the account and send its owner an invitation, in the running transaction; a program gets no mail and is ready at once.

    What is wrong with one of the places is told with its number before the field.
    """
    if not by.can(Permission.MANAGE_USER):
        raise NotAllowed(NO_RIGHT)
    queue_up("administrators")  # the cap of an external organisation is asked for; before the addresses, as everywhere
    email = free_address(email)
    places = _places(kind, seats, by)
    home = places[next((index for index, seat in enumerate(seats) if seat.default), 0)][0]
    name = proper_name(name, kind, home)
    user = User(email=email, name=name, type=kind, activated_at=now() if kind is AccountType.SERVICE else None)
    db.session.add(user)
    db.session.flush()
    for organisation, profiles in places:
        party = joining.party_of(organisation, works_for, by=by) if kind is AccountType.EXTERNAL else None
        affiliation.enter(user, join(user, organisation, profiles, default=organisation is home), party)
        _note(user, organisation, profiles, first=organisation is home, by=by)
    if kind is not AccountType.SERVICE:
        send_invitation(user, home, by=by)
    return user


def _note(user: User, organisation: Organisation, profiles: list[Profile], *, first: bool, by: Viewer) -> None:
    told: dict[str, list[object]] = {"profiles": [None, [profile.name for profile in profiles]]}
    if first:
        told |= {"name": [None, user.name], "email": [None, user.email], "type": [None, user.type.value]}
    kind = Kind.USER_CREATED if first else Kind.MEMBERSHIP_ADDED
    record(kind, actor=by, organisation_id=organisation.id, object_id=user.id, changes=told)


def _places(kind: AccountType, seats: list[Seat], by: Viewer) -> list[tuple[Organisation, list[Profile]]]:
    if not seats:
        raise Refusal("Choose at least one organisation.")
    places: list[tuple[Organisation, list[Profile]]] = []
    for index, seat in enumerate(seats):
        try:
            organisation = joining.organisation_to_join(seat.organisation_id, by=by)
            if organisation in [place for place, _ in places]:
                raise Unfit("organisation", f"{organisation.name} is chosen twice. Choose each organisation once.")
            places.append((organisation, joining.fitting(kind, organisation, seat.profile_ids, by=by)))
        except Unfit as refusal:
            raise Unfit(f"{index}-{refusal.field}", refusal.sentence) from refusal
    return places


def resend(user_id: int, *, by: Viewer) -> User:
    """Invite a person of one's organisation again."""
    user, organisation = member(user_id, by=by)
    links.check_pace(Purpose.INVITATION, user)
    send_invitation(user, organisation, by=by)
    return user


def copy(user_id: int, *, by: Viewer) -> OneTimeLink:
    """A new link for handing over by oneself, while there is no mail to carry it; the older one dies."""
    user, organisation = account(user_id, by=by)
    if values.mail_is_set_up():
        raise Refusal("Mail is set up, so invitations are sent by mail and nobody else sees the link.")
    check_open(user)
    link = links.make_link(Purpose.INVITATION, user=user, organisation_id=organisation.id, by=by)
    record(Kind.INVITATION_COPIED, actor=by, organisation_id=organisation.id, object_id=user.id)
    return link


def cancel(user_id: int, *, by: Viewer) -> User:
    """Take the invitation back: its link stops working, and no new one can be asked for."""
    user, organisation = account(user_id, by=by)
    if user.activated_at is not None:
        raise Refusal(f"{user.name} has set up the account already. Lock it if they should not use it.")
    if not links.supersede(Purpose.INVITATION, user):
        raise Refusal(f"{user.name} has no invitation that could be withdrawn.")
    record(Kind.INVITATION_CANCELLED, actor=by, organisation_id=organisation.id, object_id=user.id)
    return user


def newest(user_id: int) -> OneTimeLink | None:
    """The last invitation made for the account."""
    wanted = select(OneTimeLink).where(OneTimeLink.user_id == user_id, OneTimeLink.purpose == Purpose.INVITATION)
    return db.session.scalar(wanted.order_by(OneTimeLink.id.desc()).limit(1))


def _check_name(name: str, organisation: Organisation | None) -> None:
    """Nobody may sign as the team towards other guests."""
    _check_seen(name)
    if is_team(name, organisation.name if organisation else ""):
        raise Unfit("name", _("This is what the team is called. Use the person's own name, so that everybody knows who is writing."))


def _check_seen(name: str) -> None:
    if not bare(name):
        raise Unfit("name", _("Use a name that can be seen: letters or digits."))


def accept(token: str, *, name: str, password: str) -> User:
    """Take possession of the account: name and password set, link used up; the caller opens the session.

    The password is hashed before the write begins, and the link is looked at again inside it.
    """
    link = links.open_link(Purpose.INVITATION, token)
    if link is None:
        raise NotVisible("link")
    invited = db.session.get_one(User, link.user_id)
    _check_seen(name)
    if invited.external:
        _check_name(name, db.session.get(Organisation, link.organisation_id))
    passwords.check_strength(password, [invited.name, invited.email, name])
    stored = passwords.hash_password(password)
    start_writing()
    link = links.open_link(Purpose.INVITATION, token)
    if link is None or not links.consume(link):
        raise NotVisible("link")
    user = db.session.get_one(User, link.user_id, populate_existing=True, with_for_update=True)
    if not user.active or user.epoch != link.epoch:
        raise NotVisible("link")  # locked while the password was hashed
    user.name, user.password_hash, user.activated_at = " ".join(name.split()), stored, now()
    user.epoch += 1
    affiliation.rename(user)
    for place in affiliation.managed_by(user.id):
        post("portal_admin", to_user_id=user.id, organisation_id=place)
    record(Kind.USER_ACTIVATED, actor=user, organisation_id=link.organisation_id, object_id=user.id)
    return user
