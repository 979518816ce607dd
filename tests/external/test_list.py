"""The portal's list in the browser's words: search, filters, orders, marks of news, and the case page for people who are not experts."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from urllib.parse import quote_plus

import pytest
from flask import Flask
from sqlalchemy import select, update

from portal.cases.models import Attachment, Case, Stage
from portal.clock import at, now
from portal.database import start_writing
from portal.extensions import db
from tests import factories as make
from tests.access.roads import plain, traveller
from tests.access.test_silence import HTMX, Road
from tests.fixtures.rooms import Cast
from tests.fixtures.statements import counted
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]


def titles(page: str) -> list[str]:
    """Titles of the cases, in order."""
    return list(dict.fromkeys(re.findall(r"The (\w+) case", unescape(page))))


def change(app: Flask, world: World, name: str, **values: object) -> None:
    """Something happens to a case."""
    with app.app_context():
        start_writing()
        case = db.session.scalars(select(Case).where(Case.number == world.cases[name])).one()
        for key, value in values.items():
            setattr(case, key, value)
        db.session.commit()


def test_the_greeting_uses_the_first_name_and_names_the_organisation(browse: Browse) -> None:
    page = browse("hanna").get("/portal/").text
    assert "Hello Hanna<" in page
    assert "Northwind" in page


def test_search_and_filters_are_in_the_address_and_on_chips(world: World, browse: Browse) -> None:
    page = browse("hanna").get("/portal/?q=word&tag=tag-shared&severity=2&status=open&opened_from=2020-01-01&sort=number").text
    assert titles(page) == ["shared"]
    chips = re.findall(r'class="chip" href="([^"]*)"', page)
    assert len(chips) == 5
    assert any("tag=" not in chip and "q=word" in chip and "sort=number" in chip for chip in map(unescape, chips))
    for word in ("Search: word", "Tag: tag-shared", "Severity: Medium", "Status: Open", "Opened on or after 1 Jan 2020"):
        assert word in page.replace("Jan 1, 2020", "1 Jan 2020"), word


@pytest.mark.parametrize(
    "query", ["q=zebra", "status=InProgress", "tag=tag-internal", "severity=4", "status=New&mine=yes&unread=yes", "updated_to=2000-01-01"]
)
def test_where_nothing_fits_a_friendly_sentence_says_so(browse: Browse, query: str) -> None:
    page = browse("hanna").get(f"/portal/?{query}").text
    assert titles(page) == []
    assert "None of your cases fits" in page


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("waiting=yes", "No case waits for your answer."),
        ("q=99", "No case #99 is shared with you."),
        ("q=%2399&status=Closed", "No case #99 is shared with you."),
        ("mine=yes", "None of these cases was reported by you."),
        ("opened_from=2026-02-03&opened_to=2026-02-02", "Opened: the day at “from” comes after the day at “to”."),
        ("updated_from=week&updated_to=2020-02-02", "Latest news: the day at “from” comes after the day at “to”."),
        ("q=zebra", "Try fewer or other words"),
    ],
)
def test_why_nothing_fits_is_said_in_words_that_fit(browse: Browse, query: str, said: str) -> None:
    hanna = browse("hanna")
    hanna.post("/portal/cases/1/comments", {"message": "An answer."})
    hanna.post("/portal/cases/4/comments", {"message": "An answer."})
    for htmx in (False, True):
        page = unescape(hanna.get(f"/portal/?{query}", htmx=htmx).text)
        assert titles(page) == []
        assert said in page
        assert ("fewer or other words" in page) == ("zebra" in query)


def test_a_number_that_is_still_typed_is_no_dead_end(world: World, browse: Browse) -> None:
    number = world.cases["shared"]
    page = browse("hanna").get(f"/portal/?q={number}&status=Closed", htmx=True).text
    assert f'href="/portal/cases/{number}"' in page
    assert "is shared with you" not in page


def test_a_report_that_was_begun_stands_on_top_until_it_is_gone(browse: Browse) -> None:
    hanna = browse("hanna")
    assert "You began a report" not in hanna.get("/portal/").text
    hanna.post("/portal/report", {"title": "Odd <mail>", "act": "save"})
    page = hanna.get("/portal/").text
    for words in ("You began a report", "“Odd &lt;mail&gt;”", "It has not been sent.", 'href="/portal/report/discard"'):
        assert words in page, words
    assert "You began a report" not in browse("rhea").get("/portal/").text


def test_who_only_reads_is_not_offered_what_they_cannot_do(world: World, browse: Browse) -> None:
    hanna, rhea, case = browse("hanna"), browse("rhea"), f"/portal/cases/{world.cases['all']}"
    offered = ("those you reported", "Reported by you", "Write a message on its page")
    for path in ("/portal/", "/portal/cases/filter", case):
        page = rhea.get(path).text
        assert [words for words in offered if words in page] == [], path
        assert "Questions about a case? Ask the security team." in page
    asked = "You can read this case. To say something, ask the security team."
    assert asked in rhea.get(case).text
    page = hanna.get("/portal/").text
    assert all(words in page for words in offered)
    assert asked not in hanna.get(case).text


def test_no_link_on_a_case_leads_nowhere(app: Flask, world: World, browse: Browse) -> None:
    with app.app_context():
        start_writing()
        db.session.execute(update(Attachment).values(external=False))
        db.session.commit()
    page = browse("rhea").get(f"/portal/cases/{world.cases['shared']}").text
    assert 'href="#files"' not in page
    anchors = re.findall(r'href="#([^"]+)"', page)
    assert all(f'id="{anchor}"' in page for anchor in anchors), anchors


@pytest.mark.parametrize(
    "query",
    [
        *("status=Nonsense", "severity=9", "severity=%00", "tag=" + "x" * 400, "sort=title", "waiting=maybe", "opened_from=31.12.2020"),
        *("opened_from=9999-12-31", "updated_to=0001-01-01", "opened_from=week", "q=", "q=%20", "status=open&status=New"),
    ],
)
def test_what_makes_no_sense_is_left_out(browse: Browse, query: str) -> None:
    answer = browse("hanna").get(f"/portal/?{query}")
    assert answer.status_code == 200
    assert titles(answer.text) == ["all", "shared"]


@pytest.mark.parametrize("query", ["q=%00", "q=" + "x" * 5000, "q=*", "q=a*b", "q=" + "%20x" * 300, "tag=%00", "q=%F0%9F%98%80"])
def test_odd_searches_are_answered_calmly(browse: Browse, query: str) -> None:
    assert browse("hanna").get(f"/portal/?{query}").status_code == 200
    assert browse("hanna").get(f"/portal/cases/filter?{query}").status_code == 200


def test_a_number_leads_to_its_case(world: World, browse: Browse) -> None:
    hanna, number = browse("hanna"), world.cases["shared"]
    for text in (str(number), f"%23{number}", f"%20%23{number}%20"):
        assert hanna.get(f"/portal/?q={text}").headers["Location"] == f"/portal/cases/{number}"
    assert hanna.get(f"/portal/?q={number}", htmx=True).status_code == 200, "while somebody types, nothing leads away"


def test_a_hit_that_is_hidden_looks_like_no_hit(app: Flask, world: World, browse: Browse) -> None:
    """Numbers of others' cases, internal words, tags, file names, fields, tasks: the very same bytes as for what is nowhere."""
    hidden = [str(world.cases[name]) for name in ("internal", "restricted", "revoked", "foreign")]
    hidden += ["Internal word", "tag-internal", "internal-of-shared", "Estimated", "sample-of-shared", "task", "Ruth", "revoked"]
    person, moment = traveller(app, browse, "hanna"), now()
    with at(moment):
        for headers in ({}, HTMX):
            for words in hidden:
                nowhere = re.sub(r"\w", "9" if words.isdecimal() else "q", words)
                found, none = (plain(person.go(Road("", None, "GET", f"/portal/?q={quote_plus(q)}"), **headers)) for q in (words, nowhere))
                said = f"No case #{words} is shared with you." if words.isdecimal() else "None of your cases fits"
                assert said in found, words
                assert _without(found, words) == _without(none, nowhere), words


