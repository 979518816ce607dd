"""External organisations in the console: list, details, contacts, addresses, agreements with their documents, cases shared with them."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from html import unescape

import pytest
from flask import Flask
from sqlalchemy import select

from portal.cases.models import Case
from portal.database import start_writing
from portal.extensions import db
from portal.organisations.models import Contact, Party, PartyAddress
from portal.sharing.models import PartyGrant
from tests.fixtures.company import Company
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]
LIST = "/console/external-organisations"


@pytest.fixture
def olga(browse: Browse) -> Browser:
    return browse("olga")


@pytest.fixture
def contoso(company: Company) -> str:
    return f"{LIST}/{company.parties['Contoso Ltd']}"


def typed(page: str) -> dict[str, list[str]]:
    """What the page's own form would send as it stands, but for its tokens: hidden fields, texts, choices, ticks."""
    form = next(part for part in re.findall(r"<form.*?</form>", page, re.DOTALL) if "data-guard" in part)
    told: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and name[1] not in ("csrf_token", "submission") and ("checkbox" not in tag or " checked" in tag):
            told.setdefault(name[1], []).append(unescape(value[1]) if value else "")
    for name, text in re.findall(r'<textarea[^>]*name="([^"]*)"[^>]*>(.*?)</textarea>', form, re.DOTALL):
        told[name] = [unescape(text).lstrip("\r\n")]
    for name, options in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', form, re.DOTALL):
        told[name] = [unescape(value) for value in re.findall(r'<option selected value="([^"]*)"', options)]
    return told


def test_olga_can_make_one_and_finds_it_in_the_list(app: Flask, olga: Browser) -> None:
    assert "There is no external organisation yet" in olga.get(LIST).text
    form = typed(olga.get(f"{LIST}/new").text)
    assert len(form["role_ids"]) == 2
    answer = olga.post(f"{LIST}/new", {**form, "name": "Initech & Sons", "kind": "vendor", "domains": "initech.example", "cap": "5"})
    assert answer.status_code == 303
    assert answer.headers["Location"].endswith("/people/add")
    page = unescape(olga.get(answer.headers["Location"]).text)
    assert "Initech & Sons is created. Add its first people." in page
    assert "Allowed mail domains: initech.example." in page
    assert "It has 0 of at most 5 people." in page
    found = unescape(olga.get(LIST, query_string={"q": "tech"}).text)
    assert ("Initech & Sons" in found, "Vendor" in found) == (True, True)
    assert "None is called that" in olga.get(LIST, query_string={"q": "globex"}).text


def test_what_is_typed_on_several_lines_stays_on_several_lines(app: Flask, olga: Browser, company: Company) -> None:
    notes = "Call the desk first.\r\n\tThen write.\x00\r\n\r\nNever on Fridays.\u202e"
    sent = {"name": "Initech", "kind": "client", "domains": "first.example\r\nsecond.example", "notes": notes}
    assert olga.post(f"{LIST}/new", sent).status_code == 303
    with app.app_context():
        stored = db.session.scalars(select(Party).where(Party.name == "Initech")).one()
        assert stored.domains == "first.example second.example"
        assert stored.notes == "Call the desk first.\n\tThen write.\n\nNever on Fridays."


def test_a_new_one_that_will_not_do_keeps_what_was_typed(olga: Browser, company: Company) -> None:
    sent = {"name": "contoso LTD", "kind": "client", "cap": "0", "domains": "x_y!", "notes": "Call first."}
    page = olga.post(f"{LIST}/new", sent)
    assert page.status_code == 422
    assert "Give a number from 1 to 100,000" in page.text
    page = olga.post(f"{LIST}/new", {**sent, "cap": ""})
    assert "already an external organisation called Contoso Ltd" in unescape(page.text)
    assert ('value="contoso LTD"' in page.text, "Call first." in page.text) == (True, True)
    page = olga.post(f"{LIST}/new", {**sent, "cap": "", "name": "Initech"})
    assert "“x_y!” is not a domain" in unescape(page.text)


def test_the_list_shows_people_administrators_and_cases_olga_may_see(app: Flask, world: World, olga: Browser, company: Company) -> None:
    with app.app_context():
        start_writing()
        case = db.session.scalars(select(Case).where(Case.number == world.cases["shared"])).one()
        db.session.add(PartyGrant(case_id=case.id, party_id=company.parties["Contoso Ltd"]))
        db.session.commit()
    page = " ".join(re.sub(r"<[^>]+>", " ", olga.get(LIST).text).split())
    assert "Contoso Ltd Client 3 people 1 portal administrator 1 case" in page
    assert "Yonder Trading" not in page
    cases = olga.get(f"{LIST}/{company.parties['Contoso Ltd']}/cases").text
    assert f"/console/cases/{world.cases['shared']}" in cases
    assert "No case is shared with Fabrikam Works" in olga.get(f"{LIST}/{company.parties['Fabrikam Works']}/cases").text


