"""View as: a colleague sees what an outsider sees, byte for byte; can change nothing; and it ends whenever either of them is gone."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import delete, select, update

from portal.accounts import people, sessions
from portal.accounts.models import LoginSession, Membership, Profile, User, membership_profile
from portal.audit.kinds import Kind
from portal.audit.models import AuditEntry
from portal.clock import now
from portal.database import start_writing
from portal.extensions import db
from portal.refusals import NotAllowed
from portal.sharing import guard
from portal.sharing.window import Window
from portal.web.face import Needs
from tests.access.roads import ONE_TIME, Traveller, plain, roads, traveller
from tests.access.rows import contents
from tests.fixtures.rooms import Cast
from tests.fixtures.world import BASE, Browser, World

Browse = Callable[[str], Browser]
BAR = re.compile(r'<aside class="look-bar".*?</aside>', re.DOTALL)
MENU = re.compile(r'<details class="menu account-menu".*?</details>', re.DOTALL)
ONLY = re.compile(r'<fieldset class="look-only" disabled>|</fieldset>(?=\s*</main>)')


def begin(browser: Browser, world: World, who: str = "hanna", case: str = "shared") -> str:
    """Look as this person; where the answer leads."""
    answer = browser.post(f"/console/cases/{world.cases[case]}/view-as", {"person": world.people[who]})
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def key_of(browser: Browser, name: str) -> str:
    cookie = browser.client.get_cookie(name, domain="127.0.0.1")
    assert cookie is not None
    return cookie.value


def with_cookies(app: Flask, **cookies: str) -> Browser:
    client = app.test_client()
    for name, value in cookies.items():
        client.set_cookie(name, value, domain="127.0.0.1")
    return Browser(client, "portal")


def bare(text: str) -> str:
    """A page without what only a look has, and what only the person's own session has."""
    for pattern in (BAR, MENU, ONLY):
        text = pattern.sub("", text)
    return re.sub(r"\s+", " ", ONE_TIME.sub("~", text))


@pytest.mark.parametrize("who", ["hanna", "rhea", "vic"])
def test_ada_sees_exactly_what_they_see(app: Flask, world: World, browse: Browse, who: str) -> None:
    ada, person = browse("ada"), browse(who)
    begin(ada, world, who, "all")
    paths = ["/portal/", *(f"/portal/cases/{number}" for number in (*world.cases.values(), 987_654))]
    for path in paths:
        for htmx in (False, True):
            with time_machine.travel(now(), tick=False):  # "53 seconds ago" must be the same for both
                theirs, hers = person.get(path, htmx=htmx), ada.get(path, htmx=htmx)
            assert hers.status_code == theirs.status_code, path
            assert bare(hers.text) == bare(theirs.text), path
    assert "You see the portal as" in ada.get("/portal/").text


def looker(app: Flask, world: World, browse: Browse, who: str = "hanna") -> Traveller:
    """Ada with every cookie of a look in hand, who keeps nothing an answer sets."""
    ada = browse("ada")
    begin(ada, world, who)
    plainly = traveller(app, browse)
    return Traveller(app, f"{plainly.cookies}; console={key_of(ada, 'console')}; look={key_of(ada, 'look')}", plainly.token)


def test_times_are_not_told_in_the_zone_of_the_browser_that_looks(world: World, browse: Browse) -> None:
    ada, case = browse("ada"), f"/portal/cases/{world.cases['shared']}"
    hanna = browse("hanna")
    for browser in (ada, hanna):
        browser.client.set_cookie("zone", "Asia/Tokyo", domain="127.0.0.1")
    begin(ada, world)
    assert " JST<" in hanna.get(case).text
    assert " UTC<" in ada.get(case).text
    assert " JST<" not in ada.get(case).text


def test_no_unsafe_route_of_the_portal_does_anything(app: Flask, world: World, browse: Browse) -> None:
    person, before = looker(app, world, browse), contents(app)
    asked = [road for road in roads(app, world, "POST") if road.face == "portal"]
    assert len(asked) > 40
    for road in asked:
        data = {"message": "Not mine", "name": "Not mine", "theme": "dark", "email": "hanna@people.example", "password": "x"}
        answer = person.go(road, data)
        assert answer.status_code == 403, str(road)
        assert "changes nothing" in answer.text, str(road)
        assert "Set-Cookie" not in answer.headers or "look=" not in answer.headers["Set-Cookie"]
    assert contents(app) == before


