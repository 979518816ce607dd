"""Profiles: making, editing and deleting sets of permissions, and what nobody may do to them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select

from portal.accounts import platform, profiles
from portal.accounts.models import Membership, Profile
from portal.accounts.permissions import CATALOGUE, Permission, ProfileType
from portal.accounts.viewer import Viewer
from portal.database import start_writing
from portal.extensions import db
from portal.organisations.models import Organisation
from portal.refusals import NotAllowed, NotVisible, Refusal, Stale, Unfit
from tests import factories as make
from tests.fixtures.rooms import Cast, at_once, newest_audit

P, T = Permission, ProfileType


def create(by: Viewer, name: str = "Writer", kind: ProfileType = T.ORGANISATION, *permissions: str) -> Profile:
    start_writing()
    made = profiles.create(name=name, kind=kind, permissions=permissions, by=by)
    db.session.commit()
    return made


def edit(by: Viewer, profile: Profile, *permissions: str, name: str = "", version: int = 0) -> Profile:
    start_writing()
    done = profiles.edit(
        profile.id, name=name or profile.name, permissions=permissions, version=version or stored(profile.id).version, by=by
    )
    db.session.commit()
    return done


def delete(by: Viewer, profile: Profile) -> str:
    start_writing()
    name = profiles.delete(profile.id, by=by)
    db.session.commit()
    return name


def stored(profile_id: int) -> Profile:
    return db.session.scalars(select(Profile).where(Profile.id == profile_id).execution_options(populate_existing=True)).one()


def admin_place(cast: Cast) -> Organisation:
    return db.session.get_one(Organisation, cast.world.places["admin"])


def test_pia_can_make_a_profile(cast: Cast) -> None:
    made = create(cast("pia"), "  Case   writer ", T.ORGANISATION, P.COMMENT, P.CREATE_CASE)
    assert (made.name, made.type, made.permissions) == ("Case writer", T.ORGANISATION, ["manageCase/create", "manageComment"])
    assert (made.built_in, made.locked, made.version) == (False, False, 1)
    entry = newest_audit()[0]
    assert (entry.kind, entry.object_id) == ("profile:created", str(made.id))
    assert entry.changes["permissions"] == [None, ["manageCase/create", "manageComment"]]


@pytest.mark.parametrize("who", ["ada", "olga", "ruth", "otto", "hanna"])
def test_who_does_not_run_the_platform_cannot_touch_profiles(cast: Cast, who: str) -> None:
    viewer, analyst = cast(who), platform.profile("Analyst")
    for act in (
        lambda: profiles.listed(by=viewer),
        lambda: profiles.create(name="Mine", kind=T.ORGANISATION, permissions=[], by=viewer),
        lambda: profiles.edit(analyst.id, name="Mine", permissions=[], version=1, by=viewer),
        lambda: profiles.delete(analyst.id, by=viewer),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert stored(analyst.id).name == "Analyst"


@pytest.mark.parametrize("name", ["analyst", "ANALYST", " Analyst ", "ＡＮＡＬＹＳＴ"], ids=["lower", "upper", "blanks", "wide"])
def test_a_name_cannot_be_given_twice(cast: Cast, name: str) -> None:
    with pytest.raises(Unfit, match="already a profile called Analyst") as refused:
        create(cast("pia"), name)
    assert refused.value.field == "name"


def test_names_with_umlauts_are_compared_without_capitals_too(cast: Cast) -> None:
    create(cast("pia"), "Prüfer Österreich")
    with pytest.raises(Unfit, match="already"):
        create(cast("pia"), "prüfer österreich")


@pytest.mark.parametrize("name", ["", "   ", "x" * 65], ids=["empty", "blank", "long"])
def test_a_profile_cannot_be_without_a_name(cast: Cast, name: str) -> None:
    with pytest.raises(Unfit):
        create(cast("pia"), name)


@pytest.mark.parametrize(
    ("kind", "permission"),
    [(T.EXTERNAL, P.TASK), (T.ORGANISATION, P.MANAGE_PLATFORM), (T.ADMIN, P.COMMENT), (T.ORGANISATION, "manageEverything")],
    ids=["external", "organisation", "admin", "unknown"],
)
def test_a_profile_cannot_hold_a_permission_of_another_type(cast: Cast, kind: ProfileType, permission: str) -> None:
    with pytest.raises(Unfit, match="is not for profiles of the type") as refused:
        create(cast("pia"), "Odd", kind, permission)
    assert refused.value.field == "permissions"


def test_two_administrators_cannot_make_the_same_name_at_once(app: Flask, cast: Cast) -> None:
    pia = cast("pia")
    results = at_once(app, lambda: create(pia, "Twin"), lambda: create(pia, "TWIN"))
    assert sum(isinstance(result, Unfit) for result in results) == 1
    assert len([row for row in profiles.listed(by=pia) if row.name.lower() == "twin"]) == 1


def test_an_edit_bites_at_once(cast: Cast) -> None:
    sharer = platform.profile("Sharer")
    assert cast("ada").can(P.SHARE_OUTSIDE)
    edit(cast("pia"), sharer, P.COMMENT, name="Talker")
    assert cast("ada").permissions == {P.COMMENT}
    entry = newest_audit()[0]
    assert entry.kind == "profile:edited"
    assert entry.changes["name"] == ["Sharer", "Talker"]
    assert entry.changes["permissions"][1] == ["manageComment"]
    assert P.SHARE_OUTSIDE in entry.changes["permissions"][0]


def test_an_edit_that_changes_nothing_is_none(cast: Cast) -> None:
    sharer, before = platform.profile("Sharer"), newest_audit()[0].id
    edit(cast("pia"), sharer, *sharer.permissions)
    assert (stored(sharer.id).version, newest_audit()[0].id) == (1, before)


def test_the_second_of_two_administrators_is_told(cast: Cast) -> None:
    sharer, pia = platform.profile("Sharer"), cast("pia")
    edit(pia, sharer, P.COMMENT, version=1)
    with pytest.raises(Stale):
        edit(pia, sharer, P.CREATE_CASE, version=1)
    db.session.rollback()
    assert stored(sharer.id).permissions == [P.COMMENT]


def test_two_edits_at_once_do_not_overwrite_one_another(app: Flask, cast: Cast) -> None:
    pia, number = cast("pia"), platform.profile("Sharer").id

    def change(permission: str) -> None:
        start_writing()
        profiles.edit(number, name="Sharer", permissions=[permission], version=1, by=pia)
        db.session.commit()

    results = at_once(app, lambda: change(P.COMMENT), lambda: change(P.CREATE_CASE))
    assert sum(isinstance(result, Stale) for result in results) == 1, results


@pytest.mark.parametrize("name", ["Admin", "Org-Admin", "Read-Only", "External-Reader", "External-Actor"])
def test_a_locked_profile_cannot_be_changed(cast: Cast, name: str) -> None:
    profile, pia = platform.profile(name), cast("pia")
    with pytest.raises(Refusal, match="Duplicate it"):
        edit(pia, profile, name="Other")
    with pytest.raises(Refusal, match="Duplicate it"):
        delete(pia, profile)
    db.session.rollback()
    assert stored(profile.id).name == name


def test_the_analyst_profile_can_be_edited_and_deleted_while_nobody_has_it(cast: Cast) -> None:
    analyst = platform.profile("Analyst")
    edit(cast("pia"), analyst, P.COMMENT)
    assert stored(analyst.id).permissions == [P.COMMENT]
    assert delete(cast("pia"), analyst) == "Analyst"
    assert newest_audit()[0].kind == "profile:deleted"
    assert db.session.get(Profile, analyst.id) is None
    start_writing()
    platform.seed()
    assert db.session.scalar(select(Profile.id).where(Profile.name == "Analyst")) is None


def test_a_profile_somebody_has_cannot_be_deleted(cast: Cast) -> None:
    sharer = platform.profile("Sharer")
    with pytest.raises(Refusal, match="1 person has the profile Sharer"):
        delete(cast("pia"), sharer)
    start_writing()
    make.make_user("Bo", db.session.get_one(Organisation, cast.world.places["there"]), "Sharer")
    db.session.commit()
    with pytest.raises(Refusal, match="2 people have the profile Sharer"):
        delete(cast("pia"), sharer)


def test_somebody_in_two_organisations_is_counted_once(cast: Cast) -> None:
    start_writing()
    sharer = platform.profile("Sharer")
    platform.join(cast.user("ada"), db.session.get_one(Organisation, cast.world.places["there"]), [sharer])
    db.session.commit()
    assert profiles.holders(sharer.id) == 1
    assert {row.name: row.holders for row in profiles.listed(by=cast("pia"))}["Sharer"] == 1


def test_the_list_tells_types_and_holders(cast: Cast) -> None:
    rows = profiles.listed(by=cast("pia"))
    assert [row.kind for row in rows] == sorted((row.kind for row in rows), key=list(T).index)
    by_name = {row.name: row for row in rows}
    assert by_name["External-Actor"].holders == 5
    assert by_name["External-Actor"].words == ["Report incidents", "Upload files", "Write messages", "Add evidence items"]
    assert by_name["Analyst"].holders == 0


def test_an_unknown_profile_does_not_exist(cast: Cast) -> None:
    for number in (0, 987_654, 10**17):
        with pytest.raises(NotVisible):
            profiles.load(number, by=cast("pia"))


def test_nobody_can_hand_out_rights_over_the_platform_they_lack(cast: Cast) -> None:
    less = replace(cast("pia"), permissions=frozenset({P.MANAGE_PROFILE}))
    with pytest.raises(Unfit, match="you may not do yourself: Change mail and sign-in settings"):
        create(less, "Boss", T.ADMIN, P.MANAGE_PROFILE, P.MANAGE_PLATFORM)
    made = create(less, "Small", T.ADMIN, P.MANAGE_PROFILE)
    with pytest.raises(Unfit):
        edit(less, made, P.MANAGE_PROFILE, P.MANAGE_USER)


def test_nobody_can_widen_the_profile_they_hold(cast: Cast) -> None:
    pia, everything = cast("pia"), [p.value for p in CATALOGUE[T.ADMIN]]
    own = create(pia, "Half", T.ADMIN, P.MANAGE_PROFILE, P.MANAGE_USER)
    start_writing()
    rob = make.make_user("Rob", admin_place(cast), "Half")
    db.session.commit()
    with pytest.raises(Unfit, match="You hold this profile yourself"):
        edit(rob, own, P.MANAGE_PROFILE, P.MANAGE_USER, P.MANAGE_PLATFORM)
    edit(rob, own, P.MANAGE_PROFILE)
    edit(pia, own, *everything)
    assert stored(own.id).permissions == sorted(everything)


def test_the_last_full_administrator_cannot_lose_a_right(cast: Cast) -> None:
    """Pia holds a copy of Admin instead of the original, and nobody else administers everything."""
    pia, everything = cast("pia"), [p.value for p in CATALOGUE[T.ADMIN]]
    own = create(pia, "Boss", T.ADMIN, *everything)
    start_writing()
    membership = db.session.scalars(select(Membership).where(Membership.user_id == pia.user_id)).one()
    db.session.refresh(membership, ["profiles"])
    membership.profiles = [stored(own.id)]
    db.session.commit()
    with pytest.raises(Refusal, match="without an administrator"):
        edit(pia, own, P.MANAGE_PROFILE)
    start_writing()
    make.make_user("Rob", admin_place(cast), "Admin")
    db.session.commit()
    edit(pia, own, P.MANAGE_PROFILE)
    assert cast("pia").permissions == {P.MANAGE_PROFILE}
