"""Adding people and looking after their accounts in a browser, with and without scripts."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import people as do
from tests.fixtures.browser import OpenPage, axe, expect_status
from tests.fixtures.server import LiveServer, Start

pytestmark = pytest.mark.browser
OLGA, ADMIN = "ines.carvalhal@csirt.northwind.example", "orsolya.keresztes@it.northwind.example"
SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["javascript", "no-javascript"])
WIDTHS = (320, 768, 1440)


def enter(page: Page, server: LiveServer, who: str) -> None:
    """Sign in as somebody of the sample world."""
    do.sign_in(page, server, "console", who, (server.instance / "sample-password").read_text().strip())


def look(page: Page, scripts: bool) -> None:
    """Nothing sticks out at any width, and axe, which needs scripts, finds nothing."""
    if scripts:
        axe(page)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{page.url} is {wide} px wide on a screen of {width}"


def press(page: Page, name: str, said: str) -> None:
    """Press a button and read what it did."""
    page.get_by_role("button", name=name, exact=True).click()
    expect(page.get_by_text(said).first).to_be_visible()
    page.get_by_role("button", name="Dismiss").evaluate_all("buttons => buttons.forEach(button => button.click())")


@SCRIPTS
def test_an_administrator_can_look_after_a_guest(start_server: Start, open_page: OpenPage, scripts: bool) -> None:
    server = start_server("demo")
    page = open_page(java_script_enabled=scripts)
    expect_status(page, 422)
    enter(page, server, OLGA)
    name, address = "Iris Weber", "iris@client.example"
    do.invite(page, server, name, address, "External-Reader")
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    look(page, scripts)

    page.get_by_role("link", name="Make a link to copy").click()
    page.get_by_role("button", name="Make link").click()
    link = page.get_by_label("Invitation link").input_value()
    assert "/invitation/" in link
    expect(page.get_by_role("button", name="Copy")).to_be_visible(visible=scripts)
    look(page, scripts)
    page.get_by_role("link", name="Done").click()
    press(page, "Withdraw invitation", "Its link no longer works.")
    press(page, "Send invitation", "A new invitation")

    page.get_by_role("link", name="Change").click()
    page.get_by_label("External-Actor").check()
    page.get_by_label("Works for").fill("Client Ltd")
    look(page, scripts)
    page.get_by_role("button", name="Save").click()
    page.get_by_label("It is a new external organisation").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("works for Client Ltd")).to_be_visible()

    page.get_by_role("link", name="Edit").click()
    page.get_by_role("textbox", name="Name").fill(f"{name} Junior")
    look(page, scripts)
    press(page, "Save", f"{name} Junior is saved.")
    press(page, "Lock account", "is locked and signed out everywhere.")
    press(page, "Unlock account", "is active again.")

    page.get_by_role("link", name="Delete account").click()
    page.get_by_label("Type the name or the e-mail address").fill("somebody")
    press(page, "Delete account", "exactly as it is written here")
    look(page, scripts)
    page.get_by_label("Type the name or the e-mail address").fill(address)
    press(page, "Delete account", "The address can be used again.")
    expect(page).to_have_url(re.compile(r"/console/people$"))


@SCRIPTS
def test_an_administrator_can_add_a_program_to_two_organisations(start_server: Start, open_page: OpenPage, scripts: bool) -> None:
    server = start_server("demo")
    page = open_page(java_script_enabled=scripts)
    expect_status(page, 422)
    enter(page, server, ADMIN)
    page.goto(f"{server.url}/console/people/new")
    page.get_by_label("Program: uses the API only").check()
    page.get_by_label("Name", exact=True).fill("Robot")
    page.get_by_label("E-mail address").fill("robot@client.example")
    page.get_by_role("button", name="Add another organisation").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Robot")
    rows = page.locator("fieldset.seat")
    expect(rows).to_have_count(2)
    for row, (place, profile) in enumerate((("Northwind CSIRT", "Analyst"), ("admin", "Admin (admin organisation)"))):
        rows.nth(row).get_by_label("Organisation", exact=True).select_option(label=place)
        rows.nth(row).get_by_label("Profile").select_option(label=profile)
    rows.nth(0).get_by_label("Begins here").check()
    look(page, scripts)
    page.get_by_role("button", name="Add person", exact=True).click()
    expect(page.get_by_text("Make its API key below.")).to_be_visible()
    look(page, scripts)
    page.get_by_role("link", name="Make a key").click()
    page.get_by_role("button", name="Make key").click()
    assert page.get_by_label("API key").input_value().startswith("pk_")
    look(page, scripts)
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_text("Begins with")).to_be_visible()
    page.get_by_role("link", name="Revoke key").click()
    press(page, "Revoke key", "no longer works.")
    page.get_by_role("link", name="Remove from admin").click()
    press(page, "Remove from admin", "no longer works in admin.")
    look(page, scripts)
