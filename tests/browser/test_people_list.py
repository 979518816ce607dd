"""An administrator finds people, changes several at once, and chooses among many for a case; with and without JavaScript."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.browser import people as do
from tests.fixtures.browser import OpenPage, axe, expect_status, settled
from tests.fixtures.server import LiveServer

pytestmark = pytest.mark.browser
WIDTHS = (360, 768, 1440)
INES = "ines.carvalhal@csirt.northwind.example"


def sample_password(server: LiveServer) -> str:
    return (server.instance / "sample-password").read_text().strip()


def names(page: Page) -> list[str]:
    return page.locator("#people tbody .c-person a").all_inner_texts()


def fits(page: Page) -> None:
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scripting", [True, False], ids=["with-javascript", "without-javascript"])
def test_ines_finds_people_and_locks_two_of_them(start_server: type[LiveServer], open_page: OpenPage, scripting: bool) -> None:
    server = start_server("demo")
    page = open_page(java_script_enabled=scripting)
    do.sign_in(page, server, "console", INES, sample_password(server))
    page.goto(f"{server.url}/console/people")
    everybody = names(page)
    wanted = page.locator("#people tbody tr", has=page.locator(".state.active")).filter(has_text="External").locator(".c-person a")
    first, second = wanted.all_inner_texts()[:2]
    search = page.get_by_role("searchbox")
    if scripting:
        search.press_sequentially(first.upper())
    else:
        search.fill(first.upper())
        page.get_by_role("button", name="Filter").click()
    expect(page.locator("#people tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile(f"q=.*{quote(first.upper().split()[-1])}"))  # the last of the letters has been asked for
    assert names(settled(page)) == [first]
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    search.blur()
    assert names(settled(page)) == [first]
    assert asked == []
    page.get_by_role("link", name="Clear all").click()
    expect(page.locator("#people tbody tr")).to_have_count(len(everybody))
    page.get_by_role("link", name="Name", exact=True).click()
    expect(page).to_have_url(re.compile("sort=-name"))
    page.goto(f"{server.url}/console/people?kind=external")
    expect(page.get_by_role("button", name="Lock", exact=True)).to_be_hidden()
    for name in (first, second):
        page.get_by_role("checkbox", name=name, exact=True).check()
    if scripting:
        axe(page)
        fits(page)
    page.get_by_role("button", name="Lock", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Lock 2 people?")
    if scripting:
        axe(page)
        fits(page)
    page.get_by_role("button", name="Lock 2 people").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("2 people locked")
    if scripting:
        axe(page)
        fits(page)
    page.get_by_role("link", name="Back to the list").click()
    page.goto(f"{server.url}/console/people?state=locked")
    assert {first, second} <= set(names(page))


def test_ines_gives_two_people_another_role(start_server: type[LiveServer], page: Page) -> None:
    server = start_server("demo")
    do.sign_in(page, server, "console", INES, sample_password(server))
    page.goto(f"{server.url}/console/people?kind=external&state=active")
    name = names(page)[0]
    page.get_by_role("checkbox", name=name, exact=True).check()
    page.get_by_role("button", name="Tick all").click()
    page.get_by_role("button", name="Tick none").click()
    expect(page.get_by_role("button", name="Set profile")).to_be_hidden()
    page.get_by_role("checkbox", name=name, exact=True).check()
    page.get_by_role("button", name="Set profile").click()
    axe(page)
    fits(page)
    expect_status(page, 422)
    page.get_by_role("button", name="Set profile").click()
    expect(page.get_by_text("Choose at least one role for the external users.")).to_be_visible()
    page.get_by_role("checkbox", name="External-Reader").check()
    page.get_by_role("button", name="Set profile").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("1 person changed")


@pytest.mark.parametrize("scripting", [True, False], ids=["with-javascript", "without-javascript"])
def test_ines_searches_the_picker_and_keeps_her_ticks(start_server: type[LiveServer], open_page: OpenPage, scripting: bool) -> None:
    server = start_server("demo")
    page = open_page(java_script_enabled=scripting)
    do.sign_in(page, server, "console", INES, sample_password(server))
    case = do.open_case(page, server, "Somebody asked for a password")
    page.goto(f"{server.url}/console/people?kind=external&state=active")
    first, second = names(page)[:2]
    if scripting:
        page.goto(case)
        page.get_by_role("link", name="Manage external access").first.click()
    else:
        page.goto(f"{case}/access")
    page.get_by_role("radio", name=re.compile("^Selected external users")).check()
    page.get_by_role("checkbox", name=re.compile(re.escape(first))).check()
    search = page.get_by_role("searchbox")
    if scripting:
        search.press_sequentially(second)
        search.press("Enter")
    else:
        search.fill(second)
        search.press("Enter")
    found = page.locator("#people-found li")
    expect(found).to_have_count(2)
    expect(found.first).to_contain_text(second)
    expect(page.get_by_role("checkbox", name=re.compile(re.escape(first)))).to_be_checked()
    if scripting:
        axe(page)
    page.get_by_role("checkbox", name=re.compile(re.escape(second))).check()
    page.locator("#access-confirm").click()
    if not scripting:  # the first click shows the effect
        expect(page.get_by_text("Nothing is changed yet.")).to_be_visible()
        page.locator("#access-confirm").click()
    expect(page.locator(".banner.external").first).to_contain_text("Shared with")
    for name in (first, second):
        expect(page.locator(".banner.external").first).to_contain_text(name)


def test_the_administrator_of_the_platform_sees_everybody(demo_server: LiveServer, page: Page) -> None:
    do.sign_in(page, demo_server, "console", "orsolya.keresztes@it.northwind.example", sample_password(demo_server))
    page.goto(f"{demo_server.url}/console/people")
    expect(page.get_by_role("columnheader", name="Organisations")).to_be_visible()
    axe(page)
    fits(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert re.fullmatch(r"people-\d{4}-\d\d-\d\d\.csv", download.value.suggested_filename)
