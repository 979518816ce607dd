"""The portal's list: what is found, narrowed and ordered is what the reader sees; and what counts as read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from portal.accounts import sessions
from portal.audit.kinds import Kind
from portal.audit.record import record
from portal.cases.models import Case, CustomField, ReadMark, Stage
from portal.clock import at, now
from portal.database import start_writing
from portal.extensions import db
from portal.search import index
from portal.search.models import SharedText
from portal.sharing import guard, reading
from portal.sharing.models import Access
from portal.sharing.records import CaseWishes
from portal.sharing.window import Window
from tests import factories as make
from tests.fixtures.rooms import Cast
from tests.fixtures.world import World

Look = Callable[..., Window]


@pytest.fixture
def window(app: Flask, world: World) -> Iterator[Look]:
    """window(who, **more) -> that person's window, the guard engaged; `more` changes the viewer."""
    with app.app_context():

        def look(who: str, **more: Any) -> Window:
            guard.release()
            place = "there" if who == "gast" else "here"
            found = sessions.viewer_of(world.people[who], world.places[place])
            assert found is not None
            viewer = type(found)(**{**vars(found), **more})
            db.session.rollback()
            guard.engage(viewer)
            return Window(viewer)

        yield look
        guard.release()


def names(window: Window, **wishes: Any) -> list[str]:
    """Which of the world's cases the list shows, in order."""
    return [row.title.removeprefix("The ").removesuffix(" case") for row in window.cases(CaseWishes(**wishes)).rows]


def change(world: World, name: str, **values: Any) -> None:
    """Something happens to a case, without anybody's window."""
    guard.release()
    start_writing()
    case = db.session.scalars(select(Case).where(Case.number == world.cases[name])).one()
    for key, value in values.items():
        setattr(case, key, value)
    db.session.commit()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("case", ["all", "shared"]),
        ("shared", ["shared"]),
        ("SHAR*", ["shared"]),
        ("hare", []),
        ("description shared", ["shared"]),
        ('"the shared case"', ["shared"]),
        ('"case shared the"', []),
        ("tag-shared", ["shared"]),
        ("external word", ["all", "shared"]),
        ("hanna's", ["all", "shared"]),
        ("external-of-all.txt", ["all"]),
        ("region", ["shared"]),
        ("internal", []),
        ("internal-of-shared.txt", []),
        ("task", []),
        ("sample", []),
        ("4712", []),
        ("loss", []),
        ("revoked", []),
        ("foreign", []),
        ("restricted", []),
        ("*", []),
        ("%", []),
        ("_", []),
    ],
)
def test_hanna_finds_what_she_can_read_and_nothing_else(window: Look, words: str, found: list[str]) -> None:
    assert names(window("hanna"), words=words) == found


def test_a_field_is_found_only_while_it_is_shown_outside(window: Look, world: World) -> None:
    assert names(window("hanna"), words="region") == ["shared"]
    guard.release()
    start_writing()
    field = db.session.scalars(select(CustomField).where(CustomField.name == "region")).one()
    field.shown_outside = False
    db.session.commit()
    assert names(window("hanna"), words="region") == []


def test_what_is_made_internal_is_not_found_any_more(window: Look, world: World, cast: Cast) -> None:
    assert names(window("hanna"), words="external word shared") == ["shared"]
    guard.release()
    start_writing()
    case, ada = cast.case("shared"), cast("ada")
    make.mark(case, cast.comment("shared-external"), False, ada)
    db.session.commit()
    assert names(window("hanna"), words='"external word on shared"') == []


def test_accents_and_capitals_make_no_difference(window: Look, world: World) -> None:
    change(world, "shared", title="Été à Zürich")
    for words in ("ete", "zurich", "ÉTÉ", "Zür*"):
        assert [row.title for row in window("hanna").cases(CaseWishes(words=words)).rows] == ["Été à Zürich"], words


