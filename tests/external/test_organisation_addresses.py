"""Your organisation in the portal: its addresses, which count when they are saved, and its service agreements, which are read only."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from portal.accounts.models import User
from portal.clock import now
from portal.database import start_writing
from portal.extensions import db
from portal.organisations.models import Agreement, Party, PartyAddress
from tests.factories import PASSWORD
from tests.fixtures.company import Company
from tests.fixtures.world import Browser

Enter = Callable[[str], Browser]
ROOT = "/portal/organisation"


def _change(app: Flask, statement: Any) -> None:
    with app.app_context():
        start_writing()
        db.session.connection().execute(statement)
        db.session.commit()


def _ask(app: Flask, statement: Any) -> object:
    with app.app_context():
        return db.session.connection().execute(statement).scalar()


# Addresses.


def _rows(page: str) -> dict[str, str]:
    seen = page.split('name="seen" value="')[1].split('"')[0]
    key = page.split('name="a0-key" value="')[1].split('"')[0]
    return {"seen": seen, "a0-key": key}


def test_addresses_count_when_they_are_saved(app: Flask, company: Company, enter: Enter) -> None:
    petra, mine = enter("petra"), company.parties["Contoso Ltd"]
    kept = _rows(petra.get(f"{ROOT}/addresses").text)
    first = {"row": ["0"], "a0-kind": "legal", "a0-street": "2 New Street", "a0-city": "Bonn", "a0-country": "Germany", **kept}
    more = petra.post(f"{ROOT}/addresses", {**first, "act": "add"})
    assert more.status_code == 200
    assert "Nothing is saved yet" in more.text
    assert "data-unsaved" in more.text
    assert 'name="a1-street"' in more.text
    assert "2 New Street" in more.text
    count = select(func.count()).select_from(PartyAddress).where(PartyAddress.party_id == mine)
    assert _ask(app, count) == 1
    both = {**first, "row": ["0", "1"], "a1-kind": "shipping", "a1-city": "Hamburg", "act": "save"}
    assert petra.post(f"{ROOT}/addresses", both).status_code == 303
    assert _ask(app, count) == 2
    assert _ask(app, select(PartyAddress.street).where(PartyAddress.id == company.addresses["Contoso Ltd"])) == "2 New Street"
    less = petra.post(f"{ROOT}/addresses", {**both, **_rows(petra.get(f"{ROOT}/addresses").text), "act": "leave-0"})
    assert "2 New Street" not in less.text
    assert "Hamburg" in less.text
    assert _ask(app, count) == 2


def test_addresses_can_all_be_removed(app: Flask, company: Company, enter: Enter) -> None:
    petra = enter("petra")
    kept = _rows(petra.get(f"{ROOT}/addresses").text)
    assert petra.post(f"{ROOT}/addresses", {"seen": kept["seen"], "act": "save"}).status_code == 303
    assert "There is no address yet." in petra.get(f"{ROOT}/addresses").text


def test_an_older_list_of_addresses_is_told_what_was_saved_meanwhile(company: Company, enter: Enter) -> None:
    petra, other = enter("petra"), enter("petra")
    sent = {"row": "0", "a0-kind": "legal", "a0-city": "Mine", **_rows(petra.get(f"{ROOT}/addresses").text)}
    kept = _rows(other.get(f"{ROOT}/addresses").text)
    assert other.post(f"{ROOT}/addresses", {"row": "0", "a0-kind": "legal", "a0-city": "Theirs", "seen": kept["seen"]}).status_code == 303
    answer = petra.post(f"{ROOT}/addresses", sent)
    assert answer.status_code == 422
    assert "Theirs" in answer.text
    assert "Mine" in answer.text
    again = {**sent, **_rows(answer.text)}
    assert petra.post(f"{ROOT}/addresses", again).status_code == 303
    assert "Mine" in petra.get(f"{ROOT}/addresses").text


@pytest.mark.parametrize(
    ("more", "said"), [({"a0-kind": "moon"}, ""), ({"a0-street": "s" * 201}, "200"), ({"a0-street": "", "a0-city": ""}, "")]
)
def test_an_address_that_will_not_do_is_refused(enter: Enter, more: dict[str, str], said: str) -> None:
    petra = enter("petra")
    sent = {"row": "0", "a0-kind": "legal", "a0-street": "s", **_rows(petra.get(f"{ROOT}/addresses").text), **more}
    answer = petra.post(f"{ROOT}/addresses", sent)
    assert answer.status_code == 422
    assert "error-summary" in answer.text
    assert said in answer.text


@pytest.mark.parametrize("rows", [["-1", "x", "", "9" * 30], [str(at) for at in range(80)]])
def test_odd_addresses_do_no_harm(enter: Enter, rows: list[str]) -> None:
    petra = enter("petra")
    sent = {"row": rows, "seen": "nonsense", "a0-key": "x" * 40, "a0-kind": "\0"}
    assert petra.post(f"{ROOT}/addresses", sent).status_code in (303, 422)
    assert petra.post(f"{ROOT}/addresses", {**sent, "act": "add"}).status_code == 200
    assert petra.post(f"{ROOT}/addresses", {**sent, "act": "leave-x"}).status_code == 200


def test_more_addresses_than_an_organisation_can_have_are_refused_and_stay_on_the_page(app: Flask, company: Company, enter: Enter) -> None:
    petra = enter("petra")
    seen = petra.get(f"{ROOT}/addresses").text.split('name="seen" value="')[1].split('"')[0]
    fifty = {"seen": seen, "row": [str(at) for at in range(50)]}
    fifty |= {f"a{at}-kind": "legal" for at in range(51)} | {f"a{at}-street": f"{at} Long Road" for at in range(51)}
    page = petra.post(f"{ROOT}/addresses", {**fifty, "act": "add"}).text
    assert page.count('name="row"') == 50
    assert "An organisation can have 50 addresses." in page
    assert 'value="add"' not in page
    refused = petra.post(f"{ROOT}/addresses", {**fifty, "row": [str(at) for at in range(51)], "act": "save"})
    assert refused.status_code == 422
    assert "An organisation can have 50 addresses. Remove some first." in refused.text
    assert "50 Long Road" in refused.text
    count = select(func.count()).select_from(PartyAddress).where(PartyAddress.party_id == company.parties["Contoso Ltd"])
    assert _ask(app, count) == 1
    assert petra.post(f"{ROOT}/addresses", {**fifty, "act": "save"}).status_code == 303
    assert _ask(app, count) == 50


def test_all_addresses_are_kept_when_the_session_has_ended_meanwhile(enter: Enter) -> None:
    petra = enter("petra")
    petra.get(f"{ROOT}/addresses")
    petra.client.set_cookie("portal", "over", domain="127.0.0.1")
    sent = {"row": [str(at) for at in range(50)]} | {f"a{at}-kind": "legal" for at in range(50)}
    sent |= {f"a{at}-{name}": f"{name} {at} ü" for at in range(50) for name in ("street", "postal_code", "city", "region", "country")}
    stopped = petra.post(f"{ROOT}/addresses", sent)
    assert stopped.status_code == 401
    assert "street 49 ü" in stopped.text
    kept = stopped.text.split('name="kept" value="')[1].split('"')[0]
    again = petra.post("/portal/sign-in", {"email": "petra@people.example", "password": PASSWORD, "kept": kept})
    assert again.status_code == 200
    assert "Street and number" in again.text
    for at in range(50):
        assert f'name="a{at}-country" value="country {at} ü"' in again.text


def test_what_is_kept_has_an_end(enter: Enter) -> None:
    petra = enter("petra")
    petra.get(f"{ROOT}/addresses")
    petra.client.set_cookie("portal", "over", domain="127.0.0.1")
    stopped = petra.post(f"{ROOT}/addresses", {f"n{at}": f"word {at}" for at in range(20_000)})
    assert stopped.status_code == 401
    assert ("word 900<" in stopped.text, "word 1000<" in stopped.text) == (True, False)


# Service agreements.


def test_agreements_can_be_read_and_their_document_taken(company: Company, enter: Enter) -> None:
    petra, key = enter("petra"), company.papers["Contoso Ltd"]
    listed = petra.get(f"{ROOT}/agreements").text
    assert "Care for Contoso Ltd" in listed
    assert "Draft for Contoso Ltd" not in listed
    assert "Fabrikam" not in listed
    page = petra.get(f"{ROOT}/agreements/{key}").text
    for word in ("Hours of Contoso Ltd", "1 hour", "8 hours", "Critical", "Contoso Ltd.pdf"):
        assert word in page
    got = petra.get(f"{ROOT}/agreements/{key}/document")
    assert got.data == b"The agreement with Contoso Ltd."
    assert got.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in got.headers["Content-Security-Policy"]


@pytest.mark.parametrize(("starts", "ends", "said"), [(1, None, "Not begun"), (-9, 0, "In force"), (-9, -1, "Ended")])
def test_agreements_say_whether_they_hold_today(
    app: Flask, company: Company, enter: Enter, starts: int, ends: int | None, said: str
) -> None:
    today = now().date()
    days = {"starts_on": today + timedelta(days=starts), "ends_on": None if ends is None else today + timedelta(days=ends)}
    _change(app, update(Agreement).values(**days))
    petra = enter("petra")
    for path in ("agreements", f"agreements/{company.papers['Contoso Ltd']}"):
        page = petra.get(f"{ROOT}/{path}").text
        assert {word for word in ("Not begun", "In force", "Ended") if f">{word}</span>" in page} == {said}


def test_drafts_and_agreements_without_document_are_not_there(app: Flask, company: Company, enter: Enter) -> None:
    petra = enter("petra")
    for path in (f"{company.papers['draft of Contoso Ltd']}", f"{company.papers['draft of Contoso Ltd']}/document"):
        assert petra.get(f"{ROOT}/agreements/{path}").status_code == 404
    _change(app, update(Agreement).values(document_id=None, document_name=""))
    assert petra.get(f"{ROOT}/agreements/{company.papers['Contoso Ltd']}/document").status_code == 404


def test_a_form_of_another_organisation_changes_nothing_in_this_one(app: Flask, company: Company, enter: Enter) -> None:
    """Somebody who looks after two, and has switched since the page was opened."""
    petra, fiona = enter("petra"), enter("fiona")
    version = re.findall(r'name="version" value="([^"]+)"', fiona.get(ROOT).text)[0]
    foreign = _rows(fiona.get(f"{ROOT}/addresses").text)["seen"]
    other = re.findall(r'name="organisation" value="([^"]+)"', fiona.get(f"{ROOT}/people/add").text)[0]
    before = _ask(app, select(func.count(PartyAddress.id)))
    assert petra.post(ROOT, {"name": "Elsewhere", "phone": "1", "version": version}).status_code == 422
    assert petra.post(f"{ROOT}/addresses", {"seen": foreign, "act": "save"}).status_code == 422
    roles = re.findall(r'name="roles"[^>]*value="([0-9a-f]+)"', petra.get(f"{ROOT}/people/add").text)
    answer = petra.post(f"{ROOT}/people", {"organisation": other, "addresses": "new@people.example", "roles": roles})
    assert (answer.status_code, "switched to another organisation" in answer.text) == (422, True)
    assert _ask(app, select(User.id).where(User.email == "new@people.example")) is None
    assert _ask(app, select(func.count(PartyAddress.id))) == before
    assert _ask(app, select(Party.own_name).where(Party.id == company.parties["Contoso Ltd"])) == ""
