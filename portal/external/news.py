"""What the page of a case says first: it tells of each of its parts, so that it is drawn anew with them."""

from __future__ import annotations

from typing import Any

from flask import g, request

from ..web.show import show, wants_fragment


def talk_context(number: int) -> dict[str, Any]:
    """The conversation of a case. `said`: how many messages stand in it, without those that were withdrawn."""
    messages = g.window.messages(number)
    return {"messages": messages, "said": sum(not message.withdrawn for message in messages), "can_write": g.window.can_write}


def show_part(page: str, part: str, number: int, *, status: int = 200, **context: Any) -> Any:
    """The page; for htmx one part of it, and the news of the case as they are now."""
    if wants_fragment():
        context["case"] = g.window.case(number, anew=request.method == "POST")
        if "messages" not in context:
            context |= talk_context(number)
        if "files" not in context:
            context["files"] = g.window.files(number)
    return show(page, "external/cases/_part.html", status=status, section=part, **context)
