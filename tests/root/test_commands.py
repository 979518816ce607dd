"""The `portal` program as people run it: what it prints, what it refuses, and that running it twice does no harm."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, text

from portal import __version__
from portal.cli import main
from portal.extensions import db
from tests.fixtures.server import ROOT, clean_environ, portal_command

PASSWORD = "velvet-harbour-onion-38"


@dataclass
class Done:
    """How a command ended and what it said."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture
def run(tmp_path: Path, empty_database_url: str) -> Run:
    """run(*words, stdin=..., **PORTAL_variables) -> the finished command, on an instance and database of this test."""

    def start(*words: str, stdin: str = "", **variables: str) -> Done:
        environ = clean_environ(tmp_path / "instance", **{"PORTAL_DATABASE_URL": empty_database_url, **variables})
        result = CliRunner().invoke(main, words, input=stdin, env={**dict.fromkeys(os.environ), **environ})
        for engine in [engine for engines in db._app_engines.values() for engine in engines.values()]:
            engine.dispose()  # a process would end here, and its connections with it
        return Done(result.exit_code, result.stdout, result.stderr + repr(result.exception or ""))

    return start


def emails(url: str) -> list[str]:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = list(connection.scalars(text("select email from user_account order by id")))
    engine.dispose()
    return found


def test_version_and_help(run: Run, tmp_path: Path) -> None:
    options = {"env": clean_environ(tmp_path), "cwd": ROOT, "timeout": 60}
    assert subprocess.check_output(portal_command("version"), text=True, **options) == f"{__version__}\n"
    shown = run("--help").stdout
    for command in ("serve", "worker", "demo", "upgrade", "create-admin", "routes", "mail", "version"):
        assert re.search(rf"^  {command}\s+\S", shown, re.MULTILINE), command


def test_administrators_are_made_once(run: Run, empty_database_url: str) -> None:
    words = ("create-admin", "--email", "Ines@Northwind.Example", "--name", "Ines", "--password-stdin")
    refused = run(*words, stdin=f"{PASSWORD}\n")
    assert (refused.returncode, emails(empty_database_url)) == (1, [])
    assert "Name the security team with --team" in refused.stderr
    weak = run(*words, "--team", "Northwind", stdin="northwind1234\n")
    assert (weak.returncode, emails(empty_database_url)) == (1, [])
    assert "Choose a harder password" in weak.stderr
    made = run(*words, "--team", "Northwind", stdin=f"{PASSWORD}\n")
    assert (made.returncode, made.stdout.splitlines()[-1]) == (0, "Ines can sign in at http://127.0.0.1:8000/console/")
    again = run(*words, stdin=f"{PASSWORD}\n")
    assert (again.returncode, again.stdout) == (0, "ines@northwind.example has an account already; nothing was changed.\n")
    second = run("create-admin", "--email", "tom@northwind.example", "--name", "Tom", "--password-stdin", stdin=f"{PASSWORD}\n")
    assert second.returncode == 0
    assert emails(empty_database_url) == ["ines@northwind.example", "tom@northwind.example"]
    assert PASSWORD not in "".join(done.stdout + done.stderr for done in (refused, weak, made, again, second))


@pytest.mark.parametrize(
    ("name", "sentence"), [(" ", "Type a name."), ("x" * 129, "Use at most 128 characters.")], ids=["nameless", "long"]
)
def test_an_administrator_needs_a_proper_name(run: Run, empty_database_url: str, name: str, sentence: str) -> None:
    words = ("create-admin", "--email", "ines@northwind.example", "--name", name, "--team", "Northwind", "--password-stdin")
    refused = run(*words, stdin=f"{PASSWORD}\n")
    assert (refused.returncode, emails(empty_database_url)) == (1, [])
    assert sentence in refused.stderr


def test_routes_are_listed_for_programs(run: Run) -> None:
    rows = json.loads(run("routes", "--json").stdout)
    assert {"rule", "methods", "endpoint", "face", "needs"} == set(rows[0])
    assert {row["face"] for row in rows} >= {"console", "external", "entry"}
    assert [row for row in rows if row["needs"] == "None"] == []
    assert len(run("routes").stdout.splitlines()) == len(rows)


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"PORTAL_BASE_URL": "http://cases.example.org"}, "Error: PORTAL_BASE_URL uses http."),
        ({"PORTAL_COLOUR": "blue"}, "Error: PORTAL_COLOUR is not a setting of this product."),
        ({"PORTAL_DATABASE_URL": "sqlite:////nowhere/at/all/portal.sqlite"}, "Error: The database cannot be used: unable to open"),
        ({"PORTAL_DATABASE_URL": "mysql://me:hidden@db/x"}, "Error: PORTAL_DATABASE_URL is not understood."),
        ({"PORTAL_DATABASE_URL": "postgresql://me:hidden@127.0.0.1:1/x"}, "Error: The database cannot be used: connection"),
    ],
)
def test_what_cannot_work_ends_with_a_sentence(run: Run, variables: dict[str, str], sentence: str) -> None:
    done = run("upgrade", **variables)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert done.stderr.endswith("SystemExit(1)")  # no other exception came out
    assert "hidden" not in done.stderr + done.stdout


def test_an_upgrade_can_be_run_twice(run: Run, tmp_path: Path) -> None:
    for _ in range(2):
        assert run("upgrade").stdout == "The database is up to date.\n"
    assert not (tmp_path / "instance" / "backups").exists()


def test_the_demo_throws_away_nothing_but_a_demo(run: Run, tmp_path: Path) -> None:
    (tmp_path / "instance").mkdir()
    (tmp_path / "instance" / "precious").write_text("x")
    done = run("demo", "--reset")
    assert done.returncode == 1
    assert "does not hold a sample world of its own" in done.stderr
    assert (tmp_path / "instance" / "precious").exists()


def test_the_demo_does_not_mix_with_real_data(run: Run) -> None:
    words = ("create-admin", "--email", "ines@northwind.example", "--name", "Ines", "--team", "Northwind", "--password-stdin")
    assert run(*words, stdin=f"{PASSWORD}\n").returncode == 0
    done = run("demo")
    assert (done.returncode, "This database holds real data" in done.stderr) == (1, True)
