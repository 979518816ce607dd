"""Nothing hidden reaches anybody outside, by any route, part, error page, header or letter; what is shown does arrive."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from portal.clock import now
from portal.extensions import db
from portal.mail.letters import LETTERS, write
from portal.mail.models import OutboxMessage
from tests.access.canaries import CASE, COMMENT, KINDS, NEVER, SEES, crawl, leaks, plant, text_columns, unfit
from tests.access.roads import traveller
from tests.fixtures.pace import few
from tests.fixtures.world import OUTSIDE, Browser, World

Browse = Callable[[str], Browser]


def test_every_text_column_is_classified() -> None:
    """A new column: decide whether outsiders may read it, and write it down in tests/access/kinds.py."""
    assert sorted(name for name, _ in text_columns()) == sorted(KINDS)


@pytest.mark.parametrize("who", few([who for who in SEES if who != "hanna"], {"vic"}), ids=lambda who: who or "anonymous")
def test_outsiders_cannot_meet_what_is_hidden(app: Flask, world: World, browse: Browse, who: str) -> None:
    planted = plant(app, world)
    assert leaks(app, world, planted, browse, who) == {}


def test_hanna_meets_everything_that_is_shown_and_nothing_else(app: Flask, world: World, browse: Browse) -> None:
    """The crawl proves something only if it arrives where the words are."""
    planted = plant(app, world)
    met = crawl(app, world, planted, traveller(app, browse, "hanna"))
    assert unfit(planted, met, "hanna") == {}
    missed = sorted(planted.where[canary] for canary in planted.may["hanna"] if canary not in met.on)
    assert missed == []
    assert len(planted.may["hanna"]) > 20
    assert met.answers > 200


def test_ada_meets_what_is_hidden_from_the_others(app: Flask, world: World, browse: Browse) -> None:
    """The same crawl as a colleague finds internal words: they are there to be found."""
    planted = plant(app, world)
    met = crawl(app, world, planted, traveller(app, browse, "ada"), only="console")
    seen = {planted.where[canary].split(" of ")[0] for canary in met.on if canary in planted.where and canary not in planted.may["hanna"]}
    assert {"comment.message_html", "comment.author_name", "incident_case.title", "audit_entry.actor_name", "user_account.name"} <= seen
    assert "TLP" in met.on


def test_a_team_that_signs_as_a_team_is_not_named(app: Flask, world: World, browse: Browse) -> None:
    with app.app_context():
        db.session.connection().execute(db.metadata.tables["organisation"].update().values(names_analysts=False))
        db.session.commit()
        planted = plant(app, world)
        rows = db.session.connection().execute(COMMENT.select().where(COMMENT.c.author_external.is_(False))).all()
        analysts = {row.author_name for row in rows}
    met = crawl(app, world, planted, traveller(app, browse, "hanna"), only="external")
    assert analysts
    assert analysts & set(met.on) == set()


@pytest.mark.parametrize("who", OUTSIDE)
def test_letters_carry_nothing_of_a_case(app: Flask, world: World, who: str) -> None:
    """Every letter about every case and comment, written for every outsider: number and link at most, and only of what they see."""
    planted = plant(app, world)
    may, told = planted.may.get(who, set()), set()
    with app.app_context(), app.test_request_context():
        place = world.places["there" if who == "gast" else "here"]
        own = may | {c for c, where in planted.where.items() if where in _own(world, who, place)}
        cases, comments = _endings_set(world)
        for letter, case_id, comment in _subjects(cases, comments):
            files = {"files": "2000-01-01T00:00:00+00:00"} if comment is None else {}
            about = {"case_id": case_id, "comment_id": comment.id if comment else None, "extra": {"cases": [case_id], **files}}
            written = write(OutboxMessage(letter=letter, organisation_id=place, to_user_id=world.people[who], **about))
            sees = cases[case_id] in SEES.get(who, ()) and (comment is None or comment.external)
            if written is None:
                assert letter in OF_THE_TEAM or not sees or cases[case_id] not in DUE.get(letter, SEES[who]), (letter, cases[case_id])
                continue
            assert sees if letter != "access_ended" else cases[case_id] == "revoked", (letter, cases[case_id])
            assert letter not in OF_THE_TEAM
            told.add(letter)
            text = f"{written.subject}\n{written.text}\n{written.html}"
            assert {planted.where[c] for c in planted.where if c in text and c not in own} == set()
            assert not any(never in text for never in NEVER)
            assert not any(c in text for c in planted.where if planted.where[c].startswith(OF_A_CASE))
    assert told == (set(LETTERS) - OF_THE_ACCOUNT - OF_THE_TEAM if who == "hanna" else told)


OF_PEOPLE = {"invitation", "invitation_reminder", "portal_admin", "people_digest"}
OF_THE_ACCOUNT = {*OF_PEOPLE, "reset", "password_changed", "email_change", "email_changed", "mfa_changed", "mfa_reset"}
OF_CASES = {"cases_shared", "case_status", "access_ending", "access_ended", "report_received"}  # of no comment
OF_THE_TEAM = {"external_reply", "case_reported", "case_assigned"}  # for nobody outside
# Which cases have what the letter tells of; all of them where it is not named. `revoked` was shared with Hanna until a moment ago.
DUE = {"access_ending": ("shared",), "access_ended": ()}
OF_A_CASE = ("incident_case.", "comment.", "attachment.")


def _subjects(cases: dict[int, str], comments: list[Any]) -> Iterator[tuple[str, int, Any]]:
    """Each letter about a case, a new one by itself, with each case, and with each comment where it tells of one."""
    for letter in sorted(set(LETTERS) - OF_THE_ACCOUNT):
        if letter not in OF_CASES:
            yield from ((letter, comment.case_id, comment) for comment in comments)
        if letter != "external_reply":
            yield from ((letter, case_id, None) for case_id in cases)


def _endings_set(world: World) -> tuple[dict[int, str], list[Any]]:
    """Cases by their key, and all comments; sharing of `shared` ends tomorrow, that of `revoked` has just ended."""
    connection = db.session.connection()
    for name, days in (("shared", 1), ("revoked", 0)):
        ends = CASE.update().where(CASE.c.number == world.cases[name]).values(shared_until=now() + timedelta(days=days))
        connection.execute(ends)
    names = {number: name for name, number in world.cases.items()}
    return {row.id: names[row.number] for row in connection.execute(CASE.select())}, list(connection.execute(COMMENT.select()))


def _own(world: World, who: str, place: int) -> set[str]:
    return {f"user_account.name of {world.people[who]}", f"user_account.email of {world.people[who]}", f"organisation.name of {place}"}
