"""Marking single comments: only on shared cases, once, with a trace, and the people concerned are told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from portal.clock import at, now
from portal.extensions import db
from portal.refusals import NotAllowed, Refusal
from portal.sharing import marks
from portal.sharing.window import Window
from tests.factories import attach, share
from tests.fixtures.rooms import Cast, letters, newest_audit


def texts(cast: Cast, who: str, name: str = "shared") -> list[str]:
    db.session.flush()
    return [str(message.message_html) for message in Window(cast(who)).messages(cast.world.cases[name])]


def names(cast: Cast, who: str) -> list[str]:
    db.session.flush()
    return sorted(file.name for file in Window(cast(who)).files(cast.world.cases["shared"]))


def test_ada_can_make_a_comment_external_and_internal_again(cast: Cast) -> None:
    case, comment = cast.case("shared"), cast.comment("shared-internal")
    with at(later := now() + timedelta(hours=1)):
        assert marks.mark_comment(case, comment, True, by=cast("ada"))
    db.session.commit()
    assert any("Internal word" in text for text in texts(cast, "hanna"))
    assert case.outside_at == later
    assert (newest_audit()[0].kind, newest_audit()[0].changes) == ("comment:shared", {"external": [False, True]})
    assert marks.mark_comment(case, comment, False, by=cast("ada"))
    db.session.commit()
    assert not any("Internal word" in text for text in texts(cast, "hanna"))
    assert case.outside_at < later
    assert (newest_audit()[0].kind, newest_audit()[0].changes) == ("comment:withdrawn", {"external": [True, False]})


@pytest.mark.parametrize(("name", "external"), [("shared-external", True), ("shared-internal", False)])
def test_marking_twice_does_it_once(cast: Cast, name: str, external: bool) -> None:
    before = (newest_audit()[0].id, len(letters()), cast.case("shared").updated_at)
    assert not marks.mark_comment(cast.case("shared"), cast.comment(name), external, by=cast("ada"))
    db.session.commit()
    assert (newest_audit()[0].id, len(letters()), cast.case("shared").updated_at) == before


@pytest.mark.parametrize("name", ["internal", "restricted", "revoked"])
def test_nothing_on_an_unshared_case_becomes_external(cast: Cast, name: str) -> None:
    case = cast.case(name)
    with pytest.raises(Refusal, match="Share the case first"):
        marks.mark_comment(case, cast.comment(f"{name}-internal"), True, by=cast("ada"))
    assert marks.refusal_to_mark(case) == marks.UNSHARED
    assert marks.refusal_to_mark(cast.case("shared")) is None


def test_a_mark_can_be_taken_back_while_the_case_is_closed(cast: Cast) -> None:
    case = cast.case("revoked")
    assert marks.mark_comment(case, cast.comment("revoked-external"), False, by=cast("ada"))
    share(case, cast("ada"), cast("hanna"))
    assert [text for text in texts(cast, "hanna", "revoked") if "External word" in text] == []


@pytest.mark.parametrize("who", ["ruth", "rhea"])
def test_readers_cannot_mark(cast: Cast, who: str) -> None:
    with pytest.raises(NotAllowed):
        marks.mark_comment(cast.case("shared"), cast.comment("shared-internal"), True, by=cast(who))


def test_marking_posts_one_note_for_the_audience(cast: Cast) -> None:
    before = len(letters("case_news"))
    marks.mark_comment(cast.case("shared"), cast.comment("shared-internal"), True, by=cast("olga"))
    db.session.commit()
    [note] = letters("case_news")[before:]
    assert (note.to_user_id, note.to_address, note.case_id) == (None, None, cast.case("shared").id)
    assert set(note.extra["but"]) == {cast.world.people["olga"], cast.world.people["ada"]}
    marks.mark_comment(cast.case("shared"), cast.comment("shared-internal"), False, by=cast("olga"))
    assert len(letters("case_news")) == before + 1


def test_an_unassigned_case_tells_no_colleague(cast: Cast) -> None:
    case = cast.case("shared")
    case.assignee_id = None
    db.session.commit()
    before = len(letters("external_reply"))
    Window(cast("hanna")).add_message(case.number, "Anybody?")
    assert len(letters("external_reply")) == before


def test_a_file_that_goes_outside_leaves_its_internal_number_behind(cast: Cast) -> None:
    case, ada = cast.case("shared"), cast("ada")
    attach(case, ada, "report.pdf", b"one")
    second = attach(case, ada, "report.pdf", b"two")
    assert second.name == "report (2).pdf"
    marks.mark_attachment(case, second, True, by=ada)
    db.session.commit()
    assert newest_audit()[0].changes == {"name": ["report (2).pdf", "report.pdf"], "external": [False, True]}
    assert "report.pdf" in names(cast, "hanna")
    assert not any("(2)" in name for name in names(cast, "hanna"))


def test_files_that_go_outside_are_told_apart_there(cast: Cast) -> None:
    case, ada = cast.case("shared"), cast("ada")
    attach(case, ada, "report.pdf", b"outside", external=True)
    inside = [attach(case, ada, "report.pdf", text) for text in (b"one", b"two")]
    for file in inside:
        marks.mark_attachment(case, file, True, by=ada)
    db.session.commit()
    assert [name for name in names(cast, "hanna") if name.startswith("report")] == ["report (2).pdf", "report (3).pdf", "report.pdf"]


@pytest.mark.parametrize(
    ("name", "outside"),
    [
        ("Minutes (2026).pdf", "Minutes (2026).pdf"),
        ("a (2).b.pdf", "a (2).b.pdf"),
        ("plan (1).txt", "plan (1).txt"),
        ("notes (12)", "notes"),
    ],
)
def test_what_is_no_number_of_ours_stays_in_the_name(cast: Cast, name: str, outside: str) -> None:
    file = attach(cast.case("shared"), cast("ada"), name, b"x")
    marks.mark_attachment(cast.case("shared"), file, True, by=cast("ada"))
    assert file.name == outside
