"""The portal on a phone: finding one's case, seeing what is new, reading where it stands; with and without JavaScript."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import people as do
from tests.fixtures.browser import OpenPage, axe, settled
from tests.fixtures.server import LiveServer, Start

pytestmark = pytest.mark.browser
SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["javascript", "no-javascript"])
PHONE = {"width": 360, "height": 740}
BEATRIZ = "beatriz.quintanar@northwind.example"


def at_home(page: Page, server: LiveServer) -> Page:
    """Beatriz, signed in."""
    do.sign_in(page, server, "portal", BEATRIZ, (server.instance / "sample-password").read_text().strip())
    expect(page.get_by_text("Hello Beatriz")).to_be_visible()
    return page


def find(page: Page, words: str, scripts: bool) -> None:
    """Search; while somebody types where there is JavaScript, else with the button."""
    page.get_by_role("searchbox").fill(words)
    if not scripts:
        page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("link", name=re.compile(f"Search: {re.escape(words)}"))).to_be_visible()


@SCRIPTS
def test_beatriz_finds_her_case_on_a_phone_and_reads_it(start_server: Start, open_page: OpenPage, scripts: bool) -> None:
    page = at_home(open_page(java_script_enabled=scripts, viewport=PHONE), start_server("demo"))
    cases = page.locator(".case-link")
    settled(page)
    there = cases.count()
    assert there > 1
    find(page, "zebra", scripts)
    expect(page.get_by_text("None of your cases fits")).to_be_visible()
    find(page, "train*", scripts)
    expect(cases).to_have_count(1)
    page.get_by_role("link", name="Clear all").click()
    expect(cases).to_have_count(there)
    expect(page.locator("tr.unread")).to_have_count(there)

    page.get_by_role("link", name="Filter").click()
    page.get_by_role("combobox", name="Status").select_option("Closed")
    page.get_by_role("button", name="Show cases").click()
    expect(page).to_have_url(re.compile(r"status=Closed"))
    expect(page.get_by_role("link", name="Remove Status: Closed")).to_be_visible()
    cases.first.click()
    expect(page.locator("[aria-current=step]")).to_contain_text("Closed")
    page.get_by_text("What has happened to the status so far").click()
    expect(page.locator(".stages li").last).to_contain_text("Closed")
    expect(page.get_by_role("button", name="Print")).to_be_visible(visible=scripts)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

    page.get_by_role("link", name="Your cases").first.click()
    expect(page.locator("tr.unread")).to_have_count(there - 1)


def test_a_number_and_a_tag_lead_where_they_say(demo_server: LiveServer, page: Page) -> None:
    at_home(page, demo_server)
    number = page.locator(".case-link .number").first.inner_text()
    page.get_by_role("searchbox").fill(number)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(number)
    page.get_by_role("link", name="Your cases").first.click()
    expect(page.get_by_role("heading", level=1, name="Your cases")).to_be_visible()
    tag = page.locator(".tags a").first.inner_text()
    page.locator(".tags a").first.click()
    expect(page.get_by_role("link", name=f"Remove Tag: {tag}")).to_be_visible()


def test_home_filter_and_case_are_free_of_barriers(demo_server: LiveServer, page: Page) -> None:
    at_home(page, demo_server)
    axe(page)
    page.get_by_role("link", name="Filter").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    axe(page)
    page.goto(f"{demo_server.url}/portal/cases/filter?status=open")
    axe(page)
    page.goto(f"{demo_server.url}/portal/?q=zebra&status=open")
    axe(page)
    page.goto(f"{demo_server.url}/portal/?sort=severity")
    page.locator(".case-link").first.click()
    expect(page.locator("details.explain > summary").first).to_be_visible()
    for summary in page.locator("details.explain > summary").all():
        summary.click()
    axe(page)


def test_a_case_prints_as_a_document(demo_server: LiveServer, page: Page) -> None:
    at_home(page, demo_server)
    page.locator(".case-link").first.click()
    expect(page).to_have_url(re.compile(r"/cases/\d+"))
    page.emulate_media(media="print")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator(".print-only")).to_have_text(page.url)
    for gone in (".topbar", ".composer", ".case-tools", ".jump", ".foot", ".words"):
        expect(page.locator(gone).first).to_be_hidden()
