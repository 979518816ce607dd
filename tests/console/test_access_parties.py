"""Manage external access to external organisations: the drawer, its page, the search, and many cases at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
from flask import Flask
from sqlalchemy import select, update

from portal.accounts.models import Membership
from portal.cases.models import Case
from portal.database import start_writing
from portal.extensions import db
from portal.organisations.models import Party, PartyKind
from tests.fixtures.company import Company
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]


@pytest.fixture
def contoso(app: Flask, world: World) -> int:
    """An external organisation for which Vic works, and which nobody has shared anything with."""
    with app.app_context():
        start_writing()
        made = Party(organisation_id=world.places["here"], name="Contoso & Sons", kind=PartyKind.CLIENT)
        db.session.add(made)
        db.session.flush()
        seat = db.session.scalars(select(Membership).where(Membership.user_id == world.people["vic"])).one()
        seat.party_id = made.id
        db.session.commit()
        return made.id


def path(world: World, case: str) -> str:
    return f"/console/cases/{world.cases[case]}/access"


def test_ada_shares_with_an_organisation_without_javascript(world: World, browse: Browse, contoso: int) -> None:
    ada, vic = browse("ada"), browse("vic")
    page = unescape(ada.get(path(world, "internal")).text)
    assert re.search(rf'name="parties" id="crew-{contoso}" value="{contoso}">', page)
    assert "1 person, and whoever joins later" in page
    answer = ada.confirm(path(world, "internal"), {"access": "external", "parties": [contoso]})
    assert answer.status_code == 303
    assert "Shared with everybody at Contoso & Sons" in unescape(ada.get(answer.headers["Location"]).text)
    assert vic.get(f"/portal/cases/{world.cases['internal']}").status_code == 200
    assert re.search(rf'value="{contoso}" checked', ada.get(path(world, "internal")).text)
    assert ada.confirm(path(world, "internal"), {"access": "external", "users": [world.people["hanna"]]}).status_code == 303
    assert vic.get(f"/portal/cases/{world.cases['internal']}").status_code == 404


def test_the_preview_says_what_sharing_with_it_means(world: World, browse: Browse, contoso: int) -> None:
    query = {"access": "external", "parties": [contoso], "users": [world.people["hanna"], world.people["rhea"]]}
    text = unescape(browse("ada").get(path(world, "shared"), query_string=query, htmx=True).text)
    assert "Vic Person" in text
    assert "This includes people who join Contoso & Sons later." in text
    assert browse("vic").get(f"/portal/cases/{world.cases['shared']}").status_code == 404


def test_organisations_are_found_by_name_and_stay_ticked(world: World, browse: Browse, contoso: int) -> None:
    ada = browse("ada")
    found = unescape(ada.get(path(world, "internal"), query_string={"q": "sons"}, htmx=True).text)
    assert "Contoso & Sons" in found
    assert "Vic Person" in found  # by whom they work for
    assert "Hanna Person" not in found
    nothing = ada.get(path(world, "internal"), query_string={"q": "zzz", "parties": contoso}, htmx=True).text
    assert re.search(rf'value="{contoso}" checked', nothing)


@pytest.mark.parametrize("number", ["0", "-1", "9" * 30, "x"])
def test_a_number_no_organisation_has_is_refused_in_words(world: World, browse: Browse, contoso: int, number: str) -> None:
    answer = browse("ada").post(path(world, "internal"), {"access": "external", "parties": [number]})
    assert answer.status_code == 422
    assert "Traceback" not in answer.text


def test_what_was_not_shown_is_not_opened(world: World, browse: Browse, contoso: int) -> None:
    ada = browse("ada")
    page = ada.get(path(world, "internal")).text
    version = re.findall(r'name="version" value="(\d+)"', page)[0]
    answer = ada.post(path(world, "internal"), {"access": "external", "parties": [contoso], "version": version, "seen": "no"})
    assert "Nothing is changed yet." in answer.text
    assert browse("vic").get(f"/portal/cases/{world.cases['internal']}").status_code == 404


def test_many_cases_are_shared_with_it_at_once(world: World, browse: Browse, contoso: int) -> None:
    ada, cases = browse("ada"), [world.cases[name] for name in ("internal", "shared")]
    query = {"case": cases, "access": "add", "parties": [contoso], "again": "y"}
    page = unescape(ada.get("/console/cases/bulk/share", query_string=query).text)
    assert "Vic Person" in page
    assert "This includes people who join Contoso & Sons later." in page
    kept = {
        name: re.findall(rf'<input type="hidden" name="{name}" value="([^"]*)"', page) for name in ("case", "effect", "shown", "submission")
    }
    answer = ada.follow(ada.post("/console/cases/bulk/share", {**kept, "access": "add", "parties": [contoso], "again": "y"}))
    assert answer.status_code == 200
    assert "2 cases were changed" in answer.text
    for name in ("internal", "shared"):
        assert browse("vic").get(f"/portal/cases/{world.cases[name]}").status_code == 200
    assert browse("hanna").get(f"/portal/cases/{world.cases['shared']}").status_code == 200


def beside(page: str) -> str:
    """What stands with the confirming button, which stays in sight."""
    return " ".join(re.sub(r"<[^>]+>", " ", unescape(page).rpartition('<div class="actions">')[2]).split())


def test_what_warns_stands_beside_the_button(app: Flask, world: World, browse: Browse, company: Company) -> None:
    ada, theirs = browse("ada"), [company.parties[name] for name in ("Contoso Ltd", "Fabrikam Works")]

    def one(case: str, parties: list[int]) -> str:
        return beside(ada.get(path(world, case), query_string={"access": "external", "parties": parties}, htmx=True).text)

    assert "organisations" not in one("internal", theirs[:1])
    several = "People of 2 external organisations will read the same case and what the others write: Contoso Ltd and Fabrikam Works."
    assert f"{several} Share with" in one("internal", theirs)
    query = {"access": "external", "parties": theirs}
    assert ada.get(path(world, "internal"), query_string=query, htmx=True).text.count("read the same case") == 1, "said once"
    assert re.search(r"\d things from before will be visible again", one("revoked", theirs))
    with app.app_context():
        start_writing()
        db.session.execute(update(Case).where(Case.number == world.cases["internal"]).values(tlp=3))
        db.session.commit()
    assert "TLP:AMBER+STRICT: say above why they may receive it" in one("internal", theirs)

    def many(*names: str) -> str:
        query = {"case": [world.cases[name] for name in names], "access": "add", "parties": theirs}
        return beside(ada.get("/console/cases/bulk/share", query_string=query, htmx=True).text)

    told = many("internal", "shared", "restricted")
    assert re.search(r"People of several organisations read the same case: #\d+ ", told)
    assert "2 cases are left out" in told
    assert "left out" not in many("shared")


def test_whoever_was_never_invited_is_not_called_invited(world: World, browse: Browse) -> None:
    olga = browse("olga")

    def newt() -> str:
        found = olga.get(path(world, "internal"), query_string={"q": "newt"}, htmx=True).text
        return " ".join(re.sub(r"<[^>]+>", " ", found).split())

    assert "· not invited" in newt()
    page = f"/console/people/{world.people['newt']}"
    olga.post(f"{page}/invitation", {})
    assert "· invited" in newt()
    olga.post(f"{page}/invitation/cancel", {})
    assert "· not invited" in newt()
