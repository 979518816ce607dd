"""What the list of cases can be narrowed to, as conditions of a statement, and by which of several roads the database goes."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import bindparam, func, or_, select

from ..clock import UTCDateTime
from ..database import kept, straight
from ..extensions import db
from ..search.find import hits, hits_here
from ..sharing import scope
from ..sharing.models import SHARED, Access
from .models import Case, CaseTag, CustomValue

MANY = 1000  # counting stops right after
DATES = {"opened": Case.created_at, "updated": Case.updated_at, "began": Case.start_date, "closed": Case.closed_at}
TAG, VALUE = (cast("Any", model).__table__ for model in (CaseTag, CustomValue))
OF_TAG = (TAG.c.organisation_id == bindparam("organisation"), TAG.c.tag == bindparam("tag"))
OF_VALUE = (VALUE.c.field_id == bindparam("field"), VALUE.c.value == bindparam("value"))
_tagged, _valued = select(TAG.c.case_id).where(*OF_TAG), select(VALUE.c.case_id).where(*OF_VALUE)
# Name of a condition -> the condition. Of tags and values there are three: "few:" drives from their own rows, "more:" walks the list beside
# a table of them all, "many:" walks the list and asks for each case.
CONDITIONS: dict[str, Any] = {
    "stage": Case.stage == bindparam("stage", type_=Case.stage.type),
    "status": Case.status == bindparam("status"),
    "severity": Case.severity == bindparam("severity"),
    "tlp": Case.tlp == bindparam("tlp"),
    "assignee": Case.assignee_id == bindparam("assignee"),
    "nobody": Case.assignee_id.is_(None),
    "flagged": Case.flagged.is_(True),
    "outside": Case.reported_outside,
    "all": (Case.access == Access.ALL_EXTERNAL) & scope.not_ended(Case),
    "selected": (Case.access == Access.EXTERNAL) & scope.not_ended(Case),
    "not": or_(Case.access.not_in(SHARED), ~scope.not_ended(Case)),
    "restricted": Case.access == Access.RESTRICTED,
    "few:tag": Case.id.in_(_tagged),
    "more:tag": Case.id.in_(_tagged).is_(True),
    "many:tag": select(TAG.c.id).where(TAG.c.case_id == Case.id, *OF_TAG).correlate(Case).scalar_subquery().is_not(None),
    "few:value": Case.id.in_(_valued),
    "more:value": Case.id.in_(_valued).is_(True),
    "many:value": select(VALUE.c.case_id).where(VALUE.c.case_id == Case.id, *OF_VALUE).limit(1).scalar_subquery().is_not(None),
    **{f"{name}_from": column >= bindparam(f"{name}_from", type_=UTCDateTime()) for name, column in DATES.items()},
    **{f"{name}_to": column < bindparam(f"{name}_to", type_=UTCDateTime()) for name, column in DATES.items()},
}
FORKED = {"tag": _tagged, "value": _valued}  # what has roads -> the cases it is on
WALKED, MORE = frozenset({"more", "many"}), 3000
_SPREAD = {name: kept(select(func.count()).select_from(cases.limit(MORE + 1).subquery())) for name, cases in FORKED.items()}


def conditions(wanted: tuple[str, ...]) -> list[Any]:
    """Those of these names, for this kind of database."""
    kind = db.engine.dialect.name
    asked = {"words": hits, "words here": hits_here}
    return [asked[name](kind) if name in asked else CONDITIONS[name] for name in wanted]


def on_roads(wanted: tuple[str, ...], values: dict[str, Any]) -> tuple[str, ...]:
    """The conditions with the road of each that has several, by how many cases have the tag or the value, whoever may see them."""

    def road(name: str) -> str:
        found = straight(_SPREAD[name], values).scalar() or 0
        return "few" if found <= MANY else "more" if found <= MORE else "many"

    return tuple(f"{road(name)}:{name}" if name in FORKED else name for name in wanted)
