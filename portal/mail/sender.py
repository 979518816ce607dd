"""Draining the outbox: lease one letter, ask anew whether it may go, send, note the outcome; every step survives a kill."""

from __future__ import annotations

import logging
import smtplib
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import CursorResult, and_, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from ..accounts import sign_in
from ..cases.models import Case
from ..clock import now
from ..config import Settings
from ..database import start_writing
from ..extensions import db, mail
from ..notices.notices import takers
from ..settings import values
from ..sharing.reached import audience
from . import digest
from .letters import Letter, write
from .models import OutboxMessage, State
from .news import LETTERS
from .outbox import ORDERS, post_to_each, posted, start_clock
from .transport import Unanswered, explain, is_permanent, send

log = logging.getLogger("portal.mail")

LEASE = timedelta(seconds=120)  # longer than a dozen steps of ten seconds with a server that stalls at each
LONGEST_PAUSE = 6 * 3600
GIVE_UP_AFTER = timedelta(hours=24)
LOOK_EVERY = 2.0


@dataclass(frozen=True)
class Lease:
    """A letter this process may handle until the lease runs out; then another one takes it, with a lease of its own."""

    row_id: int
    attempts: int
    until: datetime


class LeaseLost(Exception):
    """It took too long: the letter is another process's by now."""


def drain(stop: threading.Event | None = None) -> int:
    """Send everything that is due, or until told to stop; how many letters were handled."""
    handled = 0
    while not (stop and stop.is_set()) and (lease := _claim()) is not None:
        try:
            _handle(lease)
        except LeaseLost:
            db.session.rollback()
            log.warning("letter %s took so long that another sender took it over", lease.row_id)
        handled += 1
    return handled


def _claim() -> Lease | None:
    """Lease one due letter for this process. A lease that ran out belongs to a process that died."""
    values.forget()
    start_writing()
    moment = now()
    due = or_(
        and_(OutboxMessage.state == State.WAITING, OutboxMessage.due_at <= moment),
        and_(OutboxMessage.state == State.SENDING, OutboxMessage.leased_until <= moment),
    )
    row = db.session.scalar(
        select(OutboxMessage).where(due).order_by(OutboxMessage.due_at, OutboxMessage.id).limit(1).with_for_update(skip_locked=True)
    )
    if row is None:
        db.session.rollback()
        return None
    if row.data_started_at is not None:
        log.warning("letter %s may have left before a crash; it is sent again with the same Message-ID", row.message_id)
    if not row.attempts:  # a day without a sender is no day of trying
        start_clock(row)
    lease = Lease(row.id, row.attempts + 1, moment + LEASE)
    row.state, row.leased_until, row.attempts = State.SENDING, lease.until, lease.attempts
    db.session.commit()
    return lease


def _handle(lease: Lease) -> None:
    row = db.session.get_one(OutboxMessage, lease.row_id)
    if row.letter in ORDERS:
        _carry_out(lease, row.message_id)
        return
    if row.to_user_id is None and row.to_address is None:
        _spread(lease)
        return
    message_id = row.message_id
    if row.letter in LETTERS and not _gather(lease):
        return
    try:
        letter = write(row)
    except Exception as error:  # a letter that cannot be written must neither stop the others nor be forgotten
        log.exception("letter %s could not be written", message_id)
        _postpone(lease, error)
        return
    settings = values.current()
    db.session.rollback()  # no transaction stays open while a server is slow
    if letter is None:
        _finish(lease, State.DROPPED, "the recipient may no longer have it")
    else:
        _send(lease, letter, message_id, settings)


def _carry_out(lease: Lease, message_id: str) -> None:
    """Make a link and its letter of what somebody asked for, if there is somebody; all or nothing, in one transaction."""
    try:
        row = _mine(lease)
        row.state, row.leased_until = State.SENT if sign_in.carry_out(row) else State.DROPPED, None
        row.sent_at = now() if row.state is State.SENT else None
        db.session.commit()
    except (LeaseLost, SQLAlchemyError):
        raise
    except Exception as error:
        db.session.rollback()
        log.exception("order %s could not be carried out", message_id)
        _postpone(lease, error)


def _gather(lease: Lease) -> bool:
    """Whether a letter about cases goes now, with all that waits for the same person; else it waits with it."""
    row = _mine(lease)
    until = digest.gather(row)
    if until is not None:
        row.state, row.due_at, row.leased_until, row.attempts = State.WAITING, until, None, lease.attempts - 1
    db.session.commit()
    return until is None


