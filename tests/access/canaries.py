"""Canaries: a text of its own in every text column of every row, and a crawl that notes which of them reach whom."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from flask import Flask
from sqlalchemy import JSON, Column, Enum, String, Table, select, update
from werkzeug.test import TestResponse

from portal.database import start_writing
from portal.extensions import Base, db
from portal.organisations.models import AgreementStatus
from tests.access.kinds import KINDS
from tests.access.roads import HTMX, Road, Traveller, plain, roads, traveller
from tests.fixtures.world import Browser, World

SEES = {"hanna": ("shared", "all"), "rhea": ("shared", "all"), "vic": ("all",), "gast": ("foreign",), "dora": (), "": ()}
# Words of the console that must not be read in the portal at all.
NEVER = ("TLP", "PAP:", "AMBER", "assignee", "restricted", "manageCase", "Internal note", "Traceback", "sqlalchemy")


def text_columns() -> Iterator[tuple[str, Column[Any]]]:
    """Every column that can hold words, as "table.column"."""
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, JSON) or (isinstance(column.type, String) and not isinstance(column.type, Enum)):
                yield f"{table.name}.{column.name}", column


def word(table: Table, column: Column[Any], row: Any) -> str:
    """The canary of one field: short enough for every column, unlike every other."""
    place = [name for name, _ in text_columns()].index(f"{table.name}.{column.name}")
    return f"kanari{place:02d}x{row.id:04d}y"


@dataclass
class Planted:
    """Canary -> where it sits; and for each person the canaries they may meet."""

    where: dict[str, str]
    may: dict[str, set[str]]


def plant(app: Flask, world: World) -> Planted:
    """Write a canary into every text field there is, and work out who may read which."""
    with app.app_context():
        start_writing()
        _rows_for_empty_tables(world)
        planted = Planted({}, {who: set() for who in SEES})
        for name, column in text_columns():
            if KINDS[name] not in ("fixed", "kept"):
                _plant_column(planted, world, name, column)
        db.session.commit()
    return planted


def _rows_for_empty_tables(world: World) -> None:
    """One row in each table the world leaves empty, so that no column goes without its canary."""
    hanna, here, tables = world.people["hanna"], world.places["here"], Base.metadata.tables
    party = select(tables["party"].c.id).where(tables["party"].c.name == "p").scalar_subquery()
    contact = select(tables["contact"].c.id).where(tables["contact"].c.name == "c").scalar_subquery()
    connection = db.session.connection()
    _hang_on_a_case(world)
    fill: dict[str, dict[str, Any]] = {
        "party": {"organisation_id": here, "name": "p", "kind": "client"},
        "contact": {"party_id": party, "name": "c"},
        "contact_email": {"contact_id": contact, "organisation_id": here, "email": "e"},
        "party_address": {"party_id": party, "kind": "legal"},
        "agreement": {"party_id": party, "number": "n", "title": "t", "status": "active"},
        "attempt": {"bucket": "b"},
        "submission": {"user_id": hanna, "token": "t", "location": "l"},
        "one_time_link": {
            "purpose": "invitation",
            "user_id": world.people["newt"],
            "organisation_id": here,
            "salt": "s",
            "nonce_hash": "n",
        },
        "api_key": {"user_id": world.people["ada"], "start": "s", "key_hash": "k"},
        "challenge": {"key_hash": "k", "purpose": "sign-in", "face": "portal", "user_id": world.people["vic"], "epoch": 0},
        "passkey": {"user_id": world.people["vic"], "credential_id": "c", "public_key": b"k", "name": "n"},
        "recovery_code": {"user_id": world.people["vic"], "code_hash": "c"},
        "draft": {"user_id": world.people["vic"], "organisation_id": here, "purpose": "report", "fields": {}},
        "totp": {"user_id": world.people["newt"], "secret": "s"},
        "login_session": {"key_hash": "k", "face": "portal", "user_id": world.people["vic"], "organisation_id": here, "epoch": 0},
    }
    for name, values in fill.items():
        table = tables[name]
        if "expires_at" in table.c:
            values["expires_at"] = db.session.scalar(select(tables["comment"].c.created_at).limit(1))
        connection.execute(table.insert().values(values))
    membership = tables["membership"]
    connection.execute(update(membership).where(membership.c.party_id.is_(None)).values(party_id=party))


def _hang_on_a_case(world: World) -> None:
    """One row of each thing that hangs on a case, on one that is shared with Hanna: what is not shown of it must stay hidden there too."""
    tables, ada, here = Base.metadata.tables, world.people["ada"], world.places["here"]
    put = db.session.connection().execute
    case = {
        "case_id": select(tables["incident_case"].c.id).where(tables["incident_case"].c.number == world.cases["shared"]).scalar_subquery()
    }
    by, text = {"author_id": ada, "author_name": "a"}, {"message": "m", "message_html": "m"}
    comment = select(tables["comment"].c.id).limit(1).scalar_subquery()
    moment = db.session.scalar(select(tables["comment"].c.created_at).limit(1))
    one = select(1).scalar_subquery()
    fill: list[tuple[str, dict[str, Any]]] = [
        ("blob", {"id": 1, "sha256": "s", "sha1": "s", "md5": "m", "size": 1}),
        ("task", {"id": 1, **case, "title": "t", "created_by_name": "c"}),
        ("task_log", {**case, "task_id": 1, **by, **text}),
        ("attachment", {**case, "blob_id": 1, "name": "n", "content_type": "c", "size": 1, "sha256": "s", **by, "author_external": False}),
        ("observable", {**case, "organisation_id": here, "type": "t", "value": "v", "value_key": "k", **by, "author_external": False}),
        ("comment_revision", {**case, "comment_id": comment, **text, "written_at": moment}),
        ("custom_field", {"id": 1, "name": "n", "label": "l", "type": "string"}),
        ("custom_value", {**case, "field_id": 1, "value": "v"}),
        ("case_tag", {**case, "organisation_id": here, "tag": "t"}),
        ("case_template", {"organisation_id": here, "name": "n"}),
        ("notice", {**case, "user_id": ada, "reason": "assigned", "actor_name": "a", "actor_external": False}),
    ]
    for name, values in fill:
        if not db.session.scalar(select(one).where(select(tables[name].c.id).exists())):
            put(tables[name].insert().values(values))


def _plant_column(planted: Planted, world: World, name: str, column: Column[Any]) -> None:
    table, connection = column.table, db.session.connection()
    rows = connection.execute(select(table)).all()
    assert rows, f"{table.name} is empty: its canaries would prove nothing"
    for row in rows:
        canary = word(table, column, row)
        value: Any = canary
        if isinstance(column.type, JSON):
            value = (
                [canary]
                if isinstance(getattr(row, column.name), list)
                else {"title": canary if name == "draft.fields" else [canary, canary]}
            )
        connection.execute(update(table).where(table.c.id == row.id).values({column.name: value}))
        if column.name == "uid":
            told = (world.comments, world.files, world.tasks, world.logs, world.log_files, world.observables, world.items, world.agreements)
            for known in told:
                known.update({key: canary for key, uid in known.items() if uid == row.uid})
        planted.where[canary] = f"{name} of {row.id}"
        for who in SEES:
            if _concerns(world, KINDS[name], name, row, who):
                planted.may[who].add(canary)


def _concerns(world: World, kind: str, name: str, row: Any, who: str) -> bool:
    """Whether this row's field may reach this person."""
    if kind == "hidden" or who in ("", "dora"):
        return False
    numbers = {world.cases[case] for case in SEES[who]}
    cases = set(db.session.connection().scalars(select(CASE.c.id).where(CASE.c.number.in_(numbers))))
    if name.startswith(("incident_case.", "case_tag.")):
        return (row.case_id if name.startswith("case_tag.") else row.id) in cases
    if name.startswith("attachment."):
        return bool(row.case_id in cases and row.external)
    if name.startswith("observable."):
        return bool(row.case_id in cases and row.author_external)
    if name.startswith("comment."):
        own = kind != "own" or (row.author_id == world.people[who] and who != "rhea")
        return row.case_id in cases and row.external and own
    if name.startswith("custom_field."):
        return _shown_field(row.id, cases)
    if name.startswith("custom_value."):
        return row.case_id in cases and _shown_field(row.field_id, cases)
    if kind == "party" or name.startswith("user_account."):
        return _managed(world, name, row, who)
    if name.startswith(("passkey.", "login_session.", "draft.")):
        return bool(row.user_id == world.people[who])
    return bool(row.id == world.places["there" if who == "gast" else "here"])


