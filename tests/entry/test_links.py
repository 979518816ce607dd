"""Mailed links: looking costs nothing, using works once, and whatever is wrong with one gives the same page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.accounts import links
from portal.accounts.models import OneTimeLink, Purpose, User
from portal.clock import at, now
from portal.database import start_writing
from portal.extensions import db
from portal.mail.models import OutboxMessage
from portal.organisations.models import Organisation
from tests.access.roads import ONE_TIME
from tests.factories import PASSWORD
from tests.fixtures.rooms import carry_out
from tests.fixtures.world import BASE, Browser, World

Browse = Callable[[str], Browser]
Visitor = Callable[..., Browser]
NEW = "velvet-harbour-onion-38"
ACCEPT = {"name": "Newt of the Marsh", "password": NEW, "again": NEW}


def make(app: Flask, world: World, purpose: Purpose, who: str) -> str:
    """A fresh link of this purpose; what stands in the letter's address."""
    with app.app_context():
        start_writing()
        user = db.session.get_one(User, world.people[who]) if who else None
        link = links.make_link(purpose, user=user, organisation_id=world.places["here"] if who else None)
        db.session.commit()
        return links.token_for(link)


def test_newt_can_take_possession_and_lands_in_the_portal(app: Flask, world: World, visitor: Visitor) -> None:
    token, browser = make(app, world, Purpose.INVITATION, "newt"), visitor()
    opened = browser.get(f"/invitation/{token}")
    assert (opened.status_code, opened.headers["Location"]) == (303, "/invitation")
    assert opened.headers["Referrer-Policy"] == "no-referrer"
    page = browser.get("/invitation")
    assert "Northwind" in page.text
    assert token not in page.text
    assert browser.post("/invitation").headers["Location"] == "/invitation/account"
    assert 'value="Newt Person"' in browser.get("/invitation/account").text
    done = browser.post("/invitation/account", ACCEPT)
    assert (done.status_code, done.headers["Location"]) == (303, "/portal/")
    assert "Newt of the Marsh" in browser.get("/portal/").text
    assert visitor().get(f"/invitation/{token}").status_code == 410
    again = visitor()
    assert again.post("/portal/sign-in", {"email": "newt@people.example", "password": NEW}).status_code == 303


@pytest.mark.parametrize(("purpose", "pages"), [(Purpose.INVITATION, ("/invitation", "/invitation/account")), (Purpose.RESET, ("/reset",))])
def test_a_long_address_is_broken_at_its_signs_only(
    app: Flask, world: World, visitor: Visitor, purpose: Purpose, pages: tuple[str, ...]
) -> None:
    with app.app_context():
        start_writing()
        db.session.get_one(User, world.people["newt"]).email = "newt.of.the.marsh@people.example"
        db.session.commit()
    browser = visitor()
    browser.get(f"{pages[0]}/{make(app, world, purpose, 'newt')}")
    for page in pages:
        assert "newt.<wbr>of.<wbr>the.<wbr>marsh@<wbr>people.<wbr>example" in browser.get(page).text
        browser.post(page)


