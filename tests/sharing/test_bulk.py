"""Opening many cases at once: nothing that was not shown, nothing to restricted ones, and one letter a person."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from portal.cases.bulk import CHANGED, GONE, Outcome
from portal.cases.models import Case
from portal.clock import now
from portal.database import start_writing
from portal.dates import Reading, date_words
from portal.extensions import db
from portal.mail.sender import drain
from portal.refusals import NotAllowed
from portal.sharing import guard, scope
from portal.sharing.bulk import Choice, prospect, share
from portal.sharing.models import Access
from tests.fixtures.rooms import Cast, letters


def choice(cast: Cast, *who: str, access: Access = Access.EXTERNAL, **more: Any) -> Choice:
    return Choice(access, frozenset(cast.world.people[name] for name in who), **more)


def shown(cast: Cast, wanted: Choice, *names: str) -> dict[int, str]:
    return {case.number: prospect(case, wanted).mark for case in (cast.case(name) for name in names)}


def do(cast: Cast, wanted: Choice, *names: str, who: str = "ada", seen: dict[int, str] | None = None) -> dict[str, Outcome]:
    """Do it as this person's request would; outcomes by the cases' names."""
    seen = seen or shown(cast, wanted, *names)
    start_writing()
    by = cast(who)
    guard.engage(by)
    try:
        outcomes = share(seen, wanted, by=by)
    finally:
        guard.release()
    names_of = {number: name for name, number in cast.world.cases.items()}
    return {names_of[outcome.number]: outcome for outcome in outcomes}


def sees(cast: Cast, who: str) -> set[str]:
    db.session.flush()
    numbers = set(db.session.scalars(scope.visible(cast(who), Case, Case.number)))
    return {name for name, number in cast.world.cases.items() if number in numbers}


def fresh(before: int, name: str) -> list[int | None]:
    return [row.to_user_id for row in letters(name) if row.id > before]


def last_letter() -> int:
    return max((row.id for row in letters()), default=0)


def test_many_cases_are_shared_and_restricted_ones_left_out(cast: Cast) -> None:
    done = do(cast, choice(cast, "vic"), "internal", "restricted")
    assert done["internal"].done
    assert (done["restricted"].done, "restricted case cannot be shared" in done["restricted"].sentence) == (False, True)
    assert "internal" in sees(cast, "vic")
    assert "restricted" not in sees(cast, "vic")


def test_revoking_many_takes_them_from_everybody(cast: Cast) -> None:
    done = do(cast, choice(cast, access=Access.INTERNAL), "shared", "all", "internal")
    assert [outcome.done for outcome in done.values()] == [True] * 3
    assert done["internal"].sentence == "It was so already."
    assert not {"shared", "all"} & (sees(cast, "hanna") | sees(cast, "rhea") | sees(cast, "vic"))


def test_what_was_external_before_comes_back_only_when_that_is_meant(cast: Cast) -> None:
    wanted = choice(cast, "vic")
    done = do(cast, wanted, "revoked", "internal")
    assert (done["revoked"].done, done["internal"].done) == (False, True)
    assert "revoked" not in sees(cast, "vic")
    assert do(cast, choice(cast, "vic", again=True), "revoked")["revoked"].done
    assert "revoked" in sees(cast, "vic")


def test_strict_cases_need_a_reason_and_red_ones_names(cast: Cast) -> None:
    cast.case("internal").tlp = 3
    cast.case("revoked").tlp = 4
    db.session.commit()
    everybody = choice(cast, access=Access.ALL_EXTERNAL, again=True)
    done = do(cast, everybody, "internal", "revoked")
    assert not done["internal"].done
    assert "AMBER+STRICT" in done["internal"].sentence
    assert not done["revoked"].done
    assert "TLP:RED" in done["revoked"].sentence
    assert do(cast, choice(cast, "vic", reason="Their own systems are hit."), "internal")["internal"].done


def test_a_case_changed_after_it_was_shown_is_left_out(cast: Cast) -> None:
    wanted = choice(cast, "vic")
    seen = shown(cast, wanted, "internal", "shared")
    do(cast, choice(cast, "rhea"), "internal")
    db.session.commit()
    done = do(cast, wanted, seen=seen)
    assert (done["internal"].sentence, done["shared"].done) == (CHANGED, True)
    assert "internal" not in sees(cast, "vic")


def test_a_case_that_was_not_shown_is_left_out(cast: Cast) -> None:
    done = do(cast, choice(cast, "vic"), seen={cast.world.cases["internal"]: ""})
    assert done["internal"].sentence == CHANGED
    assert "internal" not in sees(cast, "vic")


def test_other_peoples_cases_are_gone_for_whoever_may_not_see_them(cast: Cast) -> None:
    wanted = choice(cast, "vic")
    done = do(cast, wanted, "foreign", "internal")
    assert (done["foreign"].title, done["foreign"].sentence) == ("", GONE)
    done = do(cast, choice(cast, "hanna"), "restricted", who="olga")
    assert (done["restricted"].title, done["restricted"].sentence) == ("", GONE)


@pytest.mark.parametrize("who", ["ruth", "hanna"])
def test_people_without_the_right_cannot(cast: Cast, who: str) -> None:
    with pytest.raises(NotAllowed, match="share cases"):
        do(cast, choice(cast, "vic"), "internal", who=who)


def test_who_gains_one_case_only_is_told_of_that_one(cast: Cast) -> None:
    before = last_letter()
    do(cast, choice(cast, "hanna"), "internal", "shared")
    assert fresh(before, "case_shared") == [cast.world.people["hanna"]], "she could see the other one before"
    assert fresh(before, "cases_shared") == []


def test_everybody_is_one_note_that_becomes_one_letter_each(cast: Cast) -> None:
    before = last_letter()
    do(cast, choice(cast, access=Access.ALL_EXTERNAL, again=True), "internal", "shared", "revoked")
    assert (fresh(before, "case_shared"), fresh(before, "cases_shared")) == ([], [None])
    db.session.commit()
    drain()
    told = sorted(key for key in fresh(before, "cases_shared") if key)
    assert told == sorted(cast.world.people[name] for name in ("hanna", "rhea", "vic", "newt"))


def test_people_are_added_to_those_who_can_see_a_case_already(cast: Cast) -> None:
    wanted = choice(cast, "vic", adding=True)
    done = do(cast, wanted, "shared", "internal", "all")
    assert [outcome.done for outcome in done.values()] == [True] * 3
    db.session.commit()
    assert {"shared", "internal", "all"} <= sees(cast, "vic")
    assert {"shared", "all"} <= sees(cast, "hanna") & sees(cast, "rhea"), "whoever could see a case keeps it"
    assert "internal" not in sees(cast, "hanna")
    assert cast.case("all").access is Access.ALL_EXTERNAL
    assert "at least one person" in do(cast, choice(cast, adding=True), "internal")["internal"].sentence


def test_what_is_missing_to_share_a_case_is_known_before(cast: Cast) -> None:
    cast.case("internal").tlp = 3
    db.session.commit()
    case = cast.case("internal")
    told = [prospect(case, choice(cast, "vic", reason=reason)).left_out for reason in ("", " too  few ", "Their systems.")]
    assert told == ["no reason", "no reason", ""]
    assert prospect(case, choice(cast, "vic", reason="x" * 1001)).left_out.startswith("The reason is longer than 1,000 characters")
    assert "not confirmed" in prospect(cast.case("revoked"), choice(cast, "vic")).left_out


def test_many_cases_end_on_the_day_that_was_chosen_and_otherwise_as_before(cast: Cast) -> None:
    day, later = now() + timedelta(days=9), now() + timedelta(days=30)
    cast.case("shared").shared_until = later
    db.session.commit()
    done = do(cast, choice(cast, "hanna", until=day), "internal", "all")
    assert done["internal"].sentence == f"1 external user can see it. The last day of sharing is {date_words(day, Reading())}."
    db.session.commit()
    do(cast, choice(cast, "hanna"), "shared")
    assert [cast.case(name).shared_until for name in ("internal", "all", "shared")] == [day, day, later]
    db.session.commit()
    done = do(cast, choice(cast, "hanna", until=later), "internal", "shared")
    assert (done["internal"].sentence, done["shared"].sentence) == (
        f"The last day of sharing is {date_words(later, Reading())} now.",
        "It was so already.",
    )
    db.session.commit()
    do(cast, choice(cast, access=Access.INTERNAL, until=day), "shared")
    assert cast.case("shared").shared_until is None


def test_another_last_day_than_the_one_shown_changes_nothing(cast: Cast) -> None:
    seen = shown(cast, choice(cast, "hanna", until=now() + timedelta(days=9)), "internal")
    assert do(cast, choice(cast, "hanna", until=now() + timedelta(days=30)), seen=seen)["internal"].sentence == CHANGED
    assert "internal" not in sees(cast, "hanna")


def test_whom_a_new_last_day_ends_it_for_too_is_known_before(cast: Cast) -> None:
    day = now() + timedelta(days=9)

    def ends_for(name: str, *who: str, **more: Any) -> str:
        plan = prospect(cast.case(name), choice(cast, *who, **more)).plan
        assert plan is not None
        return plan.ends_for

    assert ends_for("shared", "vic", adding=True, until=day) == "Hanna Person and Rhea Person"
    assert ends_for("shared", "vic", "hanna", until=day) == "Hanna Person", "Rhea loses it at once"
    assert ends_for("shared", "vic", adding=True) == "", "their end stays"
    assert ends_for("internal", "vic", until=day) == ""
    assert ends_for("all", "vic", adding=True, until=day) == "All external users"
    assert ends_for("all", "vic", until=day) == "Vic Person"
    plan = prospect(cast.case("shared"), choice(cast, "vic", adding=True, until=day)).plan
    assert plan is not None
    assert replace(plan, staying=("A", "B", "C", "D")).ends_for == "A, B, C and 1 more"
