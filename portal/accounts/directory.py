"""Looking people up: who is in an organisation, where their account stands, whom one may share with or assign to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from ..clock import now
from ..extensions import db
from ..mail.models import State
from ..mail.outbox import delivery_of
from ..organisations.models import Organisation, Party
from .models import AccountType, Membership, OneTimeLink, Profile, Purpose, User, membership_profile
from .viewer import Viewer


@dataclass(frozen=True)
class PersonRow:
    """A line of the people list. `state`: active, locked, invited, waiting, expired, undelivered."""

    id: int
    name: str
    email: str
    kind: str
    organisation: str
    roles: list[str]
    state: str
    state_word: str
    until: datetime | None
    last_sign_in_at: datetime | None
    me: bool

    @property
    def can_resend(self) -> bool:
        """Whether a new invitation would help."""
        return self.state in ("invited", "waiting", "expired", "undelivered")

    @property
    def can_lock(self) -> bool:
        """Nobody locks themselves."""
        return self.state != "locked" and not self.me

    @property
    def can_unlock(self) -> bool:
        """Only what was locked."""
        return self.state == "locked"


KINDS = {AccountType.EXTERNAL: "external", AccountType.NORMAL: "internal", AccountType.SERVICE: "service"}
WORDS = {
    "active": "Active",
    "locked": "Locked",
    "invited": "Invited",
    "waiting": "Invitation waiting",
    "expired": "Invitation expired",
    "undelivered": "Invitation not delivered",
}


def people(viewer: Viewer) -> list[PersonRow]:
    """Everybody of the viewer's organisation (of all organisations for the platform), by name."""
    wanted = (
        select(Membership, User, Organisation.name, Party.name)
        .join(User, User.id == Membership.user_id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .outerjoin(Party, Party.id == Membership.party_id)
        .options(selectinload(Membership.profiles))
        .order_by(User.name, Membership.id)
    )
    if not viewer.platform:
        wanted = wanted.where(Membership.organisation_id == viewer.organisation_id)
    rows = db.session.execute(wanted).all()
    open_links = _open_links([user.id for _, user, _, _ in rows if user.activated_at is None])
    delivery = delivery_of([link.id for link in open_links.values()])
    listed = []
    for membership, user, organisation, party in rows:
        link = open_links.get(user.id)
        state = state_of(user, link, delivery.get(link.id) if link else None)
        until = link.expires_at if link and state == "invited" else None
        listed.append(_person(user, membership, party or organisation, state, until, viewer))
    return listed


def _person(user: User, membership: Membership, place: str, state: str, until: datetime | None, viewer: Viewer) -> PersonRow:
    return PersonRow(
        id=user.id,
        name=user.name,
        email=user.email,
        kind=KINDS[user.type],
        organisation=place,
        roles=[profile.name for profile in membership.profiles],
        state=state,
        state_word=WORDS[state],
        until=until,
        last_sign_in_at=user.last_sign_in_at,
        me=user.id == viewer.user_id,
    )


def _open_links(user_ids: list[int]) -> dict[int, OneTimeLink]:
    rows = db.session.scalars(
        select(OneTimeLink).where(
            OneTimeLink.user_id.in_(user_ids),
            OneTimeLink.purpose == Purpose.INVITATION,
            OneTimeLink.used_at.is_(None),
            OneTimeLink.superseded_at.is_(None),
        )
    )
    return {link.user_id: link for link in rows if link.user_id is not None}


def state_of(user: User, link: OneTimeLink | None, delivery: State | None) -> str:
    """Where the account stands, in one word."""
    if not user.active:
        return "locked"
    if user.activated_at is not None:
        return "active"
    if link is None or link.expires_at <= now() or link.epoch != user.epoch:
        return "expired"
    if delivery in (State.FAILED, State.UNKNOWN, State.DROPPED):
        return "undelivered"
    return "invited" if delivery is State.SENT else "waiting"


@dataclass(frozen=True)
class Outsider:
    """An external person one may share with."""

    id: int
    name: str
    email: str
    organisation: str
    state: str


def outsiders(organisation_id: int) -> list[Outsider]:
    """The organisation's external people who are not locked, by name."""
    rows = db.session.execute(
        select(User.id, User.name, User.email, User.activated_at, Party.name.label("party"))
        .join(Membership, Membership.user_id == User.id)
        .outerjoin(Party, Party.id == Membership.party_id)
        .where(Membership.organisation_id == organisation_id, User.type == AccountType.EXTERNAL, User.active)
        .order_by(User.name)
    )
    return [Outsider(r.id, r.name, r.email, r.party or "", "active" if r.activated_at else "invited") for r in rows]


def colleagues(organisation_id: int) -> list[tuple[int, str]]:
    """Id and name of the organisation's active colleagues; the only ones a case can be assigned to."""
    rows = db.session.execute(
        select(User.id, User.name)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.organisation_id == organisation_id, User.type == AccountType.NORMAL, User.active)
        .order_by(User.name)
    )
    return [(row.id, row.name) for row in rows]


def parties(organisation_id: int) -> list[str]:
    """Names of the outside organisations known so far."""
    return list(db.session.scalars(select(Party.name).where(Party.organisation_id == organisation_id).order_by(Party.name)))


def profiles_of(user_id: int, organisation_id: int) -> list[str]:
    """Names of the profiles somebody holds in an organisation."""
    return list(
        db.session.scalars(
            select(Profile.name)
            .join(membership_profile, membership_profile.c.profile_id == Profile.id)
            .join(Membership, Membership.id == membership_profile.c.membership_id)
            .where(Membership.user_id == user_id, Membership.organisation_id == organisation_id)
            .order_by(Profile.name)
        )
    )
