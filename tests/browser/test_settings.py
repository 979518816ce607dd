"""Settings as an administrator meets them: mail tried out and saved, a policy that bites, with and without JavaScript."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import create_engine, insert

from portal.database import driver
from portal.settings.models import Setting
from tests.browser.people import set_up
from tests.fixtures.browser import OpenPage, axe, expect_status
from tests.fixtures.post import PostOffice, free_port
from tests.fixtures.server import LiveServer

pytestmark = pytest.mark.browser


def administrate(page: Page, server: LiveServer) -> None:
    """Make the first administrator, of whom no second step is asked, and open the platform's settings."""
    url = server.environ.get("PORTAL_DATABASE_URL", f"sqlite:///{server.instance}/portal.sqlite")
    options = {"module": driver()} if url.startswith("sqlite") else {}
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"), **options)
    with engine.begin() as connection:
        value = {"mfa_admin": False, "mfa_organisation": False}
        connection.execute(insert(Setting).values(name="sign_in", value=value, version=1))
    engine.dispose()
    set_up(page, server)
    page.get_by_role("button", name="Administration").click()
    page.goto(f"{server.url}/console/settings/mail")


@pytest.mark.parametrize("scripted", [True, False], ids=["with-script", "without-script"])
def test_an_administrator_sets_up_mail(live_server: LiveServer, open_page: OpenPage, smtp_server: PostOffice, scripted: bool) -> None:
    page = open_page(java_script_enabled=scripted)
    expect_status(page, 422)
    administrate(page, live_server)
    expect(page.get_by_text("Mail is not set up")).to_be_visible()
    page.get_by_role("textbox", name="Mail server").fill("mail.example.org")
    page.get_by_label("None").check()
    page.get_by_label("Password", exact=True).fill("open-sesame-please")
    page.get_by_role("button", name="Save mail settings").click()
    expect(page.get_by_role("alert").get_by_text("Without encryption anybody on the way")).to_be_visible()
    if scripted:
        axe(page)
    page.get_by_role("textbox", name="Mail server").fill("127.0.0.1")
    page.get_by_label("Port").fill(str(free_port()))
    page.get_by_role("button", name="Send a test letter").click()
    expect(page.get_by_text("nobody answers at the server's address")).to_be_visible()
    assert "open-sesame-please" not in page.content()
    page.get_by_label("Port").fill(str(smtp_server.port))
    page.get_by_role("button", name="Send a test letter").click()
    expect(page.get_by_text("accepted the test letter to olga@csirt.example")).to_be_visible()
    page.get_by_role("button", name="Save mail settings").click()
    expect(page.get_by_text("The mail settings are saved.")).to_be_visible()
    expect(page.get_by_text("A password is kept.")).to_be_visible()
    expect(page.get_by_text("Mail is not set up")).to_have_count(0)
    if scripted:
        axe(page)
    assert [str(letter["Subject"]) for letter in smtp_server.messages] == ["Test mail"]


@pytest.mark.parametrize("scripted", [True, False], ids=["with-script", "without-script"])
def test_an_administrator_says_how_people_sign_in(live_server: LiveServer, open_page: OpenPage, scripted: bool) -> None:
    page = open_page(java_script_enabled=scripted)
    expect_status(page, 422)
    administrate(page, live_server)
    page.get_by_role("link", name="Signing in").click()
    expect(page).to_have_url(re.compile("/settings/sign-in$"))
    page.get_by_label("Shortest password").fill("20")
    page.get_by_role("region", name="Signed out of the portal").get_by_label("Without a click for").fill("720")
    page.get_by_role("button", name="Save sign-in settings").click()
    expect(page.get_by_role("alert").get_by_text("This must be shorter than the longest time signed in, which is 8 h.")).to_be_visible()
    page.get_by_role("region", name="Signed out of the portal").get_by_label("Without a click for").fill("60")
    page.get_by_role("button", name="Save sign-in settings").click()
    expect(page.get_by_text("The sign-in settings are saved.")).to_be_visible()
    expect(page.get_by_label("Shortest password")).to_have_value("20")
    if scripted:
        axe(page)
