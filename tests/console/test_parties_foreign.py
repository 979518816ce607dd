"""Every route of the section with somebody else's ids: 404 for those with the right, 403 without it, and nothing is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from portal.extensions import Base, db
from tests.fixtures.company import Company
from tests.fixtures.world import BASE, Browser, World

Browse = Callable[[str], Browser]
NAMES = ("Contoso Ltd", "Fabrikam Works", "Yonder Trading")
UNKNOWN = 987_654
# What is about the request, not about the organisation.
OF_REQUESTS = {"login_session", "submission", "attempt", "throttle"}
# As much of a form as it takes to get to the verb.
FILLED: dict[str, Any] = {
    "name": "Changed",
    "kind": "client",
    "version": "1",
    "number": "N",
    "title": "T",
    "status": "active",
    "seen": "x",
    "addresses": "changed@people.example",
    "act": "deactivate",
}


def contents(app: Flask) -> dict[str, list[Any]]:
    """Every row there is."""
    with app.app_context():
        return {
            table.name: sorted(map(repr, db.session.connection().execute(select(table)).all()))
            for table in Base.metadata.sorted_tables
            if table.name not in OF_REQUESTS
        }


def addresses(app: Flask, company: Company, home: str) -> Iterator[tuple[str, str, str]]:
    """Each route with each combination of ids that is not one organisation's own; `home` is whose person is asking."""
    keys = {
        "party_id": company.parties,
        "contact_id": company.contacts,
        "agreement_id": company.agreements,
    }
    adapter = app.url_map.bind("127.0.0.1:8000")
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/console/external-organisations/<"):
            continue
        arguments = sorted(rule.arguments)
        for names in product((*NAMES, ""), repeat=len(arguments)):
            party = names[arguments.index("party_id")]
            if party in ("Contoso Ltd", "Fabrikam Works") and set(names) == {party} and home == "here":
                continue
            values = {argument: keys[argument].get(name, UNKNOWN) for argument, name in zip(arguments, names, strict=True)}
            for method in {"GET", "POST"} & (rule.methods or set()):
                yield rule.endpoint, method, adapter.build(rule.endpoint, values, method=method)


def ask(browser: Browser, method: str, path: str, sent: dict[str, Any]) -> int:
    if method == "GET":
        return browser.client.get(path, base_url=BASE, query_string={"other": sent["other"]}).status_code
    return browser.post(path, sent).status_code


@pytest.mark.parametrize(("who", "wanted"), [("olga", 404), ("ada", 403), ("ruth", 403)])
def test_ids_that_do_not_belong_together_are_not_there(
    app: Flask, world: World, browse: Browse, company: Company, who: str, wanted: int
) -> None:
    browser, wrong = browse(who), []
    browser.get("/console/account")
    sent = {**FILLED, "people": [company.people["fred"]], "other": company.contacts["Fabrikam Works"]}
    before, walked = contents(app), 0
    for endpoint, method, path in addresses(app, company, "here"):
        walked += 1
        if (status := ask(browser, method, path, sent)) != wanted:
            wrong.append((endpoint, method, path, status))
    assert wrong == []
    assert walked > 150
    assert contents(app) == before


@pytest.mark.parametrize("who", ["hanna", "vic"])
def test_nobody_from_outside_gets_in(app: Flask, browse: Browse, company: Company, who: str) -> None:
    browser = browse(who)
    for endpoint, method, path in addresses(app, company, "nowhere"):
        assert ask(browser, method, path, {**FILLED, "people": [1], "other": 1}) in (303, 401), (endpoint, path)


def test_ids_in_forms_that_belong_to_another_organisation_change_nothing(app: Flask, browse: Browse, company: Company) -> None:
    olga, here = browse("olga"), f"/console/external-organisations/{company.parties['Contoso Ltd']}"
    loose, signed = company.contacts["Contoso Ltd"], company.agreements["Contoso Ltd"]
    for name in ("Fabrikam Works", "Yonder Trading"):
        contact, address = company.contacts[name], company.addresses[name]
        tries = (
            ("", {**FILLED, "primary_contact_id": contact}),
            ("/agreements/new", {**FILLED, "contact_ids": [loose, contact]}),
            (f"/agreements/{signed}", {**FILLED, "contact_ids": [contact]}),
            (f"/contacts/{loose}/merge", {"other": contact}),
            ("/addresses", {"row": "0", "a0-key": address, "a0-kind": "legal", "a0-street": "Changed"}),
            *(("/people/act", {"act": act, "people": [key]}) for act in ("deactivate", "admin") for key in company.of(name)),
        )
        before = contents(app)
        for path, sent in tries:
            if path == "/addresses":
                page = olga.get(f"{here}{path}").text
                sent["seen"] = page.partition('name="seen" value="')[2].partition('"')[0]
            assert olga.post(f"{here}{path}", sent).status_code == 404, (path, sent)
        assert contents(app) == before
