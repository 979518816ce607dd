"""Closing with what came of it, reopening, deleting: who may, what it asks, what it leaves, and what the outside learns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.accounts.permissions import Permission
from portal.audit.models import AuditEntry
from portal.cases import lifecycle
from portal.cases.cases import Draft, update_case
from portal.cases.models import Case, Comment
from portal.extensions import db
from portal.refusals import NotAllowed, Refusal, Stale
from portal.sharing.models import Grant
from tests.fixtures.rooms import Cast, newest_audit
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]
END = {"status": "TruePositive", "summary": "A **phishing** kit; credentials reset.", "impact": "WithImpact"}


def version(browser: Browser, path: str) -> str:
    """The version a drawer was made from."""
    text = browser.get(path).text
    return text.split('name="version" value="')[1].split('"')[0]


def close(cast: Cast, name: str = "shared", **change: Any) -> Case:
    case = cast.case(name)
    lifecycle.close_case(case, **{**END, "version": case.version, "by": cast("ada"), **change})
    return case


def test_ada_can_close_and_reopen(world: World, browse: Browse) -> None:
    ada, path = browse("ada"), f"/console/cases/{world.cases['shared']}"
    assert ada.post(f"{path}/close", {**END, "version": version(ada, f"{path}/close")}).status_code == 303
    page = ada.get(path).text
    assert "<strong>phishing</strong>" in page
    assert "With impact" in page
    assert "True positive" in page
    assert ada.post(f"{path}/reopen", {"version": version(ada, f"{path}/reopen")}).status_code == 303
    assert "In progress" in ada.get(path).text


def test_the_outside_learns_that_it_is_closed_and_no_more(world: World, browse: Browse) -> None:
    ada, path = browse("ada"), f"/console/cases/{world.cases['shared']}"
    ada.post(f"{path}/close", {**END, "version": version(ada, f"{path}/close")})
    page = browse("hanna").get(f"/portal/cases/{world.cases['shared']}").text
    assert "Closed" in page
    for secret in ("phishing", "True positive", "TruePositive", "impact"):
        assert secret not in page


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"status": "InProgress"}, "how the case ended"),
        ({"status": "nonsense"}, "how the case ended"),
        ({"impact": "Huge"}, "what impact"),
        ({"summary": "  \n"}, "what came of the case"),
        ({"summary": "x" * 2_000_000}, "longer than"),
    ],
)
def test_closing_needs_verdict_impact_and_summary(cast: Cast, change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Refusal, match=sentence):
        close(cast, **change)
    assert cast.case("shared").stage == "New"


def test_what_is_closed_cannot_be_closed_again_nor_the_open_reopened(cast: Cast) -> None:
    with pytest.raises(Refusal, match="not closed"):
        lifecycle.reopen_case(cast.case("internal"), version=cast.case("internal").version, by=cast("ada"))
    close(cast)
    with pytest.raises(Refusal, match="closed already"):
        close(cast)


def test_a_stale_decision_is_refused(cast: Cast) -> None:
    with pytest.raises(Stale):
        close(cast, version=cast.case("shared").version - 1)


@pytest.mark.parametrize("act", ["close", "reopen", "delete"])
def test_ruth_cannot_end_a_case(cast: Cast, world: World, browse: Browse, act: str) -> None:
    assert browse("ruth").get(f"/console/cases/{world.cases['shared']}/{act}").status_code == 403
    case, ruth = cast.case("shared"), cast("ruth")
    acts: dict[str, Callable[[], None]] = {
        "close": lambda: lifecycle.close_case(case, **END, version=case.version, by=ruth),
        "reopen": lambda: lifecycle.reopen_case(case, version=case.version, by=ruth),
        "delete": lambda: lifecycle.delete_case(case, str(case.number), version=case.version, by=ruth),
    }
    with pytest.raises(NotAllowed):
        acts[act]()


def test_a_closed_case_is_not_reopened_by_editing(world: World, browse: Browse) -> None:
    ada, path = browse("ada"), f"/console/cases/{world.cases['shared']}"
    ada.post(f"{path}/close", {**END, "version": version(ada, f"{path}/close")})
    page = ada.get(f"{path}/edit").text
    assert "True positive" in page
    assert ">In progress<" not in page
    assert "True positive" not in ada.get(f"/console/cases/{world.cases['internal']}/edit").text


def test_deleting_asks_for_the_number_and_leaves_nothing(app: Flask, world: World, browse: Browse) -> None:
    ada, number = browse("ada"), world.cases["shared"]
    path = f"/console/cases/{number}"
    hanna = browse("hanna")
    seen = version(ada, f"{path}/delete")
    wrong = ada.post(f"{path}/delete", {"version": seen, "confirmation": "yes"})
    assert wrong.status_code == 422
    assert f"Type {number}" in wrong.text
    assert ada.post(f"{path}/delete", {"version": seen, "confirmation": f"#{number}"}).headers["Location"] == "/console/cases"
    assert ada.get(path).status_code == 404
    assert hanna.get(f"/portal/cases/{number}").status_code == 404
    assert "The shared case" not in hanna.get("/portal/").text
    with app.app_context():
        assert db.session.scalar(select(func.count(Comment.id)).where(Comment.message.like("%on shared.%"))) == 0
        assert db.session.scalar(select(func.count()).select_from(Grant).join(Case, Case.id == Grant.case_id, isouter=True)) == 1


def test_the_history_of_a_deleted_case_is_for_nobody(app: Flask, world: World, browse: Browse) -> None:
    """Entries stay for the record, but no page shows them: they may tell of a restricted case."""
    ada, olga, path = browse("ada"), browse("olga"), f"/console/cases/{world.cases['restricted']}"
    assert ada.post(f"{path}/comments", {"message": "A secret word."}).status_code == 303
    assert ada.post(f"{path}/delete", {"version": version(ada, f"{path}/delete"), "confirmation": path.rsplit("/")[-1]}).status_code == 303
    for reader in (olga, browse("pia")):
        page = reader.get("/console/feed").text
        assert "deleted a case" in page
        assert "wrote a comment" not in page.split("deleted a case")[0].split("signed in")[-1]
        assert "restricted" not in page
    with app.app_context():
        assert db.session.scalar(select(func.count(AuditEntry.id)).where(AuditEntry.kind == "comment:added", AuditEntry.case_id.is_(None)))


def test_the_end_is_on_record(cast: Cast) -> None:
    close(cast)
    entry = newest_audit()[0]
    assert (entry.kind, entry.changes["status"]) == ("case:closed", ["New", "TruePositive"])


def test_editing_is_no_way_round_the_right_to_reopen(cast: Cast) -> None:
    case = close(cast)
    narrow = replace(cast("ada"), permissions=frozenset({Permission.UPDATE_CASE.value}))
    draft = Draft(case.title, case.description, status="InProgress", start_date=case.start_date)
    with pytest.raises(NotAllowed, match="reopen"):
        update_case(case, draft, version=case.version, by=narrow)
