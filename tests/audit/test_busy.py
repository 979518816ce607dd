"""While somebody else writes for long, pages can still be read; only what must be on record is not handed out without it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError

from portal.accounts.models import LoginSession
from portal.audit.kinds import Kind
from portal.audit.models import AuditEntry
from portal.clock import now
from portal.database import apart, start_writing
from portal.extensions import db
from portal.notices import notices
from portal.notices.models import Reason
from tests.factories import attach
from tests.fixtures.rooms import Cast, busy
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]


def on_record(app: Flask, kind: Kind) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count(AuditEntry.id)).where(AuditEntry.kind == kind)) or 0


def unread(app: Flask, world: World) -> int:
    with app.app_context():
        return notices.unread(Cast(world)("ada"))


def test_ada_can_open_a_case_while_the_database_is_busy(app: Flask, world: World, browse: Browse) -> None:
    """What she was told of it stays unread, as does the time of her visit, until the next page."""
    ada, path = browse("ada"), f"/console/cases/{world.cases['internal']}"
    with app.app_context():
        start_writing()
        cast = Cast(world)
        notices.tell(world.people["ada"], cast.case("internal"), Reason.ASSIGNED, by=cast("olga"))
        db.session.execute(update(LoginSession).values(last_seen_at=now() - timedelta(seconds=120)))
        db.session.commit()
    with busy(app):
        began = time.monotonic()
        assert ada.get(path).status_code == 200
        assert time.monotonic() - began < 3
    assert unread(app, world) == 2  # with the one the world has for her
    assert ada.get(path).status_code == 200
    assert unread(app, world) == 1


def test_hanna_can_open_a_case_while_the_database_is_busy(
    app: Flask, world: World, browse: Browse, caplog: pytest.LogCaptureFixture
) -> None:
    """That she did is tried for a second; then the log has it."""
    hanna, path = browse("hanna"), f"/portal/cases/{world.cases['shared']}"
    with busy(app), caplog.at_level(logging.WARNING, "portal.audit"):
        assert hanna.get(path).status_code == 200
    assert "the database was busy" in caplog.text
    assert "The shared case" not in caplog.text
    assert on_record(app, Kind.CASE_VIEWED) == 0
    hanna.get(path)
    assert on_record(app, Kind.CASE_VIEWED) == 1


@pytest.mark.sqlite_only
def test_a_file_is_not_handed_out_unrecorded(app: Flask, world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    with app.app_context():
        start_writing()
        cast = Cast(world)
        uid = attach(cast.case("shared"), cast("ada"), "report.txt", b"All of it", external=True).uid
        db.session.commit()
    path = f"/portal/cases/{world.cases['shared']}/files/{uid}"
    with busy(app):
        assert hanna.get(path).status_code == 503
    assert on_record(app, Kind.FILE_DOWNLOADED) == 0
    assert hanna.get(path).data == b"All of it"
    assert on_record(app, Kind.FILE_DOWNLOADED) == 1


@pytest.mark.sqlite_only
def test_patience_lasts_for_one_transaction(app: Flask, cast: Cast) -> None:
    """The connection waits as long as any other afterwards."""
    with busy(app), pytest.raises(OperationalError), apart(patience=0.1):
        pass
    with apart(patience=0.1):
        pass
    with db.engine.connect() as one, db.engine.connect() as other:
        assert {connection.exec_driver_sql("PRAGMA busy_timeout").scalar() for connection in (one, other)} == {5000}
