"""Looking people up: the list of an organisation's people or of everybody, whom one may share with or assign to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, bindparam, case, func, or_, select

from ..clock import now
from ..database import kept, straight
from ..organisations.models import Organisation, Party
from ..paging import EPOCH, SIZE, Page, cursor, text_cursor
from .matching import found, words_of
from .models import AccountType, Membership, Profile, User, folded, membership_profile
from .permissions import ProfileType
from .selection import COLUMNS, KINDS, Filters, asked, members, number_of, ordered
from .standing import WORDS, Standing, is_in, standings
from .viewer import Viewer

MANY, FEW = 1_000, SIZE  # lists say "1,000+" from here on, searches "25+"
AT_ONCE = 500  # rows an export reads in one go
NAMES = 200  # colleagues offered as assignees


@dataclass(frozen=True)
class Place:
    """An organisation somebody is a member of, as what, and whom they work for outside it."""

    organisation: str
    party: str
    profiles: tuple[str, ...]
    party_id: int | None = None


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
    def party_id(self) -> int | None:
        """Their external organisation."""
        return self.places[0].party_id if self.places else None

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


def people(viewer: Viewer, filters: Filters | None = None, after: str = "") -> Page[PersonRow]:
    """The people of the viewer's organisation, of all organisations for the platform, 25 a page."""
    return listed(viewer, filters or Filters(), after)[0]


def listed(viewer: Viewer, filters: Filters, after: str = "") -> tuple[Page[PersonRow], str]:
    """A page, and in words how many people the whole list has.

    Few fit a search or a filter, so that finding them means going through everybody: once must do for the page and the count.
    """
    sparse = bool(filters.q or filters.state or filters.profile or filters.second)
    most = FEW if sparse else MANY
    wanted = ordered(viewer, filters, after, most + 1 if sparse and not after else SIZE + 1)
    rows = straight(wanted, asked(filters)).all()
    page = Page(_told(rows[:SIZE], viewer), _cursor(rows[SIZE - 1], filters.sort) if len(rows) > SIZE else None)
    total = len(rows) if not after and (sparse or len(rows) <= SIZE) else _count(viewer, filters, most)
    return page, counted(total, most)


def counted(total: int, most: int = MANY) -> str:
    """A number for people, when counting stops right after `most`."""
    return f"{most:,}+" if total > most else str(total)


def together(names: list[str], most: int = 0) -> str:
    """A, B and C; of more than `most`, the first of them and how many are left."""
    if most and len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _count(viewer: Viewer, filters: Filters, most: int) -> int:
    return straight(number_of(viewer, filters, most + 1), asked(filters)).scalar() or 0


def everybody(viewer: Viewer, filters: Filters) -> Iterator[PersonRow]:
    """All of them, not only a page, for an export."""
    after = ""
    while True:
        rows = straight(ordered(viewer, filters, after, AT_ONCE), asked(filters)).all()
        yield from _told(rows, viewer)
        if len(rows) < AT_ONCE:
            return
        after = _cursor(rows[-1], filters.sort)


def chosen(viewer: Viewer, ids: Iterable[int]) -> list[PersonRow]:
    """Those among these people whom the viewer has in their list, by name."""
    wanted = members(COLUMNS, None if viewer.platform else viewer.organisation_id).where(User.id.in_(set(ids)))
    return _told(straight(wanted.order_by(User.search_text, User.id)).all(), viewer)


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


_PLACES = kept(
    select(Membership.user_id, Membership.party_id, Organisation.name, Party.name.label("party"), Profile.name.label("profile"))
    .join(Organisation, Organisation.id == Membership.organisation_id)
    .outerjoin(Party, Party.id == Membership.party_id)
    .outerjoin(membership_profile, membership_profile.c.membership_id == Membership.id)
    .outerjoin(Profile, Profile.id == membership_profile.c.profile_id)
    .where(Membership.user_id.in_(bindparam("users", expanding=True)))
    .order_by(Membership.is_default.desc(), Organisation.name, Profile.name)
)


@lru_cache(maxsize=512)
def _places_in(organisation_id: int) -> Any:
    return kept(_PLACES.where(Membership.organisation_id == organisation_id))


