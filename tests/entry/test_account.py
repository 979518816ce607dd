"""One's own account: password, theme, where one is signed in, which organisation one works in."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from portal.accounts import platform
from portal.accounts.models import User
from portal.extensions import db
from portal.mail.models import OutboxMessage
from portal.organisations.models import Organisation
from tests.factories import PASSWORD
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]
NEW = "velvet-harbour-onion-38"


@pytest.mark.parametrize(("who", "face"), [("hanna", "portal"), ("ada", "console")])
def test_everybody_can_change_their_password(app: Flask, browse: Browse, who: str, face: str) -> None:
    here, there = browse(who), browse(who)
    answer = here.post(f"/{face}/account/password", {"current": PASSWORD, "password": NEW, "again": NEW})
    assert answer.status_code == 303
    assert "Your password is changed." in here.get(f"/{face}/account").text
    assert there.get(f"/{face}/account").status_code == 303
    there.client.delete_cookie(face, domain="127.0.0.1")
    there.token = ""
    for password, status in ((PASSWORD, 422), (NEW, 303)):
        data = {"email": f"{who}@people.example", "password": password}
        assert there.post(f"/{face}/sign-in", data).status_code == status
    with app.app_context():
        assert "password_changed" in db.session.scalars(select(OutboxMessage.letter)).all()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"current": "wrong-password-here", "password": NEW, "again": NEW}, "Your current password is not right."),
        ({"current": PASSWORD, "password": "short", "again": "short"}, "Use at least 12 characters"),
        ({"current": PASSWORD, "password": "password1234", "again": "password1234"}, "Choose a harder password"),
        ({"current": PASSWORD, "password": "Hanna Person 1", "again": "Hanna Person 1"}, "Choose a harder password"),
        ({"current": PASSWORD, "password": NEW, "again": "another-one-entirely"}, "This is not the same as above"),
        ({"current": "", "password": NEW, "again": NEW}, "Type your current password."),
    ],
    ids=["wrong", "short", "common", "own-name", "different", "empty"],
)
def test_a_bad_change_is_refused_and_changes_nothing(browse: Browse, data: dict[str, str], sentence: str) -> None:
    hanna, other = browse("hanna"), browse("hanna")
    answer = hanna.post("/portal/account/password", data)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert not any(value and value in answer.text for value in data.values())
    assert other.get("/portal/").status_code == 200


def test_ones_own_password_cannot_be_guessed_for_ever(browse: Browse) -> None:
    hanna = browse("hanna")
    data = {"current": "wrong-password-here", "password": NEW, "again": NEW}
    statuses = [hanna.post("/portal/account/password", data).status_code for _ in range(11)]
    assert statuses == [422] * 10 + [429]


def test_the_page_says_where_one_is_signed_in(browse: Browse) -> None:
    hanna, _ = browse("hanna"), browse("hanna")
    page = hanna.get("/portal/account").text
    assert page.count("This browser") == 1
    assert page.count("last used") == 2
    assert "hanna@people.example" in page


def test_the_theme_is_kept_in_a_cookie(browse: Browse) -> None:
    hanna = browse("hanna")
    assert 'data-theme="system"' in hanna.get("/portal/").text
    assert hanna.post("/portal/account/theme", {"theme": "dark"}).status_code == 303
    assert 'data-theme="dark"' in hanna.get("/portal/").text
    hanna.post("/portal/account/theme", {"theme": '"><script>'})
    assert 'data-theme="dark"' in hanna.get("/portal/").text


def test_a_forged_theme_cookie_is_not_believed(browse: Browse) -> None:
    hanna = browse("hanna")
    hanna.client.set_cookie("theme", "evil", domain="127.0.0.1")
    assert 'data-theme="system"' in hanna.get("/portal/").text


def test_a_visitor_can_choose_a_theme_too(visitor: Callable[..., Browser]) -> None:
    browser = visitor("console")
    assert browser.post("/console/account/theme", {"theme": "light"}).headers["Location"] == "/console/sign-in"
    assert 'data-theme="light"' in browser.get("/console/sign-in").text


def test_ada_cannot_work_in_an_organisation_that_is_not_hers(world: World, browse: Browse) -> None:
    ada = browse("ada")
    for wanted in (str(world.places["there"]), str(world.places["admin"]), "999", "", "x"):
        assert ada.post("/console/organisation", {"organisation": wanted}).status_code == 404
    assert "The foreign case" not in ada.get("/console/cases").text


def test_somebody_of_two_organisations_can_switch_and_sees_one_at_a_time(app: Flask, world: World, browse: Browse) -> None:
    with app.app_context():
        user = db.session.get_one(User, world.people["ada"])
        platform.join(user, db.session.get_one(Organisation, world.places["there"]), [platform.profile("Read-Only")])
        db.session.commit()
    ada = browse("ada")
    assert "The foreign case" not in ada.get("/console/cases").text
    assert ada.post("/console/organisation", {"organisation": str(world.places["there"])}).status_code == 303
    page = ada.get("/console/cases").text
    assert "The foreign case" in page
    assert "The shared case" not in page
    assert ada.get(f"/console/cases/{world.cases['shared']}").status_code == 404
    assert ada.get("/console/cases/new").status_code == 403, "rights are those of the organisation worked in"