def _without(page: str, words: str) -> str:
    """The page without what was asked for, wherever it says it."""
    for told in ('value="{}"', "Search: {}", "q={}", "No case #{} is"):
        page = page.replace(told.format(quote_plus(words) if told.startswith("q") else words), "~")
    return page


def test_tags_of_hidden_cases_are_not_offered(world: World, browse: Browse) -> None:
    page = browse("hanna").get("/portal/cases/filter").text
    assert re.findall(r'value="(tag-\w+)"', page) == ["tag-all", "tag-shared"]
    assert "<dialog" in browse("hanna").get("/portal/cases/filter", htmx=True).text


def test_the_filter_form_keeps_what_is_set(browse: Browse) -> None:
    page = browse("hanna").get("/portal/cases/filter?q=word&status=open&mine=yes&opened_from=2020-02-03&sort=-severity").text
    for field in ('name="q" value="word"', 'name="sort" value="-severity"', 'value="open" selected', 'value="2020-02-03"'):
        assert field in page
    assert re.search(r'name="mine"\s+value="yes"\s+checked', page)


def test_readers_are_not_asked_for_answers(world: World, browse: Browse) -> None:
    assert "Waiting for your answer" in browse("hanna").get("/portal/").text
    rhea = browse("rhea")
    assert "Waiting for your answer" not in rhea.get("/portal/").text
    assert "Waiting for your answer" not in rhea.get("/portal/cases/filter").text
    assert "The security team wrote last" not in rhea.get(f"/portal/cases/{world.cases['shared']}").text


