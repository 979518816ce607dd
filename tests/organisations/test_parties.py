"""External organisations: who reaches one, making, editing, the roles open to them, the cases shared with them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from portal.accounts import joining
from portal.accounts.directory import crews
from portal.accounts.models import Membership, User
from portal.accounts.viewer import Viewer
from portal.database import start_writing
from portal.extensions import db
from portal.organisations import parties
from portal.organisations.models import Organisation, Party
from portal.paging import SIZE
from portal.refusals import NotAllowed, NotVisible, Stale, Unfit
from portal.sharing.models import PartyGrant
from tests.fixtures.company import Company
from tests.fixtures.rooms import Cast, at_once, newest_audit


def admin(cast: Cast, who: str, party: int, place: str = "here") -> Viewer:
    """Somebody as the viewer they are, with their external organisation."""
    viewer = cast(who, place)
    assert (viewer.portal_admin, viewer.party_id) == (True, party)
    return viewer


def create(by: Viewer, name: str = "Initech", **more: Any) -> Party:
    start_writing()
    made = parties.create(**{"name": name, "kind": "client", **more}, by=by)
    db.session.commit()
    return made


def edit(by: Viewer, party_id: int, *, version: int = 0, **changes: Any) -> Party:
    start_writing()
    now = db.session.scalar(select(Party.version).where(Party.id == party_id)) or 0
    party = parties.edit(party_id, version=version or now, by=by, **changes)
    db.session.commit()
    return party


def test_reach_is_for_the_team_of_the_tenant_and_for_its_own_administrators(cast: Cast, company: Company) -> None:
    here, other, far = (company.parties[name] for name in ("Contoso Ltd", "Fabrikam Works", "Yonder Trading"))
    petra = admin(cast, "petra", here)
    assert parties.reach(here, by=cast("olga")).id == here
    assert parties.reach(far, by=cast("pia")).id == far
    assert parties.reach(here, by=petra, change=True).id == here
    for viewer, party in (
        (cast("olga"), far),
        (petra, other),
        (petra, far),
        (cast("otto"), here),
        (cast("paul"), here),
        (cast("hanna"), here),
    ):
        with pytest.raises(NotVisible):
            parties.reach(party, by=viewer)
    for party in (here, far, 987_654):
        with pytest.raises(NotAllowed):
            parties.reach(party, by=cast("ada"))
    with pytest.raises(NotVisible):
        parties.reach(here, by=replace(petra, viewed_by_id=cast("ada").user_id))
    assert (parties.mine(petra), parties.mine(cast("paul")), parties.mine(cast("olga"))) == (True, False, False)


@pytest.mark.parametrize("ends", [{"portal_admin": False}, {"party_id": None}])
def test_somebody_who_is_administrator_no_longer_cannot_change_anything(cast: Cast, company: Company, ends: dict[str, Any]) -> None:
    here = company.parties["Contoso Ltd"]
    petra = admin(cast, "petra", here)
    start_writing()
    seat = db.session.scalars(select(Membership).where(Membership.user_id == petra.user_id)).one()
    for name, value in ends.items():
        setattr(seat, name, value)
    db.session.commit()
    with pytest.raises(NotVisible):
        parties.reach(here, by=petra, change=True)


def test_somebody_who_was_deactivated_cannot_change_anything(cast: Cast, company: Company) -> None:
    here = company.parties["Contoso Ltd"]
    petra = admin(cast, "petra", here)
    start_writing()
    db.session.get_one(User, petra.user_id).active = False
    db.session.commit()
    with pytest.raises(NotVisible):
        parties.edit(here, version=1, name="Petra's", by=petra)


def test_an_administrator_can_make_one_with_roles_limits_and_notes(cast: Cast, company: Company) -> None:
    actor = company.roles["External-Actor"]
    made = create(
        cast("olga"),
        "  Initech\tInc ",
        kind="vendor",
        phone=" 1 ",
        domains="@Initech.example; b.example,B.example.",
        cap=3,
        notes="a\r\nb",
        role_ids=[actor],
    )
    assert (made.name, made.kind, made.phone, made.domains, made.cap, made.notes) == (
        "Initech Inc",
        "vendor",
        "1",
        "initech.example b.example",
        3,
        "a\nb",
    )
    assert parties.open_roles(made.id, by=cast("olga")) == [(actor, "External-Actor")]
    entry = newest_audit()[0]
    assert (entry.kind, entry.organisation_id, entry.changes["roles"]) == (
        "party:created",
        cast.world.places["here"],
        [None, ["External-Actor"]],
    )


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("name", {"name": " "}),
        ("name", {"name": "x" * 129}),
        ("name", {"name": "CONTOSO ltd"}),
        ("name", {"name": "Ｃontoso Ltd"}),
        ("kind", {"kind": "friend"}),
        ("phone", {"phone": "1" * 65}),
        ("domains", {"domains": "no_domain!"}),
        ("domains", {"domains": "a@b.example"}),
        ("domains", {"domains": "b.example *.b.example"}),
        ("domains", {"domains": " ".join(f"d{n}.example" for n in range(101))}),
        ("cap", {"cap": 0}),
        ("cap", {"cap": 100_001}),
        ("notes", {"notes": "x" * 65_537}),
        ("role_ids", {"role_ids": [987_654]}),
        ("role_ids", {"role_ids": [1]}),
    ],
)
def test_what_will_not_do_is_refused_at_its_field(cast: Cast, company: Company, field: str, values: dict[str, Any]) -> None:
    for act in (lambda: create(cast("olga"), **values), lambda: edit(cast("olga"), company.parties["Fabrikam Works"], **values)):
        with pytest.raises(Unfit) as refused:
            act()
        assert refused.value.field == field
        db.session.rollback()


def test_a_star_for_all_domains_below_one_is_refused_in_words(cast: Cast) -> None:
    with pytest.raises(Unfit, match=r"Write out each domain instead of “\*\.acme\.example”"):
        create(cast("olga"), domains="*.acme.example")


def test_the_platform_s_administrator_says_where_and_nobody_else_can(cast: Cast, company: Company) -> None:
    there = cast.world.places["there"]
    assert create(cast("pia"), organisation_id=there).organisation_id == there
    assert create(cast("olga")).organisation_id == cast.world.places["here"]
    with pytest.raises(Unfit, match="holds none"):
        create(cast("pia"), "Globex")
    with pytest.raises(NotVisible):
        create(cast("olga"), "Globex", organisation_id=there)
    for who in ("ada", "ruth"):
        with pytest.raises(NotAllowed):
            create(cast(who), "Globex")
    for viewer in (cast("hanna"), admin(cast, "petra", company.parties["Contoso Ltd"])):
        with pytest.raises(NotVisible):
            create(viewer, "Globex")


def test_two_cannot_make_one_of_the_same_name_at_once(app: Flask, cast: Cast) -> None:
    olga = cast("olga")
    told = at_once(app, lambda: create(olga, "Same Name").id, lambda: create(olga, "same  name").id)
    assert sorted(type(one).__name__ for one in told) == ["Unfit", "int"]


def test_edits_are_told_and_an_older_form_changes_nothing(cast: Cast, company: Company) -> None:
    here, reader = company.parties["Contoso Ltd"], company.roles["External-Reader"]
    party = edit(cast("olga"), here, phone="2", role_ids=[reader], primary_contact_id=None)
    assert (party.version, parties.open_roles(here, by=cast("olga"))) == (2, [(reader, "External-Reader")])
    changes = newest_audit()[0].changes
    assert changes["primary_contact"] == ["Loose Contoso", ""]
    assert changes["roles"] == [["External-Actor", "External-Reader"], ["External-Reader"]]
    with pytest.raises(Stale):
        edit(cast("olga"), here, version=1, phone="3")
    db.session.rollback()
    edit(cast("olga"), here, phone="2")
    assert db.session.get_one(Party, here, populate_existing=True).version == 2


def test_a_contact_of_another_organisation_cannot_be_the_primary_one(cast: Cast, company: Company) -> None:
    for name in ("Fabrikam Works", "Yonder Trading"):
        with pytest.raises(NotVisible):
            edit(cast("olga"), company.parties["Contoso Ltd"], primary_contact_id=company.contacts[name])
        db.session.rollback()
    assert db.session.get_one(Party, company.parties["Contoso Ltd"]).primary_contact_id == company.contacts["Contoso Ltd"]


def test_a_portal_administrator_can_change_name_and_phone_only(cast: Cast, company: Company) -> None:
    here = company.parties["Contoso Ltd"]
    petra = admin(cast, "petra", here)
    saved = edit(petra, here, name="Contoso GmbH", phone="7")
    assert (saved.name, saved.own_name, saved.phone) == ("Contoso Ltd", "Contoso GmbH", "7")
    assert newest_audit()[0].actor_name == "Petra Person"
    for field, value in {"kind": "vendor", "domains": "", "cap": None, "notes": "", "role_ids": [], "primary_contact_id": None}.items():
        with pytest.raises(NotAllowed):
            edit(petra, here, name="Contoso AG", **{field: value})
        db.session.rollback()
    assert db.session.get_one(Party, here, populate_existing=True).own_name == "Contoso GmbH"


def test_what_an_organisation_calls_itself_neither_tells_of_others_nor_moves_anybody(cast: Cast, company: Company) -> None:
    """Guessing at the names of other clients learns nothing, and whoever types or ticks a name means the one the team gave."""
    here, there = company.parties["Contoso Ltd"], company.parties["Fabrikam Works"]
    assert edit(admin(cast, "petra", here), here, name="FABRIKAM works").own_name == "FABRIKAM works"
    db.session.commit()
    assert [row.name for row in parties.listed("fabrikam", by=cast("olga")).rows] == ["Fabrikam Works"]
    assert [crew.id for crew in crews(cast.world.places["here"], text="fabrikam")] == [there]
    olga = cast("olga")
    found = joining.party_of(db.session.get_one(Organisation, cast.world.places["here"]), "Fabrikam Works", by=olga)
    assert found is not None
    assert found.id == there
    assert edit(admin(cast, "petra", here), here, version=2, name="Contoso Ltd").own_name == ""


OF_THE_TEAM = [
    *("Security team", "The SECURITY  Team", "Sеcurity tеam", "{tenant}", " {tenant}.", "...", "\u3164"),
    *("Sicherheitsteam", "Équipe de sécurité", "Equipo de seguridad (Contoso)", "Contoso, {tenant}"),
]


@pytest.mark.parametrize("name", OF_THE_TEAM)
def test_a_portal_administrator_cannot_take_the_name_of_the_team(cast: Cast, company: Company, name: str) -> None:
    here = company.parties["Contoso Ltd"]
    tenant = db.session.get_one(Organisation, cast.world.places["here"]).name
    with pytest.raises(Unfit, match="This name can't be used") as refused:
        edit(admin(cast, "petra", here), here, name=name.format(tenant=tenant.upper()))
    assert refused.value.field == "name"


def test_a_name_the_team_gave_stays_when_something_else_is_changed(cast: Cast, company: Company) -> None:
    here = company.parties["Contoso Ltd"]
    edit(cast("olga"), here, name="Security team")
    saved = edit(admin(cast, "petra", here), here, version=2, name="Security team", phone="7")
    assert (saved.name, saved.phone) == ("Security team", "7")


def test_what_an_organisation_has_called_itself_before_stays(cast: Cast, company: Company) -> None:
    here = company.parties["Contoso Ltd"]
    start_writing()
    db.session.get_one(Party, here).own_name = "Contoso security team"
    db.session.commit()
    saved = edit(admin(cast, "petra", here), here, name="Contoso security team", phone="7")
    assert (saved.own_name, saved.phone) == ("Contoso security team", "7")


def test_the_list_is_the_tenant_s_own_with_people_administrators_and_visible_cases(cast: Cast, company: Company) -> None:
    start_writing()
    for name in ("shared", "internal", "restricted"):
        db.session.add(PartyGrant(case_id=cast.case(name).id, party_id=company.parties["Contoso Ltd"]))
    db.session.commit()
    rows = {row.name: row for row in parties.listed(by=cast("olga")).rows}
    assert list(rows) == ["Contoso Ltd", "Fabrikam Works"]
    # Perry is deactivated; only the first case is shared with selected people, and Olga may not see the third.
    assert (rows["Contoso Ltd"].people, rows["Contoso Ltd"].admins, rows["Contoso Ltd"].cases) == (3, 1, 1)
    assert [case.number for case in parties.shared(company.parties["Contoso Ltd"], by=cast("olga")).rows] == [cast.world.cases["shared"]]
    everywhere = parties.listed(by=cast("pia")).rows
    assert [(row.name, row.organisation, row.cases) for row in everywhere][-1] == ("Yonder Trading", "Elsewhere", 0)
    assert parties.shared(company.parties["Contoso Ltd"], by=cast("pia")).rows == []
    with pytest.raises(NotVisible):
        parties.shared(company.parties["Contoso Ltd"], by=cast("petra"))


def test_the_list_goes_on_page_by_page_and_finds_parts_of_names(cast: Cast) -> None:
    start_writing()
    here = cast.world.places["here"]
    names = [f"Firm {chr(65 + n % 26)}{'é' * (n // 26)}" for n in range(SIZE * 2 + 3)]
    db.session.add_all([Party(organisation_id=here, name=name, kind="client") for name in names])
    db.session.commit()
    found, after = [], ""
    while True:
        page = parties.listed("firm", after, by=cast("olga"))
        found += [row.name for row in page.rows]
        if page.next is None:
            break
        after = page.next
    assert sorted(found) == sorted(names)
    assert {row.name for row in parties.listed("ee", by=cast("olga")).rows} == {"Firm Aéé", "Firm Eé"}
    assert {row.name for row in parties.listed("  FIRM   xe ", by=cast("olga")).rows} == {"Firm Xé"}
    assert [row.name for row in parties.listed("", "rubbish", by=cast("olga")).rows] == found[:SIZE]


@pytest.mark.parametrize(
    ("domains", "email", "fits"),
    [
        ("", "a@anything.example", True),
        ("b.example", "a@b.example", True),
        ("b.example", "a@sub.b.example", False),
        ("b.example", "a@notb.example", False),
        ("bücher.example", "a@xn--bcher-kva.example", True),
        ("xn--bcher-kva.example", "a@bücher.example", True),
        ("b.example", "nonsense", False),
    ],
)
def test_domains_are_compared_whole_and_however_they_are_written(domains: str, email: str, fits: bool) -> None:
    party = Party(domains=parties.tidy_domains(domains))
    assert parties.allows(parties.allowed_domains(party), email) is fits


def test_nobody_is_added_where_cases_cannot_be(cast: Cast) -> None:
    start_writing()
    db.session.get_one(Organisation, cast.world.places["there"]).locked = True
    db.session.commit()
    with pytest.raises(Unfit):
        create(cast("pia"), organisation_id=cast.world.places["there"])
