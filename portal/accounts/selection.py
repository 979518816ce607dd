"""Which people a list shows, and in which order: each kind of question written as a statement once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, func, or_, select, tuple_

from ..clock import now
from ..database import kept
from ..paging import EPOCH, read_cursor, read_text_cursor
from .matching import found, words_of
from .models import AccountType, ApiKey, Membership, User, membership_profile
from .standing import is_in
from .viewer import Viewer

KINDS = {AccountType.EXTERNAL: "external", AccountType.NORMAL: "internal", AccountType.SERVICE: "service"}
TYPES = {word: kind for kind, word in KINDS.items()}


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


COLUMNS = (
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


class Question(NamedTuple):
    """What tells one statement from another; the values asked for are given when it runs."""

    place: int | None
    words: int
    kind: str
    state: str
    second: str
    by_profile: bool
    sort: str


def place(viewer: Viewer, filters: Filters) -> int | None:
    """The organisation looked into; None for all, which only the platform sees."""
    if not viewer.platform:
        return viewer.organisation_id
    return int(filters.organisation) if filters.organisation else None


def _question(viewer: Viewer, filters: Filters) -> Question:
    words = len(words_of(filters.q))
    return Question(place(viewer, filters), words, filters.kind, filters.state, filters.second, bool(filters.profile), filters.sort)


def asked(filters: Filters) -> dict[str, Any]:
    """The values the statements are run with."""
    words = {f"word_{place}": word for place, word in enumerate(words_of(filters.q))}
    return {**words, "moment": now(), "profile": int(filters.profile or 0)}


@lru_cache(maxsize=512)
def members(columns: tuple[Any, ...], organisation_id: int | None) -> Select[Any]:
    """The accounts of an organisation, or all; deleted ones left out."""
    wanted = select(*columns).where(User.deleted_at.is_(None))
    if organisation_id is None:
        return wanted
    return wanted.join(Membership, Membership.user_id == User.id).where(Membership.organisation_id == organisation_id)


@lru_cache(maxsize=512)
def _narrowed(columns: tuple[Any, ...], question: Question) -> Select[Any]:
    wanted = members(columns, question.place)
    for number in range(question.words):
        wanted = wanted.where(found(bindparam(f"word_{number}")))
    if question.kind:
        wanted = wanted.where(User.type == TYPES[question.kind])
    if question.state:
        wanted = wanted.where(is_in(question.state, bindparam("moment")))
    if question.second:
        wanted = wanted.where(User.mfa.is_(question.second == "yes"))
    if question.by_profile:
        held = exists().where(membership_profile.c.membership_id == Membership.id, membership_profile.c.profile_id == bindparam("profile"))
        wanted = wanted.where(held if question.place is not None else held.where(Membership.user_id == User.id).correlate(User))
    return wanted


@lru_cache(maxsize=512)
def _first(question: Question, most: int) -> Select[Any]:
    return kept(_narrowed(COLUMNS, question).order_by(*ORDERS[question.sort][0]).limit(most))


def ordered(viewer: Viewer, filters: Filters, after: str, most: int) -> Select[Any]:
    """The first `most` people after a cursor; run it with `asked`."""
    question = _question(viewer, filters)
    order, continues = ORDERS[filters.sort]
    if not after or (condition := continues(after)) is None:
        return _first(question, most)
    return _narrowed(COLUMNS, question).where(condition).order_by(*order).limit(most)


@lru_cache(maxsize=512)
def _counted(question: Question, most: int) -> Select[Any]:
    return kept(select(func.count()).select_from(_narrowed((User.id,), question).limit(most).subquery()))


@lru_cache(maxsize=512)
def _members_counted(organisation_id: int, most: int) -> Select[Any]:
    few = select(Membership.id).where(Membership.organisation_id == organisation_id).limit(most)
    return kept(select(func.count()).select_from(few.subquery()))


def number_of(viewer: Viewer, filters: Filters, most: int) -> Select[Any]:
    """How many the list has, counted up to `most`; run it with `asked`."""
    question = _question(viewer, filters)
    if question.place is not None and question[1:-1] == (0, "", "", "", False):
        # Who is a member is not deleted: nobody's account need be looked at.
        return _members_counted(question.place, most)
    return _counted(question, most)


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
