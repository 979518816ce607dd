"""Contacts are kept in step with the accounts of those they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.accounts import account, affiliation, invitations, joining, links, people, roster, staff
from portal.accounts.models import AccountType, Membership, OneTimeLink, Purpose
from portal.audit.record import Trace
from portal.database import start_writing
from portal.extensions import db
from portal.mail import letters as mail
from portal.organisations import parties
from portal.organisations.models import Contact, ContactEmail, Party
from portal.refusals import NotVisible, Unfit
from tests.accounts.staffing import Firm, a_party, role_ids
from tests.factories import PASSWORD
from tests.fixtures.rooms import Cast, at_once, letters, newest_audit, roles_of
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


def employ(acme: Firm, who: str, works_for: str, *roles: str) -> None:
    start_writing()
    joining.set_profiles(acme.ids[who], acme.tenant, role_ids(*roles), works_for=works_for, by=acme.cast("olga"))
    db.session.commit()


@pytest.mark.parametrize("elsewhere", ["Other", "Acmee", "Rival"])
def test_nobody_changes_employer_with_their_account(acme: Firm, elsewhere: str) -> None:
    Firm(acme.cast, "rival")
    before = (acme.seat("boss").contact_id, roles_of(acme.ids["boss"], acme.tenant), db.session.scalar(select(func.count(Party.id))))
    with pytest.raises(Unfit, match=r"boss works for Acme\. Whoever changes employer gets a new account") as refused:
        employ(acme, "boss", elsewhere, "External-Actor")
    assert refused.value.field == "works_for"
    db.session.commit()  # as a view does that shows the sentence and goes elsewhere
    seat = acme.seat("boss")
    after = (seat.contact_id, roles_of(acme.ids["boss"], acme.tenant), db.session.scalar(select(func.count(Party.id))))
    assert (after, seat.party_id, seat.portal_admin) == (before, acme.id, True)


def test_who_works_for_nobody_any_more_manages_nobody(acme: Firm) -> None:
    former = acme.seat("boss").contact_id
    employ(acme, "boss", "", "External-Reader")
    assert (acme.seat("boss").party_id, acme.seat("boss").contact_id, acme.seat("boss").portal_admin) == (None, None, False)
    assert db.session.get_one(Contact, former).party_id == acme.id
    told = {entry.kind: entry.changes for entry in newest_audit(2)}
    assert told["people:admin-removed"] == {"works_for": ["Acme", "Acme"]}
    assert told["membership:changed"] == {"works_for": ["Acme", ""]}
    employ(acme, "worker", "", "External-Reader")
    assert "people:admin-removed" not in {entry.kind for entry in newest_audit(1)}
    with pytest.raises(Unfit, match="is an address of worker, a contact of another external organisation"):
        employ(acme, "worker", "Other", "External-Reader")
    db.session.rollback()
    employ(acme, "worker", "Acme", "External-Reader")
    assert (acme.seat("worker").party_id, contact(acme, "worker")[2]) == (acme.id, [acme.email("worker")])


def test_an_organisation_made_by_typing_its_name_is_on_record(acme: Firm) -> None:
    acme.ids["hanna"] = acme.cast.world.people["hanna"]
    employ(acme, "hanna", "Other", "External-Reader")
    _changed, made = newest_audit(2)
    assert (made.kind, made.actor_name, made.changes["party"]) == ("party:created", "Olga Person", ["Other", "Other"])
    assert made.object_id == str(acme.seat("hanna").party_id)


def test_an_organisation_typed_with_an_invitation_is_on_record(acme: Firm) -> None:
    seat = joining.Seat(acme.tenant, frozenset(role_ids("External-Reader")))
    start_writing()
    invitations.invite(
        email="new@typed.example", name="New", kind=AccountType.EXTERNAL, seats=[seat], works_for="Typed", by=acme.cast("olga")
    )
    db.session.commit()
    assert "party:created" in [entry.kind for entry in newest_audit(3)]


def limit(acme: Firm, **changes: Any) -> None:
    start_writing()
    parties.edit(acme.id, version=acme.party().version, by=acme.cast("olga"), **changes)
    db.session.commit()


def ways_in(acme: Firm, email: str) -> dict[str, Callable[[], Any]]:
    """Every way of the console to let one more person work for Acme."""
    olga, seat = acme.cast("olga"), joining.Seat(acme.tenant, frozenset(role_ids("External-Reader")))
    about: dict[str, Any] = {"email": email, "name": "New", "kind": AccountType.EXTERNAL, "seats": [seat], "by": olga}
    hanna = acme.cast.world.people["hanna"]
    return {
        "invited": lambda: invitations.invite(works_for="acme", **about),
        "employed": lambda: joining.set_profiles(hanna, acme.tenant, role_ids("External-Reader"), works_for="Acme", by=olga),
    }


@pytest.mark.parametrize("way", ["invited", "employed", "unlocked"])
def test_the_cap_holds_whichever_way_somebody_comes(acme: Firm, way: str) -> None:
    acme.act(staff.deactivate, "worker")
    limit(acme, cap=2)
    ways = ways_in(acme, "new@acme.example") | {"unlocked": lambda: people.unlock(acme.ids["worker"], by=acme.cast("olga"))}
    start_writing()
    with pytest.raises(Unfit, match=r"Acme may have 2 people\. Deactivate somebody there"):
        ways[way]()
    db.session.rollback()
    limit(acme, cap=3)
    start_writing()
    ways[way]()
    db.session.commit()
    assert roster.number_active(acme.party()) == 3


@pytest.mark.parametrize("way", ["invited", "employed"])
def test_the_domains_hold_whichever_way_somebody_comes(acme: Firm, way: str) -> None:
    limit(acme, domains="acme.example")
    start_writing()
    with pytest.raises(Unfit, match=r"Acme takes only addresses of these domains: acme\.example\."):
        ways_in(acme, "new@other.example")[way]()


def test_two_ways_in_at_once_do_not_pass_the_cap(app: Flask, acme: Firm) -> None:
    limit(acme, cap=4)
    boss, ways = acme("boss"), ways_in(acme, "new@acme.example")

    def invite() -> None:
        start_writing()
        ways["invited"]()
        db.session.commit()

    told = at_once(app, invite, lambda: acme.add("one@acme.example", by=boss))
    assert sorted(isinstance(one, Unfit) for one in told) == [False, True]
    assert roster.number_active(acme.party()) == 4


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
    with pytest.raises(Unfit, match=r"right@acme\.example is an address of the contact Somebody"):
        people.edit(acme.ids["typo"], name="typo", email="right@acme.example", by=acme.cast("olga"))
    db.session.commit()
    assert (acme.user("typo").email, contact(acme, "typo")[2]) == (acme.email("typo"), [acme.email("typo")])


def test_a_corrected_address_keeps_to_the_domains(acme: Firm) -> None:
    acme.new("typo")
    limit(acme, domains="acme.example")
    start_writing()
    with pytest.raises(Unfit, match="only addresses of certain domains"):
        people.edit(acme.ids["typo"], name="typo", email="typo@other.example", by=acme.cast("olga"))


def with_password(acme: Firm, who: str) -> None:
    start_writing()
    acme.user(who).password_hash = acme.cast.user("hanna").password_hash
    db.session.commit()


def confirm(email: str) -> None:
    asked = select(OneTimeLink).where(OneTimeLink.purpose == Purpose.EMAIL, OneTimeLink.email == email)
    token = links.token_for(db.session.scalars(asked.order_by(OneTimeLink.id.desc())).first() or pytest.fail("no link"))
    start_writing()
    account.confirm_email(token, keep=None)
    db.session.commit()


@pytest.mark.parametrize("other", ["w@bücher.example", "w@xn--bcher-kva.example"])
def test_an_address_of_another_contact_cannot_be_confirmed(acme: Firm, other: str) -> None:
    with_password(acme, "worker")
    account.ask_for_email(acme("worker"), "w@bücher.example", PASSWORD, trace=Trace())
    db.session.commit()
    [letter] = letters("email_change")
    acme.contact("Somebody", other)
    assert mail.write(letter) is None
    with pytest.raises(NotVisible):
        confirm("w@bücher.example")
    db.session.rollback()
    assert (acme.user("worker").email, contact(acme, "worker")[2]) == (acme.email("worker"), [acme.email("worker")])
    # Who asks for it now gets the same answer as ever, but no letter.
    account.ask_for_email(acme("worker"), "w@bücher.example", PASSWORD, trace=Trace())
    db.session.commit()
    assert len(letters("email_change")) == 1
    with pytest.raises(NotVisible):
        confirm("w@bücher.example")


def test_a_persons_own_second_address_becomes_that_of_the_account(acme: Firm) -> None:
    with_password(acme, "worker")
    key = acme.seat("worker").contact_id
    db.session.add(ContactEmail(contact_id=key, organisation_id=acme.tenant, email="w@second.example", position=1))
    db.session.commit()
    account.ask_for_email(acme("worker"), "w@second.example", PASSWORD, trace=Trace())
    db.session.commit()
    confirm("w@second.example")
    assert acme.user("worker").email == "w@second.example"
    assert "w@second.example" in contact(acme, "worker")[2]


def test_a_new_address_of_another_domain_is_refused_and_not_confirmed(acme: Firm) -> None:
    with_password(acme, "worker")
    account.ask_for_email(acme("worker"), "w@other.example", PASSWORD, trace=Trace())
    db.session.commit()
    limit(acme, domains="acme.example")
    with pytest.raises(NotVisible):
        confirm("w@other.example")
    db.session.rollback()
    with pytest.raises(Unfit, match="Your organisation does not use addresses of this domain") as refused:
        account.ask_for_email(acme("worker"), "w@other.example", PASSWORD, trace=Trace())
    assert refused.value.field == "email"


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
