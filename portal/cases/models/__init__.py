"""Case, and what hangs on it: talk, files, findings, work and the shape a platform gives it."""

from .case import STATUSES, Case, CaseCounter, Impact, Stage
from .files import Attachment
from .findings import Observable, ObservableType
from .reader import Draft, Mute, ReadMark
from .shape import CaseTag, CaseTemplate, CustomField, CustomValue, FieldType, Status
from .talk import Comment, CommentRevision
from .work import Task, TaskLog, TaskStatus

__all__ = [
    "STATUSES",
    "Attachment",
    "Case",
    "CaseCounter",
    "CaseTag",
    "CaseTemplate",
    "Comment",
    "CommentRevision",
    "CustomField",
    "CustomValue",
    "Draft",
    "FieldType",
    "Impact",
    "Mute",
    "Observable",
    "ObservableType",
    "ReadMark",
    "Stage",
    "Status",
    "Task",
    "TaskLog",
    "TaskStatus",
]
