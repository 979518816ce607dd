"""Throwing away what has had its time: old form tokens, dead links and sessions, letters long sent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, or_, select, update

from ..clock import now
from ..database import queue_up, start_writing
from ..extensions import db
from ..mail.models import OutboxMessage, State
from ..settings import values
from .models import Challenge, LoginSession, OneTimeLink, Purpose, Submission, User

SUBMISSIONS = timedelta(days=7)
LINKS = timedelta(days=30)
LETTERS = timedelta(days=90)
SESSIONS = timedelta(days=1)  # after their end
BATCH = 200
OVER = (State.SENT, State.DROPPED)


def purge() -> bool:
    """Delete one small batch of each kind and commit; whether there is more to do."""
    moment = now()
    kinds: tuple[tuple[Any, ColumnElement[bool]], ...] = (
        (OutboxMessage, and_(OutboxMessage.state.in_(OVER), OutboxMessage.created_at < moment - LETTERS)),
        (Submission, Submission.created_at < moment - SUBMISSIONS),
        (Challenge, Challenge.expires_at < moment),
        (LoginSession, _ended(moment)),
        (OneTimeLink, _dead(moment)),
    )
    return max([_delete(model, old) for model, old in kinds]) >= BATCH


def _delete(model: Any, old: ColumnElement[bool]) -> int:
    """How many were found; they are looked for before writing begins, so that nobody waits for the search."""
    ids = list(db.session.scalars(select(model.id).where(old).order_by(model.id).limit(BATCH)))
    if ids:
        start_writing()
        queue_up("purge")
        if model is OneTimeLink:  # a letter outlives its link
            db.session.execute(update(OutboxMessage).where(OutboxMessage.link_id.in_(ids)).values(link_id=None))
        db.session.execute(delete(model).where(model.id.in_(ids)))
        db.session.commit()
    return len(ids)


def _ended(moment: datetime) -> ColumnElement[bool]:
    """Sessions nobody can go on with, whatever the policy of their face."""
    policy, before = values.sign_in_policy(), moment - SESSIONS
    return or_(
        and_(LoginSession.viewed_by_id.is_not(None), LoginSession.created_at < before),
        *(
            and_(
                LoginSession.face == face,
                or_(LoginSession.last_seen_at < before - policy.idle(face), LoginSession.created_at < before - policy.longest(face)),
            )
            for face in ("console", "portal")
        ),
    )


def _dead(moment: datetime) -> ColumnElement[bool]:
    """Links that were over long ago. An invitation that ran out stays as long as it says where the account stands."""
    before = moment - LINKS
    waiting = select(OutboxMessage.link_id).where(OutboxMessage.link_id.is_not(None), OutboxMessage.state.not_in(OVER))
    awaited = select(User.id).where(User.activated_at.is_(None), User.deleted_at.is_(None))
    ran_out = and_(
        OneTimeLink.expires_at < before,
        or_(OneTimeLink.purpose != Purpose.INVITATION, OneTimeLink.user_id.is_(None), OneTimeLink.user_id.not_in(awaited)),
    )
    return and_(
        or_(OneTimeLink.used_at < before, OneTimeLink.superseded_at < before, ran_out),
        OneTimeLink.id.not_in(waiting),
    )
