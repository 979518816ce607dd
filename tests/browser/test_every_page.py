"""Every page of the sample world: axe-core finds nothing in either theme, nothing overflows a phone, nothing leaves the host."""

from __future__ import annotations

import os
import re
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from tests.browser import people as do
from tests.fixtures.browser import COLOURS, OpenPage, axe, expect_status
from tests.fixtures.server import LiveServer

pytestmark = pytest.mark.browser

CONSOLE = [
    "/console/cases",
    "/console/cases?shared=selected&severity=3",
    "/console/cases?stage=New&severity=1&mine=me",
    "/console/cases/new",
    "{case}",
    "{case}/edit",
    "{case}/history",
    "{case}/access",
    "{case}/restriction",
    "{case}/close",
    "{case}/delete",
    "/console/feed",
    "/console/people",
    "/console/people/new",
    "/console/account",
    "/console/account/second-step",
    "/console/account/second-step/begin/app",
    "/console/cases/999999",
]
# What hangs on a case: {task}, {file} and {observable} are found on their lists.
HUNG = [
    "{case}/attachments",
    "{file}/external",
    "{file}/remove",
    "{case}/attachments/bulk?act=internal&files={file_uid}",
    "{case}/observables",
    "{case}/observables/new",
    "{case}/observables/files",
    "{observable}/edit",
    "{observable}/delete",
    "{observable}/elsewhere",
    "{case}/observables/bulk?act=change&observables={observable_uid}",
    "{case}/observables/bulk?act=delete&observables={observable_uid}",
    "{case}/observables?q=hl",
    "{case}/tasks",
    "{case}/tasks/new",
    "{task}",
    "{task}/edit",
    "{task}/delete",
    "{case}/fields",
    "{case}/facts/severity",
    "{case}/seen",
    "{case}/view-as",
    "{case}/letters",
    "{case}/history?show=access",
]
LISTS = [
    "/console/cases?q=harbourline+server",
    "/console/cases/bulk/assign?case=10&case=11",
    "/console/cases/bulk/tags?case=10&case=11",
    "/console/cases/bulk/share?case=10&case=11",
    "/console/cases/bulk/delete?case=10&case=11",
    "/console/tasks",
    "/console/notices",
    "/console/templates",
    "/console/templates/new",
    "/console/templates/1",
]
# {party} is Harbourline, of whom everything is known; {contact} and {agreement} are found on its lists.
PARTIES = [
    "/console/external-organisations",
    "/console/external-organisations/new",
    "{party}",
    "{party}/people",
    "{party}/people/add",
    "{party}/people/act?act=deactivate&people={person}",
    "{party}/people/act?act=roles&people={person}",
    "{party}/contacts",
    "{party}/contacts/new",
    "{contact}",
    "{contact}/delete",
    "{contact}/merge?other={other}",
    "{party}/agreements",
    "{party}/agreements/new",
    "{agreement}",
    "{agreement}/delete",
    "{party}/addresses",
    "{party}/cases",
]
PLATFORM = [
    "/console/custom-fields",
    "/console/custom-fields/new",
    "/console/custom-fields/1",
    "/console/custom-fields/1/delete",
    "/console/statuses",
    "/console/statuses/new",
    "/console/statuses/1",
    "/console/observable-types",
]
PORTAL = [
    "/portal/",
    "/portal/cases/filter",
    "{case}",
    "/portal/report",
    "/portal/account",
    "/portal/account/letters",
    "/portal/account/second-step",
    "/portal/cases/999999",
]
# {person} is somebody of Harbourline, whose administrator looks at these.
OWN_ORGANISATION = [
    "/portal/",
    "{case}",
    "/portal/account",
    "/portal/organisation",
    "/portal/organisation/people",
    "/portal/organisation/people?state=locked",
    "/portal/organisation/people/add",
    "/portal/organisation/people/act?act=deactivate&people={person}",
    "/portal/organisation/people/act?act=roles&people={person}",
    "/portal/organisation/addresses",
    "/portal/organisation/agreements",
    "{agreement}",
]
DOOR = ["/console/sign-in", "/portal/sign-in/step", "/portal/sign-in", "/portal/forgotten", "/new-link", "/invitation/broken", "/nowhere"]
A_CASE = "a[href*='/portal/cases/']:has(.number)"
WIDTHS = (320, 360, 768, 1440)
# axe-core at which width in which theme; PORTAL_TEST_LONG=1 takes every theme at every width.
LONG = os.environ.get("PORTAL_TEST_LONG") == "1"
FEW: dict[int, tuple[str, ...]] = {360: ("light",), 768: ("dark",), 1440: ("light",)}
AXE = dict.fromkeys((360, 768, 1440), ("light", "dark")) if LONG else FEW
# A theme changes nothing but colours.
RULES: dict[str, dict[str, Any]] = {"light": {}, "dark": COLOURS}


