"""Signing in, resetting and changing passwords: one refusal for every reason, counted, and on record."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from portal.accounts import links, passwords, sessions, sign_in
from portal.accounts.models import AccountType, Attempt, LoginSession, OneTimeLink, Purpose
from portal.audit.record import Trace
from portal.clock import now
from portal.database import start_writing
from portal.extensions import db
from portal.mail import sender
from portal.mail.models import State
from portal.mail.outbox import posted
from portal.organisations.models import Organisation
from portal.refusals import NotVisible, Refusal, TooMany
from tests.factories import PASSWORD, make_user
from tests.fixtures.rooms import Cast, at_once, carry_out, letters, newest_audit
from tests.fixtures.statements import counted

TRACE = Trace("portal", "r1", "192.0.2.7", "Firefox")
NEW = "velvet-harbour-onion-38"


def enter(email: str, password: str = PASSWORD, *, face: str = "portal", trace: Trace = TRACE) -> sign_in.SignedIn:
    opened = sign_in.sign_in(email, password, face=face, trace=trace)
    db.session.commit()
    return opened


def refusal(email: str, password: str = PASSWORD, *, face: str = "portal") -> str:
    with pytest.raises(Refusal) as refused:
        enter(email, password, face=face)
    db.session.rollback()
    return f"{type(refused.value).__name__}: {refused.value.sentence}"


def test_hanna_can_sign_in(cast: Cast) -> None:
    opened = enter("  Hanna@People.Example ")
    found = sessions.find(opened.key, "portal")
    assert found is not None
    assert found.viewer.email == "hanna@people.example"
    entry = newest_audit()[0]
    assert (entry.kind, entry.actor_id, entry.organisation_id) == ("session:opened", cast.world.people["hanna"], cast.world.places["here"])
    last = cast.user("hanna").last_sign_in_at
    assert last is not None
    assert now() - last < timedelta(minutes=1)


def test_every_reason_is_refused_alike(cast: Cast) -> None:
    sentences = {
        "unknown": refusal("nobody@people.example"),
        "wrong": refusal("hanna@people.example", "wrong"),
        "empty": refusal("hanna@people.example", ""),
        "locked": refusal("dora@people.example"),
        "locked, wrong": refusal("dora@people.example", "wrong"),
        "not activated": refusal("newt@people.example"),
        "not activated, empty": refusal("newt@people.example", ""),
        "no address": refusal("", ""),
        "the hash itself": refusal("hanna@people.example", cast.user("hanna").password_hash or ""),
    }
    assert set(sentences.values()) == {f"Refusal: {sign_in.WRONG}"}
    assert db.session.scalar(select(func.count(LoginSession.id))) == 0


def test_a_refused_attempt_is_on_record(cast: Cast) -> None:
    """The request is rolled back; the entry is not."""
    refusal("hanna@people.example", "wrong")
    refusal("nobody@people.example", "hunter2hunter2")
    unknown, known = newest_audit(2)
    assert (known.kind, known.actor_id, known.object_id) == ("session:refused", cast.world.people["hanna"], str(cast.world.people["hanna"]))
    assert (unknown.kind, unknown.actor_id, unknown.actor_name) == ("session:refused", None, "an unknown account")
    assert "hunter2" not in str(vars(unknown))


@pytest.mark.parametrize(("who", "face", "there"), [("hanna", "console", "portal"), ("ada", "portal", "analyst console")])
def test_a_face_is_closed_to_those_of_the_other(cast: Cast, who: str, face: str, there: str) -> None:
    assert f"This account belongs to the {there}." in refusal(f"{who}@people.example", face=face)
    assert str(sign_in.WRONG) in refusal(f"{who}@people.example", "wrong", face=face)  # told only to those who know the password


def test_a_service_account_cannot_sign_in(cast: Cast) -> None:
    here = db.session.get_one(Organisation, cast.world.places["here"])
    make_user("Robot", here, "Analyst", kind=AccountType.SERVICE)
    db.session.commit()
    assert "service account" in refusal("robot@people.example", face="console")


def test_a_locked_organisation_lets_nobody_in(cast: Cast) -> None:
    db.session.get_one(Organisation, cast.world.places["here"]).locked = True
    db.session.commit()
    assert "locked" in refusal("hanna@people.example")


def test_guessing_ends_after_ten_tries_also_after_a_restart(cast: Cast, make_app: Callable[..., Flask]) -> None:
    for _ in range(10):
        assert str(sign_in.WRONG) in refusal("hanna@people.example", "wrong")
    assert "TooMany" in refusal("hanna@people.example")
    with make_app().app_context():  # the product starts anew on the same database
        with pytest.raises(TooMany) as refused:
            enter("hanna@people.example")
        assert 0 < refused.value.retry_after <= 900
        assert "minutes" in refused.value.sentence
        db.session.rollback()
        enter("rhea@people.example")
        enter("hanna@people.example", trace=Trace("portal", "r2", "198.51.100.9"))
    with time_machine.travel(now() + timedelta(minutes=15, seconds=1)):
        enter("hanna@people.example")


def test_a_locked_out_answer_is_the_same_for_unknown_accounts(cast: Cast) -> None:
    for _ in range(10):
        refusal("nobody@people.example", "wrong")
    assert "TooMany" in refusal("nobody@people.example", "wrong")


def test_success_forgives_the_tries_before(cast: Cast) -> None:
    for _ in range(2):
        for _ in range(9):
            refusal("hanna@people.example", "wrong")
        enter("hanna@people.example")


def test_a_network_cannot_try_many_accounts(cast: Cast) -> None:
    start_writing()
    for number in range(50):
        db.session.rollback()
        with pytest.raises(Refusal, match="not right"):
            enter(f"guess{number}@people.example", "wrong")
    assert "TooMany" in refusal("hanna@people.example")
    enter("hanna@people.example", trace=Trace("portal", "r3", "198.51.100.9"))


def test_people_of_one_network_do_not_use_it_up_by_signing_in(cast: Cast) -> None:
    for number in range(49):
        with pytest.raises(Refusal, match="not right"):
            enter(f"guess{number}@people.example", "wrong")
        db.session.rollback()
    for _ in range(3):
        enter("hanna@people.example")


def test_an_older_hash_made_anew_undoes_no_new_password(cast: Cast, make_app: Callable[..., Flask]) -> None:
    """Whoever signs in while the password is being changed does not bring the old one back."""
    found = sessions.find(enter("hanna@people.example").key, "portal")
    assert found is not None

    def change() -> None:
        sign_in.change_password(found.viewer, PASSWORD, NEW, face="portal", trace=TRACE)
        db.session.commit()

    changed, *entered = at_once(make_app(argon2_time=2), change, *[lambda: enter("hanna@people.example")] * 3)
    assert [type(result) for result in entered if not isinstance(result, (sign_in.SignedIn, Refusal))] == []
    right = NEW if changed is None else PASSWORD  # a change that met a renewed hash is refused, and says so
    assert passwords.verify(cast.user("hanna").password_hash, right)


def test_counted_tries_name_nobody_and_are_forgotten_after_a_day(cast: Cast) -> None:
    refusal("hanna@people.example", "wrong")
    assert not [row.bucket for row in db.session.scalars(select(Attempt)) if "hanna" in row.bucket or "192.0.2" in row.bucket]
    with time_machine.travel(now() + timedelta(hours=25)):
        refusal("rhea@people.example", "wrong")
        assert db.session.scalar(select(func.count(Attempt.id))) == 2


def test_parallel_guesses_are_all_counted(app: Flask, cast: Cast) -> None:
    results = at_once(app, *[lambda: enter("hanna@people.example", "wrong")] * 16)
    assert [type(r) for r in results].count(TooMany) >= 6
    assert str(sign_in.WRONG) in {str(r) for r in results}


def test_an_older_hash_is_made_anew(cast: Cast, make_app: Callable[..., Flask]) -> None:
    before = cast.user("hanna").password_hash
    with make_app(argon2_time=2).app_context():
        enter("hanna@people.example")
        after = cast.user("hanna").password_hash
        assert after != before
        assert not passwords.needs_rehash(after or "")
        enter("hanna@people.example")


@pytest.mark.parametrize("who", ["nobody", "dora", "newt"])
def test_asking_for_a_reset_says_nothing_and_sends_nothing_where_there_is_no_account(cast: Cast, who: str) -> None:
    before = len(letters())
    sign_in.ask_for_reset(f"{who}@people.example", trace=TRACE)
    db.session.commit()
    carry_out()
    assert len(letters()) == before


@pytest.mark.parametrize("ask", [sign_in.ask_for_reset, sign_in.ask_for_new_link])
def test_asking_is_the_same_work_for_every_address(app: Flask, cast: Cast, ask: Callable[..., None]) -> None:
    """The time of the answer must not tell who has an account: what follows is done later, by the sender."""
    cast.link(Purpose.INVITATION, "newt")
    done = []
    for who in ("hanna", "newt", "dora", "nobody"):
        posted.clear()
        with counted(app) as statements:
            ask(f"{who}@people.example", trace=TRACE)
            db.session.commit()
        done.append((statements, len(letters()), posted.is_set()))
    first = done[0]
    assert not first[2], "nor does the sender set to work at once, and slow down what the same browser asks for next"
    assert done == [(first[0], first[1] + more, False) for more in range(4)]


def test_what_was_asked_for_is_done_by_the_sender_and_on_record_as_asked(cast: Cast) -> None:
    for who in ("hanna", "nobody"):
        sign_in.ask_for_reset(f"{who}@people.example", trace=TRACE)
        db.session.commit()
    before = letters("ask_for_reset")
    assert [row.to_address for row in before] == ["hanna@people.example", "nobody@people.example"]
    sender.drain()
    [entry] = newest_audit()
    assert (entry.kind, entry.actor_id, entry.ip, entry.request_id) == ("user:reset-asked", cast.world.people["hanna"], TRACE.ip, "r1")
    db.session.rollback()
    orders = letters("ask_for_reset")
    assert [row.state for row in orders] == [State.SENT, State.DROPPED]
    assert [(row.to_address, row.extra.keys()) for row in orders] == [(None, {"at"})] * 2, "who asked is forgotten"
    assert [row.state for row in letters("reset")] == [State.SENT]
    sender.drain()
    assert len(letters("reset")) == 1


def test_what_was_asked_for_outlives_a_sender_that_dies_or_fails(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    sign_in.ask_for_reset("hanna@people.example", trace=TRACE)
    db.session.commit()
    with monkeypatch.context() as broken:
        broken.setattr(links, "make_link", lambda *_, **__: 1 / 0)
        sender.drain()
    db.session.rollback()
    [row] = letters("ask_for_reset")
    assert (row.state, row.to_address, letters("reset")) == (State.WAITING, "hanna@people.example", [])
    with time_machine.travel(now() + timedelta(hours=1)):
        assert sender._claim() is not None  # and this one is killed
    with time_machine.travel(now() + timedelta(hours=1) + 2 * sender.LEASE):
        sender.drain()
    db.session.rollback()
    assert [row.state for row in letters("ask_for_reset") + letters("reset")] == [State.SENT, State.SENT]


def test_nobody_is_mailed_what_was_asked_for_long_ago(cast: Cast) -> None:
    sign_in.ask_for_reset("hanna@people.example", trace=TRACE)
    db.session.commit()
    with time_machine.travel(now() + timedelta(hours=25)):
        sender.drain()
    db.session.rollback()
    assert ([row.state for row in letters("ask_for_reset")], letters("reset")) == ([State.DROPPED], [])


def test_hanna_can_set_a_new_password_by_mail_once(cast: Cast) -> None:
    key = enter("hanna@people.example").key
    sign_in.ask_for_reset("hanna@people.example", trace=TRACE)
    db.session.commit()
    carry_out()
    row = letters("reset")[-1]
    token = links.token_for(db.session.get_one(OneTimeLink, row.link_id))
    sign_in.reset_password(token, NEW)
    db.session.commit()
    assert sessions.find(key, "portal") is None
    assert str(sign_in.WRONG) in refusal("hanna@people.example")
    enter("hanna@people.example", NEW)
    assert letters("password_changed")[-1].to_user_id == cast.world.people["hanna"]
    with pytest.raises(NotVisible):
        sign_in.reset_password(token, "another-" + NEW)


def test_a_weak_new_password_does_not_burn_the_link(cast: Cast) -> None:
    token = links.token_for(cast.link(Purpose.RESET, "hanna"))
    with pytest.raises(Refusal):
        sign_in.reset_password(token, "hanna@people")
    db.session.rollback()
    sign_in.reset_password(token, NEW)


def test_an_invitation_is_no_reset(cast: Cast) -> None:
    with pytest.raises(NotVisible):
        sign_in.reset_password(links.token_for(cast.link(Purpose.INVITATION, "newt")), NEW)


def test_mail_on_request_is_limited(cast: Cast) -> None:
    for _ in range(3):
        sign_in.ask_for_reset("hanna@people.example", trace=TRACE)
    with pytest.raises(TooMany):
        sign_in.ask_for_reset("hanna@people.example", trace=Trace("portal", "r", "198.51.100.9"))
    for hours in (2, 4):
        with time_machine.travel(now() + timedelta(hours=hours)):
            sign_in.ask_for_reset("hanna@people.example", trace=TRACE)
    with time_machine.travel(now() + timedelta(hours=6)), pytest.raises(TooMany):
        sign_in.ask_for_reset("hanna@people.example", trace=TRACE)


@pytest.mark.parametrize(("who", "letter"), [("newt", "invitation"), ("hanna", "reset"), ("dora", None), ("nobody", None)])
def test_a_new_link_fits_the_account(cast: Cast, who: str, letter: str | None) -> None:
    cast.link(Purpose.INVITATION, "newt")
    before = len(letters())
    sign_in.ask_for_new_link(f"{who}@people.example", trace=TRACE)
    db.session.commit()
    carry_out()
    assert [row.letter for row in letters()[before:]] == ([letter] if letter else [])


def test_who_was_never_invited_gets_no_link_by_asking(cast: Cast) -> None:
    before = len(letters())
    sign_in.ask_for_new_link("newt@people.example", trace=TRACE)
    db.session.commit()
    carry_out()
    assert len(letters()) == before


def test_changing_the_password_ends_the_other_browsers(cast: Cast) -> None:
    here, elsewhere = enter("hanna@people.example").key, enter("hanna@people.example").key
    found = sessions.find(here, "portal")
    assert found is not None
    reset = links.token_for(cast.link(Purpose.RESET, "hanna"))
    opened = sign_in.change_password(found.viewer, PASSWORD, NEW, face="portal", trace=TRACE)
    db.session.commit()
    assert [sessions.find(key, "portal") is None for key in (here, elsewhere, opened.key)] == [True, True, False]
    assert links.open_link(Purpose.RESET, reset) is None
    assert newest_audit()[0].kind == "user:password-changed"
    assert passwords.verify(cast.user("hanna").password_hash, NEW)


def test_the_current_password_is_asked_for_and_guesses_are_counted(cast: Cast) -> None:
    viewer = cast("hanna")
    for _ in range(10):
        with pytest.raises(Refusal, match="current password is not right"):
            sign_in.change_password(viewer, "wrong", NEW, face="portal", trace=TRACE)
    with pytest.raises(TooMany):
        sign_in.change_password(viewer, PASSWORD, NEW, face="portal", trace=TRACE)
    db.session.rollback()
    assert passwords.verify(cast.user("hanna").password_hash, PASSWORD)


def test_an_address_is_the_same_however_its_domain_is_written(cast: Cast) -> None:
    start_writing()
    cast.user("hanna").email = "eva@bücher.example"
    db.session.commit()
    for written in ("eva@bücher.example", "Eva@xn--bcher-kva.example"):
        assert enter(written).user.email == "eva@bücher.example"
    assert len(letters("reset")) == 0
    sign_in.ask_for_reset("eva@xn--bcher-kva.example", trace=TRACE)
    db.session.commit()
    carry_out()
    assert len(letters("reset")) == 1
