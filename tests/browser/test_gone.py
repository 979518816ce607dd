"""A case is taken away while somebody writes on its page: nothing of it stays there or behind the back button, what they typed does."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import people as do
from tests.fixtures.browser import OpenPage, axe, expect_status
from tests.fixtures.server import LiveServer, Start

pytestmark = pytest.mark.browser
BEATRIZ, INES = "beatriz.quintanar@northwind.example", "ines.carvalhal@csirt.northwind.example"
TITLE = "Recruiter's laptop"


def at_case(page: Page, server: LiveServer) -> str:
    """Beatriz on the page of the case; its number."""
    do.sign_in(page, server, "portal", BEATRIZ, (server.instance / "sample-password").read_text().strip())
    page.get_by_role("link", name=re.compile(TITLE)).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(TITLE)
    return page.url.rsplit("/", 1)[1]


def revoke(page: Page, server: LiveServer, number: str) -> None:
    """Inês makes it internal."""
    do.sign_in(page, server, "console", INES, (server.instance / "sample-password").read_text().strip())
    page.goto(f"{server.url}/console/cases/{number}/access")
    page.locator("input[name=access][value=internal]").check(force=True)
    page.get_by_role("button", name=re.compile("Revoke")).last.click()
    expect(page.get_by_text("Nobody outside can see this case any more.")).to_be_visible()


def nothing_left(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("This case is not available")
    expect(page).to_have_title("This case is not available")
    assert TITLE not in page.content()
    expect(page.locator("dialog")).to_have_count(0)


def test_nothing_of_the_case_is_left_and_what_was_typed_is_kept(start_server: Start, open_page: OpenPage) -> None:
    server = start_server("demo")
    phone: dict[str, Any] = {"viewport": {"width": 360, "height": 740}}
    writing, editing, uploading, plain = open_page(**phone), open_page(**phone), open_page(), open_page(java_script_enabled=False)
    number = ""
    for page in (writing, editing, uploading, plain):
        expect_status(page, 404)
        number = at_case(page, server)
    writing.get_by_label("Suspicious addresses, numbers or names").fill("half a line")
    writing.get_by_role("textbox", name="Message").fill("I was writing this.")
    editing.locator(".comment.mine summary").first.click()
    editing.locator(".comment.mine").first.get_by_role("link", name="Edit").click()
    editing.locator("dialog textarea").fill("I was mending this.")
    uploading.get_by_role("textbox", name="Message").fill("I had begun this.")
    uploading.get_by_label("Files to send", exact=True).set_input_files([{"name": "one.txt", "mimeType": "text/plain", "buffer": b"one"}])
    plain.get_by_role("textbox", name="Message").fill("I have no script.")
    revoke(open_page(), server, number)

    writing.get_by_role("button", name="Send message").click()
    nothing_left(writing)
    expect(writing.get_by_role("heading", level=1)).to_be_focused()
    for words in ("I was writing this.", "half a line"):
        expect(writing.locator(".kept")).to_contain_text(words)
    axe(writing)
    writing.go_back()
    expect(writing.get_by_role("heading", level=1)).to_have_text("Your cases")
    assert TITLE not in writing.content()
    writing.go_forward()
    nothing_left(writing)

    editing.get_by_role("button", name="Save").click()
    nothing_left(editing)
    expect(editing.locator(".kept")).to_contain_text("I was mending this.")
    uploading.get_by_role("button", name="Send files").click()
    nothing_left(uploading)
    expect(uploading.locator(".kept")).to_contain_text("I had begun this.")
    plain.get_by_role("button", name="Send message").click()
    nothing_left(plain)
    expect(plain.locator(".kept")).to_contain_text("I have no script.")


@pytest.mark.long
def test_a_page_the_browser_kept_is_asked_for_once_more(start_server: Start, open_page: OpenPage) -> None:
    """Chromium under test keeps no pages, so the event is made by hand."""
    server, page = start_server("demo"), open_page()
    shown_again = "dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))"
    number = at_case(page, server)
    page.get_by_role("textbox", name="Message").fill("Half a word")
    with page.expect_response(lambda answer: answer.request.method == "HEAD"):
        page.evaluate(shown_again)
    expect(page.get_by_role("textbox", name="Message")).to_have_value("Half a word")
    page.get_by_role("textbox", name="Message").fill("")
    revoke(open_page(), server, number)
    expect_status(page, 404)
    page.evaluate(shown_again)
    nothing_left(page)


@pytest.mark.long
def test_a_page_that_answered_a_form_is_asked_for_once_more_without_sending_it_again(start_server: Start, open_page: OpenPage) -> None:
    server, page = start_server("demo"), open_page()
    number = at_case(page, server)
    revoke(open_page(), server, number)
    expect_status(page, 404)
    page.evaluate("document.querySelector('form[data-composer]').submit()")  # as a browser whose htmx did not load
    nothing_left(page)
    page.evaluate("location.hash = '#main'")
    expect(page).to_have_url(re.compile("#main$"))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.method) if request.is_navigation_request() else None)
    with page.expect_event("request", lambda request: request.is_navigation_request()), page.expect_event("load"):
        page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    assert set(asked) == {"GET"}
    assert "#" not in page.url
    nothing_left(page)
