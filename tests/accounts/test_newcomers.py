"""Adding people to an external organisation: every row of the table, and whatever else stands in the box."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from portal.accounts import affiliation, people, staff
from portal.accounts.models import AccountType, Membership, User
from portal.clock import now
from portal.database import start_writing
from portal.extensions import db
from portal.organisations import parties
from portal.organisations.models import Contact, ContactEmail, Organisation
from portal.refusals import NotAllowed, NotVisible, Refusal, Unfit
from tests.accounts.staffing import TAKEN, Firm, a_party, role_ids
from tests.fixtures.rooms import Cast, at_once, letters, newest_audit, roles_of
from tests.fixtures.statements import counted


@pytest.fixture
def acme(cast: Cast) -> Firm:
    return Firm(cast)


def account(email: str) -> User | None:
    return db.session.scalar(select(User).where(User.email == email).execution_options(populate_existing=True))


def contact_of(email: str) -> Contact:
    wanted = select(Contact).join(ContactEmail, ContactEmail.contact_id == Contact.id).where(ContactEmail.email == email)
    return db.session.scalars(wanted.execution_options(populate_existing=True)).one()


def problems(acme: Firm, text: str) -> dict[str, str]:
    return {one.email: one.problem for one in staff.check(acme.id, text, by=acme("boss"))}


def test_who_is_unknown_gets_contact_and_account(acme: Firm) -> None:
    [added] = acme.add("new.one@acme.example", "External-Actor")
    user, contact = account("new.one@acme.example"), contact_of("new.one@acme.example")
    assert user is not None
    assert (added.user_id, added.done) == (user.id, True)
    assert (user.name, user.type, user.activated_at) == ("new.one", AccountType.EXTERNAL, None)
    assert (contact.name, contact.confirmed, contact.party_id) == ("new.one", False, acme.id)
    assert roles_of(user.id, acme.tenant) == ["External-Actor"]
    person = acme.people()["new.one"]
    assert (person.standing.state, person.standing.word, person.confirmed) == ("uninvited", "Not invited", False)
    assert [row for row in letters("invitation") if row.to_user_id == user.id] == []
    [entry] = newest_audit()
    assert (entry.kind, entry.actor_id, entry.organisation_id, entry.object_id) == (
        "people:added",
        acme.ids["boss"],
        acme.tenant,
        str(user.id),
    )


def test_an_address_does_not_make_somebody_the_team(acme: Firm) -> None:
    for email in ("sicherheitsteam@acme.example", "security.team@acme.example"):
        acme.add(email)
        user = account(email)
        assert user is not None
        assert user.name == email


@pytest.mark.parametrize("typed", ["carla@acme.example", "c.smith@acme.example"])
def test_a_contact_without_account_gets_one_on_any_of_its_addresses(acme: Firm, typed: str) -> None:
    contact = acme.contact("Carla Smith", "carla@acme.example", "c.smith@acme.example")
    [added] = acme.add(typed)
    user = account(typed)
    assert user is not None
    assert (user.name, added.user_id) == ("Carla Smith", user.id)
    assert db.session.scalar(select(Membership.contact_id).where(Membership.user_id == user.id)) == contact.id
    assert db.session.scalar(select(func.count()).select_from(Contact).where(Contact.name == "Carla Smith")) == 1


def test_both_addresses_of_one_contact_make_one_account(acme: Firm) -> None:
    acme.contact("Carla Smith", "carla@acme.example", "c.smith@acme.example")
    first, second = acme.add("carla@acme.example c.smith@acme.example")
    assert first.user_id == second.user_id
    assert account("c.smith@acme.example") is None
    [third] = acme.add("c.smith@acme.example", "External-Actor")
    assert (third.user_id, third.done) == (first.user_id, True)
    assert roles_of(first.user_id or 0, acme.tenant) == ["External-Actor", "External-Reader"]


def taken_addresses(acme: Firm) -> dict[str, str]:
    """One of each kind that may not be told from the others."""
    cast = acme.cast
    other = Firm(cast, "rival")
    other.contact("Somebody", "only@contact.example")
    return {
        "colleague": "ada@people.example",
        "colleague elsewhere": "otto@people.example",
        "guest of nobody": "hanna@people.example",
        "guest of another team": "gast@people.example",
        "person of another organisation": "worker@rival.example",
        "contact of another organisation": "only@contact.example",
    }


def test_taken_addresses_are_refused_in_one_sentence_and_change_nothing(acme: Firm, app: Flask) -> None:
    taken = taken_addresses(acme)
    before = (newest_audit()[0].id, db.session.scalar(select(func.count(Membership.id))), db.session.scalar(select(func.count(Contact.id))))
    assert set(problems(acme, " ".join(taken.values())).values()) == {""}
    sent = set()
    for email in taken.values():
        with counted(app) as statements:
            [added] = acme.add(email)
        assert (added.done, added.sentence, added.user_id, added.deactivated) == (False, TAKEN, None, False)
        sent.add(len(statements))
    assert len(sent) == 1  # the same work, whatever was found
    after = (newest_audit()[0].id, db.session.scalar(select(func.count(Membership.id))), db.session.scalar(select(func.count(Contact.id))))
    assert after == before
    assert [person.email for person in staff.people(acme.id, by=acme("boss")).rows] == [acme.email(w) for w in ("boss", "deputy", "worker")]


def test_good_addresses_succeed_beside_taken_ones_and_none_is_dropped(acme: Firm) -> None:
    taken = list(taken_addresses(acme).values())
    told = acme.add(" ".join(["one@acme.example", *taken, "two@acme.example", acme.email("worker")]))
    assert [one.email for one in told] == ["one@acme.example", *taken, "two@acme.example", acme.email("worker")]
    assert [one.done for one in told] == [True, *[False] * len(taken), True, True]


def test_own_people_get_the_roles_on_top(acme: Firm) -> None:
    [added] = acme.add(acme.email("worker").upper(), "External-Actor")
    assert (added.user_id, added.done, added.deactivated) == (acme.ids["worker"], True, False)
    assert roles_of(acme.ids["worker"], acme.tenant) == ["External-Actor", "External-Reader"]
    assert newest_audit()[0].changes == {"roles": [["External-Reader"], ["External-Actor", "External-Reader"]]}
    assert acme.add(acme.email("worker"), "External-Actor")[0].sentence == "Has an account with these roles already."


def test_who_is_deactivated_gets_the_roles_and_stays_so(acme: Firm) -> None:
    acme.act(staff.deactivate, "worker")
    [added] = acme.add(acme.email("worker"), "External-Actor")
    assert (added.done, added.deactivated, acme.user("worker").active) == (True, True, False)
    assert roles_of(acme.ids["worker"], acme.tenant) == ["External-Actor", "External-Reader"]


def test_a_role_closed_while_the_window_is_open_fails_all_of_it(acme: Firm) -> None:
    [actor, reader] = role_ids("External-Actor", "External-Reader")
    start_writing()
    parties.edit(acme.id, version=acme.party().version, role_ids=[reader], by=acme.cast("olga"))
    db.session.commit()
    for verb in (
        lambda: acme.add("new@acme.example", "External-Actor", "External-Reader"),
        lambda: acme.add("new@acme.example", "Org-Admin"),
    ):
        with pytest.raises(Unfit, match="not open to the organisation") as refused:
            verb()
        assert refused.value.field == "roles"
    with pytest.raises(Unfit, match="not open"):
        staff.set_roles(acme.id, [acme.ids["worker"]], [actor], by=acme("boss"))
    db.session.rollback()
    assert account("new@acme.example") is None
    assert roles_of(acme.ids["worker"], acme.tenant) == ["External-Reader"]


@pytest.mark.parametrize("text", ["", "  ,;\n \u200b"])
def test_an_empty_box_is_refused(acme: Firm, text: str) -> None:
    with pytest.raises(Unfit, match="Type at least one") as refused:
        acme.add(text)
    assert refused.value.field == "addresses"


def test_without_a_role_nobody_is_added(acme: Firm) -> None:
    with pytest.raises(Unfit, match="at least one role"):
        staff.add(acme.id, "new@acme.example", [], by=acme("boss"))


@pytest.mark.parametrize(("text", "said"), [("good@acme.example\nbad-1", "bad-1 can't be added"), ("", "Type at least one")])
def test_what_is_wrong_with_addresses_and_roles_is_said_at_once(acme: Firm, text: str, said: str) -> None:
    with pytest.raises(Unfit, match="at least one role") as refused:
        staff.add(acme.id, text, [], by=acme("boss"))
    other = refused.value.other
    assert (refused.value.field, other and other.field, said in str(other)) == ("roles", "addresses", True)


def test_one_bad_address_refuses_all(acme: Firm) -> None:
    with pytest.raises(Unfit, match=r"not-an-address can't be added"):
        acme.add("good@acme.example\nnot-an-address")
    db.session.rollback()
    assert account("good@acme.example") is None


def test_all_bad_addresses_are_named_by_reason(acme: Firm) -> None:
    parties.edit(acme.id, version=acme.party().version, domains="acme.example", by=acme.cast("olga"))
    db.session.commit()
    with pytest.raises(Unfit) as refused:
        acme.add(f"good@acme.example\nbad-1\na@elsewhere.example\nbad-2 {'x' * 200}\nb@elsewhere.example")
    shape = "bad-1, bad-2 can't be added: Enter an e-mail address like name@example.org."
    domain = "a@elsewhere.example, b@elsewhere.example can't be added: Only addresses of these domains can be added: acme.example."
    assert refused.value.sentence == f"{shape} {domain} {'x' * 128} can't be added: Use at most 128 characters."
    with pytest.raises(Unfit, match=r"^bad-0, .*, bad-9 and 13 more can't be added"):
        acme.add(" ".join(f"bad-{number}" for number in range(23)))


def test_five_hundred_pasted_addresses_with_rubbish_between(acme: Firm, app: Flask) -> None:
    good = [f"person{number}+soc@acme.example" for number in range(491)]
    rubbish = [
        "-----",
        "Name",
        "<x@>",
        "@acme.example",
        "a@b@c.example",
        f"{'l' * 200}@acme.example",
        "two..dots@acme.example",
        "\U0001f600",
        "a@-b.example",
    ]
    between = ",;\n\t "
    text = "".join((email.upper() if number % 2 else email) + between[number % 5] for number, email in enumerate(good))
    told = problems(acme, f"{text}\n{chr(10).join(rubbish)}\0{good[0]}")
    assert {email for email, problem in told.items() if not problem} == set(good)
    assert {email for email, problem in told.items() if problem} == {word.lower().strip("<>") for word in rubbish}
    with counted(app) as statements:
        added = acme.add(text)
    assert (len(added), all(one.done for one in added)) == (491, True)
    assert len(statements) < 60
    with pytest.raises(Unfit, match="at most 500"):
        acme.add(" ".join(f"p{number}@acme.example" for number in range(501)))


def test_an_address_twice_in_different_case_is_one_person(acme: Firm) -> None:
    told = acme.add("Twice@Acme.example twice@acme.example, TWICE@ACME.EXAMPLE")
    assert [one.email for one in told] == ["twice@acme.example"]


def test_plus_addresses_are_people_of_their_own(acme: Firm) -> None:
    told = acme.add("kim@acme.example kim+soc@acme.example")
    assert len({one.user_id for one in told}) == 2
    assert acme.people()["kim+soc"].name == "kim+soc"


def test_international_domains_are_one_address_in_both_spellings(acme: Firm) -> None:
    [added] = acme.add("eva@münchen.example EVA@xn--mnchen-3ya.example")
    assert added.email == "eva@münchen.example"
    [again] = acme.add("eva@xn--mnchen-3ya.example", "External-Actor")
    assert again.user_id == added.user_id


@pytest.mark.parametrize("address", ["jürgen@acme.example", "иван@acme.example"])
def test_an_address_mail_cannot_reach_is_refused_for_everybody(acme: Firm, address: str) -> None:
    from portal.accounts import invitations

    [problem] = problems(acme, address).values()
    assert problem.startswith("Many mail servers cannot write to addresses with such letters before the @.")
    with pytest.raises(Unfit, match="such letters before the @"):
        acme.add(address)
    db.session.rollback()
    with pytest.raises(Unfit, match="such letters before the @"):
        invitations.free_address(address)


def test_only_addresses_of_the_allowed_domains_are_added(acme: Firm) -> None:
    start_writing()
    parties.edit(acme.id, version=acme.party().version, domains="acme.example münchen.example", by=acme.cast("olga"))
    db.session.commit()
    told = problems(acme, "a@acme.example b@xn--mnchen-3ya.example c@evil.example d@sub.acme.example e@acme.example.evil.example")
    assert [email for email, problem in told.items() if not problem] == ["a@acme.example", "b@xn--mnchen-3ya.example"]
    with pytest.raises(Unfit, match="Only addresses of these domains"):
        acme.add("c@evil.example")


def test_the_cap_counts_who_is_not_deactivated(acme: Firm) -> None:
    start_writing()
    parties.edit(acme.id, version=acme.party().version, cap=4, by=acme.cast("olga"))
    db.session.commit()
    told = problems(acme, f"one@acme.example two@acme.example {acme.email('worker')} ada@people.example")
    assert [bool(problem) for problem in told.values()] == [False, True, False, True]
    with pytest.raises(Unfit, match="may have 4 people"):
        acme.add("one@acme.example two@acme.example")
    db.session.rollback()
    acme.new("one")
    assert acme.act(staff.deactivate, "one") == [("one", True)]
    acme.new("two")
    assert acme.act(staff.reactivate, "one") == [("one", False)]
    assert not acme.user("one").active


def test_two_administrators_do_not_pass_the_cap_together(app: Flask, acme: Firm) -> None:
    start_writing()
    parties.edit(acme.id, version=acme.party().version, cap=4, by=acme.cast("olga"))
    db.session.commit()
    boss, deputy = acme("boss"), acme("deputy")
    told = at_once(app, lambda: acme.add("one@acme.example", by=boss), lambda: acme.add("two@acme.example", by=deputy))
    assert sorted(isinstance(one, Unfit) for one in told) == [False, True]
    assert len(acme.people()) == 4


def test_the_same_address_added_twice_at_once_is_one_account(app: Flask, acme: Firm) -> None:
    rival = Firm(acme.cast, "rival")
    boss, deputy, other = acme("boss"), acme("deputy"), rival("boss")
    told = at_once(
        app,
        lambda: acme.add("same@post.example", by=boss),
        lambda: acme.add("same@post.example", by=deputy),
        lambda: rival.add("same@post.example", by=other),
    )
    assert not [one for one in told if isinstance(one, Exception)]
    assert db.session.scalar(select(func.count()).select_from(User).where(User.email == "same@post.example")) == 1
    assert {told[0][0].done, told[1][0].done, told[2][0].done} == {True, False}


def test_nobody_else_adds_people(acme: Firm) -> None:
    rival = Firm(acme.cast, "rival")
    for by in (acme("worker"), rival("boss"), acme.cast("hanna"), acme.cast("otto")):
        with pytest.raises(NotVisible):
            acme.add("new@acme.example", by=by)
        with pytest.raises(NotVisible):
            staff.check(acme.id, "new@acme.example", by=by)
    with pytest.raises(NotAllowed):
        acme.add("new@acme.example", by=acme.cast("ada"))
    db.session.rollback()
    assert account("new@acme.example") is None
    assert acme.add("new@acme.example", by=acme.cast("pia"))[0].done


def test_nobody_is_added_while_the_team_is_locked(acme: Firm) -> None:
    boss = acme("boss")
    db.session.get_one(Organisation, acme.tenant).locked = True
    db.session.commit()
    with pytest.raises(Refusal, match="Northwind is locked"):
        acme.add("new@acme.example", by=boss)


def test_what_was_added_sees_no_case(acme: Firm) -> None:
    from portal.cases.models import Case
    from portal.sharing import scope

    acme.new("new")
    titles = set(db.session.scalars(scope.visible(acme("new"), Case, Case.title)))
    assert titles == {"The all case"}


def test_leaving_keeps_the_contact_and_frees_the_account(acme: Firm) -> None:
    contact_id = acme.seat("worker").contact_id
    start_writing()
    people.delete(acme.ids["worker"], by=acme.cast("olga"))
    db.session.commit()
    assert contact_of(acme.email("worker")).id == contact_id
    [added] = acme.add(acme.email("worker"))
    assert (added.done, db.session.scalar(select(Membership.contact_id).where(Membership.user_id == added.user_id))) == (True, contact_id)


def test_who_changes_employer_leaves_power_and_address_behind(acme: Firm) -> None:
    other = a_party(acme.cast, "Other")
    start_writing()
    old = acme.seat("boss").contact_id
    affiliation.enter(acme.user("boss"), acme.seat("boss"), other)
    db.session.commit()
    seat = acme.seat("boss")
    assert (seat.party_id, seat.portal_admin) == (other.id, False)
    assert (contact_of(acme.email("boss")).party_id, contact_of(acme.email("boss")).id) == (other.id, seat.contact_id)
    assert db.session.get_one(Contact, old).party_id == acme.id


def test_the_console_gives_guests_of_an_organisation_a_contact(acme: Firm) -> None:
    from portal.accounts import invitations
    from portal.accounts.joining import Seat

    seat = Seat(acme.tenant, frozenset(role_ids("External-Reader")))
    about = {"kind": AccountType.EXTERNAL, "seats": [seat], "by": acme.cast("olga")}
    start_writing()
    invitations.invite(email="typed@acme.example", name="Ty Ped", works_for="acme", **about)
    db.session.commit()
    assert acme.people()["typed"].confirmed
    assert contact_of("typed@acme.example").name == "Ty Ped"
    acme.contact("Con Tact", "con@acme.example")
    start_writing()
    with pytest.raises(Unfit, match="a contact of another external organisation"):
        invitations.invite(email="con@acme.example", name="Con", works_for="Other", **about)


def test_a_portal_administrator_adds_five_hundred_addresses_a_day(acme: Firm) -> None:
    acme.add(" ".join(f"p{number}@acme.example" for number in range(497)))
    [taken] = acme.add("ada@people.example")
    assert not taken.done  # tried is counted, too
    with pytest.raises(Unfit, match="500 addresses a day"):
        acme.add("one@acme.example two@acme.example three@acme.example")
    db.session.rollback()
    assert account("one@acme.example") is None
    assert len(acme.add("one@acme.example two@acme.example")) == 2
    with pytest.raises(Unfit, match="500 addresses a day"):
        acme.add("three@acme.example")
    db.session.rollback()
    assert acme.add("three@acme.example", by=acme("deputy"))[0].done
    assert acme.add("four@acme.example", by=acme.cast("olga"))[0].done
    with time_machine.travel(now() + timedelta(hours=25)):
        assert acme.add("five@acme.example")[0].done
