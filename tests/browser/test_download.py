"""Somebody outside takes a case along, and reads it where this product is not; with and without JavaScript."""

from __future__ import annotations

import hashlib
import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from portal.web import paper
from tests.browser import people as do
from tests.fixtures.browser import OpenPage, axe
from tests.fixtures.server import LiveServer

pytestmark = pytest.mark.browser
WIDTHS = (360, 768, 1440)
MARIT = "marit.solbakken@harbourline.example"


def take(page: Page, words: str, folder: Path) -> Path:
    with page.expect_download() as waiting:
        page.get_by_role("link", name=words).click()
    target = folder / waiting.value.suggested_filename
    waiting.value.save_as(target)
    return target


@pytest.mark.parametrize("scripting", [True, False], ids=["with-javascript", "without-javascript"])
def test_marit_takes_a_case_along(demo_server: LiveServer, open_page: OpenPage, tmp_path: Path, scripting: bool) -> None:
    page = open_page(java_script_enabled=scripting)
    do.sign_in(page, demo_server, "portal", MARIT, (demo_server.instance / "sample-password").read_text().strip())
    page.get_by_role("link", name=re.compile("HL-FS02")).first.click()
    for width in WIDTHS if scripting else ():
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        axe(page)
    packed = take(page, "ZIP", tmp_path)
    assert re.fullmatch(r"case-\d+\.zip", packed.name)
    folder = tmp_path / "read"
    with zipfile.ZipFile(packed) as archive:
        assert archive.testzip() is None
        archive.extractall(folder)
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    if paper.possible():
        expect(page.get_by_role("link", name="PDF")).to_be_visible()
        read = PdfReader(take(page, "PDF", tmp_path))
        assert "What happened" in "\n".join(sheet.extract_text() for sheet in read.pages)
    if scripting:
        _read(open_page(), folder / "case.html")


def _read(page: Page, document: Path) -> None:
    """The document on somebody's disk: fits, can be read by all, and asks for nothing else."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.watch.expect_complaint(r"^foreign request: file:///.*/case\.html$")  # type: ignore[attr-defined]
    page.goto(document.as_uri())
    assert page.get_by_role("heading", level=1).count() == 1
    axe(page)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert asked == [document.as_uri()]
    page.locator("main li a").first.click(trial=True)
