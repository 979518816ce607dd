"""Posting letters: a row beside the change that causes it, so that both happen or neither."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import make_msgid
from typing import Any
from urllib.parse import urlsplit

from flask import current_app
from sqlalchemy import event, func, insert, select

from ..accounts.models import User
from ..accounts.permissions import Permission
from ..accounts.viewer import Viewer
from ..audit.kinds import Kind
from ..audit.record import record
from ..cases.models import ReadMark
from ..clock import now
from ..extensions import db
from ..refusals import NotAllowed, NotVisible, Refusal
from .models import OutboxMessage, State

# Set when a letter was committed; the sender of this process wakes up early instead of at its next look.
posted = threading.Event()
# What a note says to each of the letters made from it. `at`: when there was this to tell, for who has read it since.
# `marks`: the newest of all read marks then; a later one is of somebody who has opened the case since.
COPIED = ("cases", "files", "was", "at", "marks")
SHARING = "case_shared"
# No letters, but what somebody without a session asked for: the sender finds out whether there is an account to mail a link to.
ORDERS = (RESET, NEW_LINK) = ("ask_for_reset", "ask_for_new_link")


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
        extra=_completed(letter, extra or {}),
    )
    db.session.add(row)
    db.session.info["posted"] = True
    return row


def order(wanted: str, *, to_address: str, extra: dict[str, Any]) -> OutboxMessage:
    """Add one of ORDERS to the running transaction.

    Nobody is woken up for it: the sender's work for a known address would slow down whatever the same browser asks for next.
    """
    woken = db.session.info.get("posted", False)
    row = post(wanted, organisation_id=None, to_address=to_address, extra=extra)
    db.session.info["posted"] = woken
    return row


def post_to_each(note: OutboxMessage, user_ids: Iterable[int]) -> None:
    """Add a letter like this note for each of these people; thousands at once must not hold up other writers."""
    domain = urlsplit(current_app.config["BASE_URL"]).hostname or "localhost"
    about: dict[str, Any] = {name: getattr(note, name) for name in ("letter", "organisation_id", "case_id", "comment_id")}
    stored: datetime | None = note.created_at  # None of a note that is only copied from
    told = {"at": (stored or now()).isoformat()}  # what was read between the note and the letters is read
    extra = _completed(note.letter, {**told, **{key: note.extra[key] for key in COPIED if key in note.extra}})
    rows = [{**about, "extra": extra, "to_user_id": user_id, "message_id": make_msgid(domain=domain)} for user_id in user_ids]
    if rows:
        db.session.execute(insert(OutboxMessage), rows)
        db.session.info["posted"] = True


def post_all(letter: str, to: Mapping[int, int | None], *, organisation_id: int, extra: dict[str, Any] | None = None) -> None:
    """Add a letter for each of these people, with the link of theirs it is about, if any, and as many statements as for one."""
    domain = urlsplit(current_app.config["BASE_URL"]).hostname or "localhost"
    about = {"letter": letter, "organisation_id": organisation_id, "extra": extra or {}}
    rows = [{**about, "to_user_id": key, "link_id": link_id, "message_id": make_msgid(domain=domain)} for key, link_id in to.items()]
    if rows:
        db.session.execute(insert(OutboxMessage), rows)
        db.session.info["posted"] = True


def _completed(letter: str, extra: dict[str, Any]) -> dict[str, Any]:
    """Of sharing: which read marks there were. How far they reach says nothing: whoever comes later reads what went outside before."""
    if letter != SHARING or "marks" in extra:
        return extra
    known = db.session.info
    if "marks" not in known:  # asked once, however many cases are shared; past the guard, for they are other people's
        known["marks"] = db.session.connection().scalar(select(func.max(ReadMark.__table__.c.id))) or 0
    return {**extra, "marks": known["marks"]}


@dataclass(frozen=True)
class Stuck:
    """A letter that did not leave, or of which nobody knows whether it did (`unknown`)."""

    id: int
    letter: str
    to: str
    at: datetime
    why: str
    unknown: bool


STUCK = (State.FAILED, State.UNKNOWN)
MOST_STUCK = 50
NO_RIGHT = "Your profile does not let you look after the platform's mail. Ask an administrator of the platform."


def stuck(*, by: Viewer) -> list[Stuck]:
    """The newest letters that need somebody's decision."""
    _check_right(by)
    rows = db.session.execute(
        select(OutboxMessage, User.email)
        .outerjoin(User, User.id == OutboxMessage.to_user_id)
        .where(OutboxMessage.state.in_(STUCK))
        .order_by(OutboxMessage.id.desc())
        .limit(MOST_STUCK)
    )
    return [
        Stuck(row.id, row.letter, row.to_address or email or "", row.created_at, row.last_error, row.state is State.UNKNOWN)
        for row, email in rows
    ]


def retry(letter_id: int, *, twice: bool = False, by: Viewer) -> None:
    """Send a letter again. `twice`: although it may have arrived already."""
    _check_right(by)
    row = db.session.scalar(select(OutboxMessage).where(OutboxMessage.id == letter_id).with_for_update())
    if row is None or row.state not in STUCK:
        raise NotVisible("letter")
    if row.state is State.UNKNOWN and not twice:
        raise Refusal("This letter may have arrived already. Say that it may arrive twice, or leave it.")
    _send_again([row], by)


def retry_failed(*, by: Viewer) -> int:
    """Send every failed letter again; how many. Those of unknown fate are asked about one by one."""
    _check_right(by)
    rows = list(db.session.scalars(select(OutboxMessage).where(OutboxMessage.state == State.FAILED).with_for_update()))
    if rows:
        _send_again(rows, by)
    return len(rows)


def _check_right(by: Viewer) -> None:
    if not by.can(Permission.MANAGE_PLATFORM):
        raise NotAllowed(NO_RIGHT)


def _send_again(rows: list[OutboxMessage], by: Viewer) -> None:
    for row in rows:
        row.state, row.due_at, row.attempts, row.data_started_at = State.WAITING, now(), 0, None
        start_clock(row)  # it is tried for another day
    told = rows[0].id if len(rows) == 1 else ""
    record(Kind.LETTER_RETRIED, actor=by, object_id=told, changes={"letters": [None, len(rows)]})
    db.session.info["posted"] = True


def start_clock(row: OutboxMessage) -> None:
    """From here on the letter is tried for a day, however long ago there was this to tell."""
    row.extra = {"at": row.created_at.isoformat(), **row.extra}
    row.created_at = now()


@event.listens_for(db.session, "after_commit")
def wake_the_sender(session: Any) -> None:
    """Tell this process's sender that something is waiting."""
    if session.in_nested_transaction():
        return  # a savepoint: what is in it may still be undone
    session.info.pop("marks", None)
    if session.info.pop("posted", False):
        posted.set()


@event.listens_for(db.session, "after_rollback")
def forget(session: Any) -> None:
    """What was not committed was not posted."""
    if session.in_nested_transaction():
        return
    session.info.pop("marks", None)
    session.info.pop("posted", None)
