"""Your organisation in another language: every word of ours is said in it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from portal.database import start_writing
from portal.extensions import db
from portal.organisations.models import Party
from tests.fixtures.company import PEOPLE, Company
from tests.fixtures.languages import unmarked
from tests.fixtures.world import Browser

pytestmark = pytest.mark.usefixtures("marking")

Enter = Callable[[str], Browser]
GERMAN = {"Accept-Language": "de-AT,de;q=0.9"}
ROOT = "/portal/organisation"
OWN = (
    *(f"{name.capitalize()} Person" for name in PEOPLE),
    *(f"{name}@people.example" for name in PEOPLE),
    *("new@people.example", "fred@people.example", "loose@contoso.example", "x@elsewhere.example", "rubbish", "PP"),
    *("Loose Contoso", "people.example", "contoso.example", "Northwind", "Contoso Ltd.pdf"),
    *("Care for Contoso Ltd", "Hours of Contoso Ltd", "Contoso Ltd", "1 hour", "8 hours", "English", "Français", "Deutsch", "Español"),
    *("SLA-", "Theirs", "Mine", "Berlin", "Germany", "Street"),
)


def _left(page: str) -> list[str]:
    # The language menu and the frame of the portal are looked after by tests/external/test_languages.py.
    return unmarked(page, *OWN)


@pytest.mark.parametrize("path", ["", "/people", "/people?state=locked", "/people?q=zzz", "/people/add", "/addresses", "/agreements"])
def test_each_page_is_in_their_language(enter: Enter, path: str) -> None:
    page = enter("petra").get(ROOT + path, headers=GERMAN)
    assert page.status_code == 200
    assert "⟦" in page.text
    assert _left(page.text) == []


def test_an_agreement_is_in_their_language(company: Company, enter: Enter) -> None:
    page = enter("petra").get(f"{ROOT}/agreements/{company.papers['Contoso Ltd']}", headers=GERMAN)
    assert _left(page.text) == []


@pytest.mark.parametrize("act", ["invite", "cancel", "deactivate", "reactivate", "make-admin", "remove-admin", "roles"])
@pytest.mark.parametrize("names", [("paul",), ("paula", "perry", "petra")], ids=["one", "several"])
def test_each_question_and_answer_is_in_their_language(company: Company, enter: Enter, act: str, names: tuple[str, ...]) -> None:
    petra = enter("petra")
    data = {"act": act, "people": [company.uids[name] for name in names], "roles": company.jobs["External-Actor"]}
    for htmx in (False, True):
        assert _left(petra.get(f"{ROOT}/people/act", query_string=data, headers=GERMAN, htmx=htmx).text) == []
    answer = petra.post(f"{ROOT}/people/act", data, headers=GERMAN)
    page = petra.get(f"{ROOT}/people", headers=GERMAN) if answer.status_code == 303 else answer
    assert _left(page.text) == []


@pytest.mark.parametrize(
    "text", ["", "rubbish", "x@elsewhere.example", "new@people.example fred@people.example perry@people.example paul@people.example"]
)
@pytest.mark.parametrize("role", ["External-Actor", ""])
def test_adding_is_in_their_language(company: Company, enter: Enter, text: str, role: str) -> None:
    petra = enter("petra")
    data = {"addresses": text, "roles": [company.jobs[role]] if role else []}
    assert _left(petra.post(f"{ROOT}/people/check", data, headers=GERMAN, htmx=True).text) == []
    assert _left(petra.post(f"{ROOT}/people", data, headers=GERMAN).text) == []


def test_a_full_organisation_is_told_so_in_their_language(app: Flask, company: Company, enter: Enter) -> None:
    with app.app_context():
        start_writing()
        db.session.get_one(Party, company.parties["Contoso Ltd"]).cap = 3
        db.session.commit()
    petra = enter("petra")
    for path in ("", "/people/add"):
        assert _left(petra.get(ROOT + path, headers=GERMAN).text) == []
    data = {"addresses": "new@people.example", "roles": company.jobs["External-Actor"]}
    assert _left(petra.post(f"{ROOT}/people", data, headers=GERMAN).text) == []


@pytest.mark.parametrize("name", ["", "fabrikam works", "n" * 130, "Contoso Ltd"])
@pytest.mark.parametrize("version", ["1", "7"])
def test_refused_details_are_in_their_language(enter: Enter, name: str, version: str) -> None:
    petra = enter("petra")
    answer = petra.post(ROOT, {"name": name, "phone": "", "version": version}, headers=GERMAN)
    page = petra.get(ROOT, headers=GERMAN) if answer.status_code == 303 else answer
    assert _left(page.text) == []


@pytest.mark.parametrize(
    "more", [{"a0-kind": "moon"}, {"a0-city": "c" * 200}, {"seen": "old"}, {"act": "add"}, {"act": "leave-0"}, {"a0-city": ""}]
)
def test_refused_addresses_are_in_their_language(enter: Enter, more: dict[str, str]) -> None:
    petra = enter("petra")
    page = petra.get(f"{ROOT}/addresses", headers=GERMAN).text
    values = {name: page.split(f'name="{name}" value="')[1].split('"')[0] for name in ("seen", "a0-key")}
    answer = petra.post(f"{ROOT}/addresses", {"row": "0", "a0-kind": "legal", "a0-city": "Mine", **values, **more}, headers=GERMAN)
    assert _left(answer.text) == []
