"""No e-mails about a case: for oneself alone, with and without htmx."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask
from sqlalchemy import select

from portal.cases.models import Mute
from portal.extensions import db
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]


def muted(app: Flask) -> list[int]:
    with app.app_context():
        return list(db.session.scalars(select(Mute.user_id)))


def test_hanna_can_stop_the_letters_about_a_case_and_get_them_again(app: Flask, world: World, browse: Browse) -> None:
    hanna, page = browse("hanna"), f"/portal/cases/{world.cases['shared']}"
    assert "You get an e-mail when there is news on this case." in hanna.get(page).text
    answer = hanna.post(f"{page}/letters", {"quiet": "y"})
    assert (answer.status_code, answer.location) == (303, f"{page}#letters")
    shown = hanna.get(page).text
    assert "You get no more e-mails about this case." in shown
    assert "E-mails again" in shown
    assert muted(app) == [world.people["hanna"]]
    hanna.post(f"{page}/letters", {})
    assert muted(app) == []


def test_a_part_is_enough_for_htmx(app: Flask, world: World, browse: Browse) -> None:
    hanna, page = browse("hanna"), f"/portal/cases/{world.cases['shared']}"
    hanna.get(page)
    part = hanna.post(f"{page}/letters", {"quiet": "y"}, htmx=True)
    assert part.status_code == 200
    assert "<html" not in part.text
    assert 'href="/portal/account/letters"' in part.text
    assert "You get no e-mails about this case." in part.text
    assert "You get no more e-mails about this case." in part.text  # the toast
    assert muted(app) == [world.people["hanna"]]


def test_the_team_cannot_see_it(app: Flask, world: World, browse: Browse) -> None:
    ada, number = browse("ada"), world.cases["shared"]
    urls = [f"/console/cases/{number}{tab}" for tab in ("", "/history", "/seen")] + ["/console/feed", "/console/people"]
    before = [ada.get(url).text.count("e-mail") for url in urls]
    hanna = browse("hanna")
    hanna.get(f"/portal/cases/{number}")
    hanna.post(f"/portal/cases/{number}/letters", {"quiet": "y"})
    assert muted(app)
    assert [ada.get(url).text.count("e-mail") for url in urls] == before
    assert not any("mute" in ada.get(url).text.lower() for url in urls)
