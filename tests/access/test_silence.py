"""What goes on inside changes nothing outside: not a byte, an order, a date or a count; and every way of not existing looks the same."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from portal.clock import at, now
from tests.access.roads import HTMX, UNKNOWN_CASE, Road, plain, roads, traveller
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]
ROOMS_OUTSIDE = ("hanna", "rhea", "vic")


def portal_bytes(app: Flask, world: World, browse: Browse, who: str) -> dict[str, str]:
    """Every answer of the portal to this person, page and part, without nonces and tokens; they have read everything before."""
    person = traveller(app, browse, who)
    asked = [road for road in roads(app, world, "GET") if road.endpoint.startswith("external.")]
    for road in asked:
        if road.endpoint == "external.case":
            person.go(road)
    return {f"{road} {headers}": plain(person.go(road, **headers)) for road in asked for headers in ({}, HTMX)}


def inside(browse: Browse, world: World) -> None:
    """A busy hour in the console that touches nothing the outside may know."""
    ada, olga = browse("ada"), browse("olga")
    for name in ("shared", "all", "internal", "revoked"):
        number = world.cases[name]
        assert ada.post(f"/console/cases/{number}/comments", {"message": "Between us.", "audience": "internal"}).status_code == 303
        own = world.comments[f"{name}-internal"]
        assert ada.confirm(f"/console/cases/{number}/comments/{own}/edit", {"message": "Between us, once more."}).status_code == 303
        assert ada.post(f"/console/cases/{number}/comments/{own}/delete").status_code == 303
        change = {"title": f"The {name} case", "description": f"Description of the {name} case.", "severity": 2, "tags": f"tag-{name}"}
        change |= {"tlp": 3, "pap": 3, "status": "New", "assignee": str(world.people["olga"]), "reason": "They work on it with us."}
        page = ada.get(f"/console/cases/{number}/edit").text
        version = re.search(r'name="version"[^>]*value="(\d+)"', page)
        start = re.search(r'name="start_date"[^>]*value="([^"]*)"', page)
        assert version is not None
        assert start is not None
        answer = ada.post(f"/console/cases/{number}/edit", {**change, "version": version[1], "start_date": start[1]})
        assert answer.status_code == 303, answer.text
    assert ada.post("/console/cases/new", {"title": "Another", "description": "d", "severity": 2, "tlp": 2, "pap": 2}).status_code == 303
    assert olga.get("/console/people").status_code == 200


def test_internal_work_leaves_no_trace_in_the_portal(app: Flask, world: World, browse: Browse) -> None:
    moment = now() + timedelta(minutes=5)
    with at(moment):
        before = {who: portal_bytes(app, world, browse, who) for who in ROOMS_OUTSIDE}
    with at(moment + timedelta(minutes=3)):
        inside(browse, world)
    with at(moment):
        after = {who: portal_bytes(app, world, browse, who) for who in ROOMS_OUTSIDE}
    for who in ROOMS_OUTSIDE:
        assert [key for key in before[who] if before[who][key] != after[who][key]] == []


@pytest.mark.long
def test_sharing_with_one_more_is_not_told_to_the_others(app: Flask, world: World, browse: Browse) -> None:
    moment = now() + timedelta(minutes=5)
    with at(moment):
        before = portal_bytes(app, world, browse, "hanna")
    ada = browse("ada")
    chosen = [world.people[who] for who in ("hanna", "rhea", "vic")]
    data = {"access": "external", "users": chosen}
    assert ada.confirm(f"/console/cases/{world.cases['shared']}/access", data).status_code == 303
    with at(moment):
        assert portal_bytes(app, world, browse, "hanna") == before


def test_an_external_comment_does_show(app: Flask, world: World, browse: Browse) -> None:
    """The same comparison does notice what is meant to be noticed: text, count, date and order."""
    first = traveller(app, browse, "hanna")
    home, number = Road("external.home", None, "GET", "/portal/"), world.cases["shared"]
    before = plain(first.go(home))
    assert before.index("The all case") < before.index("The shared case")
    page, sent = f"/console/cases/{number}", {"message": "For you.", "audience": "external"}
    assert browse("ada").confirm(f"{page}/comments", sent, asked=page).status_code == 303
    after = plain(first.go(home))
    assert after.index("The shared case") < after.index("The all case")
    assert "For you." in first.go(Road("external.case", None, "GET", f"/portal/cases/{number}")).text


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "part"])
def test_every_way_of_not_existing_looks_the_same(app: Flask, world: World, browse: Browse, headers: dict[str, str]) -> None:
    person = traveller(app, browse, "hanna")
    answers = set()
    for name in ("unknown", "internal", "restricted", "revoked", "foreign"):
        number = world.cases.get(name, UNKNOWN_CASE)
        uid = world.comments.get(f"{name}-hanna", world.comments.get(f"{name}-internal", "0" * 16))
        for rest in ("", f"/comments/{uid}/edit", f"/comments/{uid}/delete"):
            answer = person.go(Road("", None, "GET", f"/portal/cases/{number}{rest}"), **headers)
            assert answer.status_code == 404
            answers.add(plain(answer))
    assert len(answers) == 1


def test_writing_to_what_does_not_exist_looks_the_same(app: Flask, world: World, browse: Browse) -> None:
    person = traveller(app, browse, "hanna")
    answers = set()
    for name in ("unknown", "internal", "restricted", "revoked", "foreign"):
        uid = world.comments.get(f"{name}-hanna", "0" * 16)
        for rest in ("/comments", f"/comments/{uid}/edit", f"/comments/{uid}/delete"):
            road = Road("", None, "POST", f"/portal/cases/{world.cases.get(name, UNKNOWN_CASE)}{rest}")
            answer = person.go(road, {"message": "Is anybody there?"})
            assert answer.status_code == 404
            answers.add(plain(answer))
    assert len(answers) == 1


def test_console_hides_a_restricted_case_like_one_that_is_not(app: Flask, world: World, browse: Browse) -> None:
    person = traveller(app, browse, "olga")
    numbers = [UNKNOWN_CASE, world.cases["restricted"], world.cases["foreign"]]
    for rest in ("", "/edit", "/access", "/history"):
        answers = {plain(person.go(Road("", None, "GET", f"/console/cases/{number}{rest}"))) for number in numbers}
        assert len(answers) == 1
        assert answers.pop().startswith("404")


def test_another_ones_message_looks_like_none(app: Flask, world: World, browse: Browse) -> None:
    person = traveller(app, browse, "hanna")
    shared = world.cases["shared"]
    uids = [world.comments["shared-external"], world.comments["shared-internal"], world.comments["all-hanna"], "0" * 16]
    for act in ("edit", "delete"):
        answers = {plain(person.go(Road("", None, "GET", f"/portal/cases/{shared}/comments/{uid}/{act}"))) for uid in uids}
        assert len(answers) == 1
        assert answers.pop().startswith("404")
