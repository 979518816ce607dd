"""Sharing until a day, with a reason, looking through a guest's eyes, and who has seen it: with and without JavaScript."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from portal.clock import now
from tests.browser import people as do
from tests.browser.test_journeys import open_drawer
from tests.fixtures.begun import Begin
from tests.fixtures.browser import OpenPage, axe, settled
from tests.fixtures.post import PostOffice

pytestmark = pytest.mark.browser
SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["javascript", "no-javascript"])


def looks_right(page: Page, scripts: bool) -> None:
    """The checker is a script itself."""
    if scripts:
        axe(page)


def confirm(page: Page) -> None:
    """Without JavaScript the first click shows the effect, the second one does it."""
    page.locator("#access-confirm").click()
    if settled(page).locator("#access-form textarea[name=reason]").count():
        page.locator("#access-form textarea[name=reason]").fill("They run the server that was hit.")
        page.locator("#access-confirm").click()
    if settled(page).get_by_text("Nothing is changed yet.").count():
        page.locator("#access-confirm").click()
    expect(page.locator("#case-1-banner")).to_contain_text("Ends by itself")


@SCRIPTS
def test_olga_shares_until_a_day_looks_as_hanna_and_sees_who_read_it(
    begin: Begin, smtp_server: PostOffice, open_page: OpenPage, scripts: bool
) -> None:
    olga, hanna = open_page(java_script_enabled=scripts), open_page(java_script_enabled=scripts)
    server = begin(olga, **smtp_server.environ)
    do.invite(olga, server, "Hanna Weiss", "hanna@client.example")
    do.accept(hanna, do.link_in(do.letter_to(smtp_server, "hanna@client.example")))
    address = do.open_case(olga, server, "Odd mail to payroll")

    day = (now() + timedelta(days=20)).date()
    open_drawer(olga)
    olga.get_by_label("Selected external users").check()
    olga.get_by_label("Hanna Weiss").check()
    olga.get_by_label("Last day").fill(day.isoformat())
    if scripts:
        olga.get_by_label("Last day").blur()
        expect(olga.locator("#access-audience")).to_contain_text("Ends by itself")
        axe(olga)
    confirm(olga)

    look_as(olga, "Hanna Weiss")
    expect(olga.get_by_role("complementary", name="View as")).to_contain_text("Hanna Weiss")
    expect(olga.locator("h1")).to_contain_text("Odd mail to payroll")
    looks_right(olga, scripts)
    expect(olga.locator("main textarea").first).to_be_disabled()
    expect(olga.get_by_text("hanna@client.example")).to_have_count(0)
    olga.get_by_role("button", name="Exit").click()
    expect(olga).to_have_url(re.compile(r"/console/cases/1$"))

    olga.get_by_role("link", name="Seen", exact=True).click()
    expect(olga.get_by_text("Nobody outside has opened this case")).to_be_visible()
    expect(olga.locator(".never")).to_contain_text("Hanna Weiss")
    hanna.goto(address.replace("/console/", "/portal/"))
    olga.reload()
    expect(olga.get_by_role("row", name=re.compile("Hanna Weiss"))).to_be_visible()
    looks_right(olga, scripts)
    olga.get_by_role("link", name="Timeline").click()
    expect(olga.locator(".events")).to_contain_text("looked at the case as an external user")
    looks_right(olga, scripts)


def look_as(page: Page, name: str) -> None:
    page.get_by_role("link", name="View as…").click()
    expect(page.get_by_role("searchbox", name=re.compile("Find any external user"))).to_be_visible()
    page.get_by_role("button", name=re.compile(name)).click()
    page.wait_for_url("**/portal/**")
