"""Addresses of an external organisation: saved as one list, by those who may, never over somebody else's."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask

from portal.accounts.viewer import Viewer
from portal.database import start_writing
from portal.extensions import db
from portal.organisations import addresses
from portal.organisations.addresses import AddressLine
from portal.refusals import NotAllowed, NotVisible, Refusal, Stale, Unfit
from tests.fixtures.company import Company
from tests.fixtures.rooms import Cast, at_once, newest_audit


@pytest.fixture
def here(company: Company) -> int:
    return company.parties["Contoso Ltd"]


def save(by: Viewer, party_id: int, lines: list[AddressLine], seen: str = "") -> list[AddressLine]:
    start_writing()
    addresses.save(party_id, lines, seen=seen or addresses.mark(addresses.addresses(party_id, by=by)), by=by)
    db.session.commit()
    return addresses.addresses(party_id, by=by)


@pytest.mark.parametrize("who", ["olga", "petra"])
def test_those_who_may_add_change_reorder_and_delete(cast: Cast, here: int, who: str) -> None:
    known = addresses.addresses(here, by=cast(who))[0]
    new = AddressLine(0, "actual", " 2  New\nRoad ", "Kyiv", "", "01001", "Ukraine")
    first, second = save(cast(who), here, [new, replace(known, city="Bonn")])
    assert (first.street, first.in_words, second.id, second.city) == ("2 New Road", "2 New Road, 01001 Kyiv, Ukraine", known.id, "Bonn")
    assert newest_audit()[0].kind == "party:addresses-changed"
    assert newest_audit()[0].actor_id == cast.world.people[who]
    assert save(cast(who), here, [second]) == [second]
    assert save(cast(who), here, []) == []


def test_saving_the_same_again_is_not_told(cast: Cast, here: int) -> None:
    before = newest_audit()[0].id
    save(cast("petra"), here, addresses.addresses(here, by=cast("petra")))
    assert newest_audit()[0].id == before


def test_an_older_form_is_refused(cast: Cast, here: int) -> None:
    known = addresses.addresses(here, by=cast("petra"))
    save(cast("olga"), here, [replace(known[0], city="Bonn")])
    with pytest.raises(Stale):
        save(cast("petra"), here, [replace(known[0], city="Köln")], addresses.mark(known))


def test_two_who_save_at_once_do_not_overwrite_each_other(app: Flask, cast: Cast, here: int) -> None:
    olga, petra, known = cast("olga"), cast("petra"), addresses.addresses(here, by=cast("petra"))
    seen = addresses.mark(known)
    told = at_once(
        app,
        lambda: save(olga, here, [replace(known[0], city="Bonn")], seen),
        lambda: save(petra, here, [replace(known[0], city="Köln")], seen),
    )
    assert sorted(type(one).__name__ for one in told) == ["Stale", "list"]


def test_an_address_of_another_organisation_is_not_there(cast: Cast, here: int, company: Company) -> None:
    own = addresses.addresses(here, by=cast("petra"))[0]
    for key in (company.addresses["Fabrikam Works"], company.addresses["Yonder Trading"], 987_654):
        for who in ("petra", "olga"):
            with pytest.raises(NotVisible):
                save(cast(who), here, [own, replace(own, id=key)])
            db.session.rollback()
    with pytest.raises(NotVisible):
        save(cast("petra"), here, [own, own])
    db.session.rollback()
    assert addresses.addresses(company.parties["Fabrikam Works"], by=cast("olga"))[0].street == "1 Fabrikam Works Street"


def test_who_may_not_reads_and_writes_nothing(cast: Cast, here: int) -> None:
    for who, refusal in (("ada", NotAllowed), ("otto", NotVisible), ("paul", NotVisible), ("fiona", NotVisible), ("hanna", NotVisible)):
        with pytest.raises(refusal):
            addresses.addresses(here, by=cast(who))
        with pytest.raises(refusal):
            save(cast(who), here, [], "x")
        db.session.rollback()


@pytest.mark.parametrize(
    ("field", "line"),
    [
        ("0-kind", AddressLine(0, "moon", "1 Street")),
        ("0-street", AddressLine(0, "legal")),
        ("0-street", AddressLine(0, "legal", " \t")),
        ("0-street", AddressLine(0, "legal", "x" * 201)),
        ("0-country", AddressLine(0, "legal", "1 Street", country="x" * 65)),
    ],
)
def test_what_will_not_do_is_refused_at_its_field(cast: Cast, here: int, field: str, line: AddressLine) -> None:
    with pytest.raises(Unfit) as refused:
        save(cast("petra"), here, [line])
    assert refused.value.field == field


def test_there_is_an_end_to_them(cast: Cast, here: int) -> None:
    with pytest.raises(Refusal, match="50"):
        save(cast("petra"), here, [AddressLine(0, "legal", f"{n} Street") for n in range(51)])
