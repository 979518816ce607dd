"""Observables: what is added and what left out, what changes and what never does, and where else the viewer sees it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from portal.accounts.viewer import Viewer
from portal.audit.kinds import Kind
from portal.audit.models import AuditEntry
from portal.cases import finds, indicators, observables, samples
from portal.cases.models import Case, Observable
from portal.cases.observables import GUESS, Facets, Outcome
from portal.clock import now
from portal.extensions import db
from portal.refusals import NotAllowed, NotVisible, Refusal, Stale
from portal.sharing import scope
from portal.storage import intake, store
from tests.fixtures.rooms import Cast, newest_audit


def add(cast: Cast, text: str, kind: str = GUESS, *, case: str = "internal", who: str = "ada", **facets: Any) -> list[Outcome]:
    return observables.add_lines(cast.case(case), kind, text, Facets(**facets), one_per_line=True, by=cast(who))


def only(cast: Cast, case: str = "internal") -> Observable:
    """The newest observable of a case."""
    wanted = select(Observable).where(Observable.case_id == cast.case(case).id).order_by(Observable.id.desc()).limit(1)
    return db.session.scalars(wanted.execution_options(populate_existing=True)).one()


def outside(cast: Cast, text: str, case: str = "shared") -> Observable:
    """What Hanna would have added from the portal."""
    hanna = cast("hanna")
    row = observables.new_observable(cast.case(case), "domain", text, indicators.key_of("domain", text), Facets(), by=hanna)
    observables.keep_new(cast.case(case), [row], by=hanna)
    return row


def rows(cast: Cast, viewer: Viewer, case: str = "internal", **filters: str) -> list[finds.ObservableRow]:
    return finds.listed(viewer, cast.case(case).id, finds.Filters(**filters))[0].rows


def test_each_line_is_added_by_itself_and_what_is_wrong_is_named(cast: Cast) -> None:
    told = add(
        cast, "hxxp://evil[.]example/\r\n\n  192.0.2[.]7 \n192.0.2.7\nx" + "y" * 5000 + "\nplain words", tags=("b", "a", "b"), ioc=True
    )
    assert [(one.place, one.type) for one in told] == [(1, "url"), (3, "ip"), (4, "ip"), (5, "other"), (6, "other")]
    assert [one.problem for one in told] == [
        None,
        None,
        "This is the same as line 3.",
        "This is longer than 4,096 characters. Add it as a file instead.",
        None,
    ]
    kept = rows(cast, cast("ada"))
    assert {(row.value, row.shown) for row in kept} == {
        ("http://evil.example/", "hxxp://evil[.]example/"),
        ("192.0.2.7", "192[.]0[.]2[.]7"),
        ("plain words", "plain words"),
    }
    assert all(row.tags == ["a", "b"] and row.ioc and not row.external for row in kept)


def test_what_is_on_the_case_already_is_left_out(cast: Cast) -> None:
    add(cast, "Evil.example")
    again = add(cast, "evil[.]example.\nother.example")
    assert [one.problem for one in again] == ["This is on the case already.", None]
    assert add(cast, "evil.example", case="shared")[0].problem is None, "another case may have the same"


def test_a_type_that_does_not_fit_is_refused_for_its_line_only(cast: Cast) -> None:
    told = add(cast, "192.0.2.1\nnot an address", "ip")
    assert [one.problem for one in told] == [None, indicators.WRONG["ip"]]


@pytest.mark.parametrize(
    ("text", "kind", "per_line", "sentence"),
    [
        ("", GUESS, True, "Type or paste at least one value."),
        ("\n \n", GUESS, True, "Type or paste at least one value."),
        ("a\n" * 501, GUESS, True, "These are 501 lines. Add at most 500 at once."),
        ("é" * 40_000, GUESS, True, "This is more than 64 KB of text. Add it in parts, or as a file."),
        ("a\nb", GUESS, False, "This is more than one line."),
        ("a", "file", True, "Choose a type from the list."),
        ("a", "no-such-type", True, "Choose a type from the list."),
    ],
)
def test_a_paste_nothing_can_be_made_of_is_refused(cast: Cast, text: str, kind: str, per_line: bool, sentence: str) -> None:
    with pytest.raises(Refusal, match=sentence[:30]):
        observables.add_lines(cast.case("internal"), kind, text, Facets(), one_per_line=per_line, by=cast("ada"))


def test_several_lines_can_be_one_value(cast: Cast) -> None:
    observables.add_lines(cast.case("internal"), "other", " a\nb ", Facets(), one_per_line=False, by=cast("ada"))
    assert only(cast).value == "a\nb"


def test_checking_first_writes_nothing(cast: Cast) -> None:
    told = observables.read_lines(cast.case("internal"), GUESS, "evil.example", one_per_line=True, by=cast("ada"))
    assert told[0].type == "domain"
    assert rows(cast, cast("ada")) == []


def test_ruth_cannot_add_change_or_delete(cast: Cast) -> None:
    add(cast, "evil.example")
    case, found, ruth = cast.case("internal"), only(cast), cast("ruth")
    for act in (
        lambda: add(cast, "x.example", who="ruth"),
        lambda: observables.edit_observable(case, found, Facets(), version=1, by=ruth),
        lambda: observables.delete_observable(case, found, by=ruth),
        lambda: samples.add_files(case, "file", [], Facets(), by=ruth),
    ):
        with pytest.raises(NotAllowed):
            act()


def test_the_trail_names_what_was_added_and_deleted(cast: Cast) -> None:
    add(cast, "evil.example\n192.0.2.7")
    assert newest_audit()[0].changes == {"observables": [None, ["domain evil.example", "ip 192.0.2.7"]]}
    observables.delete_observable(cast.case("internal"), only(cast), by=cast("ada"))
    assert newest_audit()[0].changes == {"observable": ["ip 192.0.2.7", None]}


def test_ada_can_change_what_is_said_and_not_what_it_is(cast: Cast) -> None:
    add(cast, "evil.example")
    case, found = cast.case("internal"), only(cast)
    before = case.outside_at
    wanted = Facets("**bad**", ("x",), tlp=4, pap=3, ioc=True, sighted=True, ignore_similarity=True)
    changed = observables.edit_observable(case, found, wanted, version=1, by=cast("ada"))
    assert set(changed) == {"message", "tags", "tlp", "pap", "ioc", "sighted", "sighted_at", "ignore_similarity"}
    assert (found.type, found.value, found.version) == ("domain", "evil.example", 2)
    assert found.sighted_at is not None
    assert "<strong>bad</strong>" in found.message_html
    assert case.outside_at == before, "nothing of it is seen outside"
    assert newest_audit()[0].changes["tlp"] == [2, 4]
    assert observables.edit_observable(case, found, observables.facets_of(found), version=2, by=cast("ada")) == []


def test_the_second_of_two_writers_is_stopped(cast: Cast) -> None:
    add(cast, "evil.example")
    case, found = cast.case("internal"), only(cast)
    observables.edit_observable(case, found, Facets(ioc=True), version=1, by=cast("ada"))
    with pytest.raises(Stale):
        observables.edit_observable(case, found, Facets(), version=1, by=cast("olga"))


@pytest.mark.parametrize("facets", [{"tlp": 5}, {"pap": -1}, {"tags": tuple(map(str, range(51)))}, {"message": "x" * 70_000}])
def test_what_cannot_be_said_is_refused(cast: Cast, facets: dict[str, Any]) -> None:
    with pytest.raises(Refusal):
        add(cast, "evil.example", **facets)


@pytest.mark.parametrize(
    ("filters", "seen"),
    [
        ({}, 6),
        ({"q": "EVIL"}, 1),
        ({"q": "evil[.]example"}, 1),
        ({"q": "%"}, 0),
        ({"q": "kit"}, 3),
        ({"type": "ip"}, 1),
        ({"ioc": "yes"}, 3),
        ({"ioc": "no"}, 3),
        ({"sighted": "yes"}, 0),
        ({"source": "outside"}, 2),
        ({"source": "inside"}, 4),
    ],
)
def test_the_list_can_be_narrowed(cast: Cast, filters: dict[str, str], seen: int) -> None:
    add(cast, "evil.example\n192.0.2.7\nhttps://x.example/", case="shared", ioc=True, message="a kit")
    outside(cast, "reported.example")
    assert len(rows(cast, cast("ada"), "shared", **filters)) == seen, "a file and an item were there before"


def test_pages_follow_one_another_without_gaps(cast: Cast) -> None:
    add(cast, "\n".join(f"host-{n}.example" for n in range(120)))
    seen, after, pages = [], "", 0
    while True:
        page, total = finds.listed(cast("ada"), cast.case("internal").id, finds.Filters(), after)
        assert total == 120
        seen += [row.value for row in page.rows]
        pages += 1
        if page.next is None:
            break
        after = page.next
    assert pages == 3
    assert len(set(seen)) == len(seen) == 120
    assert len(list(finds.everything(cast("ada"), cast.case("internal").id, finds.Filters()))) == 120


def test_seen_elsewhere_counts_what_the_viewer_may_see(cast: Cast) -> None:
    for name in ("internal", "shared", "all", "restricted"):
        add(cast, "evil.example", case=name, ioc=name == "all")
    add(cast, "evil.example", case="foreign", who="otto")
    assert rows(cast, cast("ada"))[0].elsewhere == 3
    assert rows(cast, cast("olga"))[0].elsewhere == 2, "the restricted case does not exist for her"
    told = finds.sightings(cast("olga"), only(cast)).rows
    assert {(one.number, one.ioc) for one in told} == {(cast.case("shared").number, False), (cast.case("all").number, True)}


def test_what_is_left_out_of_comparing_neither_counts_nor_is_counted(cast: Cast) -> None:
    add(cast, "evil.example")
    add(cast, "evil.example", case="shared", ignore_similarity=True)
    assert rows(cast, cast("ada"))[0].elsewhere == 0
    assert rows(cast, cast("ada"), "shared")[0].elsewhere == 0


def test_outsiders_see_only_what_outsiders_added(cast: Cast) -> None:
    add(cast, "secret.example", case="shared")
    row = outside(cast, "reported.example")
    seen = set(db.session.scalars(scope.visible(cast("hanna"), Observable, Observable.uid)))
    assert seen == {row.uid, cast.world.items["shared"]}
    assert set(db.session.scalars(scope.visible(cast("vic"), Observable, Observable.uid))) == set()


def test_an_outsiders_find_neither_meets_nor_tells_of_a_colleagues_own(cast: Cast) -> None:
    add(cast, "evil.example", case="shared")
    add(cast, "evil.example")
    key = only(cast).value_key
    assert observables.keys_on(cast.case("shared"), [key], by=cast("hanna")) == set()
    assert observables.keys_on(cast.case("shared"), [key], by=cast("ada")) == {key}
    outside(cast, "evil.example")
    assert observables.keys_on(cast.case("shared"), [key], by=cast("hanna")) == {key}
    assert [row.external for row in rows(cast, cast("ada"), "shared", q="evil")] == [True, False], "colleagues see both"
    assert rows(cast, cast("ada"))[0].elsewhere == 1, "two finds are on one case"


def test_taking_an_outsiders_find_away_turns_the_date_outside_back(cast: Cast) -> None:
    case = cast.case("shared")
    before = case.outside_at
    row = outside(cast, "reported.example")
    assert cast.case("shared").outside_at > before
    observables.delete_observable(cast.case("shared"), row, by=cast("ada"))
    assert cast.case("shared").outside_at == before


def test_an_observable_is_looked_for_on_its_own_case(cast: Cast) -> None:
    add(cast, "evil.example")
    with pytest.raises(NotVisible):
        observables.load_observable(cast.case("shared"), only(cast).uid)


def put(cast: Cast, *files: tuple[str, bytes], kind: str = "file", case: str = "internal") -> list[Outcome]:
    found = [samples.Found(name, intake.upload_of(name, data)) for name, data in files]
    return samples.add_files(cast.case(case), kind, found, Facets(), by=cast("ada"))


def test_files_are_kept_once_by_content(cast: Cast) -> None:
    told = put(cast, ("../a.exe", b"MZ1"), ("b.exe", b"MZ1"), ("c.exe", b""), ("d.exe", b"MZ2"))
    assert [one.problem is None for one in told] == [True, False, False, True]
    assert put(cast, ("twin.exe", b"MZ1"), case="shared")[0].problem is None
    assert db.session.scalar(select(func.count()).select_from(Observable).where(Observable.sha256 == only(cast, "shared").sha256)) == 2
    assert rows(cast, cast("ada"), q="a.exe")[0].elsewhere == 1
    assert {row.value for row in rows(cast, cast("ada"))} == {"a.exe", "d.exe"}


def test_the_content_goes_with_the_last_that_names_it(cast: Cast) -> None:
    put(cast, ("a.exe", b"MZ1"))
    put(cast, ("a.exe", b"MZ1"), case="shared")
    blob_id = only(cast).blob_id
    named = select(store.named).select_from(store.blobs).where(store.blobs.c.id == blob_id)
    observables.delete_observable(cast.case("internal"), only(cast), by=cast("ada"))
    assert db.session.scalar(named) is True
    observables.delete_observable(cast.case("shared"), only(cast, "shared"), by=cast("ada"))
    assert db.session.scalar(named) is False


def test_a_file_type_takes_files_only(cast: Cast) -> None:
    with pytest.raises(Refusal, match="type of files"):
        put(cast, ("a.exe", b"MZ1"), kind="ip")


def test_a_changed_content_is_not_handed_out(cast: Cast) -> None:
    put(cast, ("a.exe", b"MZ1"))
    found = only(cast)
    store.path_of(found.sha256 or "").write_bytes(b"MZ2")
    with pytest.raises(store.Damaged):
        samples.sealed(found.value, found.sha256 or "", found.size or 0)


def test_archives_leave_nothing_on_the_disk(cast: Cast) -> None:
    put(cast, ("a.exe", b"MZ1"))
    kept = only(cast)
    file, size, name = samples.sealed(kept.value, kept.sha256 or "", kept.size or 0)
    with file:
        data = file.read()
    assert (len(data), name) == (size, "a.exe.zip")
    upload = intake.upload_of("x.zip", data)
    with samples.unpacked([upload, intake.upload_of("y.zip", b"no")], "") as found:
        assert [(one.name, one.problem is None) for one in found] == [("a.exe", True), ("y.zip", False)]
        assert found[0].upload is not None
        assert found[0].upload.path.read_bytes() == b"MZ1"
    assert not found[0].upload.path.exists()


def test_a_date_to_come_is_no_sighting(cast: Cast) -> None:
    with pytest.raises(Refusal, match="future"):
        add(cast, "evil.example", sighted=True, sighted_at=now().replace(year=now().year + 1))


def test_the_case_moves_up_for_colleagues(cast: Cast) -> None:
    case: Case = cast.case("internal")
    before = case.updated_at
    add(cast, "evil.example")
    assert cast.case("internal").updated_at > before
    assert db.session.scalar(select(func.count()).select_from(AuditEntry).where(AuditEntry.kind == Kind.OBSERVABLE_ADDED.value)) == 5
