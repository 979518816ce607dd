"""What is news, to whom, and in which words; and what is none."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import update

from portal.accounts.models import User
from portal.cases import cases, comments, lifecycle, tasks
from portal.cases.models import Case
from portal.database import start_writing
from portal.extensions import db
from portal.mail import news
from portal.mail.models import State
from portal.mail.outbox import post
from portal.notices import notices
from portal.organisations.models import Organisation
from tests.factories import say
from tests.fixtures.post import PostOffice, text_of
from tests.fixtures.rooms import Cast, letters
from tests.mail.telling import ADA, HANNA, LATER, SOON, both, drain, shared_with_hanna, tell


def silent(cast: Cast, act: Callable[[Case], object]) -> None:
    """A letter waits for Hanna; the act neither adds one nor moves it."""
    case = cast.case("shared")
    tell(cast)
    drain()
    tell(cast)
    drain(SOON)
    before = [(row.id, row.state, row.due_at, row.extra) for row in letters()]
    assert any(row[1] is State.WAITING for row in before)
    start_writing()
    act(cast.case("shared"))
    db.session.commit()
    assert [(row.id, row.state, row.due_at, row.extra) for row in letters()] == before
    assert case.number


def test_what_stays_inside_moves_no_letter(sending: Cast) -> None:
    ada = sending("ada")
    silent(sending, lambda case: say(case, ada, "Internal"))


def test_a_task_a_tag_and_a_verdict_are_no_news(sending: Cast) -> None:
    ada = sending("ada")

    def act(case: Case) -> None:
        tasks.add_task(case, tasks.Draft("Look at it"), by=ada)
        cases.update_case(case, cases.draft_of(case, tags=("quiet",), severity=4), version=case.version, by=ada)
        cases.flag_case(case, True, by=ada)
        comments.add_comment(case, "Only for us", external=False, by=ada)

    silent(sending, act)


def close(case: Case, cast: Cast) -> None:
    lifecycle.close_case(case, status="TruePositive", summary="Done", impact="NoImpact", version=case.version, by=cast("ada"))
    db.session.commit()


def test_a_new_stage_is_told_without_saying_which(sending: Cast, smtp_server: PostOffice) -> None:
    close(sending.case("shared"), sending)
    drain()
    [letter] = smtp_server.to(HANNA)
    assert "The status of case" in text_of(letter)
    assert not any(word in both(letter) for word in ("Closed", "closed", "TruePositive", "Done"))


def test_a_stage_that_went_back_is_no_news(sending: Cast, smtp_server: PostOffice) -> None:
    case = sending.case("shared")
    cases.update_case(case, cases.draft_of(case, status="InProgress"), version=case.version, by=sending("ada"))
    cases.update_case(case, cases.draft_of(case, status="New"), version=case.version, by=sending("ada"))
    rows = letters("case_status")
    assert len(rows) == 2
    db.session.delete(rows[1])
    drain()
    assert smtp_server.messages == []


def test_nobody_is_told_of_a_case_nobody_sees(sending: Cast, smtp_server: PostOffice) -> None:
    close(sending.case("internal"), sending)
    assert letters("case_status") == []
    drain()
    assert smtp_server.messages == []


def test_a_new_assignee_is_told_and_whoever_takes_it_is_not(sending: Cast, smtp_server: PostOffice) -> None:
    case, olga = sending.case("internal"), sending("olga")
    cases.update_case(case, cases.draft_of(case, assignee_id=olga.user_id), version=case.version, by=sending("ada"))
    drain()
    assert [letter["Subject"] for letter in smtp_server.messages] == [f"Case #{case.number} is assigned to you"]
    cases.update_case(case, cases.draft_of(case, assignee_id=sending("ada").user_id), version=case.version, by=sending("ada"))
    drain(LATER)
    assert len(smtp_server.messages) == 1


def test_a_report_is_told_to_those_who_take_on_cases(sending: Cast, smtp_server: PostOffice) -> None:
    case = sending.case("shared")
    case.assignee_id = None
    news.tell_team(case)
    notices.tell_team(case, by=sending("hanna"))
    news.tell_reporter(case, user_id=sending("hanna").user_id)
    drain()
    assert {letter["To"] for letter in smtp_server.messages} == {ADA, "olga@people.example", HANNA}
    assert smtp_server.to(HANNA)[0]["Subject"] == f"We have your report: case #{case.number}"
    assert f"/console/cases/{case.number}" in text_of(smtp_server.to(ADA)[0])


def test_titles_are_told_where_the_organisation_allows_it(sending: Cast, smtp_server: PostOffice) -> None:
    db.session.get_one(Organisation, sending.world.places["here"]).titles_in_mail = True
    found = shared_with_hanna(sending, 2)
    found[0].title = "Phishing & <b>more</b>"
    tell(sending, found[0])
    drain()
    tell(sending, found[0])
    tell(sending, found[1])
    drain(LATER)
    first, second = smtp_server.to(HANNA)
    assert first["Subject"].endswith("has news: Phishing & <b>more</b>")
    for letter in (first, second):
        assert "Phishing & <b>more</b>" in text_of(letter)
        assert "Phishing &amp; &lt;b&gt;more" in text_of(letter, "html")


@pytest.mark.parametrize(
    ("zone", "language", "words"),
    [
        ("", "", "1 Mar 2027, 10:00 UTC"),
        ("Europe/Berlin", "", "1 Mar 2027, 11:00 CET"),
        ("America/Lima", "en-US", "Mar 1, 2027, 05:00 UTC-05"),
    ],
)
def test_times_are_those_of_whoever_gets_the_letter(sending: Cast, smtp_server: PostOffice, zone: str, language: str, words: str) -> None:
    values = {"time_zone": zone, "language": language}
    db.session.execute(update(User).where(User.id == sending("hanna").user_id).values(values))
    post("password_changed", organisation_id=None, to_user_id=sending("hanna").user_id, extra={"at": "2027-03-01T10:00:00+00:00"})
    drain()
    [letter] = smtp_server.to(HANNA)
    assert words in text_of(letter)
    assert words in text_of(letter, "html")
