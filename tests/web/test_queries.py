"""How much the pages that are looked at most ask of the database: few statements, and no more for many rows."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask

from portal.accounts import sessions
from portal.accounts.models import AccountType
from portal.extensions import db
from portal.organisations.models import Organisation
from tests import factories as make
from tests.fixtures.statements import counted
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]


def more(app: Flask, world: World, cases: int, comments: int) -> None:
    """Many cases shared with Hanna, and much talk on one of them."""
    with app.app_context():
        ada = sessions.viewer_of(world.people["ada"], world.places["here"])
        hanna = sessions.viewer_of(world.people["hanna"], world.places["here"])
        assert ada is not None
        assert hanna is not None
        for number in range(cases):
            make.share(make.make_case(ada, f"More {number}"), ada, hanna, everybody=number % 2 == 0)
        from portal.cases.cases import load

        for number in range(comments):
            make.say(load(world.cases["shared"]), ada, f"More {number}", external=number % 2 == 0)
        db.session.commit()


@pytest.mark.parametrize(
    ("who", "path", "most"),
    [
        ("ada", "/console/cases", 6),
        ("ada", "/console/cases?q=external", 7),
        ("ada", "/console/cases?sort=title&shared=all", 6),
        ("ada", "/console/cases/1", 10),
        ("hanna", "/portal/", 6),
        ("hanna", "/portal/cases/1", 10),
        ("olga", "/console/people", 8),
        ("ada", "/console/cases/1/access", 10),
        ("ada", "/console/cases/1/history", 10),
    ],
)
def test_pages_ask_little_and_no_more_for_many_rows(app: Flask, world: World, browse: Browse, who: str, path: str, most: int) -> None:
    browser = browse(who)
    browser.get(path)  # what is noted once an hour is noted now
    with counted(app) as few:
        assert browser.get(path).status_code == 200
    more(app, world, 30, 20)
    with counted(app) as news:  # what is new is noted as read, once
        assert browser.get(path).status_code == 200
    with counted(app) as many:
        assert browser.get(path).status_code == 200
    assert len(many) == len(few), "\n".join(many)
    assert len(news) <= most, "\n".join(news)


def test_a_refusal_asks_even_less(app: Flask, world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    with counted(app) as made:
        assert hanna.get(f"/portal/cases/{world.cases['internal']}").status_code == 404
    assert len(made) <= 3


def test_files_ask_nothing(app: Flask, browse: Browse) -> None:
    hanna = browse("hanna")
    with counted(app) as made:
        hanna.get("/static/0/app.js")
        hanna.get("/healthz")
    assert made == []


def crowd(app: Flask, world: World, count: int, name: str = "First") -> None:
    """So many more external users, every other one not set up and without an invitation."""
    with app.app_context():
        place = db.session.get_one(Organisation, world.places["here"])
        for number in range(count):
            make.make_user(f"{name}{number:02}", place, "External-Reader", kind=AccountType.EXTERNAL, activated=number % 2 == 0)
        db.session.commit()


@pytest.mark.parametrize(
    ("who", "path", "most"),
    [
        ("olga", "/console/people?after=1-YQ", 8),
        ("olga", "/console/people?q=person&kind=external", 8),
        ("pia", "/console/people?after=1-YQ", 9),
        ("ada", "/console/cases/1/access", 10),
        ("ada", "/console/cases/1/access?q=person", 10),
        ("ada", "/console/cases/1/access?access=all_external", 10),
    ],
)
def test_people_are_listed_with_as_little_when_they_are_many(
    app: Flask, world: World, browse: Browse, who: str, path: str, most: int
) -> None:
    browser = browse(who)
    crowd(app, world, 10)
    browser.get(path)
    with counted(app) as few:
        assert browser.get(path, htmx=True).status_code == 200
    crowd(app, world, 40, "Later")
    with counted(app) as many:
        assert browser.get(path, htmx=True).status_code == 200
    assert len(many) == len(few) <= most, "\n".join(many)


def shareable(app: Flask, world: World, count: int) -> list[int]:
    """So many cases that nobody outside sees, every other one with an external word from before."""
    with app.app_context():
        ada, hanna = (sessions.viewer_of(world.people[name], world.places["here"]) for name in ("ada", "hanna"))
        assert ada is not None
        assert hanna is not None
        numbers = []
        for number in range(count):
            case = make.make_case(ada, f"Share {number}")
            if number % 2:
                make.share(case, ada, hanna)
                make.say(case, ada, "Seen before.", external=True)
                make.share(case, ada)
            numbers.append(case.number)
        db.session.commit()
        return numbers


def test_sharing_many_cases_asks_little_for_each(app: Flask, world: World, browse: Browse) -> None:
    ada, made = browse("ada"), []
    for count in (2, 12):
        cases = {
            "case": shareable(app, world, count),
            "access": "external",
            "users": [world.people["vic"], world.people["rhea"]],
            "again": "y",
        }
        ada.get("/console/cases/bulk/share", query_string=cases)
        with counted(app) as looked:
            page = ada.get("/console/cases/bulk/share", query_string=cases).text
        kept = {
            name: re.findall(rf'<input type="hidden" name="{name}" value="([^"]*)"', page) for name in ("effect", "shown", "submission")
        }
        with counted(app) as shared:
            answer = ada.post("/console/cases/bulk/share", {**cases, **kept})
        answer = ada.follow(answer)
        assert answer.text.count("2 external users can see it.") == count, answer.text
        made.append((len(looked), len(shared)))
    (few_looked, few_shared), (many_looked, many_shared) = made
    assert many_looked - few_looked <= 5, made  # one for each of those whose past has to be told
    assert many_shared - few_shared <= 8 * 10 + 5, "\n".join(shared)
    assert few_looked <= 25, made
