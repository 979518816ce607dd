"""What has had its time goes, in small batches; what is still needed stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, select

from portal.accounts import purge, sessions
from portal.accounts.models import Challenge, LoginSession, OneTimeLink, Purpose, Submission
from portal.clock import at, now
from portal.database import start_writing
from portal.extensions import db
from portal.mail.models import OutboxMessage, State
from portal.mail.outbox import post
from tests.fixtures.rooms import Cast, letters


def days(count: float) -> Any:
    """The moment so many days from now; half a minute more, so that nothing hangs on the microsecond."""
    return at(now() + timedelta(days=count, seconds=30))


def count(model: Any) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


@pytest.fixture(autouse=True)
def clean(cast: Cast) -> None:
    """Only what the test itself puts there."""
    for model in (OutboxMessage, OneTimeLink, LoginSession, Submission):
        db.session.execute(delete(model))
    db.session.commit()


def test_form_tokens_go_after_a_week(cast: Cast) -> None:
    db.session.add(Submission(user_id=cast.world.people["ada"], token="t"))
    db.session.commit()
    with days(6.9):
        purge.purge()
        assert count(Submission) == 1
    with days(7):
        purge.purge()
        assert count(Submission) == 0


def test_challenges_go_when_they_are_over(cast: Cast) -> None:
    user_id = cast.world.people["ada"]
    for key, minutes in (("a", -1), ("b", 5)):
        ends = now() + timedelta(minutes=minutes)
        db.session.add(Challenge(key_hash=key, purpose="sign-in", face="console", user_id=user_id, epoch=0, expires_at=ends))
    db.session.commit()
    purge.purge()
    assert list(db.session.scalars(select(Challenge.key_hash))) == ["b"]


def test_sessions_go_a_day_after_their_end(cast: Cast) -> None:
    start_writing()
    key = sessions.open_session(cast.user("hanna"), cast.world.places["here"], "portal")
    db.session.commit()
    purge.purge()
    assert sessions.find(key, "portal") is not None
    with days(2):
        purge.purge()
        assert count(LoginSession) == 0


@pytest.mark.parametrize(
    ("purpose", "who", "after", "left"),
    [
        (Purpose.RESET, "hanna", 29, 1),
        (Purpose.RESET, "hanna", 31, 0),
        (Purpose.SETUP, None, 32, 0),
        (Purpose.INVITATION, "newt", 400, 1),  # it says that Newt was invited and that it ran out
    ],
)
def test_links_go_a_month_after_their_end(cast: Cast, purpose: Purpose, who: str | None, after: int, left: int) -> None:
    cast.link(purpose, who)
    with days(after):
        purge.purge()
        assert count(OneTimeLink) == left


def test_an_invitation_that_was_replaced_goes(cast: Cast) -> None:
    cast.link(Purpose.INVITATION, "newt")
    newer = cast.link(Purpose.INVITATION, "newt")
    with days(31):
        purge.purge()
        assert list(db.session.scalars(select(OneTimeLink.id))) == [newer.id]


@pytest.mark.parametrize(
    ("state", "left"),
    [(State.SENT, 0), (State.DROPPED, 0), (State.FAILED, 1), (State.UNKNOWN, 1), (State.WAITING, 1), (State.SENDING, 1)],
)
def test_letters_that_are_done_go_after_three_months_and_others_stay(cast: Cast, state: State, left: int) -> None:
    link = cast.link(Purpose.RESET, "hanna")
    post("reset", organisation_id=None, to_user_id=cast.world.people["hanna"], link_id=link.id).state = state
    db.session.commit()
    with days(60):  # the link goes first, unless a letter may still need it
        purge.purge()
        assert (count(OutboxMessage), count(OneTimeLink)) == (1, left)
        assert (letters()[0].link_id is None) is (not left)
    with days(91):
        purge.purge()
        assert count(OutboxMessage) == left


def test_much_goes_in_small_steps(cast: Cast) -> None:
    user_id = cast.world.people["ada"]
    db.session.add_all(Submission(user_id=user_id, token=f"t{n}") for n in range(purge.BATCH + 5))
    db.session.commit()
    with days(8):
        assert purge.purge()
        assert count(Submission) == 5
        assert not purge.purge()
        assert count(Submission) == 0