def test_nothing_of_the_persons_account_is_there(app: Flask, world: World, browse: Browse) -> None:
    person = looker(app, world, browse)
    own = {"entry.own_picture", "entry.own_logo"}
    asked = [road for road in roads(app, world, "GET") if road.face == "portal" and not road.endpoint.startswith("external.")]
    assert len(asked) > 10
    for road in asked:
        answer = person.go(road)
        assert answer.status_code == 404, str(road)
        assert "hanna@people.example" not in answer.text or road.endpoint in own, str(road)


def test_reading_writes_nothing(app: Flask, world: World, browse: Browse) -> None:
    person, before = looker(app, world, browse), contents(app)
    asked = [road for road in roads(app, world, "GET") if road.endpoint.startswith("external.")]
    assert {person.go(road).status_code for road in asked} <= {200, 303, 404, 410}  # a step that is not due leads back
    assert contents(app) == before


def test_a_look_leaves_no_trace_of_the_person_but_one_of_ada(app: Flask, world: World, browse: Browse) -> None:
    ada = browse("ada")
    assert begin(ada, world) == f"/portal/cases/{world.cases['shared']}"
    assert ada.get(f"/portal/cases/{world.cases['shared']}").status_code == 200
    with app.app_context():
        assert db.session.scalars(select(AuditEntry).where(AuditEntry.kind == Kind.CASE_VIEWED)).all() == []
        [entry] = db.session.scalars(select(AuditEntry).where(AuditEntry.kind == Kind.CASE_VIEWED_AS)).all()
        assert (entry.actor_name, entry.changes) == ("Ada Person", {"as": [None, "Hanna Person"]})
        hanna = db.session.get_one(User, world.people["hanna"])
        assert hanna.last_sign_in_at is None
        assert people.browsers(hanna) == []
        assert sessions.sessions_of(hanna.id) == []


def test_a_look_neither_ends_nor_shows_among_the_persons_own_sessions(app: Flask, world: World, browse: Browse) -> None:
    ada, hanna = browse("ada"), browse("hanna")
    begin(ada, world)
    for _ in range(4):
        browse("hanna")
    assert hanna.get("/portal/").status_code == 200
    assert hanna.get("/portal/account").text.count("Last seen") <= 5
    assert hanna.post("/portal/account/browsers/end").status_code == 303
    assert ada.get("/portal/").status_code == 200


@pytest.mark.parametrize("how", ["alone", "other colleague", "as a portal session", "as a console session", "forged", "own session anew"])
def test_the_key_of_a_look_is_worth_nothing_elsewhere(app: Flask, world: World, browse: Browse, how: str) -> None:
    ada = browse("ada")
    begin(ada, world)
    look, console = key_of(ada, "look"), key_of(ada, "console")
    browser = {
        "alone": lambda: with_cookies(app, look=look),
        "other colleague": lambda: with_cookies(app, look=look, console=key_of(browse("olga"), "console")),
        "as a portal session": lambda: with_cookies(app, portal=look, console=console),
        "as a console session": lambda: with_cookies(app, console=look),
        "forged": lambda: with_cookies(app, look="x" * 43, console=console),
        "own session anew": lambda: with_cookies(app, look=look, console=key_of(browse("ada"), "console")),
    }[how]()
    for path in ("/portal/", f"/portal/cases/{world.cases['shared']}", "/portal/account"):
        answer = browser.get(path)
        assert answer.status_code in (303, 404), (path, answer.status_code)
        assert "shared case" not in answer.text
    if how == "as a console session":
        assert "/console/sign-in" in browser.get("/console/cases").headers["Location"]


