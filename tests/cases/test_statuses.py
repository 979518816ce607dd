"""Statuses: what can be picked, what administrators may make of them, and what never goes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from portal.cases import lifecycle, statuses
from portal.cases.cases import Draft, create_case, load, update_case
from portal.cases.models import STATUSES, Case, Stage, Status
from portal.cases.statuses import Look
from portal.database import start_writing
from portal.extensions import db
from portal.refusals import NotAllowed, Refusal, Stale, Unfit
from tests.fixtures.rooms import Cast, at_once, newest_audit

LOOK = Look("Escalated", "#aa3300")


def find(value: str) -> Status:
    return db.session.scalars(select(Status).where(Status.value == value)).one()


def move(case: Case, status: str, cast: Cast, who: str = "ada") -> None:
    draft = Draft(
        case.title, case.description, tags=tuple(case.tags), start_date=case.start_date, status=status, assignee_id=case.assignee_id
    )
    update_case(case, draft, version=case.version, by=cast(who))


def hide(value: str, cast: Cast) -> None:
    found = find(value)
    statuses.edit(found.id, Look(found.label, found.colour, hidden=True), version=found.version, by=cast("pia"))


def test_the_predefined_ones_are_there(cast: Cast) -> None:
    assert {word.value: word.stage for word in statuses.words().values()} == STATUSES
    assert all(find(value).built_in for value in STATUSES)
    assert [value for value, _ in statuses.offered(Stage.CLOSED)] == [value for value, stage in STATUSES.items() if stage is Stage.CLOSED]


def test_a_new_status_can_be_picked_at_once(cast: Cast) -> None:
    start_writing()
    statuses.create("Escalated", Stage.IN_PROGRESS, LOOK, by=cast("pia"))
    case = cast.case("internal")
    assert ("Escalated", "Escalated") in statuses.choices_of(case)
    move(case, "Escalated", cast)
    assert (case.stage, case.in_progress_at is not None) == (Stage.IN_PROGRESS, True)
    assert statuses.words()["Escalated"].dot == "#aa3300"


def test_closing_takes_a_status_of_the_last_stage_and_editing_none(cast: Cast) -> None:
    start_writing()
    statuses.create("Handed over", Stage.CLOSED, Look("Handed over", "#15803d"), by=cast("pia"))
    case = cast.case("internal")
    with pytest.raises(Refusal, match="Use Close case"):
        move(case, "Handed over", cast)
    end = {"summary": "s", "impact": "NoImpact", "by": cast("ada")}
    with pytest.raises(Refusal, match="how the case ended"):
        lifecycle.close_case(case, status="InProgress", version=case.version, **end)
    lifecycle.close_case(case, status="Handed over", version=case.version, **end)
    assert (case.stage, statuses.words()["Handed over"].dot) == (Stage.CLOSED, "")
    assert statuses.choices_of(case) == [("Handed over", "Handed over")]


def test_a_hidden_status_stays_on_its_cases_and_is_not_picked_again(cast: Cast) -> None:
    start_writing()
    statuses.create("Escalated", Stage.IN_PROGRESS, LOOK, by=cast("pia"))
    case, other = cast.case("internal"), cast.case("shared")
    move(case, "Escalated", cast)
    hide("Escalated", cast)
    assert ("Escalated", "Escalated") in statuses.choices_of(case)
    assert ("Escalated", "Escalated") not in statuses.choices_of(other)
    with pytest.raises(Refusal, match="from the list"):
        move(other, "Escalated", cast)
    draft = Draft("A new title", case.description, tags=tuple(case.tags), status="Escalated", assignee_id=case.assignee_id)
    assert update_case(case, draft, version=case.version, by=cast("ada")) == ["title"]


def test_one_status_of_each_stage_can_always_be_picked(cast: Cast) -> None:
    with pytest.raises(Unfit, match="only status of its stage"):
        hide("New", cast)
    fresh = statuses.create("Reported", Stage.NEW, Look("Reported", "#64748b"), by=cast("pia"))
    hide("New", cast)
    with pytest.raises(Unfit, match="only status of its stage"):
        hide("Reported", cast)
    assert create_case(Draft("t", "d"), by=cast("ada")).status == "Reported"
    with pytest.raises(Refusal, match="1 case has it"):
        statuses.delete(fresh.id, by=cast("pia"))


def test_reopening_takes_the_first_status_that_can_be_picked(cast: Cast) -> None:
    start_writing()
    statuses.create("Again", Stage.IN_PROGRESS, Look("Again", "#000000"), by=cast("pia"))
    hide("InProgress", cast)
    case = cast.case("internal")
    lifecycle.close_case(case, status="Other", summary="s", impact="NoImpact", version=case.version, by=cast("ada"))
    lifecycle.reopen_case(case, version=case.version, by=cast("ada"))
    assert (case.status, case.stage) == ("Again", Stage.IN_PROGRESS)


@pytest.mark.parametrize("value", sorted(STATUSES))
def test_predefined_statuses_stay(cast: Cast, value: str) -> None:
    with pytest.raises(Refusal, match="Predefined"):
        statuses.delete(find(value).id, by=cast("pia"))


def test_an_unused_status_can_be_deleted(cast: Cast) -> None:
    start_writing()
    made = statuses.create("Escalated", Stage.IN_PROGRESS, LOOK, by=cast("pia"))
    assert statuses.delete(made.id, by=cast("pia")) == "Escalated"
    assert "Escalated" not in statuses.words()
    assert [entry.kind for entry in newest_audit(2)] == ["status:deleted", "status:created"]


@pytest.mark.parametrize(
    ("value", "look", "at"),
    [
        ("", LOOK, "value"),
        ("x" * 65, LOOK, "value"),
        ("a\x00b", LOOK, "value"),
        ("-a", LOOK, "value"),
        ("inprogress", LOOK, "value"),
        ("Fresh", Look(" ", "#aa3300"), "label"),
        ("Fresh", Look("x" * 65, "#aa3300"), "label"),
        ("Fresh", Look("in PROGRESS", "#aa3300"), "label"),
        ("Fresh", Look("Fresh", "red"), "colour"),
        ("Fresh", Look("Fresh", '#aa33"0'), "colour"),
        ("Fresh", Look("Fresh", "#aa3300", position=10_000), "position"),
        ("Fresh", Look("Fresh", "#aa3300", "x" * 70_000), "description"),
    ],
)
def test_what_does_not_fit_is_told_at_its_field(cast: Cast, value: str, look: Look, at: str) -> None:
    with pytest.raises(Unfit) as told:
        statuses.create(value, Stage.NEW, look, by=cast("pia"))
    assert told.value.field == at


def test_an_edit_from_an_old_page_is_stale(cast: Cast) -> None:
    found = find("Other")
    statuses.edit(found.id, Look("Something else", found.colour), version=1, by=cast("pia"))
    assert statuses.words()["Other"].label == "Something else"
    with pytest.raises(Stale):
        statuses.edit(found.id, Look("Else", found.colour), version=1, by=cast("pia"))


@pytest.mark.parametrize("who", ["ada", "olga", "ruth"])
def test_colleagues_cannot_manage_statuses(cast: Cast, who: str) -> None:
    acts: list[Callable[[], Any]] = [
        lambda: statuses.listed(by=cast(who)),
        lambda: statuses.create("A", Stage.NEW, LOOK, by=cast(who)),
        lambda: statuses.edit(1, LOOK, version=1, by=cast(who)),
        lambda: statuses.delete(1, by=cast(who)),
    ]
    for act in acts:
        with pytest.raises(NotAllowed):
            act()


def test_the_list_counts_the_cases_of_everybody(cast: Cast) -> None:
    assert {row.value: row.uses for row in statuses.listed(by=cast("pia"))}["New"] == "6"


def test_a_status_is_not_deleted_under_a_case_that_takes_it(app: Flask, cast: Cast) -> None:
    start_writing()
    key = statuses.create("Escalated", Stage.IN_PROGRESS, LOOK, by=cast("pia")).id
    db.session.commit()
    pia, number = cast("pia"), cast.case("internal").number

    def remove() -> str:
        start_writing()
        label = statuses.delete(key, by=pia)
        db.session.commit()
        return label

    def take() -> None:
        start_writing()
        move(load(number, change=True), "Escalated", cast)
        db.session.commit()

    results = at_once(app, remove, take)
    assert sum(isinstance(result, Refusal) for result in results) == 1, results
    assert cast.case("internal").status in {row.value for row in db.session.scalars(select(Status))}


def test_a_new_case_never_gets_a_status_that_is_just_being_hidden(app: Flask, cast: Cast) -> None:
    """On PostgreSQL the second one waits for the first; SQLite has one writer anyway."""
    start_writing()
    statuses.create("Received", Stage.NEW, Look("Received", "#64748b", position=900), by=cast("pia"))
    db.session.commit()
    ada, begun = cast("ada"), threading.Event()

    def hide_new() -> None:
        start_writing()
        hide("New", cast)
        db.session.flush()
        begun.set()
        time.sleep(0.5)
        db.session.commit()

    def report() -> str:
        begun.wait(10)
        start_writing()
        status = create_case(Draft("Late", "It happened."), by=ada).status
        db.session.commit()
        return status

    assert at_once(app, hide_new, report) == [None, "Received"]


def test_a_case_of_an_unknown_status_can_still_be_looked_at(cast: Cast) -> None:
    case = cast.case("internal")
    case.status, case.stage = "Vanished", Stage.CLOSED
    assert statuses.choices_of(case) == [("Vanished", "Vanished")]


def test_the_list_stops_counting(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statuses, "MOST_USES", 2)
    uses = {row.value: row.uses for row in statuses.listed(by=cast("pia"))}
    assert (uses["New"], uses["Other"]) == ("2+", "0")
