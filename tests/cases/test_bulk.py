"""Acts on many cases: each by itself, what is refused for one leaves the others, and what cannot be seen is not told from nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from portal.cases import bulk, lifecycle
from portal.cases.models import Case, CaseTag
from portal.database import start_writing
from portal.extensions import db
from portal.refusals import NotAllowed, Refusal
from portal.search.models import SearchText
from portal.sharing import guard
from tests.fixtures.rooms import Cast, at_once, newest_audit

UNKNOWN = 987_654


@contextmanager
def looking(cast: Cast, who: str) -> Iterator[Any]:
    """As this person's request would see the database."""
    viewer = cast(who)
    guard.engage(viewer)
    try:
        yield viewer
    finally:
        guard.release()


def shown(cast: Cast, *names: str) -> dict[int, str]:
    return {case.number: str(case.version) for case in (cast.case(name) for name in names)}


def told(outcomes: list[bulk.Outcome]) -> list[tuple[int, bool]]:
    return [(outcome.number, outcome.done) for outcome in outcomes]


def test_each_case_gets_it_and_says_so(cast: Cast) -> None:
    seen = shown(cast, "internal", "shared", "all")
    with looking(cast, "ada") as ada:
        outcomes = bulk.each(seen, bulk.change(ada, severity=4))
    assert told(outcomes) == [(number, True) for number in sorted(seen)]
    assert {cast.case(name).severity for name in ("internal", "shared", "all")} == {4}
    assert [entry.changes for entry in newest_audit(3)] == [{"severity": [2, 4]}] * 3
    with looking(cast, "ada") as ada:
        again = bulk.each(shown(cast, "internal"), bulk.change(ada, severity=4))
    assert again[0].sentence == "It was so already."


def test_what_ada_may_not_see_reads_like_what_does_not_exist(cast: Cast) -> None:
    numbers = {cast.world.cases["foreign"]: "1", UNKNOWN: "1"}
    with looking(cast, "ada") as ada:
        outcomes = bulk.each({**shown(cast, "internal"), **numbers}, bulk.change(ada, severity=4))
    assert told(outcomes) == [(cast.world.cases["internal"], True), (cast.world.cases["foreign"], False), (UNKNOWN, False)]
    assert {(outcome.title, outcome.sentence) for outcome in outcomes[1:]} == {("", bulk.GONE)}
    assert cast.case("foreign").severity == 2


def test_olga_cannot_touch_a_case_restricted_to_ada(cast: Cast) -> None:
    seen = shown(cast, "restricted")
    with looking(cast, "olga") as olga:
        outcomes = bulk.each(seen, bulk.change(olga, severity=4))
    assert (outcomes[0].done, outcomes[0].title, outcomes[0].sentence) == (False, "", bulk.GONE)
    assert cast.case("restricted").severity == 2


def test_a_case_changed_meanwhile_is_left_as_it_is(cast: Cast) -> None:
    seen = shown(cast, "internal", "all")
    with looking(cast, "olga") as olga:
        bulk.each(shown(cast, "internal"), bulk.change(olga, tlp=4))
    with looking(cast, "ada") as ada:
        outcomes = bulk.each(seen, bulk.change(ada, severity=4))
    by_number = {outcome.number: outcome for outcome in outcomes}
    assert by_number[cast.world.cases["internal"]].sentence == bulk.CHANGED
    assert by_number[cast.world.cases["all"]].done
    assert cast.case("internal").severity == 2


def test_a_refusal_undoes_that_case_alone(cast: Cast) -> None:
    """A closed case keeps its status; one may not be given to somebody outside, whichever it is."""
    case = cast.case("internal")
    lifecycle.close_case(case, status="Other", summary="Done.", impact="NoImpact", version=case.version, by=cast("ada"))
    db.session.commit()
    with looking(cast, "ada") as ada:
        outcomes = bulk.each(shown(cast, "internal", "all"), bulk.change(ada, status="InProgress"))
    assert {outcome.sentence for outcome in outcomes} == {bulk.CLOSED_ALREADY, "Changed."}
    assert [cast.case(name).status for name in ("internal", "all")] == ["Other", "InProgress"]
    entries = len(newest_audit(100))
    with looking(cast, "ada") as ada:
        outcomes = bulk.each(shown(cast, "internal", "all"), bulk.change(ada, assignee_id=cast.world.people["hanna"]))
    assert not any(outcome.done for outcome in outcomes)
    assert {cast.case(name).assignee_id for name in ("internal", "all")} == {cast.world.people["ada"]}
    assert len(newest_audit(100)) == entries, "what was refused left no trace"


def test_closing_is_not_done_in_bulk(cast: Cast) -> None:
    with looking(cast, "ada") as ada:
        outcomes = bulk.each(shown(cast, "internal"), bulk.change(ada, status="TruePositive"))
    assert "Use Close case" in outcomes[0].sentence


