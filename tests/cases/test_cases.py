"""Cases: numbers, edits on stale forms, assignees, stages and the dates outsiders see."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, func, select

from portal.accounts import people
from portal.cases import cases, lifecycle
from portal.cases.cases import Draft
from portal.cases.models import STATUSES, Case, CaseCounter, Stage
from portal.cases.tags import split_tags
from portal.clock import at, now
from portal.database import start_writing
from portal.extensions import db
from portal.refusals import NotAllowed, NotVisible, Refusal, Stale
from portal.sharing import guard
from tests.factories import make_case, share
from tests.fixtures.rooms import Cast, at_once, newest_audit

CLOSED = [status for status, stage in STATUSES.items() if stage is Stage.CLOSED]


def draft_of(case: Case, **changes: Any) -> Draft:
    """The form as it would come back with only these fields changed."""
    kept = {name: getattr(case, name) for name in ("title", "description", "severity", "tlp", "pap", "start_date", "status", "assignee_id")}
    return Draft(**{**kept, "tags": tuple(case.tags), **changes})


def edit(cast: Cast, case: Case, who: str = "ada", *, version: int | None = None, **changes: Any) -> list[str]:
    return cases.update_case(case, draft_of(case, **changes), version=version or case.version, by=cast(who))


def test_ada_can_create_a_case(cast: Cast) -> None:
    with at(moment := datetime(2026, 3, 1, 12, 30, 45, tzinfo=UTC)):
        case = cases.create_case(Draft("  Odd\n sign-ins ", "It *happened*.\r\n", 3, 1, 0, ("a", "b")), by=cast("ada"))
    assert (case.title, case.description, case.description_html) == ("Odd sign-ins", "It *happened*.", "<p>It <em>happened</em>.</p>\n")
    assert (case.access, case.status, case.stage, case.version) == ("internal", "New", "New", 1)
    assert (case.assignee_id, case.created_by_id) == (cast.world.people["ada"],) * 2
    assert {case.created_at, case.new_at, case.start_date, case.updated_at, case.outside_at} == {moment}
    entry = newest_audit()[0]
    assert (entry.kind, entry.case_id, entry.actor_name) == ("case:created", case.id, "Ada Person")


@pytest.mark.parametrize(("who", "why"), [("ruth", "create cases"), ("hanna", "create cases"), ("pia", "create cases")])
def test_people_without_the_right_cannot_create_or_edit_a_case(cast: Cast, who: str, why: str) -> None:
    with pytest.raises(NotAllowed, match=why):
        make_case(cast(who))
    with pytest.raises(NotAllowed, match="edit cases"):
        edit(cast, cast.case("internal"), who, title="Mine")


def test_the_admin_organisation_holds_no_cases(cast: Cast) -> None:
    """Whatever its people's profiles may say one day."""
    with pytest.raises(NotAllowed, match="admin organisation"):
        make_case(replace(cast("pia"), permissions=cast("ada").permissions))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"title": " \t\n"}, "Give the case a title."),
        ({"title": "\x00\x07\u007f"}, "Give the case a title."),
        ({"title": "t" * 513}, "longer than 512"),
        ({"description": ""}, "Describe what happened"),
        ({"description": "d" * 65_537}, "longer than 65,536"),
        ({"severity": 0}, "Choose severity"),
        ({"severity": 5}, "Choose severity"),
        ({"tlp": 5}, "Choose severity"),
        ({"tlp": -1}, "Choose severity"),
        ({"pap": 4}, "Choose severity"),
    ],
)
def test_a_case_out_of_bounds_is_refused(cast: Cast, change: dict[str, Any], sentence: str) -> None:
    good = Draft("t" * 512, "d" * 65_536)
    with pytest.raises(Refusal, match=sentence):
        cases.create_case(replace(good, **change), by=cast("ada"))
    assert cases.create_case(good, by=cast("ada")).id


def test_numbers_count_up_and_none_is_given_twice(app: Flask, cast: Cast) -> None:
    ada, otto = cast("ada"), cast("otto")
    highest = max(cast.world.cases.values())

    def create(by: Any) -> list[int]:
        numbers = []
        for _ in range(5):
            start_writing()
            numbers.append(make_case(by).number)
            db.session.commit()
        return numbers

    results = at_once(app, *[lambda by=by: create(by) for by in (ada, otto, ada, otto)])
    assert sorted(number for numbers in results for number in numbers) == list(range(highest + 1, highest + 21))


