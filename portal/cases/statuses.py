"""Statuses: what each is called, which can be picked, and what the platform's administrators make of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from sqlalchemy import Table, func, select

from ..accounts.permissions import Permission
from ..accounts.viewer import Viewer
from ..audit.kinds import Kind
from ..audit.record import record
from ..database import queue_up
from ..extensions import db
from ..organisations.models import Organisation
from ..refusals import NotAllowed, NotVisible, Refusal, Stale, Unfit
from ..words import _
from .models import Case, Stage, Status
from .text import LONGEST, tidy

LONGEST_NAME = 64
MOST_USES = 1000
TRIES = 3
NO_RIGHT = "Your profile does not let you change statuses. Ask an administrator of the platform."
STALE = "Somebody changed this status after you opened it. Compare below, then save again."
LAST_ONE = "It is the only status of its stage that can be picked. Show or create another one first."
# The colour of a stage itself; a status of that colour needs no dot beside its word.
COLOURS = {Stage.NEW: "#64748b", Stage.IN_PROGRESS: "#2563eb", Stage.CLOSED: "#15803d"}
COLOUR = re.compile(r"#[0-9a-f]{6}")
VALUE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 _-]*[A-Za-z0-9])?")

_status, _case = cast("Table", Status.__table__), cast("Table", Case.__table__)
COLUMNS = (_status.c.value, _status.c.label, _status.c.colour, _status.c.stage, _status.c.hidden)
_ALL = select(*COLUMNS).order_by(_status.c.position, _status.c.id)


class Word(NamedTuple):
    """How a status is shown to colleagues; `dot` is a colour, empty where the stage's own says enough."""

    value: str
    label: str
    dot: str
    stage: Stage
    hidden: bool


def words() -> dict[str, Word]:
    """Value -> how it is shown; read once in the life of a session, which is a request's."""
    kept: dict[str, Word] | None = db.session.info.get("statuses")
    return remember(db.session.connection().execute(_ALL)) if kept is None else kept


def remember(rows: Iterable[Any]) -> dict[str, Word]:
    """Keep them for `words()`: rows with COLUMNS, in their order, which some other query brought along."""
    made = (Word(row.value, row.label, "" if row.colour == COLOURS[row.stage] else row.colour, row.stage, row.hidden) for row in rows)
    kept: dict[str, Word] = {word.value: word for word in made}
    db.session.info["statuses"] = kept
    return kept


def offered(*stages: Stage, besides: str = "") -> list[tuple[str, str]]:
    """Value and label of what can be picked, of these stages or of all; `besides`: the one a case has already, hidden or not."""
    return [
        (word.value, word.label)
        for word in words().values()
        if word.value == besides or (word.stage in (stages or Stage) and not word.hidden)
    ]


def open_ones(besides: str = "") -> list[tuple[str, str]]:
    """What an open case can be moved to by hand; how a case ends is asked when it is closed."""
    return offered(Stage.NEW, Stage.IN_PROGRESS, besides=besides)


def choices_of(case: Case) -> list[tuple[str, str]]:
    """What the case can be moved to by editing it; closing and reopening are acts of their own."""
    return open_ones(case.status) if case.stage is not Stage.CLOSED else [(case.status, label_of(case.status))]


def label_of(value: str) -> str:
    """How a status is called; its value where there is no such one any more."""
    word = words().get(value)
    return word.label if word else value


def first_of(stage: Stage) -> str:
    """The status a case gets that enters a stage without anybody picking one; it stays as it is until the case has it."""
    wanted = select(_status.c.value).where(_status.c.stage == stage, _status.c.hidden.is_(False))
    first = wanted.order_by(_status.c.position, _status.c.id).limit(1).with_for_update(read=True)
    for _try in range(TRIES):  # on PostgreSQL whoever waited for a row that was hidden or deleted meanwhile gets none
        if value := db.session.connection().scalar(first):  # past the guard: what outsiders report gets a status, too
            return str(value)
    raise Refusal(_("The statuses are being changed at the moment. Try again."))


def stage_of(value: str, *, pick: bool = False) -> Stage | None:
    """The stage of a status, None when there is no such one. `pick`: to give it to a case: it may not be hidden, and stays until then."""
    wanted = select(Status.stage, Status.hidden).where(Status.value == value)
    row = db.session.execute(wanted.with_for_update(read=True) if pick else wanted).one_or_none()
    return None if row is None or (pick and row.hidden) else row.stage


@dataclass(frozen=True)
class StatusRow:
    """A line of the list; `uses` counts cases up to a limit."""

    id: int
    value: str
    label: str
    stage: Stage
    colour: str
    description: str
    hidden: bool
    built_in: bool
    uses: str


def check_right(by: Viewer) -> None:
    """Statuses are the platform's business."""
    if not by.can(Permission.MANAGE_PLATFORM):
        raise NotAllowed(NO_RIGHT)


def listed(*, by: Viewer) -> list[StatusRow]:
    """Every status in its order; cases are counted past the viewer's scope, for administrators see none of them."""
    check_right(by)
    everywhere = _case.c.organisation_id.in_(select(Organisation.__table__.c.id))  # the index of cases begins with it
    few = select(_case.c.id).where(everywhere, _case.c.status == _status.c.value).limit(MOST_USES + 1).correlate(_status).subquery()
    held = select(_status.c.value, select(func.count()).select_from(few).scalar_subquery())
    counts: dict[str, int] = dict(db.session.connection().execute(held).all())
    rows = db.session.scalars(select(Status).order_by(Status.position, Status.id))
    return [
        StatusRow(s.id, s.value, s.label, s.stage, s.colour, s.description, s.hidden, s.built_in, _capped(counts.get(s.value, 0)))
        for s in rows
    ]


