"""Inviting people, where their accounts stand, and closing accounts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.accounts import directory, invitations, links, passwords, people, platform, sessions, sign_in
from portal.accounts.joining import Seat
from portal.accounts.models import (
    AccountType,
    LoginSession,
    Membership,
    OneTimeLink,
    Picture,
    Purpose,
    RecoveryCode,
    Submission,
    User,
)
from portal.accounts.viewer import Viewer
from portal.audit.record import Trace
from portal.cases.models import Case, Comment
from portal.clock import at, now
from portal.database import start_writing
from portal.extensions import db
from portal.mail.models import State
from portal.organisations.models import Organisation, Party
from portal.refusals import NotAllowed, NotVisible, Refusal, Unfit
from portal.sharing import scope
from portal.sharing.models import Grant
from tests import factories as make
from tests.fixtures.rooms import Cast, at_once, letters, newest_audit, roles_of

NEW = "velvet-harbour-onion-38"


def profile_ids(*names: str) -> frozenset[int]:
    return frozenset(platform.profile(name).id for name in names)


def invite(by: Viewer, email: str = "iris@client.example", *profiles: str, **more: Any) -> User:
    start_writing()
    place = more.pop("organisation_id", by.organisation_id)
    known: dict[str, Any] = {"name": "Iris Field", "kind": AccountType.EXTERNAL, **more}
    user = invitations.invite(email=email, seats=[Seat(place, profile_ids(*(profiles or ("External-Actor",))))], by=by, **known)
    db.session.commit()
    return user


def token_of(user: User) -> str:
    row = [row for row in letters("invitation") if row.to_user_id == user.id][-1]
    return links.token_for(db.session.get_one(OneTimeLink, row.link_id))


def row_of(viewer: Viewer, user_id: int) -> directory.PersonRow:
    db.session.rollback()
    return next(row for row in directory.people(viewer).rows if row.id == user_id)


def test_olga_can_invite_an_external_user(cast: Cast) -> None:
    user = invite(cast("olga"), "  Iris@Client.Example ", works_for="Harbourline")
    assert (user.email, user.activated_at, user.password_hash, user.external) == ("iris@client.example", None, None, True)
    assert [row.to_user_id for row in letters("invitation")][-1] == user.id
    assert [entry.kind for entry in newest_audit(2)] == ["user:invited", "user:created"]
    row = row_of(cast("olga"), user.id)
    assert (row.kind, row.organisation, row.roles, row.state, row.can_resend) == (
        "external",
        "Harbourline",
        ["External-Actor"],
        "waiting",
        True,
    )


def test_a_refused_invitation_leaves_neither_account_nor_letter(cast: Cast) -> None:
    before = (db.session.scalar(select(func.count(User.id))), len(letters()))
    with pytest.raises(Refusal, match="already an account"):
        invite(cast("olga"), "HANNA@people.example")
    with pytest.raises(Refusal, match="does not fit an external user"):
        invite(cast("olga"), "iris@client.example", "Analyst")
    with pytest.raises(Refusal, match="one profile only"):
        invite(cast("olga"), "iris@client.example", "Analyst", "Read-Only", kind=AccountType.NORMAL)
    with pytest.raises(Refusal, match="Choose from: Analyst, Org-Admin"):
        invite(cast("olga"), "iris@client.example", "Admin", kind=AccountType.NORMAL)
    db.session.rollback()
    assert (db.session.scalar(select(func.count(User.id))), len(letters())) == before


@pytest.mark.parametrize("who", ["ada", "ruth", "hanna"])
def test_people_without_the_right_cannot_invite_or_manage(cast: Cast, who: str) -> None:
    for act in (
        lambda: invite(cast(who)),
        lambda: invitations.resend(cast.world.people["newt"], by=cast(who)),
        lambda: people.lock(cast.world.people["vic"], by=cast(who)),
        lambda: people.unlock(cast.world.people["dora"], by=cast(who)),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert cast.user("vic").active


def test_otto_cannot_reach_people_of_another_organisation(cast: Cast) -> None:
    otto = cast("otto")
    with pytest.raises(Unfit, match="organisations in the list"):
        invite(otto, organisation_id=cast.world.places["here"])
    for act in (people.lock, people.unlock, invitations.resend):
        with pytest.raises(NotVisible):
            act(cast.world.people["newt"], by=otto)
        with pytest.raises(NotVisible):
            act(10**6, by=otto)
    assert {row.name for row in directory.people(otto).rows} == {"Otto Person", "Gast Person"}


def test_pia_can_invite_to_every_organisation_but_no_outsider_to_the_admin_one(cast: Cast) -> None:
    pia = cast("pia")
    user = invite(pia, organisation_id=cast.world.places["there"])
    assert db.session.scalar(select(Membership.organisation_id).where(Membership.user_id == user.id)) == cast.world.places["there"]
    with pytest.raises(Refusal, match="admin organisation holds none"):
        invite(pia, "other@client.example")
    for unknown in (10**6, 0):
        with pytest.raises(Unfit, match="organisations in the list"):
            invite(pia, "other@client.example", organisation_id=unknown)
    admin = invite(pia, "second@admin.example", "Admin", kind=AccountType.NORMAL)
    assert roles_of(admin.id, cast.world.places["admin"]) == ["Admin"]


def test_nobody_is_invited_to_a_locked_organisation(cast: Cast) -> None:
    db.session.get_one(Organisation, cast.world.places["there"]).locked = True
    db.session.commit()
    with pytest.raises(Refusal, match="Elsewhere is locked"):
        invite(cast("pia"), organisation_id=cast.world.places["there"])


def test_an_outside_organisation_is_made_once(cast: Cast) -> None:
    for number, name in enumerate(("Harbourline", " harbourline ", "HARBOURLINE")):
        invite(cast("olga"), f"p{number}@client.example", works_for=name)
    assert directory.parties(cast.world.places["here"]) == ["Harbourline"]
    invite(cast("otto"), "q@client.example", works_for="Harbourline")
    assert db.session.scalar(select(func.count(Party.id))) == 2


def test_two_invitations_at_once_make_one_account(app: Flask, cast: Cast) -> None:
    olga = cast("olga")
    results = at_once(app, lambda: invite(olga).id, lambda: invite(olga).id)
    assert sorted(isinstance(result, int) for result in results) == [False, True]
    assert db.session.scalar(select(func.count(User.id)).where(User.email == "iris@client.example")) == 1
    assert len(letters("invitation")) == 1


def test_newt_takes_possession_once(cast: Cast) -> None:
    user = invite(cast("olga"))
    token = token_of(user)
    invitations.accept(token, name="  Iris of the Field ", password=NEW)
    db.session.commit()
    row = row_of(cast("olga"), user.id)
    assert (row.name, row.state, row.can_resend) == ("Iris of the Field", "active", False)
    assert passwords.verify(db.session.get_one(User, user.id).password_hash, NEW)
    with pytest.raises(NotVisible):
        invitations.accept(token, name="Mallory", password="another-" + NEW)
    with pytest.raises(Refusal, match="set up the account already"):
        invitations.resend(user.id, by=cast("olga"))


def test_two_people_cannot_take_possession_of_one_account(app: Flask, cast: Cast) -> None:
    token = token_of(invite(cast("olga")))

    def accept(name: str) -> str:
        invitations.accept(token, name=name, password=f"{NEW}-{name}")
        db.session.commit()
        return name

    results = at_once(app, *[lambda name=name: accept(name) for name in ("one", "two", "three")])
    won = [result for result in results if isinstance(result, str)]
    assert len(won) == 1
    user = db.session.scalars(select(User).where(User.email == "iris@client.example").execution_options(populate_existing=True)).one()
    assert passwords.verify(user.password_hash, f"{NEW}-{won[0]}")


def test_a_weak_password_does_not_burn_an_invitation(cast: Cast) -> None:
    token = token_of(invite(cast("olga")))
    with pytest.raises(Refusal):
        invitations.accept(token, name="Iris", password="irisfield2026")
    db.session.rollback()
    assert invitations.accept(token, name="Iris", password=NEW).activated_at is not None


def test_sending_again_ends_the_older_invitation(cast: Cast) -> None:
    user = invite(cast("olga"))
    first = token_of(user)
    invitations.resend(user.id, by=cast("olga"))
    db.session.commit()
    with pytest.raises(NotVisible):
        invitations.accept(first, name="Iris", password=NEW)
    db.session.rollback()
    invitations.accept(token_of(user), name="Iris", password=NEW)


@pytest.mark.parametrize(
    ("delivery", "state", "word"),
    [
        (State.WAITING, "waiting", "Invitation waiting"),
        (State.SENDING, "waiting", "Invitation waiting"),
        (State.SENT, "invited", "Invited"),
        (State.FAILED, "undelivered", "Invitation not delivered"),
        (State.UNKNOWN, "undelivered", "Invitation not delivered"),
        (State.DROPPED, "undelivered", "Invitation not delivered"),
    ],
)
def test_the_list_says_where_an_invitation_is(cast: Cast, delivery: State, state: str, word: str) -> None:
    user = invite(cast("olga"))
    letters("invitation")[-1].state = delivery
    db.session.commit()
    row = row_of(cast("olga"), user.id)
    assert (row.state, row.standing.word, row.can_resend, row.standing.until is not None) == (state, word, True, state == "invited")
    with at(now() + timedelta(hours=24, seconds=1)):
        assert row_of(cast("olga"), user.id).state == "expired"
    invitations.resend(user.id, by=cast("olga"))
    db.session.commit()
    assert row_of(cast("olga"), user.id).state == "waiting"


def test_an_invitation_that_died_is_not_called_open(cast: Cast) -> None:
    """Locking ends the link for good: brought back, the person needs a new one, and the list must say so."""
    user = invite(cast("olga"))
    letters("invitation")[-1].state = State.SENT
    db.session.commit()
    people.lock(user.id, by=cast("olga"))
    people.unlock(user.id, by=cast("olga"))
    db.session.commit()
    with pytest.raises(NotVisible):
        invitations.accept(token_of(user), name="Iris", password=NEW)
    row = row_of(cast("olga"), user.id)
    assert (row.state, row.standing.until, row.can_resend) == ("expired", None, True)


def test_locking_ends_sessions_links_and_waiting_mail(cast: Cast) -> None:
    start_writing()
    key = sessions.open_session(cast.user("hanna"), cast.world.places["here"], "portal")
    db.session.commit()
    token = links.token_for(cast.link(Purpose.RESET, "hanna"))
    waiting = [row.id for row in letters() if row.to_user_id == cast.world.people["hanna"] and row.state is State.WAITING]
    assert waiting
    people.lock(cast.world.people["hanna"], by=cast("olga"))
    db.session.commit()
    assert sessions.find(key, "portal") is None
    assert links.open_link(Purpose.RESET, token) is None
    states = {row.state for row in letters() if row.to_user_id == cast.world.people["hanna"]}
    assert states == {State.DROPPED}
    assert {row.state for row in letters() if row.to_user_id == cast.world.people["rhea"]} == {State.WAITING}
    row = row_of(cast("olga"), cast.world.people["hanna"])
    assert (row.state, row.can_resend) == ("locked", False)
    assert newest_audit()[0].kind == "user:locked"
    people.unlock(cast.world.people["hanna"], by=cast("olga"))
    db.session.commit()
    assert (sessions.find(key, "portal"), links.open_link(Purpose.RESET, token)) == (None, None)
    assert row_of(cast("olga"), cast.world.people["hanna"]).state == "active"


def test_nobody_locks_themselves(cast: Cast) -> None:
    with pytest.raises(Refusal, match="your own account"):
        people.lock(cast.world.people["olga"], by=cast("olga"))
    assert row_of(cast("olga"), cast.world.people["olga"]).state == "active"


@pytest.mark.parametrize("who", ["vic", "ruth"])
def test_locking_twice_is_refused_and_on_record_once(cast: Cast, who: str) -> None:
    people.lock(cast.world.people[who], by=cast("olga"))
    db.session.commit()
    with pytest.raises(Refusal, match="was locked already"):
        people.lock(cast.world.people[who], by=cast("olga"))
    db.session.commit()
    assert [entry.kind for entry in newest_audit(2)].count("user:locked") == 1


def test_a_locked_person_is_offered_nowhere(cast: Cast) -> None:
    here = cast.world.places["here"]
    assert {p.name: p.state for p in directory.outsiders(here)} == {
        "Hanna Person": "active",
        "Newt Person": "uninvited",
        "Rhea Person": "active",
        "Vic Person": "active",
    }
    assert [name for _, name in directory.colleagues(here)] == ["Ada Person", "Olga Person", "Ruth Person"]
    people.lock(cast.world.people["ruth"], by=cast("olga"))
    db.session.commit()
    assert "Ruth Person" not in dict(directory.colleagues(here)).values()
    with pytest.raises(Refusal, match="locked"):
        invitations.resend(cast.world.people["dora"], by=cast("olga"))


def test_a_deleted_account_keeps_nothing_but_its_name(cast: Cast) -> None:
    hanna, olga = cast.world.people["hanna"], cast("olga")
    start_writing()
    key = sessions.open_session(cast.user("hanna"), cast.world.places["here"], "portal")
    cast.user("hanna").picture = "abc"
    db.session.add(Picture(user_id=hanna, content=b"x"))
    db.session.add(RecoveryCode(user_id=hanna, code_hash="x"))
    db.session.add(Submission(user_id=hanna, token="t"))
    db.session.commit()
    token = links.token_for(cast.link(Purpose.RESET, "hanna"))
    people.delete(hanna, by=olga)
    db.session.commit()
    user = cast.user("hanna")
    assert (user.name, user.email, user.active, user.password_hash, user.mfa, user.picture) == (
        "Hanna Person",
        f"deleted-{hanna}",
        False,
        None,
        False,
        "",
    )
    assert user.deleted_at is not None
    for model in (LoginSession, OneTimeLink, Membership, Picture, RecoveryCode, Submission, Grant):
        assert db.session.scalar(select(func.count()).select_from(model).where(model.user_id == hanna)) == 0, model
    assert (sessions.find(key, "portal"), links.open_link(Purpose.RESET, token)) == (None, None)
    assert {row.state for row in letters() if row.to_user_id == hanna} == {State.DROPPED}
    entry = newest_audit()[0]
    assert (entry.kind, entry.changes["email"]) == ("user:deleted", ["hanna@people.example", None])
    assert cast.comment("shared-hanna").author_id == hanna
    for act in (people.lock, people.unlock, people.delete, invitations.resend):
        with pytest.raises(NotVisible):
            act(hanna, by=olga)


def test_the_address_of_a_deleted_account_makes_a_new_person(cast: Cast) -> None:
    people.delete(cast.world.people["hanna"], by=cast("olga"))
    db.session.commit()
    again = invite(cast("olga"), "hanna@people.example", name="Hanna Person")
    assert again.id != cast.world.people["hanna"]
    assert cast.comment("shared-hanna").author_id != again.id
    viewer = sessions.viewer_of(again.id, cast.world.places["here"])
    assert viewer is not None
    assert db.session.scalars(scope.visible(viewer, Comment).where(Comment.author_id == cast.world.people["hanna"])).all() != []
    assert {case.number for case in db.session.scalars(scope.visible(viewer, Case))} == {cast.world.cases["all"]}


def test_the_assignee_of_a_case_keeps_it_after_leaving(cast: Cast) -> None:
    people.delete(cast.world.people["ada"], by=cast("olga"))
    db.session.commit()
    assert cast.case("internal").assignee_id == cast.world.people["ada"]


def test_a_locked_account_can_be_opened_again(cast: Cast) -> None:
    ada, olga = cast.world.people["ada"], cast("olga")
    for act, active in ((people.lock, False), (people.unlock, True)):
        act(ada, by=olga)
        db.session.commit()
        assert cast.user("ada").active is active
    assert [entry.kind for entry in newest_audit(2)] == ["user:unlocked", "user:locked"]
    assert sign_in.sign_in("ada@people.example", make.PASSWORD, face="console", trace=Trace("console")).user.id == ada
