"""Reporting an incident: answers that are kept, a last look, and one case with everything or none."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from portal.audit.kinds import Kind
from portal.audit.models import AuditEntry
from portal.cases.models import Case, Draft, Observable
from portal.database import start_writing
from portal.extensions import db
from portal.mail.models import OutboxMessage
from portal.notices.models import Notice, Reason
from portal.sharing.models import Access, Grant
from tests.console.test_attachments import configure
from tests.fixtures.world import BASE, Browser, World

Browse = Callable[[str], Browser]
FORM, REVIEW, SENT, DISCARD = "/portal/report", "/portal/report/review", "/portal/report/sent", "/portal/report/discard"
ANSWERS = {
    "title": "Strange  invoice by mail",
    "happened": "A supplier asked to change **the account**.\r\n\r\nI opened it.",
    "began": "2026-11-20T09:30",
    "affected": "Accounting",
    "done": "",
    "matters": "Money",
    "items": "hxxp://evil[.]example/pay\r\n\r\nboss@evil.example\r\nhttp://EVIL.example/pay",
}
HIDDEN = re.compile(r'name="(seen|page|zone|submission)" value="([^"]*)"')
JSON = {"Accept": "application/json"}


def hidden(page: TestResponse) -> dict[str, str]:
    """What the form carries unseen."""
    return dict(HIDDEN.findall(page.text[page.text.index("<main") :]))


def write(who: Browser, act: str = "review", **changes: str) -> TestResponse:
    """Fill in the form as it stands and press a button."""
    return who.post(FORM, {**hidden(who.get(FORM)), **ANSWERS, **changes, "act": act})


def send(who: Browser, *files: tuple[str, bytes], page: TestResponse | None = None, **options: Any) -> TestResponse:
    """The last step, with files."""
    shown = hidden(page or who.get(REVIEW))
    data = {"csrf_token": who.token, **shown, "files": [(io.BytesIO(content), name) for name, content in files]}
    headers = {"Origin": BASE, **options.pop("headers", {})}
    return who.client.post(REVIEW, base_url=BASE, data=data, headers=headers, content_type="multipart/form-data", **options)


def reported(app: Flask) -> list[Case]:
    """The cases people outside reported."""
    with app.app_context():
        return list(db.session.scalars(select(Case).where(Case.reported_outside).order_by(Case.id)))


def count(app: Flask, model: Any) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_hanna_reports_an_incident_and_everybody_concerned_is_told(app: Flask, world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    assert "Report an incident" in hanna.get("/portal/").text
    assert write(hanna).headers["Location"] == REVIEW
    page = unescape(hanna.get(REVIEW).text)
    for words in ("Strange invoice by mail", "<h3>What happened</h3>", "<strong>the account</strong>", "hxxp://evil[.]example/pay"):
        assert words in page, words
    for words in ("20 Nov 2026, 09:30 UTC", "Web address", "boss[@]evil[.]example", "Left out: This is the same as line 1."):
        assert words in page, words
    assert "Remove unintended sensitive content first" in page
    assert "What was done already" not in page
    assert not reported(app)
    answer = send(hanna, ("mail.eml", b"From: a@b\n"), ("again.eml", b"From: a@b\n"), ("screen.png", b"\x89PNG"))
    assert answer.headers["Location"] == f"{SENT}?twice=1"
    case = reported(app)[0]
    assert (case.access, case.assignee_id, case.severity, case.tlp, case.pap, case.status) == (Access.EXTERNAL, None, 2, 2, 2, "New")
    assert (case.title, case.created_by_name, case.start_date.isoformat()) == (
        "Strange invoice by mail",
        "Hanna Person",
        "2026-11-20T09:30:00+00:00",
    )
    confirmed = hanna.get(SENT).text
    assert f"#{case.number}" in confirmed
    assert "What happens next" in confirmed
    assert f"#{case.number}" in hanna.get("/portal/").text
    shown = unescape(hanna.get(f"/portal/cases/{case.number}").text)
    for words in ("hxxp://evil[.]example/pay", "mail.eml", "screen.png", hashlib.sha256(b"From: a@b\n").hexdigest()):
        assert words in shown, words
    with app.app_context():
        rows = {row.value: row for row in db.session.scalars(select(Observable).where(Observable.case_id == case.id))}
        assert {value: row.type for value, row in rows.items()} == {
            "http://evil.example/pay": "url",
            "boss@evil.example": "mail",
            "mail.eml": "file",
            "screen.png": "file",
        }
        assert all(row.author_external for row in rows.values())
        assert db.session.scalars(select(Grant.user_id).where(Grant.case_id == case.id)).all() == [world.people["hanna"]]
        told = db.session.scalars(select(Notice.user_id).where(Notice.case_id == case.id, Notice.reason == Reason.REPORTED)).all()
        assert set(told) == {world.people["ada"], world.people["olga"]}
        letters = db.session.scalars(select(OutboxMessage).where(OutboxMessage.case_id == case.id)).all()
        assert {(letter.letter, letter.to_user_id) for letter in letters} >= {("report_received", world.people["hanna"])}
        kinds = db.session.scalars(select(AuditEntry.kind).where(AuditEntry.case_id == case.id).order_by(AuditEntry.id)).all()
        assert kinds[0] == Kind.CASE_CREATED
        assert db.session.scalar(select(func.count()).select_from(Draft)) == 0
    assert "Strange invoice by mail" in browse("ada").get("/console/feed").text
    for who in ("rhea", "vic", "gast"):
        assert browse(who).get(f"/portal/cases/{case.number}").status_code == 404


def test_a_file_that_was_sent_twice_is_said_to_be_kept_once_and_loses_no_name(app: Flask, browse: Browse) -> None:
    hanna, german = browse("hanna"), {"headers": {"Accept-Language": "de"}}
    write(hanna)
    same = [(name, b"From: a@b\n") for name in ("mail.eml", "__invoice__.pdf", "mail.eml")]
    answer = send(hanna, *same, ("other.eml", b"From: c@d\n"), headers=JSON)
    assert answer.headers["Location"] == f"{SENT}?twice=2"
    sentence = "2 files had the same content as others. Each content is kept once; the security team sees all names."
    for _reload in range(2):
        assert sentence in hanna.get(answer.headers["Location"]).text
    assert "2 Dateien hatten denselben Inhalt wie andere." in hanna.get(answer.headers["Location"], **german).text
    assert "One file had the same content as another one." in hanna.get(f"{SENT}?twice=1").text
    for odd in ("", "?twice=0", "?twice=-1", "?twice=x", f"?twice={'9' * 5000}"):
        assert "same content" not in hanna.get(f"{SENT}{odd}").text
    with app.app_context():
        rows = {row.value: row for row in db.session.scalars(select(Observable).where(Observable.type == "file"))}
        assert "__invoice__.pdf" in rows["mail.eml"].message_html
        assert rows["mail.eml"].message.count("mail.eml") == 0
        assert rows["other.eml"].message == ""
    assert "__invoice__" not in hanna.get(f"/portal/cases/{reported(app)[0].number}").text


def test_a_reader_neither_sees_the_button_nor_gets_the_form(world: World, browse: Browse) -> None:
    rhea = browse("rhea")
    assert "Report an incident" not in rhea.get("/portal/").text
    for path in (FORM, REVIEW, DISCARD):
        assert rhea.get(path).status_code == 403
    assert rhea.post(FORM, ANSWERS).status_code == 403
    assert rhea.get(SENT).headers["Location"] == "/portal/"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"title": " "}, "Say in a few words"),
        ({"title": "y" * 201}, "at most 200 characters"),
        ({"happened": ""}, "one sentence is enough"),
        ({"happened": "y" * 65_537}, "longer than 65,536"),
        ({"affected": "y" * 40_000, "happened": "y" * 40_000}, "in all"),
        ({"began": "yesterday"}, "Give a day and a time"),
        ({"began": "2999-01-01T10:00"}, "in the future"),
        ({"began": "0001-01-01T00:00"}, "between 1970"),
        ({"items": "\n".join(f"10.0.{n // 250}.{n % 250}" for n in range(501))}, "at most 500"),
        ({"items": "y" * 5000}, "Left out: This is longer than 4,096"),
    ],
)
def test_what_is_missing_is_said_and_what_was_typed_stays(app: Flask, browse: Browse, changes: dict[str, str], words: str) -> None:
    hanna = browse("hanna")
    answer = write(hanna, **changes)
    page = hanna.get(answer.headers["Location"])
    assert words in unescape(page.text)
    kept = hanna.get(FORM).text
    for name, typed in {**ANSWERS, **changes}.items():
        for line in typed.split("\r\n"):
            assert line.strip() in unescape(kept), name
    if "Left out" not in words:
        assert hanna.get(REVIEW).headers["Location"] == f"{FORM}?check=1"
        assert send(hanna, page=hanna.get(FORM)).headers["Location"] == f"{FORM}?check=1"
    assert not reported(app)


def test_nothing_at_all_is_explained_too(app: Flask, browse: Browse) -> None:
    hanna = browse("hanna")
    answer = hanna.post(FORM, {"act": "review"})
    assert "Tell us what happened" in hanna.get(answer.headers["Location"]).text
    assert count(app, Draft) == 0
    assert hanna.get(REVIEW).headers["Location"] == FORM


@pytest.mark.parametrize("headers", [{}, JSON])
def test_one_bad_file_and_there_is_no_half_case(app: Flask, browse: Browse, headers: dict[str, str]) -> None:
    hanna = browse("hanna")
    configure(app, forbidden_extensions="exe")
    write(hanna)
    before = count(app, AuditEntry)
    answer = send(hanna, ("good.txt", b"good"), ("tool.exe", b"MZ"), ("empty.txt", b""), headers=headers)
    assert answer.status_code == 422
    assert "tool.exe" in answer.text
    assert "empty.txt" in answer.text
    assert not reported(app)
    assert count(app, AuditEntry) == before
    if not headers:
        assert "Choose these files again, without what cannot be sent: good.txt, tool.exe, empty.txt" in unescape(answer.text)
    assert send(hanna, ("good.txt", b"good")).status_code == 303
    assert len(reported(app)) == 1


def test_sending_twice_makes_one_case(app: Flask, browse: Browse) -> None:
    hanna = browse("hanna")
    write(hanna)
    page = hanna.get(REVIEW)
    assert [send(hanna, ("a.txt", b"a"), page=page).headers["Location"] for _ in range(2)] == [SENT, SENT]
    other = hidden(page) | {"submission": "another"}
    assert hanna.post(REVIEW, other).headers["Location"] == SENT
    assert len(reported(app)) == 1


def test_what_was_changed_after_the_last_look_is_looked_at_again(app: Flask, browse: Browse) -> None:
    hanna = browse("hanna")
    write(hanna)
    page = hanna.get(REVIEW)
    write(hanna, matters="Very much")
    answer = send(hanna, page=page)
    assert answer.status_code == 422
    assert "changed in another window" in answer.text
    assert "Very much" in answer.text
    assert not reported(app)


def test_a_draft_is_offered_again_after_signing_in_anew_and_can_be_discarded(app: Flask, browse: Browse) -> None:
    hanna = browse("hanna")
    assert write(hanna, "save", title="").headers["Location"] == FORM
    hanna.post("/portal/sign-out", {})
    again = browse("hanna")
    page = again.get(FORM).text
    assert "You began this report" in page
    assert "I opened it." in page
    assert "You began this report" not in browse("vic").get(FORM).text
    asked = again.get(DISCARD)
    assert "gone for good" in asked.text
    assert again.post(DISCARD, {"seen": "another one"}).status_code == 422
    assert count(app, Draft) == 1
    again.post(DISCARD, hidden(asked))
    assert count(app, Draft) == 0
    assert "I opened it." not in again.get(FORM).text
    assert again.get(DISCARD).headers["Location"] == "/portal/"


def test_the_page_keeps_what_is_typed_by_itself(app: Flask, browse: Browse) -> None:
    hanna = browse("hanna")
    shown = hidden(hanna.get(FORM))
    for words in ("A", "A st", "A story"):  # the page goes on with what it knew when it was opened
        answer = hanna.post(f"{FORM}/draft", {**shown, "happened": words}, htmx=True)
        assert "Your answers are kept" in answer.text
    assert "A story" in hanna.get(FORM).text
    assert hanna.post(FORM, {**shown, **ANSWERS, "act": "review"}).headers["Location"] == REVIEW
    assert count(app, Draft) == 1


def test_what_a_page_sent_before_it_was_left_and_arrives_late_changes_nothing(browse: Browse) -> None:
    hanna = browse("hanna")
    shown = hidden(hanna.get(FORM))
    assert hanna.post(FORM, {**shown, **ANSWERS, "act": "review"}).headers["Location"] == REVIEW
    hanna.post(f"{FORM}/draft", {**shown, "happened": "Half a"}, htmx=True)
    assert "Half a" not in hanna.get(FORM).text
    assert "I opened it." in hanna.get(FORM).text


def test_another_window_never_overwrites_without_a_word(browse: Browse) -> None:
    hanna = browse("hanna")
    one, two = hidden(hanna.get(FORM)), hidden(hanna.get(FORM))
    hanna.post(f"{FORM}/draft", {**one, "happened": "The first window"}, htmx=True)
    told = hanna.post(f"{FORM}/draft", {**two, "happened": "The second window"}, htmx=True)
    assert "Not kept" in told.text
    assert "The first window" in hanna.get(FORM).text
    answer = hanna.post(FORM, {**two, "happened": "The second window", "act": "save"})
    assert answer.status_code == 422
    assert "The second window" in answer.text
    assert "changed in another window" in answer.text
    assert hanna.post(FORM, {**hidden(answer), "happened": "The second window", "act": "save"}).status_code == 303
    assert "The second window" in hanna.get(FORM).text


@pytest.mark.parametrize("typed", ["a\0b", "\ud800", "💣" * 50_000, "y" * 100_001])
def test_odd_text_is_kept_or_refused_in_a_sentence(browse: Browse, typed: str) -> None:
    hanna = browse("hanna")
    answer = hanna.post(f"{FORM}/draft", {"happened": typed.encode("utf-8", "surrogatepass")}, htmx=True)
    assert answer.status_code == 200
    assert hanna.get(FORM).status_code == 200


def test_many_reports_within_an_hour_are_slowed_down_and_nothing_is_lost(app: Flask, browse: Browse) -> None:
    hanna = browse("hanna")
    for _ in range(10):
        write(hanna)
        assert send(hanna).status_code == 303
    write(hanna)
    answer = send(hanna)
    assert answer.status_code == 422
    assert "within an hour" in answer.text
    assert "I opened it." in hanna.get(FORM).text
    assert len(reported(app)) == 10


def test_revoking_takes_the_case_from_its_reporter_too(app: Flask, browse: Browse) -> None:
    hanna, ada = browse("hanna"), browse("ada")
    write(hanna)
    send(hanna, ("a.txt", b"a"))
    number = reported(app)[0].number
    page = f"/console/cases/{number}/access"
    drawer = ada.get(page).text
    assert "Hanna Person reported this case in the portal." in drawer
    assert "takes it from them too" in drawer
    assert ada.confirm(page, {"access": "internal"}).status_code == 303
    assert hanna.get(f"/portal/cases/{number}").status_code == 404
    assert hanna.get(SENT).headers["Location"] == "/portal/"


def test_a_profile_without_evidence_reports_in_words_only(app: Flask, world: World, browse: Browse) -> None:
    from portal.accounts import platform
    from portal.accounts.models import Membership, membership_profile
    from portal.accounts.permissions import Permission
    from tests import factories as make

    with app.app_context():
        profile = make.make_profile("Teller", "External-Reader", Permission.CREATE_CASE)
        seat = db.session.scalars(select(Membership).where(Membership.user_id == world.people["rhea"])).one()
        values = {"membership_id": seat.id, "profile_id": platform.profile(profile.name).id}
        db.session.execute(membership_profile.insert().values(values))
        db.session.commit()
    rhea = browse("rhea")
    assert 'name="items"' not in rhea.get(FORM).text
    write(rhea)
    assert 'type="file"' not in rhea.get(REVIEW).text
    assert send(rhea, ("a.txt", b"a")).status_code == 422
    assert send(rhea).status_code == 303
    assert len(reported(app)) == 1
    assert count(app, Observable) == 3 + 1  # those of the world


def test_a_sent_report_does_not_come_back_as_a_draft(app: Flask, browse: Browse) -> None:
    """A second window that was open meanwhile saves by itself, late."""
    hanna = browse("hanna")
    write(hanna)
    second = hidden(hanna.get(FORM))
    assert send(hanna, page=hanna.get(REVIEW)).status_code == 303
    assert "Not kept" in hanna.post(f"{FORM}/draft", {**second, "happened": "The same again"}, htmx=True).text
    answer = hanna.post(FORM, {**second, "happened": "The same again", "act": "save"})
    assert (answer.status_code, count(app, Draft)) == (422, 0)
    assert "The same again" in answer.text
    assert hanna.post(FORM, {**hidden(answer), "happened": "Something else", "act": "save"}).status_code == 303
    assert count(app, Draft) == 1


def test_headings_are_english_for_the_team_and_their_own_for_readers_outside(app: Flask, browse: Browse) -> None:
    hanna, german = browse("hanna"), {"headers": {"Accept-Language": "de"}}
    write(hanna)
    assert "<h3>Was passiert ist</h3>" in hanna.get(REVIEW, **german).text
    send(hanna)
    (case,) = reported(app)
    page, said = f"/portal/cases/{case.number}", ("Was passiert ist", "Beginn", "Wer betroffen ist", "Warum es wichtig ist")
    for heading in said:
        assert f"<h3>{heading}</h3>" in hanna.get(page, **german).text
    assert "<h3>What happened</h3>" in hanna.get(page).text
    assert "<h3>What happened</h3>" in browse("ada").get(f"/console/cases/{case.number}").text


@pytest.mark.parametrize(
    ("language", "said"), [("fr", "20 nov. 2026, 09:30 UTC"), ("de", "20. Nov. 2026, 09:30 UTC"), ("es", "20 nov 2026, 09:30 UTC")]
)
def test_the_last_look_and_the_case_say_the_beginning_in_the_reader_s_words(app: Flask, browse: Browse, language: str, said: str) -> None:
    hanna, tongue = browse("hanna"), {"headers": {"Accept-Language": language}}
    write(hanna)
    page = hanna.get(REVIEW, **tongue).text
    assert f"<p>{said}</p>" in page
    assert "20 Nov 2026" not in page
    send(hanna)
    (case,) = reported(app)
    assert "20 Nov 2026, 09:30 UTC" in case.description
    page = hanna.get(f"/portal/cases/{case.number}", **tongue).text
    assert f"<p>{said}</p>" in page
    assert "<p>20 Nov 2026, 09:30 UTC</p>" in hanna.get(f"/portal/cases/{case.number}").text
    assert "<p>20 Nov 2026, 09:30 UTC</p>" in browse("ada").get(f"/console/cases/{case.number}", **tongue).text


def test_a_heading_of_the_same_words_is_somebodys_own_and_stays(app: Flask, world: World, browse: Browse) -> None:
    """In an answer of a report; and in what an analyst wrote."""
    hanna, german = browse("hanna"), {"headers": {"Accept-Language": "de"}}
    write(hanna, matters="Money.\r\n\r\n# What happened\r\n\r\nAll of it.")
    send(hanna)
    shown = hanna.get(f"/portal/cases/{reported(app)[0].number}", **german).text
    for heading in ("Was passiert ist", "Beginn", "Wer betroffen ist", "Warum es wichtig ist", "What happened"):
        assert shown.count(f"<h3>{heading}</h3>") == 1, heading
    with app.app_context():
        start_writing()
        own = db.session.scalars(select(Case).where(Case.number == world.cases["shared"])).one()
        own.description, own.description_html = "# What happened", "<h3>What happened</h3>"
        db.session.commit()
    assert "<h3>What happened</h3>" in hanna.get(f"/portal/cases/{world.cases['shared']}", **german).text
