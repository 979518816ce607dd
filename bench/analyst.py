"""The analyst's pages with 100,000 cases beside the bare floor: `python -m bench.analyst [--database postgres] [--rounds 5] [--fresh]`."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench import compare, processes, seed_floor
from bench.compare import Page
from bench.processes import Browser, Server, clean_environ
from bench.seed_analyst import LOUD
from bench.seed_product import PASSWORD, guest_email, staff_email

DATA = compare.DATA / "analyst"
# Name, query, what must be shown.
LISTS = (
    ("list", "", "1,000+ cases"),
    ("stage", "stage=New", "1,000+ cases"),
    ("status, few", "status=Duplicated", "100 cases"),
    ("severity", "severity=4", "1,000+ cases"),
    ("mine", "assignee=me", "1,000+ cases"),
    ("nobody's", "assignee=nobody", "100 cases"),
    ("tag, all", "tag=bench", "100+ cases"),
    ("tag, few", "tag=rare", "100 cases"),
    ("tlp, few", "tlp=4", "100 cases"),
    ("tlp, none", "tlp=0", "No case fits"),
    ("shared, all", "shared=all", "100 cases"),
    ("shared, not", "shared=not", "1,000+ cases"),
    ("restricted", "shared=restricted", "No case fits"),
    ("flagged", "flagged=yes", "20 cases"),
    ("by externals", "outside=yes", "101 cases"),
    ("field", "field=1&value=Oslo", "100+ cases"),
    ("field, few", "field=1&value=Nowhere", "10 cases"),
    ("opened", "opened_from=2025-01-01&opened_to=2025-12-31", "1,000+ cases"),
    ("updated", "updated_to=2024-06-01", "1,000+ cases"),
    ("closed, a day", "closed_from=2025-03-03&closed_to=2025-03-03", "cases"),
    ("five at once", "stage=Closed&severity=3&assignee=me&shared=selected&opened_from=2024-01-01", "cases"),
    ("by severity", "sort=-severity", "1,000+ cases"),
    ("by title", "sort=title", "1,000+ cases"),
    ("by number", "sort=number", "1,000+ cases"),
)
SEARCHES = (
    ("one case", "q=zebra4711", "1 case"),
    ("few", "q=wombat", "25+ cases"),
    ("all cases", "q=host", "25+ cases"),
    ("all, three words", "q=host+network+owner", "25+ cases"),
    ("beginning", "q=zebra47*", "cases"),
    ("phrase", "q=%22sender+domain%22", "25+ cases"),
    ("address", "q=10.0.18.103", "1 case"),
    ("none", "q=kangaroo", "No case fits"),
    ("and a filter", "q=host&status=Duplicated", "25+ cases"),
    ("and an order", "q=wombat&sort=title", "25+ cases"),
)


def _fill(name: str, environ: dict[str, str]) -> Path:
    instance = DATA / name
    if not instance.exists():
        print(f"Filling {name} ...", flush=True)
        draft = DATA / f"{name}.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        full = clean_environ() | environ | {"PORTAL_INSTANCE": str(draft)}
        subprocess.run([sys.executable, "-m", "bench.seed_analyst"], env=full, check=True)
        draft.rename(instance)
    return instance


def _product(instance: Path, environ: dict[str, str]) -> Server:
    port = processes.free_port()
    told = {"PORTAL_INSTANCE": str(instance), "PORTAL_PORT": str(port), "PORTAL_THREADS": str(processes.THREADS), **environ}
    return Server([sys.executable, "-c", "from portal.cli import main; main(['serve'])"], port, told)


@contextmanager
def servers(database: str) -> Iterator[tuple[Server, Server]]:
    """Floor and product, running, on the same kind of database; PostgreSQL is a private one, filled for this run."""
    DATA.mkdir(parents=True, exist_ok=True)
    base = compare.DATA / "floor.sqlite"
    if not base.exists():
        seed_floor.seed(base)
    with ExitStack() as stack:
        environ: dict[str, str] = {}
        ground: Path | str = base
        if database == "postgres":
            from tests.fixtures.cluster import Cluster

            cluster = Cluster()
            stack.callback(cluster.stop)
            environ["PORTAL_DATABASE_URL"] = cluster.url(cluster.create())
            ground = cluster.url(cluster.create())
            seed_floor.copy(base, ground.replace("+psycopg", ""))
            shutil.rmtree(DATA / database, ignore_errors=True)
        instance = _fill(database, environ)
        floor = processes.floor(ground)
        stack.callback(floor.stop)
        product = _product(instance, environ)
        stack.callback(product.stop)
        yield floor, product


def pages(floor: Server, product: Server) -> list[Page]:
    """The floor's two pages and ours."""
    someone = Browser(floor.url).sign_in("/login", username="portal1", password="none")
    analyst = Browser(product.url).sign_in("/console/sign-in", email=staff_email(1), password=PASSWORD)
    wanted = [Page("floor list", floor, someone, "/cases", "(1)"), Page("floor case", floor, someone, "/cases/1", "(1)")]
    guest = Browser(product.url).sign_in("/portal/sign-in", email=guest_email(LOUD + 1), password=PASSWORD)
    wanted.append(Page("case", product, analyst, "/console/cases/1", "(1)", "floor case"))
    wanted.append(Page("portal home", product, guest, "/portal/", "Your cases", "floor list"))  # 500 cases and more, of all there are
    wanted.append(Page("portal case", product, guest, f"/portal/cases/{LOUD}", f"({LOUD})", "floor case"))  # 50 messages
    for kind, asked in (("", LISTS), ("search: ", SEARCHES)):
        wanted += [Page(f"{kind}{name}", product, analyst, f"/console/cases?{query}", shows, "floor list") for name, query, shows in asked]
    return wanted


def main() -> None:
    """Fill, start, check, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.analyst", description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--rounds", type=int, default=5, choices=range(1, 10))
    parser.add_argument("--seconds", type=int, default=4, choices=range(1, 31))
    parser.add_argument("--only", default="", help="measure only pages whose name holds this")
    parser.add_argument("--fresh", action="store_true", help="fill the database anew")
    chosen = parser.parse_args()
    if chosen.fresh:
        shutil.rmtree(DATA, ignore_errors=True)
    with servers(chosen.database) as (floor, product):
        wanted = [page for page in pages(floor, product) if page.server is floor or chosen.only in page.name]
        compare.table(compare.run(wanted, chosen.rounds, chosen.seconds), wanted)
        print(f"\nMemory: floor {floor.memory_mb():.0f} MB, product {product.memory_mb():.0f} MB.")


if __name__ == "__main__":
    main()
