"""Messages: write, edit and delete one's own."""

from __future__ import annotations

from typing import Any

from flask import g, request

from ..accounts.permissions import Permission
from ..refusals import Refusal, Stale, TooMany
from ..web.forms import MessageForm
from ..web.show import see_other, show, wants_fragment
from ..words import _
from .cases import show_case
from .face import external
from .news import show_part


@external.route("/cases/<id:number>/comments", needs=Permission.COMMENT, methods=["POST"])
def add_comment(number: int) -> Any:
    """Send a message to the security team and everyone else on the case."""
    case, form = g.window.case(number), MessageForm()
    if not form.validate():
        return show_case(case, form, status=422)
    try:
        g.window.add_message(number, form.message.data)
    except Refusal as refusal:
        return show_case(case, form, problem=refusal.sentence, status=422)
    return _done(number, _("Your message is sent."))


def _done(number: int, notice: str) -> Any:
    if wants_fragment():
        return show_case(g.window.case(number), MessageForm(formdata=None))
    return see_other(".case", notice, number=number, _anchor="conversation")


@external.route("/cases/<id:number>/comments/<uid:uid>/edit", needs=Permission.COMMENT, methods=["GET", "POST"])
def edit_comment(number: int, uid: str) -> Any:
    """Change one's own message."""
    case, message = g.window.case(number), g.window.message(number, uid)
    form = MessageForm() if request.method == "POST" else MessageForm(formdata=None, data={"message": message.message})
    if request.method == "GET" or not form.validate():
        return _form("edit", case, message, form)
    try:
        g.window.edit_message(number, uid, form.message.data, version=request.form.get("version", ""))
    except (Stale, TooMany) as refusal:
        return _form("edit", case, g.window.message(number, uid), form, refusal.sentence)
    return _saved(number, _("Your message is changed."))


@external.route("/cases/<id:number>/comments/<uid:uid>/delete", needs=Permission.COMMENT, methods=["GET", "POST"])
def delete_comment(number: int, uid: str) -> Any:
    """Take one's own message back."""
    case, message = g.window.case(number), g.window.message(number, uid)
    if request.method == "GET":
        return _form("delete", case, message, None)
    g.window.delete_message(number, uid)
    return _saved(number, _("Your message is deleted."))


def _form(kind: str, case: Any, message: Any, form: MessageForm | None, problem: str | None = None) -> Any:
    status = 422 if problem or (form is not None and form.errors) else 200
    newer = request.method == "POST" and request.form.get("version") != message.version
    names = f"external/messages/{kind}.html", f"external/messages/_{kind}.html"
    return show(*names, status=status, case=case, message=message, form=form, problem=problem, newer=newer)


def _saved(number: int, notice: str) -> Any:
    """For htmx: the drawer empties and the conversation is drawn anew."""
    if not wants_fragment():
        return see_other(".case", notice, number=number, _anchor="conversation")
    context = {"case": g.window.case(number), "form": MessageForm(formdata=None), "problem": None, "notice": notice}
    part = "external/messages/_saved.html"
    return show_part(part, part, number, **context)
