"""The one answer to "what may this person see": a condition for each model. Nothing else filters by visibility."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, bindparam, column, exists, false, or_, select, table, true, union_all

from ..accounts.models import LoginSession, Submission, User
from ..accounts.permissions import Permission
from ..accounts.viewer import Viewer
from ..audit.models import AuditEntry
from ..cases.models import (
    Attachment,
    Case,
    CaseTag,
    CaseTemplate,
    Comment,
    CommentRevision,
    CustomField,
    CustomValue,
    Draft,
    Mute,
    Observable,
    ReadMark,
    Task,
    TaskLog,
)
from ..clock import UTCDateTime, now
from ..database import kept
from ..notices.models import Notice
from ..search.models import SearchText, SharedText
from .models import SHARED, Access, Grant, PartyGrant

Rules = dict[Any, ColumnElement[bool]]

# Core tables inside the rules, so that the guard does not filter its own conditions; it knows them by this prefix.
RULE = "rule_"
_case = Case.__table__.alias(f"{RULE}case")
_grant = Grant.__table__.alias(f"{RULE}grant")
_party = PartyGrant.__table__.alias(f"{RULE}party")
_field = CustomField.__table__.alias(f"{RULE}field")
# The same table once more, and no relation of the first: where a rule follows its model into an alias, this one stays what it is.
_shared = table("incident_case", *(column(name, Case.__table__.c[name].type) for name in ("id", "organisation_id", "access"))).alias(
    f"{RULE}shared"
)
# The present moment, asked anew each time a statement runs, however long ago it was written or compiled.
_NOW = bindparam(f"{RULE}now", callable_=now, type_=UTCDateTime())
# What belongs to one person is nobody else's business.
OWN: tuple[Any, ...] = (LoginSession, Submission, ReadMark, Mute, Draft)
# What hangs on a case is seen by those colleagues who see the case.
HANGING: tuple[Any, ...] = (Comment, CommentRevision, Attachment, Observable, Task, TaskLog, CustomValue, CaseTag, SearchText, SharedText)


class Who(NamedTuple):
    """All that the rules ask of a viewer. What they may see is asked of the database each time; only the question is kept."""

    user_id: int
    organisation_id: int
    external: bool
    platform: bool
    manages: bool
    party_id: int | None


def rules(viewer: Viewer) -> Rules:
    """Model -> condition on its rows. What is not named follows `otherwise`."""
    return _written(_outside if viewer.external else _inside, _who(viewer))


def _who(viewer: Viewer) -> Who:
    manages = viewer.can(Permission.MANAGE_USER)
    return Who(viewer.user_id, viewer.organisation_id, viewer.external, viewer.platform, manages, viewer.party_id)


_NOTHING_ELSE: Rules = {}


def sayings(viewer: Viewer) -> Rules:
    """Model -> condition where a rule can be said in another way: of a single case it is asked whether somebody is named on it, not on
    which cases they are."""
    return _written(_of_one, _who(viewer)) if viewer.external else _NOTHING_ELSE


@lru_cache(maxsize=512)
def _written(write: Callable[[Who], Rules], who: Who) -> Rules:
    """Writing the conditions costs more than running them, so each viewer's are written once."""
    return write(who)


def otherwise(viewer: Viewer) -> ColumnElement[bool]:
    """The rule of a model without one: nothing for an outsider; for a colleague the query's own words decide."""
    return false() if viewer.external else true()


def _named(viewer: Who, case: Any, *, listing: bool) -> ColumnElement[bool]:
    """Whether the person is named on the case, or the external organisation they work for: asked once for a list of cases, case by case
    for what belongs to one."""
    if listing:
        return or_(*(case.id.in_(named) for named in _names(viewer)))
    conditions = [exists().where(_grant.c.case_id == case.id, _grant.c.user_id == viewer.user_id)]
    conditions += [exists().where(_party.c.case_id == case.id, _party.c.party_id == viewer.party_id)] if viewer.party_id else []
    return or_(*conditions)


def _names(viewer: Who) -> list[Select[Any]]:
    """The cases they are named on, and those their organisation is."""
    by_name = select(_grant.c.case_id).where(_grant.c.user_id == viewer.user_id)
    return [by_name, select(_party.c.case_id).where(_party.c.party_id == viewer.party_id)] if viewer.party_id else [by_name]


def not_ended(case: Any) -> ColumnElement[bool]:
    """Whether sharing has not reached its end; what says that a case is shared must say this too."""
    return or_(case.shared_until.is_(None), case.shared_until > _NOW)


