"""Writing audit entries: in the business transaction, or apart from it where a request only reads or is refused."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import insert
from sqlalchemy.exc import OperationalError

from ..clock import now
from ..database import apart
from ..extensions import db
from .kinds import Kind
from .models import AuditEntry

log = logging.getLogger("portal.audit")


@dataclass(frozen=True)
class Trace:
    """Through which door a request came; the gate puts it on the session."""

    channel: str = "system"
    request_id: str = ""
    ip: str = ""
    user_agent: str = ""


def _values(
    kind: Kind,
    actor: Any,
    case: Any,
    organisation_id: int | None,
    object_id: object,
    changes: dict[str, Any] | None,
    trace: Trace | None = None,
) -> dict[str, Any]:
    trace = trace or db.session.info.get("trace") or Trace()
    actor_id = getattr(actor, "user_id", None) or getattr(actor, "id", None)
    return {
        "kind": kind.value,
        "at": now(),
        "organisation_id": case.organisation_id if case is not None else organisation_id or getattr(actor, "organisation_id", None),
        "actor_id": actor_id,
        "actor_name": getattr(actor, "name", "the system"),
        "actor_external": bool(getattr(actor, "external", False)),
        "case_id": getattr(case, "id", None),
        "object_id": str(object_id),
        "changes": changes or {},
        **asdict(trace),
    }


def record(
    kind: Kind,
    *,
    actor: Any,
    case: Any = None,
    organisation_id: int | None = None,
    object_id: object = "",
    changes: dict[str, Any] | None = None,
    trace: Trace | None = None,
) -> None:
    """Add an entry to the running transaction. `changes` = {field: [old, new]}; `actor` is a Viewer, a User or None (the system).

    `trace`: where it does not come through the door of the running request.
    """
    db.session.add(AuditEntry(**_values(kind, actor, case, organisation_id, object_id, changes, trace)))


def record_all(kind: Kind, changes: dict[int, dict[str, Any]], *, actor: Any, organisation_id: int) -> None:
    """Add an entry for each of these objects, with as many statements as for one; what changed about it by its id."""
    rows = [_values(kind, actor, None, organisation_id, key, changed) for key, changed in changes.items()]
    if rows:
        db.session.execute(insert(AuditEntry), rows)


def record_apart(
    kind: Kind,
    *,
    actor: Any,
    case: Any = None,
    organisation_id: int | None = None,
    object_id: object = "",
    patience: float | None = None,
) -> None:
    """Write an entry in a transaction of its own: for reads and refusals, whose own transaction is rolled back.

    With `patience` the request goes on when the database stays busy for so many seconds, and the log says what is missing.
    What somebody does who only looks through the actor's eyes is not the actor's doing: nothing is written.
    """
    if getattr(actor, "viewed_by_id", None) is not None:
        return
    values = _values(kind, actor, case, organisation_id, object_id, None)
    try:
        with apart(patience=patience) as connection:
            connection.execute(insert(AuditEntry).values(**values))
    except OperationalError:
        if patience is None:
            raise
        log.warning("%s of %s by person %s is not on record: the database was busy", kind.value, object_id, values["actor_id"])
