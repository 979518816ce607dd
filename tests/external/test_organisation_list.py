"""The list of people in the portal is as it was when somebody comes back to it; results can be loaded again."""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Callable
from html import unescape

import pytest
from flask import Flask
from sqlalchemy import select, update

from portal.accounts.models import Membership, User
from portal.extensions import db
from tests.fixtures.company import Company
from tests.fixtures.results import told
from tests.fixtures.world import Browser

Enter = Callable[[str], Browser]
ROOT = "/portal/organisation"
ASKED = "q=person&state=active&sort=-name"


def _links(page: str, path: str) -> list[str]:
    return [unescape(url) for url in re.findall(r'(?:href|action)="([^"]*)"', page) if unescape(url).split("?")[0] == path]


@pytest.mark.parametrize(("act", "who"), [("deactivate", ["paul"]), ("make-admin", ["paul"]), ("make-admin", ["paul", "petra"])])
def test_after_an_act_the_list_is_as_it_was(company: Company, enter: Enter, act: str, who: list[str]) -> None:
    petra = enter("petra")
    page = petra.get(f"{ROOT}/people?{ASKED}").text
    offered = next(url for url in _links(page, f"{ROOT}/people/act") if f"act={act}" in url)
    assert all(part in offered for part in ASKED.split("&"))
    asked = petra.get(f"{ROOT}/people/act?{ASKED}&act={act}&people={company.uids[who[0]]}").text
    assert _links(asked, f"{ROOT}/people")[-1] == f"{ROOT}/people?{ASKED}"  # Cancel
    [action] = _links(asked, f"{ROOT}/people/act")
    answer = petra.post(action, {"act": act, "people": [company.uids[name] for name in who]})
    if len(who) == 1:
        assert answer.headers["Location"] == f"{ROOT}/people?{ASKED}"
        assert "Paul Person: " in petra.get(answer.headers["Location"]).text
    else:
        assert f"{ROOT}/people?{ASKED}" in _links(told(petra, answer).text, f"{ROOT}/people")


def test_ticked_people_bring_the_list_along(enter: Enter) -> None:
    page = enter("petra").get(f"{ROOT}/people?{ASKED}").text
    bulk = page.split('id="people-bulk"')[1].split("</form>")[0]
    for part in ASKED.split("&"):
        name, _equal, value = part.partition("=")
        assert f'<input type="hidden" name="{name}" value="{value}">' in bulk


def test_who_adds_people_comes_back_to_the_list_as_it_was(company: Company, enter: Enter) -> None:
    petra = enter("petra")
    narrowed = petra.get(f"{ROOT}/people?{ASKED}", htmx=True).text  # while the page stands
    [adding] = _links(narrowed, f"{ROOT}/people/add")
    form = petra.get(adding).text.split('id="add-people"')[1].split("</form>")[0]
    answer = petra.post(f"{ROOT}/people?{ASKED}", {"addresses": "kim@people.example", "roles": company.jobs["External-Actor"]})
    assert set(_links(form, f"{ROOT}/people")) == {f"{ROOT}/people?{ASKED}"}  # where it is sent, and Cancel
    assert set(_links(told(petra, answer).text, f"{ROOT}/people")) == {f"{ROOT}/people?{ASKED}"}


def test_a_page_of_the_list_that_has_become_empty_leads_to_the_first(company: Company, enter: Enter) -> None:
    petra = enter("petra")
    text = " ".join(f"many{at:02d}@people.example" for at in range(30))
    petra.post(f"{ROOT}/people", {"addresses": text, "roles": company.jobs["External-Actor"]})
    first = petra.get(f"{ROOT}/people?state=uninvited").text
    following = unescape(first.split('class="button" href="')[-1].split('"')[0])
    on_it = re.findall(r'name="people" value="([0-9a-f]{16})"', petra.get(following).text)
    answer = petra.post(f"{ROOT}/people/act?{following.partition('?')[2]}", {"act": "deactivate", "people": on_it})
    assert following in _links(told(petra, answer).text, f"{ROOT}/people")
    gone = petra.get(following)
    assert (gone.status_code, gone.headers["Location"]) == (303, f"{ROOT}/people?state=uninvited")


def test_results_are_told_to_nobody_else_and_not_for_ever(company: Company, enter: Enter) -> None:
    petra, fiona = enter("petra"), enter("fiona")
    roles = company.jobs["External-Actor"]
    older = petra.post(f"{ROOT}/people", {"addresses": "kim@people.example", "roles": roles}).headers["Location"]
    newer = petra.post(f"{ROOT}/people", {"addresses": "kay@people.example", "roles": roles}).headers["Location"]
    assert petra.get(older).headers["Location"] == f"{ROOT}/people"
    assert "kay@" in petra.get(newer).text
    assert fiona.get(newer).headers["Location"] == f"{ROOT}/people"
    assert petra.get(f"{ROOT}/people/act?act=invite&{newer.partition('?')[2]}").headers["Location"] == f"{ROOT}/people"


def test_a_result_is_told_again_when_one_of_them_has_left(app: Flask, company: Company, enter: Enter) -> None:
    petra, roles = enter("petra"), company.jobs["External-Actor"]
    shown = petra.post(f"{ROOT}/people", {"addresses": "kim@people.example kay@people.example", "roles": roles}).headers["Location"]
    with app.app_context():
        left = db.session.scalars(select(User).where(User.email == "kim@people.example")).one()
        db.session.execute(update(Membership).where(Membership.user_id == left.id).values(party_id=None))
        db.session.commit()
    assert petra.get(shown).status_code == 200


