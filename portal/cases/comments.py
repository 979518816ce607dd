"""Writing, editing and deleting comments; whether outsiders see one is decided in sharing."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from ..accounts.permissions import Permission
from ..accounts.viewer import Viewer
from ..audit.kinds import Kind
from ..audit.record import record
from ..clock import now
from ..extensions import db
from ..refusals import NotAllowed, NotVisible, Refusal, TooMany
from .models import Case, Comment
from .text import LONGEST, render, tidy

MOST_MESSAGES = 30
MESSAGES_WITHIN = timedelta(minutes=10)


def load_comment(case: Case, uid: str) -> Comment:
    """A comment of this case as the viewer may see it; its own case is part of the question."""
    comment: Comment | None = db.session.scalar(select(Comment).where(Comment.uid == uid, Comment.case_id == case.id))
    if comment is None:
        raise NotVisible("comment")
    return comment


def comments_of(case: Case) -> list[Comment]:
    """What was said on the case, oldest first, as far as the viewer may see it."""
    return list(db.session.scalars(select(Comment).where(Comment.case_id == case.id).order_by(Comment.created_at, Comment.id)))


def checked_message(text: str) -> str:
    """The text as it will be kept, or a Refusal."""
    message = tidy(text)
    if not message:
        raise Refusal("Write something before you send it.")
    if len(message) > LONGEST:
        raise Refusal(f"This is longer than {LONGEST:,} characters. Send it in parts.")
    return message


def add_comment(case: Case, text: str, *, external: bool, by: Viewer) -> Comment:
    """Add a comment. What an external user writes is external; a colleague's is internal unless they chose otherwise."""
    if not by.can(Permission.COMMENT):
        raise NotAllowed("Your profile lets you read, not write.")
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
    """Each message of a guest mails everybody on the case: a slip or a script must not become a flood."""
    since = now() - MESSAGES_WITHIN
    written = select(func.count(Comment.id)).where(Comment.author_id == by.user_id, Comment.created_at > since)
    if (db.session.scalar(written) or 0) >= MOST_MESSAGES:
        minutes = int(MESSAGES_WITHIN.total_seconds() // 60)
        raise TooMany(f"You have sent {MOST_MESSAGES} messages within {minutes} minutes. Wait a little, then send this one.", 60)


def edit_comment(case: Case, comment: Comment, text: str, *, by: Viewer) -> None:
    """Change one's own words; nobody else's. The old ones stay in the audit trail."""
    _own(comment, by)
    message, moment = checked_message(text), now()
    if message == comment.message:
        return
    record(Kind.COMMENT_EDITED, actor=by, case=case, object_id=comment.uid, changes={"message": [comment.message, message]})
    comment.message, comment.message_html, comment.edited_at = message, render(message), moment
    case.updated_at = moment
    if comment.external:
        comment.outside_at = case.outside_at = moment


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
        raise NotAllowed("Your profile lets you read, not write.")
    if comment.author_id != by.user_id:
        raise NotAllowed("You can change your own comments only.")


def recount_outside(case: Case) -> None:
    """Set the date outsiders see from what they can see: a thing taken back leaves no later date behind."""
    newest = db.session.scalar(select(func.max(Comment.outside_at)).where(Comment.case_id == case.id, Comment.external))
    case.outside_at = max(case.details_at, newest) if newest else case.details_at
