"""The sender against a real mail server: delivered, refused, silent, down; nothing lost, nothing twice that can be told."""

from __future__ import annotations

import contextlib
import logging
import stat
import time
from collections.abc import Callable
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from flask import Flask, current_app
from sqlalchemy import update

from portal import worker
from portal.clock import at, now
from portal.database import start_writing
from portal.extensions import db
from portal.mail import news, outbox, sender
from portal.mail.models import OutboxMessage, State
from portal.mail.outbox import post, posted
from portal.notices import notices
from portal.refusals import NotAllowed, NotVisible, Refusal
from portal.settings import change
from portal.sharing.window import Window
from tests.fixtures.post import PostOffice, free_port, text_of
from tests.fixtures.rooms import Cast, at_once, letters
from tests.fixtures.world import World


def notify(cast: Cast, who: str = "hanna", count: int = 1) -> list[str]:
    """Post so many letters that are always in order, and give their Message-IDs."""
    rows = [
        post("password_changed", organisation_id=None, to_user_id=cast.world.people[who], extra={"at": now().isoformat()})
        for _ in range(count)
    ]
    db.session.commit()
    return [row.message_id for row in rows]


def only() -> OutboxMessage:
    db.session.rollback()
    [row] = letters()
    return row


def test_a_letter_arrives_with_both_texts_and_its_fixed_id(sending: Cast, smtp_server: PostOffice) -> None:
    [message_id] = notify(sending)
    assert sender.drain() == 1
    [letter] = smtp_server.to("hanna@people.example")
    assert letter["Message-ID"] == message_id
    assert (letter["To"], letter["From"], letter["Auto-Submitted"]) == ("hanna@people.example", "portal@127.0.0.1", "auto-generated")
    assert letter["Subject"] == "Your password was changed"
    assert "Hello Hanna Person," in text_of(letter)
    assert "<html" in text_of(letter, "html")
    row = only()
    assert (row.state, row.attempts, row.last_error, row.leased_until) == (State.SENT, 1, "", None)
    assert sender.drain() == 0
    assert len(smtp_server.messages) == 1


def test_a_server_that_is_down_gets_it_later(sending: Cast, smtp_server: PostOffice, caplog: pytest.LogCaptureFixture) -> None:
    smtp_server.stop()
    [message_id] = notify(sending)
    with caplog.at_level(logging.WARNING):
        assert sender.drain() == 1
    row = only()
    assert (row.state, row.last_error, row.attempts) == (State.WAITING, "nobody answers at the server's address", 1)
    assert f"letter {message_id} not sent" in caplog.text
    assert "Traceback" not in caplog.text
    smtp_server.start()
    with at(now() + timedelta(seconds=2)):
        sender.drain()
    assert [letter["Message-ID"] for letter in smtp_server.messages] == [message_id]
    assert only().state is State.SENT


def test_a_temporary_refusal_is_tried_again(sending: Cast, smtp_server: PostOffice) -> None:
    smtp_server.refuse("451 4.3.0 try again later", times=2)
    notify(sending)
    for seconds in (0, 2, 5):
        with at(now() + timedelta(seconds=seconds)):
            assert sender.drain() == 1
    row = only()
    assert (row.state, row.attempts, len(smtp_server.messages)) == (State.SENT, 3, 1)


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
def test_a_final_refusal_is_the_end_and_says_why(sending: Cast, smtp_server: PostOffice, command: str) -> None:
    smtp_server.refuse("550 5.1.1 nobody of that name", at=command)
    notify(sending)
    assert sender.drain() == 1
    row = only()
    assert (row.state, row.attempts, row.data_started_at) == (State.FAILED, 1, None)
    assert "nobody of that name" in row.last_error
    smtp_server.accept()
    assert sender.drain() == 0


