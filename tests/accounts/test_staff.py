"""What portal administrators and the security team do to the people of an external organisation, and what is refused them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from portal.accounts import invitations, links, platform, roster, sessions, staff
from portal.accounts.models import LoginSession, Membership, OneTimeLink, Purpose, User
from portal.audit.feed import newest
from portal.audit.models import AuditEntry
from portal.clock import now
from portal.database import start_writing
from portal.extensions import db
from portal.mail.models import State
from portal.organisations.models import Contact, Organisation
from portal.refusals import NotAllowed, NotVisible, Unfit
from tests.accounts.staffing import Firm, role_ids
from tests.fixtures.rooms import Cast, at_once, letters, newest_audit, roles_of
from tests.fixtures.statements import counted

PASSWORD = "meadow-lantern-quartz-72"
VERBS: dict[str, Callable[..., Any]] = {
    "invite": staff.invite,
    "cancel": staff.cancel_invite,
    "deactivate": staff.deactivate,
    "reactivate": staff.reactivate,
    "make admin": staff.make_admin,
    "remove admin": staff.remove_admin,
    "roles": lambda party_id, ids, *, by: staff.set_roles(party_id, ids, role_ids("External-Actor"), by=by),
}


@pytest.fixture
def acme(cast: Cast) -> Firm:
    return Firm(cast)


def state(acme: Firm) -> list[Any]:
    """Everything these verbs could change."""
    rows = db.session.execute(
        select(User.id, User.active, User.epoch, Membership.portal_admin, func.count(OneTimeLink.id))
        .join(Membership, Membership.user_id == User.id)
        .outerjoin(OneTimeLink, (OneTimeLink.user_id == User.id) & OneTimeLink.superseded_at.is_(None))
        .group_by(User.id, User.active, User.epoch, Membership.portal_admin)
        .order_by(User.id)
    )
    return [tuple(row) for row in rows] + [roles_of(key, acme.tenant) for key in acme.ids.values()]


def also_elsewhere(acme: Firm, who: str) -> None:
    start_writing()
    there = db.session.get_one(Organisation, acme.cast.world.places["there"])
    platform.join(acme.user(who), there, [platform.profile("External-Reader")])
    db.session.commit()


@pytest.mark.parametrize("name", VERBS)
def test_one_foreign_id_and_nothing_is_done_to_anybody(acme: Firm, name: str) -> None:
    rival = Firm(acme.cast, "rival")
    acme.new("fresh")
    people = acme.cast.world.people
    strangers = [
        rival.ids["worker"],
        rival.ids["boss"],
        people["hanna"],
        people["gast"],
        people["ada"],
        people["pia"],
        987654,
        0,
        -1,
        2**70,
    ]
    before = state(acme)
    for by in (acme("boss"), acme.cast("olga")):
        for stranger in strangers:
            for ids in ([stranger], [acme.ids["worker"], stranger], [stranger, acme.ids["fresh"]]):
                with pytest.raises(NotVisible):
                    VERBS[name](acme.id, ids, by=by)
                db.session.rollback()
    for by in (rival("boss"), acme("worker"), acme.cast("hanna"), acme.cast("otto")):
        with pytest.raises(NotVisible):
            VERBS[name](acme.id, [acme.ids["worker"]], by=by)
        db.session.rollback()
    for by in (acme.cast("ada"), acme.cast("ruth")):
        with pytest.raises(NotAllowed):
            VERBS[name](acme.id, [acme.ids["worker"]], by=by)
        db.session.rollback()
    with pytest.raises(Unfit, match="at least one person"):
        VERBS[name](acme.id, [], by=acme("boss"))
    db.session.rollback()
    assert state(acme) == before


def test_lists_are_for_who_manages_the_organisation(acme: Firm) -> None:
    rival = Firm(acme.cast, "rival")
    for by in (rival("boss"), acme("worker"), acme.cast("hanna"), acme.cast("otto")):
        with pytest.raises(NotVisible):
            staff.people(acme.id, by=by)
        with pytest.raises(NotVisible):
            staff.chosen(acme.id, [acme.ids["worker"]], by=by)
    with pytest.raises(NotAllowed):
        staff.people(acme.id, by=acme.cast("ada"))
    with pytest.raises(NotVisible):
        staff.chosen(acme.id, [acme.ids["worker"], rival.ids["worker"]], by=acme("boss"))
    assert [person.name for person in staff.chosen(acme.id, [acme.ids["worker"]], by=acme("boss"))] == ["worker"]


def test_the_list_is_searched_sorted_and_paged(acme: Firm) -> None:
    acme.add(" ".join(f"p{number:02}@acme.example" for number in range(30)))
    acme.user("worker").last_sign_in_at = now()
    db.session.commit()
    boss = acme("boss")
    page = staff.people(acme.id, by=boss)
    assert (len(page.rows), [row.me for row in page.rows[:2]]) == (25, [True, False])
    rest = staff.people(acme.id, after=page.next or "", by=boss)
    assert len({row.user_id for row in (*page.rows, *rest.rows)}) == 33
    assert staff.people(acme.id, sort="seen", by=boss).rows[0].name == "worker"
    assert staff.people(acme.id, sort="-name", by=boss).rows[0].name == "worker"
    assert [row.name for row in staff.people(acme.id, q="P07 acme", by=boss).rows] == ["p07"]
    assert {row.name for row in staff.people(acme.id, state="active", by=boss).rows} == {"boss", "deputy", "worker"}
    assert len(staff.people(acme.id, sort="odd", state="odd", after="odd", q="\0", by=boss).rows) == 25


def test_an_invitation_makes_the_person_confirm_their_name(acme: Firm) -> None:
    key = acme.new("kim")
    assert acme.act(staff.invite, "kim", "worker") == [("kim", True), ("worker", False)]
    assert acme.people()["kim"].standing.state == "waiting"
    [letter] = letters("invitation")
    link = db.session.get_one(OneTimeLink, letter.link_id)
    assert (letter.to_user_id, link.created_by_id, link.created_by_name) == (key, acme.ids["boss"], "boss")
    invitations.accept(links.token_for(link), name="Kim  Doe", password=PASSWORD)
    db.session.commit()
    person = acme.people()["kim"]
    contact = db.session.get_one(Contact, person.contact_id, populate_existing=True)
    assert (person.name, person.confirmed, contact.name, contact.confirmed) == ("Kim Doe", True, "Kim Doe", True)


def test_inviting_again_ends_the_older_link(acme: Firm) -> None:
    acme.new("kim")
    for _ in range(2):
        acme.act(staff.invite, "kim")
    first, second = (db.session.get_one(OneTimeLink, letter.link_id) for letter in letters("invitation"))
    assert links.open_link(Purpose.INVITATION, links.token_for(first)) is None
    assert links.open_link(Purpose.INVITATION, links.token_for(second)) is second


def test_inviting_reactivates_nobody(acme: Firm) -> None:
    acme.new("kim")
    acme.act(staff.deactivate, "kim")
    assert acme.act(staff.invite, "kim", by=acme.cast("olga")) == [("kim", False)]
    assert not acme.user("kim").active
    assert letters("invitation") == []


def test_a_portal_administrator_sends_twenty_invitations_a_day(acme: Firm) -> None:
    names = [f"p{number:02}" for number in range(25)]
    for added, name in zip(acme.add(" ".join(map(acme.email, names))), names, strict=True):
        acme.ids[name] = added.user_id or 0
    assert [done for _name, done in acme.act(staff.invite, *names)] == [True] * 20 + [False] * 5
    assert acme.act(staff.cancel_invite, names[0]) == [(names[0], True)]
    assert acme.act(staff.invite, names[0]) == [(names[0], False)]  # taking one back gives none for it
    assert acme.act(staff.invite, names[20], by=acme("deputy")) == [(names[20], True)]
    assert [done for _name, done in acme.act(staff.invite, *names[21:], by=acme.cast("olga"))] == [True] * 4
    with time_machine.travel(now() + timedelta(hours=25)):
        assert acme.act(staff.invite, names[0]) == [(names[0], True)]


def test_one_mailbox_is_not_filled(acme: Firm) -> None:
    acme.new("kim")
    for _ in range(links.MOST_AN_HOUR):
        assert acme.act(staff.invite, "kim", by=acme.cast("olga")) == [("kim", True)]
    assert acme.act(staff.invite, "kim", by=acme.cast("olga")) == [("kim", False)]


def test_a_cancelled_invitation_opens_nothing(acme: Firm) -> None:
    acme.new("kim")
    acme.act(staff.invite, "kim")
    [letter] = letters("invitation")
    token = links.token_for(db.session.get_one(OneTimeLink, letter.link_id))
    assert acme.act(staff.cancel_invite, "kim", "worker") == [("kim", True), ("worker", False)]
    assert links.open_link(Purpose.INVITATION, token) is None
    assert acme.people()["kim"].standing.state == "uninvited"
    assert acme.act(staff.cancel_invite, "kim") == [("kim", False)]


def test_deactivation_ends_sessions_invitations_and_letters_at_once(acme: Firm) -> None:
    acme.new("kim")
    acme.act(staff.invite, "kim")
    start_writing()
    key = sessions.open_session(acme.user("worker"), acme.tenant, "portal")
    db.session.commit()
    assert key
    assert acme.act(staff.deactivate, "kim", "worker") == [("kim", True), ("worker", True)]
    assert db.session.scalar(select(func.count()).select_from(LoginSession).where(LoginSession.user_id == acme.ids["worker"])) == 0
    assert [row.state for row in letters("invitation")] == [State.DROPPED]
    assert acme.people()["kim"].standing.word == "Deactivated"
    entries = newest_audit(2)
    assert {(entry.kind, entry.object_id) for entry in entries} == {("people:deactivated", str(acme.ids[who])) for who in ("kim", "worker")}
    assert acme.act(staff.reactivate, "kim", "worker") == [("kim", True), ("worker", True)]
    assert (acme.people()["kim"].standing.state, acme.people()["worker"].standing.state) == ("uninvited", "active")


def test_nobody_deactivates_themselves(acme: Firm) -> None:
    assert acme.act(staff.deactivate, "boss") == [("boss", False)]
    assert acme.user("boss").active


def test_the_last_portal_administrator_stays_one(acme: Firm) -> None:
    assert acme.act(staff.remove_admin, "deputy") == [("deputy", True)]
    assert acme.act(staff.remove_admin, "boss") == [("boss", False)]
    assert acme.seat("boss").portal_admin
    assert acme.act(staff.deactivate, "boss", by=acme.cast("olga")) == [("boss", True)]
    assert acme.act(staff.remove_admin, "boss", by=acme.cast("olga")) == [("boss", True)]


def test_who_is_deactivated_does_not_count_as_administrator(acme: Firm) -> None:
    acme.act(staff.deactivate, "deputy")
    assert acme.act(staff.remove_admin, "boss") == [("boss", False)]
    assert acme.act(staff.remove_admin, "deputy", "boss") == [("deputy", True), ("boss", False)]


def test_who_never_set_up_the_account_does_not_count_as_administrator(acme: Firm) -> None:
    acme.new("kim")
    acme.act(staff.make_admin, "kim")
    assert roster.number_of_admins(acme.party()) == 2
    assert acme.act(staff.remove_admin, "deputy") == [("deputy", True)]
    assert acme.act(staff.remove_admin, "boss") == [("boss", False)]
    assert acme.act(staff.deactivate, "kim") == [("kim", True)]  # nobody who could act is lost by it
    acme.act(staff.reactivate, "kim")
    assert acme.act(staff.remove_admin, "kim", "boss") == [("kim", True), ("boss", False)]
    assert roster.number_of_admins(acme.party()) == 1


def test_all_administrators_at_once_leave_one(acme: Firm) -> None:
    assert acme.act(staff.remove_admin, "deputy", "boss") == [("deputy", True), ("boss", False)]


@pytest.mark.parametrize("verb", [staff.deactivate, staff.remove_admin])
@pytest.mark.parametrize("third", [False, True])
def test_two_administrators_do_it_to_each_other_at_once(app: Flask, acme: Firm, verb: Callable[..., Any], third: bool) -> None:
    if third:
        acme.act(staff.make_admin, "worker")
    boss, deputy = acme("boss"), acme("deputy")
    told = at_once(app, lambda: acme.act(verb, "deputy", by=boss), lambda: acme.act(verb, "boss", by=deputy))
    refused = [one for one in told if isinstance(one, NotVisible)]
    assert (len(refused), next(one for one in told if one not in refused)[0][1]) == (1, True)
    left = [who for who in ("boss", "deputy") if acme.seat(who).portal_admin and acme.user(who).active]
    assert len(left) == 1


def test_who_was_demoted_a_moment_ago_does_nothing_more(acme: Firm) -> None:
    stale = acme("deputy")
    acme.act(staff.remove_admin, "deputy")
    for verb in VERBS.values():
        with pytest.raises(NotVisible):
            verb(acme.id, [acme.ids["worker"]], by=stale)
        db.session.rollback()


def test_beside_the_console_nobody_waits_for_ever(app: Flask, acme: Firm) -> None:
    from portal.accounts import people

    olga, boss = acme.cast("olga"), acme("boss")

    def lock() -> None:
        for _ in range(5):
            start_writing()
            people.lock(acme.ids["worker"], by=olga)
            people.unlock(acme.ids["worker"], by=olga)
            db.session.commit()

    def change() -> None:
        for _ in range(5):
            acme.act(VERBS["roles"], "worker", by=boss)
            acme.add(acme.email("worker"), "External-Reader", by=boss)

    told = at_once(app, lock, change)
    assert not [one for one in told if isinstance(one, Exception)]


def test_who_also_belongs_to_another_team_is_left_to_the_security_team(acme: Firm) -> None:
    acme.new("kim")
    acme.act(staff.invite, "kim")
    for who in ("worker", "kim"):
        also_elsewhere(acme, who)
    sentence = "This can't be done here; ask the security team."
    for verb, who in ((staff.deactivate, "worker"), (staff.cancel_invite, "kim")):
        start_writing()
        [outcome] = verb(acme.id, [acme.ids[who]], by=acme("boss"))
        db.session.commit()
        assert (outcome.done, outcome.sentence) == (False, sentence)
    assert acme.user("worker").active
    assert acme.act(staff.deactivate, "worker", by=acme.cast("olga")) == [("worker", False)]
    assert acme.act(staff.deactivate, "worker", by=acme.cast("pia")) == [("worker", True)]
    assert acme.act(staff.reactivate, "worker") == [("worker", False)]
    assert not acme.user("worker").active


def test_a_closed_role_stays_for_administrators_and_goes_when_the_team_says_so(acme: Firm) -> None:
    from portal.organisations import parties

    olga = acme.cast("olga")
    assert acme.act(VERBS["roles"], "worker", "deputy") == [("worker", True), ("deputy", True)]
    assert roles_of(acme.ids["worker"], acme.tenant) == ["External-Actor"]
    start_writing()
    parties.edit(acme.id, version=acme.party().version, role_ids=role_ids("External-Reader"), by=acme.cast("olga"))
    db.session.commit()
    reader, actor = role_ids("External-Reader", "External-Actor")
    for _round in range(2):
        start_writing()
        [told] = staff.set_roles(acme.id, [acme.ids["worker"]], [reader], by=acme("boss"))
        db.session.commit()
        assert told.sentence == "Has these roles, and keeps Participant, which the security team gave."
        assert acme.people()["worker"].role_names == ("External-Actor", "External-Reader")
    assert dict(staff.roles_for(acme.id, [acme.ids["worker"]], by=olga)) == {reader: "External-Reader", actor: "External-Actor"}
    assert dict(staff.roles_for(acme.id, [acme.ids["boss"]], by=olga)) == {reader: "External-Reader"}
    with pytest.raises(NotVisible):
        staff.roles_for(acme.id, [acme.ids["worker"]], by=acme("boss"))
    for chosen, left in (([reader, actor], ["External-Actor", "External-Reader"]), ([reader], ["External-Reader"])):
        start_writing()
        staff.set_roles(acme.id, [acme.ids["worker"]], chosen, by=olga)
        db.session.commit()
        assert roles_of(acme.ids["worker"], acme.tenant) == left
    with pytest.raises(Unfit, match="not open to the organisation"):
        staff.set_roles(acme.id, [acme.ids["worker"]], [actor], by=olga)


def test_a_new_administrator_is_told_and_may_act(acme: Firm) -> None:
    assert acme.act(staff.make_admin, "worker", "deputy") == [("worker", True), ("deputy", False)]
    [letter] = letters("portal_admin")
    assert letter.to_user_id == acme.ids["worker"]
    acme.new("kim")
    assert acme.act(staff.invite, "kim", by=acme("worker")) == [("kim", True)]
    acme.act(staff.deactivate, "kim")
    assert acme.act(staff.make_admin, "kim") == [("kim", False)]


def test_every_act_stands_in_the_live_feed(acme: Firm) -> None:
    acme.new("kim")
    for verb in ("invite", "cancel", "roles", "make admin", "remove admin", "deactivate", "reactivate"):
        acme.act(VERBS[verb], "kim")
    said = [(event.sentence, event.about) for event in newest(acme.cast("olga"), group="people", size=8) if event.actor == "boss"]
    assert said == [
        ("reactivated a person's account", "kim"),
        ("deactivated a person's account", "kim"),
        ("made a person portal administrator no more", "kim"),
        ("made a person portal administrator", "kim"),
        ("changed a person's roles", "kim"),
        ("withdrew an invitation", "kim"),
        ("sent an invitation", "kim"),
        ("added a person to an external organisation", "kim"),
    ]


def test_two_hundred_people_take_as_many_statements_as_two(app: Flask, acme: Firm) -> None:
    def statements(names: list[str]) -> int:
        olga = acme.cast("olga")
        with counted(app) as sent:
            added = acme.add(" ".join(map(acme.email, names)), by=olga)
            ids = [one.user_id for one in added]
            start_writing()
            told = staff.invite(acme.id, ids, by=olga)
            db.session.commit()
        assert [one.done for one in told] == [True] * len(names)
        return len(sent)

    few = statements(["few1", "few2"])
    many = statements([f"many{number}" for number in range(200)])
    assert many <= few + 4
    assert many < 60
    wanted = {person.user_id for person in acme.people().values()} - {acme.ids[who] for who in ("boss", "deputy", "worker")}
    assert sorted(row.to_user_id for row in letters("invitation")) == sorted(wanted)
    assert len({row.message_id for row in letters("invitation")}) == 202
    entries = db.session.scalar(select(func.count()).select_from(AuditEntry).where(AuditEntry.kind == "user:invited"))
    assert entries is not None
    assert entries >= 202


@pytest.mark.parametrize("name", ["deactivate", "make admin", "roles", "cancel"])
def test_many_people_are_changed_with_few_statements(app: Flask, acme: Firm, name: str) -> None:
    added = acme.add(" ".join(f"p{number}@acme.example" for number in range(100)))
    ids = [one.user_id for one in added]
    olga = acme.cast("olga")
    start_writing()
    staff.invite(acme.id, ids, by=olga)
    db.session.commit()
    with counted(app) as sent:
        start_writing()
        told = VERBS[name](acme.id, ids, by=olga)
        db.session.commit()
    assert all(one.done for one in told)
    assert len(sent) < 30
