"""Who may manage whom: nobody above oneself, and an administrator always remains, also when two act at the same moment."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.accounts import account, invitations, joining, keys, links, people, platform, powers, sessions
from portal.accounts.models import AccountType, Membership, Profile, Purpose, User
from portal.accounts.permissions import Permission, ProfileType
from portal.accounts.viewer import Viewer
from portal.database import start_writing
from portal.extensions import db
from portal.organisations.models import Organisation
from portal.refusals import NotAllowed, NotVisible, Refusal, Unfit
from tests import factories as make
from tests.fixtures.rooms import Cast, at_once, letters


def administrator(cast: Cast, name: str = "Pablo") -> Viewer:
    start_writing()
    viewer = make.make_user(name, db.session.get_one(Organisation, cast.world.places["admin"]), "Admin")
    db.session.commit()
    return viewer


def helper(cast: Cast) -> Viewer:
    """Somebody who may manage people and nothing else."""
    start_writing()
    profile = Profile(name="People only", type=ProfileType.ORGANISATION, permissions=[Permission.MANAGE_USER])
    db.session.add(profile)
    db.session.flush()
    viewer = make.make_user("Hilda", db.session.get_one(Organisation, cast.world.places["here"]), "People only")
    db.session.commit()
    return viewer


def usable(cast: Cast) -> int:
    db.session.rollback()
    wanted = select(func.count()).select_from(Membership).join(User, User.id == Membership.user_id)
    return db.session.scalar(wanted.where(Membership.organisation_id == cast.world.places["admin"], User.active)) or 0


def test_somebody_above_oneself_is_out_of_reach(cast: Cast) -> None:
    hilda, olga = helper(cast), cast.world.people["olga"]
    for act in (people.lock, people.delete, people.send_reset, people.end_sessions, keys.make):
        with pytest.raises(NotAllowed, match="allows more than yours"):
            act(olga, by=hilda)
    with pytest.raises(NotAllowed):
        joining.set_profiles(olga, cast.world.places["here"], {platform.profile("Read-Only").id}, by=hilda)
    assert powers.find_member(olga, by=hilda)[0].name == "Olga Person"
    assert people.lock(cast.world.people["ruth"], by=hilda).active is False


def test_nobody_hands_out_more_than_they_hold(cast: Cast) -> None:
    hilda, here, ruth = helper(cast), cast.world.places["here"], cast.world.people["ruth"]
    for name in ("Org-Admin", "Analyst"):
        with pytest.raises(Refusal, match="it allows more than your own"):
            joining.set_profiles(ruth, here, {platform.profile(name).id}, by=hilda)
    joining.set_profiles(ruth, here, {platform.profile("People only").id}, by=hilda)


@pytest.mark.parametrize("act", [people.lock, people.delete])
def test_the_last_administrator_stays(cast: Cast, act: object) -> None:
    two, pia = administrator(cast), cast("pia")
    assert callable(act)
    act(two.user_id, by=pia)
    db.session.commit()
    with pytest.raises(Refusal, match="without an administrator who can sign in"):
        act(pia.user_id, by=two)
    with pytest.raises(Refusal, match="your own account"):
        act(pia.user_id, by=pia)
    db.session.rollback()
    assert cast.user("pia").active


@pytest.mark.parametrize("act", ["lock", "delete", "remove", "demote"])
def test_two_administrators_cannot_end_each_other(app: Flask, cast: Cast, act: str) -> None:
    two, pia = administrator(cast), cast("pia")
    admin = cast.world.places["admin"]
    start_writing()
    half = Profile(name="Half", type=ProfileType.ADMIN, permissions=[Permission.MANAGE_USER])
    db.session.add(half)
    db.session.commit()
    half_id = half.id

    def against(target: int, by: Viewer) -> str:
        start_writing()
        if act == "demote":
            joining.set_profiles(target, admin, {half_id}, by=by)
        elif act == "remove":
            people.remove(target, admin, by=by)
        else:
            getattr(people, act)(target, by=by)
        db.session.commit()
        return "done"

    results = at_once(app, lambda: against(two.user_id, pia), lambda: against(pia.user_id, two))
    told = [str(result) for result in results]
    assert told.count("done") == 1, told
    assert any("without an administrator" in sentence for sentence in told), told
    left = [key for key in (pia.user_id, two.user_id) if powers.administers(key) and "manageProfile" in powers._held(key, admin)]
    assert len(left) == 1


def test_unknown_and_foreign_people_look_alike(cast: Cast) -> None:
    told = set()
    for user_id in (cast.world.people["gast"], 10**6):
        with pytest.raises(NotVisible) as refusal:
            powers.member(user_id, by=cast("olga"))
        told.add(str(refusal.value))
    assert len(told) == 1


def test_a_link_made_before_a_promotion_opens_nothing_after_it(cast: Cast) -> None:
    """Somebody who invites a person, copies the link and sees the person promoted must not become what they made possible."""
    start_writing()
    link = links.make_link(Purpose.INVITATION, user=cast.user("newt"), organisation_id=cast.world.places["here"], by=cast("olga"))
    token = links.token_for(link)
    db.session.commit()
    start_writing()
    reader = platform.profile("External-Reader")
    joining.set_profiles(cast.world.people["newt"], cast.world.places["here"], {reader.id}, by=cast("olga"))
    db.session.commit()
    assert links.open_link(Purpose.INVITATION, token) is None
    assert letters("invitation")[-1].to_user_id == cast.world.people["newt"], "a new one goes to the address on file"


@pytest.mark.parametrize(
    "name", ["Security\u200bteam", "Ｓecurity team", "Security tеam", "The  Security-Team.", "Northwind\u3164", "\u200b", "\u3164"]
)
def test_a_guest_cannot_sign_as_the_team_in_disguise(cast: Cast, name: str) -> None:
    home = db.session.get_one(Organisation, cast.world.places["here"])
    with pytest.raises(Unfit):
        invitations.proper_name(name, AccountType.EXTERNAL, home)
    assert invitations.proper_name("Søren Ångström", AccountType.EXTERNAL, home) == "Søren Ångström"


@pytest.mark.parametrize("name", ["Sicherheitsteam", "Équipe de sécurité", "Equipo de seguridad", "Lê, security team", "Petra, Northwind"])
def test_nobody_outside_is_called_as_the_team_is_in_any_language(cast: Cast, name: str) -> None:
    home = db.session.get_one(Organisation, cast.world.places["here"])
    with pytest.raises(Unfit, match="what the team is called"):
        invitations.proper_name(name, AccountType.EXTERNAL, home)
    with pytest.raises(Unfit, match="what the team is called"):
        account.rename(cast("hanna"), name)
    token = links.token_for(cast.link(Purpose.INVITATION, "newt"))
    with pytest.raises(Unfit, match="what the team is called"):
        invitations.accept(token, name=name, password="velvet-harbour-onion-38")
    assert invitations.proper_name(name, AccountType.NORMAL, home) == name, "a colleague may say what they are"


def test_a_name_somebody_has_had_before_stays(cast: Cast) -> None:
    start_writing()
    cast.user("hanna").name = "Hanna, security team"
    db.session.commit()
    account.rename(cast("hanna"), "Hanna, security team")
    people.edit(cast.world.people["hanna"], name="Hanna, security team", by=cast("olga"))
    with pytest.raises(Unfit):
        account.rename(cast("hanna"), "Hanna Lind, security team")


def test_a_browser_signed_out_during_slow_work_stays_signed_out(cast: Cast) -> None:
    start_writing()
    user = cast.user("hanna")
    key = sessions.open_session(user, cast.world.places["here"], "portal")
    db.session.commit()
    found = sessions.find(key, "portal")
    assert found is not None
    assert sessions.still_open(found.viewer, user)
    sessions.end_all(user)
    assert not sessions.still_open(found.viewer, user)
    db.session.rollback()


def test_what_was_assigned_to_a_leaver_does_not_open_again(cast: Cast) -> None:
    start_writing()
    case = cast.case("restricted")
    case.assignee_id = cast.world.people["ada"]
    db.session.flush()
    people._leave(cast.world.people["ada"], cast.world.places["here"])
    assert cast.case("restricted").assignee_id is None
    db.session.rollback()


def test_an_organisations_administrator_ends_nothing_elsewhere(cast: Cast) -> None:
    """Otto works mainly elsewhere; what touches his whole account is not Olga's to do."""
    start_writing()
    reader = platform.profile("Read-Only")
    here = db.session.get_one(Organisation, cast.world.places["here"])
    platform.join(cast.user("otto"), here, [reader])
    db.session.flush()
    otto, olga = cast.world.people["otto"], cast("olga")
    for act in (people.end_sessions, people.send_reset, people.lock, invitations.cancel):
        with pytest.raises(Refusal, match="also works in another organisation"):
            act(otto, by=olga)
    db.session.rollback()


def test_a_locked_organisation_invites_nobody_again(cast: Cast) -> None:
    start_writing()
    links.make_link(Purpose.INVITATION, user=cast.user("newt"), organisation_id=cast.world.places["here"])
    db.session.get_one(Organisation, cast.world.places["here"]).locked = True
    db.session.flush()
    before = len(letters("invitation"))
    with pytest.raises(Refusal, match="is locked"):
        invitations.resend(cast.world.people["newt"], by=cast("pia", "admin"))
    assert len(letters("invitation")) == before
    db.session.rollback()


def test_the_links_of_an_organisation_one_left_are_over(cast: Cast) -> None:
    start_writing()
    link = links.make_link(Purpose.INVITATION, user=cast.user("newt"), organisation_id=cast.world.places["here"])
    people._leave(cast.world.people["newt"], cast.world.places["here"])
    db.session.refresh(link)
    assert link.superseded_at is not None
    db.session.rollback()
