"""Opening a case to the outside and closing it again: at once, told to those who gain, on record with the reason."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Set as AbstractSet
from typing import Any

from sqlalchemy import delete, insert

from ..accounts.directory import MANY
from ..accounts.permissions import Permission
from ..accounts.viewer import Viewer
from ..audit.kinds import Kind
from ..audit.record import record
from ..cases.cases import SHORTEST_REASON, checked_reason
from ..cases.models import Case
from ..clock import now
from ..extensions import db
from ..mail.models import OutboxMessage
from ..mail.outbox import post, post_to_each
from ..refusals import NotAllowed, Refusal, Stale
from .ending import settle
from .models import SHARED, Access, Grant, PartyGrant
from .plan import (
    FACTS,
    KEEP,
    MOST,
    RESTRICTED,
    Facts,
    Known,
    Plan,
    Until,
    plan,
)
from .reached import Reach, audience, named_on, parties_on, reach, still_there

__all__ = [
    "FACTS",
    "KEEP",
    "MOST",
    "RESTRICTED",
    "Facts",
    "Known",
    "Plan",
    "Reach",
    "Until",
    "audience",
    "named_on",
    "parties_on",
    "plan",
    "reach",
    "set_access",
    "still_there",
]

SAY_WHY = (
    "The case is TLP:AMBER+STRICT, which stays within one organisation. "
    f"Write in at least {SHORTEST_REASON} characters why these people may receive it all the same."
)


def set_access(
    case: Case,
    access: Access,
    user_ids: set[int],
    *,
    by: Viewer,
    version: int | None = None,
    again: bool = False,
    reason: str = "",
    until: Until = KEEP,
    parties: Collection[int] = (),
    planned: Plan | None = None,
) -> Plan:
    """Share, widen, narrow or revoke, at once. `again` confirms that earlier external comments and files appear again.

    The caller holds the case's row locked. `version`: the one the person looked at, when known. `reason`: why somebody outside may have a
    TLP:AMBER+STRICT case, at least ten characters; asked for only when such a case gains readers (`plan(...).needs_reason`), kept on
    record and shown to colleagues only. `until`: the moment sharing ends by itself; None: it does not; KEEP: as it is, and without end
    where it begins anew. `parties`: external organisations to share with.
    `planned`: what plan() said of just this since the row was locked.
    """
    if not by.can(Permission.SHARE_OUTSIDE):
        raise NotAllowed("Your profile does not let you share cases with external users.")
    if version is not None and version != case.version:
        raise Stale("Somebody changed this case or its access while you were deciding. Look at the current state below and confirm again.")
    wanted = planned or plan(case, access, user_ids, until, parties=parties)
    if not wanted.changed:
        return wanted
    reason = _check_confirmed(wanted, reason, again=again)
    settle(case)
    changes = _changes(case, wanted, reason)
    _write(case, wanted, by)
    record(Kind.ACCESS_CHANGED, actor=by, case=case, object_id=case.number, changes=changes)
    return wanted


def _check_confirmed(wanted: Plan, reason: str, *, again: bool) -> str:
    """The reason to keep; empty where none is asked for."""
    if wanted.returning and not again:
        count = wanted.returns
        thing = "One comment or file was" if count == 1 else f"{count} comments and files were"
        raise Refusal(
            f"{thing} external when this case was shared before and would be visible again. "
            "Tick the box if that is meant; if not, close this and make them internal first."
        )
    return checked_reason(reason, SAY_WHY) if wanted.needs_reason else ""


def _changes(case: Case, wanted: Plan, reason: str) -> dict[str, list[Any]]:
    """What the record keeps: only what changed, and the reason where one was needed."""
    changes: dict[str, list[Any]] = {
        "access": [case.access.value, wanted.access.value],
        "gained": [None, _told(wanted.gains, wanted.gained)],
        "lost": [None, _told(wanted.losses, wanted.lost)],
    }
    changes = {name: pair for name, pair in changes.items() if pair[1]}
    if wanted.until_changed:
        old = case.shared_until.isoformat() if case.shared_until and case.shared else None
        changes["until"] = [old, wanted.until.isoformat() if wanted.until else None]
    if wanted.parties_changed:
        changes["organisations"] = [sorted(name for _, name in parties) for parties in (wanted.parties_before, wanted.parties)]
    if wanted.needs_reason:
        changes["reason"] = [None, reason]
    return changes


def _told(names: list[str], total: int) -> list[str]:
    if len(names) == total <= MOST:
        return names
    names = names[:MOST]
    return [*names, "and many more" if total > MANY else f"and {total - len(names)} more"]


def _write(case: Case, wanted: Plan, by: Viewer) -> None:
    moment, was_shared = now(), case.shared
    kept = wanted.named
    granted = named_on(case)
    db.session.execute(delete(Grant).where(Grant.case_id == case.id, Grant.user_id.not_in(kept)))
    new = [{"case_id": case.id, "user_id": user_id, "granted_at": moment, "granted_by_id": by.user_id} for user_id in kept - granted]
    if new:
        db.session.execute(insert(Grant), new)
    _write_parties(case, dict(wanted.parties_before).keys(), dict(wanted.parties).keys(), by)
    case.access, case.shared_until = wanted.access, wanted.until
    case.version += 1
    case.updated_at = moment
    if wanted.access in SHARED and not was_shared:
        case.shared_since = case.details_at = case.outside_at = moment
    elif wanted.access not in SHARED:
        case.shared_since = None
    _tell(case, wanted)


def _write_parties(case: Case, granted: AbstractSet[int], kept: AbstractSet[int], by: Viewer) -> None:
    if granted - kept:
        db.session.execute(delete(PartyGrant).where(PartyGrant.case_id == case.id, PartyGrant.party_id.not_in(kept)))
    new = [{"case_id": case.id, "party_id": key, "granted_at": now(), "granted_by_id": by.user_id} for key in sorted(kept - granted)]
    if new:
        db.session.execute(insert(PartyGrant), new)


def _tell(case: Case, wanted: Plan) -> None:
    """A letter for each who gains; when that is everybody, one note that the sender turns into letters, so that sharing stays quick."""
    if wanted.before is None:
        return
    since = {"at": case.updated_at.isoformat()}  # whoever opens it from now on has read the news
    if wanted.after is None:
        post("case_shared", organisation_id=case.organisation_id, case_id=case.id, extra={"but": sorted(wanted.before), **since})
        return
    note = OutboxMessage(letter="case_shared", organisation_id=case.organisation_id, case_id=case.id, extra=since)
    post_to_each(note, sorted(wanted.after - wanted.before))
