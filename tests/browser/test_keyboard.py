"""The portal with a keyboard alone: whatever somebody wants is reached by Tab, seen where it is, and done with Enter, Space or letters."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Error, FileChooser, Locator, Page, expect

from tests.fixtures.browser import OpenPage, settled
from tests.fixtures.server import LiveServer, Start

pytestmark = pytest.mark.browser
MARIT = "marit.solbakken@harbourline.example"
FOUND = """place => place === document.activeElement"""
SEEN = """place => {
    const box = place.getBoundingClientRect();
    return place.matches(":focus-visible") && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
}"""


def reach(page: Page, place: Locator) -> None:
    """Go on with Tab until this has the focus, which is then to be seen."""
    expect(place).to_have_count(1)
    settled(page)  # the scripts of the page run last, and what is swapped takes the focus along
    for _ in range(120):
        page.keyboard.press("Tab")
        if place.evaluate(FOUND):
            assert place.evaluate(SEEN), f"the focus is not seen: {place}"
            return
    raise AssertionError(f"Tab never comes to {place}")


def press(page: Page, role: str, name: str, key: str = "Enter") -> None:
    """Reach something by its name and press a key there."""
    reach(page, page.get_by_role(role, name=name, exact=True))  # type: ignore[arg-type]
    page.keyboard.press(key)


def chooser(page: Page, place: Locator) -> FileChooser:
    """What a key opens on a field for files; a browser that is kept waiting does not always hear the first one."""
    reach(page, place)
    try:
        with page.expect_file_chooser(timeout=5_000) as chosen:
            page.keyboard.press("Enter")
    except Error:
        place.focus()
        with page.expect_file_chooser() as chosen:
            page.keyboard.press("Space")
    return chosen.value


def write(page: Page, label: str, words: str) -> None:
    """Reach a field and type."""
    reach(page, page.get_by_label(label, exact=True))
    page.keyboard.type(words)


def title(page: Page, words: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_contain_text(words)


@pytest.fixture
def marit(start_server: Start, open_page: OpenPage) -> Page:
    """Marit signed in by keyboard, after a look at another language."""
    server: LiveServer = start_server("demo")
    page = open_page()
    page.goto(f"{server.url}/portal/")
    press(page, "button", "Français")
    title(page, "Se connecter")
    press(page, "button", "English")
    title(page, "Sign in")
    write(page, "E-mail address", MARIT)
    write(page, "Password", (server.instance / "sample-password").read_text().strip())
    page.keyboard.press("Enter")
    title(page, "Your cases")
    return page


def test_marit_finds_reads_and_answers_a_case(marit: Page) -> None:
    page = marit
    press(page, "link", "Skip to content")
    expect(page.locator("#main")).to_be_focused()
    press(page, "link", "Filter")
    drawer = page.locator("dialog.drawer")
    reach(page, drawer.get_by_label("Reported by you"))
    page.keyboard.press("Space")
    press(page, "button", "Show cases")
    expect(page).to_have_url(re.compile("mine=yes"))
    press(page, "link", "Remove Reported by you")
    expect(page.get_by_role("link", name="Remove Reported by you")).to_have_count(0)
    press(page, "link", "Filter")
    expect(drawer).to_be_visible()
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    expect(page.get_by_role("link", name="Filter")).to_be_focused()
    reach(page, page.locator(".list-tools summary"))
    page.keyboard.press("Enter")
    reach(page, page.locator(".list-tools .menu-sheet").get_by_role("link", name="Case number"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("sort=-number"))
    reach(page, page.get_by_role("searchbox"))
    page.keyboard.type("HL-FS02")
    expect(page).to_have_url(re.compile("q=HL-FS02"))
    expect(page.locator(".case-link")).to_have_count(1)
    reach(page, page.locator(".case-link"))
    page.keyboard.press("Enter")
    title(page, "Ransomware")

    reach(page, page.get_by_text("What has happened to the status so far"))
    page.keyboard.press("Enter")
    expect(page.locator(".stages")).to_be_visible()
    reach(page, page.get_by_role("textbox", name="Message", exact=True))
    page.keyboard.type("We are ready on our side.")
    page.keyboard.press("Control+Enter")
    own = page.locator("article", has_text="We are ready on our side.")
    expect(own).to_be_visible()
    expect(page.get_by_role("textbox", name="Message", exact=True)).to_be_focused()
    reach(page, page.locator(".toast", has_text="Your message is sent.").get_by_role("button", name="Dismiss"))
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_have_count(0)
    reach(page, own.locator("summary"))
    page.keyboard.press("Enter")
    reach(page, own.get_by_role("link", name="Edit"))
    page.keyboard.press("Enter")
    reach(page, page.locator("dialog textarea"))
    page.keyboard.press("Control+End")
    page.keyboard.type(" Truly.")
    press(page, "button", "Save message")
    expect(page.get_by_text("We are ready on our side. Truly.")).to_be_visible()


@pytest.mark.long
def test_marit_sends_files_and_evidence_and_takes_one_back(marit: Page) -> None:
    page = marit
    reach(page, page.get_by_role("link", name=re.compile("Ransomware")))
    page.keyboard.press("Enter")
    chooser(page, page.get_by_label("Files to send", exact=True)).set_files(
        [{"name": "switches.txt", "mimeType": "text/plain", "buffer": b"one, two"}]
    )
    press(page, "button", "Send files")
    expect(page.locator("#files").get_by_role("link", name="switches.txt", exact=True)).to_be_visible()
    write(page, "Suspicious addresses, numbers or names", "+47 55 00 00 01")
    reach(page, page.get_by_label("What is it?"))
    page.keyboard.type("Ph")
    press(page, "button", "Add evidence")
    item = page.locator("#evidence li", has_text="+47 55 00 00 01")
    expect(item).to_contain_text("Phone number")
    reach(page, item.get_by_role("link"))
    page.keyboard.press("Enter")
    press(page, "button", "Withdraw item")
    expect(item).to_have_count(0)
    for name, then in (("No e-mails about this case", "E-mails again"), ("E-mails again", "No e-mails about this case")) * 2:
        page.get_by_role("button", name=name).press("Enter")
        expect(page.get_by_role("button", name=then)).to_be_focused()
    expect(page.locator("#toasts .toast")).to_have_count(1)  # more would cover a phone
    press(page, "button", "No e-mails about this case")
    expect(page.get_by_text("You get no e-mails about this case.")).to_be_visible()
    press(page, "link", "Choose which e-mails you get")
    reach(page, page.get_by_role("checkbox", name="There is a new file"))
    page.keyboard.press("Space")
    press(page, "button", "Save")
    expect(page.get_by_text("Your choice is saved.")).to_be_visible()
    expect(page.get_by_role("checkbox", name="There is a new file")).not_to_be_checked()
    expect(page.locator("#muted")).to_contain_text("Ransomware")


def test_marit_reports_an_incident(marit: Page) -> None:
    page = marit
    press(page, "link", "Report an incident")
    title(page, "Report an incident")
    write(page, "In a few words", "A van films our gate")
    press(page, "button", "Continue")
    reach(page, page.get_by_role("link", name=re.compile("Tell us what happened")))
    page.keyboard.press("Enter")
    expect(page.get_by_label("What happened?")).to_be_focused()
    page.keyboard.type("For two days now.")
    write(page, "Who is affected? (optional)", "The guards")
    press(page, "button", "Continue")
    title(page, "Look at your report")
    press(page, "button", "Send report")
    title(page, "Your report is case")
    reach(page, page.get_by_role("link", name=re.compile("Open case #")))
    page.keyboard.press("Enter")
    title(page, "A van films our gate")


@pytest.mark.long
def test_marit_sees_to_her_account_and_her_organisation(marit: Page) -> None:
    page = marit
    menu = page.locator(".account-menu > summary")
    reach(page, menu)
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(menu).to_be_focused()
    page.keyboard.press("Enter")
    press(page, "link", "Your account")
    title(page, "Your account")
    reach(page, page.locator("#reading").get_by_role("button", name="Dark"))
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    reach(page, page.get_by_label("Language"))
    page.keyboard.type("Deu")
    press(page, "button", "Save language and time zone")
    title(page, "Ihr Konto")
    reach(page, menu)
    page.keyboard.press("Enter")
    press(page, "link", "Ihre Organisation")
    title(page, "Ihre Organisation")
    press(page, "link", "Personen")
    reach(page, page.get_by_role("link", name="Personen hinzufügen").first)
    page.keyboard.press("Enter")
    title(page, "Personen hinzufügen")
    reach(page, menu)
    page.keyboard.press("Enter")
    press(page, "button", "Abmelden")
    title(page, "Anmelden")