def test_pia_sees_those_of_all_organisations_and_says_where_a_new_one_belongs(world: World, browse: Browse, company: Company) -> None:
    pia = browse("pia")
    page = pia.get(LIST).text
    assert ("Yonder Trading" in page, "Elsewhere" in page, "Cases shared with it" in page) == (True, True, False)
    form = typed(pia.get(f"{LIST}/new").text)
    refused = pia.post(f"{LIST}/new", {**form, "name": "Initech", "kind": "client"})
    assert "holds none" in refused.text
    made = pia.post(f"{LIST}/new", {**form, "name": "Initech", "kind": "client", "organisation_id": world.places["there"]})
    assert made.status_code == 303
    assert "Initech" in browse("otto").get(LIST).text
    assert "Administrators of the platform do not read cases" in pia.get(f"{LIST}/{company.parties['Yonder Trading']}/cases").text


def test_olga_edits_the_details_and_a_double_edit_shows_both(
    app: Flask, olga: Browser, browse: Browse, contoso: str, company: Company
) -> None:
    form, other = typed(olga.get(contoso).text), typed(browse("pia").get(contoso).text)
    reader = company.roles["External-Reader"]
    assert olga.post(contoso, {**form, "phone": "111", "cap": "9", "role_ids": [reader]}).status_code == 303
    pia = browse("pia")
    page = pia.post(contoso, {**other, "phone": "222"})
    assert page.status_code == 422
    text = " ".join(re.sub(r"<[^>]+>", " ", unescape(page.text)).split())
    assert "Phone 111 222" in text
    assert "Most people 9 Nothing" in text
    assert "Open roles External-Reader External-Actor, External-Reader" in text
    again = pia.post(contoso, typed(page.text))
    assert again.status_code == 303
    with app.app_context():
        stored = db.session.get_one(Party, company.parties["Contoso Ltd"])
        assert (stored.phone, stored.cap, stored.version) == ("222", None, 3)


def test_contacts_can_be_added_edited_merged_and_deleted(app: Flask, olga: Browser, contoso: str, company: Company) -> None:
    made = olga.post(f"{contoso}/contacts/new", {"name": "Nora New", "emails": "nora@x.example\nn@x.example"})
    assert made.status_code == 303
    assert "nora@x.example, n@x.example" in olga.get(f"{contoso}/contacts", query_string={"q": "nora"}).text
    with app.app_context():
        key = db.session.scalars(select(Contact.id).where(Contact.name == "Nora New")).one()
    here, loose = f"{contoso}/contacts/{key}", company.contacts["Contoso Ltd"]
    wrong = olga.post(here, {**typed(olga.get(here).text), "emails": "loose@contoso.example", "phone": "12"})
    assert ("an address of Loose Contoso already" in wrong.text, 'value="12"' in wrong.text, wrong.status_code) == (True, True, 422)
    older = typed(olga.get(here).text)
    assert olga.post(here, {**older, "phone": "1"}).status_code == 303
    stale = olga.post(here, {**older, "phone": "2"})
    assert (stale.status_code, "What is different" in stale.text) == (422, True)
    compared = olga.get(f"{here}/merge", query_string={"other": loose}).text
    assert "nora@x.example, n@x.example, loose@contoso.example" in compared
    assert olga.post(f"{here}/merge", {"other": loose}).status_code == 303
    page = olga.get(here).text
    assert ("loose@contoso.example" in page, "Primary contact" in page) == (True, True)
    assert "Delete the contact Nora New?" in olga.get(f"{here}/delete").text
    assert olga.post(f"{here}/delete").status_code == 303
    assert olga.get(here).status_code == 404


def test_a_contact_with_an_account_cannot_be_deleted_nor_merged_with_another(app: Flask, olga: Browser, contoso: str) -> None:
    with app.app_context():
        petra, paul = (db.session.scalars(select(Contact.id).where(Contact.name == f"{who} Person")).one() for who in ("Petra", "Paul"))
    assert "has an account" in olga.get(f"{contoso}/contacts/{petra}/delete").text
    assert olga.post(f"{contoso}/contacts/{petra}/delete").status_code == 422
    assert "Both have an account" in olga.get(f"{contoso}/contacts/{petra}/merge", query_string={"other": paul}).text
    for sent in ({"other": paul}, {}, {"other": petra}, {"other": "x"}):
        answer = olga.post(f"{contoso}/contacts/{petra}/merge", sent)
        assert answer.status_code == 303
    assert "Choose the other contact first" in olga.get(f"{contoso}/contacts/{petra}").text


