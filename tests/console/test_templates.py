"""Case templates in the console, and the form of a new case that begins with one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]
NEW = "/console/templates/new"
BASICS = {"severity": "3", "tlp": "2", "pap": "2"}
PHISHING = {
    **BASICS,
    "name": "Phishing",
    "title_prefix": "Phishing:",
    "case_description": "Who got it?",
    "tags": "phishing, mail",
    "tasks-0-title": "Block the sender",
    "tasks-0-mandatory": "y",
    "tasks-1-title": "Ask who clicked",
    "tasks-1-group": "Scope",
}
CASE = {"title": "Again", "description": "It happened.", "severity": "2", "tlp": "2", "pap": "2"}


def template_id(browse: Browse, **change: str) -> str:
    olga = browse("olga")
    assert olga.post(NEW, {**PHISHING, **change}).status_code == 303
    return olga.get("/console/templates").text.split("/console/cases/new?template=")[1].split('"')[0]


def test_olga_can_make_a_template_and_see_it(browse: Browse) -> None:
    key, olga = template_id(browse), browse("olga")
    page = olga.get(f"/console/templates/{key}").text
    for words in ("Phishing:", "Who got it?", "mail, phishing", "Block the sender", "Ask who clicked", "Scope"):
        assert words in page


def test_rows_of_tasks_come_go_and_change_places_without_losing_a_word(browse: Browse) -> None:
    olga = browse("olga")
    page = olga.post(NEW, {**PHISHING, "rows": "add"})
    assert page.status_code == 200
    assert 'name="tasks-2-title"' in page.text
    assert "Block the sender" in page.text
    moved = olga.post(NEW, {**PHISHING, "rows": "up-1"}).text
    assert moved.index("Ask who clicked") < moved.index("Block the sender")
    less = olga.post(NEW, {**PHISHING, "rows": "remove-0"}).text
    assert "Block the sender" not in less
    assert "Ask who clicked" in less


@pytest.mark.parametrize("rows", ["up-0", "down-1", "remove-99", "remove-", "up-x", "down--1", "remove-999999999999"])
def test_odd_moves_change_nothing(browse: Browse, rows: str) -> None:
    page = browse("olga").post(NEW, {**PHISHING, "rows": rows})
    assert page.status_code == 200
    assert page.text.index("Block the sender") < page.text.index("Ask who clicked")


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"severity": "9"},
        {"tasks-0-title": "x" * 129},
        {"tasks-0-title": "", "tasks-0-description": "No title"},
        {"tasks-99999999999999999999-title": "x" * 200},
        {"name": "\0"},
    ],
)
def test_odd_input_is_refused_and_kept(browse: Browse, change: dict[str, str]) -> None:
    answer = browse("olga").post(NEW, {**PHISHING, **change})
    assert answer.status_code == 422
    assert "Who got it?" in answer.text


def test_the_second_writer_sees_both_values(browse: Browse) -> None:
    key, olga = template_id(browse), browse("olga")
    path = f"/console/templates/{key}"
    assert olga.post(path, {**PHISHING, "version": "1", "title_prefix": "Theirs:"}).status_code == 303
    answer = olga.post(path, {**PHISHING, "version": "1", "title_prefix": "Mine:"})
    assert answer.status_code == 422
    for words in ("Somebody else changed this template", "Theirs:", "Mine:"):
        assert words in answer.text
    assert olga.post(path, {**PHISHING, "version": "2", "title_prefix": "Mine:"}).status_code == 303


def test_a_template_can_be_duplicated_and_deleted(world: World, browse: Browse) -> None:
    key, olga = template_id(browse), browse("olga")
    copy = olga.get(f"{NEW}?like={key}").text
    assert "Phishing copy" in copy
    assert "Block the sender" in copy
    assert "Delete Phishing?" in olga.get(f"/console/templates/{key}/delete").text
    assert olga.post(f"/console/templates/{key}/delete").status_code == 303
    assert olga.get(f"/console/templates/{key}").status_code == 404
    olga.post(f"/console/templates/{world.templates['here']}/delete")
    assert "No templates yet" in olga.get("/console/templates").text


def test_a_template_of_another_team_is_not_there(browse: Browse) -> None:
    key, otto = template_id(browse), browse("otto")
    for path in (f"/console/templates/{key}", f"/console/templates/{key}/delete", f"{NEW}?like={key}"):
        assert otto.get(path).status_code == 404
    assert otto.post(f"/console/templates/{key}/delete").status_code == 404
    assert "Phishing" not in otto.get(f"/console/cases/new?template={key}").text


def test_ada_begins_a_case_with_a_template(world: World, browse: Browse) -> None:
    key, ada = template_id(browse), browse("ada")
    page = ada.get(f"/console/cases/new?template={key}").text
    for words in (f'<option selected value="{key}">Phishing', 'value="Phishing:"', "Who got it?", "mail, phishing", "Block the sender"):
        assert words in page
    form = {**CASE, "title": "Phishing: again", "template": key, "filled": key, "tasks": "Call the bank\n\n"}
    answer = ada.post("/console/cases/new", form)
    assert answer.status_code == 303
    tab = ada.get(answer.headers["Location"] + "/tasks").text
    for words in ("Block the sender", "Ask who clicked", "Call the bank", "Mandatory"):
        assert words in tab


def test_what_was_typed_stays_when_a_template_is_chosen_late(browse: Browse) -> None:
    key, ada = template_id(browse), browse("ada")
    typed = {**CASE, "title": "Odd mail", "description": "My own words", "severity": "4", "tags": "mine", "template": key, "fill": "1"}
    page = ada.post("/console/cases/new", typed)
    assert page.status_code == 200
    for words in ("Phishing: Odd mail", "My own words", 'value="mail, mine, phishing"', '<option selected value="4"'):
        assert words in page.text
    back = ada.post(
        "/console/cases/new", {**typed, "title": "Phishing: Odd mail", "filled": key, "template": "", "tags": "mail, mine, phishing"}
    )
    assert 'value="Odd mail"' in back.text
    assert 'value="mine"' in back.text


@pytest.mark.parametrize("typed", ["Odd mail", "Phishing: Odd mail", ": Odd mail", "Phishing: : Odd mail", " Odd mail "])
def test_the_prefix_of_a_template_is_said_once(browse: Browse, typed: str) -> None:
    key, ada = template_id(browse), browse("ada")
    for filled in ("", key):
        page = ada.post("/console/cases/new", {**CASE, "title": typed, "template": key, "filled": filled, "fill": "1"}).text
        assert 'value="Phishing: Odd mail"' in page


@pytest.mark.parametrize(
    ("typed", "told"),
    [("VIPs locked out", "VIP VIPs locked out"), ("VIP: locked out", "VIP: locked out"), ("VIP", "VIP"), ("locked out", "VIP locked out")],
)
def test_a_prefix_takes_no_letters_from_a_longer_word(browse: Browse, typed: str, told: str) -> None:
    key = template_id(browse, title_prefix="VIP")
    page = browse("ada").post("/console/cases/new", {**CASE, "title": typed, "template": key, "fill": "1"}).text
    assert f'value="{told}"' in page


def test_a_template_chosen_but_not_filled_in_is_shown_before_the_case_opens(world: World, browse: Browse) -> None:
    key, ada = template_id(browse), browse("ada")
    page = ada.post("/console/cases/new", {**CASE, "template": key})
    assert page.status_code == 200
    assert "is filled in now" in page.text
    assert "Again" in page.text


def test_a_template_that_is_gone_is_said(browse: Browse) -> None:
    key, ada = template_id(browse), browse("ada")
    browse("olga").post(f"/console/templates/{key}/delete")
    answer = ada.post("/console/cases/new", {**CASE, "template": key, "filled": key})
    assert answer.status_code == 422
    assert "does not exist any more" in answer.text
    assert ada.get("/console/cases/new?template=999999999999999999999").status_code == 200


@pytest.mark.parametrize("change", [{"assignee": "hanna"}, {"assignee": "x"}, {"tasks": "x" * 129}, {"template": "x"}])
def test_odd_choices_open_no_case(world: World, browse: Browse, change: dict[str, Any]) -> None:
    ada = browse("ada")
    if change.get("assignee") == "hanna":
        change = {"assignee": str(world.people["hanna"])}
    assert ada.post("/console/cases/new", {**CASE, **change}).status_code == 422
    assert "Again" not in ada.get("/console/cases").text.partition("<main")[2]


def test_ada_can_give_a_new_case_to_olga(world: World, browse: Browse) -> None:
    ada = browse("ada")
    answer = ada.post("/console/cases/new", {**CASE, "assignee": str(world.people["olga"])})
    assert "Olga Person" in ada.get(answer.headers["Location"]).text
