"""The whole reach of a portal administrator: their own organisation, as far as the roads go, and nothing of another one."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from collections import Counter
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any
from urllib.parse import unquote

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from sqlalchemy import select, text, update
from werkzeug.test import TestResponse

from portal.accounts.models import Passkey, Picture, Profile, User
from portal.clock import now
from portal.database import start_writing
from portal.extensions import Base, db
from portal.web.face import Needs
from tests.access.canaries import SEES as CASES_SEEN
from tests.access.canaries import crawl, plant, unfit
from tests.access.roads import Road, Traveller, plain, roads
from tests.access.rows import contents
from tests.access.test_matrix import EVERYTHING, RIGHTS, SEES, ProfileType, wrong
from tests.fixtures.company import PEOPLE, Company
from tests.fixtures.pace import few
from tests.fixtures.world import BASE, TOKEN, Browser, World

Enter = Callable[[str], Browser]
OTHERS = ("Fabrikam Works", "Yonder Trading")
# What changes by being asked for.
MOVING = ("login_session.last_seen_at", "attempt.at")
# Enough of each form to get as far as the verb; what is foreign is put into it below.
FORMS: dict[str, list[dict[str, Any]]] = {
    "external.act_on_people": [
        *({"act": act} for act in ("invite", "cancel", "deactivate", "reactivate", "make-admin", "remove-admin")),
        {"act": "roles", "roles": "{role}"},
    ],
    "external.save_addresses": [{"row": "0", "a0-kind": "legal", "a0-city": "Mine", "seen": "{seen}", "a0-key": "{address}"}],
}


def _traveller(app: Flask, enter: Enter, who: str) -> Traveller:
    page = app.test_client(use_cookies=False).get("/portal/sign-in", base_url=BASE)
    found = TOKEN.search(page.text)
    key = enter(who).client.get_cookie("portal", domain="127.0.0.1")
    assert found is not None
    assert key is not None
    return Traveller(app, f"{page.headers['Set-Cookie'].split(';')[0]}; portal={key.value}", found[1])


def _section(app: Flask, world: World) -> Iterator[Road]:
    for method in ("GET", "POST"):
        yield from (road for road in roads(app, world, method) if road.needs is Needs.PORTAL_ADMIN)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_petra_gets_as_far_as_she_may(
    app: Flask, world: World, company: Company, enter: Enter, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RIGHTS, "petra", EVERYTHING[ProfileType.EXTERNAL])
    monkeypatch.setitem(SEES, "petra", {"all"})
    world.agreements = {"petra": company.papers["Contoso Ltd"], "fiona": company.papers["Fabrikam Works"]}
    assert wrong(app, world, _traveller(app, enter, "petra"), "petra", method) == []


@pytest.mark.parametrize("who", ["paul", "fred"])
def test_people_without_the_flag_cannot_take_a_road_of_it(app: Flask, world: World, company: Company, enter: Enter, who: str) -> None:
    world.agreements = {"petra": company.papers["Contoso Ltd"], "fiona": company.papers["Fabrikam Works"]}
    person, before = _traveller(app, enter, who), contents(app, leave_out=MOVING)
    asked = list(_section(app, world))
    assert len(asked) > 12
    assert {person.go(road).status_code for road in asked} == {404}
    assert contents(app, leave_out=MOVING) == before


def _uids(app: Flask) -> dict[int, str]:
    with app.app_context():
        return dict(db.session.execute(select(User.id, User.uid)).all())


def _foreign(app: Flask, world: World) -> list[str]:
    """Everybody who is none of Contoso's people, and the number of somebody who is."""
    uids = _uids(app)
    others = [uids[key] for name, key in world.people.items() if PEOPLE.get(name) != "Contoso Ltd"]
    return [*others, "0" * 16, "0", "", "\0", str(world.people["paula"])]


def test_foreign_people_answer_404_and_change_nothing(app: Flask, world: World, company: Company, enter: Enter) -> None:
    """Each act with each person who is not Contoso's, alone and beside somebody who is."""
    person, before = _traveller(app, enter, "petra"), contents(app, leave_out=MOVING)
    own = company.uids["paula"]
    told = []
    for road in (road for road in _section(app, world) if road.endpoint == "external.act_on_people"):
        for form in FORMS[road.endpoint]:
            sent = {**form, **({"roles": company.jobs["External-Actor"]} if "roles" in form else {})}
            for key in _foreign(app, world):
                for people in ([key], [own, key]):
                    data = {**sent, "people": people}
                    answer = _send(app, person, road, data)
                    if answer != 404:
                        told.append(f"{road} {data}: {answer}")
    assert told == []
    assert contents(app, leave_out=MOVING) == before


def _send(app: Flask, person: Traveller, road: Road, data: dict[str, Any]) -> int:
    if road.method == "POST":
        return person.go(road, data).status_code
    client = app.test_client(use_cookies=False)
    return client.get(road.path, base_url=BASE, headers={"Cookie": person.cookies}, query_string=data).status_code


