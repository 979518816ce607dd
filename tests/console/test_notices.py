"""The bell in the console: the number, the list, and what marks a notice as read."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import delete

from portal.clock import at, now
from portal.database import start_writing
from portal.extensions import db
from portal.notices.models import Notice
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]


@pytest.fixture(autouse=True)
def nothing_told(app: Flask) -> None:
    """Without the notice the world has for Ada."""
    with app.app_context():
        start_writing()
        db.session.execute(delete(Notice))
        db.session.commit()


def reply(world: World, browse: Browse, name: str = "shared", who: str = "hanna") -> None:
    path = f"/portal/cases/{world.cases[name]}/comments"
    assert browse(who).post(path, {"message": "Hello?"}).status_code == 303


def bell(browser: Browser, path: str = "/console/feed") -> str:
    """The number on the bell of a page."""
    found = re.search(r'class="bell-count">([^<]+)<', browser.get(path).text)
    return found[1] if found else ""


def test_ada_is_told_of_a_reply_and_opening_the_case_settles_it(world: World, browse: Browse) -> None:
    ada = browse("ada")
    assert bell(ada) == ""
    reply(world, browse)
    reply(world, browse, "all", "vic")
    assert bell(ada) == "2"
    page = ada.get("/console/notices").text
    assert "<strong>Hanna Person</strong> wrote or added something" in page
    assert "The shared case" in page
    assert "External" in page
    assert bell(ada, f"/console/cases/{world.cases['shared']}") == "1", "already on the page that settles it"
    assert bell(ada, f"/console/cases/{world.cases['internal']}") == "1"
    assert "The shared case" not in ada.get("/console/notices?show=unread").text


def test_one_and_all_can_be_marked_as_read(world: World, browse: Browse) -> None:
    ada = browse("ada")
    for name, who in (("shared", "hanna"), ("all", "vic"), ("all", "hanna")):
        reply(world, browse, name, who)
    one = re.search(r"/console/notices/\d+/read", ada.get("/console/notices").text)
    assert one
    assert ada.post(one[0]).status_code == 303
    assert bell(ada) == "1"
    until = re.search(r'name="until"\s+value="(\d+)"', ada.get("/console/notices").text)
    assert until
    assert ada.post("/console/notices/read", {"until": until[1]}).status_code == 303
    assert bell(ada) == ""
    assert "You have read everything." in ada.get("/console/notices?show=unread").text


def test_odd_input_is_no_error(browse: Browse) -> None:
    ada = browse("ada")
    for query in ("before=x", "before=" + "9" * 40, "before=%00", "show=nothing", "before=1", "before=0"):
        assert ada.get(f"/console/notices?{query}").status_code == 200
    assert ada.post("/console/notices/987650/read").status_code == 404
    for until in ("", "x", "9" * 40, "\0"):
        assert ada.post("/console/notices/read", {"until": until}).status_code == 303


def test_htmx_gets_the_bell_alone_and_asking_keeps_nobody_signed_in(world: World, browse: Browse) -> None:
    ada, start = browse("ada"), now()
    reply(world, browse)
    part = ada.get("/console/notices", htmx=True).text
    assert 'id="bell"' in part
    assert ">1<" in part
    assert "<html" not in part
    for minutes in (10, 20, 29):
        with at(start + timedelta(minutes=minutes)):
            assert ada.get("/console/notices", htmx=True).status_code == 200
    with at(start + timedelta(minutes=31)):
        assert ada.get("/console/notices", htmx=True).status_code == 401


@pytest.mark.parametrize("path", ["/console/nowhere", "/console/cases/987654"])
def test_error_pages_show_the_bell_without_asking(world: World, browse: Browse, path: str) -> None:
    reply(world, browse)
    page = browse("ada").get(path)
    assert page.status_code == 404
    assert 'id="bell"' in page.text
    assert "bell-count" not in page.text


def test_pia_has_no_bell(browse: Browse) -> None:
    assert 'id="bell"' not in browse("pia").get("/console/feed").text
    assert browse("pia").get("/console/notices").status_code == 403
