"""The story of issue one, in a real browser with a real mail server: invite, share, answer, revoke; with and without JavaScript."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import people as do
from tests.fixtures.begun import Begin
from tests.fixtures.browser import OpenPage, axe, expect_status, settled
from tests.fixtures.post import PostOffice
from tests.fixtures.server import Start

pytestmark = pytest.mark.browser
SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["javascript", "no-javascript"])


@SCRIPTS
def test_an_analyst_can_share_one_comment_and_take_everything_back(
    start_server: Start, smtp_server: PostOffice, open_page: OpenPage, scripts: bool
) -> None:
    server = start_server(**smtp_server.environ)
    olga, hanna = open_page(java_script_enabled=scripts), open_page(java_script_enabled=scripts)
    do.set_up(olga, server)
    do.invite(olga, server, "Hanna Weiss", "hanna@client.example")
    letter = do.letter_to(smtp_server, "hanna@client.example")
    link = do.link_in(letter)
    do.accept(hanna, link)
    expect(hanna.get_by_text("Somebody wrote to payroll")).to_have_count(0)

    address = do.open_case(olga, server, "Odd mail to payroll")
    do.note(olga, "The sender is our suspect.")
    do.note(olga, "Please do not open the attachment.")
    portal_address = address.replace("/console/", "/portal/")
    expect_status(hanna, 404)
    assert hanna.goto(portal_address).status == 404  # type: ignore[union-attr]

    share_with(olga, "Hanna Weiss")
    expect(olga.locator("#case-1-banner")).to_contain_text("Hanna Weiss")
    make_external(olga, "Please do not open the attachment.")
    olga.goto(f"{server.url}/console/cases")
    expect(olga.locator("#case-1-badge")).to_contain_text("1")

    hanna.goto(portal_address)
    expect(hanna.get_by_text("Please do not open the attachment.")).to_be_visible()
    expect(hanna.get_by_text("The sender is our suspect.")).to_have_count(0)
    hanna.locator("textarea[name=message]").fill("I have opened it already, sorry.")
    hanna.get_by_role("button", name="Send message").click()
    expect(hanna.locator("article", has_text="I have opened it already, sorry.")).to_be_visible()

    olga.goto(address)
    expect(do.comment(olga, "I have opened it already, sorry.")).to_contain_text("External")
    make_internal(olga, "Please do not open the attachment.")
    hanna.reload()
    expect(hanna.get_by_text("Please do not open the attachment.")).to_have_count(0)

    revoke(olga)
    assert hanna.goto(portal_address).status == 404  # type: ignore[union-attr]
    hanna.goto(f"{server.url}/portal/")
    expect(hanna.get_by_text("Odd mail to payroll")).to_have_count(0)


def open_drawer(page: Page) -> None:
    page.get_by_role("link", name="Manage external access").first.click()
    expect(page.get_by_label("Selected external users")).to_be_visible()


def share_with(page: Page, name: str) -> None:
    open_drawer(page)
    page.get_by_label("Selected external users").check()
    page.get_by_label(name).check()
    confirm(page)


def confirm(page: Page) -> None:
    """Press the drawer's (or the page's) primary button, whatever effect it names."""
    settled(page).locator("#access-confirm").click()
    expect(page.locator("dialog[open]")).to_have_count(0)
    if settled(page).get_by_text("Nothing is changed yet.").count():  # without JavaScript the first click shows the effect
        page.locator("#access-confirm").click()


def revoke(page: Page) -> None:
    open_drawer(page)
    page.get_by_role("radio", name=re.compile("^Internal")).check()
    confirm(page)
    expect(page.locator("#case-1-banner")).not_to_contain_text("Hanna")


def comment_menu(page: Page, text: str) -> None:
    page.locator("article", has_text=text).locator("summary").click()


def make_external(page: Page, text: str) -> None:
    decide(page, text, "Make external")
    expect(page.locator("article", has_text=text)).to_contain_text("External")


def make_internal(page: Page, text: str) -> None:
    decide(page, text, "Make internal")
    expect(page.locator("article.comment:not(.external)", has_text=text)).to_contain_text("Internal")


def decide(page: Page, text: str, what: str) -> None:
    """Choose it in the comment's menu, then confirm in the drawer (or on its page)."""
    comment_menu(page, text)
    page.locator("article", has_text=text).get_by_role("link", name=what).click()
    page.get_by_role("button", name=what).click()
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_an_invitation_cannot_be_used_twice(begin: Begin, smtp_server: PostOffice, open_page: OpenPage) -> None:
    olga, hanna, mallory = open_page(), open_page(), open_page()
    server = begin(olga, **smtp_server.environ)
    do.invite(olga, server, "Hanna Weiss", "hanna@client.example")
    link = do.link_in(do.letter_to(smtp_server, "hanna@client.example"))
    for _ in range(3):  # what mail scanners do
        assert mallory.request.get(link).status == 200
    do.accept(hanna, link)
    expect_status(mallory, 410)
    assert mallory.goto(link).status == 410  # type: ignore[union-attr]
    expect(mallory.get_by_role("button", name=re.compile("link"))).to_be_visible()
    axe(mallory)