def test_pauses_grow_and_end_after_a_day(make_app: Callable[..., Flask], world: World) -> None:
    app = make_app(smtp_host="127.0.0.1", smtp_port=free_port(), smtp_security="none", mail_retry_seconds=60)
    with app.app_context():
        cast = Cast(world)
        db.session.execute(update(OutboxMessage).values(state=State.DROPPED))
        [message_id] = notify(cast)
        moment, pauses = now() + timedelta(seconds=1), []
        for _ in range(40):
            with at(moment):
                sender.drain()
            row = next(row for row in letters() if row.message_id == message_id)
            if row.state is not State.WAITING:
                break
            pauses.append((row.due_at - moment).total_seconds())
            moment = row.due_at
        assert pauses[:5] == [60, 120, 240, 480, 960]
        assert pauses == sorted(pauses)
        assert max(pauses) == 6 * 3600
        assert row.state is State.FAILED
        assert timedelta(hours=24) < moment - row.created_at < timedelta(hours=31)


def test_a_letter_whose_fate_is_unknown_is_not_sent_twice(sending: Cast, smtp_server: PostOffice) -> None:
    smtp_server.vanish_after_data()
    notify(sending)
    sender.drain()
    row = only()
    assert row.state is State.UNKNOWN
    assert "did not confirm" in row.last_error
    assert len(smtp_server.messages) == 1
    with at(now() + timedelta(days=2)):
        assert sender.drain() == 0
    assert len(smtp_server.messages) == 1


def test_one_lost_letter_does_not_hold_up_the_others(sending: Cast, smtp_server: PostOffice) -> None:
    smtp_server.refuse("550 5.7.1 no", at="RCPT", times=1)
    ids = notify(sending, count=4)
    assert sender.drain() == 4
    assert [letter["Message-ID"] for letter in smtp_server.messages] == ids[1:]


def test_a_lease_that_ran_out_is_taken_over_with_the_same_id(
    sending: Cast, smtp_server: PostOffice, caplog: pytest.LogCaptureFixture
) -> None:
    """A process died between taking the letter and noting the outcome."""
    [message_id] = notify(sending)
    lease = sender._claim()
    assert lease is not None
    sender._note_start(lease)
    assert sender.drain() == 0  # while the lease runs, it is another's
    with at(now() + sender.LEASE + timedelta(seconds=1)), caplog.at_level(logging.WARNING):
        assert sender.drain() == 1
    assert "may have left before a crash" in caplog.text
    assert [letter["Message-ID"] for letter in smtp_server.messages] == [message_id]
    assert only().state is State.SENT


def test_two_senders_share_the_work(sending: Cast, smtp_server: PostOffice, make_app: Callable[..., Flask]) -> None:
    ids = notify(sending, count=12)
    app = make_app(**smtp_server.settings)
    handled = at_once(app, sender.drain, sender.drain, sender.drain)
    assert sum(handled) == 12
    assert sorted(letter["Message-ID"] for letter in smtp_server.messages) == sorted(ids)


def test_what_is_rolled_back_is_not_mailed(sending: Cast, smtp_server: PostOffice) -> None:
    posted.clear()
    post("password_changed", organisation_id=None, to_user_id=sending.world.people["hanna"], extra={"at": now().isoformat()})
    db.session.rollback()
    assert not posted.is_set()
    assert (sender.drain(), smtp_server.messages) == (0, [])
    notify(sending)
    assert posted.is_set()


def test_an_untrusted_server_gets_nothing(make_app: Callable[..., Flask], world: World, secure_smtp_server: PostOffice) -> None:
    distrusted = {**secure_smtp_server.settings, "smtp_ca_file": ""}
    with make_app(**distrusted, mail_retry_seconds=60).app_context():
        db.session.execute(update(OutboxMessage).values(state=State.DROPPED))
        [message_id] = notify(Cast(world))
        sender.drain()
        row = next(row for row in letters() if row.message_id == message_id)
        assert (row.state, row.last_error) == (State.WAITING, "the server's certificate is not trusted or names another host")
    assert secure_smtp_server.messages == []
    with make_app(**secure_smtp_server.settings).app_context(), at(now() + timedelta(minutes=2)):
        sender.drain()
    assert (len(secure_smtp_server.messages), secure_smtp_server.encrypted) == (1, [True])


