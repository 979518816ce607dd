"""`./run.sh test`: the passes one after the other, their counts added up; with PORTAL_TEST_COVERAGE=1, coverage too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.fixtures.cluster import binaries

ROOT = Path(__file__).resolve().parents[1]
WORKERS = str(min(os.cpu_count() or 1, 4))
TOGETHER = ["-n", WORKERS, "--dist", "loadfile"]
# The house reads files and makes its own databases, journeys ask for a first start: everything else must hold on both databases.
ON_SQLITE_ONLY = {"house", "browser", "fixtures"}
# The quick form asks PostgreSQL what the rooms and the locks say; the faces and the walks through all routes ask the same verbs
# once more. `./run.sh test --database=postgres -n 2 --dist loadfile -m "not browser"` is the long form.
WALKS = {"access", "console", "entry", "external", "root", "sample", "web"}
LOCKS = ["guard", "model", "revoke", "said"]
MEASURED = ["--cov", "--cov-append", "--cov-report=", "--cov-fail-under=0"]


def passes() -> dict[str, list[str]]:
    """Name -> pytest's arguments. Browser journeys run alone: two browsers and two servers on two cores would race the clock."""
    rooms = {path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")} - ON_SQLITE_ONLY - WALKS
    asked = [*(f"tests/{room}" for room in sorted(rooms)), *(f"tests/access/test_{lock}.py" for lock in LOCKS)]
    return {
        "SQLite": ["-m", "not browser", *TOGETHER],
        "Chromium": ["-m", "browser"],
        "PostgreSQL": ["--database=postgres", "-m", "not browser", *TOGETHER, *asked],
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


def main() -> int:
    """Run everything, say how it went, and give the exit code."""
    strict, measuring = (os.environ.get(f"PORTAL_TEST_{name}") == "1" for name in ("REQUIRE", "COVERAGE"))
    if measuring:
        coverage("erase")
    total: Counter[str] = Counter()
    wrong: list[str] = []
    for name, arguments in passes().items():
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
    if measuring:
        print("\n== Coverage ==", flush=True)
        if coverage("report"):
            wrong.append("coverage is below its mark")
    if strict and total["skipped"]:
        wrong.append("something was skipped")
    failed = total["failed"] + total["error"] or len(wrong)
    print("\n" + "\n".join(wrong), flush=True)
    print(f"{total['passed']} passed, {failed} failed, {total['skipped']} skipped")
    return 1 if wrong or failed else 0


if __name__ == "__main__":
    sys.exit(main())
