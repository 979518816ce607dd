"""A letter does not say what is no longer so: that something was added which was taken back, that a case waits which was opened."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete

from portal.clock import at, now
from portal.database import start_writing
from portal.extensions import db
from portal.mail.models import OutboxMessage
from portal.sharing.access import set_access
from portal.sharing.models import Access
from portal.sharing.window import Window
from tests.fixtures.post import PostOffice
from tests.fixtures.rooms import Cast
from tests.mail.telling import ADA, SOON, drain, tell

VIC = "vic@people.example"


def add(cast: Cast, value: str) -> None:
    start_writing()
    Window(cast("hanna")).evidence.add(cast.world.cases["shared"], "", f"https://{value}.example/x")
    db.session.commit()


def withdraw(cast: Cast, value: str) -> None:
    start_writing()
    own, number = Window(cast("hanna")).evidence, cast.world.cases["shared"]
    own.withdraw_item(number, next(item.uid for item in own.items(number).rows if f"{value}[.]example" in item.shown))
    db.session.commit()


def test_what_was_taken_back_is_not_told(sending: Cast, smtp_server: PostOffice) -> None:
    with at(now() + 5 * SOON):
        add(sending, "evil")
        withdraw(sending, "evil")
    drain(5 * SOON)
    assert smtp_server.to(ADA) == []


def test_what_is_left_of_it_is_told(sending: Cast, smtp_server: PostOffice) -> None:
    with at(now() + 5 * SOON):
        add(sending, "evil")
        add(sending, "worse")
        withdraw(sending, "worse")
    drain(5 * SOON)
    assert len(smtp_server.to(ADA)) == 1


def test_what_is_older_than_what_was_taken_back_is_not_told_again(sending: Cast, smtp_server: PostOffice) -> None:
    add(sending, "evil")
    drain()
    assert len(smtp_server.to(ADA)) == 1
    with at(now() + 5 * SOON):
        add(sending, "worse")
        withdraw(sending, "worse")
    drain(timedelta(hours=1))
    assert len(smtp_server.to(ADA)) == 1


def give(cast: Cast, *who: str, access: Access = Access.EXTERNAL, name: str = "shared") -> None:
    start_writing()
    set_access(cast.case(name), access, {cast.world.people[one] for one in who}, by=cast("ada"), again=True)
    db.session.commit()


def look(cast: Cast, who: str) -> None:
    Window(cast(who)).note_view(cast.world.cases["shared"])
    db.session.rollback()


@pytest.mark.parametrize("everybody", [False, True])
def test_who_was_added_later_and_has_opened_the_case_needs_no_letter(sending: Cast, smtp_server: PostOffice, everybody: bool) -> None:
    if everybody:
        give(sending, access=Access.ALL_EXTERNAL)
    else:
        give(sending, "hanna", "rhea", "vic")
    look(sending, "vic")
    drain()
    assert smtp_server.to(VIC) == []


def test_news_after_the_opening_are_told_as_news(sending: Cast, smtp_server: PostOffice) -> None:
    give(sending, "hanna", "rhea", "vic")
    look(sending, "vic")
    tell(sending)
    drain()
    assert [letter["Subject"] for letter in smtp_server.to(VIC)] == [f"Case #{sending.world.cases['shared']} has news"]


def test_who_was_added_and_has_not_opened_it_is_told(sending: Cast, smtp_server: PostOffice) -> None:
    look(sending, "hanna")  # somebody else's mark
    give(sending, "hanna", "rhea", "vic")
    drain()
    assert len(smtp_server.to(VIC)) == 1


def test_who_had_opened_it_before_losing_it_is_told_of_getting_it_again(sending: Cast, smtp_server: PostOffice) -> None:
    look(sending, "hanna")
    give(sending, "rhea")
    db.session.execute(delete(OutboxMessage))
    db.session.commit()
    give(sending, "hanna", "rhea")
    drain()
    assert [letter["To"] for letter in smtp_server.messages] == ["hanna@people.example"]
