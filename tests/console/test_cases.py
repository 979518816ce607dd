"""Cases in the console: the list and its filters, paging, opening, editing, and two people editing at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
from flask import Flask

from portal.accounts import sessions
from portal.extensions import db
from tests import factories as make
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]
NEW = {"title": "Strange login", "description": "From *far* away", "severity": "3", "tlp": "3", "pap": "1", "tags": "vpn, login"}


def titles(page: str) -> list[str]:
    """Titles of the rows, in order."""
    return [unescape(title).strip() for title in re.findall(r'<span class="number">#\d+</span>\s*([^<]+)</a>', page)]


def fields(page: str) -> dict[str, str]:
    """What the case form holds now."""
    found = {name: unescape(value) for name, value in re.findall(r'<input[^>]*name="(\w+)"[^>]*value="([^"]*)"', page)}
    found |= {
        name: unescape(text).lstrip("\r\n")
        for name, text in re.findall(r'<textarea[^>]*name="(\w+)"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    }
    for name, options in re.findall(r'<select[^>]*name="(\w+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'<option selected value="([^"]*)"', options)
        found[name] = chosen[1] if chosen else ""
    return found


def test_olga_cannot_see_a_case_restricted_to_ada(browse: Browse) -> None:
    assert "The restricted case" not in browse("olga").get("/console/cases").text


def test_otto_sees_nothing_of_the_other_organisation(browse: Browse) -> None:
    assert titles(browse("otto").get("/console/cases").text) == ["The foreign case"]


def test_the_badge_says_who_can_see_a_case(browse: Browse) -> None:
    page = browse("ada").get("/console/cases").text
    assert "Shared with Hanna Person and Rhea Person" in page
    assert "Dora Person" not in page, "locked people see nothing and are not counted"
    assert "Shared with all external users" in page


@pytest.mark.parametrize("face", ["console", "portal"])
def test_paging_shows_each_case_once(app: Flask, world: World, browse: Browse, face: str) -> None:
    with app.app_context():
        ada = sessions.viewer_of(world.people["ada"], world.places["here"])
        assert ada is not None
        for number in range(60):
            make.share(make.make_case(ada, f"Case number {number}"), ada, everybody=True)
        db.session.commit()
    browser, seen = browse("ada" if face == "console" else "vic"), []
    url: str | None = "/console/cases?shared=all" if face == "console" else "/portal/"
    pattern = r'<span class="number">#(\d+)</span>' if face == "console" else r'href="/portal/cases/(\d+)"'
    pages = 0
    while url:
        page = browser.get(url).text
        seen += list(dict.fromkeys(re.findall(pattern, page)))
        older = re.search(r'href="([^"]*after=[^"]*)"', page)
        url = unescape(older[1]) if older else None
        pages += 1
        assert pages < 10
    assert len(seen) == len(set(seen)) == 61
    assert pages == 3


@pytest.mark.parametrize(("who", "url"), [("ada", "/console/cases"), ("hanna", "/portal/")])
def test_a_forged_cursor_is_no_fault(browse: Browse, who: str, url: str) -> None:
    browser = browse(who)
    for after in ("x", "-", "1-", "9" * 30 + "-1", "-5-5", "1'-2", "99999999999999999-1"):
        assert browser.get(url, query_string={"after": after}).status_code == 200, after


def test_htmx_gets_the_table_and_history_the_page(browse: Browse) -> None:
    ada = browse("ada")
    part = ada.get("/console/cases", htmx=True).text
    assert part.lstrip().startswith('<div id="cases"')
    assert "<html" in ada.get("/console/cases", headers={"HX-Request": "true", "HX-Request-Type": "full"}).text
    assert "<html" in ada.get("/console/cases", htmx=True, headers={"HX-History-Restore-Request": "true"}).text
    assert part.strip().splitlines()[0] in ada.get("/console/cases").text


def test_ada_can_open_a_case(browse: Browse) -> None:
    ada = browse("ada")
    answer = ada.post("/console/cases/new", NEW)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/console/cases/7")
    page = ada.get("/console/cases/7").text
    assert "Case #7 is open." in page
    assert "<em>far</em>" in page
    assert "TLP:AMBER+STRICT" in page
    assert "Internal: nobody outside" in page or "Nobody outside" in page or 'class="badge external"' not in page


@pytest.mark.parametrize(
    "change", [{"title": "  "}, {"description": ""}, {"title": "x" * 513}, {"severity": "9"}, {"tlp": "x"}, {"start_date": "soon"}]
)
def test_a_mistake_keeps_everything_typed(browse: Browse, change: dict[str, str]) -> None:
    answer = browse("ada").post("/console/cases/new", {**NEW, **change})
    assert answer.status_code == 422
    kept = fields(answer.text)
    for name in {"title", "description", "tags"} - set(change):
        assert kept[name] == NEW[name]
    assert 'role="alert"' in answer.text


def test_ruth_cannot_open_or_edit_and_is_not_offered_to(world: World, browse: Browse) -> None:
    ruth = browse("ruth")
    assert "/console/cases/new" not in ruth.get("/console/cases").text
    page = ruth.get(f"/console/cases/{world.cases['shared']}").text
    assert "/edit" not in page
    assert "Manage external access" not in page
    assert "<textarea" not in page


def test_ada_can_edit_a_case(world: World, browse: Browse) -> None:
    ada, path = browse("ada"), f"/console/cases/{world.cases['shared']}"
    form = fields(ada.get(f"{path}/edit").text)
    answer = ada.post(f"{path}/edit", {**form, "title": "A better title", "status": "InProgress", "assignee": str(world.people["olga"])})
    assert answer.status_code == 303
    page = ada.get(path).text
    assert "A better title" in page
    assert "In progress" in page
    assert "Olga Person" in page
    assert "edited the case" in ada.get(f"{path}/history").text


def test_saving_a_form_as_it_is_changes_nothing(world: World, browse: Browse) -> None:
    ada, path = browse("ada"), f"/console/cases/{world.cases['shared']}"
    form = fields(ada.get(f"{path}/edit").text)
    assert ada.post(f"{path}/edit", form).status_code == 303
    assert fields(ada.get(f"{path}/edit").text)["version"] == form["version"]


def test_a_case_cannot_be_given_to_somebody_who_is_not_a_colleague(world: World, browse: Browse) -> None:
    ada, path = browse("ada"), f"/console/cases/{world.cases['shared']}/edit"
    form = fields(ada.get(path).text)
    for who in ("hanna", "otto"):
        assert ada.post(path, {**form, "assignee": str(world.people[who])}).status_code == 422


def test_a_stale_edit_shows_both_and_keeps_what_was_typed(world: World, browse: Browse) -> None:
    ada, olga, path = browse("ada"), browse("olga"), f"/console/cases/{world.cases['shared']}/edit"
    old = fields(ada.get(path).text)
    assert olga.post(path, {**fields(olga.get(path).text), "title": "Olga's title", "severity": "4"}).status_code == 303
    answer = ada.post(path, {**old, "title": "Ada's title", "description": "Ada's long description"})
    assert answer.status_code == 422
    text = unescape(answer.text)
    assert "Somebody else changed this case" in text
    assert "Olga's title" in text
    kept = fields(answer.text)
    assert (kept["title"], kept["description"]) == ("Ada's title", "Ada's long description")
    assert "Olga's title" in unescape(ada.get(path).text), "nothing was overwritten"
    assert ada.post(path, kept).status_code == 303, "now that both were shown, saving is a decision"


def test_what_is_written_cannot_run(world: World, browse: Browse) -> None:
    ada = browse("ada")
    text = "<script>alert(1)</script> [x](javascript:alert(1)) <img src=x onerror=alert(1)> ![i](https://evil.example/i.png)"
    ada.post("/console/cases/new", {**NEW, "title": "<script>alert(2)</script>", "description": text, "tags": "<b>tag</b>"})
    for path in ("/console/cases", "/console/cases/7", "/console/cases/7/history", "/console/cases/7/edit"):
        page = ada.get(path).text
        assert "<script>alert" not in page
        assert "<img" not in page
        assert 'href="javascript' not in page
        assert "<b>tag" not in page
