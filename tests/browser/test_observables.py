"""An analyst keeps the traces of a case: pastes, marks, compares and takes away; with and without JavaScript."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import pyzipper
from playwright.sync_api import Page, expect

from tests.browser import people as do
from tests.fixtures.browser import OpenPage, axe
from tests.fixtures.server import LiveServer

pytestmark = pytest.mark.browser
WIDTHS = (360, 768, 1440)
SEFA = "sefa.tuilagi@csirt.northwind.example"
PASTE = "hxxps://evil[.]example/a\n\n203.0.113[.]92\nbob[at]evil[.]example\n203.0.113.92"


def sample_password(server: LiveServer) -> str:
    return (server.instance / "sample-password").read_text().strip()


def check(page: Page, scripting: bool) -> None:
    """The page fits every width and axe finds nothing; without JavaScript nothing can be asked of it."""
    if not scripting:
        return
    axe(page)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scripting", [True, False], ids=["with-javascript", "without-javascript"])
def test_sefa_pastes_marks_and_compares(start_server: type[LiveServer], open_page: OpenPage, tmp_path: Path, scripting: bool) -> None:
    server = start_server("demo")
    page = open_page(java_script_enabled=scripting)
    do.sign_in(page, server, "console", SEFA, sample_password(server))
    case = do.open_case(page, server, "A new wave")
    page.get_by_role("navigation", name="Case", exact=True).get_by_role("link", name="Observables").click()
    expect(page.get_by_text("No observables yet")).to_be_visible()
    _paste(page, scripting)
    expect(page.locator("#observables tbody tr")).to_have_count(3)
    check(page, scripting)
    _compare(page, scripting)
    _change(page, scripting)
    _sample(page, tmp_path, scripting)
    _delete(page, case)


def _paste(page: Page, scripting: bool) -> None:
    page.get_by_role("link", name="Add observables").click()
    page.get_by_label("Value", exact=True).fill(PASTE)
    page.get_by_label("One per line").check()
    page.get_by_label("It is an IOC").check()
    page.get_by_role("button", name="Check first").click()
    expect(page.get_by_text("This is the same as line 3.")).to_be_visible()
    check(page, scripting)
    page.get_by_role("button", name="Add observables").click()
    expect(page.get_by_role("heading", name="3 of 4 added")).to_be_visible()
    page.get_by_role("link", name="Back to the observables").click()
    expect(page.get_by_text("hxxps://evil[.]example/a", exact=True)).to_be_visible()


def _compare(page: Page, scripting: bool) -> None:
    page.set_viewport_size({"width": 1440, "height": 800})
    page.get_by_role("link", name="Seen in 1 other case").click()
    expect(page.get_by_role("heading", name="Seen in other cases")).to_be_visible()
    expect(page.get_by_role("link", name="Remote maintenance access of Corvane")).to_be_visible()
    check(page, scripting)
    page.go_back()


def _change(page: Page, scripting: bool) -> None:
    page.locator("#observables tbody tr", has_text="bob[@]").get_by_label("bob[@]evil[.]example", exact=True).check()
    page.locator("#observables-bulk").get_by_role("button", name="Change").click()
    page.get_by_label("Add tags").fill("sender")
    page.get_by_label("IOC").select_option(label="Is no IOC")
    check(page, scripting)
    page.get_by_role("button", name="Change 1 observable").click()
    expect(page.get_by_role("heading", name="1 observable changed")).to_be_visible()
    page.get_by_role("link", name="Back to the list").or_(page.get_by_role("link", name="Back to the observables")).click()
    expect(page.locator("#observables tbody tr", has_text="bob[@]").get_by_text("sender")).to_be_visible()


def _sample(page: Page, folder: Path, scripting: bool) -> None:
    sample = folder / "evil.exe"
    sample.write_bytes(b"MZ not really")
    page.get_by_role("link", name="Add files").click()
    check(page, scripting)
    page.get_by_label("Files").set_input_files(sample)
    page.get_by_role("button", name="Add files").click()
    line = page.locator("#observables tbody tr", has_text="evil.exe")
    line.locator("summary").click()
    with page.expect_download() as sent:
        line.get_by_role("link", name="Download as ZIP").click()
    with pyzipper.AESZipFile(sent.value.path()) as found:
        assert found.read("evil.exe", pwd=b"infected") == b"MZ not really"


def _delete(page: Page, case: str) -> None:
    page.goto(f"{case}/observables")
    line = page.locator("#observables tbody tr", has_text="hxxps")
    line.locator("summary").click()
    expect(line.get_by_label("Real value")).to_have_value("https://evil.example/a")
    line.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete observable").click()
    expect(page.get_by_text("The observable is deleted.")).to_be_visible()
    expect(page.get_by_role("navigation", name="Case", exact=True).get_by_role("link", name=re.compile("Observables 3"))).to_be_visible()
