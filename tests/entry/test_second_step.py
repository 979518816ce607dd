"""The second step while signing in: nothing is open before it, what was asked for and typed is kept, and it ends."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from html import unescape

import pytest
from flask import Flask

from portal.accounts import sessions
from portal.accounts.models import User
from portal.accounts.viewer import Viewer
from portal.clock import at, now
from portal.config import Settings
from portal.database import start_writing
from portal.extensions import db
from tests.factories import PASSWORD
from tests.fixtures.factors import add_app, add_passkey, code_of, codes, signed_in
from tests.fixtures.passkeys import SoftKey
from tests.fixtures.product import settings_for
from tests.fixtures.rooms import newest_audit
from tests.fixtures.world import BASE, Browser, World

Visitor = Callable[..., Browser]
STEP = "/portal/sign-in/step"


@dataclass
class Phone:
    """What Hanna has at hand."""

    secret: str
    codes: list[str]

    def code(self, step: int = 0) -> str:
        return code_of(self.secret, step)


def viewer(world: World, who: str) -> Viewer:
    place = world.places["here"]
    found = sessions.viewer_of(world.people[who], place)
    assert found is not None
    return signed_in(found)


@pytest.fixture
def phone(app: Flask, world: World) -> Phone:
    """Hanna's app, set up a while ago."""
    with app.app_context(), at(now() - timedelta(minutes=5)):
        secret, changed = add_app(viewer(world, "hanna"))
        return Phone(secret, codes(changed))


def enter(browser: Browser, **more: str) -> str:
    """Type the right password; where that leads."""
    answer = browser.post("/portal/sign-in", {"email": "hanna@people.example", "password": PASSWORD, **more})
    return answer.headers.get("Location", str(answer.status_code))


def test_hanna_cannot_get_in_with_the_password_alone(world: World, visitor: Visitor, phone: Phone) -> None:
    browser = visitor()
    assert enter(browser) == STEP
    assert browser.client.get_cookie("portal", domain="127.0.0.1") is None
    assert browser.get("/portal/").status_code == 303
    page = browser.get(STEP)
    assert "Code from your app" in page.text
    assert "Use a recovery code" in page.text
    assert "Use a passkey" not in page.text
    answer = browser.post(STEP, {"way": "code", "code": phone.code()})
    assert answer.headers["Location"] == "/portal/"
    assert browser.get("/portal/").status_code == 200
    assert browser.client.get_cookie("portal-step", domain="127.0.0.1") is None
    assert browser.get(STEP).headers["Location"] == "/portal/"


def test_a_wrong_password_says_nothing_of_the_step(world: World, visitor: Visitor, phone: Phone) -> None:
    browser = visitor()
    answer = browser.post("/portal/sign-in", {"email": "hanna@people.example", "password": "wrong"})
    assert answer.status_code == 422
    assert "not right" in answer.text
    assert "step" not in answer.headers.get("Set-Cookie", "")


def test_a_recovery_code_lets_in_and_says_how_many_are_left(world: World, visitor: Visitor, phone: Phone) -> None:
    browser = visitor()
    enter(browser)
    assert browser.post(STEP, {"way": "recovery", "recovery_code": phone.codes[0]}).headers["Location"] == "/portal/"
    assert "You have 9 recovery codes left." in browser.get("/portal/").text


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"way": "code", "code": "000000"}, "This code is not right"),
        ({"way": "code", "code": ""}, "Type the six digits"),
        ({"way": "code", "code": "\x00" * 6}, "Type the six digits"),
        ({"way": "code", "code": ["1", "2"]}, "This code is not right"),
        ({"way": "recovery", "recovery_code": "AAAA-BBBB"}, "recovery code is not right"),
        ({"way": "recovery"}, "Type one of your recovery codes"),
        ({"way": "recovery", "recovery_code": "A" * 70_000}, "A recovery code has"),
        ({"way": "passkey", "credential": "{}"}, "could not be checked"),
        ({"way": "passkey"}, "needs JavaScript"),
        ({"way": "nonsense"}, "Type the six digits"),
        ({}, "Type the six digits"),
    ],
)
def test_what_is_wrong_is_said(world: World, visitor: Visitor, phone: Phone, sent: dict[str, str], sentence: str) -> None:
    browser = visitor()
    enter(browser)
    answer = browser.post(STEP, sent)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert browser.get("/portal/").status_code == 303


def test_a_wrong_code_is_on_record_and_many_are_stopped(app: Flask, world: World, visitor: Visitor, phone: Phone) -> None:
    browser = visitor()
    enter(browser)
    for _ in range(5):
        assert browser.post(STEP, {"way": "code", "code": "000000"}).status_code == 422
    with app.app_context():
        assert (newest_audit()[0].kind, newest_audit()[0].actor_id) == ("session:mfa-refused", world.people["hanna"])
    answer = browser.post(STEP, {"way": "code", "code": phone.code()})
    assert (answer.status_code, "Too many tries" in answer.text) == (429, True)
    assert 0 < int(answer.headers["Retry-After"]) <= 300


