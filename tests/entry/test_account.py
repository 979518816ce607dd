"""One's own account: password, theme, where one is signed in, which organisation one works in."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from portal.accounts import platform
from portal.accounts.models import LoginSession, User
from portal.extensions import db
from portal.mail.models import OutboxMessage
from portal.organisations.models import Organisation
from tests.factories import PASSWORD
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]
NEW = "velvet-harbour-onion-38"


@pytest.mark.parametrize(("who", "face"), [("hanna", "portal"), ("ada", "console")])
def test_everybody_can_change_their_password(app: Flask, browse: Browse, who: str, face: str) -> None:
    here, there = browse(who), browse(who)
    answer = here.post(f"/{face}/account/password", {"current": PASSWORD, "password": NEW, "again": NEW})
    assert answer.status_code == 303
    assert "Your password is changed." in here.get(f"/{face}/account").text
    assert there.get(f"/{face}/account").status_code == 303
    there.client.delete_cookie(face, domain="127.0.0.1")
    there.token = ""
    for password, status in ((PASSWORD, 422), (NEW, 303)):
        data = {"email": f"{who}@people.example", "password": password}
        assert there.post(f"/{face}/sign-in", data).status_code == status
    with app.app_context():
        assert "password_changed" in db.session.scalars(select(OutboxMessage.letter)).all()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"current": "wrong-password-here", "password": NEW, "again": NEW}, "Your current password is not right."),
        ({"current": PASSWORD, "password": "short", "again": "short"}, "Use at least 12 characters"),
        ({"current": PASSWORD, "password": "password1234", "again": "password1234"}, "Choose a harder password"),
        ({"current": PASSWORD, "password": "Hanna Person 1", "again": "Hanna Person 1"}, "Choose a harder password"),
        ({"current": PASSWORD, "password": NEW, "again": "another-one-entirely"}, "This is not the same as above"),
        ({"current": "", "password": NEW, "again": NEW}, "Type your current password."),
    ],
    ids=["wrong", "short", "common", "own-name", "different", "empty"],
)
def test_a_bad_change_is_refused_and_changes_nothing(browse: Browse, data: dict[str, str], sentence: str) -> None:
    hanna, other = browse("hanna"), browse("hanna")
    answer = hanna.post("/portal/account/password", data)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert not any(value and value in answer.text for value in data.values())
    assert other.get("/portal/").status_code == 200


def test_ones_own_password_cannot_be_guessed_for_ever(browse: Browse) -> None:
    hanna = browse("hanna")
    data = {"current": "wrong-password-here", "password": NEW, "again": NEW}
    statuses = [hanna.post("/portal/account/password", data).status_code for _ in range(11)]
    assert statuses == [422] * 10 + [429]


def test_the_page_says_where_one_is_signed_in(browse: Browse) -> None:
    hanna, _ = browse("hanna"), browse("hanna")
    page = hanna.get("/portal/account").text
    assert page.count("This browser") == 1
    assert page.count("last used") == 2
    assert "hanna@people.example" in page


def test_the_theme_is_kept_in_a_cookie(browse: Browse) -> None:
    hanna = browse("hanna")
    assert 'data-theme="system"' in hanna.get("/portal/").text
    assert hanna.post("/portal/account/theme", {"theme": "dark"}).status_code == 303
    assert 'data-theme="dark"' in hanna.get("/portal/").text
    hanna.post("/portal/account/theme", {"theme": '"><script>'})
    assert 'data-theme="dark"' in hanna.get("/portal/").text


def test_a_forged_theme_cookie_is_not_believed(browse: Browse) -> None:
    hanna = browse("hanna")
    hanna.client.set_cookie("theme", "evil", domain="127.0.0.1")
    assert 'data-theme="system"' in hanna.get("/portal/").text


def test_a_visitor_can_choose_a_theme_too(visitor: Callable[..., Browser]) -> None:
    browser = visitor("console")
    assert browser.post("/console/account/theme", {"theme": "light"}).headers["Location"] == "/console/sign-in"
    assert 'data-theme="light"' in browser.get("/console/sign-in").text


def test_ada_cannot_work_in_an_organisation_that_is_not_hers(world: World, browse: Browse) -> None:
    ada = browse("ada")
    for wanted in (str(world.places["there"]), str(world.places["admin"]), "999", "", "x"):
        assert ada.post("/console/switch", {"organisation": wanted}).status_code == 404
    assert "The foreign case" not in ada.get("/console/cases").text


def test_somebody_of_two_organisations_can_switch_and_sees_one_at_a_time(app: Flask, world: World, browse: Browse) -> None:
    with app.app_context():
        user = db.session.get_one(User, world.people["ada"])
        platform.join(user, db.session.get_one(Organisation, world.places["there"]), [platform.profile("Read-Only")])
        db.session.commit()
    ada = browse("ada")
    assert "The foreign case" not in ada.get("/console/cases").text
    assert ada.post("/console/switch", {"organisation": str(world.places["there"])}).status_code == 303
    page = ada.get("/console/cases").text
    assert "The foreign case" in page
    assert "The shared case" not in page
    assert ada.get(f"/console/cases/{world.cases['shared']}").status_code == 404
    assert ada.get("/console/cases/new").status_code == 403, "rights are those of the organisation worked in"


FACES = [("hanna", "portal"), ("ada", "console")]


@pytest.mark.parametrize(("who", "face"), FACES)
def test_everybody_can_change_their_name(browse: Browse, who: str, face: str) -> None:
    browser = browse(who)
    assert browser.post(f"/{face}/account/name", {"name": "  Somebody   Else\x00 "}).headers["Location"] == f"/{face}/account#who"
    assert 'value="Somebody Else"' in browser.get(f"/{face}/account").text


@pytest.mark.parametrize(
    ("name", "sentence"), [("", "Type your name"), ("x" * 129, "at most 128"), ("Northwind", "what the team is called")]
)
def test_a_name_that_will_not_do_is_told_at_its_field(browse: Browse, name: str, sentence: str) -> None:
    answer = browse("hanna").post("/portal/account/name", {"name": name})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert 'id="name-name-error"' in answer.text


@pytest.mark.parametrize(("who", "face"), FACES)
def test_everybody_can_choose_language_and_time_zone(browse: Browse, who: str, face: str) -> None:
    browser = browse(who)
    assert browser.post(f"/{face}/account/reading", {"language": "en-US", "time_zone": "Europe/Berlin"}).status_code == 303
    page = browser.get(f"/{face}/account").text
    assert '<html lang="en-US"' in page
    assert '<option selected value="Europe/Berlin">Berlin</option>' in page
    assert browser.post(f"/{face}/account/reading", {"language": "", "time_zone": ""}).status_code == 303
    assert '<html lang="en"' in browser.get(f"/{face}/account").text


def test_people_outside_can_choose_utc_whatever_their_browser_says(world: World, browse: Browse) -> None:
    hanna, case = browse("hanna"), f"/portal/cases/{world.cases['shared']}"
    hanna.client.set_cookie("zone", "Asia/Tokyo", domain="127.0.0.1")
    assert " JST<" in hanna.get(case).text
    assert hanna.post("/portal/account/reading", {"language": "", "time_zone": "UTC"}).status_code == 303
    assert '<option selected value="UTC">UTC</option>' in hanna.get("/portal/account").text
    assert " UTC<" in hanna.get(case).text
    assert " JST<" not in hanna.get(case).text


def test_the_way_in_speaks_what_was_chosen_in_the_account(browse: Browse) -> None:
    hanna = browse("hanna")
    hanna.post("/portal/account/reading", {"language": "de", "time_zone": ""})
    hanna.post("/portal/sign-out")
    assert '<html lang="de"' in hanna.get("/portal/sign-in").text
    hanna = browse("hanna")
    hanna.post("/portal/account/reading", {"language": "", "time_zone": ""})
    assert '<html lang="fr"' in hanna.get("/portal/account", headers={"Accept-Language": "fr"}).text


def test_the_choice_of_letters_is_one_step_from_every_page(browse: Browse) -> None:
    for who, face in FACES:
        assert f'href="/{face}/account/letters"' in browse(who).get(f"/{face}/account").text.partition('<main id="main"')[0]


@pytest.mark.parametrize(
    "data", [{"language": "tlh", "time_zone": ""}, {"language": "", "time_zone": "Etc/../x"}, {"language": "", "time_zone": "\x00"}]
)
def test_an_unknown_language_or_zone_is_refused(browse: Browse, data: dict[str, str]) -> None:
    answer = browse("hanna").post("/portal/account/reading", data)
    assert answer.status_code == 422
    assert "Choose one of the" in answer.text


@pytest.mark.parametrize(("who", "face"), FACES)
def test_other_browsers_can_be_signed_out_one_by_one_or_all(browse: Browse, who: str, face: str) -> None:
    here, second, third = browse(who), browse(who), browse(who)
    ends = re.findall(rf'action="(/{face}/account/browsers/[0-9a-f]{{16}}/end)"', here.get(f"/{face}/account").text)
    assert len(ends) == 2
    assert here.post(ends[0]).status_code == 303
    assert sorted(b.get(f"/{face}/account").status_code for b in (here, second, third)) == [200, 200, 303]
    assert here.post(f"/{face}/account/browsers/end").status_code == 303
    assert sorted(b.get(f"/{face}/account").status_code for b in (here, second, third)) == [200, 303, 303]
    assert here.post(ends[0]).status_code == 404


def test_the_list_of_browsers_does_not_tell_how_often_others_sign_in(app: Flask, browse: Browse) -> None:
    hanna = browse("hanna")
    browse("hanna")
    with app.app_context():
        ids = db.session.scalars(select(LoginSession.id)).all()
    page = hanna.get("/portal/account").text
    assert not [key for key in ids if f"browsers/{key}/" in page]


def test_nobody_can_sign_out_somebody_elses_browser(browse: Browse) -> None:
    hanna, vic = browse("hanna"), browse("vic")
    browse("vic")
    (end,) = re.findall(r'action="(/portal/account/browsers/[0-9a-f]{16}/end)"', vic.get("/portal/account").text)
    assert hanna.post(end).status_code == 404
    assert vic.get("/portal/").status_code == 200


def test_colleagues_are_told_their_profile_and_rights_in_words(browse: Browse) -> None:
    page = browse("ada").get("/console/account").text
    assert "Sharer" in page
    assert "Share cases with external users" in page
    assert "Change mail and sign-in settings" in browse("pia").get("/console/account").text


def test_guests_are_told_what_they_may_do_without_technical_names(browse: Browse) -> None:
    page = browse("hanna").get("/portal/account").text
    assert "Read the cases that are shared with you" in page
    assert "Write messages to the security team" in page
    assert not [word for word in ("External-Actor", "manage", "profile", "Profile") if word in page]
    assert "Write messages" not in browse("rhea").get("/portal/account").text


def test_a_guest_of_two_teams_can_switch_and_sees_one_at_a_time(app: Flask, world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    assert "Switch team" not in hanna.get("/portal/").text
    with app.app_context():
        user = db.session.get_one(User, world.people["hanna"])
        platform.join(user, db.session.get_one(Organisation, world.places["there"]), [platform.profile("External-Reader")])
        db.session.commit()
    page = hanna.get("/portal/").text
    assert "Switch team" in page
    assert "The foreign case" not in page
    assert hanna.post("/portal/switch", {"organisation": str(world.places["there"])}).headers["Location"] == "/portal/"
    page = hanna.get("/portal/").text
    assert "The foreign case" in page
    assert "The shared case" not in page
    assert hanna.get(f"/portal/cases/{world.cases['shared']}").status_code == 404
    rights = hanna.get("/portal/account").text.partition('id="rights"')[2]
    assert rights.index("Elsewhere") < rights.index("Northwind"), "where they are now comes first"
    assert rights.count("You are here now") == 1
