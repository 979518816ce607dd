"""Your organisation in the portal: who gets in, what the pages say and refuse, and that nothing of another organisation is there."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.accounts.models import Membership, OneTimeLink, User, membership_profile
from portal.database import start_writing
from portal.extensions import db
from portal.organisations.models import Party
from portal.settings.models import Setting
from tests.fixtures.company import Company
from tests.fixtures.results import told
from tests.fixtures.world import Browser, World

Enter = Callable[[str], Browser]
Browse = Callable[[str], Browser]
ROOT = "/portal/organisation"
PAGES = (ROOT, f"{ROOT}/people", f"{ROOT}/people/add", f"{ROOT}/addresses", f"{ROOT}/agreements")


def _ask(app: Flask, statement: Any) -> object:
    with app.app_context():
        return db.session.connection().execute(statement).scalar()


@pytest.mark.parametrize("path", PAGES)
def test_a_portal_administrator_can_read_each_page(enter: Enter, path: str) -> None:
    page = enter("petra").get(path)
    assert page.status_code == 200
    assert "Contoso" in page.text or "people" in page.text


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("who", ["paul", "fred"])
def test_others_of_the_organisation_cannot_get_in(enter: Enter, who: str, path: str) -> None:
    browser = enter(who)
    assert browser.get(path).status_code == 404
    assert "Your organisation" not in browser.get("/portal/").text


@pytest.mark.parametrize("path", PAGES)
def test_people_without_an_organisation_cannot_get_in(browse: Browse, path: str) -> None:
    assert browse("hanna").get(path).status_code == 404
    assert browse("ada").get(path).status_code == 303  # the portal knows no colleague


@pytest.mark.parametrize(("path", "here"), [("/portal/", False), ("/portal/account", False), (ROOT, True), (f"{ROOT}/people", True)])
def test_the_bar_above_each_page_leads_there(enter: Enter, path: str, here: bool) -> None:
    bar = enter("petra").get(path).text.partition('<header class="topbar">')[2].partition("</nav>")[0]
    assert f'<a href="{ROOT}"{" aria-current=" if here else ">"}' in bar


def test_who_looks_through_their_eyes_cannot_get_in(company: Company, browse: Browse, world: World) -> None:
    ada = browse("ada")
    assert ada.post(f"/console/cases/{world.cases['all']}/view-as", {"person": company.people["petra"]}).status_code == 303
    assert "You see the portal as" in ada.get("/portal/").text
    for path in PAGES:
        assert ada.get(path).status_code == 404
    assert ada.post(f"{ROOT}/people", {"addresses": "x@people.example"}).status_code in (403, 404)


# Details.


def test_name_and_phone_can_be_changed(app: Flask, company: Company, enter: Enter) -> None:
    petra = enter("petra")
    page = petra.get(ROOT)
    assert "Loose Contoso" in page.text
    assert "Client" in page.text
    assert "contoso.example" in page.text
    assert "3 people" in page.text  # perry is deactivated
    answer = petra.confirm(ROOT, {"name": "Contoso AG", "phone": "+49 30 77"})
    assert answer.status_code == 303
    assert 'value="Contoso AG"' in petra.get(ROOT).text
    row = select(Party.name, Party.own_name).where(Party.id == company.parties["Contoso Ltd"])
    with app.app_context():  # what they call themselves is theirs; the team goes on with its own word
        assert tuple(db.session.execute(row).one()) == ("Contoso Ltd", "Contoso AG")
    assert _ask(app, select(Party.phone).where(Party.id == company.parties["Contoso Ltd"])) == "+49 30 77"


def test_nothing_else_of_the_details_can_be_changed(app: Flask, company: Company, enter: Enter) -> None:
    sent = {
        "name": "Contoso Ltd",
        "phone": "",
        "cap": "9",
        "kind": "vendor",
        "domains": "x.example",
        "notes": "n",
        "primary_contact_id": "1",
    }
    enter("petra").confirm(ROOT, sent)
    with app.app_context():
        party = db.session.get_one(Party, company.parties["Contoso Ltd"])
        assert (party.cap, party.kind.value, party.domains) == (None, "client", "people.example contoso.example")
        assert party.notes == "Notes on Contoso Ltd."


def test_an_older_form_is_told_what_was_saved_meanwhile(app: Flask, company: Company, enter: Enter) -> None:
    petra, other = enter("petra"), enter("petra")
    version = re.findall(r'name="version" value="([^"]+)_1"', petra.get(ROOT).text)[0]
    assert other.confirm(ROOT, {"name": "Contoso Two", "phone": "1"}).status_code == 303
    answer = petra.post(ROOT, {"name": "Contoso Three", "phone": "2", "version": f"{version}_1"})
    assert answer.status_code == 422
    assert "Contoso Two" in answer.text
    assert 'value="Contoso Three"' in answer.text
    assert f'name="version" value="{version}_2"' in answer.text
    assert _ask(app, select(Party.own_name).where(Party.id == company.parties["Contoso Ltd"])) == "Contoso Two"


@pytest.mark.parametrize("name", ["", " ", "n" * 129, "The security team"])
def test_a_name_that_will_not_do_is_refused(enter: Enter, name: str) -> None:
    answer = enter("petra").confirm(ROOT, {"name": name, "phone": "1"})
    assert answer.status_code == 422
    assert "error-summary" in answer.text
    assert "Fabrikam Works" not in answer.text


# People.


def test_the_list_shows_its_own_people_only(enter: Enter) -> None:
    page = enter("petra").get(f"{ROOT}/people").text
    for name in ("Petra Person", "Paul Person", "Paula Person", "Perry Person"):
        assert name in page
    for other in ("Fiona", "Fred", "Elva", "Hanna", "Fabrikam", "Yonder", "The shared case", "The all case"):
        assert other not in page
    assert ("Reader" in page, "Participant" in page, "External-" in page) == (True, True, False)
    assert "1 person has not been invited yet" in page
    assert "Deactivated" in page


@pytest.mark.parametrize(
    ("question", "shown"),
    [
        ("q=paul", {"Paul", "Paula"}),
        ("state=locked", {"Perry"}),
        ("state=uninvited", {"Paula"}),
        ("state=active", {"Petra", "Paul"}),
        ("state=nonsense&sort=nonsense&after=nonsense", {"Petra", "Paul", "Paula", "Perry"}),
        ("q=fred", set()),
        ("q=%00", {"Petra", "Paul", "Paula", "Perry"}),
    ],
)
def test_the_list_can_be_narrowed(enter: Enter, question: str, shown: set[str]) -> None:
    page = enter("petra").get(f"{ROOT}/people?{question}", htmx=True).text
    assert {name for name in ("Petra", "Paul", "Paula", "Perry") if f"<span>{name} Person" in page} == shown


@pytest.mark.parametrize(("sort", "first"), [("name", "Paul "), ("-name", "Petra "), ("seen", ""), ("-seen", "")])
def test_the_list_can_be_sorted(enter: Enter, sort: str, first: str) -> None:
    page = enter("petra").get(f"{ROOT}/people?sort={sort}").text
    assert "aria-sort" in page
    assert f"<span>{first}" in page


def test_the_list_goes_on_after_25(app: Flask, company: Company, enter: Enter) -> None:
    text = " ".join(f"many{at:02d}@people.example" for at in range(30))
    petra = enter("petra")
    assert petra.post(f"{ROOT}/people", {"addresses": text, "roles": company.jobs["External-Actor"]}).status_code == 303
    first = petra.get(f"{ROOT}/people").text
    following = first.split('class="button" href="')[-1].split('"')[0].replace("&amp;", "&")
    assert "after=" in following
    second = petra.get(following).text
    assert first.count('class="c-person"') == 25
    assert second.count('class="c-person"') == 9


def test_people_can_be_added_and_invited_later(app: Flask, company: Company, enter: Enter) -> None:
    petra = enter("petra")
    asked = petra.get(f"{ROOT}/people/add")
    assert "Somebody new sees the cases that are shared with your whole organisation" in asked.text
    text = "New.One@People.example; loose@contoso.example, perry@people.example\npaul@people.example "
    text += "fred@people.example new.one@people.example"
    answer = told(petra, petra.post(f"{ROOT}/people", {"addresses": text, "roles": company.jobs["External-Actor"]}))
    assert "Send invitations now?" in answer.text
    assert "2 people need an invitation" in answer.text
    assert "This address can't be added; ask the security team." in answer.text.replace("&#39;", "'")
    assert answer.text.count('<tr class="done">') == 4
    assert ("Roles added: Participant." in answer.text, "External-" in answer.text) == (True, False)
    assert answer.text.count('<tr class="left">') == 1
    assert "act=reactivate" not in answer.text  # who deactivated perry? Not them
    assert _ask(app, select(func.count()).select_from(OneTimeLink)) == 0
    assert "3 people have not been invited yet" in petra.get(f"{ROOT}/people").text
    made = _ask(app, select(User.uid).where(User.email == "new.one@people.example"))
    sent = petra.post(f"{ROOT}/people/act", {"act": "invite", "people": made})
    assert sent.status_code == 303
    theirs = select(func.count()).select_from(OneTimeLink).join(User, User.id == OneTimeLink.user_id)
    assert _ask(app, theirs.where(User.uid == made)) == 1


def test_the_same_form_sent_twice_adds_once(company: Company, enter: Enter) -> None:
    petra = enter("petra")
    sent = {"addresses": "twice@people.example", "roles": company.jobs["External-Actor"], "submission": "abcdef"}
    once, again = petra.post(f"{ROOT}/people", sent), petra.post(f"{ROOT}/people", sent)
    assert "twice@" in told(petra, again).text
    assert again.headers["Location"] == once.headers["Location"]


@pytest.mark.parametrize(
    ("text", "role", "said"),
    [
        ("", "External-Actor", "Type at least one e-mail address."),
        ("rubbish\ngood@people.example", "External-Actor", "rubbish"),
        ("a@elsewhere.example", "External-Actor", "contoso.example"),
        ("good@people.example", "", "Choose at least one role."),
        ("good@people.example", "Analyst", "is not open"),
        ("good@people.example", "x", "error-summary"),
    ],
)
def test_what_cannot_be_added_is_said_and_kept(app: Flask, company: Company, enter: Enter, text: str, role: str, said: str) -> None:
    before = _ask(app, select(func.count()).select_from(User))
    key = {"": [], "x": ["x"], "Analyst": ["3"]}.get(role) if role not in company.roles else [company.jobs[role]]
    answer = enter("petra").post(f"{ROOT}/people", {"addresses": text, "roles": key})
    assert answer.status_code == 422
    assert said in answer.text
    assert text in answer.text
    assert _ask(app, select(func.count()).select_from(User)) == before


def test_each_address_is_looked_at_while_typing(app: Flask, enter: Enter) -> None:
    petra = enter("petra")
    petra.get(f"{ROOT}/people/add")
    text = "Uno One, One@people.example\nrubbish\nx@elsewhere.example fred@people.example"
    part = petra.post(f"{ROOT}/people/check", {"addresses": text}, htmx=True)
    assert part.status_code == 200
    assert part.text.count('class="address-chip') == 4 + 1  # and the list itself
    assert part.text.count("address-chip wrong") == 2
    order = re.findall('data-take-out="([^"]+)"', part.text)
    assert order == ["rubbish", "x@elsewhere.example", "one@people.example", "fred@people.example"]  # what is wrong is not below the fold
    assert "ask the security team" not in part.text  # what is taken elsewhere is told to nobody before it is tried
    assert petra.post(f"{ROOT}/people/check", {"addresses": "a@b.example"}).status_code == 303


ACTS = [
    ("invite", "paula", "Invited. The security team can hand over the link."),
    ("deactivate", "paul", "Deactivated"),
    ("reactivate", "paul", "Reactivated"),
    ("make-admin", "paul", "Is portal administrator now."),
]


@pytest.mark.parametrize(("act", "who", "said"), ACTS)
def test_each_act_is_asked_about_and_then_done(company: Company, enter: Enter, act: str, who: str, said: str) -> None:
    petra, key = enter("petra"), company.uids[who]
    if act == "reactivate":  # whom they closed themselves
        petra.post(f"{ROOT}/people/act", {"act": "deactivate", "people": key})
    for htmx in (False, True):
        asked = petra.get(f"{ROOT}/people/act?act={act}&people={key}", htmx=htmx)
        assert asked.status_code == 200
        assert f"{who.capitalize()} Person" in asked.text
    assert petra.post(f"{ROOT}/people/act", {"act": act, "people": key}).status_code == 303
    assert said in petra.get(f"{ROOT}/people").text


WITHOUT_MAIL = "Mail is not set up here. The security team can hand over the links."


def test_without_mail_nobody_is_promised_any(company: Company, enter: Enter) -> None:
    petra, key = enter("petra"), company.uids["paula"]
    assert WITHOUT_MAIL in petra.get(f"{ROOT}/people").text
    added = told(petra, petra.post(f"{ROOT}/people", {"addresses": "new@people.example", "roles": company.jobs["External-Actor"]}))
    assert WITHOUT_MAIL in added.text
    for act, person in (("invite", key), ("make-admin", company.uids["paul"])):
        asked = petra.get(f"{ROOT}/people/act?act={act}&people={person}").text
        assert "e-mail" not in asked.split("<main", 1)[1]
    done = told(petra, petra.post(f"{ROOT}/people/act", {"act": "invite", "people": [key, company.uids["paul"]]})).text
    assert WITHOUT_MAIL in done
    assert "on its way" not in done


def test_with_mail_invitations_are_on_their_way(app: Flask, company: Company, enter: Enter) -> None:
    with app.app_context():
        start_writing()
        db.session.add(Setting(name="mail", value={"smtp_host": "smtp.example.org"}))
        db.session.commit()
    petra, key = enter("petra"), company.uids["paula"]
    assert WITHOUT_MAIL not in petra.get(f"{ROOT}/people").text
    assert "e-mail with a link" in petra.get(f"{ROOT}/people/act?act=invite&people={key}").text
    assert "told by e-mail" in petra.get(f"{ROOT}/people/act?act=make-admin&people={company.uids['paul']}").text
    assert petra.post(f"{ROOT}/people/act", {"act": "invite", "people": key}).status_code == 303
    assert "The invitation is on its way." in petra.get(f"{ROOT}/people").text


def test_as_many_as_were_added_at_once_can_be_invited_at_once(app: Flask, company: Company, enter: Enter) -> None:
    petra, roles = enter("petra"), company.jobs["External-Actor"]
    text = " ".join(f"p{number}@people.example" for number in range(501))
    refused = petra.post(f"{ROOT}/people", {"addresses": text, "roles": roles})
    assert (refused.status_code, "Add at most 500 addresses at once." in refused.text) == (422, True)
    added = petra.post(f"{ROOT}/people", {"addresses": text.removesuffix(" p500@people.example"), "roles": roles})
    waiting = re.findall(r'name="people" value="([0-9a-f]{16})"', added.text)
    assert len(waiting) == 500
    assert petra.post(f"{ROOT}/people/act", {"act": "invite", "people": waiting}).status_code == 303
    sent = select(func.count()).select_from(OneTimeLink).where(OneTimeLink.created_by_id == company.people["petra"])
    assert _ask(app, sent) == 20  # as many as a portal administrator may send in a day


def test_the_domains_that_can_be_added_are_said_in_words(enter: Enter) -> None:
    page = enter("petra").get(f"{ROOT}/people/add").text
    assert "Only addresses with one of these after the @ can be added: people.example, contoso.example" in page
    assert "Up to 500 at once" in page


def test_deactivating_ends_sessions_and_reactivating_lets_in_again(company: Company, enter: Enter) -> None:
    petra, paul = enter("petra"), enter("paul")
    assert paul.get("/portal/").status_code == 200
    petra.post(f"{ROOT}/people/act", {"act": "deactivate", "people": company.uids["paul"]})
    assert paul.get("/portal/").status_code == 303
    petra.post(f"{ROOT}/people/act", {"act": "reactivate", "people": company.uids["paul"]})
    assert enter("paul").get("/portal/").status_code == 200


@pytest.mark.parametrize(
    ("language", "one", "several"),
    [
        ("en", "This person is signed out everywhere", "They are signed out everywhere"),
        ("fr", "Cette personne est aussitôt déconnectée", "Ces personnes sont aussitôt déconnectées"),
        ("de", "Diese Person wird sofort überall abgemeldet", "Diese Personen werden sofort überall abgemeldet"),
        (
            "es",
            "Se cierran de inmediato todas las sesiones de esta persona",
            "Se cierran de inmediato todas las sesiones de estas personas",
        ),
    ],
)
def test_a_question_about_one_person_speaks_of_one(company: Company, enter: Enter, language: str, one: str, several: str) -> None:
    petra, headers = enter("petra"), {"Accept-Language": language}
    for names, said, unsaid in ((("paul",), one, several), (("paul", "perry"), several, one)):
        query = {"act": "deactivate", "people": [company.uids[name] for name in names]}
        page = unescape(petra.get(f"{ROOT}/people/act", query_string=query, headers=headers).text)
        assert (said in page, unsaid in page) == (True, False)


def test_an_invitation_can_be_cancelled(app: Flask, company: Company, enter: Enter) -> None:
    petra, key = enter("petra"), company.uids["paula"]
    petra.post(f"{ROOT}/people/act", {"act": "invite", "people": key})
    assert "until " in petra.get(f"{ROOT}/people?state=invited").text or "waiting" in petra.get(f"{ROOT}/people").text
    assert petra.post(f"{ROOT}/people/act", {"act": "cancel", "people": key}).status_code == 303
    assert _ask(app, select(OneTimeLink.superseded_at).where(OneTimeLink.user_id == company.people["paula"])) is not None


def test_roles_can_be_set_for_several(app: Flask, company: Company, enter: Enter) -> None:
    petra = enter("petra")
    names = ("paul", "paula")
    people = [company.uids[name] for name in names]
    asked = petra.get(f"{ROOT}/people/act", query_string={"act": "roles", "people": people})
    assert ("Reader" in asked.text, "Participant" in asked.text, "External-" in asked.text) == (True, True, False)
    sent = {"act": "roles", "people": people, "roles": [company.jobs["External-Reader"]]}
    answer = told(petra, petra.post(f"{ROOT}/people/act", sent))
    assert "The roles of 2 people are saved" in answer.text
    held = select(func.count()).select_from(membership_profile).join(Membership, Membership.id == membership_profile.c.membership_id)
    reader = membership_profile.c.profile_id == company.roles["External-Reader"]
    assert _ask(app, held.where(reader, Membership.user_id.in_([company.people[name] for name in names]))) == 2


@pytest.mark.parametrize("roles", [[], ["3"], ["999999"], ["x"]])
def test_a_role_that_is_not_open_cannot_be_given(app: Flask, company: Company, enter: Enter, roles: list[str]) -> None:
    answer = enter("petra").post(f"{ROOT}/people/act", {"act": "roles", "people": company.uids["paul"], "roles": roles})
    assert answer.status_code == 422
    assert "error-summary" in answer.text


@pytest.mark.parametrize(
    ("act", "said"), [("deactivate", "You cannot deactivate yourself"), ("remove-admin", "Is the last portal administrator")]
)
def test_the_last_administrator_cannot_take_themselves_away(company: Company, enter: Enter, act: str, said: str) -> None:
    petra = enter("petra")
    answer = told(petra, petra.post(f"{ROOT}/people/act", {"act": act, "people": company.uids["petra"]}))
    assert "Nothing was changed" in answer.text
    assert said in answer.text
    assert petra.get(ROOT).status_code == 200


def test_a_former_administrator_cannot_go_on(company: Company, enter: Enter) -> None:
    petra, paul = enter("petra"), enter("paul")
    petra.post(f"{ROOT}/people/act", {"act": "make-admin", "people": company.uids["paul"]})
    assert paul.get(ROOT).status_code == 200
    paul.post(f"{ROOT}/people/act", {"act": "remove-admin", "people": company.uids["petra"]})
    assert petra.get(ROOT).status_code == 404
    assert petra.post(f"{ROOT}/people/act", {"act": "deactivate", "people": company.uids["paul"]}).status_code == 404
    assert petra.get("/portal/").status_code == 200


@pytest.mark.parametrize("question", ["", "?act=invite", "?people=1", "?act=nonsense&people=1"])
def test_without_act_or_people_it_leads_to_the_list(enter: Enter, question: str) -> None:
    assert enter("petra").get(f"{ROOT}/people/act{question}").status_code == 303
