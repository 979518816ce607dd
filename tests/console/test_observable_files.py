"""Files as observables where others work meanwhile: forms that are read slowly, twins of a form, files that are packed."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from portal.audit.kinds import Kind
from portal.audit.models import AuditEntry
from portal.cases import archives, samples
from portal.cases.models import Case, Observable
from portal.extensions import db
from portal.sharing.models import Access
from tests.access.roads import Road, traveller
from tests.fixtures.world import BASE, Browser, World

Browse = Callable[[str], Browser]
PLAIN = {"tlp": "2", "pap": "2", "type": "file"}


@pytest.fixture
def path(world: World) -> str:
    return f"/console/cases/{world.cases['shared']}/observables"


def form(token: str, **more: str) -> bytes:
    fields = {"csrf_token": token, **PLAIN, **more}
    parts = [f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()]
    return "".join([*parts, '--b\r\nContent-Disposition: form-data; name="files"; filename="a.exe"\r\n\r\nMZ slow\r\n--b--\r\n']).encode()


class Slow(io.BytesIO):
    """A body during whose arrival something else happens, once."""

    def __init__(self, body: bytes, meanwhile: Callable[[], None]) -> None:
        super().__init__(body)
        self._meanwhile: Callable[[], None] | None = meanwhile

    def _happen(self) -> None:
        happens, self._meanwhile = self._meanwhile, None
        if happens:
            happens()

    def read(self, *size: Any) -> bytes:
        self._happen()
        return super().read(*size)

    def readinto(self, buffer: Any) -> int:
        self._happen()
        return super().readinto(buffer)


def somewhere_else(app: Flask, world: World, **values: Any) -> Callable[[], None]:
    """Something that is committed by another request."""

    def commit() -> None:
        with app.app_context(), db.engine.connect().execution_options(write=True) as connection, connection.begin():
            connection.execute(update(Case.__table__).where(Case.__table__.c.number == world.cases["shared"]).values(**values))

    return commit


@pytest.mark.parametrize("submission", ["", "s1"])
@pytest.mark.parametrize("form_of", ["observables/files", "attachments"])
def test_a_form_is_taken_when_others_write_while_it_is_read(
    app: Flask, world: World, browse: Browse, form_of: str, submission: str
) -> None:
    ada = browse("ada")
    ada.get("/console/account")
    body = form(ada.token, submission=submission)
    sent: dict[str, Any] = {"content_length": len(body), "content_type": "multipart/form-data; boundary=b", "headers": {"Origin": BASE}}
    commit, open_ = somewhere_else(app, world, title="Meanwhile"), []

    def meanwhile() -> None:
        open_.append(db.session().in_transaction())
        commit()

    stream = Slow(body, meanwhile)
    answer = ada.client.post(f"/console/cases/{world.cases['shared']}/{form_of}", base_url=BASE, input_stream=stream, **sent)
    assert answer.status_code == 303, answer.text
    assert open_ == [False], "nothing waits in the database for somebody's slow connection"
    assert "Meanwhile" in ada.get(f"/console/cases/{world.cases['shared']}").text


def test_twins_of_a_form_add_once_and_get_one_answer(
    app: Flask, world: World, browse: Browse, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are unpacked before either of them writes."""
    both, received = threading.Barrier(2), samples.as_received

    def together(uploads: Any) -> Any:
        both.wait(20)
        return received(uploads)

    monkeypatch.setattr(samples, "as_received", together)
    person = traveller(app, browse, "ada")
    road = Road("", None, "POST", f"{path}/files")

    def send() -> Any:
        files = [(io.BytesIO(b"MZ twin"), "twin.exe")]
        return person.go(road, {**PLAIN, "submission": "s1", "files": files})

    with ThreadPoolExecutor(2) as pool:
        answers = [job.result() for job in [pool.submit(send) for _ in range(2)]]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert len({answer.headers["Location"] for answer in answers}) == 1
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Observable).where(Observable.value == "twin.exe")) == 1


def a_file(ada: Browser, app: Flask, path: str) -> str:
    """The address of a file observable."""
    files = [(io.BytesIO(b"MZ packed"), "packed.exe")]
    assert ada.post(f"{path}/files", {**PLAIN, "files": files}, content_type="multipart/form-data").status_code == 303
    with app.app_context():
        return f"{path}/{db.session.scalars(select(Observable.uid).where(Observable.value == 'packed.exe')).one()}/download"


def test_nothing_is_open_in_the_database_while_a_file_is_packed(
    app: Flask, browse: Browse, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = browse("ada")
    url, seal, open_ = a_file(ada, app, path), archives.seal, []

    def watched(*words: Any) -> None:
        open_.append(db.session().in_transaction())
        seal(*words)

    monkeypatch.setattr(archives, "seal", watched)
    assert ada.get(url).status_code == 200
    assert open_ == [False]


def test_who_loses_the_case_while_a_file_is_packed_does_not_get_it(
    app: Flask, world: World, browse: Browse, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, seal = a_file(browse("ada"), app, path), archives.seal
    close = somewhere_else(app, world, access=Access.RESTRICTED)

    def packed(*words: Any) -> None:
        seal(*words)
        close()

    monkeypatch.setattr(archives, "seal", packed)
    assert browse("olga").get(url).status_code == 404
    with app.app_context():
        assert not db.session.scalars(select(AuditEntry.id).where(AuditEntry.kind == Kind.OBSERVABLE_DOWNLOADED)).all()


def test_one_file_is_packed_at_a_time(app: Flask, browse: Browse, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    url, seal, under_way, most = a_file(browse("ada"), app, path), archives.seal, [], []

    def slowly(*words: Any) -> None:
        under_way.append(1)
        most.append(len(under_way))
        time.sleep(0.1)
        seal(*words)
        under_way.pop()

    monkeypatch.setattr(archives, "seal", slowly)
    people = [browse("ada") for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        assert [job.result().status_code for job in [pool.submit(person.get, url) for person in people]] == [200] * 3
    assert most == [1, 1, 1]
