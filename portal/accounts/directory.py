"""Looking people up: the list of an organisation's people or of everybody, whom one may share with or assign to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, tuple_

from ..extensions import db
from ..organisations.models import Organisation, Party
from ..paging import EPOCH, SIZE, Page, cursor, read_cursor, read_text_cursor, text_cursor
from .matching import found, words_of
from .models import AccountType, ApiKey, Membership, Profile, User, folded, membership_profile
from .permissions import ProfileType
from .standing import Standing, is_in, standings
from .viewer import Viewer

KINDS = {AccountType.EXTERNAL: "external", AccountType.NORMAL: "internal", AccountType.SERVICE: "service"}
TYPES = {word: kind for kind, word in KINDS.items()}
MANY, FEW = 1_000, SIZE  # lists say "1,000+" from here on, searches "25+"
AT_ONCE = 500  # rows an export reads in one go
NAMES = 200  # colleagues offered as assignees


@dataclass(frozen=True)
class Filters:
    """What the list is narrowed to, and its order; empty text means any. `sort`: name, -name, seen (latest first) or -seen."""

    q: str = ""
    kind: str = ""
    state: str = ""
    profile: str = ""
    organisation: str = ""
    second: str = ""
    sort: str = "name"


@dataclass(frozen=True)
class Place:
    """An organisation somebody is a member of, as what, and whom they work for outside it."""

    organisation: str
    party: str
    profiles: tuple[str, ...]


@dataclass(frozen=True)
class PersonRow:
    """A line of the people list, with every organisation the viewer may know of."""

    id: int
    name: str
    email: str
    kind: str
    picture: str
    places: tuple[Place, ...]
    standing: Standing
    second_factor: bool
    signs_in_with: str
    last_sign_in_at: datetime | None
    me: bool

    @property
    def organisation(self) -> str:
        """Whom they work for."""
        return (self.places[0].party or self.places[0].organisation) if self.places else ""

    @property
    def roles(self) -> list[str]:
        """Names of the profiles held where the list looks first."""
        return list(self.places[0].profiles) if self.places else []

    @property
    def state(self) -> str:
        """One word of standing.WORDS."""
        return self.standing.state

    @property
    def can_resend(self) -> bool:
        """Whether a new invitation would help."""
        return self.standing.can_invite


_COLUMNS = (
    User.id,
    User.name,
    User.email,
    User.type,
    User.picture,
    User.active,
    User.activated_at,
    User.epoch,
    User.mfa,
    User.last_sign_in_at,
    User.search_text,
    User.password_hash.is_not(None).label("has_password"),
    exists().where(ApiKey.user_id == User.id).label("has_key"),
)


def people(viewer: Viewer, filters: Filters | None = None, after: str = "") -> Page[PersonRow]:
    """The people of the viewer's organisation, of all organisations for the platform, 25 a page."""
    return listed(viewer, filters or Filters(), after)[0]


def listed(viewer: Viewer, filters: Filters, after: str = "") -> tuple[Page[PersonRow], str]:
    """A page, and in words how many people the whole list has.

    Few fit a search or a filter, so that finding them means going through everybody: once must do for the page and the count.
    """
    sparse = bool(filters.q or filters.state or filters.profile or filters.second)
    most = FEW if sparse else MANY
    rows = db.session.execute(_ordered(viewer, filters, after).limit(most + 1 if sparse and not after else SIZE + 1)).all()
    page = Page(_told(rows[:SIZE], viewer), _cursor(rows[SIZE - 1], filters.sort) if len(rows) > SIZE else None)
    total = len(rows) if not after and (sparse or len(rows) <= SIZE) else _count(viewer, filters, most)
    return page, counted(total, most)


def counted(total: int, most: int = MANY) -> str:
    """A number for people, when counting stops right after `most`."""
    return f"{most:,}+" if total > most else str(total)


def _count(viewer: Viewer, filters: Filters, most: int) -> int:
    place = _place(viewer, filters)
    if place is not None and not (filters.kind or filters.q or filters.state or filters.profile or filters.second):
        # Who is a member is not deleted: nobody's account need be looked at.
        members = select(Membership.id).where(Membership.organisation_id == place).limit(most + 1)
        return db.session.scalar(select(func.count()).select_from(members.subquery())) or 0
    wanted = _narrowed(_members((User.id,), _place(viewer, filters)), viewer, filters).limit(most + 1)
    return db.session.scalar(select(func.count()).select_from(wanted.subquery())) or 0


def everybody(viewer: Viewer, filters: Filters) -> Iterator[PersonRow]:
    """All of them, not only a page, for an export."""
    after = ""
    while True:
        rows = db.session.execute(_ordered(viewer, filters, after).limit(AT_ONCE)).all()
        yield from _told(rows, viewer)
        if len(rows) < AT_ONCE:
            return
        after = _cursor(rows[-1], filters.sort)


