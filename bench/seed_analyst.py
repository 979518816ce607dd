"""Fill the product with 100,000 cases: `PORTAL_INSTANCE=... python -m bench.seed_analyst`; 500,000 comments, 200,000 observables."""

from __future__ import annotations

import hashlib
import random
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Connection, insert, text

from bench.seed_product import ORGANISATION, PASSWORD, put_people
from bench.world import GUESTS, LAST, OBJECTS, STAFF, SUBJECTS, WORDS
from portal import create_app
from portal.accounts.passwords import hash_password
from portal.accounts.platform import has_people
from portal.cases.models import (
    STATUSES,
    Case,
    CaseCounter,
    CaseTag,
    Comment,
    CustomField,
    CustomValue,
    FieldType,
    Observable,
    Stage,
    Task,
)
from portal.config import from_env
from portal.database import learn
from portal.extensions import db
from portal.search import index
from portal.settings.models import Setting
from portal.sharing.models import Access, Grant
from portal.upgrade import bring_up_to_date

CASES, COMMENTS, OBSERVABLES = 100_000, 5, 2
LONG_TALK = 20  # comments on case 1, the measured case page of the console
LOUD, LOUD_TALK = 3, 50  # that of the portal, and its comments, all external
RARE = 997  # every so many cases have something rare
AT_ONCE = 2_000
STATUS = ("New", "InProgress", "InProgress", *("TruePositive",) * 4, *("FalsePositive",) * 3)
NO_SECOND_STEP = {"mfa_admin": False, "mfa_organisation": False}
WHERE = ("Oslo", "Lisbon", "Kraków", "Ghent", "Malmö")


def _moment(number: int) -> datetime:
    """When a case changed last: case 1 just now, the others before it in no order."""
    return LAST if number == 1 else LAST - timedelta(seconds=60 + number * 7919 % (3 * 365 * 86400))


def _phrase(dice: random.Random, words: int) -> str:
    return " ".join(dice.choices(WORDS, k=words))


def _case(number: int) -> dict[str, Any]:
    dice, updated = random.Random(number), _moment(number)
    rare = number % RARE == 0
    status = "Duplicated" if rare else STATUS[number % len(STATUS)]
    stage = STATUSES[status]
    body = f"{_phrase(dice, 60)} zebra{number}" + (" wombat" if rare else "")
    created = updated - timedelta(hours=1 + number % 400)
    return {
        "id": number,
        "number": number,
        "organisation_id": ORGANISATION,
        "title": f"{dice.choice(SUBJECTS)} {dice.choice(OBJECTS)} ({number})",
        "description": body,
        "description_html": f"<p>{body}</p>",
        "severity": 1 + number % 4,
        "tlp": 4 if rare else 2,
        "status": status,
        "stage": stage,
        "tags": tags_of(number),
        **_moments(created, updated, stage),
        "created_by_id": 101,
        "created_by_name": "Analyst 1",
        "assignee_id": None if rare else 101 + number % STAFF,
        "access": Access.ALL_EXTERNAL if rare else Access.EXTERNAL if number % 2 else Access.INTERNAL,
        "flagged": number % 5003 == 1,
        "reported_outside": number % RARE == 1,
    }


def _moments(created: datetime, updated: datetime, stage: Stage) -> dict[str, Any]:
    early = dict.fromkeys(("start_date", "new_at", "created_at", "shared_since", "details_at"), created)
    return {
        **early,
        "in_progress_at": None if stage is Stage.NEW else created,
        "closed_at": updated if stage is Stage.CLOSED else None,
        "updated_at": updated,
        "outside_at": updated,
    }


def tags_of(number: int) -> list[str]:
    """One tag all cases have, one of a few, and for some a rare one."""
    return ["bench", f"batch-{number % 7}", *(["rare"] if number % RARE == 0 else [])]


