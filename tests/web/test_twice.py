"""The same form sent twice, by impatience or at the same moment, does its work once and gives one answer."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.accounts.models import OneTimeLink, User
from portal.cases.models import Attachment, Case, Comment
from portal.extensions import db
from portal.mail.models import OutboxMessage
from tests.access.roads import Road, traveller
from tests.external.test_files import send
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]
CASE = {"title": "Twice", "description": "Sent twice", "severity": "2", "tlp": "2", "pap": "2"}
PERSON = {"kind": "external", "name": "Twice Person", "email": "twice@people.example"}


def counts(app: Flask) -> tuple[int, ...]:
    """Comments, cases, people, links, letters."""
    with app.app_context():
        return tuple(db.session.scalar(select(func.count(model.id))) or 0 for model in (Comment, Case, User, OneTimeLink, OutboxMessage))


def forms(world: World, page: Browser) -> dict[str, tuple[str, str, dict[str, str]]]:
    """Who sends what where."""
    import re

    chosen = re.search(r'name="seat-0-roles"[^>]*value="(\d+)"', page.get("/console/people/new").text)
    assert chosen is not None
    shared = world.cases["shared"]
    seen = re.search(r'name="seen" value="(\w+)"', page.get(f"/console/cases/{shared}").text)
    assert seen is not None
    return {
        "message": ("hanna", f"/portal/cases/{shared}/comments", {"message": "Twice"}),
        "note": ("ada", f"/console/cases/{shared}/comments", {"message": "Twice", "audience": "external", "seen": seen[1]}),
        "case": ("ada", "/console/cases/new", CASE),
        "person": ("olga", "/console/people/new", {**PERSON, "seat-0-roles": chosen[1]}),
    }


KINDS = ["message", "note", "case", "person"]


@pytest.mark.parametrize("kind", KINDS)
def test_sending_again_gives_the_first_answer(app: Flask, world: World, browse: Browse, kind: str) -> None:
    who, path, data = forms(world, browse("olga"))[kind]
    browser = browse(who)
    first = browser.post(path, {**data, "submission": "s1"})
    assert first.status_code == 303, first.text
    after = counts(app)
    again = browser.post(path, {**data, "submission": "s1"})
    assert again.status_code == 303
    assert again.headers["Location"] == first.headers["Location"].split("#")[0]
    assert counts(app) == after
    if kind != "person":
        assert browser.post(path, {**data, "submission": "s2"}).status_code == 303
        assert counts(app) != after


@pytest.mark.parametrize("kind", KINDS)
def test_sending_at_the_same_moment_does_it_once(app: Flask, world: World, browse: Browse, kind: str) -> None:
    who, path, data = forms(world, browse("olga"))[kind]
    person, before = traveller(app, browse, who), counts(app)
    road = Road("", None, "POST", path)
    with ThreadPoolExecutor(6) as pool:
        answers = [job.result() for job in [pool.submit(person.go, road, {**data, "submission": "s1"}) for _ in range(6)]]
    assert {answer.status_code for answer in answers} == {303}
    grown = [now - then for now, then in zip(counts(app), before, strict=True)]
    assert grown[:3] == {"message": [1, 0, 0], "note": [1, 0, 0], "case": [0, 1, 0], "person": [0, 0, 1]}[kind]
    assert grown[3] == (1 if kind == "person" else 0)


def test_a_mistake_does_not_use_the_form_up(app: Flask, world: World, browse: Browse) -> None:
    hanna, path = browse("hanna"), f"/portal/cases/{world.cases['shared']}/comments"
    assert hanna.post(path, {"message": " ", "submission": "s1"}).status_code == 422
    assert hanna.post(path, {"message": "Now with words", "submission": "s1"}).status_code == 303
    assert counts(app)[0] == 13


def test_a_form_sent_again_with_other_words_is_another_thing(app: Flask, world: World, browse: Browse) -> None:
    hanna, path = browse("hanna"), f"/portal/cases/{world.cases['shared']}"
    for words in ("First", "First, and the important correction", "First"):
        assert hanna.post(f"{path}/comments", {"message": words, "submission": "s1"}).status_code == 303
    assert counts(app)[0] == 14
    for name, content in (("log.txt", b"one"), ("log.txt", b"two"), ("log.txt", b"two"), ("other.txt", b"three")):
        assert send(hanna, f"{path}/files", (name, content), data={"submission": "s2"}).status_code == 303
    with app.app_context():
        newest = list(db.session.scalars(select(Attachment.name).order_by(Attachment.id.desc()).limit(4)))
    assert newest[:3] == ["other.txt", "log (2).txt", "log.txt"]
    assert newest[3] not in newest[:3]


def test_an_address_that_is_none_is_no_fault(world: World, browse: Browse) -> None:
    path = f"/portal/cases/{world.cases['shared']}"
    data = {"message": "m", "submission": "s1"}
    answers = [browse("hanna").post(f"{path}/comments", data, htmx=True, headers={"HX-Current-URL": "http://["}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[1].headers["HX-Redirect"] == f"{path}/comments"


def test_one_persons_form_is_not_anothers(app: Flask, world: World, browse: Browse) -> None:
    path = f"/portal/cases/{world.cases['all']}/comments"
    for who in ("hanna", "vic"):
        assert browse(who).post(path, {"message": f"From {who}", "submission": "s1"}).status_code == 303
    assert counts(app)[0] == 14


def test_a_part_sent_twice_is_told_where_to_look(app: Flask, world: World, browse: Browse) -> None:
    hanna, path = browse("hanna"), f"/portal/cases/{world.cases['shared']}"
    headers = {"HX-Current-URL": f"http://127.0.0.1:8000{path}"}
    first = hanna.post(f"{path}/comments", {"message": "m", "submission": "s1"}, htmx=True, headers=headers)
    assert first.status_code == 200
    again = hanna.post(f"{path}/comments", {"message": "m", "submission": "s1"}, htmx=True, headers=headers)
    assert again.headers["HX-Redirect"] == path
    assert counts(app)[0] == 13


def test_numbers_are_given_out_once_under_pressure(app: Flask, world: World, browse: Browse) -> None:
    person, road = traveller(app, browse, "ada"), Road("", None, "POST", "/console/cases/new")
    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(person.go, road, {**CASE, "submission": f"s{number}"}) for number in range(16)]
        places = {job.result().headers["Location"] for job in jobs}
    assert places == {f"/console/cases/{number}" for number in range(7, 23)}
