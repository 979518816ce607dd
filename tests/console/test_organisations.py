"""The pages of organisations: the list, making one, changing it, locking and unlocking."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from io import BytesIO
from urllib.parse import quote

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import insert, select

from portal.accounts.models import AccountType, Membership, User
from portal.clock import now
from portal.database import start_writing
from portal.extensions import db
from portal.organisations.models import Organisation
from tests.console.test_profiles import at_field
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]
NEW = {"name": "Harbour Watch", "description": "They look after ships.", "names_analysts": "team"}


def find(app: Flask, name: str) -> Organisation | None:
    with app.app_context():
        found: Organisation | None = db.session.scalar(select(Organisation).where(Organisation.name == name))
        return found


def test_pia_sees_every_organisation(browse: Browse) -> None:
    page = browse("pia").get("/console/organisations").text
    assert page.index(">admin<") < page.index(">Elsewhere<") < page.index(">Northwind<")
    assert "8 people" in page
    assert "Built in" in page


@pytest.mark.parametrize("who", ["ada", "olga", "ruth"])
def test_colleagues_cannot_see_organisations(browse: Browse, who: str) -> None:
    browser = browse(who)
    assert browser.get("/console/organisations").status_code == 403
    assert "/console/organisations" not in browser.get("/console/cases").text


def test_pia_can_find_one_and_turn_pages(app: Flask, browse: Browse) -> None:
    with app.app_context():
        start_writing()
        db.session.add_all(Organisation(name=f"Büro {number:02d}") for number in range(30))
        db.session.commit()
    pia = browse("pia")
    page = unescape(pia.get(f"/console/organisations?q={quote('büro')}").text)
    assert ("Büro 24" in page, "Büro 25" in page, "Northwind" in page) == (True, False, False)
    more = re.search(r'href="([^"]+)">More organisations', page)
    assert more is not None
    second = unescape(pia.get(more[1]).text)
    assert ("Büro 24" in second, "Büro 25" in second, "Back to the first" in second) == (False, True, True)
    assert "No organisation is called that" in pia.get("/console/organisations?q=zzz").text


@pytest.mark.parametrize(
    "query", ["after=x", "after=" + "9" * 40, "after=987654", "q=%00", "q=" + "a" * 3000, "q=%25_", "after=-1", "q=a&q=b"]
)
def test_odd_questions_get_a_list(browse: Browse, query: str) -> None:
    assert browse("pia").get(f"/console/organisations?{query}").status_code == 200


def test_pia_can_make_an_organisation(app: Flask, browse: Browse) -> None:
    pia = browse("pia")
    answer = pia.post("/console/organisations/new", NEW)
    page = pia.get(answer.headers["Location"]).text
    assert "The organisation Harbour Watch is created." in page
    assert "Nobody works here yet" in page
    made = find(app, "Harbour Watch")
    assert made is not None
    assert (made.description, made.names_analysts) == (NEW["description"], False)


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"name": ""}, "name", "Give the organisation a name."),
        ({"name": "\x00\x07"}, "name", "Give the organisation a name."),
        ({"name": "x" * 65}, "name", "Use at most 64 characters."),
        ({"name": "northWIND"}, "name", "There is already an organisation called Northwind."),
        ({"names_analysts": ""}, "names_analysts", ""),
        ({"names_analysts": "nobody"}, "names_analysts", ""),
        ({"description": "x" * 65_537}, "description", "65,536"),
    ],
    ids=["nameless", "nul", "long", "taken", "no-signing", "odd-signing", "wordy"],
)
def test_a_mistake_is_told_at_its_field(app: Flask, browse: Browse, change: dict[str, str], field: str, sentence: str) -> None:
    answer = browse("pia").post("/console/organisations/new", {**NEW, **change})
    assert answer.status_code == 422
    said = at_field(answer.text, field)
    assert said
    assert sentence in said
    if field != "description":
        assert NEW["description"] in answer.text
    assert find(app, "Harbour Watch") is None


def test_pia_can_edit_an_organisation(app: Flask, world: World, browse: Browse) -> None:
    pia, where = browse("pia"), f"/console/organisations/{world.places['here']}"
    assert "Olga Person" in pia.get(where).text
    assert f"/console/people?organisation={world.places['here']}" in pia.get(where).text
    assert pia.post(where, {**NEW, "version": "1"}).status_code == 303
    assert "Harbour Watch is saved." in pia.get(where).text
    assert "Harbour Watch" in browse("ada").get("/console/cases").text


def test_outsiders_read_the_team_where_analysts_are_not_named(world: World, browse: Browse) -> None:
    hanna, case = browse("hanna"), f"/portal/cases/{world.cases['shared']}"
    assert "Ada Person" in hanna.get(case).text
    browse("pia").post(f"/console/organisations/{world.places['here']}", {"name": "Northwind", "names_analysts": "team", "version": "1"})
    page = hanna.get(case).text
    assert ("Ada Person" in page, "Security team" in page) == (False, True)


def test_the_later_of_two_administrators_is_shown_the_change(app: Flask, world: World, browse: Browse) -> None:
    pia, where = browse("pia"), f"/console/organisations/{world.places['here']}"
    pia.post(where, {**NEW, "version": "1"})
    late = {"name": "Northwind", "description": "Mine.", "names_analysts": "name", "version": "1"}
    answer = pia.post(where, late)
    page = unescape(answer.text)
    assert answer.status_code == 422
    for label, theirs, yours in (
        ("Name", "Harbour Watch", "Northwind"),
        ("Description", "They look after ships.", "Mine."),
        ("How analysts sign towards external users", "As the team", "With their own name"),
    ):
        assert re.search(rf"{label}</th>\s*<td[^>]*>{theirs}</td>\s*<td[^>]*>{yours}</td>", page), label
    assert 'value="Northwind"' in page
    assert re.search(r'name="version"[^>]*value="2"', page)
    assert pia.post(where, {**late, "version": "2"}).status_code == 303
    assert find(app, "Northwind") is not None


def test_the_admin_organisation_stays_what_it_is(app: Flask, world: World, browse: Browse) -> None:
    pia, where = browse("pia"), f"/console/organisations/{world.places['admin']}"
    page = pia.get(where).text
    assert "It cannot be renamed or locked" in page
    assert f"{where}/lock" not in page
    assert "How analysts sign" not in page
    assert pia.post(where, {"name": "admin", "description": "They run it.", "version": "1"}).status_code == 303
    late = pia.post(where, {"name": "admin", "description": "We run it.", "version": "1"})
    assert (late.status_code, "They run it." in late.text) == (422, True)
    answer = pia.post(where, {**NEW, "version": "2"})
    assert (answer.status_code, at_field(answer.text, "name")[:36]) == (422, "The admin organisation keeps its nam")
    assert "cannot be locked" in pia.get(f"{where}/lock").text
    assert pia.post(f"{where}/lock").status_code == 303
    assert "cannot be locked" in pia.get(where).text
    kept = find(app, "admin")
    assert kept is not None
    assert not kept.locked


def test_locking_asks_first_and_says_what_it_does(app: Flask, world: World, browse: Browse) -> None:
    pia, ada, hanna = browse("pia"), browse("ada"), browse("hanna")
    where = f"/console/organisations/{world.places['here']}"
    assert "8 people work only here." in pia.get(f"{where}/lock").text
    assert ada.get("/console/cases").status_code == 200
    assert pia.post(f"{where}/lock").headers["Location"] == where
    page = pia.get(where).text
    assert "Northwind is locked." in page
    assert "Unlock" in page
    assert "/console/sign-in" in ada.get("/console/cases").headers["Location"]
    assert "/portal/sign-in" in hanna.get("/portal/").headers["Location"]
    assert "Locked" in pia.get("/console/organisations").text
    assert pia.post(f"{where}/unlock").status_code == 303
    assert "Northwind is open again." in pia.get(where).text
    assert browse("ada").get("/console/cases").status_code == 200


def test_what_is_unknown_is_not_there(browse: Browse) -> None:
    pia = browse("pia")
    for number in ("987654", "9" * 17, "9" * 40, "0", "-1", "x"):
        assert pia.get(f"/console/organisations/{number}").status_code == 404
        assert pia.post(f"/console/organisations/{number}", {**NEW, "version": "1"}).status_code == 404
        assert pia.get(f"/console/organisations/{number}/lock").status_code == 404
        for act in ("lock", "unlock", "picture", "picture/remove"):
            assert pia.post(f"/console/organisations/{number}/{act}").status_code == 404


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 40])
def test_an_odd_version_changes_nothing(app: Flask, world: World, browse: Browse, version: str) -> None:
    assert browse("pia").post(f"/console/organisations/{world.places['here']}", {**NEW, "version": version}).status_code == 422
    assert find(app, "Harbour Watch") is None


def test_hundreds_of_organisations_and_thousands_of_people_cost_what_few_do(app: Flask, world: World, browse: Browse) -> None:
    """Counted in rows that come back: a page of the list, 25 members, never all of them."""
    with app.app_context():
        start_writing()
        connection = db.session.connection()
        connection.execute(insert(Organisation), [{"name": f"Team {n:03d}"} for n in range(500)])
        people = [
            {"email": f"p{n}@many.example", "name": f"Many {n:05d}", "type": AccountType.EXTERNAL, "created_at": now()} for n in range(2000)
        ]
        connection.execute(insert(User), people)
        ids = db.session.scalars(select(User.id).where(User.email.like("%@many.example"))).all()
        here = world.places["here"]
        connection.execute(insert(Membership), [{"user_id": key, "organisation_id": here, "is_default": True} for key in ids])
        db.session.commit()
    pia = browse("pia")
    page = pia.get("/console/organisations").text
    assert page.count("/console/organisations/") == 26  # 25 rows and the button
    assert "2,008 people" in pia.get("/console/organisations?q=northwind").text
    assert pia.get(f"/console/organisations/{here}").text.count("@many.example") == 22


def png(colour: str = "red", side: int = 40) -> BytesIO:
    """A small picture."""
    made = BytesIO()
    Image.new("RGB", (side, side), colour).save(made, "PNG")
    made.seek(0)
    return made


def test_pia_can_give_an_organisation_a_picture_and_take_it_away(app: Flask, world: World, browse: Browse) -> None:
    pia, where = browse("pia"), f"/console/organisations/{world.places['here']}"
    assert "Remove picture" not in pia.get(where).text
    assert pia.post(f"{where}/picture", {"picture": (png(), "logo.png")}).headers["Location"] == where
    page = pia.get(where).text
    assert "The picture is saved." in page
    assert "Replace picture" in page
    kept = find(app, "Northwind")
    assert kept is not None
    assert f"/console/pictures/organisations/{kept.id}/{kept.picture}" in page
    assert pia.get(f"/console/pictures/organisations/{kept.id}/{kept.picture}").mimetype == "image/png"
    assert pia.post(f"{where}/picture/remove").status_code == 303
    assert "The picture is removed." in pia.get(where).text
    gone = find(app, "Northwind")
    assert gone is not None
    assert gone.picture == ""


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({}, "Choose a picture first"),
        ({"picture": "words"}, "Choose a picture first"),
        ({"picture": (BytesIO(b"<svg onload='alert(1)'/>"), "logo.png")}, "not a PNG or JPEG"),
        ({"picture": (BytesIO(b"\x89PNG\r\n\x1a\nbroken"), "logo.png")}, "cannot be read"),
        ({"picture": (BytesIO(b"\x89PNG" * 125_000), "logo.png")}, "too large"),
    ],
    ids=["nothing", "words", "svg", "broken", "large"],
)
def test_what_is_no_picture_is_refused(app: Flask, world: World, browse: Browse, sent: dict[str, object], sentence: str) -> None:
    where = f"/console/organisations/{world.places['here']}"
    answer = browse("pia").post(f"{where}/picture", sent)
    assert answer.status_code == 422
    assert sentence in at_field(answer.text, "picture")
    kept = find(app, "Northwind")
    assert kept is not None
    assert kept.picture == ""