def test_evidence_of_people_outside_is_found_and_that_of_analysts_is_not(window: Look, world: World, cast: Cast) -> None:
    guard.release()
    start_writing()
    case = cast.case("shared")
    make.hint(case, cast("hanna"), "hers.example.net")
    make.hint(case, cast("ada"), "secret.example.net")
    db.session.commit()
    assert names(window("rhea"), words="hers.example.net") == ["shared"]
    assert names(window("rhea"), words="secret.example.net") == []


def test_the_words_kept_for_outside_hold_nothing_internal(app: Flask, world: World) -> None:
    with app.app_context():
        stored = SharedText.__table__
        bodies = " ".join(db.session.connection().scalars(select(stored.c.body).where(stored.c.field_id.is_(None))))
        assert "external word on shared" in bodies
        for words in ("internal word", "internal of shared", "the task of", "sample of", "log of"):
            assert words not in bodies


def test_only_what_readers_see_of_a_text_is_found(window: Look, world: World, cast: Cast) -> None:
    """What was shown when it was written: texts from before pictures and fences lost no word still hold more than can be seen."""
    guard.release()
    start_writing()
    text = '![altword](https://intranet.example/x.png) [there](https://ok.example/ "titleword") saidword\n\n```fenceword\ncodeword\n```'
    said = make.say(cast.case("shared"), cast("ada"), text, external=True)
    db.session.commit()
    words = ("saidword", "codeword", "altword", "titleword", "fenceword")
    assert [word for word in words if names(window("hanna"), words=word)] == [*words]
    start_writing()
    said.message_html = "<p><a>there</a> saidword</p>\n<pre><code>codeword\n</code></pre>"
    db.session.commit()
    guard.release()
    assert [word for word in words if names(window("hanna"), words=word)] == ["saidword", "codeword"]


def test_an_index_that_was_broken_off_is_written_again(app: Flask, world: World) -> None:
    with app.app_context():
        assert not index.is_missing()
        start_writing()
        oldest = db.session.scalar(select(func.min(SharedText.case_id)))
        db.session.connection().execute(SharedText.__table__.delete().where(SharedText.__table__.c.case_id == oldest))
        db.session.commit()
        assert index.is_missing()
        index.rebuild()
        assert not index.is_missing()
        with pytest.raises(IntegrityError):  # a second row would stay as it is for ever
            db.session.connection().execute(SharedText.__table__.insert().values(case_id=oldest, body="twice"))
        db.session.rollback()


def test_rebuilding_writes_the_same(app: Flask, world: World) -> None:
    with app.app_context():
        stored = SharedText.__table__
        wanted = select(stored.c.case_id, stored.c.field_id, stored.c.body).order_by(stored.c.case_id, stored.c.body)
        before = db.session.connection().execute(wanted).all()
        db.session.rollback()
        index.rebuild()
        assert db.session.connection().execute(wanted).all() == before
        assert len(before) == len(world.cases) + 8


def test_each_filter_leaves_what_fits(window: Look, world: World, cast: Cast) -> None:
    change(world, "shared", stage=Stage.CLOSED, status="TruePositive", severity=4, created_by_id=world.people["hanna"])
    hanna = window("hanna")
    assert names(hanna, stage="open") == ["all"]
    assert names(hanna, stage="Closed") == ["shared"]
    assert names(hanna, stage="InProgress") == []
    assert names(hanna, severity=4) == ["shared"]
    assert names(hanna, tag="tag-all") == ["all"]
    assert names(hanna, tag="tag-revoked") == []
    assert names(hanna, mine=True) == ["shared"]
    assert names(hanna, stage="open", severity=4) == []
    assert names(window("rhea"), mine=True) == []


def test_dates_begin_with_the_first_moment_and_end_before_the_second(window: Look, world: World) -> None:
    moment = now() - timedelta(days=30)
    change(world, "shared", created_at=moment, outside_at=moment)
    hanna, later = window("hanna"), moment + timedelta(seconds=1)
    for name in ("opened", "updated"):
        assert names(hanna, **{f"{name}_from": moment, f"{name}_to": later}) == ["shared"]
        assert names(hanna, **{f"{name}_to": moment}) == []
        assert names(hanna, **{f"{name}_from": later}) == ["all"]


