"""Closing a case with what came of it, reopening it, and deleting it for good."""

from __future__ import annotations

from typing import Any

from ..accounts.permissions import Permission
from ..accounts.viewer import Viewer
from ..audit.kinds import Kind
from ..audit.record import record
from ..clock import now
from ..extensions import db
from ..mail import news
from ..refusals import NotAllowed, Refusal, Stale
from . import fields, statuses, tasks
from .cases import enter_status
from .models import Case, Impact, Stage
from .text import LONGEST, render, tidy

LEAST_SUMMARY = "Say in a sentence or two what came of the case; whoever finds it in a year will be glad."


def close_case(case: Case, *, status: str, summary: str, impact: str, version: int, by: Viewer) -> None:
    """Close with a verdict (one of the closed statuses), a summary in Markdown and the impact; colleagues only ever read the last two.

    Open tasks end with it, mandatory ones must be completed before.
    """
    _check(case, Permission.UPDATE_CASE, "Your profile does not let you close cases.", version, by)
    if case.stage is Stage.CLOSED:
        raise Refusal("This case is closed already.")
    if statuses.stage_of(status, pick=True) is not Stage.CLOSED:
        raise Refusal("Choose how the case ended.")
    if impact not in set(Impact):
        raise Refusal("Choose what impact the incident had.")
    text = tidy(summary)
    if not text:
        raise Refusal(LEAST_SUMMARY)
    if len(text) > LONGEST:
        raise Refusal(f"The summary is longer than {LONGEST:,} characters. Put the rest into comments.")
    fields.check_complete(case)
    tasks.end_tasks(case, by=by)
    changes: dict[str, list[Any]] = {"status": [case.status, status], "impact": [case.impact, impact], "summary": [case.summary, text]}
    record(Kind.CASE_CLOSED, actor=by, case=case, object_id=case.number, changes=changes)
    case.summary, case.summary_html, case.impact = text, render(text), Impact(impact)
    _move(case, status)


def reopen_case(case: Case, *, version: int, by: Viewer) -> None:
    """Go on with a closed case; its summary stays until it is closed again."""
    _check(case, Permission.REOPEN_CASE, "Your profile does not let you reopen cases.", version, by)
    if case.stage is not Stage.CLOSED:
        raise Refusal("This case is not closed.")
    status = statuses.first_of(Stage.IN_PROGRESS)
    record(Kind.CASE_REOPENED, actor=by, case=case, object_id=case.number, changes={"status": [case.status, status]})
    _move(case, status)


def _move(case: Case, status: str) -> None:
    moment, was = now(), case.stage
    case.status = status
    enter_status(case, moment)
    case.version += 1
    case.updated_at = case.details_at = case.outside_at = moment
    news.tell_of_stage(case, was)


def delete_case(case: Case, confirmation: str, *, version: int, by: Viewer) -> None:
    """Remove the case with its comments and whoever it was shared with. `confirmation`: its number, typed by hand."""
    _check(case, Permission.DELETE_CASE, "Your profile does not let you delete cases.", version, by)
    if confirmation.strip().removeprefix("#") != str(case.number):
        raise Refusal(f"Type {case.number} to say that you mean this case.")
    record(Kind.CASE_DELETED, actor=by, organisation_id=case.organisation_id, object_id=case.number)
    db.session.delete(case)
    db.session.flush()


def _check(case: Case, permission: Permission, sentence: str, version: int, by: Viewer) -> None:
    if not by.can_inside(permission):
        raise NotAllowed(sentence)
    if version != case.version:
        raise Stale("Somebody changed this case while you were deciding. Look at it again, then confirm.")