def test_addresses_are_added_removed_and_saved_together(app: Flask, olga: Browser, contoso: str, company: Company) -> None:
    where = f"{contoso}/addresses"
    form = typed(olga.get(where).text)
    more = olga.post(where, {**form, "more": "1"})
    assert "Nothing is saved yet" in more.text
    filled = {**typed(more.text), "a1-street": "2 New Road", "a1-kind": "shipping", "a1-city": "Kyiv"}
    assert olga.post(where, filled).status_code == 303
    with app.app_context():
        rows = db.session.scalars(select(PartyAddress.city).where(PartyAddress.party_id == company.parties["Contoso Ltd"]))
        assert sorted(rows) == ["Berlin", "Kyiv"]
    stale = olga.post(where, {**form, "a0-city": "Bonn"})
    assert stale.status_code == 422
    text = " ".join(re.sub(r"<[^>]+>", " ", unescape(stale.text)).split())
    assert "Address 1 Legal: 1 Contoso Ltd Street, Berlin, Germany Legal: 1 Contoso Ltd Street, Bonn, Germany" in text
    empty = olga.post(where, {**typed(olga.get(where).text), "a1-street": " ", "a1-city": ""})
    assert "Fill in this address, or remove it." in empty.text
    dropped = olga.post(where, {**typed(olga.get(where).text), "drop": "0"})
    assert olga.post(where, typed(dropped.text)).status_code == 303
    assert "Berlin" not in olga.get(where).text


def test_the_51st_address_is_refused_and_stays_on_the_page(olga: Browser, contoso: str) -> None:
    where = f"{contoso}/addresses"
    sent = {**typed(olga.get(where).text), "row": [str(at) for at in range(51)]}
    sent |= {f"a{at}-kind": "legal" for at in range(51)} | {f"a{at}-street": f"{at} Long Road" for at in range(51)}
    refused = olga.post(where, sent)
    assert refused.status_code == 422
    assert "An organisation can have 50 addresses. Remove some first." in refused.text
    assert ("50 Long Road" in refused.text, 'name="more"' in refused.text, "data-unsaved" in refused.text) == (True, False, True)
    fifty = olga.post(where, {**sent, "row": sent["row"][:50], "more": "1"}).text
    assert (fifty.count('name="row"'), 'name="more"' in fifty) == (50, False)
    assert olga.post(where, {**sent, "row": sent["row"][:50]}).status_code == 303


def test_an_address_of_another_organisation_cannot_be_saved_here(olga: Browser, contoso: str, company: Company) -> None:
    form = typed(olga.get(f"{contoso}/addresses").text)
    answer = olga.post(f"{contoso}/addresses", {**form, "a0-key": company.addresses["Fabrikam Works"]})
    assert answer.status_code == 404


def test_agreements_are_written_edited_ended_and_deleted(olga: Browser, contoso: str, company: Company) -> None:
    sent = {"number": "N-7", "title": "Round the clock", "status": "active", "starts_on": "2026-01-01", "response_4": "30 minutes"}
    wrong = olga.post(f"{contoso}/agreements/new", {**sent, "ends_on": "2025-01-01"})
    assert ("must not end before it begins" in wrong.text, 'value="30 minutes"' in wrong.text) == (True, True)
    made = olga.post(f"{contoso}/agreements/new", {**sent, "contact_ids": [company.contacts["Contoso Ltd"]]})
    here = made.headers["Location"]
    form = typed(olga.get(here).text)
    assert form["contact_ids"] == [str(company.contacts["Contoso Ltd"])]
    assert olga.post(here, {**form, "title": "Other title", "resolution_4": "1 day"}).status_code == 303
    stale = olga.post(here, {**form, "title": "Third title"})
    text = " ".join(re.sub(r"<[^>]+>", " ", unescape(stale.text)).split())
    assert "Title Other title Third title" in text
    assert "Resolution, critical severity 1 day Nothing" in text
    assert olga.post(f"{here}/end").status_code == 303
    assert "The agreement N-7 has ended." in olga.get(here).text
    assert olga.post(f"{here}/end").status_code == 303
    assert "This agreement has ended already." in olga.get(here).text
    assert "goes for good" in olga.get(f"{here}/delete").text
    assert olga.post(f"{here}/delete").status_code == 303
    assert olga.get(here).status_code == 404


