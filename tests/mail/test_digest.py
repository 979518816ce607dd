"""The first news at once, what follows within a quarter of an hour in one letter; nothing lost, nothing told twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from flask import Flask
from sqlalchemy import select, update

from portal.cases import lifecycle
from portal.cases.models import Case
from portal.clock import now
from portal.database import start_writing
from portal.extensions import db
from portal.mail import news, outbox, sender
from portal.mail.models import OutboxMessage, State
from portal.mail.outbox import post
from portal.mail.wishes import Wishes
from portal.notices.models import Notice
from portal.sharing.access import set_access
from portal.sharing.models import Access
from portal.sharing.window import Window
from tests.factories import say
from tests.fixtures.post import PostOffice, text_of
from tests.fixtures.rooms import Cast, at_once, letters
from tests.mail.telling import ADA, HANNA, LATER, SOON, both, drain, open_case, shared_with_hanna, tell


def test_the_first_news_comes_at_once_and_the_next_together(sending: Cast, smtp_server: PostOffice) -> None:
    first, second, third = shared_with_hanna(sending, 3)
    tell(sending, first)
    drain()
    assert [letter["Subject"] for letter in smtp_server.to(HANNA)] == [f"Case #{first.number} has news"]
    for case in (second, third, first, second):
        tell(sending, case)
        drain(SOON)
    assert len(smtp_server.to(HANNA)) == 1
    drain(LATER)
    letter = smtp_server.to(HANNA)[-1]
    assert (len(smtp_server.to(HANNA)), letter["Subject"]) == (2, "3 cases have news")
    for case in (first, second, third):
        assert both(letter).count(f"/portal/cases/{case.number}") == 2  # once in each of the two texts
        assert case.title not in both(letter)
    drain(2 * LATER)
    assert len(smtp_server.to(HANNA)) == 2
    assert {row.state for row in letters() if row.to_user_id} == {State.SENT, State.DROPPED}


def test_several_news_of_one_case_are_one_line(sending: Cast, smtp_server: PostOffice) -> None:
    tell(sending)
    drain()
    tell(sending)
    tell(sending)
    drain(LATER)
    letter, number = smtp_server.to(HANNA)[-1], sending.world.cases["shared"]
    assert letter["Subject"] == f"Case #{number} has news"
    assert text_of(letter).count("new message") == 1
    assert "/portal/account/letters" in text_of(letter)


def test_others_get_theirs_at_once(sending: Cast, smtp_server: PostOffice) -> None:
    """Nobody waits because somebody else was written to."""
    [case] = shared_with_hanna(sending, 1)
    tell(sending, case)
    drain()
    tell(sending)
    drain(SOON)
    assert (len(smtp_server.to(HANNA)), len(smtp_server.to("rhea@people.example"))) == (1, 1)


def test_what_was_read_meanwhile_is_left_out(sending: Cast, smtp_server: PostOffice) -> None:
    first, second, third = shared_with_hanna(sending, 3)
    tell(sending, first)
    drain()
    for case in (second, third):
        tell(sending, case)
    drain(SOON)
    open_case(sending, second)
    drain(LATER)
    letter = smtp_server.to(HANNA)[-1]
    assert letter["Subject"] == f"Case #{third.number} has news"
    assert f"Case #{second.number}" not in both(letter)


def test_news_after_the_reading_are_news(sending: Cast, smtp_server: PostOffice) -> None:
    case = sending.case("shared")
    tell(sending)
    open_case(sending, sending.case("shared"))
    tell(sending)
    drain()
    assert [letter["Subject"] for letter in smtp_server.to(HANNA)] == [f"Case #{case.number} has news"]


def test_when_all_was_read_no_letter_goes(sending: Cast, smtp_server: PostOffice) -> None:
    tell(sending)
    open_case(sending, sending.case("shared"))
    drain()
    assert smtp_server.to(HANNA) == []
    assert len(smtp_server.to("rhea@people.example")) == 1


def test_sharing_that_was_opened_before_the_letter_left_needs_none(sending: Cast, smtp_server: PostOffice) -> None:
    case = sending.case("internal")
    set_access(case, Access.EXTERNAL, {sending.world.people["hanna"]}, by=sending("ada"))
    db.session.commit()
    open_case(sending, case)
    drain()
    assert smtp_server.messages == []


def test_a_colleague_who_read_the_notice_gets_no_letter(sending: Cast, smtp_server: PostOffice) -> None:
    window, number = Window(sending("hanna")), sending.world.cases["shared"]
    window.add_message(number, "One")
    drain()
    window.add_message(number, "Two")
    db.session.commit()
    drain(SOON)
    db.session.execute(update(Notice).where(Notice.user_id == sending("ada").user_id).values(read_at=now()))
    drain(LATER)
    assert len(smtp_server.to(ADA)) == 1
    window.add_message(number, "Three")
    drain(LATER)
    assert len(smtp_server.to(ADA)) == 2


def test_muted_cases_and_unwanted_kinds_are_left_out(sending: Cast, smtp_server: PostOffice) -> None:
    first, second = shared_with_hanna(sending, 2)
    wishes = Wishes(sending("hanna"))
    wishes.mute(first.number, True)
    db.session.commit()
    tell(sending, first)
    tell(sending, second)
    drain()
    [letter] = smtp_server.to(HANNA)
    assert f"Case #{first.number}" not in both(letter)
    wishes.choose([kind.value for kind in news.OUTSIDE if kind is not news.News.MESSAGE])
    tell(sending, second)
    drain(LATER)
    assert len(smtp_server.to(HANNA)) == 1
    wishes.choose([kind.value for kind in news.OUTSIDE])
    wishes.mute(first.number, False)
    tell(sending, first)
    drain(LATER)
    assert len(smtp_server.to(HANNA)) == 2


def test_rights_are_asked_for_each_case_when_the_letter_leaves(sending: Cast, smtp_server: PostOffice) -> None:
    first, second, third = shared_with_hanna(sending, 3)
    tell(sending, first)
    drain()
    for case in (first, second, third):
        tell(sending, case)
    drain(SOON)
    set_access(second, Access.INTERNAL, set(), by=sending("ada"))
    drain(LATER)
    letter = smtp_server.to(HANNA)[-1]
    assert letter["Subject"] == "2 cases have news"
    assert f"Case #{second.number}" not in both(letter)


def test_a_lost_right_between_joining_and_trying_again_counts(sending: Cast, smtp_server: PostOffice) -> None:
    first, second = shared_with_hanna(sending, 2)
    tell(sending, first)
    tell(sending, second)
    smtp_server.stop()
    drain()
    assert [row.letter for row in letters() if row.state is State.WAITING] == [news.DIGEST]
    set_access(second, Access.INTERNAL, set(), by=sending("ada"))
    db.session.commit()
    smtp_server.start()
    drain(timedelta(minutes=2))
    [letter] = smtp_server.to(HANNA)
    assert letter["Subject"] == f"Case #{first.number} has news"


def test_deleting_a_case_takes_only_its_own_news(sending: Cast, smtp_server: PostOffice) -> None:
    first, second = shared_with_hanna(sending, 2)
    number = first.number
    tell(sending, first)
    tell(sending, second)
    smtp_server.stop()
    drain()
    start_writing()
    case = db.session.get_one(Case, first.id, populate_existing=True)
    lifecycle.delete_case(case, str(number), version=case.version, by=sending("olga"))
    db.session.commit()
    smtp_server.start()
    drain(timedelta(minutes=2))
    [letter] = smtp_server.to(HANNA)
    assert letter["Subject"] == f"Case #{second.number} has news"
    assert f"Case #{number}" not in both(letter)


def test_letters_about_the_account_wait_for_nothing(sending: Cast, smtp_server: PostOffice) -> None:
    tell(sending)
    drain()
    Wishes(sending("hanna")).choose([])
    post("password_changed", organisation_id=None, to_user_id=sending("hanna").user_id, extra={"at": now().isoformat()})
    drain(SOON)
    assert smtp_server.to(HANNA)[-1]["Subject"] == "Your password was changed"


def test_senders_at_once_write_one_letter(sending: Cast, smtp_server: PostOffice, make_app: Callable[..., Flask]) -> None:
    found = shared_with_hanna(sending, 8)
    for case in found:
        tell(sending, case)
    numbers = {case.number for case in found}
    app = make_app(**smtp_server.settings)
    errors = [result for result in at_once(app, *[sender.drain] * 4) if isinstance(result, Exception)]
    assert errors == []
    for minutes in (1, 20, 40):
        drain(timedelta(minutes=minutes))
    texts = [text_of(letter) for letter in smtp_server.to(HANNA)]
    told = [number for number in numbers for text in texts if f"Case #{number}: " in text or f"case #{number}." in text]
    assert sorted(told) == sorted(numbers)  # each once, none missing
    assert len(smtp_server.to(HANNA)) <= 2  # what one sender had in hand when another one went


def test_a_letter_that_may_have_left_says_no_more_than_before(sending: Cast, smtp_server: PostOffice) -> None:
    """Its receiver may throw away the second one, which has the same Message-ID: what came since must not be in it."""
    first, second = shared_with_hanna(sending, 2)
    row = post("case_news", organisation_id=first.organisation_id, to_user_id=sending("hanna").user_id, case_id=first.id)
    row.comment_id = say(first, sending("ada"), "Fresh", external=True).id
    db.session.commit()
    lease = sender._claim()
    assert lease is not None
    assert sender._gather(lease)
    sender._note_start(lease)  # and the process dies
    tell(sending, second)
    drain(sender.LEASE + timedelta(seconds=1))
    drain(2 * sender.LEASE)
    [letter] = smtp_server.to(HANNA)
    assert (letter["Message-ID"], letter["Subject"]) == (row.message_id, f"Case #{first.number} has news")
    drain(2 * LATER)
    assert [letter["Subject"] for letter in smtp_server.to(HANNA)][1:] == [f"Case #{second.number} has news"]


def test_a_crash_after_joining_loses_nothing(sending: Cast, smtp_server: PostOffice) -> None:
    found = shared_with_hanna(sending, 3)
    for case in found:
        tell(sending, case)
    while (lease := sender._claim()) is not None:
        row = db.session.get_one(OutboxMessage, lease.row_id, populate_existing=True)
        if row.to_user_id is not None:
            break
        sender._handle(lease)
    assert lease is not None
    assert sender._gather(lease)  # and the process dies
    drain(SOON)
    assert smtp_server.to(HANNA) == []
    drain(sender.LEASE + timedelta(minutes=1))
    [letter] = smtp_server.to(HANNA)
    assert letter["Subject"] == "3 cases have news"


def test_a_digest_that_failed_can_be_sent_again(sending: Cast, smtp_server: PostOffice) -> None:
    found = shared_with_hanna(sending, 2)
    for case in found:
        tell(sending, case)
    smtp_server.refuse("550 5.1.1 nobody of that name", at="RCPT")
    drain()
    smtp_server.accept()
    [stuck] = outbox.stuck(by=sending("pia"))
    outbox.retry(stuck.id, by=sending("pia"))
    drain()
    assert [letter["Subject"] for letter in smtp_server.to(HANNA)] == ["2 cases have news"]


def test_news_of_another_organisation_is_another_letter(sending: Cast, smtp_server: PostOffice) -> None:
    """Waiting together would tell one team's guests of another's pace."""
    tell(sending)
    drain()
    row = post("case_news", organisation_id=sending.world.places["there"], to_user_id=sending("hanna").user_id)
    db.session.commit()
    drain(SOON)
    db.session.refresh(row)
    assert row.state is State.DROPPED  # decided at once: she is nobody there


def test_the_state_of_what_was_joined_says_where_it_went(sending: Cast, smtp_server: PostOffice) -> None:
    for case in shared_with_hanna(sending, 2):
        tell(sending, case)
    drain()
    joined = db.session.scalars(select(OutboxMessage).where(OutboxMessage.last_error.like("its news went into letter %"))).all()
    assert [row.state for row in joined] == [State.DROPPED]