def _places(user_ids: list[int], viewer: Viewer) -> dict[int, tuple[Place, ...]]:
    wanted = _PLACES if viewer.platform else _places_in(viewer.organisation_id)
    held: dict[int, dict[tuple[str, str, int | None], list[str]]] = defaultdict(lambda: defaultdict(list))
    for row in straight(wanted, {"users": user_ids}):
        held[row.user_id][row.name, row.party or "", row.party_id] += [row.profile] if row.profile else []
    return {key: tuple(Place(name, party, tuple(p), party_id) for (name, party, party_id), p in held[key].items()) for key in user_ids}


@dataclass(frozen=True)
class Outsider:
    """An external person one may share with. `state`: active, or invited or uninvited as in standing.WORDS."""

    id: int
    name: str
    email: str
    organisation: str
    state: str

    @property
    def hint(self) -> str:
        """Whom they work for, else their address, and whether they cannot sign in yet."""
        return (self.organisation or self.email) + ("" if self.state == "active" else f" · {WORDS[self.state].lower()}")


@lru_cache(maxsize=512)
def _outside(organisation_id: int, *columns: Any) -> Any:
    joined = select(*columns).join(Membership, Membership.user_id == User.id).outerjoin(Party, Party.id == Membership.party_id)
    return joined.where(Membership.organisation_id == organisation_id, User.type == AccountType.EXTERNAL, User.active)


_STATE = case((User.activated_at.is_not(None), "active"), (is_in("invited", bindparam("moment")), "invited"), else_="uninvited")
_OUTSIDER = (User.id, User.name, User.email, _STATE.label("state"), Party.name.label("party"))


@lru_cache(maxsize=512)
def _offered(organisation_id: int, ids: Select[int] | bool, left_out: bool, words: int, limit: int | None) -> Any:
    wanted = _outside(organisation_id, *_OUTSIDER)
    if ids is not False:
        wanted = wanted.where(User.id.in_(bindparam("ids", expanding=True) if ids is True else ids))
    if left_out:
        wanted = wanted.where(User.id.not_in(bindparam("but", expanding=True)))
    for number in range(words):
        works_there = Membership.party_id.in_(bindparam(f"parties_{number}", expanding=True))
        wanted = wanted.where(or_(found(bindparam(f"word_{number}")), works_there))
    return kept(wanted.order_by(User.search_text, User.id).limit(limit))


def outsiders(
    organisation_id: int,
    *,
    text: str = "",
    ids: Iterable[int] | Select[int] | None = None,
    but: Iterable[int] = (),
    limit: int | None = None,
    **values: Any,
) -> list[Outsider]:
    """The organisation's external people who are not locked, by name: those of `ids` only, without `but`, whom `text` finds.

    `ids` may be a statement that lives as long as the program; `values` are what it is run with.
    """
    words, left_out = words_of(text), list(but)
    by_ids: Select[int] | bool = ids is not None
    if isinstance(ids, Select):
        by_ids = ids
    elif ids is not None:
        values["ids"] = list(ids)
    known = [(key, folded(name)) for key, name in _parties(organisation_id)] if words else []
    for number, word in enumerate(words):
        values |= {f"word_{number}": word, f"parties_{number}": [key for key, name in known if word in name]}
    values |= {"but": left_out, "moment": now()}
    rows = straight(_offered(organisation_id, by_ids, bool(left_out), len(words), limit), values)
    return [Outsider(r.id, r.name, r.email, r.party or "", r.state) for r in rows]


@dataclass(frozen=True)
class Crew:
    """An external organisation one may share with: all its people, of today and of later. `people`: how many could be shared with today."""

    id: int
    name: str
    people: int


# How many of an external organisation could be shared with today.
WORKS_THERE = (
    select(func.count())
    .select_from(Membership)
    .join(User, User.id == Membership.user_id)
    .where(Membership.party_id == Party.id, User.type == AccountType.EXTERNAL, User.active)
    .correlate(Party)
    .scalar_subquery()
)
_CREW = select(Party.id, Party.name, WORKS_THERE.label("people")).where(Party.organisation_id == bindparam("organisation_id"))
_FIRST_CREWS = kept(_CREW.order_by(Party.name, Party.id).limit(bindparam("most")))
_CREWS = kept(_CREW.where(Party.id.in_(bindparam("ids", expanding=True))).order_by(Party.name, Party.id))


