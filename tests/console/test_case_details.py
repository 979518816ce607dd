"""One fact at a time, the star, tags suggested, and what two people editing one case see of each other."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from portal.cases.models import Case
from portal.extensions import db
from tests.console.test_cases import fields
from tests.fixtures.company import Company
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]
FACTS = ("title", "description", "severity", "tlp", "pap", "status", "assignee", "start_date", "tags")


def path(world: World, what: str, name: str = "shared") -> str:
    return f"/console/cases/{world.cases[name]}/facts/{what}"


def stored(app: Flask, world: World, column: str, name: str = "shared") -> Any:
    with app.app_context():
        return db.session.scalar(select(getattr(Case, column)).where(Case.number == world.cases[name]))


@pytest.mark.parametrize(
    ("what", "value", "column", "kept"),
    [
        ("title", "  Other   title ", "title", "Other title"),
        ("description", "Other *text*", "description_html", "<p>Other <em>text</em></p>\n"),
        ("severity", "4", "severity", 4),
        ("tlp", "4", "tlp", 4),
        ("pap", "0", "pap", 0),
        ("status", "InProgress", "stage", "InProgress"),
        ("assignee", "", "assignee_id", None),
        ("tags", "vpn, login", "tags", ["login", "vpn"]),
    ],
)
def test_ada_can_change_one_fact(app: Flask, world: World, browse: Browse, what: str, value: str, column: str, kept: Any) -> None:
    ada = browse("ada")
    form = fields(ada.get(path(world, what)).text)
    answer = ada.post(path(world, what), {**form, what: value})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/console/cases/{world.cases['shared']}")
    assert stored(app, world, column) == kept
    assert stored(app, world, "version") == 3, "one edit, after sharing"


def test_opening_and_saving_changes_nothing(app: Flask, world: World, browse: Browse) -> None:
    ada, version = browse("ada"), stored(app, world, "version")
    for what in FACTS:
        form = fields(ada.get(path(world, what)).text)
        assert ada.post(path(world, what), form).status_code == 303, what
    assert stored(app, world, "version") == version


@pytest.mark.parametrize("what", FACTS)
def test_htmx_swaps_the_fact_alone_and_cancel_brings_it_back(world: World, browse: Browse, what: str) -> None:
    ada = browse("ada")
    page = ada.get(f"/console/cases/{world.cases['shared']}").text
    assert f'id="fact-{what}"' in page
    form = ada.get(path(world, what), htmx=True).text
    assert f'<div id="fact-{what}" class="fact editing' in form
    assert "<html" not in form
    assert "data-cancel" in form
    back = ada.get(path(world, what) + "?shown=y", htmx=True).text
    assert f'<div id="fact-{what}"' in back.strip()
    assert "<form" not in back.replace('<form id="flag"', "")
    pencil = re.search(rf'<a[^>]*id="edit-{what}"[^>]*>', back)
    assert pencil
    assert "autofocus" in pencil[0], "the focus goes back to the pencil"
    saved = ada.post(path(world, what), fields(form), htmx=True)
    assert saved.status_code == 200
    assert "Nothing changed." in saved.text


def test_a_new_status_shows_in_the_header_at_once(world: World, browse: Browse) -> None:
    ada = browse("ada")
    form = fields(ada.get(path(world, "status"), htmx=True).text)
    part = ada.post(path(world, "status"), {**form, "status": "InProgress"}, htmx=True).text
    assert f'hx-target="#case-{world.cases["shared"]}-pill"' in part
    assert "Started" in part
    assert "Status saved." in part


@pytest.mark.parametrize(
    ("what", "value", "sentence"),
    [
        ("title", " ", "Give the case a title."),
        ("description", "", "Describe what happened"),
        ("severity", "9", "Not a valid choice"),
        ("status", "TruePositive", "Not a valid choice"),
        ("assignee", "x", "Invalid Choice"),
        ("start_date", "2999-01-01T00:00", "cannot have begun in the future"),
        ("start_date", "soon", "Not a valid"),
    ],
)
def test_a_mistake_is_told_in_place(world: World, browse: Browse, what: str, value: str, sentence: str) -> None:
    ada = browse("ada")
    form = fields(ada.get(path(world, what)).text)
    for htmx in (False, True):
        answer = ada.post(path(world, what), {**form, what: value}, htmx=htmx)
        assert answer.status_code == 422
        assert sentence in unescape(answer.text)


def test_the_second_writer_of_a_fact_sees_both(app: Flask, world: World, browse: Browse) -> None:
    ada, olga = browse("ada"), browse("olga")
    old = fields(ada.get(path(world, "severity")).text)
    olga.post(path(world, "severity"), {**fields(olga.get(path(world, "severity")).text), "severity": "4"})
    answer = ada.post(path(world, "severity"), {**old, "severity": "1"})
    assert answer.status_code == 422
    assert re.search(r"Stored now:</p>\s*<p class=\"text\">Critical</p>", answer.text)
    assert fields(answer.text)["severity"] == "1"
    assert stored(app, world, "severity") == 4
    assert ada.post(path(world, "severity"), fields(answer.text)).status_code == 303, "now it is a decision"
    assert stored(app, world, "severity") == 1


def test_other_facts_changed_meanwhile_do_not_stand_in_the_way(app: Flask, world: World, browse: Browse) -> None:
    ada, olga = browse("ada"), browse("olga")
    old = fields(ada.get(path(world, "severity")).text)
    olga.post(path(world, "title"), {**fields(olga.get(path(world, "title")).text), "title": "Olga's title"})
    assert ada.post(path(world, "severity"), {**old, "severity": "1"}).status_code == 303
    assert (stored(app, world, "title"), stored(app, world, "severity")) == ("Olga's title", 1)


def test_one_click_takes_a_case_nobody_has(app: Flask, world: World, browse: Browse) -> None:
    ada, case = browse("ada"), f"/console/cases/{world.cases['shared']}"
    assert "Assign to me" not in ada.get(case).text
    ada.post(path(world, "assignee"), {**fields(ada.get(path(world, "assignee")).text), "assignee": ""})
    assert "Assign to me" in ada.get(case).text
    olga = browse("olga")
    assert olga.post(path(world, "assignee"), {"assignee": str(world.people["olga"])}).status_code == 303
    assert stored(app, world, "assignee_id") == world.people["olga"]
    late = ada.post(path(world, "assignee"), {"assignee": str(world.people["ada"])})
    assert late.status_code == 422, "somebody was quicker"
    assert "Olga Person" in late.text


def test_whoever_cannot_be_an_assignee_is_not_taken(app: Flask, world: World, browse: Browse) -> None:
    ada = browse("ada")
    form = fields(ada.get(path(world, "assignee")).text)
    for who in ("hanna", "otto", "pia", "dora"):
        assert ada.post(path(world, "assignee"), {**form, "assignee": str(world.people[who])}).status_code == 422
    assert stored(app, world, "assignee_id") == world.people["ada"]


def test_ruth_sees_no_pencil_and_no_star_to_press(world: World, browse: Browse) -> None:
    ruth = browse("ruth")
    page = ruth.get(f"/console/cases/{world.cases['shared']}").text
    assert "/facts/" not in page
    assert "/flag" not in page
    for what in FACTS:
        assert ruth.get(path(world, what)).status_code == 403
        assert ruth.post(path(world, what), {what: "1"}).status_code == 403


@pytest.mark.parametrize("what", FACTS)
def test_odd_input_is_no_fault(world: World, browse: Browse, what: str) -> None:
    ada = browse("ada")
    for value in ("", "\0", "9" * 40, "-1", ["1", "2"], "x" * 3000):
        assert ada.post(path(world, what), {what: value, "base": "\0"}).status_code in (303, 422), value
    assert ada.get(path(world, what, "foreign")).status_code == 404
    assert ada.get(f"/console/cases/{world.cases['shared']}/facts/number").status_code == 404


def test_the_star_is_swapped_alone(app: Flask, world: World, browse: Browse) -> None:
    ada, url = browse("ada"), f"/console/cases/{world.cases['shared']}/flag"
    outside = stored(app, world, "outside_at")
    part = ada.post(url, {"flagged": "y"}, htmx=True).text
    assert part.strip().startswith("<button")
    assert 'aria-pressed="true"' in part
    assert stored(app, world, "flagged")
    assert stored(app, world, "outside_at") == outside
    assert ada.post(url, {"flagged": "n"}).headers["Location"] == f"/console/cases/{world.cases['shared']}"
    assert not stored(app, world, "flagged")


def test_the_star_of_the_list_leads_back_to_the_list(world: World, browse: Browse) -> None:
    ada, url = browse("ada"), f"/console/cases/{world.cases['shared']}/flag"
    came_from = {"Referer": "http://127.0.0.1:8000/console/cases?severity=2"}
    assert ada.post(url, {"flagged": "y"}, headers=came_from).headers["Location"] == "/console/cases?severity=2"
    elsewhere = {"Referer": "https://evil.example/console/cases/x"}
    assert ada.post(url, {"flagged": "n"}, headers=elsewhere).headers["Location"].startswith("/console/cases/")


def test_tags_are_suggested_for_the_word_being_typed(world: World, browse: Browse) -> None:
    ada = browse("ada")

    def options(who: Browser = ada, **query: str) -> list[str]:
        part = who.get("/console/tags", query_string=query, htmx=True).text
        return [unescape(value) for value in re.findall(r'<option value="([^"]*)"', part)]

    assert options(tags="tag-i") == ["tag-internal"]
    assert options(tags="vpn, TAG-S") == ["vpn, tag-shared"]
    assert options(add="tag-all, tag-a") == [], "the tag is there already"
    assert "tag-restricted" in options(tags="")
    assert "tag-restricted" not in options(browse("olga"), tags="tag")
    for odd in ("%", "_", "\\", "\0", "x" * 5000, ",,,,", "<b>"):
        assert ada.get("/console/tags", query_string={"tags": odd}).status_code == 200


def test_a_new_case_has_the_suggestions_too(browse: Browse) -> None:
    ada = browse("ada")
    assert 'hx-get="/console/tags"' in ada.get("/console/cases/new").text


def test_too_long_a_tag_is_refused_beside_its_field(world: World, browse: Browse) -> None:
    ada = browse("ada")
    edit = f"/console/cases/{world.cases['internal']}/edit"
    answer = ada.post(edit, {**fields(ada.get(edit).text), "tags": "x" * 129})
    assert (answer.status_code, "Use at most 128 characters for a tag" in answer.text) == (422, True)


def test_a_tag_leads_to_the_cases_that_have_it(world: World, browse: Browse) -> None:
    ada = browse("ada")
    page = ada.get(f"/console/cases/{world.cases['shared']}").text
    assert 'href="/console/cases?tag=tag-shared"' in page
    assert "The internal case" not in ada.get("/console/cases?tag=tag-shared").text


def test_a_stale_form_names_what_the_other_one_changed_and_takes_over_what_one_did_not_touch(world: World, browse: Browse) -> None:
    ada, olga, edit = browse("ada"), browse("olga"), f"/console/cases/{world.cases['shared']}/edit"
    old = fields(ada.get(edit).text)
    olga.post(edit, {**fields(olga.get(edit).text), "title": "Olga's title", "severity": "4", "tags": "hers"})
    answer = ada.post(edit, {**old, "title": "Ada's title", "pap": "0"})
    assert answer.status_code == 422
    table = answer.text[answer.text.index("<tbody>") : answer.text.index("</tbody>")]
    assert re.findall(r'<th scope="row">([^<]*)</th>', table) == ["Title", "Severity", "PAP", "Tags"]
    assert unescape(table).count("Not changed by you") == 2
    kept = fields(answer.text)
    assert (kept["title"], kept["severity"], kept["pap"], kept["tags"]) == ("Ada's title", "4", "0", "hers")
    assert ada.post(edit, kept).status_code == 303
    page = unescape(ada.get(f"/console/cases/{world.cases['shared']}").text)
    assert "Ada's title" in page
    assert "Critical" in page


@pytest.mark.parametrize("base", ["", "x", "[]", "{}", '{"title": 5}', "9" * 5000])
def test_a_forged_memory_of_the_form_is_no_fault(world: World, browse: Browse, base: str) -> None:
    ada, edit = browse("ada"), f"/console/cases/{world.cases['shared']}/edit"
    form = fields(ada.get(edit).text)
    answer = ada.post(edit, {**form, "version": "1", "title": "Mine", "base": base})
    assert answer.status_code == 422
    assert "The shared case" in answer.text


def test_what_red_needs_is_said_before_it_is_saved_and_leads_there(app: Flask, world: World, browse: Browse, company: Company) -> None:
    ada, access = browse("ada"), f"/console/cases/{world.cases['shared']}/access"
    assert "RED is for named people only" not in ada.get(path(world, "tlp")).text, "it is shared by name"
    assert ada.confirm(access, {"access": "external", "parties": [company.parties["Contoso Ltd"]]}).status_code == 303
    page = ada.get(path(world, "tlp"), htmx=True).text
    assert "RED is for named people only, and this case is shared with a whole organisation." in page
    assert f'<a href="{access}"' in page
    form = fields(ada.get(path(world, "tlp")).text)
    refused = ada.post(path(world, "tlp"), {**form, "tlp": "4"})
    assert refused.status_code == 422
    assert "Share it with people by name or make it internal under <a " in refused.text
    assert refused.text.count("named people only") == 1
    assert "shared with all external users" in ada.get(path(world, "tlp", "all")).text


def test_the_whole_form_says_what_a_tlp_needs_before_it_is_saved(world: World, browse: Browse) -> None:
    ada, pages = browse("ada"), {}
    for name in ("internal", "shared", "all"):
        pages[name] = ada.get(f"/console/cases/{world.cases[name]}/edit").text
    red = "RED is for named people only, and this case is shared with all external users."
    strict = "AMBER+STRICT asks why they may receive it."
    assert [(red in page, strict in page) for page in pages.values()] == [(False, False), (False, True), (True, True)]


@pytest.mark.parametrize("where", ["fact", "form"])
def test_raising_a_shared_case_to_amber_strict_asks_why_in_the_same_act(app: Flask, world: World, browse: Browse, where: str) -> None:
    ada, number = browse("ada"), world.cases["shared"]
    url = path(world, "tlp") if where == "fact" else f"/console/cases/{number}/edit"
    page = ada.get(url).text
    assert 'name="reason"' in page
    assert 'name="reason"' not in ada.get(url.replace(f"/{number}/", f"/{world.cases['internal']}/")).text
    form = {**fields(page), "tlp": "3"} | ({"title": "Typed before"} if where == "form" else {})
    refused = ada.post(url, {**form, "reason": "too short"})
    assert refused.status_code == 422
    assert "Write in at least 10 characters" in refused.text
    kept = fields(refused.text)
    assert (kept["tlp"], kept["reason"], kept.get("title")) == ("3", "too short", form.get("title"))
    assert stored(app, world, "tlp") == 2
    saved = ada.post(url, {**kept, "reason": "Their systems are hit."})
    assert saved.status_code == 303
    assert stored(app, world, "tlp") == 3
    assert "still shared" not in ada.follow(saved).text, "why was said a moment ago"
    history = unescape(ada.get(f"/console/cases/{number}/history").text)
    assert "Their systems are hit." in history
    assert 'name="reason"' not in ada.get(url).text, "it is said already"
