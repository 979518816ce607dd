"""The product's pages beside the bare floor, in one run on one machine: `./run.sh bench [--rounds 5] [--seconds 4] [--fresh]`."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import processes, seed_floor
from bench.processes import Browser, Server, clean_environ, loads
from bench.seed_product import PASSWORD, PLATFORM_EMAIL, guest_email, staff_email

DATA = Path(__file__).parent / "data"
YARDSTICK = "floor list"
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}
MARK = "bench"  # wrk's script writes its line behind this word
SCRIPT = r"""
local marker = os.getenv("BENCH_MARKER")
local threads = {}
function setup(thread) table.insert(threads, thread); thread:set("bad", 0) end
function init(args) bad = 0 end
function response(status, headers, body)
  if status ~= 200 or not string.find(body, marker, 1, true) then bad = bad + 1 end
end
function done(summary, latency, requests)
  local wrong = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  for _, thread in ipairs(threads) do wrong = wrong + thread:get("bad") end
  io.write(string.format('bench {"n":%d,"us":%d,"bad":%d,"p50":%.3f,"p99":%.3f}\n',
    summary.requests, summary.duration, wrong, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
"""


@dataclass(frozen=True)
class Page:
    """A page to measure: what it is called, on which server, as whom, where, and what it must show. `part`: asked for as htmx does."""

    name: str
    server: Server
    browser: Browser
    path: str
    shows: str
    floor: str = ""
    part: bool = False


@dataclass(frozen=True)
class Sample:
    """One round: latency of one connection, throughput of eight, processor time a request."""

    p50: float
    p99: float
    per_second: float
    cpu_ms: float


def _wrk(page: Page, connections: int, seconds: int, script: Path) -> dict[str, float]:
    threads = str(min(2, connections))
    command = ["wrk", "-t", threads, "-c", str(connections), "-d", f"{seconds}s", "--timeout", "30s", "-s", str(script)]
    for name, value in HTMX.items() if page.part else ():
        command += ["-H", f"{name}: {value}"]
    command += ["-H", f"Cookie: {page.browser.cookies}", f"{page.server.url}{page.path}"]
    environ = os.environ | {"BENCH_MARKER": page.shows}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=seconds + 60, check=False)
    found = re.search(rf"{MARK} (\{{.*\}})", done.stdout)
    if not found:
        sys.exit(f"wrk said nothing usable:\n{done.stdout}{done.stderr}")
    result: dict[str, float] = json.loads(found[1])
    if result["bad"]:
        sys.exit(f"{page.name}: {result['bad']:.0f} of {result['n']:.0f} answers were wrong")
    return result


def measure(page: Page, seconds: int, script: Path) -> Sample:
    """One round of one page."""
    page.server.drain()
    alone = _wrk(page, 1, seconds, script)
    page.server.drain()
    before = page.server.cpu_ms()
    many = _wrk(page, 8, seconds, script)
    page.server.drain()
    spent = page.server.cpu_ms() - before
    return Sample(alone["p50"], alone["p99"], many["n"] / many["us"] * 1e6, spent / many["n"])


def check(page: Page) -> None:
    """The page shows what it must before anything is timed, then is warm."""
    for _ in range(20):
        body, _ = page.browser.get(page.path, **(HTMX if page.part else {}))
        if page.shows.encode() not in body:
            sys.exit(f"{page.name} does not show {page.shows!r}")


def prepare() -> tuple[Path, Path]:
    """The two databases, made once and kept in bench/data."""
    DATA.mkdir(exist_ok=True)
    database, instance = DATA / "floor.sqlite", DATA / "product"
    if not database.exists():
        print("Filling the floor ...", flush=True)
        draft = database.with_suffix(".new")
        draft.unlink(missing_ok=True)
        seed_floor.seed(draft)
        draft.rename(database)
    if not instance.exists():
        print("Filling the product ...", flush=True)
        draft = DATA / "product.new"
        shutil.rmtree(draft, ignore_errors=True)
        environ = clean_environ() | {"PORTAL_INSTANCE": str(draft)}
        subprocess.run([sys.executable, "-m", "bench.seed_product"], env=environ, check=True)
        draft.rename(instance)
    return database, instance


@contextmanager
def servers() -> Iterator[tuple[Server, Server]]:
    """Floor and product, running."""
    database, instance = prepare()
    floor = processes.floor(database)
    try:
        product = processes.product(instance)
        try:
            yield floor, product
        finally:
            product.stop()
    finally:
        floor.stop()


def pages(floor: Server, product: Server) -> list[Page]:
    """What is measured, floors first; signs in as the people it needs."""
    someone = Browser(floor.url).sign_in("/login", username="portal1", password="none")
    analyst = Browser(product.url).sign_in("/console/sign-in", email=staff_email(1), password=PASSWORD)
    platform = Browser(product.url).sign_in("/console/sign-in", email=PLATFORM_EMAIL, password=PASSWORD)
    guest = Browser(product.url).sign_in("/portal/sign-in", email=guest_email(1), password=PASSWORD)
    return [
        Page("floor list", floor, someone, "/cases", "(1)"),
        Page("floor case", floor, someone, "/cases/1", "(1)"),
        Page("console list", product, analyst, "/console/cases", "(1)", "floor list"),
        Page("console case", product, analyst, "/console/cases/1", "(1)", "floor case"),
        Page("portal home", product, guest, "/portal/", "(1)", "floor list"),
        Page("portal case", product, guest, "/portal/cases/1", "(1)", "floor case"),
        Page("people list", product, analyst, "/console/people", "1,000+ people", "floor list"),
        Page("people search", product, analyst, "/console/people?q=haas+andre", "people-table", "floor list"),
        Page("people filter", product, analyst, "/console/people?state=expired", "Invitation expired", "floor list"),
        Page("picker", product, analyst, "/console/cases/1/access", "people-found", "floor list"),
        # Searching happens while somebody types: the list of people alone is fetched.
        Page("picker search", product, analyst, "/console/cases/1/access?q=haas", "who match are shown", "floor list", part=True),
        Page("people search, typed", product, analyst, "/console/people?q=haas+andre", "people-table", "floor list", part=True),
        Page("everybody list", product, platform, "/console/people", "1,000+ people", "floor list"),
        Page("everybody search", product, platform, "/console/people?q=haas+andre", "people-table", "floor list"),
    ]


def run(wanted: list[Page], rounds: int, seconds: int) -> dict[str, list[Sample]]:
    """Interleaved rounds, so that a busy moment of the machine falls on every page alike."""
    measured: dict[str, list[Sample]] = defaultdict(list)
    for page in wanted:
        check(page)
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "check.lua"
        script.write_text(SCRIPT)
        for turn in range(rounds):
            print(f"round {turn + 1} of {rounds}", flush=True)
            for page in wanted:
                measured[page.name].append(measure(page, seconds, script))
    return measured


def _median(samples: list[Sample], name: str) -> float:
    return statistics.median(getattr(sample, name) for sample in samples)


def table(measured: dict[str, list[Sample]], wanted: list[Page]) -> None:
    """Medians over the rounds as a Markdown table; ratios against the floor's list, our yardstick, and its page of the same kind."""
    print("\n| page | p50 at 1, ms | p99 at 1, ms | per second at 8 | CPU a request, ms | p50, CPU / floor list | p50, CPU / same kind |")
    print("|---|---|---|---|---|---|---|")
    for page in wanted:
        p50, p99, rate, cpu = (_median(measured[page.name], name) for name in ("p50", "p99", "per_second", "cpu_ms"))
        ratios = [
            f"{p50 / _median(measured[base], 'p50'):.2f}, {cpu / _median(measured[base], 'cpu_ms'):.2f}" if page.floor else ""
            for base in (YARDSTICK, page.floor)
        ]
        print(f"| {page.name} | {p50:.2f} | {p99:.2f} | {rate:.0f} | {cpu:.2f} | {ratios[0]} | {ratios[1]} |")


def first_load(page: Page) -> None:
    """What a browser with an empty cache pulls over the wire, compressed as the server sends it."""
    gzip = {"Accept-Encoding": "gzip"}
    body, headers = page.browser.get(page.path, **gzip)
    html, _ = page.browser.get(page.path)
    parts = {"page": len(body)}
    for address in loads(html):
        parts[address.rsplit("/", 1)[-1]] = len(page.browser.get(address, **gzip)[0])
    packed = headers.get("content-encoding", "not compressed")
    listed = ", ".join(f"{name} {size / 1000:.1f}" for name, size in parts.items())
    print(f"- {page.name}: {sum(parts.values()) / 1000:.1f} kB ({listed}; {packed})")


def main() -> None:
    """Fill, start, check, measure, print."""
    parser = argparse.ArgumentParser(prog="./run.sh bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, choices=range(1, 10))
    parser.add_argument("--seconds", type=int, default=4, choices=range(1, 31))
    parser.add_argument("--fresh", action="store_true", help="fill both databases anew")
    parser.add_argument("--only", default="", help="measure only our pages whose name fits this pattern")
    chosen = parser.parse_args()
    if chosen.fresh:
        shutil.rmtree(DATA, ignore_errors=True)
    if not shutil.which("wrk"):
        sys.exit("needs wrk (Debian: apt-get install wrk)")
    with servers() as (floor, product):
        wanted = [page for page in pages(floor, product) if page.server is floor or re.search(chosen.only, page.name)]
        table(run(wanted, chosen.rounds, chosen.seconds), wanted)
        print(f"\nMemory: floor {floor.memory_mb():.0f} MB, product {product.memory_mb():.0f} MB. First load over the wire:")
        for page in wanted[2:7]:
            first_load(page)


if __name__ == "__main__":
    main()
