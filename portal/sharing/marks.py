"""Marking single comments external or internal, and telling the people concerned."""

from __future__ import annotations

from ..accounts.permissions import Permission
from ..accounts.viewer import Viewer
from ..audit.kinds import Kind
from ..audit.record import record
from ..cases.comments import recount_outside
from ..cases.models import Case, Comment
from ..clock import now
from ..mail.outbox import post
from ..refusals import NotAllowed, Refusal

UNSHARED = "This case is not shared with anybody outside, so nothing on it can be made external. Share the case first."


def refusal_to_mark(case: Case) -> str | None:
    """Why nothing on this case can be made external at the moment, if so."""
    return None if case.shared else UNSHARED


def mark_comment(case: Case, comment: Comment, external: bool, *, by: Viewer) -> bool:
    """Make a comment external or internal; whether anything changed. Only while the case is shared can it become external."""
    if not by.can(Permission.COMMENT):
        raise NotAllowed("Your profile does not let you decide who sees comments.")
    if external and not case.shared:
        raise Refusal(UNSHARED)
    if comment.external == external:
        return False
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


def tell_assignee(case: Case, comment: Comment) -> None:
    """Post a note to the case's assignee that somebody outside wrote."""
    if case.assignee_id is not None:
        post("external_reply", organisation_id=case.organisation_id, to_user_id=case.assignee_id, case_id=case.id, comment_id=comment.id)
