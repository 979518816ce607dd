"""One's own account: name, language and zone, what one may do, browsers, and the change of address."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from portal.accounts import account, links, platform, sessions
from portal.accounts.models import LoginSession, OneTimeLink, Purpose, User
from portal.audit.record import Trace
from portal.clock import at, now
from portal.database import start_writing
from portal.extensions import db
from portal.mail import letters as mail
from portal.organisations.models import Organisation
from portal.refusals import NotVisible, Refusal, TooMany, Unfit
from tests.factories import PASSWORD
from tests.fixtures.rooms import Cast, at_once, letters, newest_audit

TRACE = Trace("portal", "r", "192.0.2.7", "test")
NEW = "hanna@new.example"


def ask(cast: Cast, email: str = NEW, password: str = PASSWORD, who: str = "hanna") -> None:
    account.ask_for_email(cast(who), email, password, trace=TRACE)
    db.session.commit()


def token(address: str = NEW) -> str:
    found = select(OneTimeLink).where(OneTimeLink.purpose == Purpose.EMAIL, OneTimeLink.email == address).order_by(OneTimeLink.id.desc())
    return links.token_for(db.session.scalars(found).first() or pytest.fail("no link"))


def confirm(text: str, keep: int | None = None) -> User:
    start_writing()
    user = account.confirm_email(text, keep=keep)
    db.session.commit()
    return user


def sign_in(cast: Cast, who: str, face: str = "portal") -> int:
    start_writing()
    sessions.open_session(cast.user(who), cast.world.places["here"], face)
    db.session.commit()
    return db.session.scalars(select(LoginSession.id).order_by(LoginSession.id.desc())).first() or 0


def test_hanna_can_be_called_something_else(cast: Cast) -> None:
    start_writing()
    account.rename(cast("hanna"), "  Hanna   Lind ")
    db.session.commit()
    assert cast.user("hanna").name == "Hanna Lind"
    assert newest_audit()[0].changes == {"name": ["Hanna Person", "Hanna Lind"]}


@pytest.mark.parametrize("name", ["Northwind", "the  SECURITY team", "Elsewhere"])
def test_an_external_person_cannot_sign_as_a_team_they_work_with(cast: Cast, name: str) -> None:
    start_writing()
    platform.join(cast.user("hanna"), db.session.get_one(Organisation, cast.world.places["there"]), [platform.profile("External-Reader")])
    db.session.commit()
    start_writing()
    with pytest.raises(Refusal, match="name"):
        account.rename(cast("hanna"), name)


def test_language_and_zone_are_kept_and_checked(cast: Cast) -> None:
    start_writing()
    account.set_reading(cast("ada"), language="en-US", time_zone="Europe/Berlin")
    db.session.commit()
    assert (cast.user("ada").language, cast.user("ada").time_zone) == ("en-US", "Europe/Berlin")
    start_writing()
    for wrong in (
        {"language": "tlh", "time_zone": ""},
        {"language": "", "time_zone": "../../etc/passwd"},
        {"language": "", "time_zone": "localtime"},
    ):
        with pytest.raises(Unfit, match="in the list"):
            account.set_reading(cast("ada"), **wrong)


def test_people_are_told_what_they_may_do_in_words(cast: Cast) -> None:
    told = {}
    for who in ("ada", "ruth", "pia", "hanna", "rhea"):
        (told[who],) = account.places(cast(who))
    assert told["ruth"].sentences == ["Read the organisation's cases, except restricted ones you are not named on"]
    assert told["ada"].profiles == ["Sharer"]
    assert "Share cases with external users" in told["ada"].sentences
    assert "Change mail and sign-in settings, and the statuses of cases" in told["pia"].sentences
    assert (told["rhea"].profiles, told["rhea"].sentences) == ([], ["Read the cases that are shared with you"])
    assert told["hanna"].sentences[1:] == [
        "Report incidents to the security team",
        "Upload files to these cases",
        "Write messages to the security team on these cases",
        "Add evidence items, such as suspicious addresses, to these cases",
    ]


def test_an_address_changes_only_when_the_link_at_the_new_one_is_used(cast: Cast) -> None:
    ask(cast)
    assert cast.user("hanna").email == "hanna@people.example"
    assert account.pending_email(cast("hanna")) is not None
    letter = letters("email_change")[-1]
    assert letter.to_address == NEW
    confirm(token())
    assert cast.user("hanna").email == NEW
    assert newest_audit()[0].kind == "user:email-changed"
    note = letters("email_changed")[-1]
    assert note.to_address == "hanna@people.example"
    assert account.pending_email(cast("hanna")) is None


def test_both_letters_go_where_they_must_and_say_what_to_do(app: Flask, cast: Cast) -> None:
    ask(cast)
    first = mail.write(letters("email_change")[-1])
    assert first is not None
    assert first.to == NEW
    assert "/new-address/" in first.text
    confirm(token())
    second = mail.write(letters("email_changed")[-1])
    assert second is not None
    assert second.to == "hanna@people.example"
    assert "Tell your security team at once" in second.text
    assert mail.write(letters("email_change")[-1]) is None, "the link is used, so the letter must not go out any more"


def test_confirming_ends_links_and_other_browsers_but_not_this_one(cast: Cast) -> None:
    here, there = sign_in(cast, "hanna"), sign_in(cast, "hanna")
    reset = links.token_for(cast.link(Purpose.RESET, "hanna"))
    ask(cast)
    confirm(token(), keep=here)
    left = db.session.scalars(select(LoginSession).where(LoginSession.user_id == cast.world.people["hanna"])).all()
    assert [row.id for row in left] == [here]
    assert left[0].epoch == cast.user("hanna").epoch
    assert there != here
    assert links.open_link(Purpose.RESET, reset) is None


def test_confirming_keeps_nobody_elses_browser(cast: Cast) -> None:
    foreign = sign_in(cast, "vic")
    ask(cast)
    confirm(token(), keep=foreign)
    assert db.session.get_one(LoginSession, foreign).epoch == cast.user("vic").epoch


def test_a_taken_address_looks_the_same_and_nothing_is_sent_there(cast: Cast) -> None:
    ask(cast, "vic@people.example")
    assert account.pending_email(cast("hanna")) is not None
    assert not letters("email_change")
    with pytest.raises(NotVisible):
        confirm(token("vic@people.example"))


def test_an_address_with_letters_that_only_look_like_others_is_written_to_plainly(cast: Cast) -> None:
    ask(cast, "Vic@\uff45xample.example")
    assert token("vic@example.example")


def test_an_address_taken_in_its_other_spelling_is_taken(cast: Cast) -> None:
    start_writing()
    cast.user("vic").email = "vic@bücher.example"
    db.session.commit()
    ask(cast, "vic@xn--bcher-kva.example")
    assert not letters("email_change")
    with pytest.raises(NotVisible):
        confirm(token("vic@xn--bcher-kva.example"))
    db.session.rollback()
    with pytest.raises(Unfit, match="This is your address already"):
        ask(cast, "vic@xn--bcher-kva.example", who="vic")


def test_an_address_taken_in_the_meantime_is_not_taken_over(app: Flask, cast: Cast) -> None:
    ask(cast)
    ask(cast, who="vic")
    pair = [
        token(),
        links.token_for(db.session.scalars(select(OneTimeLink).where(OneTimeLink.user_id == cast.world.people["hanna"])).one()),
    ]
    ended = at_once(app, *(lambda text=text: confirm(text).id for text in pair))
    assert sorted(type(result).__name__ for result in ended) == ["NotVisible", "int"]
    assert db.session.scalars(select(User.id).where(User.email == NEW)).all() == [next(r for r in ended if isinstance(r, int))]
    db.session.rollback()
    assert all(mail.write(row) is None for row in letters("email_change"))


def test_a_link_works_once_and_for_a_day_and_only_the_newest(cast: Cast) -> None:
    ask(cast, "first@new.example")
    old = token("first@new.example")
    ask(cast)
    with pytest.raises(NotVisible):
        confirm(old)
    with at(now() + timedelta(hours=24, minutes=1)), pytest.raises(NotVisible):
        confirm(token())
    confirm(token())
    with pytest.raises(NotVisible):
        confirm(token())


def test_a_new_password_ends_the_waiting_change(cast: Cast) -> None:
    ask(cast)
    start_writing()
    sessions.end_all(cast.user("hanna"))
    db.session.commit()
    assert account.pending_email(cast("hanna")) is None
    with pytest.raises(NotVisible):
        confirm(token())


def test_somebody_locked_cannot_confirm(cast: Cast) -> None:
    ask(cast)
    cast.user("hanna").active = False
    db.session.commit()
    with pytest.raises(NotVisible):
        confirm(token())


def test_thinking_better_of_it_ends_the_link(cast: Cast) -> None:
    ask(cast)
    text = token()
    start_writing()
    account.cancel_email(cast("hanna"))
    db.session.commit()
    assert account.pending_email(cast("hanna")) is None
    with pytest.raises(NotVisible):
        confirm(text)


def test_the_change_needs_the_password_and_another_address(cast: Cast) -> None:
    with pytest.raises(Unfit, match="not right") as refused:
        ask(cast, password="wrong-password-here")
    assert refused.value.field == "password"
    with pytest.raises(Unfit, match="already"):
        ask(cast, "HANNA@people.example")
    assert not letters("email_change")


def test_letters_to_strangers_and_guesses_are_limited(cast: Cast) -> None:
    for number in range(3):
        ask(cast, f"n{number}@new.example")
    with pytest.raises(TooMany):
        ask(cast, "n4@new.example")
    for _ in range(10):
        with pytest.raises(Unfit):
            ask(cast, password="wrong-password-here", who="vic")
    with pytest.raises(TooMany):
        ask(cast, who="vic")


def test_one_can_end_only_ones_own_other_browsers(cast: Cast) -> None:
    here, there, foreign = sign_in(cast, "hanna"), sign_in(cast, "hanna"), sign_in(cast, "vic")
    viewer = cast("hanna")
    viewer = replace(viewer, session_id=here)
    start_writing()
    marks = {row.id: sessions.mark_of(row) for row in db.session.scalars(select(LoginSession))}
    for mark in (marks[foreign], "0" * 16, "", "%", str(there)):
        with pytest.raises(NotVisible):
            account.end_browser(viewer, mark)
    with pytest.raises(Refusal, match="Sign out"):
        account.end_browser(viewer, marks[here])
    account.end_browser(viewer, marks[there])
    db.session.commit()
    sign_in(cast, "hanna")
    start_writing()
    assert account.end_other_browsers(viewer) == 1
    db.session.commit()
    assert set(db.session.scalars(select(LoginSession.id))) == {here, foreign}
