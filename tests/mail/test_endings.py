"""What is posted before sharing ends does not leave after it."""

from __future__ import annotations

from datetime import timedelta

import time_machine

from portal.cases import comments
from portal.clock import now
from portal.extensions import db
from portal.mail import sender
from portal.sharing import ending, marks
from portal.sharing.access import set_access
from portal.sharing.models import Access
from tests.fixtures.post import PostOffice, text_of
from tests.fixtures.rooms import Cast


def test_news_posted_before_the_end_do_not_leave_after_it(sending: Cast, smtp_server: PostOffice) -> None:
    end = now() + timedelta(days=10)
    case = sending.case("all")
    set_access(case, Access.ALL_EXTERNAL, set(), by=sending("ada"), until=end)
    comment = comments.add_comment(case, "Fresh news", external=True, by=sending("ada"))
    marks.tell_outside(case, comment, but=sending("ada").user_id)
    db.session.commit()
    with time_machine.travel(end, tick=False):
        sender.drain()
    assert smtp_server.messages == []


def test_guests_are_told_before_and_after(sending: Cast, smtp_server: PostOffice) -> None:
    end, case = now() + timedelta(days=10), sending.case("shared")
    people = {sending.world.people[who] for who in ("hanna", "rhea")}
    set_access(case, Access.EXTERNAL, people, by=sending("ada"), until=end)
    db.session.commit()
    for moment, subject in ((end - timedelta(days=2), "ends soon"), (end, "has ended")):
        with time_machine.travel(moment, tick=False):
            ending.tick()
            sender.drain()
        letter = smtp_server.to("hanna@people.example")[-1]
        assert subject in letter["Subject"]
        assert case.title not in text_of(letter)
    assert len(smtp_server.to("rhea@people.example")) == 2
    assert smtp_server.to("dora@people.example") == []


def test_whoever_came_after_the_end_is_told_nothing(sending: Cast, smtp_server: PostOffice) -> None:
    end, case = now() + timedelta(days=10), sending.case("all")
    set_access(case, Access.ALL_EXTERNAL, set(), by=sending("ada"), until=end)
    sending.user("newt").activated_at = end + timedelta(seconds=1)
    db.session.commit()
    with time_machine.travel(end + timedelta(minutes=1), tick=False):
        ending.tick()
        sender.drain()
    told = {str(message["To"]) for message in smtp_server.messages}
    assert told
    assert not any("newt" in address for address in told)