def test_raising_the_tlp_of_shared_cases_says_what_to_look_at(cast: Cast) -> None:
    with looking(cast, "ada") as ada:
        outcomes = bulk.each(shown(cast, "internal", "shared"), bulk.change(ada, tlp=4))
    told = {outcome.number: outcome.sentence for outcome in outcomes}
    assert told[cast.world.cases["internal"]] == "Changed."
    assert told[cast.world.cases["shared"]].startswith("Changed. It is TLP:RED now and still shared.")


def test_after_the_reason_was_given_it_is_not_asked_again(cast: Cast) -> None:
    with looking(cast, "ada") as ada:
        told = bulk.each(shown(cast, "shared"), bulk.change(ada, tlp=3, reason="Their systems are hit."))
    assert [outcome.sentence for outcome in told] == ["Changed."]


def test_shared_cases_become_amber_strict_for_a_reason_only(cast: Cast) -> None:
    with looking(cast, "ada") as ada:
        seen = shown(cast, "internal", "shared")
        with pytest.raises(Refusal, match="at least 10 characters"):
            bulk.change_tlp(ada, seen, 3, "short")
        bulk.change_tlp(ada, shown(cast, "internal"), 3, "")
        outcomes = bulk.each(seen, bulk.change(ada, tlp=3))
        assert dict(told(outcomes)) == {number: number == cast.world.cases["internal"] for number in seen}
        bulk.each(seen := shown(cast, "internal", "shared"), bulk.change_tlp(ada, seen, 3, "Their systems are hit."))
    assert cast.case("shared").tlp == 3
    assert newest_audit()[0].changes["reason"] == [None, "Their systems are hit."]


def test_tags_come_and_go(cast: Cast) -> None:
    with looking(cast, "ada") as ada:
        outcomes = bulk.each(shown(cast, "internal", "all"), bulk.change_tags(ada, ["phishing"], ["tag-all"]))
    assert all(outcome.done for outcome in outcomes)
    assert (cast.case("internal").tags, cast.case("all").tags) == (["phishing", "tag-internal"], ["phishing"])
    assert sorted(db.session.scalars(select(CaseTag.tag).where(CaseTag.case_id == cast.case("all").id))) == ["phishing"]


def test_what_many_cases_were_given_can_be_searched_for(cast: Cast) -> None:
    start_writing()
    bulk.each(shown(cast, "internal", "all"), bulk.change_tags(cast("ada"), ["quetzal"], []))
    db.session.commit()
    bodies = db.session.connection().scalars(select(SearchText.__table__.c.body))
    assert sum("quetzal" in body for body in bodies) == 2


def test_tags_must_be_named_and_not_both_added_and_removed(cast: Cast) -> None:
    with pytest.raises(Refusal, match="at least one tag"):
        bulk.change_tags(cast("ada"), [], [])
    with pytest.raises(Refusal, match="add and remove x at once"):
        bulk.change_tags(cast("ada"), ["x", "y"], ["x"])


def test_deleting_asks_for_the_number_of_cases(cast: Cast) -> None:
    seen = shown(cast, "internal", "all")
    with pytest.raises(Refusal, match="Type 2"):
        bulk.delete(cast("olga"), 2, "1")
    with looking(cast, "olga") as olga:
        outcomes = bulk.each(seen, bulk.delete(olga, 2, " 2 "))
    assert told(outcomes) == [(number, True) for number in sorted(seen)]
    assert not db.session.scalars(select(Case.id).where(Case.number.in_(seen))).all()
    assert [entry.kind for entry in newest_audit(2)] == ["deleted:case"] * 2


def test_ruth_cannot_do_anything_to_many_cases(cast: Cast) -> None:
    for make in (lambda by: bulk.change(by, severity=1), lambda by: bulk.change_tags(by, ["a"], []), lambda by: bulk.delete(by, 1, "1")):
        with pytest.raises(NotAllowed):
            make(cast("ruth"))


def test_at_most_two_hundred_at_once_and_at_least_one(cast: Cast) -> None:
    with pytest.raises(Refusal, match="at most 200"):
        bulk.ticked(range(201))
    with pytest.raises(Refusal, match="at least one"):
        bulk.ticked([])


def test_two_analysts_on_the_same_cases_do_not_block_each_other(app: Flask, cast: Cast) -> None:
    """Each names them in another order; rows are locked in one."""
    seen = shown(cast, "internal", "shared", "all", "revoked")
    ada, olga = cast("ada"), cast("olga")

    def work(by: Any, severity: int, order: list[int]) -> Any:
        def run() -> list[bool]:
            start_writing()
            outcomes = bulk.each({number: seen[number] for number in order}, bulk.change(by, severity=severity))
            db.session.commit()
            return [outcome.done for outcome in outcomes]

        return run

    results = at_once(app, work(ada, 3, sorted(seen)), work(olga, 4, sorted(seen, reverse=True)))
    assert sorted(all(result) for result in results) == [False, True], results
    assert sorted(any(result) for result in results) == [False, True], "whoever came second changed nothing"