def test_the_very_first_numbers_are_given_once_too(app: Flask, cast: Cast) -> None:
    """On an installation that never had a case there is no counter to lock yet."""
    start_writing()
    db.session.execute(delete(CaseCounter))
    db.session.commit()

    def take() -> int:
        start_writing()
        number = cases.next_number()
        db.session.commit()
        return number

    assert sorted(at_once(app, take, take, take), key=str) == [1, 2, 3]


def test_a_number_that_was_not_used_is_given_again(cast: Cast) -> None:
    start_writing()
    first = make_case(cast("ada")).number
    db.session.rollback()
    start_writing()
    assert make_case(cast("ada")).number == first


def test_an_edit_says_what_changed_and_keeps_the_old(cast: Cast) -> None:
    case = cast.case("internal")
    before = case.version
    changed = edit(cast, case, title="New title", severity=4, tags=("x",), assignee_id=cast.world.people["olga"])
    db.session.commit()
    assert (changed, case.version) == (["assignee_id", "severity", "tags", "title"], before + 1)
    assert newest_audit()[0].changes == {
        "title": ["The internal case", "New title"],
        "severity": [2, 4],
        "tags": [["tag-internal"], ["x"]],
        "assignee": ["Ada Person", "Olga Person"],
    }


def test_an_edit_that_changes_nothing_leaves_no_trace(cast: Cast) -> None:
    case = cast.case("shared")
    before = (case.version, case.updated_at, case.outside_at, newest_audit()[0].id)
    assert edit(cast, case) == []
    assert edit(cast, case, start_date=case.start_date.replace(second=0, microsecond=0)) == []  # forms speak in minutes
    db.session.commit()
    assert (case.version, case.updated_at, case.outside_at, newest_audit()[0].id) == before


def test_a_stale_form_overwrites_nothing(cast: Cast) -> None:
    case = cast.case("internal")
    seen = case.version
    edit(cast, case, title="Olga was first", version=seen)
    db.session.commit()
    with pytest.raises(Stale):
        edit(cast, case, title="Ada was late", version=seen)
    with pytest.raises(Stale):
        edit(cast, case, title="From the future", version=seen + 5)
    db.session.rollback()
    assert cast.case("internal").title == "Olga was first"


def test_two_edits_at_once_lose_neither(app: Flask, cast: Cast) -> None:
    """Both looked at the same version: one is written, the other is told."""
    number, version, ada = cast.world.cases["internal"], cast.case("internal").version, cast("ada")

    def write(title: str) -> str:
        start_writing()
        guard.engage(ada)
        try:
            case = cases.load(number, change=True)
            cases.update_case(case, draft_of(case, title=title), version=version, by=ada)
            db.session.commit()
        finally:
            guard.release()
        return title

    results = at_once(app, lambda: write("one"), lambda: write("two"), lambda: write("three"))
    assert [type(result) for result in results].count(Stale) == 2
    case = cast.case("internal")
    assert (case.title in results, case.version) == (True, version + 1)


def test_a_case_can_only_be_given_to_an_active_colleague(cast: Cast) -> None:
    for who in ("hanna", "otto", "pia", "dora"):
        with pytest.raises(Refusal, match="active colleague"):
            edit(cast, cast.case("internal"), assignee_id=cast.world.people[who])
        db.session.rollback()
    with pytest.raises(Refusal):
        edit(cast, cast.case("internal"), assignee_id=10**6)
    db.session.rollback()
    assert edit(cast, cast.case("internal"), assignee_id=cast.world.people["ruth"]) == ["assignee_id"]
    assert edit(cast, cast.case("internal"), assignee_id=None) == ["assignee_id"]


def test_a_case_keeps_an_assignee_who_has_left(cast: Cast) -> None:
    """Editing something else must not fail on it; giving it back to them does."""
    people.lock(cast.world.people["ada"], by=cast("olga"))
    db.session.commit()
    case = cast.case("internal")
    assert edit(cast, case, "olga", title="Still editable") == ["title"]
    edit(cast, case, "olga", assignee_id=None)
    with pytest.raises(Refusal, match="active colleague"):
        edit(cast, case, "olga", assignee_id=cast.world.people["ada"])


def move(cast: Cast, case: Case, status: str) -> None:
    """To another status, the way that leads there."""
    if status in CLOSED:
        lifecycle.close_case(case, status=status, summary="Done.", impact="NoImpact", version=case.version, by=cast("ada"))
        return
    if case.stage is Stage.CLOSED:
        lifecycle.reopen_case(case, version=case.version, by=cast("ada"))
    edit(cast, case, status=status)


