"""Shared cases: the list and the page of one."""

from __future__ import annotations

from typing import Any

from flask import g, request, url_for

from ..web.face import Needs
from ..web.forms import MessageForm
from ..web.show import show
from .face import external


@external.route("/", needs=Needs.SIGNED_IN)
def home() -> Any:
    """The cases shared with this person."""
    after = request.args.get("after", "")
    page = g.window.cases(after)
    older = url_for(".home", after=page.next) if page.next else None
    return show(
        "external/cases/list.html", "external/cases/_list.html", rows=page.rows, older=older, newest=url_for(".home") if after else None
    )


@external.route("/cases/<id:number>", needs=Needs.SIGNED_IN)
def case(number: int) -> Any:
    """One case, with what was said to and by outsiders."""
    found = g.window.case(number)
    g.window.note_view(number)
    return show_case(found, MessageForm(formdata=None))


def show_case(case: Any, form: MessageForm, *, problem: str | None = None, status: int = 200) -> Any:
    """The case page, or its conversation for htmx."""
    context = {"case": case, "messages": g.window.messages(case.number), "form": form, "can_write": g.window.can_write, "problem": problem}
    context["fields"] = g.window.fields(case.number)
    context["files"] = g.window.files(case.number)
    return show("external/cases/show.html", "external/messages/_conversation.html", status=status, **context)
