"""What portal administrators did to the people of their organisations, told to the security team: at most once a day, if anything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, update

from ..audit.kinds import SENTENCES, Kind
from ..audit.models import AuditEntry
from ..clock import now
from ..database import start_writing
from ..extensions import db
from ..mail.outbox import post_all
from ..notices.notices import holders
from ..organisations.models import Organisation, Party
from .models import AccountType, Membership, User
from .permissions import Permission

EVERY = timedelta(days=1)
SETTLED = timedelta(hours=1)  # the first change waits so long for others of the same day
FURTHEST = timedelta(days=7)  # back, where nobody was told yet
STILL_WRITING = timedelta(minutes=1)  # an entry may be stored a little later than it says
DONE = (
    *(Kind.STAFF_ADDED, Kind.STAFF_ROLES_CHANGED, Kind.STAFF_DEACTIVATED, Kind.STAFF_REACTIVATED),
    *(Kind.PORTAL_ADMIN_MADE, Kind.PORTAL_ADMIN_REMOVED, Kind.USER_INVITED, Kind.INVITATION_CANCELLED),
    *(Kind.PARTY_EDITED, Kind.PARTY_ADDRESSES_CHANGED),
)
TOLD = ("roles", "name", "phone")  # changes that are said
OF_PARTIES = (Kind.PARTY_EDITED, Kind.PARTY_ADDRESSES_CHANGED)


@dataclass(frozen=True)
class Deed:
    """Who did what to whom, in a line."""

    at: datetime
    line: str


def tick() -> int:
    """Post the letters that are due; of how many organisations. Each is done in a transaction of its own."""
    due = list(db.session.scalars(select(Organisation.id).where(*_due()).order_by(Organisation.id)))
    first = {key: _first(key) for key in due}
    db.session.rollback()
    for key in due:
        if first[key] is None:
            _move_on(key)
    return sum(_tell(key) for key in due if (moment := first[key]) is not None and moment <= now() - SETTLED)


def _due() -> tuple[ColumnElement[bool], ...]:
    told = Organisation.people_told_at
    return Organisation.locked.is_(False), or_(told.is_(None), told <= now() - EVERY)


def _first(organisation_id: int) -> datetime | None:
    """When there was first something to tell."""
    told = db.session.scalar(select(Organisation.people_told_at).where(Organisation.id == organisation_id))
    return db.session.scalar(select(func.min(AuditEntry.at)).where(*_done(organisation_id, _since(told), now())))


def _move_on(organisation_id: int) -> None:
    """Where nothing was done, not to look again at what was looked at: the audit is long. Once a day is enough."""
    start_writing()
    seen = now() - EVERY
    behind = or_(Organisation.people_told_at.is_(None), Organisation.people_told_at <= seen - EVERY)
    db.session.execute(update(Organisation).where(Organisation.id == organisation_id, behind).values(people_told_at=seen))
    db.session.commit()


def _since(told: datetime | None) -> datetime:
    return told or now() - FURTHEST


def _tell(organisation_id: int) -> bool:
    start_writing()
    wanted = select(Organisation).where(Organisation.id == organisation_id, *_due())
    held = wanted.with_for_update(skip_locked=True, key_share=True).execution_options(populate_existing=True)
    organisation = db.session.scalar(held)
    if organisation is None:  # another process has it in hand
        db.session.rollback()
        return False
    since, until = _since(organisation.people_told_at), now() - STILL_WRITING
    organisation.people_told_at = until
    to = dict.fromkeys(holders(organisation.id, Permission.MANAGE_USER))
    post_all("people_digest", to, organisation_id=organisation.id, extra={"since": since.isoformat(), "until": until.isoformat()})
    db.session.commit()
    return True


def _done(organisation_id: int, since: datetime, until: datetime) -> tuple[ColumnElement[bool], ...]:
    """By people outside, to others: who asks for a new link of their own has changed nothing."""
    outside = AuditEntry.actor_id.in_(select(User.id).where(User.type == AccountType.EXTERNAL))
    when = (AuditEntry.at > since, AuditEntry.at <= until)
    return AuditEntry.organisation_id == organisation_id, AuditEntry.actor_external.is_(True), outside, *when, AuditEntry.kind.in_(DONE)


def deeds(organisation_id: int, since: datetime, until: datetime, *, most: int) -> list[Deed]:
    """The first of what they did in this time, the oldest first."""
    wanted = select(AuditEntry).where(*_done(organisation_id, since, until)).order_by(AuditEntry.id).limit(most)
    rows = list(db.session.scalars(wanted))
    ids = {int(row.object_id) for row in rows if row.kind not in OF_PARTIES and row.object_id.isdecimal()}
    names = {str(key): f"{name} ({email})" for key, name, email in db.session.execute(_people(ids))}
    employers = _employers(organisation_id, {row.actor_id for row in rows if row.actor_id})
    return [Deed(row.at, _line(row, employers.get(row.actor_id or 0, ""), names)) for row in rows]


def _people(ids: set[int]) -> Any:
    return select(User.id, User.name, User.email).where(User.id.in_(ids))


def _employers(organisation_id: int, actor_ids: set[int]) -> dict[int, str]:
    wanted = select(Membership.user_id, Party.name).join(Party, Party.id == Membership.party_id)
    here = (Membership.organisation_id == organisation_id, Membership.user_id.in_(actor_ids))
    return dict(db.session.execute(wanted.where(*here)).all())


def _line(row: AuditEntry, employer: str, names: dict[str, str]) -> str:
    who = f"{row.actor_name} of {employer}" if employer else row.actor_name
    about = "" if row.kind in OF_PARTIES else names.get(row.object_id, "")
    told = "; ".join(_change(field, *row.changes[field]) for field in TOLD if field in row.changes and _is_change(*row.changes[field]))
    return ": ".join(text for text in (f"{who} {SENTENCES[Kind(row.kind)]}", about, told) if text)


def _is_change(old: Any, new: Any) -> bool:
    return old is not None and old != new


def _change(field: str, old: Any, new: Any) -> str:
    return f"{field} from {_words(old)} to {_words(new)}"


def _words(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "nothing")
