"""What an outsider's window shows and refuses, without HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from portal.accounts import sessions
from portal.cases import comments
from portal.cases.models import Case
from portal.database import start_writing
from portal.extensions import db
from portal.refusals import NotAllowed, NotVisible
from portal.sharing import guard, marks
from portal.sharing.access import set_access
from portal.sharing.models import Access
from portal.sharing.window import Window
from tests.fixtures.rooms import at_once
from tests.fixtures.world import World


@pytest.fixture
def window(app: Flask, world: World) -> Iterator[Callable[..., Window]]:
    """window(who, place) -> that person's window, the guard engaged."""
    with app.app_context():

        def look(who: str, place: str = "here") -> Window:
            guard.release()
            viewer = sessions.viewer_of(world.people[who], world.places[place])
            assert viewer is not None
            db.session.rollback()
            guard.engage(viewer)
            return Window(viewer)

        yield look
        guard.release()


def test_hanna_sees_what_was_shared_and_nothing_else(window: Callable[..., Window], world: World) -> None:
    titles = [row.title for row in window("hanna").cases().rows]
    assert titles == ["The all case", "The shared case"]


def test_vic_sees_only_what_is_for_everybody(window: Callable[..., Window]) -> None:
    assert [row.title for row in window("vic").cases().rows] == ["The all case"]


@pytest.mark.parametrize("name", ["internal", "restricted", "revoked", "foreign"])
def test_hanna_cannot_open_what_is_not_shared(window: Callable[..., Window], world: World, name: str) -> None:
    with pytest.raises(NotVisible):
        window("hanna").case(world.cases[name])
    with pytest.raises(NotVisible):
        window("hanna").messages(world.cases[name])


def test_messages_are_the_external_ones(window: Callable[..., Window], world: World) -> None:
    messages = window("hanna").messages(world.cases["shared"])
    assert [m.author for m in messages] == ["Ada Person", "Hanna Person"]
    assert [m.mine for m in messages] == [False, True]
    assert "Internal" not in "".join(m.message_html for m in messages)


def test_a_reader_cannot_write(window: Callable[..., Window], world: World) -> None:
    with pytest.raises(NotAllowed):
        window("rhea").add_message(world.cases["shared"], "May I?")


def test_a_message_belongs_to_its_case(window: Callable[..., Window], world: World) -> None:
    """Parent and child are asked for together: the number of one case does not open a message of another."""
    with pytest.raises(NotVisible):
        window("hanna").message(world.cases["all"], world.comments["shared-hanna"])


def test_others_words_are_not_hannas_to_change(window: Callable[..., Window], world: World) -> None:
    with pytest.raises(NotVisible):
        window("hanna").edit_message(world.cases["shared"], world.comments["shared-external"], "changed")


def test_an_edit_before_publishing_is_not_told(window: Callable[..., Window], world: World) -> None:
    number = world.cases["shared"]
    look = window("hanna")
    guard.release()
    start_writing()
    case, ada = _case(number), sessions.viewer_of(world.people["ada"], world.places["here"])
    assert ada is not None
    note = comments.add_comment(case, "A first draft.", external=False, by=ada)
    comments.edit_comment(case, note, "The final words.", by=ada)
    marks.mark_comment(case, note, True, by=ada)
    db.session.commit()
    guard.engage(look.viewer)
    assert [m.edited_at for m in look.messages(number) if "final words" in m.message_html] == [None]


@pytest.mark.postgres_only
def test_a_message_that_waited_for_a_narrowing_is_refused(app: Flask, window: Callable[..., Window], world: World) -> None:
    """Both hold the case's row, one after the other: what counts is what holds after the wait."""
    hanna, locked = window("hanna"), threading.Event()
    guard.release()

    def narrow() -> None:
        start_writing()
        case, ada = _case(world.cases["shared"], lock=True), sessions.viewer_of(world.people["ada"], world.places["here"])
        assert ada is not None
        set_access(case, Access.EXTERNAL, {world.people["rhea"]}, by=ada)
        db.session.flush()
        locked.set()
        time.sleep(0.5)  # the message waits for the row meanwhile
        db.session.commit()

    def write() -> None:
        assert locked.wait(10)
        guard.engage(hanna.viewer)
        hanna.add_message(world.cases["shared"], "Am I still in?")
        db.session.commit()

    assert isinstance(at_once(app, narrow, write)[1], NotVisible)


def _case(number: int, *, lock: bool = False) -> Case:
    wanted = select(Case).where(Case.number == number)
    return db.session.scalars(wanted.with_for_update() if lock else wanted).one()