def test_foreign_addresses_and_agreements_answer_404_and_change_nothing(app: Flask, company: Company, enter: Enter) -> None:
    petra = enter("petra")
    seen = petra.get("/portal/organisation/addresses").text.split('name="seen" value="')[1].split('"')[0]
    before = contents(app, leave_out=MOVING)
    for other in OTHERS:
        # Addresses are named by their place in one's own list: the number of another one's, and of one's own, is none.
        for address in {company.addresses[other], company.addresses["Contoso Ltd"]} - {1}:
            sent = {"row": "0", "a0-kind": "legal", "a0-city": "Mine", "seen": seen, "a0-key": str(address)}
            assert petra.post("/portal/organisation/addresses", sent).status_code == 404
        for key in (company.papers[other], company.papers[f"draft of {other}"], company.agreements["Contoso Ltd"]):
            assert petra.get(f"/portal/organisation/agreements/{key}").status_code == 404
            assert petra.get(f"/portal/organisation/agreements/{key}/document").status_code == 404
    assert contents(app, leave_out=MOVING) == before


def test_roles_of_nobody_or_of_another_organisation_are_refused(app: Flask, world: World, company: Company, enter: Enter) -> None:
    """A role that is not open fails the whole request, whatever it is: one of colleagues, one that is open elsewhere, none at all."""
    with app.app_context():
        start_writing()
        table = Base.metadata.tables["party_profile"]
        mine = table.c.party_id == company.parties["Contoso Ltd"]
        db.session.connection().execute(table.delete().where(mine, table.c.profile_id == company.roles["External-Reader"]))
        db.session.commit()
    petra, before = enter("petra"), contents(app, leave_out=MOVING)
    for role in (company.jobs["External-Reader"], str(company.roles["External-Actor"]), "1", "3", "0", "", "0" * 16):
        both = [company.jobs["External-Actor"], role]
        people = company.uids["paul"]
        assert petra.post("/portal/organisation/people/act", {"act": "roles", "people": people, "roles": both}).status_code == 422
        assert petra.post("/portal/organisation/people", {"addresses": "a@people.example", "roles": both}).status_code == 422
    assert contents(app, leave_out=("submission.location", *MOVING))["user_account"] == before["user_account"]
    assert contents(app, leave_out=MOVING)["membership_profile"] == before["membership_profile"]


@pytest.mark.parametrize("who", few(["petra", "paul"], {"petra"}))
def test_nothing_of_another_organisation_is_met(
    app: Flask, world: World, company: Company, enter: Enter, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Canaries in every text there is: a portal administrator meets their own organisation's, and else what every outsider may."""
    monkeypatch.setitem(CASES_SEEN, who, ("all",))
    world.agreements = {"petra": company.papers["Contoso Ltd"], "fiona": company.papers["Fabrikam Works"]}
    person = _traveller(app, enter, who)
    planted = plant(app, world)
    met = crawl(app, world, planted, person)
    assert unfit(planted, met, who) == {}
    seen = {planted.where[canary].split(" of ")[0] for canary in met.on if canary in planted.where}
    wanted = {"party.own_name", "party.phone", "contact.name", "profile.name", "party_address.city", "agreement.title", "agreement.hours"}
    assert wanted <= seen if who == "petra" else not wanted & seen


# Counters: a number that grows with each account, link or contact would tell outsiders how many there are.

HIGH = 730_173_000_000
NUMBER = re.compile(r"73017300\d{4}")
PIECE = re.compile(r"[A-Za-z0-9_-]{12,}")
ADDRESS = re.compile(r'(?:href|src|action|hx-get|hx-post)="(/(?:portal|invitation|reset)[^"#]*)')
SORTS = ("seen", "-seen", "-name", "name")
MOST_OF_A_PATH = 25  # as many addresses that differ only behind the question mark


def _rows(world: World) -> dict[str, dict[str, Any]]:
    """What a row needs in each table whose rows have something to do with people outside."""
    here, vic = world.places["here"], world.people["vic"]
    party, contact = {"party_id": HIGH}, {"name": "High"}
    return {
        "user_account": {"email": "high@people.example", **contact, "type": "Normal", "created_at": now()},
        "profile": {**contact, "type": "External", "permissions": []},
        "party": {"organisation_id": here, **contact, "kind": "client"},
        "contact": {**party, **contact, "created_at": now()},
        "contact_email": {"contact_id": HIGH, "organisation_id": here, "email": "high@people.example"},
        "party_address": {**party, "kind": "legal"},
        "agreement": {**party, "number": "1", "title": "High", "status": "draft", "times": {}},
        "membership": {"user_id": HIGH, "organisation_id": here, "is_default": True},
        "one_time_link": {"purpose": "reset", "salt": "s", "nonce_hash": "n", "created_at": now(), "expires_at": now()},
        "passkey": {"user_id": vic, "credential_id": "c", "public_key": b"k", "name": "n", "sign_count": 0, "created_at": now()},
        "picture": {"user_id": vic, "content": b"p"},
        "outbox_message": {"letter": "reset", "message_id": "m", "state": "dropped", "due_at": now()},
        "login_session": {"key_hash": "k", "face": "portal", "user_id": vic, "organisation_id": here, "epoch": 0, "last_seen_at": now()},
    }


@pytest.fixture
def numbered(app: Flask, world: World) -> None:
    """From here on, what is made gets a number nobody can overlook."""
    with app.app_context():
        start_writing()
        connection = db.session.connection()
        for name, values in _rows(world).items():
            table = Base.metadata.tables[name]
            connection.execute(table.insert().values(id=HIGH, **values))
            if connection.dialect.name == "postgresql":
                connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), {HIGH})"))
        db.session.commit()


