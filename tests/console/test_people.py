"""People: the list, inviting with all its mistakes, sending again, closing and reopening accounts."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
from flask import Flask
from sqlalchemy import select

from portal.accounts.models import OneTimeLink, User
from portal.extensions import db
from portal.mail.models import OutboxMessage
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]
PERSON = {"kind": "external", "name": "Iris Weber", "email": "iris@client.example", "works_for": "Client Ltd"}


def profile(browser: Browser, name: str, field: str = "profiles") -> str:
    """The id a profile has in the form."""
    page = browser.get("/console/people/invite").text
    if field == "profile":
        found = re.search(rf'<option[^>]*value="(\d+)"[^>]*>{name}<', page)
    else:
        found = re.search(rf'name="profiles"[^>]*value="(\d+)"[^>]*>\s*<span><strong>{name}', page)
    assert found is not None
    return found[1]


def test_olga_sees_her_own_people_only(browse: Browse) -> None:
    page = browse("olga").get("/console/people").text
    assert "Hanna Person" in page
    assert "Locked" in page
    assert "Otto Person" not in page
    assert "Gast Person" not in page


def test_pia_sees_everybody(browse: Browse) -> None:
    page = browse("pia").get("/console/people").text
    assert "Hanna Person" in page
    assert "Otto Person" in page


def test_olga_can_invite_a_guest(app: Flask, browse: Browse) -> None:
    olga = browse("olga")
    answer = olga.post("/console/people/invite", {**PERSON, "profiles": profile(olga, "External-Actor")})
    assert answer.headers["Location"] == "/console/people"
    page = olga.get("/console/people").text
    assert "Iris Weber is added." in page
    assert "Invitation waiting" in page
    assert "Client Ltd" in page
    with app.app_context():
        user = db.session.scalars(select(User).where(User.email == PERSON["email"])).one()
        assert db.session.scalars(select(OutboxMessage.letter).where(OutboxMessage.to_user_id == user.id)).all() == ["invitation"]


def test_olga_can_invite_a_colleague(browse: Browse) -> None:
    olga = browse("olga")
    data = {"kind": "internal", "name": "Karl", "email": "karl@people.example", "profile": profile(olga, "Analyst", "profile")}
    assert olga.post("/console/people/invite", data).status_code == 303
    assert "Karl" in olga.get("/console/people").text


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"email": "not an address"}, "Enter an e-mail address"),
        ({"email": "HANNA@people.example"}, "There is already an account with this address."),
        ({"email": "otto@people.example"}, "There is already an account with this address."),
        ({"name": " "}, "Type the person's name"),
        ({"profiles": "999"}, ""),
        ({"kind": "internal", "profile": "999"}, "Choose one profile"),
        ({"kind": "service"}, ""),
    ],
    ids=["address", "taken", "taken-elsewhere", "nameless", "no-role", "no-profile", "no-kind"],
)
def test_a_mistake_keeps_everything_typed(app: Flask, browse: Browse, change: dict[str, str], sentence: str) -> None:
    olga = browse("olga")
    typed = {**PERSON, "profiles": profile(olga, "External-Actor"), **change}
    answer = olga.post("/console/people/invite", typed)
    assert answer.status_code == 422
    text = unescape(answer.text)
    assert sentence in text
    for name in ("name", "email", "works_for"):
        assert typed[name].strip().lower() in text.lower()
    with app.app_context():
        assert db.session.scalar(select(User).where(User.name == PERSON["name"])) is None


def test_a_guest_cannot_be_given_a_colleagues_profile(app: Flask, browse: Browse) -> None:
    olga = browse("olga")
    admin = profile(olga, "Org-Admin", "profile")
    assert olga.post("/console/people/invite", {**PERSON, "profiles": admin}).status_code == 422


def test_olga_cannot_invite_into_another_organisation(app: Flask, world: World, browse: Browse) -> None:
    """The field is not hers; sent all the same, it changes nothing."""
    olga = browse("olga")
    data = {**PERSON, "profiles": profile(olga, "External-Actor"), "organisation": str(world.places["there"])}
    assert olga.post("/console/people/invite", data).status_code == 303
    assert "Iris Weber" not in browse("otto").get("/console/people").text


def test_olga_can_send_the_invitation_again(app: Flask, world: World, browse: Browse) -> None:
    olga, path = browse("olga"), f"/console/people/{world.people['newt']}/invitation"
    assert olga.post(path).status_code == 303
    assert olga.post(path).status_code == 303
    assert "The older link no longer works." in olga.get("/console/people").text
    with app.app_context():
        links = db.session.scalars(select(OneTimeLink).where(OneTimeLink.user_id == world.people["newt"])).all()
        assert sum(link.superseded_at is None for link in links) == 1


def test_who_is_set_up_needs_no_invitation(world: World, browse: Browse) -> None:
    olga = browse("olga")
    olga.post(f"/console/people/{world.people['hanna']}/invitation")
    assert "has set up the account already" in olga.get("/console/people").text


def test_olga_can_close_and_reopen_an_account(world: World, browse: Browse) -> None:
    olga, path = browse("olga"), f"/console/people/{world.people['hanna']}"
    assert olga.post(f"{path}/lock").status_code == 303
    assert "Hanna Person is locked and signed out everywhere." in olga.get("/console/people").text
    assert "Hanna Person" not in olga.get(f"/console/cases/{world.cases['shared']}/access").text
    assert olga.post(f"{path}/unlock").status_code == 303
    assert "Hanna Person can sign in again." in olga.get("/console/people").text
    assert browse("hanna").get("/portal/").status_code == 200


def test_nobody_can_close_their_own_account(world: World, browse: Browse) -> None:
    olga = browse("olga")
    olga.post(f"/console/people/{world.people['olga']}/lock")
    assert "You cannot lock your own account." in olga.get("/console/people").text


def test_olga_cannot_touch_people_of_others(world: World, browse: Browse) -> None:
    olga = browse("olga")
    for who in ("otto", "gast", "pia"):
        for act in ("invitation", "lock", "unlock"):
            assert olga.post(f"/console/people/{world.people[who]}/{act}").status_code == 404, (who, act)


@pytest.mark.parametrize("who", ["ada", "ruth"])
def test_colleagues_without_the_right_cannot_manage_people(world: World, browse: Browse, who: str) -> None:
    browser = browse(who)
    assert browser.get("/console/people").status_code == 403
    assert browser.get("/console/people/invite").status_code == 403
    assert "/console/people" not in browser.get("/console/cases").text
    assert browser.post(f"/console/people/{world.people['hanna']}/lock").status_code == 403