def test_a_document_goes_in_and_comes_out_as_a_download_in_a_sandbox(olga: Browser, contoso: str, company: Company) -> None:
    here = f"{contoso}/agreements/{company.drafts['Contoso Ltd']}"
    assert olga.get(f"{here}/document").status_code == 404
    sent = {"version": "1", "document": (io.BytesIO(b"<script>signed</script>"), "Vertrag für Contoso.html")}
    assert olga.post(f"{here}/document", sent, content_type="multipart/form-data").status_code == 303
    given = olga.get(f"{here}/document")
    assert given.data == b"<script>signed</script>"
    assert given.headers["Content-Disposition"].startswith("attachment;")
    assert given.headers["Content-Security-Policy"].startswith("sandbox;")
    assert olga.get(f"{here}/document/remove").status_code == 200
    for nothing in ({}, {"document": (io.BytesIO(b""), "empty.pdf")}):
        refused = olga.post(f"{here}/document", {"version": "2", "replace": "1", **nothing}, content_type="multipart/form-data")
        assert (refused.status_code, "Vertrag für Contoso.html" in unescape(refused.text)) == (422, True)
    asked = typed_version(olga.get(f"{here}/document/remove").text)
    assert olga.post(f"{here}/document/remove", {"version": asked}).status_code == 303
    assert olga.get(f"{here}/document").status_code == 404
    assert olga.post(f"{here}/document/remove", {"version": asked}).status_code == 303
    assert "has no document" in olga.get(here).text


def typed_version(page: str) -> str:
    return re.findall(r'name="version" value="(\d+)"', page)[-1]


def test_a_signed_document_goes_only_when_that_was_asked_and_said(olga: Browser, contoso: str, company: Company) -> None:
    here = f"{contoso}/agreements/{company.agreements['Contoso Ltd']}"

    def put(**more: str) -> tuple[int, str]:
        sent = {"document": (io.BytesIO(b"second"), "second.pdf"), **more}
        answer = olga.post(f"{here}/document", sent, content_type="multipart/form-data")
        return answer.status_code, unescape(answer.text)

    seen = typed_version(olga.get(here).text)
    status, page = put(version=seen)
    assert (status, "Tick that the new document replaces Contoso Ltd.pdf" in page) == (422, True)
    assert "Remove the document Contoso Ltd.pdf?" in unescape(olga.get(f"{here}/document/remove").text)
    assert put(version=seen, replace="1")[0] == 303
    status, page = put(version=seen, replace="1")
    assert (status, "after you opened it" in page) == (422, True)
    assert olga.post(f"{here}/document/remove", {"version": seen}).status_code == 303
    assert "after you opened it" in olga.get(here).text
    assert olga.get(f"{here}/document").data == b"second"


def test_people_pages_lead_to_the_organisation_somebody_works_for(olga: Browser, contoso: str, company: Company) -> None:
    assert f'href="{contoso}"' in olga.get("/console/people").text
    assert f'href="{contoso}"' in olga.get(f"/console/people/{company.people['petra']}").text


def test_what_was_done_is_read_in_the_live_feed(olga: Browser, contoso: str) -> None:
    form = typed(olga.get(contoso).text)
    olga.post(contoso, {**form, "name": "Contoso GmbH"})
    for group in ("", "people"):
        page = " ".join(re.sub(r"<[^>]+>", " ", unescape(olga.get("/console/feed", query_string={"group": group}).text)).split())
        assert "edited an external organisation" in page
        assert "Contoso GmbH" in page


def test_odd_input_is_no_error(olga: Browser, contoso: str) -> None:
    for path in (LIST, f"{contoso}/people", f"{contoso}/contacts", f"{contoso}/cases"):
        for value in ("\0", "9" * 40, "é", "-1", "%", "' OR 1"):
            answer = olga.get(path, query_string={"q": value, "after": value, "state": value, "sort": value})
            assert answer.status_code in (200, 303), (path, value)  # a place where nobody stands leads to the first page
    odd = {"name": "\0", "cap": "9" * 40, "version": "x", "number": "\0", "addresses": "\0", "row": ["9" * 30, "x"], "role_ids": "x"}
    for path in ("", "/contacts/new", "/agreements/new", "/addresses", "/people/add"):
        for sent in ({}, {"name": "x", "number": "x", "title": "x", "version": "1", "kind": "client", "status": "draft"}, odd):
            assert olga.post(f"{contoso}{path}", sent).status_code in (303, 422), (path, sent)