def test_a_result_too_long_to_be_kept_is_told_at_once(company: Company, enter: Enter) -> None:
    petra, roles = enter("petra"), company.jobs["External-Actor"]
    names = [f"{secrets.token_hex(12)}@people.example" for _number in range(300)]
    sent = {"addresses": " ".join(names), "roles": roles, "submission": "long"}
    answer = petra.post(f"{ROOT}/people", sent)
    assert (answer.status_code, answer.text.count('<tr class="done">')) == (200, 300)
    assert petra.post(f"{ROOT}/people", sent).headers["Location"] == f"{ROOT}/people"  # and loading it again does nothing twice


def _acts(page: str, person: str) -> set[str]:
    offered = [url for url in _links(page, f"{ROOT}/people/act") if f"people={person}" in url.partition("?")[2].split("&")]
    return set(re.findall(r"\bact=([a-z-]+)", " ".join(offered)))


def test_whom_the_team_deactivated_nobody_is_offered_to_reactivate(company: Company, enter: Enter) -> None:
    petra, paul, perry = enter("petra"), company.uids["paul"], company.uids["perry"]
    petra.post(f"{ROOT}/people/act", {"act": "deactivate", "people": paul})
    page = petra.get(f"{ROOT}/people").text
    assert re.findall(r'class="state (?:locked|closed)">([^<]+)<', page) == ["Deactivated", "Deactivated by the security team"]
    assert {"reactivate", "deactivate"} & _acts(page, paul) == {"reactivate"}
    assert {"reactivate", "deactivate"} & _acts(page, perry) == set()
    sent = {"addresses": "paul@people.example perry@people.example", "roles": company.jobs["External-Actor"]}
    added = told(petra, petra.post(f"{ROOT}/people", sent)).text
    assert (_acts(added, paul), _acts(added, perry)) == ({"reactivate"}, set())


def test_nobody_is_promised_to_reactivate_whom_the_team_deactivated(company: Company, enter: Enter) -> None:
    petra, both = enter("petra"), [company.uids[name] for name in ("paul", "perry")]
    petra.post(f"{ROOT}/people/act", {"act": "deactivate", "people": both[0]})
    promise, other = "This person can sign in again as before", "Whoever was deactivated by the security team stays so"
    for who, said in ((both[:1], (True, False)), (both, (True, True)), (both[1:], (False, True))):
        asked = petra.get(f"{ROOT}/people/act", query_string={"act": "reactivate", "people": who}).text
        assert (promise in asked, other in asked) == said, who
    done = told(petra, petra.post(f"{ROOT}/people/act", {"act": "reactivate", "people": both})).text
    assert "1 person was left as they are:" in done
    assert "The security team closed this account." in done


def test_what_is_wrong_with_addresses_and_roles_is_said_at_once(enter: Enter) -> None:
    page = unescape(enter("petra").post(f"{ROOT}/people", {"addresses": "Kim One, one@people.example\nrubbish"}).text)
    summary = page.split('class="error-summary"')[1].split("</div>")[0]
    assert "Choose at least one role." in summary
    assert "rubbish can't be added: Enter an e-mail address like name@example.org." in summary
    assert "kim" not in summary


@pytest.mark.parametrize("act", ["roles", "deactivate", "make-admin", "invite"])
def test_a_name_with_a_sign_too_much_is_the_person_or_nobody(company: Company, enter: Enter, act: str) -> None:
    petra, paul = enter("petra"), company.uids["paul"]
    for people in ([f"{paul}\0"], [paul, f"{company.uids['petra']}\0"], [paul, f"{paul}x"], [f"{company.uids['fred']}\0"]):
        asked = petra.get(f"{ROOT}/people/act", query_string={"act": act, "people": people})
        assert asked.status_code == (404 if people[-1] in (f"{paul}x", f"{company.uids['fred']}\0") else 200)


def test_the_place_in_the_list_says_nothing_of_people_elsewhere(company: Company, enter: Enter) -> None:
    petra = enter("petra")
    for words in ("zzzz", "paul person paul@people.example", ""):
        place = base64.urlsafe_b64encode(words.encode()).decode().rstrip("=")
        asked = [f"{ROOT}/people?after={uid}-{place}" for uid in (company.uids["fred"], "0" * 16, "x")]
        assert len({tuple(re.findall(r'name="people" value="(\w+)"', petra.get(path, htmx=True).text)) for path in asked}) == 1


def test_the_last_administrator_is_told_before_they_try(company: Company, enter: Enter) -> None:
    petra, ask = enter("petra"), f"{ROOT}/people/act?act=remove-admin&people={company.uids['petra']}"
    for htmx in (False, True):
        asked = petra.get(ask, htmx=htmx).text
        assert "You are the last portal administrator." in asked
        assert "these pages close for you" not in asked
        assert "Remove as portal administrator</button>" not in asked
    petra.post(f"{ROOT}/people/act", {"act": "make-admin", "people": company.uids["paul"]})
    asked = petra.get(ask).text
    assert "last portal administrator" not in asked
    assert "these pages close for you" in asked
    assert "Remove as portal administrator</button>" in asked