def first_crews(organisation_id: int, most: int) -> list[Crew]:
    """The first of the tenant's external organisations by name."""
    rows = straight(_FIRST_CREWS, {"organisation_id": organisation_id, "most": most})
    return [Crew(row.id, row.name, row.people) for row in rows]


def crews(organisation_id: int, *, text: str = "", ids: Iterable[int] | None = None, limit: int | None = None) -> list[Crew]:
    """The tenant's external organisations by name: those of `ids` only, or those whose name has each of the words."""
    words = words_of(text)
    wanted = None if ids is None else set(ids)
    named = [key for key, name in _parties(organisation_id) if all(word in folded(name) for word in words)]
    known = [key for key in named if wanted is None or key in wanted]
    if not known:
        return []
    rows = straight(_CREWS, {"organisation_id": organisation_id, "ids": known[:limit]})
    return [Crew(row.id, row.name, row.people) for row in rows]


def outsider_ids(organisation_id: int) -> list[int]:
    """All of them, as numbers only."""
    return list(straight(_outside(organisation_id, User.id).order_by(User.id)).scalars())


@lru_cache(maxsize=512)
def _outside_counted(organisation_id: int, left_out: bool, most: int) -> Any:
    # Whom they work for outside makes no difference to how many they are.
    wanted = select(User.id).join(Membership, Membership.user_id == User.id)
    wanted = wanted.where(Membership.organisation_id == organisation_id, User.type == AccountType.EXTERNAL, User.active)
    if left_out:
        wanted = wanted.where(User.id.not_in(bindparam("but", expanding=True)))
    return kept(select(func.count()).select_from(wanted.limit(most).subquery()))


def count_outsiders(organisation_id: int, *, but: Iterable[int] = (), most: int | None = None) -> int:
    """How many external people could be shared with today; MANY + 1, or `most`, stands for more."""
    left_out = list(but)
    return straight(_outside_counted(organisation_id, bool(left_out), most or MANY + 1), {"but": left_out}).scalar() or 0


def colleagues(organisation_id: int, *, besides: Iterable[int | None] = ()) -> list[tuple[int, str]]:
    """Id and name of the organisation's active colleagues by name: the first 200, and those of `besides` who are among them."""
    wanted = _colleague(organisation_id).order_by(User.search_text, User.id)
    rows = [(row.id, row.name) for row in straight(wanted.limit(NAMES))]
    if missing := {key for key in besides if key is not None} - dict(rows).keys():
        rows += [(row.id, row.name) for row in straight(wanted.where(User.id.in_(missing)))]
    return rows


def is_colleague(user_id: int, organisation_id: int) -> bool:
    """Whether a case of the organisation can be assigned to this person."""
    return straight(_colleague(organisation_id).where(User.id == user_id)).first() is not None


def _colleague(organisation_id: int) -> Any:
    wanted = select(User.id, User.name).join(Membership, Membership.user_id == User.id)
    return wanted.where(Membership.organisation_id == organisation_id, User.type == AccountType.NORMAL, User.active)


_PARTIES = kept(select(Party.id, Party.name).where(Party.organisation_id == bindparam("organisation_id")).order_by(Party.name))


def _parties(organisation_id: int) -> list[tuple[int, str]]:
    return [(row.id, row.name) for row in straight(_PARTIES, {"organisation_id": organisation_id})]


def parties(organisation_id: int) -> list[str]:
    """Names of the outside organisations known so far."""
    return [name for _, name in _parties(organisation_id)]


_PROFILES = kept(select(Profile.id, Profile.name, Profile.type).order_by(Profile.name))


def profiles(viewer: Viewer) -> list[tuple[int, str]]:
    """Id and name of the profiles people in the viewer's list can hold."""
    rows = straight(_PROFILES)
    return [(row.id, row.name) for row in rows if viewer.platform or row.type is not ProfileType.ADMIN]


_ORGANISATIONS = kept(select(Organisation.id, Organisation.name).order_by(Organisation.name))


def organisations() -> list[tuple[int, str]]:
    """Id and name of every organisation."""
    return [(row.id, row.name) for row in straight(_ORGANISATIONS)]
