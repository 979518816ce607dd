"""News of cases: the kinds people may want letters about, and posting those that no other room posts."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from .models import OutboxMessage
from .outbox import post

if TYPE_CHECKING:
    from datetime import datetime

    from ..cases.models import Case, Stage


class News(StrEnum):
    """What a letter about a case tells. Somebody's `unwanted` holds the kinds they want no letters about."""

    SHARED = "shared"
    MESSAGE = "message"
    FILE = "file"
    STATUS = "status"
    ENDING = "ending"
    REPLY = "reply"
    REPORTED = "reported"
    ASSIGNED = "assigned"
    PEOPLE = "people"


OUTSIDE = (News.SHARED, News.MESSAGE, News.FILE, News.STATUS, News.ENDING)
INSIDE = (News.REPLY, News.REPORTED, News.ASSIGNED)
DIGEST = "case_digest"
# Letters that end with the organisation they are about, though they are about no case.
OF_PEOPLE = ("invitation", "invitation_reminder", "portal_admin", "people_digest")
# Letters that wait for each other, may be joined, muted and unwanted; all others concern somebody's account, or answer them at once.
KIND: dict[str, News] = {
    "case_shared": News.SHARED,
    "cases_shared": News.SHARED,
    "case_news": News.MESSAGE,
    "case_status": News.STATUS,
    "access_ending": News.ENDING,
    "access_ended": News.ENDING,
    "external_reply": News.REPLY,
    "case_reported": News.REPORTED,
    "case_assigned": News.ASSIGNED,
}
LETTERS = frozenset({*KIND, DIGEST})


def kind_of(row: OutboxMessage) -> News:
    """What this letter tells."""
    kind = KIND[row.letter]
    return News.FILE if kind is News.MESSAGE and "files" in row.extra else kind


def tell_of_stage(case: Case, was: Stage) -> None:
    """Post a note for everyone outside who sees the case that it has entered another stage. Nothing while nobody does."""
    if case.stage is not was and case.shared:
        extra = {"was": was.value, "at": case.outside_at.isoformat()}
        post("case_status", organisation_id=case.organisation_id, case_id=case.id, extra=extra)


def tell_new_assignee(case: Case, *, by: int) -> None:
    """Post a letter to whom the case was given, unless they took it themselves."""
    if case.assignee_id is not None and case.assignee_id != by:
        post("case_assigned", organisation_id=case.organisation_id, to_user_id=case.assignee_id, case_id=case.id)


def tell_team(case: Case) -> None:
    """Post a note for all colleagues who take on cases that this one was reported in the portal."""
    post("case_reported", organisation_id=case.organisation_id, case_id=case.id)


def tell_reporter(case: Case, *, user_id: int) -> None:
    """Post the confirmation to whoever reported the case in the portal."""
    post("report_received", organisation_id=case.organisation_id, to_user_id=user_id, case_id=case.id)


def tell_assignee_of_more(case: Case, *, since: datetime | None = None) -> None:
    """Post a letter to the case's assignee that somebody outside added files or evidence; `since`: all of it is younger."""
    if case.assignee_id is not None:
        extra = {"more": True, **({"since": since.isoformat()} if since else {})}
        post("external_reply", organisation_id=case.organisation_id, to_user_id=case.assignee_id, case_id=case.id, extra=extra)