def chosen(viewer: Viewer, ids: Iterable[int]) -> list[PersonRow]:
    """Those among these people whom the viewer has in their list, by name."""
    wanted = _members(_COLUMNS, None if viewer.platform else viewer.organisation_id).where(User.id.in_(set(ids)))
    return _told(db.session.execute(wanted.order_by(User.search_text, User.id)).all(), viewer)


def _place(viewer: Viewer, filters: Filters) -> int | None:
    """The organisation looked into; None for all, which only the platform sees."""
    if not viewer.platform:
        return viewer.organisation_id
    return int(filters.organisation) if filters.organisation else None


@lru_cache(maxsize=512)
def _members(columns: tuple[Any, ...], organisation_id: int | None) -> Select[Any]:
    wanted = select(*columns).where(User.deleted_at.is_(None))
    if organisation_id is None:
        return wanted
    return wanted.join(Membership, Membership.user_id == User.id).where(Membership.organisation_id == organisation_id)


def _ordered(viewer: Viewer, filters: Filters, after: str) -> Select[Any]:
    wanted = _narrowed(_members(_COLUMNS, _place(viewer, filters)), viewer, filters)
    order, continues = ORDERS[filters.sort]
    if after and (condition := continues(after)) is not None:
        wanted = wanted.where(condition)
    return wanted.order_by(*order)


def _narrowed(wanted: Select[Any], viewer: Viewer, filters: Filters) -> Select[Any]:
    for word in words_of(filters.q):
        wanted = wanted.where(found(word))
    if filters.kind:
        wanted = wanted.where(User.type == TYPES[filters.kind])
    if filters.state:
        wanted = wanted.where(is_in(filters.state))
    if filters.second:
        wanted = wanted.where(User.mfa.is_(filters.second == "yes"))
    if filters.profile:
        held = exists().where(membership_profile.c.membership_id == Membership.id, membership_profile.c.profile_id == int(filters.profile))
        if _place(viewer, filters) is None:
            held = held.where(Membership.user_id == User.id).correlate(User)
        wanted = wanted.where(held)
    return wanted


# How each order goes on after a cursor. Who never signed in comes after everybody who did, or before them.


def _by_name(text: str) -> ColumnElement[bool] | None:
    place = read_text_cursor(text)
    return tuple_(User.search_text, User.id) > place if place else None


def _by_name_backwards(text: str) -> ColumnElement[bool] | None:
    place = read_text_cursor(text)
    return tuple_(User.search_text, User.id) < place if place else None


def _latest_first(text: str) -> ColumnElement[bool] | None:
    place = read_cursor(text)
    if place is None:
        return None
    if place[0] == EPOCH:
        return and_(User.last_sign_in_at.is_(None), User.id < place[1])
    return or_(tuple_(User.last_sign_in_at, User.id) < place, User.last_sign_in_at.is_(None))


def _latest_last(text: str) -> ColumnElement[bool] | None:
    place = read_cursor(text)
    if place is None:
        return None
    if place[0] == EPOCH:
        return or_(User.last_sign_in_at.is_not(None), User.id > place[1])
    return tuple_(User.last_sign_in_at, User.id) > place


ORDERS: dict[str, tuple[tuple[Any, ...], Callable[[str], ColumnElement[bool] | None]]] = {
    "name": ((User.search_text, User.id), _by_name),
    "-name": ((User.search_text.desc(), User.id.desc()), _by_name_backwards),
    "seen": ((User.last_sign_in_at.desc().nulls_last(), User.id.desc()), _latest_first),
    "-seen": ((User.last_sign_in_at.nulls_first(), User.id), _latest_last),
}


def _cursor(row: Any, sort: str) -> str:
    return text_cursor(row.search_text, row.id) if sort.endswith("name") else cursor(row.last_sign_in_at or EPOCH, row.id)


def _told(rows: Iterable[Any], viewer: Viewer) -> list[PersonRow]:
    rows = list(rows)
    places = _places([row.id for row in rows], viewer)
    standing = standings(rows)
    return [
        PersonRow(
            id=row.id,
            name=row.name,
            email=row.email,
            kind=KINDS[row.type],
            picture=row.picture,
            places=places[row.id],
            standing=standing[row.id],
            second_factor=row.mfa,
            signs_in_with=_method(row),
            last_sign_in_at=row.last_sign_in_at,
            me=row.id == viewer.user_id,
        )
        for row in rows
    ]


def _method(row: Any) -> str:
    if row.has_password:
        return "Password and second step" if row.mfa else "Password"
    return "API key only" if row.has_key else "Not set up"


_PLACES = (
    select(Membership.user_id, Organisation.name, Party.name.label("party"), Profile.name.label("profile"))
    .join(Organisation, Organisation.id == Membership.organisation_id)
    .outerjoin(Party, Party.id == Membership.party_id)
    .outerjoin(membership_profile, membership_profile.c.membership_id == Membership.id)
    .outerjoin(Profile, Profile.id == membership_profile.c.profile_id)
    .order_by(Membership.is_default.desc(), Organisation.name, Profile.name)
)


