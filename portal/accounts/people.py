"""What is done to accounts: locking and unlocking."""

from __future__ import annotations

from sqlalchemy import select, update

from ..audit.kinds import Kind
from ..audit.record import record
from ..extensions import db
from ..mail.models import OutboxMessage, State
from ..refusals import Refusal
from . import sessions
from .models import Membership, User
from .powers import member
from .viewer import Viewer


def lock(user_id: int, *, by: Viewer) -> User:
    """Close the account: sessions, links and waiting invitations end in this transaction. It can be reopened."""
    user, organisation = member(user_id, by=by)
    if user.id == by.user_id:
        raise Refusal("You cannot lock your own account. Ask another administrator.")
    elsewhere = select(Membership.id).where(Membership.user_id == user.id, Membership.organisation_id != by.organisation_id)
    if not by.platform and db.session.scalar(elsewhere.limit(1)) is not None:
        raise Refusal(f"{user.name} also works in another organisation, so only an administrator of the platform can do this.")
    if user.active:
        user.active = False
        sessions.end_all(user)
        db.session.execute(
            update(OutboxMessage)
            .where(OutboxMessage.to_user_id == user.id, OutboxMessage.state == State.WAITING)
            .values(state=State.DROPPED, last_error="the account was locked")
        )
        record(Kind.USER_LOCKED, actor=by, organisation_id=organisation.id, object_id=user.id)
    return user


def unlock(user_id: int, *, by: Viewer) -> User:
    """Let the person in again; links made before stay dead, an unfinished invitation must be sent anew."""
    user, organisation = member(user_id, by=by)
    if not user.active:
        user.active = True
        record(Kind.USER_UNLOCKED, actor=by, organisation_id=organisation.id, object_id=user.id)
    return user
