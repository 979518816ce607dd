"""One letter at a time: who was written to a moment ago gets the next news together, each case once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select

from ..clock import now
from ..database import queue_up
from ..extensions import db
from .models import OutboxMessage, State
from .news import DIGEST, LETTERS

EVERY = timedelta(minutes=15)
LOOK_AGAIN = timedelta(seconds=5)  # while another process is writing to the same person
MOST = 100  # cases told of in one letter; the rest in the next


def _others(row: OutboxMessage) -> tuple[ColumnElement[bool], ...]:
    """The other letters about cases of the same organisation to the same person."""
    to = (OutboxMessage.to_user_id == row.to_user_id, OutboxMessage.organisation_id == row.organisation_id)
    return *to, OutboxMessage.letter.in_(LETTERS), OutboxMessage.id != row.id


def gather(row: OutboxMessage) -> datetime | None:
    """Until when the letter must wait; None when it goes now, with all that waits for the same person in it.

    The row is held locked. Of two processes with letters to one person, one decides after the other.
    """
    if row.data_started_at is not None:
        return None  # it may have left before a crash: what goes under the same Message-ID again must not say more
    queue_up(f"letters of {row.organisation_id} to {row.to_user_id}")
    until = _wait(row)
    if until is None:
        _join(row)
        row.extra = {**row.extra, "going": True}
    else:
        row.extra = {key: value for key, value in row.extra.items() if key != "going"}
    return until


def _wait(row: OutboxMessage) -> datetime | None:
    moment, others = now(), _others(row)
    left = func.coalesce(OutboxMessage.sent_at, OutboxMessage.data_started_at)
    gone = OutboxMessage.state.in_((State.SENT, State.UNKNOWN))
    last = db.session.scalar(select(func.max(left)).where(*others, gone, left > moment - EVERY))
    if last is not None:
        until: datetime = last + EVERY
        return until
    in_hand = select(OutboxMessage.extra).where(*others, OutboxMessage.state == State.SENDING, OutboxMessage.leased_until > moment)
    return moment + LOOK_AGAIN if any(extra.get("going") for extra in db.session.scalars(in_hand)) else None


def _join(row: OutboxMessage) -> None:
    """Take in what waits for the same person; those letters end here, and hang on no case that might be deleted before this one leaves."""
    waiting = select(OutboxMessage).where(*_others(row), OutboxMessage.state == State.WAITING).order_by(OutboxMessage.id).limit(MOST)
    locked = db.session.scalars(waiting.with_for_update(skip_locked=True).execution_options(populate_existing=True))
    if not (taken := _fitting(locked.all(), MOST - _size(row))):
        return
    items = [item for letter in (row, *taken) for item in _items(letter)]
    row.letter, row.case_id, row.comment_id = DIGEST, None, None
    row.extra = {"items": sorted(items, key=lambda item: str(item["at"]))}
    for letter in taken:
        letter.state, letter.leased_until, letter.last_error = State.DROPPED, None, f"its news went into letter {row.id}"


def _fitting(letters: Iterable[OutboxMessage], room: int) -> list[OutboxMessage]:
    """As many of the letters as one letter can take in: what it says must be settled long before its lease runs out."""
    taken = []
    for letter in letters:
        if (size := _size(letter)) <= room:
            taken.append(letter)
            room -= size
    return taken


def _size(row: OutboxMessage) -> int:
    return sum(len(item["extra"].get("cases", ())) or 1 for item in _items(row))


def _items(row: OutboxMessage) -> list[dict[str, Any]]:
    if row.letter == DIGEST:
        return list(row.extra["items"])
    extra = {key: value for key, value in row.extra.items() if key not in ("going", "at")}
    about = {"letter": row.letter, "case_id": row.case_id, "comment_id": row.comment_id}
    return [{**about, "extra": extra, "at": posted_at(row).isoformat()}]


def posted_at(row: OutboxMessage) -> datetime:
    """When there was this to tell, however often the letter was tried since."""
    told: str | None = row.extra.get("at")
    stored: datetime | None = row.created_at  # None while it was never stored
    return datetime.fromisoformat(told) if told else stored or now()


def parts(row: OutboxMessage) -> list[OutboxMessage]:
    """The letters this one consists of, the oldest news first; rows that are never stored."""
    if row.letter != DIGEST:
        return [row]
    return [_part(row, **item) for item in row.extra["items"]]


def _part(row: OutboxMessage, *, letter: str, case_id: int | None, comment_id: int | None, extra: dict[str, Any], at: str) -> OutboxMessage:
    to = {"to_user_id": row.to_user_id, "organisation_id": row.organisation_id}
    return OutboxMessage(**to, letter=letter, case_id=case_id, comment_id=comment_id, extra={**extra, "at": at})
