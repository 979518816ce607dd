"""Drafts of reports: for their writer alone, in the organisation they write to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from portal.accounts.viewer import Viewer
from portal.database import start_writing
from portal.extensions import db
from portal.refusals import NotAllowed
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
