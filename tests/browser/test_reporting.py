"""Reporting an incident, sending files and evidence in a real browser, with and without JavaScript."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import sign_in
from tests.fixtures.browser import axe
from tests.fixtures.server import LiveServer

pytestmark = pytest.mark.browser

REPORTER = "Beatriz Quintanar"


def enter(page: Page, server: LiveServer) -> None:
    printed = server.output()
    password = re.search(r"\b[a-z]+-[a-z]+-[a-z]+-[a-z]+-\d\d\b", printed)
    email = re.search(rf"(\S+@\S+)\s+{REPORTER}", printed)
    assert password is not None
    assert email is not None
    sign_in(page, server, "portal", email[1], password[0])


def file(name: str, content: bytes = b"some content") -> Any:
    return {"name": name, "mimeType": "text/plain", "buffer": content}


def fill(page: Page) -> None:
    page.get_by_label("In a few words").fill("Strange payment request")
    page.get_by_label("What happened?").fill("The boss wrote from a new address.")
    page.get_by_label("Suspicious addresses, numbers or names").fill("http://evil.example/pay\nboss@evil.example")


def test_a_report_is_kept_while_it_is_written_and_sent_with_its_files(demo_server: LiveServer, page: Page) -> None:
    enter(page, demo_server)
    page.get_by_role("link", name="Report an incident").click()
    axe(page)
    with page.expect_response(lambda answer: answer.url.endswith("/draft") and "evil.example" in (answer.request.post_data or "")):
        fill(page)
    expect(page.locator("#draft-state")).to_contain_text("Your answers are kept")
    page.reload()
    expect(page.get_by_label("In a few words")).to_have_value("Strange payment request")
    expect(page.get_by_label("Suspicious addresses, numbers or names")).to_have_value("http://evil.example/pay\nboss@evil.example")
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("main")).to_contain_text("boss[@]evil[.]example")
    expect(page.get_by_role("heading", name="Look at your report, then send it")).to_be_visible()
    page.get_by_label("Files to send along").set_input_files([file("mail.eml"), file("empty.txt", b"")])
    axe(page)
    page.get_by_role("button", name="Send report").click()
    expect(page.get_by_text("“empty.txt”: It is empty.")).to_be_visible()
    page.get_by_role("button", name="Leave out: empty.txt").click()
    page.get_by_role("button", name="Send report").click()
    expect(page.get_by_role("heading", name=re.compile("Your report is case #"))).to_be_visible()
    axe(page)
    page.get_by_role("link", name=re.compile("Open case")).click()
    evidence = page.locator("#evidence")
    for words in ("hxxp://evil[.]example/pay", "boss[@]evil[.]example", "mail.eml"):
        expect(evidence).to_contain_text(words)
    page.goto(f"{demo_server.url}/portal/report")
    expect(page.get_by_label("In a few words")).to_have_value("")


def test_files_and_evidence_are_added_to_a_case_and_taken_back(demo_server: LiveServer, page: Page) -> None:
    enter(page, demo_server)
    page.locator("#cases tbody a").first.click()
    page.get_by_label("Files to send", exact=True).set_input_files([file("one.txt"), file("two.txt", b"2")])
    page.get_by_role("button", name="Send files").click()
    files = page.locator("#files")
    expect(files.get_by_role("link", name="two.txt", exact=True)).to_be_visible()
    page.get_by_label("Suspicious addresses, numbers or names").fill("+41 44 000 00 00\nhttp://evil.example/x\nhttp://evil.example/x")
    page.get_by_role("button", name="Add evidence").click()
    evidence = page.locator("#evidence")
    expect(evidence).to_contain_text("2 items are added")
    expect(evidence).to_contain_text("This is the same as line 2.")
    axe(page)
    files.get_by_role("link", name="Withdraw two.txt").click()
    axe(page)
    page.get_by_role("button", name="Withdraw file").click()
    expect(page.get_by_text("Your file is withdrawn.")).to_be_visible()
    expect(files.get_by_role("link", name="two.txt", exact=True)).to_have_count(0)
    evidence.get_by_role("link", name="Withdraw hxxp://evil[.]example/x", exact=True).click()
    page.get_by_role("button", name="Withdraw item").click()
    expect(evidence).not_to_contain_text("example/x")


def test_a_notice_goes_when_the_next_act_is_answered(demo_server: LiveServer, page: Page) -> None:
    enter(page, demo_server)
    page.locator("#cases tbody a").first.click()
    notice = page.locator(".toast", has_text="Your message is sent.")

    def write() -> None:
        page.get_by_role("textbox", name="Message", exact=True).fill("One more thing.")
        page.get_by_role("button", name="Send message").click()
        notice.dispatch_event("pointerenter")  # as a finger does that rests where it appears

    write()
    page.get_by_label("Files to send", exact=True).set_input_files([file("three.txt")])
    page.get_by_role("button", name="Send files").click()
    expect(page.locator("#files").get_by_role("link", name="three.txt", exact=True)).to_be_visible()
    expect(notice).to_have_count(0)
    write()
    page.get_by_label("Suspicious addresses, numbers or names").fill("http://evil.example/y")
    page.get_by_role("button", name="Add evidence").click()
    expect(page.locator("#evidence")).to_contain_text("evil[.]example/y")
    expect(notice).to_have_count(0)
    page.locator("#evidence").get_by_role("link", name="Withdraw hxxp://evil[.]example/y", exact=True).click()
    page.get_by_role("button", name="Withdraw item").click()
    expect(page.locator(".toast")).to_have_count(1)  # what an answer brings itself stays


@pytest.mark.long
def test_all_of_it_works_without_javascript(demo_server: LiveServer, no_js_page: Page) -> None:
    page = no_js_page
    enter(page, demo_server)
    page.get_by_role("link", name="Report an incident").click()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("link", name="Tell us what happened")).to_be_visible()
    fill(page)
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text("You began this report")).to_be_visible()
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Files to send along").set_input_files([file("mail.eml")])
    page.get_by_role("button", name="Send report").click()
    page.get_by_role("link", name=re.compile("Open case")).click()
    expect(page.locator("#evidence")).to_contain_text("mail.eml")
    page.get_by_label("Files to send", exact=True).set_input_files([file("one.txt"), file("two.txt")])
    page.get_by_role("button", name="Send files").click()
    page.get_by_role("link", name="Withdraw two.txt").click()
    page.get_by_role("button", name="Withdraw file").click()
    expect(page.locator("#files")).not_to_contain_text("two.txt")
    page.get_by_label("Suspicious addresses, numbers or names").fill("http://evil.example/x")
    page.get_by_role("button", name="Add evidence").click()
    expect(page.locator("#evidence")).to_contain_text("hxxp://evil[.]example/x")
