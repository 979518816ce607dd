"""How connections behave: SQLite made durable and explicit about writing, PostgreSQL as it comes."""

from __future__ import annotations

import math
import selectors
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any, TypeVar
from weakref import WeakSet

from sqlalchemy import Connection, CursorResult, Engine, Executable, event, func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InvalidatePoolError

from .config import BadSettings
from .extensions import db

try:
    from pysqlite3 import dbapi2 as _bundled
except ImportError:  # a platform without the wheel uses what its Python was built with
    _bundled = None

# FULL costs one fdatasync a commit and kept every acknowledged row in a simulated power cut; NORMAL kept none (security.md 3.17).
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000", "trusted_schema=OFF", "cache_size=-16000")
# The WAL-reset bug can corrupt a database under load; these are the first repaired releases of each line.
REPAIRED = ((3, 44, 6), (3, 50, 7), (3, 51, 3))


# The connection used last is used next: what it has read and prepared is still at hand. None is older than an hour: on SQLite it knows of
# the statistics what stood there when it was made, see learn(), and on PostgreSQL the plans it keeps only grow more.
POOL: dict[str, Any] = {"pool_size": 16, "pool_use_lifo": True, "pool_recycle": 3600}


def driver() -> ModuleType:
    """The newest SQLite driver at hand: the bundled one, else Python's own."""
    if _bundled is not None and _bundled.sqlite_version_info > sqlite3.sqlite_version_info:
        bundled: ModuleType = _bundled
        return bundled
    return sqlite3


def is_affected(version: tuple[int, int, int]) -> bool:
    """Whether this SQLite release carries the WAL-reset bug."""
    same_line = [fixed for fixed in REPAIRED if fixed[:2] == version[:2]]
    return version < (same_line[0] if same_line else REPAIRED[-1])


def refuse_affected(url: str) -> None:
    """Do not start with a SQLite that can corrupt what is accepted."""
    if make_url(url).get_backend_name() == "sqlite" and is_affected(driver().sqlite_version_info):
        raise BadSettings(
            f"SQLite {driver().sqlite_version} can corrupt a database under load. Install the package pysqlite3 with a newer one, "
            "use PostgreSQL, or set PORTAL_ALLOW_AFFECTED_SQLITE=1."
        )


def engine_options(url: str) -> dict[str, Any]:
    """Arguments of create_engine for this database URL."""
    if make_url(url).get_backend_name() == "sqlite":
        return POOL | {"module": driver(), "max_overflow": 16, "connect_args": {"check_same_thread": False}}
    return POOL | {"max_overflow": 8}


def prepare(engine: Engine) -> None:
    """Lay the connection settings on an engine."""
    if engine.dialect.name != "sqlite":
        _prepare_postgres(engine)
        return

    @event.listens_for(engine, "connect")
    def settings(dbapi: Any, _record: Any) -> None:
        dbapi.isolation_level = None  # the driver must not guess where transactions begin: it lost updates
        for pragma in PRAGMAS:
            dbapi.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get("patience") is None:
            connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("write") else "BEGIN")
            return
        usual = connection.exec_driver_sql("PRAGMA busy_timeout").scalar()
        connection.exec_driver_sql(f"PRAGMA busy_timeout={round(options['patience'] * 1000)}")
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        finally:
            connection.exec_driver_sql(f"PRAGMA busy_timeout={usual}")


# Pages are asked in milliseconds. Compiling a query or starting helpers for it takes longer; a disk whose head must travel, which
# PostgreSQL reckons with, is rare; and where it merges it reads a whole table in order for some hundred rows of another.
WROTE = "wrote"  # whether the transaction on a connection has sent anything but a SELECT
QUICK = ("jit = off", "max_parallel_workers_per_gather = 0", "random_page_cost = 1.1", "enable_mergejoin = off")


# A connection that rested for longer is asked whether it is still there; and so is one on which something waits to be read, for a server
# that ends says so.
RESTED, REST = "rested", 1.0


