"""People of an external organisation in the console: the table, adding many at once, what is done to those ticked."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.accounts import sessions, staff
from portal.accounts.models import Membership, User
from portal.audit.kinds import Kind
from portal.audit.record import record
from portal.database import start_writing
from portal.extensions import db
from portal.mail.models import OutboxMessage
from portal.organisations.models import Contact, Party, party_profile
from tests.fixtures.company import Company
from tests.fixtures.results import told
from tests.fixtures.statements import counted
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]
TAKEN = "This address can't be added; ask the security team."


@pytest.fixture
def olga(browse: Browse) -> Browser:
    return browse("olga")


@pytest.fixture
def contoso(company: Company) -> str:
    return f"/console/external-organisations/{company.parties['Contoso Ltd']}"


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", unescape(page.replace("<wbr>", ""))).split())


def seat(app: Flask, user_id: int) -> tuple[bool, bool]:
    """Whether the person may sign in, and manages their organisation."""
    with app.app_context():
        row = db.session.execute(
            select(User.active, Membership.portal_admin).join(Membership, Membership.user_id == User.id).where(User.id == user_id)
        ).one()
        return row.active, row.portal_admin


def test_the_table_shows_roles_states_and_administrators(olga: Browser, contoso: str) -> None:
    page = words(olga.get(f"{contoso}/people").text)
    assert "3 people, 1 portal administrator." in page
    assert "Petra Person petra@people.example External-Actor Portal administrator Active" in page
    assert "Paula Person Name not confirmed paula@people.example External-Actor Not invited" in page
    assert "Perry Person perry@people.example External-Actor Deactivated" in page
    assert "Fred" not in page
    assert "Nobody new sees a case until one is shared with them" in page


def test_the_table_can_be_searched_narrowed_and_sorted(olga: Browser, contoso: str) -> None:
    for asked, shown in (
        ({"q": "pau"}, {"Paul", "Paula"}),
        ({"state": "locked"}, {"Perry"}),
        ({"state": "uninvited"}, {"Paula"}),
        ({"q": "fred"}, set()),
        ({"sort": "-name"}, {"Petra", "Paul", "Paula", "Perry"}),
    ):
        page = olga.get(f"{contoso}/people", query_string=asked).text
        assert set(re.findall(r">(\w+) Person</a>", page)) == shown, asked
    page = olga.get(f"{contoso}/people", query_string={"sort": "-name"}).text
    assert re.findall(r">(\w+) Person</a>", page) == ["Petra", "Perry", "Paula", "Paul"]
    assert "Nobody fits" in olga.get(f"{contoso}/people", query_string={"q": "fred"}).text


def test_every_kind_of_address_gets_its_line_and_good_ones_are_added(app: Flask, olga: Browser, contoso: str, company: Company) -> None:
    with app.app_context():
        start_writing()
        db.session.get_one(Party, company.parties["Contoso Ltd"]).domains = ""
        db.session.commit()
    text = "NEW.Person@new.example; loose@contoso.example\npaul@people.example, perry@people.example fred@people.example ada@people.example"
    sent = {"addresses": f"{text} new.person@new.example", "roles": [company.roles["External-Reader"]]}
    added = olga.post(f"{contoso}/people/add", sent)
    page = told(olga, added)
    said = words(page.text)
    assert "4 of 6 addresses are done" in said
    assert said.count(TAKEN) == 2
    assert f"fred@people.example {TAKEN}" in said
    assert "Reactivate perry@people.example" in said
    assert "Send invitations now?" in said
    assert "2 people need an invitation to sign in." in said
    with app.app_context():
        made = db.session.execute(
            select(User.name, Contact.confirmed, User.activated_at)
            .join(Membership, Membership.user_id == User.id)
            .join(Contact, Contact.id == Membership.contact_id)
            .where(User.email == "new.person@new.example")
        ).one()
        assert tuple(made) == ("new.person", False, None)
        assert db.session.scalar(select(func.count()).select_from(OutboxMessage).where(OutboxMessage.letter == "invitation")) == 0
    assert "Not invited" in words(olga.get(f"{contoso}/people", query_string={"q": "new.person"}).text)
    ids = re.findall(r'name="people" value="(\d+)"', page.text)
    done = told(olga, olga.post(f"{contoso}/people/act", {"act": "invite", "people": ids}))
    assert "2 people invited" in words(done.text)
    assert not re.findall(r'name="people" value="(\d+)"', olga.get(added.headers["Location"]).text)  # nobody is asked to invite them twice
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(OutboxMessage).where(OutboxMessage.letter == "invitation")) == 2


@pytest.mark.parametrize(
    ("addresses", "reason"),
    [
        ("", "Type at least one e-mail address."),
        ("good@contoso.example\nnot-an-address", "not-an-address"),
        ("good@contoso.example a@elsewhere.example", "a@elsewhere.example"),
    ],
)
def test_one_bad_address_or_none_at_all_stops_the_whole_request(
    app: Flask, olga: Browser, contoso: str, company: Company, addresses: str, reason: str
) -> None:
    page = olga.post(f"{contoso}/people/add", {"addresses": addresses, "roles": [company.roles["External-Reader"]]})
    assert page.status_code == 422
    assert reason in words(page.text)
    assert addresses in unescape(page.text)
    with app.app_context():
        assert db.session.scalar(select(User.id).where(User.email == "good@contoso.example")) is None


def test_roles_must_be_chosen_from_the_open_ones(app: Flask, olga: Browser, contoso: str, company: Company) -> None:
    for roles in ([], [1], [company.roles["External-Reader"], 1], [987_654]):
        page = olga.post(f"{contoso}/people/add", {"addresses": "good@contoso.example", "roles": roles})
        assert page.status_code == 422, roles
        assert "good@contoso.example" in page.text
    with app.app_context():
        assert db.session.scalar(select(User.id).where(User.email == "good@contoso.example")) is None


def test_what_is_wrong_with_roles_and_addresses_is_said_at_once(olga: Browser, contoso: str) -> None:
    page = words(olga.post(f"{contoso}/people/add", {"addresses": "rubbish", "roles": []}).text)
    assert "Choose at least one role." in page
    assert "rubbish can't be added: Enter an e-mail address" in page


def test_addresses_can_be_checked_before_they_are_added(app: Flask, olga: Browser, contoso: str) -> None:
    text = "Goodie Good, Good@contoso.example\nrubbish\nx@elsewhere.example"
    for answer in (
        olga.post(f"{contoso}/people/add", {"addresses": text, "check": "1"}),
        olga.post(f"{contoso}/people/check", {"addresses": text}, htmx=True),
    ):
        page = words(answer.text)
        assert answer.status_code == 200
        assert "3 addresses, 2 of which cannot be added" in page
        page = page.partition("which cannot be added")[2]
        assert page.index("rubbish") < page.index("x@elsewhere.example") < page.index("good@contoso.example")  # what is wrong comes first
    with app.app_context():
        assert db.session.scalar(select(User.id).where(User.email == "good@contoso.example")) is None


def test_the_cap_is_said_and_kept(app: Flask, olga: Browser, contoso: str, company: Company) -> None:
    with app.app_context():
        start_writing()
        db.session.get_one(Party, company.parties["Contoso Ltd"]).cap = 4
        db.session.commit()
    assert "It has 3 of at most 4 people." in words(olga.get(f"{contoso}/people/add").text)
    roles = [company.roles["External-Reader"]]
    assert olga.post(f"{contoso}/people/add", {"addresses": "a@contoso.example b@contoso.example", "roles": roles}).status_code == 422
    assert olga.post(f"{contoso}/people/add", {"addresses": "a@contoso.example", "roles": roles}).status_code == 303


@pytest.mark.parametrize(
    ("act", "who", "after"),
    [
        ("deactivate", "petra", (False, True)),
        ("reactivate", "perry", (True, False)),
        ("admin", "paul", (True, True)),
        ("no-admin", "petra", (True, False)),
    ],
)
def test_the_team_can_do_everything_also_to_the_last_administrator(
    app: Flask, olga: Browser, contoso: str, company: Company, act: str, who: str, after: tuple[bool, bool]
) -> None:
    asked = olga.get(f"{contoso}/people/act", query_string={"act": act, "people": company.people[who]})
    assert f"{who.capitalize()} Person" in words(asked.text)
    before = seat(app, company.people[who])
    assert before != after
    said = words(told(olga, olga.post(f"{contoso}/people/act", {"act": act, "people": company.people[who]})).text)
    assert "1 person" in said
    assert seat(app, company.people[who])[0] == after[0]
    assert act == "deactivate" or seat(app, company.people[who]) == after


def test_who_was_deactivated_by_the_team_already_is_not_offered_to_be_kept_so(
    app: Flask, world: World, olga: Browser, contoso: str, company: Company
) -> None:
    def offered() -> list[str]:
        return re.findall(r"people=(\d+)\">\s*<svg[^>]*>\s*<use[^>]*></use>\s*</svg>Keep deactivated", olga.get(f"{contoso}/people").text)

    with app.app_context():
        start_writing()
        petra = sessions.viewer_of(company.people["petra"], world.places["here"])
        assert petra is not None
        staff.deactivate(company.parties["Contoso Ltd"], [company.people["paul"], company.people["paula"]], by=petra)
        db.session.commit()
    olga.post(f"{contoso}/people/act", {"act": "deactivate", "people": [company.people["petra"], company.people["perry"]]})
    assert sorted(map(int, offered())) == sorted(company.people[who] for who in ("paul", "paula"))
    olga.post(f"{contoso}/people/act", {"act": "deactivate", "people": company.people["paul"]})
    assert offered() == [str(company.people["paula"])]
    with app.app_context():
        start_writing()
        pia, there = sessions.viewer_of(world.people["pia"], world.places["there"]), world.places["there"]
        record(Kind.USER_LOCKED, actor=pia, organisation_id=there, object_id=company.people["paula"])
        db.session.commit()
    assert offered() == []
    assert "Keep it locked" not in olga.get(f"/console/people/{company.people['paula']}").text


def test_keeping_somebody_locked_says_so(app: Flask, world: World, olga: Browser, company: Company) -> None:
    with app.app_context():
        start_writing()
        petra = sessions.viewer_of(company.people["petra"], world.places["here"])
        assert petra is not None
        staff.deactivate(company.parties["Contoso Ltd"], [company.people["paula"]], by=petra)
        db.session.commit()
    paula = f"/console/people/{company.people['paula']}"
    assert "Keep it locked" in olga.get(paula).text
    page = olga.follow(olga.post(f"{paula}/lock")).text
    assert "Paula Person stays locked: only the security team can unlock it." in unescape(page)
    assert "Keep it locked" not in page


def test_several_are_done_each_for_itself_and_told(olga: Browser, contoso: str, company: Company) -> None:
    ids = [company.people[who] for who in ("petra", "paula", "perry")]
    said = words(told(olga, olga.post(f"{contoso}/people/act", {"act": "invite", "people": ids})).text)
    assert "1 person invited" in said
    assert "2 people were left as they are" in said
    said = words(told(olga, olga.post(f"{contoso}/people/act", {"act": "cancel", "people": [company.people["paula"]]})).text)
    assert "1 person no longer invited" in said


def test_roles_of_several_are_set_at_once_and_start_with_what_one_holds(olga: Browser, contoso: str, company: Company) -> None:
    actor, reader = company.roles["External-Actor"], company.roles["External-Reader"]
    asked = olga.get(f"{contoso}/people/act", query_string={"act": "roles", "people": company.people["petra"]}).text
    assert re.search(rf'value="{actor}" checked', asked)
    ids = [company.people["petra"], company.people["paul"]]
    assert olga.post(f"{contoso}/people/act", {"act": "roles", "people": ids}).status_code == 422
    assert olga.post(f"{contoso}/people/act", {"act": "roles", "people": ids, "roles": [1]}).status_code == 422
    assert "2 people" in words(told(olga, olga.post(f"{contoso}/people/act", {"act": "roles", "people": ids, "roles": [reader]})).text)
    assert "Petra Person petra@people.example External-Reader" in words(olga.get(f"{contoso}/people").text)


def test_a_role_that_was_closed_is_offered_where_it_is_held_and_goes(app: Flask, olga: Browser, contoso: str, company: Company) -> None:
    actor, reader = company.roles["External-Actor"], company.roles["External-Reader"]
    with app.app_context():
        db.session.execute(party_profile.delete().where(party_profile.c.profile_id == actor))
        db.session.commit()
    asked = olga.get(f"{contoso}/people/act", query_string={"act": "roles", "people": company.people["petra"]}).text
    assert re.search(rf'value="{actor}" checked', asked)
    done = olga.post(f"{contoso}/people/act", {"act": "roles", "people": company.people["petra"], "roles": [reader]})
    assert done.status_code == 303
    assert "Petra Person petra@people.example External-Reader" in words(olga.get(f"{contoso}/people").text)
    asked = olga.get(f"{contoso}/people/act", query_string={"act": "roles", "people": company.people["petra"]}).text
    assert f'value="{actor}"' not in asked


def test_500_can_be_added_and_invited_at_once_and_not_one_more(app: Flask, olga: Browser, contoso: str, company: Company) -> None:
    sent = {"addresses": " ".join(f"p{number}@people.example" for number in range(501)), "roles": [company.roles["External-Reader"]]}
    refused = olga.post(f"{contoso}/people/add", sent)
    assert (refused.status_code, "Add at most 500 addresses at once." in refused.text) == (422, True)
    added = olga.post(f"{contoso}/people/add", {**sent, "addresses": sent["addresses"].removesuffix(" p500@people.example")})
    waiting = re.findall(r'name="people" value="(\d+)"', told(olga, added).text)
    invited = words(told(olga, olga.post(f"{contoso}/people/act", {"act": "invite", "people": waiting})).text)
    assert "500 people invited" in invited
    assert "on its way" not in invited


def test_who_was_left_for_later_is_told(app: Flask, olga: Browser, contoso: str, company: Company) -> None:
    page = words(olga.get(f"{contoso}/people").text)
    assert "1 person has not been invited yet and cannot sign in." in page
    olga.post(f"{contoso}/people/add", {"addresses": "later@people.example", "roles": [company.roles["External-Reader"]]})
    page = olga.get(f"{contoso}/people").text
    assert "2 people have not been invited yet and cannot sign in." in words(page)
    assert f"{contoso}/people?state=uninvited" in page
    assert "not been invited yet" not in words(olga.get(f"{contoso}/people?state=uninvited").text)


def test_nobody_ticked_or_an_unknown_act_leads_back(olga: Browser, contoso: str, company: Company) -> None:
    for sent in ({}, {"act": "invite"}, {"act": "delete", "people": company.people["paul"]}):
        for answer in (olga.get(f"{contoso}/people/act", query_string=sent), olga.post(f"{contoso}/people/act", sent)):
            assert answer.status_code == 303
    assert "Tick at most 500 people." in words(
        olga.get(olga.get(f"{contoso}/people/act", query_string={"act": "invite", "people": list(range(1, 600))}).headers["Location"]).text
    )


def test_without_mail_a_link_to_copy_is_offered(olga: Browser, contoso: str, company: Company) -> None:
    sent = told(olga, olga.post(f"{contoso}/people/act", {"act": "invite", "people": company.people["paula"]}))
    assert "Mail is not set up" in words(sent.text)
    link = f"/console/people/{company.people['paula']}/invitation/copy"
    assert link in sent.text
    assert link in olga.get(f"{contoso}/people").text
    assert olga.get(link).status_code == 200


def test_inviting_two_hundred_takes_no_more_statements_than_inviting_ten(app: Flask, olga: Browser, contoso: str, company: Company) -> None:
    def statements(path: str, sent: dict[str, object]) -> int:
        with counted(app) as seen:
            assert olga.post(f"{contoso}/people/{path}", sent).status_code == 303
        return len(seen)

    roles = [company.roles["External-Reader"]]
    few = statements("add", {"addresses": " ".join(f"few{n}@contoso.example" for n in range(10)), "roles": roles})
    many = statements("add", {"addresses": " ".join(f"many{n}@contoso.example" for n in range(200)), "roles": roles})
    assert many <= few + 5
    with app.app_context():
        ids = list(db.session.scalars(select(User.id).where(User.email.like("%@contoso.example"), User.activated_at.is_(None))))
    few = statements("act", {"act": "invite", "people": ids[:10]})
    many = statements("act", {"act": "invite", "people": ids[10:]})
    assert many <= few + 5
    with app.app_context():
        told = db.session.execute(select(OutboxMessage.to_user_id, func.count()).group_by(OutboxMessage.to_user_id)).all()
        assert {key: number for key, number in told if key in ids} == dict.fromkeys(ids, 1)


def test_a_person_who_works_nowhere_or_elsewhere_is_not_there(world: World, olga: Browser, contoso: str, company: Company) -> None:
    for who in ("hanna", "ada", "fred", "elva", "gast"):
        key = world.people[who]
        for act in ("invite", "cancel", "deactivate", "reactivate", "admin", "no-admin", "roles"):
            sent = {"act": act, "people": [company.people["paul"], key], "roles": [company.roles["External-Reader"]]}
            assert olga.get(f"{contoso}/people/act", query_string=sent).status_code == 404, (who, act)
            assert olga.post(f"{contoso}/people/act", sent).status_code == 404, (who, act)


def test_after_an_act_the_list_is_as_it_was(olga: Browser, contoso: str, company: Company) -> None:
    asked = "q=person&state=active&sort=-name"
    page = unescape(olga.get(f"{contoso}/people?{asked}").text)
    assert f"{contoso}/people/act?act=deactivate&people={company.people['paul']}&{asked}" in page
    assert '<input type="hidden" name="state" value="active">' in page
    question = unescape(olga.get(f"{contoso}/people/act?act=deactivate&people={company.people['paul']}&{asked}").text)
    assert f'action="{contoso}/people/act?{asked}"' in question
    answer = olga.post(f"{contoso}/people/act?{asked}", {"act": "deactivate", "people": company.people["paul"]})
    assert f'href="{contoso}/people?{asked}"' in unescape(told(olga, answer).text)
    added = olga.post(f"{contoso}/people/add?{asked}", {"addresses": "kim@people.example", "roles": [company.roles["External-Reader"]]})
    assert f'href="{contoso}/people?{asked}"' in unescape(told(olga, added).text)


def test_an_act_sent_twice_leads_to_its_results_unless_their_address_is_too_long(olga: Browser, contoso: str, company: Company) -> None:
    for asked in ("q=person", f"q={'x' * 400}"):
        sent = {"act": "deactivate", "people": company.people["paul"], "submission": asked[:3]}
        first, again = (olga.post(f"{contoso}/people/act?{asked}", sent) for _ in range(2))
        where = first.headers["Location"]
        assert again.headers["Location"] == (where if len(where) <= 400 else where.split("?")[0])
        assert len(where) > 400 or "Paul Person" in olga.get(again.headers["Location"]).text
