"""What injected markup could do: nothing. Scripts in fragments do not run, htmx attributes without the page's nonce are dead."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser import people as do
from tests.fixtures.begun import Begin
from tests.fixtures.server import LiveServer

pytestmark = pytest.mark.browser

HOSTILE = """
<script>window.ran = 1</script> <img src=x onerror="window.ran = 2"> [a](javascript:window.ran=3)
<div hx-get="/console/people" hx-trigger="load">x</div> ![pixel](http://tracker.example/p.png)
"""


@pytest.fixture
def signed_in(begin: Begin, page: Page) -> LiveServer:
    """A fresh product with its administrator at the browser."""
    return begin(page)


def test_hostile_text_runs_nothing(signed_in: LiveServer, page: Page) -> None:
    do.open_case(page, signed_in, "<script>window.ran = 4</script>")
    page.locator("textarea[name=message]").fill(HOSTILE)
    page.get_by_role("button", name="Add internal note").click()
    expect(page.locator("article")).to_have_count(1)
    page.reload()
    assert page.evaluate("window.ran") is None
    assert page.locator(".prose img, .prose script, .prose [hx-get]").count() == 0


def test_a_script_in_a_swapped_fragment_does_not_run(signed_in: LiveServer, page: Page) -> None:
    page.watch.expect_complaint("CSP|Content Security Policy|hx-csp|Refused")  # type: ignore[attr-defined]
    page.goto(f"{signed_in.url}/console/cases")
    page.route(
        "**/console/people/new",
        lambda route: route.fulfill(body="<script>window.ran = 1</script><b id=come>x</b>", content_type="text/html"),
    )
    page.evaluate("htmx.ajax('GET', '/console/people/new', {target: '#drawer'})")
    expect(page.locator("#come")).to_have_count(1)
    assert page.evaluate("window.ran") is None


def test_htmx_attributes_without_the_nonce_are_dead(signed_in: LiveServer, page: Page) -> None:
    page.watch.expect_complaint("hx-csp")  # type: ignore[attr-defined]
    page.goto(f"{signed_in.url}/console/cases")
    body = "<div id=evil hx-get='/console/people' hx-trigger='load'>x</div>"
    page.route("**/console/people/new", lambda route: route.fulfill(body=body, content_type="text/html"))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate("htmx.ajax('GET', '/console/people/new', {target: '#drawer'})")
    expect(page.locator("#evil")).to_have_count(1)
    page.wait_for_timeout(300)
    assert not [url for url in asked if url.endswith("/console/people")]
    assert page.locator("#evil").get_attribute("hx-get") is None


def test_nothing_of_a_case_stays_in_the_browsers_storage(signed_in: LiveServer, page: Page) -> None:
    do.open_case(page, signed_in, "Not to be kept")
    do.note(page, "Also not to be kept.")
    page.goto(f"{signed_in.url}/console/cases")
    page.go_back()
    kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, history.state])")
    assert "kept" not in kept
