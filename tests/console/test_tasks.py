"""The tasks tab, the page of a task, and my tasks, in the console."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.accounts import sessions
from portal.cases.models import Case, Task
from portal.cases.task_logs import add_log
from portal.cases.tasks import Draft, add_tasks
from portal.extensions import db
from tests.fixtures.rooms import Cast
from tests.fixtures.statements import counted
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]
UNKNOWN = "f" * 16


def tab(world: World, case: str = "shared") -> str:
    return f"/console/cases/{world.cases[case]}/tasks"


def one(world: World, case: str = "shared") -> str:
    return f"{tab(world, case)}/{world.tasks[case]}"


def test_ada_can_add_a_task_by_its_title(world: World, browse: Browse) -> None:
    ada = browse("ada")
    assert ada.post(tab(world), {"title": "Call the bank"}).status_code == 303
    page = ada.get(tab(world)).text
    assert "Call the bank" in page
    assert 'Tasks <span class="count">2</span>' in page


def test_htmx_gets_the_list_and_the_new_count(world: World, browse: Browse) -> None:
    answer = browse("ada").post(tab(world), {"title": "Call the bank"}, htmx=True)
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert 'hx-target="#tab-tasks"' in answer.text
    assert 'Tasks <span class="count">2</span>' in answer.text


@pytest.mark.parametrize(
    ("title", "sentence"), [("", "Give the task a title"), ("x" * 129, "at most 128"), ("\0", "Give the task a title")]
)
def test_a_title_that_will_not_do_is_refused_beside_the_field(world: World, browse: Browse, title: str, sentence: str) -> None:
    answer = browse("ada").post(tab(world), {"title": title})
    assert answer.status_code == 422
    assert sentence in answer.text


def test_ada_can_say_everything_about_a_task(world: World, browse: Browse) -> None:
    ada = browse("ada")
    form = {
        "title": "Contain",
        "group": "Containment",
        "assignee": str(world.people["olga"]),
        "due": "2031-05-04",
        "description": "Do **it**",
        "mandatory": "y",
        "flagged": "y",
    }
    assert ada.post(f"{tab(world)}/new", form).status_code == 303
    page = ada.get(tab(world)).text
    for words in ("Containment", "Contain", "Olga Person", "4 May 2031", "Mandatory", "Flagged"):
        assert words in page


@pytest.mark.parametrize(
    "change", [{"assignee": "999999999"}, {"assignee": "x"}, {"assignee": "hanna"}, {"due": "0024-01-01"}, {"due": "soon"}, {"title": ""}]
)
def test_odd_input_is_refused_and_kept(world: World, browse: Browse, change: dict[str, str]) -> None:
    if change.get("assignee") == "hanna":
        change = {"assignee": str(world.people["hanna"])}
    answer = browse("ada").post(f"{tab(world)}/new", {"title": "Contain", "description": "Kept words", **change})
    assert answer.status_code == 422
    assert "Kept words" in answer.text


def test_the_second_writer_sees_both_values(world: World, browse: Browse) -> None:
    ada, olga, path = browse("ada"), browse("olga"), one(world) + "/edit"
    assert 'value="1"' in olga.get(path).text
    assert ada.post(path, {"title": "Hers first", "version": "1"}).status_code == 303
    answer = olga.post(path, {"title": "Mine", "version": "1"})
    assert answer.status_code == 422
    for words in ("Somebody else changed this task", "Hers first", "Mine", 'value="2"'):
        assert words in answer.text
    assert olga.post(path, {"title": "Mine", "version": "2"}).status_code == 303


def test_one_click_starts_completes_and_reopens(world: World, browse: Browse) -> None:
    ada, path = browse("ada"), one(world) + "/act"
    for act, words in (("start", "In progress"), ("complete", "Completed"), ("reopen", "In progress"), ("cancel", "Cancelled")):
        assert ada.post(path, {"act": act}).status_code == 303
        assert words in ada.get(one(world)).text
    answer = ada.post(path, {"act": "complete"}, htmx=True)
    assert answer.status_code == 422
    assert "has ended already" in answer.text
    assert ada.post(path, {"act": "nonsense", "back": "task"}).status_code == 422


def test_the_button_leads_back_to_where_it_was(world: World, browse: Browse) -> None:
    ada, path = browse("ada"), one(world) + "/act"
    assert ada.post(path, {"act": "start", "back": "mine"}).headers["Location"] == "/console/tasks"
    assert ada.post(path, {"act": "complete", "back": "task"}).headers["Location"] == one(world)
    assert "/tasks#task-" in ada.post(path, {"act": "reopen"}).headers["Location"]


def test_a_task_is_deleted_after_asking(world: World, browse: Browse) -> None:
    ada, path = browse("ada"), one(world) + "/delete"
    assert "1 entry" in ada.get(path).text
    assert ada.post(path).status_code == 303
    assert ada.get(one(world)).status_code == 404


def test_the_log_can_be_written_changed_and_taken_back(world: World, browse: Browse) -> None:
    ada = browse("ada")
    assert ada.post(one(world) + "/log", {"message": " "}).status_code == 422
    location = ada.post(one(world) + "/log", {"message": "Called *her*"}).headers["Location"]
    assert "<em>her</em>" in ada.get(one(world)).text
    entry = f"{one(world)}/log/{location.partition('#log-')[2]}"
    assert "Called *her*" in ada.get(f"{entry}/edit").text
    assert ada.post(f"{entry}/edit", {"message": ""}).status_code == 422
    assert ada.post(f"{entry}/edit", {"message": "Called him"}).status_code == 303
    assert "Called him" in ada.get(one(world)).text
    assert browse("olga").get(f"{entry}/delete").status_code == 403
    assert ada.post(f"{entry}/delete").status_code == 303
    assert "Called him" not in ada.get(one(world)).text


def test_ruth_can_read_tasks_without_a_button(world: World, browse: Browse) -> None:
    ruth = browse("ruth")
    assert "The task of shared" in ruth.get(tab(world)).text
    page = ruth.get(one(world)).text
    assert "Done for The task of shared" in page
    assert "/act" not in page + ruth.get(tab(world)).text


@pytest.mark.parametrize("path", ["", "/edit", "/delete", f"/log/{UNKNOWN}/edit"])
def test_a_task_is_found_under_its_own_case_only(world: World, browse: Browse, path: str) -> None:
    ada = browse("ada")
    assert ada.get(f"{tab(world, 'internal')}/{world.tasks['shared']}{path}").status_code == 404
    assert ada.get(f"{tab(world)}/{UNKNOWN}{path}").status_code == 404
    assert browse("olga").get(one(world, "restricted") + path).status_code == 404
    assert browse("otto").get(one(world) + path).status_code == 404


def test_ada_can_complete_a_mandatory_task_while_closing_and_keeps_what_she_typed(world: World, browse: Browse) -> None:
    ada, path = browse("ada"), f"/console/cases/{world.cases['shared']}/close"
    for title in ("Reset it", "Call the bank"):
        ada.post(f"{tab(world)}/new", {"title": title, "mandatory": "y"})
    page = ada.get(path).text
    tasks = dict(zip(("Reset it", "Call the bank"), re.findall(r'name="task"\s+value="([0-9a-f]+)"', page), strict=True))
    form = {"status": "TruePositive", "summary": "Half a sentence", "impact": "NoImpact", "version": "1"}
    answer = ada.post(path, {**form, "task": tasks["Reset it"]})
    assert answer.status_code == 200
    assert "“Reset it” is completed." in answer.text
    assert "Half a sentence</textarea>" in answer.text
    assert re.search('value="TruePositive"[^>]* checked', answer.text)
    assert tasks["Reset it"] not in answer.text
    ada.post(f"{tab(world)}/{tasks['Call the bank']}/act", {"act": "cancel"})
    answer = ada.post(path, {**form, "task": tasks["Call the bank"]}, htmx=True)
    assert "“Call the bank” is open again." in answer.text
    answer = ada.post(path, {**form, "task": tasks["Call the bank"]}, htmx=True)
    assert "have to be completed" not in answer.text
    for odd in (tasks["Reset it"], "x\0", "9" * 99):
        assert "is completed already" in ada.post(path, {**form, "task": odd}).text
    assert browse("ruth").post(path, {**form, "task": tasks["Reset it"]}).status_code == 403


def test_a_task_completed_while_closing_does_not_hide_what_somebody_changed(world: World, browse: Browse) -> None:
    ada, case = browse("ada"), f"/console/cases/{world.cases['shared']}"
    ada.post(f"{tab(world)}/new", {"title": "Reset it", "mandatory": "y"})
    page = ada.get(f"{case}/close").text
    task, version = (re.findall(rf'name="{name}"\s+value="([0-9a-f]+)"', page)[0] for name in ("task", "version"))
    form = {"status": "TruePositive", "summary": "Half a sentence", "impact": "NoImpact", "version": version}
    olga = browse("olga")
    base = re.findall(r'name="base"[^>]*value="([^"]*)"', olga.get(f"{case}/facts/title").text)[0]
    assert olga.post(f"{case}/facts/title", {"title": "Another title", "base": base}).status_code == 303
    again = ada.post(f"{case}/close", {**form, "task": task})
    assert f'name="version" value="{version}"' in " ".join(again.text.split())
    refused = ada.post(f"{case}/close", form)
    assert (refused.status_code, "Somebody changed this case" in refused.text) == (422, True)
    shown = re.findall(r'name="version"\s+value="([0-9]+)"', refused.text)[0]
    assert ada.post(f"{case}/close", {**form, "version": shown}).status_code == 303


def test_the_close_dialog_says_what_happens_to_tasks(app: Flask, world: World, browse: Browse) -> None:
    ada, path = browse("ada"), f"/console/cases/{world.cases['shared']}/close"
    assert "1 open task" in ada.get(path).text
    ada.post(f"{tab(world)}/new", {"title": "Do <b>not</b> forget", "mandatory": "y"})
    page = ada.get(path).text
    assert "Do &lt;b&gt;not&lt;/b&gt; forget<span" in page
    version = page.split('name="version" value="')[1].split('"')[0]
    form = {"status": "TruePositive", "summary": "Done.", "impact": "NoImpact", "version": version}
    answer = ada.post(path, form)
    assert answer.status_code == 422
    assert "not completed" in answer.text
    location = ada.get(tab(world)).text.split("Do &lt;b&gt;not")[0].rpartition('href="')[2].split('"')[0]
    ada.post(f"{location}/act", {"act": "complete"})
    assert ada.post(path, form).status_code == 303
    closed = ada.get(tab(world)).text
    assert "Cancelled" in closed
    assert "stay as they are" in closed
    assert ada.post(tab(world), {"title": "More"}).status_code == 422
    assert ada.post(f"{location}/act", {"act": "reopen"}, htmx=True).status_code == 422


def test_my_tasks_show_what_is_mine_wherever_it_is(world: World, browse: Browse) -> None:
    ada = browse("ada")
    mine = {"title": "Mine here", "assignee": str(world.people["ada"]), "due": "2020-01-01"}
    ada.post(f"{tab(world)}/new", mine)
    ada.post(f"{tab(world, 'restricted')}/new", {**mine, "title": "Mine there", "due": ""})
    page = ada.get("/console/tasks").text
    assert page.index("Mine here") < page.index("Mine there")
    assert "Overdue" in page
    assert "Mine here" not in browse("olga").get("/console/tasks").text
    assert "Mine" not in ada.get("/console/tasks?state=done").text.partition("<main")[2]
    for odd in ("?state=nonsense", "?after=nonsense", "?after=99999999999999999-1", "?state=done&after=1-1"):
        assert ada.get(f"/console/tasks{odd}").status_code == 200


def test_my_tasks_go_on_over_pages(cast: Cast, world: World, browse: Browse) -> None:
    ada = cast("ada")
    add_tasks(cast.case("internal"), [Draft(f"Number {n:02}", assignee_id=ada.user_id) for n in range(30)], by=ada)
    db.session.commit()
    browser = browse("ada")
    page = browser.get("/console/tasks").text
    assert "Number 24" in page
    assert "Number 25" not in page
    older = page.split('href="/console/tasks?after=')[1].split('"')[0]
    rest = browser.get(f"/console/tasks?after={older}").text
    assert "Number 25" in rest
    assert "Number 24" not in rest


@pytest.mark.parametrize("path", ["/tasks", "/tasks/new", "/tasks/{task}"])
def test_the_portal_knows_no_tasks(world: World, browse: Browse, path: str) -> None:
    hanna, number = browse("hanna"), world.cases["shared"]
    assert hanna.get(f"/portal/cases/{number}{path.format(task=world.tasks['shared'])}").status_code == 404
    assert "task" not in hanna.get(f"/portal/cases/{number}").text.lower()


def with_files(browser: Browser, path: str, message: str, *files: tuple[str, bytes]) -> TestResponse:
    return browser.post(path, {"message": message, "files": [(io.BytesIO(data), name) for name, data in files]})


def test_files_hang_on_the_log_and_come_back_as_downloads(world: World, browse: Browse) -> None:
    ada = browse("ada")
    answer = with_files(ada, one(world) + "/log", "Found these", ("notes.txt", b"first"), ("more.txt", b"second"))
    assert answer.status_code == 303
    page = ada.get(one(world)).text
    assert "notes.txt" in page
    links = [rest.split('"')[0] for rest in page.split(f'href="{one(world)}/files/')[1:]]
    link = next(uid for uid in links if uid != world.log_files["shared"])
    answer = browse("ruth").get(f"{one(world)}/files/{link}")
    assert answer.data == b"first"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert browse("otto").get(f"{one(world)}/files/{link}").status_code == 404
    assert browse("hanna").get(f"/portal/cases/{world.cases['shared']}/files/{link}").status_code == 404
    assert "notes.txt" not in ada.get(f"/console/cases/{world.cases['shared']}/attachments").text


def test_files_need_no_words_but_something_must_be_there(world: World, browse: Browse) -> None:
    ada = browse("ada")
    assert with_files(ada, one(world) + "/log", "", ("notes.txt", b"first")).status_code == 303
    assert with_files(ada, one(world) + "/log", "").status_code == 422


def test_an_empty_file_is_named_and_the_others_go_on(world: World, browse: Browse) -> None:
    ada = browse("ada")
    answer = with_files(ada, one(world) + "/log", "Words", ("empty.txt", b""), ("notes.txt", b"first"))
    assert answer.status_code == 303
    page = ada.get(one(world)).text
    assert "notes.txt" in page
    assert f"{one(world)}/files/" in page
    assert page.count(f"{one(world)}/files/") == 2  # with the one the world has there


@pytest.mark.parametrize(("path", "most"), [("/console/tasks", 6), ("{tab}", 10), ("{one}", 10)])
def test_many_tasks_and_entries_cost_no_more_queries(app: Flask, world: World, browse: Browse, path: str, most: int) -> None:
    ada, address = browse("ada"), path.format(tab=tab(world), one=one(world))
    ada.get(address)
    with counted(app) as few:
        assert ada.get(address).status_code == 200
    with app.app_context():
        viewer = sessions.viewer_of(world.people["ada"], world.places["here"])
        assert viewer is not None
        case = db.session.scalars(select(Case).where(Case.number == world.cases["shared"])).one()
        add_tasks(case, [Draft(f"Number {n}", assignee_id=world.people["olga" if n % 2 else "ada"]) for n in range(30)], by=viewer)
        task = db.session.scalars(select(Task).where(Task.uid == world.tasks["shared"])).one()
        for number in range(20):
            add_log(case, task, f"Entry {number}", by=viewer)
        db.session.commit()
    with counted(app) as many:
        assert ada.get(address).status_code == 200
    assert len(many) <= most, "\n".join(many)
    assert len(many) <= len(few) + 2  # names and log entries are asked for once there are any
