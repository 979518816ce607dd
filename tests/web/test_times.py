"""Times on pages: in the reader's zone and order, and read back from forms as their clock shows them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask, g

from portal.accounts.models import User
from portal.accounts.viewer import Viewer
from portal.cases.models import Case
from portal.clock import at, now, zone_names
from portal.database import start_writing
from portal.dates import reading_of, said_again, time_words
from portal.extensions import db
from portal.web import times
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]
WINTER, SUMMER = datetime(2026, 1, 31, 23, 30, tzinfo=UTC), datetime(2026, 7, 1, 12, 5, tzinfo=UTC)


def viewer(zone: str = "", language: str = "") -> Viewer:
    return Viewer(1, "Ada", "a@b.example", False, 1, "Here", frozenset(), time_zone=zone, language=language)


def shown(app: Flask, work: Callable[[], Any], zone: str = "", language: str = "", accepts: str = "") -> Any:
    with app.test_request_context(headers={"Accept-Language": accepts}):
        g.viewer = viewer(zone, language)
        return work()


@pytest.mark.parametrize(
    ("zone", "language", "moment", "words"),
    [
        ("", "", WINTER, "31 Jan 2026, 23:30 UTC"),
        ("", "en-US", WINTER, "Jan 31, 2026, 23:30 UTC"),
        ("Europe/Berlin", "", WINTER, "1 Feb 2026, 00:30 CET"),
        ("Europe/Berlin", "en-GB", SUMMER, "1 Jul 2026, 14:05 CEST"),
        ("America/New_York", "en-US", WINTER, "Jan 31, 2026, 18:30 EST"),
        ("Asia/Kathmandu", "", SUMMER, "1 Jul 2026, 17:50 UTC+05:45"),
        ("America/Sao_Paulo", "", SUMMER, "1 Jul 2026, 09:05 UTC-03"),
        ("Nowhere/At_All", "", SUMMER, "1 Jul 2026, 12:05 UTC"),
        ("localtime", "", SUMMER, "1 Jul 2026, 12:05 UTC"),
    ],
)
def test_a_moment_reads_as_its_reader_wants(app: Flask, zone: str, language: str, moment: datetime, words: str) -> None:
    assert f">{words}<" in shown(app, lambda: times.moment(moment), zone, language)
    assert f'title="{words}"' in shown(app, lambda: times.day(moment), zone, language)


def test_the_day_is_the_readers_day(app: Flask) -> None:
    assert ">31 Jan 2026<" in shown(app, lambda: times.day(WINTER))
    assert ">1 Feb 2026<" in shown(app, lambda: times.day(WINTER), "Europe/Berlin")


def test_the_distance_is_the_same_everywhere_and_the_full_time_beneath(app: Flask) -> None:
    with at(WINTER + timedelta(hours=3)):
        drawn = shown(app, lambda: times.ago(WINTER), "Europe/Berlin")
    assert ">3 hours ago<" in drawn
    assert 'title="1 Feb 2026, 00:30 CET"' in drawn
    assert 'datetime="2026-01-31T23:30:00Z"' in drawn


def test_only_who_chose_no_zone_is_told_their_browsers_time(app: Flask) -> None:
    assert "data-local" in shown(app, lambda: times.ago(WINTER))
    assert "data-local" not in shown(app, lambda: times.ago(WINTER), "Europe/Berlin")


@pytest.mark.parametrize(
    ("chosen", "accepts", "language"),
    [
        ("", "", "en"),
        ("", "en-US,en;q=0.9", "en-US"),
        ("", "en-GB", "en-GB"),
        ("", "de-DE,de;q=0.8", "de"),
        ("", "it-IT", "en"),
        ("", "en-CA,en;q=0.9,fr-CA;q=0.8,fr;q=0.7", "en"),
        ("", "en,fr;q=0.5", "en"),
        ("", "it,fr-CH;q=0.5,en;q=0.3", "fr"),
        ("", "fr;q=0,de-AT;q=0.2", "de"),
        ("", "*", "en"),
        ("en-GB", "en-US", "en-GB"),
        ("xx", "", "en"),
    ],
)
def test_the_language_is_the_chosen_one_or_the_browsers(app: Flask, chosen: str, accepts: str, language: str) -> None:
    assert shown(app, lambda: times.reading().language, language=chosen, accepts=accepts) == language


@pytest.mark.parametrize("zone", ["", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"])
def test_what_is_shown_in_a_form_is_read_back_as_it_was(app: Flask, zone: str) -> None:
    for moment in (WINTER, SUMMER, datetime(2026, 10, 25, 1, 30, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)):
        assert shown(app, lambda m=moment: times.typed(times.local(m).replace(tzinfo=None), before=m), zone) == moment


def test_the_ends_of_the_calendar_break_nothing(app: Flask) -> None:
    first, last = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, tzinfo=UTC)
    for zone in ("Asia/Tokyo", "America/New_York"):
        assert "UTC" in shown(app, lambda: times.in_words(first), zone) or "LMT" in shown(app, lambda: times.in_words(first), zone)
        assert "9999" in shown(app, lambda: times.in_words(last), zone)


def test_every_zone_can_be_used_and_needs_no_escaping(app: Flask) -> None:
    assert {"UTC", "Europe/Berlin", "Asia/Kolkata"} <= zone_names()
    for zone in zone_names():
        words = shown(app, lambda: times.in_words(SUMMER), zone)
        assert re.fullmatch(r"\d+ \w{3} 2026, \d\d:\d\d [A-Za-z0-9+:-]+", words), (zone, words)
    assert {key for places in times.zones_by_region().values() for key, _ in places} == zone_names() - {"UTC"}


def in_berlin(app: Flask, world: World, who: str, language: str = "en-GB") -> None:
    with app.app_context():
        start_writing()
        user = db.session.get_one(User, world.people[who])
        user.time_zone, user.language = "Europe/Berlin", language
        db.session.commit()


def test_pages_follow_the_readers_zone_and_language(app: Flask, world: World, browse: Browse) -> None:
    for who, path in (("ada", f"/console/cases/{world.cases['shared']}"), ("hanna", f"/portal/cases/{world.cases['shared']}")):
        browser = browse(who)
        assert '<html lang="en" ' in browser.get(path).text
        assert " UTC<" in browser.get(path).text
        in_berlin(app, world, who)
        page = browser.get(path).text
        assert '<html lang="en-GB" ' in page
        assert re.search(r"\d\d:\d\d CES?T<", page)
        assert " UTC" not in page


def stored(app: Flask, number: int) -> datetime:
    with app.app_context():
        return db.session.query(Case).filter_by(number=number).one().start_date


def test_the_beginning_of_a_case_is_typed_in_the_analysts_zone(app: Flask, world: World, browse: Browse) -> None:
    in_berlin(app, world, "ada")
    ada = browse("ada")
    assert "When it began (Europe/Berlin)" in ada.get("/console/cases/new").text
    data = {"title": "A new one", "description": "It happened.", "severity": "2", "tlp": "2", "pap": "2", "start_date": "2026-07-01T14:05"}
    number = int(ada.post("/console/cases/new", data).headers["Location"].rsplit("/", 1)[1])
    assert stored(app, number) == SUMMER
    page = ada.get(f"/console/cases/{number}/edit").text
    assert 'value="2026-07-01T14:05"' in page
    olga = browse("olga")
    page = olga.get(f"/console/cases/{number}/edit").text
    assert "When it began (UTC)" in page
    assert 'value="2026-07-01T12:05"' in page


@pytest.mark.parametrize("wrong", ["0024-03-01T10:00", "0001-01-01T00:00", "9999-12-31T23:59", "1969-12-31T23:59"])
def test_a_slip_of_the_year_is_a_sentence(app: Flask, world: World, browse: Browse, wrong: str) -> None:
    in_berlin(app, world, "ada")
    data = {"title": "A new one", "description": "It happened.", "severity": "2", "tlp": "2", "pap": "2", "start_date": wrong}
    answer = browse("ada").post("/console/cases/new", data)
    assert answer.status_code == 422
    assert "Give a date between 1970 and 2999." in answer.text


def test_many_times_are_drawn_quickly(app: Flask) -> None:
    def fifty() -> float:
        started = datetime.now(UTC)
        for _ in range(50):
            times.ago(now())
        return (datetime.now(UTC) - started).total_seconds()

    assert min(shown(app, fifty, "Europe/Berlin") for _ in range(5)) < 0.02


@pytest.mark.parametrize(
    ("words", "language", "said"),
    [
        ("20 Nov 2026, 09:30 CET", "de", "20. Nov. 2026, 09:30 CET"),
        ("Nov 1, 2026, 09:30 UTC+05:45", "fr", "1er nov. 2026, 09:30 UTC+05:45"),
        ("3 Sep 2026, 23:59 JST", "es", "3 sept 2026, 23:59 JST"),
        *(
            (words, "de", words)
            for words in ("31 Feb 2026, 09:30 UTC", "20 Foo 2026, 09:30 UTC", "20 Nov 2026", "on 20 Nov 2026, 09:30 UTC", "")
        ),
    ],
)
def test_what_a_text_keeps_in_english_is_said_again_in_another_language(words: str, language: str, said: str) -> None:
    assert said_again(words, language) == said


@pytest.mark.parametrize("tag", ["en", "en-GB", "en-US"])
@pytest.mark.parametrize("code", ["fr", "de", "es"])
def test_every_day_that_is_said_in_english_can_be_said_again(tag: str, code: str) -> None:
    for month in range(1, 13):
        moment = datetime(2026, month, 1, 9, 30, tzinfo=UTC)
        assert said_again(time_words(moment, reading_of("Asia/Tokyo", tag)), code) == time_words(moment, reading_of("Asia/Tokyo", code))
