"""Working in several organisations: profiles changed, places added and taken away, and what must never happen with them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from portal.accounts import invitations, joining, people, platform, sessions
from portal.accounts.joining import Seat
from portal.accounts.models import AccountType, Membership, User
from portal.accounts.viewer import Viewer
from portal.database import start_writing
from portal.extensions import db
from portal.mail.models import State
from portal.organisations.models import Organisation
from portal.refusals import NotAllowed, NotVisible, Refusal, Unfit
from portal.sharing.models import Grant
from tests.fixtures.rooms import Cast, letters, newest_audit, roles_of


def ids(*names: str) -> frozenset[int]:
    return frozenset(platform.profile(name).id for name in names)


def held(cast: Cast, who: str, place: str = "here") -> list[str]:
    return roles_of(cast.world.people[who], cast.world.places[place])


def add(cast: Cast, who: str, place: str, *profiles: str, by: str = "pia", default: bool = False) -> None:
    start_writing()
    joining.add(cast.world.people[who], Seat(cast.world.places[place], ids(*profiles), default), by=cast(by))
    db.session.commit()


def test_olga_can_change_what_a_colleague_may_do(cast: Cast) -> None:
    start_writing()
    key = sessions.open_session(cast.user("ruth"), cast.world.places["here"], "console")
    joining.set_profiles(cast.world.people["ruth"], cast.world.places["here"], ids("Analyst"), by=cast("olga"))
    db.session.commit()
    assert held(cast, "ruth") == ["Analyst"]
    entry = newest_audit()[0]
    assert (entry.kind, entry.changes) == ("membership:changed", {"profiles": [["Read-Only"], ["Analyst"]]})
    found = sessions.find(key, "console")
    assert found is not None
    assert found.viewer.can("manageComment")  # at once, and without signing in again


def test_an_external_organisation_is_the_same_however_its_name_is_typed(cast: Cast) -> None:
    start_writing()
    here, hanna, olga = cast.world.places["here"], cast.world.people["hanna"], cast("olga")
    found = [joining.party_of(db.session.get_one(Organisation, here), name, by=olga) for name in ("Müller GmbH", "Mu\u0308ller  gmbh")]
    assert found[0] is not None
    assert found[0] is found[1]
    joining.set_profiles(hanna, here, ids("External-Actor"), by=olga, works_for="Müller GmbH")
    joining.set_profiles(hanna, here, ids("External-Actor"), by=olga, works_for="Mu\u0308ller GmbH")  # nor is it another employer
    assert joining.held_at(hanna, here, by=olga).works_for == "Müller GmbH"


def test_olga_can_give_an_external_user_several_roles_and_another_company(cast: Cast) -> None:
    here, hanna = cast.world.places["here"], cast.world.people["hanna"]
    joining.set_profiles(hanna, here, ids("External-Actor", "External-Reader"), by=cast("olga"), works_for=" Harbour  Line ")
    db.session.commit()
    assert held(cast, "hanna") == ["External-Actor", "External-Reader"]
    assert joining.held_at(hanna, here, by=cast("olga")).works_for == "Harbour Line"
    assert newest_audit()[0].changes["works_for"] == ["", "Harbour Line"]
    joining.set_profiles(hanna, here, ids("External-Actor", "External-Reader"), by=cast("olga"), works_for="")
    assert joining.held_at(hanna, here, by=cast("olga")).works_for == ""


def test_choosing_what_is_held_already_leaves_no_trace(cast: Cast) -> None:
    before = newest_audit()[0].id
    joining.set_profiles(cast.world.people["ruth"], cast.world.places["here"], ids("Read-Only"), by=cast("olga"))
    db.session.commit()
    assert newest_audit()[0].id == before


@pytest.mark.parametrize(
    ("who", "place", "profiles", "sentence"),
    [
        ("ruth", "here", (), "Choose a profile for Northwind"),
        ("ruth", "here", ("Analyst", "Read-Only"), "one profile only"),
        ("ruth", "here", ("External-Actor",), "does not fit Northwind. Choose from: Analyst"),
        ("ruth", "here", ("Admin",), "does not fit Northwind"),
        ("hanna", "here", (), "at least one role"),
        ("hanna", "here", ("Analyst",), "does not fit an external user"),
        ("pia", "admin", ("Org-Admin",), "does not fit admin"),
    ],
)
def test_a_profile_must_fit(cast: Cast, who: str, place: str, profiles: tuple[str, ...], sentence: str) -> None:
    before = held(cast, who, place)
    by = cast("olga") if who != "pia" else second_administrator(cast)
    with pytest.raises(Unfit, match=sentence) as told:
        joining.set_profiles(cast.world.people[who], cast.world.places[place], ids(*profiles), by=by)
    assert told.value.field == ("roles" if who == "hanna" else "profile")
    db.session.rollback()
    assert held(cast, who, place) == before


def second_administrator(cast: Cast, *, activated: bool = True) -> Viewer:
    start_writing()
    seat = Seat(cast.world.places["admin"], ids("Admin"))
    user = invitations.invite(email="two@admin.example", name="Two", kind=AccountType.NORMAL, seats=[seat], by=cast("pia"))
    if activated:
        user.activated_at = user.created_at
    db.session.commit()
    viewer = sessions.viewer_of(user.id, cast.world.places["admin"])
    assert viewer is not None
    return viewer


def test_an_unknown_profile_is_refused(cast: Cast) -> None:
    with pytest.raises(Unfit, match="does not fit"):
        joining.set_profiles(cast.world.people["ruth"], cast.world.places["here"], {10**9}, by=cast("olga"))


def test_nobody_changes_what_they_may_do_themselves(cast: Cast) -> None:
    with pytest.raises(Refusal, match="your own profile"):
        joining.set_profiles(cast.world.people["olga"], cast.world.places["here"], ids("Analyst"), by=cast("olga"))
    with pytest.raises(Refusal, match="add yourself"):
        joining.add(cast.world.people["pia"], Seat(cast.world.places["here"], ids("Org-Admin")), by=cast("pia"))
    with pytest.raises(Refusal, match="remove yourself"):
        people.remove(cast.world.people["olga"], cast.world.places["here"], by=cast("olga"))


def test_the_last_administrator_keeps_the_right_profile(cast: Cast) -> None:
    pia, two = cast.world.people["pia"], second_administrator(cast, activated=False)
    platform.profile("Admin")
    start_writing()
    weaker = platform.profile("Admin").__class__(name="Half", type=platform.profile("Admin").type, permissions=["manageUser"])
    db.session.add(weaker)
    db.session.commit()
    with pytest.raises(Refusal, match="without an administrator"):
        joining.set_profiles(pia, cast.world.places["admin"], {weaker.id}, by=two)
    db.session.rollback()
    db.session.get_one(User, two.user_id).activated_at = db.session.get_one(User, two.user_id).created_at
    db.session.commit()
    joining.set_profiles(pia, cast.world.places["admin"], {weaker.id}, by=two)
    assert held(cast, "pia", "admin") == ["Half"]


def test_pia_can_let_somebody_work_elsewhere_too(cast: Cast) -> None:
    add(cast, "ada", "there", "Analyst", default=True)
    ada = cast.world.people["ada"]
    seats = joining.held_by(ada, by=cast("pia"))
    assert [(seat.organisation, seat.default) for seat in seats] == [("Elsewhere", True), ("Northwind", False)]
    assert [seat.organisation for seat in joining.held_by(ada, by=cast("olga"))] == ["Northwind"]
    assert [entry.kind for entry in newest_audit(2)] == ["user:edited", "membership:added"]
    joining.begin_in(ada, cast.world.places["here"], by=cast("pia"))
    assert [seat.organisation for seat in joining.held_by(ada, by=cast("pia")) if seat.default] == ["Northwind"]


@pytest.mark.parametrize(
    ("who", "place", "profile", "sentence"),
    [
        ("ada", "here", "Analyst", "works in Northwind already"),
        ("ada", "admin", "Analyst", "does not fit admin"),
        ("hanna", "admin", "External-Actor", "holds none"),
        ("ada", "nowhere", "Analyst", "organisations in the list"),
        ("ada", "there", "Analyst", "Elsewhere is locked"),
    ],
)
def test_a_place_must_fit(cast: Cast, who: str, place: str, profile: str, sentence: str) -> None:
    if "locked" in sentence:
        db.session.get_one(Organisation, cast.world.places["there"]).locked = True
        db.session.commit()
    cast.world.places["nowhere"] = 10**9
    with pytest.raises(Unfit, match=sentence):
        add(cast, who, place, profile)


def test_only_the_platform_says_who_works_where(cast: Cast) -> None:
    with pytest.raises(Refusal, match="administrator of the platform"):
        add(cast, "ada", "there", "Analyst", by="olga")
    with pytest.raises(Refusal, match="administrator of the platform"):
        joining.begin_in(cast.world.people["ada"], cast.world.places["here"], by=cast("olga"))


def test_leaving_an_organisation_takes_everything_that_was_had_there(cast: Cast) -> None:
    add(cast, "hanna", "there", "External-Reader")
    hanna, here = cast.world.people["hanna"], cast.world.places["here"]
    start_writing()
    key = sessions.open_session(cast.user("hanna"), here, "portal")
    other = sessions.open_session(cast.user("hanna"), cast.world.places["there"], "portal")
    db.session.commit()
    assert not people.remove(hanna, here, by=cast("olga"))
    db.session.commit()
    assert held(cast, "hanna") == []
    assert db.session.scalars(select(Grant.case_id).where(Grant.user_id == hanna)).all() == []
    assert (sessions.find(key, "portal"), sessions.find(other, "portal") is not None) == (None, True)
    assert {row.state for row in letters() if row.to_user_id == hanna} == {State.DROPPED}
    assert db.session.scalars(select(Membership.is_default).where(Membership.user_id == hanna)).all() == [True]
    entry = newest_audit()[0]
    assert (entry.kind, entry.organisation_id, entry.changes) == ("membership:removed", here, {"profiles": [["External-Actor"], None]})


def test_leaving_the_last_organisation_deletes_the_account(cast: Cast) -> None:
    assert people.remove(cast.world.people["hanna"], cast.world.places["here"], by=cast("olga"))
    db.session.commit()
    assert cast.user("hanna").deleted_at is not None
    assert newest_audit()[0].kind == "user:deleted"


def test_somebody_who_works_elsewhere_too_can_be_removed_but_not_closed(cast: Cast) -> None:
    add(cast, "ada", "there", "Analyst")
    ada, olga = cast.world.people["ada"], cast("olga")
    acts: tuple[Callable[[], object], ...] = (
        lambda: people.lock(ada, by=olga),
        lambda: people.unlock(ada, by=olga),
        lambda: people.delete(ada, by=olga),
        lambda: people.edit(ada, name="Other", by=olga),
    )
    for act in acts:
        with pytest.raises(Refusal, match="also works in another organisation"):
            act()
    people.remove(ada, cast.world.places["here"], by=olga)
    db.session.commit()
    assert (held(cast, "ada"), held(cast, "ada", "there")) == ([], ["Analyst"])
    with pytest.raises(NotVisible):
        people.remove(ada, cast.world.places["there"], by=olga)


@pytest.mark.parametrize("who", ["ada", "ruth", "hanna"])
def test_people_without_the_right_cannot_say_who_may_do_what(cast: Cast, who: str) -> None:
    here, vic = cast.world.places["here"], cast.world.people["vic"]
    for act in (
        lambda: joining.set_profiles(vic, here, ids("External-Reader"), by=cast(who)),
        lambda: people.remove(vic, here, by=cast(who)),
        lambda: add(cast, "vic", "there", "External-Reader", by=who),
    ):
        with pytest.raises(NotAllowed):
            act()
    db.session.rollback()
    assert held(cast, "vic") == ["External-Actor"]


def test_otto_cannot_reach_anybody_of_another_organisation(cast: Cast) -> None:
    for place in ("here", "there"):
        with pytest.raises(NotVisible):
            joining.set_profiles(cast.world.people["vic"], cast.world.places[place], ids("External-Reader"), by=cast("otto"))