def _seen_outside(viewer: Who, case: Any, *, listing: bool = False) -> ColumnElement[bool]:
    ours = and_(case.organisation_id == viewer.organisation_id, not_ended(case))
    if not listing:
        return and_(
            ours, or_(case.access == Access.ALL_EXTERNAL, and_(case.access == Access.EXTERNAL, _named(viewer, case, listing=False)))
        )
    # The same for a list, as databases like it: from the cases in question, where a choice between two conditions would walk all there are.
    # Those shared with everybody are in question by their access; any other only by a name on it, and then it must be shared with names.
    everybodys = select(_shared.c.id).where(_shared.c.organisation_id == viewer.organisation_id, _shared.c.access == Access.ALL_EXTERNAL)
    return and_(ours, case.access.in_(SHARED), case.id.in_(union_all(everybodys, *_names(viewer))))


def _of_one(viewer: Who) -> Rules:
    return {Case: _seen_outside(viewer, Case)}


def _outside(viewer: Who) -> Rules:
    def on(model: Any) -> ColumnElement[bool]:
        return exists().where(_case.c.id == model.case_id, _seen_outside(viewer, _case.c))

    return {
        Case: _seen_outside(viewer, Case, listing=True),
        Comment: and_(Comment.external, on(Comment)),
        Attachment: and_(Attachment.external, Attachment.log_id.is_(None), on(Attachment)),
        Observable: and_(Observable.author_external, on(Observable)),
        CustomField: CustomField.shown_outside.is_(True),
        CustomValue: and_(exists().where(_field.c.id == CustomValue.field_id, _field.c.shown_outside), on(CustomValue)),
        CaseTag: on(CaseTag),
        SharedText: and_(
            or_(SharedText.field_id.is_(None), exists().where(_field.c.id == SharedText.field_id, _field.c.shown_outside)), on(SharedText)
        ),
        User: User.id == viewer.user_id,
        **_own(viewer),
        LoginSession: and_(LoginSession.user_id == viewer.user_id, LoginSession.viewed_by_id.is_(None)),
    }


def _inside(viewer: Who) -> Rules:
    def seen(case: Any, *, listing: bool = False) -> ColumnElement[bool]:
        return and_(
            case.organisation_id == viewer.organisation_id,
            or_(case.access != Access.RESTRICTED, case.assignee_id == viewer.user_id, _named(viewer, case, listing=listing)),
        )

    if viewer.platform:  # administrators of the platform run it; they do not read cases
        nothing = dict.fromkeys((Case, *HANGING, CaseTemplate, Notice), false())
        return {**nothing, AuditEntry: and_(AuditEntry.case_id.is_(None), _of_no_case()), **_own(viewer)}
    return {
        Case: seen(Case, listing=True),
        **{model: exists().where(_case.c.id == model.case_id, seen(_case.c)) for model in HANGING},
        CaseTemplate: CaseTemplate.organisation_id == viewer.organisation_id,
        Notice: and_(Notice.user_id == viewer.user_id, exists().where(_case.c.id == Notice.case_id, seen(_case.c))),
        AuditEntry: and_(
            AuditEntry.organisation_id == viewer.organisation_id,
            or_(
                # What people did to accounts is for those who manage them; the history of a deleted case is for nobody.
                and_(AuditEntry.case_id.is_(None), _of_no_case(), true() if viewer.manages else false()),
                exists().where(_case.c.id == AuditEntry.case_id, seen(_case.c)),
            ),
        ),
        **_own(viewer),
    }


OF_CASES = ("case", "comment", "file", "observable", "task")  # kinds of entries about a case and what hangs on it


def _of_no_case() -> ColumnElement[bool]:
    return and_(*(AuditEntry.kind.not_like(f"{prefix}:%") for prefix in OF_CASES))


def _own(viewer: Who) -> Rules:
    return {model: model.user_id == viewer.user_id for model in OWN}


def visible(viewer: Viewer, model: type[Any], *columns: Any) -> Select[Any]:
    """Rows of the model this person may see (or these columns of them), as a select to go on with; holds without the guard too."""
    return _selected(columns or (model,), rules(viewer).get(model, otherwise(viewer)))


def visible_one(viewer: Viewer, model: type[Any], *columns: Any) -> Select[Any]:
    """The same for whoever wants a single row: quicker to ask where the list would be long."""
    said = sayings(viewer).get(model)
    return visible(viewer, model, *columns) if said is None else _selected(columns or (model,), said)


@lru_cache(maxsize=2048)
def _selected(wanted: tuple[Any, ...], condition: ColumnElement[bool]) -> Select[Any]:
    return kept(select(*wanted).where(condition))


def can_see(viewer: Viewer, model: type[Any], row_id: int) -> Select[Any]:
    """Select the id when the row is visible; for workers that ask on somebody's behalf."""
    return visible_one(viewer, model, model.id).where(model.id == row_id)


__all__ = ["RULE", "Rules", "can_see", "not_ended", "otherwise", "rules", "sayings", "visible", "visible_one"]