def _managed(world: World, name: str, row: Any, who: str) -> bool:
    """Whether this belongs to the external organisation this person is portal administrator of; drafts belong to the team. An account's
    name and address are its owner's as well."""
    mine = _party_managed(world, who)
    if name.startswith("user_account."):
        own = KINDS[name] == "own" and row.id == world.people[who]
        return bool(own or mine in _parties_of(MEMBERSHIP.c.user_id == row.id))
    if name.startswith("profile."):
        opened = Base.metadata.tables["party_profile"]
        return mine in set(db.session.connection().scalars(select(opened.c.party_id).where(opened.c.profile_id == row.id)))
    if name.startswith("agreement.") and row.status is AgreementStatus.DRAFT:
        return False
    return bool(mine == (row.id if name.startswith("party.") else row.party_id))


def _party_managed(world: World, who: str) -> int:
    """0, which none has, for who manages none."""
    return next(iter(_parties_of(MEMBERSHIP.c.user_id == world.people[who], MEMBERSHIP.c.portal_admin)), 0)


def _parties_of(*conditions: Any) -> set[int]:
    return set(db.session.connection().scalars(select(MEMBERSHIP.c.party_id).where(MEMBERSHIP.c.party_id.is_not(None), *conditions)))


def _shown_field(field_id: int, cases: set[int]) -> bool:
    """Whether the field is shown in the portal and has a value on one of these cases."""
    field, value = Base.metadata.tables["custom_field"], Base.metadata.tables["custom_value"]
    on = select(value.c.id).join(field, field.c.id == value.c.field_id).where(field.c.id == field_id, field.c.shown_outside)
    return db.session.connection().scalar(on.where(value.c.case_id.in_(cases)).limit(1)) is not None