def sample_password(server: LiveServer) -> str:
    return (server.instance / "sample-password").read_text().strip()


def check(page: Page, url: str, looks: dict[int, tuple[str, ...]] = AXE) -> None:
    """One page: one first heading, and at no width a finding or sideways scrolling. `looks`: axe-core at which width in which themes."""
    answer = page.goto(url)
    assert page.locator("h1").count() == 1, url
    assert answer is not None
    assert answer.url.partition("?")[0] == url.partition("?")[0], f"{url} leads to {answer.url}"
    page.evaluate(AXE_SCRIPT)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{url} is {wide} px wide on a screen of {width}"
        for theme in looks.get(width, ()):
            page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            asked = {"resultTypes": ["violations"], **RULES[theme]}
            found = page.evaluate("rules => axe.run(rules).then(told => told.violations)", asked)
            told = [(finding["id"], [node["html"][:200] for node in finding["nodes"]]) for finding in found]
            assert not told, f"{url} at {width}, {theme}: {told}"


@pytest.mark.long
def test_every_console_page(demo_server: LiveServer, page: Page) -> None:
    expect_status(page, 404)
    do.sign_in(page, demo_server, "console", "ines.carvalhal@csirt.northwind.example", sample_password(demo_server))
    page.goto(f"{demo_server.url}/console/cases?shared=selected")
    case = page.locator("table a[href*='/console/cases/']").first.get_attribute("href")
    for path in CONSOLE:
        check(page, demo_server.url + path.format(case=case))


@pytest.mark.long
def test_every_page_of_what_hangs_on_a_case(demo_server: LiveServer, page: Page) -> None:
    do.sign_in(page, demo_server, "console", "ines.carvalhal@csirt.northwind.example", sample_password(demo_server))
    known = {"case": "/console/cases/10"}  # has everything
    for name, where, link in (
        ("task", "tasks", "a[href*='/tasks/']:not([href$='/new'])"),
        ("file", "attachments", "a[href*='/attachments/'][href$='/remove']"),
        ("observable", "observables", "a[href*='/observables/'][href$='/edit']"),
    ):
        page.goto(f"{demo_server.url}{known['case']}/{where}")
        found = page.locator(f"main {link}").first.get_attribute("href") or ""
        known[name] = re.sub(r"/(edit|remove)$", "", found.partition("?")[0])
        known[f"{name}_uid"] = known[name].rpartition("/")[2]
    for path in HUNG:
        check(page, demo_server.url + path.format(**known))


@pytest.mark.long
def test_every_page_about_several_cases(demo_server: LiveServer, page: Page) -> None:
    do.sign_in(page, demo_server, "console", "ines.carvalhal@csirt.northwind.example", sample_password(demo_server))
    for path in LISTS:
        check(page, demo_server.url + path)


