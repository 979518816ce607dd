"""Contacts are kept in step with the accounts of those they are."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from portal.accounts import account, affiliation, invitations, joining, links, people, staff
from portal.accounts.models import Membership, OneTimeLink, Purpose
from portal.audit.record import Trace
from portal.database import start_writing
from portal.extensions import db
from portal.organisations.models import Contact, ContactEmail
from portal.refusals import Unfit
from tests.accounts.staffing import Firm, a_party, role_ids
from tests.factories import PASSWORD
from tests.fixtures.rooms import Cast, letters
from tests.fixtures.world import Browser, World


@pytest.fixture
def acme(cast: Cast) -> Firm:
    return Firm(cast)


def contact(acme: Firm, who: str) -> tuple[str, bool, list[str], int]:
    """Name, whether it is confirmed, addresses and employer of the contact somebody is."""
    key = acme.seat(who).contact_id
    found = db.session.get_one(Contact, key, populate_existing=True)
    emails = db.session.scalars(select(ContactEmail.email).where(ContactEmail.contact_id == key).order_by(ContactEmail.position))
    return found.name, found.confirmed, list(emails), found.party_id


def test_who_works_for_another_organisation_is_a_contact_there(acme: Firm) -> None:
    former = acme.seat("boss").contact_id
    start_writing()
    joining.set_profiles(acme.ids["boss"], acme.tenant, role_ids("External-Actor"), works_for="Other", by=acme.cast("olga"))
    db.session.commit()
    name, confirmed, emails, employer = contact(acme, "boss")
    assert (name, confirmed, emails) == ("boss", True, [acme.email("boss")])
    assert employer != acme.id
    assert not acme.seat("boss").portal_admin
    assert db.session.get_one(Contact, former).party_id == acme.id
    start_writing()
    joining.set_profiles(acme.ids["boss"], acme.tenant, role_ids("External-Actor"), works_for="", by=acme.cast("olga"))
    db.session.commit()
    assert (acme.seat("boss").party_id, acme.seat("boss").contact_id) == (None, None)


def test_new_profiles_alone_leave_the_employer(acme: Firm) -> None:
    before = (acme.seat("boss").contact_id, acme.seat("boss").portal_admin)
    for works_for in (None, "Acme"):
        start_writing()
        joining.set_profiles(acme.ids["boss"], acme.tenant, role_ids("External-Actor"), works_for=works_for, by=acme.cast("olga"))
        db.session.commit()
    assert (acme.seat("boss").contact_id, acme.seat("boss").portal_admin) == before


def test_nobody_becomes_the_contact_somebody_else_is(acme: Firm) -> None:
    start_writing()
    worker = acme.seat("worker")
    db.session.add(ContactEmail(contact_id=worker.contact_id, organisation_id=acme.tenant, email="vic@people.example", position=1))
    db.session.commit()
    with pytest.raises(Unfit, match=r"vic@people.example is an address of worker, a contact\."):
        joining.set_profiles(acme.cast.world.people["vic"], acme.tenant, role_ids("External-Actor"), works_for="Acme", by=acme.cast("olga"))


def test_a_corrected_address_is_the_contacts_too(acme: Firm) -> None:
    acme.new("typo")
    start_writing()
    people.edit(acme.ids["typo"], name="No Typo", email="right@acme.example", by=acme.cast("olga"))
    db.session.commit()
    assert contact(acme, "typo")[:3] == ("No Typo", True, ["right@acme.example"])


def test_an_address_of_another_contact_is_not_taken_over(acme: Firm) -> None:
    other = Firm(acme.cast, "rival")
    other.contact("Somebody", "right@acme.example")
    acme.new("typo")
    start_writing()
    people.edit(acme.ids["typo"], name="typo", email="right@acme.example", by=acme.cast("olga"))
    db.session.commit()
    assert contact(acme, "typo")[2] == [acme.email("typo")]


def test_whoever_confirms_a_new_address_has_it_as_contact(acme: Firm) -> None:
    user = acme.user("worker")
    user.password_hash = acme.cast.user("hanna").password_hash
    db.session.commit()
    account.ask_for_email(acme("worker"), "w.orker@acme.example", PASSWORD, trace=Trace())
    db.session.commit()
    link = db.session.scalars(select(OneTimeLink).where(OneTimeLink.purpose == Purpose.EMAIL)).one()
    token = links.token_for(link)
    start_writing()
    account.confirm_email(token, keep=None)
    db.session.commit()
    assert contact(acme, "worker")[2] == ["w.orker@acme.example"]


def test_a_guest_who_renames_themselves_renames_their_contact(app: Flask, world: World, browse: Callable[[str], Browser]) -> None:
    with app.app_context():
        acme = Firm(Cast(world))
        start_writing()
        acme.ids["hanna"] = world.people["hanna"]
        affiliation.enter(acme.user("hanna"), acme.seat("hanna"), acme.party())
        db.session.commit()
    answer = browse("hanna").post("/portal/account/name", {"name": "Hanna Newname"})
    assert answer.status_code == 303
    with app.app_context():
        assert contact(acme, "hanna")[:2] == ("Hanna Newname", True)


def test_the_invitation_page_says_for_whom_one_works(app: Flask, cast: Cast, visitor: Callable[..., Browser]) -> None:
    acme = Firm(cast)
    acme.new("kim")
    acme.act(staff.invite, "kim")
    [letter] = letters("invitation")
    token = links.token_for(db.session.get_one(OneTimeLink, letter.link_id))
    browser = visitor()
    page = browser.get(f"/invitation/{token}", follow_redirects=True)
    assert page.status_code == 200
    assert "Acme" in page.text
    assert "boss invites you to work with" in page.text
    browser.post("/invitation", follow_redirects=True)
    refused = browser.post(
        "/invitation/account", {"name": "Security Team", **dict.fromkeys(("password", "again"), "meadow-lantern-quartz-72")}
    )
    assert refused.status_code == 422
    assert "This is what the team is called." in refused.text


def test_an_account_that_is_taken_over_confirms_nothing_before(acme: Firm) -> None:
    acme.new("kim")
    acme.act(staff.invite, "kim")
    [letter] = letters("invitation")
    with pytest.raises(Unfit, match="what the team is called"):
        invitations.accept(links.token_for(db.session.get_one(OneTimeLink, letter.link_id)), name="Northwind", password="x" * 20)
    db.session.rollback()
    assert contact(acme, "kim")[:2] == ("kim", False)


def test_entering_twice_makes_one_contact(acme: Firm) -> None:
    start_writing()
    affiliation.enter(acme.user("worker"), acme.seat("worker"), acme.party())
    db.session.commit()
    assert len(list(db.session.scalars(select(ContactEmail).where(ContactEmail.email == acme.email("worker"))))) == 1
    other = a_party(acme.cast, "Other")
    assert db.session.scalars(select(Membership).where(Membership.party_id == other.id)).all() == []
