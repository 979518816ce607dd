"""Shared cases: the list, what it is narrowed to, and the page of one."""

from __future__ import annotations

from typing import Any

from flask import current_app, g, request, url_for

from ..web.downloads import only_asks
from ..web.face import Needs
from ..web.filters import SEVERITY
from ..web.forms import MessageForm
from ..web.show import see_other, show, wants_fragment
from . import wishes
from .evidence import evidence_context
from .face import external
from .files import files_context
from .news import show_part, talk_context


@external.route("/", needs=Needs.SIGNED_IN)
def home() -> Any:
    """The cases shared with this person; a number alone leads to its case."""
    chosen = wishes.read(request.args)
    number = None if wants_fragment() else g.window.number_to_open(chosen.wishes.words)
    if number:
        return see_other(".case", number=number)
    context = _list_context(chosen, request.args.get("after", ""))
    draft = g.window.reports.draft() if context["can_report"] and not wants_fragment() else None
    return show("external/cases/list.html", "external/cases/_list.html", draft=draft, **context)


def _list_context(chosen: wishes.Chosen, after: str) -> dict[str, Any]:
    page, can_report = g.window.cases(chosen.wishes, after), g.window.reports.can
    # While somebody types, a number leads nowhere by itself: that it would is said where nothing else fits.
    opens = g.window.number_to_open(chosen.wishes.words) if wants_fragment() and not page.rows else None
    return {
        "rows": page.rows,
        "opens": opens,
        "nothing": wishes.nothing(chosen),
        "older": chosen.url(after=page.next) if page.next else None,
        "newest": chosen.url() if after else None,
        "problem": g.window.problem_of(chosen.wishes.words),
        "chosen": chosen,
        "can_report": can_report,
        "chips": wishes.chips(chosen),
        "quick": wishes.quick(chosen, can_write=g.window.can_write, can_report=can_report),
        "headings": wishes.headings(chosen),
    }


@external.route("/cases/filter", needs=Needs.SIGNED_IN)
def filter_cases() -> Any:
    """All that the list can be narrowed to, on one form."""
    chosen = wishes.read(request.args)
    tags = g.window.tags()
    if chosen.wishes.tag and chosen.wishes.tag not in tags:
        tags.append(chosen.wishes.tag)
    context: dict[str, Any] = {"chosen": chosen, "tags": [(tag, tag) for tag in tags]}
    context |= {"can_write": g.window.can_write, "can_report": g.window.reports.can}
    context |= {"statuses": wishes.STATUSES, "severities": {str(key): word for key, word in SEVERITY.items()}, "flags": wishes.FLAGS}
    return show("external/cases/filter.html", "external/cases/_filter.html", **context)


@external.route("/cases/<id:number>", needs=Needs.SIGNED_IN)
def case(number: int) -> Any:
    """One case, with what was said to and by outsiders."""
    found = g.window.case(number)
    if not only_asks():
        g.window.note_view(number)
    return show_case(found, MessageForm(formdata=None))


def show_case(case: Any, form: MessageForm, *, problem: str | None = None, status: int = 200) -> Any:
    """The case page, or its conversation for htmx."""
    context = {"case": case, **talk_context(case.number), "form": form, "problem": problem}
    if not wants_fragment():
        context |= {"fields": g.window.fields(case.number), "stages": g.window.stages(case.number)}
        context |= (found := evidence_context(case.number)) | files_context(case.number, found["items"])
        context["muted"] = case.muted
        context["address"] = current_app.config["SETTINGS"].origin + url_for(".case", number=case.number)
    return show_part("external/cases/show.html", "external/messages/_conversation.html", case.number, status=status, **context)
