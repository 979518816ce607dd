"""What a list or an upload looks like where it is easily spoilt: the people list between phone and desk, one file chosen twice."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser import people as do
from tests.browser.test_every_page import sample_password
from tests.fixtures.server import LiveServer

pytestmark = pytest.mark.browser
INES, MARIT = "ines.carvalhal@csirt.northwind.example", "marit.solbakken@harbourline.example"
DROP = """(names) => {
    const place = new DataTransfer();
    for (const name of names) place.items.add(new File([name], name, { lastModified: 1 }));
    dispatchEvent(new DragEvent("drop", { dataTransfer: place, cancelable: true }));
}"""


def test_the_people_list_can_be_read_at_every_width(demo_server: LiveServer, page: Page) -> None:
    do.sign_in(page, demo_server, "console", INES, sample_password(demo_server))
    page.goto(f"{demo_server.url}/console/people")
    row = page.locator(".people-table tbody tr").first
    for width in (360, 768, 850, 1024, 1200, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        box = row.bounding_box()
        assert box, width
        assert box["height"] < (160 if width == 360 else 120), width
        expect(row.locator(".c-method")).to_be_visible(visible=width >= 1440)


def test_one_file_chosen_twice_is_said_and_sent_once(demo_server: LiveServer, page: Page, open_page: Callable[..., Page]) -> None:
    do.sign_in(page, demo_server, "console", INES, sample_password(demo_server))
    page.goto(f"{demo_server.url}/console/cases/15/attachments")
    choose_twice_and_send(page, "Add as internal")
    marit = open_page()
    do.sign_in(marit, demo_server, "portal", MARIT, sample_password(demo_server))
    marit.goto(f"{demo_server.url}/portal/")
    marit.get_by_role("link", name=re.compile("Ransomware on Harbourline")).first.click()
    choose_twice_and_send(marit, "Send files")


def choose_twice_and_send(page: Page, button: str) -> None:
    """Once with the first copy left out: then nothing is waiting, and nothing claims that it is."""
    said, waiting = page.locator("[data-upload-problem]"), page.locator(".upload-item[data-state=waiting]")
    page.wait_for_load_state("load")
    page.evaluate(DROP, ["photo.txt", "other.txt", "photo.txt"])
    expect(page.locator(".upload-item")).to_have_count(2)
    expect(said).to_have_text("“photo.txt” was chosen twice. It is the same file, so it is taken once.")
    expect(said).to_be_visible()
    page.get_by_role("button", name="Leave out: photo.txt").click()
    expect(page.locator(".upload-item")).to_have_count(1)
    expect(said).to_be_empty()
    page.evaluate(DROP, ["photo.txt", "photo.txt"])
    expect(waiting).to_have_count(2)
    expect(said).to_contain_text("photo.txt")
    page.get_by_role("button", name=button).click()
    expect(page.locator(".upload-item[data-state=done]")).to_have_count(2)
    expect(said).to_be_empty()
    expect(page.locator("#files").get_by_role("link", name=re.compile("^photo"))).to_have_count(1)
