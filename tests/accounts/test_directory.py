"""The list of people: what it says of an account, what filters and orders leave, page after page; and whom one may share with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.accounts import directory, invitations, links, people, selection, standing
from portal.accounts.directory import Filters
from portal.accounts.models import AccountType, ApiKey, Membership, OneTimeLink, Profile, Purpose, User
from portal.accounts.viewer import Viewer
from portal.clock import now
from portal.database import start_writing
from portal.extensions import db
from portal.mail.models import State
from portal.organisations.models import Organisation, Party, PartyKind
from portal.sharing import guard
from tests import factories as make
from tests.fixtures.rooms import Cast, letters


def names(viewer: Viewer, **filters: str) -> list[str]:
    """First words of the names, over all pages."""
    told, after = [], ""
    while True:
        page = directory.people(viewer, Filters(**filters), after)
        told += [row.name.split()[0] for row in page.rows]
        if page.next is None:
            return told
        after = page.next


def here(cast: Cast) -> Organisation:
    return db.session.get_one(Organisation, cast.world.places["here"])


def many(cast: Cast, count: int) -> None:
    """So many more external people, some of whom signed in, several at the same moment."""
    for number in range(count):
        user = db.session.get_one(
            User, make.make_user(f"Many{number:03}", here(cast), "External-Reader", kind=AccountType.EXTERNAL).user_id
        )
        user.last_sign_in_at = now() - timedelta(days=number // 4) if number % 3 else None
    db.session.commit()


def link(cast: Cast, who: str) -> OneTimeLink:
    start_writing()
    return invitations.send_invitation(cast.user(who), here(cast), by=cast("olga"))


def not_invited(cast: Cast) -> None:
    """Newt is made without a link."""


def invited(cast: Cast) -> None:
    link(cast, "newt")
    letters("invitation")[-1].state = State.SENT


def waiting(cast: Cast) -> None:
    link(cast, "newt")


def undelivered(cast: Cast) -> None:
    link(cast, "newt")
    letters("invitation")[-1].state = State.FAILED


def expired(cast: Cast) -> None:
    link(cast, "newt").expires_at = now() - timedelta(seconds=1)


def of_another_epoch(cast: Cast) -> None:
    link(cast, "newt")
    cast.user("newt").epoch += 1


def cancelled(cast: Cast) -> None:
    link(cast, "newt")
    links.supersede(Purpose.INVITATION, cast.user("newt"))


def replaced(cast: Cast) -> None:
    link(cast, "newt")
    link(cast, "newt")


def locked(cast: Cast) -> None:
    link(cast, "newt")
    people.lock(cast.world.people["newt"], by=cast("olga"))


def set_up(cast: Cast) -> None:
    cast.user("newt").activated_at = now()


@pytest.mark.parametrize(
    ("change", "state", "found_by"),
    [
        (not_invited, "uninvited", "uninvited"),
        (invited, "invited", "invited"),
        (waiting, "waiting", "invited"),
        (undelivered, "undelivered", "invited"),
        (expired, "expired", "expired"),
        (of_another_epoch, "expired", "expired"),
        (cancelled, "uninvited", "uninvited"),
        (replaced, "waiting", "invited"),
        (locked, "locked", "locked"),
        (set_up, "active", "active"),
    ],
)
def test_the_word_for_an_account_and_the_filter_for_it_agree(cast: Cast, change: Callable[[Cast], None], state: str, found_by: str) -> None:
    change(cast)
    db.session.commit()
    olga, newt = cast("olga"), cast.user("newt")
    [row] = directory.chosen(olga, [newt.id])
    assert (row.state, standing.standing_of(newt).state) == (state, state)
    assert [name for name in standing.FILTERS if "Newt" in names(olga, state=name)] == [found_by]
    assert (row.standing.until is not None) == (state == "invited")
    assert row.can_resend == (state not in ("active", "locked"))


def test_every_state_is_in_exactly_one_filter(cast: Cast) -> None:
    found = [name for state in standing.FILTERS for name in names(cast("pia"), state=state)]
    assert sorted(found) == sorted(names(cast("pia")))


@pytest.mark.parametrize("sort", list(selection.ORDERS))
def test_pages_follow_each_other_without_gap_or_repetition(cast: Cast, sort: str) -> None:
    many(cast, 60)
    olga = cast("olga")
    told = names(olga, sort=sort)
    assert len(told) == len(set(told)) == 68
    assert names(olga, sort=sort.removeprefix("-")) == (told[::-1] if sort.startswith("-") else told)


def test_the_order_is_that_of_names_or_of_last_sign_ins(cast: Cast) -> None:
    cast.user("vic").last_sign_in_at = now()
    cast.user("ruth").last_sign_in_at = now() - timedelta(days=1)
    db.session.commit()
    assert names(cast("olga"))[:4] == ["Ada", "Dora", "Hanna", "Newt"]
    assert names(cast("olga"), sort="seen")[:2] == ["Vic", "Ruth"]
    assert names(cast("olga"), sort="-seen")[-2:] == ["Ruth", "Vic"]


@pytest.mark.parametrize("after", ["", "x", "1-", "1-!!", "-", "9" * 30 + "-YQ", "1-/w", "1-AA", "0-1", "1-1", "1", "99999999999999999-1"])
@pytest.mark.parametrize("sort", ["name", "-seen"])
def test_a_page_that_does_not_exist_is_no_fault(cast: Cast, after: str, sort: str) -> None:
    assert len(directory.people(cast("olga"), Filters(sort=sort), after).rows) <= 25


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ZOE", ["Zoé"]),
        ("zoé", ["Zoé"]),
        ("person zo", ["Zoé"]),
        ("zoé@PEOPLE", ["Zoé"]),
        ("hanna vic", []),
        ("%", []),
        ("_", []),
        ("\\", []),
        ("\0", None),
        ("   ", None),
    ],
)
def test_search_knows_neither_capitals_nor_accents_nor_patterns(cast: Cast, text: str, found: list[str] | None) -> None:
    make.make_user("Zoé", here(cast), "External-Reader", kind=AccountType.EXTERNAL)
    db.session.commit()
    assert names(cast("olga"), q=text) == (found if found is not None else names(cast("olga")))


def test_percent_and_underscore_are_letters_like_others(cast: Cast) -> None:
    make.make_user("A_b", here(cast), "External-Reader", kind=AccountType.EXTERNAL)
    make.make_user("Axb", here(cast), "External-Reader", kind=AccountType.EXTERNAL)
    db.session.commit()
    assert names(cast("olga"), q="a_b") == ["A_b"]


def test_kinds_profiles_and_second_factors_can_be_asked_for(cast: Cast) -> None:
    olga = cast("olga")
    cast.user("ruth").mfa = True
    db.session.commit()
    assert names(olga, kind="internal") == ["Ada", "Olga", "Ruth"]
    assert names(olga, kind="external") == ["Dora", "Hanna", "Newt", "Rhea", "Vic"]
    assert names(olga, kind="service") == []
    assert names(olga, second="yes") == ["Ruth"]
    assert "Ruth" not in names(olga, second="no")
    reader = str(db.session.scalar(select(Profile.id).where(Profile.name == "External-Reader")))
    assert names(olga, profile=reader) == names(cast("pia"), profile=reader) == ["Rhea"]


def test_the_platform_sees_everybody_once_with_all_places(cast: Cast) -> None:
    start_writing()
    there = db.session.get_one(Organisation, cast.world.places["there"])
    profile = db.session.scalars(select(Profile).where(Profile.name == "Read-Only")).one()
    db.session.add(Membership(user_id=cast.world.people["ada"], organisation_id=there.id, profiles=[profile]))
    db.session.commit()
    pia = cast("pia")
    assert len(names(pia)) == len(set(names(pia))) == len(cast.world.people)
    [ada] = directory.chosen(pia, [cast.world.people["ada"]])
    assert [(place.organisation, place.profiles) for place in ada.places] == [("Northwind", ("Sharer",)), ("Elsewhere", ("Read-Only",))]
    [ada] = directory.chosen(cast("otto"), [cast.world.people["ada"]])
    assert [place.organisation for place in ada.places] == ["Elsewhere"]
    assert names(pia, organisation=str(there.id)) == ["Ada", "Gast", "Otto"]
    assert names(pia, organisation=str(there.id), profile=str(profile.id)) == ["Ada"]


def test_an_organisation_cannot_ask_for_people_of_another(cast: Cast) -> None:
    assert names(cast("olga"), organisation=str(cast.world.places["there"])) == names(cast("olga"))
    assert directory.chosen(cast("olga"), cast.world.people.values()) == directory.chosen(
        cast("olga"), [row.id for row in directory.people(cast("olga")).rows]
    )


def test_deleted_accounts_are_not_listed(cast: Cast) -> None:
    cast.user("vic").deleted_at = now()
    db.session.commit()
    assert "Vic" not in names(cast("olga")) + names(cast("pia"))


def test_the_list_says_how_somebody_signs_in(cast: Cast) -> None:
    start_writing()
    robot = make.make_user("Robot", here(cast), "Read-Only", kind=AccountType.SERVICE, activated=False).user_id
    db.session.commit()
    olga = cast("olga")
    ids = {"hanna": cast.world.people["hanna"], "newt": cast.world.people["newt"], "robot": robot}
    told = {row.id: row.signs_in_with for row in directory.chosen(olga, ids.values())}
    assert [told[ids[name]] for name in ("hanna", "newt", "robot")] == ["Password", "Not set up", "Not set up"]
    db.session.rollback()
    start_writing()
    cast.user("hanna").mfa = True
    db.session.add(ApiKey(user_id=robot, start="pk_1", key_hash="x"))
    db.session.commit()
    told = {row.id: row.signs_in_with for row in directory.chosen(olga, ids.values())}
    assert (told[ids["hanna"]], told[robot]) == ("Password and second step", "API key only")


def test_the_number_of_people_is_counted_up_to_a_limit(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    many(cast, 40)
    olga = cast("olga")
    monkeypatch.setattr(directory, "FEW", 100)

    def total(after: str = "", **filters: str) -> str:
        return directory.listed(olga, Filters(**filters), after)[1]

    second = directory.people(olga).next or ""
    found = directory.people(olga, Filters(q="many")).next or ""
    assert [total(), total(second), total(q="many"), total(found, q="many"), total(kind="internal")] == ["48", "48", "40", "40", "3"]
    monkeypatch.setattr(directory, "MANY", 47)
    monkeypatch.setattr(directory, "FEW", 39)
    assert [total(), total(second), total(q="many"), total(found, q="many")] == ["47+", "47+", "39+", "39+"]
    monkeypatch.setattr(directory, "MANY", 3)
    assert directory.count_outsiders(cast.world.places["here"]) == 4


def test_an_export_has_everybody(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "AT_ONCE", 3)
    assert [row.name.split()[0] for row in directory.everybody(cast("olga"), Filters())] == names(cast("olga"))
    assert [row.name.split()[0] for row in directory.everybody(cast("olga"), Filters(sort="-seen"))] == names(cast("olga"), sort="-seen")


def test_lists_work_behind_the_second_lock(cast: Cast) -> None:
    for who in ("olga", "pia"):
        guard.engage(cast(who))
        try:
            assert names(cast(who), state="invited", q="a") == []
        finally:
            guard.release()


def test_outsiders_are_found_by_name_address_and_organisation(cast: Cast) -> None:
    start_writing()
    party = Party(organisation_id=cast.world.places["here"], name="Häfen & Söhne", kind=PartyKind.CLIENT)
    db.session.add(party)
    db.session.flush()
    db.session.execute(Membership.__table__.update().where(Membership.user_id == cast.world.people["vic"]).values(party_id=party.id))
    db.session.commit()
    place = cast.world.places["here"]
    found = {
        text: [p.name.split()[0] for p in directory.outsiders(place, text=text)] for text in ("hafen", "vic sohne", "rhea@", "dora", "%")
    }
    assert found == {"hafen": ["Vic"], "vic sohne": ["Vic"], "rhea@": ["Rhea"], "dora": [], "%": []}
    ids = cast.world.people
    assert [p.id for p in directory.outsiders(place, ids=[ids["vic"], ids["dora"], ids["gast"], ids["ada"]])] == [ids["vic"]]
    assert len(directory.outsiders(place, but=[ids["vic"]])) == directory.count_outsiders(place, but=[ids["vic"]]) == 3
    assert len(directory.outsiders(place, limit=2)) == 2
    assert set(directory.outsider_ids(place)) == {ids[name] for name in ("hanna", "rhea", "vic", "newt")}


def test_many_colleagues_are_cut_short_but_the_assignee_stays(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "NAMES", 1)
    place, ids = cast.world.places["here"], cast.world.people
    assert [name for _, name in directory.colleagues(place)] == ["Ada Person"]
    assert [name for _, name in directory.colleagues(place, besides=[ids["ruth"], None])] == ["Ada Person", "Ruth Person"]
    assert [name for _, name in directory.colleagues(place, besides=[ids["hanna"], ids["otto"]])] == ["Ada Person"]
    assert directory.is_colleague(ids["ruth"], place)
    assert not directory.is_colleague(ids["otto"], place)
    assert not directory.is_colleague(ids["hanna"], place)
