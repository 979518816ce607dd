"""Creating and editing cases."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Table, bindparam, insert, select, update

from ..accounts.directory import is_colleague
from ..accounts.models import User
from ..accounts.permissions import Permission
from ..accounts.viewer import Viewer
from ..audit.kinds import Kind
from ..audit.record import record
from ..clock import now
from ..database import kept, queue_up
from ..extensions import db
from ..mail import news
from ..notices import notices
from ..notices.models import Reason
from ..refusals import NotAllowed, NotVisible, Refusal, Stale, Unfit
from ..sharing.models import Access, PartyGrant
from . import statuses
from .models import Case, CaseCounter, Stage
from .tags import checked as checked_tags
from .tags import write_tags
from .text import LONGEST, render, tidy

# What outsiders can see of a case; a change of anything else must not move its date in the portal.
OUTSIDE_FIELDS = frozenset({"title", "description", "severity", "status", "tags", "start_date"})


STRICT, RED = 3, 4  # TLP:AMBER+STRICT, TLP:RED
SHORTEST_REASON, LONGEST_REASON = 10, 1000
SAY_WHY = (
    f"Write in at least {SHORTEST_REASON} characters why external users may receive it as TLP:AMBER+STRICT, which stays within "
    "one organisation, or make the case internal first."
)
RED_IS_FOR_NAMED = (
    "The case is shared with all external users or with a whole organisation, and TLP:RED is for named people only. "
    "Share it with people by name or make it internal under Manage external access first, then raise the TLP."
)
SLACK = timedelta(minutes=5)  # clocks of browsers and servers differ


_counter = cast("Table", CaseCounter.__table__)


@dataclass(frozen=True)
class Draft:
    """The editable part of a case. Severity 1-4, TLP 0-4, PAP 0-3."""

    title: str
    description: str
    severity: int = 2
    tlp: int = 2
    pap: int = 2
    tags: tuple[str, ...] = ()
    start_date: datetime | None = None
    status: str | None = None
    assignee_id: int | None = field(default=None)


_LOADED = kept(select(Case).where(Case.number == bindparam("number")))
_CHANGED = kept(_LOADED.with_for_update().execution_options(populate_existing=True))


def load(number: int, *, change: bool = False) -> Case:
    """The case as the viewer may see it, or NotVisible; `change` locks its row until the end of the transaction."""
    case: Case | None = db.session.scalar(_CHANGED if change else _LOADED, {"number": number})
    if case is None:
        raise NotVisible(f"case {number}")
    return case


def next_number() -> int:
    """The next case number of the installation. The counter's row stays locked until the transaction ends."""
    connection = db.session.connection()
    step = update(_counter).where(_counter.c.id == 1).values(last=_counter.c.last + 1).returning(_counter.c.last)
    taken = connection.execute(step).scalar()
    if taken is None:  # the very first case, perhaps of two at the same moment
        queue_up("first case number")
        taken = connection.execute(step).scalar()
    if taken is None:
        connection.execute(insert(_counter).values(id=1, last=1))
        return 1
    return int(taken)


def create_case(draft: Draft, *, by: Viewer) -> Case:
    """A new case of the viewer's organisation, internal, assigned to its creator unless the draft names somebody else."""
    if not by.can_inside(Permission.CREATE_CASE):
        raise NotAllowed("Your profile does not let you create cases.")
    if by.platform:
        raise NotAllowed("The admin organisation cannot hold cases. Switch to the organisation you work in.")
    (title, description), tags = _checked(draft), checked_tags(draft.tags)
    moment = now()
    case = Case(
        number=next_number(),
        organisation_id=by.organisation_id,
        title=title,
        description=description,
        description_html=render(description),
        severity=draft.severity,
        tlp=draft.tlp,
        pap=draft.pap,
        status=statuses.first_of(Stage.NEW),
        start_date=draft.start_date or moment,
        created_by_id=by.user_id,
        created_by_name=by.name,
        assignee_id=_first_assignee(draft, by),
        **dict.fromkeys(("new_at", "created_at", "updated_at", "details_at", "outside_at"), moment),
    )
    db.session.add(case)
    db.session.flush()
    write_tags(case, tags)
    record(Kind.CASE_CREATED, actor=by, case=case, object_id=case.number)
    notices.tell(case.assignee_id, case, Reason.ASSIGNED, by=by)
    news.tell_new_assignee(case, by=by.user_id)
    return case


