"""The head of a security team makes an external organisation, adds and invites its people, and writes down what was agreed."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.browser import people as do
from tests.fixtures.browser import OpenPage, axe, expect_status
from tests.fixtures.server import LiveServer, Start

pytestmark = pytest.mark.browser
SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["javascript", "no-javascript"])
INES = "ines.carvalhal@csirt.northwind.example"


def tab(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="External organisation", exact=True).get_by_role("link", name=name).click()


def typed(page: Page, text: str, *, scripts: bool) -> None:
    """Fill the box and see the addresses as chips: by themselves, or after asking for it."""
    page.get_by_label("E-mail addresses").fill(text)
    if not scripts:
        page.get_by_role("button", name="Check addresses").click()


@SCRIPTS
def test_ines_can_look_after_an_external_organisation(start_server: Start, open_page: OpenPage, scripts: bool) -> None:
    server = start_server("demo")
    page = open_page(java_script_enabled=scripts)
    expect_status(page, 422)
    do.sign_in(page, server, "console", INES, (server.instance / "sample-password").read_text().strip())
    page.get_by_role("navigation", name="Main").get_by_role("link", name="External organisations").click()
    page.get_by_role("link", name="New external organisation").click()
    page.get_by_label("Name", exact=True).fill("harbourline FREIGHT")
    page.get_by_label("Mail domains").fill("initech.example")
    page.get_by_role("button", name="Create external organisation").click()
    expect(page.locator("#name-error")).to_contain_text("already an external organisation called Harbourline Freight")
    page.get_by_label("Name", exact=True).fill("Initech")
    page.get_by_label("Name", exact=True).press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Add people to Initech")
    _add_people(page, scripts=scripts)
    _invite(page, server)
    _agree(page)


def _add_people(page: Page, *, scripts: bool) -> None:
    typed(page, "Peter Gibbons <Peter.Gibbons@initech.example>; milton@elsewhere.example", scripts=scripts)
    chips = page.locator("#chips")
    expect(chips).to_contain_text("2 addresses, 1 of which cannot be added")
    if scripts:
        page.get_by_role("button", name="Take out milton@elsewhere.example").click()
        expect(chips).to_contain_text("1 address.")
        axe(page)
    else:
        typed(page, "peter.gibbons@initech.example", scripts=scripts)
        expect(chips).to_contain_text("1 address.")
    page.get_by_role("checkbox", name=re.compile("External-Reader")).check()
    page.get_by_role("button", name="Add people").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("1 address is done")


def _invite(page: Page, server: LiveServer) -> None:
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("1 person invited")
    expect(page.get_by_text("Mail is not set up").last).to_be_visible()
    page.get_by_role("link", name="Back to the list").click()
    expect(page.get_by_role("row", name=re.compile("peter.gibbons"))).to_contain_text("Name not confirmed")
    page.get_by_role("checkbox", name="peter.gibbons").check()
    page.get_by_label("With the people you ticked").last.select_option("Make portal administrator")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Make portal administrator").click()
    page.get_by_role("link", name="Back to the list").click()
    expect(page.get_by_role("row", name=re.compile("peter.gibbons"))).to_contain_text("Portal administrator")
    assert server.url in page.url


def _agree(page: Page) -> None:
    tab(page, "Service agreements")
    page.get_by_role("link", name="New agreement").click()
    page.get_by_label("Number").fill("IN-1")
    page.get_by_label("Title").fill("Care for Initech")
    page.get_by_label("Status").select_option("Active")
    page.get_by_label("First response, critical severity").fill("1 hour")
    page.get_by_role("button", name="Create agreement").click()
    paper = FilePayload(name="IN-1 signed.pdf", mimeType="application/pdf", buffer=b"%PDF-1.4 signed")
    page.get_by_label("Add a document").set_input_files(paper)
    page.get_by_role("button", name="Upload").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="IN-1 signed.pdf").click()
    assert download.value.suggested_filename == "IN-1 signed.pdf"
    page.get_by_role("link", name="Initech: service agreements").click()
    tab(page, "Addresses")
    page.get_by_role("button", name="Add an address").click()
    page.get_by_label("Street and number").fill("4120 Freidrich Lane")
    page.get_by_label("Street and number").press("Enter")
    expect(page.get_by_text("The addresses are saved.")).to_be_visible()
    expect(page.get_by_label("Street and number")).to_have_value("4120 Freidrich Lane")
