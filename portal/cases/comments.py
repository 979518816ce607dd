"""Writing, editing, deleting and removing comments; whether outsiders see one is decided in sharing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from markupsafe import Markup
from sqlalchemy import Table, bindparam, delete, func, select

from ..accounts.permissions import Permission
from ..accounts.viewer import Viewer
from ..audit.kinds import Kind
from ..audit.models import AuditEntry
from ..audit.record import record
from ..clock import now
from ..database import kept
from ..extensions import db
from ..refusals import NotAllowed, NotVisible, Refusal, Stale, TooMany
from ..words import Number, _
from .models import Attachment, Case, Comment, CommentRevision, Observable
from .text import LONGEST, render, tidy

MOST_MESSAGES = 30
MESSAGES_WITHIN = timedelta(minutes=10)
MOST_REVISIONS = 50  # of one comment; the audit trail has the words of those before
_entry, _revision = (cast("Table", model.__table__) for model in (AuditEntry, CommentRevision))
CHANGED = "This was changed in the meantime."  # for colleagues


def load_comment(case: Case, uid: str) -> Comment:
    """A comment of this case as the viewer may see it; its own case is part of the question. Of a removed one only the trace is left."""
    wanted = select(Comment).where(Comment.uid == uid, Comment.case_id == case.id, Comment.removed_at.is_(None))
    # Whoever waited for the case may have loaded it before the wait.
    comment: Comment | None = db.session.scalar(wanted.execution_options(populate_existing=True))
    if comment is None:
        raise NotVisible("comment")
    return comment


_TALK = kept(select(Comment).where(Comment.case_id == bindparam("case_id")).order_by(Comment.created_at, Comment.id))


def comments_of(case: Case) -> list[Comment]:
    """What was said on the case, oldest first, as far as the viewer may see it."""
    return list(db.session.scalars(_TALK, {"case_id": case.id}))


def checked_message(text: str) -> str:
    """The text as it will be kept, or a Refusal."""
    message = tidy(text)
    if not message:
        raise Refusal(_("Write something before you send it."))
    if len(message) > LONGEST:
        raise Refusal(_("This is longer than %(most)s characters. Send it in parts.", most=Number(LONGEST)))
    return message


def add_comment(case: Case, text: str, *, external: bool, by: Viewer) -> Comment:
    """Add a comment. What an external user writes is external; a colleague's is internal unless they chose otherwise."""
    if not by.can(Permission.COMMENT):
        raise NotAllowed(_("Your profile lets you read, not write."))
    external = external or by.external
    if external and not case.shared:
        raise Refusal("This case is not shared with anybody outside, so a comment cannot be sent to external users. Share the case first.")
    message, moment = checked_message(text), now()
    if by.external:
        _check_pace(by)
    comment = Comment(
        case_id=case.id,
        author_id=by.user_id,
        author_name=by.name,
        author_external=by.external,
        message=message,
        message_html=render(message),
        external=external,
        created_at=moment,
        outside_at=moment if external else None,
    )
    db.session.add(comment)
    db.session.flush()
    case.updated_at = moment
    if external:
        case.outside_at = moment
    record(Kind.COMMENT_ADDED, actor=by, case=case, object_id=comment.uid, changes={"external": [None, external]})
    return comment


