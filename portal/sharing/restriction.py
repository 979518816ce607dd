"""Restricting a case to named colleagues, and making it visible to the organisation again. Never together with the outside."""

from __future__ import annotations

from sqlalchemy import delete, insert, select

from ..accounts.models import AccountType, Membership, User
from ..accounts.permissions import Permission
from ..accounts.viewer import Viewer
from ..audit.kinds import Kind
from ..audit.record import record
from ..cases.models import Case
from ..clock import now
from ..extensions import db
from ..refusals import NotAllowed, Refusal, Stale
from .ending import settle
from .models import Access, Grant

SHARED_OUTSIDE = "This case is shared with external users, so it cannot be restricted. Make it internal under Manage external access first."
MOST = 128


def refusal_to_restrict(case: Case) -> str | None:
    """Why the case cannot be restricted at the moment, if so."""
    return SHARED_OUTSIDE if case.shared else None


def named_colleagues(case: Case) -> set[int]:
    """Ids of the colleagues a restricted case is visible to, its assignee included."""
    named = set(db.session.scalars(select(Grant.user_id).where(Grant.case_id == case.id))) if case.access is Access.RESTRICTED else set()
    return named | ({case.assignee_id} if case.assignee_id else set())


def restrict(case: Case, user_ids: set[int], *, by: Viewer, version: int | None = None) -> bool:
    """Let only these colleagues see the case, oneself and the assignee always among them; whether anything changed.

    The caller holds the case's row locked. `version`: the one the person looked at, when known.
    """
    _check(case, by, version)
    if case.shared:
        raise Refusal(SHARED_OUTSIDE)
    wanted = user_ids | {by.user_id} | ({case.assignee_id} if case.assignee_id else set())
    if len(wanted) > MOST:
        raise Refusal(f"Choose at most {MOST} people.")
    names = _names(case, wanted)
    before = named_colleagues(case) if case.access is Access.RESTRICTED else None
    if before is not None and before | {by.user_id} == wanted:
        return False
    settle(case)
    db.session.execute(delete(Grant).where(Grant.case_id == case.id))
    moment = now()
    rows = [{"case_id": case.id, "user_id": user_id, "granted_at": moment, "granted_by_id": by.user_id} for user_id in sorted(wanted)]
    db.session.execute(insert(Grant), rows)
    _write(case, Access.RESTRICTED, by, {"people": [None, sorted(names.values())]})
    return True


def make_visible(case: Case, *, by: Viewer, version: int | None = None) -> bool:
    """Let the whole organisation see the case again; whether anything changed."""
    _check(case, by, version)
    if case.access is not Access.RESTRICTED:
        return False
    db.session.execute(delete(Grant).where(Grant.case_id == case.id))
    _write(case, Access.INTERNAL, by, {})
    return True


def _check(case: Case, by: Viewer, version: int | None) -> None:
    if not by.can(Permission.RESTRICT):
        raise NotAllowed("Your profile does not let you restrict cases.")
    if version is not None and version != case.version:
        raise Stale("Somebody changed this case or its access while you were deciding. Look at the current state below and confirm again.")


def _names(case: Case, wanted: set[int]) -> dict[int, str]:
    """Id -> name of the chosen people; refused when one of them is no colleague who can sign in, the assignee excepted."""
    rows = db.session.execute(
        select(User.id, User.name, User.active, User.type)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.organisation_id == case.organisation_id, User.id.in_(wanted))
    ).all()
    fit = {row.id: row.name for row in rows if row.type is not AccountType.EXTERNAL and (row.active or row.id == case.assignee_id)}
    if wanted - fit.keys() - {case.assignee_id}:
        raise Refusal("One of the people you chose is no colleague of this organisation any more. Look at the list again.")
    return fit


def _write(case: Case, access: Access, by: Viewer, more: dict[str, list[object]]) -> None:
    record(Kind.ACCESS_CHANGED, actor=by, case=case, object_id=case.number, changes={"access": [case.access.value, access.value], **more})
    case.access, case.shared_until = access, None
    case.version += 1
    case.updated_at = now()
