"""Fill the floor's tables: `python -m bench.seed_floor FILE`."""

from __future__ import annotations

import sqlite3
import sys
from datetime import datetime
from pathlib import Path

from bench.world import GUESTS, STAFF, incidents

TABLES = """
create table users(id integer primary key, name varchar(80) not null unique);
create table cases(id integer primary key, title varchar(200) not null, body text not null, status varchar(16) not null,
  severity integer not null, owner_id integer not null references users(id), created_at datetime not null, updated_at datetime not null);
create table shares(case_id integer not null references cases(id), user_id integer not null references users(id),
  primary key(case_id, user_id)) without rowid;
create table comments(id integer primary key, case_id integer not null references cases(id),
  author_id integer not null references users(id), body text not null, created_at datetime not null);
"""
INDEXES = """
create index cases_upd on cases(updated_at desc, id desc);
create index shares_user on shares(user_id, case_id);
create index comments_case on comments(case_id, id);
analyze;
"""


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")


def seed(target: Path) -> None:
    """Write the whole database file; nothing may be there yet."""
    database = sqlite3.connect(target)
    database.execute("pragma journal_mode=wal")
    database.executescript(TABLES)
    people = [(number, f"staff{number}") for number in range(1, STAFF + 1)]
    people += [(STAFF + number, f"portal{number}") for number in range(1, GUESTS + 1)]
    database.executemany("insert into users values (?, ?)", people)
    for case in incidents():
        row = (case.number, case.title, case.body, case.status, case.severity, case.owner, _text(case.created_at), _text(case.updated_at))
        database.execute("insert into cases values (?, ?, ?, ?, ?, ?, ?, ?)", row)
        database.execute("insert into shares values (?, ?)", (case.number, STAFF + case.guest))
        talk = [(t.number, case.number, t.author + (STAFF if t.by_guest else 0), t.text, _text(t.at)) for t in case.talk]
        database.executemany("insert into comments values (?, ?, ?, ?, ?)", talk)
    database.executescript(INDEXES)
    database.commit()
    database.execute("pragma wal_checkpoint(truncate)")
    database.close()


def copy(base: Path, address: str) -> None:
    """Write the same into an empty PostgreSQL; `address` as psycopg takes it."""
    import psycopg

    tables = TABLES.replace("datetime", "timestamp").replace(" without rowid", "")
    database = sqlite3.connect(base)
    with psycopg.connect(address, autocommit=True) as target:
        target.execute(tables.encode())
        for table in ("users", "cases", "shares", "comments"):
            rows = database.execute(f"select * from {table}")  # noqa: S608  (the four names above)
            with target.cursor().copy(f"COPY {table} FROM STDIN".encode()) as into:
                for row in rows:
                    into.write_row(row)
        target.execute(INDEXES.encode())
        target.execute(b"vacuum analyze")
    database.close()


if __name__ == "__main__":
    seed(Path(sys.argv[1]))
