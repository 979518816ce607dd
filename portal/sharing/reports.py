"""Reporting an incident from outside: the draft that is kept while it is written, a last look at it, and sending it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select

from ..accounts.permissions import Permission
from ..accounts.viewer import Viewer
from ..cases import reports
from ..cases.models import Case, Draft
from ..cases.observables import GUESS
from ..cases.text import shown, tidy
from ..clock import now
from ..database import queue_up
from ..extensions import db
from ..refusals import Refusal, Stale
from ..storage.intake import Upload
from ..words import _, later
from . import reading, scope
from .evidence import Limits, limits, told
from .records import KeptReport, ReportLook

PURPOSE = "report"
ZONE = "zone"  # whose clock the beginning was typed by: it must be read by the same one when the draft is gone on with elsewhere
ANSWERS = ("title", "began", "items", *(question.name for question in reports.QUESTIONS))
FIELDS = (*ANSWERS, ZONE)
LONGEST_FIELD = 100_000  # of what is kept while it is written; what can be sent is judged later
ITEMS_IN_WORDS = "Suspicious addresses, numbers or names:"  # kept in the description, as the headings there are
GONE = later(
    "This report was sent or discarded in another window meanwhile. Save it again only if you want to begin another one with this text."
)


class Reports:
    """What one person outside reports. Who only looks through their eyes sees nothing of what they have not sent."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer

    @property
    def can(self) -> bool:
        """Whether their profiles let them report incidents."""
        return self.viewer.can(Permission.CREATE_CASE)

    @property
    def can_add(self) -> bool:
        """Whether their profiles let them add evidence to a report."""
        return self.viewer.can(Permission.OBSERVABLE)

    @property
    def limits(self) -> Limits:
        """What may be sent at once."""
        return limits()

    def draft(self) -> KeptReport | None:
        """What they have begun and not sent."""
        if self.viewer.viewed_by_id is not None:
            return None
        row = self._row()
        return None if row is None else _kept(row)

    def _row(self, *, change: bool = False) -> Draft | None:
        wanted = scope.visible(self.viewer, Draft).where(Draft.organisation_id == self.viewer.organisation_id, Draft.purpose == PURPOSE)
        if change:
            wanted = wanted.with_for_update().execution_options(populate_existing=True)
        row: Draft | None = db.session.scalar(wanted)
        return row

    def keep(self, fields: dict[str, str], *, seen: str, page: str, last: bool = False) -> KeptReport:
        """Keep what was typed. `seen`: the version it began from, `page`: what tells the page it is typed on from every other one; Stale
        when somebody wrote on another page since. `last`: they leave the page with it; what it sent before and comes later is old."""
        reports.check_writer_of_reports(self.viewer)
        known = {name: tidy(fields.get(name, "")) for name in FIELDS}
        if any(len(text) > LONGEST_FIELD for text in known.values()):
            raise Refusal(_("This is too much text to keep here. Put a part of it into a file and add that to the report."))
        page = tidy(page)[:32]
        queue_up(f"draft {self.viewer.user_id}")
        row = self._row(change=True)
        if row is None:
            if seen:
                raise Stale(str(GONE))
            if not any(known[name] for name in ANSWERS):
                return KeptReport(known, now(), "")
            row = Draft(user_id=self.viewer.user_id, organisation_id=self.viewer.organisation_id, purpose=PURPOSE)
            db.session.add(row)
        elif self._is_late(row, seen, page, last=last):
            raise Stale(_("This report was changed in another window meanwhile."))
        if any((row.fields or {}).get(name) != text for name, text in known.items()):
            row.updated_at = now()
        row.fields = {**known, "page": page, "left": page if last else ""}
        db.session.flush()
        return _kept(row)

    @staticmethod
    def _is_late(row: Draft, seen: str, page: str, *, last: bool) -> bool:
        if page and page == row.fields.get("left") and not last:
            return True
        return seen != _version(row) and (not page or page != row.fields.get("page"))

    def discard(self, seen: str) -> None:
        """Throw the draft away. `seen`: the version they looked at; Stale when it is another one by now."""
        reports.check_writer_of_reports(self.viewer)
        queue_up(f"draft {self.viewer.user_id}")
        if (row := self._row(change=True)) is not None:
            if _version(row) != seen:
                raise Stale(_("This report was changed in another window meanwhile. Look at it once more before you discard it."))
            db.session.delete(row)
            db.session.flush()

    def look(self, kept: KeptReport, began: datetime | None, when: str) -> ReportLook:
        """The report as it would be sent; Unfit or Refusal when it cannot be. `when`: its beginning in English words."""
        report = self._report(kept, began, when)
        title, description = reports.checked(report)
        items = told(reports.read_items(GUESS, report.items, by=self.viewer)) if report.items else []
        return ReportLook(title, reports.worded(shown(description)), items)

    def _report(self, kept: KeptReport, began: datetime | None, when: str) -> reports.Report:
        fields = kept.fields
        if self.can_add or not fields["items"]:
            return reports.Report(fields["title"], fields, began, when, items=fields["items"])
        # They may not add evidence any more: what they wrote there must not be lost, so it goes along in words.
        words = {**fields, "happened": f"{fields['happened']}\n\n{ITEMS_IN_WORDS}\n\n{fields['items']}".strip()}
        return reports.Report(fields["title"], words, began, when, items="")

    def send(self, began: datetime | None, when: str, uploads: list[Upload], seen: str) -> int | None:
        """Send the draft with these files; the number of the new case. All of it or nothing; None when there is nothing to send, for it
        was sent already."""
        reports.check_writer_of_reports(self.viewer)
        row = self._row(change=True)
        if row is None:
            return None
        if _version(row) != seen:
            raise Stale(_("This report was changed in another window meanwhile. Look at it once more, then send it."))
        case = reports.send(self._report(_kept(row), began, when), uploads, by=self.viewer)
        db.session.delete(row)
        reading.note_own(case, by=self.viewer, before=None)
        return case.number

    def newest(self) -> int | None:
        """The number of the case they reported last, if they can see it."""
        mine = select(Case.number).where(Case.created_by_id == self.viewer.user_id, Case.reported_outside)
        found: int | None = db.session.scalar(mine.order_by(Case.id.desc()).limit(1))
        return found


def _kept(row: Draft) -> KeptReport:
    fields: dict[str, Any] = row.fields
    return KeptReport({name: str(fields.get(name, "")) for name in FIELDS}, row.updated_at, _version(row))


def _version(row: Draft) -> str:
    return row.updated_at.isoformat()
