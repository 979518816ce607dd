"""The list of cases: filters, orders, pages, search, files."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from flask import Flask
from sqlalchemy import select

from portal.accounts import sessions
from portal.audit.models import AuditEntry
from portal.cases import listing, narrowing
from portal.cases.models import Case, CustomField, CustomValue
from portal.clock import at
from portal.database import start_writing
from portal.extensions import db
from tests import factories as make
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]
HERE = ["all", "internal", "restricted", "revoked", "shared"]  # by title too


def titles(page: str) -> list[str]:
    """The cases listed, in their order."""
    return [unescape(title) for title in re.findall(r'<span class="number">#\d+</span> ([^<]*)</a>', page)]


def named(page: str) -> list[str]:
    """The cases of the world that are listed, by their names there."""
    return [title.removeprefix("The ").removesuffix(" case") for title in titles(page)]


def latest_first(app: Flask, world: World, *names: str) -> list[str]:
    """The names by the latest change of their cases."""
    with app.app_context():
        changed = dict(db.session.execute(select(Case.number, Case.updated_at)).all())
    return sorted(names, key=lambda name: changed[world.cases[name]], reverse=True)


def link(page: str, words: str) -> str:
    """Where a link with these words leads."""
    found = re.search(rf'<a[^>]*href="([^"]*)"[^>]*>(?:(?!</a>).)*?{words}', page, re.DOTALL)
    assert found, f"there is no link {words}"
    return unescape(found[1])


def change(app: Flask, world: World, name: str, **values: object) -> None:
    """Give a case of the world these values."""
    with app.app_context():
        start_writing()
        case = db.session.scalars(select(Case).where(Case.number == world.cases[name])).one()
        for key, value in values.items():
            setattr(case, key, value)
        db.session.commit()


def test_ada_sees_her_organisations_cases_latest_first(app: Flask, world: World, browse: Browse) -> None:
    page = browse("ada").get("/console/cases").text
    assert named(page) == latest_first(app, world, *HERE)
    assert "5 cases" in page


def test_flagged_cases_come_first(app: Flask, world: World, browse: Browse) -> None:
    change(app, world, "internal", flagged=True)
    page = browse("ada").get("/console/cases").text
    assert named(page) == ["internal", *latest_first(app, world, "all", "restricted", "revoked", "shared")]
    assert page.count('title="Flagged: stands first in the list"') == 1


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("shared=all", ["all"]),
        ("shared=selected", ["shared"]),
        ("shared=not", ["restricted", "revoked", "internal"]),
        ("shared=restricted", ["restricted"]),
        ("assignee=me", HERE),
        ("assignee=nobody", []),
        ("severity=4", []),
        ("stage=Closed", []),
        ("status=New", HERE),
        ("status=TruePositive", []),
        ("tlp=2", HERE),
        ("tlp=0", []),
        ("tag=tag-all", ["all"]),
        ("tag=tag-foreign", []),
        ("flagged=yes", []),
        ("outside=yes", []),
        ("opened_from=2020-01-01", HERE),
        ("opened_to=2020-01-01", []),
        ("updated_from=2020-01-01&updated_to=2999-01-01", HERE),
        ("began_to=1999-01-01", []),
        ("closed_from=1999-01-01", []),
        ("stage=New&severity=2&shared=all", ["all"]),
        ("tag=tag-all&shared=not", []),
        ("q=external&shared=all", ["all"]),
        ("q=revoked&tag=tag-revoked", ["revoked"]),
        ("sort=title", HERE),
        ("sort=-number", ["revoked", "all", "restricted", "internal", "shared"]),
        ("q=case&sort=title", HERE),
    ],
)
def test_the_list_can_be_narrowed_and_ordered(app: Flask, world: World, browse: Browse, query: str, names: list[str]) -> None:
    page = browse("ada").get(f"/console/cases?{query}").text
    ordered = "sort=" in query or "opened" in query
    assert named(page) == (names if "sort=" in query else named(page) if ordered else latest_first(app, world, *names))
    assert sorted(named(page)) == sorted(names)
    if not names:
        assert "No case fits these filters" in page


@pytest.mark.parametrize(
    "query",
    [
        *("stage=nonsense", "severity='%20OR%201=1", "severity=9", "assignee=99999999999999999999", "tlp=²", "shared=x", "size=7"),
        *("opened_from=yesterday", "opened_from=2026-13-40", "opened_to=9999-12-31", "opened_from=0001-01-01", "sort=-", "sort=id;"),
        *("field=1", "value=x", "field=999999&value=x", "flagged=maybe", "stage=New%00", "tag=" + "x" * 2000, "after=AAAA", "after=W10"),
        *(
            "after=WyIiLDEsMSwxXQ",
            "after=WyIiLHRydWUsOTk5OTk5OTk5OTk5OTk5OTk5OSwxXQ",
            "q=",
            "q=%20",
            "sort=closed",
            "stage=New&stage=Closed",
        ),
    ],
)
def test_what_makes_no_sense_is_left_out(browse: Browse, query: str) -> None:
    answer = browse("ada").get(f"/console/cases?{query}")
    assert (answer.status_code, sorted(named(answer.text))) == (200, HERE)


def test_a_case_is_found_by_the_value_of_a_field(app: Flask, browse: Browse) -> None:
    with app.app_context():
        key = db.session.scalars(select(CustomField.id).where(CustomField.name == "region")).one()
    page = browse("ada").get(f"/console/cases?field={key}&value=Region+of+revoked").text
    assert named(page) == ["revoked"]
    assert "Affected region: Region of revoked" in page


def test_a_filter_is_named_and_can_be_taken_off(browse: Browse) -> None:
    page = browse("ada").get("/console/cases?shared=all&stage=New&opened_from=2020-01-02").text
    assert "Shared: With all" in page
    assert "Opened on or after 2020-01-02" in page
    assert 'href="/console/cases?shared=all&amp;opened_from=2020-01-02"' in page
    assert "<details" in page
    assert re.search(r'<details class="more-filters"\s+open', page)


@pytest.mark.parametrize("column", ["severity", "number", "title", "status", "began", "opened", "updated"])
def test_headings_sort_up_down_and_off(app: Flask, world: World, browse: Browse, column: str) -> None:
    ada = browse("ada")
    orders, page = [], ada.get("/console/cases").text
    for _ in range(3):
        address = re.search(rf'href="(/console/cases\?sort=-?{column})"', page) or re.search(r'href="(/console/cases)" aria-current', page)
        assert address
        page = ada.get(unescape(address[1])).text
        orders.append((address[1].removeprefix("/console/cases"), tuple(named(page))))
    assert orders[0][1] == orders[1][1][::-1]
    assert orders[2] == ("", tuple(latest_first(app, world, *HERE)))


def test_a_sorted_column_says_so(browse: Browse) -> None:
    page = browse("ada").get("/console/cases?sort=title").text
    assert page.count('aria-sort="ascending"') == 1
    assert browse("ada").get("/console/cases").text.count("aria-sort") == 0


def seventy(app: Flask, world: World) -> None:
    """As many more cases of ada's, of nine titles and four severities, with the tag "many" and the region "Everywhere"."""
    with app.app_context():
        ada = sessions.viewer_of(world.people["ada"], world.places["here"])
        assert ada is not None
        start_writing()
        region = db.session.scalars(select(CustomField.id).where(CustomField.name == "region")).one()
        for number in range(70):
            with at(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number % 7)):
                case = make.make_case(ada, f"More {number % 9}", severity=number % 4 + 1, tags=("many",))
            case.flagged = number % 5 == 0
            db.session.flush()
            db.session.add_all(CustomValue(case_id=case.id, field_id=region, position=place, value="Everywhere") for place in (1, 2))
        db.session.commit()


