"""The end of sharing that was set before: told some days ahead, in force by itself at its moment, written down soon after."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, or_, select

from ..accounts.directory import outsider_ids
from ..audit.kinds import Kind
from ..audit.record import Trace, record
from ..cases.models import Case
from ..clock import now
from ..database import start_writing
from ..extensions import db
from ..mail.models import OutboxMessage
from ..mail.outbox import post_to_each
from .models import SHARED, Access, Grant, PartyGrant
from .reached import REACHED

TOLD_BEFORE = timedelta(days=3)


def tick() -> int:
    """Write down every ending that is due and tell of those that are near; how many cases that were. Commits after each case.

    Any number of processes may do this at the same time, and as late as they like: nobody sees a case past its end meanwhile.
    """
    done = 0
    while _one(_over(), settle) or _one(_near(), _tell_before):
        done += 1
    return done


def _over() -> Any:
    return Case.access.in_(SHARED), Case.shared_until <= now()


def _near() -> Any:
    untold = or_(Case.ending_told.is_(None), Case.ending_told != Case.shared_until)
    return Case.access.in_(SHARED), Case.shared_until > now(), Case.shared_until <= now() + TOLD_BEFORE, untold


def _one(conditions: Any, act: Any) -> bool:
    """Do it to one case of this kind; whether there was one. Looked for before writing begins, so that nobody waits for nothing."""
    if db.session.execute(select(Case.id).where(*conditions).limit(1)).first() is None:
        db.session.rollback()
        return False
    start_writing()
    wanted = select(Case).where(*conditions).order_by(Case.shared_until, Case.id).limit(1)
    case = db.session.scalar(wanted.with_for_update(skip_locked=True).execution_options(populate_existing=True))
    if case is None:  # another process has it in hand
        db.session.rollback()
        return False
    act(case)
    db.session.commit()
    return True


def settle(case: Case) -> bool:
    """Write down that sharing has ended, if it has and nobody did yet: access, grants, record, letters. The row is held locked."""
    if case.access not in SHARED or not case.ended:
        return False
    ended_at = case.shared_until
    assert ended_at is not None
    had = _reached(case)
    # Often noticed in the request of somebody who did not end it: their address and browser have no part in it.
    record(Kind.ACCESS_ENDED, actor=None, case=case, object_id=case.number, changes=_ending(case, ended_at), trace=Trace())
    db.session.execute(delete(Grant).where(Grant.case_id == case.id))
    db.session.execute(delete(PartyGrant).where(PartyGrant.case_id == case.id))
    case.access, case.shared_since = Access.INTERNAL, None
    case.version += 1
    case.updated_at = now()
    post_to_each(_note("access_ended", case), had)
    return True


def _tell_before(case: Case) -> None:
    assert case.shared_until is not None
    case.ending_told = case.shared_until
    record(Kind.ACCESS_ENDING_TOLD, actor=None, case=case, object_id=case.number, changes={"until": [None, case.shared_until.isoformat()]})
    post_to_each(_note("access_ending", case), _reached(case))


def _ending(case: Case, ended_at: datetime) -> dict[str, list[Any]]:
    return {"access": [case.access.value, Access.INTERNAL.value], "until": [ended_at.isoformat(), None]}


def _reached(case: Case) -> list[int]:
    """Whom the access that is written down reaches, whether or not it has ended by now."""
    if case.access is Access.ALL_EXTERNAL:
        return outsider_ids(case.organisation_id)
    return sorted(set(db.session.scalars(REACHED, {"case_id": case.id})))


def _note(letter: str, case: Case) -> OutboxMessage:
    """What each of the letters is copied from; never stored itself."""
    return OutboxMessage(letter=letter, organisation_id=case.organisation_id, case_id=case.id, extra={})