def test_a_look_that_is_over_never_becomes_the_browsers_own_portal_session(app: Flask, world: World, browse: Browse) -> None:
    ada, vic = browse("ada"), browse("vic")
    begin(ada, world)
    both = with_cookies(app, look=key_of(ada, "look"), console=key_of(ada, "console"), portal=key_of(vic, "portal"))
    assert "Hanna Person</strong> does" in both.get("/portal/").text
    with app.app_context():
        start_writing()
        db.session.execute(delete(LoginSession).where(LoginSession.viewed_by_id.is_not(None)))
        db.session.commit()
    answer = both.post(f"/portal/cases/{world.cases['all']}/comments", {"message": "Sent by mistake"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/console/")
    assert "Vic Person" in both.get("/portal/").text  # the cookie of the look is gone with that answer


def _lock(who: str) -> Callable[[World], None]:
    return lambda world: db.session.execute(update(User).where(User.id == world.people[who]).values(active=False)) and None


def _take_right(world: World) -> None:
    db.session.execute(update(Profile).where(Profile.name == "Sharer").values(permissions=[]))


def _expel(world: World) -> None:
    of = select(Membership.id).where(Membership.user_id == world.people["hanna"])
    db.session.execute(delete(membership_profile).where(membership_profile.c.membership_id.in_(of)))
    db.session.execute(delete(Membership).where(Membership.user_id == world.people["hanna"]))


def _new_epoch(world: World) -> None:
    db.session.execute(update(User).where(User.id == world.people["hanna"]).values(epoch=User.epoch + 1))


def _sign_out(world: World) -> None:
    db.session.execute(delete(LoginSession).where(LoginSession.user_id == world.people["ada"]))


def _elsewhere(world: World) -> None:
    db.session.execute(
        update(LoginSession).where(LoginSession.user_id == world.people["ada"]).values(organisation_id=world.places["there"])
    )


@pytest.mark.parametrize(
    "happens",
    [_lock("ada"), _lock("hanna"), _take_right, _expel, _new_epoch, _sign_out, _elsewhere],
    ids=["ada locked", "hanna locked", "right taken", "hanna left", "hanna's account reset", "ada signed out", "ada works elsewhere"],
)
def test_a_look_ends_with_either_of_them(app: Flask, world: World, browse: Browse, happens: Callable[[World], None]) -> None:
    ada = browse("ada")
    begin(ada, world)
    assert ada.get("/portal/").status_code == 200
    with app.app_context():
        start_writing()
        happens(world)
        db.session.commit()
    answer = ada.get(f"/portal/cases/{world.cases['shared']}")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/console/")
    assert "look=;" in answer.headers["Set-Cookie"]


def test_a_look_ends_after_a_quarter_of_an_hour(app: Flask, world: World, browse: Browse) -> None:
    ada = browse("ada")
    begin(ada, world)
    start = now()
    look, console = key_of(ada, "look"), key_of(ada, "console")
    with time_machine.travel(start + timedelta(minutes=14, seconds=50), tick=False):
        assert with_cookies(app, look=look, console=console).get("/portal/").status_code == 200
    with time_machine.travel(start + timedelta(minutes=15, seconds=1), tick=False):
        assert with_cookies(app, look=look, console=console).get("/portal/").status_code == 303


def test_what_is_taken_back_is_gone_from_a_look_too(app: Flask, world: World, browse: Browse) -> None:
    ada, olga = browse("ada"), browse("olga")
    begin(ada, world)
    path = f"/portal/cases/{world.cases['shared']}"
    assert ada.get(path).status_code == 200
    assert olga.confirm(f"/console/cases/{world.cases['shared']}/access", {"access": "internal"}).status_code == 303
    assert ada.get(path).status_code == 404


def test_ada_comes_back_to_the_case_by_exit(app: Flask, world: World, browse: Browse) -> None:
    ada = browse("ada")
    begin(ada, world)
    look, console = key_of(ada, "look"), key_of(ada, "console")
    page = ada.get(f"/portal/cases/{world.cases['shared']}").text
    assert f'name="number" value="{world.cases["shared"]}"' in page
    answer = ada.post("/console/view-as/end", {"number": world.cases["shared"]})
    assert answer.headers["Location"] == f"/console/cases/{world.cases['shared']}"
    assert ada.client.get_cookie("look", domain="127.0.0.1") is None
    assert with_cookies(app, look=look, console=console).get("/portal/").status_code == 303
    for odd in ("0", "x", "9" * 40, "-1", "\0"):
        assert ada.post("/console/view-as/end", {"number": odd}).headers["Location"] == "/console/"


def test_only_one_look_at_a_time(app: Flask, world: World, browse: Browse) -> None:
    ada = browse("ada")
    begin(ada, world)
    first, console = key_of(ada, "look"), key_of(ada, "console")
    begin(ada, world, "rhea")
    assert with_cookies(app, look=first, console=console).get("/portal/").status_code == 303
    assert "Rhea Person</strong> does" in ada.get("/portal/").text


@pytest.mark.parametrize("who", ["gast", "dora", "olga", "ada", "otto", "pia"])
def test_ada_cannot_look_as_anybody_but_a_guest_of_the_team(world: World, browse: Browse, who: str) -> None:
    answer = browse("ada").post(f"/console/cases/{world.cases['shared']}/view-as", {"person": world.people[who]})
    assert answer.status_code == 404


@pytest.mark.parametrize("person", ["", "x", "0", "-1", "9" * 30, "\0", "1.5"])
def test_odd_people_do_not_exist(world: World, browse: Browse, person: str) -> None:
    assert browse("ada").post(f"/console/cases/{world.cases['shared']}/view-as", {"person": person}).status_code == 404


def test_who_cannot_share_cannot_look(world: World, browse: Browse) -> None:
    path = f"/console/cases/{world.cases['shared']}/view-as"
    ruth = browse("ruth")
    assert (ruth.get(path).status_code, ruth.post(path, {"person": world.people["hanna"]}).status_code) == (403, 403)
    assert "View as" not in ruth.get(f"/console/cases/{world.cases['shared']}").text


def test_looking_as_somebody_who_does_not_see_the_case_shows_what_they_see(world: World, browse: Browse) -> None:
    ada = browse("ada")
    assert begin(ada, world, "vic") == "/portal/"
    page = ada.get("/portal/").text
    assert "Vic Person cannot see case" in page
    assert "The shared case" not in page


def test_teams_elsewhere_are_not_shown(app: Flask, world: World, browse: Browse) -> None:
    """Hanna also works with another team: that is no business of this one."""
    with app.app_context():
        start_writing()
        db.session.add(Membership(user_id=world.people["hanna"], organisation_id=world.places["there"]))
        db.session.commit()
    ada = browse("ada")
    begin(ada, world)
    assert "Elsewhere" in browse("hanna").get("/portal/").text
    assert "Elsewhere" not in ada.get("/portal/").text


def test_nothing_behind_the_door_writes_either(cast: Cast) -> None:
    looked = replace(cast("hanna"), viewed_by_id=cast.world.people["ada"])
    window, number = Window(looked), cast.world.cases["shared"]
    with pytest.raises(NotAllowed):
        window.add_message(number, "Not mine")
    window.note_view(number)
    assert db.session.scalars(select(AuditEntry).where(AuditEntry.kind == Kind.CASE_VIEWED)).all() == []
    guard.engage(looked)
    try:
        db.session.add(LoginSession(key_hash="x", face="portal", user_id=looked.user_id, organisation_id=looked.organisation_id, epoch=0))
        with pytest.raises(guard.UnscopedRead):
            db.session.flush()
    finally:
        guard.release()
        db.session.rollback()


def test_the_door_is_shut_for_every_kind_of_portal_route(app: Flask, world: World, browse: Browse) -> None:
    """Also for those anybody may use, and for methods no route knows."""
    person = looker(app, world, browse)
    client = app.test_client(use_cookies=False)
    for method in ("PUT", "PATCH", "DELETE"):
        answer = client.open("/portal/", method=method, base_url=BASE, headers={"Cookie": person.cookies, "Origin": BASE})
        assert answer.status_code in (403, 405)
    open_to_all = [road for road in roads(app, world, "GET") if road.face == "portal" and road.needs is Needs.ANYONE]
    assert {person.go(road).status_code for road in open_to_all} == {404}
    assert "403" in plain(person.go(next(road for road in roads(app, world, "POST") if road.path == "/portal/sign-in")))
