"""Tasks and templates in a real browser: from a template to the closed case; with and without JavaScript."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import people as do
from tests.browser.test_every_page import check, sample_password
from tests.fixtures.begun import Begin
from tests.fixtures.browser import OpenPage, axe
from tests.fixtures.post import PostOffice
from tests.fixtures.server import LiveServer

pytestmark = pytest.mark.browser
SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["javascript", "no-javascript"])


def row(page: Page, title: str) -> Page:
    """The line of a task on the tab."""
    return page.locator(".task-row", has=page.get_by_role("link", name=title, exact=True))  # type: ignore[return-value]


def make_template(page: Page, url: str) -> None:
    page.goto(f"{url}/console/templates/new")
    page.get_by_label("Name").fill("Phishing")
    page.get_by_label("Beginning of the title").fill("Phishing:")
    for number, title in enumerate(("Block the sender", "Ask who clicked")):
        page.get_by_role("button", name=re.compile("Add (a|another) task")).click()
        page.get_by_role("group", name=f"Task {number + 1}").get_by_label("Title").fill(title)
    page.get_by_role("group", name="Task 1").get_by_label("Mandatory").check()
    page.get_by_role("button", name="Move task 2 up").click()
    expect(page.get_by_role("group", name="Task 1").get_by_label("Title")).to_have_value("Ask who clicked")
    page.get_by_role("button", name="Create template").last.click()
    expect(page.get_by_role("link", name="Phishing", exact=True)).to_be_visible()


@SCRIPTS
def test_an_analyst_works_through_the_tasks_of_a_template(
    begin: Begin, smtp_server: PostOffice, open_page: OpenPage, scripts: bool
) -> None:
    olga = open_page(java_script_enabled=scripts)
    server = begin(olga, **smtp_server.environ)
    make_template(olga, server.url)
    olga.goto(f"{server.url}/console/cases/new")
    olga.get_by_label("Title").fill("fake invoice")
    olga.get_by_label("Description").fill("Somebody sent one.")
    olga.get_by_label("Template").select_option("Phishing")
    olga.get_by_role("button", name="Use template").click()
    expect(olga.get_by_label("Title")).to_have_value("Phishing: fake invoice")
    olga.get_by_role("button", name="Open case").last.click()
    expect(olga.get_by_role("heading", name="Phishing: fake invoice")).to_be_visible()

    olga.get_by_role("link", name=re.compile("^Tasks")).click()
    olga.get_by_label("New task").fill("Call the bank")
    olga.get_by_role("button", name="Add task").click()
    expect(olga.locator("#tab-tasks")).to_have_text("Tasks 3")
    expect(olga.get_by_label("New task")).to_have_value("")
    if scripts:
        expect(olga.get_by_label("New task")).to_be_focused()
    row(olga, "Call the bank").get_by_role("button", name="Start").click()
    expect(row(olga, "Call the bank")).to_contain_text("In progress")

    olga.goto(olga.url.split("/tasks")[0] + "/close")
    expect(olga.get_by_text("Mandatory tasks have to be completed")).to_be_visible()
    olga.get_by_label("True positive").check()
    olga.get_by_label("Summary").fill("Nobody paid.")
    with olga.expect_popup() as opened:
        olga.get_by_role("link", name="Block the sender").click()
    task = opened.value
    task.get_by_label("What was done").fill("Blocked on the gateway.")
    task.get_by_label("Files").set_input_files([{"name": "rule.txt", "mimeType": "text/plain", "buffer": b"deny"}])
    task.get_by_role("button", name="Add to the log").click()
    expect(task.get_by_role("link", name="rule.txt")).to_be_visible()
    task.close()

    olga.get_by_role("button", name="Complete Block the sender").click()
    expect(olga.get_by_text("“Block the sender” is completed.")).to_be_visible()
    expect(olga.get_by_text("2 open tasks")).to_be_visible()
    expect(olga.get_by_label("Summary")).to_have_value("Nobody paid.")
    olga.get_by_role("button", name="Close case").click()
    expect(olga.locator(".case-state")).to_contain_text("True positive")
    olga.get_by_role("link", name=re.compile("^Tasks")).click()
    expect(row(olga, "Call the bank")).to_contain_text("Completed")
    expect(row(olga, "Ask who clicked")).to_contain_text("Cancelled")
    expect(olga.get_by_label("New task")).to_have_count(0)


def test_the_keyboard_is_enough_to_move_and_edit_a_task(demo_server: LiveServer, page: Page) -> None:
    do.sign_in(page, demo_server, "console", "tobias.rehnmark@csirt.northwind.example", sample_password(demo_server))
    page.goto(f"{demo_server.url}/console/cases/10/tasks")
    titles = page.locator(".task-group").last.locator(".task-title")
    first, second = titles.all_inner_texts()[:2]
    more = row(page, second).locator("summary")
    more.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    for _ in range(60):
        if page.evaluate("document.activeElement.textContent.trim()") == "Move up":
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(titles.first).to_have_text(second)
    expect(titles.nth(1)).to_have_text(first)
    row(page, second).locator("summary").click()
    row(page, second).get_by_role("link", name="Edit").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    axe(page)
    page.get_by_role("dialog").get_by_label("Title").fill("Agree on a day for the review")
    page.get_by_role("dialog").get_by_role("button", name="Save task").click()
    expect(page.locator("#task-title")).to_contain_text("Agree on a day for the review")


@pytest.mark.long
def test_every_page_of_tasks_and_templates(demo_server: LiveServer, page: Page) -> None:
    do.sign_in(page, demo_server, "console", "ines.carvalhal@csirt.northwind.example", sample_password(demo_server))
    page.goto(f"{demo_server.url}/console/templates")
    template = page.locator(".c-name a").first.get_attribute("href")
    page.goto(f"{demo_server.url}/console/tasks")
    task = page.locator(".c-task a").first.get_attribute("href")
    for path in (
        "/console/tasks",
        "/console/tasks?state=done",
        "/console/cases/10/tasks",
        "/console/cases/10/tasks/new",
        f"{task}",
        f"{task}/edit",
        f"{task}/delete",
        "/console/cases/10/close",
        "/console/templates",
        "/console/templates/new",
        f"{template}",
        f"{template}/delete",
        f"/console/cases/new?template={(template or '').rpartition('/')[2]}",
    ):
        check(page, demo_server.url + path)
