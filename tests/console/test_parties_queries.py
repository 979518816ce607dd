"""How much the pages about external organisations ask of the database: few statements, and no more for many rows."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from portal.accounts.models import AccountType
from portal.extensions import db
from portal.organisations.models import Agreement, AgreementStatus, Contact, ContactEmail, Organisation, Party, PartyAddress
from tests import factories as make
from tests.fixtures.company import Company
from tests.fixtures.statements import counted
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]


def more(app: Flask, world: World, company: Company, count: int, name: str = "More") -> None:
    """So many more of everything."""
    with app.app_context():
        here, party = db.session.get_one(Organisation, world.places["here"]), company.parties["Contoso Ltd"]
        for number in range(count):
            db.session.add(Party(organisation_id=here.id, name=f"{name} {number:02}", kind="client"))
            contact = Contact(party_id=party, name=f"{name} {number:02}")
            db.session.add_all([contact, PartyAddress(party_id=party, kind="legal", street=f"{name} {number}")])
            terms = {"number": f"{name}-{number}", "title": "More", "status": AgreementStatus.ACTIVE}
            db.session.add(Agreement(party_id=party, **terms))
            db.session.flush()
            db.session.add(ContactEmail(contact_id=contact.id, organisation_id=here.id, email=f"{name}{number}@x.example".lower()))
            make.make_user(f"{name}{number}", here, "External-Reader", kind=AccountType.EXTERNAL, activated=number % 2 == 0, party_id=party)
        db.session.commit()


@pytest.mark.parametrize(
    ("who", "path", "most"),
    [
        ("olga", "", 7),
        ("pia", "", 7),
        ("olga", "{party}", 12),
        ("olga", "{party}/people", 10),
        ("olga", "{party}/people/add", 9),
        ("olga", "{party}/contacts", 9),
        ("olga", "{party}/contacts?q=x.example", 10),
        ("olga", "{party}/agreements", 7),
        ("olga", "{party}/addresses", 8),
        ("olga", "{party}/cases", 7),
    ],
)
def test_pages_ask_little_and_no_more_for_many_rows(
    app: Flask, world: World, browse: Browse, company: Company, who: str, path: str, most: int
) -> None:
    url = f"/console/external-organisations{path.format(party='/' + str(company.parties['Contoso Ltd']))}"
    browser = browse(who)
    more(app, world, company, 2)
    browser.get(url)
    with counted(app) as few:
        assert browser.get(url).status_code == 200
    more(app, world, company, 30, "Later")
    with counted(app) as many:
        assert browser.get(url).status_code == 200
    assert len(many) == len(few) <= most, "\n".join(many)
