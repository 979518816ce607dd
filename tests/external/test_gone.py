"""A case that is taken away while it is open: nothing of it stays, what was typed does, and it is as if it had never been."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest

from portal.clock import at, now
from tests.access.roads import plain
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]
ACTS = {
    "comments": {"message": "My words."},
    "evidence": {"kind": "guess", "text": "https://mine.example/"},
    "letters": {"quiet": "y"},
}
KEPT = {"comments": ["My words."], "evidence": ["https://mine.example/"], "letters": []}
TYPED = re.compile(r'<span class="typed">(.*?)</span>', re.DOTALL)


def revoke(world: World, browse: Browse) -> str:
    """Hanna has the case open when Ada takes it away; its address."""
    browse("ada").confirm(f"/console/cases/{world.cases['shared']}/access", {"access": "internal"})
    return f"/portal/cases/{world.cases['shared']}"


@pytest.mark.parametrize("act", ACTS)
def test_the_next_act_takes_the_case_from_the_screen_and_keeps_what_was_typed(world: World, browse: Browse, act: str) -> None:
    hanna = browse("hanna")
    hanna.get(f"/portal/cases/{world.cases['shared']}")
    case = revoke(world, browse)
    answer = hanna.post(f"{case}/{act}", ACTS[act], htmx=True)
    assert (answer.status_code, answer.headers["HX-Retarget"], answer.headers["HX-Reswap"]) == (404, "#main", "innerHTML")
    page = unescape(answer.text)
    for words in ("<title>This case is not available</title>", "This was not saved"):
        assert words in page
    assert TYPED.findall(page) == KEPT[act]
    assert ('<section aria-labelledby="kept-title" hidden>' in page) is (not KEPT[act])
    assert "shared case" not in answer.text
    assert plain(answer) == plain(hanna.post(f"/portal/cases/999/{act}", ACTS[act], htmx=True))


def test_looking_at_it_again_takes_it_away_too(world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    hanna.get("/portal/")
    case = revoke(world, browse)
    for tail in ("", "/files", "/evidence", f"/files/{world.files['shared-external']}/withdraw"):
        for htmx in (False, True):
            answer = hanna.get(case + tail, htmx=htmx)
            assert answer.status_code == 404
            assert "<h1" in answer.text
            assert "This case is not available" in answer.text
            assert plain(answer) == plain(hanna.get(f"/portal/cases/999{tail}", htmx=htmx)), tail


def test_what_is_missing_on_a_case_that_stays_leaves_the_page_alone(world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    case = f"/portal/cases/{world.cases['shared']}"
    answer = hanna.post(f"{case}/files/{world.files['shared-internal']}/withdraw", htmx=True)
    assert answer.status_code == 404
    assert "HX-Retarget" not in answer.headers
    assert answer.headers["HX-Reswap"] == "none"
    assert "not available to you any more" in answer.text


def test_whose_account_is_locked_has_no_case_on_the_screen_after_the_next_act(world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    case = f"/portal/cases/{world.cases['shared']}"
    hanna.get(case)
    browse("olga").post(f"/console/people/{world.people['hanna']}/lock")
    answer = hanna.post(f"{case}/comments", ACTS["comments"], htmx=True)
    assert (answer.status_code, answer.headers["HX-Retarget"], answer.headers["HX-Reswap"]) == (401, "#main", "innerHTML")
    assert "<title>You are signed out.</title>" in answer.text
    assert TYPED.findall(unescape(answer.text)) == KEPT["comments"]
    assert "shared case" not in answer.text


def test_who_signs_out_in_another_window_has_no_case_on_the_screen_either(world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    hanna.post("/portal/sign-out")
    for path, data in ((f"/portal/cases/{world.cases['shared']}/comments", ACTS["comments"]), ("/portal/", None)):
        answer = hanna.post(path, data, htmx=True) if data else hanna.get(path, htmx=True)
        assert (answer.status_code, answer.headers.get("HX-Retarget")) == (401, "#main")


def test_a_report_stays_where_it_is_being_written(world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    browse("olga").post(f"/console/people/{world.people['hanna']}/lock")
    answer = hanna.post("/portal/report/draft", {"title": "Half a story"}, htmx=True)
    assert (answer.status_code, answer.headers["HX-Reswap"]) == (401, "none")
    assert "what you typed is still here" in answer.text


def test_whose_session_rested_for_too_long_goes_on_where_they_were(world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    case = f"/portal/cases/{world.cases['shared']}"
    hanna.get(case)
    with at(now() + timedelta(days=3)):
        answer = hanna.post(f"{case}/comments", ACTS["comments"], htmx=True)
    assert (answer.status_code, answer.headers["HX-Reswap"]) == (401, "none")
    assert "what you typed is still here" in answer.text
    assert "HX-Retarget" not in answer.headers
