"""The list of cases: filters, search, orders, export."""

from __future__ import annotations

from typing import Any

from flask import g, request
from werkzeug.exceptions import NotFound

from ..accounts.permissions import Permission
from ..audit.kinds import Kind
from ..audit.record import record_apart
from ..cases import listing
from ..search.find import snippets
from ..search.terms import number_in
from ..sharing.models import in_force
from ..web.export import FORMATS, export
from ..web.face import Needs
from ..web.show import see_other, show, wants_fragment
from .face import console
from .list_forms import DATE_WORDS, LABELS, Chosen, Options, choices_of, headers, read, status_choices, words_of

COLUMNS = (
    *("number", "title", "severity", "status", "stage", "tlp", "pap", "assignee", "tags", "access"),
    *("flagged", "reported_outside", "created_by", "began", "opened", "updated", "closed"),
)
SORT_WORDS = {
    "updated": "Latest change",
    "opened": "Opened",
    "began": "Began",
    "severity": "Severity",
    "status": "Status",
    "number": "Number",
    "title": "Title",
}
SOURCE_WORDS = {
    "title": "Title",
    "tag": "Tag",
    "description": "Description",
    "summary": "Summary",
    "comment": "Comment",
    "observable": "Observable",
    "task": "Task",
    "field": "Field",
    "file": "Attachment",
}
WORDS: dict[str, Any] = {
    "labels": LABELS,
    "date_words": DATE_WORDS,
    "sort_words": SORT_WORDS,
    "source_words": SOURCE_WORDS,
    "order_words": {
        (name, down): f"{'last' if down else 'first'} by {word.lower()}" for name, word in SORT_WORDS.items() for down in (True, False)
    },
}


def chosen_now() -> tuple[Chosen, Options]:
    """The filters of this request, and what can be chosen at all."""
    people, fields = ([(str(key), name) for key, name in some] for some in listing.to_choose(g.viewer))
    options = Options(people, fields, status_choices())
    return read(request.args, options), options


@console.route("/cases", needs=Needs.TEAM, endpoint="cases")
def case_list() -> Any:
    """The organisation's cases, latest change first unless another order was asked for; a number alone leads to its case."""
    chosen, options = chosen_now()
    number = None if wants_fragment() else listing.number_to_open(g.viewer, chosen.filters.q)
    if number:
        return see_other(".case", number=number)
    after = request.args.get("after", "")
    found = listing.case_list(g.viewer, chosen.filters, after)
    context = _context(chosen, options, found) | {"newest": chosen.url() if after else None}
    return show("console/cases/list.html", "console/cases/_table.html", **context)


def _context(chosen: Chosen, options: Options, found: listing.Found) -> dict[str, Any]:
    return {
        "found": found,
        "rows": found.page.rows,
        "snippets": snippets([row.id for row in found.page.rows], found.words),
        "chosen": chosen,
        "number_asked": number_in(chosen.filters.q),
        "options": options,
        "choices_of": choices_of,
        "chips": words_of(chosen, options),
        "headers": headers(chosen, found.order.name, down=found.order.down),
        "files": [(kind, chosen.url(".export_cases", format=kind)) for kind in FORMATS],
        "sizes": [(size, chosen.url(without=("size",), size=size)) for size in listing.SIZES],
        "older": chosen.url(after=found.page.next) if found.page.next else None,
        "can_create": g.viewer.can(Permission.CREATE_CASE),
        "most_exported": listing.MOST_EXPORTED,
        **WORDS,
    }


@console.route("/cases/export", needs=Needs.TEAM)
def export_cases() -> Any:
    """The cases the filters leave, as a file."""
    kind = request.args.get("format", "csv")
    if kind not in FORMATS:
        raise NotFound
    chosen, _ = chosen_now()
    rows = listing.exported(g.viewer, chosen.filters)
    record_apart(Kind.CASES_EXPORTED, actor=g.viewer, object_id=kind)
    name = f"cases-first-{listing.MOST_EXPORTED}" if len(rows) > listing.MOST_EXPORTED else "cases"
    return export(name, kind, COLUMNS, [_exported(row) for row in rows[: listing.MOST_EXPORTED]])


def _exported(row: Any) -> tuple[Any, ...]:
    head = (row.number, row.title, row.severity, row.status, row.stage.value, row.tlp, row.pap, row.assignee or "", list(row.tags))
    people = (in_force(row.access, row.shared_until).value, row.flagged, row.reported_outside, row.created_by_name)
    return (*head, *people, row.start_date, row.created_at, row.updated_at, row.closed_at)
