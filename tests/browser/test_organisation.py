"""Petra runs her organisation's people in the portal: on a phone and a large screen, with and without JavaScript."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect
from sqlalchemy import func, update

from portal import create_app
from portal.accounts.models import User
from portal.config import from_env
from portal.database import start_writing
from portal.extensions import db
from portal.organisations.models import Organisation
from tests.browser import people as do
from tests.fixtures.browser import OpenPage, axe, expect_status, settled
from tests.fixtures.pace import few
from tests.fixtures.product import close
from tests.fixtures.server import LiveServer

pytestmark = pytest.mark.browser
SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["javascript", "no-javascript"])
TEXT = "new.one@people.example, perry@people.example\npaul@people.example; fred@people.example"


def enter(page: Page, server: LiveServer) -> None:
    """Petra, on the page of her organisation's details, by the link above every page."""
    do.sign_in(page, server, "portal", "petra@people.example")
    page.get_by_role("link", name="Your organisation").click()
    expect(page.get_by_role("heading", name="Your organisation")).to_be_visible()


def fits(page: Page) -> None:
    """Nothing sticks out to the side."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url


def card(page: Page, name: str) -> Any:
    """The line of somebody in the list."""
    return page.locator("tr[data-row]").filter(has=page.get_by_text(name, exact=True))


def choose(page: Page, name: str, act: str, button: str) -> None:
    """Do something to one person."""
    card(page, name).locator("details.menu > summary").click()
    card(page, name).get_by_role("link", name=act, exact=True).click()
    page.get_by_role("button", name=button, exact=True).click()


@pytest.mark.parametrize("width", few([360, 1440], {360}))
@SCRIPTS
def test_petra_manages_her_people(furnished: LiveServer, open_page: OpenPage, scripts: bool, width: int) -> None:
    page = open_page(java_script_enabled=scripts, viewport={"width": width, "height": 800})
    enter(page, furnished)
    fits(page)

    page.get_by_label("Phone").fill("+49 30 12345")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The details are saved.")).to_be_visible()

    page.get_by_role("navigation", name="Your organisation").get_by_role("link", name="People").click()
    expect(page.get_by_text("1 person has not been invited yet")).to_be_visible()
    fits(page)
    _add(page, scripts)
    expect(card(page, "new.one")).to_contain_text(re.compile("Invit" if scripts else "Not invited"))

    choose(page, "Paul Person", "Make portal administrator", "Make portal administrator")
    expect(page.get_by_text("Is portal administrator now.")).to_be_visible()
    choose(page, "Paul Person", "Deactivate", "Deactivate")
    expect(card(page, "Paul Person")).to_contain_text("Deactivated")
    choose(page, "Paul Person", "Reactivate", "Reactivate")
    expect(card(page, "Paul Person")).to_contain_text("Active")
    _several(page)
    _search(page, scripts)


def _add(page: Page, scripts: bool) -> None:
    page.get_by_role("link", name="Add people").click()
    expect(page.get_by_text("Somebody new sees the cases that are shared with your whole organisation")).to_be_visible()
    box = page.get_by_label("E-mail addresses")
    box.fill(f"rubbish\nNewton One {TEXT}")
    page.locator(".card", has_text="Participant").get_by_role("checkbox").check()
    if scripts:
        expect(page.locator(".address-chip")).to_have_count(5)
        expect(page.locator(".address-chip.wrong")).to_have_count(1)
        fits(page)
        page.get_by_role("button", name="Take out: rubbish").click()
        expect(page.locator(".address-chip")).to_have_count(4)
        expect(page.locator(".address-chip.wrong")).to_have_count(0)
    else:
        expect_status(page, 422)
        box.fill(f"{'rubbish' * 12}\n{TEXT}")
        page.get_by_role("button", name="Add people").click()
        expect(page.locator(".address-chip.wrong")).to_have_count(1)
        fits(page)
        box.fill(TEXT)
    page.get_by_role("button", name="Add people").click()
    expect(page.get_by_text("Send invitations now?")).to_be_visible()
    expect(page.locator("tr.done")).to_have_count(3)
    expect(page.locator("tr.left")).to_contain_text("ask the security team")
    expect(page.get_by_role("link", name="Reactivate perry@people.example")).to_have_count(0)  # only the team can
    fits(page)
    if scripts:
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.get_by_text("Invited. The security team can hand over the link.")).to_be_visible()
    else:
        page.get_by_role("link", name="Later").click()


@pytest.mark.long
def test_addresses_can_be_taken_out_quickly(furnished: LiveServer, open_page: OpenPage) -> None:
    """One after the other while lists of older texts come in late, and while somebody types: what is out stays out, the rest stays in."""
    page = open_page(viewport={"width": 360, "height": 740}, has_touch=True)
    enter(page, furnished)
    page.goto(f"{furnished.url}/portal/organisation/people/add")
    box, chips = page.get_by_label("E-mail addresses"), page.locator(".address-chip")
    box.fill("; ".join(f"Person {letter} <{letter}@people.example>" for letter in "abcdef") + "\nrubbish")
    expect(chips).to_have_count(7)
    expect(chips.first).to_contain_text("rubbish")
    page.route("**/people/check", _late)
    for taken in ("rubbish", "b@people.example"):
        page.get_by_role("button", name=f"Take out: {taken}").tap()
    expect(page.get_by_role("button", name="Take out: c@people.example")).to_be_focused()  # and no keyboard over the chips
    page.wait_for_timeout(600)  # the list after two is asked for and on its way
    page.get_by_role("button", name="Take out: d@people.example").tap()
    page.wait_for_timeout(1000)  # it comes now
    expect(chips).to_have_count(4)
    page.get_by_role("button", name="Take out: e@people.example").tap()
    expect(box).to_have_value("a@people.example\nc@people.example\nf@people.example")
    box.press_sequentially("\ng@people.example")
    page.get_by_role("button", name="Take out: a@people.example").tap()
    expect(box).to_have_value(re.compile(r"^\s*c@people.example\nf@people.example\ng@people.example$"))
    expect(chips).to_have_text([re.compile(f"{letter}@") for letter in "cfg"])


def test_long_names_and_addresses_stay_within_a_phone(furnished: LiveServer, open_page: OpenPage) -> None:
    word = "Donaudampfschifffahrtsgesellschaft"
    app = create_app(from_env(furnished.environ))
    with app.app_context():
        start_writing()
        db.session.execute(update(Organisation).values(name=func.substr(f"{word}skapitaen " + Organisation.name, 1, 64)))
        db.session.execute(update(User).where(User.email == "petra@people.example").values(name=f"Petra {word}"))
        db.session.commit()
    close(app)
    page = open_page(viewport={"width": 360, "height": 740})
    do.sign_in(page, furnished, "portal", "petra@people.example")
    fits(page)
    page.goto(f"{furnished.url}/portal/organisation/people/add")
    page.get_by_label("E-mail addresses").fill(f"{word.lower()}{word.lower()[:28]}@{word.lower()}.people.example")
    page.locator(".card", has_text="Participant").get_by_role("checkbox").check()
    expect_status(page, 422)
    page.get_by_role("button", name="Add people").click()
    expect(page.locator(".error-summary")).to_be_visible()
    fits(page)
    page.get_by_label("E-mail addresses").fill(f"{word.lower()}{word.lower()[:28]}@people.example")
    page.get_by_role("button", name="Add people").click()
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator(".toast")).to_contain_text("Invited.")
    fits(page)


def _late(route: Route) -> None:
    time.sleep(0.7)
    route.continue_()


def _several(page: Page) -> None:
    card(page, "Paul Person").get_by_role("checkbox").check()
    card(page, "Petra Person (you)").get_by_role("checkbox").check()
    page.get_by_label("With the people you ticked").last.select_option("deactivate")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Deactivate 2 people?")).to_be_visible()
    fits(page)
    page.get_by_role("button", name="Deactivate 2 people").click()
    expect(page.get_by_text("1 person was left as they are:")).to_be_visible()
    expect(page.get_by_text("You cannot deactivate yourself")).to_be_visible()
    page.get_by_role("link", name="Back to the list").click()


def _search(page: Page, scripts: bool) -> None:
    page.get_by_role("searchbox").fill("perry")
    if not scripts:
        page.get_by_role("button", name="Search").click()
    expect(page.locator("tr[data-row]")).to_have_count(1)
    expect(card(page, "Perry Person")).to_be_visible()
    expect(page).to_have_url(re.compile("q=perry"))


@SCRIPTS
def test_addresses_wait_for_save(furnished: LiveServer, open_page: OpenPage, scripts: bool) -> None:
    page = open_page(java_script_enabled=scripts, viewport={"width": 360, "height": 740})
    enter(page, furnished)
    page.get_by_role("link", name="Addresses").click()
    page.get_by_label("Town or city").fill("Bonn")
    page.get_by_role("button", name="Add an address").click()
    expect(page.get_by_text("Nothing is saved yet.")).to_be_visible()
    page.get_by_label("Town or city").nth(1).fill("Hamburg")
    fits(page)
    if scripts:
        page.once("dialog", lambda dialog: dialog.dismiss())
        with page.expect_event("dialog") as asked:
            page.get_by_role("link", name="Details").click(no_wait_after=True)
        assert asked.value.type == "beforeunload"
        expect(page.get_by_label("Town or city").nth(1)).to_have_value("Hamburg")
    page.get_by_role("button", name="Save addresses").click()
    expect(page.get_by_text("The addresses are saved.")).to_be_visible()
    expect(page.get_by_label("Town or city").nth(1)).to_have_value("Hamburg")
    page.get_by_role("button", name="Remove this address 1").click()
    expect(page.get_by_label("Town or city")).to_have_count(1)
    page.get_by_role("button", name="Save addresses").click()
    expect(settled(page).get_by_label("Town or city")).to_have_value("Hamburg")
    page.get_by_role("link", name="Service agreements").click()
    page.get_by_role("link", name="Care for Contoso Ltd").click()
    expect(page.get_by_text("8 hours")).to_be_visible()
    fits(page)
    with page.expect_download() as taken:
        page.get_by_role("link", name="Download the document").click()
    assert taken.value.suggested_filename == "Contoso Ltd.pdf"


@pytest.mark.long
@pytest.mark.parametrize("width", [360, 1440])
def test_your_organisation_is_free_of_barriers(furnished: LiveServer, open_page: OpenPage, width: int) -> None:
    page = open_page(viewport={"width": width, "height": 800})
    enter(page, furnished)
    axe(page)
    root = f"{furnished.url}/portal/organisation"
    page.goto(f"{root}/people")
    page.get_by_role("checkbox").first.check()
    card(page, "Paula Person").locator("details.menu > summary").click()
    axe(page)
    card(page, "Paula Person").get_by_role("link", name="Set roles").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    axe(page)
    page.goto(f"{root}/people/add")
    page.get_by_label("E-mail addresses").fill(f"rubbish\n{TEXT}")
    expect(page.locator(".address-chip")).to_have_count(5)
    axe(page)
    page.get_by_label("E-mail addresses").fill(TEXT)
    page.locator(".card", has_text="Participant").get_by_role("checkbox").check()
    page.get_by_role("button", name="Add people").click()
    expect(page.get_by_text("Send invitations now?")).to_be_visible()
    axe(page)
    for path in ("addresses", "agreements"):
        page.goto(f"{root}/{path}")
        axe(page)
    page.get_by_role("link", name="Care for Contoso Ltd").click()
    axe(page)
