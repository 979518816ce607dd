"""Where an account stands: as a word for people and as a condition for the database, which always agree."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, exists, select

from ..clock import now
from ..database import kept, straight
from ..mail.models import OutboxMessage, State
from .models import OneTimeLink, Purpose, User

WORDS = {
    "active": "Active",
    "locked": "Locked",
    "uninvited": "Not invited",
    "invited": "Invited",
    "waiting": "Invitation waiting",
    "undelivered": "Invitation not delivered",
    "expired": "Invitation expired",
}
# How far the letter has come makes no difference to a filter: whoever holds a living link is invited.
FILTERS = ("active", "invited", "expired", "uninvited", "locked")
UNSET = frozenset({"uninvited", "invited", "waiting", "undelivered", "expired"})


@dataclass(frozen=True)
class Standing:
    """One of WORDS, and until when the invitation works, where it has arrived."""

    state: str
    until: datetime | None = None

    @property
    def word(self) -> str:
        """For people."""
        return WORDS[self.state]

    @property
    def can_invite(self) -> bool:
        """Whether a new invitation would help."""
        return self.state in UNSET


def state_of(user: Any, link: Any, delivery: State | None) -> str:
    """Where the account stands, in one word. `link`: the newest invitation that was neither used nor taken back."""
    if not user.active:
        return "locked"
    if user.activated_at is not None:
        return "active"
    if link is None:
        return "uninvited"
    if link.expires_at <= now() or link.epoch != user.epoch:
        return "expired"
    if delivery in (State.FAILED, State.UNKNOWN, State.DROPPED):
        return "undelivered"
    return "invited" if delivery in (State.SENT, None) else "waiting"  # without a letter, somebody handed the link over


def is_in(state: str, moment: Any) -> ColumnElement[bool]:
    """The condition on `User` for one of FILTERS at this moment."""
    if state == "locked":
        return User.active.is_(False)
    if state == "active":
        return and_(User.active, User.activated_at.is_not(None))
    opened = exists().where(OneTimeLink.user_id == User.id, *_OPEN)
    living = opened.where(OneTimeLink.expires_at > moment, OneTimeLink.epoch == User.epoch)
    links = {"invited": (living,), "expired": (opened, ~living), "uninvited": (~opened,)}[state]
    return and_(User.active, User.activated_at.is_(None), *links)


_OPEN = (OneTimeLink.purpose == Purpose.INVITATION, OneTimeLink.used_at.is_(None), OneTimeLink.superseded_at.is_(None))
_delivery = (
    select(OutboxMessage.state)
    .where(OutboxMessage.link_id == OneTimeLink.id, OutboxMessage.letter == "invitation")
    .order_by(OutboxMessage.id.desc())
    .limit(1)
    .correlate(OneTimeLink)
    .scalar_subquery()
)
_LINKS = kept(
    select(OneTimeLink.user_id, OneTimeLink.expires_at, OneTimeLink.epoch, _delivery.label("delivery"))
    .where(*_OPEN, OneTimeLink.user_id.in_(bindparam("users", expanding=True)))
    .order_by(OneTimeLink.id)
)


def standings(users: Iterable[Any]) -> dict[int, Standing]:
    """Where each of these accounts (rows or users) stands; one query."""
    people = {user.id: user for user in users}
    unset = [user.id for user in people.values() if user.active and user.activated_at is None]
    found = straight(_LINKS, {"users": unset}).all() if unset else []
    # Should two be open, the one that still works says where the account stands.
    links = {link.user_id: link for link in sorted(found, key=lambda link: _works(link, people[link.user_id]))}
    return {key: _standing(user, links.get(key)) for key, user in people.items()}


def standing_of(user: Any) -> Standing:
    """Where one account stands."""
    return standings([user])[user.id]


def _works(link: Any, user: Any) -> bool:
    return bool(link.expires_at > now() and link.epoch == user.epoch)


def _standing(user: Any, link: Any) -> Standing:
    state = state_of(user, link, link.delivery if link else None)
    return Standing(state, link.expires_at if state == "invited" else None)
