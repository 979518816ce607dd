"""The bell's notices: who is told of what, never oneself, once per case and reason, and never of what one cannot see."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import delete

from portal.cases import cases, comments
from portal.database import start_writing
from portal.extensions import db
from portal.notices import notices
from portal.notices.models import Notice, Reason
from portal.refusals import NotAllowed, NotVisible
from portal.sharing import guard
from portal.sharing.window import Window
from tests.factories import make_case, restrict
from tests.fixtures.rooms import Cast


@pytest.fixture(autouse=True)
def nothing_told(app: Flask) -> None:
    """Without the notice the world has for Ada."""
    with app.app_context():
        start_writing()
        db.session.execute(delete(Notice))
        db.session.commit()


def told(cast: Cast, who: str) -> list[tuple[str, str, bool]]:
    """What somebody is told of: reason, by whom, unread."""
    return [(row.reason, row.actor, row.unread) for row in notices.newest(cast(who))]


def assign(cast: Cast, name: str, to: str | None, by: str) -> None:
    case = cast.case(name)
    draft = replace(cases.draft_of(case), assignee_id=cast.world.people[to] if to else None)
    cases.update_case(case, draft, version=case.version, by=cast(by))
    db.session.flush()


def reply(cast: Cast, name: str, who: str = "hanna") -> None:
    """As it happens in the portal: under the lock of an outsider's session."""
    viewer = cast(who)
    guard.engage(viewer)
    Window(viewer).add_message(cast.world.cases[name], "Hello?")
    db.session.flush()
    guard.release()


def test_an_assignee_is_told_and_nobody_else(cast: Cast) -> None:
    assign(cast, "internal", "olga", by="ada")
    assert told(cast, "olga") == [("assigned", "Ada Person", True)]
    assert told(cast, "ada") == told(cast, "ruth") == told(cast, "otto") == []


def test_nobody_is_told_of_what_they_did_themselves(cast: Cast) -> None:
    assign(cast, "internal", "olga", by="olga")
    assign(cast, "internal", None, by="olga")
    make_case(cast("ada"), "Mine from the start")
    assert told(cast, "olga") == told(cast, "ada") == []


def test_an_assignee_is_told_of_an_external_reply_and_not_of_colleagues(cast: Cast) -> None:
    comments.add_comment(cast.case("shared"), "From inside", external=True, by=cast("olga"))
    assert told(cast, "ada") == []
    reply(cast, "shared")
    assert told(cast, "ada") == [("external_reply", "Hanna Person", True)]
    assert told(cast, "olga") == []


def test_the_same_news_is_told_once_until_it_is_read(cast: Cast) -> None:
    for _ in range(3):
        reply(cast, "shared")
    reply(cast, "all", "vic")
    assert notices.unread(cast("ada")) == 2
    notices.read_all(cast("ada"))
    reply(cast, "shared")
    assert [unread for _, _, unread in told(cast, "ada")] == [True, False, False]


def test_a_reported_case_is_told_to_those_who_take_on_cases(cast: Cast) -> None:
    case = cast.case("shared")
    notices.tell_team(case, by=cast("hanna"))
    assert told(cast, "ada") == told(cast, "olga") == [("reported", "Hanna Person", True)]
    assert told(cast, "ruth") == told(cast, "otto") == []


@pytest.mark.parametrize(("reported", "who"), [(False, []), (True, ["ada", "olga"])])
def test_a_reply_on_nobodys_case_is_told_to_the_team_if_it_was_reported(cast: Cast, reported: bool, who: list[str]) -> None:
    assign(cast, "shared", None, by="ada")
    cast.case("shared").reported_outside = reported
    db.session.flush()
    reply(cast, "shared")
    assert [name for name in ("ada", "olga", "ruth") if told(cast, name)] == who


def test_a_notice_vanishes_with_the_right_to_see_the_case(cast: Cast) -> None:
    assign(cast, "internal", "olga", by="ada")
    assign(cast, "internal", "ada", by="olga")
    assert notices.unread(cast("olga")) == 1
    restrict(cast.case("internal"), cast("ada"))
    db.session.flush()
    assert (told(cast, "olga"), notices.unread(cast("olga"))) == ([], 0)
    notices.read_all(cast("olga"))
    with pytest.raises(NotVisible):
        notices.read_one(cast("olga"), 1)
    restrict(cast.case("internal"), cast("olga"))
    db.session.flush()
    assert told(cast, "olga") == [("assigned", "Ada Person", True)], "what they could not see is not marked as read"


def test_nobody_reads_somebody_elses_notice(cast: Cast) -> None:
    assign(cast, "internal", "olga", by="ada")
    mine = notices.newest(cast("olga"))[0].id
    for who in ("ada", "otto", "pia"):
        with pytest.raises(NotVisible):
            notices.read_one(cast(who), mine)
        notices.read_all(cast(who))
    assert notices.unread(cast("olga")) == 1
    notices.read_one(cast("olga"), mine)
    notices.read_one(cast("olga"), mine)
    assert notices.unread(cast("olga")) == 0


def test_what_came_after_the_page_was_drawn_stays_unread(cast: Cast) -> None:
    reply(cast, "shared")
    drawn = notices.newest(cast("ada"))[0].id
    reply(cast, "all", "vic")
    notices.read_all(cast("ada"), until=drawn)
    assert [row.unread for row in notices.newest(cast("ada"))] == [True, False]


def test_the_bell_stops_counting(cast: Cast) -> None:
    for number in range(notices.MOST + 5):
        notices.tell(cast.world.people["olga"], make_case(cast("ada"), f"Case {number}"), Reason.ASSIGNED, by=cast("ada"))
    assert notices.unread(cast("olga")) == notices.MOST + 1
    page = notices.newest(cast("olga"), size=5)
    assert len(page) == 6
    assert notices.newest(cast("olga"), before=page[4].id, size=5)[0].id == page[5].id


def test_titles_are_the_cases_as_they_are_now(cast: Cast) -> None:
    assign(cast, "internal", "olga", by="ada")
    cast.case("internal").title = "A better title"
    db.session.flush()
    assert notices.newest(cast("olga"))[0].case_title == "A better title"


def test_a_deleted_case_takes_its_notices_along(cast: Cast) -> None:
    assign(cast, "internal", "olga", by="ada")
    db.session.delete(cast.case("internal"))
    db.session.flush()
    assert told(cast, "olga") == []


def test_who_looks_through_somebodys_eyes_neither_reads_nor_tells(cast: Cast) -> None:
    """Notices are written past the ORM, so its lock does not hold them: they refuse by themselves."""
    assign(cast, "all", "olga", "ada")
    db.session.commit()
    looked = replace(cast("olga"), viewed_by_id=cast.world.people["ada"])
    notices.note_opened(looked, cast.world.cases["all"])
    assert notices.unread(cast("olga")) == 1
    with pytest.raises(NotAllowed):
        notices.tell(cast.world.people["ruth"], cast.case("all"), Reason.ASSIGNED, by=looked)
    with pytest.raises(NotAllowed):
        notices.tell_of_reply(cast.case("all"), by=replace(cast("hanna"), viewed_by_id=cast.world.people["ada"]))
    assert told(cast, "ruth") == []