def _capped(number: int) -> str:
    return f"{number:,}" if number <= MOST_USES else f"{MOST_USES:,}+"


def uses(value: str) -> str:
    """How many cases have the status, in words; empty for none."""
    inner = select(_case.c.id).where(_case.c.status == value).limit(MOST_USES + 1).subquery()
    number = db.session.connection().scalar(select(func.count()).select_from(inner)) or 0
    return "" if not number else "1 case has it" if number == 1 else f"{_capped(number)} cases have it"


def load(status_id: int, *, by: Viewer, change: bool = False) -> Status:
    """The status; `change` locks its row until the end of the transaction."""
    check_right(by)
    wanted = select(Status).where(Status.id == status_id)
    found = db.session.scalar(wanted.with_for_update().execution_options(populate_existing=True) if change else wanted)
    if found is None:
        raise NotVisible("status")
    return found


@dataclass(frozen=True)
class Look:
    """What can be changed of a status later."""

    label: str
    colour: str
    description: str = ""
    position: int = 0
    hidden: bool = False


def create(value: str, stage: Stage, look: Look, *, by: Viewer) -> Status:
    """A new status; its value and its stage stay what they are born as."""
    check_right(by)
    value, look = _checked_value(value), _checked(look)
    queue_up("statuses")
    for known, label in db.session.execute(select(Status.value, Status.label)):
        if known.casefold() == value.casefold():
            raise Unfit("value", f"There is already a status with the value {known}. Choose another one.")
        _refuse_same(label, look.label)
    status = Status(value=value, stage=stage, **vars(look))
    db.session.add(status)
    db.session.flush()
    _forget()
    changes = {"value": [None, value], "stage": [None, stage.value], "label": [None, look.label]}
    record(Kind.STATUS_CREATED, actor=by, object_id=value, changes=changes)
    return status


def _checked_value(value: str) -> str:
    value = value.strip()
    if not value:
        raise Unfit("value", "Give the status a value, such as Escalated.")
    if len(value) > LONGEST_NAME:
        raise Unfit("value", f"Use at most {LONGEST_NAME} characters.")
    if not VALUE.fullmatch(value):
        raise Unfit("value", "Use letters from A to Z, digits, blanks, - and _ only, with a letter or digit at both ends.")
    return value


def _checked(look: Look) -> Look:
    label, colour, description = " ".join(tidy(look.label).split()), look.colour.strip().lower(), tidy(look.description)
    if not label:
        raise Unfit("label", "Give the status a label; it is what people read.")
    if len(label) > LONGEST_NAME:
        raise Unfit("label", f"Use at most {LONGEST_NAME} characters.")
    if not COLOUR.fullmatch(colour):
        raise Unfit("colour", "Choose a colour like #2563eb.")
    if len(description) > LONGEST:
        raise Unfit("description", f"Use at most {LONGEST:,} characters.")
    if look.position not in range(10_000):
        raise Unfit("position", "Give a whole number from 0 to 9,999.")
    return Look(label, colour, description, look.position, look.hidden)


def _refuse_same(label: str, wanted: str) -> None:
    """Two statuses nobody can tell apart are of no use."""
    if label.casefold() == wanted.casefold():
        raise Unfit("label", f"There is already a status called {label}. Choose another label.")


def differences(status: Status, look: Look) -> dict[str, list[object]]:
    """Where the stored one differs: name -> [stored, wanted]."""
    pairs = {name: [getattr(status, name), wanted] for name, wanted in vars(look).items()}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def edit(status_id: int, look: Look, *, version: int, by: Viewer) -> Status:
    """Another look; `version` is the one the form showed, an older one is Stale."""
    check_right(by)
    queue_up("statuses")
    status, look = load(status_id, by=by, change=True), _checked(look)
    if version != status.version:
        raise Stale(STALE)
    others = list(db.session.execute(select(Status.label, Status.stage, Status.hidden).where(Status.id != status_id)))
    for row in others:
        _refuse_same(row.label, look.label)
    if look.hidden and not any(row.stage is status.stage and not row.hidden for row in others):
        raise Unfit("hidden", LAST_ONE)
    if changes := differences(status, look):
        for name, (_, value) in changes.items():
            setattr(status, name, value)
        status.version += 1
        _forget()
        record(Kind.STATUS_EDITED, actor=by, object_id=status.value, changes=changes)
    return status


def why_not_deleted(status: Status) -> str | None:
    """Why the status cannot be deleted, None when it can."""
    if status.built_in:
        return "Predefined statuses stay. Hide it if nobody should pick it any more."
    if number := uses(status.value):
        return f"{number}. Hide the status instead: those cases keep it, and nobody can pick it any more."
    return None


def delete(status_id: int, *, by: Viewer) -> str:
    """Remove a status no case has; return its label."""
    check_right(by)
    queue_up("statuses")
    status = load(status_id, by=by, change=True)
    if reason := why_not_deleted(status):
        raise Refusal(reason)
    others = select(Status.id).where(Status.id != status_id, Status.stage == status.stage, Status.hidden.is_(False)).limit(1)
    if db.session.scalar(others) is None:
        raise Refusal(LAST_ONE)
    record(Kind.STATUS_DELETED, actor=by, object_id=status.value, changes={"label": [status.label, None]})
    db.session.delete(status)
    db.session.flush()
    _forget()
    return status.label


def _forget() -> None:
    db.session.flush()  # what is read past the session sees only what has been sent
    db.session.info.pop("statuses", None)
