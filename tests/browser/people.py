"""What people do with a browser, in their words; every step works with and without JavaScript."""

from __future__ import annotations

import re
import time
from typing import Any

from playwright.sync_api import Page, expect

from tests.fixtures.authenticator import Authenticator
from tests.fixtures.post import PostOffice, text_of
from tests.fixtures.server import LiveServer

PASSWORD, OLGA = "meadow-lantern-quartz-71", "olga@csirt.example"
# The apps on people's phones, by server and address.
PHONES: dict[tuple[str, str], Authenticator] = {}


def set_up(page: Page, server: LiveServer, *, team: str = "Northwind CSIRT") -> None:
    """Open the printed link and make the first administrator, Olga."""
    link = server.printed(r"(http://\S+/set-up/\S+)")[1]
    page.goto(link)
    page.get_by_label("Your security team").fill(team)
    page.get_by_label("Your name").fill("Olga Reyes")
    page.get_by_label("E-mail address").fill(OLGA)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("The same password again").fill(PASSWORD)
    page.get_by_role("button", name="Create team and account").click()
    expect(page).to_have_url(re.compile("/console/(cases|account/second-step)"))
    if "second-step" in page.url:
        add_app(page, server, OLGA)
        expect(page).to_have_url(re.compile("/console/cases"))


def second_step(page: Page, server: LiveServer, email: str) -> None:
    """After the password: the code of the app, for who has one."""
    if (server.url, email) in PHONES:
        page.get_by_label("Code from your app").fill(PHONES[server.url, email].code())
        page.get_by_role("button", name="Sign in", exact=True).click()


def add_app(page: Page, server: LiveServer, email: str) -> None:
    """From the page of the second step: set up an app, keep the codes."""
    page.get_by_role("link", name="Set up an app").click()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    PHONES[server.url, email] = Authenticator(page.locator("code.secret").inner_text())
    page.get_by_label("Code the app shows now").fill(PHONES[server.url, email].code())
    page.get_by_role("button", name="Use this app").click()
    page.get_by_role("button", name="I have kept them").click()


def sign_in(page: Page, server: LiveServer, face: str, email: str, password: str = PASSWORD) -> None:
    """Sign in on a face."""
    page.goto(f"{server.url}/{face}/sign-in")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    second_step(page, server, email)
    expect(page).not_to_have_url(re.compile("sign-in"))


def invite(page: Page, server: LiveServer, name: str, email: str, role: str = "External-Actor") -> None:
    """Add an external person, who is invited at once."""
    page.goto(f"{server.url}/console/people/new")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("E-mail address").fill(email)
    for box in page.get_by_role("group", name="Roles in the portal").get_by_role("checkbox").all():
        box.set_checked(role in (box.locator("xpath=..").text_content() or ""))
    page.get_by_role("button", name="Add person", exact=True).click()
    expect(page).to_have_url(re.compile(r"/console/people/\d+$"))


def letter_to(office: PostOffice, address: str) -> str:
    """The text of the first letter to somebody, waiting for it."""
    deadline = time.monotonic() + 15
    while not office.to(address):
        assert time.monotonic() < deadline, f"no letter to {address}"
        time.sleep(0.05)
    return text_of(office.to(address)[0])


def link_in(text: str) -> str:
    """The address in a letter."""
    found = re.search(r"https?://\S+/(?:invitation|reset)/\S+", text)
    assert found, text
    return found[0]


def accept(page: Page, link: str) -> None:
    """Open an invitation, press Continue, choose a password."""
    page.goto(link)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("The same password again").fill(PASSWORD)
    page.get_by_role("button", name="Create my account", exact=True).click()
    expect(page).to_have_url(re.compile("/portal/$"))


def open_case(page: Page, server: LiveServer, title: str) -> str:
    """Open a new case in the console and return its address."""
    page.goto(f"{server.url}/console/cases/new")
    page.get_by_label("Title").fill(title)
    page.get_by_label("Description").fill("Somebody wrote to **payroll**.")
    page.get_by_role("button", name="Open case", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(title)
    return page.url


def note(page: Page, text: str) -> None:
    """Add an internal note on the case that is open."""
    page.locator("textarea[name=message]").fill(text)
    page.get_by_role("button", name="Add internal note").click()
    expect(comment(page, text)).to_be_visible()


def comment(page: Page, text: str) -> Any:
    """The article of a comment."""
    return page.locator("article", has_text=text)
