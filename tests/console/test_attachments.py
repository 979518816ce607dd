"""Files on a case, as a browser adds, takes and marks them."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.audit.kinds import Kind
from portal.audit.models import AuditEntry
from portal.cases.models import Attachment
from portal.extensions import db
from portal.mail.models import OutboxMessage
from portal.storage.models import Blob
from tests.fixtures.world import BASE, SHOWN, Browser, World

Browse = Callable[[str], Browser]
JSON = {"Accept": "application/json"}


def send(
    who: Browser,
    number: int,
    *files: tuple[str, bytes],
    audience: str = "internal",
    seen: list[tuple[str, str]] | None = None,
    **options: Any,
) -> TestResponse:
    """The form with files, as a browser writes it. `seen`: what the page showed, when that is not what it shows now."""
    path = f"/console/cases/{number}/attachments"
    if not who.token:
        who.get(f"/console/cases/{number}")
    if seen is None:
        seen = SHOWN.findall(who.get(path).text) if audience == "external" else []
    fields = [("csrf_token", who.token), ("audience", audience), *seen]
    parts = [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode() for name, value in fields]
    for name, content in files:
        parts.append(f'Content-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'.encode() + content + b"\r\n")
    body = b"".join(b"--b\r\n" + part for part in parts) + b"--b--\r\n"
    headers = {"Origin": BASE, **options.pop("headers", {})}
    sent = {"input_stream": io.BytesIO(body), "content_length": len(body), "content_type": "multipart/form-data; boundary=b"}
    return who.client.post(path, base_url=BASE, headers=headers, **sent, **options)


def configure(app: Flask, **changes: Any) -> None:
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], **changes)


def stored(app: Flask, number: int) -> dict[str, Attachment]:
    with app.app_context():
        wanted = (
            select(Attachment)
            .join_from(Attachment, db.metadata.tables["incident_case"])
            .where(db.metadata.tables["incident_case"].c.number == number)
        )
        return {file.name: file for file in db.session.scalars(wanted)}


def bytes_in(app: Flask) -> list[Path]:
    root = app.config["SETTINGS"].instance / "attachments"
    return [path for path in root.rglob("*") if path.is_file()]


@pytest.fixture
def number(world: World) -> int:
    return world.cases["shared"]


def test_ada_adds_several_files_at_once_and_downloads_what_she_sent(app: Flask, number: int, browse: Browse) -> None:
    ada = browse("ada")
    assert send(ada, number, ("mail.eml", b"From: a@b\n"), ("log.txt", b"one\n")).status_code == 303
    files = stored(app, number)
    assert {"mail.eml", "log.txt"} <= set(files)
    assert files["log.txt"].sha256 == hashlib.sha256(b"one\n").hexdigest()
    page = ada.get(f"/console/cases/{number}/attachments").text
    assert "log.txt" in page
    assert hashlib.md5(b"one\n").hexdigest() in page  # noqa: S324
    assert not files["log.txt"].external
    answer = ada.get(f"/console/cases/{number}/attachments/{files['log.txt'].uid}")
    assert answer.data == b"one\n"
    assert answer.mimetype == "application/octet-stream"
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"] == "attachment; filename=\"log.txt\"; filename*=UTF-8''log.txt"
    assert "no-store" in answer.headers["Cache-Control"]


def test_a_part_or_nothing_is_sent_to_whoever_has_some_of_it(app: Flask, number: int, browse: Browse) -> None:
    ada = browse("ada")
    send(ada, number, ("long.bin", b"0123456789" * 300_000))
    file = stored(app, number)["long.bin"]
    url = f"/console/cases/{number}/attachments/{file.uid}"
    assert ada.get(url, headers={"Range": "bytes=3-5"}).data == b"345"
    assert ada.get(url, headers={"Range": "bytes=2999998-"}).data == b"89"
    assert ada.get(url, headers={"If-None-Match": f'"{file.sha256}"'}).status_code == 304
    assert ada.get(url, headers={"Range": "bytes=9999999-"}).status_code == 416
    assert ada.get(url).content_length == 3_000_000


@pytest.mark.parametrize(
    ("hostile", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("a\u202efdp.exe", "afdp.exe"),
        ("x" * 500 + ".pdf", "x" * 251 + ".pdf"),
        ("...", "file"),
        ("rép “1”.txt", "rép “1”.txt"),
    ],
)
def test_hostile_names_become_harmless(app: Flask, number: int, browse: Browse, hostile: str, kept: str) -> None:
    ada = browse("ada")
    assert send(ada, number, (hostile, b"content")).status_code == 303
    file = stored(app, number)[kept]
    disposition = ada.get(f"/console/cases/{number}/attachments/{file.uid}").headers["Content-Disposition"]
    assert disposition.isascii()
    assert disposition.startswith('attachment; filename="')


def test_the_second_of_a_name_is_numbered(app: Flask, number: int, browse: Browse) -> None:
    ada = browse("ada")
    for content in (b"1", b"2", b"3"):
        send(ada, number, ("Report.PDF", content))
    assert {"Report.PDF", "Report (2).PDF", "Report (3).PDF"} <= set(stored(app, number))


def test_a_number_in_an_external_name_tells_nothing_of_internal_files(app: Flask, number: int, browse: Browse) -> None:
    ada = browse("ada")
    send(ada, number, ("report.pdf", b"internal"))
    send(ada, number, ("report.pdf", b"external"), audience="external")
    page = browse("hanna").get(f"/portal/cases/{number}").text
    assert "report.pdf" in page
    assert "(2)" not in page


def test_one_bad_file_is_named_and_the_others_go_on(app: Flask, number: int, browse: Browse) -> None:
    ada = browse("ada")
    assert send(ada, number, ("good.txt", b"good"), ("empty.txt", b""), ("fine.txt", b"fine")).status_code == 303
    assert {"good.txt", "fine.txt"} <= set(stored(app, number))
    assert "empty.txt" not in stored(app, number)
    page = ada.get(f"/console/cases/{number}/attachments").text
    assert "“empty.txt” is empty" in page
    assert "2 files are on the case" in page


def test_nothing_chosen_is_said(number: int, browse: Browse) -> None:
    answer = send(browse("ada"), number)
    assert answer.status_code == 422
    assert "Choose at least one file." in answer.text


def test_too_large_and_forbidden_files_are_refused_by_name(app: Flask, number: int, browse: Browse) -> None:
    configure(app, max_upload=1, forbidden_extensions="exe, .JS")
    ada = browse("ada")
    files = [("big.bin", b"x" * 1_000_001), ("tool.EXE", b"MZ"), ("a.js.txt", b"1"), ("ok.bin", b"x" * 1_000_000)]
    assert send(ada, number, *files).status_code == 303
    page = ada.get(f"/console/cases/{number}/attachments").text
    assert "“big.bin” is too large. A file may have up to 1 MB." in page
    assert "“tool.EXE” is of a kind" in page
    assert "“a.js.txt” is of a kind" in page
    assert "ok.bin" in stored(app, number)
    assert "big.bin" not in stored(app, number)
    assert len(bytes_in(app)) == 1, "refused bytes stay nowhere"


def test_a_request_over_all_limits_is_refused_in_words(app: Flask, number: int, browse: Browse) -> None:
    configure(app, max_upload=1)
    ada = browse("ada")
    assert send(ada, number, ("a.bin", b"a" * 900_000), ("b.bin", b"b" * 900_000)).status_code == 303
    answer = send(ada, number, *((f"{n}.bin", b"x" * 900_000) for n in range(3)))
    assert answer.status_code == 413
    assert "A file may have up to 1 MB, and so may all files of one form together" in answer.text


def test_a_case_can_have_so_many_files(app: Flask, number: int, browse: Browse) -> None:
    configure(app, max_files=3)
    send(browse("ada"), number, ("third.txt", b"3"), ("fourth.txt", b"4"))
    assert "third.txt" in stored(app, number)
    assert "fourth.txt" not in stored(app, number)


def test_a_broken_form_adds_nothing(app: Flask, number: int, browse: Browse) -> None:
    ada = browse("ada")
    ada.get(f"/console/cases/{number}/attachments")
    body = (
        f'--b\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{ada.token}\r\n'
        '--b\r\nContent-Disposition: form-data; name="files"; filename="half.txt"\r\n\r\nhalf of it'
    )
    answer = ada.client.post(
        f"/console/cases/{number}/attachments",
        base_url="http://127.0.0.1:8000",
        headers={"Origin": "http://127.0.0.1:8000"},
        data=body,
        content_type="multipart/form-data; boundary=b",
    )
    assert answer.status_code == 400
    assert "half.txt" not in stored(app, number)
    assert bytes_in(app) == []


def test_each_request_of_the_script_is_answered_in_json(app: Flask, number: int, browse: Browse) -> None:
    ada = browse("ada")
    good = send(ada, number, ("a.txt", b"a"), headers=JSON)
    assert (good.status_code, good.json) == (200, {"added": ["a.txt"], "problems": [], "audience": None})
    bad = send(ada, number, ("a.txt", b""), headers=JSON)
    assert bad.status_code == 422
    assert bad.json is not None
    assert "“a.txt” is empty" in bad.json["problems"][0]


def test_a_double_click_adds_once(app: Flask, number: int, browse: Browse) -> None:
    ada = browse("ada")
    for _ in range(2):
        data = {"submission": "one-and-only", "files": [(io.BytesIO(b"once"), "once.txt")]}
        assert ada.post(f"/console/cases/{number}/attachments", data, content_type="multipart/form-data").status_code == 303
    assert "once.txt" in stored(app, number)
    assert "once (2).txt" not in stored(app, number)


def test_ruth_reads_and_downloads_but_cannot_change(app: Flask, number: int, browse: Browse) -> None:
    send(browse("ada"), number, ("note.txt", b"note"))
    ruth, file = browse("ruth"), stored(app, number)["note.txt"]
    url = f"/console/cases/{number}/attachments"
    page = ruth.get(url).text
    assert "note.txt" in page
    assert "Add files" not in page
    assert ruth.get(f"{url}/{file.uid}").data == b"note"
    assert send(ruth, number, ("mine.txt", b"mine")).status_code == 403
    for act in ("external", "remove"):
        assert ruth.post(f"{url}/{file.uid}/{act}", {"external": "1"}).status_code == 403
    assert ruth.post(f"{url}/bulk", {"act": "remove", "files": [file.uid]}).status_code == 403
    assert "mine.txt" not in stored(app, number)


def test_making_external_shows_the_file_and_back_hides_it(app: Flask, number: int, browse: Browse) -> None:
    ada, hanna = browse("ada"), browse("hanna")
    send(ada, number, ("iocs.csv", b"1,2"))
    file = stored(app, number)["iocs.csv"]
    mark, url = f"/console/cases/{number}/attachments/{file.uid}/external", f"/portal/cases/{number}/files/{file.uid}"
    assert "Hanna" in ada.get(mark).text
    assert hanna.get(url).status_code == 404
    assert ada.confirm(mark, {"external": "1"}).status_code == 303
    assert "iocs.csv" in hanna.get(f"/portal/cases/{number}").text
    assert hanna.get(url).data == b"1,2"
    assert ada.post(mark, {"external": "0"}).status_code == 303
    assert "iocs.csv" not in hanna.get(f"/portal/cases/{number}").text
    assert hanna.get(url).status_code == 404


def test_only_a_shared_case_takes_external_files(app: Flask, world: World, browse: Browse) -> None:
    ada, number = browse("ada"), world.cases["internal"]
    answer = send(ada, number, ("a.txt", b"a"), audience="external")
    assert answer.status_code == 422
    assert "not shared" in answer.text
    send(ada, number, ("a.txt", b"a"))
    file = stored(app, number)["a.txt"]
    mark = f"/console/cases/{number}/attachments/{file.uid}/external"
    assert "Share the case first" in ada.get(mark).text
    assert ada.post(mark, {"external": "1"}).status_code == 422


def test_removing_keeps_name_and_hash_in_the_history(app: Flask, number: int, browse: Browse) -> None:
    ada = browse("ada")
    send(ada, number, ("gone.txt", b"gone"))
    file = stored(app, number)["gone.txt"]
    assert ada.post(f"/console/cases/{number}/attachments/{file.uid}/remove").status_code == 303
    assert "gone.txt" not in stored(app, number)
    with app.app_context():
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.kind == Kind.FILE_DELETED)).one()
        assert entry.changes["name"] == ["gone.txt", None]
        assert entry.changes["sha256"] == [file.sha256, None]
        assert db.session.scalars(select(Blob).where(Blob.sha256 == file.sha256)).one(), "the next sweep finds it unused"


def test_bulk_tells_what_became_of_each(app: Flask, world: World, number: int, browse: Browse) -> None:
    ada = browse("ada")
    send(ada, number, ("one.txt", b"1"), ("two.txt", b"2"))
    files, url = stored(app, number), f"/console/cases/{number}/attachments/bulk"
    uids = [files["one.txt"].uid, files["two.txt"].uid, world.files["shared-external"]]
    asked = ada.get(url, query_string={"act": "external", "files": uids}).text
    assert "Hanna" in asked
    shown = f"{url}?act=external&files={uids[0]}"
    answer = ada.confirm(url, {"act": "external", "files": [*uids, world.files["internal-internal"]]}, asked=shown)
    done = ada.follow(answer).text
    assert "2 files made external" in ada.follow(answer).text, "loaded again"
    assert "2 files made external" in done
    assert "It was external already." in done
    assert "It was removed in the meantime." in done
    gone = ada.follow(ada.post(url, {"act": "remove", "files": uids})).text
    assert "3 files removed" in gone
    assert "one.txt" not in stored(app, number)


def test_several_external_files_make_one_letter(app: Flask, number: int, browse: Browse) -> None:
    ada = browse("ada")
    for name in ("a.txt", "b.txt", "c.txt"):
        send(ada, number, (name, name.encode()), audience="external", headers=JSON)
    with app.app_context():
        notes = db.session.scalars(select(OutboxMessage).where(OutboxMessage.extra["files"].as_string().is_not(None))).all()
        assert len([note for note in notes if note.to_user_id is None and note.due_at > note.created_at]) == 1


def test_hannas_download_is_on_record(app: Flask, world: World, number: int, browse: Browse) -> None:
    send(browse("ada"), number, ("x.txt", b"x" * 100), audience="external")
    file = stored(app, number)["x.txt"]
    hanna = browse("hanna")
    hanna.get(f"/portal/cases/{number}/files/{file.uid}")
    hanna.get(f"/portal/cases/{number}/files/{file.uid}", headers={"Range": "bytes=50-"})
    hanna.get(f"/portal/cases/{number}/files/{world.files['shared-internal']}")
    with app.app_context():
        entries = db.session.scalars(select(AuditEntry).where(AuditEntry.kind == Kind.FILE_DOWNLOADED)).all()
        assert [(entry.actor_id, entry.object_id) for entry in entries] == [(world.people["hanna"], file.uid)]


def test_a_damaged_file_is_not_handed_out_as_if_it_were_whole(app: Flask, number: int, browse: Browse) -> None:
    ada = browse("ada")
    send(ada, number, ("short.txt", b"short"), ("same.txt", b"same!"))
    files = stored(app, number)
    root = app.config["SETTINGS"].instance / "attachments"
    short, same = (root / files[name].sha256[:2] / files[name].sha256[2:] for name in ("short.txt", "same.txt"))
    short.write_bytes(b"sho")
    same.write_bytes(b"SAME!")
    assert ada.get(f"/console/cases/{number}/attachments/{files['short.txt'].uid}").status_code == 410
    url = f"/console/cases/{number}/attachments/{files['same.txt'].uid}"
    with pytest.raises(Exception, match="has changed"):
        _ = ada.get(url).data
    same.unlink()
    assert ada.get(url).status_code == 410
    assert ada.get(f"/console/cases/{number}/attachments").status_code == 200


def test_long_lists_are_paged(app: Flask, number: int, browse: Browse) -> None:
    ada = browse("ada")
    send(ada, number, *[(f"n{i}.txt", str(i).encode()) for i in range(30)])
    page = ada.get(f"/console/cases/{number}/attachments").text
    assert page.count('name="files" value=') == 25
    older = page.split('class="paging"')[1].split('href="')[1].split('"')[0]
    assert ada.get(older).text.count('name="files" value=') == 7
    assert ada.get(f"/console/cases/{number}/attachments?after=9-9-9").status_code == 200


def test_odd_input_is_no_fault(world: World, number: int, browse: Browse) -> None:
    ada = browse("ada")
    url = f"/console/cases/{number}/attachments"
    for path in (f"{url}/nothing", f"{url}/{world.files['internal-internal']}", f"{url}/{'9' * 32}/external", f"{url}/{'x' * 33}"):
        assert ada.get(path).status_code == 404
    assert ada.post(f"{url}/bulk", {"act": "remove", "files": ["\0", "x" * 99]}).status_code == 303
    assert ada.post(f"{url}/bulk", {"act": "nonsense", "files": ["abc"]}).status_code == 303
    assert ada.post(f"{url}", {"files": "a text"}).status_code == 422


def widen(browse: Browse, number: int) -> None:
    """Olga opens the case to all while Ada chooses."""
    assert browse("olga").confirm(f"/console/cases/{number}/access", {"access": "all_external"}).status_code == 303


def test_files_do_not_go_to_people_nobody_showed(app: Flask, number: int, browse: Browse) -> None:
    ada, url = browse("ada"), f"/console/cases/{number}/attachments"
    send(ada, number, ("note.txt", b"note"))
    uid = stored(app, number)["note.txt"].uid
    pages = {f"{url}/{uid}/external": f"{url}/{uid}/external", f"{url}/bulk": f"{url}/bulk?act=external&files={uid}"}
    shown = {path: dict(SHOWN.findall(ada.get(page).text)) for path, page in pages.items()}
    widen(browse, number)
    for path in pages:
        form = {"external": "1", "act": "external", "files": [uid]}
        for seen in ({}, shown[path]):
            held = ada.post(path, {**form, **seen})
            assert held.status_code == 422
            assert "Shared with all external users" in held.text
            assert not stored(app, number)["note.txt"].external
        assert ada.post(path, {**form, **dict(SHOWN.findall(held.text))}).status_code in (200, 303)
        assert stored(app, number)["note.txt"].external
        ada.post(f"{url}/{uid}/external", {"external": "0"})


@pytest.mark.parametrize("headers", [{}, JSON])
def test_an_upload_does_not_go_to_people_nobody_showed(app: Flask, number: int, browse: Browse, headers: dict[str, str]) -> None:
    ada, url = browse("ada"), f"/console/cases/{number}/attachments"
    shown = SHOWN.findall(ada.get(url).text)
    widen(browse, number)
    for seen in ([], shown):
        held = send(ada, number, ("for-two.txt", b"2"), audience="external", seen=seen, headers=dict(headers))
        assert held.status_code == 422
        assert "Shared with all external users" in held.text
        assert "for-two.txt" not in stored(app, number)
    new = [("seen", held.json["audience"]["seen"])] if headers and held.json else SHOWN.findall(held.text)
    assert send(ada, number, ("for-two.txt", b"2"), audience="external", seen=new, headers=dict(headers)).status_code in (200, 303)
    assert stored(app, number)["for-two.txt"].external
