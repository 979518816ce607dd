"""Who has seen what: people and timeline, those who never looked, and the file of it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select

from portal.audit import feed
from portal.audit.kinds import Kind
from portal.audit.models import AuditEntry
from portal.audit.record import record
from portal.cases import comments
from portal.cases.models import Case
from portal.clock import now
from portal.database import start_writing
from portal.extensions import db
from portal.sharing import seen
from tests.factories import share
from tests.fixtures.rooms import Cast
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]


def looks(app: Flask, world: World, who: str, *, views: int = 1, downloads: int = 0, case: str = "shared") -> None:
    with app.app_context():
        cast = Cast(world)
        start_writing()
        for kind, count in ((Kind.CASE_VIEWED, views), (Kind.FILE_DOWNLOADED, downloads)):
            for _ in range(count):
                record(kind, actor=cast(who), case=cast.case(case), object_id=cast.case(case).number)
        db.session.commit()


def path(world: World, case: str = "shared", more: str = "") -> str:
    return f"/console/cases/{world.cases[case]}/seen{more}"


def test_views_and_downloads_are_counted_by_person(cast: Cast, app: Flask) -> None:
    case = cast.case("shared")
    for kind in (Kind.CASE_VIEWED, Kind.CASE_VIEWED, Kind.FILE_DOWNLOADED):
        record(kind, actor=cast("hanna"), case=case, object_id=case.number)
    record(Kind.FILE_DOWNLOADED, actor=cast("ada"), case=case, object_id="x")  # a colleague is no outsider
    record(Kind.CASE_VIEWED, actor=cast("hanna"), case=cast.case("all"), object_id=1)
    db.session.commit()
    page = seen.seers(case)
    assert [(row.name, row.views, row.downloads, row.has_access) for row in page.rows] == [("Hanna Person", 2, 1, True)]
    assert [person.name for person in seen.never(case)] == ["Rhea Person"]
    assert [person.name for person in seen.never(cast.case("all"))] == ["Newt Person", "Rhea Person", "Vic Person"]
    assert seen.never(cast.case("internal")) == []
    share(case, cast("ada"))
    db.session.commit()
    assert [row.has_access for row in seen.seers(case).rows] == [False]
    assert seen.never(case) == []


def test_the_list_goes_on_by_cursor(cast: Cast) -> None:
    case = cast.case("all")
    for number in range(30):
        entry = {"kind": Kind.CASE_VIEWED.value, "channel": "portal", "actor_external": True, "case_id": case.id, "at": now()}
        db.session.add(AuditEntry(**entry, organisation_id=case.organisation_id, actor_id=cast.user("hanna").id, actor_name=f"P{number}"))
    db.session.commit()
    assert len(seen.seers(case).rows) == 1
    people = db.session.scalars(select(AuditEntry).where(AuditEntry.case_id == case.id, AuditEntry.kind == Kind.CASE_VIEWED)).all()
    ids = list(cast.world.people.values())
    for entry, user_id in zip(people, ids, strict=False):
        entry.actor_id = user_id
    db.session.commit()
    page = seen.seers(case, after=max(entry.id for entry in people) + 1)
    assert len(page.rows) == len(ids)
    assert len(seen.seers(case, after=min(entry.id for entry in people)).rows) == 0


def test_ruth_can_read_who_has_seen_it(app: Flask, world: World, browse: Browse) -> None:
    browse("hanna").get(f"/portal/cases/{world.cases['shared']}")
    looks(app, world, "rhea", views=0, downloads=3)
    text = browse("ruth").get(path(world)).text
    assert "Hanna Person" in text
    assert "Rhea Person" in text
    assert "Everybody who can open it has done so." in text
    assert 'aria-current="page">Seen' in text


def test_who_never_looked_is_listed(world: World, browse: Browse) -> None:
    text = browse("ada").get(path(world)).text
    assert "Nobody outside has opened this case" in text
    assert "Can open it, never did" in text
    assert "Hanna Person" in text
    text = browse("ada").get(path(world, "internal")).text
    assert "It is not shared now." in text
    assert "never did" not in text


def test_the_timeline_tells_sharing_and_views(app: Flask, world: World, browse: Browse) -> None:
    looks(app, world, "hanna")
    text = browse("ada").get(path(world, more="?as=timeline")).text
    assert "opened the case" in text or "viewed the case" in text or "looked at" in text
    assert "Hanna Person" in text
    assert "Gained" in text
    assert "Internal word" not in text


@pytest.mark.parametrize("who", ["hanna", "otto"])
def test_others_find_nothing(world: World, browse: Browse, who: str) -> None:
    assert browse(who).get(path(world)).status_code in (303, 404)
    assert browse(who).get(path(world, more="/export")).status_code in (303, 404)


def test_a_restricted_case_is_told_to_those_named_only(world: World, browse: Browse) -> None:
    assert browse("olga").get(path(world, "restricted")).status_code == 404
    assert browse("olga").get(path(world, "restricted", "/export")).status_code == 404


@pytest.mark.parametrize("query", ["after=x", "before=-1", "as=timeline&before=999999999999999999999", "after=%00", "as=%00", "after=0"])
def test_odd_addresses_are_no_fault(world: World, browse: Browse, query: str) -> None:
    assert browse("ada").get(path(world, more=f"?{query}")).status_code == 200


def test_the_export_has_everybody_and_is_recorded(app: Flask, world: World, browse: Browse) -> None:
    looks(app, world, "hanna", views=2, downloads=1)
    ada = browse("ada")
    rows = list(csv.DictReader(io.StringIO(ada.get(path(world, more="/export")).text.removeprefix("\N{BYTE ORDER MARK}"))))
    assert [(row["name"], row["has_access"], row["views"], row["downloads"]) for row in rows] == [
        ("Hanna Person", "yes", "2", "1"),
        ("Rhea Person", "yes", "0", "0"),
    ]
    told = json.loads(ada.get(path(world, more="/export?format=json")).text)
    assert [row["name"] for row in told] == ["Hanna Person", "Rhea Person"]
    assert ada.get(path(world, more="/export?format=xml")).status_code == 404
    with app.app_context():
        number = world.cases["shared"]
        wanted = select(AuditEntry).join(Case, Case.id == AuditEntry.case_id).where(Case.number == number)
        assert len(db.session.scalars(wanted.where(AuditEntry.kind == Kind.SEEN_EXPORTED)).all()) == 2


def test_who_was_locked_has_no_access_to_what_all_can_see(cast: Cast) -> None:
    case = cast.case("all")
    dora = replace(cast("vic"), user_id=cast.world.people["dora"], name="Dora Person")
    for who in (dora, cast("vic")):
        record(Kind.CASE_VIEWED, actor=who, case=case, object_id=case.number)
    db.session.commit()
    known = {"Dora Person": False, "Vic Person": True}
    assert {row.name: row.has_access for row in seen.seers(case).rows} == known
    assert {row.name: row.has_access for row in seen.everybody(case)} == known


def test_list_and_timeline_count_the_same_looks(cast: Cast) -> None:
    assert set(seen.LOOKS) == {kind.value for kind in feed.KINDS["views"]}


def test_the_tab_does_not_load_the_conversation(world: World, browse: Browse, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, asked = browse("ada"), []
    monkeypatch.setattr(comments, "comments_of", lambda of: asked.append(of) or [])
    for more in ("", "?as=timeline"):
        assert ada.get(path(world, more=more)).status_code == 200
    assert asked == []
