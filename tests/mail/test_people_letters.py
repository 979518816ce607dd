"""Letters about people of external organisations: invitations of many, the one reminder, new administrators, the team's digest."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timedelta

import pytest
import time_machine

from portal.accounts import invitations, links, people, reminders, staff, team_news
from portal.accounts.models import OneTimeLink, Purpose
from portal.clock import now
from portal.database import start_writing
from portal.extensions import db
from portal.mail import sender
from portal.mail.models import State
from portal.mail.news import News
from portal.mail.wishes import Wishes
from portal.organisations.models import Organisation
from portal.settings.models import Setting
from tests.accounts.staffing import Firm
from tests.fixtures.post import PostOffice, text_of
from tests.fixtures.rooms import Cast, letters

PASSWORD = "meadow-lantern-quartz-72"


@pytest.fixture
def acme(sending: Cast) -> Firm:
    return Firm(sending)


def invited(acme: Firm, *names: str) -> list[OneTimeLink]:
    """Newly added, invited by the boss, and their letters left."""
    for name in names:
        acme.new(name)
    acme.act(staff.invite, *names)
    sender.drain()
    return [db.session.get_one(OneTimeLink, row.link_id) for row in letters("invitation")[-len(names) :]]


def opened(text: str) -> int | None:
    """The invitation that the address in a letter opens now."""
    found = re.search(r"/invitation/([\w.-]+)", text)
    link = links.open_link(Purpose.INVITATION, found[1]) if found else None
    return link.id if link else None


def test_an_invitation_says_purpose_who_why_and_how_long(acme: Firm, smtp_server: PostOffice) -> None:
    [link] = invited(acme, "kim")
    [letter] = smtp_server.to("kim@acme.example")
    for kind in ("plain", "html"):
        text = " ".join(text_of(letter, kind).split())
        assert "boss invites you to work with Northwind." in text
        assert "follow the security cases that are shared with you" in text
        assert "because you work for Acme and were added to its people" in text
        assert "The link works once, until" in text
        assert opened(text) == link.id
        assert "manage the people" not in text


def test_an_invited_administrator_reads_it_in_the_invitation(acme: Firm, smtp_server: PostOffice) -> None:
    acme.new("kim")
    acme.act(staff.make_admin, "kim")
    acme.act(staff.invite, "kim")
    sender.drain()
    [letter] = smtp_server.to("kim@acme.example")
    assert "You will also manage the people of Acme there." in text_of(letter)


def test_a_new_administrator_is_told_by_whom(acme: Firm, smtp_server: PostOffice) -> None:
    acme.act(staff.make_admin, "worker")
    sender.drain()
    [letter] = smtp_server.to("worker@acme.example")
    assert letter["Subject"] == "You are now portal administrator of Acme"
    assert "boss made you portal administrator of Acme." in text_of(letter)
    assert "/portal/organisation" in text_of(letter)


def test_who_was_made_one_before_setting_up_the_account_is_told_when_they_do(acme: Firm, smtp_server: PostOffice) -> None:
    [link] = invited(acme, "kim")
    acme.act(staff.make_admin, "kim")
    sender.drain()
    assert len(smtp_server.to("kim@acme.example")) == 1
    start_writing()
    invitations.accept(links.token_for(link), name="Kim", password=PASSWORD)
    db.session.commit()
    sender.drain()
    letter = smtp_server.to("kim@acme.example")[-1]
    assert letter["Subject"] == "You are now portal administrator of Acme"
    assert "/portal/organisation" in text_of(letter)
    assert len(smtp_server.to("kim@acme.example")) == 2


def speak(acme: Firm, who: str, **language: str) -> None:
    start_writing()
    for name, tag in language.items():
        setattr(acme.user(who), name, tag)
    db.session.commit()


def test_who_never_signed_in_is_written_to_in_the_language_of_who_invited_them(acme: Firm, smtp_server: PostOffice) -> None:
    speak(acme, "boss", language="fr")
    speak(acme, "deputy", browser_language="de")
    [link] = invited(acme, "kim")
    acme.new("lee")
    acme.act(staff.invite, "lee", by=acme("deputy"))
    acme.new("ann")
    acme.act(staff.invite, "ann", by=acme.cast("olga"))
    with time_machine.travel(link.expires_at - timedelta(hours=1), tick=False):
        reminders.tick()
        sender.drain()
    bodies = {who: [text_of(letter) for letter in smtp_server.to(f"{who}@acme.example")] for who in ("kim", "lee", "ann")}
    assert [text.startswith("Bonjour") for text in bodies["kim"]] == [True, True]
    assert all(text.startswith("Guten Tag") for text in bodies["lee"])
    assert all(text.startswith("Hello") for text in bodies["ann"])
    assert all(bodies.values())


def test_who_has_been_here_is_written_to_as_they_speak(acme: Firm, smtp_server: PostOffice) -> None:
    speak(acme, "boss", language="fr")
    speak(acme, "worker", language="es")
    acme.act(staff.make_admin, "worker")
    sender.drain()
    assert smtp_server.to("worker@acme.example")[0]["Subject"] != "You are now portal administrator of Acme"
    acme.new("kim")
    acme.act(staff.invite, "kim")
    start_writing()
    acme.user("kim").last_sign_in_at = now()
    db.session.commit()
    sender.drain()
    assert text_of(smtp_server.to("kim@acme.example")[0]).startswith("Hello")


def test_who_is_none_any_more_is_told_nothing(acme: Firm, smtp_server: PostOffice) -> None:
    acme.act(staff.make_admin, "worker")
    acme.act(staff.remove_admin, "worker")
    sender.drain()
    assert smtp_server.to("worker@acme.example") == []


def test_a_server_that_fails_half_way_loses_nobody_and_writes_nobody_twice(acme: Firm, smtp_server: PostOffice) -> None:
    names = [f"p{number:02}" for number in range(12)]
    told = acme.add(" ".join(map(acme.email, names)))
    start_writing()
    staff.invite(acme.id, [one.user_id for one in told if one.user_id], by=acme("boss"))
    db.session.commit()
    smtp_server.refuse(times=5)  # some leave, then it refuses a while
    start = now()
    for round_ in range(8):
        if round_ == 1:
            smtp_server.refuse("421 4.3.2 going down", at="MAIL", times=3)
        if round_ == 2:
            smtp_server.accept()
        with time_machine.travel(start + timedelta(minutes=10 * round_), tick=False):
            sender.drain()
    assert Counter(str(message["To"]) for message in smtp_server.messages) == Counter(map(acme.email, names))
    assert {row.state for row in letters("invitation")} == {State.SENT}


@pytest.mark.parametrize(("hours", "left"), [(24, timedelta(hours=6)), (72, timedelta(hours=6)), (4, timedelta(hours=1))])
def test_one_reminder_before_an_invitation_runs_out(acme: Firm, smtp_server: PostOffice, hours: int, left: timedelta) -> None:
    db.session.add(Setting(name="mail", value={"invitation_hours": hours}))
    db.session.commit()
    [link] = invited(acme, "kim")
    end = link.expires_at
    with time_machine.travel(end - left - timedelta(minutes=1), tick=False):
        assert reminders.tick() == 0
    for moment in (end - left + timedelta(seconds=1), end - timedelta(minutes=1)):
        with time_machine.travel(moment, tick=False):
            reminders.tick()
            sender.drain()
    first, reminder = smtp_server.to("kim@acme.example")
    assert "ends soon" in reminder["Subject"]
    with time_machine.travel(end - timedelta(minutes=1), tick=False):
        assert [opened(text_of(letter)) for letter in (first, reminder)] == [link.id, link.id]  # one link, still working
    assert acme.people()["kim"].standing.state == "invited"


def test_nobody_is_reminded_of_what_is_over(acme: Firm, smtp_server: PostOffice) -> None:
    used, *_others, fine = invited(acme, "used", "cancelled", "replaced", "closed", "fine")
    end = fine.expires_at
    start_writing()
    invitations.accept(links.token_for(used), name="Used", password=PASSWORD)
    db.session.commit()
    acme.act(staff.cancel_invite, "cancelled")
    acme.act(staff.deactivate, "closed")
    with time_machine.travel(end - timedelta(hours=12)):
        acme.act(staff.invite, "replaced")
        sender.drain()
    before = len(smtp_server.messages)
    with time_machine.travel(end - timedelta(minutes=5), tick=False):
        assert reminders.tick() == 1
        sender.drain()
    assert [str(message["To"]) for message in smtp_server.messages[before:]] == ["fine@acme.example"]
    with time_machine.travel(end + timedelta(minutes=5), tick=False):
        assert reminders.tick() == 0


def test_a_reminder_that_waited_too_long_is_not_sent(acme: Firm, smtp_server: PostOffice) -> None:
    [link] = invited(acme, "kim")
    with time_machine.travel(link.expires_at - timedelta(minutes=5), tick=False):
        assert reminders.tick() == 1
    acme.act(staff.cancel_invite, "kim")
    with time_machine.travel(link.expires_at - timedelta(minutes=4), tick=False):
        sender.drain()
    assert len(smtp_server.to("kim@acme.example")) == 1


def test_an_invitation_that_never_arrived_has_no_reminder(acme: Firm, smtp_server: PostOffice) -> None:
    smtp_server.refuse("550 5.1.1 no such user", at="RCPT")
    [link] = invited(acme, "kim")
    with time_machine.travel(link.expires_at - timedelta(minutes=5), tick=False):
        assert reminders.tick() == 0


def later(hours: float) -> time_machine.travel:
    return time_machine.travel(now() + timedelta(hours=hours), tick=False)


def test_the_team_is_told_once_a_day_what_administrators_did(acme: Firm, smtp_server: PostOffice) -> None:
    with later(48):
        acme.new("kim")
        acme.act(staff.invite, "kim")
        acme.act(staff.make_admin, "worker")
        acme.act(staff.deactivate, "worker", by=acme.cast("olga"))  # the team's own doing is no news to it
    with later(48.5):
        assert team_news.tick() == 0
    with later(49.5):
        assert team_news.tick() == 1
        assert team_news.tick() == 0
        sender.drain()
    [letter] = smtp_server.to("olga@people.example")
    text = " ".join(text_of(letter).split())
    assert "boss of Acme added a person to an external organisation: kim (kim@acme.example)" in text
    assert "boss of Acme sent an invitation: kim (kim@acme.example)" in text
    assert "boss of Acme made a person portal administrator: worker (worker@acme.example)" in text
    assert "deactivated" not in text
    for who in ("ada", "ruth", "otto", "pia", "hanna"):
        assert smtp_server.to(f"{who}@people.example") == []
    with later(55):
        acme.act(staff.cancel_invite, "kim")
    with later(60):
        assert team_news.tick() == 0
    with later(74):
        assert team_news.tick() == 1
        sender.drain()
    text = " ".join(text_of(smtp_server.to("olga@people.example")[1]).split())
    assert "withdrew an invitation: kim" in text
    assert "added a person" not in text


def test_nothing_done_is_nothing_told(acme: Firm, smtp_server: PostOffice) -> None:
    with later(48):
        assert team_news.tick() == 0
    assert letters("people_digest") == []


def test_what_was_looked_at_is_not_looked_at_again_and_nothing_is_missed(acme: Firm, smtp_server: PostOffice) -> None:
    def told_at() -> datetime | None:
        db.session.rollback()
        return db.session.get_one(Organisation, acme.tenant, populate_existing=True).people_told_at

    looked = []
    for hours in (1000, 1010, 1030):
        with later(hours):
            assert team_news.tick() == 0
            told = told_at()
            assert told is not None
            looked.append(now() - told)
    assert looked[0] < timedelta(hours=25)
    assert looked[1] < timedelta(hours=35)  # written once a day, not every ten minutes
    assert looked[2] < timedelta(hours=55)
    with later(1040):
        acme.new("kim")
    with later(1042):
        assert team_news.tick() == 1
    assert len(letters("people_digest")) == 1


def test_the_digest_is_for_who_may_know_and_wants_it(acme: Firm, smtp_server: PostOffice) -> None:
    acme.new("kim")
    olga = acme.cast("olga")
    assert News.PEOPLE in Wishes(olga).kinds
    assert News.PEOPLE not in Wishes(acme.cast("ada")).kinds
    start_writing()
    Wishes(olga).choose([kind.value for kind in Wishes(olga).kinds if kind is not News.PEOPLE])
    db.session.commit()
    with later(30):
        assert team_news.tick() == 1
        sender.drain()
    assert smtp_server.to("olga@people.example") == []
    with later(40):
        acme.new("lee")
        start_writing()
        Wishes(olga).choose([kind.value for kind in Wishes(olga).kinds])
        db.session.commit()
    with later(60):
        assert team_news.tick() == 1
        start_writing()
        people.lock(olga.user_id, by=acme.cast("pia"))
        db.session.commit()
        sender.drain()
    assert smtp_server.to("olga@people.example") == []


def test_a_locked_team_is_told_nothing(acme: Firm, smtp_server: PostOffice) -> None:
    acme.new("kim")
    db.session.get_one(Organisation, acme.tenant).locked = True
    db.session.commit()
    with later(30):
        assert team_news.tick() == 0
