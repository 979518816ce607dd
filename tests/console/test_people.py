"""People: the list, adding them with all mistakes one can make, sending again, closing and reopening accounts."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.accounts.models import Membership, OneTimeLink, User
from portal.extensions import db
from portal.mail.models import OutboxMessage
from portal.organisations.models import Organisation, Party
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]
PERSON = {"kind": "external", "name": "Iris Weber", "email": "iris@client.example", "works_for": "Client Ltd", "new_party": "y"}
NEW = "/console/people/new"


def profile(browser: Browser, name: str, field: str = "roles") -> str:
    """The id a profile has in the form."""
    page = browser.get(NEW).text
    if field == "profile":
        found = re.search(rf'<option[^>]*value="(\d+)"[^>]*>{name}', page)
    else:
        found = re.search(rf'name="seat-0-roles"[^>]*value="(\d+)"[^>]*>\s*<span><strong>{name}', page)
    assert found is not None
    return found[1]


def test_olga_sees_her_own_people_only(browse: Browse) -> None:
    page = browse("olga").get("/console/people").text
    assert "Hanna Person" in page
    assert "Locked" in page
    assert "Otto Person" not in page
    assert "Gast Person" not in page


def test_pia_sees_everybody(browse: Browse) -> None:
    page = browse("pia").get("/console/people").text
    assert "Hanna Person" in page
    assert "Otto Person" in page


def test_olga_can_add_a_guest(app: Flask, browse: Browse) -> None:
    olga = browse("olga")
    answer = olga.post(NEW, {**PERSON, "seat-0-roles": profile(olga, "External-Actor")})
    assert re.fullmatch(r"/console/people/\d+", answer.headers["Location"])
    page = olga.get(answer.headers["Location"]).text
    for words in ("Iris Weber is added.", "Invitation waiting", ">Client Ltd</a>", "External-Actor"):
        assert words in page, words
    with app.app_context():
        user = db.session.scalars(select(User).where(User.email == PERSON["email"])).one()
        assert db.session.scalars(select(OutboxMessage.letter).where(OutboxMessage.to_user_id == user.id)).all() == ["invitation"]


def test_olga_is_asked_before_a_name_she_mistyped_makes_a_new_organisation(app: Flask, browse: Browse) -> None:
    olga, number = browse("olga"), select(func.count()).select_from(Party)
    role = {"seat-0-roles": profile(olga, "External-Actor")}
    assert 'name="new_party"' not in olga.get(NEW).text
    assert olga.post(NEW, {**PERSON, **role}).status_code == 303
    typed = {**PERSON, **role, "email": "jan@client.example", "works_for": "Cleint Ltd", "new_party": ""}
    asked = olga.post(NEW, typed)
    assert asked.status_code == 422
    assert "There is no external organisation called Cleint Ltd yet." in unescape(asked.text)
    assert 'name="new_party"' in asked.text
    assert '<option value="Client Ltd">' in asked.text  # and the right one is offered
    with app.app_context():
        before = db.session.scalar(number)
    known = olga.post(NEW, {**typed, "works_for": " client  LTD "})
    assert "new external organisation" not in olga.get(known.headers["Location"]).text
    for email, works_for in (("ute@client.example", "Müller GmbH"), ("uwe@client.example", "Mu\u0308ller gmbh")):
        ticked = "y" if "ü" in works_for else ""
        taken = olga.post(NEW, {**typed, "email": email, "works_for": works_for, "new_party": ticked})
        assert taken.status_code == 303, works_for
    made = olga.post(NEW, {**typed, "email": "jon@client.example", "works_for": "Other Ltd", "new_party": "y"})
    assert "Other Ltd is a new external organisation." in olga.get(made.headers["Location"]).text
    with app.app_context():
        assert db.session.scalar(number) == before + 2


def test_pia_is_told_where_the_organisation_is_unknown(world: World, browse: Browse) -> None:
    olga, pia = browse("olga"), browse("pia")
    role = profile(pia, "External-Actor")
    assert olga.post(NEW, {**PERSON, "seat-0-roles": role}).status_code == 303
    data = {**PERSON, "email": "jan@client.example", "new_party": "", "seat": ["0", "1"], "default": "0"}
    data |= place(world, 0, "here", roles=role) | place(world, 1, "there", roles=role)
    answer = pia.post(NEW, data)
    assert answer.status_code == 422
    assert "There is no external organisation called Client Ltd in Elsewhere yet." in unescape(answer.text)
    assert "in Northwind yet" not in answer.text
    assert '<option value="Client Ltd">' in answer.text


@pytest.mark.parametrize(("kind", "told"), [("internal", "invitation to karl@people.example"), ("service", "Make its API key below.")])
def test_olga_can_add_a_colleague_and_a_program(browse: Browse, kind: str, told: str) -> None:
    olga = browse("olga")
    data = {"kind": kind, "name": "Karl", "email": "karl@people.example", "seat-0-profile": profile(olga, "Analyst", "profile")}
    answer = olga.post(NEW, data)
    page = olga.get(answer.headers["Location"]).text
    assert told in page
    assert "Analyst" in page


def test_the_form_says_what_each_profile_allows_and_why_the_kind_is_fixed(browse: Browse) -> None:
    page = unescape(browse("olga").get(NEW).text)
    for words in (
        "fixed for good",
        "Read what is shared with them; Report incidents; Upload files; Write messages; Add evidence items",
        "Edit and close cases",
        "Restrict cases to named colleagues",
    ):
        assert words in page, words
    assert "(admin organisation)" not in page
    assert "Begins here" not in page
    assert "Sign in to the console. Never reads cases." in unescape(browse("pia").get(NEW).text)


@pytest.mark.parametrize(
    ("change", "sentence", "field"),
    [
        ({"email": "not an address"}, "Enter an e-mail address", "email"),
        ({"email": "HANNA@people.example"}, "There is already an account with this address.", "email"),
        ({"email": "otto@people.example"}, "There is already an account with this address.", "email"),
        ({"email": f"{'x' * 120}@client.example"}, "at most 128 characters", "email"),
        ({"name": " "}, "Type a name.", "name"),
        ({"name": "x" * 129}, "at most 128 characters", "name"),
        ({"name": "security team"}, "own name", "name"),
        ({"works_for": "x" * 129}, "at most 128 characters", "works_for"),
        ({"seat-0-roles": ""}, "does not fit an external user", "seat-0-roles"),
        ({"seat-0-roles": "9" * 30}, "does not fit an external user", "seat-0-roles"),
        ({"seat-0-roles": "2"}, "does not fit an external user", "seat-0-roles"),
        ({"kind": "internal"}, "Choose a profile for Northwind.", "seat-0-profile"),
        ({"kind": "internal", "seat-0-profile": "1"}, "does not fit Northwind. Choose from", "seat-0-profile"),
        ({"kind": "service", "seat-0-profile": "x\0"}, "Choose a profile for Northwind.", "seat-0-profile"),
        ({"kind": "robot"}, "", "kind"),
    ],
)
def test_a_mistake_keeps_everything_typed(app: Flask, browse: Browse, change: dict[str, str], sentence: str, field: str) -> None:
    olga = browse("olga")
    typed = {**PERSON, "seat-0-roles": profile(olga, "External-Actor"), **change}
    answer = olga.post(NEW, typed)
    assert answer.status_code == 422
    text = unescape(answer.text)
    assert sentence in text
    assert f'id="{field}-error"' in text
    for name in ("name", "email", "works_for"):
        assert typed[name].strip().lower() in text.lower()
    with app.app_context():
        assert db.session.scalar(select(User).where(User.name == PERSON["name"])) is None


def place(world: World, mark: int, where: str, **chosen: str) -> dict[str, str]:
    """A row of the form."""
    ids = {**world.places, "nowhere": "9" * 30, "": ""}
    return {f"seat-{mark}-organisation": str(ids[where]), **{f"seat-{mark}-{name}": value for name, value in chosen.items()}}


def test_pia_can_add_somebody_to_several_organisations(app: Flask, world: World, browse: Browse) -> None:
    pia = browse("pia")
    analyst, reader = profile(pia, "Analyst", "profile"), profile(pia, "Read-Only", "profile")
    data: dict[str, Any] = {"kind": "internal", "name": "Karl", "email": "karl@people.example", "seat": ["0", "3"], "default": "1"}
    data |= place(world, 0, "here", profile=analyst) | place(world, 3, "there", profile=reader)
    answer = pia.post(NEW, data)
    assert answer.status_code == 303, answer.text
    with app.app_context():
        user = db.session.scalars(select(User).where(User.email == "karl@people.example")).one()
        seats = db.session.execute(select(Membership.organisation_id, Membership.is_default).where(Membership.user_id == user.id)).all()
        assert {(key, first) for key, first in seats} == {(world.places["here"], False), (world.places["there"], True)}
        link = db.session.scalars(select(OneTimeLink).where(OneTimeLink.user_id == user.id)).one()
        assert link.organisation_id == world.places["there"]


def test_pia_can_add_and_take_away_rows_without_a_script(world: World, browse: Browse) -> None:
    pia = browse("pia")
    typed: dict[str, Any] = {"kind": "internal", "name": "Karl", "email": "", "seat": ["0"], **place(world, 0, "here")}
    more = pia.post(NEW, {**typed, "more": "1"})
    assert more.status_code == 200
    assert ('name="seat" value="1"' in more.text, 'value="Karl"' in more.text, "error-summary" in more.text) == (True, True, False)
    assert f'selected value="{world.places["here"]}"' in more.text
    rows = typed | {"seat": ["0", "1"], "default": "1"} | place(world, 1, "there")
    fewer = pia.post(NEW, {**rows, "drop": "0"})
    assert ('name="seat" value="1"' in fewer.text, 'name="seat" value="0"' in fewer.text) == (True, False)
    assert f'selected value="{world.places["there"]}"' in fewer.text
    many = pia.post(NEW, {**typed, "seat": [str(n) for n in range(50)], "more": "1"}).text
    assert many.count('name="seat"') == 20
    odd = pia.post(NEW, {**typed, "seat": ["x", "9" * 400, "-1"], "drop": "\0"})
    assert odd.text.count('name="seat"') == 1


@pytest.mark.parametrize(
    ("kind", "rows", "sentence", "field"),
    [
        ("external", [("admin", "External-Actor")], "the admin organisation holds none", "seat-0-organisation"),
        ("external", [("here", "External-Actor"), ("here", "External-Actor")], "is chosen twice", "seat-1-organisation"),
        ("external", [("here", "External-Actor"), ("nowhere", "External-Actor")], "organisations in the list", "seat-1-organisation"),
        ("external", [("", "External-Actor")], "organisations in the list", "seat-0-organisation"),
        ("external", [("there", "External-Actor")], "Elsewhere is locked", "seat-0-organisation"),
        ("internal", [("here", "Admin")], "does not fit Northwind", "seat-0-profile"),
        ("internal", [("admin", "Analyst")], "does not fit admin. Choose from: Admin", "seat-0-profile"),
        ("internal", [("here", "Analyst"), ("admin", "")], "Choose a profile for admin.", "seat-1-profile"),
    ],
)
def test_a_place_that_will_not_do_is_told_at_its_row(
    app: Flask, world: World, browse: Browse, kind: str, rows: list[tuple[str, str]], sentence: str, field: str
) -> None:
    with app.app_context():
        db.session.get_one(Organisation, world.places["there"]).locked = True
        db.session.commit()
    pia, name = browse("pia"), "roles" if kind == "external" else "profile"
    data: dict[str, Any] = {**PERSON, "kind": kind, "seat": [str(mark) for mark in range(len(rows))]}
    for mark, (where, chosen) in enumerate(rows):
        data |= place(world, mark, where, **({name: profile(pia, chosen, name)} if chosen else {}))
    answer = pia.post(NEW, data)
    assert answer.status_code == 422
    assert sentence in unescape(answer.text)
    assert f'id="{field}-error"' in answer.text
    assert f'href="#{field}"' in answer.text


def test_olga_cannot_invite_into_another_organisation(app: Flask, world: World, browse: Browse) -> None:
    """The field is not hers; sent all the same, it changes nothing."""
    olga = browse("olga")
    data = {**PERSON, "seat-0-roles": profile(olga, "External-Actor"), **place(world, 0, "there")}
    assert olga.post(NEW, data).status_code == 303
    assert "Iris Weber" not in browse("otto").get("/console/people").text


def test_olga_can_send_the_invitation_again(app: Flask, world: World, browse: Browse) -> None:
    olga, path = browse("olga"), f"/console/people/{world.people['newt']}/invitation"
    assert olga.post(path).status_code == 303
    assert olga.post(path).status_code == 303
    assert "The older link no longer works." in olga.get("/console/people").text
    with app.app_context():
        links = db.session.scalars(select(OneTimeLink).where(OneTimeLink.user_id == world.people["newt"])).all()
        assert sum(link.superseded_at is None for link in links) == 1


def test_who_is_set_up_needs_no_invitation(world: World, browse: Browse) -> None:
    olga = browse("olga")
    olga.post(f"/console/people/{world.people['hanna']}/invitation")
    assert "has set up the account already" in olga.get("/console/people").text


def test_olga_can_close_and_reopen_an_account(world: World, browse: Browse) -> None:
    olga, path = browse("olga"), f"/console/people/{world.people['hanna']}"
    assert olga.post(f"{path}/lock").status_code == 303
    assert "Hanna Person is locked and signed out everywhere." in olga.get("/console/people").text
    assert "Hanna Person" not in olga.get(f"/console/cases/{world.cases['shared']}/access").text
    assert olga.post(f"{path}/unlock").status_code == 303
    assert "Hanna Person can sign in again." in olga.get("/console/people").text
    assert browse("hanna").get("/portal/").status_code == 200


def test_nobody_can_close_their_own_account(world: World, browse: Browse) -> None:
    olga = browse("olga")
    olga.post(f"/console/people/{world.people['olga']}/lock")
    assert "You cannot lock your own account." in olga.get("/console/people").text


def test_olga_cannot_touch_people_of_others(world: World, browse: Browse) -> None:
    olga = browse("olga")
    for who in ("otto", "gast", "pia"):
        for act in ("invitation", "lock", "unlock"):
            assert olga.post(f"/console/people/{world.people[who]}/{act}").status_code == 404, (who, act)


@pytest.mark.parametrize("who", ["ada", "ruth"])
def test_colleagues_without_the_right_cannot_manage_people(world: World, browse: Browse, who: str) -> None:
    browser = browse(who)
    assert browser.get("/console/people").status_code == 403
    assert browser.get(NEW).status_code == 403
    assert "/console/people" not in browser.get("/console/cases").text
    assert browser.post(f"/console/people/{world.people['hanna']}/lock").status_code == 403