def test_headings_sort_last_first_then_first_first_then_not_at_all(world: World, browse: Browse) -> None:
    hanna, address = browse("hanna"), "/portal/"
    seen = []
    for _ in range(4):
        page = hanna.get(address).text
        found = re.search(r'<th scope="col"( aria-sort="(\w+)")?>\s*<a class="sort"\s+href="([^"]*)">Severity', page)
        assert found is not None
        seen.append(found[2])
        address = unescape(found[3])
    assert seen == [None, "descending", "ascending", None]


def test_what_is_new_carries_the_word_until_it_is_opened(world: World, browse: Browse) -> None:
    hanna, case = browse("hanna"), f"/portal/cases/{world.cases['shared']}"
    assert hanna.get("/portal/").text.count("New: </span>") == 2
    hanna.get(case)
    assert hanna.get("/portal/").text.count("New: </span>") == 1
    console = f"/console/cases/{world.cases['shared']}"
    browse("ada").confirm(f"{console}/comments", {"message": "News for you", "audience": "external"}, asked=console)
    assert hanna.get("/portal/").text.count("New: </span>") == 2
    page = hanna.get(case).text
    assert "1 new message" in page
    assert "Since you were last here" not in hanna.get(case).text


def test_writing_makes_a_case_no_news_to_its_writer(world: World, browse: Browse) -> None:
    hanna, case = browse("hanna"), f"/portal/cases/{world.cases['shared']}"
    hanna.get(case)
    hanna.post(f"{case}/comments", {"message": "From me"}, htmx=True)
    assert hanna.get("/portal/").text.count("New: </span>") == 1


def test_the_case_page_explains_itself(app: Flask, world: World, browse: Browse) -> None:
    change(app, world, "shared", stage=Stage.CLOSED, status="FalsePositive", closed_at=now())
    page = browse("hanna").get(f"/portal/cases/{world.cases['shared']}").text
    assert "Limited harm" in page
    assert 'aria-current="step"' in page
    assert re.search(r'<li class="ahead">(?:(?!</li>).)*In progress(?:(?!</li>).)*Not needed', page, re.DOTALL), "no tick"
    assert "Passed" not in page
    assert "What do the words on this page mean?" in page
    assert "FalsePositive" not in page
    assert "False positive" not in page
    for anchor in ("conversation", "files", "evidence"):
        assert f'href="#{anchor}"' in page
        assert f'id="{anchor}"' in page


@pytest.mark.parametrize(("path", "most"), [("/portal/", 6), ("/portal/?q=word&tag=tag-all&waiting=yes", 6), ("/portal/cases/1", 10)])
def test_a_page_asks_few_questions_however_much_there_is(app: Flask, world: World, browse: Browse, path: str, most: int) -> None:
    hanna = browse("hanna")
    hanna.get(path)
    few = _asked(app, hanna, path)
    with app.app_context():
        start_writing()
        cast = Cast(world)
        ada, hanna_herself = cast("ada"), cast("hanna")
        for number in range(12):
            case = make.make_case(ada, f"More {number}", "A word.", tags=("tag-all",))
            make.share(case, ada, everybody=True)
            make.say(cast.case("shared"), ada if number % 2 else hanna_herself, f"Message {number}.", external=True)
        db.session.commit()
    hanna.get(path)
    assert _asked(app, hanna, path) == few
    assert few <= most


def _asked(app: Flask, browser: Browser, path: str) -> int:
    """How many SELECTs a page takes."""
    with counted(app) as asked:
        assert browser.get(path).status_code == 200
    return len([statement for statement in asked if statement.lstrip().upper().startswith("SELECT")])
