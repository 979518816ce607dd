"""Cases: home, page, and what a form of a case says."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import g, url_for

from ..accounts.permissions import Permission
from ..cases import cases, comments, fields, queries
from ..cases.tags import split_tags
from ..notices import notices
from ..sharing.marks import refusal_to_mark
from ..web import times
from ..web.face import Needs, go_to
from ..web.forms import MessageForm
from ..web.show import see_other, show
from .face import console
from .forms import CaseForm


@console.route("/", needs=Needs.SIGNED_IN)
def home() -> Any:
    """Cases for teams; for the platform's administrators the first thing they may administer."""
    if not g.viewer.platform:
        return see_other(".cases")
    pages = {Permission.MANAGE_USER: ".people", Permission.MANAGE_ORGANISATION: ".organisations", Permission.MANAGE_PROFILE: ".profiles"}
    pages |= {Permission.MANAGE_PLATFORM: ".mail_settings", Permission.MANAGE_FIELDS: ".custom_fields"}
    return go_to(next((url_for(page) for right, page in pages.items() if g.viewer.can(right)), url_for("entry.account", face="console")))


@console.route("/cases/<id:number>", needs=Needs.TEAM)
def case(number: int) -> Any:
    """One case and the talk on it."""
    g.unread_notices = notices.note_opened(g.viewer, number)
    return show_case(cases.load(number), MessageForm(formdata=None))


def case_context(case: Any, form: MessageForm | None = None, *, problem: str | None = None) -> dict[str, Any]:
    """What the case page and its conversation need."""
    view, audience = queries.case_view(case)
    can_mark, refusal = g.viewer.can(Permission.COMMENT), refusal_to_mark(case)
    return {
        "case": view,
        "audience": audience,
        "comments": [queries.comment_view(row, g.viewer, can_mark=can_mark, refusal=refusal) for row in comments.comments_of(case)],
        "comment_form": form or MessageForm(formdata=None),
        "can": g.viewer.permissions,
        "problem": problem,
    }


def show_case(case: Any, form: MessageForm, *, problem: str | None = None, status: int = 200, done: str = "") -> Any:
    """The case page, or its conversation for htmx; `done`: what is to be said of what was just written."""
    context = case_context(case, form, problem=problem) | {"field_groups": fields.groups_of(case.id), "done": done}
    return show("console/cases/show.html", "console/comments/_conversation.html", status=status, **context)


def draft_from(form: CaseForm, began: datetime | None, **more: Any) -> cases.Draft:
    """What the form says, as the verbs take it. `began`: when it began as far as is known."""
    start = form.start_date.data
    return cases.Draft(
        title=form.title.data,
        description=form.description.data,
        severity=form.severity.data,
        tlp=form.tlp.data,
        pap=form.pap.data,
        tags=split_tags(form.tags.data or ""),
        start_date=times.typed(start, before=began) if start else None,
        **more,
    )


def edit_page(form: CaseForm, case: Any, *, problem: str | None = None, stale: list[Any] | None = None) -> Any:
    """The form of a case."""
    status = 422 if problem or stale or form.errors else 200
    return show("console/cases/edit.html", status=status, form=form, case=case, stale=stale, problem=problem)