def test_a_step_that_is_over_leads_back_to_signing_in(world: World, visitor: Visitor, phone: Phone) -> None:
    browser = visitor()
    enter(browser)
    with at(now() + timedelta(minutes=11)):
        assert "longer than ten minutes" in browser.get(STEP).text
        answer = browser.post(STEP, {"way": "code", "code": phone.code()})
    assert answer.status_code == 422
    assert "Sign in again." in answer.text
    assert 'name="password"' in answer.text


def test_without_a_step_there_is_only_the_sign_in_form(world: World, visitor: Visitor) -> None:
    page = visitor().get(STEP)
    assert page.status_code == 200
    assert 'name="password"' in page.text


def test_a_locked_account_cannot_finish(app: Flask, world: World, visitor: Visitor, phone: Phone) -> None:
    browser = visitor()
    enter(browser)
    with app.app_context():
        start_writing()
        db.session.get_one(User, world.people["hanna"]).active = False
        db.session.commit()
    assert browser.post(STEP, {"way": "code", "code": phone.code()}).status_code == 422
    assert browser.get("/portal/").status_code == 303


def test_the_page_that_was_asked_for_comes_after_the_step(world: World, visitor: Visitor, phone: Phone) -> None:
    path = f"/portal/cases/{world.cases['shared']}"
    browser = visitor()
    place = enter(browser, to=path)
    page = browser.get(place)
    assert f'name="to" value="{path}"' in page.text
    assert browser.post(STEP, {"way": "code", "code": phone.code(), "to": path}).headers["Location"] == path


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example/portal/", "/console/cases", "\x00"])
def test_the_target_cannot_leave_the_face(world: World, visitor: Visitor, phone: Phone, to: str) -> None:
    browser = visitor()
    enter(browser)
    assert browser.post(STEP, {"way": "code", "code": phone.code(), "to": to}).headers["Location"] == "/portal/"


def test_what_was_typed_survives_both_steps(world: World, visitor: Visitor, browse: Callable[[str], Browser], phone: Phone) -> None:
    path = f"/portal/cases/{world.cases['shared']}/comments"
    browser = visitor()
    page = browser.post(path, {"message": "Typed with care"})
    assert page.status_code == 401
    kept = re.search(r'name="kept" value="([^"]+)"', page.text)
    assert kept is not None
    page = browser.post("/portal/sign-in", {"email": "hanna@people.example", "password": PASSWORD, "kept": unescape(kept[1])})
    assert page.status_code == 200
    assert "Code from your app" in page.text
    kept = re.search(r'name="kept" value="([^"]+)"', page.text)
    assert kept is not None
    page = browser.post(STEP, {"way": "code", "code": "000000", "kept": unescape(kept[1])})
    kept = re.search(r'name="kept" value="([^"]+)"', page.text)
    assert kept is not None
    page = browser.post(STEP, {"way": "code", "code": phone.code(), "kept": unescape(kept[1])})
    assert "Typed with care" in page.text
    assert f'action="{path}"' in page.text


def test_a_step_belongs_to_its_face(world: World, visitor: Visitor, phone: Phone) -> None:
    browser = visitor()
    enter(browser)
    key = browser.client.get_cookie("portal-step", domain="127.0.0.1")
    assert key is not None
    assert key.http_only
    browser.client.set_cookie("console-step", key.value, domain="127.0.0.1")
    answer = browser.post("/console/sign-in/step", {"way": "code", "code": phone.code()})
    assert answer.status_code == 422
    browser.client.set_cookie("portal", key.value, domain="127.0.0.1")
    assert browser.get("/portal/").status_code == 303, "the key of a step opens nothing"


def test_another_site_cannot_send_the_step(world: World, visitor: Visitor, phone: Phone) -> None:
    browser = visitor()
    enter(browser)
    answer = browser.post(STEP, {"way": "code", "code": phone.code()}, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    answer = browser.post(STEP, {"way": "code", "code": phone.code(), "csrf_token": "forged"})
    assert answer.status_code == 400


class TestPasskeys:
    """On an address where browsers offer them."""

    @pytest.fixture
    def settings(self, instance: object, database_url: str) -> Settings:
        return settings_for(instance, database_url, base_url="http://localhost:8000")  # type: ignore[arg-type]

    def test_hanna_can_use_a_passkey(self, app: Flask, world: World) -> None:
        device, origin = SoftKey("http://localhost:8000"), "http://localhost:8000"
        with app.app_context():
            add_passkey(viewer(world, "hanna"), device)
        client = app.test_client()

        def token(text: str) -> str:
            found = re.search(r'name="csrf_token" value="([^"]+)"', text)
            assert found is not None
            return found[1]

        page = client.get("/portal/sign-in", base_url=origin)
        sent = {"email": "hanna@people.example", "password": PASSWORD, "csrf_token": token(page.text)}
        client.post("/portal/sign-in", base_url=origin, headers={"Origin": origin}, data=sent)
        page = client.get(STEP, base_url=origin)
        assert "Code from your app" not in page.text
        assert "needs JavaScript" in page.text
        options = re.search(r'data-options="([^"]+)"', page.text)
        assert options is not None
        proof = device.get(unescape(options[1]))
        sent = {"way": "passkey", "credential": proof, "csrf_token": token(page.text)}
        answer = client.post(STEP, base_url=origin, headers={"Origin": origin}, data=sent)
        assert answer.headers["Location"] == "/portal/"
        assert client.get("/portal/", base_url=origin).status_code == 200
        assert origin != BASE
