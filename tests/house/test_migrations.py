"""Revisions and models tell the same schema, on both databases, and every revision can be taken back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import MetaData, func, insert, inspect, select

from portal.clock import now
from portal.extensions import alembic, db
from tests.fixtures.product import close, product


@pytest.fixture
def bare(each_database_url: str, tmp_path: Path) -> Iterator[Flask]:
    """The product before its first migration."""
    app = product(tmp_path, each_database_url)
    with app.app_context():
        yield app
    close(app)


# What SQLite's text index is made of: the table that is searched, and those it keeps itself.
SHADOWS = {"search_index", *(f"search_index_{part}" for part in ("config", "data", "docsize", "idx"))}


def tables() -> set[str]:
    """Names of the tables that exist, Alembic's own left out, and SQLite's text index where it is there as a whole."""
    found = set(inspect(db.engine).get_table_names()) - {"alembic_version"}
    return found - SHADOWS if found >= SHADOWS and db.engine.dialect.name == "sqlite" else found


def differences() -> list[Any]:
    """Where revisions and models differ, but for what SQLite searches in: its index is no model, and PostgreSQL's is not its own."""
    found = alembic.compare_metadata()
    if db.engine.dialect.name != "sqlite":
        return list(found)
    known = {("remove_table", name) for name in SHADOWS} | {("add_index", "ix_search_text_words")}
    return [step for step in found if (step[0], getattr(step[1], "name", "")) not in known]


def test_revisions_make_what_the_models_say(bare: Flask) -> None:
    alembic.upgrade()
    assert differences() == []
    assert tables() == set(db.metadata.tables)


def test_there_is_one_newest_revision(bare: Flask) -> None:
    assert len(alembic.heads()) == 1


def test_revisions_can_be_taken_back_and_made_again(bare: Flask) -> None:
    alembic.upgrade()
    alembic.downgrade("base")
    assert tables() == set()
    alembic.upgrade()
    assert differences() == []


def test_bringing_up_to_date_twice_changes_nothing(bare: Flask) -> None:
    alembic.upgrade()
    before = alembic.current()
    alembic.upgrade()
    assert alembic.current() == before
    assert not alembic.needs_upgrade()


def _reflected() -> MetaData:
    """The tables as they are in the database now."""
    found = MetaData()
    found.reflect(db.session.connection())
    return found


def _fill_first_revision() -> None:
    """A row in the tables others refer to, as the first version wrote them."""
    tables, moment = _reflected().tables, now()
    put = db.session.connection().execute
    put(insert(tables["organisation"]).values(id=1, name="Northwind", built_in=False, locked=False, names_analysts=True, created_at=moment))
    put(insert(tables["profile"]).values(id=1, name="Analyst", type="Organisation", permissions=[], built_in=True, locked=False))
    person = {"id": 1, "email": "zoe@people.example", "name": "Zoé Ångström", "type": "Normal", "active": True, "epoch": 0}
    put(insert(tables["user_account"]).values(**person, created_at=moment))
    put(insert(tables["membership"]).values(id=1, user_id=1, organisation_id=1, is_default=True))
    put(insert(tables["membership_profile"]).values(membership_id=1, profile_id=1))
    case = {"id": 1, "number": 7, "organisation_id": 1, "title": "A case", "description": "d", "description_html": "d", "severity": 2}
    case |= {"tlp": 2, "pap": 2, "status": "New", "stage": "New", "tags": [], "created_by_id": 1, "created_by_name": "Zoé", "version": 1}
    moments = {"start_date": moment, "created_at": moment, "updated_at": moment, "details_at": moment, "outside_at": moment}
    put(insert(tables["incident_case"]).values(**case, **moments, access="internal"))
    db.session.commit()


def test_what_is_there_survives_every_revision_and_the_way_back(bare: Flask) -> None:
    """People, cases and what ties them together: a table that is copied and dropped on the way would take them along or stop the way."""
    alembic.upgrade("0001")
    _fill_first_revision()
    counts = {}
    for way in ("up", "down", "up again"):
        alembic.downgrade("0001") if way == "down" else alembic.upgrade()
        tables = _reflected().tables
        rows = {name: db.session.scalar(select(func.count()).select_from(table)) for name, table in tables.items()}
        counts[way] = {
            name: count for name, count in rows.items() if name in ("organisation", "user_account", "membership", "incident_case")
        }
        db.session.rollback()
    assert counts["up"] == counts["down"] == counts["up again"] == dict.fromkeys(counts["up"], 1)
    person = _reflected().tables["user_account"]
    assert db.session.scalar(select(person.c.search_text)) == "zoe angstrom zoe@people.example"
    db.session.rollback()


def test_accounts_and_agreements_that_are_there_get_names_for_the_outside(bare: Flask) -> None:
    """Random ones, each its own, and as many as there are rows."""
    alembic.upgrade("0009")
    tables, moment, put = _reflected().tables, now(), db.session.connection().execute
    put(insert(tables["organisation"]).values(id=1, name="Northwind", built_in=False, locked=False, names_analysts=True, created_at=moment))
    person = {"type": "External", "active": True, "epoch": 0, "created_at": moment}
    put(insert(tables["user_account"]), [{"email": f"p{at}@people.example", "name": f"P{at}", **person} for at in range(300)])
    put(insert(tables["party"]).values(id=1, organisation_id=1, name="Contoso", kind="client"))
    paper = {"party_id": 1, "title": "Care", "status": "active", "times": {}}
    put(insert(tables["agreement"]), [{"number": f"SLA-{at}", **paper} for at in range(30)])
    db.session.commit()
    alembic.upgrade()
    for name, number in (("user_account", 300), ("agreement", 30)):
        uids = list(db.session.scalars(select(_reflected().tables[name].c.uid)))
        assert (len(uids), len(set(uids))) == (number, number)
        assert [uid for uid in uids if not re.fullmatch("[0-9a-f]{16}", uid)] == []
    db.session.rollback()
