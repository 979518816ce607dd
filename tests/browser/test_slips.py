"""Slips of hand and long words: what was typed survives, nothing is confirmed by accident, no page breaks."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser import people as do
from tests.fixtures.browser import OpenPage, settled
from tests.fixtures.server import LiveServer, Start

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def own_demo(server_factory: Start) -> LiveServer:
    """A sample world these tests may write to."""
    return server_factory("demo")


def sample_password(server: LiveServer) -> str:
    return (server.instance / "sample-password").read_text().strip()


def test_what_stands_in_the_composer_survives_the_drawer(own_demo: LiveServer, page: Page) -> None:
    """The natural way: type, notice that the case is not shared, share it; the text must still be there."""
    do.sign_in(page, own_demo, "console", "ines.carvalhal@csirt.northwind.example", sample_password(own_demo))
    do.open_case(page, own_demo, "Drafts survive")
    do.note(page, "A note to be shown.")
    page.locator("textarea[name=message]").fill("Half a sentence")
    page.get_by_role("link", name="Manage external access").first.click()
    page.get_by_label("All external users").check()
    page.get_by_role("button", name="Share with all external users").click()
    expect(page.locator(".banner.external")).to_be_visible()
    expect(page.locator("textarea[name=message]")).to_have_value("Half a sentence")
    menu = do.comment(page, "A note to be shown.").locator("summary")
    menu.click()
    do.comment(page, "A note to be shown.").get_by_role("link", name="Make external").click()
    page.get_by_role("button", name="Make external").click()
    expect(do.comment(page, "A note to be shown.").get_by_text("External", exact=True)).to_be_visible()
    expect(page.locator("textarea[name=message]")).to_have_value("Half a sentence")


def test_the_keyboard_cannot_confirm_what_the_button_does_not_offer(own_demo: LiveServer, page: Page) -> None:
    do.sign_in(page, own_demo, "console", "ines.carvalhal@csirt.northwind.example", sample_password(own_demo))
    do.open_case(page, own_demo, "Nothing by accident")
    page.get_by_role("link", name="Manage external access").first.click()
    choice = page.get_by_label("All external users")
    choice.check()
    choice.press("Control+Enter")
    settled(page)
    expect(page.locator("dialog[open]")).to_be_visible()
    page.keyboard.press("Escape")
    settled(page)
    expect(page.locator(".banner.external")).to_have_count(0)


def test_a_hash_does_not_break_the_page(own_demo: LiveServer, open_page: OpenPage) -> None:
    """Anybody outside can write one long word; nobody's page may become wider than their screen by it."""
    analyst, phone = open_page(), open_page(viewport={"width": 360, "height": 740})
    do.sign_in(analyst, own_demo, "console", "ines.carvalhal@csirt.northwind.example", sample_password(own_demo))
    do.open_case(analyst, own_demo, "x" * 300)
    do.note(analyst, "f" * 256 + " https://example.org/" + "a" * 200)
    for width in (360, 768, 1280):
        analyst.set_viewport_size({"width": width, "height": 800})
        for url in (analyst.url, f"{own_demo.url}/console/cases"):
            page_width = analyst.evaluate("document.documentElement.scrollWidth")
            assert page_width <= width, f"{url} is {page_width} px wide at {width}"
    analyst.goto(f"{own_demo.url}/console/cases")
    assert analyst.evaluate("document.documentElement.scrollWidth") <= 1280
    do.sign_in(phone, own_demo, "portal", "beatriz.quintanar@northwind.example", sample_password(own_demo))
    phone.locator("a[href*='/portal/cases/']:has(.number)").first.click()
    phone.locator("textarea[name=message]").fill("e" * 64 + " https://example.org/" + "b" * 200)
    phone.get_by_role("button", name="Send message").click()
    expect(phone.get_by_text("e" * 64)).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360
