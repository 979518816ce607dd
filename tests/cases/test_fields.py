"""Custom fields: how values are written, who may write them, what moves outside, what keeps a case from being closed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from portal.accounts.permissions import Permission
from portal.cases import definitions, fields, lifecycle
from portal.cases.definitions import Shape
from portal.cases.fields import checked, missing_mandatory, parse, set_values, values_of
from portal.cases.models import CustomField, CustomValue, FieldType
from portal.clock import now
from portal.database import start_writing
from portal.extensions import db
from portal.refusals import NotAllowed, NotVisible, Refusal, Stale, Unfit
from tests.fixtures.rooms import Cast, at_once, newest_audit

END = {"status": "TruePositive", "summary": "Done.", "impact": "NoImpact"}


def field(kind: str, *options: str) -> CustomField:
    return CustomField(name="x", label="X", type=FieldType(kind), options=list(options))


def make(cast: Cast, name: str, kind: str = "string", **more: Any) -> CustomField:
    return definitions.create(name, FieldType(kind), Shape(more.pop("label", name.capitalize()), **more), by=cast("pia"))


def write(cast: Cast, case: str, texts: dict[str, list[str]], who: str = "ada", version: int | None = None) -> list[str]:
    row = cast.case(case)
    return set_values(row, texts, version=row.version if version is None else version, by=cast(who))


@pytest.mark.parametrize(
    ("kind", "text", "written"),
    [
        ("string", "  two \t words\n", "two words"),
        ("string", "a\x00b\u202ec", "abc"),
        ("integer", "+007", "7"),
        ("integer", "-2147483648", "-2147483648"),
        ("integer", "2147483647", "2147483647"),
        ("float", "12.50", "12.5"),
        ("float", "1e3", "1000"),
        ("float", "-0.0", "0"),
        ("float", "1e300", "1e+300"),
        ("float", ".5", "0.5"),
        ("boolean", "YES", "yes"),
        ("boolean", "false", "no"),
        ("date", "2026-02-28", "2026-02-28"),
        ("url", "https://example.org/a?b=c#d", "https://example.org/a?b=c#d"),
        ("url", "http://[::1]:8080/", "http://[::1]:8080/"),
    ],
)
def test_values_are_written_one_way(kind: str, text: str, written: str) -> None:
    assert parse(field(kind), text) == written
    assert parse(field(kind), written) == written


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        *(("string", text) for text in ("", " \u200b ", "x" * 1025)),
        *(("integer", text) for text in ("2147483648", "-2147483649", "1.0", "1,000", "1_000", "\u0661", "9" * 5000, "nan", "0x1f")),
        *(("float", text) for text in ("nan", "inf", "-Infinity", "1e999", "1,5", "1_0", "one", "9" * 1025)),
        *(("boolean", text) for text in ("maybe", "2", "y")),
        *(("date", text) for text in ("2026-02-30", "20261121", "2026-W47-6", "21.11.2026", "0001-01-01", "9999-12-31", "\u0662026-01-01")),
        *(("url", text) for text in ("javascript:alert(1)", "ftp://example.org", "example.org", "https://", "https:///x", "http://a:b:c/")),
        *(("url", text) for text in ("https://exa mple.org", 'https://a/"onclick', "https://a/<b>", "https://[::1", "data:text/html,x")),
        *(("url", text) for text in ("https://a:99999/", "https://a/\u00a0b")),
    ],
)
def test_what_does_not_fit_is_told_in_a_sentence(kind: str, text: str) -> None:
    with pytest.raises(Unfit, match=r"^X: .*\.$") as told:
        parse(field(kind), text)
    assert told.value.field == "x"


def test_options_are_a_closed_list_but_keep_what_is_there() -> None:
    closed = field("integer", "1", "20")
    assert checked(closed, ["020", "1", " 20 ", ""], []) == ["20", "1"]
    with pytest.raises(Unfit, match="choose one of the options"):
        checked(closed, ["3"], [])
    assert checked(closed, ["3", "1"], ["3"]) == ["3", "1"]


def test_values_are_limited_in_number() -> None:
    with pytest.raises(Unfit, match="at most 50"):
        checked(field("integer"), [str(number) for number in range(51)], [])


def test_ada_can_write_values_and_the_history_tells_old_and_new(cast: Cast) -> None:
    start_writing()
    assert write(cast, "internal", {"region": ["Oslo", "Bergen", "Oslo"], "loss": []}) == ["Affected region", "Estimated loss"]
    assert values_of(cast.case("internal").id) == {"region": ["Oslo", "Bergen"]}
    entry = newest_audit()[0]
    assert entry.kind == "case:field-set"
    assert entry.changes["Affected region"] == [["Region of internal"], ["Oslo", "Bergen"]]
    assert entry.changes["Estimated loss"][1] == []


def test_writing_what_is_there_changes_nothing(cast: Cast) -> None:
    before = cast.case("internal").version
    assert write(cast, "internal", {"region": ["Region of internal"]}) == []
    assert cast.case("internal").version == before


def test_nobody_writes_without_the_right_on_an_old_page_or_into_nothing(cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        write(cast, "internal", {"region": []}, who="ruth")
    with pytest.raises(Stale):
        write(cast, "internal", {"region": []}, version=cast.case("internal").version - 1)
    with pytest.raises(Refusal, match="no custom field nothing"):
        write(cast, "internal", {"region": ["x"], "nothing": ["x"]})
    with pytest.raises(Unfit):
        write(cast, "internal", {"region": ["x"], "loss": ["much"]})
    assert values_of(cast.case("internal").id)["region"] == ["Region of internal"]


@pytest.mark.parametrize(("name", "value", "moves"), [("region", "Oslo", True), ("loss", "1", False)])
def test_only_what_outsiders_see_moves_their_date(cast: Cast, name: str, value: str, moves: bool) -> None:
    case = cast.case("shared")
    outside, details, updated = case.outside_at, case.details_at, case.updated_at
    write(cast, "shared", {name: [value]})
    db.session.flush()
    case = cast.case("shared")
    assert (case.outside_at > outside, case.details_at > details) == (moves, moves)
    assert case.updated_at > updated


def test_mandatory_fields_block_closing_and_nothing_else(cast: Cast) -> None:
    start_writing()
    make(cast, "owner", mandatory=True, label="Owner")
    make(cast, "checked", "boolean", mandatory=True, label="Checked", position=5)
    assert missing_mandatory(cast.case("internal")) == ["Owner", "Checked"]
    write(cast, "internal", {"region": ["Oslo"]})
    case = cast.case("internal")
    with pytest.raises(Refusal, match="fill in: Owner, Checked"):
        lifecycle.close_case(case, **END, version=case.version, by=cast("ada"))
    assert case.stage == "New"
    write(cast, "internal", {"owner": ["Ada"], "checked": ["no"]})
    lifecycle.close_case(case, **END, version=case.version, by=cast("ada"))
    assert case.stage == "Closed"


def test_groups_are_told_with_what_is_set(cast: Cast) -> None:
    make(cast, "port", "integer", group="Place", position=9)
    told = fields.groups_of(cast.case("shared").id)
    assert [(group.name, [view.name for view in group.fields], group.known) for group in told] == [
        ("Place", ["region"], 2),
        ("Money", ["loss"], 1),
    ]
    assert [group.fields for group in fields.groups_of(cast.case("all").id)] == [[], []]
    with pytest.raises(NotVisible):
        fields.in_group("Nowhere")


@pytest.mark.parametrize("name", ["", "Region", "9lives", "two words", "x" * 65, "ö", "a\nb", "region"])
def test_a_technical_name_is_plain_and_free(cast: Cast, name: str) -> None:
    with pytest.raises(Unfit) as told:
        make(cast, name, label="L")
    assert told.value.field == "name"


@pytest.mark.parametrize(
    ("kind", "change", "at"),
    [
        ("string", {"label": " "}, "label"),
        ("string", {"label": "x" * 65}, "label"),
        ("string", {"group": "x" * 65}, "group"),
        ("string", {"description": "x" * 2001}, "description"),
        ("string", {"position": 10_000}, "position"),
        ("string", {"position": -1}, "position"),
        ("date", {"options": ("2026-01-01",)}, "options"),
        ("integer", {"options": ("1", "two")}, "options"),
        ("string", {"options": tuple(str(n) for n in range(201))}, "options"),
    ],
)
def test_a_definition_is_checked_field_by_field(cast: Cast, kind: str, change: dict[str, Any], at: str) -> None:
    with pytest.raises(Unfit) as told:
        make(cast, "fresh", kind, **{"label": "Fresh", **change})
    assert told.value.field == at


def test_pia_can_change_a_field_but_not_from_an_old_page(cast: Cast) -> None:
    made = make(cast, "unit", label="Unit", options=("A", " B ", "A", ""))
    assert made.options == ["A", "B"]
    definitions.edit(made.id, Shape("Business unit", options=("A",)), version=1, by=cast("pia"))
    assert (made.label, made.options, made.version) == ("Business unit", ["A"], 2)
    assert newest_audit()[0].changes == {"label": ["Unit", "Business unit"], "options": [["A", "B"], ["A"]]}
    with pytest.raises(Stale):
        definitions.edit(made.id, Shape("Other"), version=1, by=cast("pia"))


def test_a_field_in_use_is_not_deleted(cast: Cast) -> None:
    region = db.session.scalars(select(CustomField).where(CustomField.name == "region")).one()
    assert (definitions.uses(region.id), definitions.appearances(region.id)) == (4, 1)
    with pytest.raises(Refusal, match="4 cases have a value in it"):
        definitions.delete(region.id, by=cast("pia"))
    fresh = make(cast, "fresh")
    assert definitions.delete(fresh.id, by=cast("pia")) == "Fresh"
    with pytest.raises(NotVisible):
        definitions.load(fresh.id, by=cast("pia"))


@pytest.mark.parametrize("who", ["ada", "olga", "ruth"])
def test_colleagues_cannot_define_fields(cast: Cast, who: str) -> None:
    acts: list[Callable[[], Any]] = [
        lambda: definitions.create("a", FieldType.STRING, Shape("A"), by=cast(who)),
        lambda: definitions.edit(1, Shape("A"), version=1, by=cast(who)),
        lambda: definitions.delete(1, by=cast(who)),
    ]
    for act in acts:
        with pytest.raises(NotAllowed):
            act()


def test_a_field_is_not_lost_under_a_value_written_at_the_same_moment(app: Flask, cast: Cast) -> None:
    """Deleting the field and writing its first value race: one of them is refused, no value is left without its field."""
    start_writing()
    key = make(cast, "fresh").id
    db.session.commit()
    pia, ada, number = cast("pia"), cast("ada"), cast.case("internal").number

    def remove() -> str:
        start_writing()
        label = definitions.delete(key, by=pia)
        db.session.commit()
        return label

    def fill() -> list[str]:
        from portal.cases.cases import load

        start_writing()
        case = load(number, change=True)
        changed = set_values(case, {"fresh": ["x"]}, version=case.version, by=ada)
        db.session.commit()
        return changed

    results = at_once(app, remove, fill)
    assert sum(isinstance(result, Refusal) for result in results) == 1, results
    left = db.session.scalars(select(CustomValue.field_id).where(CustomValue.field_id == key)).all()
    there = db.session.scalar(select(CustomField.id).where(CustomField.id == key))
    assert bool(left) == (there is not None)


def test_right_to_edit_is_all_that_is_asked(cast: Cast) -> None:
    narrow = replace(cast("ada"), permissions=frozenset({Permission.UPDATE_CASE.value}))
    case = cast.case("internal")
    assert set_values(case, {"loss": ["12"]}, version=case.version, by=narrow) == ["Estimated loss"]
    assert case.updated_at <= now()
