"""Content kept once, cleared away when nothing names it, and compared with what was accepted; without HTTP."""

from __future__ import annotations

import hashlib
import io
import resource
import zipfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from click import ClickException
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Table, delete, insert, select

from portal.accounts.permissions import Permission
from portal.accounts.sessions import viewer_of
from portal.cases import attachments, cases
from portal.cases.models import Attachment, Case
from portal.clock import at, now
from portal.database import start_writing
from portal.extensions import db
from portal.refusals import Refusal
from portal.storage import intake, store, sweep
from portal.storage.cli import compare
from portal.storage.models import Blob
from tests import factories as make
from tests.fixtures.world import World

TABLE = cast("Table", Attachment.__table__)


def contents(app: Flask) -> list[Path]:
    return sorted(path for path in (app.config["SETTINGS"].instance / "attachments").rglob("*") if path.is_file())


@pytest.fixture
def ada(app: Flask, world: World) -> Any:
    with app.app_context():
        start_writing()
        yield viewer_of(world.people["ada"], world.places["here"])
        db.session.rollback()


def case_of(world: World, name: str) -> Case:
    return db.session.scalars(select(Case).where(Case.number == world.cases[name])).one()


def file_hash(path: Path) -> str:
    return path.parent.name + path.name


def unused_since(sha256: str) -> Any:
    """What a sweep finds out about a content."""
    sweep.sweep()
    found = db.session.scalars(select(Blob.unused_since).where(Blob.sha256 == sha256)).one()
    db.session.rollback()
    return found


@given(st.text())
def test_any_name_becomes_one_that_is_safe_and_stays_so(name: str) -> None:
    clean = intake.clean_name(name)
    assert 0 < len(clean) <= 255
    assert clean == intake.clean_name(clean)
    assert not set(clean) & set("/\\\0\n\r\u202e\u200b")
    assert clean.strip(" .") != ""
    clean.encode()


def test_a_long_name_keeps_its_extension_and_its_number() -> None:
    assert intake.clean_name("x" * 400 + ".docx").endswith("x.docx")
    assert intake.shortened("x" * 255, " (2)").endswith("x (2)")
    assert intake.clean_name("C:\\Windows\\system.ini") == "system.ini"


def test_types_are_told_by_content() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.txt", "a")
    assert intake.sniff(b"%PDF-1.7\n") == "application/pdf"
    assert intake.sniff(packed.getvalue()) == "application/zip"
    assert intake.sniff("Grüße".encode()) == "text/plain"
    assert intake.sniff(b"\x00\x01\x02") == "application/octet-stream"
    assert intake.sniff(b"") == "application/octet-stream"


def test_the_same_content_is_kept_once_and_stays_while_somebody_names_it(app: Flask, world: World, ada: Any) -> None:
    one = make.attach(case_of(world, "shared"), ada, "a.txt", b"the same")
    two = make.attach(case_of(world, "internal"), ada, "b.txt", b"the same")
    assert one.blob_id == two.blob_id
    db.session.commit()
    assert len(contents(app)) == 2, "the content, and what the second upload left to its request"
    assert unused_since(one.sha256) is None
    for name, file in (("shared", one), ("internal", two)):
        start_writing()
        attachments.remove_file(case_of(world, name), db.session.get_one(Attachment, file.id), by=ada)
        db.session.commit()
        assert (unused_since(one.sha256) is None) is (file is one)


def test_unused_content_goes_after_a_day_and_not_before(app: Flask, world: World, ada: Any) -> None:
    file = make.attach(case_of(world, "shared"), ada, "a.txt", b"short-lived")
    attachments.remove_file(case_of(world, "shared"), file, by=ada)
    db.session.commit()
    path = store.path_of(hashlib.sha256(b"short-lived").hexdigest())
    assert unused_since(file_hash(path)) is not None
    with at(now() + timedelta(hours=23)):
        sweep.sweep()
    assert path.exists()
    with at(now() + timedelta(hours=25)):
        assert sweep.sweep() >= 1
    assert not path.exists()
    assert not list(store.unnamed().rglob("*")), "it was removed on purpose"
    assert db.session.scalar(select(Blob).where(Blob.sha256 == file_hash(path))) is None