def page_by_page(browser: Browser, query: str) -> tuple[list[str], list[str]]:
    """The numbers of the cases on all pages of the list, and what each page says of how many there are."""
    numbers, totals, address = [], [], f"/console/cases?{query}"
    for _ in range(4):
        page = browser.get(address).text
        numbers += re.findall(r'<span class="number">#(\d+)</span>', page)
        totals += re.findall(r'<p role="status">([^<]*)</p>', page)
        if "Next page" not in page:
            break
        address = link(page, "Next page")
    return numbers, totals


@pytest.mark.parametrize(
    "query",
    ["", "sort=severity", "sort=-severity", "sort=title", "sort=-number", "sort=began", "sort=status", "q=more", "tag=many", "stage=New"],
)
@pytest.mark.parametrize("size", [25, 50])
def test_every_order_shows_each_case_once_page_by_page(app: Flask, world: World, browse: Browse, query: str, size: int) -> None:
    seventy(app, world)
    numbers, totals = page_by_page(browse("ada"), f"size={size}&{query}")
    assert len(numbers) == len(set(numbers)) == (70 if query in ("q=more", "tag=many") else 75)
    assert len(totals) == (3 if size == 25 else 2)


@pytest.mark.parametrize("road", [{}, {"MANY": 10}, {"MANY": 10, "SOME": 30, "MORE": 20}], ids=["few", "more", "many"])
@pytest.mark.parametrize("sort", ["", "sort=-number"])
@pytest.mark.parametrize(
    ("query", "total"), [("tag=many", 70), ("field={region}&value=Everywhere", 70), ("tag=many&severity=2", 18), ("stage=New&tlp=2", 75)]
)
def test_every_road_leads_to_the_same_cases(
    app: Flask, world: World, browse: Browse, monkeypatch: pytest.MonkeyPatch, query: str, total: int, sort: str, road: dict[str, int]
) -> None:
    seventy(app, world)
    with app.app_context():
        region = db.session.scalars(select(CustomField.id).where(CustomField.name == "region")).one()
        table = db.session.execute(select(Case.number, Case.title, Case.severity, Case.organisation_id)).all()
    for module, name, value in ((module, name, value) for module in (listing, narrowing) for name, value in road.items()):
        if hasattr(module, name):
            monkeypatch.setattr(module, name, value)
    numbers, totals = page_by_page(browse("ada"), f"{query.format(region=region)}&{sort}")
    asked = [row for row in table if row.organisation_id == world.places["here"]]
    if total < 75:
        asked = [row for row in asked if row.title.startswith("More") and (total == 70 or row.severity == 2)]
    assert sorted(numbers, key=int) == sorted((str(row.number) for row in asked), key=int)
    assert len(numbers) == total
    if sort == "sort=-number":
        assert numbers == sorted(numbers, key=int, reverse=True)
    up_to = 10 if road and "2" in query else road.get("SOME", 100)
    assert set(totals) == {f"{total} cases" if total <= up_to else f"{up_to}+ cases"}


