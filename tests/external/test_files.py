"""Files in the portal: sending several, what is refused, and taking one's own back for ten minutes."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from portal.audit.kinds import Kind
from portal.audit.models import AuditEntry
from portal.cases import guests
from portal.cases.models import Attachment, Case, Stage
from portal.clock import at, now
from portal.extensions import db
from portal.mail.models import OutboxMessage
from portal.notices.models import Notice
from portal.web.oversize import UNREAD
from tests.console.test_attachments import bytes_in, configure
from tests.fixtures.world import BASE, Browser, World

Browse = Callable[[str], Browser]
JSON = {"Accept": "application/json"}


def path(world: World, rest: str = "", case: str = "shared") -> str:
    return f"/portal/cases/{world.cases[case]}/files{rest}"


def send(who: Browser, url: str, *files: tuple[str, bytes], **options: Any) -> TestResponse:
    """The form with files."""
    if not who.token:
        who.get("/portal/account")
    data = {"csrf_token": who.token, **options.pop("data", {}), "files": [(io.BytesIO(content), name) for name, content in files]}
    headers = {"Origin": BASE, **options.pop("headers", {})}
    return who.client.post(url, base_url=BASE, data=data, headers=headers, content_type="multipart/form-data", **options)


def uid_of(app: Flask, name: str) -> str:
    with app.app_context():
        return db.session.scalars(select(Attachment.uid).where(Attachment.name == name)).one()


def test_the_same_photo_chosen_twice_is_named_and_sent_once(app: Flask, world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    answer = send(hanna, path(world), ("photo.jpg", b"one"), ("photo.jpg", b"one"), ("other.jpg", b"one"), headers=JSON)
    assert answer.json["added"] == ["photo.jpg", "other.jpg"]
    assert answer.json["problems"] == ["“photo.jpg” was chosen twice. It is the same file, so it is taken once."]


def test_hanna_sends_files_and_everybody_concerned_has_them(app: Flask, world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    page = unescape(hanna.get(f"/portal/cases/{world.cases['shared']}").text)
    assert "Remove unintended sensitive content first" in page
    assert "You can withdraw a file for 10 minutes; after that it stays." in page
    answer = send(hanna, path(world), ("Screen shot.png", b"\x89PNG"), ("letter.txt", b"Dear"))
    assert answer.headers["Location"] == f"/portal/cases/{world.cases['shared']}#files"
    page = hanna.get(f"/portal/cases/{world.cases['shared']}").text
    assert "Screen shot.png" in page
    assert "2 files are sent." in page
    uid = uid_of(app, "letter.txt")
    for who in ("hanna", "rhea"):
        assert browse(who).get(path(world, f"/{uid}")).data == b"Dear"
    for who in ("vic", "gast"):
        assert browse(who).get(path(world, f"/{uid}")).status_code == 404
    with app.app_context():
        row = db.session.scalars(select(Attachment).where(Attachment.uid == uid)).one()
        assert (row.external, row.author_external, row.author_name) == (True, True, "Hanna Person")
        entries = db.session.scalars(select(AuditEntry).where(AuditEntry.kind == Kind.FILE_ADDED, AuditEntry.object_id == uid)).all()
        assert entries[0].channel == "portal"
        assert entries[0].changes["sha256"][1] == row.sha256
        letters = db.session.scalars(select(OutboxMessage.letter).where(OutboxMessage.case_id == row.case_id)).all()
        assert letters.count("case_news") >= 1
        assert "external_reply" in letters
        assert db.session.scalars(select(Notice).where(Notice.case_id == row.case_id, Notice.user_id == world.people["ada"])).all()


def test_names_are_free_among_what_outsiders_see_only(app: Flask, world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    answer = send(hanna, path(world), ("internal-of-shared.txt", b"1"), ("external-of-shared.txt", b"2"), headers=JSON)
    assert answer.get_json()["added"] == ["internal-of-shared.txt", "external-of-shared (2).txt"]


@pytest.mark.parametrize("headers", [{}, JSON])
def test_what_will_not_do_is_named_and_the_rest_goes_on(app: Flask, world: World, browse: Browse, headers: dict[str, str]) -> None:
    configure(app, forbidden_extensions="exe")
    hanna = browse("hanna")
    answer = send(hanna, path(world), ("tool.exe", b"MZ"), headers=headers)
    assert answer.status_code == 422
    assert "tool.exe" in answer.text
    assert send(hanna, path(world), headers=headers).status_code == 422
    answer = send(hanna, path(world), ("tool.exe", b"MZ"), ("good.txt", b"good"), headers=headers)
    assert answer.status_code == (200 if headers else 303)
    assert "good.txt" in hanna.get(path(world)).text


def test_rhea_has_no_form_and_is_refused_before_anything_is_stored(app: Flask, world: World, browse: Browse) -> None:
    rhea = browse("rhea")
    assert 'type="file"' not in rhea.get(f"/portal/cases/{world.cases['shared']}").text
    before = len(bytes_in(app))
    assert send(rhea, path(world), ("a.txt", b"a")).status_code == 403
    assert len(bytes_in(app)) == before
    assert send(browse("hanna"), path(world, case="internal"), ("a.txt", b"a")).status_code == 404
    assert len(bytes_in(app)) == before


def test_sending_twice_stores_once(app: Flask, world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    for _ in range(2):
        assert send(hanna, path(world), ("once.txt", b"1"), data={"submission": "the-same"}).status_code == 303
    uid_of(app, "once.txt")


def test_an_own_file_can_be_withdrawn_for_ten_minutes_for_everybody(app: Flask, world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    send(hanna, path(world), ("slip.txt", b"secret"))
    uid = uid_of(app, "slip.txt")
    assert "Withdraw" in hanna.get(path(world)).text
    assert "slip.txt" in hanna.get(path(world, f"/{uid}/withdraw")).text
    assert "Withdraw" not in browse("rhea").get(path(world)).text
    answer = hanna.post(path(world, f"/{uid}/withdraw"), {}, htmx=True)
    assert "Your file is withdrawn." in answer.text
    assert re.search(rf'id="withdraw-{uid}"[^>]*autofocus>Files<', answer.text), "the heading takes the focus the button had"
    for who in ("hanna", "rhea"):
        assert "slip.txt" not in browse(who).get(path(world)).text
    assert "slip.txt" not in browse("ada").get(f"/console/cases/{world.cases['shared']}/attachments").text
    with app.app_context():
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.kind == Kind.FILE_DELETED)).one()
        assert entry.changes["name"] == ["slip.txt", None]
        assert entry.changes["sha256"][0]


def test_without_javascript_too_one_goes_on_at_the_files(app: Flask, world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    send(hanna, path(world), ("slip.txt", b"secret"))
    answer = hanna.post(path(world, f"/{uid_of(app, 'slip.txt')}/withdraw"), {})
    assert answer.headers["Location"].endswith("#files-title")


def test_files_sent_with_a_report_are_said_to_be_elsewhere(app: Flask, world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    hanna.post("/portal/report", {"title": "Odd mail", "happened": "It came.", "act": "review"})
    seen = re.search(r'name="seen" value="([^"]+)"', hanna.get("/portal/report/review").text)
    assert seen is not None
    send(hanna, "/portal/report/review", ("odd.eml", b"From: x"), data={"seen": unescape(seen[1])})
    url = re.search(r'href="(/portal/cases/\d+)">Open case', hanna.get("/portal/report/sent").text)
    assert url is not None
    for address in (url[1], f"{url[1]}/files"):
        page = unescape(hanna.get(address).text)
        assert "Files you sent with the report are under" in page
        assert "There are no files yet" not in page
    assert "with the report" not in hanna.get(f"/portal/cases/{world.cases['shared']}").text


def test_after_ten_minutes_it_stays_and_others_files_are_not_there(app: Flask, world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    send(hanna, path(world), ("stays.txt", b"1"))
    uid = uid_of(app, "stays.txt")
    with at(now() + timedelta(minutes=11)):
        assert "/withdraw" not in hanna.get(path(world)).text
        answer = hanna.post(path(world, f"/{uid}/withdraw"), {})
        assert answer.status_code == 422
        assert "so it stays" in answer.text
        assert hanna.post(path(world, f"/{uid}/withdraw"), {}, htmx=True).status_code == 409
    uid_of(app, "stays.txt")
    teams = world.files["shared-external"]
    unknown = hanna.get(path(world, f"/{'f' * 16}/withdraw"))
    assert hanna.get(path(world, f"/{teams}/withdraw")).status_code == unknown.status_code == 404


def test_a_closed_case_takes_files_and_says_so(app: Flask, world: World, browse: Browse) -> None:
    with app.app_context():
        db.session.execute(update(Case).where(Case.number == world.cases["shared"]).values(stage=Stage.CLOSED, status="Other"))
        db.session.commit()
    hanna = browse("hanna")
    assert "The case is closed; the security team is told all the same." in hanna.get(path(world)).text
    assert send(hanna, path(world), ("late.txt", b"1")).status_code == 303


def test_a_flood_of_files_is_slowed_down(world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    for part in range(2):
        send(hanna, path(world), *((f"{part}-{number}.txt", b"1") for number in range(50)))
    answer = send(hanna, path(world), ("more.txt", b"1"))
    assert answer.status_code == 422
    assert "many files within a few minutes" in answer.text


def test_one_person_cannot_take_up_all_the_room_of_a_case(
    app: Flask, world: World, browse: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guests, "FILES_OF_CASE", guests.FILES_OF_CASE._replace(most=2))
    hanna = browse("hanna")
    assert send(hanna, path(world), ("1.txt", b"1")).status_code == 303
    answer = send(hanna, path(world), *((f"{number}.txt", b"%d" % number) for number in (2, 3, 4)), headers=JSON)
    assert answer.json["added"] == ["2.txt"]
    (problem,) = answer.json["problems"]
    assert problem.startswith("You have added 200 files to this case within a day, which is as many as one person can.")
    hanna.post(path(world, f"/{uid_of(app, '1.txt')}/withdraw"), {})
    assert send(hanna, path(world), ("5.txt", b"5")).status_code == 422  # what was taken back counts
    assert send(hanna, path(world, case="all"), ("5.txt", b"5")).status_code == 303
    with app.app_context():
        db.session.execute(update(AuditEntry).values(at=now() - timedelta(days=1, minutes=1)))
        db.session.commit()
    assert send(hanna, path(world), ("5.txt", b"5")).status_code == 303


def test_more_than_the_server_reads_is_told_on_a_page_with_a_way_back(world: World, browse: Browse) -> None:
    """Without JavaScript nothing says so before it is sent; the server hands such a request on with its head alone."""
    hanna, files = browse("hanna"), path(world)
    hanna.get(files)
    answer = hanna.post(files, environ_overrides={UNREAD: True})
    assert answer.status_code == 413
    assert "A file may have up to 100 MB" in answer.text
    assert f'href="{files}">Back to where you sent it' in answer.text
    other = hanna.post(f"/portal/cases/{world.cases['shared']}/comments", {"message": "x"}, environ_overrides={UNREAD: True})
    assert other.status_code == 413
    assert "Shorten what you are sending" in other.text
