"""What the security team decided about somebody stays decided in the portal, and how often a portal administrator causes letters."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select, update

from portal.accounts import people, platform, staff
from portal.accounts.models import Membership
from portal.audit.kinds import Kind
from portal.audit.models import AuditEntry
from portal.clock import now
from portal.database import start_writing
from portal.extensions import db
from portal.mail.models import State
from portal.organisations.models import Organisation
from portal.refusals import Refusal
from tests.accounts.staffing import Firm
from tests.fixtures.rooms import Cast, letters
from tests.fixtures.statements import counted


@pytest.fixture
def acme(cast: Cast) -> Firm:
    return Firm(cast)


def sentences(acme: Firm, verb: Callable[..., Any], *who: str, by: Any = None) -> list[str]:
    start_writing()
    told = verb(acme.id, [acme.ids[one] for one in who], by=by or acme("boss"))
    db.session.commit()
    return [one.sentence for one in told if not one.done]


def test_whom_the_security_team_closed_out_no_portal_administrator_lets_in(acme: Firm) -> None:
    closed = "The security team closed this account. Ask them to open it again."
    olga = acme.cast("olga")
    acme.act(staff.deactivate, "worker", by=olga)
    assert sentences(acme, staff.reactivate, "worker") == [closed]
    assert not acme.user("worker").active
    assert acme.act(staff.reactivate, "worker", by=olga) == [("worker", True)]
    acme.act(staff.deactivate, "worker")
    assert acme.act(staff.reactivate, "worker") == [("worker", True)]  # the newest closing was their own
    start_writing()
    people.lock(acme.ids["worker"], by=olga)
    db.session.commit()
    acme.act(staff.deactivate, "deputy")
    assert acme.act(staff.reactivate, "deputy", "worker") == [("deputy", True), ("worker", False)]
    assert sentences(acme, staff.reactivate, "worker") == [closed]


def test_the_team_can_close_what_a_portal_administrator_closed_before(acme: Firm) -> None:
    olga = acme.cast("olga")
    acme.act(staff.deactivate, "worker", "deputy")
    start_writing()
    [told] = staff.deactivate(acme.id, [acme.ids["worker"]], by=olga)
    db.session.commit()
    assert (told.done, told.sentence) == (True, staff.STAYS)
    assert sentences(acme, staff.deactivate, "worker", by=olga) == ["Is deactivated already."]  # once is enough
    start_writing()
    people.lock(acme.ids["deputy"], by=olga)
    with pytest.raises(Refusal, match="was locked already"):
        people.lock(acme.ids["deputy"], by=olga)
    db.session.commit()
    locked = select(func.count()).where(AuditEntry.kind == Kind.USER_LOCKED, AuditEntry.object_id == str(acme.ids["deputy"]))
    assert db.session.scalar(locked) == 1
    assert acme.act(staff.reactivate, "worker", "deputy") == [("worker", False), ("deputy", False)]
    assert acme.act(staff.reactivate, "worker", "deputy", by=olga) == [("worker", True), ("deputy", True)]


def test_a_portal_administrator_closes_nothing_twice(acme: Firm) -> None:
    acme.act(staff.deactivate, "worker")
    assert sentences(acme, staff.deactivate, "worker") == ["Is deactivated already."]


def test_from_whom_the_security_team_took_it_no_portal_administrator_gives_it_back(acme: Firm) -> None:
    olga = acme.cast("olga")
    acme.act(staff.remove_admin, "deputy", by=olga)
    assert sentences(acme, staff.make_admin, "deputy") == ["The security team took this from them. Ask the security team."]
    assert acme.act(staff.make_admin, "worker", "deputy") == [("worker", True), ("deputy", False)]
    assert not acme.seat("deputy").portal_admin
    assert acme.act(staff.make_admin, "deputy", by=olga) == [("deputy", True)]
    assert acme.act(staff.remove_admin, "deputy") == [("deputy", True)]
    assert acme.act(staff.make_admin, "deputy") == [("deputy", True)]


@pytest.mark.parametrize(
    ("before", "verb"), [([staff.deactivate], staff.reactivate), ([staff.make_admin, staff.remove_admin], staff.make_admin)]
)
def test_what_the_team_did_is_asked_for_all_at_once(
    app: Flask, acme: Firm, before: list[Callable[..., Any]], verb: Callable[..., Any]
) -> None:
    added = acme.add(" ".join(f"p{number}@acme.example" for number in range(60)))
    ids = [one.user_id for one in added]
    for earlier in before:
        start_writing()
        earlier(acme.id, ids, by=acme.cast("olga"))
        db.session.commit()
    boss = acme("boss")
    with counted(app) as sent:
        start_writing()
        told = verb(acme.id, ids, by=boss)
        db.session.commit()
    assert not any(one.done for one in told)
    assert len(sent) < 20


def test_a_portal_administrator_invites_nobody_who_also_belongs_to_another_team(acme: Firm) -> None:
    acme.new("kim")
    start_writing()
    there = db.session.get_one(Organisation, acme.cast.world.places["there"])
    platform.join(acme.user("kim"), there, [platform.profile("External-Reader")])
    db.session.commit()
    assert sentences(acme, staff.invite, "kim") == ["This can't be done here; ask the security team."]
    assert letters("invitation") == []
    assert acme.act(staff.invite, "kim", by=acme.cast("olga")) == [("kim", True)]


def test_a_new_administrator_is_written_to_once_a_day(acme: Firm) -> None:
    def posted(state: State) -> list[Any]:
        return [row for row in letters("portal_admin") if row.state is state and row.to_user_id == acme.ids["worker"]]

    acme.act(staff.make_admin, "worker")
    acme.act(staff.remove_admin, "worker")
    assert (len(posted(State.WAITING)), len(posted(State.DROPPED))) == (0, 1)
    acme.act(staff.make_admin, "worker")
    [letter] = posted(State.WAITING)
    letter.state = State.SENT
    db.session.commit()
    for _round in range(3):
        acme.act(staff.remove_admin, "worker")
        acme.act(staff.make_admin, "worker")
    assert (posted(State.WAITING), len(posted(State.SENT))) == ([], 1)
    acme.act(staff.remove_admin, "worker")
    with time_machine.travel(now() + timedelta(hours=25)):
        acme.act(staff.make_admin, "worker")
    assert len(posted(State.WAITING)) == 1


def test_an_account_closed_in_another_organisation_stays_closed(cast: Cast, acme: Firm) -> None:
    """It is closed as a whole; that the team's record stands with another of its organisations changes nothing."""
    worker = acme.ids["worker"]
    wanted = select(Organisation).where(~Organisation.built_in, Organisation.id != acme("boss").organisation_id)
    other = db.session.scalars(wanted).first()
    assert other is not None
    start_writing()
    db.session.execute(update(Membership).where(Membership.user_id == worker).values(is_default=False))
    db.session.add(Membership(user_id=worker, organisation_id=other.id, is_default=True))
    db.session.commit()
    for act in (lambda: people.lock(worker, by=cast("pia")), lambda: people.remove(worker, other.id, by=cast("pia"))):
        start_writing()
        act()
        db.session.commit()
    start_writing()
    assert [one.done for one in staff.reactivate(acme.id, [worker], by=acme("boss"))] == [False]
