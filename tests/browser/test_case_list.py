"""An analyst finds cases by words, filters and numbers, orders them and moves among them by keys; with and without JavaScript."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import people as do
from tests.browser.test_people_list import fits, sample_password
from tests.fixtures.browser import OpenPage, axe
from tests.fixtures.server import LiveServer

pytestmark = pytest.mark.browser
TOBIAS = "tobias.rehnmark@csirt.northwind.example"


def titles(page: Page) -> list[str]:
    return page.locator("#cases tbody .c-case > a").all_inner_texts()


@pytest.mark.parametrize("scripting", [True, False], ids=["with-javascript", "without-javascript"])
def test_tobias_finds_a_case_by_a_word_a_filter_and_its_number(demo_server: LiveServer, open_page: OpenPage, scripting: bool) -> None:
    page = open_page(java_script_enabled=scripting)
    do.sign_in(page, demo_server, "console", TOBIAS, sample_password(demo_server))
    page.goto(f"{demo_server.url}/console/cases")
    everything, search = titles(page), page.get_by_role("searchbox")
    if scripting:
        search.press_sequentially("mail*")
    else:
        search.fill("mail*")
        page.get_by_role("button", name="Filter").click()
    expect(page.locator(".snippet mark").first).to_be_visible()
    expect(page).to_have_url(re.compile(r"q=mail"))
    assert 0 < len(titles(page)) < len(everything)
    if scripting:
        axe(page)
    page.get_by_role("link", name="Clear all").click()
    expect(page.locator("#cases tbody tr")).to_have_count(len(everything))
    page.get_by_text("More filters").click()
    page.get_by_label("Status", exact=True).select_option(label="In progress")
    if not scripting:
        page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("link", name="Remove filter Status: In progress")).to_be_visible()
    assert 0 < len(titles(page)) < len(everything)
    if scripting:
        axe(page)
    fits(page)
    page.goto(f"{demo_server.url}/console/cases")
    page.get_by_role("link", name="Title", exact=True).click()
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Title")
    page.get_by_role("searchbox").fill("#3")
    page.get_by_role("searchbox").press("Enter")
    expect(page).to_have_url(re.compile(r"/console/cases/3$"))


def test_tobias_moves_and_ticks_by_keys_alone(demo_server: LiveServer, page: Page) -> None:
    do.sign_in(page, demo_server, "console", TOBIAS, sample_password(demo_server))
    page.goto(f"{demo_server.url}/console/cases")
    first, second, third = titles(page)[:3]
    for key in ("j", "j", "x", "j", "x", "k"):
        page.keyboard.press(key)
    expect(page.get_by_role("link", name=second, exact=True)).to_be_focused()
    assert page.locator("#cases tbody :checked").count() == 2
    expect(page.locator("#bulk")).to_be_visible()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("*?")
    expect(page.get_by_role("heading", name="This cannot be searched for")).to_be_visible()
    page.goto(f"{demo_server.url}/console/cases")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(first.split(" ", 1)[1])
    assert third
