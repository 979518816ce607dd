"""Contacts of an external organisation: added, edited, deleted, merged; no two share an address, no account has two."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from portal.accounts.models import Membership
from portal.accounts.viewer import Viewer
from portal.database import start_writing
from portal.extensions import db
from portal.organisations import agreements, contacts
from portal.organisations.contacts import ContactRow
from portal.organisations.models import Contact, ContactEmail, Party, agreement_contact
from portal.paging import SIZE
from portal.refusals import NotAllowed, NotVisible, Refusal, Stale, Unfit
from tests.fixtures.company import Company
from tests.fixtures.rooms import Cast, at_once, newest_audit


@pytest.fixture
def here(company: Company) -> int:
    return company.parties["Contoso Ltd"]


def create(by: Viewer, party_id: int, name: str = "Nora New", emails: str = "", **more: str) -> ContactRow:
    start_writing()
    made = contacts.create(party_id, name=name, emails=emails, by=by, **more)
    db.session.commit()
    return made


def edit(by: Viewer, party_id: int, contact_id: int, *, version: int = 0, **changes: Any) -> ContactRow:
    start_writing()
    now = contacts.contact(party_id, contact_id, by=by)
    typed = {"name": now.name, "emails": "\n".join(now.emails), "phone": now.phone, "job_title": now.job_title, **changes}
    saved = contacts.edit(party_id, contact_id, version=version or now.version, by=by, **typed)
    db.session.commit()
    return saved


def of(who: str, cast: Cast) -> int:
    """The contact somebody is."""
    return db.session.scalars(select(Membership.contact_id).where(Membership.user_id == cast.world.people[who])).one() or 0


def test_the_team_can_add_a_contact_with_several_addresses(cast: Cast, here: int) -> None:
    made = create(cast("olga"), here, " Nora  New ", "B@x.example, a@x.example\nb@x.example", phone="1", job_title="Desk")
    assert (made.name, made.emails, made.confirmed, made.user_id) == ("Nora New", ("b@x.example", "a@x.example"), True, None)
    assert newest_audit()[0].kind == "party:contact-created"


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("name", {"name": " "}),
        ("name", {"name": "x" * 129}),
        ("phone", {"phone": "x" * 65}),
        ("job_title", {"job_title": "x" * 129}),
        ("emails", {"emails": "no address"}),
        ("emails", {"emails": "loose@contoso.example"}),
        ("emails", {"emails": "LOOSE@fabrikam.example"}),
        ("emails", {"emails": "ada@people.example"}),
        ("emails", {"emails": "elva@people.example"}),
        ("emails", {"emails": " ".join(f"a{n}@x.example" for n in range(21))}),
    ],
)
def test_what_will_not_do_is_refused_at_its_field(cast: Cast, here: int, field: str, typed: dict[str, str]) -> None:
    with pytest.raises(Unfit) as refused:
        create(cast("olga"), here, **{"name": "Nora", **typed})
    assert refused.value.field == field


def test_an_address_another_contact_has_is_refused_however_it_is_written(cast: Cast, here: int) -> None:
    create(cast("olga"), here, emails="n@bücher.example")
    with pytest.raises(Unfit, match="Merge the two"):
        create(cast("olga"), here, "Nora Again", "n@xn--bcher-kva.example")


def test_two_cannot_take_the_same_address_at_once(app: Flask, cast: Cast, here: int, company: Company) -> None:
    olga, other = cast("olga"), company.parties["Fabrikam Works"]
    told = at_once(app, lambda: create(olga, here, "One", "n@x.example"), lambda: create(olga, other, "Two", "n@x.example"))
    assert sorted(type(one).__name__ for one in told) == ["ContactRow", "Unfit"]


def test_an_edit_confirms_the_name_and_keeps_the_address_of_the_account(cast: Cast, here: int) -> None:
    paula = of("paula", cast)
    with pytest.raises(Unfit, match="the address of the account"):
        edit(cast("olga"), here, paula, emails="other@x.example")
    db.session.rollback()
    saved = edit(cast("olga"), here, paula, name="Paula Pfeil", emails="other@x.example paula@people.example")
    assert (saved.emails, saved.confirmed, saved.account) == (("other@x.example", "paula@people.example"), True, "paula@people.example")
    with pytest.raises(Stale):
        edit(cast("olga"), here, paula, version=1, name="Paula Pforte")


def test_a_contact_without_account_can_be_deleted_another_cannot(cast: Cast, here: int, company: Company) -> None:
    loose, petra = company.contacts["Contoso Ltd"], of("petra", cast)
    start_writing()
    with pytest.raises(Refusal, match="has an account"):
        contacts.delete(here, petra, by=cast("olga"))
    assert contacts.delete(here, loose, by=cast("olga")) == "Loose Contoso"
    db.session.commit()
    assert db.session.get(Contact, loose) is None
    assert db.session.scalar(select(ContactEmail.id).where(ContactEmail.contact_id == loose)) is None
    assert db.session.get_one(Party, here, populate_existing=True).primary_contact_id is None


def test_merging_keeps_addresses_account_agreements_and_what_was_missing(cast: Cast, here: int, company: Company) -> None:
    loose, petra, signed = company.contacts["Contoso Ltd"], of("petra", cast), company.agreements["Contoso Ltd"]
    edit(cast("olga"), here, petra, phone="9", job_title="Head")
    edit(cast("olga"), here, loose, phone="1")
    start_writing()
    for key in (loose, petra):
        db.session.execute(agreement_contact.insert().values(agreement_id=signed, contact_id=key))
    db.session.commit()
    plan = contacts.merging(here, loose, petra, by=cast("olga"))
    start_writing()
    kept = contacts.merge(here, loose, petra, by=cast("olga"))
    db.session.commit()
    assert (kept.id, kept.emails, kept.user_id) == (loose, ("loose@contoso.example", "petra@people.example"), company.people["petra"])
    assert (kept.name, kept.phone, kept.job_title, kept.agreements) == ("Loose Contoso", "1", "Head", ((signed, f"SLA-{here}"),))
    assert (kept.emails, kept.account, kept.agreements) == (plan.result.emails, plan.result.account, plan.result.agreements)
    assert db.session.get(Contact, petra) is None
    assert of("petra", cast) == loose
    assert [name for _key, name in agreements.agreement(here, signed, by=cast("olga")).contacts] == ["Loose Contoso"]


def test_merging_takes_the_confirmed_name_and_moves_the_primary_contact(cast: Cast, here: int, company: Company) -> None:
    start_writing()
    kept = contacts.merge(here, of("paula", cast), company.contacts["Contoso Ltd"], by=cast("olga"))
    db.session.commit()
    assert (kept.name, kept.confirmed) == ("Loose Contoso", True)
    assert db.session.get_one(Party, here, populate_existing=True).primary_contact_id == kept.id


def test_two_accounts_or_two_organisations_cannot_be_merged(cast: Cast, here: int, company: Company) -> None:
    start_writing()
    petra, paul = of("petra", cast), of("paul", cast)
    with pytest.raises(Refusal, match="Both have an account"):
        contacts.merge(here, petra, paul, by=cast("olga"))
    with pytest.raises(Refusal, match="two different"):
        contacts.merge(here, petra, petra, by=cast("olga"))
    for name in ("Fabrikam Works", "Yonder Trading"):
        for pair in ((petra, company.contacts[name]), (company.contacts[name], petra)):
            with pytest.raises(NotVisible):
                contacts.merge(here, *pair, by=cast("olga"))
    db.session.commit()
    assert db.session.get(Contact, paul) is not None


def test_only_the_team_changes_contacts(cast: Cast, here: int, company: Company) -> None:
    loose = company.contacts["Contoso Ltd"]
    acts = (
        lambda by: create(by, here),
        lambda by: contacts.edit(here, loose, version=1, name="x", emails="", phone="", job_title="", by=by),
        lambda by: contacts.delete(here, loose, by=by),
        lambda by: contacts.merging(here, loose, of("petra", cast), by=by),
        lambda by: contacts.merge(here, loose, of("petra", cast), by=by),
    )
    for act in acts:
        for who, refusal in (("petra", NotVisible), ("hanna", NotVisible), ("otto", NotVisible), ("ada", NotAllowed)):
            with pytest.raises(refusal):
                act(cast(who))
            db.session.rollback()


def test_contacts_are_found_by_name_and_address_page_by_page(cast: Cast, here: int) -> None:
    start_writing()
    many = [Contact(party_id=here, name=f"Zed {n:02d}", confirmed=True) for n in range(SIZE + 2)]
    db.session.add_all(many)
    db.session.commit()
    first = contacts.contacts(here, q="zed", by=cast("olga"))
    assert first.next is not None
    second = contacts.contacts(here, q="zed", after=first.next, by=cast("olga"))
    assert [row.name for row in (*first.rows, *second.rows)] == [one.name for one in many]
    assert [row.name for row in contacts.contacts(here, q="LOOSE@", by=cast("olga")).rows] == ["Loose Contoso"]
    create(cast("olga"), here, "Ärne Ødegård")
    assert [row.name for row in contacts.contacts(here, q="arne", by=cast("olga")).rows] == ["Ärne Ødegård"]
    assert [row.name for row in contacts.contacts(here, q="ÄRNE", by=cast("olga")).rows] == ["Ärne Ødegård"]
    assert contacts.contacts(here, q="fiona", by=cast("olga")).rows == []
    assert contacts.contacts(here, q="%", by=cast("olga")).rows == []
