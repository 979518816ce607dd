"""Files in a real browser: adding several, sending some outside, taking them back, with and without JavaScript."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import sign_in
from tests.fixtures.browser import axe, expect_status
from tests.fixtures.server import LiveServer, Start

pytestmark = pytest.mark.browser

ANALYST, OUTSIDER = "Tobias Rehnmark", "Marit Solbakken"


@pytest.fixture
def server(start_server: Start) -> LiveServer:
    return start_server("demo", PORTAL_MAX_UPLOAD="1", PORTAL_FORBIDDEN_EXTENSIONS="exe")


def enter(page: Page, server: LiveServer, face: str, name: str) -> None:
    printed = server.output()
    password = re.search(r"\b[a-z]+-[a-z]+-[a-z]+-[a-z]+-\d\d\b", printed)
    email = re.search(rf"(\S+@\S+)\s+{name}", printed)
    assert password is not None
    assert email is not None
    sign_in(page, server, face, email[1], password[0])


def open_files(page: Page, server: LiveServer) -> str:
    page.goto(f"{server.url}/console/cases")
    page.get_by_role("link", name=re.compile("Ransomware on Harbourline")).first.click()
    page.get_by_role("link", name=re.compile("^Attachments")).click()
    expect(page.get_by_role("heading", name="Attachments")).to_be_visible()
    return page.url.split("/")[-2]


def file(name: str, content: bytes = b"some content") -> Any:
    return {"name": name, "mimeType": "text/plain", "buffer": content}


def row(page: Page, name: str) -> Any:
    return page.locator("#files tr", has_text=name)


def test_an_analyst_adds_files_and_an_outsider_gets_what_was_sent(server: LiveServer, page: Page, open_page: Any) -> None:
    expect_status(page, 422)
    enter(page, server, "console", ANALYST)
    number = open_files(page, server)
    count = page.locator("#tab-attachments .count")
    before = int(count.inner_text())
    axe(page)
    chosen = [file("one.txt"), file("two.txt", b"2"), file("tool.exe"), file("big.bin", b"x" * 1_100_000)]
    page.get_by_label("Files to add").set_input_files(chosen)
    expect(page.get_by_text("Files of this kind (.exe) are not taken here.")).to_be_visible()
    expect(page.get_by_text("It is too large. A file may have up to 1 MB.")).to_be_visible()
    axe(page)
    page.get_by_role("button", name="Add as internal").click()
    expect(row(page, "one.txt")).to_contain_text("Internal")
    expect(row(page, "two.txt")).to_be_visible()
    expect(count).to_have_text(str(before + 2))
    page.get_by_role("button", name="Leave out: tool.exe").click()
    page.get_by_label("Files to add").set_input_files([file("for-all.txt", b"for all of you")])
    page.get_by_role("button", name=re.compile("^Send to")).click()
    expect(row(page, "for-all.txt")).to_contain_text("External")

    marit = open_page(accept_downloads=True)
    enter(marit, server, "portal", OUTSIDER)
    marit.goto(f"{server.url}/portal/cases/{number}")
    expect(marit.get_by_text("one.txt")).to_have_count(0)
    axe(marit)
    with marit.expect_download() as download:
        marit.get_by_role("link", name="for-all.txt").click()
    assert Path(download.value.path()).read_bytes() == b"for all of you"

    row(page, "for-all.txt").locator("summary.icon-button").click()
    page.get_by_role("link", name="Make internal").click()
    expect(page.get_by_role("dialog")).to_contain_text("for-all.txt")
    axe(page)
    page.get_by_role("dialog").get_by_role("button", name="Make internal").click()
    expect(row(page, "for-all.txt")).to_contain_text("Internal")
    marit.reload()
    expect(marit.get_by_text("for-all.txt")).to_have_count(0)


def test_dropped_and_pasted_files_are_chosen(server: LiveServer, page: Page) -> None:
    enter(page, server, "console", ANALYST)
    open_files(page, server)
    give = """(kind) => {
      const data = new DataTransfer();
      data.items.add(new File(["given"], `${kind}.txt`));
      const options = { bubbles: true, cancelable: true };
      const event = kind === "drop"
        ? new DragEvent(kind, { ...options, dataTransfer: data })
        : new ClipboardEvent(kind, { ...options, clipboardData: data });
      document.body.dispatchEvent(event);
    }"""
    page.wait_for_load_state("load")  # the scripts that listen run last
    for kind in ("drop", "paste"):
        page.evaluate(give, kind)
        expect(page.locator("[data-upload-list]")).to_contain_text(f"{kind}.txt")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Add as internal").press("Enter")
    expect(row(page, "drop.txt")).to_be_visible()
    expect(row(page, "paste.txt")).to_be_visible()


@pytest.mark.long
def test_everything_works_without_javascript(server: LiveServer, no_js_page: Page) -> None:
    page = no_js_page
    enter(page, server, "console", ANALYST)
    open_files(page, server)
    page.get_by_label("Files to add").set_input_files([file("plain.txt"), file("none.txt", b"")])
    page.get_by_role("button", name="Add as internal").click()
    expect(page.get_by_text("“none.txt” is empty")).to_be_visible()
    expect(row(page, "plain.txt")).to_contain_text("Internal")
    row(page, "plain.txt").locator("summary.icon-button").click()
    page.get_by_role("link", name="Make external").click()
    expect(page.get_by_text("Shared with")).to_be_visible()
    page.get_by_role("button", name="Make external").click()
    expect(row(page, "plain.txt")).to_contain_text("External")
    row(page, "plain.txt").get_by_role("checkbox").check()
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Remove 1 file").click()
    expect(page.get_by_role("heading", name="1 file removed")).to_be_visible()
    page.get_by_role("link", name="Back to the files").click()
    expect(row(page, "plain.txt")).to_have_count(0)
