"""Draining the outbox: lease one letter, ask anew whether it may go, send, note the outcome; every step survives a kill."""

from __future__ import annotations

import logging
import smtplib
import threading
from datetime import timedelta

from flask import Flask, current_app
from sqlalchemy import and_, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from ..accounts.directory import outsiders
from ..cases.models import Case
from ..clock import now
from ..database import start_writing
from ..extensions import db, mail
from ..sharing.access import audience
from .letters import write
from .models import OutboxMessage, State
from .outbox import post, posted
from .transport import Unanswered, explain, is_permanent, send

log = logging.getLogger("portal.mail")

LEASE = timedelta(seconds=120)  # longer than a dozen steps of ten seconds with a server that stalls at each
LONGEST_PAUSE = 6 * 3600
GIVE_UP_AFTER = timedelta(hours=24)
LOOK_EVERY = 2.0


def drain() -> int:
    """Send everything that is due; how many letters were handled."""
    handled = 0
    while (message_id := _claim()) is not None:
        _handle(message_id)
        handled += 1
    return handled


def _claim() -> int | None:
    """Lease one due letter for this process. A lease that ran out belongs to a process that died."""
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
    row.state, row.leased_until, row.attempts = State.SENDING, moment + LEASE, row.attempts + 1
    db.session.commit()
    return row.id


def _handle(row_id: int) -> None:
    row = db.session.get_one(OutboxMessage, row_id)
    if row.to_user_id is None and row.to_address is None:
        _spread(row)
        return
    message_id = row.message_id
    try:
        letter = write(row)
    except Exception as error:  # a letter that cannot be written must neither stop the others nor be forgotten
        log.exception("letter %s could not be written", message_id)
        _postpone(row_id, error)
        return
    address = letter.to if letter else ""
    db.session.rollback()  # no transaction stays open while a server is slow
    if letter is None:
        _finish(row_id, State.DROPPED, "the recipient may no longer have it")
        return
    try:
        how = send(mail, letter, message_id, started=lambda: _note_start(row_id))
    except Unanswered as error:
        _finish(row_id, State.UNKNOWN, f"the server took the text but did not confirm it ({explain(error)})")
    except (smtplib.SMTPException, OSError) as error:
        _postpone(row_id, error)
    except Exception as error:  # an address or a letter that no mail can carry must end as failed, not go round for ever
        log.exception("letter %s could not be sent", message_id)
        _postpone(row_id, error)
    else:
        _finish(row_id, State.SENT, "")
        log.info("letter %s sent (%s)%s", message_id, how, "" if how == "smtp" else f" to {address}")


def _spread(row: OutboxMessage) -> None:
    """Turn a note for everyone who may see the case into a letter each; all of them or none, in one transaction."""
    start_writing()
    row = db.session.get_one(OutboxMessage, row.id, populate_existing=True)
    case = db.session.get(Case, row.case_id) if row.case_id else None
    for person in audience(case, outsiders(case.organisation_id)) if case else ():
        if person.id not in row.extra.get("but", ()):
            post(row.letter, organisation_id=row.organisation_id, to_user_id=person.id, case_id=row.case_id, comment_id=row.comment_id)
    row.state, row.sent_at, row.leased_until = State.SENT, now(), None
    db.session.commit()


def _change(row_id: int, **values: object) -> None:
    start_writing()
    db.session.execute(update(OutboxMessage).where(OutboxMessage.id == row_id).values(**values))
    db.session.commit()


def _note_start(row_id: int) -> None:
    _change(row_id, data_started_at=now())


def _finish(row_id: int, state: State, error: str) -> None:
    sent_at = now() if state is State.SENT else None
    _change(row_id, state=state, sent_at=sent_at, last_error=error[:300], leased_until=None)


def _postpone(row_id: int, error: Exception) -> None:
    """A definite failure: try again later, longer each time, until a day has passed or the server said never."""
    start_writing()
    row = db.session.get_one(OutboxMessage, row_id, populate_existing=True)
    row.last_error, row.leased_until, row.data_started_at = explain(error)[:300], None, None
    if is_permanent(error) or now() - row.created_at > GIVE_UP_AFTER:
        row.state = State.FAILED
    else:
        pause = min(current_app.config["SETTINGS"].mail_retry_seconds * 2 ** min(row.attempts - 1, 12), LONGEST_PAUSE)
        row.state, row.due_at = State.WAITING, now() + timedelta(seconds=pause)
    log.warning("letter %s not sent: %s", row.message_id, row.last_error)
    db.session.commit()


def run(app: Flask, stop: threading.Event) -> None:
    """Keep draining until told to stop; wakes up when this process posts a letter, else every few seconds."""
    while not stop.is_set():
        posted.clear()
        with app.app_context():
            try:
                drain()
            except SQLAlchemyError as error:
                log.warning("the outbox could not be read: %s", str(error).splitlines()[0])
                db.session.rollback()
            except Exception:
                # Whatever it was, the sender goes on: the letter's lease runs out and it is tried again.
                log.exception("a letter could not be handled")
                db.session.rollback()
        posted.wait(LOOK_EVERY)


def start_thread(app: Flask) -> threading.Event:
    """Drain in the background of this process; set the returned event to stop."""
    stop = threading.Event()
    threading.Thread(target=run, args=(app, stop), name="mail-sender", daemon=True).start()
    return stop