@pytest.mark.long
def test_every_page_about_external_organisations(demo_server: LiveServer, page: Page) -> None:
    do.sign_in(page, demo_server, "console", "ines.carvalhal@csirt.northwind.example", sample_password(demo_server))
    page.goto(f"{demo_server.url}/console/external-organisations")
    known = {"party": page.get_by_role("link", name="Harbourline Freight").get_attribute("href") or ""}
    page.goto(f"{demo_server.url}{known['party']}/people")
    known["person"] = page.locator("input[name=people]").first.get_attribute("value") or ""
    page.goto(f"{demo_server.url}{known['party']}/contacts")
    known["contact"] = page.get_by_role("link", name="Ingrid Voll").get_attribute("href") or ""
    known["other"] = (page.get_by_role("link", name="Marit Solbakken").get_attribute("href") or "").rpartition("/")[2]
    page.goto(f"{demo_server.url}{known['party']}/agreements")
    known["agreement"] = page.get_by_role("link", name="NC-2026-014").first.get_attribute("href") or ""
    for path in PARTIES:
        check(page, demo_server.url + path.format(**known))


@pytest.mark.long
def test_every_page_of_the_platform(demo_server: LiveServer, page: Page) -> None:
    do.sign_in(page, demo_server, "console", "orsolya.keresztes@it.northwind.example", sample_password(demo_server))
    for path in PLATFORM:
        check(page, demo_server.url + path)


def test_every_portal_page(demo_server: LiveServer, page: Page) -> None:
    expect_status(page, 404)
    do.sign_in(page, demo_server, "portal", "beatriz.quintanar@northwind.example", sample_password(demo_server))
    case = page.locator(A_CASE).first.get_attribute("href")
    for path in PORTAL:
        check(page, demo_server.url + path.format(case=case))


@pytest.mark.long
@pytest.mark.parametrize("language", ["fr", "de", "es"] if LONG else ["de"])  # whose words are longest
def test_every_portal_page_in_other_languages(demo_server: LiveServer, open_page: OpenPage, language: str) -> None:
    """Words of another length at all widths; what axe-core says of themes and widths does not hang on the language."""
    page = open_page()
    page.context.add_cookies([{"name": "language", "value": language, "url": demo_server.url}])
    expect_status(page, 404, 410)
    looks = AXE if LONG else {360: ("light",)}
    for path in DOOR:
        if not path.startswith("/console"):
            check(page, demo_server.url + path, looks)
            expect(page.locator("html")).to_have_attribute("lang", language)
    enter_portal(page, demo_server, "beatriz.quintanar@northwind.example")
    case = page.locator(A_CASE).first.get_attribute("href")
    for path in PORTAL:
        check(page, demo_server.url + path.format(case=case), looks)
        expect(page.locator("html")).to_have_attribute("lang", language)


def enter_portal(page: Page, server: LiveServer, email: str) -> None:
    """Sign in whatever the language is."""
    page.goto(f"{server.url}/portal/sign-in")
    page.locator("input[name=email]").fill(email)
    page.locator("input[name=password]").fill(sample_password(server))
    page.locator("input[name=password]").press("Enter")


@pytest.mark.long
@pytest.mark.parametrize("language", ["en", "fr", "de", "es"] if LONG else ["en", "fr"])
def test_every_page_of_ones_own_organisation(demo_server: LiveServer, open_page: OpenPage, language: str) -> None:
    page = open_page()
    page.context.add_cookies([{"name": "language", "value": language, "url": demo_server.url}])
    enter_portal(page, demo_server, "marit.solbakken@harbourline.example")
    known = {"case": page.locator(A_CASE).first.get_attribute("href")}
    page.goto(f"{demo_server.url}/portal/organisation/agreements")
    known["agreement"] = page.locator("main a[href*='/agreements/']").first.get_attribute("href")
    page.goto(f"{demo_server.url}/portal/organisation/people")
    known["person"] = page.locator("input[name=people]").first.get_attribute("value")
    for width in (320, 360):
        page.set_viewport_size({"width": width, "height": 800})
        page.locator("input[name=people]").first.check()
        page.locator(".own-people .menu > summary").first.click()
        inside(page, "#people .bulk", width)
        inside(page, ".own-people .menu[open] .menu-sheet", width)
        page.reload()
    for path in OWN_ORGANISATION:
        check(page, demo_server.url + path.format(**known), AXE if LONG or language == "en" else {360: ("light",)})
        if path == "{case}":
            steps_stand_apart(page)


