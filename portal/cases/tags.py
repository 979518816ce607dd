"""Tags of a case: on the case for reading, and as rows for finding and suggesting; both are written here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, delete, insert, select

from ..accounts.viewer import Viewer
from ..extensions import db
from ..refusals import Unfit
from ..sharing import scope
from .models import Case, CaseTag

LONGEST_TAG, MOST_TAGS = 128, 50
LONGEST_LINE = MOST_TAGS * (LONGEST_TAG + len(", "))  # as many as fit, typed in one field
SUGGESTED = 20
LAST = "\U0010ffff"  # nothing that is typed comes after it


def split_tags(text: str) -> tuple[str, ...]:
    """Tags from a line: separated by commas, trimmed, without repeats, sorted."""
    return tuple(sorted({tag.strip() for tag in text.split(",") if tag.strip()}))


def checked(tags: Iterable[str]) -> list[str]:
    """The tags as they are kept, trimmed, without repeats, sorted; or Unfit. The one rule for cases, templates and observables."""
    wanted = sorted({tag.strip() for tag in tags if tag.strip()})
    if long := next((tag for tag in wanted if len(tag) > LONGEST_TAG), None):
        raise Unfit("tags", f"Use at most {LONGEST_TAG} characters for a tag: “{long[:40]}…” is longer.")
    if len(wanted) > MOST_TAGS:
        raise Unfit("tags", f"Use at most {MOST_TAGS} tags; these are {len(wanted)}. Leave some out.")
    return wanted


def write_tags(case: Case, tags: Iterable[str]) -> None:
    """Give a stored case these tags instead of those it has; the caller has them checked and records it."""
    wanted = sorted(set(tags))
    case.tags = wanted
    db.session.execute(delete(CaseTag).where(CaseTag.case_id == case.id))
    if wanted:
        rows = [{"case_id": case.id, "organisation_id": case.organisation_id, "tag": tag} for tag in wanted]
        db.session.execute(insert(CaseTag), rows)


def suggest(viewer: Viewer, start: str = "") -> list[str]:
    """The tags this colleague's cases have, beginning with `start` as it is or in a usual spelling, in their order, at most 20.

    Asked with every key that is pressed: it steps from tag to tag in the index and never reads how many cases have one.
    """
    found: set[str] = set()
    for spelling in dict.fromkeys((start, start.lower(), start.capitalize(), start.upper())):
        found.update(tag for tag in db.session.scalars(_steps(viewer, spelling)) if tag)  # the last step finds nothing
    return sorted(found, key=lambda tag: (tag.casefold(), tag))[:SUGGESTED]


def _steps(viewer: Viewer, start: str) -> Select[tuple[Any]]:
    """The first tags that begin so, each found from the one before it."""
    mine = scope.visible(viewer, CaseTag, CaseTag.tag).where(CaseTag.organisation_id == viewer.organisation_id, CaseTag.tag < start + LAST)
    first = mine.where(CaseTag.tag >= start).order_by(CaseTag.tag).limit(1).scalar_subquery()
    steps = select(first.label("tag")).cte("steps", recursive=True)
    after = mine.where(CaseTag.tag > steps.c.tag).order_by(CaseTag.tag).limit(1).correlate(steps).scalar_subquery()
    steps = steps.union_all(select(after).where(steps.c.tag.is_not(None)))
    return select(steps.c.tag).limit(SUGGESTED)
