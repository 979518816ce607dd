"""The only thing the portal holds: rows go in, records come out, and each question is asked for one person."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, cast

from markupsafe import Markup
from sqlalchemy import Select, Table, and_, bindparam, exists, select

from ..accounts.permissions import Permission
from ..accounts.viewer import Viewer
from ..audit.kinds import Kind
from ..audit.models import AuditEntry
from ..audit.record import record_apart
from ..cases import comments, guests
from ..cases.models import Attachment, Case, Comment, CustomField, CustomValue, FieldType, Mute, ReadMark
from ..cases.reports import worded
from ..clock import now
from ..database import kept
from ..extensions import db
from ..mail.wishes import Wishes
from ..notices import notices
from ..paging import Page
from ..refusals import NotAllowed, NotVisible
from ..words import Wording, _, later
from . import guard, reading, scope
from .evidence import Evidence
from .marks import tell_assignee, tell_outside
from .people import OwnOrganisation
from .records import CaseWishes, SharedCase, SharedCaseRow, SharedComment, SharedContent, SharedField, SharedFile, StageReached
from .reports import Reports
from .takeout import Takeout

_PAGE = (Case.id, Case.organisation_id, Case.description_html, Case.start_date, Case.access, Case.reported_outside)
_MESSAGE = (
    Comment.uid,
    Comment.author_id,
    Comment.author_name,
    Comment.author_external,
    Comment.message,
    Comment.message_html,
    Comment.created_at,
    Comment.edited_at,
    Comment.outside_at,
)
_FIELD = (CustomField.label, CustomField.description, CustomField.type)
_FILE = (
    Attachment.uid,
    Attachment.name,
    Attachment.size,
    Attachment.author_id,
    Attachment.author_name,
    Attachment.author_external,
    Attachment.created_at,
    Attachment.outside_at,
)
BOOLEANS = Wording({"yes": later("Yes"), "no": later("No")})
EVERY_CASE = CaseWishes()
VIEW_NOTED_EVERY = timedelta(hours=1)
VIEW_NOTED_WITHIN = 1.0  # seconds; a busy database does not keep the page from who may read it
# What outsiders write is external: where it no longer is, the team withdrew it. Their own rows only, and nothing of what they say.
_comment = cast("Table", Comment.__table__)
_WITHDRAWN = select(_comment.c.uid, _comment.c.created_at).where(
    _comment.c.case_id == bindparam("case_id"), _comment.c.author_id == bindparam("author_id"), _comment.c.external.is_(False)
)
_entry = cast("Table", AuditEntry.__table__)
_VIEWED = select(
    exists().where(
        _entry.c.case_id == bindparam("case_id"),
        _entry.c.actor_id == bindparam("actor_id"),
        _entry.c.kind == Kind.CASE_VIEWED,
        _entry.c.at > bindparam("since"),
    )
)
_TAKEN = select(
    exists().where(
        _entry.c.case_id == bindparam("case_id"),
        _entry.c.actor_id == bindparam("actor_id"),
        _entry.c.kind == Kind.FILE_DOWNLOADED,
        _entry.c.object_id == bindparam("object_id"),
        _entry.c.at > bindparam("since"),
    )
)


class Window:
    """One outsider's view of the cases. What they may not see raises NotVisible, exactly like what does not exist."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self.letters = Wishes(viewer)
        self.takeout = Takeout(viewer)
        self.organisation = OwnOrganisation(viewer)
        self.reports = Reports(viewer)
        self.evidence = Evidence(viewer, self._find, self._case_row)
        self._found: Any = None  # the case this request asked for; a window lives no longer than that

    def anew(self) -> Window:
        """The window for what comes after slow work, or long after the request: nothing that was read before counts, and no transaction
        stays open until it is asked. NotVisible when its person may not go on by now."""
        db.session.rollback()
        self.takeout.check_person()
        guard.engage(self.viewer)
        return Window(self.viewer)

    @property
    def can_write(self) -> bool:
        """Whether their profiles let them write messages."""
        return self.viewer.can(Permission.COMMENT)

    def _visible(self, model: Any, *columns: Any) -> Select[Any]:
        return scope.visible(self.viewer, model, *columns)

    def cases(self, wishes: CaseWishes = EVERY_CASE, after: str = "") -> Page[SharedCaseRow]:
        """Shared cases, latest visible change first unless they wish otherwise, 25 a page."""
        return reading.cases(self.viewer, wishes, after)

    def number_to_open(self, text: str) -> int | None:
        """The case whose number this text is, where it is one of theirs."""
        return reading.number_to_open(self.viewer, text)

    def tags(self) -> list[str]:
        """The tags of their cases."""
        return reading.tags(self.viewer)

    def problem_of(self, words: str) -> str:
        """Why nothing can be searched for with these words; empty where something can."""
        return reading.question_problem(words)

    def case(self, number: int, *, anew: bool = False) -> SharedCase:
        """One case; what was reported outside has the headings of a report in the language of its reader. `anew`: after a change."""
        if anew:
            self._found = None
        row = self._find(number)
        description = Markup(row.description_html)
        return SharedCase(
            **reading.basics_of(row),
            description_html=worded(description) if row.reported_outside else description,
            # a report that did not tell when it began has the moment it was sent
            start_date=None if row.reported_outside and row.start_date == row.created_at else row.start_date,
            new_at=row.new_at,
            in_progress_at=row.in_progress_at,
            closed_at=row.closed_at,
            muted=row.mute_id is not None and self.viewer.viewed_by_id is None,  # who looks through their eyes does not learn it
        )

    def stages(self, number: int) -> list[StageReached]:
        """The stages a case went through."""
        return reading.stages(self._find(number))

    def _find(self, number: int) -> Any:
        if self._found is not None and self._found.number == number:
            return self._found
        wanted = _numbered(scope.visible_one(self.viewer, Case, *reading.BASICS, *reading.MOMENTS, *_PAGE))
        row = db.session.execute(wanted, {"number": number, "reader": self.viewer.user_id}).one_or_none()
        if row is None:
            raise NotVisible(f"case {number}")
        self._found = row
        return row

    def still_sees(self, number: int) -> bool:
        """Whether the case is there for them now, whatever was read before."""
        self._found = None
        try:
            return bool(self._find(number))
        except NotVisible:
            return False

    def note_view(self, number: int) -> None:
        """Keep on record that this person opened the case, once an hour, and how far they have read."""
        row = self._find(number)
        reading.note_read(self.viewer, row)
        known = {"case_id": row.id, "actor_id": self.viewer.user_id, "since": now() - VIEW_NOTED_EVERY}
        if not db.session.connection().scalar(_VIEWED, known):
            record_apart(Kind.CASE_VIEWED, actor=self.viewer, case=row, object_id=number, patience=VIEW_NOTED_WITHIN)

    def fields(self, number: int) -> list[SharedField]:
        """The custom fields shown outside that have a value on the case, as plain text."""
        wanted = _shown(self._visible(CustomValue, CustomField.id, *_FIELD, CustomValue.value))
        found: dict[int, SharedField] = {}
        for key, label, text, kind, value in db.session.execute(wanted, {"case_id": self._find(number).id}):
            field = found.setdefault(key, SharedField(label, text, kind.value, []))
            field.values.append(BOOLEANS.get(value, value) if kind is FieldType.BOOLEAN else value)
        return list(found.values())

    def messages(self, number: int) -> list[SharedComment]:
        """The conversation of a case, oldest first; where a message of theirs was withdrawn, they see that it was."""
        rows = db.session.execute(_talk(self._visible(Comment, *_MESSAGE)), {"case_id": self._find(number).id})
        return sorted([*map(self._message, rows), *self._withdrawn(number)], key=lambda message: message.created_at)

    def _withdrawn(self, number: int) -> list[SharedComment]:
        known = {"case_id": self._find(number).id, "author_id": self.viewer.user_id}
        rows = db.session.connection().execute(_WITHDRAWN, known)
        name = self.viewer.name
        return [SharedComment(uid, name, False, True, "", Markup(), written, None, withdrawn=True) for uid, written in rows]

    def message(self, number: int, uid: str) -> SharedComment:
        """One message of a case, only if the person wrote it: for editing or deleting."""
        own = self._own(number, uid, change=False)[1]
        return replace(self._message(own), version=comments.version_of(own))

    def _message(self, row: Any) -> SharedComment:
        named = row.author_external or self.viewer.names_analysts
        return SharedComment(
            uid=row.uid,
            author=row.author_name if named else _("Security team"),
            from_team=not row.author_external,
            mine=row.author_id == self.viewer.user_id,
            message=row.message if row.author_id == self.viewer.user_id else "",
            message_html=Markup(row.message_html),
            created_at=row.created_at,
            edited_at=_edited_in_view(row),
            new=self._new(row),
        )

    def _new(self, row: Any) -> bool:
        """Whether it is news to them; on their first visit everything is, so nothing stands out."""
        seen_at = self._found.seen_at if self._found is not None else None
        return seen_at is not None and row.author_id != self.viewer.user_id and (row.outside_at or row.created_at) > seen_at

    def files(self, number: int) -> list[SharedFile]:
        """The files of a case, newest first."""
        wanted = _filed(self._visible(Attachment, *_FILE))
        return [self._file(row) for row in db.session.execute(wanted, {"case_id": self._find(number).id})]

    def _file(self, row: Any) -> SharedFile:
        return SharedFile(
            uid=row.uid,
            name=row.name,
            size=row.size,
            author=row.author_name if row.author_external or self.viewer.names_analysts else _("Security team"),
            from_team=not row.author_external,
            mine=row.author_id == self.viewer.user_id,
            created_at=row.created_at,
            withdraw_until=guests.withdraw_until(row, self.viewer) if self.evidence.can_upload else None,
            new=self._new(row),
        )

    def content(self, number: int, uid: str) -> SharedContent:
        """A file of a case, to hand out."""
        case = self._find(number)
        columns = (Attachment.name, Attachment.size, Attachment.sha256)
        wanted = self._visible(Attachment, *columns).where(Attachment.case_id == case.id, Attachment.uid == uid)
        row = db.session.execute(wanted).one_or_none()
        if row is None:
            raise NotVisible("file")
        return SharedContent(row.name, row.size, row.sha256)

    def note_download(self, number: int, uid: str) -> None:
        """Keep on record that this person took the file, or a part of it; once an hour, for it may come in many parts."""
        row = self._find(number)
        known = {"case_id": row.id, "actor_id": self.viewer.user_id, "object_id": uid, "since": now() - VIEW_NOTED_EVERY}
        if not db.session.connection().scalar(_TAKEN, known):
            record_apart(Kind.FILE_DOWNLOADED, actor=self.viewer, case=row, object_id=uid)

    def _own(self, number: int, uid: str, *, change: bool = True) -> tuple[Case, Comment]:
        case = self._case_row(number, change=change)
        comment = comments.load_comment(case, uid)
        if comment.author_id != self.viewer.user_id:
            raise NotVisible("comment")
        return case, comment

    def _case_row(self, number: int, *, change: bool = True) -> Case:
        """The case; held until the end of the request where something is to be written on it."""
        wanted = scope.visible_one(self.viewer, Case).where(Case.number == number)
        if change and self.viewer.viewed_by_id is not None:
            raise NotAllowed("Who looks at the portal as somebody else can only read.")
        if change:
            # Whoever waited here may have lost access meanwhile: the answer that counts is that of the statement after the wait.
            db.session.scalar(scope.visible_one(self.viewer, Case, Case.id).where(Case.number == number).with_for_update())
        case: Case | None = db.session.scalar(wanted.execution_options(populate_existing=True))
        if case is None:
            raise NotVisible(f"case {number}")
        return case

    def add_message(self, number: int, text: str) -> None:
        """Write a message; everyone with access reads it, the assignee and the others are told by mail."""
        case = self._case_row(number)
        before = case.outside_at
        comment = comments.add_comment(case, text, external=True, by=self.viewer)
        tell_assignee(case, comment)
        notices.tell_of_reply(case, by=self.viewer)
        tell_outside(case, comment, but=self.viewer.user_id)
        reading.note_own(case, by=self.viewer, before=before)

    def edit_message(self, number: int, uid: str, text: str, *, version: str | None = None) -> None:
        """Change one's own message; readers see that it was edited."""
        case, comment = self._own(number, uid)
        before = case.outside_at
        comments.edit_comment(case, comment, text, by=self.viewer, version=version)
        reading.note_own(case, by=self.viewer, before=before)

    def delete_message(self, number: int, uid: str) -> None:
        """Take one's own message back."""
        case, comment = self._own(number, uid)
        comments.delete_comment(case, comment, by=self.viewer)


