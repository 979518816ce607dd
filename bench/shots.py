"""The README's pictures, taken from the sample world in real Chromium: `./run.sh shots` writes docs/console.png and docs/portal.png."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from bench import processes
from portal.sample.load import MARK
from portal.sample.people import PEOPLE

DOCS = Path(__file__).resolve().parents[1] / "docs"
SIZE = {"width": 1280, "height": 800}
ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--hide-scrollbars"]


def _page(browser: Browser, server: processes.Server) -> Page:
    context = browser.new_context(
        base_url=server.url, viewport=SIZE, device_scale_factor=1.5, color_scheme="light", locale="en-GB", reduced_motion="reduce"
    )
    return context.new_page()


def address_of(key: str) -> str:
    """The sign-in name of somebody in the sample world."""
    return next(person.email for person in PEOPLE if person.key == key)


def sign_in(page: Page, face: str, email: str, password: str) -> None:
    """As a person does."""
    page.goto(f"/{face}/sign-in")
    page.fill("input[name=email]", email)
    page.fill("input[name=password]", password)
    page.locator("main form button").last.click()
    page.wait_for_url(re.compile(rf"/{face}/(?!sign-in)"))


CASE = "A partner's mailbox"


def take(page: Page, face: str) -> None:
    """The same case as the team and as its guest see it."""
    page.goto({"console": "/console/cases?stage=InProgress&shared=selected", "portal": "/portal/"}[face])
    page.locator(f"main a[href*='/{face}/cases/']").filter(has_text=CASE).first.click()
    page.wait_for_load_state("networkidle")
    page.screenshot(path=DOCS / f"{face}.png")


def main() -> None:
    """Make a sample world of its own, sign in as an analyst and as a guest, take both pictures."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        sys.exit("needs chromium")
    DOCS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        instance = Path(folder) / "instance"
        server = processes.demo(instance)
        try:
            password = (instance / MARK).read_text().strip()
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
                for face, key in (("console", "ines"), ("portal", "noor")):
                    page = _page(browser, server)
                    sign_in(page, face, address_of(key), password)
                    take(page, face)
                browser.close()
        finally:
            server.stop()
    print(f"{DOCS.name}/console.png and {DOCS.name}/portal.png are drawn; look at them")


if __name__ == "__main__":
    main()
