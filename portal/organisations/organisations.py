"""Organisations: the security teams' tenants, made, edited, locked and unlocked by the platform's administrators."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field

from sqlalchemy import Select, delete, exists, func, or_, select, update
from sqlalchemy.orm import aliased

from ..accounts.models import AccountType, LoginSession, Membership, Profile, User, folded, membership_profile
from ..accounts.permissions import Permission
from ..accounts.platform import create_organisation
from ..accounts.viewer import Viewer
from ..alike import same_name
from ..audit.kinds import Kind
from ..audit.record import record
from ..database import queue_up
from ..extensions import db
from ..mail import news
from ..mail.models import OutboxMessage, State
from ..paging import SIZE, Page
from ..refusals import NotAllowed, NotVisible, Refusal, Stale, Unfit
from .models import Organisation

LONGEST_NAME, LONGEST_DESCRIPTION = 64, 65_536
NO_RIGHT = "Your profile does not let you manage organisations. Ask an administrator of the platform."
STALE = "Somebody changed this organisation after you opened it. Compare below, then save again."
BUILT_IN_NAME = "The admin organisation keeps its name: it holds the platform's administrators."
BUILT_IN_LOCK = "The admin organisation cannot be locked: its members administer the platform."


@dataclass(frozen=True)
class OrganisationRow:
    """A line of the list."""

    id: int
    name: str
    locked: bool
    built_in: bool
    picture: str
    members: int


@dataclass(frozen=True)
class Member:
    """Somebody of an organisation and what they may do there."""

    user_id: int
    name: str
    email: str
    external: bool
    active: bool
    picture: str
    profiles: list[str] = field(default_factory=list)


def _check_right(by: Viewer) -> None:
    if not by.can(Permission.MANAGE_ORGANISATION):
        raise NotAllowed(NO_RIGHT)


def listed(search: str = "", after: int = 0, *, by: Viewer) -> Page[OrganisationRow]:
    """A page of the organisations whose name contains the words, by name; `after` is the id of the last row of the page before.

    Names are compared here: databases do not agree on capitals and accents, and even thousands of names are read at once.
    """
    _check_right(by)
    pairs = sorted((folded(name), key) for key, name in db.session.execute(select(Organisation.id, Organisation.name)))
    place = next((pair for pair in pairs if pair[1] == after), ("", 0))
    wanted = folded(" ".join(search.split()))
    ids = [key for name, key in pairs if wanted in name and (name, key) > place][: SIZE + 1]
    found = {row.id: row for row in db.session.scalars(select(Organisation).where(Organisation.id.in_(ids[:SIZE])))}
    counted = _members_of(ids[:SIZE])
    rows = [
        OrganisationRow(o.id, o.name, o.locked, o.built_in, o.picture, counted.get(o.id, 0))
        for o in (found[key] for key in ids[:SIZE] if key in found)
    ]
    return Page(rows, str(ids[SIZE - 1]) if len(ids) > SIZE else None)


def _members_of(ids: list[int]) -> dict[int, int]:
    counted = select(Membership.organisation_id, func.count()).where(Membership.organisation_id.in_(ids))
    return dict(db.session.execute(counted.group_by(Membership.organisation_id)).all())


def count_members(organisation_id: int) -> int:
    """How many people are in the organisation."""
    return _members_of([organisation_id]).get(organisation_id, 0)


def load(organisation_id: int, *, by: Viewer, change: bool = False) -> Organisation:
    """The organisation; `change` locks its row until the end of the transaction."""
    _check_right(by)
    wanted = select(Organisation).where(Organisation.id == organisation_id)
    found = db.session.scalar(wanted.with_for_update().execution_options(populate_existing=True) if change else wanted)
    if found is None:
        raise NotVisible("organisation")
    return found


def first_members(organisation_id: int) -> list[Member]:
    """The first of its people by name, with their profiles there."""
    people = db.session.execute(
        select(Membership.id, User.id.label("user_id"), User.name, User.email, User.type, User.active, User.picture)
        .join(User, User.id == Membership.user_id)
        .where(Membership.organisation_id == organisation_id)
        .order_by(func.lower(User.name), User.id)
        .limit(SIZE)
    ).all()
    held: dict[int, list[str]] = {}
    for membership_id, name in db.session.execute(_profiles([row.id for row in people])):
        held.setdefault(membership_id, []).append(name)
    return [
        Member(row.user_id, row.name, row.email, row.type is AccountType.EXTERNAL, row.active, row.picture, held.get(row.id, []))
        for row in people
    ]


def _profiles(membership_ids: list[int]) -> Select[int, str]:
    return (
        select(membership_profile.c.membership_id, Profile.name)
        .join(Profile, Profile.id == membership_profile.c.profile_id)
        .where(membership_profile.c.membership_id.in_(membership_ids))
        .order_by(Profile.name)
    )


def create(*, name: str, description: str = "", names_analysts: bool = True, titles_in_mail: bool = False, by: Viewer) -> Organisation:
    """A new, empty organisation."""
    _check_right(by)
    description = _described(description)
    organisation = create_organisation(_free_name(name), by=by)
    organisation.description, organisation.names_analysts, organisation.titles_in_mail = description, names_analysts, titles_in_mail
    return organisation


def edit(
    organisation_id: int,
    *,
    name: str,
    description: str,
    names_analysts: bool,
    version: int,
    titles_in_mail: bool | None = None,
    by: Viewer,
) -> Organisation:
    """Change what the organisation is called, what it says of itself, how its analysts sign, and whether letters carry titles of cases.

    `titles_in_mail`: None leaves it as it is.
    """
    organisation = load(organisation_id, by=by, change=True)
    if version != organisation.version:
        raise Stale(STALE)
    name, description = _free_name(name, but=organisation.id), _described(description)
    if organisation.built_in and name != organisation.name:
        raise Unfit("name", BUILT_IN_NAME)
    titles = organisation.titles_in_mail if titles_in_mail is None else titles_in_mail
    wanted = {"name": name, "description": description, "names_analysts": names_analysts, "titles_in_mail": titles}
    changes = {key: [getattr(organisation, key), new] for key, new in wanted.items() if getattr(organisation, key) != new}
    if changes:
        for key, new in wanted.items():
            setattr(organisation, key, new)
        organisation.version += 1
        record(Kind.ORGANISATION_EDITED, actor=by, organisation_id=organisation.id, object_id=organisation.id, changes=changes)
    return organisation


def _described(description: str) -> str:
    kept = (c for c in description.replace("\r\n", "\n") if c in "\n\t" or unicodedata.category(c) != "Cc")
    description = "".join(kept).strip()
    if len(description) > LONGEST_DESCRIPTION:
        raise Unfit("description", f"Use at most {LONGEST_DESCRIPTION:,} characters.")
    return description


def _free_name(name: str, *, but: int = 0) -> str:
    name = " ".join(name.split())
    if not name:
        raise Unfit("name", "Give the organisation a name.")
    if len(name) > LONGEST_NAME:
        raise Unfit("name", f"Use at most {LONGEST_NAME} characters.")
    queue_up("organisation names")
    for taken in db.session.scalars(select(Organisation.name).where(Organisation.id != but)):
        if same_name(taken, name):
            raise Unfit("name", f"There is already an organisation called {taken}. Choose another name.")
    return name


def only_here(organisation_id: int) -> int:
    """How many people work nowhere else, so that locking the organisation signs them out. Whose browser is open is nobody's business."""
    people = select(func.count()).where(Membership.organisation_id == organisation_id)
    elsewhere = aliased(Membership)
    other = (
        select(elsewhere.id)
        .join(Organisation, Organisation.id == elsewhere.organisation_id)
        .where(elsewhere.user_id == Membership.user_id, elsewhere.organisation_id != organisation_id, Organisation.locked.is_(False))
    )
    return db.session.scalar(people.where(~exists(other))) or 0


