"""The second step in a real browser: set up on the first start, asked for at each sign-in, with an app, a passkey or a paper code."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import people as do
from tests.fixtures.begun import Begin
from tests.fixtures.browser import OpenPage, axe, expect_status
from tests.fixtures.server import LiveServer

pytestmark = pytest.mark.browser
SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["javascript", "no-javascript"])
OLGA = "olga@csirt.example"
WIDTHS = (320, 360, 768, 1440)


def security_key(page: Page) -> None:
    """Put a device into the browser that makes passkeys without asking."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def look(page: Page, *, scripts: bool = True) -> None:
    """Nothing for axe-core to find, and no sideways scrolling."""
    if not scripts:
        return
    axe(page)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{page.url} at {width}"
    page.set_viewport_size({"width": 1280, "height": 720})


def leave(page: Page) -> None:
    page.locator(".account-menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/sign-in$"))


def password(page: Page, server: LiveServer, face: str = "console", email: str = OLGA) -> None:
    """As far as the second step."""
    page.goto(f"{server.url}/{face}/sign-in")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(do.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()


@SCRIPTS
def test_the_first_administrator_is_led_through_it(live_server: LiveServer, open_page: OpenPage, scripts: bool) -> None:
    page = open_page(java_script_enabled=scripts)
    expect_status(page, 422)
    page.goto(live_server.printed(r"(http://\S+/set-up/\S+)")[1])
    for label, text in (("Your security team", "Northwind"), ("Your name", "Olga Reyes"), ("E-mail address", OLGA)):
        page.get_by_label(label).fill(text)
    page.get_by_label("Password", exact=True).fill(do.PASSWORD)
    page.get_by_label("The same password again").fill(do.PASSWORD)
    page.get_by_role("button", name="Create team and account").click()
    expect(page.get_by_role("heading", name="Set up a second step")).to_be_visible()
    expect(page.get_by_text("Passkeys need this product to be reached by a name, over https.")).to_be_visible()
    look(page, scripts=scripts)
    page.goto(f"{live_server.url}/console/cases")
    expect(page.get_by_role("heading", name="Set up a second step")).to_be_visible()
    page.get_by_role("link", name="Set up an app").click()
    look(page, scripts=scripts)
    page.get_by_label("Your password").fill("not this one")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Your password is not right.").first).to_be_visible()
    page.get_by_label("Your password").fill(do.PASSWORD)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("img", name=re.compile("QR code"))).to_be_visible()
    look(page, scripts=scripts)
    page.get_by_label("Code the app shows now").fill("000000")
    page.get_by_role("button", name="Use this app").click()
    expect(page.get_by_text("This code is not right.").first).to_be_visible()
    phone = do.Authenticator(page.locator("code.secret").inner_text())
    page.get_by_label("Code the app shows now").fill(phone.code())
    page.get_by_role("button", name="Use this app").click()
    expect(page.get_by_role("heading", name="Keep your recovery codes")).to_be_visible()
    look(page, scripts=scripts)
    codes = page.get_by_label("Recovery codes").input_value().split()
    assert len(codes) == 10
    page.get_by_role("button", name="I have kept them").click()
    expect(page).to_have_url(re.compile("/console/cases"))
    leave(page)
    come_in(page, live_server, phone, codes, scripts=scripts)


def come_in(page: Page, server: LiveServer, phone: do.Authenticator, codes: list[str], *, scripts: bool) -> None:
    """Wrong code, right code; and another day with a code from paper."""
    password(page, server)
    look(page, scripts=scripts)
    page.get_by_label("Code from your app").fill("123456")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_text("This code is not right.").first).to_be_visible()
    page.get_by_label("Code from your app").fill(phone.code())
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page).to_have_url(re.compile("/console/cases"))
    leave(page)
    password(page, server)
    page.get_by_text("Use a recovery code").click()
    page.get_by_label("Recovery code", exact=True).fill(codes[0].lower())
    page.get_by_role("button", name="Sign in with this code").click()
    expect(page.get_by_text("You have 9 recovery codes left.")).to_be_visible()


