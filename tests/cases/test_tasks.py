"""Tasks on a case: who may do what with them, what closing does to them, and who sees them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from portal.accounts.viewer import Viewer
from portal.cases import lifecycle, task_logs, task_queries, tasks
from portal.cases.models import Case, Task, TaskLog, TaskStatus
from portal.cases.tasks import Draft
from portal.clock import now
from portal.extensions import db
from portal.notices import notices
from portal.refusals import NotAllowed, NotVisible, Refusal, Stale, Unfit
from portal.sharing import guard
from portal.storage import intake
from tests import factories as make
from tests.fixtures.rooms import Cast, newest_audit

END = {"status": "TruePositive", "summary": "Done.", "impact": "NoImpact"}


def add(cast: Cast, title: str = "Ask the sender", *, on: str = "all", who: str = "ada", **more: Any) -> Task:
    return tasks.add_task(cast.case(on), Draft(title, **more), by=cast(who))


def titles(cast: Cast, on: str = "all") -> list[str]:
    return [task.title for task in tasks.tasks_of(cast.case(on))]


def close(cast: Cast, name: str = "all") -> None:
    case = cast.case(name)
    lifecycle.close_case(case, **END, version=case.version, by=cast("ada"))


def test_ada_can_add_a_task_and_the_outside_learns_nothing(cast: Cast) -> None:
    case = cast.case("all")
    before = (case.outside_at, case.version)
    task = add(cast, group="Containment", description="**Now**", assignee_id=cast.world.people["olga"], mandatory=True)
    assert (task.status, task.description_html) == (TaskStatus.WAITING, "<p><strong>Now</strong></p>\n")
    assert (case.outside_at, case.version) == before
    entry = newest_audit()[0]
    assert entry.kind == "task:added"
    assert entry.changes["assignee"] == [None, "Olga Person"]


@pytest.mark.parametrize("act", ["add", "edit", "start", "move", "delete", "log"])
def test_ruth_cannot_change_tasks(cast: Cast, act: str) -> None:
    task, case, ruth = add(cast), cast.case("all"), cast("ruth")
    deeds: dict[str, Callable[[], Any]] = {
        "add": lambda: add(cast, who="ruth"),
        "edit": lambda: tasks.edit_task(case, task, Draft("Other"), version=1, by=ruth),
        "start": lambda: tasks.move_on(case, task, "start", by=ruth),
        "move": lambda: tasks.move_task(case, task, up=True, by=ruth),
        "delete": lambda: tasks.delete_task(case, task, by=ruth),
        "log": lambda: task_logs.add_log(case, task, "Words", by=ruth),
    }
    with pytest.raises(NotAllowed):
        deeds[act]()
    db.session.expire_all()
    assert (task.title, task.status) == ("Ask the sender", TaskStatus.WAITING)


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (Draft("  "), "title"),
        (Draft("x" * 129), "title"),
        (Draft("x", group="g" * 65), "group"),
        (Draft("x", description="d" * 70_000), "description"),
        (Draft("x", assignee_id=987_654_321), "assignee"),
    ],
)
def test_what_does_not_fit_is_said_beside_its_field(cast: Cast, draft: Draft, field: str) -> None:
    with pytest.raises(Unfit) as refused:
        tasks.add_task(cast.case("all"), draft, by=cast("ada"))
    assert refused.value.field == field


@pytest.mark.parametrize("who", ["hanna", "otto", "dora"])
def test_a_task_cannot_be_given_to_outsiders_or_strangers(cast: Cast, who: str) -> None:
    with pytest.raises(Unfit, match="active colleague"):
        add(cast, assignee_id=cast.world.people[who])


def test_on_a_restricted_case_only_named_colleagues_get_tasks(cast: Cast) -> None:
    case = cast.case("restricted")
    assert tasks.assignable(case) == [(cast.world.people["ada"], "Ada Person")]
    with pytest.raises(Unfit):
        add(cast, on="restricted", assignee_id=cast.world.people["olga"])
    make.restrict(case, cast("olga"))
    db.session.flush()
    assert len(tasks.assignable(case)) == 2
    add(cast, on="restricted", assignee_id=cast.world.people["olga"])


def test_an_older_version_is_stale_and_changes_nothing(cast: Cast) -> None:
    task, case = add(cast), cast.case("all")
    assert tasks.edit_task(case, task, Draft("Newer"), version=1, by=cast("ada"))
    with pytest.raises(Stale):
        tasks.edit_task(case, task, Draft("Older"), version=1, by=cast("olga"))
    assert task.title == "Newer"
    assert not tasks.edit_task(case, task, Draft("Newer"), version=2, by=cast("ada"))
    assert task.version == 2


def test_somebody_who_lost_the_case_keeps_the_task_until_it_is_given_on(cast: Cast) -> None:
    task, case = add(cast, assignee_id=cast.world.people["olga"]), cast.case("all")
    cast.user("olga").active = False
    db.session.flush()
    assert tasks.edit_task(case, task, Draft("Other", assignee_id=task.assignee_id), version=1, by=cast("ada"))
    assert task.assignee_id == cast.world.people["olga"]


def test_a_task_goes_its_way_and_back(cast: Cast) -> None:
    task, case, ada = add(cast), cast.case("all"), cast("ada")
    assert tasks.move_on(case, task, "start", by=ada) is TaskStatus.IN_PROGRESS
    assert task.started_at is not None
    with pytest.raises(Refusal, match="waits"):
        tasks.move_on(case, task, "start", by=ada)
    assert tasks.move_on(case, task, "complete", by=ada) is TaskStatus.COMPLETED
    assert task.ended_at is not None
    for act in ("complete", "cancel"):
        with pytest.raises(Refusal, match="ended already"):
            tasks.move_on(case, task, act, by=ada)
    assert tasks.move_on(case, task, "reopen", by=ada) is TaskStatus.IN_PROGRESS
    assert task.ended_at is None
    with pytest.raises(Refusal):
        tasks.move_on(case, task, "nonsense", by=ada)


def test_what_never_started_waits_again_when_reopened(cast: Cast) -> None:
    task, case, ada = add(cast), cast.case("all"), cast("ada")
    tasks.move_on(case, task, "cancel", by=ada)
    assert tasks.move_on(case, task, "reopen", by=ada) is TaskStatus.WAITING


def test_tasks_change_places_within_their_group_only(cast: Cast) -> None:
    one, _, three, _ = (add(cast, title, group=group) for title, group in (("1", "A"), ("2", "B"), ("3", "A"), ("4", "B")))
    case, ada = cast.case("all"), cast("ada")
    assert titles(cast) == ["1", "3", "2", "4"]
    tasks.move_task(case, three, up=True, by=ada)
    assert titles(cast) == ["3", "1", "2", "4"]
    tasks.move_task(case, three, up=True, by=ada)
    tasks.move_task(case, one, up=False, by=ada)
    assert titles(cast) == ["3", "1", "2", "4"]


def test_a_case_has_no_more_tasks_than_a_page_can_show(cast: Cast) -> None:
    case, ada = cast.case("all"), cast("ada")
    tasks.add_tasks(case, [Draft(f"Task {number}") for number in range(tasks.MOST)], by=ada)
    with pytest.raises(Refusal, match="at most 200"):
        add(cast)


def test_closing_names_mandatory_tasks_and_ends_the_others(cast: Cast) -> None:
    case, ada = cast.case("all"), cast("ada")
    must, doing, waiting = add(cast, "Must", mandatory=True), add(cast, "Doing"), add(cast, "Waiting")
    tasks.move_on(case, doing, "start", by=ada)
    with pytest.raises(Refusal, match="“Must”"):
        close(cast)
    assert (case.stage, doing.status) == ("New", TaskStatus.IN_PROGRESS)
    tasks.move_on(case, must, "complete", by=ada)
    close(cast)
    assert (doing.status, waiting.status) == (TaskStatus.COMPLETED, TaskStatus.CANCELLED)
    assert newest_audit()[0].kind == "case:closed"


def test_cancelling_a_mandatory_task_is_no_way_round_it(cast: Cast) -> None:
    task, case, ada = add(cast, mandatory=True), cast.case("all"), cast("ada")
    tasks.move_on(case, task, "cancel", by=ada)
    with pytest.raises(Refusal, match="not completed"):
        close(cast)
    tasks.edit_task(case, task, Draft(task.title), version=1, by=ada)
    close(cast)


def test_the_tasks_of_a_closed_case_stay_as_they_are(cast: Cast) -> None:
    task, case, ada = add(cast), cast.case("all"), cast("ada")
    log = task_logs.add_log(case, task, "Words", by=ada)
    close(cast)
    deeds: list[Callable[[], Any]] = [
        lambda: add(cast),
        lambda: tasks.move_on(case, task, "reopen", by=ada),
        lambda: tasks.edit_task(case, task, Draft("Other"), version=1, by=ada),
        lambda: tasks.move_task(case, task, up=True, by=ada),
        lambda: tasks.delete_task(case, task, by=ada),
        lambda: task_logs.add_log(case, task, "More", by=ada),
        lambda: task_logs.edit_log(case, log, "More", by=ada),
        lambda: task_logs.delete_log(case, log, by=ada),
    ]
    for deed in deeds:
        with pytest.raises(Refusal, match="Reopen the case"):
            deed()


def test_a_deleted_task_takes_its_log_along(cast: Cast) -> None:
    task, case, ada = add(cast), cast.case("all"), cast("ada")
    log = task_logs.add_log(case, task, "Words", by=ada)
    key = log.id
    tasks.delete_task(case, task, by=ada)
    db.session.expire_all()
    assert db.session.scalar(select(TaskLog.id).where(TaskLog.id == key)) is None
    assert newest_audit()[0].changes == {"task": ["Ask the sender", None]}


def test_one_writes_in_the_log_and_changes_ones_own_words_only(cast: Cast) -> None:
    task, case, ada = add(cast), cast.case("all"), cast("ada")
    with pytest.raises(Refusal, match="Write what was done"):
        task_logs.add_log(case, task, " \n", by=ada)
    log = task_logs.add_log(case, task, "Called *her*", by=ada)
    assert log.message_html == "<p>Called <em>her</em></p>\n"
    for deed in (task_logs.edit_log, task_logs.delete_log):
        with pytest.raises(NotAllowed, match="own entries"):
            deed(case, log, *(("Other",) if deed is task_logs.edit_log else ()), by=cast("olga"))  # type: ignore[operator]
    task_logs.edit_log(case, log, "Called him", by=ada)
    assert log.edited_at is not None
    assert newest_audit()[0].changes == {"message": ["Called *her*", "Called him"]}


def seen_by(viewer: Viewer, read: Callable[[], Any]) -> Any:
    guard.engage(viewer)
    try:
        return read()
    finally:
        guard.release()


def test_my_tasks_are_mine_open_and_due_first(cast: Cast) -> None:
    ada, mine, soon = cast("ada"), {"assignee_id": cast.world.people["ada"]}, now() + timedelta(days=1)
    add(cast, "No date", **mine)
    add(cast, "Later", on="internal", due_at=soon, **mine)
    add(cast, "Overdue", on="internal", due_at=now() - timedelta(days=2), **mine)
    add(cast, "Hers", assignee_id=cast.world.people["olga"])
    tasks.move_on(cast.case("all"), add(cast, "Done", **mine), "complete", by=ada)
    page = task_queries.my_tasks(ada)
    assert [row.title for row in page.rows if row.title != "Task of shared"][:3] == ["Overdue", "Later", "No date"]
    assert [row.title for row in page.rows if row.overdue] == ["Overdue"]
    assert [row.title for row in task_queries.my_tasks(ada, "done").rows] == ["Done"]
    assert task_queries.my_tasks(ada, "progress").rows == []


def test_my_tasks_come_in_pages_without_gap_or_repeat(cast: Cast) -> None:
    case, ada = cast.case("internal"), cast("ada")
    due = [now() + timedelta(days=number // 4) if number % 3 else None for number in range(60)]
    drafts = [Draft(f"{number}", assignee_id=ada.user_id, due_at=moment) for number, moment in enumerate(due)]
    tasks.add_tasks(case, drafts, by=ada)
    met: list[str] = []
    for state in ("", "done"):
        after, met = "", []
        while True:
            page = task_queries.my_tasks(ada, state, after)
            met += [row.uid for row in page.rows]
            if page.next is None:
                break
            after = page.next
        assert len(met) == len(set(met))
        assert len(met) >= 60
        for task in tasks.closing(case)[1]:
            tasks.move_on(case, task, "complete", by=ada)


def test_a_task_of_a_case_one_may_not_see_any_more_vanishes(cast: Cast) -> None:
    olga = cast("olga")
    task = add(cast, "Vanishing", on="internal", assignee_id=olga.user_id)
    db.session.flush()
    assert "Vanishing" in [row.title for row in task_queries.my_tasks(olga).rows]
    make.restrict(cast.case("internal"), cast("ada"))
    db.session.flush()
    assert task_queries.my_tasks(olga).rows == []
    case = cast.case("internal")
    with pytest.raises(NotVisible):
        seen_by(olga, lambda: tasks.load_task(case, task.uid))


@pytest.mark.parametrize("who", ["hanna", "rhea", "vic", "pia", "otto"])
def test_outsiders_and_strangers_see_no_task_and_no_log(cast: Cast, who: str) -> None:
    task, case = add(cast), cast.case("all")
    task_logs.add_log(case, task, "Words", by=cast("ada"))
    on_case = (Task.case_id == case.id, TaskLog.case_id == case.id)
    assert seen_by(cast(who), lambda: db.session.scalars(select(Task.id).where(on_case[0])).all()) == []
    assert seen_by(cast(who), lambda: db.session.scalars(select(TaskLog.id).where(on_case[1])).all()) == []


def test_the_tab_groups_and_counts(cast: Cast) -> None:
    task = add(cast, "Counted", group="G", assignee_id=cast.world.people["ada"])
    tasks.move_on(cast.case("all"), add(cast, "Other", group="G"), "cancel", by=cast("ada"))
    task_logs.add_log(cast.case("all"), task, "Words", by=cast("ada"))
    group = next(group for group in task_queries.groups_of(cast.case("all")) if group.name == "G")
    assert (group.done, [row.entries for row in group.rows], group.rows[0].assignee) == (1, [1, 0], "Ada Person")


def test_a_task_of_another_case_is_not_found(cast: Cast) -> None:
    other: Case = cast.case("internal")
    with pytest.raises(NotVisible):
        tasks.load_task(other, add(cast).uid)


def said(cast: Cast, task: Task, who: str, text: str, *files: str) -> TaskLog:
    case, by = cast.case("all"), cast(who)
    log = task_logs.add_log(case, task, text, by=by, files=len(files))
    for name in files:
        task_logs.add_file(case, task, log, intake.upload_of(name, name.encode()), by=by)
    return log


def test_who_deletes_a_task_leaves_a_trail_of_its_log(cast: Cast) -> None:
    task = add(cast)
    said(cast, task, "olga", "Called the bank.", "call.txt")
    said(cast, task, "ada", "Wrote to them.")
    with pytest.raises(NotAllowed, match="what somebody else wrote"):
        tasks.delete_task(cast.case("all"), task, by=cast("ada"))
    assert titles(cast) == ["Ask the sender"]
    tasks.delete_task(cast.case("all"), task, by=cast("olga"))
    gone, second, first = newest_audit(3)
    assert (gone.kind, gone.changes) == ("task:deleted", {"task": ["Ask the sender", None]})
    assert [(entry.kind, entry.changes["author"][0], entry.changes["message"][0]) for entry in (first, second)] == [
        ("task:log-deleted", "Olga Person", "Called the bank."),
        ("task:log-deleted", "Ada Person", "Wrote to them."),
    ]
    assert first.changes["files"] == [[f"call.txt, SHA-256 {hashlib.sha256(b'call.txt').hexdigest()}"], None]
    assert "files" not in second.changes


def test_ada_can_delete_a_task_with_her_own_log(cast: Cast) -> None:
    task = add(cast)
    said(cast, task, "ada", "Wrote to them.")
    tasks.delete_task(cast.case("all"), task, by=cast("ada"))
    assert titles(cast) == []


def test_a_deleted_entry_leaves_the_hash_of_its_file(cast: Cast) -> None:
    task = add(cast)
    log = said(cast, task, "ada", "Wrote to them.", "letter.txt")
    task_logs.delete_log(cast.case("all"), log, by=cast("ada"))
    assert hashlib.sha256(b"letter.txt").hexdigest() in newest_audit()[0].changes["files"][0][0]


def rung(cast: Cast, who: str) -> list[str]:
    return [row.reason for row in notices.newest(cast(who)) if row.reason == "task"]


def test_whoever_is_given_a_task_is_told(cast: Cast) -> None:
    olga, ada = cast.world.people["olga"], cast.world.people["ada"]
    task = add(cast, assignee_id=olga)
    assert (rung(cast, "olga"), rung(cast, "ada")) == (["task"], [])
    tasks.edit_task(cast.case("all"), task, Draft("Ask again", assignee_id=olga), version=1, by=cast("ada"))
    assert rung(cast, "olga") == ["task"], "it was theirs already"
    notices.read_all(cast("olga"))
    tasks.edit_task(cast.case("all"), task, Draft("Ask again", assignee_id=ada), version=2, by=cast("ada"))
    assert rung(cast, "ada") == [], "nobody is told of what they did themselves"
    tasks.edit_task(cast.case("all"), task, Draft("Ask again", assignee_id=olga), version=3, by=cast("ada"))
    assert rung(cast, "olga") == ["task", "task"]