def _elsewhere(organisation_id: int, user_id: object) -> Select[int]:
    """The other organisations the person can work in, the one they prefer first."""
    return (
        select(Membership.organisation_id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(Membership.user_id == user_id, Membership.organisation_id != organisation_id, Organisation.locked.is_(False))
        .order_by(Membership.is_default.desc(), Membership.id)
    )


def lock(organisation_id: int, *, by: Viewer) -> Organisation:
    """Close the organisation: who works elsewhere too goes on there, everybody else is signed out, and letters about it stay here."""
    organisation = load(organisation_id, by=by, change=True)
    if organisation.built_in:
        raise Refusal(BUILT_IN_LOCK)
    if not organisation.locked:
        organisation.locked = True
        organisation.version += 1
        db.session.flush()
        _move_sessions(organisation.id)
        _drop_letters(organisation.id)
        record(Kind.ORGANISATION_LOCKED, actor=by, organisation_id=organisation.id, object_id=organisation.id)
    return organisation


def _move_sessions(organisation_id: int) -> None:
    here = LoginSession.organisation_id == organisation_id
    place = _elsewhere(organisation_id, LoginSession.user_id).limit(1).correlate(LoginSession).scalar_subquery()
    quick = {"synchronize_session": False}
    db.session.execute(update(LoginSession).where(here, place.is_not(None)).values(organisation_id=place), execution_options=quick)
    db.session.execute(delete(LoginSession).where(here), execution_options=quick)


def _drop_letters(organisation_id: int) -> None:
    """Invitations to it and news of its cases. What concerns somebody's own account still goes out."""
    about = or_(OutboxMessage.case_id.is_not(None), OutboxMessage.letter.in_((*news.OF_PEOPLE, *news.LETTERS)))
    waiting = [OutboxMessage.organisation_id == organisation_id, OutboxMessage.state == State.WAITING, about]
    db.session.execute(update(OutboxMessage).where(*waiting).values(state=State.DROPPED, last_error="the organisation was locked"))


def unlock(organisation_id: int, *, by: Viewer) -> Organisation:
    """Open the organisation again: its people sign in anew, and invitations that were waiting must be sent again."""
    organisation = load(organisation_id, by=by, change=True)
    if organisation.locked:
        organisation.locked = False
        organisation.version += 1
        record(Kind.ORGANISATION_UNLOCKED, actor=by, organisation_id=organisation.id, object_id=organisation.id)
    return organisation
