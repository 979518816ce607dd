"""The page where people choose their letters, and the way from a letter to its case."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from portal.accounts.models import User
from portal.extensions import db
from tests.factories import PASSWORD
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]


@pytest.mark.parametrize(
    ("who", "face"), [("hanna", "portal"), ("rhea", "portal"), ("ada", "console"), ("ruth", "console"), ("pia", "console")]
)
def test_everybody_can_choose_letters(app: Flask, world: World, browse: Browse, who: str, face: str) -> None:
    browser, url = browse(who), f"/{face}/account/letters"
    page = browser.get(url)
    assert page.status_code == 200
    kept = "message" if face == "portal" else "reply"
    assert f'value="{kept}" checked' in page.text
    assert "Your choice is saved." in browser.post(url, {"wanted": kept}, follow_redirects=True).text
    shown = browser.get(url).text
    assert shown.count("checked") == 1
    assert f'value="{kept}" checked' in shown
    with app.app_context():
        assert kept not in db.session.scalar(select(User.unwanted).where(User.id == world.people[who])).split()  # type: ignore[union-attr]


@pytest.mark.parametrize("word", ["reply", "x" * 5000, "\0", "<b>"])
def test_odd_choices_are_refused(browse: Browse, word: str) -> None:
    answer = browse("hanna").post("/portal/account/letters", {"wanted": word})
    assert answer.status_code == 422
    assert "Choose from the letters in the list." in answer.text


def test_hanna_can_get_letters_about_a_case_again(world: World, browse: Browse) -> None:
    number, hanna = world.cases["shared"], browse("hanna")
    hanna.post(f"/portal/cases/{number}/letters", {"quiet": "y"})
    assert "The shared case" in hanna.get("/portal/account/letters").text
    answer = hanna.post(f"/portal/account/letters/{number}", {}, follow_redirects=True)
    assert f"You get e-mails about case #{number} again." in answer.text
    assert "The shared case" not in answer.text


@pytest.mark.parametrize("name", ["internal", "revoked", "foreign"])
def test_a_case_she_cannot_see_is_not_there(world: World, browse: Browse, name: str) -> None:
    hanna = browse("hanna")
    for url in (f"/portal/account/letters/{world.cases[name]}", f"/portal/cases/{world.cases[name]}/letters"):
        known, unknown = hanna.post(url, {}), hanna.post(url.replace(str(world.cases[name]), "987654"), {})
        assert (known.status_code, unknown.status_code) == (404, 404)


@pytest.mark.parametrize("path", ["/portal/cases/{shared}", "/portal/account/letters"])
def test_a_link_in_a_letter_leads_through_sign_in_to_its_page(world: World, visitor: Callable[..., Browser], path: str) -> None:
    path, browser = path.format(**world.cases), visitor()
    asked = browser.get(path)
    assert asked.status_code == 303
    browser.get(asked.location)
    form = {"email": world.emails["hanna"], "password": PASSWORD, "to": path}
    assert browser.post("/portal/sign-in", form).location == path


def test_the_choice_of_the_other_face_is_not_followed(world: World, visitor: Callable[..., Browser]) -> None:
    browser = visitor()
    browser.get("/portal/sign-in")
    form = {"email": world.emails["hanna"], "password": PASSWORD, "to": "/console/account/letters"}
    assert browser.post("/portal/sign-in", form).location == "/portal/"
