"""Tasks: what colleagues do on a case. Never seen outside."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from ..accounts.directory import colleagues, is_colleague
from ..accounts.models import User
from ..accounts.permissions import Permission
from ..accounts.viewer import Viewer
from ..audit.kinds import Kind
from ..audit.record import record
from ..clock import now
from ..extensions import db
from ..notices import notices
from ..notices.models import Reason
from ..refusals import NotAllowed, NotVisible, Refusal, Stale, Unfit
from ..sharing.models import Access, Grant
from .models import Attachment, Case, Stage, Task, TaskLog, TaskStatus
from .text import LONGEST, render, tidy

LONGEST_TITLE, LONGEST_GROUP = 128, 64
MOST = 200  # tasks of one case; all of them are shown on one page
OPEN = (TaskStatus.WAITING, TaskStatus.IN_PROGRESS)
NO_RIGHT = "Your profile lets you read tasks, not change them."
OTHERS = (
    "The log of this task has entries of others, and only an administrator of the organisation can delete what somebody else wrote. "
    "Cancel the task instead."
)
# Decided: on a closed case the work is over, so tasks stay as they ended until the case is reopened. Comments, files and observables can
# still be added and changed, for evidence and answers arrive late, and taking them in must not need anybody to reopen the case.
CLOSED_CASE = "This case is closed, so its tasks stay as they are. Reopen the case first."
STALE = "Somebody else changed this task while you were editing it. Compare below, then save again."


@dataclass(frozen=True)
class Draft:
    """The editable part of a task."""

    title: str
    group: str = ""
    description: str = ""
    assignee_id: int | None = None
    due_at: datetime | None = None
    mandatory: bool = False
    flagged: bool = False


def load_task(case: Case, uid: str) -> Task:
    """A task of this case as the viewer may see it; its own case is part of the question."""
    task: Task | None = db.session.scalar(select(Task).where(Task.uid == uid, Task.case_id == case.id))
    if task is None:
        raise NotVisible("task")
    return task


def check_right(case: Case, by: Viewer) -> None:
    """Whether this person may change the tasks of the case now."""
    if not by.can_inside(Permission.TASK):
        raise NotAllowed(NO_RIGHT)
    if case.stage is Stage.CLOSED:
        raise Refusal(CLOSED_CASE)


def add_task(case: Case, draft: Draft, *, by: Viewer) -> Task:
    """One more task, at the end of its group."""
    check_right(case, by)
    checked = _checked(case, draft)
    if len(tasks_of(case)) >= MOST:
        raise Refusal(f"A case has at most {MOST} tasks. Delete some, or write the rest into one of them.")
    return add_tasks(case, [checked], by=by)[0]


def add_tasks(case: Case, drafts: Iterable[Draft], *, by: Viewer) -> list[Task]:
    """These tasks after those there are: the case's own beginning, from a template or typed with it. Asks for no right of its own."""
    last = db.session.scalar(select(func.max(Task.position)).where(Task.case_id == case.id)) or 0
    made, moment = [], now()
    for position, draft in enumerate(drafts, last + 1):
        task = Task(case_id=case.id, position=position, created_by_name=by.name, created_at=moment, **vars(draft))
        task.description_html = render(draft.description)
        db.session.add(task)
        made.append(task)
    db.session.flush()
    for task in made:
        record(
            Kind.TASK_ADDED, actor=by, case=case, object_id=task.uid, changes={"task": [None, task.title], **_told(Draft(task.title), task)}
        )
        notices.tell(task.assignee_id, case, Reason.TASK, by=by)
    case.updated_at = moment
    return made


def edit_task(case: Case, task: Task, draft: Draft, *, version: int, by: Viewer) -> bool:
    """Write what differs, and say whether anything did. `version` is the one the form showed; an older one is Stale."""
    check_right(case, by)
    if version != task.version:
        raise Stale(STALE)
    checked = _checked(case, draft, keeps=task.assignee_id)
    wanted = {name: value for name, value in vars(checked).items() if getattr(task, name) != value}
    if not wanted:
        return False
    before = Draft(**{name: getattr(task, name) for name in vars(checked)})
    for name, value in wanted.items():
        setattr(task, name, value)
    task.description_html = render(task.description)
    task.version += 1
    record(Kind.TASK_EDITED, actor=by, case=case, object_id=task.uid, changes={"task": [None, task.title], **_told(before, task)})
    if "assignee_id" in wanted:
        notices.tell(task.assignee_id, case, Reason.TASK, by=by)
    case.updated_at = now()
    return True


