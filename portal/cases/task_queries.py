"""What the console reads of tasks: the tab of a case, the page of a task with its log, and my tasks over all cases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup
from sqlalchemy import func, literal, select, tuple_

from ..accounts.models import User
from ..accounts.viewer import Viewer
from ..clock import now
from ..extensions import db
from ..paging import SIZE, Page, cursor, read_cursor
from ..sharing import scope
from .models import Attachment, Case, Stage, Task, TaskLog, TaskStatus
from .tasks import OPEN, WORDS, tasks_of

# Where tasks without a due date stand among those with one.
LAST = datetime(3000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class TaskRow:
    """A line of a list of tasks. `entries`: how long its log is."""

    uid: str
    title: str
    group: str
    status: str
    word: str
    mandatory: bool
    flagged: bool
    assignee: str | None
    due_at: datetime | None
    overdue: bool
    entries: int = 0
    case_number: int = 0
    case_title: str = ""
    case_closed: bool = False

    @property
    def open(self) -> bool:
        """Whether it waits or is in progress."""
        return self.status in OPEN


@dataclass(frozen=True)
class TaskView(TaskRow):
    """A whole task."""

    assignee_id: int | None = None
    description: str = ""
    description_html: Markup | None = None
    created_at: datetime | None = None
    created_by: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    version: int = 1


@dataclass(frozen=True)
class Group:
    """The tasks that stand together; `name` is empty for those of no group."""

    name: str
    rows: list[TaskRow]

    @property
    def done(self) -> int:
        """How many of them have ended."""
        return sum(not row.open for row in self.rows)


def _fields(task: Any, name: str | None) -> dict[str, Any]:
    return {
        "uid": task.uid,
        "title": task.title,
        "group": task.group,
        "status": task.status.value,
        "word": WORDS[task.status],
        "mandatory": task.mandatory,
        "flagged": task.flagged,
        "assignee": name,
        "due_at": task.due_at,
        "overdue": bool(task.status in OPEN and task.due_at and task.due_at < now()),
    }


def _names(ids: Iterable[int | None]) -> dict[int | None, str]:
    wanted = {key for key in ids if key is not None}
    if not wanted:
        return {}
    return dict(db.session.execute(select(User.id, User.name).where(User.id.in_(wanted))).all())


def groups_of(case: Case) -> list[Group]:
    """The tasks of a case by group, in their order; three queries."""
    rows = tasks_of(case)
    names = _names(task.assignee_id for task in rows)
    counted = select(TaskLog.task_id, func.count(TaskLog.id)).where(TaskLog.case_id == case.id).group_by(TaskLog.task_id)
    entries: dict[int, int] = dict(db.session.execute(counted).all()) if rows else {}
    grouped: dict[str, list[TaskRow]] = defaultdict(list)
    for task in rows:
        grouped[task.group].append(TaskRow(**_fields(task, names.get(task.assignee_id)), entries=entries.get(task.id, 0)))
    return [Group(name, tasks) for name, tasks in grouped.items()]


def task_view(task: Task) -> TaskView:
    """The loaded task as a record."""
    return TaskView(
        **_fields(task, _names([task.assignee_id]).get(task.assignee_id)),
        assignee_id=task.assignee_id,
        description=task.description,
        description_html=Markup(task.description_html),
        created_at=task.created_at,
        created_by=task.created_by_name,
        started_at=task.started_at,
        ended_at=task.ended_at,
        version=task.version,
    )


@dataclass(frozen=True)
class LogFile:
    """A file on an entry of a log."""

    uid: str
    name: str
    size: int


@dataclass(frozen=True)
class LogView:
    """An entry of a task's log."""

    uid: str
    author: str
    message: str
    message_html: Markup
    created_at: datetime
    edited_at: datetime | None
    mine: bool
    files: list[LogFile]


def log_views(task: Task, viewer: Viewer) -> list[LogView]:
    """The log of a task, oldest first; two queries."""
    logs = list(db.session.scalars(select(TaskLog).where(TaskLog.task_id == task.id).order_by(TaskLog.created_at, TaskLog.id)))
    files: dict[int | None, list[LogFile]] = defaultdict(list)
    if logs:
        columns = (Attachment.log_id, Attachment.uid, Attachment.name, Attachment.size)
        wanted = select(*columns).join(TaskLog, TaskLog.id == Attachment.log_id).where(TaskLog.task_id == task.id)
        for log_id, uid, name, size in db.session.execute(wanted.order_by(Attachment.id)):
            files[log_id].append(LogFile(uid, name, size))
    return [log_view(log, viewer, files[log.id]) for log in logs]


def log_view(log: TaskLog, viewer: Viewer, files: list[LogFile] | None = None) -> LogView:
    """One entry as a record for this colleague."""
    return LogView(
        uid=log.uid,
        author=log.author_name,
        message=log.message,
        message_html=Markup(log.message_html),
        created_at=log.created_at,
        edited_at=log.edited_at,
        mine=log.author_id == viewer.user_id,
        files=files or [],
    )


def group_names(case: Case) -> list[str]:
    """The groups the case has, to suggest."""
    return list(db.session.scalars(select(Task.group).where(Task.case_id == case.id, Task.group != "").distinct().order_by(Task.group)))


# What "my tasks" can be narrowed to.
STATES: dict[str, tuple[TaskStatus, ...]] = {
    "": OPEN,
    "waiting": (TaskStatus.WAITING,),
    "progress": (TaskStatus.IN_PROGRESS,),
    "done": (TaskStatus.COMPLETED, TaskStatus.CANCELLED),
}
_COLUMNS = (
    Task.id,
    Task.uid,
    Task.title,
    Task.group,
    Task.status,
    Task.mandatory,
    Task.flagged,
    Task.due_at,
    Task.ended_at,
    Case.number,
    Case.title.label("case_title"),
    Case.stage,
)


def my_tasks(viewer: Viewer, state: str = "", after: str = "") -> Page[TaskRow]:
    """The viewer's tasks on cases they may see, what is due first; those that ended, latest first. One query."""
    done = state == "done"
    moment = func.coalesce(Task.ended_at if done else Task.due_at, literal(LAST, Task.due_at.type))
    wanted = scope.visible(viewer, Task, *_COLUMNS).join(Case, Case.id == Task.case_id)
    wanted = wanted.where(Task.assignee_id == viewer.user_id, Task.status.in_(STATES.get(state, OPEN)))
    if place := read_cursor(after):
        here = tuple_(moment, Task.id)
        wanted = wanted.where(here < place if done else here > place)
    order = (moment.desc(), Task.id.desc()) if done else (moment, Task.id)
    rows = db.session.execute(wanted.order_by(*order).limit(SIZE + 1)).all()
    shown = [_mine(row) for row in rows[:SIZE]]
    if len(rows) <= SIZE:
        return Page(shown, None)
    last = rows[SIZE - 1]
    return Page(shown, cursor((last.ended_at if done else last.due_at) or LAST, last.id))


def _mine(row: Any) -> TaskRow:
    about = {"case_number": row.number, "case_title": row.case_title, "case_closed": row.stage is Stage.CLOSED}
    return TaskRow(**_fields(row, None), **about)
