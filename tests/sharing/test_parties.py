"""Sharing a case with an external organisation: its people of today and of later, and nobody who does not work for it any more."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from portal.accounts import joining, people
from portal.accounts.models import Membership, Profile, User
from portal.cases import cases
from portal.cases.models import Case
from portal.cases.queries import audiences_of
from portal.database import start_writing
from portal.extensions import db
from portal.organisations.models import Party, PartyKind
from portal.refusals import Refusal
from portal.sharing import access, bulk, looking, scope, seen
from portal.sharing.models import Access, PartyGrant
from portal.sharing.offer import offer
from portal.sharing.reached import audience
from tests.fixtures.rooms import Cast, letters, newest_audit


@pytest.fixture
def firms(cast: Cast) -> dict[str, int]:
    """Contoso, with Hanna and Rhea; Fabrikam, with Vic; Initech, with nobody."""
    start_writing()
    made = {
        name: Party(organisation_id=cast.world.places["here"], name=name, kind=PartyKind.CLIENT)
        for name in ("Contoso", "Fabrikam", "Initech")
    }
    db.session.add_all(made.values())
    db.session.flush()
    for who, firm in (("hanna", "Contoso"), ("rhea", "Contoso"), ("vic", "Fabrikam")):
        move(cast, who, made[firm].id)
    db.session.commit()
    return {name: party.id for name, party in made.items()}


def move(cast: Cast, who: str, party_id: int | None) -> None:
    seat = db.session.scalars(select(Membership).where(Membership.user_id == cast.world.people[who])).first()
    assert seat is not None
    seat.party_id = party_id
    db.session.flush()


def sees(cast: Cast, who: str, name: str = "internal") -> bool:
    db.session.flush()
    wanted = scope.visible(cast(who), Case, Case.id).where(Case.number == cast.world.cases[name])
    return db.session.execute(wanted).first() is not None


def ids(cast: Cast, *who: str) -> set[int]:
    return {cast.world.people[name] for name in who}


def open_to(cast: Cast, *parties: int, users: Collection[int] = (), **more: Any) -> access.Plan:
    start_writing()
    done = access.set_access(cast.case("internal"), Access.EXTERNAL, set(users), parties=parties, by=cast("ada"), **more)
    db.session.commit()
    return done


def test_everybody_there_sees_it_and_nobody_else(cast: Cast, firms: dict[str, int]) -> None:
    before = max((row.id for row in letters()), default=0)
    done = open_to(cast, firms["Contoso"])
    assert (done.gains, done.total, done.button) == (["Hanna Person", "Rhea Person"], 2, "Share with 2 people")
    assert [sees(cast, who) for who in ("hanna", "rhea", "vic", "gast")] == [True, True, False, False]
    told = sorted(row.to_user_id for row in letters("case_shared") if row.id > before)
    assert told == sorted(ids(cast, "hanna", "rhea"))
    assert newest_audit()[0].changes["organisations"] == [[], ["Contoso"]]
    assert audience(cast.case("internal")) == sorted(ids(cast, "hanna", "rhea"))


def test_who_joins_later_sees_it_and_who_leaves_does_not(cast: Cast, firms: dict[str, int]) -> None:
    open_to(cast, firms["Contoso"])
    move(cast, "vic", firms["Contoso"])
    move(cast, "hanna", firms["Fabrikam"])
    assert [sees(cast, who) for who in ("hanna", "rhea", "vic")] == [False, True, True]
    move(cast, "vic", None)
    assert not sees(cast, "vic")


def test_an_organisation_without_people_can_be_shared_with(cast: Cast, firms: dict[str, int]) -> None:
    done = open_to(cast, firms["Initech"])
    assert (done.total, done.button, done.changed) == (0, "Share with Initech", True)
    assert cast.case("internal").access is Access.EXTERNAL
    move(cast, "vic", firms["Initech"])
    assert sees(cast, "vic")


def test_revoking_takes_it_from_the_organisation(cast: Cast, firms: dict[str, int]) -> None:
    open_to(cast, firms["Contoso"], users=ids(cast, "hanna", "vic"))
    done = access.set_access(cast.case("internal"), Access.EXTERNAL, ids(cast, "hanna"), by=cast("ada"))
    assert done.losses == ["Rhea Person", "Vic Person"]
    assert [sees(cast, who) for who in ("hanna", "rhea", "vic")] == [True, False, False]
    access.set_access(cast.case("internal"), Access.INTERNAL, set(), by=cast("ada"))
    assert [sees(cast, who) for who in ("hanna", "rhea", "vic")] == [False, False, False]
    assert db.session.scalars(select(PartyGrant)).all() == []


def test_sharing_with_everybody_and_back_forgets_the_organisation(cast: Cast, firms: dict[str, int]) -> None:
    open_to(cast, firms["Contoso"])
    access.set_access(cast.case("internal"), Access.ALL_EXTERNAL, set(), by=cast("ada"))
    done = access.set_access(cast.case("internal"), Access.EXTERNAL, ids(cast, "vic"), by=cast("ada"))
    assert done.lost >= 2
    assert [sees(cast, who) for who in ("hanna", "rhea", "vic")] == [False, False, True]


def test_who_is_locked_is_not_counted(cast: Cast, firms: dict[str, int]) -> None:
    people.lock(cast.world.people["rhea"], by=cast("olga"))
    db.session.commit()
    done = open_to(cast, firms["Contoso"])
    assert (done.gains, done.total) == (["Hanna Person"], 1)
    assert offer(cast.world.places["here"], set(), set(), "conto")["crews"][0]["crew"].people == 1


def test_the_drawers_plan_is_told_apart_when_only_the_organisation_differs(cast: Cast, firms: dict[str, int]) -> None:
    """The same two people, by name or through Contoso: what is confirmed must be what was shown."""
    case = cast.case("internal")
    by_name = access.plan(case, Access.EXTERNAL, ids(cast, "hanna", "rhea"))
    through = access.plan(case, Access.EXTERNAL, set(), parties={firms["Contoso"]})
    assert by_name.after == through.after
    assert by_name.mark != through.mark
    assert "This includes people who join Contoso later." in through.warnings
    open_to(cast, users=ids(cast, "hanna", "rhea"))
    assert access.plan(cast.case("internal"), Access.EXTERNAL, ids(cast, "hanna", "rhea"), parties={firms["Contoso"]}).changed


def test_people_of_two_organisations_on_one_case_are_a_warning(cast: Cast, firms: dict[str, int]) -> None:
    case = cast.case("internal")

    def mixed(users: set[int], *parties: int) -> bool:
        return "will read the same case" in access.plan(case, Access.EXTERNAL, users, parties=parties).mixing

    assert mixed(ids(cast, "hanna", "vic"))
    assert mixed(ids(cast, "vic"), firms["Contoso"])
    assert mixed(set(), firms["Contoso"], firms["Initech"])
    assert not mixed(ids(cast, "hanna", "rhea"))
    assert not mixed(ids(cast, "hanna"), firms["Contoso"])


def test_everybody_is_a_warning_when_they_work_for_several_organisations(cast: Cast, firms: dict[str, int]) -> None:
    case = cast.case("internal")
    wanted = access.plan(case, Access.ALL_EXTERNAL, set())
    assert wanted.mixed == 2, "nobody works for Initech"
    assert wanted.mixing.endswith("what the others write: Contoso and Fabrikam.")
    [line] = bulk.prospects([case], bulk.Choice(Access.ALL_EXTERNAL))
    assert line.plan is not None
    assert (line.plan.mixed, line.plan.mixing, line.plan.warnings) == (2, wanted.mixing, wanted.warnings)
    vic = db.session.get_one(User, cast.world.people["vic"])
    vic.active = False
    assert access.plan(case, Access.ALL_EXTERNAL, set()).mixed == 0, "nobody who can sign in works for Fabrikam"
    vic.active = True
    assert access.plan(case, Access.ALL_EXTERNAL, set()).mixed == 2
    move(cast, "vic", None)
    assert access.plan(case, Access.ALL_EXTERNAL, set()).mixed == 0


def test_red_stays_with_named_people_and_strict_wants_a_reason(cast: Cast, firms: dict[str, int]) -> None:
    case = cast.case("internal")
    case.tlp = 4
    with pytest.raises(Refusal, match="named people only"):
        access.plan(case, Access.EXTERNAL, set(), parties={firms["Contoso"]})
    case.tlp = 3
    assert access.plan(case, Access.EXTERNAL, set(), parties={firms["Initech"]}).needs_reason
    with pytest.raises(Refusal, match="why these people"):
        access.set_access(case, Access.EXTERNAL, set(), parties={firms["Initech"]}, by=cast("ada"))


def test_a_case_that_is_open_to_an_organisation_does_not_become_red(cast: Cast, firms: dict[str, int]) -> None:
    """Who joins it later would read what is for named people only."""
    open_to(cast, firms["Contoso"], users=ids(cast, "vic"))
    case = cases.load(cast.world.cases["internal"], change=True)
    red = replace(cases.draft_of(case), tlp=4)
    with pytest.raises(Refusal, match="whole organisation"):
        cases.update_case(case, red, version=case.version, by=cast("ada"))
    access.set_access(case, Access.EXTERNAL, ids(cast, "vic"), by=cast("ada"))
    assert cases.update_case(case, red, version=case.version, by=cast("ada")) == ["tlp"]


def test_somebody_who_joins_meanwhile_is_shown_before_something_is_sent_to_them(cast: Cast, firms: dict[str, int]) -> None:
    open_to(cast, firms["Contoso"])
    case = cast.case("internal")

    def mark() -> str:
        return audiences_of([(case.id, case.access)], case.organisation_id)[case.id].mark

    before = mark()
    assert mark() == before
    move(cast, "vic", firms["Contoso"])
    assert mark() != before


def test_a_crowd_fits_into_the_record(cast: Cast, firms: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "MOST", 1)
    open_to(cast, firms["Contoso"])
    assert newest_audit()[0].changes["gained"] == [None, ["Hanna Person", "and 1 more"]]


def test_who_of_the_organisation_never_looked_is_told(cast: Cast, firms: dict[str, int]) -> None:
    open_to(cast, firms["Contoso"])
    assert [person.name for person in seen.never(cast.case("internal"))] == ["Hanna Person", "Rhea Person"]


@pytest.mark.parametrize("which", [0, 10**12])
def test_an_organisation_that_is_not_theirs_is_refused(cast: Cast, firms: dict[str, int], which: int) -> None:
    foreign = Party(organisation_id=cast.world.places["there"], name="Elsewhere", kind=PartyKind.CLIENT)
    db.session.add(foreign)
    db.session.flush()
    with pytest.raises(Refusal, match="not there any more"):
        access.plan(cast.case("internal"), Access.EXTERNAL, set(), parties={which or foreign.id})


def test_many_cases_at_once(cast: Cast, firms: dict[str, int]) -> None:
    here = ["internal", "shared"]
    both = [cast.case(name) for name in here]
    choice = bulk.Choice(Access.EXTERNAL, again=True, adding=True, parties=frozenset({firms["Contoso"]}))
    lines = bulk.prospects(both, choice)
    assert [line.plan and line.plan.gains for line in lines] == [["Hanna Person", "Rhea Person"], []]
    assert [line.plan and line.plan.lost for line in lines] == [0, 0]
    start_writing()
    outcomes = bulk.share({line.case.number: line.mark for line in lines}, choice, by=cast("ada"))
    db.session.commit()
    assert all(outcome.done for outcome in outcomes)
    assert all(sees(cast, who, name) for who in ("hanna", "rhea") for name in here)
    only_vic = bulk.Choice(Access.EXTERNAL, frozenset(ids(cast, "vic")), again=True)
    lines = bulk.prospects([cast.case(name) for name in here], only_vic)
    bulk.share({line.case.number: line.mark for line in lines}, only_vic, by=cast("ada"))
    assert [sees(cast, who, name) for who in ("hanna", "rhea", "vic") for name in here] == [False] * 4 + [True] * 2


def test_the_badge_names_the_organisation_once(cast: Cast, firms: dict[str, int]) -> None:
    open_to(cast, firms["Contoso"], users=ids(cast, "hanna", "vic"))
    case = cast.case("internal")
    told = audiences_of([(case.id, case.access)], case.organisation_id)[case.id]
    assert (told.sentence, told.total) == ("Shared with everybody at Contoso and Vic Person", 3)


def test_ada_can_look_as_somebody_of_the_organisation(cast: Cast, firms: dict[str, int]) -> None:
    open_to(cast, firms["Contoso"])
    found, more = looking.candidates(cast.case("internal"), "")
    assert ([person.name for person, _ in found], more) == (["Hanna Person", "Rhea Person"], False)


def test_changing_whom_somebody_works_for_changes_what_they_see(cast: Cast, firms: dict[str, int]) -> None:
    open_to(cast, firms["Fabrikam"])
    roles = [profile.id for profile in joining.held_at(cast.world.people["hanna"], cast.world.places["here"], by=cast("olga")).profiles]
    assert db.session.get(Profile, roles[0]) is not None
    joining.set_profiles(cast.world.people["hanna"], cast.world.places["here"], roles, works_for="", by=cast("olga"))
    assert not sees(cast, "hanna")
    joining.set_profiles(cast.world.people["hanna"], cast.world.places["here"], roles, works_for="Fabrikam", by=cast("olga"))
    assert sees(cast, "hanna")
