"""View as: a colleague looks at the portal through an external person's eyes; opened here, answered for on every request."""

from __future__ import annotations

from sqlalchemy import delete, select

from ..accounts import sessions
from ..accounts.directory import Outsider, outsiders
from ..accounts.models import LoginSession, User
from ..accounts.permissions import Permission
from ..accounts.viewer import Viewer
from ..audit.kinds import Kind
from ..audit.record import record
from ..cases.models import Case
from ..extensions import db
from ..refusals import NotAllowed, NotVisible
from .reached import reach

OFFERED = 25


def candidates(case: Case, text: str) -> tuple[list[tuple[Outsider, bool]], bool]:
    """External people to look as, each with whether they see the case, and whether there are more. Without `text`, only who sees it."""
    reached = reach(case)
    ids = None if text or reached is None else reached
    people = outsiders(case.organisation_id, text=text, ids=ids, limit=OFFERED + 1) if ids is None or ids else []
    told = [(person, reached is None or person.id in reached) for person in people[:OFFERED]]
    return told, len(people) > OFFERED


def look_as(case: Case, user_id: int, *, by: Viewer) -> tuple[str, Outsider, bool]:
    """The key of a look through this person's eyes, who they are, and whether they see the case. An earlier look of the colleague ends."""
    if not by.can(Permission.SHARE_OUTSIDE):
        raise NotAllowed("Your profile does not let you look at the portal as an external user.")
    found = outsiders(by.organisation_id, ids=[user_id])
    if not found or by.session_id is None:
        raise NotVisible("person")
    end(by=by)
    user = db.session.scalars(select(User).where(User.id == user_id)).one()
    key = sessions.open_look(user, by)
    reached = reach(case)
    record(Kind.CASE_VIEWED_AS, actor=by, case=case, object_id=case.number, changes={"as": [None, found[0].name]})
    return key, found[0], reached is None or user_id in reached


def end(*, by: Viewer) -> None:
    """End whatever look the colleague has open."""
    db.session.execute(delete(LoginSession).where(LoginSession.viewed_by_id == by.user_id))
