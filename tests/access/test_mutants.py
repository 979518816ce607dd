"""The alarm works: each lock is broken on purpose, and the check that should notice does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import and_, event, exists, or_, select, true

from portal.accounts import sessions
from portal.accounts.permissions import Permission
from portal.cases.models import Case, Comment
from portal.extensions import db
from portal.sharing import guard, scope
from portal.sharing.models import Access
from portal.sharing.window import Window
from portal.web.face import Needs
from tests.access import shapes
from tests.access.canaries import leaks, plant
from tests.access.roads import traveller
from tests.access.test_matrix import GOLDEN, lines, wrong
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]
Patch = pytest.MonkeyPatch


@pytest.fixture
def no_guard() -> Iterator[None]:
    """The listener is not there."""
    event.remove(db.session, "do_orm_execute", guard.keep_in_scope)
    yield
    event.listen(db.session, "do_orm_execute", guard.keep_in_scope)


def crawled(app: Flask, world: World, browse: Browse, who: str = "hanna") -> set[str]:
    """The columns whose canaries this person met in the portal and should not have."""
    found = leaks(app, world, plant(app, world), browse, who, only="external")
    return {where.split(" of ")[0] for where in found}


def guarded(app: Flask, world: World) -> list[str]:
    """The shapes that got past the guard in Hanna's session."""
    with app.app_context():
        viewer = sessions.viewer_of(world.people["hanna"], world.places["here"])
        assert viewer is not None
        db.session.rollback()
        guard.engage(viewer)
        try:
            return shapes.leaks(["shared", "all"])
        finally:
            guard.release()


def loosen(monkeypatch: Patch, change: Callable[[Any, dict[type[Any], Any]], dict[type[Any], Any]]) -> None:
    """Rules for outsiders as `change(viewer, rules)` makes them."""
    real = scope._outside
    monkeypatch.setattr(scope, "_outside", lambda viewer: change(viewer, real(viewer)))
    monkeypatch.setattr(scope, "_of_one", lambda viewer: {Case: change(viewer, real(viewer))[Case]})


@pytest.mark.long
def test_all_is_quiet_while_nothing_is_broken(app: Flask, world: World, browse: Browse) -> None:
    assert guarded(app, world) == []
    assert crawled(app, world, browse) == set()


@pytest.mark.long
@pytest.mark.usefixtures("no_guard")
def test_a_missing_guard_is_noticed(app: Flask, world: World, browse: Browse) -> None:
    """By the guard's own check; the crawl stays quiet, for the window asks by itself: that is what two locks are for."""
    found = guarded(app, world)
    assert {"entities", "get", "join", "exists", "text", "update"} <= set(found)
    assert crawled(app, world, browse) == set()


def _any_comment(viewer: Any, rules: dict[type[Any], Any]) -> dict[type[Any], Any]:
    case = Case.__table__.alias("rule_case")
    return {**rules, Comment: exists().where(case.c.id == Comment.case_id, case.c.organisation_id == viewer.organisation_id)}


def test_internal_comments_in_the_rules_are_noticed(app: Flask, world: World, browse: Browse, monkeypatch: Patch) -> None:
    loosen(monkeypatch, _any_comment)
    assert "comments" in guarded(app, world)
    assert "comment.message_html" in crawled(app, world, browse)


def _any_organisation(viewer: Any, rules: dict[type[Any], Any]) -> dict[type[Any], Any]:
    return {**rules, Case: Case.access == Access.ALL_EXTERNAL}


@pytest.mark.long
def test_a_forgotten_organisation_is_noticed(app: Flask, world: World, browse: Browse, monkeypatch: Patch) -> None:
    loosen(monkeypatch, _any_organisation)
    assert "entities" in guarded(app, world)
    assert {"incident_case.title", "incident_case.description_html"} <= crawled(app, world, browse)