def _first_assignee(draft: Draft, by: Viewer) -> int:
    if draft.assignee_id not in (None, by.user_id) and not is_colleague(draft.assignee_id or 0, by.organisation_id):
        raise Refusal("A case can only be assigned to an active colleague of its organisation.")
    return draft.assignee_id or by.user_id


def _checked(draft: Draft) -> tuple[str, str]:
    title, description = " ".join(tidy(draft.title).split()), tidy(draft.description)
    if not title:
        raise Refusal("Give the case a title.")
    if len(title) > 512:
        raise Refusal("The title is longer than 512 characters. Shorten it; details belong in the description.")
    if not description:
        raise Refusal("Describe what happened; one sentence is enough to begin with.")
    if len(description) > LONGEST:
        raise Refusal(f"The description is longer than {LONGEST:,} characters. Put the rest into comments.")
    if draft.start_date and draft.start_date > now() + SLACK:
        raise Refusal("The incident cannot have begun in the future. Check the date, or leave it empty for now.")
    if draft.severity not in range(1, 5) or draft.tlp not in range(5) or draft.pap not in range(4):
        raise Refusal("Choose severity, TLP and PAP from the lists.")
    return title, description


def draft_of(case: Case, **changes: Any) -> Draft:
    """The case as it stands, with these fields changed."""
    kept = {name: getattr(case, name) for name in ("title", "description", "severity", "tlp", "pap", "start_date", "status", "assignee_id")}
    return Draft(**{**kept, "tags": tuple(case.tags), **changes})


def flag_case(case: Case, flagged: bool, *, by: Viewer) -> bool:
    """Put the case first in the organisation's list, or back; whether anything changed. No business of outsiders, nor of open forms."""
    if not by.can_inside(Permission.UPDATE_CASE):
        raise NotAllowed("Your profile does not let you flag cases.")
    if case.flagged is flagged:
        return False
    record(Kind.CASE_UPDATED, actor=by, case=case, object_id=case.number, changes={"flagged": [case.flagged, flagged]})
    case.flagged = flagged
    case.updated_at = now()
    return True


def update_case(case: Case, draft: Draft, *, version: int, by: Viewer, reason: str = "") -> list[str]:
    """Write the changed fields and return their names. `version` is the one the form showed; an older one is Stale.

    `reason`: why whoever sees the case outside may have it as TLP:AMBER+STRICT; asked for only then (`asks_reason`), kept on record.
    """
    if not by.can_inside(Permission.UPDATE_CASE):
        raise NotAllowed("Your profile does not let you edit cases.")
    if version != case.version:
        raise Stale("Somebody else changed this case while you were editing it.")
    title, description = _checked(draft)
    wanted: dict[str, Any] = {
        "title": title,
        "description": description,
        "severity": draft.severity,
        "tlp": draft.tlp,
        "pap": draft.pap,
        "tags": case.tags if sorted(set(draft.tags)) == case.tags else checked_tags(draft.tags),
        "start_date": _start(case, draft),
        "status": draft.status or case.status,
        "assignee_id": draft.assignee_id,
    }
    changed = {name: value for name, value in wanted.items() if getattr(case, name) != value}
    if not changed:
        return []
    if "status" in changed:
        _check_move(case, changed["status"], by)
    if changed.get("tlp") == RED and _open_to_many(case):
        raise Refusal(RED_IS_FOR_NAMED)
    told = {"reason": [None, checked_reason(reason, SAY_WHY)]} if asks_reason(case, changed.get("tlp")) else {}
    record(Kind.CASE_UPDATED, actor=by, case=case, object_id=case.number, changes=_for_people(case, changed) | told)
    _apply(case, changed)
    if "assignee_id" in changed:
        notices.tell(changed["assignee_id"], case, Reason.ASSIGNED, by=by)
        news.tell_new_assignee(case, by=by.user_id)
    return sorted(changed)


