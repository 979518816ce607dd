"""Nothing hidden reaches anybody outside, by any route, part, error page, header or letter; what is shown does arrive."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from portal.extensions import db
from portal.mail.letters import LETTERS, write
from portal.mail.models import OutboxMessage
from tests.access.canaries import CASE, COMMENT, KINDS, NEVER, SEES, crawl, leaks, plant, text_columns, unfit
from tests.access.roads import traveller
from tests.fixtures.world import OUTSIDE, Browser, World

Browse = Callable[[str], Browser]


def test_every_text_column_is_classified() -> None:
    """A new column: decide whether outsiders may read it, and write it down in tests/access/canaries.py."""
    assert sorted(name for name, _ in text_columns()) == sorted(KINDS)


@pytest.mark.parametrize("who", [who for who in SEES if who != "hanna"], ids=lambda who: who or "anonymous")
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
    may = planted.may.get(who, set())
    with app.app_context(), app.test_request_context():
        place = world.places["there" if who == "gast" else "here"]
        cases = {row.id: row.number for row in db.session.connection().execute(CASE.select())}
        comments = db.session.connection().execute(COMMENT.select()).all()
        names = {number: name for name, number in world.cases.items()}
        for letter in ("case_shared", "case_news", "external_reply"):
            assert letter in LETTERS
            for case_id, comment in [(c.case_id, c) for c in comments] + [(key, None) for key in cases]:
                key = comment.id if comment else None
                row = OutboxMessage(letter=letter, organisation_id=place, to_user_id=world.people[who], case_id=case_id, comment_id=key)
                written = write(row)
                seen = names[cases[case_id]] in SEES.get(who, ()) and (comment is None or comment.external)
                if written is None:
                    assert not seen or (letter != "case_shared" and comment is None)
                    continue
                assert seen
                text = f"{written.subject}\n{written.text}\n{written.html}"
                own = may | {c for c, where in planted.where.items() if where in _own(world, who, place)}
                assert {planted.where[c] for c in planted.where if c in text and c not in own} == set()
                assert not any(never in text for never in NEVER)
                assert not any(c in text for c in planted.where if planted.where[c].startswith(("incident_case.", "comment.")))


def _own(world: World, who: str, place: int) -> set[str]:
    return {f"user_account.name of {world.people[who]}", f"user_account.email of {world.people[who]}", f"organisation.name of {place}"}
