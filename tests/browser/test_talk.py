"""Talking on a case: preview, an edit and its versions, a comment taken away, the bell and the history, with and without JavaScript."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import people as do
from tests.fixtures.browser import OpenPage, axe, settled
from tests.fixtures.server import LiveServer, Start

pytestmark = pytest.mark.browser
SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["javascript", "no-javascript"])
INES, ADAEZE = "ines.carvalhal@csirt.northwind.example", "adaeze.okwuosa@csirt.northwind.example"
BEATRIZ = "beatriz.quintanar@northwind.example"


def signed_in(page: Page, server: LiveServer, email: str, face: str = "console") -> Page:
    do.sign_in(page, server, face, email, (server.instance / "sample-password").read_text().strip())
    return page


def preview(page: Page, scripts: bool) -> None:
    """Look at what is written, in place or in a tab of its own; it stays where it was."""
    page.locator("textarea[name=message]").fill("A **strong** word")
    button = page.locator("form[data-composer]").get_by_role("button", name=re.compile("^Preview"))
    if scripts:
        button.click()
        expect(page.locator("#message-preview strong")).to_have_text("strong")
    else:
        with page.context.expect_page() as opened:
            button.click()
        expect(opened.value.locator(".preview strong")).to_have_text("strong")
        opened.value.close()
    expect(page.locator("textarea[name=message]")).to_have_value("A **strong** word")


@SCRIPTS
def test_a_reply_rings_and_words_can_be_changed_and_taken_away(start_server: Start, open_page: OpenPage, scripts: bool) -> None:
    server = start_server("demo")
    beatriz = signed_in(open_page(java_script_enabled=scripts), server, BEATRIZ, "portal")
    beatriz.locator("main").get_by_role("link").filter(has_text=re.compile("#")).first.click()
    beatriz.locator("textarea[name=message]").fill("Something I should not have sent.")
    beatriz.get_by_role("button", name="Send message").click()
    expect(beatriz.get_by_text("Something I should not have sent.")).to_be_visible()
    case = server.url + beatriz.url.split("#")[0].removeprefix(server.url).replace("/portal/", "/console/")

    ines = signed_in(open_page(java_script_enabled=scripts), server, INES)
    ines.goto(case)
    preview(ines, scripts)
    do.note(ines, "A strong word")
    mine = do.comment(ines, "A strong word")
    mine.locator("summary").click()
    mine.get_by_role("link", name="Edit").click()
    ines.locator("#edit-message").fill("A milder word")
    ines.get_by_role("button", name="Save comment").click()
    do.comment(ines, "A milder word").get_by_role("link", name="edited").click()
    expect(ines.get_by_role("heading", name="Versions of this comment")).to_be_visible()
    expect(ines.locator(".versions blockquote").last).to_have_text("A strong word")
    if scripts:
        axe(ines)
    ines.goto(case)

    theirs = do.comment(ines, "Something I should not have sent.")
    theirs.locator("summary").click()
    theirs.get_by_role("link", name="Delete").click()
    ines.get_by_role("button", name="Delete comment").click()
    expect(ines.get_by_text("A comment by Beatriz Quintanar was removed by Inês Carvalhal")).to_be_visible()
    beatriz.reload()
    expect(beatriz.get_by_text("was withdrawn by the security team")).to_be_visible()
    expect(beatriz.get_by_text("Something I should not have sent.")).to_have_count(0)
    if scripts:
        axe(ines)
        axe(beatriz)

    ines.get_by_role("link", name="History").click()
    ines.get_by_label("By whom").select_option("By external users")
    if not scripts:
        ines.get_by_role("button", name="Filter", exact=True).click()
    expect(ines.get_by_text("Inês Carvalhal deleted")).to_have_count(0)
    expect(ines.locator("#history")).to_contain_text("Beatriz Quintanar")
    ines.get_by_label("What").select_option("Comments")
    settled(ines)
    ines.get_by_label("By whom").select_option("By everybody")
    if not scripts:
        ines.get_by_role("button", name="Filter", exact=True).click()
    expect(ines.locator("#history")).to_contain_text("deleted somebody else's comment")
    if scripts:
        axe(ines)


@SCRIPTS
def test_the_bell_leads_to_what_waits(start_server: Start, open_page: OpenPage, scripts: bool) -> None:
    server = start_server("demo")
    adaeze = signed_in(open_page(java_script_enabled=scripts), server, ADAEZE)
    bell = adaeze.locator("#bell")
    expect(bell.locator(".bell-count")).to_be_visible()
    count = int(bell.locator(".bell-count").inner_text())
    bell.click()
    expect(adaeze.get_by_role("heading", level=1)).to_have_text("Notices")
    expect(adaeze.locator(".notices .unread")).to_have_count(count)
    if scripts:
        axe(adaeze)
    adaeze.locator(".notices .unread").first.get_by_role("link").click()
    expect(adaeze.locator(".case-head")).to_be_visible()
    if count > 1:
        expect(bell.locator(".bell-count")).to_have_text(str(count - 1))
        bell.click()
        adaeze.get_by_role("button", name="Mark all as read").click()
    else:
        bell.click()
    expect(bell.locator(".bell-count")).to_have_count(0)
    expect(adaeze.locator(".notices .unread")).to_have_count(0)