def test_a_passkey_lets_in_and_can_be_removed(begin: Begin, page: Page) -> None:
    security_key(page)
    server = begin(page, name="localhost")  # by a name, so that browsers offer passkeys
    page.goto(f"{server.url}/console/account/second-step")
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Your password").fill(do.PASSWORD)
    page.get_by_role("button", name="Continue").click()
    look(page)
    page.get_by_role("button", name="Make the passkey").click()
    assert page.get_by_label("Name of this passkey").evaluate("field => field.validity.valueMissing")
    page.get_by_label("Name of this passkey").fill("Work laptop")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The passkey is set up.")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="Work laptop")).to_contain_text("not used yet")
    look(page)
    leave(page)
    password(page, server)
    look(page)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(re.compile("/console/cases"))
    page.goto(f"{server.url}/console/account/second-step")
    expect(page.get_by_role("listitem").filter(has_text="Work laptop")).to_contain_text("last used")
    page.get_by_role("link", name="Remove Work laptop").click()
    look(page)
    page.get_by_label("Your password").fill(do.PASSWORD)
    page.get_by_role("button", name="Remove the passkey").click()
    expect(page.get_by_text("The passkey is removed.")).to_be_visible()
    expect(page.get_by_text("Work laptop")).to_have_count(0)


@pytest.mark.long
def test_the_same_device_is_not_taken_twice_and_says_so(begin: Begin, page: Page) -> None:
    security_key(page)
    server = begin(page, name="localhost")  # by a name, so that browsers offer passkeys
    for name in ("Laptop", "Again"):
        page.goto(f"{server.url}/console/account/second-step/begin/passkey")
        page.get_by_label("Your password").fill(do.PASSWORD)
        page.get_by_role("button", name="Continue").click()
        page.get_by_label("Name of this passkey").fill(name)
        page.get_by_role("button", name="Make the passkey").click()
        if name == "Laptop":
            expect(page.get_by_text("The passkey is set up.")).to_be_visible()
    expect(page.get_by_role("alert").filter(has_text="has a passkey for your account already")).to_be_visible()
    axe(page)


@pytest.mark.long
def test_a_passkey_page_without_javascript_says_why(begin: Begin, no_js_page: Page) -> None:
    page = no_js_page
    server = begin(page, name="localhost")  # by a name, so that browsers offer passkeys
    page.goto(f"{server.url}/console/account/second-step/begin/passkey")
    page.get_by_label("Your password").fill(do.PASSWORD)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("A passkey needs JavaScript, which does not run in this browser.")).to_be_visible()
    expect(page.get_by_role("button", name="Make the passkey")).to_have_count(0)


def test_a_guest_can_protect_an_account_too(demo_server: LiveServer, phone_page: Page) -> None:
    page, email = phone_page, "beatriz.quintanar@northwind.example"
    sample = (demo_server.instance / "sample-password").read_text().strip()
    do.sign_in(page, demo_server, "portal", email, sample)
    page.goto(f"{demo_server.url}/portal/account")
    page.get_by_role("link", name="Set up or change the second step").click()
    look(page)
    expect(page.get_by_role("link", name="Set up an app")).to_be_visible()


@pytest.mark.long
def test_the_last_administrator_is_helped_on_the_command_line(live_server: LiveServer, page: Page) -> None:
    do.set_up(page, live_server)
    assert "Nobody has an account" in live_server.portal("reset-mfa", "nobody@csirt.example").stderr
    done = live_server.portal("reset-mfa", OLGA)
    assert (done.returncode, "Olga Reyes can sign in with the password alone now" in done.stdout) == (0, True), done.stderr
    assert "no second step" in live_server.portal("reset-mfa", OLGA).stderr
    page.goto(f"{live_server.url}/console/cases")
    page.get_by_label("E-mail address").fill(OLGA)
    page.get_by_label("Password", exact=True).fill(do.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Set up a second step")).to_be_visible()