CASE = Base.metadata.tables["incident_case"]
COMMENT = Base.metadata.tables["comment"]
MEMBERSHIP = Base.metadata.tables["membership"]


@dataclass
class Met:
    """What a crawl came back with: canary or word -> the first road it was met on."""

    on: dict[str, str]
    answers: int = 0

    def read(self, planted: Planted, road: Road, answer: TestResponse) -> None:
        """Look for every canary in headers and body; what the person typed into the address themselves tells them nothing."""
        text = plain(answer)  # a random token may spell anything
        text = text.replace(road.path, "").replace(quote(road.path, safe="/"), "") if answer.status_code != 200 else text
        self.answers += 1
        if "kanari" in text:
            for canary in planted.where:
                if canary in text:
                    self.on.setdefault(canary, str(road))
        for never in NEVER:
            if never in text:
                self.on.setdefault(never, str(road))


# What would change what the rest of the crawl sees.
TAKING_AWAY = (
    "external.delete_comment",
    "external.withdraw_item",
    "external.discard_report",
    "external.keep_report",
    "external.write_report",
    "entry.sign_out",
)
VARIANTS: tuple[dict[str, str], ...] = ({}, HTMX)


def crawl(app: Flask, world: World, planted: Planted, person: Traveller, *, only: str = "") -> Met:
    """Every GET, as page and as part; every POST that is refused or sent empty, for its error pages. `only`: one blueprint."""
    met = Met({})
    for method in ("GET", "POST"):
        for road in roads(app, world, method):
            if only and not road.endpoint.startswith(only):
                continue
            if method == "POST" and road.endpoint in TAKING_AWAY:
                continue
            for headers in VARIANTS if road.face else VARIANTS[:1]:
                met.read(planted, road, person.go(road, **headers))
    return met


def leaks(app: Flask, world: World, planted: Planted, browse: Callable[[str], Browser], who: str, *, only: str = "") -> dict[str, str]:
    """Canaries and words this person met and should not have: what it is -> on which road."""
    return unfit(planted, crawl(app, world, planted, traveller(app, browse, who), only=only), who)


def unfit(planted: Planted, met: Met, who: str) -> dict[str, str]:
    """What was met and is not for this person."""
    extra = set(met.on) - planted.may[who]
    return {planted.where.get(canary, canary): met.on[canary] for canary in sorted(extra)}