def test_scanners_cannot_burn_a_link(app: Flask, world: World, visitor: Visitor) -> None:
    token = make(app, world, Purpose.INVITATION, "newt")
    for _ in range(3):
        scanner = visitor()
        scanner.get(f"/invitation/{token}", follow_redirects=True)
        scanner.get("/invitation/account")
        scanner.client.head(f"/invitation/{token}", base_url=BASE)
    browser = visitor()
    browser.get(f"/invitation/{token}")
    browser.get("/invitation")
    browser.post("/invitation")
    browser.get("/invitation/account")
    assert browser.post("/invitation/account", ACCEPT).status_code == 303


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"password": "short", "again": "short"}, "Use at least 12 characters"),
        ({"again": "something-else-entirely"}, "This is not the same as above"),
        ({"name": "  "}, "Type your name"),
        ({"name": "Équipe de sécurité"}, "This is what the team is called"),
        ({"name": "Newt, Northwind"}, "This is what the team is called"),
        ({"name": "5ecurity t3am"}, "This is what the team is called"),
    ],
    ids=["short", "different", "nameless", "the team", "the tenant", "digits"],
)
def test_a_mistake_does_not_burn_the_link(app: Flask, world: World, visitor: Visitor, change: dict[str, str], sentence: str) -> None:
    browser = visitor()
    browser.get(f"/invitation/{make(app, world, Purpose.INVITATION, 'newt')}", follow_redirects=True)
    answer = browser.post("/invitation/account", {**ACCEPT, **change})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert NEW not in answer.text
    assert ("Newt of the Marsh" in answer.text) == ("name" not in change)
    assert browser.post("/invitation/account", ACCEPT).status_code == 303


