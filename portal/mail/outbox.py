"""Posting letters: a row beside the change that causes it, so that both happen or neither."""

from __future__ import annotations

import threading
from email.utils import make_msgid
from typing import Any
from urllib.parse import urlsplit

from flask import current_app
from sqlalchemy import event, select

from ..extensions import db
from .models import OutboxMessage, State

# Set when a letter was committed; the sender of this process wakes up early instead of at its next look.
posted = threading.Event()


def post(
    letter: str,
    *,
    organisation_id: int | None,
    to_user_id: int | None = None,
    to_address: str | None = None,
    case_id: int | None = None,
    comment_id: int | None = None,
    link_id: int | None = None,
    extra: dict[str, Any] | None = None,
) -> OutboxMessage:
    """Add a letter to the running transaction. Its Message-ID is fixed now, so that a repeated delivery can be recognised."""
    domain = urlsplit(current_app.config["BASE_URL"]).hostname or "localhost"
    row = OutboxMessage(
        message_id=make_msgid(domain=domain),
        letter=letter,
        organisation_id=organisation_id,
        to_user_id=to_user_id,
        to_address=to_address,
        case_id=case_id,
        comment_id=comment_id,
        link_id=link_id,
        extra=extra or {},
    )
    db.session.add(row)
    db.session.info["posted"] = True
    return row


def delivery_of(link_ids: list[int]) -> dict[int, State]:
    """How far the letters carrying these one-time links have come."""
    rows = db.session.execute(
        select(OutboxMessage.link_id, OutboxMessage.state).where(OutboxMessage.link_id.in_(link_ids)).order_by(OutboxMessage.id)
    )
    return {link_id: state for link_id, state in rows if link_id is not None}


@event.listens_for(db.session, "after_commit")
def wake_the_sender(session: Any) -> None:
    """Tell this process's sender that something is waiting."""
    if session.info.pop("posted", False):
        posted.set()


@event.listens_for(db.session, "after_rollback")
def forget(session: Any) -> None:
    """What was not committed was not posted."""
    session.info.pop("posted", None)