def test_content_used_again_within_the_day_stays(app: Flask, world: World, ada: Any) -> None:
    file = make.attach(case_of(world, "shared"), ada, "a.txt", b"again")
    attachments.remove_file(case_of(world, "shared"), file, by=ada)
    make.attach(case_of(world, "shared"), ada, "b.txt", b"again")
    db.session.commit()
    with at(now() + timedelta(hours=30)):
        sweep.sweep()
    assert store.path_of(hashlib.sha256(b"again").hexdigest()).exists()


def test_files_of_a_deleted_case_go_too(app: Flask, world: World, ada: Any) -> None:
    file = make.attach(case_of(world, "internal"), ada, "a.txt", b"of a deleted case")
    path = store.path_of(file.sha256)
    db.session.delete(case_of(world, "internal"))
    db.session.commit()
    sweep.sweep()
    with at(now() + timedelta(hours=25)):
        sweep.sweep()
    assert not path.exists()


def test_bytes_without_a_row_and_leftovers_are_cleared_away(app: Flask, world: World, ada: Any) -> None:
    """What a kill between the rename and the commit leaves behind."""
    make.attach(case_of(world, "shared"), ada, "a.txt", b"never committed")
    path = store.path_of(hashlib.sha256(b"never committed").hexdigest())
    db.session.rollback()
    assert path.exists()
    half = store.incoming() / "half.part"
    half.write_bytes(b"half")
    sweep.sweep()
    assert not path.exists()
    assert aside() == ["never committed"]
    assert half.exists(), "it may still be coming"
    with at(now() + timedelta(hours=25)):
        sweep.sweep()
    assert not half.exists()
    with at(now() + timedelta(days=29)):
        sweep.sweep()
    assert aside() == ["never committed"]
    with at(now() + timedelta(days=32)):
        assert sweep.sweep() == 1
    assert not list(store.unnamed().rglob("*"))


def aside() -> list[str]:
    """What lies aside because no row names it."""
    return sorted(path.read_text() for path in store.unnamed().rglob("*") if path.is_file())


def write(*statements: Any) -> None:
    start_writing()
    for statement in statements:
        db.session.connection().execute(statement)
    db.session.commit()


def test_the_wrong_database_moves_a_few_files_and_the_right_one_brings_them_back(app: Flask, world: World, ada: Any) -> None:
    file = make.attach(case_of(world, "shared"), ada, "a.txt", b"accepted")
    db.session.commit()
    blob = dict(db.session.execute(select(store.blobs).where(store.blobs.c.sha256 == file.sha256)).one()._mapping)
    attachment = dict(db.session.execute(select(TABLE).where(TABLE.c.uid == file.uid)).one()._mapping)
    db.session.rollback()
    write(delete(TABLE).where(TABLE.c.uid == attachment["uid"]), delete(store.blobs).where(store.blobs.c.id == blob["id"]))
    sweep.sweep()
    found = sweep.check()
    assert [sha256 for _, sha256 in found.aside] == [blob["sha256"]]
    write(insert(store.blobs).values(blob), insert(TABLE).values(attachment))
    assert blob["sha256"] in sweep.check().missing
    with at(now() + timedelta(days=40)):
        sweep.sweep()
    assert store.path_of(blob["sha256"]).read_bytes() == b"accepted"
    assert aside() == []


@pytest.mark.parametrize(("known", "touched"), [(20, False), (21, True)])
def test_a_store_most_of_which_no_row_names_is_left_alone(
    app: Flask, world: World, ada: Any, caplog: pytest.LogCaptureFixture, known: int, touched: bool
) -> None:
    for n in range(known):
        make.attach(case_of(world, "shared"), ada, f"{n}.txt", f"known {n}".encode())
    db.session.commit()
    for n in range(21):
        sha256 = hashlib.sha256(f"of another database {n}".encode()).hexdigest()
        store.path_of(sha256).parent.mkdir(parents=True, exist_ok=True)
        store.path_of(sha256).write_text(f"of another database {n}")
    sweep.sweep()
    assert len(aside()) == (21 if touched else 0)
    assert ("Is it the database these files belong to?" in caplog.text) is not touched


def test_portal_files_check_tells_what_lies_aside(app: Flask, world: World, ada: Any, capsys: pytest.CaptureFixture[str]) -> None:
    make.attach(case_of(world, "shared"), ada, "a.txt", b"never committed")
    db.session.rollback()
    sweep.sweep()
    with pytest.raises(ClickException):  # the bytes of the world's own files are not in the tests' stores
        compare(app)
    assert f"aside    {hashlib.sha256(b'never committed').hexdigest()}  since {now().date()}" in capsys.readouterr().out


