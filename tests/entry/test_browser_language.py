"""What the browser asks for is kept with whoever signs in on the portal, for their letters; nowhere else and no longer than them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from portal.accounts import links, people
from portal.accounts.models import Purpose, User
from portal.clock import at, now
from portal.database import start_writing
from portal.extensions import db
from portal.organisations.models import Organisation
from tests.factories import PASSWORD
from tests.fixtures.factors import add_app, code_of, signed_in
from tests.fixtures.rooms import Cast
from tests.fixtures.world import Browser, World

Visitor = Callable[..., Browser]


def kept(app: Flask, world: World, who: str) -> str:
    with app.app_context():
        return db.session.get_one(User, world.people[who]).browser_language


def asking(accepts: str) -> dict[str, dict[str, str]]:
    return {"headers": {"Accept-Language": accepts}} if accepts else {}


def enter(browser: Browser, who: str, accepts: str) -> str:
    sent = {"email": f"{who}@people.example", "password": PASSWORD}
    answer = browser.post(f"/{browser.face}/sign-in", sent, **asking(accepts))
    assert answer.status_code == 303
    return answer.headers["Location"]


def test_the_last_sign_in_counts(app: Flask, world: World, visitor: Visitor) -> None:
    for accepts, language in (
        ("fr-CH, fr;q=0.9, en;q=0.8", "fr"),
        ("tlh, de;q=0.5", "de"),
        ("en-US,en;q=0.7", "en-US"),
        ("tlh", ""),
        ("es", "es"),
        ("", ""),
    ):
        enter(visitor(), "hanna", accepts)
        assert kept(app, world, "hanna") == language


def test_what_was_chosen_in_the_browser_goes_first(app: Flask, world: World, visitor: Visitor) -> None:
    browser = visitor()
    browser.client.set_cookie("language", "es", domain="127.0.0.1")
    enter(browser, "hanna", "fr")
    assert kept(app, world, "hanna") == "es"


@pytest.mark.parametrize("face", ["portal", "console"])
def test_a_refused_sign_in_changes_nothing(app: Flask, world: World, visitor: Visitor, face: str) -> None:
    enter(visitor(), "hanna", "fr")
    for password in ("not-her-password", PASSWORD if face == "console" else "nor-this-one"):
        answer = visitor(face).post(f"/{face}/sign-in", {"email": "hanna@people.example", "password": password}, **asking("de"))
        assert answer.status_code == 422
    assert kept(app, world, "hanna") == "fr"


def test_nothing_is_kept_of_colleagues(app: Flask, world: World, visitor: Visitor) -> None:
    enter(visitor("console"), "ada", "en-US")
    assert kept(app, world, "ada") == ""


def test_the_second_step_takes_it_along(app: Flask, world: World, visitor: Visitor) -> None:
    with app.app_context(), at(now().replace(year=now().year - 1)):
        secret, _ = add_app(signed_in(Cast(world)("hanna")))
    browser = visitor()
    step = enter(browser, "hanna", "fr")
    assert kept(app, world, "hanna") == ""  # the password alone is no sign-in
    with app.app_context():
        code = code_of(secret)
    browser.get(step)
    answer = browser.post(step, {"way": "code", "code": code}, **asking("fr"))
    assert (answer.status_code, kept(app, world, "hanna")) == (303, "fr")


def test_accepting_an_invitation_is_a_sign_in(app: Flask, world: World, visitor: Visitor) -> None:
    with app.app_context():
        start_writing()
        user = db.session.get_one(User, world.people["newt"])
        link = links.make_link(Purpose.INVITATION, user=user, organisation_id=world.places["here"])
        db.session.commit()
        token = links.token_for(link)
    browser = visitor()
    browser.get(f"/invitation/{token}", follow_redirects=True)
    browser.post("/invitation")
    browser.get("/invitation/account")
    new = "velvet-harbour-onion-38"
    answer = browser.post("/invitation/account", {"name": "Newt", "password": new, "again": new}, **asking("de-AT"))
    assert (answer.status_code, kept(app, world, "newt")) == (303, "de")


def test_a_deleted_account_has_no_language(cast: Cast) -> None:
    user = cast.user("hanna")
    user.browser_language = user.language = "fr"
    people.erase(user, db.session.get_one(Organisation, cast.world.places["here"]), by=cast("olga"))
    assert (user.browser_language, user.language) == ("", "")
