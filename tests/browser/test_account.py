"""The account page in a real browser, on both faces: name, picture, times, other browsers, and a new address by mail."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser import people as do
from tests.fixtures.begun import Begin
from tests.fixtures.browser import OpenPage, axe, expect_status
from tests.fixtures.post import PostOffice, text_of
from tests.fixtures.server import LiveServer

pytestmark = pytest.mark.browser
SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["javascript", "no-javascript"])


def letter(office: PostOffice, to: str, subject: str) -> str:
    """The text of the letter to this address, whatever else is sent meanwhile."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for message in office.to(to):
            if subject in message["Subject"]:
                return text_of(message)
        time.sleep(0.1)
    raise AssertionError(f"no letter to {to} about {subject}")


def photo(folder: Path, size: tuple[int, int] = (300, 200), name: str = "me.jpg") -> Path:
    path = folder / name
    Image.new("RGB", size, (20, 120, 60)).save(path)
    return path


def change_everything(page: Page, server: LiveServer, face: str, folder: Path) -> None:
    """Name, picture, zone: done by somebody who was only told that there is an account page."""
    page.goto(f"{server.url}/{face}/")
    page.get_by_text("Account of").locator("..").click()
    page.get_by_role("link", name="Your account").click()
    page.get_by_label("Name", exact=True).fill("Kim Example")
    page.get_by_role("button", name="Save name").click()
    expect(page.get_by_text("Your name is saved.").first).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Kim Example")
    page.get_by_label("Choose a picture").set_input_files(photo(folder))
    page.get_by_role("button", name="Use this picture").click()
    drawn = page.locator(".portrait img")
    expect(drawn).to_be_visible()
    expect(drawn).to_have_js_property("naturalWidth", 256)
    page.get_by_label("Time zone").select_option(label="Berlin")
    page.get_by_label("Language").select_option(label="English (month first)")
    page.get_by_role("button", name="Save language and time zone").click()
    expect(page.locator("html")).to_have_attribute("lang", "en-US")
    expect(page.locator("#browsers time").first).to_have_attribute("title", re.compile(r"^\w{3} \d+, \d{4}, \d\d:\d\d CES?T$"))


@SCRIPTS
def test_people_on_both_faces_can_see_to_their_account(
    begin: Begin, smtp_server: PostOffice, open_page: OpenPage, tmp_path: Path, scripts: bool
) -> None:
    olga, hanna = open_page(java_script_enabled=scripts), open_page(java_script_enabled=scripts)
    server = begin(olga, **smtp_server.environ)
    do.invite(olga, server, "Hanna Weiss", "hanna@client.example")
    do.accept(hanna, do.link_in(letter(smtp_server, "hanna@client.example", "invites you")))
    for page, face in ((olga, "console"), (hanna, "portal")):
        change_everything(page, server, face, tmp_path)
        if scripts:
            axe(page)
    hanna.get_by_role("button", name="Remove picture").click()
    expect(hanna.locator(".portrait img")).to_have_count(0)
    expect_status(hanna, 422)
    (tmp_path / "note.png").write_text("no picture at all")
    hanna.get_by_label("Choose a picture").set_input_files(tmp_path / "note.png")
    hanna.get_by_role("button", name="Use this picture").click()
    expect(hanna.get_by_role("alert").filter(has_text="not a PNG or JPEG")).to_be_visible()


@SCRIPTS
def test_hanna_can_move_to_another_address(begin: Begin, smtp_server: PostOffice, open_page: OpenPage, scripts: bool) -> None:
    olga, hanna, phone = (open_page(java_script_enabled=scripts) for _ in range(3))
    server = begin(olga, **smtp_server.environ)
    do.invite(olga, server, "Hanna Weiss", "hanna@client.example")
    do.accept(hanna, do.link_in(letter(smtp_server, "hanna@client.example", "invites you")))
    do.sign_in(phone, server, "portal", "hanna@client.example")

    hanna.goto(f"{server.url}/portal/account")
    hanna.get_by_label("New e-mail address").fill("hanna@elsewhere.example")
    hanna.get_by_label("Your password").fill(do.PASSWORD)
    hanna.get_by_role("button", name="Send the link").click()
    expect(hanna.get_by_role("button", name="Keep the present address")).to_be_visible()
    link = re.search(r"http\S+/new-address/\S+", letter(smtp_server, "hanna@elsewhere.example", "Confirm"))
    assert link is not None
    hanna.goto(link[0])
    expect(hanna.get_by_text("hanna@client.example")).to_be_visible()
    if scripts:
        axe(hanna)
    hanna.get_by_role("button", name="Use this address").click()
    expect(hanna.get_by_text("You sign in with hanna@elsewhere.example")).to_be_visible()
    assert "It was not you?" in letter(smtp_server, "hanna@client.example", "was changed")
    phone.goto(f"{server.url}/portal/account")
    expect(phone).to_have_url(re.compile("sign-in"))
    do.sign_in(phone, server, "portal", "hanna@elsewhere.example")

    phone.goto(f"{server.url}/portal/account")
    phone.get_by_role("button", name="Sign out all others").click()
    expect(phone.get_by_role("button", name="Sign out all others")).to_have_count(0)
    hanna.reload()
    expect(hanna).to_have_url(re.compile("sign-in"))