def test_a_case_waits_for_an_answer_when_the_team_wrote_last(window: Look, world: World, cast: Cast) -> None:
    assert names(window("hanna"), waiting=True) == []
    guard.release()
    start_writing()
    make.say(cast.case("shared"), cast("ada"), "Between us.")
    make.say(cast.case("all"), cast("ada"), "What do you say?", external=True)
    db.session.commit()
    assert names(window("hanna"), waiting=True) == ["all"], "an internal note asks nobody outside"
    change(world, "all", stage=Stage.CLOSED)
    assert names(window("hanna"), waiting=True) == []


def test_orders_go_both_ways_and_pages_follow_each_other(window: Look, world: World, cast: Cast) -> None:
    guard.release()
    start_writing()
    for number in range(60):
        case = make.make_case(cast("ada"), f"Many {number}", "Words.", severity=number % 4 + 1)
        make.share(case, cast("ada"), everybody=True)
    db.session.commit()
    hanna = window("hanna")
    everything: dict[str, list[int]] = {}
    for sort in ("", "number", "-number", "severity", "-severity", "opened", "-opened", "updated", "-updated"):
        after, found = "", []
        for _ in range(3):
            page = hanna.cases(CaseWishes(sort=sort), after)
            found += page.rows
            after = page.next or ""
        assert not after
        assert len({row.number for row in found}) == len(found) == 62
        everything[sort] = [row.number for row in found]
        if sort.endswith("severity"):
            assert [row.severity for row in found] == sorted((row.severity for row in found), reverse=sort.startswith("-"))
    for name in ("number", "severity", "opened", "updated"):
        assert everything[name] == everything[f"-{name}"][::-1]
    assert everything[""] == everything["-updated"]


@pytest.mark.parametrize("sort", ["", "severity", "number"])
@pytest.mark.parametrize("after", ["²-1", "1-²", "-", "9" * 30 + "-1", "9" * 17 + "-1", "1-1-1", "\0", "x"])
def test_a_place_that_is_none_gives_a_page_all_the_same(window: Look, sort: str, after: str) -> None:
    assert window("hanna").cases(CaseWishes(sort=sort), after).rows is not None


def test_only_tags_of_ones_own_cases_are_offered(window: Look) -> None:
    assert window("hanna").tags() == ["tag-all", "tag-shared"]
    assert window("vic").tags() == ["tag-all"]


def test_a_number_leads_to_a_case_only_where_they_see_it(window: Look, world: World) -> None:
    hanna = window("hanna")
    assert hanna.number_to_open(f"#{world.cases['shared']}") == world.cases["shared"]
    for name in ("internal", "restricted", "revoked", "foreign"):
        assert hanna.number_to_open(str(world.cases[name])) is None
    assert hanna.number_to_open("9" * 18) is None
    assert hanna.number_to_open("words") is None


def unread(window: Window) -> list[str]:
    """The cases with news; the filter and the marks on the lines say the same."""
    marked = [row.title.removeprefix("The ").removesuffix(" case") for row in window.cases().rows if row.unread]
    assert names(window, unread=True) == marked
    return marked


def test_a_case_is_unread_until_it_is_opened_and_again_when_there_is_news(window: Look, world: World, cast: Cast) -> None:
    hanna = window("hanna")
    assert unread(hanna) == ["all", "shared"]
    hanna.note_view(world.cases["shared"])
    assert unread(window("hanna")) == ["all"]
    assert unread(window("rhea")) == ["all", "shared"]
    guard.release()
    start_writing()
    make.say(cast.case("shared"), cast("ada"), "Between us.")
    db.session.commit()
    assert unread(window("hanna")) == ["all"], "what goes on inside is no news"
    guard.release()
    start_writing()
    make.say(cast.case("shared"), cast("ada"), "For you.", external=True)
    db.session.commit()
    assert unread(window("hanna")) == ["shared", "all"]
    new = {message.message_html.striptags(): message.new for message in _opened(window("hanna"), world)}
    assert [words for words, is_new in new.items() if is_new] == ["For you."]


