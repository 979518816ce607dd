"""The two forms of `./run.sh test`: what the quick one leaves out is marked, and every test belongs to a pass of the whole one."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from tests import everything
from tests.fixtures import pace
from tests.fixtures.server import ROOT


def journeys(arguments: list[str]) -> set[str]:
    """The journeys these arguments of pytest choose."""
    chosen = arguments[: arguments.index("-n")]  # one process is enough to look
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *chosen, "tests/browser"]
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PORTAL_", "PYTEST_"))}
    shown = subprocess.check_output(command, cwd=ROOT, env=environ, text=True, timeout=170)
    return {line for line in shown.splitlines() if "::" in line}


def test_the_whole_form_tells_every_journey_and_the_quick_one_all_that_are_not_long() -> None:
    whole, quick = everything.passes(whole=True), everything.passes(whole=False)
    assert list(whole) == list(quick) == ["SQLite", "Chromium", "PostgreSQL"]
    told, short = journeys(whole["Chromium"]), journeys(quick["Chromium"])
    assert short < told
    again = [name for name in short for words in ("no-javascript", "without-javascript", "without-script") if words in name]
    assert all(name.startswith(pace.TOLD_TWICE) for name in again), "told a second time, whatever else the name says"
    files = {f"tests/browser/{path.name}" for path in (ROOT / "tests" / "browser").glob("test_*.py")}
    assert {name.partition("::")[0] for name in told} == {name.partition("::")[0] for name in short} == files, "a journey of each file"
    assert [form["SQLite"][1] for form in (whole, quick)] == ["not browser", "not browser and not long"]


def test_the_quick_form_asks_postgresql_for_the_locks() -> None:
    asked = everything.passes(whole=False)["PostgreSQL"]
    assert {"tests/sharing", "tests/search", "tests/access/test_guard.py", "tests/access/test_revoke.py"} <= set(asked)
    assert set(asked) <= set(everything.passes(whole=True)["PostgreSQL"]) | {asked[2]}


def test_what_only_postgresql_can_answer_is_asked_there() -> None:
    asked = everything.passes(whole=True)["PostgreSQL"]
    marked = re.compile(r"(?m)^@pytest\.mark\.postgres_only$")
    files = [path.relative_to(ROOT) for path in (ROOT / "tests").rglob("test_*.py") if marked.search(path.read_text())]
    assert files
    assert [str(file) for file in files if str(file) not in asked and str(file.parent) not in asked] == []


def test_the_gate_runs_the_whole_form_and_skips_nothing() -> None:
    assert "export PORTAL_TEST_REQUIRE=1 PORTAL_TEST_WHOLE=1\nexec ./run.sh test\n" in (ROOT / ".ci" / "run").read_text()
    assert "PORTAL_TEST_WHOLE=1 ./run.sh test" in everything.LEFT_OUT
    assert "PORTAL_TEST_WHOLE=1 ./run.sh test" in (ROOT / "README.md").read_text()
