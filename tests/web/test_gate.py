"""The door: which hosts, origins and form tokens are let in, and what a refused person keeps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.cases.models import Comment
from portal.clock import at, now
from portal.extensions import db
from tests.access.roads import HTMX, roads, traveller
from tests.access.rows import contents
from tests.fixtures.pace import few
from tests.fixtures.world import BASE, Browser, World

Browse = Callable[[str], Browser]
SEEN = ("login_session.last_seen_at", "notice.read_at", "read_mark.seen_at", "read_mark.id")


def comments(app: Flask) -> int:
    """How many comments there are."""
    with app.app_context():
        return db.session.scalar(select(func.count(Comment.id))) or 0


def test_an_unknown_host_is_refused(app: Flask) -> None:
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost", "evil.example:8000", "127.0.0.1@evil.example"):
        answer = app.test_client().get("/portal/sign-in", base_url=BASE, headers={"Host": host})
        assert answer.status_code == 400, host
        assert "evil" not in answer.text
        assert "<" not in answer.text
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:8001"},
        {"Origin": "https://127.0.0.1:8000"},
        {"Origin": "http://127.0.0.1:8000.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=lambda headers: next(iter(headers.values())),
)
def test_another_sites_form_is_refused(app: Flask, world: World, browse: Browse, headers: dict[str, str]) -> None:
    hanna = browse("hanna")
    hanna.get("/portal/")
    answer = hanna.post(f"/portal/cases/{world.cases['shared']}/comments", {"message": "Forged"}, headers=headers)
    assert answer.status_code == 403
    assert comments(app) == 12


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}], ids=str)
def test_ones_own_form_is_taken(app: Flask, world: World, browse: Browse, headers: dict[str, str]) -> None:
    answer = browse("hanna").post(f"/portal/cases/{world.cases['shared']}/comments", {"message": "Mine"}, headers=headers)
    assert answer.status_code == 303
    assert comments(app) == 13


@pytest.mark.parametrize("token", ["", "forged", "theirs"])
def test_a_form_without_its_token_is_refused_and_nothing_typed_is_lost(app: Flask, world: World, browse: Browse, token: str) -> None:
    hanna, other = browse("hanna"), browse("rhea")
    other.get("/portal/")
    path = f"/portal/cases/{world.cases['shared']}/comments"
    answer = hanna.post(path, {"message": "A long and thoughtful answer", "csrf_token": other.token if token == "theirs" else token})
    assert answer.status_code == 400
    assert "A long and thoughtful answer" in answer.text
    assert comments(app) == 12
    assert hanna.post(path, {"message": "A long and thoughtful answer"}).status_code == 303, "the page shown has a good token"
    assert comments(app) == 13


def test_a_part_without_its_token_leaves_the_page_standing(world: World, browse: Browse) -> None:
    answer = browse("hanna").post(f"/portal/cases/{world.cases['shared']}/comments", {"message": "m", "csrf_token": ""}, htmx=True)
    assert (answer.status_code, answer.headers["HX-Reswap"]) == (400, "none")


@pytest.mark.parametrize("who", few(["", "hanna", "ada", "olga", "pia"], {"hanna", "ada"}), ids=lambda who: who or "anonymous")
def test_every_form_asks_for_its_token(app: Flask, world: World, browse: Browse, who: str) -> None:
    """Every route that writes, with a good session and a foreign token: nothing happens anywhere."""
    person, before = traveller(app, browse, who), contents(app, leave_out=SEEN)
    for road in roads(app, world, "POST"):
        answer = person.go(road, {"csrf_token": "forged"})
        # Of who may not send files nothing is read, not even the token.
        unread = answer.status_code == 403 and app.view_functions[road.endpoint].uploads  # type: ignore[attr-defined]
        assert answer.status_code in (400, 401) or unread, str(road)
        assert answer.status_code == 400 or road.needs != "anyone"
    assert contents(app, leave_out=SEEN) == before


# What may be noted of somebody who only looks.
LOOKED = {"case:viewed", "file:downloaded", "observable:downloaded"} | {f"{what}:exported" for what in ("people", "cases", "observable")}
LOOKED |= {"case:downloaded", "case:seen-exported"}


@pytest.mark.parametrize("who", few(["", "hanna", "rhea", "ada", "olga", "pia"], {"hanna", "ada"}), ids=lambda who: who or "anonymous")
def test_looking_changes_nothing(app: Flask, world: World, browse: Browse, who: str) -> None:
    """Every GET and HEAD there is: only when somebody was seen, and which case an outsider opened or tried to print, may be noted."""
    person, before = traveller(app, browse, who), contents(app, leave_out=SEEN)
    with at(now() + timedelta(minutes=2)):
        found = roads(app, world, "GET")
        if who in ("ada", "olga", "pia"):  # what a colleague looks at makes no difference: one road to each view, or it takes a minute
            found = {road.endpoint: road for road in found if road.case in ("", "shared")}.values()
        for road in found:
            person.go(road)
            person.go(road, **HTMX)
            app.test_client(use_cookies=False).head(road.path, base_url=BASE, headers={"Cookie": person.cookies})
    after = contents(app, leave_out=SEEN)
    noted = after["audit_entry"][len(before["audit_entry"]) :]
    after["audit_entry"] = after["audit_entry"][: len(before["audit_entry"])]
    tried = [row["bucket"] for row in after.pop("attempt")]
    assert len(tried) - len(before.pop("attempt")) == (len(tried) if who in ("hanna", "rhea") else 0)
    assert len(set(tried)) <= 1
    marked = {(row["user_id"], row["case_id"]) for row in after.pop("read_mark")}
    assert len(marked - {(row["user_id"], row["case_id"]) for row in before.pop("read_mark")}) == {"hanna": 2, "rhea": 2}.get(who, 0)
    assert after == before
    assert {entry["kind"] for entry in noted} <= LOOKED
    views = [entry for entry in noted if entry["kind"] == "case:viewed"]
    assert len(views) == {"hanna": 2, "rhea": 2}.get(who, 0), "once an hour for each case"


def test_only_the_face_of_the_address_counts(app: Flask, world: World, browse: Browse) -> None:
    """Both cookies at once: each face looks at its own."""
    both = f"{traveller(app, browse, 'ada').cookies}; {traveller(app, browse, 'hanna').cookies}"
    client = app.test_client(use_cookies=False)
    console = client.get("/console/cases", base_url=BASE, headers={"Cookie": both})
    portal = client.get("/portal/", base_url=BASE, headers={"Cookie": both})
    assert "Account of Ada Person" in console.text
    assert "Account of Hanna Person" not in console.text
    assert "Account of Hanna Person" in portal.text
    assert "Account of Ada Person" not in portal.text


def test_answers_of_one_person_never_reach_another(app: Flask, world: World, browse: Browse) -> None:
    """One application, requests of several people in turn: nothing of `g` stays behind."""
    people = {who: browse(who) for who in ("hanna", "vic", "gast")}
    for _ in range(3):
        for who, browser in people.items():
            page = browser.get("/portal/").text
            assert f"{who.title()} Person" in page
            assert not any(f"{other.title()} Person" in page for other in people if other != who)


@pytest.mark.parametrize("minutes", [31, 481])
def test_a_session_ends_by_itself(browse: Browse, minutes: int) -> None:
    hanna = browse("hanna")
    with at(now() + timedelta(minutes=minutes)):
        assert hanna.get("/portal/").status_code == 303


def test_a_session_in_use_lasts_its_day_and_no_longer(browse: Browse) -> None:
    hanna, start = browse("hanna"), now()
    for minute in range(20, 480, 20):
        with at(start + timedelta(minutes=minute)):
            assert hanna.get("/portal/").status_code == 200, minute
    with at(start + timedelta(minutes=481)):
        assert hanna.get("/portal/").status_code == 303


@pytest.mark.parametrize(
    ("who", "path", "back"),
    [
        ("hanna", "/portal/cases/{}/comments", "/portal/cases/{}"),
        ("ada", "/console/cases/{}/comments", "/console/cases/{}"),
        ("ada", "/console/account/password", "/console/account"),
    ],
)
def test_an_address_that_only_takes_forms_leads_back_to_its_page(world: World, browse: Browse, who: str, path: str, back: str) -> None:
    """Without JavaScript a refused form stays at its own address; reloading it must not end in an error."""
    number = world.cases["shared"]
    assert browse(who).get(path.format(number)).headers["Location"] == back.format(number)


def test_what_could_not_be_saved_is_said_so(world: World, browse: Browse) -> None:
    answer = browse("hanna").post(f"/portal/cases/{world.cases['internal']}/comments", {"message": "My long report."})
    assert answer.status_code == 404
    assert "This was not saved" in answer.text
    assert "My long report." in answer.text
