"""Custom fields and statuses from their making to a closed case, with and without JavaScript."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import people as do
from tests.fixtures.browser import OpenPage, axe, expect_status
from tests.fixtures.server import LiveServer, Start

pytestmark = pytest.mark.browser
SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["javascript", "no-javascript"])
ORSOLYA, INES = "orsolya.keresztes@it.northwind.example", "ines.carvalhal@csirt.northwind.example"
MARIT, CASE = "marit.solbakken@harbourline.example", "Ransomware on Harbourline"


def signed_in(page: Page, server: LiveServer, email: str, face: str = "console") -> Page:
    do.sign_in(page, server, face, email, (server.instance / "sample-password").read_text().strip())
    return page


@SCRIPTS
def test_a_field_and_a_status_reach_the_case_and_only_the_field_the_portal(start_server: Start, open_page: OpenPage, scripts: bool) -> None:
    server = start_server("demo")
    admin, ines, marit = (open_page(java_script_enabled=scripts) for _ in range(3))
    for page in (admin, ines, marit):
        expect_status(page, 422)
    signed_in(admin, server, ORSOLYA)
    make_field(admin)
    make_status(admin)

    signed_in(ines, server, INES)
    ines.get_by_role("link", name=re.compile(CASE)).first.click()
    expect(ines).to_have_url(re.compile(r"/cases/\d+$"))
    where = ines.url
    ines.get_by_role("link", name="Close case").click()
    expect(ines.get_by_text("Before the case can be closed, fill in: Watchdog.")).to_be_visible()
    with ines.context.expect_page() as opened:
        ines.get_by_role("link", name="Fill in the fields").click()
    expect(opened.value.get_by_role("heading", level=1)).to_have_text("Edit fields")
    fill_in(opened.value, scripts)

    signed_in(marit, server, MARIT, "portal")
    marit.goto(where.replace("/console/", "/portal/"))
    expect(marit.get_by_text("Affected systems")).to_be_visible()
    expect(marit.get_by_text("Watchdog")).to_have_count(0)
    show_outside(admin, server)
    marit.reload()
    expect(marit.get_by_text("Watchdog")).to_be_visible()
    expect(marit.get_by_text("National authority")).to_be_visible()
    close(ines, where)
    marit.reload()
    expect(marit.get_by_text("Handed to the police")).to_have_count(0)


def make_field(page: Page) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Custom fields").click()
    page.get_by_role("link", name="New field").click()
    page.get_by_label("Technical name").fill("Watchdog")
    page.get_by_label("Label").fill("Watchdog")
    page.get_by_label("Group", exact=False).fill("Duties")
    page.get_by_label("Mandatory").check()
    page.get_by_role("button", name="Create field").click()
    expect(page.locator("#name-error")).to_contain_text("a to z")
    page.get_by_label("Technical name").fill("watchdog")
    page.get_by_role("button", name="Create field").click()
    expect(page.get_by_text("The field Watchdog is created.")).to_be_visible()


def make_status(page: Page) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Settings").click()
    page.get_by_role("link", name="Case statuses").click()
    page.get_by_role("link", name="New status").click()
    page.get_by_label("Value").fill("HandedOver")
    page.get_by_role("radio", name=re.compile("^Closed")).check()
    page.get_by_label("Label").fill("Handed to the police")
    page.get_by_label("Colour").fill("#7c3aed")
    page.get_by_role("button", name="Create status").click()
    expect(page.get_by_text("The status Handed to the police is created.")).to_be_visible()
    page.get_by_role("link", name="Predefined").or_(page.get_by_role("link", name="New", exact=True)).first.click()
    page.get_by_label("Hidden").check()
    page.get_by_role("button", name="Save status").click()
    expect(page.locator("#hidden-error")).to_contain_text("only status of its stage")


def fill_in(page: Page, scripts: bool) -> None:
    """On the page of all fields: a mistake, then two values for one of them."""
    page.get_by_label("Advisory").fill("ftp://example.org")
    page.get_by_role("button", name="Several values for Watchdog").click()
    box = page.get_by_role("textbox", name="Watchdog")
    expect(box).to_have_js_property("tagName", "TEXTAREA") if scripts else expect(box).to_be_visible()
    box.fill("National authority\nState authority")
    page.get_by_role("button", name="Save fields", exact=True).last.click()
    expect(page.get_by_text("write a web address").first).to_be_visible()
    page.get_by_label("Advisory").fill("https://example.org/read")
    page.get_by_role("button", name="Save fields", exact=True).last.click()
    expect(page.get_by_text("State authority")).to_be_visible()
    page.locator("[id^=edit-fields]").first.click()
    if scripts:
        expect(page.get_by_role("dialog").get_by_label("Business unit")).to_be_visible()
        page.get_by_role("dialog").get_by_label("Business unit").select_option("Finance")
        page.get_by_role("dialog").get_by_role("button", name="Save fields", exact=True).last.click()
    else:
        page.get_by_label("Business unit").select_option("Finance")
        page.get_by_role("button", name="Save fields", exact=True).last.click()
    expect(page.get_by_text("Saved: Business unit.")).to_be_visible()


def show_outside(page: Page, server: LiveServer) -> None:
    page.goto(f"{server.url}/console/custom-fields")
    page.get_by_role("link", name="Watchdog").click()
    page.get_by_label("Show in the portal").check()
    page.get_by_role("button", name="Save field").click()
    expect(page.get_by_text("It will appear in 1 shared case at once")).to_be_visible()
    page.get_by_role("button", name="Save and show in the portal").click()
    expect(page.get_by_text("The field Watchdog is saved.")).to_be_visible()


def close(page: Page, where: str) -> None:
    page.goto(f"{where}/close")
    page.get_by_role("radio", name="Handed to the police").check()
    page.get_by_label("Summary").fill("They take it from here.")
    page.get_by_role("button", name="Close case").click()
    expect(page.get_by_text("Handed to the police").first).to_be_visible()


@pytest.mark.long
def test_axe_finds_nothing_on_the_new_pages(demo_server: LiveServer, open_page: OpenPage) -> None:
    admin, ines = (open_page(viewport={"width": 360, "height": 800}) for _ in range(2))
    signed_in(admin, demo_server, ORSOLYA)
    for path in ("statuses", "statuses/new", "statuses/8", "statuses/8/delete", "custom-fields", "custom-fields/new", "custom-fields/3"):
        admin.goto(f"{demo_server.url}/console/{path}")
        axe(admin)
    signed_in(ines, demo_server, INES)
    ines.get_by_role("link", name=re.compile(CASE)).first.click()
    expect(ines).to_have_url(re.compile(r"/cases/\d+$"))
    where = ines.url
    for path in ("", "/fields", "/fields?group=Reach"):
        ines.goto(where + path)
        axe(ines)
    ines.goto(where)
    ines.locator("[id^=edit-fields]").first.focus()
    ines.keyboard.press("Enter")
    expect(ines.get_by_role("dialog").get_by_role("heading", name="Edit Business")).to_be_visible()
    axe(ines)