def _check_pace(by: Viewer) -> None:
    """Each message of a guest mails everybody on the case: a slip or a script must not become a flood. What counts is what
    was written and changed, also where it is gone by now."""
    written = select(func.count(_entry.c.id)).where(
        _entry.c.actor_id == by.user_id,
        _entry.c.at > now() - MESSAGES_WITHIN,
        _entry.c.kind.in_((Kind.COMMENT_ADDED.value, Kind.COMMENT_EDITED.value)),
    )
    if (db.session.connection().scalar(written) or 0) >= MOST_MESSAGES:
        minutes = int(MESSAGES_WITHIN.total_seconds() // 60)
        values = {"count": MOST_MESSAGES, "minutes": minutes}
        raise TooMany(_("You have sent %(count)s messages within %(minutes)s minutes. Wait a little, then send this one.", **values), 60)


def version_of(comment: Comment) -> str:
    """What tells the words of a comment, and whether they go outside, from what a form showed before."""
    return hashlib.sha256(f"{comment.external}:{comment.message}".encode()).hexdigest()[:16]


def edit_comment(case: Case, comment: Comment, text: str, *, by: Viewer, version: str | None = None) -> None:
    """Change one's own words; nobody else's. The old ones stay, for colleagues to read. `version`: the one the form showed, when known."""
    _own(comment, by)
    message, moment = checked_message(text), now()
    if message == comment.message:
        return
    if version is not None and version != version_of(comment):
        raise Stale(_("This was changed in the meantime. Look below at what it says now; saving again replaces it with what you typed."))
    if by.external:
        _check_pace(by)
    record(Kind.COMMENT_EDITED, actor=by, case=case, object_id=comment.uid, changes={"message": [comment.message, message]})
    db.session.add(
        CommentRevision(
            comment_id=comment.id,
            case_id=case.id,
            message=comment.message,
            message_html=comment.message_html,
            written_at=comment.edited_at or comment.created_at,
            replaced_at=moment,
        )
    )
    comment.message, comment.message_html, comment.edited_at = message, render(message), moment
    case.updated_at = moment
    if comment.external:
        comment.outside_at = case.outside_at = moment
    _let_go_of_old(comment)


def _let_go_of_old(comment: Comment) -> None:
    db.session.flush()
    mine = _revision.c.comment_id == comment.id
    newest = select(_revision.c.id).where(mine).order_by(_revision.c.id.desc()).limit(MOST_REVISIONS)
    db.session.connection().execute(delete(_revision).where(mine, _revision.c.id.not_in(newest)))


@dataclass(frozen=True)
class Version:
    """How a comment read from one moment until another; `until` is None for what it says now."""

    message_html: Markup
    since: datetime
    until: datetime | None


def versions_of(comment: Comment) -> list[Version]:
    """What the comment says and what it said before, newest first. For colleagues."""
    wanted = select(CommentRevision).where(CommentRevision.comment_id == comment.id).order_by(CommentRevision.id.desc())
    earlier = [Version(Markup(row.message_html), row.written_at, row.replaced_at) for row in db.session.scalars(wanted)]
    return [Version(Markup(comment.message_html), comment.edited_at or comment.created_at, None), *earlier]


def can_delete(comment: Comment, by: Viewer) -> bool:
    """Whether this person may take the comment away: their own, or as an administrator of the organisation somebody else's."""
    return by.can(Permission.COMMENT) and (comment.author_id == by.user_id or (not by.external and by.can(Permission.MANAGE_USER)))


def remove_comment(case: Case, comment: Comment, *, by: Viewer) -> None:
    """Take somebody else's comment away. Colleagues see that there was one; its words stay in the audit trail only."""
    if comment.author_id == by.user_id:
        delete_comment(case, comment, by=by)
        return
    if not can_delete(comment, by):
        raise NotAllowed("Only an administrator of the organisation can delete what somebody else wrote.")
    moment = now()
    record(
        Kind.COMMENT_REMOVED,
        actor=by,
        case=case,
        object_id=comment.uid,
        changes={"author": [comment.author_name, None], "message": [comment.message, None], "external": [comment.external, False]},
    )
    db.session.execute(delete(CommentRevision).where(CommentRevision.comment_id == comment.id))
    comment.message = comment.message_html = ""
    comment.external, comment.outside_at = False, None
    comment.removed_at, comment.removed_by_name = moment, by.name
    case.updated_at = moment
    db.session.flush()
    recount_outside(case)


def delete_comment(case: Case, comment: Comment, *, by: Viewer) -> None:
    """Take one's own comment back; the audit trail keeps what it said."""
    _own(comment, by)
    record(Kind.COMMENT_DELETED, actor=by, case=case, object_id=comment.uid, changes={"message": [comment.message, None]})
    db.session.delete(comment)
    db.session.flush()
    case.updated_at = now()
    recount_outside(case)


def _own(comment: Comment, by: Viewer) -> None:
    if not by.can(Permission.COMMENT):
        raise NotAllowed(_("Your profile lets you read, not write."))
    if comment.author_id != by.user_id:
        raise NotAllowed(_("You can change your own comments only."))


def recount_outside(case: Case) -> None:
    """Set the date outsiders see from what they can see: a thing taken back leaves no later date behind."""
    said = select(func.max(Comment.outside_at)).where(Comment.case_id == case.id, Comment.external)
    files = select(func.max(Attachment.outside_at)).where(Attachment.case_id == case.id, Attachment.external, Attachment.log_id.is_(None))
    found = select(func.max(Observable.outside_at)).where(Observable.case_id == case.id, Observable.author_external)
    newest = [moment for wanted in (said, files, found) if (moment := db.session.scalar(wanted)) is not None]
    case.outside_at = max([case.details_at, *newest])
