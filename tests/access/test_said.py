"""A statement that says the rule itself is not given it once more; one that only seems to say it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import and_, exists, func, or_, select, true, union
from sqlalchemy.orm import aliased

from portal.accounts import sessions
from portal.accounts.viewer import Viewer
from portal.cases.models import Case, Comment
from portal.extensions import db
from portal.sharing import guard, scope
from tests.access.shapes import secrets_of
from tests.fixtures.world import World

Write = Callable[[Any, Any], Any]
OTHER = aliased(Case)
INNER, FOUND = select(Case.title).subquery(), select(Case.title).cte("found")
HIDDEN = "The internal case"
# How a statement can carry Hanna's rule for cases (`rule`) or comments (`talk`) without being narrowed by it, or not everywhere.
SEEMING: dict[str, Write] = {
    "or": lambda rule, talk: select(Case.title).where(or_(rule, true())),
    "not": lambda rule, talk: select(Case.title).where(~rule),
    "or in and": lambda rule, talk: select(Case.title).where(and_(true(), or_(rule, Case.id > 0))),
    "having": lambda rule, talk: select(func.max(Case.title)).group_by(Case.id).having(or_(rule, true())),
    "alias": lambda rule, talk: select(OTHER.title).join(Case, true()).where(rule),
    "alias joined": lambda rule, talk: (
        select(OTHER.title).select_from(Case).join(OTHER, OTHER.organisation_id == Case.organisation_id).where(rule)
    ),
    "alias outer joined": lambda rule, talk: select(OTHER.title).select_from(Case).outerjoin(OTHER, true()).where(rule),
    "column of an alias": lambda rule, talk: select(Case.title, select(OTHER.title).where(OTHER.title == HIDDEN).scalar_subquery()).where(
        rule
    ),
    "column of another select": lambda rule, talk: select(
        Comment.message, select(Case.title).where(Case.title == HIDDEN).correlate(None).scalar_subquery()
    ).where(talk),
    "probe": lambda rule, talk: select(OTHER.title).where(exists(select(Case.id).where(rule))),
    "probe of the same": lambda rule, talk: select(Case.title).where(exists(select(Comment.id).where(talk))),
    "union": lambda rule, talk: union(select(Case.title).where(rule), select(Case.title)),
    "subquery": lambda rule, talk: select(select(Case.title).subquery().c.title).where(exists(select(Case.id).where(rule))),
    "subquery beside": lambda rule, talk: select(INNER.c.title).select_from(Case).join(INNER, true()).where(rule),
    "cte": lambda rule, talk: select(select(Case.title).cte("found").c.title).where(exists(select(Case.id).where(rule))),
    "cte beside": lambda rule, talk: select(FOUND.c.title).select_from(Case).join(FOUND, true()).where(rule),
    "the other's rule": lambda rule, talk: select(Case.title).join(Comment, Comment.case_id == Case.id).where(talk),
    "crossed": lambda rule, talk: select(Case.title).join(Comment, true()).where(talk),
    "comments of a case": lambda rule, talk: select(Comment.message).join(Case, Case.id == Comment.case_id).where(rule),
    "comments outer": lambda rule, talk: select(Comment.message).outerjoin(Case, true()).where(rule),
}
SAYING: dict[str, Write] = {
    "plain": lambda rule, talk: select(Case.title).where(rule),
    "twice": lambda rule, talk: select(Case.title).where(rule).where(Case.id > 0),
    "comments": lambda rule, talk: select(Comment.message).where(talk).order_by(Comment.id),
    "joined": lambda rule, talk: select(Case.title, Comment.message).join(Comment, Comment.case_id == Case.id).where(rule, talk),
    "counted": lambda rule, talk: (
        select(Case.title, func.count(Comment.id)).outerjoin(Comment, true()).where(rule, talk).group_by(Case.title)
    ),
}


@pytest.fixture
def look(app: Flask, world: World) -> Iterator[Callable[[str], Viewer]]:
    with app.app_context():

        def become(who: str) -> Viewer:
            guard.release()
            viewer = sessions.viewer_of(world.people[who], world.places["here"])
            assert viewer is not None
            db.session.rollback()
            guard.engage(viewer)
            return viewer

        yield become
        guard.release()


def said(viewer: Viewer, way: str) -> tuple[Any, Any]:
    """The rule for cases, in one of its two ways, and that for comments."""
    rules = scope.rules(viewer)
    return (rules if way == "list" else dict(scope.sayings(viewer)))[Case], rules[Comment]


def texts(statement: Any) -> list[Any] | None:
    try:
        return [value for row in db.session.execute(statement).all() for value in row]
    except guard.UnscopedRead:
        return None


@pytest.mark.parametrize("way", ["list", "one"])
@pytest.mark.parametrize("shape", SEEMING)
def test_hanna_cannot_read_past_a_rule_that_only_seems_to_be_said(look: Callable[[str], Viewer], shape: str, way: str) -> None:
    statement = SEEMING[shape](*said(look("hanna"), way))
    assert secrets_of(texts(statement) or [], ["shared", "all"]) == []
    look("ada")  # the very same shape does find what Hanna must not, where nothing is laid for her
    guard.release()
    assert secrets_of(texts(statement) or [], ["shared", "all"]) or shape in ("the other's rule", "comments of a case")


@pytest.mark.parametrize("way", ["list", "one"])
@pytest.mark.parametrize("shape", SAYING)
def test_a_rule_that_is_said_is_not_laid_again_and_holds(look: Callable[[str], Viewer], shape: str, way: str) -> None:
    statement = SAYING[shape](*said(look("hanna"), way))
    info = db.session.info
    assert guard._narrowed(statement, info["laid"].criteria, info["laid"].conditions) is statement
    found = texts(statement)
    assert found
    assert secrets_of(found, ["shared", "all"]) == []


def test_somebody_elses_rule_is_not_ones_own(look: Callable[[str], Viewer]) -> None:
    """A statement that was written for Rhea, run in Vic's session."""
    for way in ("list", "one"):
        rule, talk = said(look("rhea"), way)
        look("vic")
        assert secrets_of(texts(select(Case.title).where(rule)) or [], ["all"]) == []
        assert secrets_of(texts(select(Comment.message).where(talk)) or [], ["all"]) == []


def test_both_ways_to_say_the_rule_say_the_same(look: Callable[[str], Viewer]) -> None:
    for who in ("hanna", "rhea", "vic"):
        viewer = look(who)
        lists, ones = scope.visible(viewer, Case, Case.id), scope.visible_one(viewer, Case, Case.id)
        guard.release()
        assert sorted(db.session.scalars(lists)) == sorted(db.session.scalars(ones))