def test_a_number_leads_to_its_case(world: World, browse: Browse) -> None:
    ada, number = browse("ada"), world.cases["internal"]
    for typed in (f"%23{number}", str(number), f"+{number}+"):
        answer = ada.get(f"/console/cases?q={typed}")
        assert (answer.status_code, answer.location) == (303, f"/console/cases/{number}")
    assert ada.get(f"/console/cases?q={number}", htmx=True).status_code == 200, "typing on must stay possible"


@pytest.mark.parametrize(("who", "name"), [("olga", "restricted"), ("otto", "internal"), ("ada", "foreign")])
def test_a_number_nobody_may_know_of_leads_nowhere(world: World, browse: Browse, who: str, name: str) -> None:
    answer = browse(who).get(f"/console/cases?q=%23{world.cases[name]}")
    assert answer.status_code == 200
    assert f"The {name} case" not in answer.text


@pytest.mark.parametrize("q", ["*", "%3F%3F", "x" * 10_000, "%22%22", "*mid*", "a%00b"])
def test_a_search_that_makes_no_sense_gets_an_explanation(browse: Browse, q: str) -> None:
    answer = browse("ada").get(f"/console/cases?q={q}")
    assert answer.status_code == 200
    assert ("This cannot be searched for" in answer.text) != (q == "a%00b")
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("q", ["%22", "NEAR(", "a AND", "col:x", "^x", "x%27;--", "%25_", "-x", "(", "%22lost", "{x}", "😀", "a&!|b", "\\"])
def test_operators_are_words_like_others(browse: Browse, q: str) -> None:
    assert browse("ada").get(f"/console/cases?q={q}").status_code == 200


def test_a_hit_says_where_it_was_found(browse: Browse) -> None:
    page = browse("ada").get("/console/cases?q=%22hanna%27s+word%22").text
    assert sorted(named(page)) == ["all", "revoked", "shared"]
    assert re.search(r'<span class="where">Comment</span>\s*<mark>Hanna&#39;s word</mark> on', page)


def test_markup_in_a_snippet_is_text(app: Flask, world: World, browse: Browse) -> None:
    with app.app_context():
        ada = sessions.viewer_of(world.people["ada"], world.places["here"])
        assert ada is not None
        start_writing()
        make.make_case(ada, "Odd", "<script>alert(1)</script> wombat <b>x</b>")
        db.session.commit()
    page = browse("ada").get("/console/cases?q=wombat").text
    assert "<script>alert" not in page
    assert "&lt;b&gt;x" in page


def rows(answer: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.removeprefix("\N{BYTE ORDER MARK}"))))


def test_ada_exports_what_is_filtered_in_its_order(app: Flask, world: World, browse: Browse) -> None:
    change(app, world, "all", title="=cmd|' /C calc'!A0")
    ada = browse("ada")
    page = ada.get("/console/cases?shared=not&sort=title").text
    told = ada.get(link(page, "CSV"))
    assert [row["title"] for row in rows(told.text)] == ["The internal case", "The restricted case", "The revoked case"]
    assert told.headers["Content-Disposition"].startswith('attachment; filename="cases-')
    assert rows(ada.get("/console/cases/export?shared=all").text)[0]["title"].startswith("'=cmd")
    assert [row["title"] for row in json.loads(ada.get("/console/cases/export?q=revoked&format=json").text)] == ["The revoked case"]
    assert [row["assignee"] for row in rows(ada.get("/console/cases/export").text)] == ["Ada Person"] * 5
    with app.app_context():
        kinds = db.session.scalars(select(AuditEntry.kind).where(AuditEntry.actor_id == world.people["ada"])).all()
    assert kinds.count("cases:exported") == 4


def test_an_export_holds_what_its_reader_may_see(browse: Browse) -> None:
    assert "The restricted case" not in browse("olga").get("/console/cases/export").text
    assert [row["title"] for row in rows(browse("otto").get("/console/cases/export?shared=all").text)] == ["The foreign case"]
    assert rows(browse("ada").get("/console/cases/export?q=*").text) == []
    assert browse("ada").get("/console/cases/export?format=xlsx").status_code == 404