def test_editing_does_not_close_a_case(cast: Cast) -> None:
    case = cast.case("internal")
    with pytest.raises(Refusal, match="Use Close case"):
        edit(cast, case, status="TruePositive")
    assert (case.status, case.version) == ("New", 1)


def test_a_flag_is_the_organisations_and_no_business_of_outsiders(cast: Cast) -> None:
    case = cast.case("shared")
    before = (case.outside_at, case.details_at, case.version)
    assert cases.flag_case(case, True, by=cast("ada"))
    assert not cases.flag_case(case, True, by=cast("olga"))
    assert (case.flagged, (case.outside_at, case.details_at, case.version)) == (True, before)
    assert newest_audit()[0].changes == {"flagged": [False, True]}
    for who in ("ruth", "hanna"):
        with pytest.raises(NotAllowed, match="flag cases"):
            cases.flag_case(case, False, by=cast(who))


def test_stages_remember_when_they_were_first_entered(cast: Cast) -> None:
    case = cast.case("internal")
    begun = now()
    moments = [begun + timedelta(hours=hours) for hours in range(1, 6)]
    for moment, status in zip(moments, ("InProgress", "TruePositive", "InProgress", "FalsePositive", "New"), strict=True):
        with at(moment):
            move(cast, case, status)
        assert case.stage == ("Closed" if status in CLOSED else status)
        assert case.end_date == (moment if status in CLOSED else None)
    assert (case.in_progress_at, case.closed_at) == (moments[0], moments[1])
    assert case.stage_at == case.new_at


def test_closing_at_once_skips_the_middle(cast: Cast) -> None:
    case = cast.case("internal")
    move(cast, case, "Duplicated")
    assert (case.stage, case.in_progress_at, case.stage_at) == ("Closed", None, case.closed_at)


@pytest.mark.parametrize("status", ["Closed", "new", "Solved", "x" * 64])
def test_an_unknown_status_is_refused(cast: Cast, status: str) -> None:
    with pytest.raises(Refusal, match="status from the list"):
        edit(cast, cast.case("internal"), status=status)
    db.session.rollback()
    assert cast.case("internal").status == "New"


@pytest.mark.parametrize(
    ("change", "moves"),
    [
        ({"title": "Other"}, True),
        ({"description": "Other"}, True),
        ({"severity": 4}, True),
        ({"status": "InProgress"}, True),
        ({"tags": ("x",)}, True),
        ({"start_date": datetime(2026, 1, 1, tzinfo=UTC)}, True),
        ({"tlp": 4}, False),
        ({"pap": 0}, False),
        ({"assignee_id": None}, False),
    ],
)
def test_the_date_outsiders_see_moves_only_with_what_they_see(cast: Cast, change: dict[str, Any], moves: bool) -> None:
    case = cast.case("shared")
    before = case.outside_at
    with at(later := now() + timedelta(hours=1)):
        edit(cast, case, **change)
    assert case.updated_at == later
    assert case.outside_at == (later if moves else before)


def test_a_case_one_may_not_see_is_not_there(cast: Cast) -> None:
    guard.engage(cast("olga"))
    try:
        assert cases.load(cast.world.cases["internal"]).title == "The internal case"
        for number in (cast.world.cases["restricted"], cast.world.cases["foreign"], 10**6):
            with pytest.raises(NotVisible):
                cases.load(number)
            with pytest.raises(NotVisible):
                cases.load(number, change=True)
    finally:
        guard.release()


def test_tags_come_from_a_line() -> None:
    assert split_tags(" b, a ,,a, " + "x" * 200) == ("a", "b", "x" * 200), "nothing is cut off behind anybody's back"
    assert split_tags("") == ()


def test_deleting_nothing_case_counts_stay(cast: Cast) -> None:
    """The world is what the other tests think it is."""
    assert db.session.scalar(select(func.count(Case.id))) == 6
    case = cast.case("internal")
    share(case, cast("ada"), cast("hanna"))
    assert case.version == 2


def test_an_incident_cannot_begin_in_the_future(cast: Cast) -> None:
    with pytest.raises(Refusal, match="begun in the future"):
        cases.create_case(Draft("Title", "Text", start_date=now() + timedelta(days=1)), by=cast("ada"))
