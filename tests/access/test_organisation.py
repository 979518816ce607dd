"""The whole reach of a portal administrator: their own organisation, as far as the roads go, and nothing of another one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from portal.database import start_writing
from portal.extensions import Base, db
from portal.web.face import Needs
from tests.access.canaries import SEES as CASES_SEEN
from tests.access.canaries import crawl, plant, unfit
from tests.access.roads import Road, Traveller, roads
from tests.access.rows import contents
from tests.access.test_matrix import EVERYTHING, RIGHTS, SEES, ProfileType, wrong
from tests.fixtures.company import PEOPLE, Company
from tests.fixtures.pace import few
from tests.fixtures.world import BASE, TOKEN, Browser, World

Enter = Callable[[str], Browser]
OTHERS = ("Fabrikam Works", "Yonder Trading")
# What changes by being asked for.
MOVING = ("login_session.last_seen_at", "attempt.at")
# Enough of each form to get as far as the verb; what is foreign is put into it below.
FORMS: dict[str, list[dict[str, Any]]] = {
    "external.act_on_people": [
        *({"act": act} for act in ("invite", "cancel", "deactivate", "reactivate", "make-admin", "remove-admin")),
        {"act": "roles", "roles": "{role}"},
    ],
    "external.save_addresses": [{"row": "0", "a0-kind": "legal", "a0-city": "Mine", "seen": "{seen}", "a0-key": "{address}"}],
}


def _traveller(app: Flask, enter: Enter, who: str) -> Traveller:
    page = app.test_client(use_cookies=False).get("/portal/sign-in", base_url=BASE)
    found = TOKEN.search(page.text)
    key = enter(who).client.get_cookie("portal", domain="127.0.0.1")
    assert found is not None
    assert key is not None
    return Traveller(app, f"{page.headers['Set-Cookie'].split(';')[0]}; portal={key.value}", found[1])


def _section(app: Flask, world: World) -> Iterator[Road]:
    for method in ("GET", "POST"):
        yield from (road for road in roads(app, world, method) if road.needs is Needs.PORTAL_ADMIN)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_petra_gets_as_far_as_she_may(
    app: Flask, world: World, company: Company, enter: Enter, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RIGHTS, "petra", EVERYTHING[ProfileType.EXTERNAL])
    monkeypatch.setitem(SEES, "petra", {"all"})
    world.agreements = {"petra": company.agreements["Contoso Ltd"], "fiona": company.agreements["Fabrikam Works"]}
    assert wrong(app, world, _traveller(app, enter, "petra"), "petra", method) == []


@pytest.mark.parametrize("who", ["paul", "fred"])
def test_people_without_the_flag_cannot_take_a_road_of_it(app: Flask, world: World, company: Company, enter: Enter, who: str) -> None:
    world.agreements = {"petra": company.agreements["Contoso Ltd"], "fiona": company.agreements["Fabrikam Works"]}
    person, before = _traveller(app, enter, who), contents(app, leave_out=MOVING)
    asked = list(_section(app, world))
    assert len(asked) > 12
    assert {person.go(road).status_code for road in asked} == {404}
    assert contents(app, leave_out=MOVING) == before


def _foreign(world: World, company: Company) -> list[int]:
    """Everybody who is none of Contoso's people."""
    return [*(key for name, key in world.people.items() if PEOPLE.get(name) != "Contoso Ltd"), 987_653, 0]


def test_foreign_people_answer_404_and_change_nothing(app: Flask, world: World, company: Company, enter: Enter) -> None:
    """Each act with each person who is not Contoso's, alone and beside somebody who is."""
    person, before = _traveller(app, enter, "petra"), contents(app, leave_out=MOVING)
    own = company.people["paula"]
    told = []
    for road in (road for road in _section(app, world) if road.endpoint == "external.act_on_people"):
        for form in FORMS[road.endpoint]:
            sent = {**form, **({"roles": str(company.roles["External-Actor"])} if "roles" in form else {})}
            for key in _foreign(world, company):
                for people in ([key], [own, key]):
                    data = {**sent, "people": [str(one) for one in people]}
                    answer = _send(app, person, road, data)
                    if answer != 404:
                        told.append(f"{road} {data}: {answer}")
    assert told == []
    assert contents(app, leave_out=MOVING) == before


def _send(app: Flask, person: Traveller, road: Road, data: dict[str, Any]) -> int:
    if road.method == "POST":
        return person.go(road, data).status_code
    client = app.test_client(use_cookies=False)
    return client.get(road.path, base_url=BASE, headers={"Cookie": person.cookies}, query_string=data).status_code


def test_foreign_addresses_and_agreements_answer_404_and_change_nothing(app: Flask, company: Company, enter: Enter) -> None:
    petra = enter("petra")
    seen = petra.get("/portal/organisation/addresses").text.split('name="seen" value="')[1].split('"')[0]
    before = contents(app, leave_out=MOVING)
    for other in OTHERS:
        sent = {"row": "0", "a0-kind": "legal", "a0-city": "Mine", "seen": seen, "a0-key": str(company.addresses[other])}
        assert petra.post("/portal/organisation/addresses", sent).status_code == 404
        for key in (company.agreements[other], company.drafts[other]):
            assert petra.get(f"/portal/organisation/agreements/{key}").status_code == 404
            assert petra.get(f"/portal/organisation/agreements/{key}/document").status_code == 404
    assert contents(app, leave_out=MOVING) == before


def test_roles_of_nobody_or_of_another_organisation_are_refused(app: Flask, world: World, company: Company, enter: Enter) -> None:
    """A role that is not open fails the whole request, whatever it is: one of colleagues, one that is open elsewhere, none at all."""
    with app.app_context():
        start_writing()
        table = Base.metadata.tables["party_profile"]
        mine = table.c.party_id == company.parties["Contoso Ltd"]
        db.session.connection().execute(table.delete().where(mine, table.c.profile_id == company.roles["External-Reader"]))
        db.session.commit()
    petra, before = enter("petra"), contents(app, leave_out=MOVING)
    for role in (company.roles["External-Reader"], 1, 2, 3, 999_999):
        both = [str(company.roles["External-Actor"]), str(role)]
        people = str(company.people["paul"])
        assert petra.post("/portal/organisation/people/act", {"act": "roles", "people": people, "roles": both}).status_code == 422
        assert petra.post("/portal/organisation/people", {"addresses": "a@people.example", "roles": both}).status_code == 422
    assert contents(app, leave_out=("submission.location", *MOVING))["user_account"] == before["user_account"]
    assert contents(app, leave_out=MOVING)["membership_profile"] == before["membership_profile"]


@pytest.mark.parametrize("who", few(["petra", "paul"], {"petra"}))
def test_nothing_of_another_organisation_is_met(
    app: Flask, world: World, company: Company, enter: Enter, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Canaries in every text there is: a portal administrator meets their own organisation's, and else what every outsider may."""
    monkeypatch.setitem(CASES_SEEN, who, ("all",))
    world.agreements = {"petra": company.agreements["Contoso Ltd"], "fiona": company.agreements["Fabrikam Works"]}
    person = _traveller(app, enter, who)
    planted = plant(app, world)
    met = crawl(app, world, planted, person)
    assert unfit(planted, met, who) == {}
    seen = {planted.where[canary].split(" of ")[0] for canary in met.on if canary in planted.where}
    wanted = {"party.own_name", "party.phone", "contact.name", "profile.name", "party_address.city", "agreement.title", "agreement.hours"}
    assert wanted <= seen if who == "petra" else not wanted & seen
