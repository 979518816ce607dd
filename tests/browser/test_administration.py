"""The platform's administrator makes profiles and organisations and meets every refusal, with and without JavaScript."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser import people as do
from tests.fixtures.browser import OpenPage, axe, expect_status
from tests.fixtures.server import LiveServer, Start

pytestmark = pytest.mark.browser
SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["javascript", "no-javascript"])
ORSOLYA, INES = "orsolya.keresztes@it.northwind.example", "ines.carvalhal@csirt.northwind.example"


def signed_in(page: Page, server: LiveServer, email: str = ORSOLYA) -> Page:
    do.sign_in(page, server, "console", email, (server.instance / "sample-password").read_text().strip())
    return page


def expect_ticked(page: Page, count: int | None) -> None:
    """So many permissions in an organisation are ticked; None: all."""
    boxes = page.locator("input[name=organisation_permissions]")
    expect(boxes.and_(page.locator(":not(:checked)" if count is None else ":checked"))).to_have_count(count or 0)


def logo() -> bytes:
    """A small picture."""
    made = BytesIO()
    Image.new("RGB", (300, 200), "teal").save(made, "PNG")
    return made.getvalue()


@SCRIPTS
def test_pia_can_manage_profiles(start_server: Start, open_page: OpenPage, scripts: bool) -> None:
    server = start_server("demo")
    page = signed_in(open_page(java_script_enabled=scripts), server)
    expect_status(page, 422)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Profiles").click()
    page.get_by_role("link", name="New profile").click()

    page.get_by_role("radio", name=re.compile("^External")).check()
    expect(page.get_by_role("checkbox", name=re.compile("Write messages"))).to_be_visible()
    expect(page.get_by_role("checkbox", name=re.compile("Create cases"))).to_be_hidden()
    page.get_by_role("radio", name=re.compile("^Organisation")).check()
    page.get_by_label("Name", exact=True).fill("org-admin")
    page.get_by_role("button", name="Select all").click()
    expect_ticked(page, None)
    page.get_by_role("button", name="Create profile").click()
    expect(page.locator("#name-error")).to_have_text("There is already a profile called Org-Admin. Choose another name.")
    expect_ticked(page, None)
    page.get_by_label("Name", exact=True).fill("Night shift")
    page.get_by_label("Name", exact=True).press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Night shift")

    page.get_by_role("button", name="Select none").click()
    expect_ticked(page, 0)
    page.get_by_role("checkbox", name=re.compile("Edit and close cases")).check()
    page.get_by_role("button", name="Save profile").click()
    expect(page.get_by_text("The profile Night shift is saved.")).to_be_visible()
    expect_ticked(page, 1)

    page.get_by_role("link", name="Duplicate").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Night shift copy")
    expect_ticked(page, 1)

    page.goto(f"{server.url}/console/profiles")
    page.get_by_role("link", name="Night shift").click()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete profile").click()
    expect(page.get_by_text("The profile Night shift is deleted.")).to_be_visible()
    page.get_by_role("link", name="Analyst").click()
    page.get_by_role("link", name="Delete").click()
    expect(page.get_by_text(re.compile(r"\d people have the profile Analyst\."))).to_be_visible()


@SCRIPTS
def test_pia_can_manage_organisations(start_server: Start, open_page: OpenPage, scripts: bool) -> None:
    server = start_server("demo")
    page, ines = (open_page(java_script_enabled=scripts) for _ in range(2))
    signed_in(ines, server, INES)
    signed_in(page, server)
    expect_status(page, 422)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Organisations", exact=True).click()
    page.get_by_role("link", name="New organisation").click()
    page.get_by_label("Name", exact=True).fill("northwind csirt")
    page.get_by_label("Description").fill("They look after ships.")
    page.get_by_role("button", name="Create organisation").click()
    expect(page.locator("#name-error")).to_contain_text("There is already an organisation called Northwind CSIRT.")
    page.get_by_label("Name", exact=True).fill("Harbour Watch")
    page.get_by_role("radio", name=re.compile("As the team")).check()
    page.get_by_role("button", name="Create organisation").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Harbour Watch")
    expect(page.get_by_role("radio", name=re.compile("As the team"))).to_be_checked()

    page.get_by_label("New picture").set_input_files({"name": "logo.png", "mimeType": "image/png", "buffer": b"words"})
    page.get_by_role("button", name="Upload picture").click()
    expect(page.locator("#picture-error")).to_contain_text("This is not a PNG or JPEG picture.")
    page.get_by_label("New picture").set_input_files({"name": "logo.png", "mimeType": "image/png", "buffer": logo()})
    page.get_by_role("button", name="Upload picture").click()
    shown = page.get_by_role("img", name="The picture of Harbour Watch now")
    expect(shown).to_be_visible()
    expect(shown).to_have_js_property("naturalWidth", 256)
    page.get_by_role("button", name="Remove picture").click()
    expect(shown).to_have_count(0)

    page.get_by_role("link", name="Organisations", exact=True).first.click()
    page.get_by_label("Find an organisation by name").fill("NORTH")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("link", name="Harbour Watch")).to_have_count(0)
    page.get_by_role("link", name="Northwind CSIRT").click()
    page.get_by_role("link", name="Lock").click()
    expect(page.get_by_text(re.compile(r"\d+ people work only here\."))).to_be_visible()
    page.get_by_role("button", name="Lock organisation").click()
    expect(page.get_by_text("This organisation is locked.")).to_be_visible()
    ines.goto(f"{server.url}/console/cases")
    expect(ines).to_have_url(re.compile("/console/sign-in"))
    page.get_by_role("button", name="Unlock").click()
    expect(page.get_by_role("link", name="Lock")).to_be_visible()
    signed_in(ines, server, INES)


@pytest.mark.long
def test_the_pages_of_administration_are_accessible(demo_server: LiveServer, page: Page) -> None:
    signed_in(page, demo_server)
    paths = ["profiles", "profiles/new", "profiles/1", "profiles/3", "profiles/3/delete", "profiles/2/delete"]
    paths += ["organisations", "organisations?q=zzz", "organisations/new", "organisations/1", "organisations/2", "organisations/2/lock"]
    for path in paths:
        page.goto(f"{demo_server.url}/console/{path}")
        assert page.locator("h1").count() == 1, path
        axe(page)
        for width in (320, 768, 1440):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
