"""The audit trail: in the transaction of what it tells, apart where that one ends, and only for those who may read it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from portal.audit.feed import history
from portal.audit.kinds import SENTENCES, Kind
from portal.audit.models import AuditEntry
from portal.audit.record import Trace, record, record_apart
from portal.cases.cases import Draft, update_case
from portal.clock import at, now
from portal.extensions import db
from portal.sharing import guard
from portal.sharing.window import Window
from tests.factories import restrict, say
from tests.fixtures.rooms import Cast, newest_audit


def count() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count(AuditEntry.id))) or 0


def test_every_kind_reads_as_a_sentence() -> None:
    assert set(SENTENCES) == set(Kind)


def test_an_entry_stands_and_falls_with_what_it_tells(cast: Cast) -> None:
    before = count()
    record(Kind.CASE_UPDATED, actor=cast("ada"), case=cast.case("internal"))
    assert count() == before
    record(Kind.CASE_UPDATED, actor=cast("ada"), case=cast.case("internal"))
    db.session.commit()
    assert count() == before + 1


def test_an_entry_apart_stays(cast: Cast) -> None:
    before = count()
    record_apart(Kind.SIGN_IN_FAILED, actor=None)
    assert count() == before + 1
    assert (newest_audit()[0].actor_name, newest_audit()[0].actor_id) == ("the system", None)


def test_the_door_is_kept(cast: Cast) -> None:
    db.session.info["trace"] = Trace("portal", "abc123", "192.0.2.7", "Firefox")
    try:
        record(Kind.SIGNED_OUT, actor=cast("hanna"))
        db.session.commit()
    finally:
        del db.session.info["trace"]
    entry = newest_audit()[0]
    assert (entry.channel, entry.request_id, entry.ip, entry.user_agent) == ("portal", "abc123", "192.0.2.7", "Firefox")
    assert (entry.actor_external, entry.organisation_id) == (True, cast.world.places["here"])
    record(Kind.SIGNED_OUT, actor=cast("ada"))
    db.session.commit()
    assert newest_audit()[0].channel == "system"


def test_a_history_is_newest_first_and_comes_in_pages(cast: Cast) -> None:
    case = cast.case("internal")
    for number in range(7):
        say(case, cast("ada"), f"Word {number}")
    db.session.commit()
    first = history(case.id, size=3)
    assert len(first) == 4  # one more says that there is more
    second = history(case.id, before=first[2].id, size=10)
    together = [event.id for event in first[:3] + second]
    assert together == sorted(together, reverse=True)
    assert second[-1].sentence == "created the case"


def test_changes_are_told_in_words(cast: Cast) -> None:
    case = cast.case("internal")
    draft = Draft(case.title, "Other", tags=("a", "b"), start_date=case.start_date, assignee_id=None, status="InProgress")
    update_case(case, draft, version=case.version, by=cast("ada"))
    db.session.commit()
    changes = {field: (old, new) for field, old, new in history(case.id, size=1)[0].changes}
    assert changes == {
        "description": ("Description of the internal case.", "Other"),
        "tags": ("tag-internal", "a, b"),
        "status": ("New", "InProgress"),
        "assignee": ("Ada Person", "nothing"),
    }


@pytest.mark.parametrize(("who", "reads"), [("ada", True), ("olga", False), ("otto", False), ("pia", False), ("hanna", False)])
def test_a_history_is_for_those_who_may_see_the_case(cast: Cast, who: str, reads: bool) -> None:
    case_id = cast.case("restricted").id
    guard.engage(cast(who))
    try:
        assert bool(history(case_id)) is reads
    finally:
        guard.release()


def test_a_case_restricted_later_takes_its_history_along(cast: Cast) -> None:
    case = cast.case("internal")
    guard.engage(cast("olga"))
    try:
        assert history(case.id)
        restrict(case, cast("ada"))
        db.session.flush()
        assert history(case.id) == []
    finally:
        guard.release()


def test_hannas_views_are_on_record_once_an_hour(cast: Cast) -> None:
    number = cast.world.cases["shared"]
    viewed = select(func.count(AuditEntry.id)).where(AuditEntry.kind == Kind.CASE_VIEWED)

    def look(hours: float) -> int:
        with at(now() + timedelta(hours=hours)):
            Window(cast("hanna")).note_view(number)
        db.session.rollback()
        return db.session.scalar(viewed) or 0

    assert [look(hours) for hours in (0, 0.5, 1.1, 1.2)] == [1, 1, 2, 2]
    entry = newest_audit()[0]
    assert (entry.actor_name, entry.actor_external, entry.object_id) == ("Hanna Person", True, str(number))