def _found(answer: TestResponse, app: Flask) -> set[str]:
    """The numbers in an answer: as they stand, packed in its words, or in the cookie."""
    sent = f"{answer.headers}\n{plain(answer)}\n{unquote(unescape(answer.data.decode('latin-1')))}"
    packed = [_unpacked(piece) for piece in set(PIECE.findall(sent))]
    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    cookie = answer.headers.get("Set-Cookie", "").partition(f"{app.config['SESSION_COOKIE_NAME']}=")[2].partition(";")[0]
    kept = json.dumps(signer.loads(cookie)) if cookie and signer else ""
    return set(NUMBER.findall("\n".join([sent, kept, *packed])))


def _unpacked(piece: str) -> str:
    try:
        return urlsafe_b64decode(piece + "=" * (-len(piece) % 4)).decode("latin-1")
    except ValueError:
        return ""


def _everything(app: Flask, petra: Browser) -> tuple[list[str], set[str]]:
    """Every page that leads on from the first; those with such a number, and all."""
    waiting, asked, by_path, told = ["/portal/", *(f"/portal/organisation/people?sort={sort}" for sort in SORTS)], set(), Counter[str](), []
    while waiting:
        path = waiting.pop()
        if path in asked or by_path[path.partition("?")[0]] >= MOST_OF_A_PATH:
            continue
        asked.add(path)
        by_path[path.partition("?")[0]] += 1
        for htmx in (False, True):
            answer = petra.get(path, htmx=htmx)
            told += [f"{path}: {number}" for number in _found(answer, app)]
            waiting += [unescape(address) for address in ADDRESS.findall(plain(answer))]
            waiting += [answer.headers["Location"]] if "Location" in answer.headers else []
    return told, asked


def test_no_page_tells_how_many_accounts_there_are(app: Flask, world: World, numbered: None, company: Company, enter: Enter) -> None:
    petra = enter("petra")
    assert min(*company.people.values(), *company.agreements.values(), *company.addresses.values(), *company.parties.values()) > HIGH
    with app.app_context():
        start_writing()
        role = Profile(name="Helper", type=ProfileType.EXTERNAL, permissions=[])
        db.session.add(role)
        db.session.flush()
        opened = {"party_id": company.parties["Contoso Ltd"], "profile_id": role.id}
        db.session.connection().execute(Base.metadata.tables["party_profile"].insert().values(opened))
        db.session.add(Passkey(user_id=company.people["petra"], credential_id="d", public_key=b"k", name="Laptop"))
        for whose in ({"user_id": company.people["petra"]}, {"organisation_id": world.places["here"]}):
            db.session.add(Picture(content=b"p", **whose))
        db.session.execute(update(User).where(User.id == company.people["petra"]).values(picture="p" * 8))
        assert role.id > HIGH
        db.session.commit()
    many = {"addresses": " ".join(f"many{at}@people.example" for at in range(30)), "roles": company.jobs["External-Actor"]}
    added = petra.post("/portal/organisation/people", many)
    posted = [added, petra.get(added.headers["Location"])]
    for act in ("deactivate", "reactivate", "invite", "make-admin", "remove-admin", "cancel", "roles"):
        for people in (["paul"], ["paul", "paula"]):
            sent = {"act": act, "people": [company.uids[who] for who in people], "roles": company.jobs["External-Actor"]}
            posted += [answer := petra.post("/portal/organisation/people/act", sent), petra.follow(answer)]
    posted.append(petra.post("/portal/organisation/addresses", {"row": "0", "a0-key": "1", "a0-city": "x", "seen": "stale"}))
    told, asked = _everything(app, petra)
    assert [f"{answer.request.path}: {number}" for answer in posted for number in _found(answer, app)] + told == []
    for part in ("/people?sort=-seen&after=", "/people?after=", "act=roles&", "/agreements/", "/pictures/own/", "/passkeys/", "/addresses"):
        assert any(part in path for path in asked), part
