"""Time is aware and UTC; connections are durable, careful about foreign keys, and lose no update."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError, StatementError

from portal import database
from portal.accounts import platform
from portal.accounts.models import Membership, Profile
from portal.accounts.permissions import ProfileType
from portal.clock import at, now
from portal.database import PRAGMAS, apart, driver, finish_reading, is_affected, learn, queue_up, start_writing
from portal.extensions import db
from portal.organisations.models import Organisation
from tests.fixtures.cluster import Cluster
from tests.fixtures.rooms import at_once
from tests.fixtures.world import World


def test_now_is_aware_and_can_be_told() -> None:
    assert now().tzinfo is UTC
    moment = datetime(2026, 7, 1, 14, tzinfo=timezone(timedelta(hours=2)))
    with at(moment):
        assert now() == moment
        assert now().tzinfo is UTC
        with at(moment + timedelta(days=1)):
            assert now().day == 2
        assert now().day == 1
    assert abs(now() - datetime.now(UTC)) < timedelta(seconds=5)


def test_a_told_time_ends_with_its_block_also_on_errors() -> None:
    with pytest.raises(RuntimeError), at(datetime(2020, 1, 1, tzinfo=UTC)):
        raise RuntimeError
    assert now().year > 2020


def test_times_come_back_as_they_went_in(app: Flask) -> None:
    with app.app_context():
        start_writing()
        moment = datetime(2026, 3, 29, 2, 30, 15, 123456, tzinfo=timezone(timedelta(hours=5, minutes=45)))
        db.session.add(Organisation(name="Zone", created_at=moment))
        db.session.commit()
        kept = db.session.scalar(select(Organisation.created_at).where(Organisation.name == "Zone"))
        assert kept == moment
        assert kept is not None
        assert kept.utcoffset() == timedelta(0)
        db.session.rollback()


def test_a_naive_time_is_refused(app: Flask) -> None:
    with app.app_context():
        start_writing()
        db.session.add(Organisation(name="Naive", created_at=datetime(2026, 1, 1)))  # noqa: DTZ001
        with pytest.raises(StatementError, match="naive datetime has no place"):
            db.session.flush()
        db.session.rollback()


@pytest.mark.sqlite_only
def test_sqlite_is_set_up_as_promised(app: Flask) -> None:
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000, "trusted_schema": 0}
    assert set(wanted) <= {pragma.split("=")[0] for pragma in PRAGMAS}
    with app.app_context(), db.engine.connect() as first, db.engine.connect() as second:
        for connection in (first, second):
            assert {name: connection.execute(text(f"PRAGMA {name}")).scalar() for name in wanted} == wanted


def test_a_row_that_points_nowhere_is_refused(app: Flask) -> None:
    with app.app_context():
        start_writing()
        db.session.add(Membership(user_id=10**6, organisation_id=10**6))
        with pytest.raises(IntegrityError):
            db.session.flush()
        db.session.rollback()


def test_parallel_writers_lose_no_update(app: Flask) -> None:
    def add() -> int:
        for _ in range(10):
            start_writing()
            queue_up("test")
            profile = db.session.scalars(select(Profile).where(Profile.name == "Analyst")).one()
            db.session.refresh(profile)
            profile.permissions = [*profile.permissions, "x"]
            db.session.commit()
        return 10

    assert at_once(app, add, add, add) == [10, 10, 10]
    with app.app_context():
        assert platform.profile("Analyst").permissions.count("x") == 30
        db.session.rollback()


def test_a_reader_is_not_held_up_by_a_writer_and_sees_nothing_half_done(app: Flask) -> None:
    with app.app_context():
        start_writing()
        db.session.execute(update(Organisation).values(locked=True))
        locked = select(func.count(Organisation.id)).where(Organisation.locked)
        with db.engine.connect() as reader:
            assert reader.scalar(locked) == 0
        db.session.commit()
        with db.engine.connect() as reader:
            assert reader.scalar(locked) == 1


@pytest.mark.parametrize(
    ("version", "affected"),
    [
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 52, 0), False),
        ((4, 0, 0), False),
    ],
)
def test_affected_sqlite_releases_are_known(version: tuple[int, int, int], affected: bool) -> None:
    assert is_affected(version) is affected


def test_the_driver_at_hand_is_the_newest() -> None:
    import sqlite3

    assert driver().sqlite_version_info >= sqlite3.sqlite_version_info


@pytest.mark.sqlite_only
def test_sqlite_learns_how_its_tables_are_filled(app: Flask, world: World) -> None:
    with app.app_context():
        learn()
        known = db.session.connection().exec_driver_sql("SELECT DISTINCT tbl FROM sqlite_stat1").scalars()
        assert "incident_case" in set(known)
        samples = db.session.connection().exec_driver_sql("SELECT name FROM sqlite_master WHERE name = 'sqlite_stat4'").scalar()
        if samples:  # they would have each statement planned anew at every execution
            assert db.session.connection().exec_driver_sql("SELECT count(*) FROM sqlite_stat4").scalar() == 0
        db.session.rollback()
        with apart() as connection:
            connection.exec_driver_sql("DROP INDEX ix_incident_case_usual")
            connection.exec_driver_sql("CREATE INDEX ix_incident_case_usual ON incident_case (organisation_id, flagged, updated_at)")
        learn()
        told = db.session.connection().exec_driver_sql("SELECT idx FROM sqlite_stat1 WHERE tbl = 'incident_case'").scalars()
        assert "ix_incident_case_usual" in set(told)  # as after an upgrade


def test_what_was_written_while_reading_is_not_kept(app: Flask, world: World) -> None:
    with app.app_context():
        db.session.execute(update(Organisation).values(locked=True))
        finish_reading()
        db.session.add(Profile(name="Added by a read", type=ProfileType.ADMIN))
        finish_reading()
        assert not any(db.session.scalars(select(Organisation.locked)))
        assert "Added by a read" not in set(db.session.scalars(select(Profile.name)))


def test_a_read_ends_also_after_an_error(app: Flask, world: World) -> None:
    with app.app_context():
        db.session.add(Profile(name=db.session.scalars(select(Profile.name)).first(), type=ProfileType.ADMIN))
        with pytest.raises(IntegrityError):
            db.session.flush()
        finish_reading()
        assert db.session.scalar(select(func.count(Profile.id)))


@pytest.mark.postgres_only
def test_postgres_keeps_what_it_planned_over_the_end_of_a_read(app: Flask, world: World) -> None:
    with app.app_context():
        for _ in range(8):
            db.session.scalars(select(Organisation.name)).all()
            finish_reading()
        planned = db.session.connection().exec_driver_sql("SELECT statement FROM pg_prepared_statements").scalars().all()
        assert any("organisation" in statement for statement in planned)
        settings = {name: db.session.connection().exec_driver_sql(f"SHOW {name}").scalar() for name in ("jit", "enable_mergejoin")}
        assert settings == {"jit": "off", "enable_mergejoin": "off"}


@pytest.mark.postgres_only
@pytest.mark.parametrize("rest", [0.0, 3600.0], ids=["rested", "just-used"])
def test_a_connection_the_server_ended_meanwhile_is_replaced_unseen(
    app: Flask, world: World, postgres_cluster: Cluster, monkeypatch: pytest.MonkeyPatch, rest: float
) -> None:
    monkeypatch.setattr(database, "REST", rest)

    def own() -> int:
        return int(db.session.connection().exec_driver_sql("SELECT pg_backend_pid()").scalar() or 0)

    with app.app_context():
        before = own()
        db.session.rollback()
        postgres_cluster.sql(f"SELECT pg_terminate_backend({before}, 5000)")  # and waits until it is gone
        assert own() != before


@pytest.mark.postgres_only
def test_a_connection_closed_on_this_side_is_replaced_too(app: Flask, world: World) -> None:
    with app.app_context():
        held = db.session.connection().connection.dbapi_connection
        db.session.rollback()
        assert held is not None
        held.close()
        assert db.session.connection().exec_driver_sql("SELECT 1").scalar() == 1
