"""The people of an external organisation: the list of them, and the gate that lets nobody else's people through."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select

from ..clock import now
from ..extensions import db
from ..organisations import parties
from ..organisations.models import Contact, Party
from ..paging import EPOCH, SIZE, Page, cursor, text_cursor
from ..refusals import NotVisible, Unfit
from ..words import Wording, _, later
from .matching import found, words_of
from .models import AccountType, Membership, Profile, User, membership_profile
from .selection import ORDERS
from .standing import FILTERS, Standing, is_in, standings
from .viewer import Viewer

# Who manages people elsewhere reads these words, not those of the console.
WORDS = Wording(
    {
        "active": later("Active"),
        "locked": later("Deactivated"),
        "closed": later("Deactivated by the security team"),  # so they cannot reactivate
        "uninvited": later("Not invited"),
        "invited": later("Invited"),
        "waiting": later("Invitation waiting"),
        "undelivered": later("Invitation not delivered"),
        "expired": later("Invitation expired"),
    }
)
# The names of the roles there are from the beginning, for people who never read "external" of themselves.
ROLES = Wording({"External-Reader": later("Reader"), "External-Actor": later("Participant")})


def role_word(name: str) -> str:
    """What a portal person reads for the name of a role."""
    return ROLES.get(name, name)


@dataclass(frozen=True)
class StaffStanding(Standing):
    """The same in the words of an external organisation."""

    @property
    def word(self) -> str:
        """For people."""
        return WORDS[self.state]


@dataclass(frozen=True)
class Person:
    """Somebody of an external organisation who has an account. `confirmed`: whether the name was given by themselves or by the team."""

    user_id: int
    uid: str
    contact_id: int | None
    name: str
    email: str
    role_ids: tuple[int, ...]
    role_names: tuple[str, ...]
    portal_admin: bool
    standing: StaffStanding
    last_sign_in_at: datetime | None
    confirmed: bool
    me: bool


def members(party: Party, *columns: Any) -> Select[Any]:
    """The accounts of the external organisation, deleted ones left out."""
    here = (Membership.party_id == party.id, Membership.organisation_id == party.organisation_id)
    wanted = select(*columns).select_from(User).join(Membership, Membership.user_id == User.id)
    return wanted.where(*here, User.type == AccountType.EXTERNAL, User.deleted_at.is_(None))


def seats(party: Party, user_ids: Collection[int]) -> list[tuple[User, Membership]]:
    """These people of the external organisation with their place in it, in the order asked for, held until the end of the transaction.

    Nobody's when one of them is none of its people: then nothing may be done to the others either.
    """
    if not user_ids:
        raise Unfit("people", _("Choose at least one person."))
    if not all(0 < key < 2**63 for key in user_ids):
        raise NotVisible("person")
    wanted = members(party, User, Membership).where(User.id.in_(set(user_ids))).order_by(User.id)
    held = wanted.with_for_update(of=User, key_share=True).execution_options(populate_existing=True)
    rows = {user.id: (user, membership) for user, membership in db.session.execute(held)}
    if rows.keys() != set(user_ids):
        raise NotVisible("person")
    return [rows[key] for key in dict.fromkeys(user_ids)]


def number_active(party: Party) -> int:
    """How many people count towards the cap: those who are not deactivated."""
    return db.session.scalar(members(party, func.count()).where(User.active)) or 0


def numbers(party: Party) -> tuple[int, int]:
    """How many are not deactivated, and how many of these nobody invited yet."""
    row = db.session.execute(members(party, func.count(), func.count().filter(is_in("uninvited", now()))).where(User.active)).one()
    return row[0], row[1]


def number_of_admins(party: Party) -> int:
    """How many portal administrators could act: those who have set up their account and are not deactivated."""
    able = (User.active, User.activated_at.is_not(None), Membership.portal_admin)
    return db.session.scalar(members(party, func.count()).where(*able)) or 0


_COLUMNS = (
    User.id,
    User.uid,
    User.name,
    User.email,
    User.active,
    User.activated_at,
    User.epoch,
    User.last_sign_in_at,
    User.search_text,
    Membership.id.label("membership_id"),
    Membership.contact_id,
    Membership.portal_admin,
    Contact.confirmed,
)


def people(party_id: int, *, q: str = "", sort: str = "name", state: str = "", after: str = "", by: Viewer) -> Page[Person]:
    """A page of its people. `sort`: name, -name, seen (latest first) or -seen; `state`: one of FILTERS, or all."""
    party = parties.reach(party_id, by=by)
    sort = sort if sort in ORDERS else "name"
    order, continues = ORDERS[sort]
    wanted = members(party, *_COLUMNS).outerjoin(Contact, Contact.id == Membership.contact_id)
    for word in words_of(q):
        wanted = wanted.where(found(word))
    if state in FILTERS:
        wanted = wanted.where(is_in(state, now()))
    if after and (condition := continues(after)) is not None:
        wanted = wanted.where(condition)
    rows = db.session.execute(wanted.order_by(*order).limit(SIZE + 1)).all()
    return Page(told(rows[:SIZE], by), _cursor(rows[SIZE - 1], sort) if len(rows) > SIZE else None)


def chosen(party_id: int, user_ids: Iterable[int], *, by: Viewer, still: bool = False) -> list[Person]:
    """These of its people, by name; nobody's when one of them is none of its people. `still`: those of them who are there still."""
    party, wanted = parties.reach(party_id, by=by), set(user_ids)
    known = members(party, *_COLUMNS).outerjoin(Contact, Contact.id == Membership.contact_id).order_by(User.search_text, User.id)
    rows = db.session.execute(known.where(User.id.in_(key for key in wanted if 0 < key < 2**63))).all() if wanted else []
    if not still and {row.id for row in rows} != wanted:
        raise NotVisible("person")
    return told(rows, by)


