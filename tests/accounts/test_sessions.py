"""Sessions: what ends one ends it at the next look, and a viewer's rights are those of the place they work in."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select, update

from portal.accounts import platform, sessions
from portal.accounts.models import LoginSession, Membership, Profile, User
from portal.accounts.permissions import CATALOGUE, Permission, ProfileType
from portal.clock import now
from portal.database import start_writing
from portal.extensions import db
from portal.organisations.models import Organisation
from tests.fixtures.rooms import Cast


def opened(cast: Cast, who: str, face: str = "portal", place: str = "here") -> str:
    start_writing()
    key = sessions.open_session(cast.user(who), cast.world.places[place], face, user_agent="x" * 500, ip="192.0.2.7")
    db.session.commit()
    return key


def alive(key: str, face: str = "portal") -> bool:
    db.session.rollback()
    return sessions.find(key, face) is not None


def test_only_the_hash_of_a_key_is_kept(cast: Cast) -> None:
    key = opened(cast, "hanna")
    row = db.session.scalars(select(LoginSession)).one()
    assert key not in str(vars(row))
    assert len(row.user_agent) == 200
    assert not alive(row.key_hash)
    assert alive(key)


@pytest.mark.parametrize("key", ["", "x", "é", "A" * 10_000])
def test_a_made_up_key_finds_nobody(cast: Cast, key: str) -> None:
    opened(cast, "hanna")
    assert not alive(key)


def test_a_session_belongs_to_one_face(cast: Cast) -> None:
    portal, console = opened(cast, "hanna"), opened(cast, "ada", "console")
    assert [alive(portal, "portal"), alive(portal, "console")] == [True, False]
    assert [alive(console, "console"), alive(console, "portal")] == [True, False]


def test_half_an_hour_of_silence_ends_a_session(cast: Cast) -> None:
    key = opened(cast, "hanna")
    begun = now()
    with time_machine.travel(begun + timedelta(minutes=29, seconds=50)):
        assert alive(key)
    with time_machine.travel(begun + timedelta(minutes=30, seconds=1)):
        assert not alive(key)


@pytest.mark.parametrize(("who", "face", "hours"), [("hanna", "portal", 8), ("ada", "console", 12)])
def test_a_session_in_use_ends_after_its_day(cast: Cast, who: str, face: str, hours: int) -> None:
    key = opened(cast, who, face)
    begun = now()
    for minutes in range(20, hours * 60, 20):
        with time_machine.travel(begun + timedelta(minutes=minutes)):
            found = sessions.find(key, face)
            assert found is not None
            sessions.touch(found, writing=True)
            db.session.commit()
    with time_machine.travel(begun + timedelta(hours=hours, seconds=1)):
        assert not alive(key, face)


def test_being_there_is_noted_once_a_minute_and_apart_from_reads(cast: Cast) -> None:
    key = opened(cast, "hanna")
    seen = db.session.scalar(select(LoginSession.last_seen_at))
    with time_machine.travel(now() + timedelta(seconds=50)):
        found = sessions.find(key, "portal")
        assert found is not None
        sessions.touch(found, writing=False)
        db.session.rollback()
        assert db.session.scalar(select(LoginSession.last_seen_at)) == seen
    with time_machine.travel(now() + timedelta(seconds=70)):
        db.session.rollback()
        sessions.touch(found, writing=False)
        db.session.rollback()
        later = db.session.scalar(select(LoginSession.last_seen_at))
    assert seen is not None
    assert later is not None
    assert later > seen


def test_a_raised_epoch_ends_every_session(cast: Cast) -> None:
    keys = [opened(cast, "hanna") for _ in range(3)]
    db.session.execute(update(User).where(User.id == cast.world.people["hanna"]).values(epoch=User.epoch + 1))
    db.session.commit()
    assert not any(alive(key) for key in keys)


@pytest.mark.parametrize("how", ["deactivated", "locked", "not a member"])
def test_what_the_rows_no_longer_allow_is_over(cast: Cast, how: str) -> None:
    key, others = opened(cast, "hanna"), opened(cast, "gast", place="there")
    start_writing()
    if how == "deactivated":
        cast.user("hanna").active = False
    if how == "locked":
        db.session.get_one(Organisation, cast.world.places["here"]).locked = True
    if how == "not a member":
        db.session.delete(db.session.scalars(select(Membership).where(Membership.user_id == cast.world.people["hanna"])).one())
    db.session.commit()
    assert not alive(key)
    assert alive(others)


def test_five_browsers_stay_and_the_oldest_leaves(cast: Cast) -> None:
    rheas = opened(cast, "rhea")
    keys = [opened(cast, "hanna") for _ in range(7)]
    assert [alive(key) for key in keys] == [False, False, True, True, True, True, True]
    assert [row.ip for row in sessions.sessions_of(cast.world.people["hanna"])] == ["192.0.2.7"] * 5
    assert alive(rheas)


def test_signing_out_ends_this_browser_only(cast: Cast) -> None:
    first, second = opened(cast, "hanna"), opened(cast, "hanna")
    found = sessions.find(first, "portal")
    assert found is not None
    sessions.end(found.viewer.session_id)
    db.session.commit()
    assert [alive(first), alive(second)] == [False, True]


def test_roles_of_an_external_user_add_up(cast: Cast) -> None:
    assert cast("rhea").permissions == frozenset()
    start_writing()
    membership = db.session.scalars(select(Membership).where(Membership.user_id == cast.world.people["rhea"])).one()
    db.session.refresh(membership, ["profiles"])
    membership.profiles.append(platform.profile("External-Actor"))
    db.session.commit()
    key = opened(cast, "rhea")
    found = sessions.find(key, "portal")
    assert found is not None
    assert found.viewer.permissions == cast("rhea").permissions == frozenset(CATALOGUE[ProfileType.EXTERNAL])
    assert found.viewer.can(Permission.UPDATE_CASE)
    assert not found.viewer.can_inside(Permission.UPDATE_CASE)


def test_rights_are_those_of_the_organisation_worked_in(cast: Cast) -> None:
    start_writing()
    there = db.session.get_one(Organisation, cast.world.places["there"])
    platform.join(cast.user("ada"), there, [platform.profile("Read-Only")])
    db.session.commit()
    key = opened(cast, "ada", "console")
    here = sessions.find(key, "console")
    assert here is not None
    assert (here.viewer.organisation_name, here.viewer.can(Permission.SHARE_OUTSIDE)) == ("Northwind", True)
    assert [name for _, name in here.viewer.organisations] == ["Elsewhere", "Northwind"]
    assert here.viewer.session_id is not None
    sessions.switch(here.viewer.session_id, there.id)
    db.session.commit()
    moved = sessions.find(key, "console")
    assert moved is not None
    assert (moved.viewer.organisation_name, moved.viewer.permissions) == ("Elsewhere", frozenset())
    there.locked = True
    db.session.commit()
    assert not alive(key, "console")


def test_an_edited_profile_bites_at_the_next_look(cast: Cast) -> None:
    key = opened(cast, "ada", "console")
    sharer = db.session.scalars(select(Profile).where(Profile.name == "Sharer")).one()
    sharer.permissions = []
    db.session.commit()
    found = sessions.find(key, "console")
    assert found is not None
    assert found.viewer.permissions == frozenset()


def test_the_platform_is_told_apart(cast: Cast) -> None:
    key = opened(cast, "pia", "console", "admin")
    found = sessions.find(key, "console")
    assert found is not None
    assert found.viewer.platform
    assert not cast("ada").platform


def test_outsiders_may_hold_only_what_the_catalogue_gives_them(cast: Cast) -> None:
    held = {
        p.type: {permission for q in db.session.scalars(select(Profile).where(Profile.type == p.type)) for permission in q.permissions}
        for p in db.session.scalars(select(Profile))
    }
    assert held[ProfileType.EXTERNAL] == {Permission.CREATE_CASE, Permission.UPDATE_CASE, Permission.COMMENT, Permission.OBSERVABLE}
    assert not [kind for kind, permissions in held.items() if permissions - set(CATALOGUE[kind])]
