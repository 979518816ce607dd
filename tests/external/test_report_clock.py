"""Whose clock the beginning of a report is typed by: that of the form as it was drawn, wherever it is sent or gone on with."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape

import pytest
from flask import Flask

from portal.accounts.models import User
from portal.cases.models import Draft
from portal.database import start_writing
from portal.extensions import db
from tests.external.test_download import contents
from tests.external.test_report import ANSWERS, FORM, REVIEW, count, hidden, reported, send, write
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]


def in_zone(who: Browser, zone: str) -> None:
    """Their browser says this zone from now on, or nothing."""
    if zone:
        who.client.set_cookie("zone", zone, domain="127.0.0.1")
    else:
        who.client.delete_cookie("zone", domain="127.0.0.1")


@pytest.mark.parametrize(
    ("zone", "label", "hint"),
    [("Europe/Berlin", "Europe/Berlin", "Leave it empty"), ("", "UTC", "in UTC, where it is"), ("Mars/Base", "UTC", "in UTC, where it is")],
)
def test_the_clock_of_the_form_is_the_browser_s_or_said_to_be_utc(browse: Browse, zone: str, label: str, hint: str) -> None:
    hanna = browse("hanna")
    in_zone(hanna, zone)
    page = unescape(hanna.get(FORM).text)
    assert f"When did it begin? ({label})" in page
    assert hint in page


def test_who_chose_utc_is_not_told_to_choose(app: Flask, world: World, browse: Browse) -> None:
    hint = "You can choose your own time zone in your account."
    hanna = browse("hanna")
    assert hint in hanna.get(FORM).text
    with app.app_context():
        start_writing()
        db.session.get_one(User, world.people["hanna"]).time_zone = "UTC"
        db.session.commit()
    page = hanna.get(FORM).text
    assert "When did it begin? (UTC)" in page
    assert hint not in page


@pytest.mark.parametrize(
    ("drawn", "later", "label", "moment", "words"),
    [
        ("", "Asia/Tokyo", "UTC", "2026-11-20T09:30:00+00:00", "20 Nov 2026, 09:30 UTC"),
        ("Asia/Tokyo", "", "Asia/Tokyo", "2026-11-20T00:30:00+00:00", "20 Nov 2026, 09:30 JST"),
        ("Asia/Tokyo", "Europe/Berlin", "Asia/Tokyo", "2026-11-20T00:30:00+00:00", "20 Nov 2026, 09:30 JST"),
    ],
)
def test_a_time_is_read_by_the_clock_its_form_was_drawn_with(
    app: Flask, browse: Browse, drawn: str, later: str, label: str, moment: str, words: str
) -> None:
    """Also when the browser says another zone by the time it is sent, looked at, gone on with, and sent for good."""
    hanna = browse("hanna")
    in_zone(hanna, drawn)
    page = hanna.get(FORM)
    assert f"When did it begin? ({label})" in page.text
    in_zone(hanna, later)
    hanna.post(FORM, {**hidden(page), **ANSWERS, "act": "save"})
    again = hanna.get(FORM)
    assert f"When did it begin? ({label})" in again.text
    assert 'value="2026-11-20T09:30"' in again.text
    assert hanna.post(FORM, {**hidden(again), **ANSWERS, "act": "review"}).headers["Location"] == REVIEW
    assert words in hanna.get(REVIEW).text
    send(hanna)
    (case,) = reported(app)
    assert case.start_date.isoformat() == moment
    assert words in case.description


def test_a_draft_without_a_time_has_the_clock_of_wherever_it_is_gone_on_with(app: Flask, browse: Browse) -> None:
    hanna = browse("hanna")
    write(hanna, "save", began="")
    in_zone(hanna, "Asia/Tokyo")
    assert "When did it begin? (Asia/Tokyo)" in hanna.get(FORM).text
    write(hanna)
    send(hanna)
    assert reported(app)[0].start_date.isoformat() == "2026-11-20T00:30:00+00:00"


def test_what_nobody_said_is_not_shown_as_the_beginning(app: Flask, browse: Browse) -> None:
    hanna = browse("hanna")
    write(hanna, began="")
    send(hanna)
    write(hanna)
    send(hanna)
    without, told = reported(app)
    assert "It began" not in hanna.get(f"/portal/cases/{without.number}").text
    assert "It began" in hanna.get(f"/portal/cases/{told.number}").text
    for number, times in ((without.number, 0), (told.number, 1)):
        files = contents(hanna.get(f"/portal/cases/{number}/download/zip").data)
        assert files["case.html"].decode().count("It began") == times


@pytest.mark.parametrize("zone", ["", "Mars/Base", "../../etc/passwd", "a\0b", "x" * 100_001])
def test_a_zone_nobody_knows_is_the_one_the_browser_says(app: Flask, browse: Browse, zone: str) -> None:
    hanna = browse("hanna")
    in_zone(hanna, "Asia/Tokyo")
    assert write(hanna, zone=zone).headers["Location"] == REVIEW
    assert 'name="zone" value="Asia/Tokyo"' in hanna.get(FORM).text
    send(hanna)
    assert reported(app)[0].start_date.isoformat() == "2026-11-20T00:30:00+00:00"


def test_the_zone_alone_makes_no_draft(app: Flask, browse: Browse) -> None:
    hanna = browse("hanna")
    hanna.post(f"{FORM}/draft", hidden(hanna.get(FORM)), htmx=True)
    assert count(app, Draft) == 0
