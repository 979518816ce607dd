"""`./run.sh test`: the passes one after the other, their counts added up, in a quick and a whole form; if asked, coverage too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.fixtures.cluster import binaries

ROOT = Path(__file__).resolve().parents[1]
WORKERS = str(min(os.cpu_count() or 1, 4))
# The order of the files is tests/fixtures/pace.py's, the longest first; xdist would have those with the most tests first.
TOGETHER = ["-n", WORKERS, "--dist", "loadfile", "--no-loadscope-reorder"]
# More than two browsers with their servers would race the clock.
TWO = ["-n", str(min(int(WORKERS), 2)), *TOGETHER[2:]]
# The house reads files and makes its own databases, journeys ask for a first start: everything else must hold on both databases.
ON_SQLITE_ONLY = {"house", "browser", "fixtures"}
# PostgreSQL is asked what the rooms and the locks say; the faces and the walks through all routes ask the same verbs once more:
# `./run.sh test --database=postgres -n 2 --dist loadfile -m "not browser"`.
WALKS = {"access", "console", "entry", "external", "root", "sample", "web"}
LOCKS = [f"tests/access/test_{name}.py" for name in ("guard", "model", "revoke", "said")]
OF_DATABASES = ["tests/root/test_time_and_database.py", "tests/root/test_upgrade.py"]
# The quick form asks PostgreSQL only where SQLite cannot answer for it: who waits for whom, what is found, and what is never lost.
ITS_OWN = {"audit", "search", "sharing", "storage"}
LEFT_OUT = (
    "Quick form, without the longest walks through all routes, most journeys without JavaScript, many pages in Chromium and "
    "most rooms on PostgreSQL. The whole form: PORTAL_TEST_WHOLE=1 ./run.sh test"
)
MEASURED = ["--cov", "--cov-append", "--cov-report=", "--cov-fail-under=0"]


def passes(*, whole: bool) -> dict[str, list[str]]:
    """Name -> pytest's arguments."""
    rooms = {path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")} - ON_SQLITE_ONLY - WALKS
    asked = [f"tests/{room}" for room in sorted(rooms if whole else rooms & ITS_OWN)]
    asked += [*LOCKS, *OF_DATABASES]
    short = "" if whole else " and not long"
    return {
        "SQLite": ["-m", f"not browser{short}", *TOGETHER],
        "Chromium": ["-m", f"browser{short}", *TWO],
        "PostgreSQL": ["--database=postgres", "-m", f"not browser{short}", *TOGETHER, *asked],
    }


def run(arguments: list[str], *, measured: bool = True) -> tuple[int, Counter[str]]:
    """One pass: its exit code and how many tests ended how. `measured`: with coverage, which costs a third of the time."""
    with tempfile.TemporaryDirectory() as folder:
        tally = Path(folder) / "tally.json"
        environ = os.environ | {"PORTAL_TEST_TALLY": str(tally)}
        command = [sys.executable, "-m", "pytest", "-q", *(MEASURED if measured else []), *arguments]
        code = subprocess.run(command, cwd=ROOT, env=environ, check=False).returncode
        return code, Counter(json.loads(tally.read_text())) if tally.exists() else Counter(error=1)


def coverage(*words: str) -> int:
    """Run coverage's own command line."""
    return subprocess.run([sys.executable, "-m", "coverage", *words], cwd=ROOT, check=False).returncode


def every_pass(*, whole: bool, measuring: bool) -> tuple[Counter[str], list[str]]:
    """Run one after the other: all counts, and what went wrong."""
    total: Counter[str] = Counter()
    wrong: list[str] = []
    for name, arguments in passes(whole=whole).items():
        print(f"\n== {name} ==", flush=True)
        if name == "PostgreSQL" and not binaries():
            print("skipped: PostgreSQL's server programs are not installed")
            total["skipped"] += 1
            continue
        # On PostgreSQL the same code runs as in the first pass; measuring it twice would tell nothing.
        code, counts = run(arguments, measured=measuring and name != "PostgreSQL")
        total += counts
        if code:
            wrong.append(f"{name} ended with {code}")
    return total, wrong


def main() -> int:
    """Run everything, say how it went, and give the exit code."""
    began = time.monotonic()
    strict, measuring, whole = (os.environ.get(f"PORTAL_TEST_{name}") == "1" for name in ("REQUIRE", "COVERAGE", "WHOLE"))
    if measuring:
        coverage("erase")
    total, wrong = every_pass(whole=whole, measuring=measuring)
    if measuring:
        print("\n== Coverage ==", flush=True)
        if coverage("report"):
            wrong.append("coverage is below its mark")
    if strict and total["skipped"]:
        wrong.append("something was skipped")
    failed = total["failed"] + total["error"] or len(wrong)
    print("\n" + "\n".join(wrong), flush=True)
    print(f"{total['passed']} passed, {failed} failed, {total['skipped']} skipped in {(time.monotonic() - began) / 60:.0f} minutes")
    if not whole:
        print(LEFT_OUT)
    return 1 if wrong or failed else 0


if __name__ == "__main__":
    sys.exit(main())
