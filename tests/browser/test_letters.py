"""Choosing which e-mails come, and stopping those about one case: on a phone and at a desk, with and without JavaScript."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import people as do
from tests.fixtures.browser import OpenPage, axe
from tests.fixtures.server import LiveServer, Start

pytestmark = pytest.mark.browser
SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["javascript", "no-javascript"])
TOBIAS, BEATRIZ = "tobias.rehnmark@csirt.northwind.example", "beatriz.quintanar@northwind.example"


def signed_in(page: Page, server: LiveServer, email: str, face: str) -> Page:
    do.sign_in(page, server, face, email, (server.instance / "sample-password").read_text().strip())
    return page


@SCRIPTS
def test_letters_can_be_chosen_and_stopped(start_server: Start, open_page: OpenPage, scripts: bool) -> None:
    server = start_server("demo")
    phone = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}
    beatriz = signed_in(open_page(java_script_enabled=scripts, **phone), server, BEATRIZ, "portal")
    beatriz.locator("main").get_by_role("link").filter(has_text=re.compile("#")).first.click()
    expect(beatriz.get_by_text("You get an e-mail when there is news on this case.")).to_be_visible()
    beatriz.get_by_role("button", name="No e-mails about this case").click()
    expect(beatriz.get_by_text("You get no more e-mails about this case.")).to_be_visible()
    expect(beatriz.get_by_role("button", name="E-mails again")).to_be_visible()
    case = beatriz.url.split("#")[0]
    beatriz.goto(f"{server.url}/portal/account")
    beatriz.get_by_role("link", name="E-mails about cases").click()
    if scripts:
        axe(beatriz)
    beatriz.get_by_label("There is a new file").uncheck()
    beatriz.get_by_role("button", name="Save").click()
    expect(beatriz.get_by_text("Your choice is saved.")).to_be_visible()
    expect(beatriz.get_by_label("There is a new file")).not_to_be_checked()
    beatriz.get_by_role("button", name="E-mails again").click()
    expect(beatriz.get_by_text("None. To stop the e-mails about a single case")).to_be_visible()

    tobias = signed_in(open_page(java_script_enabled=scripts), server, TOBIAS, "console")
    tobias.goto(case.replace("/portal/", "/console/"))
    tobias.locator("#case-more").click()
    tobias.get_by_role("link", name="E-mails about this case").click()
    if scripts:
        axe(tobias)
    tobias.get_by_role("button", name="No e-mails about this case").click()
    expect(tobias.get_by_text("You get no more e-mails about case")).to_be_visible()
    tobias.goto(f"{server.url}/console/account/letters")
    expect(tobias.get_by_role("button", name="E-mails again")).to_be_visible()
    if scripts:
        axe(tobias)
