"""The pages of statuses, and where their words are read: by colleagues everywhere, outside nowhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from portal.cases.models import Status
from portal.extensions import db
from tests.access.canaries import SEES
from tests.fixtures.statements import counted
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]
NEW = {"value": "Escalated", "stage": "InProgress", "label": "With the lawyers", "colour": "#aa3300", "description": "", "position": "9"}


def version(page: str) -> str:
    return page.split('name="version"')[1].split('value="')[1].split('"')[0]


def path(app: Flask, value: str) -> str:
    with app.app_context():
        return f"/console/statuses/{db.session.scalars(select(Status.id).where(Status.value == value)).one()}"


def edit(pia: Browser, where: str, **change: Any) -> Any:
    page = pia.get(where).text
    texts = dict(re.findall(r'<input[^>]*name="(label|colour|position)"[^>]*value="([^"]*)"', page))
    return pia.post(where, {"description": "", **texts, "version": version(page), **change})


def move(ada: Browser, number: int, status: str) -> Any:
    page = ada.get(f"/console/cases/{number}/edit").text
    texts = dict(re.findall(r'<input[^>]*name="(title|tags|start_date)"[^>]*value="([^"]*)"', page))
    kept = {"description": "d", "severity": "2", "tlp": "2", "pap": "2", "assignee": "", "version": version(page)}
    return ada.post(f"/console/cases/{number}/edit", {**texts, **kept, "status": status})


def test_pia_sees_statuses_by_stage(browse: Browse) -> None:
    page = browse("pia").get("/console/statuses").text
    assert [page.index(f'id="stage-{stage}"') for stage in ("New", "InProgress", "Closed")] == sorted(
        page.index(f'id="stage-{stage}"') for stage in ("New", "InProgress", "Closed")
    )
    assert page.count("Predefined") == 7
    assert "True positive" in page


def test_a_status_of_the_teams_own_is_read_inside_and_only_its_stage_outside(app: Flask, world: World, browse: Browse) -> None:
    pia, ada, number = browse("pia"), browse("ada"), world.cases["shared"]
    assert pia.post("/console/statuses/new", NEW).status_code == 303
    assert move(ada, number, "Escalated").status_code == 303
    for where in ("/console/cases", f"/console/cases/{number}", f"/console/cases/{number}/edit"):
        assert "With the lawyers" in ada.get(where).text
    assert 'fill="#aa3300"' in ada.get(f"/console/cases/{number}").text
    assert "With the lawyers" not in ada.get(f"/console/cases/{number}/close").text
    assert "With the lawyers" in ada.get(f"/console/cases/{number}/history").text
    for who in SEES:
        if who and who != "dora":
            for where in ("/portal/", *(f"/portal/cases/{world.cases[case]}" for case in SEES[who])):
                page = browse(who).get(where).text
                for secret in ("lawyers", "Escalated", "aa3300"):
                    assert secret not in page
    assert "In progress" in browse("hanna").get(f"/portal/cases/{number}").text


def test_another_label_is_read_from_the_next_request(app: Flask, world: World, browse: Browse) -> None:
    pia, ada = browse("pia"), browse("ada")
    assert edit(pia, path(app, "New"), label="Unread").status_code == 303
    assert "Unread" in ada.get("/console/cases").text
    assert "Unread" not in browse("hanna").get("/portal/").text


def test_the_words_cost_one_question_however_many_cases(app: Flask, browse: Browse) -> None:
    ada = browse("ada")
    ada.get("/console/cases")
    with counted(app) as made:
        ada.get("/console/cases")
    assert sum("FROM case_status" in statement for statement in made) == 1


def test_a_hidden_status_cannot_be_picked(app: Flask, world: World, browse: Browse) -> None:
    pia, ada, number = browse("pia"), browse("ada"), world.cases["internal"]
    assert edit(pia, path(app, "Duplicated"), hidden="y").status_code == 303
    assert 'value="Duplicated"' not in ada.get(f"/console/cases/{number}/close").text
    assert "Hidden" in pia.get("/console/statuses").text
    refused = edit(pia, path(app, "New"), hidden="y")
    assert refused.status_code == 422
    assert "only status of its stage" in refused.text


def test_an_unused_status_can_be_deleted_and_others_cannot(app: Flask, world: World, browse: Browse) -> None:
    pia, ada = browse("pia"), browse("ada")
    assert "Predefined statuses stay" in pia.get(f"{path(app, 'Other')}/delete").text
    assert pia.post(f"{path(app, 'Other')}/delete").status_code == 422
    pia.post("/console/statuses/new", NEW)
    where = path(app, "Escalated")
    move(ada, world.cases["internal"], "Escalated")
    assert "1 case has it" in pia.post(f"{where}/delete").text
    move(ada, world.cases["internal"], "InProgress")
    assert pia.post(f"{where}/delete").status_code == 303
    assert pia.get(where).status_code == 404


def test_two_administrators_see_both_versions(app: Flask, browse: Browse) -> None:
    pia, where = browse("pia"), path(app, "Other")
    old = version(pia.get(where).text)
    assert edit(pia, where, label="Something else").status_code == 303
    answer = edit(pia, where, label="Anything else", version=old)
    assert answer.status_code == 422
    assert '<td class="text">Something else</td>' in answer.text
    assert '<td class="text">Anything else</td>' in answer.text


@pytest.mark.parametrize(
    ("change", "at"),
    [
        ({"value": "new"}, "value"),
        ({"value": "\x00"}, "value"),
        ({"label": "New"}, "label"),
        ({"colour": "red;}"}, "colour"),
        ({"stage": "Ended"}, "stage"),
        ({"position": "-1"}, "position"),
    ],
)
def test_a_mistake_is_told_at_its_field(browse: Browse, change: dict[str, str], at: str) -> None:
    answer = browse("pia").post("/console/statuses/new", {**NEW, **change})
    assert answer.status_code == 422
    assert f'id="{at}-error"' in answer.text


@pytest.mark.parametrize("who", ["ada", "olga", "ruth"])
def test_colleagues_cannot_see_the_administration(browse: Browse, who: str) -> None:
    assert browse(who).get("/console/statuses").status_code == 403