def _prepare_postgres(engine: Engine) -> None:
    event.listen(engine, "connect", _for_pages)

    @event.listens_for(engine, "checkin")
    def rest(_dbapi: Any, record: Any) -> None:
        record.info[RESTED] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def wake(dbapi: Any, record: Any, _proxy: Any) -> None:
        try:
            if record.info.pop(RESTED, math.inf) < time.monotonic() - REST or _is_spoken_to(dbapi):
                engine.dialect.do_ping(dbapi)
        except engine.dialect.loaded_dbapi.Error as error:  # also where this side has closed it already
            raise InvalidatePoolError from error

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.info[WROTE] = False

    @event.listens_for(engine, "before_cursor_execute")
    def note(connection: Connection, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith("SELECT"):
            connection.info[WROTE] = True


def _is_spoken_to(dbapi: Any) -> bool:
    """Whether the server has sent something nobody asked for."""
    with selectors.DefaultSelector() as waiting:
        waiting.register(dbapi.fileno(), selectors.EVENT_READ)
        return bool(waiting.select(0))


def _for_pages(dbapi: Any, _record: Any) -> None:
    dbapi.autocommit = True  # or this would end with the first rollback
    dbapi.execute("; ".join(f"SET {setting}" for setting in QUICK))
    dbapi.autocommit = False
    dbapi.prepared_max = 500  # statements; a page has ten of its own


def finish_reading() -> None:
    """End the session's transaction and keep nothing of it.

    PostgreSQL's driver forgets with each rollback which statements the server has prepared, and planning them anew takes longer than
    running them; so where nothing but SELECT was sent, the end is a commit, which is no different otherwise.
    """
    session = db.session()
    usable = db.engine.dialect.name == "postgresql" and session.in_transaction() and session.is_active  # after an error it is not
    if not usable or session.new or session.dirty or session.deleted or session.connection().info.get(WROTE, True):
        session.rollback()
    else:
        session.commit()


def start_writing() -> None:
    """Begin the session's transaction as a writer, ending what it may have read before: SQLite cannot promote a reader safely."""
    db.session.rollback()
    db.session.connection(execution_options={"write": True})


@contextmanager
def apart(*, patience: float | None = None) -> Iterator[Connection]:
    """A short transaction beside the session's. With `patience`, a database that is busy for so many seconds is an OperationalError."""
    with db.engine.connect().execution_options(write=True, patience=patience) as connection, connection.begin():
        if patience is not None and connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{round(patience * 1000)}ms'")
        yield connection


def queue_up(name: str) -> None:
    """Let one transaction at a time pass here until it ends, where there is no row to lock. SQLite has one writer anyway."""
    connection = db.session.connection()
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def straight(statement: Executable, values: Mapping[str, Any] | None = None) -> CursorResult[Any]:
    """Run a statement that selects columns, in the session's transaction but past the ORM and the guard: a third of the work of a short
    query. Only for what no rule narrows: people and organisations for colleagues, or where scope.visible wrote the rule into it."""
    if db.session.new or db.session.dirty or db.session.deleted:
        db.session.flush()
    return db.session.connection().execute(statement, values or {})


KEPT: WeakSet[Any] = WeakSet()
Statement = TypeVar("Statement")


def kept(statement: Statement) -> Statement:
    """Mark a statement that is written once and run for many requests: what SQLAlchemy and the guard work out about it is kept with it.

    A statement made from it by `.where()` and the like is another one, and not marked.
    """
    KEPT.add(statement)
    return statement


UNKNOWN = """SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL
    AND tbl_name IN (SELECT tbl FROM sqlite_stat1) AND name NOT IN (SELECT idx FROM sqlite_stat1 WHERE idx IS NOT NULL)"""


def learn() -> None:
    """Let SQLite see how its tables are filled: without that it takes any index that fits, and sorts a whole organisation's cases for a
    page of 25. Quick, and nothing while little has changed; PostgreSQL does it by itself.

    The samples of single values it takes along are thrown away: while there are any, SQLite plans each statement anew whenever it is run
    with values that could be among them, and that took ten times as long as running it (SQLite's documentation of sqlite3_prepare_v3).
    """
    if db.engine.dialect.name != "sqlite":
        return
    with apart() as connection:
        connection.exec_driver_sql("PRAGMA optimize=0x10002")
        if connection.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'").first():
            for name in connection.exec_driver_sql(UNKNOWN).scalars().all():  # an upgrade made it, which SQLite takes for no change
                connection.exec_driver_sql(f'ANALYZE "{name}"')
        if connection.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat4'").first():
            connection.exec_driver_sql("DELETE FROM sqlite_stat4")
            connection.exec_driver_sql("ANALYZE sqlite_schema")  # this connection forgets them, too
