"""Opening a case to the outside and closing it again: what would change, who gains, who loses, and the act itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, insert, select

from ..accounts.directory import Outsider, outsiders
from ..accounts.permissions import Permission
from ..accounts.viewer import Viewer
from ..audit.kinds import Kind
from ..audit.record import record
from ..cases.models import Case, Comment
from ..cases.text import snippet
from ..clock import now
from ..extensions import db
from ..mail.outbox import post
from ..refusals import NotAllowed, Refusal, Stale
from .models import SHARED, Access, Grant

RESTRICTED = "A restricted case cannot be shared with external users. Make it visible to the whole organisation first."
MOST = 128


@dataclass(frozen=True)
class Plan:
    """What confirming would do. `returning`: comments outsiders saw before, which would appear again."""

    access: Access
    after: list[Outsider]
    gains: list[str]
    losses: list[str]
    changed: bool
    warnings: list[str] = field(default_factory=list)
    returning: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many people will see the case."""
        return len(self.after)

    @property
    def button(self) -> str:
        """The effect, as the confirming button says it."""
        if not self.changed:
            return "Nothing to change"
        if self.access is Access.ALL_EXTERNAL:
            return "Share with all external users"
        if self.gains:
            return f"Share with {_people(len(self.gains))}" + (f", revoke for {len(self.losses)}" if self.losses else "")
        return f"Revoke access for {_people(len(self.losses))}" if self.losses else "Confirm"


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"


def named_on(case: Case) -> set[int]:
    """Ids of the people named on the case."""
    return set(db.session.scalars(select(Grant.user_id).where(Grant.case_id == case.id)))


def audience(case: Case, people: list[Outsider]) -> list[Outsider]:
    """Which of these external people can see the case now."""
    if case.access is Access.ALL_EXTERNAL:
        return list(people)
    named = named_on(case) if case.access is Access.EXTERNAL else set()
    return [person for person in people if person.id in named]


def plan(case: Case, access: Access, user_ids: set[int]) -> Plan:
    """Compare the wanted access with today's; nothing is written."""
    if case.access is Access.RESTRICTED:
        raise Refusal(RESTRICTED)
    if access not in (Access.INTERNAL, *SHARED):
        raise Refusal("Choose one of the three kinds of access.")
    people = outsiders(case.organisation_id)
    if access is Access.EXTERNAL:
        _check_named(user_ids, people)
    before = audience(case, people)
    after = people if access is Access.ALL_EXTERNAL else [p for p in people if p.id in user_ids] if access is Access.EXTERNAL else []
    now_ids, then_ids = {p.id for p in before}, {p.id for p in after}
    return Plan(
        access=access,
        after=after,
        gains=[p.name for p in after if p.id not in now_ids],
        losses=[p.name for p in before if p.id not in then_ids],
        changed=access is not case.access or now_ids != then_ids,
        warnings=_warnings(case, access),
        returning=_returning(case) if access in SHARED and not case.shared else [],
    )


def _check_named(user_ids: set[int], people: list[Outsider]) -> None:
    if not user_ids:
        raise Refusal("Choose at least one external user, or choose Internal to share with nobody.")
    if len(user_ids) > MOST:
        raise Refusal(f"Choose at most {MOST} people, or share with all external users.")
    if user_ids - {p.id for p in people}:
        raise Refusal(
            "One of the people you chose cannot be given access any more: the account was locked or is not external. "
            "Look at the list again."
        )


def _warnings(case: Case, access: Access) -> list[str]:
    told = []
    if access is Access.ALL_EXTERNAL:
        told.append("This includes people who are invited later.")
    if access in SHARED and case.tlp >= 3:
        told.append(f"The case is TLP:{'AMBER+STRICT' if case.tlp == 3 else 'RED'}. Make sure these people may receive it.")
    return told


def _returning(case: Case) -> list[str]:
    rows = db.session.scalars(select(Comment).where(Comment.case_id == case.id, Comment.external).order_by(Comment.created_at))
    return [f"{row.author_name}: {snippet(row.message)}" for row in rows]


def set_access(case: Case, access: Access, user_ids: set[int], *, by: Viewer, version: int | None = None, again: bool = False) -> Plan:
    """Share, widen, narrow or revoke, at once. `again` confirms that earlier external comments appear again.

    The caller holds the case's row locked. `version`: the one the person looked at, when known.
    """
    if not by.can(Permission.SHARE_OUTSIDE):
        raise NotAllowed("Your profile does not let you share cases with external users.")
    if version is not None and version != case.version:
        raise Stale("Somebody changed this case or its access while you were deciding. Look at the current state below and confirm again.")
    wanted = plan(case, access, user_ids)
    if not wanted.changed:
        return wanted
    if wanted.returning and not again:
        count = len(wanted.returning)
        thing = "One comment was" if count == 1 else f"{count} comments were"
        raise Refusal(
            f"{thing} external when this case was shared before and would be visible again. Look at the list, tick the box, then confirm."
        )
    before = case.access
    _write(case, wanted, by)
    changes: dict[str, list[Any]] = {"access": [before.value, access.value], "gained": [None, wanted.gains], "lost": [None, wanted.losses]}
    record(Kind.ACCESS_CHANGED, actor=by, case=case, object_id=case.number, changes={k: v for k, v in changes.items() if v[1]})
    return wanted


def _write(case: Case, wanted: Plan, by: Viewer) -> None:
    moment, was_shared = now(), case.shared
    seen_before = {p.id for p in audience(case, wanted.after)}
    kept = {p.id for p in wanted.after} if wanted.access is Access.EXTERNAL else set()
    granted = named_on(case)
    db.session.execute(delete(Grant).where(Grant.case_id == case.id, Grant.user_id.not_in(kept)))
    new = [{"case_id": case.id, "user_id": user_id, "granted_at": moment, "granted_by_id": by.user_id} for user_id in kept - granted]
    if new:
        db.session.execute(insert(Grant), new)
    case.access = wanted.access
    case.version += 1
    case.updated_at = moment
    if case.shared and not was_shared:
        case.shared_since = case.details_at = case.outside_at = moment
    elif not case.shared:
        case.shared_since = None
    for person in wanted.after:
        if person.id not in seen_before:
            post("case_shared", organisation_id=case.organisation_id, to_user_id=person.id, case_id=case.id)
