"""Changing one's address over HTTP: asked for here, confirmed there, and no word about who has an account."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from portal.accounts import links
from portal.accounts.models import OneTimeLink, Purpose, User
from portal.extensions import db
from tests.access.roads import ONE_TIME
from tests.factories import PASSWORD
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]
NEW = "hanna@new.example"


def ask(browser: Browser, email: str = NEW, password: str = PASSWORD) -> str:
    answer = browser.post(f"/{browser.face}/account/email", {"email": email, "password": password})
    assert answer.status_code == 303, answer.text
    return browser.get(f"/{browser.face}/account").text.replace("<wbr>", "")


def link(app: Flask) -> str:
    with app.app_context():
        row = db.session.scalars(select(OneTimeLink).where(OneTimeLink.purpose == Purpose.EMAIL).order_by(OneTimeLink.id.desc())).first()
        assert row is not None
        return f"/new-address/{links.token_for(row)}"


def email_of(app: Flask, world: World, who: str) -> str:
    with app.app_context():
        return db.session.get_one(User, world.people[who]).email


def confirm(browser: Browser, where: str) -> str:
    assert browser.get(where).status_code == 303
    browser.get("/new-address")
    return browser.post("/new-address").headers.get("Location", "")


@pytest.mark.parametrize("who", ["hanna", "ada"])
def test_everybody_can_change_their_address(app: Flask, world: World, browse: Browse, who: str) -> None:
    browser, other = browse(who), browse(who)
    page = ask(browser)
    assert f"<strong>{NEW}</strong>" in page
    assert "If this address can be used, a link is on its way there." in page
    where = link(app)
    for _ in range(2):
        browser.get(where)
        browser.get("/new-address")
    assert email_of(app, world, who) == f"{who}@people.example", "looking changes nothing"
    assert confirm(browser, where) == f"/{browser.face}/account"
    assert email_of(app, world, who) == NEW
    page = browser.get(f"/{browser.face}/account")
    assert page.status_code == 200, "this browser stays signed in"
    assert NEW in page.text
    assert other.get(f"/{other.face}/account").status_code == 303, "others do not"
    assert browser.get(where).status_code == 410


def test_the_link_can_be_opened_on_another_device(app: Flask, world: World, browse: Browse, visitor: Callable[..., Browser]) -> None:
    hanna, phone = browse("hanna"), visitor()
    ask(hanna)
    assert confirm(phone, link(app)) == "/portal/account"
    assert email_of(app, world, "hanna") == NEW
    assert phone.get("/portal/account").status_code == 303, "the link signs nobody in"
    assert hanna.get("/portal/account").status_code == 303


def test_somebody_elses_browser_stays_as_it_is(app: Flask, world: World, browse: Browse) -> None:
    hanna, vic = browse("hanna"), browse("vic")
    ask(hanna)
    confirm(vic, link(app))
    assert email_of(app, world, "hanna") == NEW
    assert "vic@people.example" in vic.get("/portal/account").text


def test_a_taken_address_gets_the_same_answer(app: Flask, world: World, browse: Browse) -> None:
    pages = []
    for who, address in (("hanna", "vic@people.example"), ("hanna", "no1@people.example")):
        page = ONE_TIME.sub("~", ask(browse(who), address))
        page = re.sub(r"<time.*?</time>|<li class=\"row\">.*?</li>|browsers/[0-9a-f]+", "~", page, flags=re.DOTALL)
        pages.append(page.replace(address, "ADDRESS"))
    assert _sections(pages[0]) == _sections(pages[1])
    assert "account with this address" not in pages[0]


def _sections(page: str) -> list[str]:
    return re.findall(r'<section class="panel" id="email".*?</section>', page, flags=re.DOTALL) + re.findall(
        r'class="toast.*?</p>', page, flags=re.DOTALL
    )


def test_a_taken_addresss_link_cannot_be_used(app: Flask, world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    ask(hanna, "vic@people.example")
    where = link(app)
    hanna.get(where)
    hanna.get("/new-address")
    assert hanna.post("/new-address").status_code == 410
    assert email_of(app, world, "hanna") == "hanna@people.example"


@pytest.mark.parametrize(
    ("data", "field", "sentence"),
    [
        ({"email": NEW, "password": "wrong-password-here"}, "password", "Your password is not right."),
        ({"email": NEW, "password": ""}, "password", "Type your password."),
        ({"email": "nonsense", "password": PASSWORD}, "email", "Enter an e-mail address like"),
        ({"email": f"{'x' * 130}@new.example", "password": PASSWORD}, "email", "Use at most 128 characters."),
        ({"email": "Hanna@People.example", "password": PASSWORD}, "email", "This is your address already."),
        ({}, "email", "Enter an e-mail address like"),
    ],
    ids=["wrong", "no-password", "no-address", "long", "same", "nothing"],
)
def test_a_mistake_is_told_at_its_field(browse: Browse, data: dict[str, str], field: str, sentence: str) -> None:
    hanna = browse("hanna")
    answer = hanna.post("/portal/account/email", data)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert f'id="email-{field}-error"' in answer.text
    assert PASSWORD not in answer.text


def test_guessing_the_password_is_limited(browse: Browse) -> None:
    hanna = browse("hanna")
    statuses = [hanna.post("/portal/account/email", {"email": NEW, "password": "wrong-password-here"}).status_code for _ in range(11)]
    assert statuses == [422] * 10 + [429]


def test_a_waiting_change_can_be_called_off(app: Flask, browse: Browse) -> None:
    hanna = browse("hanna")
    assert "Keep the present address" in ask(hanna)
    where = link(app)
    assert hanna.post("/portal/account/email/cancel").status_code == 303
    assert "Keep the present address" not in hanna.get("/portal/account").text
    assert hanna.get(where).status_code == 410


def test_forged_links_and_a_form_without_a_link_change_nothing(browse: Browse, visitor: Callable[..., Browser]) -> None:
    phone = visitor()
    for path in ("/new-address/forged", "/new-address/%00", "/new-address"):
        assert phone.get(path).status_code == 410
    assert phone.post("/new-address").status_code == 410


def test_the_form_of_another_link_is_shown_again_instead_of_used(app: Flask, world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    ask(hanna)
    hanna.get(link(app))
    hanna.get("/new-address")
    answer = hanna.post("/new-address", {"link": "0" * 16})
    assert answer.status_code == 200
    assert email_of(app, world, "hanna") == "hanna@people.example"
