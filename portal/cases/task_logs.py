"""The log of a task: what was done, by whom, with the files that came of it."""

from __future__ import annotations

from sqlalchemy import func, select

from ..accounts.viewer import Viewer
from ..audit.kinds import Kind
from ..audit.record import record
from ..clock import now
from ..extensions import db
from ..refusals import NotAllowed, NotVisible, Refusal
from ..storage import intake
from ..storage.intake import Upload
from .models import Attachment, Case, Task, TaskLog
from .tasks import check_right, record_lost
from .text import LONGEST, render, tidy

MOST = 500  # entries of one task


def load_log(task: Task, uid: str) -> TaskLog:
    """An entry of this task's log."""
    log: TaskLog | None = db.session.scalar(select(TaskLog).where(TaskLog.uid == uid, TaskLog.task_id == task.id))
    if log is None:
        raise NotVisible("log")
    return log


def add_log(case: Case, task: Task, text: str, *, by: Viewer, files: int = 0) -> TaskLog:
    """Say what was done. `files`: how many are about to be hung on the entry; with some, the words may be missing."""
    check_right(case, by)
    message = _checked(text, may_be_empty=bool(files))
    if (db.session.scalar(select(func.count(TaskLog.id)).where(TaskLog.task_id == task.id)) or 0) >= MOST:
        raise Refusal(f"The log of a task has at most {MOST} entries. Go on in another task.")
    log = TaskLog(
        case_id=case.id,
        task_id=task.id,
        author_id=by.user_id,
        author_name=by.name,
        message=message,
        message_html=render(message),
        created_at=now(),
    )
    db.session.add(log)
    db.session.flush()
    record(Kind.TASK_LOGGED, actor=by, case=case, object_id=log.uid, changes={"task": [None, task.title]})
    case.updated_at = log.created_at
    return log


def add_file(case: Case, task: Task, log: TaskLog, upload: Upload, *, by: Viewer) -> Attachment:
    """Hang a file on an entry that was just written. It never goes outside, whatever the case is shared with."""
    _own(case, log, by)
    intake.check(upload)
    file = Attachment(
        case_id=case.id,
        log_id=log.id,
        blob_id=intake.keep(upload).id,
        name=upload.name,
        content_type=upload.content_type,
        size=upload.size,
        sha256=upload.sha256,
        author_id=by.user_id,
        author_name=by.name,
        author_external=False,
        created_at=log.created_at,
    )
    db.session.add(file)
    db.session.flush()
    changes = {"task": [None, task.title], "name": [None, file.name], "size": [None, file.size], "sha256": [None, file.sha256]}
    record(Kind.FILE_ADDED, actor=by, case=case, object_id=file.uid, changes=changes)
    return file


def load_file(task: Task, uid: str) -> Attachment:
    """A file in the log of this task."""
    wanted = select(Attachment).join(TaskLog, TaskLog.id == Attachment.log_id).where(Attachment.uid == uid, TaskLog.task_id == task.id)
    file: Attachment | None = db.session.scalar(wanted)
    if file is None:
        raise NotVisible("file")
    return file


def edit_log(case: Case, log: TaskLog, text: str, *, by: Viewer) -> None:
    """Change one's own words; the old ones stay in the audit trail."""
    _own(case, log, by)
    message = _checked(text)
    if message == log.message:
        return
    record(Kind.LOG_EDITED, actor=by, case=case, object_id=log.uid, changes={"message": [log.message, message]})
    log.message, log.message_html, log.edited_at = message, render(message), now()
    case.updated_at = now()


def delete_log(case: Case, log: TaskLog, *, by: Viewer) -> None:
    """Take one's own entry back, with its files; the audit trail keeps what it said and which files they were."""
    _own(case, log, by)
    record_lost(case, db.session.get_one(Task, log.task_id), [log], by=by)
    db.session.delete(log)
    db.session.flush()
    case.updated_at = now()


def _own(case: Case, log: TaskLog, by: Viewer) -> None:
    check_right(case, by)
    if log.author_id != by.user_id:
        raise NotAllowed("You can change your own entries only.")


def _checked(text: str, *, may_be_empty: bool = False) -> str:
    message = tidy(text)
    if not message and not may_be_empty:
        raise Refusal("Write what was done before you add it.")
    if len(message) > LONGEST:
        raise Refusal(f"This is longer than {LONGEST:,} characters. Add it in parts, or as a file.")
    return message