def numbers_of(party_id: int, uids: Iterable[str], *, by: Viewer) -> dict[str, int]:
    """Whose accounts these are, of its people; who is none of them is left out."""
    party = parties.reach(party_id, by=by)
    wanted = {uid.replace("\0", "") for uid in uids}
    return dict(db.session.execute(members(party, User.uid, User.id).where(User.uid.in_(wanted))).all())


def everybody(party_id: int, *, by: Viewer) -> list[Person]:
    """All its people by name."""
    party = parties.reach(party_id, by=by)
    wanted = members(party, *_COLUMNS).outerjoin(Contact, Contact.id == Membership.contact_id)
    return told(db.session.execute(wanted.order_by(User.search_text, User.id)).all(), by)


def _cursor(row: Any, sort: str) -> str:
    return text_cursor(row.search_text, row.id) if sort.endswith("name") else cursor(row.last_sign_in_at or EPOCH, row.id)


def told(rows: Iterable[Any], by: Viewer) -> list[Person]:
    """The rows as people are told of them; two queries, however many there are."""
    rows = list(rows)
    standing, roles = standings(rows), roles_of([row.membership_id for row in rows])
    return [
        Person(
            user_id=row.id,
            uid=row.uid,
            contact_id=row.contact_id,
            name=row.name,
            email=row.email,
            role_ids=tuple(roles[row.membership_id]),
            role_names=tuple(roles[row.membership_id].values()),
            portal_admin=row.portal_admin,
            standing=StaffStanding(standing[row.id].state, standing[row.id].until),
            last_sign_in_at=row.last_sign_in_at,
            confirmed=row.confirmed is not False,
            me=row.id == by.user_id,
        )
        for row in rows
    ]


def roles_of(membership_ids: Collection[int]) -> dict[int, dict[int, str]]:
    """The roles held with each of these memberships, by name."""
    held: dict[int, dict[int, str]] = defaultdict(dict)
    wanted = select(membership_profile.c.membership_id, Profile.id, Profile.name)
    wanted = wanted.join(Profile, Profile.id == membership_profile.c.profile_id).order_by(Profile.name)
    for membership_id, key, name in db.session.execute(wanted.where(membership_profile.c.membership_id.in_(membership_ids))):
        held[membership_id][key] = name
    return held
