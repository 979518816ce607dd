"""A session that ends while somebody types: what they typed comes through the sign-in and is sent once."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape

from flask import Flask
from sqlalchemy import func, select

from portal.cases.models import Comment
from portal.clock import at, now
from portal.extensions import db
from tests.factories import PASSWORD
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]
TEXT = 'Two lines & a "quote"\r\nwith <b>marks</b> and ümlauts'


def hidden(page: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page, re.DOTALL)
    assert found is not None, name
    return unescape(found[1])


def ended(browser: Browser) -> None:
    """The session ends on the server's side; the browser does not know."""
    browser.client.set_cookie("portal", "over", domain="127.0.0.1")


def messages(app: Flask) -> list[str]:
    """What was written, newest first."""
    with app.app_context():
        return list(db.session.scalars(select(Comment.message).order_by(Comment.id.desc())))


def test_hanna_can_sign_in_and_send_what_she_typed_once(app: Flask, world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    path = f"/portal/cases/{world.cases['shared']}/comments"
    hanna.get(f"/portal/cases/{world.cases['shared']}")
    ended(hanna)
    stopped = hanna.post(path, {"message": TEXT, "submission": "one"})
    assert stopped.status_code == 401
    assert "What you had typed is kept" in stopped.text
    assert len(messages(app)) == 12
    pair = {"email": "hanna@people.example", "password": PASSWORD}
    wrong = hanna.post("/portal/sign-in", {**pair, "password": "wrong-password-here", "kept": hidden(stopped.text, "kept")})
    assert wrong.status_code == 422
    resumed = hanna.post("/portal/sign-in", {**pair, "kept": hidden(wrong.text, "kept")})
    assert resumed.status_code == 200
    assert f'action="{path}"' in resumed.text
    again = {"message": hidden(resumed.text, "message"), "submission": hidden(resumed.text, "submission")}
    assert again["message"] == TEXT
    assert hanna.post(path, again).status_code == 303
    assert hanna.post(path, again).status_code == 303
    assert messages(app)[:1] == [TEXT.replace("\r\n", "\n")]
    assert len(messages(app)) == 13


def test_a_part_leaves_what_was_typed_on_the_page(app: Flask, world: World, browse: Browse) -> None:
    """A session that rested for too long; where somebody ended it, see tests/external/test_gone.py."""
    hanna = browse("hanna")
    hanna.get("/portal/")
    with at(now() + timedelta(days=3)):
        answer = hanna.post(f"/portal/cases/{world.cases['shared']}/comments", {"message": TEXT}, htmx=True)
    assert (answer.status_code, answer.headers["HX-Reswap"]) == (401, "none")
    assert "Sign in in a new tab" in answer.text


def test_what_was_kept_cannot_be_forged_or_redirected(app: Flask, world: World, browse: Browse) -> None:
    """The text and the address are signed together; a token of one's own making keeps nothing."""
    hanna = browse("hanna")
    hanna.get("/portal/")
    ended(hanna)
    stopped = hanna.post(f"/portal/cases/{world.cases['shared']}/comments", {"message": "Words"})
    token = hidden(stopped.text, "kept")
    for forged in ("forged", token[:-2] + "xx", ""):
        answer = hanna.post("/portal/sign-in", {"email": "hanna@people.example", "password": PASSWORD, "kept": forged})
        assert answer.headers.get("Location") == "/portal/"
        hanna.post("/portal/sign-out")


def test_passwords_are_never_kept(world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    hanna.get("/portal/")
    ended(hanna)
    data = {"current": "my-old-secret-words", "password": "my-new-secret-words", "again": "my-new-secret-words"}
    answer = hanna.post("/portal/account/password", data)
    assert answer.status_code == 401
    assert "secret-words" not in answer.text


def test_a_lost_case_form_comes_back_whole(app: Flask, world: World, browse: Browse) -> None:
    ada = browse("ada")
    ada.get("/console/cases/new")
    ada.client.set_cookie("console", "over", domain="127.0.0.1")
    form = {"title": "Kept title", "description": "Kept description", "severity": "3", "tlp": "2", "pap": "2", "tags": "one, two"}
    stopped = ada.post("/console/cases/new", form)
    assert stopped.status_code == 401
    resumed = ada.post("/console/sign-in", {"email": "ada@people.example", "password": PASSWORD, "kept": hidden(stopped.text, "kept")})
    assert {name: hidden(resumed.text, name) for name in form} == form
    assert ada.post("/console/cases/new", form).status_code == 303
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(db.metadata.tables["incident_case"])) == 7