def test_a_server_without_encryption_gets_nothing_when_it_is_wanted(
    sending: Cast, smtp_server: PostOffice, make_app: Callable[..., Flask]
) -> None:
    notify(sending)
    with make_app(**{**smtp_server.settings, "smtp_security": "starttls"}, mail_retry_seconds=60).app_context():
        sender.drain()
        assert only().state is State.WAITING
    assert smtp_server.messages == []


def test_without_a_server_letters_are_private_files(make_app: Callable[..., Flask], world: World) -> None:
    app = make_app()
    with app.app_context():
        cast = Cast(world)
        db.session.execute(update(OutboxMessage).values(state=State.DROPPED))
        [message_id] = notify(cast)
        sender.drain()
        folder = app.config["SETTINGS"].mail_folder
        [path] = folder.iterdir()
        assert path.suffix == ".eml"
        assert [stat.S_IMODE(place.stat().st_mode) for place in (folder, path)] == [0o700, 0o600]
        letter = message_from_bytes(path.read_bytes(), policy=policy.default)
        assert (letter["Message-ID"], letter["To"]) == (message_id, "hanna@people.example")
        assert "Hello Hanna Person," in text_of(letter)  # type: ignore[arg-type]
        db.session.execute(update(OutboxMessage).where(OutboxMessage.message_id == message_id).values(state=State.WAITING))
        db.session.commit()
        sender.drain()
        assert [place.name for place in folder.iterdir()] == [path.name]  # the same letter is the same file


def test_a_letter_nobody_can_write_does_not_stop_the_others(sending: Cast, smtp_server: PostOffice) -> None:
    """Such as one posted by a newer version, after going back to an older one."""
    odd = post("letter_of_tomorrow", organisation_id=None, to_user_id=sending.world.people["hanna"])
    db.session.commit()
    [message_id] = notify(sending)
    assert sender.drain() == 2
    assert [letter["Message-ID"] for letter in smtp_server.messages] == [message_id]
    left = next(row for row in letters() if row.id == odd.id)
    assert (left.state, left.last_error) == (State.WAITING, "'letter_of_tomorrow'")
    with at(now() + sender.GIVE_UP_AFTER + timedelta(hours=1)):
        sender.drain()
    db.session.refresh(left)
    assert left.state is State.FAILED


def test_who_lost_the_lease_cannot_decide_about_the_letter(sending: Cast, smtp_server: PostOffice) -> None:
    """A sender that was stopped for minutes and goes on while another one has the letter by now."""
    notify(sending)
    late = sender._claim()
    assert late is not None
    with at(now() + sender.LEASE + timedelta(seconds=1)):
        lease = sender._claim()
        assert lease is not None
        assert lease.row_id == late.row_id
        for act in (
            lambda: sender._note_start(late),
            lambda: sender._finish(late, State.FAILED, "too late"),
            lambda: sender._postpone(late, OSError("too late")),
            lambda: sender._handle(late),
        ):
            with pytest.raises(sender.LeaseLost):
                act()
            db.session.rollback()
        assert smtp_server.messages == []  # nothing left without a lease
        assert (only().state, only().last_error, only().leased_until) == (State.SENDING, "", lease.until)
        sender._handle(lease)
    assert (only().state, len(smtp_server.messages)) == (State.SENT, 1)


def test_it_stops_between_letters_and_finishes_the_one_in_hand(sending: Cast, smtp_server: PostOffice) -> None:
    notify(sending, count=4)
    smtp_server.stall(1, at="DATA")
    background = worker.Background(current_app._get_current_object())  # type: ignore[attr-defined]
    deadline = time.monotonic() + 20
    while not any(row.attempts for row in letters()) and time.monotonic() < deadline:
        db.session.rollback()
        time.sleep(0.02)
    assert background.end(15)
    db.session.rollback()
    states = [row.state for row in letters()]
    assert (states.count(State.SENT), states.count(State.SENDING)) == (len(smtp_server.messages), 0)
    assert states.count(State.WAITING) >= 2


