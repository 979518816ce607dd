"""Finding cases by their texts: what is found, where, by whom, and that nothing written can be forgotten."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, func, insert, select, update

from portal.accounts.viewer import Viewer
from portal.cases.comments import delete_comment, edit_comment
from portal.cases.listing import Filters, case_list
from portal.cases.models import Case, Comment, CustomField, CustomValue, FieldType, Observable, Task
from portal.database import start_writing
from portal.extensions import db
from portal.search import index
from portal.search.find import Snippet, _unmarked, snippets
from portal.search.models import PARTS, SearchText
from portal.sharing import guard
from tests.factories import make_case, say
from tests.fixtures.rooms import Cast
from tests.fixtures.world import World


def found(viewer: Viewer, q: str, **more: Any) -> list[str]:
    """Titles of the cases a search finds."""
    return [row.title for row in case_list(viewer, Filters(q=q, **more)).page.rows]


def snippet(viewer: Viewer, q: str) -> Snippet | None:
    """What is shown of the first case found."""
    listed = case_list(viewer, Filters(q=q))
    assert listed.page.rows, f"{q} finds nothing"
    return snippets([listed.page.rows[0].id], listed.words).get(listed.page.rows[0].id)


def write(cast: Cast, **more: Any) -> Case:
    """A case of Ada's, committed."""
    start_writing()
    case = make_case(cast("ada"), **more)
    db.session.commit()
    return case


def hang(cast: Cast, case: Case) -> None:
    """One of each thing whose words can be found."""
    ada, here = cast.world.people["ada"], cast.world.places["here"]
    start_writing()
    say(db.session.get_one(Case, case.id), cast("ada"), "The ÄRGERLICHE comment says **zebra** here.")
    field = CustomField(name="asset", label="Asset", type=FieldType.STRING)
    db.session.add(field)
    db.session.flush()
    observable = {"organisation_id": here, "type": "ip", "value": "192.0.2.77", "value_key": "k", "author_id": ada, "author_name": "Ada"}
    db.session.add_all(
        [
            Observable(case_id=case.id, author_external=False, **observable),
            Task(case_id=case.id, title="Collect giraffes", created_by_name="Ada"),
            CustomValue(case_id=case.id, field_id=field.id, value="okapi-7"),
        ]
    )
    db.session.commit()


@pytest.mark.parametrize(
    ("q", "source", "hit"),
    [
        ("wombat", None, ""),
        ("sorrow", "description", "Sorrow"),
        ("zebra", "comment", "zebra"),
        ("argerliche", "comment", "ÄRGERLICHE"),
        ("192.0.2.77", "observable", "192.0.2.77"),
        ("192.0.2*", "observable", "192.0.2"),
        ("giraff*", "task", "giraffes"),
        ("giraff", "task", "giraffes"),
        ("OKAPI", "field", "okapi"),
        ("quokka", None, ""),
        ('"says zebra"', None, ""),
        ("wombat zebra giraffes quokka", "comment", "zebra"),
    ],
)
def test_ada_can_find_a_case_by_everything_written_on_it(cast: Cast, q: str, source: str | None, hit: str) -> None:
    case = write(cast, title="The wombat", description="Much Sorrow.", tags=("quokka",))
    hang(cast, case)
    if q == '"says zebra"':
        assert found(cast("ada"), q) == ["The wombat"], "signs between words do not part them"
        return
    assert found(cast("ada"), q) == ["The wombat"]
    shown = snippet(cast("ada"), q)
    assert (shown.source, shown.hit) == (source, hit) if source else shown is None
    assert found(cast("ada"), str(case.number)) == ["The wombat"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("The **red** zebra *runs* `fast` and ~~slow~~ now", "The red [zebra] runs fast and slow now"),
        ("# Head\n\n> said **zebra** here\n- one\n2. two", "Head said [zebra] here one 2. two"),
        ("See [the zebra](https://a.example/x) and ![mark](b.png)", "See the [zebra] and mark"),
        ("See [this](https://a.example/zebra/_x_) now", "See this (https://a.example/[zebra]/x) now"),
        ("| a | b |\n|---|:-:|\n| zebra | 2 |", "| a | b | | [zebra] | 2 |"),
        ("```python\nzebra\n```", "python [zebra]"),
        ("5 * 3 and 2*zebra*4 in snake_zebra_case", "5 * 3 and 2*[zebra]*4 in snake_zebra_case"),
        ("C:\\_zebra_ and zebra_x __zebra__", "C:\\_[zebra]_ and zebra_x zebra"),
    ],
)
def test_a_snippet_shows_the_words_without_their_marks(cast: Cast, text: str, told: str) -> None:
    write(cast, title="The wombat", description=text)
    shown = snippet(cast("ada"), "zebra")
    assert " ".join(f"{shown.before}[{shown.hit}]{shown.after}".split()) == told


def test_a_snippet_that_begins_within_a_mark_has_none_of_it(cast: Cast) -> None:
    write(cast, title="The wombat", description=f"**{'lorem ' * 20}zebra** {'ipsum ' * 40}")
    shown = snippet(cast("ada"), "zebra")
    assert "*" not in shown.before + shown.hit + shown.after
    assert shown.before.startswith("…")
    assert shown.after.endswith("…")


@pytest.mark.parametrize("q", ["wombats", "wo", '"wom"', "wombat zebra", '"sorrow much"', "omba*"])
def test_what_is_not_there_is_not_found(cast: Cast, q: str) -> None:
    write(cast, title="The wombat", description="Much Sorrow.")
    assert found(cast("ada"), q) == []


