"""Tags: one rule for everything that has them, and suggestions that step through the index."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert, text

from portal.cases import bulk, cases, observables, tags, templates
from portal.cases.models import CaseTag
from portal.extensions import db
from portal.refusals import Unfit
from portal.sharing import guard
from tests import factories as make
from tests.fixtures.rooms import Cast

TOO_LONG = ("x" * 129,)
TOO_MANY = tuple(f"tag {number}" for number in range(51))


def edit(cast: Cast, wanted: tuple[str, ...]) -> None:
    case = cast.case("internal")
    cases.update_case(case, cases.draft_of(case, tags=wanted), version=case.version, by=cast("ada"))


HAVE_TAGS: dict[str, Callable[[Cast, tuple[str, ...]], Any]] = {
    "new case": lambda cast, wanted: make.make_case(cast("ada"), tags=wanted),
    "case": edit,
    "bulk": lambda cast, wanted: bulk.change_tags(cast("ada"), wanted, []),
    "template": lambda cast, wanted: templates.create(templates.Draft("Phishing", tags=wanted), by=cast("olga")),
    "observable": lambda cast, wanted: observables.checked(observables.Facets(tags=wanted)),
}


@pytest.mark.parametrize("where", HAVE_TAGS)
@pytest.mark.parametrize(("wanted", "sentence"), [(TOO_LONG, "at most 128 characters"), (TOO_MANY, "at most 50 tags; these are 51")])
def test_tags_follow_one_rule(cast: Cast, where: str, wanted: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(Unfit, match=sentence) as refused:
        HAVE_TAGS[where](cast, wanted)
    assert refused.value.field == "tags"


@pytest.mark.parametrize("where", HAVE_TAGS)
def test_as_much_as_the_rule_allows_is_kept(cast: Cast, where: str) -> None:
    HAVE_TAGS[where](cast, ("y" * 128, *TOO_MANY[:49]))


def test_a_bulk_edit_leaves_out_the_case_that_would_get_too_many(cast: Cast) -> None:
    edit(cast, TOO_MANY[:50])
    case = cast.case("internal")
    [outcome] = bulk.each({case.number: str(case.version)}, bulk.change_tags(cast("ada"), ["one more"], []))
    assert (outcome.done, "at most 50" in outcome.sentence) == (False, True)


def test_an_edit_of_something_else_keeps_tags_from_before_the_rule(cast: Cast) -> None:
    case = cast.case("internal")
    tags.write_tags(case, TOO_MANY)
    assert cases.update_case(case, cases.draft_of(case, title="Other"), version=case.version, by=cast("ada")) == ["title"]


def suggested(cast: Cast, start: str, who: str = "ada") -> list[str]:
    guard.engage(cast(who))
    try:
        return tags.suggest(cast(who), start)
    finally:
        guard.release()


def test_suggestions_stand_in_their_order_whatever_the_spelling(cast: Cast) -> None:
    for number, words in enumerate((("zebra", "Vpn"), ("VPN login", "zebra"), ("vpn-gate", "zebra", "v"))):
        make.make_case(cast("ada"), f"Case {number}", tags=words)
    db.session.flush()
    assert suggested(cast, "vp") == ["Vpn", "VPN login", "vpn-gate"]
    assert suggested(cast, "VPN") == ["Vpn", "VPN login", "vpn-gate"]
    assert suggested(cast, "") == ["tag-all", "tag-internal", "tag-restricted", "tag-revoked", "tag-shared", "v", "Vpn", "VPN login",
                                   "vpn-gate", "zebra"]  # fmt: skip
    assert suggested(cast, "tag-", "olga") == ["tag-all", "tag-internal", "tag-revoked", "tag-shared"]
    assert suggested(cast, "", "otto") == []


def test_suggestions_are_found_in_the_index_without_reading_every_row(app: Flask, cast: Cast) -> None:
    """Told by the plan of the statement, for times differ from machine to machine."""
    case = cast.case("internal")
    rows = [{"case_id": case.id, "organisation_id": case.organisation_id, "tag": f"many {number:05}"} for number in range(3_000)]
    db.session.execute(insert(CaseTag), rows)
    assert suggested(cast, "many") == [f"many {number:05}" for number in range(20)]
    wanted = tags._steps(cast("ada"), "many").compile(db.engine, compile_kwargs={"literal_binds": True})
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("ANALYZE case_tag"))
        told = "\n".join(db.session.scalars(text(f"EXPLAIN {wanted}")))
        assert "Seq Scan on case_tag" not in told, told
    else:
        told = "\n".join(row[3] for row in db.session.execute(text(f"EXPLAIN QUERY PLAN {wanted}")))
        assert "SCAN case_tag" not in told, told
        assert "B-TREE" not in told, told
    assert "ix_case_tag_organisation_id" in told, told