def broken(app: Flask, world: World) -> dict[str, str]:
    """Tokens of invitations that cannot be used, each for another reason."""
    used = make(app, world, Purpose.INVITATION, "newt")
    with app.app_context():
        start_writing()
        link = links.open_link(Purpose.INVITATION, used)
        assert link is not None
        assert links.consume(link)
        db.session.commit()
    replaced = make(app, world, Purpose.INVITATION, "newt")
    good = make(app, world, Purpose.INVITATION, "newt")
    with at(now() - timedelta(hours=25)):
        expired = make(app, world, Purpose.INVITATION, "vic")
    return {
        "used": used,
        "replaced": replaced,
        "expired": expired,
        "tampered": good[:-3] + ("abc" if good[-3:] != "abc" else "abd"),
        "cut": good[: len(good) // 2],
        "of-another-purpose": make(app, world, Purpose.RESET, "hanna"),
        "of-a-locked": make(app, world, Purpose.INVITATION, "dora"),
        "unknown": "unknown",
    }


def test_whatever_is_wrong_with_a_link_looks_the_same(app: Flask, world: World, visitor: Visitor) -> None:
    answers = {}
    for name, token in broken(app, world).items():
        answer = visitor().get(f"/invitation/{token}")
        assert answer.status_code == 410, name
        answers[name] = ONE_TIME.sub("~", answer.text)
    without = visitor().get("/invitation")
    answers["none"] = ONE_TIME.sub("~", without.text)
    assert without.status_code == 410
    assert len(set(answers.values())) == 1, {name: len(text) for name, text in answers.items()}
    assert 'action="/new-link"' in without.text


def test_two_people_cannot_use_one_link(app: Flask, world: World, visitor: Visitor) -> None:
    token, first, second = make(app, world, Purpose.INVITATION, "newt"), visitor(), visitor()
    for browser in (first, second):
        browser.get(f"/invitation/{token}", follow_redirects=True)
    assert first.post("/invitation/account", ACCEPT).status_code == 303
    assert second.post("/invitation/account", ACCEPT).status_code == 410


@pytest.mark.parametrize("path", ["/new-link", "/portal/forgotten", "/console/forgotten"])
def test_asking_for_a_link_answers_everybody_alike(app: Flask, world: World, visitor: Visitor, path: str) -> None:
    make(app, world, Purpose.INVITATION, "newt")
    answers = set()
    for email in ("hanna@people.example", "newt@people.example", "dora@people.example", "nobody@people.example"):
        answer = visitor().post(path, {"email": email})
        answers.add((answer.status_code, ONE_TIME.sub("~", answer.text).replace(email, "~")))
    assert len(answers) == 1
    assert answers.pop()[0] == 200
    with app.app_context():
        carry_out()
        letters = select(User.email).join(OutboxMessage, OutboxMessage.to_user_id == User.id).where(OutboxMessage.link_id > 0)
        told = set(db.session.scalars(letters))
    assert told == {"hanna@people.example", "newt@people.example"} - ({"newt@people.example"} if "forgotten" in path else set())


def test_mail_to_one_address_is_limited(world: World, visitor: Visitor) -> None:
    statuses = [visitor().post("/new-link", {"email": "hanna@people.example"}).status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]


def test_a_bad_address_is_explained_and_kept(visitor: Visitor) -> None:
    answer = visitor().post("/portal/forgotten", {"email": "not an address"})
    assert answer.status_code == 422
    assert 'value="not an address"' in answer.text


def test_hanna_can_reset_her_password_and_every_session_ends(app: Flask, world: World, browse: Browse, visitor: Visitor) -> None:
    hanna, browser = browse("hanna"), visitor()
    token = make(app, world, Purpose.RESET, "hanna")
    assert browser.get(f"/reset/{token}").headers["Location"] == "/reset"
    assert "hanna@people.example" in browser.get("/reset").text
    assert browser.post("/reset", {"password": "short", "again": "short"}).status_code == 422
    done = browser.post("/reset", {"password": NEW, "again": NEW})
    assert (done.status_code, done.headers["Location"]) == (303, "/portal/sign-in")
    assert hanna.get("/portal/").status_code == 303
    assert browser.get("/portal/").status_code == 303, "it signs nobody in"
    assert browser.post("/reset", {"password": NEW, "again": NEW}).status_code == 410
    for password, status in ((PASSWORD, 422), (NEW, 303)):
        assert browser.post("/portal/sign-in", {"email": "hanna@people.example", "password": password}).status_code == status


def test_a_reset_link_dies_with_the_password_it_was_for(app: Flask, world: World, browse: Browse, visitor: Visitor) -> None:
    token, hanna = make(app, world, Purpose.RESET, "hanna"), browse("hanna")
    assert hanna.post("/portal/account/password", {"current": PASSWORD, "password": NEW, "again": NEW}).status_code == 303
    assert visitor().get(f"/reset/{token}").status_code == 410


@pytest.fixture
def nobody(app: Flask) -> str:
    """A platform without people, and the link printed at its first start."""
    from tests.factories import make_platform

    with app.app_context():
        make_platform()
        link = links.make_link(Purpose.SETUP)
        db.session.commit()
        return links.token_for(link)


SETUP = {"team": "Harbour CSIRT", "name": "First Person", "email": "first@people.example", "password": NEW, "again": NEW}


def test_the_first_administrator_can_be_made_once(app: Flask, nobody: str, visitor: Visitor) -> None:
    browser, late = visitor("console"), visitor("console")
    for each in (browser, late):
        assert each.get(f"/set-up/{nobody}").headers["Location"] == "/set-up"
        assert each.get("/set-up").status_code == 200
    assert browser.post("/set-up", {**SETUP, "password": "short", "again": "short"}).status_code == 422
    assert browser.post("/set-up", SETUP).headers["Location"] == "/console/"
    assert "Your team is ready." in browser.get("/console/cases").text
    assert late.post("/set-up", SETUP).status_code == 410
    assert visitor().get(f"/set-up/{nobody}").status_code == 410
    with app.app_context():
        assert db.session.scalar(select(func.count(User.id))) == 1
        assert db.session.scalar(select(Organisation.name).where(Organisation.built_in.is_(False))) == "Harbour CSIRT"
        alive = OneTimeLink.used_at.is_(None), OneTimeLink.superseded_at.is_(None)
        assert db.session.scalar(select(func.count(OneTimeLink.id)).where(*alive)) == 0


def test_nobody_can_set_up_a_platform_in_use(app: Flask, world: World, visitor: Visitor) -> None:
    token = make(app, world, Purpose.SETUP, "")
    browser = visitor("console")
    browser.get(f"/set-up/{token}", follow_redirects=True)
    answer = browser.post("/set-up", SETUP)
    assert answer.status_code in (410, 422)
    assert browser.get("/console/").status_code == 303
