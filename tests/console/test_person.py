"""One person's page: what it tells, every act on it, and every refusal."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from portal.accounts import keys, links, platform
from portal.accounts.models import ApiKey, Membership, OneTimeLink, Totp, User
from portal.audit.models import AuditEntry
from portal.database import start_writing
from portal.extensions import db
from portal.mail.models import OutboxMessage
from portal.organisations.models import Organisation
from tests import factories as make
from tests.fixtures.rooms import carry_out
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]


def page(browser: Browser, world: World, who: str) -> str:
    return unescape(browser.get(f"/console/people/{world.people[who]}").text)


def act(browser: Browser, world: World, who: str, what: str, data: dict[str, Any] | None = None) -> str:
    """Do it and read the page it leads to."""
    answer = browser.post(f"/console/people/{world.people[who]}/{what}", data)
    assert answer.status_code == 303, answer.text
    return unescape(browser.get(answer.headers["Location"]).text)


def stored(app: Flask, world: World, who: str) -> User:
    with app.app_context():
        return db.session.get_one(User, world.people[who])


def profile_id(app: Flask, name: str) -> str:
    with app.app_context():
        return str(platform.profile(name).id)


def test_it_tells_where_somebody_stands(world: World, browse: Browse) -> None:
    browse("ada")
    text = page(browse("olga"), world, "ada")
    for words in (
        "ada@people.example",
        "Colleague: uses the console",
        "Fixed for good",
        "Active",
        "Sharer",
        "1 browser",
        "Password",
        "There is none.",
        "There is no API yet.",
    ):
        assert words in text, words
    newt = page(browse("olga"), world, "newt")
    assert "External user: uses the portal only" in newt
    assert "Not set up" in newt
    assert "API key" not in newt


def test_somebody_not_invited_yet_can_be(world: World, browse: Browse) -> None:
    olga = browse("olga")
    assert "Not invited" in page(olga, world, "newt")
    assert "Send invitation" in page(olga, world, "newt")
    assert "A new invitation to Newt Person is on its way." in act(olga, world, "newt", "invitation")
    text = page(olga, world, "newt")
    assert "Invitation waiting" in text
    assert "Invited by Olga Person" in text
    assert "The invitation of Newt Person is withdrawn." in act(olga, world, "newt", "invitation/cancel")
    assert "Not invited" in page(olga, world, "newt")
    assert "has no invitation that could be withdrawn" in act(olga, world, "newt", "invitation/cancel")


def test_whoever_was_cancelled_gets_no_new_link_by_asking(
    app: Flask, world: World, browse: Browse, visitor: Callable[..., Browser]
) -> None:
    olga = browse("olga")
    act(olga, world, "newt", "invitation")
    act(olga, world, "newt", "invitation/cancel")
    assert visitor().post("/new-link", {"email": world.emails["newt"]}).status_code == 200
    with app.app_context():
        carry_out()
        living = select(OneTimeLink).where(OneTimeLink.user_id == world.people["newt"], OneTimeLink.superseded_at.is_(None))
        assert db.session.scalars(living).all() == []


def test_without_mail_the_link_can_be_copied_once(app: Flask, world: World, browse: Browse, visitor: Callable[..., Browser]) -> None:
    olga, path = browse("olga"), f"/console/people/{world.people['newt']}/invitation/copy"
    assert "Make a link to copy" in page(olga, world, "newt")
    assert "Make an invitation link for Newt Person?" in olga.get(path).text
    answer = olga.post(path)
    link = re.search(r'value="http://[^/]+(/invitation/[^"]+)" readonly', answer.text)
    assert link is not None
    assert "This link is shown only now." in answer.text
    assert link[1] not in olga.get(path).text
    assert "Invited" in page(olga, world, "newt")
    with app.app_context():
        assert (
            db.session.scalars(
                select(OutboxMessage).where(OutboxMessage.to_user_id == world.people["newt"], OutboxMessage.letter == "invitation")
            ).all()
            == []
        )
        assert db.session.scalars(select(AuditEntry.kind).order_by(AuditEntry.id.desc()).limit(1)).one() == "user:invitation-copied"
    assert visitor().get(link[1]).status_code == 303
    assert "has set up the account already" in act(olga, world, "hanna", "invitation/copy")


def test_olga_can_send_a_password_reset_without_seeing_the_link(app: Flask, world: World, browse: Browse) -> None:
    olga = browse("olga")
    text = act(olga, world, "hanna", "reset")
    assert "A link to choose a new password is on its way to hanna@people.example." in text
    assert "/reset/" not in text.replace(f"/{world.people['hanna']}/reset", "")
    with app.app_context():
        letter = db.session.scalars(select(OutboxMessage).where(OutboxMessage.letter == "reset")).one()
        link = db.session.get_one(OneTimeLink, letter.link_id)
        assert (letter.to_user_id, link.created_by_name) == (world.people["hanna"], "Olga Person")
        assert links.token_for(link) not in text
    assert "has not set up the account yet" in act(olga, world, "newt", "reset")
    assert "is locked" in act(olga, world, "dora", "reset")


def test_olga_can_sign_somebody_out_everywhere(world: World, browse: Browse) -> None:
    olga, hanna = browse("olga"), browse("hanna")
    assert "1 browser" in page(olga, world, "hanna")
    assert "Hanna Person is signed out everywhere." in act(olga, world, "hanna", "sessions/end")
    assert "sign-in" in hanna.get("/portal/").headers["Location"]
    assert "is not signed in anywhere" in act(olga, world, "hanna", "sessions/end")
    assert "on your account page" in act(olga, world, "olga", "sessions/end")


def test_olga_can_reset_a_second_step(app: Flask, world: World, browse: Browse) -> None:
    olga, path = browse("olga"), f"/console/people/{world.people['hanna']}/second-step/reset"
    assert "has no second step" in act(olga, world, "hanna", "second-step/reset")
    assert olga.get(path).status_code == 303
    with app.app_context():
        start_writing()
        db.session.get_one(User, world.people["hanna"]).mfa = True
        db.session.add(Totp(user_id=world.people["hanna"], secret="x"))
        db.session.commit()
    hanna = browse("hanna")
    assert "Reset second step" in page(olga, world, "hanna")
    assert "Make sure that it was really they who asked you." in olga.get(path).text
    assert "Hanna Person signs in with the password alone next time" in act(olga, world, "hanna", "second-step/reset")
    assert "sign-in" in hanna.get("/portal/").headers["Location"]
    with app.app_context():
        assert db.session.scalars(select(Totp)).all() == []
        assert db.session.scalars(select(AuditEntry.kind).order_by(AuditEntry.id.desc()).limit(1)).one() == "user:mfa-reset"
        assert "mfa_reset" in db.session.scalars(select(OutboxMessage.letter)).all()
    assert "your own second step" in act(olga, world, "olga", "second-step/reset")


def test_olga_can_make_replace_and_revoke_an_api_key(app: Flask, world: World, browse: Browse) -> None:
    olga, path = browse("olga"), f"/console/people/{world.people['ada']}/key"
    shown = []
    for word in ("Make key", "Replace key"):
        assert word in olga.get(path).text
        answer = olga.post(path)
        found = re.search(r'value="(pk_[^"]+)"', answer.text)
        assert found is not None
        shown.append(found[1])
        assert found[1] not in olga.get(path).text
    assert shown[1][:8] in page(olga, world, "ada")
    with app.app_context():
        assert [keys.owner_of(key) is not None for key in shown] == [False, True]
    assert "Revoke the API key of Ada Person?" in olga.get(f"{path}/revoke").text
    assert "The API key of Ada Person no longer works." in act(olga, world, "ada", "key/revoke")
    with app.app_context():
        assert db.session.scalars(select(ApiKey)).all() == []
    assert "API keys are for colleagues" in act(olga, world, "hanna", "key")
    assert "has no API key" in act(olga, world, "ada", "key/revoke")


def test_olga_can_correct_a_name(app: Flask, world: World, browse: Browse) -> None:
    olga = browse("olga")
    assert "Hanna Weber is saved." in act(olga, world, "hanna", "edit", {"name": " Hanna  Weber ", "email": "hanna@people.example"})
    assert stored(app, world, "hanna").name == "Hanna Weber"
    answer = olga.post(f"/console/people/{world.people['hanna']}/edit", {"name": "Hanna", "email": "other@people.example"})
    assert answer.status_code == 422
    assert "only its owner can change the address" in answer.text
    assert stored(app, world, "hanna").name == "Hanna Weber"


def test_a_mistyped_address_is_corrected_and_invited_again(app: Flask, world: World, browse: Browse) -> None:
    olga = browse("olga")
    act(olga, world, "newt", "invitation")
    text = act(olga, world, "newt", "edit", {"name": "Newt Person", "email": "NEWT@right.example"})
    assert "A new invitation to newt@right.example is on its way." in text
    with app.app_context():
        found = db.session.scalars(select(OneTimeLink).where(OneTimeLink.user_id == world.people["newt"]).order_by(OneTimeLink.id)).all()
        assert [link.superseded_at is None for link in found] == [False, True]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": " "}, "Type a name."),
        ({"name": "x" * 129}, "at most 128"),
        ({"name": "Security  TEAM"}, "own name"),
        ({"name": "northwind"}, "own name"),
        ({"email": "none"}, "Enter an e-mail address"),
        ({"email": "olga@people.example"}, "already an account"),
        ({"email": f"{'x' * 125}@a.example"}, "at most 128"),
    ],
)
def test_a_mistake_in_details_is_told_at_its_field(world: World, browse: Browse, change: dict[str, str], sentence: str) -> None:
    answer = browse("olga").post(f"/console/people/{world.people['newt']}/edit", {"name": "Newt", "email": "newt@people.example", **change})
    assert answer.status_code == 422
    assert sentence in unescape(answer.text)
    assert f'id="{next(iter(change))}-error"' in answer.text


def test_olga_can_change_roles_and_profiles(app: Flask, world: World, browse: Browse) -> None:
    olga, here = browse("olga"), world.places["here"]
    text = olga.get(f"/console/people/{world.people['hanna']}/organisations/{here}").text
    assert "Read what is shared with them; Report incidents; Upload files; Write messages; Add evidence items" in text
    assert 'value="Harbourline"' not in text
    reader = {"roles": profile_id(app, "External-Reader"), "works_for": "Harbourline"}
    asked = olga.post(f"/console/people/{world.people['hanna']}/organisations/{here}", reader)
    assert asked.status_code == 422
    assert "There is no external organisation called Harbourline yet. Choose one that is offered" in unescape(asked.text)
    assert 'name="new_party"' in asked.text
    assert 'name="new_party"' not in text
    assert "Harbourline" not in page(olga, world, "hanna"), "nothing was made"
    reader["new_party"] = "y"
    saved = act(olga, world, "hanna", f"organisations/{here}", reader)
    assert "External-Reader" in saved
    assert "Harbourline is a new external organisation." in saved
    assert "is a new external organisation" not in act(olga, world, "hanna", f"organisations/{here}", reader), "it is known by now"
    assert ">Harbourline</a>" in page(olga, world, "hanna")
    assert "Analyst" in act(olga, world, "ruth", f"organisations/{here}", {"profile": profile_id(app, "Analyst")})
    for wrong, sentence in (({}, "at least one role"), ({"roles": "9" * 30}, "does not fit"), ({"roles": ["x", "\0"]}, "does not fit")):
        answer = olga.post(f"/console/people/{world.people['hanna']}/organisations/{here}", wrong)
        assert answer.status_code == 422
        assert sentence in answer.text
    assert "Ask another administrator." in act(olga, world, "olga", f"organisations/{here}", {"profile": "1"})
    assert olga.get(f"/console/people/{world.people['hanna']}/organisations/{world.places['there']}").status_code == 404


def test_pia_can_let_somebody_work_in_another_organisation(app: Flask, world: World, browse: Browse) -> None:
    pia, there = browse("pia"), world.places["there"]
    form = pia.get(f"/console/people/{world.people['ada']}/organisations/add").text
    assert "Elsewhere" in form
    assert ">Northwind<" not in form
    analyst = profile_id(app, "Analyst")
    for wrong, sentence in (
        ({}, "organisations in the list"),
        ({"organisation": "9" * 30, "profile": analyst}, "organisations in the list"),
        ({"organisation": str(there)}, "Choose a profile for Elsewhere"),
        ({"organisation": str(world.places["admin"]), "profile": analyst}, "does not fit admin"),
        ({"organisation": str(world.places["here"]), "profile": analyst}, "works in Northwind already"),
    ):
        answer = pia.post(f"/console/people/{world.people['ada']}/organisations/add", wrong)
        assert answer.status_code == 422, wrong
        assert sentence in answer.text
    text = act(pia, world, "ada", "organisations/add", {"organisation": str(there), "profile": analyst})
    assert "Ada Person works in Elsewhere too." in text
    assert "Ada Person begins there" in act(pia, world, "ada", f"organisations/{there}/default")
    assert "only an administrator of the platform" in act(browse("olga"), world, "ada", "lock")
    assert "Remove Ada Person from Elsewhere?" in pia.get(f"/console/people/{world.people['ada']}/organisations/{there}/remove").text
    assert "Ada Person no longer works in Elsewhere." in act(pia, world, "ada", f"organisations/{there}/remove")
    with app.app_context():
        assert db.session.scalars(select(Membership.is_default).where(Membership.user_id == world.people["ada"])).all() == [True]


def test_the_organisation_without_cases_is_offered_for_colleagues_only(app: Flask, world: World, browse: Browse) -> None:
    pia, option = browse("pia"), f'<option value="{world.places["admin"]}">'
    forms = {who: pia.get(f"/console/people/{world.people[who]}/organisations/add").text for who in ("ada", "hanna")}
    assert option in forms["ada"]
    assert option not in forms["hanna"]
    assert "Elsewhere" in forms["hanna"]
    place = {
        "organisation": str(world.places["there"]),
        "roles": profile_id(app, "External-Reader"),
        "works_for": "Harbourline",
        "new_party": "y",
    }
    added = act(pia, world, "hanna", "organisations/add", place)
    assert "works in Elsewhere too. Harbourline is a new external organisation." in added


def test_removing_from_the_last_organisation_asks_about_deleting(world: World, browse: Browse) -> None:
    path = f"/console/people/{world.people['hanna']}"
    for method in ("get", "post"):
        answer = getattr(browse("olga"), method)(f"{path}/organisations/{world.places['here']}/remove")
        assert answer.headers["Location"] == f"{path}/delete"


def test_olga_deletes_only_when_the_name_is_typed(app: Flask, world: World, browse: Browse) -> None:
    olga, hanna, path = browse("olga"), browse("hanna"), f"/console/people/{world.people['hanna']}/delete"
    assert "Cases and comments stay, and keep the name." in olga.get(path).text
    for typed in ({}, {"confirm": "Hanna"}, {"confirm": "\0"}):
        answer = olga.post(path, typed)
        assert answer.status_code == 422
        assert "Type Hanna Person or hanna@people.example" in answer.text
    assert hanna.get("/portal/").status_code == 200
    answer = olga.post(path, {"confirm": "hanna  PERSON"})
    assert "account is deleted" in unescape(olga.get(answer.headers["Location"]).text)
    assert "sign-in" in hanna.get("/portal/").headers["Location"]
    assert hanna.post(f"/portal/cases/{world.cases['shared']}/comments", {"message": "Still here"}).status_code == 401
    assert olga.get(f"/console/people/{world.people['hanna']}").status_code == 404
    assert "Hanna Person" in olga.get(f"/console/cases/{world.cases['shared']}").text
    assert stored(app, world, "hanna").email == f"deleted-{world.people['hanna']}"


def test_nobody_closes_or_deletes_their_own_account(app: Flask, world: World, browse: Browse) -> None:
    for who in ("olga", "pia"):
        browser = browse(who)
        assert "You cannot lock your own account." in act(browser, world, who, "lock")
        assert "You cannot delete your own account." in act(browser, world, who, "delete", {"confirm": f"{who.title()} Person"})
        assert "Close the account" not in page(browser, world, who)


def test_a_case_of_somebody_who_left_can_still_be_edited(app: Flask, world: World, browse: Browse) -> None:
    browse("pia").post(f"/console/people/{world.people['ada']}/delete", {"confirm": "Ada Person"})
    olga, path = browse("olga"), f"/console/cases/{world.cases['shared']}/edit"
    form = olga.get(path).text
    assert f'selected value="{world.people["ada"]}">Ada Person (no longer active)' in form
    version = re.search(r'name="version"[^>]*value="(\d+)"', form)
    assert version is not None
    data = {"title": "New title", "description": "D", "severity": "2", "tlp": "2", "pap": "2", "status": "New", "version": version[1]}
    assert olga.post(path, {**data, "assignee": str(world.people["ada"])}).status_code == 303
    assert "Ada Person" in olga.get(f"/console/cases/{world.cases['shared']}").text


def test_somebody_above_oneself_can_be_looked_at_only(app: Flask, world: World, browse: Browse) -> None:
    with app.app_context():
        start_writing()
        here = db.session.get_one(Organisation, world.places["here"])
        make.make_profile("People only", "Read-Only", "manageUser")
        world.people["hilda"] = make.make_user("Hilda", here, "People only").user_id
        db.session.commit()
    hilda = browse("hilda")
    assert "you can look but not change anything" in page(hilda, world, "olga")
    for what in ("lock", "delete", "edit", "reset", "key", "sessions/end", f"organisations/{world.places['here']}"):
        assert hilda.post(f"/console/people/{world.people['olga']}/{what}", {"name": "x", "email": "x@x.example"}).status_code == 403, what


def test_people_of_others_and_strange_numbers_are_not_found(world: World, browse: Browse) -> None:
    olga = browse("olga")
    for number in (world.people["otto"], world.people["pia"], 987_654, 10**17, 10**30):
        for what in ("", "/edit", "/delete", "/key", "/invitation/copy", f"/organisations/{world.places['there']}"):
            assert olga.get(f"/console/people/{number}{what}").status_code == 404, (number, what)


def test_of_two_edits_the_later_one_is_shown_the_first(world: World, browse: Browse) -> None:
    olga, path = browse("olga"), f"/console/people/{world.people['vic']}/edit"
    seen = re.search(r'name="seen"[^>]*value="(\w+)"', olga.get(path).text)
    assert seen is not None
    typed = {"name": "Victor", "email": world.emails["vic"], "seen": seen[1]}
    assert olga.post(path, typed).status_code == 303
    stale = olga.post(path, {**typed, "name": "Vico"})
    assert stale.status_code == 422
    assert "now it is Victor" in unescape(stale.text)
    assert 'value="Vico"' in stale.text
    assert "Victor" in olga.get(f"/console/people/{world.people['vic']}").text
