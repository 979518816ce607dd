"""The second lock, without HTTP: every shape of statement comes back filtered or is refused in an outsider's session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, true
from sqlalchemy.orm import joinedload, selectinload

from portal.accounts import sessions
from portal.accounts.models import LoginSession, Membership, Submission, User
from portal.accounts.viewer import Viewer
from portal.cases.models import Attachment, Case, CaseTag, Comment, CustomField, CustomValue, Draft, Mute, Observable, ReadMark
from portal.extensions import Base, db
from portal.search.models import SharedText
from portal.sharing import guard, scope
from tests.access.shapes import EITHER, FILTERED, REFUSED, leaks, outcomes, secrets_of
from tests.fixtures.world import World

IN_HOUSE = {"shared", "internal", "all", "revoked"}
PLACES = {"otto": "there", "gast": "there", "pia": "admin"}


@pytest.fixture
def look(app: Flask, world: World) -> Iterator[Callable[[str], Viewer]]:
    """look(who): from here on the session is theirs, guard engaged."""
    with app.app_context():

        def become(who: str) -> Viewer:
            guard.release()
            viewer = sessions.viewer_of(world.people[who], world.places[PLACES.get(who, "here")])
            assert viewer is not None
            db.session.rollback()
            guard.engage(viewer)
            return viewer

        yield become
        guard.release()


Look = Callable[[str], Viewer]


@pytest.mark.usefixtures("either_way")
def test_hanna_cannot_read_past_the_rules(look: Look) -> None:
    """An ordinary read is filtered, not refused; one through another select may be either."""
    look("hanna")
    got = outcomes(FILTERED)
    assert [name for name, values in got.items() if values is None] == []
    got.update(outcomes(EITHER))
    assert {name: found for name, values in got.items() if (found := secrets_of(values or [], ["shared", "all"]))} == {}


@pytest.mark.usefixtures("either_way")
def test_hanna_cannot_read_or_write_without_models(look: Look) -> None:
    look("hanna")
    assert {name: values for name, values in outcomes(REFUSED).items() if values is not None} == {}


@pytest.mark.usefixtures("either_way")
def test_one_viewers_statement_is_not_anothers(look: Look) -> None:
    """Compiled statements are kept by the engine: each shape as one person, then as another, then as the first again."""
    for _ in range(2):
        for who, seen in {"hanna": ["shared", "all"], "vic": ["all"], "gast": ["foreign"]}.items():
            look(who)
            assert leaks(seen) == []
        look("otto")
        titles = {value for values in outcomes(FILTERED).values() for value in values or () if str(value).startswith("The ")}
        assert titles == {"The foreign case"}


def test_nothing_was_changed_by_what_was_refused(look: Look, app: Flask) -> None:
    look("hanna")
    outcomes(REFUSED)
    guard.release()
    assert db.session.scalar(select(func.count(Case.id)).where(Case.title == "changed")) == 0
    assert db.session.scalar(select(func.count(Comment.id))) == 12


def test_the_shapes_do_read(look: Look) -> None:
    """A shape that returned nothing would prove nothing: as Ada, each of the filtered ones finds the internal case."""
    look("ada")
    got = outcomes({**FILTERED, **EITHER})
    blind = {name for name, values in got.items() if not values}
    assert blind == set()
    seen = {name for name, values in got.items() if "The internal case" in (values or ())}
    assert len(seen) > 20


class _All:
    """Every statement, as if each were written once and kept."""

    def __contains__(self, _statement: object) -> bool:
        return True


@pytest.fixture(params=["written anew", "kept"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is worked out once for a kept statement holds as much as what is worked out each time."""
    if request.param == "kept":
        monkeypatch.setattr(guard, "KEPT", _All())


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize(("who", "seen"), [("ada", IN_HOUSE | {"restricted"}), ("olga", IN_HOUSE), ("otto", {"foreign"}), ("pia", set())])
def test_colleagues_see_their_organisations_cases(look: Look, who: str, seen: set[str]) -> None:
    look(who)
    got = outcomes({**FILTERED, **EITHER})
    allowed = {f"The {name} case" for name in seen}
    titles = {value for values in got.values() for value in values or () if isinstance(value, str) and value.startswith("The ")}
    assert titles == allowed, who
    words = {
        value for values in got.values() for value in values or () if isinstance(value, str) and " on " in value and "The" not in value
    }
    assert {word.rstrip(".").split(" on ")[1] for word in words} <= seen


def test_counts_are_of_what_hanna_sees(look: Look) -> None:
    look("hanna")
    assert db.session.scalar(select(func.count(Case.id))) == 2
    assert db.session.scalar(select(func.count()).select_from(Case)) == 2
    assert db.session.scalar(select(func.count(Comment.id))) == 4


def test_a_model_without_a_rule_shows_hanna_nothing(look: Look) -> None:
    """A new model is closed until scope.rules names it; what is named today is listed here."""
    viewer = look("hanna")
    hanging = {Comment, Attachment, Observable, CustomField, CustomValue, CaseTag, SharedText}
    named = {Case, *hanging, User, LoginSession, Submission, ReadMark, Mute, Draft}
    assert set(scope.rules(viewer)) == named
    open_models = {mapper.class_ for mapper in Base.registry.mappers if db.session.scalars(select(mapper.class_)).all()}
    assert open_models <= named
    assert {user.id for user in db.session.scalars(select(User))} == {viewer.user_id}


def test_a_model_that_came_after_the_rules_is_not_read(look: Look) -> None:
    look("hanna")
    laid = db.session().info["laid"]
    others = tuple(rule for rule in laid.criteria if rule.entity.class_ is not Comment)
    assert len(others) == len(laid.criteria) - 1
    with pytest.raises(guard.UnscopedRead):
        guard._narrowed(select(Comment.id), others, laid.conditions)


@pytest.mark.parametrize("load", [joinedload, selectinload])
def test_loaded_relations_are_filtered_too(look: Look, monkeypatch: pytest.MonkeyPatch, load: Any) -> None:
    """Memberships opened for a moment: what hangs on them is still closed."""
    real = scope.rules
    monkeypatch.setattr(scope, "rules", lambda viewer: {**real(viewer), Membership: true()})
    viewer = look("hanna")
    rows = db.session.scalars(select(Membership).options(load(Membership.user))).unique().all()
    assert len(rows) == 11
    assert {row.user.id for row in rows if row.user is not None} == {viewer.user_id}


def test_relations_over_a_table_of_their_own_are_closed(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    real = scope.rules
    monkeypatch.setattr(scope, "rules", lambda viewer: {**real(viewer), Membership: true()})
    look("hanna")
    rows = db.session.scalars(select(Membership).options(joinedload(Membership.profiles))).unique().all()
    assert [profile for row in rows for profile in row.profiles] == []
    with pytest.raises(guard.UnscopedRead):
        db.session.scalars(select(Membership).options(selectinload(Membership.profiles))).all()


def test_hanna_cannot_get_what_was_loaded_before_the_guard(look: Look, world: World) -> None:
    guard.release()
    hidden = db.session.scalars(select(Case).where(Case.title == "The internal case")).one()
    look("hanna")
    assert db.session.get(Case, hidden.id, populate_existing=True) is None


def test_the_guard_forgets_between_requests(look: Look, app: Flask) -> None:
    look("hanna")
    guard.release()
    assert db.session.scalar(select(func.count(Case.id))) == 6
