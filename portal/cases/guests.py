"""What holds for people outside who write: how much within a short time, and how long they can take back what they sent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast

from sqlalchemy import Table, func, select

from ..accounts.viewer import Viewer
from ..audit.kinds import Kind
from ..audit.models import AuditEntry
from ..clock import now
from ..extensions import db
from ..refusals import Refusal, TooMany
from ..words import _, later
from .models import Case

WITHDRAW_WITHIN = timedelta(minutes=10)
MINUTES = WITHDRAW_WITHIN // timedelta(minutes=1)
_entry = cast("Table", AuditEntry.__table__)


class Pace(NamedTuple):
    """So many acts of a kind within so much time; `sentence` is said when it is more."""

    kind: Kind
    most: int
    within: timedelta
    sentence: Any


FILES = Pace(
    Kind.FILE_ADDED,
    100,
    timedelta(minutes=10),
    later("You have sent many files within a few minutes. Wait a little, then send the rest."),
)
MOST_FILES = 200  # so that nobody takes up by themselves what all who are on the case have together
FILES_OF_CASE = Pace(
    Kind.FILE_ADDED,
    MOST_FILES,
    timedelta(days=1),
    later(
        "You have added %(most)s files to this case within a day, which is as many as one person can. "
        "Put the rest into one archive and add it tomorrow, or write a message to the security team.",
        most=MOST_FILES,
    ),
)
ITEMS = Pace(
    Kind.OBSERVABLE_ADDED,
    30,
    timedelta(minutes=10),
    later("You have added evidence many times within a few minutes. Wait a little, then go on."),
)
REPORTS = Pace(
    Kind.CASE_CREATED,
    10,
    timedelta(hours=1),
    later(
        "You have reported many incidents within an hour. "
        "Your text is kept: wait a little, then send it, or write a message on one of them."
    ),
)


def check_pace(pace: Pace, by: Viewer, case: Case | None = None) -> None:
    """Each of these tells others by mail: a slip or a script must not become a flood. What is gone by now counts as well. `case`: where
    it is counted there only."""
    done = select(func.count(_entry.c.id)).where(
        _entry.c.actor_id == by.user_id, _entry.c.at > now() - pace.within, _entry.c.kind == pace.kind.value
    )
    if case is not None:
        done = done.where(_entry.c.case_id == case.id)
    db.session.flush()  # what was done a moment ago counts
    if (db.session.connection().scalar(done) or 0) >= pace.most:
        raise TooMany(str(pace.sentence), 60)


def withdraw_until(row: Any, by: Viewer) -> datetime | None:
    """Until when this person can take the thing back; None when they cannot, or not any more."""
    until: datetime = row.created_at + WITHDRAW_WITHIN
    return until if row.author_id == by.user_id and until > now() else None


def check_withdrawal(row: Any, by: Viewer) -> None:
    """Whether this person can take the thing, which is theirs, back now."""
    if withdraw_until(row, by) is None:
        raise Refusal(
            _(
                "This was sent more than %(minutes)s minutes ago, so it stays. "
                "If it should not be there, write a message to the security team.",
                minutes=MINUTES,
            )
        )