def _comments(number: int) -> Iterator[dict[str, Any]]:
    dice, updated = random.Random(-number), _moment(number)
    for place in range({1: LONG_TALK, LOUD: LOUD_TALK}.get(number, COMMENTS)):
        said, guest = f"{_phrase(dice, 35)}.", place % 2 == 1
        author = 1 + (number + place) % (GUESTS if guest else STAFF)
        yield {
            "uid": f"{number:08x}{place:08x}",
            "case_id": number,
            "author_id": 100 + author + (STAFF if guest else 0),
            "author_name": f"Guest {author}" if guest else f"Analyst {author}",
            "author_external": guest,
            "message": said,
            "message_html": f"<p>{said}</p>",
            "external": guest or number == LOUD,
            "outside_at": updated if guest or number == LOUD else None,
            "created_at": updated - timedelta(minutes=60 - place),
        }


def _observables(number: int) -> Iterator[dict[str, Any]]:
    for place in range(OBSERVABLES):
        value = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}" if place == 0 else hashlib.sha256(b"%d" % number).hexdigest()
        yield {
            "uid": f"{number:08x}{place:08x}",
            "case_id": number,
            "organisation_id": ORGANISATION,
            "type": "hash" if place else "ip",
            "value": value,
            "value_key": hashlib.sha256(value.encode()).hexdigest(),
            "author_id": 101,
            "author_name": "Analyst 1",
            "author_external": False,
            "created_at": _moment(number),
        }


def _tasks(number: int) -> Iterator[dict[str, Any]]:
    if number % 10 == 0:
        yield {"uid": f"{number:016x}", "case_id": number, "title": f"Ask the owner {number}", "created_by_name": "Analyst 1"}


def _tags(number: int) -> Iterator[dict[str, Any]]:
    yield from ({"case_id": number, "organisation_id": ORGANISATION, "tag": tag} for tag in tags_of(number))


def _values(number: int) -> Iterator[dict[str, Any]]:
    if number % 10 == 0:
        yield {"case_id": number, "field_id": 1, "value": WHERE[number // 10 % len(WHERE)] if number % RARE else "Nowhere"}


def _grants(number: int) -> Iterator[dict[str, Any]]:
    if number % 2 and number % RARE:
        yield {"case_id": number, "user_id": 101 + STAFF + number % GUESTS, "granted_at": LAST}


def _put(connection: Connection, model: Any, of: Callable[[int], Iterator[dict[str, Any]]]) -> None:
    rows = (row for number in range(1, CASES + 1) for row in of(number))
    while some := list(islice(rows, AT_ONCE)):
        connection.execute(insert(model.__table__), some)
    print(f"  {model.__tablename__}", flush=True)


def seed() -> None:
    """Write people, cases and what hangs on them, then the text index."""
    app = create_app(from_env(create=True))
    bring_up_to_date(app)
    with app.app_context():
        if has_people():
            sys.exit("This installation has people in it already; the measured world goes into an empty one only.")
        with db.engine.connect().execution_options(write=True) as connection, connection.begin():
            put_people(connection, hash_password(PASSWORD))
            connection.execute(insert(Setting.__table__), [{"name": "sign_in", "value": NO_SECOND_STEP}])
            _put(connection, Case, lambda number: iter([_case(number)]))
            field = {"id": 1, "name": "place", "label": "Place", "type": FieldType.STRING}
            connection.execute(insert(CustomField.__table__), [field])
            for model, of in ((Comment, _comments), (Observable, _observables), (Task, _tasks), (CaseTag, _tags)):
                _put(connection, model, of)
            _put(connection, CustomValue, _values)
            _put(connection, Grant, _grants)
            connection.execute(insert(CaseCounter.__table__), [{"id": 1, "last": CASES}])
        index.rebuild()
        db.session.rollback()  # what it asked at the beginning is still its view: nothing would be vacuumed as seen by everybody
        if db.engine.dialect.name == "postgresql":
            with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("VACUUM ANALYZE"))
        learn()  # as the worker does every hour


if __name__ == "__main__":
    seed()
