"""Comments: whose they are, who may write them, and what stays behind when they go."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from portal.cases import comments
from portal.clock import at, now
from portal.extensions import db
from portal.refusals import NotAllowed, NotVisible, Refusal
from tests.factories import mark, say, share
from tests.fixtures.rooms import Cast, newest_audit


def test_a_colleagues_comment_is_internal_unless_chosen_otherwise(cast: Cast) -> None:
    case = cast.case("shared")
    assert not say(case, cast("ada"), "For us").external
    assert say(case, cast("ada"), "For them", external=True).external
    assert newest_audit()[0].changes == {"external": [None, True]}


def test_what_an_external_user_writes_is_external(cast: Cast) -> None:
    comment = comments.add_comment(cast.case("shared"), "Hello", external=False, by=cast("hanna"))
    assert (comment.external, comment.author_external, comment.author_name) == (True, True, "Hanna Person")


@pytest.mark.parametrize("name", ["internal", "restricted", "revoked"])
def test_nothing_external_is_written_on_an_unshared_case(cast: Cast, name: str) -> None:
    case = cast.case(name)
    with pytest.raises(Refusal, match="Share the case first"):
        say(case, cast("ada"), "For them", external=True)
    with pytest.raises(Refusal, match="not shared"):
        say(case, cast("hanna"), "For you")
    assert say(case, cast("ada"), "For us").id


@pytest.mark.parametrize("who", ["ruth", "rhea"])
def test_readers_cannot_write(cast: Cast, who: str) -> None:
    case = cast.case("shared")
    with pytest.raises(NotAllowed):
        say(case, cast(who), "May I?")


@pytest.mark.parametrize("text", ["", " \n\t ", "\x00\x1b", "x" * 65_537])
def test_too_little_and_too_much_is_refused(cast: Cast, text: str) -> None:
    case, before = cast.case("shared"), newest_audit()[0].id
    with pytest.raises(Refusal):
        say(case, cast("ada"), text)
    comment = cast.comment("shared-hanna")
    with pytest.raises(Refusal):
        comments.edit_comment(case, comment, text, by=cast("hanna"))
    assert newest_audit()[0].id == before


def test_only_its_author_changes_a_comment(cast: Cast) -> None:
    case, comment = cast.case("shared"), cast.comment("shared-external")
    for who in ("olga", "hanna", "ruth", "otto"):
        with pytest.raises(NotAllowed):
            comments.edit_comment(case, comment, "Other words", by=cast(who))
        with pytest.raises(NotAllowed):
            comments.delete_comment(case, comment, by=cast(who))
    with pytest.raises(NotAllowed):  # an author who lost the right
        comments.edit_comment(case, comment, "Other words", by=replace(cast("ada"), permissions=frozenset()))
    assert comment.message == "External word on shared."


def test_an_edit_shows_and_keeps_the_old_words_in_the_history(cast: Cast) -> None:
    case, comment = cast.case("shared"), cast.comment("shared-hanna")
    with at(later := now() + timedelta(minutes=5)):
        comments.edit_comment(case, comment, "Better *words*", by=cast("hanna"))
    db.session.commit()
    comment = cast.comment("shared-hanna")
    assert (comment.message, comment.message_html, comment.edited_at) == ("Better *words*", "<p>Better <em>words</em></p>\n", later)
    assert newest_audit()[0].changes == {"message": ["Hanna's word on shared.", "Better *words*"]}
    comments.edit_comment(case, comment, " Better *words* \r\n", by=cast("hanna"))
    assert [entry.kind for entry in newest_audit(2)].count("comment:edited") == 1


def test_a_deleted_comment_is_gone_and_stays_in_the_history(cast: Cast) -> None:
    case, uid = cast.case("shared"), cast.world.comments["shared-hanna"]
    comments.delete_comment(case, cast.comment("shared-hanna"), by=cast("hanna"))
    db.session.commit()
    with pytest.raises(NotVisible):
        comments.load_comment(case, uid)
    assert newest_audit()[0].changes == {"message": ["Hanna's word on shared.", None]}


def test_the_words_before_an_edit_are_kept_with_their_times(cast: Cast) -> None:
    case, comment = cast.case("shared"), cast.comment("shared-hanna")
    written, first, second = comment.created_at, now() + timedelta(minutes=5), now() + timedelta(minutes=9)
    for moment, words in ((first, "Second"), (second, "Third")):
        with at(moment):
            comments.edit_comment(case, comment, words, by=cast("hanna"))
    db.session.commit()
    told = comments.versions_of(cast.comment("shared-hanna"))
    assert [(v.since, v.until) for v in told] == [(second, None), (first, second), (written, first)]
    assert [v.message_html.striptags() for v in told] == ["Third", "Second", "Hanna's word on shared."]


def test_so_many_earlier_versions_are_kept_and_no_more(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    assert comments.MOST_REVISIONS == 50
    monkeypatch.setattr(comments, "MOST_REVISIONS", 3)
    case, comment, other = cast.case("shared"), cast.comment("shared-hanna"), cast.comment("shared-external")
    comments.edit_comment(case, other, "Another's", by=cast("ada"))
    for number in range(6):
        comments.edit_comment(case, comment, f"Version {number}", by=cast("hanna"))
    db.session.commit()
    told = comments.versions_of(cast.comment("shared-hanna"))
    assert [version.message_html.striptags() for version in told] == ["Version 5", "Version 4", "Version 3", "Version 2"]
    assert len(comments.versions_of(cast.comment("shared-external"))) == 2
    assert newest_audit(6)[-1].changes == {"message": ["Hanna's word on shared.", "Version 0"]}, "the trail has what went"


def test_a_removed_comment_leaves_who_and_when_and_no_words(cast: Cast) -> None:
    case, comment = cast.case("shared"), cast.comment("shared-hanna")
    before = case.details_at
    comments.edit_comment(case, comment, "Worse words", by=cast("hanna"))
    for who in ("ada", "ruth", "rhea", "pia"):
        with pytest.raises(NotAllowed):
            comments.remove_comment(case, comment, by=cast(who))
    with at(moment := now() + timedelta(minutes=5)):
        comments.remove_comment(case, comment, by=cast("olga"))
    db.session.commit()
    trace = cast.comment("shared-hanna")
    assert (trace.message, trace.message_html, trace.external, trace.outside_at) == ("", "", False, None)
    assert (trace.removed_at, trace.removed_by_name) == (moment, "Olga Person")
    assert len(comments.versions_of(trace)) == 1, "what it said before is gone too"
    entry = newest_audit()[0]
    assert (entry.kind, entry.changes["message"]) == ("comment:removed", ["Worse words", None])
    assert before <= case.outside_at < moment
    with pytest.raises(NotVisible):
        comments.load_comment(case, trace.uid)


def test_olga_takes_her_own_back_without_a_trace(cast: Cast) -> None:
    case = cast.case("shared")
    mine = say(case, cast("olga"), "Mine")
    comments.remove_comment(case, mine, by=cast("olga"))
    assert newest_audit()[0].kind == "comment:deleted"
    assert "Mine" not in [comment.message for comment in comments.comments_of(case)]


def test_a_comment_is_found_in_its_own_case_only(cast: Cast) -> None:
    uid = cast.world.comments["shared-external"]
    assert comments.load_comment(cast.case("shared"), uid).uid == uid
    for name in ("internal", "all", "foreign"):
        with pytest.raises(NotVisible):
            comments.load_comment(cast.case(name), uid)


def test_comments_come_oldest_first(cast: Cast) -> None:
    case = cast.case("shared")
    with at(now() - timedelta(days=1)):
        say(case, cast("ada"), "Earlier")
    assert [c.message for c in comments.comments_of(case)] == [
        "Earlier",
        "Internal word on shared.",
        "External word on shared.",
        "Hanna's word on shared.",
    ]


def test_internal_talk_does_not_move_the_date_outsiders_see(cast: Cast) -> None:
    case = cast.case("shared")
    before = case.outside_at
    with at(now() + timedelta(hours=1)):
        comment = say(case, cast("ada"), "For us")
        comments.edit_comment(case, comment, "For us only", by=cast("ada"))
        comments.delete_comment(case, comment, by=cast("ada"))
    assert case.outside_at == before
    assert case.updated_at > before


def test_what_is_taken_back_leaves_no_later_date(cast: Cast) -> None:
    case = cast.case("shared")
    before = case.outside_at
    with at(first := now() + timedelta(hours=1)):
        kept = say(case, cast("ada"), "Stays", external=True)
    with at(now() + timedelta(hours=2)):
        gone = say(case, cast("hanna"), "Goes")
        withdrawn = say(case, cast("ada"), "Is withdrawn", external=True)
    with at(now() + timedelta(hours=3)):
        comments.delete_comment(case, gone, by=cast("hanna"))
        mark(case, withdrawn, False, cast("ada"))
    assert case.outside_at == first
    with at(now() + timedelta(hours=4)):
        mark(case, kept, False, cast("ada"))
    assert case.outside_at == before


def test_comments_outlive_the_sharing(cast: Cast) -> None:
    """Revoking hides; it does not throw away."""
    case = cast.case("shared")
    count = len(comments.comments_of(case))
    share(case, cast("ada"))
    assert len(comments.comments_of(case)) == count
    assert cast.comment("shared-external").external
