"""Organisations: making, editing, locking; what locking ends, what it leaves, and what the admin organisation never is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select

from portal.accounts import platform, powers, sessions
from portal.accounts.models import AccountType, LoginSession
from portal.accounts.permissions import Permission
from portal.accounts.viewer import Viewer
from portal.cases import cases
from portal.cases.models import Case
from portal.database import start_writing
from portal.extensions import db
from portal.mail.models import OutboxMessage, State
from portal.mail.outbox import post
from portal.organisations import organisations
from portal.organisations.models import Organisation
from portal.refusals import NotAllowed, NotVisible, Refusal, Stale, Unfit
from tests import factories as make
from tests.fixtures.rooms import Cast, at_once, newest_audit


def create(by: Viewer, name: str, description: str = "", *, names_analysts: bool = True) -> Organisation:
    start_writing()
    made = organisations.create(name=name, description=description, names_analysts=names_analysts, by=by)
    db.session.commit()
    return made


def stored(organisation_id: int) -> Organisation:
    wanted = select(Organisation).where(Organisation.id == organisation_id).execution_options(populate_existing=True)
    return db.session.scalars(wanted).one()


def edit(by: Viewer, organisation_id: int, *, version: int = 0, **changes: object) -> None:
    start_writing()
    now = stored(organisation_id)
    typed = {"name": now.name, "description": now.description, "names_analysts": now.names_analysts, **changes}
    organisations.edit(organisation_id, version=version or now.version, by=by, **typed)  # type: ignore[arg-type]
    db.session.commit()


def lock(by: Viewer, organisation_id: int) -> None:
    start_writing()
    organisations.lock(organisation_id, by=by)
    db.session.commit()


def signed_in(cast: Cast, who: str, place: str, face: str = "console") -> str:
    start_writing()
    key = sessions.open_session(cast.user(who), cast.world.places[place], face)
    db.session.commit()
    return key


def join(cast: Cast, who: str, place: str, profile: str) -> None:
    start_writing()
    platform.join(cast.user(who), stored(cast.world.places[place]), [platform.profile(profile)])
    db.session.commit()


def works_in(key: str, face: str = "console") -> int | None:
    db.session.rollback()
    found = sessions.find(key, face)
    return found.viewer.organisation_id if found else None


def test_pia_can_make_an_organisation(cast: Cast) -> None:
    made = create(cast("pia"), "  Harbour   Watch ", "They look\r\nafter ships.\x00", names_analysts=False)
    kept = stored(made.id)
    assert (kept.name, kept.description, kept.names_analysts) == ("Harbour Watch", "They look\nafter ships.", False)
    assert (kept.built_in, kept.locked, kept.version) == (False, False, 1)
    entry = newest_audit()[0]
    assert (entry.kind, entry.organisation_id) == ("organisation:created", made.id)


@pytest.mark.parametrize("name", ["northwind", "NORTHWIND", "Admin", "Ｎorthwind"], ids=["lower", "upper", "built-in", "wide"])
def test_a_name_cannot_be_given_twice(cast: Cast, name: str) -> None:
    with pytest.raises(Unfit, match="already an organisation called"):
        create(cast("pia"), name)
    with pytest.raises(Unfit, match="already an organisation called"):
        edit(cast("pia"), cast.world.places["there"], name=name)


@pytest.mark.parametrize("name", ["", "  ", "x" * 65], ids=["empty", "blank", "long"])
def test_an_organisation_cannot_be_without_a_name(cast: Cast, name: str) -> None:
    with pytest.raises(Unfit) as refused:
        create(cast("pia"), name)
    assert refused.value.field == "name"


def test_a_description_has_an_end(cast: Cast) -> None:
    with pytest.raises(Unfit, match="65,536"):
        create(cast("pia"), "Wordy", "x" * 65_537)


def test_two_administrators_cannot_make_the_same_name_at_once(app: Flask, cast: Cast) -> None:
    pia = cast("pia")
    results = at_once(app, lambda: create(pia, "Twin"), lambda: create(pia, "TWIN"))
    assert sum(isinstance(result, Unfit) for result in results) == 1


@pytest.mark.parametrize("who", ["ada", "olga", "otto", "hanna"])
def test_who_does_not_run_the_platform_cannot_touch_organisations(cast: Cast, who: str) -> None:
    viewer, here = cast(who), cast.world.places["here"]
    for act in (
        lambda: organisations.listed(by=viewer),
        lambda: organisations.create(name="Mine", by=viewer),
        lambda: organisations.edit(here, name="Mine", version=1, by=viewer, description="", names_analysts=True),
        lambda: organisations.lock(here, by=viewer),
        lambda: organisations.unlock(here, by=viewer),
    ):
        with pytest.raises(NotAllowed):
            act()


def test_an_unknown_organisation_does_not_exist(cast: Cast) -> None:
    for act in (organisations.load, organisations.lock, organisations.unlock):
        with pytest.raises(NotVisible):
            act(987_654, by=cast("pia"))


def test_an_edit_says_what_it_changed(cast: Cast) -> None:
    here = cast.world.places["here"]
    edit(cast("pia"), here, name="Northwind CSIRT", names_analysts=False)
    assert not cast("ada").platform
    entry = newest_audit()[0]
    assert (entry.kind, entry.organisation_id) == ("organisation:edited", here)
    assert entry.changes == {"name": ["Northwind", "Northwind CSIRT"], "names_analysts": [True, False]}
    edit(cast("pia"), here, name="northwind csirt")
    assert stored(here).name == "northwind csirt"


def test_the_second_of_two_administrators_is_told(cast: Cast) -> None:
    here, pia = cast.world.places["here"], cast("pia")
    edit(pia, here, version=1, name="First")
    with pytest.raises(Stale):
        edit(pia, here, version=1, name="Second")
    db.session.rollback()
    assert stored(here).name == "First"


def test_the_admin_organisation_stays_what_it_is(cast: Cast) -> None:
    admin, pia = cast.world.places["admin"], cast("pia")
    with pytest.raises(Unfit, match="keeps its name"):
        edit(pia, admin, name="root")
    with pytest.raises(Refusal, match="cannot be locked"):
        lock(pia, admin)
    edit(pia, admin, description="Who runs this.")
    assert (stored(admin).name, stored(admin).locked, stored(admin).description) == ("admin", False, "Who runs this.")


def test_the_admin_organisation_cannot_hold_cases(cast: Cast) -> None:
    """Not even for somebody whose profile would allow it."""
    able = replace(cast("pia"), permissions=frozenset(Permission))
    start_writing()
    with pytest.raises(NotAllowed, match="cannot hold cases"):
        cases.create_case(cases.Draft("A case", "It happened."), by=able)
    assert db.session.scalar(select(Case.id).where(Case.organisation_id == able.organisation_id)) is None


def test_locking_signs_out_who_only_works_there(cast: Cast) -> None:
    here, pia = cast.world.places["here"], cast("pia")
    ada, hanna = signed_in(cast, "ada", "here"), signed_in(cast, "hanna", "here", "portal")
    otto = signed_in(cast, "otto", "there")
    assert organisations.only_here(here) == 8
    lock(pia, here)
    assert (works_in(ada), works_in(hanna, "portal"), works_in(otto)) == (None, None, cast.world.places["there"])
    assert db.session.scalars(select(LoginSession.user_id)).all() == [cast.world.people["otto"]]
    assert newest_audit()[0].kind == "organisation:locked"


def test_who_also_works_elsewhere_goes_on_there(cast: Cast) -> None:
    join(cast, "ada", "there", "Analyst")
    ada, other = signed_in(cast, "ada", "here"), signed_in(cast, "ada", "there")
    assert organisations.only_here(cast.world.places["here"]) == 7
    assert organisations.only_here(cast.world.places["there"]) == 2
    lock(cast("pia"), cast.world.places["here"])
    there = cast.world.places["there"]
    assert (works_in(ada), works_in(other)) == (there, there)
    found = sessions.find(ada, "console")
    assert found is not None
    assert found.viewer.organisations == ((there, "Elsewhere"),)


def test_nobody_is_moved_to_a_locked_organisation(cast: Cast) -> None:
    join(cast, "ada", "there", "Analyst")
    ada = signed_in(cast, "ada", "here")
    lock(cast("pia"), cast.world.places["there"])
    assert works_in(ada) == cast.world.places["here"]
    assert organisations.only_here(cast.world.places["here"]) == 8
    lock(cast("pia"), cast.world.places["here"])
    assert works_in(ada) is None


def test_letters_about_a_locked_organisation_stay_here(cast: Cast) -> None:
    here, there = cast.world.places["here"], cast.world.places["there"]
    start_writing()
    case = cast.case("shared")
    waiting = [
        post("case_news", to_user_id=cast.world.people["hanna"], organisation_id=here, case_id=case.id),
        post("invitation", to_user_id=cast.world.people["newt"], organisation_id=here),
    ]
    going = [
        post("invitation", to_user_id=cast.world.people["gast"], organisation_id=there),
        post("password_changed", to_user_id=cast.world.people["ada"], organisation_id=here, extra={"at": "2026-01-01T00:00:00+00:00"}),
    ]
    db.session.commit()
    lock(cast("pia"), here)
    states = {row.id: row for row in db.session.scalars(select(OutboxMessage).execution_options(populate_existing=True))}
    assert [states[row.id].state for row in waiting] == [State.DROPPED] * 2
    assert {states[row.id].last_error for row in waiting} == {"the organisation was locked"}
    assert [states[row.id].state for row in going] == [State.WAITING] * 2


def test_nobody_is_invited_to_a_locked_organisation(cast: Cast) -> None:
    lock(cast("pia"), cast.world.places["there"])
    with pytest.raises(Refusal, match="is locked"):
        powers.organisation_for(cast.world.places["there"], by=cast("pia"))


def test_unlocking_brings_people_back(cast: Cast) -> None:
    here, pia = cast.world.places["here"], cast("pia")
    before = signed_in(cast, "ada", "here")
    lock(pia, here)
    start_writing()
    organisations.unlock(here, by=pia)
    db.session.commit()
    assert newest_audit()[0].kind == "organisation:unlocked"
    assert works_in(before) is None
    assert works_in(signed_in(cast, "ada", "here")) == here


def test_locking_twice_is_locking_once(cast: Cast) -> None:
    here, pia = cast.world.places["here"], cast("pia")
    lock(pia, here)
    entry, version = newest_audit()[0].id, stored(here).version
    lock(pia, here)
    assert (newest_audit()[0].id, stored(here).version) == (entry, version)


def test_the_list_goes_by_name_and_counts_members(cast: Cast) -> None:
    page = organisations.listed(by=cast("pia"))
    assert [row.name for row in page.rows] == ["admin", "Elsewhere", "Northwind"]
    assert [row.members for row in page.rows] == [1, 2, 8]
    assert page.next is None


def test_the_list_comes_in_pages_without_gaps(cast: Cast) -> None:
    start_writing()
    db.session.add_all(Organisation(name=f"{'Ä' if number % 2 else 'a'}bteilung {number:03d}") for number in range(60))
    db.session.commit()
    seen, after = [], 0
    while True:
        page = organisations.listed("abteilung", after, by=cast("pia"))
        seen += [row.name for row in page.rows]
        if page.next is None:
            break
        assert len(page.rows) == 25
        after = int(page.next)
    assert [name[-3:] for name in seen] == [f"{number:03d}" for number in range(60)]
    assert organisations.listed("nowhere", by=cast("pia")).rows == []
    assert organisations.listed("NORTH  wind", by=cast("pia")).rows == []
    assert [row.name for row in organisations.listed(" NORTH", by=cast("pia")).rows] == ["Northwind"]


def test_members_come_with_their_profiles(cast: Cast) -> None:
    people = {person.name: person for person in organisations.first_members(cast.world.places["here"])}
    assert people["Olga Person"].profiles == ["Org-Admin"]
    assert (people["Hanna Person"].external, people["Olga Person"].external) == (True, False)
    assert (people["Dora Person"].active, people["Hanna Person"].active) == (False, True)


def test_only_the_first_members_are_read(cast: Cast) -> None:
    start_writing()
    there = stored(cast.world.places["there"])
    for number in range(30):
        make.make_user(f"Extra{number:02d}", there, "External-Reader", kind=AccountType.EXTERNAL, activated=False)
    db.session.commit()
    assert len(organisations.first_members(there.id)) == 25
    assert organisations.count_members(there.id) == 32