@lru_cache(maxsize=512)
def _numbered(visible: Select[Any]) -> Select[Any]:
    wanted = visible.add_columns(ReadMark.seen_at, Mute.id.label("mute_id"))
    for kept_by in (ReadMark, Mute):
        wanted = wanted.outerjoin(kept_by, and_(kept_by.case_id == Case.id, kept_by.user_id == bindparam("reader")))
    return kept(wanted.where(Case.number == bindparam("number")))


@lru_cache(maxsize=512)
def _shown(values: Select[Any]) -> Select[Any]:
    wanted = values.join(CustomField, CustomField.id == CustomValue.field_id).where(CustomValue.case_id == bindparam("case_id"))
    return kept(wanted.order_by(CustomField.position, CustomField.id, CustomValue.position))


@lru_cache(maxsize=512)
def _talk(messages: Select[Any]) -> Select[Any]:
    return kept(messages.where(Comment.case_id == bindparam("case_id")).order_by(Comment.created_at, Comment.id))


@lru_cache(maxsize=512)
def _filed(files: Select[Any]) -> Select[Any]:
    return kept(files.where(Attachment.case_id == bindparam("case_id")).order_by(Attachment.created_at.desc(), Attachment.id.desc()))


def _edited_in_view(row: Any) -> datetime | None:
    """When it was edited, if that was after outsiders could read it: what came before is the team's own business."""
    seen_since = row.outside_at or row.created_at
    return row.edited_at if row.edited_at and row.edited_at >= seen_since else None