def test_a_check_finds_what_is_missing_changed_or_unnamed(app: Flask, world: World, ada: Any) -> None:
    files = [make.attach(case_of(world, "shared"), ada, f"{n}.txt", n.encode()) for n in ("good", "changed", "missing")]
    hashes = {file.name: file.sha256 for file in files}
    db.session.commit()
    store.path_of(hashes["changed.txt"]).write_bytes(b"CHANGED")
    store.path_of(hashes["missing.txt"]).unlink()
    found = sweep.check()
    assert hashes["changed.txt"] in found.changed
    assert hashes["missing.txt"] in found.missing
    assert hashes["good.txt"] not in found.changed + found.missing
    assert not found.well


def test_content_that_was_lost_is_healed_by_the_next_upload(app: Flask, world: World, ada: Any) -> None:
    file = make.attach(case_of(world, "shared"), ada, "a.txt", b"lost and found")
    store.path_of(file.sha256).unlink()
    make.attach(case_of(world, "shared"), ada, "b.txt", b"lost and found")
    with store.open_content(file.sha256) as content:
        assert content.read() == b"lost and found"


def test_content_that_was_cut_short_is_healed_by_the_next_upload(app: Flask, world: World, ada: Any) -> None:
    file = make.attach(case_of(world, "shared"), ada, "a.txt", b"whole once more")
    store.path_of(file.sha256).write_bytes(b"whole")
    make.attach(case_of(world, "shared"), ada, "b.txt", b"whole once more")
    assert store.path_of(file.sha256).read_bytes() == b"whole once more"


@pytest.mark.parametrize("ending", ["read to its end", "broken off"])
def test_a_disk_that_fills_up_at_the_last_bytes_is_said_of_the_file(app: Flask, ending: str) -> None:
    """A small file waits in memory until its end, so it is then that the disk refuses."""
    with app.app_context():
        place = intake.incoming()
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
        try:
            place.write(b"x" * 1000)
            if ending == "read to its end":
                place.seek(0)
                with pytest.raises(Refusal, match="no room on the disk"):
                    intake.check(place.upload("a.txt"))
            place.close()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert not place.path.exists()


def test_a_full_disk_is_said_of_the_file(app: Flask, world: World, ada: Any) -> None:
    place = intake.incoming()
    place.path = place.path.parent / "no-such-folder" / "x.part"
    place.write(b"does not fit")
    place.seek(0)
    with pytest.raises(Refusal, match="no room on the disk"):
        intake.check(place.upload("a.txt"))


def test_only_hashes_lead_to_paths(app: Flask) -> None:
    with app.app_context():
        for odd in ("", "../../etc/passwd", "g" * 64, "A" * 64, "a" * 63):
            with pytest.raises(store.Damaged):
                store.path_of(odd)


def test_the_date_outside_falls_back_when_a_file_is_taken_away(app: Flask, world: World, ada: Any) -> None:
    case = cases.load(world.cases["shared"])
    before = case.outside_at
    with at(now() + timedelta(hours=1)):
        file = make.attach(case, ada, "a.txt", b"a", external=True)
        assert case.outside_at > before
        attachments.remove_file(case, file, by=ada)
    assert case.outside_at == before


def test_an_internal_file_moves_no_date_outside(app: Flask, world: World, ada: Any) -> None:
    case = cases.load(world.cases["shared"])
    before = case.outside_at
    with at(now() + timedelta(hours=1)):
        make.attach(case, ada, "a.txt", b"a")
    assert case.outside_at == before
    assert db.session.scalars(select(Attachment.outside_at).where(Attachment.name == "a.txt")).one() is None


def test_an_outsider_is_not_told_of_internal_files_by_a_full_case(app: Flask, world: World, ada: Any) -> None:
    hanna = replace(viewer_of(world.people["hanna"], world.places["here"]), permissions=frozenset({Permission.UPDATE_CASE}))
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], max_files=3)
    case = case_of(world, "shared")
    make.attach(case, ada, "third.txt", b"the second internal one")
    with pytest.raises(Refusal, match="can have 3 files"):
        make.attach(case, ada, "fourth.txt", b"4")
    for n in range(2):
        make.attach(case, hanna, f"{n}.txt", f"from outside {n}".encode())
    with pytest.raises(Refusal, match="can have 3 files"):
        make.attach(case, hanna, "last.txt", b"last")