def test_what_an_administrator_sets_holds_for_the_next_letter(
    make_app: Callable[..., Flask], world: World, smtp_server: PostOffice
) -> None:
    with make_app(mail_retry_seconds=1).app_context():
        cast = Cast(world)
        db.session.execute(update(OutboxMessage).values(state=State.DROPPED))
        chosen = {"smtp_host": smtp_server.host, "smtp_port": smtp_server.port, "smtp_security": "none", "mail_from": "cases@example.org"}
        change.save_mail(chosen, version=0, by=cast("pia"))
        notify(cast)
        assert sender.drain() == 1
        [letter] = smtp_server.to("hanna@people.example")
        assert letter["From"] == "cases@example.org"


def test_a_letter_that_failed_can_be_sent_again(sending: Cast, smtp_server: PostOffice) -> None:
    smtp_server.refuse("550 5.1.1 nobody of that name", at="RCPT")
    notify(sending)
    sender.drain()
    smtp_server.accept()
    [row] = outbox.stuck(by=sending("pia"))
    assert (row.letter, row.to, row.unknown) == ("password_changed", "hanna@people.example", False)
    outbox.retry(row.id, by=sending("pia"))
    db.session.commit()
    assert sender.drain() == 1
    assert (only().state, len(smtp_server.messages)) == (State.SENT, 1)
    with pytest.raises(NotVisible):
        outbox.retry(row.id, by=sending("pia"))


def test_of_a_letter_that_may_have_arrived_somebody_must_say_so(sending: Cast, smtp_server: PostOffice) -> None:
    smtp_server.vanish_after_data()
    notify(sending)
    sender.drain()
    [row] = outbox.stuck(by=sending("pia"))
    assert row.unknown
    assert outbox.retry_failed(by=sending("pia")) == 0
    with pytest.raises(Refusal):
        outbox.retry(row.id, by=sending("pia"))
    outbox.retry(row.id, twice=True, by=sending("pia"))
    db.session.commit()
    assert only().state is State.WAITING


@pytest.mark.parametrize("who", ["ada", "olga", "hanna"])
def test_others_cannot_look_after_the_outbox(sending: Cast, who: str) -> None:
    for act in (outbox.stuck, outbox.retry_failed):
        with pytest.raises(NotAllowed):
            act(by=sending(who))
    with pytest.raises(NotAllowed):
        outbox.retry(1, by=sending(who))


def test_a_savepoint_neither_wakes_the_sender_nor_forgets_the_letters(cast: Cast) -> None:
    """Bulk acts undo one person's part by a savepoint; the letters of the others still leave with the commit, and not before."""
    posted.clear()
    start_writing()
    with db.session.begin_nested():
        post("password_changed", organisation_id=None, to_user_id=cast.world.people["hanna"], extra={"at": now().isoformat()})
    assert not posted.is_set()
    with contextlib.suppress(ZeroDivisionError), db.session.begin_nested():
        raise ZeroDivisionError
    db.session.commit()
    assert posted.is_set()
    posted.clear()


def test_a_day_without_a_sender_is_no_day_of_trying(sending: Cast, smtp_server: PostOffice) -> None:
    """News, made into letters only then, and a letter that waited itself: one refused connection ends neither."""
    number = sending.world.cases["shared"]
    Window(sending("hanna")).add_message(number, "Fresh news")
    notify(sending)
    smtp_server.stop()
    late = now() + timedelta(hours=25)
    with at(late):
        sender.drain()
    waiting = [row for row in letters() if row.to_user_id]
    assert {row.letter for row in waiting} == {"case_news", "external_reply", "password_changed"}
    assert {row.state for row in waiting} == {State.WAITING}
    smtp_server.start()
    with at(late + timedelta(minutes=1)):
        sender.drain()
    assert {row.state for row in letters()} == {State.SENT}


def test_what_was_read_before_the_late_letters_were_made_is_read(sending: Cast, smtp_server: PostOffice) -> None:
    case = sending.case("shared")
    case.assignee_id = None
    notices.tell_team(case, by=sending("hanna"))
    news.tell_team(case)
    db.session.commit()
    start_writing()
    notices.note_opened(sending("ada"), case.number)
    db.session.commit()
    with at(now() + timedelta(hours=25)):
        sender.drain()
    assert [letter["To"] for letter in smtp_server.messages] == ["olga@people.example"]