# From which states an act leads to the next, and why not from the others.
ACTS: dict[str, tuple[tuple[TaskStatus, ...], str]] = {
    "start": ((TaskStatus.WAITING,), "Only a task that waits can be started. Look at it again: somebody may have been quicker."),
    "complete": (OPEN, "This task has ended already. Reopen it to go on with it."),
    "cancel": (OPEN, "This task has ended already. Reopen it to go on with it."),
    "reopen": ((TaskStatus.COMPLETED, TaskStatus.CANCELLED), "This task is open already."),
}


def move_on(case: Case, task: Task, act: str, *, by: Viewer) -> TaskStatus:
    """Start, complete, cancel or reopen (the names of ACTS); the state it has now."""
    check_right(case, by)
    if act not in ACTS:
        raise Refusal("Choose what should happen to the task.")
    allowed, sentence = ACTS[act]
    if task.status not in allowed:
        raise Refusal(sentence)
    status = {"start": TaskStatus.IN_PROGRESS, "complete": TaskStatus.COMPLETED, "cancel": TaskStatus.CANCELLED}.get(act)
    status = status or (TaskStatus.IN_PROGRESS if task.started_at else TaskStatus.WAITING)
    _enter(case, task, status, by)
    return status


def _enter(case: Case, task: Task, status: TaskStatus, by: Viewer) -> None:
    moment = now()
    changes = {"task": [None, task.title], "status": [WORDS[task.status], WORDS[status]]}
    record(Kind.TASK_EDITED, actor=by, case=case, object_id=task.uid, changes=changes)
    task.status = status
    if status is TaskStatus.IN_PROGRESS:
        task.started_at = task.started_at or moment
    task.ended_at = None if status in OPEN else moment
    case.updated_at = moment


WORDS = {
    TaskStatus.WAITING: "Waiting",
    TaskStatus.IN_PROGRESS: "In progress",
    TaskStatus.COMPLETED: "Completed",
    TaskStatus.CANCELLED: "Cancelled",
}


def move_task(case: Case, task: Task, up: bool, *, by: Viewer) -> None:
    """Change places with its neighbour in the group; at either end nothing happens."""
    check_right(case, by)
    group = [other for other in tasks_of(case) if other.group == task.group]
    places = [other.position for other in group]
    here = group.index(task)
    there = here - 1 if up else here + 1
    if not 0 <= there < len(group):
        return
    group[here], group[there] = group[there], group[here]
    for other, position in zip(group, places, strict=True):
        other.position = position
    case.updated_at = now()


def refusal_to_delete(case: Case, task: Task, *, by: Viewer) -> str | None:
    """Why this person cannot delete the task, if so: with it goes what others wrote in its log."""
    if case.stage is Stage.CLOSED:
        return CLOSED_CASE
    others = select(TaskLog.id).where(TaskLog.task_id == task.id, TaskLog.author_id != by.user_id).limit(1)
    return OTHERS if not by.can_inside(Permission.MANAGE_USER) and db.session.scalar(others) is not None else None


def delete_task(case: Case, task: Task, *, by: Viewer) -> None:
    """Remove a task with its log and the files in it; the audit trail keeps what they said and which files they were."""
    check_right(case, by)
    if sentence := refusal_to_delete(case, task, by=by):
        raise NotAllowed(sentence)
    record_lost(case, task, db.session.scalars(select(TaskLog).where(TaskLog.task_id == task.id).order_by(TaskLog.id)), by=by)
    record(Kind.TASK_DELETED, actor=by, case=case, object_id=task.uid, changes={"task": [task.title, None]})
    db.session.delete(task)
    db.session.flush()
    case.updated_at = now()


def record_lost(case: Case, task: Task, logs: Iterable[TaskLog], *, by: Viewer) -> None:
    """Keep of entries that are about to go who wrote them, their words, and name and hash of their files."""
    files: dict[int | None, list[str]] = defaultdict(list)
    held = select(Attachment.log_id, Attachment.name, Attachment.sha256).join(TaskLog, TaskLog.id == Attachment.log_id)
    for log_id, name, sha256 in db.session.execute(held.where(TaskLog.task_id == task.id).order_by(Attachment.id)):
        files[log_id].append(f"{name}, SHA-256 {sha256}")
    for log in logs:
        changes: dict[str, list[Any]] = {"task": [task.title, None], "author": [log.author_name, None], "message": [log.message, None]}
        if log.id in files:
            changes["files"] = [files[log.id], None]
        record(Kind.LOG_DELETED, actor=by, case=case, object_id=log.uid, changes=changes)


