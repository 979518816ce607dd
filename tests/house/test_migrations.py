"""Revisions and models tell the same schema, on both databases, and every revision can be taken back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import inspect

from portal.extensions import alembic, db
from tests.fixtures.product import close, product


@pytest.fixture
def bare(each_database_url: str, tmp_path: Path) -> Iterator[Flask]:
    """The product before its first migration."""
    app = product(tmp_path, each_database_url)
    with app.app_context():
        yield app
    close(app)


def tables() -> set[str]:
    """Names of the tables that exist, Alembic's own left out."""
    return set(inspect(db.engine).get_table_names()) - {"alembic_version"}


def test_revisions_make_what_the_models_say(bare: Flask) -> None:
    alembic.upgrade()
    assert alembic.compare_metadata() == []
    assert tables() == set(db.metadata.tables)


def test_there_is_one_newest_revision(bare: Flask) -> None:
    assert len(alembic.heads()) == 1


def test_revisions_can_be_taken_back_and_made_again(bare: Flask) -> None:
    alembic.upgrade()
    alembic.downgrade("base")
    assert tables() == set()
    alembic.upgrade()
    assert alembic.compare_metadata() == []


def test_bringing_up_to_date_twice_changes_nothing(bare: Flask) -> None:
    alembic.upgrade()
    before = alembic.current()
    alembic.upgrade()
    assert alembic.current() == before
    assert not alembic.needs_upgrade()
