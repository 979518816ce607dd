"""Signing in and out: one answer for every wrong pair, limits, and targets that stay inside the face."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from portal.audit.models import AuditEntry
from portal.clock import at, now
from portal.extensions import db
from tests.access.roads import ONE_TIME
from tests.factories import PASSWORD
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]
Visitor = Callable[..., Browser]
WRONG = "The e-mail address or the password is not right."


def enter(browser: Browser, who: str, password: str = PASSWORD, **more: str) -> str:
    """Sign in and give where that led, or the status."""
    address = who if "@" in who else f"{who}@people.example"
    answer = browser.post(f"/{browser.face}/sign-in", {"email": address, "password": password, **more})
    return answer.headers.get("Location", str(answer.status_code))


@pytest.mark.parametrize(
    ("who", "face", "home"), [("hanna", "portal", "/portal/"), ("ada", "console", "/console/"), ("pia", "console", "/console/")]
)
def test_everybody_can_sign_in_where_they_belong(world: World, visitor: Visitor, who: str, face: str, home: str) -> None:
    browser = visitor(face)
    assert enter(browser, who) == home
    assert browser.get(f"/{face}/account").status_code == 200
    assert browser.get(f"/{face}/sign-in").headers["Location"] == home


def test_an_address_is_read_without_regard_to_case_and_blanks(world: World, visitor: Visitor) -> None:
    assert enter(visitor(), "  HANNA@People.Example ") == "/portal/"


@pytest.mark.parametrize(("who", "face"), [("hanna", "console"), ("ada", "portal")])
def test_the_other_face_cannot_be_entered(world: World, visitor: Visitor, who: str, face: str) -> None:
    browser = visitor(face)
    answer = browser.post(f"/{face}/sign-in", {"email": f"{who}@people.example", "password": PASSWORD})
    assert answer.status_code == 422
    assert "This account belongs to" in answer.text
    other = {"console": "portal", "portal": "console"}[face]
    assert f'<a href="/{other}/sign-in">Sign in there</a>.' in answer.text
    wrong = browser.post(f"/{face}/sign-in", {"email": f"{who}@people.example", "password": "wrong-password-here"})
    assert "Sign in there" not in wrong.text
    assert browser.client.get_cookie(face, domain="127.0.0.1") is None


def test_wrong_unknown_locked_and_unfinished_look_the_same(world: World, visitor: Visitor) -> None:
    answers = set()
    for email, password in [
        ("hanna@people.example", "wrong-password-here"),
        ("nobody@people.example", PASSWORD),
        ("dora@people.example", PASSWORD),
        ("newt@people.example", PASSWORD),
    ]:
        browser = visitor()
        answer = browser.post("/portal/sign-in", {"email": email, "password": password})
        assert WRONG in answer.text
        answers.add((answer.status_code, ONE_TIME.sub("~", answer.text).replace(email, "~")))
    assert len(answers) == 1
    assert answers.pop()[0] == 422


def test_a_password_is_never_given_back(world: World, visitor: Visitor) -> None:
    answer = visitor().post("/portal/sign-in", {"email": "hanna@people.example", "password": "wrong-password-here"})
    assert "hanna@people.example" in answer.text
    assert "wrong-password-here" not in answer.text


def test_guessing_is_stopped_and_says_for_how_long(app: Flask, world: World, visitor: Visitor) -> None:
    browser = visitor()
    for _ in range(10):
        assert enter(browser, "hanna", "wrong-password-here") == "422"
    answer = browser.post("/portal/sign-in", {"email": "hanna@people.example", "password": PASSWORD})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 900
    assert "Too many tries" in answer.text
    assert enter(visitor("portal"), "rhea") == "/portal/", "another account is not concerned"
    with at(now() + timedelta(minutes=16)):
        assert enter(visitor("portal"), "hanna") == "/portal/"


def test_success_forgives_the_tries_before(world: World, visitor: Visitor) -> None:
    for _ in range(3):
        for _ in range(6):
            enter(visitor(), "hanna", "wrong-password-here")
        assert enter(visitor(), "hanna") == "/portal/"


def test_a_refused_try_is_on_record(app: Flask, world: World, visitor: Visitor) -> None:
    enter(visitor(), "hanna", "wrong-password-here")
    enter(visitor(), "hanna")
    with app.app_context():
        kinds = db.session.scalars(select(AuditEntry.kind).order_by(AuditEntry.id)).all()
    assert kinds[-2:] == ["session:refused", "session:opened"]


OUTSIDE = (
    "//evil.example",
    "///evil.example/portal/",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example/portal/",
    "https:evil.example",
    "http:///evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "/portal//evil.example",
    "/portal/../console/",
    "/%2f/evil.example",
    "/\tevil.example",
    "/\r\nLocation: https://evil.example",
    "\x00//evil.example",
    "@evil.example",
    "/console/cases",
    "/portal/sign-out",
    "/static/0/app.js",
    "/nothing",
    "portal/",
    "",
)


def test_the_target_cannot_leave_the_face(world: World, visitor: Visitor) -> None:
    assert {to: place for to in OUTSIDE if (place := enter(visitor(), "hanna", to=to)) != "/portal/"} == {}


def test_the_target_inside_the_face_is_followed(world: World, visitor: Visitor) -> None:
    path = f"/portal/cases/{world.cases['shared']}"
    browser = visitor()
    asked = browser.get(path)
    assert asked.status_code == 303
    form = browser.get(asked.headers["Location"])
    assert f'name="to" value="{path}"' in form.text
    assert enter(browser, "hanna", to=path) == path


def test_signing_in_starts_a_new_session_and_new_tokens(world: World, visitor: Visitor) -> None:
    """A key or form token somebody planted before is worth nothing afterwards."""
    browser = visitor()
    browser.client.set_cookie("portal", "planted", domain="127.0.0.1")
    browser.get("/portal/sign-in")
    before = browser.token
    enter(browser, "hanna")
    key = browser.client.get_cookie("portal", domain="127.0.0.1")
    assert key is not None
    assert key.value != "planted"
    answer = browser.post(f"/portal/cases/{world.cases['shared']}/comments", {"message": "m", "csrf_token": before})
    assert answer.status_code == 400


def test_signing_out_is_no_link(browse: Browse) -> None:
    hanna = browse("hanna")
    assert hanna.get("/portal/sign-out").status_code == 405
    assert hanna.get("/portal/").status_code == 200
    assert hanna.post("/portal/sign-out").headers["Location"] == "/portal/sign-in"
    assert "You are signed out." in hanna.get("/portal/sign-in").text
    assert hanna.get("/portal/").status_code == 303


def test_five_browsers_stay_signed_in_and_the_oldest_leaves(browse: Browse) -> None:
    browsers = [browse("hanna") for _ in range(6)]
    assert [browser.get("/portal/").status_code for browser in browsers] == [303, 200, 200, 200, 200, 200]


def test_the_bare_address_leads_guests_to_the_portal(visitor: Visitor) -> None:
    assert visitor().get("/").headers["Location"] == "/portal/"
