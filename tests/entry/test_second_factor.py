"""Setting the second step up and taking it away, on both faces; and being sent there when it is required."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from portal.accounts import sessions
from portal.accounts.models import Passkey, Totp, User
from portal.cases.models import Comment
from portal.clock import at, now
from portal.config import Settings
from portal.database import start_writing
from portal.extensions import db
from portal.settings.models import Setting
from tests.factories import PASSWORD
from tests.fixtures.factors import code_of
from tests.fixtures.passkeys import SoftKey
from tests.fixtures.product import settings_for
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]
WHO = [("hanna", "portal"), ("olga", "console")]


def demand(app: Flask, **changes: bool) -> None:
    """Require a second step."""
    with app.app_context():
        start_writing()
        value = {"mfa_admin": False, "mfa_organisation": False, **changes}
        db.session.execute(update(Setting).where(Setting.name == "sign_in").values(value=value))
        db.session.commit()


def mfa_of(app: Flask, world: World, who: str) -> bool:
    with app.app_context():
        return bool(db.session.scalar(select(User.mfa).where(User.id == world.people[who])))


def adopt(browser: Browser) -> str:
    """Set up an app, as far as the page with the codes; the secret."""
    base = f"/{browser.face}/account/second-step"
    browser.get(f"{base}/begin/app")
    assert browser.post(f"{base}/begin/app", {"password": PASSWORD}).headers["Location"] == f"{base}/app"
    page = browser.get(f"{base}/app")
    found = re.search(r'class="secret">([A-Z2-7 ]+)<', page.text)
    assert found is not None
    secret = found[1].replace(" ", "")
    answer = browser.post(f"{base}/app", {"code": code_of(secret, -1)})
    assert answer.headers["Location"] == f"{base}/codes"
    return secret


@pytest.mark.parametrize(("who", "face"), WHO)
def test_everybody_can_set_up_an_app(app: Flask, world: World, browse: Browse, who: str, face: str) -> None:
    browser, other = browse(who), browse(who)
    base = f"/{face}/account/second-step"
    assert f'href="{base}"' in browser.get(f"/{face}/account").text
    assert "Set up an app" in browser.get(base).text
    adopt(browser)
    page = browser.get(f"{base}/codes")
    shown = re.findall(r"(?:[A-Z2-7]{4}-){5}[A-Z2-7]{4}", page.text)
    assert len(set(shown)) == 10
    assert page.headers["Cache-Control"] == "no-store"
    assert browser.get(f"{base}/codes").text.count(shown[0]) == 1, "looking again does no harm while they are not put away"
    assert browser.post(f"{base}/codes").headers["Location"] == f"/{face}/"
    assert "shown once" in browser.get(browser.get(f"{base}/codes").headers["Location"]).text
    assert mfa_of(app, world, who)
    assert other.get(f"/{face}/account").status_code == 303, "other browsers are signed out"
    page = browser.get(base)
    assert "10 of 10 codes are" in page.text
    assert "Move to another phone" in page.text


def test_the_picture_is_the_key_as_text(world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    base = "/portal/account/second-step"
    hanna.get(base)
    hanna.post(f"{base}/begin/app", {"password": PASSWORD})
    page = hanna.get(f"{base}/app").text
    assert re.search(r'<svg class="qr"\s+role="img"\s+aria-label="QR code[^"]+"\s+viewBox="0 0 \d+ \d+">', page)
    address = re.search(r'href="(otpauth://totp/[^"]+)"', page)
    assert address is not None
    secret = re.search(r'class="secret">([A-Z2-7 ]+)<', page)
    assert secret is not None
    assert f"secret={secret[1].replace(' ', '')}" in unescape(address[1])
    assert "style=" not in page


@pytest.mark.parametrize("path", ["begin/app", "begin/passkey", "begin/codes", "app/remove"])
def test_the_password_is_asked_for_every_time(app: Flask, world: World, browse: Browse, path: str) -> None:
    hanna = browse("hanna")
    adopt(hanna)
    base = "/portal/account/second-step"
    assert "Your password" in hanna.get(f"{base}/{path}").text
    for sent, sentence in (({}, "Type your password."), ({"password": "wrong"}, "Your password is not right.")):
        answer = hanna.post(f"{base}/{path}", sent)
        assert answer.status_code == 422
        assert sentence in answer.text
    for _ in range(9):
        hanna.post(f"{base}/{path}", {"password": "wrong"})
    answer = hanna.post(f"{base}/{path}", {"password": PASSWORD})
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert mfa_of(app, world, "hanna")


def test_a_wrong_first_code_changes_nothing(app: Flask, world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    base = "/portal/account/second-step"
    hanna.get(base)
    hanna.post(f"{base}/begin/app", {"password": PASSWORD})
    before = hanna.get(f"{base}/app").text
    for code, sentence in (("000000", "This code is not right"), ("", "Type the six digits"), ("\x00", "Type the six digits")):
        answer = hanna.post(f"{base}/app", {"code": code})
        assert answer.status_code == 422
        assert sentence in answer.text
        assert re.findall(r'class="secret">[^<]+', answer.text) == re.findall(r'class="secret">[^<]+', before), "the same key stays"
    assert not mfa_of(app, world, "hanna")


def test_a_step_nobody_began_leads_back(app: Flask, world: World, browse: Browse) -> None:
    hanna, base = browse("hanna"), "/portal/account/second-step"
    for page in ("app", "passkey", "codes"):
        assert hanna.get(f"{base}/{page}").headers["Location"] == base
        assert hanna.post(f"{base}/{page}", {"code": "123456"}).headers["Location"] == base
    hanna.post(f"{base}/begin/app", {"password": PASSWORD})
    with at(now() + timedelta(minutes=11)):
        assert hanna.get(f"{base}/app").headers["Location"] == base
    assert "longer than ten minutes" in hanna.get(base).text
    assert not mfa_of(app, world, "hanna")


def test_the_key_of_somebody_elses_step_is_worth_nothing(app: Flask, world: World, browse: Browse) -> None:
    hanna, rhea, base = browse("hanna"), browse("rhea"), "/portal/account/second-step"
    hanna.get(base)
    hanna.post(f"{base}/begin/app", {"password": PASSWORD})
    key = hanna.client.get_cookie("portal-step", domain="127.0.0.1")
    assert key is not None
    rhea.client.set_cookie("portal-step", key.value, domain="127.0.0.1")
    assert rhea.get(f"{base}/app").headers["Location"] == base


def test_the_app_can_be_removed_and_new_codes_made(app: Flask, world: World, browse: Browse) -> None:
    hanna, base = browse("hanna"), "/portal/account/second-step"
    adopt(hanna)
    first = hanna.get(f"{base}/codes").text
    hanna.post(f"{base}/codes")
    assert hanna.post(f"{base}/begin/codes", {"password": PASSWORD}).headers["Location"] == f"{base}/codes"
    second = hanna.get(f"{base}/codes").text
    codes = re.compile(r"(?:[A-Z2-7]{4}-){5}[A-Z2-7]{4}")
    assert not set(codes.findall(first)) & set(codes.findall(second))
    assert hanna.post(f"{base}/codes").headers["Location"] == base
    assert hanna.post(f"{base}/app/remove", {"password": PASSWORD}).headers["Location"] == base
    assert "The authenticator app is removed." in hanna.get(base).text
    assert not mfa_of(app, world, "hanna")
    assert hanna.get(f"{base}/app/remove").headers["Location"] == base
    answer = hanna.post(f"{base}/begin/codes", {"password": PASSWORD})
    assert "Set up an app or a passkey first" in answer.text


def test_on_a_bare_address_passkeys_are_explained_not_offered(world: World, browse: Browse) -> None:
    hanna, base = browse("hanna"), "/portal/account/second-step"
    page = hanna.get(base).text
    assert "Passkeys need this product to be reached by a name, over https." in page
    assert "Add a passkey" not in page
    answer = hanna.post(f"{base}/begin/passkey", {"password": PASSWORD})
    assert answer.status_code == 422
    assert "reached by a name, over https" in answer.text


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("uid", ["987651", "0" * 16, "9" * 30, "x", "%00"])
def test_a_passkey_that_is_not_ones_own_does_not_exist(world: World, browse: Browse, uid: str, method: str) -> None:
    hanna = browse("hanna")
    assert getattr(hanna, method)(f"/portal/account/second-step/passkeys/{uid}/remove").status_code == 404


# Required.


@pytest.mark.parametrize(
    ("who", "face", "group"),
    [("hanna", "portal", "mfa_external"), ("olga", "console", "mfa_organisation"), ("pia", "console", "mfa_admin")],
)
def test_who_must_set_one_up_sees_nothing_else(app: Flask, world: World, browse: Browse, who: str, face: str, group: str) -> None:
    browser = browse(who)
    assert browser.get(f"/{face}/account").status_code == 200
    demand(app, **{group: True})
    base = f"/{face}/account/second-step"
    for path in (f"/{face}/", f"/{face}/account", f"/{face}/cases/{world.cases['shared']}", f"/{face}/sign-in"):
        answer = browser.get(path)
        assert answer.status_code in (303, 404)
        assert answer.headers.get("Location", base) in (base, f"/{face}/")
    part = browser.get(f"/{face}/account", htmx=True)
    assert (part.headers["HX-Redirect"], part.get_data()) == (base, b"")
    page = browser.get(base)
    assert page.status_code == 200
    assert "Your account needs a second step" in page.text
    assert 'aria-label="Main"' not in page.text
    for path in ("begin/app", "begin/passkey"):
        assert browser.get(f"{base}/{path}").status_code == 200
    adopt(browser)
    browser.get(f"{base}/codes")
    assert browser.post(f"{base}/codes").headers["Location"] == f"/{face}/"
    assert browser.get(f"/{face}/account").status_code == 200


def test_what_somebody_sends_who_must_set_one_up_is_refused_and_shown(app: Flask, world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    path = f"/portal/cases/{world.cases['shared']}"
    hanna.get(path)
    demand(app, mfa_external=True)
    with app.app_context():
        before = db.session.scalar(select(func.count(Comment.id)))
    for htmx in (False, True):
        answer = hanna.post(f"{path}/comments", {"message": "Typed with care"}, htmx=htmx)
        assert answer.status_code == 403
        assert "A second step is required of you now." in answer.text
        assert htmx or "Typed with care" in answer.text
    assert hanna.post("/portal/account/name", {"name": "Another"}).status_code == 403
    with app.app_context():
        assert db.session.scalar(select(func.count(Comment.id))) == before
        assert db.session.get_one(User, world.people["hanna"]).name == "Hanna Person"


def test_who_must_set_one_up_can_still_leave_and_choose_a_theme(app: Flask, world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    demand(app, mfa_external=True)
    page = hanna.get("/portal/account/second-step")
    assert 'action="/portal/sign-out"' in page.text
    assert hanna.post("/portal/account/theme", {"theme": "dark"}).status_code == 303
    assert hanna.post("/portal/sign-out").headers["Location"] == "/portal/sign-in"


def test_only_what_leads_to_a_second_step_is_open_before_there_is_one(app: Flask) -> None:
    """A change here opens something to people who have shown a password only; it must be meant."""
    views = app.view_functions
    assert {name for name, view in views.items() if view.enrolling} == {  # type: ignore[attr-defined]
        "entry.add_app",
        "entry.add_passkey",
        "entry.begin_factor",
        "entry.recovery_codes",
        "entry.remove_app",
        "entry.remove_passkey",
        "entry.second_factor",
        "entry.sign_out",
    }


def test_others_are_not_sent_there(app: Flask, world: World, browse: Browse) -> None:
    demand(app, mfa_external=True)
    assert browse("olga").get("/console/cases").status_code == 200
    demand(app, mfa_organisation=True, mfa_admin=True)
    assert browse("hanna").get("/portal/").status_code == 200


def test_the_last_factor_stays_while_it_is_required(app: Flask, world: World, browse: Browse) -> None:
    hanna, base = browse("hanna"), "/portal/account/second-step"
    adopt(hanna)
    demand(app, mfa_external=True)
    hanna.get(f"{base}/app/remove")
    answer = hanna.post(f"{base}/app/remove", {"password": PASSWORD})
    assert answer.status_code == 422
    assert "the last one stays" in answer.text
    with app.app_context():
        assert db.session.scalar(select(func.count(Totp.id))) == 1


class TestPasskeys:
    """On an address where browsers offer them."""

    @pytest.fixture
    def settings(self, instance: object, database_url: str) -> Settings:
        return settings_for(instance, database_url, base_url="http://localhost:8000")  # type: ignore[arg-type]

    def test_a_passkey_can_be_named_added_and_removed(self, app: Flask, world: World) -> None:
        origin, base = "http://localhost:8000", "/portal/account/second-step"
        with app.app_context():
            start_writing()
            user = db.session.get_one(User, world.people["hanna"])
            key = sessions.open_session(user, world.places["here"], "portal")
            db.session.commit()
        client = app.test_client()
        client.set_cookie("portal", key, domain="localhost")

        def get(path: str) -> str:
            return client.get(f"{base}{path}", base_url=origin).text

        def post(path: str, **data: str) -> TestResponse:
            token = re.search(r'name="csrf_token" value="([^"]+)"', get(""))
            assert token is not None
            sent = {"csrf_token": token[1], **data}
            return client.post(f"{base}{path}", base_url=origin, headers={"Origin": origin}, data=sent)

        assert "Add a passkey" in get("")
        post("/begin/passkey", password=PASSWORD)
        page = get("/passkey")
        options = re.search(r'data-options="([^"]+)"', page)
        assert options is not None
        assert "needs JavaScript" in page
        made = SoftKey(origin).create(unescape(options[1]))
        for sent in ({"name": "", "credential": made}, {"name": "Laptop", "credential": ""}, {"name": "Laptop", "credential": "{}"}):
            answer = post("/passkey", **sent)
            assert answer.status_code == 422
        answer = post("/passkey", name="  Laptop  ", credential=made)
        assert answer.headers["Location"] == f"{base}/codes"
        assert "<strong>Laptop</strong>" in get("")
        with app.app_context():
            passkey = db.session.scalars(select(Passkey)).one()
            number, uid = passkey.id, passkey.uid
        assert re.findall(r"/passkeys/(\w+)/remove", get("")) == [uid]
        assert client.get(f"{base}/passkeys/{number}/remove", base_url=origin).status_code == 404
        assert "Remove the passkey: Laptop" in get(f"/passkeys/{uid}/remove")
        assert post(f"/passkeys/{uid}/remove", password="wrong").status_code == 422
        assert post(f"/passkeys/{uid}/remove", password=PASSWORD).status_code == 303
        assert not mfa_of(app, world, "hanna")