def _opened(window: Window, world: World) -> Any:
    window.case(world.cases["shared"])
    return window.messages(world.cases["shared"])


def test_whether_a_case_is_still_there_is_asked_anew(window: Look, world: World, cast: Cast) -> None:
    hanna = window("hanna")
    hanna.case(world.cases["shared"])
    assert hanna.still_sees(world.cases["shared"])
    cast.case("shared").access = Access.INTERNAL
    db.session.flush()
    assert not hanna.still_sees(world.cases["shared"])


def test_what_one_wrote_oneself_is_no_news(window: Look, world: World) -> None:
    start_writing()
    hanna = window("hanna")
    hanna.note_view(world.cases["shared"])
    start_writing()
    hanna.add_message(world.cases["shared"], "Mine.")
    db.session.commit()
    assert unread(window("hanna")) == ["all"]
    assert unread(window("rhea")) == ["shared", "all"]


def test_opening_twice_writes_once(window: Look, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    window("hanna").note_view(world.cases["shared"])
    written: list[Any] = []
    monkeypatch.setattr(reading, "_write", lambda *values: written.append(values))
    window("hanna").note_view(world.cases["shared"])
    assert written == []


def test_who_looks_through_hannas_eyes_leaves_no_mark(window: Look, world: World) -> None:
    look = window("hanna", viewed_by_id=world.people["ada"])
    look.note_view(world.cases["shared"])
    guard.release()
    db.session.rollback()
    assert db.session.scalar(select(func.count(ReadMark.id))) == 0
    assert unread(window("hanna")) == ["all", "shared"]


def test_a_mark_never_goes_back(window: Look, world: World, cast: Cast) -> None:
    hanna = window("hanna")
    found = hanna._find(world.cases["shared"])
    reading.note_read(hanna.viewer, found)
    db.session.rollback()
    with at(now() - timedelta(days=3)):
        case = cast.case("shared")
        older = type("Older", (), {"id": case.id, "seen_at": None, "outside_at": case.outside_at - timedelta(days=1)})
        reading.note_read(hanna.viewer, older)
    db.session.rollback()
    assert unread(window("hanna")) == ["all"]


def test_stages_are_told_without_status_or_person(window: Look, world: World, cast: Cast) -> None:
    guard.release()
    start_writing()
    case, ada = cast.case("shared"), cast("ada")
    for kind, old, new in (
        (Kind.CASE_UPDATED, "New", "InProgress"),
        (Kind.CASE_CLOSED, "InProgress", "TruePositive"),
        (Kind.CASE_UPDATED, "TruePositive", "FalsePositive"),
        (Kind.CASE_REOPENED, "FalsePositive", "InProgress"),
        (Kind.CASE_UPDATED, "InProgress", "Unheard-of"),
    ):
        record(kind, actor=ada, case=case, object_id=case.number, changes={"status": [old, new], "title": ["a", "b"]})
    record(Kind.CASE_UPDATED, actor=ada, case=case, object_id=case.number, changes={"tags": [[], ["x"]]})
    db.session.commit()
    told = window("hanna").stages(world.cases["shared"])
    assert [step.stage for step in told] == ["New", "InProgress", "Closed", "InProgress"]
    assert {name for step in told for name in step.__slots__} == {"stage", "at"}


def test_odd_questions_find_nothing_and_say_why(window: Look) -> None:
    hanna = window("hanna")
    for words in ("*", "a*b", "x" * 201, " ".join(map(str, range(13)))):
        assert hanna.cases(CaseWishes(words=words)).rows == []
        assert hanna.problem_of(words).endswith(".")
    assert hanna.problem_of("") == ""
