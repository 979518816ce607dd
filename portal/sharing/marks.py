"""Marking single comments external or internal, and telling the people concerned."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, select

from ..accounts.permissions import Permission
from ..accounts.viewer import Viewer
from ..audit.kinds import Kind
from ..audit.record import record
from ..cases.attachments import name_outside
from ..cases.comments import CHANGED, recount_outside, version_of
from ..cases.models import Attachment, Case, Comment
from ..cases.queries import audiences_of
from ..clock import now
from ..extensions import db
from ..mail.models import OutboxMessage, State
from ..mail.outbox import post
from ..refusals import NotAllowed, Refusal, Stale

_note = cast("Table", OutboxMessage.__table__)
FILES_WAIT = timedelta(seconds=20)
UNSHARED = "This case is not shared with anybody outside, so nothing on it can be made external. Share the case first."


def refusal_to_mark(case: Case) -> str | None:
    """Why nothing on this case can be made external at the moment, if so."""
    return None if case.shared else UNSHARED


def check_shown(case: Case, seen: str) -> None:
    """Nothing goes to people nobody was shown: `seen` is the mark of the audience the page named."""
    audience = audiences_of([(case.id, case.access_now)], case.organisation_id)[case.id]
    if case.shared and seen != audience.mark:
        raise Stale(f"Nothing was sent: who can see this case has changed. {audience.sentence}. Press the button again if that is meant.")


def mark_comment(case: Case, comment: Comment, external: bool, *, by: Viewer, seen: str | None = None, version: str | None = None) -> bool:
    """Make a comment external or internal; whether anything changed. Only while the case is shared can it become external.

    `seen` and `version`: the audience (`check_shown`) and the words (`version_of`) the person looked at, when known.
    """
    if not by.can_inside(Permission.COMMENT):
        raise NotAllowed("Your profile does not let you decide who sees comments.")
    if external and not case.shared:
        raise Refusal(UNSHARED)
    if comment.external == external:
        return False
    if external and seen is not None:
        check_shown(case, seen)
    if external and version is not None and version != version_of(comment):
        raise Stale(f"{CHANGED} Read below what it says now, then press the button again.")
    moment = now()
    comment.external = external
    comment.outside_at = moment if external else None
    case.updated_at = moment
    kind = Kind.COMMENT_SHARED if external else Kind.COMMENT_WITHDRAWN
    record(kind, actor=by, case=case, object_id=comment.uid, changes={"external": [not external, external]})
    if external:
        case.outside_at = moment
        tell_outside(case, comment, but=by.user_id)
    else:
        recount_outside(case)
    return True


def tell_outside(case: Case, comment: Comment, *, but: int) -> None:
    """Post a note for everyone outside who can read the comment, `but` excepted; the sender finds out who that is."""
    post("case_news", organisation_id=case.organisation_id, case_id=case.id, comment_id=comment.id, extra={"but": [but, comment.author_id]})


def mark_attachment(case: Case, file: Attachment, external: bool, *, by: Viewer, seen: str | None = None) -> bool:
    """Make a file external or internal; whether anything changed. The same rules as for a comment."""
    if not by.can_inside(Permission.UPDATE_CASE):
        raise NotAllowed("Your profile does not let you decide who sees files.")
    if external and not case.shared:
        raise Refusal(UNSHARED)
    if file.external == external:
        return False
    if external and seen is not None:
        check_shown(case, seen)
    moment, was = now(), file.name
    if external:
        file.name = name_outside(case, file)
    file.external = external
    file.outside_at = moment if external else None
    case.updated_at = moment
    kind = Kind.FILE_SHARED if external else Kind.FILE_WITHDRAWN
    record(kind, actor=by, case=case, object_id=file.uid, changes={"name": [was, file.name], "external": [not external, external]})
    if external:
        case.outside_at = moment
        tell_of_files(case, but=by.user_id)
    else:
        recount_outside(case)
    return True


def tell_of_files(case: Case, *, but: int, since: datetime | None = None) -> None:
    """Post a note that there are files to see. Several often come within a moment, so it waits a little and speaks for them all.

    `since`: when the first of them came, where they are several; else the latest news on the case.
    """
    waiting = select(_note.c.extra).where(  # past the guard: outsiders' sessions know no letters
        _note.c.case_id == case.id,
        _note.c.letter == "case_news",
        _note.c.comment_id.is_(None),
        _note.c.to_user_id.is_(None),
        _note.c.state == State.WAITING,
        _note.c.due_at > now(),
    )
    db.session.flush()
    if any(extra.get("but") == [but] for extra in db.session.connection().scalars(waiting)):
        return
    extra = {"but": [but], "files": (since or case.outside_at).isoformat()}
    note = post("case_news", organisation_id=case.organisation_id, case_id=case.id, extra=extra)
    note.due_at = now() + FILES_WAIT


def tell_assignee(case: Case, comment: Comment) -> None:
    """Post a note to the case's assignee that somebody outside wrote."""
    if case.assignee_id is not None:
        post("external_reply", organisation_id=case.organisation_id, to_user_id=case.assignee_id, case_id=case.id, comment_id=comment.id)
