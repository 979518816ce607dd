"""What happens while a case is being taken along: what was taken back, and from whom, is not handed out after that."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import IO

import pytest
from flask import Flask
from sqlalchemy import select, update

from portal.accounts import sessions
from portal.accounts.models import LoginSession, User
from portal.database import start_writing
from portal.extensions import db
from portal.external import download
from portal.refusals import NotVisible, Refusal
from portal.sharing import marks
from portal.sharing.window import Window
from portal.storage import store
from portal.web import archive, paper
from tests.external.test_download import add, contents, on_record, path
from tests.factories import attach, say, share
from tests.fixtures.rooms import Cast
from tests.fixtures.world import BASE, Browser, World

Browse = Callable[[str], Browser]


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "turns", archive.Turns(3))


def meanwhile(app: Flask, world: World, *acts: Callable[[Cast], object]) -> Callable[[str], IO[bytes]]:
    """Makes a document of its own source, while somebody else does the next of these and is told that it is done."""
    left = list(acts)

    def act() -> None:
        with app.app_context():
            assert db.engine.pool.checkedout() == 0, "nothing stays open while it is made"  # type: ignore[attr-defined]
            start_writing()
            left.pop(0)(Cast(world))
            db.session.commit()

    def made(html: str) -> IO[bytes]:
        if left:
            with ThreadPoolExecutor() as others:
                others.submit(act).result(20)
        return io.BytesIO(html.encode())

    return made


def hide(name: str) -> Callable[[Cast], object]:
    return lambda cast: marks.mark_comment(cast.case("shared"), cast.comment(f"shared-{name}"), False, by=cast("ada"))


def lock(cast: Cast) -> object:
    return db.session.execute(update(User).where(User.id == cast.world.people["hanna"]).values(active=False))


def unname(_cast: Cast) -> object:
    return db.session.connection().execute(db.metadata.tables["organisation"].update().values(names_analysts=False))


GONE = {
    "revoked": lambda cast: share(cast.case("shared"), cast("ada")),
    "signed out": lambda cast: sessions.end_all(cast.user("hanna")),
    "locked": lock,
    "not named": unname,
}


@pytest.mark.parametrize("how", list(GONE))
def test_a_pdf_is_not_handed_out_after_what_happened_while_it_was_made(
    app: Flask, world: World, browse: Browse, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(paper, "print_out", meanwhile(app, world, GONE[how]))
    answer = browse("hanna").get(path(world, kind="pdf"))
    assert answer.status_code == 404
    assert b"Description of the shared case" not in answer.data
    assert on_record(app) == []


def test_what_was_taken_back_while_a_pdf_was_made_is_not_in_it(
    app: Flask, world: World, browse: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paper, "print_out", meanwhile(app, world, hide("external")))
    answer = browse("hanna").get(path(world, kind="pdf"))
    assert answer.status_code == 200
    assert b"Description of the shared case" in answer.data
    assert b"External word on shared." not in answer.data
    assert len(on_record(app)) == 1


def test_a_pdf_is_made_anew_once_and_then_refused(app: Flask, world: World, browse: Browse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paper, "print_out", meanwhile(app, world, hide("external"), hide("hanna")))
    hanna = browse("hanna")
    answer = hanna.get(path(world, kind="pdf"))
    assert answer.status_code == 409
    assert "changed or withdrawn" in answer.text
    assert on_record(app) == []
    assert hanna.get(path(world, kind="pdf")).status_code == 200


def test_what_is_added_while_a_pdf_is_made_does_not_keep_it(
    app: Flask, world: World, browse: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    pressed = meanwhile(app, world, *[lambda cast: say(cast.case("shared"), cast("hanna"), "One more.")] * 2)
    monkeypatch.setattr(paper, "print_out", pressed)
    answer = browse("hanna").get(path(world, kind="pdf"))
    assert (answer.status_code, b"One more." in answer.data) == (200, False)


def do(app: Flask, world: World, act: Callable[[Cast], object]) -> None:
    with app.app_context():
        start_writing()
        act(Cast(world))
        db.session.commit()


def test_a_text_of_the_zip_is_written_when_its_turn_comes(app: Flask, world: World, browse: Browse) -> None:
    answer = browse("hanna").client.get(path(world), base_url=BASE, buffered=False)  # the first of them is made
    do(app, world, hide("external"))
    do(app, world, lambda cast: attach(cast.case("shared"), cast("ada"), "later.txt", b"Later.", external=True))
    got = contents(b"".join(answer.response))
    assert [name for name, data in got.items() if b"External word on shared." in data] == ["case.html"]
    assert b"Hanna's word on shared." in got["messages.txt"]
    assert b"later.txt" not in b"\n".join(got.values()), "it is not in this archive"


@pytest.mark.parametrize("how", [*GONE, "hidden"])
def test_a_text_of_the_zip_goes_on_only_while_it_holds(
    app: Flask, world: World, browse: Browse, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(download, "PIECE", 100)
    answer = browse("hanna").client.get(path(world), base_url=BASE, buffered=False)
    pieces = iter(answer.response)
    got = [next(pieces) for _ in range(4)]
    do(app, world, {**GONE, "hidden": hide("external")}[how])
    with pytest.raises((NotVisible, Refusal)):
        got.extend(pieces)
    assert not zipfile.is_zipfile(io.BytesIO(b"".join(got)))
    archive.turns.take(world.people["hanna"])  # it was given back


@pytest.mark.parametrize("how", ["locked", "revoked"])
def test_a_large_file_stops_where_its_reader_may_not_go_on(app: Flask, world: World, browse: Browse, how: str) -> None:
    uid = add(app, world, ("large.bin", bytes(5 * store.BLOCK), True))[0]
    with app.app_context():
        pieces = Window(Cast(world)("hanna")).takeout.reader(world.cases["shared"])(uid)
    assert next(pieces)
    do(app, world, GONE[how])
    with pytest.raises(NotVisible):
        next(pieces)


def test_a_file_is_not_read_for_a_session_that_has_ended(app: Flask, world: World) -> None:
    uid = add(app, world, ("plan.txt", b"For you.", True))[0]
    with app.app_context():
        start_writing()
        sessions.open_session(Cast(world).user("hanna"), world.places["here"], "portal")
        db.session.commit()
        alive = db.session.scalars(select(LoginSession.id).where(LoginSession.user_id == world.people["hanna"])).one()
        read = Window(replace(Cast(world)("hanna"), session_id=alive)).takeout.reader(world.cases["shared"])
    assert b"".join(read(uid)) == b"For you."
    do(app, world, GONE["signed out"])
    with pytest.raises(NotVisible):
        read(uid)


def test_a_look_that_is_over_takes_nothing_more(app: Flask, world: World, browse: Browse) -> None:
    add(app, world, ("plan.txt", b"For you.", True))
    ada, number = browse("ada"), world.cases["shared"]
    ada.confirm(f"/console/cases/{number}/view-as", {"person": str(world.people["hanna"])})
    answer = ada.client.get(path(world), base_url=BASE, buffered=False)
    do(app, world, lambda cast: sessions.end_all(cast.user("ada")))
    with pytest.raises(NotVisible):
        b"".join(answer.response)