def _send(lease: Lease, letter: Letter, message_id: str, settings: Settings) -> None:
    try:
        how = send(mail, letter, message_id, settings=settings, started=lambda: _note_start(lease))
    except Unanswered as error:
        _finish(lease, State.UNKNOWN, f"the server took the text but did not confirm it ({explain(error)})")
    except (smtplib.SMTPException, OSError) as error:
        _postpone(lease, error)
    except LeaseLost:
        raise
    except Exception as error:  # an address or a letter that no mail can carry must end as failed, not go round for ever
        log.exception("letter %s could not be sent", message_id)
        _postpone(lease, error)
    else:
        _finish(lease, State.SENT, "")
        log.info("letter %s sent (%s)%s", message_id, how, "" if how == "smtp" else f" to {letter.to}")


def _held(lease: Lease) -> Any:
    """Whether the letter is still ours: who comes back from the dead may not decide what became of it."""
    mine = (OutboxMessage.id == lease.row_id, OutboxMessage.attempts == lease.attempts, OutboxMessage.leased_until == lease.until)
    return and_(OutboxMessage.state == State.SENDING, *mine)


def _mine(lease: Lease) -> OutboxMessage:
    """The letter, locked for writing."""
    start_writing()
    row = db.session.scalar(select(OutboxMessage).where(_held(lease)).with_for_update().execution_options(populate_existing=True))
    if row is None:
        raise LeaseLost
    return row


def _spread(lease: Lease) -> None:
    """Turn a note for everyone who may see the case into a letter each; all of them or none, in one transaction."""
    row = _mine(lease)
    left_out = set(row.extra.get("but", ()))
    post_to_each(row, (user_id for user_id in _reached(row) if user_id not in left_out))
    row.state, row.sent_at, row.leased_until = State.SENT, now(), None
    db.session.commit()


def _reached(note: OutboxMessage) -> list[int]:
    """Everybody outside who may see the case now, or one of the cases; of a report, the colleagues who take on cases."""
    if note.letter == "case_reported":
        return takers(note.organisation_id) if note.organisation_id else []
    keys = [key for key in note.extra.get("cases", [note.case_id]) if key]
    return audience(*db.session.scalars(select(Case).where(Case.id.in_(keys)).execution_options(populate_existing=True))) if keys else []


def _change(lease: Lease, **changes: object) -> None:
    start_writing()
    result = db.session.execute(update(OutboxMessage).where(_held(lease)).values(**changes))
    assert isinstance(result, CursorResult)
    if not result.rowcount:
        raise LeaseLost
    db.session.commit()


def _note_start(lease: Lease) -> None:
    _change(lease, data_started_at=now())


def _finish(lease: Lease, state: State, error: str) -> None:
    sent_at = now() if state is State.SENT else None
    _change(lease, state=state, sent_at=sent_at, last_error=error[:300], leased_until=None)


def _postpone(lease: Lease, error: Exception) -> None:
    """A definite failure: try again later, longer each time, until a day has passed or the server said never."""
    row = _mine(lease)
    row.last_error, row.leased_until, row.data_started_at = explain(error)[:300], None, None
    if is_permanent(error) or now() - row.created_at > GIVE_UP_AFTER:
        row.state = State.FAILED
    else:
        pause = min(values.current().mail_retry_seconds * 2 ** min(row.attempts - 1, 12), LONGEST_PAUSE)
        row.state, row.due_at = State.WAITING, now() + timedelta(seconds=pause)
    log.warning("letter %s not sent: %s", row.message_id, row.last_error)
    db.session.commit()


def run(app: Flask, stop: threading.Event) -> None:
    """Keep draining until told to stop; wakes up when this process posts a letter, else every few seconds."""
    while not stop.is_set():
        posted.clear()
        with app.app_context():
            try:
                drain(stop)
            except SQLAlchemyError as error:
                log.warning("the outbox could not be read: %s", str(error).splitlines()[0])
                db.session.rollback()
            except Exception:
                # Whatever it was, the sender goes on: the letter's lease runs out and it is tried again.
                log.exception("a letter could not be handled")
                db.session.rollback()
        if not stop.is_set():
            posted.wait(LOOK_EVERY)
