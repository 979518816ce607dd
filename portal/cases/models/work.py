"""Task and its log: what colleagues do on a case. Never seen outside."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from ...clock import now
from ...extensions import Model, new_uid, words


class TaskStatus(StrEnum):
    """Where a task stands."""

    WAITING = "Waiting"
    IN_PROGRESS = "InProgress"
    COMPLETED = "Completed"
    CANCELLED = "Cancelled"


class Task(Model):
    """A piece of work. `mandatory` ones must be completed before the case can be closed."""

    __tablename__ = "task"
    __table_args__ = (
        Index("ix_task_case_id", "case_id", "position", "id"),
        Index("ix_task_assignee_id", "assignee_id", "status", "due_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True, default=new_uid)
    case_id: Mapped[int] = mapped_column(ForeignKey("incident_case.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(128))
    group: Mapped[str] = mapped_column("group_name", String(64), default="")
    description: Mapped[str] = mapped_column(Text, default="")
    description_html: Mapped[str] = mapped_column(Text, default="")
    status: Mapped[TaskStatus] = mapped_column(words(TaskStatus), default=TaskStatus.WAITING)
    mandatory: Mapped[bool] = mapped_column(default=False)
    flagged: Mapped[bool] = mapped_column(default=False)
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    position: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    created_by_name: Mapped[str] = mapped_column(String(128))
    version: Mapped[int] = mapped_column(default=1)


class TaskLog(Model):
    """What was done on a task, in the words of who did it; files hang on it as attachments."""

    __tablename__ = "task_log"
    __table_args__ = (Index("ix_task_log_task_id", "task_id", "created_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True, default=new_uid)
    case_id: Mapped[int] = mapped_column(ForeignKey("incident_case.id", ondelete="CASCADE"), index=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("task.id", ondelete="CASCADE"))
    author_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    author_name: Mapped[str] = mapped_column(String(128))
    message: Mapped[str] = mapped_column(Text)
    message_html: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=now)
    edited_at: Mapped[datetime | None]
