"""Telling Hanna news and reading what she got: for tests of letters about cases."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.message import EmailMessage

from sqlalchemy import delete

from portal.cases.models import Case, ReadMark
from portal.clock import at, now
from portal.extensions import db
from portal.mail import digest, sender
from portal.mail.models import OutboxMessage
from portal.sharing import marks
from tests.factories import make_case, say, share
from tests.fixtures.post import text_of
from tests.fixtures.rooms import Cast

HANNA, ADA = "hanna@people.example", "ada@people.example"
SOON, LATER = timedelta(minutes=1), digest.EVERY + timedelta(seconds=30)


def tell(cast: Cast, case: Case | None = None, text: str = "Fresh news") -> None:
    """Ada writes to those outside."""
    case = case or cast.case("shared")
    comment = say(case, cast("ada"), text, external=True)
    case.outside_at = comment.outside_at or comment.created_at
    marks.tell_outside(case, comment, but=cast("ada").user_id)
    db.session.commit()


def drain(after: timedelta = timedelta()) -> None:
    db.session.commit()
    with at(now() + after):
        sender.drain()
    db.session.rollback()


def shared_with_hanna(cast: Cast, count: int) -> list[Case]:
    found = [make_case(cast("ada"), f"Case {n}", "Words.") for n in range(count)]
    for case in found:
        share(case, cast("ada"), cast("hanna"))
    db.session.execute(delete(OutboxMessage))
    db.session.commit()
    return found


def both(letter: EmailMessage) -> str:
    return text_of(letter) + text_of(letter, "html")


def open_case(cast: Cast, case: Case, when: datetime | None = None) -> None:
    """Hanna reads the case."""
    db.session.add(ReadMark(user_id=cast("hanna").user_id, case_id=case.id, seen_at=when or case.outside_at))
    db.session.commit()