def test_nobody_finds_what_they_cannot_see(cast: Cast) -> None:
    """Ruth and Olga are not named on the restricted case; Otto works elsewhere; outsiders have no search of the console."""
    assert found(cast("ada"), "restricted") == ["The restricted case"]
    assert [found(cast(who), "restricted") for who in ("olga", "ruth", "otto", "pia")] == [[]] * 4
    assert found(cast("otto"), "case") == ["The foreign case"]
    assert case_list(cast("olga"), Filters(q="case")).total == 4


@pytest.mark.parametrize("who", ["hanna", "vic", "gast"])
def test_an_outsiders_session_reads_nothing_of_the_index(cast: Cast, who: str) -> None:
    assert db.session.scalar(select(func.count(SearchText.id)))
    db.session.rollback()
    guard.engage(cast(who))
    assert db.session.scalars(select(SearchText)).all() == []
    guard.release()


def test_a_colleagues_session_reads_of_the_index_what_their_cases_hold(cast: Cast) -> None:
    guard.engage(cast("olga"))
    bodies = db.session.scalars(select(SearchText.body)).all()
    guard.release()
    assert bodies
    assert not any("restricted" in body or "foreign" in body for body in bodies)


def test_changed_words_are_found_and_old_ones_are_not(cast: Cast) -> None:
    case = write(cast, title="The wombat")
    start_writing()
    comment = say(db.session.get_one(Case, case.id), cast("ada"), "first words")
    db.session.commit()
    start_writing()
    edit_comment(db.session.get_one(Case, case.id), db.session.get_one(Comment, comment.id), "second words", by=cast("ada"))
    db.session.commit()
    assert (found(cast("ada"), "first words"), found(cast("ada"), "second words")) == ([], ["The wombat"])
    start_writing()
    delete_comment(db.session.get_one(Case, case.id), db.session.get_one(Comment, comment.id), by=cast("ada"))
    db.session.commit()
    assert found(cast("ada"), "second words") == []


def test_what_is_rolled_back_is_not_found(cast: Cast) -> None:
    start_writing()
    make_case(cast("ada"), "The wombat")
    db.session.rollback()
    write(cast, title="The other one")
    assert found(cast("ada"), "wombat") == []


def test_writes_of_many_rows_by_one_statement_are_taken_up(cast: Cast) -> None:
    case = write(cast, title="The wombat")
    start_writing()
    db.session.execute(insert(Task), [{"case_id": case.id, "title": "collect giraffes", "created_by_name": "Ada"}])
    db.session.commit()
    assert found(cast("ada"), "giraffes") == ["The wombat"]
    start_writing()
    db.session.execute(update(Task).where(Task.title == "collect giraffes").values(title="collect okapis"))
    db.session.commit()
    assert (found(cast("ada"), "giraffes"), found(cast("ada"), "okapis")) == ([], ["The wombat"])
    start_writing()
    db.session.execute(delete(Task).where(Task.case_id == case.id))
    db.session.commit()
    assert found(cast("ada"), "okapis") == []


def test_a_deleted_case_leaves_nothing_in_the_index(cast: Cast) -> None:
    case = write(cast, title="The wombat")
    start_writing()
    db.session.execute(delete(Case).where(Case.id == case.id))
    db.session.commit()
    assert db.session.scalar(select(func.count(SearchText.id)).where(SearchText.case_id == case.id)) == 0
    assert found(cast("ada"), "wombat") == []


def test_a_case_with_very_much_on_it_is_found_by_its_last_word_and_its_title(cast: Cast) -> None:
    case = write(cast, title="The wombat")
    start_writing()
    for number in range(8):
        say(db.session.get_one(Case, case.id), cast("ada"), " ".join(f"n{number}x{place}" for place in range(8_000)))
    db.session.commit()
    assert (db.session.scalar(select(func.count(SearchText.id)).where(SearchText.case_id == case.id)) or 0) > 4
    assert found(cast("ada"), "wombat n7x7999") == ["The wombat"]
    assert found(cast("ada"), "wombat") == ["The wombat"], "once, in however many parts"
    assert found(cast("ada"), "wombat", sort="title") == ["The wombat"]


def test_hits_come_newest_case_first_and_page_by_page(cast: Cast) -> None:
    start_writing()
    for number in range(60):
        make_case(cast("ada"), f"Wombat {number}")
    db.session.commit()
    seen: list[str] = []
    after = ""
    for _ in range(3):
        listed = case_list(cast("ada"), Filters(q="wombat"), after)
        seen += [row.title for row in listed.page.rows]
        after = listed.page.next or ""
    assert seen == [f"Wombat {number}" for number in reversed(range(60))]
    assert after == ""


def test_rebuilding_writes_the_same_index(app: Flask, cast: Cast, world: World) -> None:
    def stored() -> list[Any]:
        rows = db.session.execute(select(SearchText.id, SearchText.body).order_by(SearchText.id)).all()
        db.session.rollback()
        return list(rows)

    before = stored()
    assert {row.id // PARTS for row in before} == set(db.session.scalars(select(Case.id)))
    db.session.rollback()
    start_writing()
    db.session.execute(delete(SearchText))
    db.session.commit()
    assert index.is_missing()
    assert index.rebuild() == len(world.cases)
    assert stored() == before
    assert not index.is_missing()
    assert found(cast("ada"), "restricted") == ["The restricted case"]


@pytest.mark.parametrize("place", ['[it](https://x.example "{}")', "[it](https://x.example/{})", "[a](b {} c)", "[{}](https://x.example)"])
def test_a_snippet_never_loses_what_was_found(place: str) -> None:
    before, _, after = f"See {place} now".partition("{}")
    assert _unmarked(before, "zebra", after)[1] == "zebra"
