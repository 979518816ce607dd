"""Choosing among very many external users: ticks survive a search, with and without JavaScript, and sharing with all is quick."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
from flask import Flask
from sqlalchemy import select

from portal.accounts.models import AccountType, User
from portal.cases.models import Case
from portal.database import start_writing
from portal.extensions import db
from portal.mail.models import OutboxMessage
from portal.mail.sender import drain
from portal.organisations.models import Organisation
from tests import factories as make
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]
BOX = re.compile(r'name="users"[^>]*value="(\d+)"( checked)?')


@pytest.fixture
def crowd(app: Flask, world: World) -> dict[str, int]:
    """Sixty more external users: names and ids."""
    made = {}
    with app.app_context():
        start_writing()
        place = db.session.get_one(Organisation, world.places["here"])
        for name in map("Crowd{:02}".format, range(60)):
            made[name] = make.make_user(name, place, "External-Reader", kind=AccountType.EXTERNAL).user_id
        db.session.commit()
    return made


def path(world: World, case: str) -> str:
    return f"/console/cases/{world.cases[case]}/access"


def boxes(text: str) -> dict[int, bool]:
    """Each person offered, and whether they are ticked, in order."""
    return {int(key): bool(checked) for key, checked in BOX.findall(text)}


def test_the_chosen_come_first_then_twenty_five_others(world: World, browse: Browse, crowd: dict[str, int]) -> None:
    text = browse("ada").get(path(world, "shared"), htmx=True).text
    offered = boxes(text)
    assert len(offered) == 27
    assert list(offered)[:2] == [world.people["hanna"], world.people["rhea"]]
    assert [key for key, ticked in offered.items() if ticked] == [world.people["hanna"], world.people["rhea"]]
    assert "Not everybody is shown." in text
    assert "Today these are 64 people" in text


def test_a_search_keeps_what_is_ticked(world: World, browse: Browse, crowd: dict[str, int]) -> None:
    query = {"q": "crowd5", "users": [world.people["vic"], crowd["Crowd55"]]}
    text = browse("ada").get(path(world, "internal"), query_string=query, htmx=True).text
    assert text.lstrip().startswith('<div id="people-found"')
    offered = boxes(text)
    assert list(offered) == [*(crowd[f"Crowd5{n}"] for n in range(10)), world.people["vic"]]
    assert {key for key, ticked in offered.items() if ticked} == {world.people["vic"], crowd["Crowd55"]}


def test_a_search_that_finds_too_many_or_nobody_says_so(world: World, browse: Browse, crowd: dict[str, int]) -> None:
    ada = browse("ada")
    assert "The first 25 who match are shown." in ada.get(path(world, "internal"), query_string={"q": "crowd"}, htmx=True).text
    text = ada.get(path(world, "internal"), query_string={"q": "nobody", "users": crowd["Crowd01"]}, htmx=True).text
    assert "Nobody matches." in text
    assert boxes(text) == {crowd["Crowd01"]: True}


def test_ada_can_search_without_javascript_and_keeps_her_ticks(world: World, browse: Browse, crowd: dict[str, int]) -> None:
    ada, where = browse("ada"), path(world, "internal")
    ada.get(where)
    typed = {"access": "external", "users": [world.people["vic"]], "q": "Crowd42", "find": "1", "submission": "b" * 32}
    answer = ada.post(where, typed)
    assert answer.status_code == 200
    assert "<html" in answer.text
    assert boxes(answer.text) == {crowd["Crowd42"]: False, world.people["vic"]: True}
    assert re.search(r'value="external" checked', answer.text)
    assert browse("vic").get(f"/portal/cases/{world.cases['internal']}").status_code == 404
    token = re.search(r'name="submission" value="(\w+)"', answer.text)
    assert token is not None
    chosen = [world.people["vic"], crowd["Crowd42"]]
    done = ada.confirm(where, {"access": "external", "users": chosen, "q": "Crowd42", "submission": token[1]})
    assert done.headers["Location"] == f"/console/cases/{world.cases['internal']}"
    assert "2 external users can see this case now." in ada.get(done.headers["Location"]).text


def test_the_address_of_a_search_is_a_page(world: World, browse: Browse) -> None:
    text = browse("ada").get(path(world, "shared"), query_string={"q": "vic"}).text
    assert "<html" in text
    assert next(iter(boxes(text))) == world.people["vic"]


@pytest.mark.parametrize("query", ["q=%00", "q=" + "x" * 500, "q=&users=x", f"q=a&users={'9' * 30}", "q=%25_&users=-1&users=0"])
def test_odd_searches_are_no_fault(world: World, browse: Browse, query: str) -> None:
    for headers in ({}, {"HX-Request": "true", "HX-Request-Type": "partial"}):
        assert browse("ada").get(f"{path(world, 'shared')}?{query}", headers=headers).status_code == 200


@pytest.mark.parametrize("number", ["9" * 30, "-1", "0"])
def test_a_number_no_account_can_have_is_refused_like_any_stranger(world: World, browse: Browse, number: str) -> None:
    ada = browse("ada")
    data = {"access": "external", "users": [world.people["vic"], number]}
    assert "cannot be given access any more" in ada.get(path(world, "internal"), query_string=data, htmx=True).text
    assert ada.post(path(world, "internal"), data).status_code == 422


def test_a_person_locked_since_does_not_hide_the_plan(world: World, browse: Browse) -> None:
    """Dora is named on the case and locked."""
    text = browse("ada").get(path(world, "shared"), htmx=True).text
    assert "Nothing to change" in text
    assert "<strong>2</strong> external users" in text


def test_the_preview_counts_many_and_names_few(world: World, browse: Browse, crowd: dict[str, int]) -> None:
    ada = browse("ada")
    text = unescape(ada.get(path(world, "internal"), query_string={"access": "all_external"}, htmx=True).text)
    assert "<strong>64</strong> external users" in text
    assert "and 56 more" in text
    ids = list(crowd.values())[:10]
    text = unescape(ada.get(path(world, "all"), query_string={"access": "external", "users": ids}, htmx=True).text)
    assert "Revoke access for 54 people" in text
    assert "and 46 more" in text


def test_sharing_with_everybody_is_one_note_that_becomes_letters(app: Flask, world: World, browse: Browse, crowd: dict[str, int]) -> None:
    def told() -> list[int | None]:
        case = select(Case.id).where(Case.number == world.cases["shared"]).scalar_subquery()
        wanted = select(OutboxMessage.to_user_id).where(OutboxMessage.letter == "case_shared", OutboxMessage.case_id == case)
        return list(db.session.scalars(wanted.where(OutboxMessage.id > last)))

    with app.app_context():
        last = max(db.session.scalars(select(OutboxMessage.id)))
    assert browse("ada").confirm(path(world, "shared"), {"access": "all_external"}).status_code == 303
    with app.app_context():
        assert told() == [None]
        drain()
        named = {world.people["hanna"], world.people["rhea"]}
        everybody = set(db.session.scalars(select(User.id).where(User.type == AccountType.EXTERNAL, User.active)))
        assert sorted(key for key in told() if key) == sorted(everybody - named - {world.people["gast"]})
