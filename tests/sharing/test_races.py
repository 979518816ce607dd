"""Two colleagues share and revoke the same case at the same time, while somebody outside keeps looking.

The last committed decision is what counts, and after a committed revoke no read shows the case. 50 rounds here; the long form
takes its number from RACE_ROUNDS, see README, "Long forms".
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from portal.accounts.viewer import Viewer
from portal.audit.kinds import Kind
from portal.audit.models import AuditEntry
from portal.cases import cases
from portal.cases.models import Case
from portal.database import start_writing
from portal.extensions import db
from portal.refusals import NotVisible
from portal.sharing import guard
from portal.sharing.access import set_access
from portal.sharing.models import Access, Grant
from portal.sharing.window import Window
from tests.fixtures.rooms import Cast, at_once

ROUNDS = int(os.environ.get("RACE_ROUNDS", "50"))
CHOICES = (Access.EXTERNAL, Access.INTERNAL, Access.ALL_EXTERNAL, Access.INTERNAL)


@dataclass
class Ledger:
    """Each decision with when it was being committed: between `before` and `after`. Held under the case's lock, so they never overlap."""

    number: int
    people: frozenset[int]
    decisions: list[tuple[float, float, Access]] = field(default_factory=list)
    looks: list[tuple[float, float, bool]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    over: threading.Event = field(default_factory=threading.Event)


def decide(ledger: Ledger, by: Viewer, access: Access) -> None:
    """One decision as a request makes it. `before` is taken while the row is held, `after` once it is committed."""
    start_writing()
    guard.engage(by)
    try:
        case = cases.load(ledger.number, change=True)
        set_access(case, access, set(ledger.people) if access is Access.EXTERNAL else set(), by=by, again=True)
        before = time.monotonic()
        db.session.commit()
        with ledger.lock:
            ledger.decisions.append((before, time.monotonic(), access))
    finally:
        guard.release()


def insist(ledger: Ledger, by: Viewer, offset: int) -> int:
    """Decide again and again, each time something else; how often."""
    for turn in range(ROUNDS):
        for _ in range(20):
            try:
                decide(ledger, by, CHOICES[(turn + offset) % len(CHOICES)])
                break
            except OperationalError:  # SQLite was busy for longer than it waits: as a browser, try again
                db.session.rollback()
    return ROUNDS


def watch(ledger: Ledger, viewer: Viewer) -> int:
    """Open the case from outside until everything is decided; note when each look began and ended, and whether it showed something."""
    count = 0
    while not ledger.over.is_set() or count == 0:
        db.session.rollback()
        began = time.monotonic()
        guard.engage(viewer)
        try:
            Window(viewer).case(ledger.number)
            shown = True
        except NotVisible:
            shown = False
        finally:
            guard.release()
        ledger.looks.append((began, time.monotonic(), shown))
        count += 1
    return count


def state(number: int) -> tuple[Access, set[int]]:
    case = db.session.scalars(select(Case).where(Case.number == number).execution_options(populate_existing=True)).one()
    return case.access, set(db.session.scalars(select(Grant.user_id).where(Grant.case_id == case.id)))


@pytest.mark.timeout(1800)
def test_the_last_committed_decision_counts_and_a_revoke_is_at_once(app: Flask, cast: Cast) -> None:
    hanna, number = cast("hanna"), cast.world.cases["internal"]
    ledger = Ledger(number, frozenset({hanna.user_id}))
    ada, olga = cast("ada"), cast("olga")
    deciding = threading.Barrier(2)

    def colleague(by: Viewer, offset: int) -> int:
        done = insist(ledger, by, offset)
        deciding.wait(600)
        ledger.over.set()
        return done

    results = at_once(app, lambda: colleague(ada, 0), lambda: colleague(olga, 1), lambda: watch(ledger, hanna))
    assert not [result for result in results if isinstance(result, Exception)], results
    assert len(ledger.decisions) == 2 * ROUNDS
    ordered = sorted(ledger.decisions)
    access, named = state(number)
    assert access is ordered[-1][2]
    assert named == (set(ledger.people) if access is Access.EXTERNAL else set())
    assert seen_after_revoke(ordered, ledger.looks) == []
    assert {shown for _, _, shown in ledger.looks} == {True, False}
    trail = db.session.scalars(
        select(AuditEntry).join(Case, Case.id == AuditEntry.case_id).where(Case.number == number, AuditEntry.kind == Kind.ACCESS_CHANGED)
    ).all()
    steps = [tuple(entry.changes["access"]) for entry in sorted(trail, key=lambda entry: entry.id)]
    assert all(one[1] == other[0] for one, other in pairwise(steps)), "the record is one unbroken chain"


def seen_after_revoke(decisions: list[tuple[float, float, Access]], looks: list[tuple[float, float, bool]]) -> list[tuple[float, float]]:
    """Looks that showed the case although they lay wholly between a committed revoke and the beginning of the next decision."""
    closed = [
        (after, following[0])
        for (_, after, access), following in zip(decisions, [*decisions[1:], (float("inf"), 0.0, Access.INTERNAL)], strict=True)
        if access is Access.INTERNAL
    ]
    return [(began, ended) for began, ended, shown in looks if shown for start, stop in closed if start <= began and ended <= stop]