def test_without_mail_the_console_says_so_and_the_invitation_waits(begin: Begin, smtp_server: PostOffice, page: Page) -> None:
    smtp_server.stop()
    server = begin(page, **smtp_server.environ, PORTAL_MAIL_RETRY_SECONDS="1")
    do.invite(page, server, "Hanna Weiss", "hanna@client.example")
    page.goto(f"{server.url}/console/people")
    expect(page.get_by_role("row", name=re.compile("Hanna"))).to_contain_text("Invitation waiting")
    axe(page)
    smtp_server.start()
    do.letter_to(smtp_server, "hanna@client.example")
    row = page.get_by_role("row", name=re.compile("Hanna"))
    for _ in range(20):  # what was sent is written down after it was sent
        page.reload()
        if "Invited" in row.inner_text():
            break
    expect(row).to_contain_text("Invited")


@SCRIPTS
def test_a_session_that_ends_while_typing_loses_nothing(begin: Begin, open_page: OpenPage, scripts: bool) -> None:
    page = open_page(java_script_enabled=scripts)
    expect_status(page, 401, 400)
    server = begin(page)
    address = do.open_case(page, server, "A long story")
    page.locator("textarea[name=message]").fill("Typed for an hour.")
    page.context.clear_cookies(name="console")
    page.get_by_role("button", name="Add internal note").click()
    if scripts:
        expect(page.get_by_text("You have been signed out")).to_be_visible()
        expect(page.locator("textarea[name=message]")).to_have_value("Typed for an hour.")
        do.sign_in(page.context.new_page(), server, "console", "olga@csirt.example")
        page.get_by_role("button", name="Add internal note").click()
        expect(page.get_by_text("You have signed in again")).to_be_visible()
        page.get_by_role("button", name="Add internal note").click()
        expect(page.locator("article", has_text="Typed for an hour.")).to_have_count(1)
        return
    expect(page.get_by_text("Typed for an hour.")).to_be_visible()
    page.get_by_label("E-mail address").fill("olga@csirt.example")
    page.get_by_label("Password", exact=True).fill(do.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    do.second_step(page, server, "olga@csirt.example")
    page.get_by_role("button", name=re.compile("Send")).click()
    expect(page).to_have_url(re.compile(address.rsplit("/", 1)[1]))
    expect(page.locator("article", has_text="Typed for an hour.")).to_have_count(1)


def test_a_double_click_sends_once(begin: Begin, page: Page) -> None:
    server = begin(page)
    do.open_case(page, server, "Twice")
    page.locator("textarea[name=message]").fill("Only once.")
    page.get_by_role("button", name="Add internal note").dblclick()
    expect(page.locator("article", has_text="Only once.")).to_have_count(1)
    page.reload()
    expect(page.locator("article", has_text="Only once.")).to_have_count(1)
