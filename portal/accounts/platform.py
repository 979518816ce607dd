"""The platform itself: the admin organisation and the built-in profiles, and how the first administrator comes to be."""

from __future__ import annotations

from sqlalchemy import func, select

from ..alike import same_name
from ..audit.kinds import Kind
from ..audit.record import record
from ..clock import now
from ..database import queue_up, start_writing
from ..extensions import db
from ..organisations.models import Organisation
from ..refusals import Refusal
from . import links, passwords
from .models import AccountType, Membership, OneTimeLink, Profile, Purpose, User
from .permissions import BUILT_IN
from .viewer import Viewer

ADMIN_ORGANISATION = "admin"


def seed() -> None:
    """Make what every installation has. Safe to run at each start: it adds what is missing, and gives the locked built-in profiles
    what a newer version knows of; nothing else is changed."""
    first = db.session.scalar(select(Organisation.id).where(Organisation.built_in)) is None
    if first:
        db.session.add(Organisation(name=ADMIN_ORGANISATION, built_in=True))
    present = {profile.name: profile for profile in db.session.scalars(select(Profile).where(Profile.built_in))}
    for name, kind, permissions, locked in BUILT_IN:
        held, known = sorted(permission.value for permission in permissions), present.get(name)
        if known is None and (locked or first):
            db.session.add(Profile(name=name, type=kind, permissions=held, built_in=True, locked=locked))
        elif known is not None and known.locked and known.permissions != held:
            known.permissions = held


def has_people() -> bool:
    """Whether anybody has an account yet."""
    return bool(db.session.scalar(select(func.count()).select_from(select(User.id).limit(1).subquery())))


def profile(name: str) -> Profile:
    """The profile of that name."""
    return db.session.scalars(select(Profile).where(Profile.name == name)).one()


def set_up_link() -> OneTimeLink | None:
    """A link for making the first administrator, as long as there is nobody; a newer one replaces the older."""
    return None if has_people() else links.make_link(Purpose.SETUP)


def create_organisation(name: str, *, by: User | Viewer | None = None) -> Organisation:
    """A new tenant."""
    if any(same_name(known, name) for known in db.session.scalars(select(Organisation.name))):
        raise Refusal(f"An organisation called {name} exists already. Choose another name.")
    organisation = Organisation(name=name)
    db.session.add(organisation)
    db.session.flush()
    record(Kind.ORGANISATION_CREATED, actor=by, organisation_id=organisation.id, object_id=organisation.id)
    return organisation


def create_first_administrator(*, team: str, name: str, email: str, password: str) -> tuple[User, Organisation]:
    """The person who runs the platform and the security team's own organisation; only while there is nobody."""
    passwords.check_strength(password, [name, email, team])
    stored = passwords.hash_password(password)
    start_writing()
    queue_up("first administrator")
    if has_people():
        raise Refusal("This installation has been set up already. Sign in instead.")
    links.supersede(Purpose.SETUP, None)
    user = User(email=email.lower(), name=name, type=AccountType.NORMAL, password_hash=stored, activated_at=now())
    db.session.add(user)
    db.session.flush()
    organisation = create_organisation(team, by=user)
    admin = db.session.scalars(select(Organisation).where(Organisation.built_in)).one()
    join(user, organisation, [profile("Org-Admin")], default=True)
    join(user, admin, [profile("Admin")])
    record(Kind.USER_CREATED, actor=user, organisation_id=organisation.id, object_id=user.id)
    return user, organisation


def join(
    user: User, organisation: Organisation, profiles: list[Profile], *, default: bool = False, party_id: int | None = None
) -> Membership:
    """Make the person a member of the organisation with these profiles."""
    membership = Membership(user_id=user.id, organisation_id=organisation.id, is_default=default, party_id=party_id, profiles=profiles)
    db.session.add(membership)
    db.session.flush()
    return membership
