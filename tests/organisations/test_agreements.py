"""Service agreements: written by the team, read by both sides, drafts by the team only; their documents are kept and given back."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask

from portal.accounts.viewer import Viewer
from portal.clock import at, now
from portal.database import start_writing
from portal.extensions import db
from portal.organisations import agreements
from portal.organisations.agreements import AgreementDetail, Terms
from portal.organisations.models import Agreement
from portal.refusals import NotAllowed, NotVisible, Refusal, Stale, Unfit
from portal.storage import intake, store, sweep
from tests.fixtures.company import Company
from tests.fixtures.rooms import Cast, newest_audit


@pytest.fixture
def here(company: Company) -> int:
    return company.parties["Contoso Ltd"]


def create(by: Viewer, party_id: int, **said: Any) -> AgreementDetail:
    start_writing()
    made = agreements.create(party_id, Terms(**{"number": "N-1", "title": "Care", **said}), by=by)
    db.session.commit()
    return made


def edit(by: Viewer, party_id: int, agreement_id: int, version: int, **said: Any) -> AgreementDetail:
    start_writing()
    saved = agreements.edit(party_id, agreement_id, Terms(**{"number": "N-1", "title": "Care", **said}), version=version, by=by)
    db.session.commit()
    return saved


def put(by: Viewer, party_id: int, agreement_id: int, name: str = "paper.pdf", data: bytes = b"signed") -> AgreementDetail:
    start_writing()
    version = agreements.agreement(party_id, agreement_id, by=by).version
    saved = agreements.put_document(party_id, agreement_id, intake.upload_of(name, data), version=version, by=by)
    db.session.commit()
    return saved


def test_the_team_writes_one_down_and_both_sides_read_it(cast: Cast, here: int, company: Company) -> None:
    said: dict[str, Any] = {"status": "active", "starts_on": date(2026, 1, 1), "ends_on": date(2026, 12, 31), "hours": "Always"}
    said |= {"times": {"4": ("1 hour", ""), "1": ("", "")}, "contact_ids": [company.contacts["Contoso Ltd"]]}
    made = create(cast("olga"), here, **said)
    assert made.times == {"1": ("", ""), "2": ("", ""), "3": ("", ""), "4": ("1 hour", "")}
    assert [name for _key, name in made.contacts] == ["Loose Contoso"]
    assert agreements.agreement(here, made.id, by=cast("petra")) == made
    assert newest_audit()[0].changes["agreement"] == ["N-1", "N-1"]


def test_drafts_and_other_organisations_are_not_there_for_portal_administrators(cast: Cast, here: int, company: Company) -> None:
    draft, signed = company.drafts["Contoso Ltd"], company.agreements["Contoso Ltd"]
    put(cast("olga"), here, draft)
    assert [row.id for row in agreements.agreements(here, by=cast("petra"))] == [signed]
    assert {row.id for row in agreements.agreements(here, by=cast("olga"))} == {signed, draft}
    foreign = company.agreements["Fabrikam Works"]
    for read in (agreements.agreement, agreements.document):
        for party_id, key in ((here, draft), (here, foreign), (company.parties["Fabrikam Works"], foreign), (here, 987_654)):
            with pytest.raises(NotVisible):
                read(party_id, key, by=cast("petra"))
        with pytest.raises(NotVisible):
            read(here, foreign, by=cast("olga"))
    assert agreements.document(here, signed, by=cast("petra"))[0] == "Contoso Ltd.pdf"


def test_only_the_team_writes(cast: Cast, here: int, company: Company) -> None:
    signed, paper = company.agreements["Contoso Ltd"], intake.upload_of("a.pdf", b"a")
    acts = (
        lambda by: agreements.create(here, Terms("N", "T"), by=by),
        lambda by: agreements.edit(here, signed, Terms("N", "T"), version=1, by=by),
        lambda by: agreements.end(here, signed, by=by),
        lambda by: agreements.delete(here, signed, by=by),
        lambda by: agreements.put_document(here, signed, paper, version=1, by=by),
        lambda by: agreements.remove_document(here, signed, version=1, by=by),
    )
    for act in acts:
        start_writing()
        for who, refusal in (("petra", NotVisible), ("paul", NotVisible), ("otto", NotVisible), ("ada", NotAllowed)):
            with pytest.raises(refusal):
                act(cast(who))
    db.session.rollback()
    assert agreements.agreement(here, signed, by=cast("olga")).version == 1


def test_a_contact_of_another_organisation_cannot_be_named(cast: Cast, here: int, company: Company) -> None:
    for name in ("Fabrikam Works", "Yonder Trading"):
        with pytest.raises(NotVisible):
            create(cast("olga"), here, contact_ids=[company.contacts[name]])
        db.session.rollback()
        with pytest.raises(NotVisible):
            edit(cast("olga"), here, company.agreements["Contoso Ltd"], 1, contact_ids=[company.contacts[name]])
        db.session.rollback()


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("number", {"number": " "}),
        ("number", {"number": "DRAFT-1"}),
        ("number", {"number": "x" * 65}),
        ("title", {"title": ""}),
        ("title", {"title": "x" * 201}),
        ("status", {"status": "perhaps"}),
        ("hours", {"hours": "x" * 301}),
        ("resolution_4", {"times": {"4": ("1 hour", "x" * 65)}}),
        ("ends_on", {"starts_on": date(2026, 2, 2), "ends_on": date(2026, 2, 1)}),
    ],
)
def test_what_will_not_do_is_refused_at_its_field(cast: Cast, here: int, field: str, said: dict[str, Any]) -> None:
    with pytest.raises(Unfit) as refused:
        create(cast("olga"), here, **said)
    assert refused.value.field == field


def test_an_edit_is_told_and_an_older_form_is_refused(cast: Cast, here: int, company: Company) -> None:
    signed = company.agreements["Contoso Ltd"]
    saved = edit(cast("olga"), here, signed, 1, status="active", starts_on=date(2026, 3, 1), times={"4": ("2 hours", "9 hours")})
    assert (saved.version, saved.times["4"]) == (2, ("2 hours", "9 hours"))
    changes = newest_audit()[0].changes
    assert changes["starts_on"] == ["2026-01-01", "2026-03-01"]
    assert changes["times"] == [["4: 1 hour / 8 hours"], ["4: 2 hours / 9 hours"]]
    with pytest.raises(Stale):
        edit(cast("olga"), here, signed, 1, title="Other")


def test_ending_one_sets_its_last_day_unless_that_has_passed(cast: Cast, here: int, company: Company) -> None:
    signed = company.agreements["Contoso Ltd"]
    with at(now() + timedelta(days=400)):
        start_writing()
        ended = agreements.end(here, signed, by=cast("olga"))
        assert (ended.status, ended.ends_on, ended.over) == ("ended", now().date(), False)
        with pytest.raises(Refusal, match="ended already"):
            agreements.end(here, signed, by=cast("olga"))
        db.session.commit()
    made = create(cast("olga"), here, status="active", ends_on=date(2026, 1, 5))
    assert made.over
    start_writing()
    assert agreements.end(here, made.id, by=cast("olga")).ends_on == date(2026, 1, 5)


@pytest.mark.parametrize(
    ("status", "starts", "ends", "state"),
    [
        ("draft", -9, -1, "draft"),
        ("active", 1, 9, "coming"),
        ("active", 0, 0, "active"),
        ("active", None, None, "active"),
        ("active", -9, -1, "ended"),
        ("ended", 1, 9, "ended"),
    ],
)
def test_how_one_stands_follows_from_its_days(cast: Cast, here: int, status: str, starts: int | None, ends: int | None, state: str) -> None:
    first, last = (None if days is None else now().date() + timedelta(days=days) for days in (starts, ends))
    assert create(cast("olga"), here, status=status, starts_on=first, ends_on=last).state == state


def test_a_document_is_kept_replaced_and_removed(cast: Cast, here: int, company: Company) -> None:
    draft = company.drafts["Contoso Ltd"]
    put(cast("olga"), here, draft, "one.pdf", b"first paper")
    put(cast("olga"), here, draft, "two.pdf", b"second paper")
    name, size, sha256 = agreements.document(here, draft, by=cast("olga"))
    assert (name, size, b"".join(store.content(sha256, size))) == ("two.pdf", 12, b"second paper")
    start_writing()
    for act in (
        lambda: agreements.remove_document(here, draft, version=2, by=cast("olga")),
        lambda: agreements.put_document(here, draft, intake.upload_of("three.pdf", b"third paper"), version=2, by=cast("olga")),
    ):
        with pytest.raises(Stale, match="after you opened it"):
            act()
    assert agreements.document(here, draft, by=cast("olga"))[0] == "two.pdf"
    agreements.remove_document(here, draft, version=3, by=cast("olga"))
    with pytest.raises(NotVisible):
        agreements.document(here, draft, by=cast("olga"))
    with pytest.raises(Refusal, match="no document"):
        agreements.remove_document(here, draft, version=4, by=cast("olga"))
    for upload in (intake.upload_of("empty.pdf", b""), intake.upload_of("virus.exe", b"MZ")):
        if upload.size and "exe" not in intake.forbidden():
            continue
        with pytest.raises(Refusal):
            agreements.put_document(here, draft, upload, version=4, by=cast("olga"))


def test_a_document_is_never_swept_away_while_its_agreement_is_there(app: Flask, cast: Cast, here: int, company: Company) -> None:
    draft = company.drafts["Contoso Ltd"]
    put(cast("olga"), here, draft, data=b"the only copy")
    _name, size, sha256 = agreements.document(here, draft, by=cast("olga"))
    db.session.rollback()
    with at(now() + timedelta(days=400)):
        sweep.sweep()
    with at(now() + timedelta(days=800)):
        sweep.sweep()
    assert b"".join(store.content(sha256, size)) == b"the only copy"
    start_writing()
    assert agreements.delete(here, draft, by=cast("olga")) == "DRAFT-1"
    db.session.commit()
    for days in (400, 800):
        with at(now() + timedelta(days=days)):
            sweep.sweep()
    with pytest.raises(store.Damaged):
        store.open_content(sha256)
    assert db.session.get(Agreement, draft) is None
