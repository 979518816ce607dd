"""Fill the product's own tables: `PORTAL_INSTANCE=... python -m bench.seed_product`. Only an installation without people is filled."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Table, insert, select, text

from bench.world import CASES, CROWD, ELSEWHERE, GUESTS, LAST, OTHERS, STAFF, Incident, incidents
from portal import create_app
from portal.accounts.models import AccountType, Membership, OneTimeLink, Profile, Purpose, User, folded, membership_profile
from portal.accounts.passwords import hash_password
from portal.accounts.platform import has_people
from portal.cases.models import STATUSES, Case, CaseCounter, Comment, Stage
from portal.cases.models.talk import new_uid
from portal.cases.text import render
from portal.config import from_env
from portal.extensions import db
from portal.organisations.models import Organisation, Party, PartyKind
from portal.settings.models import Setting
from portal.sharing.models import Access, Grant
from portal.upgrade import bring_up_to_date

ORGANISATION, PARTY = 100, 100
PASSWORD = "measured-on-loopback-only"
ROWS_AT_ONCE = 500


def staff_email(number: int) -> str:
    """The sign-in name of a colleague."""
    return f"staff{number}@team.example"


def guest_email(number: int) -> str:
    """The sign-in name of an outside person."""
    return f"guest{number}@client.example"


PLATFORM_EMAIL = "root@platform.example"
FIRST_OF_CROWD = 1_000
FORENAMES = ("André", "Beatriz", "Chiara", "Dmitri", "Elif", "Folke", "Grace", "Hanneke", "Ilir", "Jun", "Katya", "Lwazi", "Maëlle")
SURNAMES = ("Abara", "Bergström", "Castellano", "Dvořák", "Eriksen", "Fontaine", "Gallagher", "Haas", "Ivanova", "Jansen", "Kowalski")


def _put(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    for start in range(0, len(rows), ROWS_AT_ONCE):
        connection.execute(insert(table), rows[start : start + ROWS_AT_ONCE])


def _person(number: int, *, guest: bool, stored: str) -> dict[str, Any]:
    return {
        "id": 100 + number + (STAFF if guest else 0),
        "email": guest_email(number) if guest else staff_email(number),
        "name": f"Guest {number}" if guest else f"Analyst {number}",
        "search_text": f"guest {number} {guest_email(number)}" if guest else f"analyst {number} {staff_email(number)}",
        "type": AccountType.EXTERNAL if guest else AccountType.NORMAL,
        "password_hash": stored,
        "created_at": LAST,
        "activated_at": LAST,
    }


def put_people(connection: Connection, stored: str) -> None:
    """Staff and guests of one organisation."""
    profiles = {name: key for name, key in connection.execute(select(Profile.name, Profile.id))}  # noqa: C416  (rows, not tuples)
    staff = [_person(number, guest=False, stored=stored) for number in range(1, STAFF + 1)]
    guests = [_person(number, guest=True, stored=stored) for number in range(1, GUESTS + 1)]
    _put(connection, Organisation.__table__, [{"id": ORGANISATION, "name": "Bench CSIRT"}])
    party = {"id": PARTY, "organisation_id": ORGANISATION, "name": "Client", "kind": PartyKind.CLIENT}
    _put(connection, Party.__table__, [party])
    _put(connection, User.__table__, staff + guests)
    belongs = {"organisation_id": ORGANISATION, "is_default": True}
    members = [{"id": p["id"], "user_id": p["id"], "party_id": None, **belongs} for p in staff]
    members += [{"id": p["id"], "user_id": p["id"], "party_id": PARTY, **belongs} for p in guests]
    _put(connection, Membership.__table__, members)
    roles = [(p["id"], profiles["Org-Admin"]) for p in staff] + [(p["id"], profiles["External-Actor"]) for p in guests]
    _put(connection, membership_profile, [{"membership_id": member, "profile_id": profile} for member, profile in roles])


def _stranger(number: int, stored: str) -> dict[str, Any]:
    """One of the crowd: most are set up, every twentieth was invited only, every fiftieth is locked."""
    name = f"{FORENAMES[number % len(FORENAMES)]} {SURNAMES[number // 7 % len(SURNAMES)]} {number}"
    email, moment = f"person{number}@crowd.example", LAST if number % 20 else None
    return {
        "id": FIRST_OF_CROWD + number,
        "email": email,
        "name": name,
        "search_text": folded(f"{name} {email}"),
        "type": AccountType.EXTERNAL if number <= CROWD or number % 3 else AccountType.NORMAL,
        "active": number % 50 != 7,
        "password_hash": stored if moment else None,
        "created_at": LAST,
        "activated_at": moment,
        "last_sign_in_at": LAST - timedelta(minutes=number) if moment else None,
    }


def _invitation(person: dict[str, Any], organisation_id: int) -> dict[str, Any]:
    hours = 10**6 if person["id"] % 40 else -24
    hashed = {"salt": f"{person['id']}", "nonce_hash": f"{person['id']}"}
    about = {"purpose": Purpose.INVITATION, "user_id": person["id"], "organisation_id": organisation_id, "created_at": LAST}
    return {**about, **hashed, "expires_at": LAST + timedelta(hours=hours)}


def _crowd(connection: Connection, stored: str) -> None:
    """As many accounts as make 10,000, most of them outside people of the measured organisation."""
    profiles = {name: key for name, key in connection.execute(select(Profile.name, Profile.id))}  # noqa: C416  (rows, not tuples)
    _put(connection, Organisation.__table__, [{"id": ORGANISATION + n, "name": f"Other CSIRT {n}"} for n in range(1, OTHERS + 1)])
    people = [_stranger(number, stored) for number in range(1, CROWD + ELSEWHERE + 1)]
    _put(connection, User.__table__, people)
    places = {p["id"]: ORGANISATION + (n % OTHERS + 1 if n > CROWD else 0) for n, p in enumerate(people, 1)}
    _put(
        connection,
        Membership.__table__,
        [{"id": key, "user_id": key, "organisation_id": place, "is_default": True} for key, place in places.items()],
    )
    held = {AccountType.EXTERNAL: profiles["External-Reader"], AccountType.NORMAL: profiles["Analyst"]}
    _put(connection, membership_profile, [{"membership_id": p["id"], "profile_id": held[p["type"]]} for p in people])
    _put(connection, OneTimeLink.__table__, [_invitation(p, places[p["id"]]) for p in people if p["activated_at"] is None])


def _administrator(connection: Connection, stored: str) -> None:
    """Somebody who looks at everybody; the second step is not what is measured."""
    connection.execute(insert(Setting).values(name="sign_in", value={"mfa_admin": False, "mfa_organisation": False}))
    person = {"id": 99, "email": PLATFORM_EMAIL, "name": "Root", "search_text": f"root {PLATFORM_EMAIL}", "type": AccountType.NORMAL}
    _put(connection, User.__table__, [{**person, "password_hash": stored, "created_at": LAST, "activated_at": LAST}])
    place = connection.scalar(select(Organisation.id).where(Organisation.built_in))
    _put(connection, Membership.__table__, [{"id": 99, "user_id": 99, "organisation_id": place, "is_default": True}])
    profile = connection.scalar(select(Profile.id).where(Profile.name == "Admin"))
    _put(connection, membership_profile, [{"membership_id": 99, "profile_id": profile}])


def _case(case: Incident) -> dict[str, Any]:
    stage = STATUSES[case.status]
    return {
        "id": case.number,
        "number": case.number,
        "organisation_id": ORGANISATION,
        "title": case.title,
        "description": case.body,
        "description_html": render(case.body),
        "severity": case.severity,
        "status": case.status,
        "stage": stage,
        "tags": ["bench", f"batch-{case.number % 7}"],
        "start_date": case.created_at,
        "new_at": case.created_at,
        "in_progress_at": None if stage is Stage.NEW else case.created_at,
        "closed_at": case.updated_at if stage is Stage.CLOSED else None,
        "created_at": case.created_at,
        "created_by_id": 100 + case.owner,
        "created_by_name": f"Analyst {case.owner}",
        "updated_at": case.updated_at,
        "assignee_id": 100 + case.owner,
        "access": Access.EXTERNAL,
        "shared_since": case.created_at,
        "details_at": case.created_at,
        "outside_at": case.updated_at,
    }


def _comments(case: Incident) -> list[dict[str, Any]]:
    return [
        {
            "uid": new_uid(),
            "case_id": case.number,
            "author_id": 100 + talk.author + (STAFF if talk.by_guest else 0),
            "author_name": f"Guest {talk.author}" if talk.by_guest else f"Analyst {talk.author}",
            "author_external": talk.by_guest,
            "message": talk.text,
            "message_html": render(talk.text),
            # The measured case shows its guest everything, so that both pages hold twenty messages.
            "external": talk.by_guest or case.number == 1,
            "outside_at": talk.at,
            "created_at": talk.at,
        }
        for talk in case.talk
    ]


def _cases(connection: Connection) -> None:
    everything = list(incidents())
    _put(connection, Case.__table__, [_case(case) for case in everything])
    grants = [{"case_id": c.number, "user_id": 100 + STAFF + c.guest, "granted_at": c.created_at} for c in everything]
    _put(connection, Grant.__table__, grants)
    _put(connection, Comment.__table__, [row for case in everything for row in _comments(case)])
    _put(connection, CaseCounter.__table__, [{"id": 1, "last": CASES}])


def seed() -> None:
    """Write people, cases and comments in one transaction."""
    app = create_app(from_env(create=True))
    bring_up_to_date(app)
    with app.app_context():
        if has_people():
            sys.exit("This installation has people in it already; the measured world goes into an empty one only.")
        stored = hash_password(PASSWORD)
        with db.engine.connect().execution_options(write=True) as connection, connection.begin():
            put_people(connection, stored)
            _crowd(connection, stored)
            _administrator(connection, stored)
            _cases(connection)
            connection.execute(text("ANALYZE"))


if __name__ == "__main__":
    seed()
