"""One-time links: for one purpose, one person, one use, a while, and one installation."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import func, select

from portal.accounts import links, sessions
from portal.accounts.models import OneTimeLink, Purpose
from portal.clock import at, now
from portal.database import start_writing
from portal.extensions import db
from tests.fixtures.rooms import Cast, at_once

PURPOSES = list(Purpose)


def owner(purpose: Purpose) -> str | None:
    return {Purpose.INVITATION: "newt", Purpose.RESET: "hanna", Purpose.SETUP: None, Purpose.EMAIL: "hanna"}[purpose]


def opened(purpose: Purpose, token: str) -> bool:
    db.session.rollback()
    return links.open_link(purpose, token) is not None


def test_a_link_opens_what_it_was_made_for_and_nothing_else(cast: Cast) -> None:
    tokens = {purpose: links.token_for(cast.link(purpose, owner(purpose))) for purpose in PURPOSES}
    opens = {(made, used) for made, token in tokens.items() for used in PURPOSES if opened(used, token)}
    assert opens == {(purpose, purpose) for purpose in PURPOSES}


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_tampered_link_cannot_be_opened(cast: Cast, purpose: Purpose) -> None:
    token = links.token_for(cast.link(purpose, owner(purpose)))
    payload, stamp, signature = token.split(".")
    wrong = [
        "",
        ".",
        "..",
        payload,
        f"{payload}.{stamp}",
        f"{payload}.{stamp}.",
        f"{payload}.{stamp}.{signature[::-1]}",
        f"{payload[:-1]}.{stamp}.{signature}",
        f"{payload}.{stamp[::-1]}.{signature}",
        token + "A",
        "\x00" + token,
        "%" * 40,
        "é" * 40,
        "A" * 100_000,
    ]
    assert [text for text in wrong if opened(purpose, text)] == []
    assert opened(purpose, token)


def _told(token: str) -> Any:
    """What whoever gets the letter can read in its link."""
    return URLSafeTimedSerializer("whatever").load_payload(token.split(".")[0].encode())


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_link_tells_no_number(cast: Cast, purpose: Purpose) -> None:
    told = _told(links.token_for(cast.link(purpose, owner(purpose))))
    assert re.fullmatch("[0-9a-f]{32}", told)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_link_mailed_by_an_older_version_works_until_it_is_over(cast: Cast, purpose: Purpose) -> None:
    """It told its number as well."""
    link = cast.link(purpose, owner(purpose))
    token = str(links._serializer(purpose).dumps([link.id, _told(links.token_for(link))]))
    assert links.open_link(purpose, token) is link
    assert not any(opened(other, token) for other in PURPOSES if other is not purpose)
    assert links.consume(link)
    db.session.commit()
    assert not opened(purpose, token)


@pytest.mark.parametrize("told", [[], ["x"], [1, 2, 3], {}, {"a": 1, "b": 2}, 7, None])
def test_something_else_that_was_signed_opens_nothing(cast: Cast, told: Any) -> None:
    cast.link(Purpose.RESET, "hanna")
    assert not opened(Purpose.RESET, str(links._serializer(Purpose.RESET).dumps(told)))


def test_a_stolen_database_does_not_open_a_link(cast: Cast) -> None:
    """No column holds what the address must contain."""
    link = cast.link(Purpose.RESET, "hanna")
    token = links.token_for(link)
    nonce = _told(token)
    kept = [str(getattr(link, column.key)) for column in OneTimeLink.__table__.columns]
    assert len(nonce) == 32
    assert [text for text in kept if nonce in text] == []


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_link_is_used_up_by_its_first_use(cast: Cast, purpose: Purpose) -> None:
    link = cast.link(purpose, owner(purpose))
    token = links.token_for(link)
    assert links.consume(link)
    db.session.commit()
    assert not opened(purpose, token)
    assert not links.consume(link)


def test_a_use_that_is_rolled_back_leaves_the_link_alive(cast: Cast) -> None:
    link = cast.link(Purpose.RESET, "hanna")
    start_writing()
    assert links.consume(link)
    db.session.rollback()
    assert opened(Purpose.RESET, links.token_for(link))


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_newer_link_replaces_the_older_one(cast: Cast, purpose: Purpose) -> None:
    first, second = (links.token_for(cast.link(purpose, owner(purpose))) for _ in range(2))
    assert not opened(purpose, first)
    assert opened(purpose, second)


def test_a_newer_link_leaves_other_people_and_purposes_alone(cast: Cast) -> None:
    rheas = links.token_for(cast.link(Purpose.RESET, "rhea"))
    newts = links.token_for(cast.link(Purpose.INVITATION, "newt"))
    setup = links.token_for(cast.link(Purpose.SETUP, None))
    cast.link(Purpose.RESET, "hanna")
    cast.link(Purpose.RESET, "newt")
    assert opened(Purpose.RESET, rheas)
    assert opened(Purpose.INVITATION, newts)
    assert opened(Purpose.SETUP, setup)


@pytest.mark.parametrize(
    ("purpose", "lasts"), [("invitation", timedelta(hours=24)), ("reset", timedelta(hours=1)), ("setup", timedelta(hours=24))]
)
def test_a_link_ends_by_itself(cast: Cast, purpose: str, lasts: timedelta) -> None:
    kind = Purpose(purpose)
    link = cast.link(kind, owner(kind))
    token = links.token_for(link)
    with time_machine.travel(link.created_at + lasts - timedelta(seconds=2), tick=False):
        assert opened(kind, token)
    with time_machine.travel(link.created_at + lasts + timedelta(seconds=1), tick=False):
        assert not opened(kind, token)
        assert not links.consume(link)


def test_a_clock_put_back_opens_nothing(cast: Cast) -> None:
    link = cast.link(Purpose.RESET, "hanna")
    token = links.token_for(link)
    with time_machine.travel(now() - timedelta(hours=3), tick=False):
        assert not opened(Purpose.RESET, token)


def test_the_hours_of_a_link_are_a_setting(make_app: Callable[..., Flask], cast: Cast) -> None:
    with make_app(invitation_hours=2, reset_minutes=5).app_context():
        moment = now()
        with at(moment):
            assert cast.link(Purpose.INVITATION, "newt").expires_at == moment + timedelta(hours=2)
            assert cast.link(Purpose.RESET, "hanna").expires_at == moment + timedelta(minutes=5)


def test_a_locked_person_cannot_use_a_link(cast: Cast) -> None:
    token = links.token_for(cast.link(Purpose.RESET, "hanna"))
    cast.user("hanna").active = False
    db.session.commit()
    assert not opened(Purpose.RESET, token)


def test_a_raised_epoch_ends_a_link(cast: Cast) -> None:
    token = links.token_for(cast.link(Purpose.RESET, "hanna"))
    sessions.end_all(cast.user("hanna"))
    db.session.commit()
    assert not opened(Purpose.RESET, token)


def test_another_installation_cannot_read_a_link(make_app: Callable[..., Flask], cast: Cast) -> None:
    token = links.token_for(cast.link(Purpose.RESET, "hanna"))
    with make_app(secret_key="another-installation-" * 3).app_context():
        assert not opened(Purpose.RESET, token)
    assert opened(Purpose.RESET, token)


def test_the_same_link_may_be_written_twice(cast: Cast) -> None:
    """A letter that is sent again after a crash carries a link that works."""
    link = cast.link(Purpose.INVITATION, "newt")
    with time_machine.travel(now() + timedelta(minutes=3), tick=False):
        later = links.token_for(link)
        assert opened(Purpose.INVITATION, later)


def test_two_people_cannot_use_one_link_at_once(app: Flask, cast: Cast) -> None:
    for _ in range(4):
        token = links.token_for(cast.link(Purpose.RESET, "hanna"))

        def use(token: str = token) -> bool:
            start_writing()
            link = links.open_link(Purpose.RESET, token)
            won = link is not None and links.consume(link)
            db.session.commit()
            return won

        assert sorted(at_once(app, use, use, use, use), key=repr) == [False, False, False, True]
    used = select(func.count()).select_from(OneTimeLink).where(OneTimeLink.used_at.is_not(None))
    assert db.session.scalar(used) == 4


def test_two_who_saw_it_alive_cannot_both_use_it(app: Flask, cast: Cast) -> None:
    """The last look is part of the write, whoever looked before."""
    link = cast.link(Purpose.RESET, "hanna")

    def use() -> bool:
        start_writing()
        won = links.consume(link)
        db.session.commit()
        return won

    assert sorted(at_once(app, use, use, use)) == [False, False, True]


def test_the_longest_invitation_works_to_its_end(cast: Cast, make_app: Callable[..., Flask]) -> None:
    """The signature must not end before the row does."""
    with make_app(invitation_hours=720).app_context():
        token = links.token_for(cast.link(Purpose.INVITATION, "newt"))
        with time_machine.travel(now() + timedelta(hours=719, minutes=59), tick=True):
            assert opened(Purpose.INVITATION, token)
