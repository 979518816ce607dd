"""Upgrading: a copy first where the database is a file, once at a time, and never backwards."""

from __future__ import annotations

import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import create_engine, func, inspect, select, text

from portal.accounts.models import Profile, User
from portal.config import BadSettings
from portal.extensions import alembic, db
from portal.organisations.models import Organisation
from portal.upgrade import bring_up_to_date
from tests.fixtures.product import close, product
from tests.fixtures.server import ROOT, clean_environ, portal_command
from tests.fixtures.world import World

LATER = """
from alembic import op
import sqlalchemy as sa

revision = "later"
down_revision = "{head}"
branch_labels = depends_on = None


def upgrade():
    op.create_table("something_later", sa.Column("id", sa.Integer, primary_key=True))
"""


def later_version(app: Flask, folder: Path, *, broken: bool = False) -> Flask:
    """The same product with one more migration: what tomorrow's version brings to today's database."""
    with app.app_context():
        [head] = alembic.script_directory.get_heads()
    folder.mkdir()
    script = LATER.format(head=head)
    (folder / "later.py").write_text(script + '    op.drop_table("no_such_table")\n' if broken else script)
    app.config["ALEMBIC"]["version_locations"] = [str(folder)]
    alembic.init_app(app)  # reads its configuration once
    return app


@pytest.fixture
def first(instance: Path, empty_database_url: str) -> Iterator[Flask]:
    """The product on a database without any table."""
    app = product(instance, empty_database_url)
    yield app
    close(app)


def test_a_first_start_needs_no_copy(first: Flask, instance: Path) -> None:
    assert bring_up_to_date(first) is None
    assert not (instance / "backups").exists()
    with first.app_context():
        assert (db.session.scalar(select(func.count(User.id))), db.session.scalar(select(func.count(Organisation.id)))) == (0, 1)
        assert db.session.scalar(select(func.count(Profile.id))) == 6
        db.session.rollback()


def test_an_up_to_date_database_is_left_alone(app: Flask, instance: Path) -> None:
    assert bring_up_to_date(app) is None
    assert not (instance / "backups").exists()


@pytest.mark.sqlite_only
def test_an_older_file_is_copied_before_it_is_changed(app: Flask, world: World, instance: Path, tmp_path: Path) -> None:
    copy = bring_up_to_date(later_version(app, tmp_path / "later"))
    assert copy is not None
    assert copy.parent == instance / "backups"
    assert [stat.S_IMODE(place.stat().st_mode) for place in (copy.parent, copy)] == [0o700, 0o600]
    with app.app_context():
        assert inspect(db.engine).has_table("something_later")
    engine = create_engine(f"sqlite:///{copy}")
    with engine.connect() as connection:
        assert not inspect(connection).has_table("something_later")
        assert connection.scalar(text("select count(*) from incident_case")) == len(world.cases)
        assert connection.scalar(text("pragma integrity_check")) == "ok"
    engine.dispose()
    assert bring_up_to_date(app) is None


@pytest.mark.postgres_only
def test_an_older_database_is_upgraded_in_place(app: Flask, instance: Path, tmp_path: Path) -> None:
    assert bring_up_to_date(later_version(app, tmp_path / "later")) is None
    with app.app_context():
        assert inspect(db.engine).has_table("something_later")


def test_a_migration_that_fails_leaves_the_data(app: Flask, world: World, instance: Path, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="no_such_table"):
        bring_up_to_date(later_version(app, tmp_path / "later", broken=True))
    with app.app_context():
        db.session.rollback()
        assert db.session.scalar(text("select count(*) from incident_case")) == len(world.cases)
        assert db.session.scalar(text("select version_num from alembic_version")) != "later"
        db.session.rollback()


def test_a_newer_database_is_refused(app: Flask) -> None:
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = 'of_tomorrow'"))
    with pytest.raises(BadSettings, match="made by a newer version of the product"):
        bring_up_to_date(app)


def test_two_that_start_together_upgrade_once(tmp_path: Path, empty_database_url: str) -> None:
    """As server and worker do."""
    environ = clean_environ(tmp_path / "instance", PORTAL_DATABASE_URL=empty_database_url)
    options: dict[str, Any] = {"env": environ, "cwd": ROOT, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    together = [subprocess.Popen(portal_command("upgrade"), **options) for _ in range(3)]
    said = [process.communicate(timeout=60)[0] for process in together]
    assert [process.returncode for process in together] == [0, 0, 0], said
    engine = create_engine(empty_database_url)
    with engine.connect() as connection:
        assert connection.scalar(text("select count(*) from profile")) == 6
        assert connection.scalar(text("select count(*) from organisation")) == 1
    engine.dispose()
