"""Sharing that ends on a date: over at that very moment for every read and write, written down once, told before and after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from portal.audit.kinds import Kind
from portal.audit.models import AuditEntry
from portal.audit.record import Trace
from portal.cases import cases, comments, queries
from portal.cases.models import Case
from portal.clock import now
from portal.database import start_writing
from portal.extensions import db
from portal.mail.letters import write
from portal.refusals import NotVisible, Refusal
from portal.sharing import ending, guard, marks, restriction, scope
from portal.sharing.access import KEEP, audience, plan, reach, set_access
from portal.sharing.models import Access, Grant
from portal.sharing.window import Window
from tests.fixtures.rooms import Cast, at_once, letters, newest_audit
from tests.fixtures.world import Browser, World

SECOND = timedelta(seconds=1)


@pytest.fixture
def end() -> datetime:
    return now().replace(microsecond=0) + timedelta(days=10)


def set_ends(cast: Cast, end: datetime) -> None:
    for name, access, who in (("shared", Access.EXTERNAL, ("hanna", "rhea")), ("all", Access.ALL_EXTERNAL, ())):
        set_access(cast.case(name), access, {cast.world.people[w] for w in who}, by=cast("ada"), until=end)
    db.session.commit()


@pytest.fixture
def shared(cast: Cast, end: datetime) -> Iterator[Cast]:
    """`shared` and `all` end at `end`."""
    set_ends(cast, end)
    yield cast
    guard.release()


def kinds(case_id: int, kind: Kind) -> list[AuditEntry]:
    return list(db.session.scalars(select(AuditEntry).where(AuditEntry.case_id == case_id, AuditEntry.kind == kind.value)))


def told(name: str, case: Case) -> list[int | None]:
    return sorted(row.to_user_id or 0 for row in letters(name) if row.case_id == case.id)


def test_access_ends_at_that_very_moment_for_statements_written_before(shared: Cast, end: datetime) -> None:
    """The same viewer, the same kept statements, with and without the guard: only the clock moves."""
    hanna, number = shared("hanna"), shared.world.cases["shared"]
    uid = shared.world.comments["shared-external"]
    for moment, seen in ((end - SECOND, True), (end, False), (end + SECOND, False), (end - SECOND, True)):
        with time_machine.travel(moment, tick=False):
            assert bool(db.session.scalar(scope.visible(hanna, Case, Case.id).where(Case.number == number))) is seen
            guard.engage(hanna)
            assert (db.session.scalar(select(Case.id).where(Case.number == number)) is not None) is seen
            assert any(row.uid == uid for row in comments_there(number)) is seen
            window = Window(hanna)
            assert (number in [row.number for row in window.cases().rows]) is seen
            assert opens(window, number) is seen
            guard.release()


def comments_there(number: int) -> list[comments.Comment]:
    found = db.session.scalar(select(Case).where(Case.number == number).execution_options(populate_existing=True))
    return comments.comments_of(found) if found else []


def opens(window: Window, number: int) -> bool:
    try:
        window.case(number)
    except NotVisible:
        return False
    return True


def test_outsiders_cannot_write_past_the_end(shared: Cast, end: datetime) -> None:
    hanna, number, uid = shared("hanna"), shared.world.cases["shared"], shared.world.comments["shared-hanna"]
    with time_machine.travel(end, tick=False):
        for act in (
            lambda: Window(hanna).add_message(number, "Too late"),
            lambda: Window(hanna).edit_message(number, uid, "Too late"),
            lambda: Window(hanna).delete_message(number, uid),
        ):
            with pytest.raises(NotVisible):
                act()


def test_the_console_says_that_it_ended_before_anybody_wrote_it_down(shared: Cast, end: datetime) -> None:
    case, ada = shared.case("shared"), shared("ada")
    with time_machine.travel(end, tick=False):
        assert (case.access, case.access_now, case.shared, case.ended) == (Access.EXTERNAL, Access.INTERNAL, False, True)
        assert (reach(case), audience(case), reach(shared.case("all"))) == (frozenset(), [], frozenset())
        view, seen_by = queries.case_view(case)
        assert (view.access, view.badge, view.shared, seen_by.nobody) == ("internal", "ended", False, True)
        assert marks.refusal_to_mark(case) == marks.UNSHARED
        with pytest.raises(Refusal, match="not shared"):
            marks.mark_comment(case, shared.comment("shared-internal"), True, by=ada)
        with pytest.raises(Refusal, match="not shared"):
            comments.add_comment(case, "For all", external=True, by=ada)
        assert restriction.refusal_to_restrict(case) is None


@pytest.fixture
def ends(app: Flask, world: World, end: datetime) -> None:
    """The same for tests over HTTP, which must not share a context."""
    with app.app_context():
        set_ends(Cast(world), end)


@pytest.mark.usefixtures("ends")
def test_the_list_and_its_filters_count_an_ended_share_as_not_shared(world: World, end: datetime, browse: Callable[[str], Browser]) -> None:
    ada = browse("ada")
    numbers = {world.cases["shared"], world.cases["all"]}

    def listed(kind: str) -> set[int]:
        text = ada.get("/console/cases", query_string={"shared": kind}).text
        return {number for number in numbers if f'/console/cases/{number}"' in text}

    assert listed("all") | listed("selected") == numbers
    assert listed("not") == set()
    with time_machine.travel(end, tick=False):
        ada = browse("ada")
        assert listed("all") | listed("selected") == set()
        assert listed("not") == numbers
        assert "Sharing ended on" in ada.get("/console/cases").text
        page = ada.get(f"/console/cases/{world.cases['shared']}").text
        assert "Not shared." in page
        assert "Sharing ended by itself on" in page
        assert "Send to" not in page


def test_the_worker_writes_the_ending_down_once(shared: Cast, end: datetime) -> None:
    case = shared.case("shared")
    version = case.version
    with time_machine.travel(end + timedelta(days=7), tick=False):  # after a week of downtime
        assert ending.tick() == 2
        assert ending.tick() == 0
        case = shared.case("shared")
        assert (case.access, case.shared_since, case.shared_until, case.version) == (Access.INTERNAL, None, end, version + 1)
        assert db.session.scalars(select(Grant).where(Grant.case_id == case.id)).all() == []
        [entry] = kinds(case.id, Kind.ACCESS_ENDED)
        assert (entry.actor_id, entry.actor_name, entry.channel) == (None, "the system", "system")
        assert entry.changes == {"access": ["external", "internal"], "until": [end.isoformat(), None]}
        assert told("access_ended", case) == sorted(shared.world.people[who] for who in ("hanna", "rhea"))
        everybody = told("access_ended", shared.case("all"))
        assert everybody == sorted(shared.world.people[who] for who in ("hanna", "rhea", "vic", "newt"))
        assert letters("access_ending") == []  # too late for that
        assert queries.case_view(case)[0].badge == "ended"


def test_people_are_told_three_days_before_and_once(shared: Cast, end: datetime) -> None:
    case = shared.case("shared")
    with time_machine.travel(end - timedelta(days=3, seconds=1), tick=False):
        assert ending.tick() == 0
    with time_machine.travel(end - timedelta(days=3), tick=False):
        assert ending.tick() == 2
        assert ending.tick() == 0
        assert told("access_ending", case) == sorted(shared.world.people[who] for who in ("hanna", "rhea"))
        assert len(kinds(case.id, Kind.ACCESS_ENDING_TOLD)) == 1
        assert shared.case("shared").access is Access.EXTERNAL
    with time_machine.travel(end - timedelta(days=2), tick=False):
        set_access(shared.case("shared"), Access.EXTERNAL, {shared.world.people["hanna"]}, by=shared("ada"), until=end + SECOND)
        db.session.commit()
        assert ending.tick() == 1  # a new date is told anew
        assert len(kinds(case.id, Kind.ACCESS_ENDING_TOLD)) == 2


def test_two_workers_write_each_ending_once(app: Flask, shared: Cast, end: datetime) -> None:
    case = shared.case("shared")
    db.session.rollback()
    with time_machine.travel(end, tick=False):
        results = at_once(app, *[ending.tick] * 4)
        assert not [result for result in results if isinstance(result, Exception)], results
        assert ending.tick() == 0
        assert sum(results) == 2
        assert len(kinds(case.id, Kind.ACCESS_ENDED)) == 1
        assert len(told("access_ended", case)) == 2


def text_of(row: object) -> str | None:
    letter = write(row)  # type: ignore[arg-type]
    return f"{letter.subject}\n{letter.text}\n{letter.html}" if letter else None


def test_letters_about_the_end_carry_nothing_of_the_case_and_know_the_present(app: Flask, shared: Cast, end: datetime) -> None:
    case, hanna = shared.case("shared"), shared.world.people["hanna"]
    number, secrets = case.number, (case.title, case.description, "word on")
    with app.test_request_context(), time_machine.travel(end - timedelta(days=1), tick=False):
        ending.tick()
        [before] = [row for row in letters("access_ending") if row.to_user_id == hanna and row.case_id == case.id]
        words = text_of(before)
        assert words is not None
        assert f"#{number}" in words
        assert not any(secret in words for secret in secrets)
    with app.test_request_context(), time_machine.travel(end, tick=False):
        assert text_of(before) is None  # no longer true
        ending.tick()
        [after] = [row for row in letters("access_ended") if row.to_user_id == hanna and row.case_id == case.id]
        words = text_of(after)
        assert words is not None
        assert f"#{number}" in words
        assert not any(secret in words for secret in secrets)
        set_access(shared.case("shared"), Access.EXTERNAL, {hanna}, by=shared("ada"), again=True)
        db.session.commit()
        assert text_of(after) is None  # they see it again


def test_sharing_again_after_the_end_settles_it_first_and_asks(shared: Cast, end: datetime) -> None:
    vic = {shared.world.people["vic"]}
    with time_machine.travel(end, tick=False):
        case = shared.case("shared")
        wanted = plan(case, Access.EXTERNAL, vic)
        assert (wanted.gains, wanted.losses, wanted.until) == (["Vic Person"], [], None)
        with pytest.raises(Refusal, match="external when this case was shared before"):
            set_access(case, Access.EXTERNAL, vic, by=shared("ada"))
        set_access(case, Access.EXTERNAL, vic, by=shared("ada"), again=True)
        db.session.commit()
        case = shared.case("shared")
        assert (case.access, case.shared, case.shared_until) == (Access.EXTERNAL, True, None)
        assert [entry.kind for entry in newest_audit(2)] == [Kind.ACCESS_CHANGED, Kind.ACCESS_ENDED]
        assert audience(case) == sorted(vic)
        assert ending.tick() == 1  # only the other case


def test_revoking_what_has_ended_is_no_change(shared: Cast, end: datetime) -> None:
    with time_machine.travel(end, tick=False):
        case = shared.case("shared")
        assert not set_access(case, Access.INTERNAL, set(), by=shared("ada")).changed
        db.session.commit()
        assert ending.tick() == 2


def test_restricting_what_has_ended_settles_it_first(shared: Cast, end: datetime) -> None:
    with time_machine.travel(end, tick=False):
        case = shared.case("shared")
        restriction.restrict(case, set(), by=shared("olga"))
        db.session.commit()
        assert (case.access, case.shared_until) == (Access.RESTRICTED, None)
        assert len(kinds(case.id, Kind.ACCESS_ENDED)) == 1
        assert ending.tick() == 1


def test_the_end_can_be_moved_and_removed_without_sharing_anew(shared: Cast, end: datetime) -> None:
    case, hanna_and_rhea = shared.case("shared"), {shared.world.people[who] for who in ("hanna", "rhea")}
    before, since = len(letters()), case.shared_since
    later = end + timedelta(days=30)
    done = set_access(case, Access.EXTERNAL, hanna_and_rhea, by=shared("ada"), until=later)
    assert (done.button, done.until, case.shared_until, case.shared_since) == ("Change the end date", later, later, since)
    assert newest_audit()[0].changes == {"access": ["external", "external"], "until": [end.isoformat(), later.isoformat()]}
    assert not set_access(case, Access.EXTERNAL, hanna_and_rhea, by=shared("ada"), until=KEEP).changed
    assert case.shared_until == later
    done = set_access(case, Access.EXTERNAL, hanna_and_rhea, by=shared("ada"), until=None)
    assert (done.button, case.shared_until) == ("Remove the end date", None)
    assert len(letters()) == before


@pytest.mark.parametrize("past", [timedelta(0), timedelta(days=1)])
def test_an_end_in_the_past_is_refused(cast: Cast, past: timedelta) -> None:
    with pytest.raises(Refusal, match="must not be in the past"):
        set_access(cast.case("internal"), Access.ALL_EXTERNAL, set(), by=cast("ada"), until=now() - past)


def test_making_it_internal_takes_the_end_away(shared: Cast) -> None:
    case = shared.case("shared")
    set_access(case, Access.INTERNAL, set(), by=shared("ada"))
    assert case.shared_until is None
    assert queries.case_view(case)[0].badge == "internal"


def test_an_outsider_who_waited_for_the_row_is_asked_again(shared: Cast, end: datetime) -> None:
    """The row was visible when the request began; the end came before its write."""
    hanna, number = shared("hanna"), shared.world.cases["shared"]
    with time_machine.travel(end - SECOND, tick=False) as clock:
        window = Window(hanna)
        window.case(number)
        clock.move_to(end)
        with pytest.raises(NotVisible):
            window.add_message(number, "Too late")


@pytest.mark.usefixtures("ends")
def test_the_portal_forgets_the_case_at_its_end(world: World, end: datetime, browse: Callable[[str], Browser]) -> None:
    path = f"/portal/cases/{world.cases['shared']}"
    assert browse("hanna").get(path).status_code == 200
    with time_machine.travel(end, tick=False):
        hanna = browse("hanna")
        assert hanna.get("/portal/").status_code == 200
        assert hanna.get(path).status_code == 404
        assert hanna.post(f"{path}/comments", {"message": "Too late"}).status_code == 404
        assert f"cases/{world.cases['shared']}" not in hanna.get("/portal/").text


def test_a_stale_form_meets_the_ending(shared: Cast, end: datetime) -> None:
    version = shared.case("shared").version
    with time_machine.travel(end, tick=False):
        ending.tick()
        start_writing()
        guard.engage(shared("ada"))
        case = cases.load(shared.world.cases["shared"], change=True)
        with pytest.raises(Refusal, match="while you were deciding"):
            set_access(case, Access.EXTERNAL, {shared.world.people["vic"]}, by=shared("ada"), version=version, again=True)


def test_the_system_ends_by_itself_not_from_the_browser_that_noticed(shared: Cast, end: datetime) -> None:
    """Restricting or sharing anew writes an ending down on the way: whoever does it did not end it."""
    db.session.info["trace"] = Trace("console", "abc123", "192.0.2.7", "Firefox")
    try:
        with time_machine.travel(end + SECOND, tick=False):
            assert restriction.restrict(shared.case("shared"), set(), by=shared("olga"))
            set_access(shared.case("all"), Access.EXTERNAL, {shared.world.people["vic"]}, by=shared("ada"), again=True)
            db.session.flush()
            ended = [entry for name in ("shared", "all") for entry in kinds(shared.case(name).id, Kind.ACCESS_ENDED)]
    finally:
        del db.session.info["trace"]
    assert [(e.actor_name, e.channel, e.request_id, e.ip, e.user_agent) for e in ended] == [("the system", "system", "", "", "")] * 2
