"""Before and after the work: an affected SQLite is refused wherever the product starts, looking changes nothing, and it ends in order."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, inspect

from portal import create_app, database
from portal.cli import main
from portal.config import BadSettings, from_env
from portal.extensions import db
from tests.fixtures.server import ROOT, clean_environ

ALL_AFFECTED = ((99, 0, 0),)


def run(environ: dict[str, str], *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, words, env={**dict.fromkeys(os.environ), **environ})
    for engine in [engine for engines in db._app_engines.values() for engine in engines.values()]:
        engine.dispose()
    return result.exit_code, result.output


def tables(url: str) -> list[str]:
    engine = create_engine(url, module=database.driver()) if url.startswith("sqlite") else create_engine(url)
    found = inspect(engine).get_table_names()
    engine.dispose()
    return found


@pytest.mark.parametrize("words", [("routes",), ("routes", "--json"), ("mail", "test", "ops@team.example")])
def test_looking_does_not_change_the_database(tmp_path: Path, empty_database_url: str, words: tuple[str, ...]) -> None:
    environ = clean_environ(tmp_path / "instance", PORTAL_DATABASE_URL=empty_database_url)
    code, said = run(environ, *words)
    assert code == 0, said
    assert tables(empty_database_url) == []


def test_a_sqlite_that_loses_data_is_refused_by_every_way_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """wsgi:app calls create_app() itself, without the command line."""
    monkeypatch.setattr(database, "REPAIRED", ALL_AFFECTED)
    environ = {"PORTAL_INSTANCE": str(tmp_path), "PORTAL_SECRET_KEY": "k" * 32}
    with pytest.raises(BadSettings, match="can corrupt a database under load"):
        create_app(from_env(environ))
    environ["PORTAL_ALLOW_AFFECTED_SQLITE"] = "1"
    create_app(from_env(environ))
    code, said = run({**clean_environ(tmp_path), "PORTAL_ALLOW_AFFECTED_SQLITE": "0"}, "upgrade")
    assert (code, "PORTAL_ALLOW_AFFECTED_SQLITE=1" in said) == (1, True)


def test_the_demo_only_warns_of_it(tmp_path: Path) -> None:
    program = f"from portal import cli, database; database.REPAIRED = {ALL_AFFECTED}; cli.main(['demo'])"
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        environ = clean_environ(tmp_path / "instance", PORTAL_PORT=str(taken.getsockname()[1]))
        del environ["PORTAL_ALLOW_AFFECTED_SQLITE"]
        options: dict[str, Any] = {"env": environ, "cwd": ROOT, "timeout": 60, "capture_output": True, "text": True}
        done = subprocess.run([sys.executable, "-c", program], check=False, **options)
    assert "good enough to look around only" in done.stdout
    assert (done.returncode, "cannot be used" in done.stderr) == (1, True)  # it came as far as its port, which is taken


def test_a_database_elsewhere_is_not_asked_for_its_sqlite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "REPAIRED", ALL_AFFECTED)
    database.refuse_affected("postgresql+psycopg://db/portal")
