"""Taking something away bites on the very next request: access, an account, a session, a right."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select, update

from portal.accounts import sessions
from portal.accounts.models import LoginSession, Membership, Profile, membership_profile
from portal.cases.models import Case
from portal.database import start_writing
from portal.extensions import db
from portal.organisations.models import Organisation
from tests import factories as make
from tests.access.roads import plain
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]


def share(world: World, ada: Browser, case: str, access: str, *people: str) -> None:
    """Through the console, as an analyst does it."""
    data = {"access": access, "users": [world.people[who] for who in people]}
    assert ada.confirm(f"/console/cases/{world.cases[case]}/access", data).status_code == 303


@pytest.mark.parametrize(("access", "left"), [("internal", ()), ("external", ("rhea",))])
def test_hanna_loses_page_part_and_form_at_once(world: World, browse: Browse, access: str, left: tuple[str, ...]) -> None:
    ada, hanna = browse("ada"), browse("hanna")
    path, uid = f"/portal/cases/{world.cases['shared']}", world.comments["shared-hanna"]
    assert hanna.get(path).status_code == 200
    share(world, ada, "shared", access, *left)
    assert hanna.get(path).status_code == 404
    assert hanna.get(path, htmx=True).status_code == 404
    assert hanna.post(f"{path}/comments", {"message": "Still here?"}).status_code == 404
    assert hanna.post(f"{path}/comments", {"message": "Still here?"}, htmx=True).status_code == 404
    assert hanna.post(f"{path}/comments/{uid}/edit", {"message": "Still here?"}).status_code == 404
    assert hanna.post(f"{path}/comments/{uid}/delete").status_code == 404
    assert "The shared case" not in hanna.get("/portal/").text


def test_rhea_keeps_what_hanna_loses(world: World, browse: Browse) -> None:
    ada, rhea = browse("ada"), browse("rhea")
    share(world, ada, "shared", "external", "rhea")
    assert rhea.get(f"/portal/cases/{world.cases['shared']}").status_code == 200


def test_all_external_users_end_at_once(world: World, browse: Browse) -> None:
    ada, vic = browse("ada"), browse("vic")
    path = f"/portal/cases/{world.cases['all']}"
    assert vic.get(path).status_code == 200
    share(world, ada, "all", "internal")
    assert vic.get(path).status_code == 404


def test_a_comment_made_internal_is_gone_at_once(world: World, browse: Browse) -> None:
    ada, hanna = browse("ada"), browse("hanna")
    path = f"/portal/cases/{world.cases['shared']}"
    assert "External word on shared." in hanna.get(path).text
    mark = f"/console/cases/{world.cases['shared']}/comments/{world.comments['shared-external']}/external"
    assert ada.post(mark, {"external": "0"}).status_code == 303
    assert "External word on shared." not in hanna.get(path).text
    assert "External word on shared." not in hanna.get(path, htmx=True).text


def test_a_copied_file_address_dies_with_the_share(app: Flask, world: World, browse: Browse) -> None:
    ada, hanna = browse("ada"), browse("hanna")
    path = f"/portal/cases/{world.cases['shared']}"
    with app.app_context():
        start_writing()
        by = sessions.viewer_of(world.people["ada"], world.places["here"])
        case = db.session.scalars(select(Case).where(Case.number == world.cases["shared"])).one()
        uid = make.attach(case, by, "evidence.txt", b"evidence", external=True).uid
        db.session.commit()
    assert hanna.get(f"{path}/files/{uid}").data == b"evidence"
    assert hanna.get(f"/portal/cases/{world.cases['all']}/files/{uid}").status_code == 404
    share(world, ada, "shared", "internal")
    lost = hanna.get(f"{path}/files/{uid}")
    assert lost.status_code == 404
    assert plain(lost) == plain(hanna.get(f"{path}/files/{'f' * 16}"))
    assert hanna.get(f"{path}/files/{uid}", headers={"Range": "bytes=0-1"}).status_code == 404
    assert hanna.get(f"{path}/files/{uid}", headers={"If-None-Match": "*"}).status_code == 404


def test_a_locked_person_is_out_at_once_and_stays_out(world: World, browse: Browse) -> None:
    olga, hanna = browse("olga"), browse("hanna")
    path = f"/portal/cases/{world.cases['shared']}"
    assert hanna.get(path).status_code == 200
    assert olga.post(f"/console/people/{world.people['hanna']}/lock").status_code == 303
    assert hanna.get(path).status_code == 303
    assert hanna.get(path, htmx=True).status_code == 401
    assert hanna.post(f"{path}/comments", {"message": "Still here?"}).status_code == 401
    assert olga.post(f"/console/people/{world.people['hanna']}/unlock").status_code == 303
    assert hanna.get(path).status_code == 303, "the old session must not come back with the account"


def test_a_locked_colleague_is_out_at_once(world: World, browse: Browse) -> None:
    olga, ada = browse("olga"), browse("ada")
    assert ada.get("/console/cases").status_code == 200
    assert olga.post(f"/console/people/{world.people['ada']}/lock").status_code == 303
    assert ada.get("/console/cases").status_code == 303


def test_signing_out_ends_the_session_itself(app: Flask, browse: Browse) -> None:
    """A copied cookie is worth nothing after its owner signed out: the row decides."""
    hanna = browse("hanna")
    key = hanna.client.get_cookie("portal", domain="127.0.0.1")
    assert key is not None
    assert hanna.post("/portal/sign-out").status_code == 303
    assert hanna.client.get_cookie("portal", domain="127.0.0.1") is None
    thief = app.test_client()
    thief.set_cookie("portal", key.value, domain="127.0.0.1")
    assert thief.get("/portal/", base_url="http://127.0.0.1:8000").status_code == 303


def test_changing_the_password_ends_the_other_browsers(app: Flask, browse: Browse) -> None:
    here, there = browse("hanna"), browse("hanna")
    old = here.client.get_cookie("portal", domain="127.0.0.1")
    assert old is not None
    new = "velvet-harbour-onion-38"
    data = {"current": make.PASSWORD, "password": new, "again": new}
    assert here.post("/portal/account/password", data).status_code == 303
    assert here.get("/portal/").status_code == 200
    assert there.get("/portal/").status_code == 303
    thief = app.test_client()
    thief.set_cookie("portal", old.value, domain="127.0.0.1")
    assert thief.get("/portal/", base_url="http://127.0.0.1:8000").status_code == 303


def test_a_locked_organisation_lets_nobody_in(app: Flask, world: World, browse: Browse) -> None:
    ada, hanna = browse("ada"), browse("hanna")
    change(app, update(Organisation).where(Organisation.id == world.places["here"]).values(locked=True))
    assert ada.get("/console/cases").status_code == 303
    assert hanna.get("/portal/").status_code == 303


def test_a_right_taken_away_is_gone_at_once(app: Flask, world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    path = f"/portal/cases/{world.cases['shared']}"
    assert "<textarea" in hanna.get(path).text
    reader = select(Profile.id).where(Profile.name == "External-Reader").scalar_subquery()
    membership = select(Membership.id).where(Membership.user_id == world.people["hanna"]).scalar_subquery()
    change(app, update(membership_profile).where(membership_profile.c.membership_id == membership).values(profile_id=reader))
    assert "<textarea" not in hanna.get(path).text
    assert hanna.post(f"{path}/comments", {"message": "May I?"}).status_code == 403


def test_a_raised_epoch_ends_every_session(app: Flask, world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    change(app, update(LoginSession).where(LoginSession.user_id == world.people["hanna"]).values(epoch=-1))
    assert hanna.get("/portal/").status_code == 303


def change(app: Flask, statement: object) -> None:
    """Something an administrator will be able to do; the rows as they are then."""
    with app.app_context():
        db.session.execute(statement)  # type: ignore[call-overload]
        db.session.commit()
