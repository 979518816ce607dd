"""The page with the list of people: filters, order, pages, several people at once, the list as a file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.accounts.models import AccountType, Membership, OneTimeLink, Profile, User
from portal.audit.models import AuditEntry
from portal.database import start_writing
from portal.extensions import db
from portal.organisations.models import Organisation
from tests import factories as make
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]
LIST, BULK, EXPORT = "/console/people", "/console/people/bulk", "/console/people/export"


def listed(text: str) -> list[str]:
    """The people of the page, by the first word of the name."""
    return re.findall(r'/console/people/\d+">(\w+) Person</a>', text)


def crowd(app: Flask, world: World, count: int) -> None:
    with app.app_context():
        start_writing()
        place = db.session.get_one(Organisation, world.places["here"])
        for number in range(count):
            make.make_user(f"Crowd{number:02}", place, "External-Reader", kind=AccountType.EXTERNAL)
        db.session.commit()


def state(app: Flask, world: World, who: str) -> tuple[bool, list[str]]:
    """Whether the account is open, and the names of its profiles."""
    with app.app_context():
        user = db.session.get_one(User, world.people[who])
        held = select(Profile.name).join(Membership.profiles).where(Membership.user_id == user.id).order_by(Profile.name)
        return user.active, list(db.session.scalars(held))


def test_olga_sees_each_of_her_people_once_with_a_link_to_their_page(world: World, browse: Browse) -> None:
    page = browse("olga").get(LIST).text
    assert listed(page) == ["Ada", "Dora", "Hanna", "Newt", "Olga", "Rhea", "Ruth", "Vic"]
    assert f'href="/console/people/{world.people["hanna"]}"' in page
    assert "8 people" in page
    for text in ("Not invited", "Locked", "Not set up", "External-Actor", "Org-Admin", "Elsewhere"):
        assert (text in page) == (text != "Elsewhere")


def test_pia_sees_all_organisations_and_can_choose_one(world: World, browse: Browse) -> None:
    pia = browse("pia")
    assert len(listed(pia.get(LIST).text)) == len(world.people)
    page = pia.get(LIST, query_string={"organisation": world.places["there"]}).text
    assert listed(page) == ["Gast", "Otto"]
    assert "Elsewhere: Org-Admin" in page
    assert "Organisation: Elsewhere" in page


@pytest.mark.parametrize(
    ("query", "found", "chip"),
    [
        ({"q": "HANNA"}, ["Hanna"], "Search: HANNA"),
        ({"kind": "internal"}, ["Ada", "Olga", "Ruth"], "Kind: Colleague"),
        ({"state": "locked"}, ["Dora"], "Account: Locked"),
        ({"state": "uninvited", "kind": "external"}, ["Newt"], "Account: Not invited"),
        ({"second": "yes"}, [], "Second factor: Set up"),
    ],
)
def test_filters_are_shown_as_chips_that_take_them_off(browse: Browse, query: dict[str, str], found: list[str], chip: str) -> None:
    olga = browse("olga")
    page = unescape(olga.get(LIST, query_string=query).text)
    assert listed(page) == found
    assert chip in page
    assert bool(found) or "Nobody fits" in page
    [off] = re.findall(rf'<a class="chip" href="([^"]*)"><span class="hidden">Remove filter</span> {re.escape(chip)}', page)
    assert len(listed(olga.get(off).text)) > len(found)


@pytest.mark.parametrize(
    "query",
    [
        "kind=nonsense",
        "state=invited&state=locked",
        "profile=x",
        "profile=99999999999999999999999",
        "organisation=1",
        "sort=upside-down",
        "q=%00",
        "q=" + "x" * 300,
        "after=%00",
        "after=1-%2Fw",
        "second=perhaps&kind=&state=",
        "q=%25",
    ],
)
def test_odd_filters_are_no_fault(browse: Browse, query: str) -> None:
    for who in ("olga", "pia"):
        for path in (LIST, EXPORT):
            assert browse(who).get(f"{path}?{query}").status_code == 200


def test_htmx_gets_the_table_alone(browse: Browse) -> None:
    part = browse("olga").get(LIST, query_string={"q": "vic"}, htmx=True).text
    assert part.lstrip().startswith('<div id="people"')
    assert listed(part) == ["Vic"]


def test_headings_sort_and_say_how(browse: Browse) -> None:
    olga = browse("olga")
    page = olga.get(LIST).text
    assert 'aria-sort="ascending"><a class="sort" href="/console/people?sort=-name">Name' in page
    down = olga.get(LIST, query_string={"sort": "-name", "kind": "external"}).text
    assert listed(down) == ["Vic", "Rhea", "Newt", "Hanna", "Dora"]
    assert 'aria-sort="descending"><a class="sort" href="/console/people?kind=external">Name' in down
    seen = olga.get(LIST, query_string={"sort": "seen"}).text
    assert re.search(r'aria-sort="descending"><a class="sort" href="/console/people\?sort=-seen">Last sign-in', seen)


def test_pages_follow_each_other_and_keep_the_filters(app: Flask, world: World, browse: Browse) -> None:
    crowd(app, world, 30)
    olga = browse("olga")
    page = olga.get(LIST, query_string={"kind": "external", "sort": "-name"}).text
    told = listed(page)
    assert len(told) == 25
    assert "35 people" in page
    [following] = re.findall(r'href="([^"]*after=[^"]*)">Next page', page)
    rest = olga.get(unescape(following)).text
    assert len({*told, *listed(rest)}) == 35
    assert "Next page" not in rest
    assert 'href="/console/people?kind=external&amp;sort=-name"' in rest


@pytest.mark.parametrize("who", ["ada", "ruth"])
def test_colleagues_without_the_right_cannot_list_change_or_export(browse: Browse, world: World, who: str) -> None:
    browser = browse(who)
    for path in (LIST, BULK, EXPORT):
        assert browser.get(path).status_code == 403
    assert browser.post(BULK, {"act": "lock", "people": world.people["vic"]}).status_code == 403


def done(browser: Browser, data: dict[str, Any]) -> Any:
    """The page that tells what became of each."""
    return browser.follow(browser.post(BULK, data))


def test_the_result_can_be_loaded_again_and_is_nobody_elses(world: World, browse: Browse) -> None:
    olga = browse("olga")
    sent = olga.post(BULK, {"act": "lock", "people": world.people["vic"]})
    assert sent.status_code == 303
    address = sent.headers["Location"]
    assert "1 person locked" in olga.get(address).text
    assert "1 person locked" in olga.get(address).text
    for answer in (browse("pia").get(address), olga.get(address.replace("lock", "unlock")), olga.get(f"{BULK}?told=x")):
        assert (answer.status_code, answer.headers["Location"]) == (303, LIST)


def test_locking_several_asks_first_and_tells_what_became_of_each(app: Flask, world: World, browse: Browse) -> None:
    olga = browse("olga")
    chosen = {"act": "lock", "people": [world.people[name] for name in ("vic", "olga", "dora", "rhea", "gast")]}
    asked = unescape(olga.get(BULK, query_string=chosen).text)
    assert "Lock 4 people?" in asked
    assert "Gast Person" not in asked
    assert state(app, world, "vic")[0]
    told = unescape(done(olga, chosen).text)
    assert "2 people locked" in told
    assert "You cannot lock your own account." in told
    assert "The account was locked already." in told
    assert [state(app, world, who)[0] for who in ("vic", "rhea", "olga", "gast", "hanna")] == [False, False, True, True, True]
    assert browse("hanna").get("/portal/").status_code == 200
    with app.app_context():
        kinds = db.session.scalars(select(AuditEntry.object_id).where(AuditEntry.kind == "user:locked")).all()
        assert sorted(map(int, kinds)) == sorted([world.people["vic"], world.people["rhea"]])


def test_locking_again_tells_that_nothing_was_done(app: Flask, world: World, browse: Browse) -> None:
    olga, chosen = browse("olga"), {"act": "lock", "people": [world.people[name] for name in ("vic", "ruth")]}
    assert "2 people locked" in unescape(done(olga, chosen).text)
    told = unescape(done(olga, chosen).text)
    assert told.count("The account was locked already.") == 2
    assert "Stays locked" not in told
    with app.app_context():
        assert len(db.session.scalars(select(AuditEntry.id).where(AuditEntry.kind == "user:locked")).all()) == 2


def test_unlocking_several(app: Flask, world: World, browse: Browse) -> None:
    told = unescape(done(browse("olga"), {"act": "unlock", "people": [world.people["dora"], world.people["vic"]]}).text)
    assert "1 person unlocked" in told
    assert "The account was not locked." in told
    assert state(app, world, "dora")[0]


def test_inviting_several_again(app: Flask, world: World, browse: Browse) -> None:
    told = unescape(done(browse("olga"), {"act": "resend", "people": [world.people[n] for n in ("newt", "vic", "dora")]}).text)
    assert "1 person invited again" in told
    assert "has set up the account already" in told
    assert "account is locked" in told
    with app.app_context():
        assert db.session.scalars(select(OneTimeLink.user_id)).all() == [world.people["newt"]]


def profile_id(app: Flask, name: str) -> int:
    with app.app_context():
        return db.session.scalars(select(Profile.id).where(Profile.name == name)).one()


def test_setting_roles_and_profiles_of_several(app: Flask, world: World, browse: Browse) -> None:
    olga = browse("olga")
    chosen = {"act": "profile", "people": [world.people[name] for name in ("vic", "ruth", "olga")]}
    page = olga.get(BULK, query_string=chosen).text
    assert "External-Reader" in page
    assert "Analyst" in page
    assert ">Admin<" not in page
    refused = olga.post(BULK, {**chosen, "profile": profile_id(app, "Analyst")})
    assert refused.status_code == 422
    assert "Choose at least one role for the external users." in refused.text
    assert state(app, world, "ruth")[1] == ["Read-Only"]
    wanted = {**chosen, "profile": profile_id(app, "Analyst"), "roles": profile_id(app, "External-Reader")}
    told = unescape(done(olga, wanted).text)
    assert "2 people changed" in told
    assert "You cannot change your own profile." in told
    assert [state(app, world, who)[1] for who in ("vic", "ruth", "olga")] == [["External-Reader"], ["Analyst"], ["Org-Admin"]]


def test_a_profile_of_another_type_fits_nobody(app: Flask, world: World, browse: Browse) -> None:
    wanted = {"act": "profile", "people": world.people["ruth"], "profile": profile_id(app, "Admin")}
    assert "Nobody changed" in done(browse("olga"), wanted).text
    assert state(app, world, "ruth")[1] == ["Read-Only"]


def test_the_platform_sets_profiles_in_one_organisation_at_a_time(app: Flask, world: World, browse: Browse) -> None:
    pia = browse("pia")
    chosen = {"act": "profile", "people": [world.people["otto"], world.people["ruth"]], "profile": profile_id(app, "Read-Only")}
    answer = pia.post(BULK, chosen)
    assert answer.headers["Location"] == LIST
    assert "Narrow the list to one organisation first" in pia.get(LIST).text
    told = unescape(done(pia, {**chosen, "organisation": world.places["there"]}).text)
    assert "1 person changed" in told
    assert "Not a member of this organisation." in told
    assert state(app, world, "otto")[1] == ["Read-Only"]
    assert pia.post(BULK, {**chosen, "organisation": 10**9}).status_code == 404
    assert pia.post(BULK, {**chosen, "organisation": "9" * 40}).status_code == 303


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"act": "lock"},
        {"act": "burn", "people": "1"},
        {"act": "lock", "people": ["x", "-1", "9" * 30, "0", ""]},
        {"people": "1"},
        {"act": "profile", "people": "99999999"},
    ],
)
def test_nobody_ticked_or_nothing_chosen_leads_back_to_the_list(browse: Browse, data: dict[str, str]) -> None:
    olga = browse("olga")
    for answer in (olga.get(BULK, query_string=data), olga.post(BULK, data)):
        assert (answer.status_code, answer.headers["Location"]) == (303, LIST)
    assert "Tick at least one person" in olga.get(LIST).text


def test_more_than_two_hundred_at_once_are_refused(app: Flask, world: World, browse: Browse) -> None:
    crowd(app, world, 200)
    olga = browse("olga")
    with app.app_context():
        ids = list(db.session.scalars(select(User.id).where(User.type == AccountType.EXTERNAL)))
    assert olga.post(BULK, {"act": "lock", "people": ids}).status_code == 303
    assert "Tick at most 200 people at once." in olga.get(LIST).text
    with app.app_context():
        assert db.session.scalar(select(func.count(User.id)).where(User.active.is_(False))) == 1


def test_the_same_confirmation_sent_twice_is_done_once(app: Flask, world: World, browse: Browse) -> None:
    olga = browse("olga")
    data = {"act": "resend", "people": world.people["newt"], "submission": "a" * 32}
    once, again = (olga.post(BULK, data) for _ in range(2))
    assert once.headers["Location"] == again.headers["Location"]
    assert "1 person invited again" in olga.follow(again).text
    with app.app_context():
        assert len(db.session.scalars(select(OneTimeLink.id)).all()) == 1


def test_the_list_can_be_had_as_csv(app: Flask, world: World, browse: Browse) -> None:
    crowd(app, world, 30)
    with app.app_context():
        start_writing()
        db.session.get_one(User, world.people["vic"]).name = "=cmd|' /C calc'!A0"
        db.session.commit()
    answer = browse("olga").get(EXPORT, query_string={"format": "csv", "kind": "external"})
    assert answer.mimetype == "text/csv"
    assert re.fullmatch(r'attachment; filename="people-\d{4}-\d\d-\d\d\.csv"', answer.headers["Content-Disposition"])
    assert answer.data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert len(rows) == 35
    vic = next(row for row in rows if row["id"] == str(world.people["vic"]))
    assert vic["name"] == "'=cmd|' /C calc'!A0"
    assert (vic["organisations"], vic["profiles"], vic["state"], vic["second_factor"]) == ("Northwind", "External-Actor", "active", "no")
    with app.app_context():
        entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()
        assert (entry.kind, entry.actor_name, entry.object_id) == ("people:exported", "Olga Person", "csv")


def test_the_list_can_be_had_as_json(world: World, browse: Browse) -> None:
    rows = browse("pia").get(EXPORT, query_string={"format": "json", "q": "ada"}).get_json()
    assert rows == [
        {
            "id": world.people["ada"],
            "name": "Ada Person",
            "address": "ada@people.example",
            "kind": "internal",
            "organisations": ["Northwind"],
            "profiles": ["Sharer"],
            "state": "active",
            "second_factor": False,
            "last_sign_in_at": None,
        }
    ]


def test_an_unknown_format_is_not_there(browse: Browse) -> None:
    assert browse("olga").get(EXPORT, query_string={"format": "xlsx"}).status_code == 404


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_no_cell_of_an_export_can_be_a_formula(app: Flask, world: World, browse: Browse, start: str) -> None:
    assert exported_name(app, world, browse, start) == f"'{start}"


@pytest.mark.parametrize("separator", [";", "\t", "\n", "; "])
def test_nor_can_a_part_of_a_cell_where_lists_are_separated_otherwise(app: Flask, world: World, browse: Browse, separator: str) -> None:
    assert exported_name(app, world, browse, f"Vic{separator}=1+1") == f"Vic{separator}'=1+1"


def exported_name(app: Flask, world: World, browse: Browse, name: str) -> str:
    with app.app_context():
        start_writing()
        db.session.get_one(User, world.people["vic"]).name = name
        db.session.commit()
    text = browse("olga").get(EXPORT, query_string={"q": "vic@"}).data.decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    return row["name"]