def _any_grant(viewer: Any, rules: dict[type[Any], Any]) -> dict[type[Any], Any]:
    grant = scope._grant
    named = select(grant.c.case_id)
    seen = or_(Case.access == Access.ALL_EXTERNAL, and_(Case.access == Access.EXTERNAL, Case.id.in_(named)))
    return {**rules, Case: and_(Case.organisation_id == viewer.organisation_id, seen)}


@pytest.mark.long
def test_a_grant_that_names_nobody_is_noticed(app: Flask, world: World, browse: Browse, monkeypatch: Patch) -> None:
    """Vic was invited to nothing; were any grant good enough, he would see what Hanna sees."""
    loosen(monkeypatch, _any_grant)
    assert "incident_case.title" in crawled(app, world, browse, "vic")


def _any_access(viewer: Any, rules: dict[type[Any], Any]) -> dict[type[Any], Any]:
    return {**rules, Case: Case.organisation_id == viewer.organisation_id}


@pytest.mark.long
def test_an_ignored_access_is_noticed(app: Flask, world: World, browse: Browse, monkeypatch: Patch) -> None:
    loosen(monkeypatch, _any_access)
    assert "incident_case.title" in crawled(app, world, browse)


def careless_window(monkeypatch: Patch) -> None:
    """A window that selects without asking what is visible."""
    monkeypatch.setattr(Window, "_visible", lambda _self, _model, *columns: select(*columns))
    for name in ("visible", "visible_one"):
        monkeypatch.setattr(scope, name, lambda _viewer, model, *columns: select(*(columns or (model,))))


@pytest.mark.long
def test_a_careless_window_is_caught_by_the_guard(app: Flask, world: World, browse: Browse, monkeypatch: Patch) -> None:
    careless_window(monkeypatch)
    assert crawled(app, world, browse) == set()


@pytest.mark.long
@pytest.mark.usefixtures("no_guard")
def test_both_locks_broken_are_noticed(app: Flask, world: World, browse: Browse, monkeypatch: Patch) -> None:
    careless_window(monkeypatch)
    assert {"incident_case.title", "incident_case.description_html", "comment.message_html"} <= crawled(app, world, browse)


def test_everything_open_by_default_is_noticed(app: Flask, world: World, monkeypatch: Patch) -> None:
    monkeypatch.setattr(scope, "otherwise", lambda _viewer: true())
    with app.app_context():
        viewer = sessions.viewer_of(world.people["hanna"], world.places["here"])
        assert viewer is not None
        assert db.session.scalars(scope.visible(viewer, scope.AuditEntry)).all()


@pytest.mark.parametrize(
    ("endpoint", "needs"),
    [
        ("console.case", Needs.ANYONE),
        ("console.add_comment", Needs.TEAM),
        ("console.access", Permission.COMMENT),
        ("console.people", Needs.SIGNED_IN),
        ("external.case", Needs.ANYONE),
    ],
)
def test_a_loosened_route_is_noticed(app: Flask, monkeypatch: Patch, endpoint: str, needs: Any) -> None:
    monkeypatch.setattr(app.view_functions[endpoint], "needs", needs)
    assert lines(app) != GOLDEN.read_text().splitlines()


def test_a_route_that_asks_for_too_little_is_noticed_by_walking(app: Flask, world: World, browse: Browse, monkeypatch: Patch) -> None:
    """The walk judges by what the routes say; here the gate is made to ask less than they say."""
    from portal.web import gate

    monkeypatch.setattr(gate, "_admit", lambda _needs, _viewer: None)
    found = wrong(app, world, traveller(app, browse, "ruth"), "ruth", "GET")
    assert any("console.people" in line for line in found)


def test_a_view_that_says_nothing_is_refused(app: Flask, browse: Browse) -> None:
    app.add_url_rule("/console/forgotten-view", "forgotten_view", lambda: "Hello")
    answer = browse("ada").get("/console/forgotten-view")
    assert answer.status_code == 500
    assert "Hello" not in answer.text