def _open_to_many(case: Case) -> bool:
    """Whether it is shared with everybody outside or with a whole organisation, rather than with people by name."""
    if case.access_now is Access.EXTERNAL:
        return db.session.scalar(select(PartyGrant.case_id).where(PartyGrant.case_id == case.id).limit(1)) is not None
    return case.access_now is Access.ALL_EXTERNAL


def asks_reason(case: Case, tlp: int | None) -> bool:
    """Whether this TLP says of a case that it stays within one organisation, while people outside see it."""
    return tlp == STRICT and case.tlp != STRICT and case.shared


def checked_reason(text: str, sentence: str) -> str:
    """Why people outside may have a TLP:AMBER+STRICT case all the same, on one line. `sentence` is said of one that is too short."""
    reason = " ".join(text.split())
    if len(reason) < SHORTEST_REASON:
        raise Unfit("reason", sentence)
    if len(reason) > LONGEST_REASON:
        raise Unfit("reason", f"The reason is longer than {LONGEST_REASON:,} characters. Say it more briefly.")
    return reason


def warning_after(case: Case, changed: list[str]) -> str:
    """What to look at after such a change, if anything: one people outside see that became RED. AMBER+STRICT asked why."""
    if "tlp" not in changed or case.tlp != RED or not case.shared:
        return ""
    return "It is TLP:RED now and still shared. Look under Manage external access whether everybody there may have it."


def _check_move(case: Case, status: str, by: Viewer) -> None:
    """Whether the case can be given the status: one that can be picked, with the right to reopen; closing is another verb."""
    stage = statuses.stage_of(status, pick=True)
    if stage is None:
        raise Refusal("Choose a status from the list.")
    if stage is Stage.CLOSED:
        raise Refusal("Closing a case asks what came of it. Use Close case for that.")
    if case.stage is Stage.CLOSED and not by.can_inside(Permission.REOPEN_CASE):
        raise NotAllowed("Your profile does not let you reopen cases.")


def _start(case: Case, draft: Draft) -> datetime:
    """Forms speak in minutes: the minute the case has already is no change, or its seconds would be lost with every edit."""
    if draft.start_date is None or draft.start_date == case.start_date.replace(second=0, microsecond=0):
        return case.start_date
    return draft.start_date


def _apply(case: Case, changed: dict[str, Any]) -> None:
    moment, before = now(), case.stage
    if "assignee_id" in changed:
        _check_assignee(case, changed["assignee_id"])
    for name, value in changed.items():
        setattr(case, name, value)
    if "tags" in changed:
        write_tags(case, changed["tags"])
    if "description" in changed:
        case.description_html = render(changed["description"])
    if "status" in changed:
        enter_status(case, moment)
    case.version += 1
    case.updated_at = moment
    shown = OUTSIDE_FIELDS & changed.keys()
    if shown - {"status"} or case.stage is not before:  # outsiders see the stage, not which verdict closed the case
        case.details_at = case.outside_at = moment
    news.tell_of_stage(case, before)


def enter_status(case: Case, moment: datetime) -> None:
    """Follow a new status: its stage, and the first moment each stage was entered."""
    stage = statuses.stage_of(case.status, pick=True)
    if stage is None:
        raise Refusal("Choose a status from the list.")
    case.stage = stage
    if case.stage is Stage.IN_PROGRESS:
        case.in_progress_at = case.in_progress_at or moment
    case.end_date = moment if case.stage is Stage.CLOSED else None
    if case.stage is Stage.CLOSED:
        case.closed_at = case.closed_at or moment


def _check_assignee(case: Case, user_id: int | None) -> None:
    if user_id is not None and not is_colleague(user_id, case.organisation_id):
        raise Refusal("A case can only be assigned to an active colleague of its organisation.")


def _for_people(case: Case, changed: dict[str, Any]) -> dict[str, list[Any]]:
    """Old and new values as the audit keeps them: names instead of numbers, times as text."""
    told: dict[str, list[Any]] = {}
    for name, value in changed.items():
        old = getattr(case, name)
        if name == "assignee_id":
            name, old, value = "assignee", _name(old), _name(value)
        if isinstance(value, datetime):
            old, value = old.isoformat(), value.isoformat()
        told[name] = [old, value]
    return told


def _name(user_id: int | None) -> str | None:
    return db.session.scalar(select(User.name).where(User.id == user_id)) if user_id else None
