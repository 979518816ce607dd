"""What people outside do themselves: what that leaves unread, what stays of it, and what of the team's work on it shows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import select

from portal.cases import observables
from portal.cases.models import Case, Observable, ReadMark
from portal.database import start_writing
from portal.extensions import db
from portal.sharing.window import Window
from tests import factories as make
from tests.fixtures.rooms import Cast

ITEM = "https://odd.example/x"


def outside(cast: Cast) -> datetime:
    """When the latest news on the shared case was."""
    return db.session.scalars(select(Case.outside_at).where(Case.number == cast.world.cases["shared"])).one()


def read_until(cast: Cast, who: str = "hanna") -> datetime | None:
    return db.session.scalar(
        select(ReadMark.seen_at)
        .join(Case, Case.id == ReadMark.case_id)
        .where(ReadMark.user_id == cast.world.people[who], Case.number == cast.world.cases["shared"])
    )


def act(cast: Cast, does: Callable[[Window], object], who: str = "hanna") -> None:
    start_writing()
    does(Window(cast(who)))
    db.session.commit()


def opened(cast: Cast) -> None:
    Window(cast("hanna")).note_view(cast.world.cases["shared"])
    db.session.rollback()


def added(cast: Cast) -> Observable:
    act(cast, lambda window: window.evidence.add(cast.world.cases["shared"], "", ITEM))
    return db.session.scalars(select(Observable).where(Observable.value == ITEM)).one()


@pytest.mark.parametrize("first_visit", [True, False])
def test_ones_own_evidence_does_not_read_the_teams_message(cast: Cast, first_visit: bool) -> None:
    """The answer to an htmx form draws the evidence alone: the message was not on the screen."""
    if not first_visit:
        opened(cast)
    before = read_until(cast)
    start_writing()
    make.say(cast.case("shared"), cast("ada"), "Please unplug it.", external=True)
    db.session.commit()
    added(cast)
    assert read_until(cast) == before
    opened(cast)
    assert read_until(cast) == outside(cast)


def test_ones_own_evidence_is_no_news_where_nothing_else_is(cast: Cast) -> None:
    opened(cast)
    added(cast)
    assert read_until(cast) == outside(cast)


def test_a_note_of_the_team_on_evidence_moves_nothing_outside(cast: Cast) -> None:
    found, before = added(cast), outside(cast)
    start_writing()
    facets = observables.Facets(message="Known bad, look at the proxy", tags=["c2"], ioc=True)
    observables.edit_observable(cast.case("shared"), found, facets, version=found.version, by=cast("ada"))
    db.session.commit()
    assert outside(cast) == before


def test_what_the_team_wrote_on_evidence_outlives_its_withdrawal(cast: Cast) -> None:
    found = added(cast)
    start_writing()
    observables.edit_observable(cast.case("shared"), found, observables.Facets(message="Known bad"), version=found.version, by=cast("ada"))
    db.session.commit()
    act(cast, lambda window: window.evidence.withdraw_item(cast.world.cases["shared"], found.uid))
    assert [item.shown for item in Window(cast("rhea")).evidence.items(cast.world.cases["shared"]).rows if "odd" in item.shown] == []
    left = db.session.scalars(select(Observable).where(Observable.value == ITEM)).one()
    assert (left.author_external, left.message) == (False, "Known bad")


def test_evidence_nobody_worked_on_is_gone_when_withdrawn(cast: Cast) -> None:
    found = added(cast)
    act(cast, lambda window: window.evidence.withdraw_item(cast.world.cases["shared"], found.uid))
    assert db.session.scalars(select(Observable).where(Observable.value == ITEM)).all() == []
