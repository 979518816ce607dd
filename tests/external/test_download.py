"""A case taken along: exactly what this person may see at this moment, and on record."""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import select, update

from portal.accounts.models import User
from portal.audit.kinds import Kind
from portal.audit.models import AuditEntry
from portal.cases import observables
from portal.cases.models import Attachment
from portal.clock import at, now
from portal.database import start_writing
from portal.extensions import db
from portal.external import download
from portal.refusals import NotVisible
from portal.sharing import marks, takeout
from portal.sharing.window import Window
from portal.storage import store
from portal.web import archive, paper
from tests.access.roads import Road, plain, traveller
from tests.factories import attach, say, share
from tests.fixtures.rooms import Cast
from tests.fixtures.world import BASE, Browser, World

Browse = Callable[[str], Browser]
needs_paper = pytest.mark.skipif(not paper.possible(), reason="the extra 'pdf' is not installed")
KINDS = ["zip", pytest.param("pdf", marks=needs_paper)]


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "turns", archive.Turns(3))


def path(world: World, name: str = "shared", kind: str = "zip") -> str:
    return f"/portal/cases/{world.cases.get(name, 987_654)}/download/{kind}"


def contents(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        assert packed.testzip() is None
        return {name: packed.read(name) for name in packed.namelist()}


def add(app: Flask, world: World, *files: tuple[str, bytes, bool]) -> list[str]:
    """Files of Ada's on the shared case; their uids."""
    with app.app_context():
        start_writing()
        cast = Cast(world)
        uids = [attach(cast.case("shared"), cast("ada"), name, data, external=out).uid for name, data, out in files]
        db.session.commit()
    return uids


def on_record(app: Flask) -> list[tuple[str, str]]:
    with app.app_context():
        rows = db.session.execute(select(AuditEntry.actor_name, AuditEntry.object_id).where(AuditEntry.kind == Kind.CASE_DOWNLOADED.value))
        return [(name, what) for name, what in rows]


def test_hanna_takes_what_she_sees_and_nothing_else(app: Flask, world: World, browse: Browse) -> None:
    add(app, world, ("plan.txt", b"For you.", True), ("secret.txt", b"Not for you.", False))
    answer = browse("hanna").get(path(world))
    number = world.cases["shared"]
    assert (answer.status_code, answer.mimetype) == (200, "application/zip")
    assert f'filename="case-{number}.zip"' in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"] == "no-store"
    got = contents(answer.data)
    page = got["case.html"].decode()
    for words in ("The shared case", "External word on shared.", "word on shared.", "Region of shared", "plan.txt"):
        assert words in page
    assert got["files/plan.txt"] == b"For you."
    everything = b"\n".join([*got.values(), *(name.encode() for name in got)])
    for words in (b"Internal", b"internal", b"secret", b"4711", b"Not for you", b"sample-of", b"task", b"TLP"):
        assert words not in everything, words


def test_the_list_and_the_sums_are_those_of_the_files(app: Flask, world: World, browse: Browse) -> None:
    add(app, world, ("a.txt", b"one", True), ("A.TXT", b"two", True), ("=cmd.txt", b"three", True))
    got = contents(browse("hanna").get(path(world)).data)
    sums = dict(reversed(line.split("  ")) for line in got["SHA256SUMS"].decode().splitlines())
    kept = {name: data for name, data in got.items() if name.startswith("files/")}
    assert set(kept) >= {"files/a.txt", "files/A (2).TXT", "files/=cmd.txt"}
    for name, data in kept.items():
        assert sums[name] == hashlib.sha256(data).hexdigest()
    rows = list(csv.DictReader(io.StringIO(got["files.csv"].decode("utf-8-sig"))))
    assert {"files/a.txt", "files/A (2).TXT"} <= {row["file"] for row in rows}
    assert "'=cmd.txt" in {row["name"] for row in rows}
    assert {row["added by"] for row in rows} == {"Ada Person (security team)"}
    assert all(row["SHA-256"] == sums[row["file"]] for row in rows)


def test_a_team_that_signs_as_a_team_is_not_named(app: Flask, world: World, browse: Browse) -> None:
    with app.app_context():
        db.session.connection().execute(db.metadata.tables["organisation"].update().values(names_analysts=False))
        db.session.commit()
    got = contents(browse("hanna").get(path(world)).data)
    assert b"Ada" not in b"\n".join(got.values())
    assert b"Security team" in got["files.csv"]


def test_times_are_on_hannas_clock(app: Flask, world: World, browse: Browse) -> None:
    with app.app_context():
        start_writing()
        db.session.execute(update(User).where(User.id == world.people["hanna"]).values(time_zone="Asia/Tokyo"))
        db.session.commit()
    got = contents(browse("hanna").get(path(world)).data)
    assert "All times are in Asia/Tokyo" in got["case.html"].decode()
    assert "All times are in Asia/Tokyo" in got["messages.txt"].decode()
    assert "JST" in got["messages.txt"].decode()
    assert "+09:00" in got["files.csv"].decode()


def test_evidence_items_are_those_of_outsiders(app: Flask, world: World, browse: Browse) -> None:
    with app.app_context():
        start_writing()
        cast = Cast(world)
        case, facets = cast.case("shared"), observables.Facets(message="Between us")
        for who, value in (("hanna", "https://evil.example/a"), ("ada", "https://inside.example/b")):
            key = f"{who:<64}"
            new = observables.new_observable(case, "url", value, key, facets, by=cast(who))
            observables.keep_new(case, [new], by=cast(who))
        db.session.commit()
    got = contents(browse("rhea").get(path(world)).data)
    listed = got["evidence-items.csv"].decode("utf-8-sig")
    assert "hxxps://evil[.]example/a" in listed
    assert "Hanna Person" in listed
    assert b"https://evil.example/a" not in b"\n".join(got.values()), "harmless wherever it could be clicked"
    assert b"inside.example" not in b"\n".join(got.values())
    assert b"Between us" not in b"\n".join(got.values())


def test_the_document_needs_nothing_from_elsewhere(world: World, browse: Browse) -> None:
    page = contents(browse("hanna").get(path(world)).data)["case.html"].decode()
    for word in ("<script", "<link", "<img", "src=", "@import", "url(", "http://127", "hx-", "nonce"):
        assert word not in page, word
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page


@needs_paper
def test_the_pdf_says_the_same(world: World, browse: Browse) -> None:
    answer = browse("hanna").get(path(world, kind="pdf"))
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    reader = PdfReader(io.BytesIO(answer.data))
    text = "\n".join(page.extract_text() for page in reader.pages)
    for words in ("The shared case", "External word on shared.", "Region of shared", "external-of-shared.txt"):
        assert words in text
    assert "nternal word" not in text
    assert reader.metadata is not None
    assert "The shared case" in str(reader.metadata.title)


@needs_paper
def test_a_long_conversation_is_cut_in_the_pdf_and_says_so(
    app: Flask, world: World, browse: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "MOST_MESSAGES", 3)
    with app.app_context():
        start_writing()
        cast = Cast(world)
        for number in range(5):
            say(cast.case("shared"), cast("hanna"), f"Word number {number}.")
        db.session.commit()
    text = plain(browse("hanna").get(path(world, kind="pdf")))
    assert "newest 3 of 7 messages" in text.replace("\n", " ")
    assert "Word number 4." in text
    assert "Word number 1." not in text
    assert "Word number 1." in contents(browse("hanna").get(path(world)).data)["case.html"].decode()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("who", ["hanna", "rhea", "vic", "gast"])
def test_who_cannot_see_the_case_gets_what_an_unknown_number_gets(app: Flask, world: World, browse: Browse, who: str, kind: str) -> None:
    person = traveller(app, browse, who)
    names = ["internal", "restricted", "revoked", "foreign" if who != "gast" else "shared"]
    unknown = plain(person.go(Road("", None, "GET", path(world, "unknown", kind))))
    assert unknown.startswith("404")
    assert {plain(person.go(Road("", None, "GET", path(world, name, kind)))) for name in names} == {unknown}


@pytest.mark.parametrize("kind", KINDS)
def test_a_revoked_case_cannot_be_taken(app: Flask, world: World, browse: Browse, kind: str) -> None:
    hanna = browse("hanna")
    assert hanna.get(path(world, kind=kind)).status_code == 200
    with app.app_context():
        start_writing()
        cast = Cast(world)
        share(cast.case("shared"), cast("ada"))
        db.session.commit()
    assert hanna.get(path(world, kind=kind)).status_code == 404


def test_without_the_library_there_is_a_sentence(world: World, browse: Browse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paper, "possible", lambda: False)
    hanna = browse("hanna")
    answer = hanna.get(path(world, kind="pdf"))
    assert answer.status_code == 404
    assert "Print the page" in answer.text
    assert "Print the page" not in hanna.get(path(world, "internal", "pdf")).text


@pytest.mark.parametrize("how", ["withdrawn", "revoked", "locked", "deleted"])
def test_a_file_is_asked_for_again_when_its_turn_comes(app: Flask, world: World, how: str) -> None:
    uid = add(app, world, ("plan.txt", b"For you.", True))[0]
    number = world.cases["shared"]
    with app.app_context():
        cast = Cast(world)
        read = Window(cast("hanna")).takeout.reader(number)
        assert b"".join(read(uid)) == b"For you."
    with app.app_context():
        start_writing()
        cast = Cast(world)
        case = cast.case("shared")
        file = next(row for row in case_files(case) if row.uid == uid)
        if how == "withdrawn":
            marks.mark_attachment(case, file, False, by=cast("ada"))
        elif how == "revoked":
            share(case, cast("ada"))
        elif how == "locked":
            db.session.execute(update(User).where(User.id == world.people["hanna"]).values(active=False))
        else:
            db.session.delete(file)
        db.session.commit()
    with pytest.raises(NotVisible):
        read(uid)


def case_files(case: Any) -> Any:
    return db.session.scalars(select(Attachment).where(Attachment.case_id == case.id))


def test_what_does_not_fit_is_listed_and_said_beforehand(app: Flask, world: World, browse: Browse, monkeypatch: pytest.MonkeyPatch) -> None:
    add(app, world, ("old.bin", b"o" * 900, True), ("new.bin", b"n" * 900, True))
    monkeypatch.setattr(download, "MOST_FILES", 1000)
    monkeypatch.setitem(app.jinja_env.globals, "most_files", 1000)
    hanna = browse("hanna")
    assert "one by one" in hanna.get(f"/portal/cases/{world.cases['shared']}").text
    got = contents(hanna.get(path(world)).data)
    assert "files/new.bin" in got
    assert "files/old.bin" not in got
    assert "not included" in got["files.csv"].decode()
    assert "old.bin" in got["case.html"].decode()
    assert "not in this download" in got["case.html"].decode()
    assert "old.bin" not in got["SHA256SUMS"].decode()


def test_damaged_content_does_not_stop_the_rest(app: Flask, world: World, browse: Browse) -> None:
    data = b"x" * 10_000
    add(app, world, ("bad.bin", data, True), ("good.bin", b"good", True))
    with app.app_context():
        place = store.path_of(hashlib.sha256(data).hexdigest())
    place.chmod(0o600)
    place.write_bytes(b"y" * 10_000)
    got = contents(browse("hanna").get(path(world)).data)
    assert got["files/good.bin"] == b"good"
    assert "files/bad.bin" not in got
    assert "files/bad.bin" in got["missing.txt"].decode()


def test_each_download_is_on_record_and_counted(app: Flask, world: World, browse: Browse) -> None:
    number = world.cases["shared"]
    browse("hanna").get(path(world)).close()
    browse("rhea").get(path(world)).close()
    assert on_record(app) == [("Hanna Person", f"case-{number}.zip"), ("Rhea Person", f"case-{number}.zip")]
    ada = browse("ada")
    assert "downloaded the case" in ada.get(f"/console/cases/{number}/history?kind=views").text
    assert "Hanna Person" in ada.get(f"/console/cases/{number}/seen").text


def test_who_is_refused_or_only_asks_leaves_no_trace(app: Flask, world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    for name in ("internal", "unknown"):
        assert hanna.get(path(world, name)).status_code == 404
    head = hanna.client.head(path(world), base_url=BASE)
    assert (head.status_code, head.data) == (200, b"")
    assert on_record(app) == []


def test_somebody_who_takes_all_the_time_is_stopped_for_a_while(
    app: Flask, world: World, browse: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(takeout, "MOST_AN_HOUR", 2)
    hanna = browse("hanna")
    for name in ("shared", "all"):
        assert hanna.get(path(world, name)).status_code == 200
    stopped = hanna.get(path(world))
    assert stopped.status_code == 429
    assert int(stopped.headers["Retry-After"]) > 60
    assert hanna.get(path(world, "internal")).status_code == 404
    assert browse("rhea").get(path(world)).status_code == 200
    with at(now() + timedelta(minutes=61)):
        assert browse("hanna").get(path(world)).status_code == 200


def test_a_colleague_who_looks_as_hanna_leaves_no_trace_of_hers(app: Flask, world: World, browse: Browse) -> None:
    ada, number = browse("ada"), world.cases["shared"]
    answer = ada.confirm(f"/console/cases/{number}/view-as", {"person": str(world.people["hanna"])})
    assert answer.status_code == 303
    taken = ada.get(path(world))
    assert taken.status_code == 200
    assert b"Internal" not in b"\n".join(contents(taken.data).values())
    assert on_record(app) == []


def test_a_colleague_who_looks_has_a_measure_of_their_own(
    app: Flask, world: World, browse: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(takeout, "MOST_AN_HOUR", 2)
    monkeypatch.setattr(takeout, "looks", takeout.Looks())
    hanna = browse("hanna")
    for _ in range(2):
        assert hanna.get(path(world)).status_code == 200
    assert hanna.get(path(world)).status_code == 429
    ada, number = browse("ada"), world.cases["shared"]
    ada.confirm(f"/console/cases/{number}/view-as", {"person": str(world.people["hanna"])})
    assert [ada.get(path(world)).status_code for _ in range(3)] == [200, 200, 429]
    with at(now() + timedelta(minutes=61)):
        takeout.looks.take(world.people["ada"])


def test_the_page_offers_it(world: World, browse: Browse, monkeypatch: pytest.MonkeyPatch) -> None:
    page = f"/portal/cases/{world.cases['shared']}"
    monkeypatch.setattr(paper, "possible", lambda: True)
    text = browse("hanna").get(page).text
    assert path(world) in text
