"""What an act on many cases did is told at an address of its own; what sharing them would do is told before, and everybody counted once."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.console.test_case_bulk import ask, confirm, numbers, plain, preview, send
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]


@pytest.mark.parametrize(
    ("act", "fields"), [("severity", {"severity": "4"}), ("share", {"access": "internal"}), ("delete", {"confirmation": "2"})]
)
def test_the_result_can_be_loaded_again_and_nothing_is_done_again(world: World, browse: Browse, act: str, fields: dict[str, str]) -> None:
    olga, cases = browse("olga"), numbers(world, "internal", "shared")
    sent = send(olga, act, ask(olga, act, cases, back="severity=2", **fields), **fields)
    assert sent.status_code == 303
    address = sent.headers["Location"]
    first, second = olga.get(address), olga.get(address)
    assert "2 cases were" in first.text
    assert "The internal case" in first.text, "by its title, a deleted one, too"
    assert plain(first.text) == plain(second.text)
    assert 'href="/console/cases?severity=2"' in first.text
    elsewhere = browse("ada").get(address)
    assert (elsewhere.status_code, elsewhere.headers.get("Location")) == (303, "/console/cases?severity=2"), "nobody else's"
    other = olga.get(address.replace(f"/bulk/{act}", "/bulk/tags"))
    assert other.status_code == 303, "the result of another act"


def test_a_result_names_no_case_its_reader_may_not_see_any_more(world: World, browse: Browse) -> None:
    ada, olga = browse("ada"), browse("olga")
    address = send(ada, "severity", ask(ada, "severity", numbers(world, "internal")), severity="4").headers["Location"]
    assert "The internal case" in ada.get(address).text
    page = ask(olga, "delete", numbers(world, "internal"))
    send(olga, "delete", page, confirmation="1")
    assert "The internal case" not in ada.get(address).text


def test_without_javascript_the_effect_is_always_to_be_had(world: World, browse: Browse) -> None:
    ada, cases = browse("ada"), numbers(world, "internal", "shared")
    button = re.compile(r'id="access-confirm"[^>]*>([^<]*)<')
    searched = confirm(ada, "share", ask(ada, "share", cases), access="add", find="1", q="vic").text
    assert button.findall(searched) == ["Show the effect"], "nobody is ticked yet"
    asked: dict[str, Any] = {"access": "external", "users": str(world.people["vic"])}
    shown = confirm(ada, "share", ask(ada, "share", cases), **asked)
    assert button.findall(shown.text) == ["Share 2 cases, take access away in 1"]
    assert "Show the effect" in shown.text
    looked = confirm(ada, "share", shown.text, **asked, look="y")
    assert "Nothing is changed yet." in looked.text
    alike = ask(ada, "share", cases[:1], access="internal")
    assert button.findall(alike) == ["Show the effect"]


def test_people_are_counted_once_however_many_cases_they_gain(world: World, browse: Browse) -> None:
    ada, cases = browse("ada"), numbers(world, "internal", "shared", "all")
    two = [world.people["vic"], world.people["rhea"]]
    assert "2 cases, +2 people" in plain(preview(ada, cases[:2], access="add", users=two))
    everybody = world_outside(ada, cases)
    page = plain(preview(ada, cases, access="all_external"))
    assert f"2 cases, +{everybody} people" in page, page
    page = plain(preview(ada, cases, access="internal"))
    assert f"2 cases, −{everybody} people" in page, page
    assert "1 case, −1 person" in plain(preview(ada, cases[1:2], access="external", users=world.people["hanna"]))


@pytest.mark.parametrize("more", [{"until": "2030-01-01"}, {"until": "", "endless": "y"}, {"until": ""}])
def test_a_last_day_before_the_choice_draws_the_effect_alone(world: World, browse: Browse, more: dict[str, str]) -> None:
    effect = preview(browse("ada"), numbers(world, "internal", "shared"), **more)
    assert effect.count('id="access-audience"') == 1
    assert 'id="access-form"' not in effect, "no drawer inside the drawer"
    assert "Choose above" in effect


def test_a_case_that_was_left_as_it_is_can_be_opened_from_the_result(world: World, browse: Browse) -> None:
    ada, cases = browse("ada"), numbers(world, "internal", "all")
    text = confirm(ada, "tlp", ask(ada, "tlp", cases), tlp="4").text
    assert "1 case was left as it is" in text
    for number in cases:
        assert f'<a href="/console/cases/{number}">#{number}' in text
    olga = browse("olga")
    page = ask(olga, "delete", cases[:1])
    deleted = confirm(olga, "delete", page, confirmation="1").text
    assert f'href="/console/cases/{cases[0]}"' not in deleted


def test_what_red_and_amber_strict_mean_is_said_in_the_order_it_is_asked(world: World, browse: Browse) -> None:
    page = ask(browse("ada"), "tlp", numbers(world, "internal", "shared", "all"))
    assert (
        page.index("External users can see 2 of these cases.") < page.index('name="reason"') < page.index("The reason is kept with each.")
    )
    assert "strict-ahead with-script" not in page, "without JavaScript nothing else says who sees them"
    assert '<span class="unless-red">Change 3 cases</span><span class="if-red">Change 2 of 3 cases</span>' in page


def world_outside(browser: Browser, cases: list[int]) -> int:
    """How many external people there are."""
    found = re.search(r"Today these are (\d+) people", ask(browser, "share", cases))
    assert found is not None
    return int(found[1])
