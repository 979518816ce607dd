"""Profiles: named sets of permissions, made, changed and deleted by the platform's administrators."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Select, distinct, func, select

from ..alike import same_name
from ..audit.kinds import Kind
from ..audit.record import record
from ..database import queue_up
from ..extensions import db
from ..refusals import NotAllowed, NotVisible, Refusal, Stale, Unfit
from .models import Membership, Profile, membership_profile
from .permissions import CATALOGUE, Permission, ProfileType, in_words
from .powers import keep_an_administrator
from .viewer import Viewer

LONGEST_NAME = 64
LOCKED = "Built-in profiles stay as they are. Duplicate it to make your own."
NO_RIGHT = "Your profile does not let you manage profiles. Ask an administrator of the platform."
STALE = "Somebody changed this profile after you opened it. Compare below, then save again."


@dataclass(frozen=True)
class ProfileRow:
    """A line of the list: `words` are its permissions as sentences, `holders` how many people have it."""

    id: int
    name: str
    kind: ProfileType
    words: list[str]
    built_in: bool
    locked: bool
    holders: int


def check_right(by: Viewer) -> None:
    """Profiles are the platform's business."""
    if not by.can(Permission.MANAGE_PROFILE):
        raise NotAllowed(NO_RIGHT)


def listed(*, by: Viewer) -> list[ProfileRow]:
    """Every profile, by type and name."""
    check_right(by)
    held = dict(db.session.execute(_counted().group_by(membership_profile.c.profile_id)).all())
    kinds = list(ProfileType)
    rows = sorted(db.session.scalars(select(Profile)), key=lambda p: (kinds.index(p.type), not p.built_in, p.name.casefold()))
    return [ProfileRow(p.id, p.name, p.type, in_words(p.permissions, p.type), p.built_in, p.locked, held.get(p.id, 0)) for p in rows]


def _counted(*ids: int) -> Select[int, int]:
    people = func.count(distinct(Membership.user_id))
    wanted = select(membership_profile.c.profile_id, people).join(Membership, Membership.id == membership_profile.c.membership_id)
    return wanted.where(membership_profile.c.profile_id.in_(ids)) if ids else wanted


def load(profile_id: int, *, by: Viewer, change: bool = False) -> Profile:
    """The profile; `change` locks its row until the end of the transaction."""
    check_right(by)
    wanted = select(Profile).where(Profile.id == profile_id)
    found = db.session.scalar(wanted.with_for_update().execution_options(populate_existing=True) if change else wanted)
    if found is None:
        raise NotVisible("profile")
    return found


def holders(profile_id: int) -> int:
    """How many people have the profile, in whatever organisation."""
    rows = db.session.execute(_counted(profile_id).group_by(membership_profile.c.profile_id)).all()
    return rows[0][1] if rows else 0


def create(*, name: str, kind: ProfileType, permissions: Iterable[str], by: Viewer) -> Profile:
    """A new profile of this type, which stays what it is born as."""
    check_right(by)
    name = _free_name(name)
    wanted = _fitting(permissions, kind)
    _check_reach(kind, set(wanted), by)
    profile = Profile(name=name, type=kind, permissions=wanted)
    db.session.add(profile)
    db.session.flush()
    changes = {"name": [None, name], "type": [None, kind.value], "permissions": [None, wanted]}
    record(Kind.PROFILE_CREATED, actor=by, object_id=profile.id, changes=changes)
    return profile


def edit(profile_id: int, *, name: str, permissions: Iterable[str], version: int, by: Viewer) -> Profile:
    """Another name, other permissions; both hold from the next request of everybody who has the profile."""
    profile = load(profile_id, by=by, change=True)
    if profile.locked:
        raise Refusal(LOCKED)
    if version != profile.version:
        raise Stale(STALE)
    name, wanted, before = _free_name(name, but=profile.id), _fitting(permissions, profile.type), sorted(profile.permissions)
    _check_edit(profile, set(wanted), by)
    changes = {key: [old, new] for key, old, new in (("name", profile.name, name), ("permissions", before, wanted)) if old != new}
    if changes:
        profile.name, profile.permissions = name, wanted
        profile.version += 1
        record(Kind.PROFILE_EDITED, actor=by, object_id=profile.id, changes={"name": [profile.name, profile.name], **changes})
    return profile


def delete(profile_id: int, *, by: Viewer) -> str:
    """Remove a profile nobody has; return the name it had."""
    profile = load(profile_id, by=by, change=True)
    if profile.locked:
        raise Refusal(LOCKED)
    if number := holders(profile.id):
        raise Refusal(in_use(profile.name, number))
    record(Kind.PROFILE_DELETED, actor=by, object_id=profile.id, changes={"name": [profile.name, None]})
    db.session.delete(profile)
    db.session.flush()
    return profile.name


def in_use(name: str, number: int) -> str:
    """Why a profile somebody has cannot be deleted."""
    people = "1 person has" if number == 1 else f"{number:,} people have"
    return f"{people} the profile {name}. Give them another one before you delete it."


def _fitting(permissions: Iterable[str], kind: ProfileType) -> list[str]:
    """The permissions, sorted; refused when one is not among those of the type."""
    known = {permission.value for permission in CATALOGUE[kind]}
    wanted = set(permissions)
    if wanted - known:
        raise Unfit("permissions", f"One of the permissions is not for profiles of the type {kind.value}. Choose from the list.")
    return sorted(wanted)


def _free_name(name: str, *, but: int = 0) -> str:
    """The name, tidied; refused when another profile has it. Compared here, for databases fold ASCII only."""
    name = " ".join(name.split())
    if not name:
        raise Unfit("name", "Give the profile a name.")
    if len(name) > LONGEST_NAME:
        raise Unfit("name", f"Use at most {LONGEST_NAME} characters.")
    queue_up("profile names")
    for taken in db.session.scalars(select(Profile.name).where(Profile.id != but)):
        if same_name(taken, name):
            raise Unfit("name", f"There is already a profile called {taken}. Choose another name.")
    return name


def _check_edit(profile: Profile, wanted: set[str], by: Viewer) -> None:
    held = set(profile.permissions)
    added = wanted - held
    if added and _holds(profile.id, by):
        raise Unfit("permissions", "You hold this profile yourself, so you cannot add permissions to it. Ask another administrator.")
    _check_reach(profile.type, added, by)
    if profile.type is ProfileType.ADMIN and held - wanted:
        keep_an_administrator(without_profile=profile.id)


def _check_reach(kind: ProfileType, added: set[str], by: Viewer) -> None:
    """Nobody puts a right over the platform into a profile that they do not have themselves."""
    beyond = added - by.permissions if kind is ProfileType.ADMIN else set()
    if beyond:
        raise Unfit("permissions", f"You cannot add what you may not do yourself: {'; '.join(in_words(beyond, kind))}.")


def _holds(profile_id: int, by: Viewer) -> bool:
    own = (
        select(Membership.id)
        .join(membership_profile, membership_profile.c.membership_id == Membership.id)
        .where(Membership.user_id == by.user_id, membership_profile.c.profile_id == profile_id)
    )
    return db.session.scalar(own.limit(1)) is not None