def _places(user_ids: list[int], viewer: Viewer) -> dict[int, tuple[Place, ...]]:
    wanted = _PLACES.where(Membership.user_id.in_(user_ids))
    if not viewer.platform:
        wanted = wanted.where(Membership.organisation_id == viewer.organisation_id)
    held: dict[int, dict[tuple[str, str], list[str]]] = defaultdict(lambda: defaultdict(list))
    for row in db.session.execute(wanted):
        held[row.user_id][row.name, row.party or ""] += [row.profile] if row.profile else []
    return {key: tuple(Place(name, party, tuple(p)) for (name, party), p in held[key].items()) for key in user_ids}


@dataclass(frozen=True)
class Outsider:
    """An external person one may share with."""

    id: int
    name: str
    email: str
    organisation: str
    state: str


@lru_cache(maxsize=512)
def _outside(organisation_id: int, *columns: Any) -> Any:
    joined = select(*columns).join(Membership, Membership.user_id == User.id).outerjoin(Party, Party.id == Membership.party_id)
    return joined.where(Membership.organisation_id == organisation_id, User.type == AccountType.EXTERNAL, User.active)


_OUTSIDER = (User.id, User.name, User.email, User.activated_at, Party.name.label("party"))


def outsiders(
    organisation_id: int,
    *,
    text: str = "",
    ids: Iterable[int] | Select[int] | None = None,
    but: Iterable[int] = (),
    limit: int | None = None,
) -> list[Outsider]:
    """The organisation's external people who are not locked, by name: those of `ids` only, without `but`, whom `text` finds."""
    wanted = _outside(organisation_id, *_OUTSIDER)
    if ids is not None:
        wanted = wanted.where(User.id.in_(ids if isinstance(ids, Select) else set(ids)))
    if left_out := set(but):
        wanted = wanted.where(User.id.not_in(left_out))
    words = words_of(text)
    known = [(key, folded(name)) for key, name in _parties(organisation_id)] if words else []
    for word in words:
        wanted = wanted.where(or_(found(word), Membership.party_id.in_([key for key, name in known if word in name])))
    rows = db.session.execute(wanted.order_by(User.search_text, User.id).limit(limit))
    return [Outsider(r.id, r.name, r.email, r.party or "", "active" if r.activated_at else "invited") for r in rows]


def outsider_ids(organisation_id: int) -> list[int]:
    """All of them, as numbers only."""
    return list(db.session.scalars(_outside(organisation_id, User.id).order_by(User.id)))


def count_outsiders(organisation_id: int, *, but: Iterable[int] = ()) -> int:
    """How many external people could be shared with today; MANY + 1 stands for more."""
    wanted = _outside(organisation_id, User.id)
    if left_out := set(but):
        wanted = wanted.where(User.id.not_in(left_out))
    return db.session.scalar(select(func.count()).select_from(wanted.limit(MANY + 1).subquery())) or 0


def colleagues(organisation_id: int, *, besides: Iterable[int | None] = ()) -> list[tuple[int, str]]:
    """Id and name of the organisation's active colleagues by name: the first 200, and those of `besides` who are among them."""
    wanted = _colleague(organisation_id).order_by(User.search_text, User.id)
    rows = [(row.id, row.name) for row in db.session.execute(wanted.limit(NAMES))]
    if missing := {key for key in besides if key is not None} - dict(rows).keys():
        rows += [(row.id, row.name) for row in db.session.execute(wanted.where(User.id.in_(missing)))]
    return rows


def is_colleague(user_id: int, organisation_id: int) -> bool:
    """Whether a case of the organisation can be assigned to this person."""
    return db.session.execute(_colleague(organisation_id).where(User.id == user_id)).first() is not None


def _colleague(organisation_id: int) -> Any:
    wanted = select(User.id, User.name).join(Membership, Membership.user_id == User.id)
    return wanted.where(Membership.organisation_id == organisation_id, User.type == AccountType.NORMAL, User.active)


def _parties(organisation_id: int) -> list[tuple[int, str]]:
    wanted = select(Party.id, Party.name).where(Party.organisation_id == organisation_id).order_by(Party.name)
    return [(row.id, row.name) for row in db.session.execute(wanted)]


def parties(organisation_id: int) -> list[str]:
    """Names of the outside organisations known so far."""
    return [name for _, name in _parties(organisation_id)]


_PROFILES = select(Profile.id, Profile.name, Profile.type).order_by(Profile.name)


def profiles(viewer: Viewer) -> list[tuple[int, str]]:
    """Id and name of the profiles people in the viewer's list can hold."""
    rows = db.session.execute(_PROFILES)
    return [(row.id, row.name) for row in rows if viewer.platform or row.type is not ProfileType.ADMIN]


def organisations() -> list[tuple[int, str]]:
    """Id and name of every organisation."""
    return [(row.id, row.name) for row in db.session.execute(select(Organisation.id, Organisation.name).order_by(Organisation.name))]


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