def tasks_of(case: Case) -> list[Task]:
    """The tasks of a case in their order; groups stand where their first task does."""
    rows = list(db.session.scalars(select(Task).where(Task.case_id == case.id).order_by(Task.position, Task.id)))
    first: dict[str, int] = {}
    for index, task in enumerate(rows):
        first.setdefault(task.group, index)
    return sorted(rows, key=lambda task: first[task.group])


def closing(case: Case) -> tuple[list[Task], list[Task]]:
    """What stands in the way of closing the case, and what would end with it."""
    rows = tasks_of(case)
    return missing(rows), _open(rows)


def _open(rows: Iterable[Task]) -> list[Task]:
    return [task for task in rows if task.status in OPEN]


def missing(rows: Iterable[Task]) -> list[Task]:
    """The mandatory ones that are not completed: cancelling one does not do what it asked for."""
    return [task for task in rows if task.mandatory and task.status is not TaskStatus.COMPLETED]


def refusal_to_close(rows: Iterable[Task]) -> str | None:
    """Why a case with these tasks cannot be closed, if so."""
    names = [f"“{task.title}”" for task in missing(rows)]
    if not names:
        return None
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    what = "This mandatory task is" if len(names) == 1 else "These mandatory tasks are"
    return f"{what} not completed: {', '.join(names[:3])}{more}. Complete what is mandatory, then close the case."


def end_tasks(case: Case, *, by: Viewer) -> None:
    """Before the case closes: what is in progress counts as completed, what waits is cancelled; mandatory ones must be done."""
    rows = tasks_of(case)
    if sentence := refusal_to_close(rows):
        raise Refusal(sentence)
    for task in _open(rows):
        _enter(case, task, TaskStatus.COMPLETED if task.status is TaskStatus.IN_PROGRESS else TaskStatus.CANCELLED, by)


def assignable(case: Case, *, besides: Iterable[int | None] = ()) -> list[tuple[int, str]]:
    """Id and name of the colleagues a task of the case can be given to: those who may see it."""
    known = colleagues(case.organisation_id, besides=[case.assignee_id, *besides])
    if case.access is not Access.RESTRICTED:
        return known
    named = set(db.session.scalars(select(Grant.user_id).where(Grant.case_id == case.id))) | {case.assignee_id}
    return [(key, name) for key, name in colleagues(case.organisation_id, besides=named) if key in named]


def _fits(case: Case, user_id: int) -> bool:
    if not is_colleague(user_id, case.organisation_id):
        return False
    if case.access is not Access.RESTRICTED or user_id == case.assignee_id:
        return True
    return db.session.execute(select(Grant.user_id).where(Grant.case_id == case.id, Grant.user_id == user_id)).first() is not None


def checked_texts(draft: Draft) -> dict[str, str]:
    """Title, group and description as they will be kept, or a Refusal naming the field; templates ask the same."""
    title, group, description = " ".join(tidy(draft.title).split()), " ".join(tidy(draft.group).split()), tidy(draft.description)
    if not title:
        raise Unfit("title", "Give the task a title.")
    if len(title) > LONGEST_TITLE:
        raise Unfit("title", f"Use at most {LONGEST_TITLE} characters for the title; details belong in the description.")
    if len(group) > LONGEST_GROUP:
        raise Unfit("group", f"Use at most {LONGEST_GROUP} characters for the group.")
    if len(description) > LONGEST:
        raise Unfit("description", f"The description is longer than {LONGEST:,} characters. Put the rest into the log of the task.")
    return {"title": title, "group": group, "description": description}


def _checked(case: Case, draft: Draft, keeps: int | None = None) -> Draft:
    texts = checked_texts(draft)
    if draft.assignee_id is not None and draft.assignee_id != keeps and not _fits(case, draft.assignee_id):
        raise Unfit("assignee", "Give the task to an active colleague who may see this case.")
    return Draft(**{**vars(draft), **texts})


def _told(before: Draft, after: Draft | Task) -> dict[str, list[Any]]:
    """What differs, as the audit keeps it: names instead of numbers, times as text."""
    told: dict[str, list[Any]] = {}
    for name, old in vars(before).items():
        new = getattr(after, name)
        if old == new:
            continue
        if name == "assignee_id":
            name, old, new = "assignee", _name(old), _name(new)
        told[name] = [value.isoformat() if isinstance(value, datetime) else value for value in (old, new)]
    return told


def _name(user_id: int | None) -> str | None:
    return db.session.scalar(select(User.name).where(User.id == user_id)) if user_id else None