def inside(page: Page, what: str, width: int) -> None:
    box = page.locator(what).bounding_box()
    assert box is not None, what
    assert box["x"] >= 0, what
    assert box["x"] + box["width"] <= width, f"{what} ends at {box['x'] + box['width']:.0f} of {width} px"


def steps_stand_apart(page: Page) -> None:
    """The words of the three steps of a case."""
    for width in (320, 360):
        page.set_viewport_size({"width": width, "height": 800})
        words = [word.bounding_box() for word in page.locator(".timeline strong").all()]
        ends = [(word["x"], word["x"] + word["width"]) for word in words if word]
        assert len(ends) == 3
        assert ends[0][1] < ends[1][0] < ends[1][1] < ends[2][0] < ends[2][1] <= width, ends


def test_every_page_of_the_front_door(demo_server: LiveServer, page: Page) -> None:
    expect_status(page, 404, 410)
    for path in DOOR:
        check(page, demo_server.url + path)


def test_the_open_drawer_is_accessible_and_closes_with_escape(demo_server: LiveServer, page: Page) -> None:
    do.sign_in(page, demo_server, "console", "ines.carvalhal@csirt.northwind.example", sample_password(demo_server))
    page.goto(f"{demo_server.url}/console/cases?shared=selected")
    page.locator("table a[href*='/console/cases/']").first.click()
    expect(page).to_have_url(re.compile(r"/console/cases/\d+"))
    page.wait_for_load_state()  # the scripts of the page run last
    opener = page.get_by_role("link", name="Manage external access").first
    opener.focus()
    page.keyboard.press("Enter")
    expect(page.locator("dialog[open]")).to_be_visible()
    axe(page)
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(opener).to_be_focused()


def test_an_analyst_can_share_with_the_keyboard_alone(demo_server: LiveServer, page: Page) -> None:
    """Open the drawer, walk to a choice and back out, without a mouse; the sample world stays as it was."""
    do.sign_in(page, demo_server, "console", "ines.carvalhal@csirt.northwind.example", sample_password(demo_server))
    page.goto(f"{demo_server.url}/console/cases?shared=not&stage=InProgress")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/console/cases/\d+"))
    page.wait_for_load_state()
    link = page.get_by_role("link", name="Manage external access").first
    for _ in range(60):
        page.keyboard.press("Tab")
        if link.evaluate("e => e === document.activeElement"):
            break
    page.keyboard.press("Enter")
    dialog = page.locator("dialog[open]")
    expect(dialog).to_be_visible()
    expect(dialog.locator(":focus")).to_have_count(1)


def test_the_first_load_is_light(demo_server: LiveServer, open_page: OpenPage) -> None:
    for face, email, path in (
        ("console", "minhanh.le@csirt.northwind.example", "/console/cases"),
        ("portal", "marit.solbakken@harbourline.example", None),
    ):
        page = open_page()
        do.sign_in(page, demo_server, face, email, sample_password(demo_server))
        url = demo_server.url + path if path else page.locator(A_CASE).first.evaluate("a => a.href")
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        sizes: list[float] = []
        session.on("Network.loadingFinished", lambda event, sizes=sizes: sizes.append(event["encodedDataLength"]))
        page.goto(url, wait_until="networkidle")
        assert len(sizes) >= 3
        assert sum(sizes) <= 60_000, f"{url}: {sum(sizes):.0f} bytes in {len(sizes)} requests"
