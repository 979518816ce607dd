"""Drafts of reports: for their writer alone, in the organisation they write to."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from portal.accounts.permissions import Permission
from portal.accounts.viewer import Viewer
from portal.cases.models import Case
from portal.cases.text import render
from portal.database import start_writing
from portal.extensions import db
from portal.refusals import NotAllowed, Stale
from portal.sharing.reports import Reports
from tests.fixtures.rooms import Cast

TYPED = {"title": "Odd", "happened": "It happened."}


def began(cast: Cast) -> Viewer:
    """Hanna, who has begun a report."""
    start_writing()
    hanna = cast("hanna")
    Reports(hanna).keep(TYPED, seen="", page="one")
    db.session.commit()
    return hanna


def test_hanna_finds_her_draft_and_nobody_else_does(cast: Cast) -> None:
    hanna = began(cast)
    kept = Reports(hanna).draft()
    assert kept is not None
    assert kept.fields["happened"] == "It happened."
    assert Reports(cast("vic")).draft() is None
    assert Reports(replace(hanna, organisation_id=cast.world.places["there"])).draft() is None


def test_who_looks_through_her_eyes_cannot_read_what_she_has_not_sent(cast: Cast) -> None:
    looker = replace(began(cast), viewed_by_id=cast.world.people["ada"])
    assert Reports(looker).draft() is None


@pytest.mark.parametrize("who", ["rhea", "ada", "pia"])
def test_a_reader_and_a_colleague_cannot_keep_a_report(cast: Cast, who: str) -> None:
    with pytest.raises(NotAllowed):
        Reports(cast(who)).keep(TYPED, seen="", page="one")


def sent(viewer: Viewer, **typed: str) -> str:
    """Send a report; its description as the case has it."""
    start_writing()
    own = Reports(viewer)
    kept = own.keep({**TYPED, **typed}, seen="", page="one")
    number = own.send(None, "", [], kept.version)
    db.session.commit()
    return db.session.scalars(select(Case.description).where(Case.number == number)).one()


def test_evidence_goes_along_in_words_when_it_may_not_be_added_any_more(cast: Cast) -> None:
    hanna = cast("hanna")
    words_only = replace(hanna, permissions=hanna.permissions - {Permission.OBSERVABLE})
    assert "https://odd.example/x" in sent(words_only, items="https://odd.example/x")


def test_an_answer_with_a_block_that_has_no_end_leaves_the_others_alone(cast: Cast) -> None:
    description = sent(cast("hanna"), happened="It said:\n```\nerror 5", affected="Everybody")
    assert "<h3>Who is affected</h3>" in render(description)


def test_a_draft_that_was_sent_or_changed_is_neither_brought_back_nor_thrown_away(cast: Cast) -> None:
    own = Reports(began(cast))
    old = own.draft()
    assert old is not None
    start_writing()
    newer = own.keep({**TYPED, "happened": "More of it."}, seen=old.version, page="one")
    with pytest.raises(Stale):
        own.discard(old.version)
    own.discard(newer.version)
    with pytest.raises(Stale):
        own.keep(TYPED, seen=newer.version, page="two")
    assert own.draft() is None
