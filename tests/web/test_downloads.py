"""Handing out files: parts only of what is whole, and on record whatever was asked for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.audit.kinds import Kind
from portal.audit.models import AuditEntry
from portal.clock import at, now
from portal.database import start_writing
from portal.extensions import db
from portal.storage import store
from portal.web import downloads
from tests.factories import attach
from tests.fixtures.rooms import Cast
from tests.fixtures.world import BASE, Browser, World

Browse = Callable[[str], Browser]
CONTENT = b"0123456789" * 300_000


@pytest.fixture
def file(app: Flask, world: World) -> str:
    """A file outsiders can read; its address in the portal."""
    with app.app_context():
        start_writing()
        cast = Cast(world)
        uid = attach(cast.case("shared"), cast("ada"), "long.bin", CONTENT, external=True).uid
        db.session.commit()
    return f"/portal/cases/{world.cases['shared']}/files/{uid}"


def on_record(app: Flask) -> int:
    with app.app_context():
        wanted = select(func.count(AuditEntry.id)).where(AuditEntry.kind == Kind.FILE_DOWNLOADED)
        return db.session.scalar(wanted) or 0


@pytest.mark.parametrize("part", ["bytes=1-", "bytes=-10", "bytes=0-0", "bytes=2999999-99999999"])
def test_any_part_of_a_file_goes_on_record(app: Flask, browse: Browse, file: str, part: str) -> None:
    assert browse("hanna").get(file, headers={"Range": part}).status_code in (200, 206)
    assert on_record(app) == 1


def test_one_record_an_hour_and_person_is_enough(app: Flask, browse: Browse, file: str) -> None:
    hanna = browse("hanna")
    for first in range(5):
        assert hanna.get(file, headers={"Range": f"bytes={first}-{first}"}).data == str(first).encode()
    assert on_record(app) == 1
    browse("rhea").get(file)
    assert on_record(app) == 2
    with at(now() + timedelta(minutes=61)):
        browse("hanna").get(file)
    assert on_record(app) == 3


def test_who_gets_nothing_is_not_on_record(app: Flask, browse: Browse, file: str) -> None:
    hanna = browse("hanna")
    for headers in ({}, {"Range": "bytes=0-1"}):
        assert hanna.client.head(file, base_url=BASE, headers=headers).status_code in (200, 206)
    etag = hanna.client.head(file, base_url=BASE).headers["ETag"]
    assert hanna.get(file, headers={"If-None-Match": etag}).status_code == 304
    assert hanna.get(file, headers={"Range": "bytes=9999999-"}).status_code == 416
    assert on_record(app) == 0


def test_no_part_of_changed_bytes_is_handed_out(app: Flask, world: World, browse: Browse, file: str) -> None:
    hanna = browse("hanna")
    etag = hanna.client.head(file, base_url=BASE).headers["ETag"]
    with app.app_context():
        path = store.path_of(etag.strip('"'))
    path.chmod(0o600)
    path.write_bytes(CONTENT[:-1] + b"X")
    answer = hanna.get(file, headers={"Range": "bytes=0-9"})
    assert answer.status_code == 410
    assert b"0123456789" not in answer.data
    assert on_record(app) == 0


def test_large_files_come_as_a_whole(browse: Browse, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "PARTS_UP_TO", 1000)
    answer = browse("hanna").get(file, headers={"Range": "bytes=0-9"})
    assert (answer.status_code, answer.data) == (200, CONTENT)
    assert "Accept-Ranges" not in answer.headers
