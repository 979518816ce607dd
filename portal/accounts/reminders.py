"""One reminder of an invitation that is about to run out, while its link still works."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Select, exists, select

from ..clock import now
from ..database import start_writing
from ..extensions import db
from ..mail.models import OutboxMessage, State
from ..mail.outbox import post
from ..organisations.models import Organisation
from .models import OneTimeLink, Purpose, User

LATEST = timedelta(hours=6)
PART = 4  # of its life: with a quarter left, but no earlier than LATEST before the end
BATCH = 200


def tick() -> int:
    """Post the reminders that are due; how many. Any number of processes may do this at the same time.

    Looked for before writing begins, so that nobody waits for nothing.
    """
    ids = [row.id for row in db.session.execute(_wanted(OneTimeLink.id, OneTimeLink.created_at, OneTimeLink.expires_at)) if _is_near(row)]
    db.session.rollback()
    posted = 0
    for start in range(0, len(ids), BATCH):
        start_writing()
        again = _wanted(OneTimeLink).where(OneTimeLink.id.in_(ids[start : start + BATCH]))
        held = again.with_for_update(of=OneTimeLink, skip_locked=True).execution_options(populate_existing=True)
        for link in db.session.scalars(held).all():
            link.reminded_at = now()
            post("invitation_reminder", organisation_id=link.organisation_id, to_user_id=link.user_id, link_id=link.id)
            posted += 1
        db.session.commit()
    return posted


def _wanted(*columns: Any) -> Select[Any]:
    """Living invitations near their end whose letter arrived and nobody was reminded of. A link that was handed over has no letter."""
    moment = now()
    arrived = exists().where(
        OutboxMessage.link_id == OneTimeLink.id,
        OutboxMessage.letter == "invitation",
        OutboxMessage.state.in_((State.SENT, State.UNKNOWN)),
    )
    opened = (OneTimeLink.used_at.is_(None), OneTimeLink.superseded_at.is_(None), OneTimeLink.reminded_at.is_(None))
    ending = (OneTimeLink.expires_at > moment, OneTimeLink.expires_at <= moment + LATEST)
    person = (User.active, User.activated_at.is_(None), User.epoch == OneTimeLink.epoch, Organisation.locked.is_(False))
    joined = select(*columns).join(User, User.id == OneTimeLink.user_id).join(Organisation, Organisation.id == OneTimeLink.organisation_id)
    return joined.where(OneTimeLink.purpose == Purpose.INVITATION, *opened, *ending, *person, arrived).order_by(OneTimeLink.id)


def _is_near(link: Any) -> bool:
    left = min((link.expires_at - link.created_at) / PART, LATEST)
    return bool(link.expires_at - now() <= left)
