"""Letters and chores are done side by side: neither waits for the other, and one that fails holds up none."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import current_app
from sqlalchemy import update

from portal import worker
from portal.accounts import purge
from portal.cases.models import Case
from portal.clock import now
from portal.database import start_writing
from portal.extensions import db
from portal.mail.models import State
from portal.mail.outbox import post
from portal.sharing import ending
from portal.sharing.models import Access
from portal.storage import sweep
from tests.fixtures.post import PostOffice
from tests.fixtures.rooms import Cast, letters


def wait_until(there: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 20
    while not there():
        assert time.monotonic() < deadline, what
        db.session.rollback()
        time.sleep(0.02)


def background() -> worker.Background:
    return worker.Background(current_app._get_current_object())  # type: ignore[attr-defined]


def notify(cast: Cast, count: int) -> None:
    for _ in range(count):
        post("password_changed", organisation_id=None, to_user_id=cast.world.people["hanna"], extra={"at": now().isoformat()})
    db.session.commit()


def end_sharing(cast: Cast) -> None:
    start_writing()
    over = now() - timedelta(seconds=1)
    db.session.execute(update(Case).where(Case.number == cast.world.cases["shared"]).values(shared_until=over))
    db.session.commit()


def test_an_ending_does_not_wait_for_a_slow_mail_server(sending: Cast, smtp_server: PostOffice) -> None:
    notify(sending, 20)
    end_sharing(sending)
    smtp_server.stall(2, at="DATA")
    both = background()
    try:
        wait_until(lambda: sending.case("shared").access is Access.INTERNAL, "the ending is written down")
        assert len(smtp_server.messages) < 20
    finally:
        assert both.end(15)


def test_letters_do_not_wait_for_a_long_chore(sending: Cast, smtp_server: PostOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, over = threading.Event(), threading.Event()

    def long() -> bool:
        begun.set()
        return not over.wait(30)

    monkeypatch.setattr(purge, "purge", long)
    both = background()
    try:
        assert begun.wait(10)
        notify(sending, 2)
        wait_until(lambda: {row.state for row in letters()} == {State.SENT}, "both letters are sent")
    finally:
        over.set()
        assert both.end(15)
    assert len(smtp_server.messages) == 2


def test_a_chore_that_fails_holds_up_no_other(sending: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    swept = threading.Event()

    def fail() -> int:
        raise ValueError("odd")

    monkeypatch.setattr(ending, "tick", fail)
    monkeypatch.setattr(sweep.Clock, "tick", lambda _: swept.set())
    both = background()
    assert swept.wait(10)
    assert both.end(15)
