"""Live feed: who may know what happened, what a line says, and that a page which asks by itself keeps nobody signed in."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from portal.accounts.models import User
from portal.audit.kinds import Kind
from portal.audit.record import record
from portal.clock import at, now
from portal.database import start_writing
from portal.extensions import db
from portal.organisations.models import Organisation
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]


def test_ada_sees_what_happened_on_her_cases(world: World, browse: Browse) -> None:
    browse("hanna").post(f"/portal/cases/{world.cases['shared']}/comments", {"message": "News."})
    page = browse("ada").get("/console/feed").text
    assert f"#{world.cases['shared']} The shared case" in page
    assert "wrote a comment" in page
    assert "The foreign case" not in page


def test_the_outside_alone_can_be_shown(world: World, browse: Browse) -> None:
    browse("hanna").post(f"/portal/cases/{world.cases['shared']}/comments", {"message": "News."})
    page = browse("ada").get("/console/feed?show=outside", htmx=True).text
    assert "Hanna Person" in page
    assert "<strong>Ada Person</strong>" not in page


def test_a_restricted_case_is_not_told_to_others(browse: Browse) -> None:
    assert "The restricted case" in browse("ada").get("/console/feed").text
    assert "The restricted case" not in browse("ruth").get("/console/feed").text


def test_what_is_done_to_accounts_is_for_those_who_manage_them(world: World, browse: Browse) -> None:
    olga = browse("olga")
    olga.post(f"/console/people/{world.people['vic']}/lock")
    assert "locked an account: Vic Person" in olga.get("/console/feed?show=people").text
    assert "locked an account" not in browse("ada").get("/console/feed").text
    assert "locked an account" not in browse("otto").get("/console/feed").text
    assert "locked an account: Vic Person" in browse("pia").get("/console/feed").text


def test_pia_reads_of_no_case(browse: Browse) -> None:
    assert "case" not in browse("pia").get("/console/feed", htmx=True).text.replace("/console/", "").lower()


def test_odd_addresses_show_the_first_page(browse: Browse) -> None:
    ada = browse("ada")
    for query in ("before=x", "before=" + "9" * 40, "before=%00", "show=nothing", "show=people"):
        assert ada.get(f"/console/feed?{query}").status_code == 200


def lines(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


@pytest.mark.parametrize(
    ("kind", "object_id", "changes", "told"),
    [
        (
            "profile:edited",
            "{profile}",
            {"name": ["Responders", "Responders"], "permissions": [[], ["manageCase/update"]]},
            "a profile: Responders",
        ),
        ("template:edited", "7", {"name": ["Phishing", "Phishing"], "severity": [2, 3]}, "edited a case template: Phishing"),
        ("template:edited", "7", {"name": ["Phishing", "Fraud"]}, "edited a case template just now Name Phishing → Fraud"),
        ("status:edited", "OnHold", {"colour": ["#000000", "#ffffff"]}, "edited a status: OnHold"),
        ("status:created", "OnHold", {"value": [None, "OnHold"], "label": [None, "On hold"]}, "created a status: On hold"),
        ("field:edited", "loss", {"mandatory": [False, True]}, "edited a custom field: loss"),
        ("type:created", "3", {"name": [None, "imphash"], "is_file": [None, False]}, "created a type of observable: imphash"),
        ("organisation:locked", "{here}", {}, "locked the organisation: Here"),
    ],
)
def test_pia_reads_which_thing_was_changed(
    app: Flask, world: World, browse: Browse, kind: str, object_id: str, changes: dict[str, Any], told: str
) -> None:
    with app.app_context():
        start_writing()
        place = db.session.get_one(Organisation, world.places["here"])
        actor = db.session.get_one(User, world.people["pia"])
        record(Kind(kind), actor=actor, object_id=object_id.replace("{here}", str(place.id)), changes=changes)
        told = told.replace("Here", place.name)
        db.session.commit()
    assert told in lines(browse("pia").get("/console/feed").text)


def test_observables_are_defanged_and_counted_and_what_is_internal_goes_unsaid(world: World, browse: Browse) -> None:
    ada, number = browse("ada"), world.cases["internal"]
    values = "https://evil.example/a.b,c\n192.0.2.9\nC:\\temp\\up.exe"
    ada.post(f"/console/cases/{number}/observables/new", {"type": "", "text": values, "per_line": "y", "tlp": "2", "pap": "2"})
    ada.post(f"/console/cases/{number}/comments", {"message": "For us."})
    for page in ("/console/feed", f"/console/cases/{number}/history"):
        text = lines(ada.get(page).text)
        assert "added 3 observables" in text
        assert "url hxxps://evil[.]example/a.b,c, ip 192[.]0[.]2[.]9, filename C:\\temp\\up.exe" in text
        assert "Visible outside no" not in text


def test_a_page_that_asks_by_itself_keeps_nobody_signed_in(browse: Browse) -> None:
    ada, start = browse("ada"), now()
    for minutes in (10, 20, 29):
        with at(start + timedelta(minutes=minutes)):
            assert ada.get("/console/feed", htmx=True).status_code == 200
    with at(start + timedelta(minutes=31)):
        assert ada.get("/console/feed", htmx=True).status_code == 401
