"""An analyst works on many cases at once and on one fact at a time; with and without JavaScript, by keyboard too."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import people as do
from tests.browser.test_people_list import INES, fits, sample_password
from tests.fixtures.browser import OpenPage, axe, expect_status, settled
from tests.fixtures.server import LiveServer

pytestmark = pytest.mark.browser
BOTH = pytest.mark.parametrize("scripting", [True, False], ids=["with-javascript", "without-javascript"])


def begin(server: LiveServer, open_page: OpenPage, *, scripting: bool) -> Page:
    """Inês at her list."""
    page = open_page(java_script_enabled=scripting)
    do.sign_in(page, server, "console", INES, sample_password(server))
    page.goto(f"{server.url}/console/cases")
    return page


def tick(page: Page, *numbers: int) -> None:
    for number in numbers:
        page.get_by_role("checkbox", name=f"Case {number}", exact=True).check()


@BOTH
def test_ines_changes_many_cases_at_once(start_server: type[LiveServer], open_page: OpenPage, scripting: bool) -> None:
    page = begin(start_server("demo"), open_page, scripting=scripting)
    bar = page.get_by_role("form", name="With the cases you ticked")
    expect(bar).to_be_hidden()
    tick(page, 14, 16)
    bar.get_by_role("button", name="Tags", exact=True).click()
    expect(page.get_by_role("heading", name="Change the tags of 2 cases")).to_be_visible()
    if scripting:
        axe(page)
    page.get_by_label("Add tags").fill("night-shift")
    page.get_by_role("button", name="Change 2 cases").click()
    expect(page.get_by_role("heading", name="2 cases were changed")).to_be_visible()
    if scripting:
        axe(page)
        expect(page.locator("tr", has_text="night-shift")).to_have_count(2)  # the list beneath is drawn anew
    page.get_by_role("link", name="Back to the list").click()
    expect(page.locator("#drawer dialog")).to_have_count(0)
    expect(page.locator("#cases tr:has(a[href$='/cases/14'])")).to_contain_text("night-shift")
    fits(page)


@BOTH
def test_ines_shares_many_cases_and_takes_them_back(start_server: type[LiveServer], open_page: OpenPage, scripting: bool) -> None:
    page = begin(start_server("demo"), open_page, scripting=scripting)
    for choice, button in (("All external users", r"^Share (up to )?\d case"), ("Internal", r"^Make \d cases? internal")):
        tick(page, 14, 16)
        page.get_by_role("button", name="Manage external access").click()
        expect(page.get_by_role("heading", name="External access to 2 cases")).to_be_visible()
        page.get_by_role("radio", name=re.compile(f"^{choice}")).check()
        if not scripting:
            page.get_by_role("button", name="Show the effect").click()
            expect(page.get_by_text("Nothing is changed yet.")).to_be_visible()
        expect(page.get_by_role("button", name=re.compile(button))).to_be_enabled()
        settled(page)
        again = page.get_by_label("Show this to external users again; otherwise these cases are left out")
        if again.count():
            again.check()
        reason = page.get_by_label("Why may they receive it?")
        if reason.is_visible():
            reason.fill("They run the doors of that building.")
        if scripting:
            expect(page.get_by_text("Left out:")).to_have_count(0)
            axe(page)
        page.get_by_role("button", name=re.compile(button)).click()
        expect(page.get_by_role("heading", name=re.compile("were changed"))).to_be_visible()
        page.get_by_role("link", name="Back to the list").click()
        expect(page.locator("#drawer dialog")).to_have_count(0)
    expect(page.locator("#case-14-badge .badge")).to_have_count(0)


@BOTH
def test_ines_edits_one_fact_where_it_stands(start_server: type[LiveServer], open_page: OpenPage, scripting: bool) -> None:
    server = start_server("demo")
    page = begin(server, open_page, scripting=scripting)
    page.goto(f"{server.url}/console/cases/14")
    page.get_by_role("link", name="Edit severity").click()
    page.get_by_role("combobox", name="Severity", exact=True).select_option("Critical")
    if scripting:
        axe(page)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#fact-severity")).to_contain_text("Critical")
    if scripting:
        expect(page.get_by_role("link", name="Edit severity")).to_be_focused()
    page.get_by_role("link", name="Edit title").click()
    page.get_by_role("textbox", name="Title").fill("A badge abroad")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("#14 A badge abroad"))
    page.get_by_role("link", name="Edit status").click()
    page.get_by_role("combobox", name="Status", exact=True).select_option("In progress")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".case-state")).to_contain_text("In progress")
    expect(page.locator("#case-dates")).to_contain_text("Started")
    fits(page)


@pytest.mark.long
def test_escape_leaves_a_fact_as_it_was_and_the_focus_returns(demo_server: LiveServer, open_page: OpenPage) -> None:
    page = begin(demo_server, open_page, scripting=True)
    page.goto(f"{demo_server.url}/console/cases/14")
    pencil = page.get_by_role("link", name="Edit severity")
    fact = page.locator("#fact-severity")
    before = fact.inner_text()
    pencil.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("combobox", name="Severity")).to_be_focused()  # the pencil, too, is labelled with the word
    page.keyboard.press("Escape")
    expect(pencil).to_be_focused()
    expect(fact).to_have_text(before, use_inner_text=True)


def test_tags_are_suggested_while_typing(demo_server: LiveServer, open_page: OpenPage) -> None:
    page = begin(demo_server, open_page, scripting=True)
    page.goto(f"{demo_server.url}/console/cases/14")
    page.get_by_role("link", name="Edit tags").click()
    field = page.get_by_label("Tags", exact=True)
    expect(field).to_be_focused()
    field.fill("badge, ")
    field.press_sequentially("phi")
    expect(page.locator("#new-tags-suggested option[value='badge, phishing']")).to_have_count(1)


@BOTH
def test_the_star_puts_a_case_first(start_server: type[LiveServer], open_page: OpenPage, scripting: bool) -> None:
    page = begin(start_server("demo"), open_page, scripting=scripting)
    last = page.locator("[data-row] .number").last.inner_text().removeprefix("#")
    page.get_by_role("button", name=f"Flag case {last}", exact=True).click()
    expect(page.locator(f"#star-{last}")).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(page.locator("[data-row] .number").first).to_have_text(f"#{last}")


@pytest.mark.long
def test_the_bar_counts_and_the_buttons_stay_in_sight(start_server: type[LiveServer], open_page: OpenPage) -> None:
    page = begin(start_server("demo"), open_page, scripting=True)
    tick(page, 5, 8, 9)
    expect(page.locator(".bulk-count")).to_have_text("3 cases")
    page.keyboard.press("b")
    expect(page.get_by_role("button", name="Manage external access")).to_be_focused()
    page.keyboard.press("Enter")
    confirm = page.locator("#access-confirm")
    for width, height in ((1440, 800), (1280, 720), (360, 740)):
        page.set_viewport_size({"width": width, "height": height})
        expect(confirm).to_be_in_viewport(ratio=1)
    page.get_by_role("radio", name=re.compile("^Selected external users")).check()
    page.locator("#person-8").check()
    expect(confirm).to_have_text(re.compile(r"^Share \d cases?, take access away in \d$"))
    expect(confirm).to_be_in_viewport(ratio=1)
    expect(page.locator(".audience-short")).to_have_text(re.compile(r"^\d cases?, \+\d, −\d people$"))
    for crew in ("Harbourline Freight", "Kestrel & Vane Architects"):
        page.get_by_role("list", name="External organisations").get_by_label(crew).check()
    expect(page.locator(".audience-heed").first).to_contain_text("People of several organisations read the same case")
    for heed in page.locator(".audience-heed").all():
        expect(heed).to_be_in_viewport(ratio=1)
    page.goto(page.url.split("/console")[0] + "/console/cases")
    star = page.locator(".star[aria-pressed=false]").first
    star.click()
    pressed = page.locator(".star[aria-pressed=true] .icon").first
    assert pressed.evaluate("icon => getComputedStyle(icon).fill") != "none"


@BOTH
def test_ines_is_asked_why_when_she_raises_shared_cases_to_amber_strict(
    start_server: type[LiveServer], open_page: OpenPage, scripting: bool
) -> None:
    page = begin(start_server("demo"), open_page, scripting=scripting)
    tick(page, 13, 14)
    page.get_by_role("form", name="With the cases you ticked").get_by_role("button", name="TLP", exact=True).click()
    expect(page.get_by_role("heading", name="Set the TLP of 2 cases")).to_be_visible()
    part = page.locator("form[action$='/bulk/tlp'][method=post]")
    reason = part.get_by_label("Why may external users receive it?")
    expect(reason).to_be_visible(visible=not scripting)  # without JavaScript it is there from the start
    part.get_by_label("TLP", exact=True).select_option(label="AMBER+STRICT")
    expect(reason).to_be_visible()
    expect_status(page, 422)
    page.get_by_role("button", name="Change 2 cases").click()
    expect(page.locator(".field.wrong", has_text="Write in at least 10 characters")).to_be_visible()
    if scripting:
        axe(page)
    reason.fill("All partners are hit by it.")
    page.get_by_role("button", name="Change 2 cases").click()
    expect(page.get_by_role("heading", name="2 cases were changed")).to_be_visible()
    page.goto(page.url.partition("/cases")[0] + "/cases/13/history")
    expect(page.get_by_text("All partners are hit by it.")).to_be_visible()


@pytest.mark.long
def test_the_reason_for_amber_strict_stands_beside_the_choice_in_a_box_for_a_sentence(
    start_server: type[LiveServer], open_page: OpenPage
) -> None:
    server = start_server("demo")
    page = begin(server, open_page, scripting=True)
    page.goto(f"{server.url}/console/cases/14")
    page.get_by_role("link", name="Edit TLP").click()
    ahead, reason = page.get_by_text("AMBER+STRICT asks why they may receive it."), page.get_by_label("Why may external users receive it?")
    expect(ahead).to_be_visible()
    expect(reason).to_be_hidden()
    page.get_by_role("combobox", name="TLP", exact=True).select_option("AMBER+STRICT")
    expect(reason).to_be_visible()
    expect(ahead).to_be_hidden()
    box = reason.bounding_box()
    assert box is not None
    assert box["width"] > 280
    axe(page)
    fits(page)
    reason.fill("They run the systems that were hit.")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#fact-tlp")).to_contain_text("AMBER+STRICT")
    expect(page.locator("#toasts")).to_contain_text("TLP saved.")
    expect(page.get_by_text("still shared")).to_have_count(0)


@pytest.mark.long
def test_without_javascript_the_reason_is_always_there(demo_server: LiveServer, open_page: OpenPage) -> None:
    page = begin(demo_server, open_page, scripting=False)
    page.goto(f"{demo_server.url}/console/cases/14/facts/tlp")
    expect(page.get_by_label("Why may external users receive it?")).to_be_visible()
    expect(page.get_by_text("Needed for AMBER+STRICT")).to_be_visible()


@BOTH
def test_the_result_of_a_bulk_act_is_loaded_again(start_server: type[LiveServer], open_page: OpenPage, scripting: bool) -> None:
    page = begin(start_server("demo"), open_page, scripting=scripting)
    tick(page, 14, 16)
    page.locator("#bulk").get_by_role("button", name="Severity", exact=True).click()
    page.get_by_role("button", name="Change 2 cases").click()
    heading = page.get_by_role("heading", name="2 cases were changed")
    expect(heading).to_be_visible()
    if scripting:
        page.get_by_role("link", name="Open as a page").click()
        expect(page.get_by_role("heading", level=1, name="2 cases were changed")).to_be_visible()
    for _ in range(2):
        page.reload()
        expect(heading).to_be_visible()
    fits(page)


@pytest.mark.long
@BOTH
def test_the_magnifier_of_view_as_stands_in_its_box(demo_server: LiveServer, open_page: OpenPage, scripting: bool) -> None:
    page = begin(demo_server, open_page, scripting=scripting)
    page.goto(f"{demo_server.url}/console/cases/14/view-as")
    icon, box = (page.locator(f".look-search > {which}").bounding_box() for which in (".icon", "input"))
    assert icon is not None
    assert box is not None
    assert abs(icon["y"] + icon["height"] / 2 - box["y"] - box["height"] / 2) < 3
