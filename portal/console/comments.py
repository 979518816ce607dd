"""Comments: write, edit, delete, make external or internal."""

from __future__ import annotations

from typing import Any

from flask import g, request

from ..accounts.permissions import Permission
from ..cases import cases, comments, queries
from ..refusals import NotAllowed, Refusal
from ..sharing import marks
from ..web.forms import MessageForm
from ..web.show import see_other, show, wants_fragment
from .cases import case_context, show_case
from .face import console

PATH = "/cases/<id:number>/comments"


@console.route(PATH, needs=Permission.COMMENT, methods=["POST"])
def add_comment(number: int) -> Any:
    """Add an internal note, or send a comment to the external users."""
    case, form = cases.load(number, change=True), MessageForm()
    external = request.form.get("audience") == "external"
    if not form.validate():
        return show_case(case, form, status=422)
    try:
        comment = comments.add_comment(case, form.message.data, external=external, by=g.viewer)
    except Refusal as refusal:
        return show_case(case, form, problem=refusal.sentence, status=422)
    if external:
        marks.tell_outside(case, comment, but=g.viewer.user_id)
    if wants_fragment():
        return show_case(case, MessageForm(formdata=None))
    return see_other(
        ".case", "Sent to external users." if external else "Internal note added.", number=number, _anchor=f"comment-{comment.uid}"
    )


@console.route(f"{PATH}/<uid:uid>/edit", needs=Permission.COMMENT, methods=["GET", "POST"])
def edit_comment(number: int, uid: str) -> Any:
    """Change one's own words."""
    case, comment = _load_own(number, uid)
    form = MessageForm() if request.method == "POST" else MessageForm(formdata=None, data={"message": comment.message})
    if request.method == "GET" or not form.validate():
        return _ask("edit", case, comment, form=form)
    try:
        comments.edit_comment(case, comment, form.message.data, by=g.viewer)
    except Refusal as refusal:
        return _ask("edit", case, comment, form=form, problem=refusal.sentence)
    return _saved(case, "Comment changed.")


@console.route(f"{PATH}/<uid:uid>/delete", needs=Permission.COMMENT, methods=["GET", "POST"])
def delete_comment(number: int, uid: str) -> Any:
    """Take one's own comment back."""
    case, comment = _load_own(number, uid)
    if request.method == "GET":
        return _ask("delete", case, comment)
    comments.delete_comment(case, comment, by=g.viewer)
    return _saved(case, "Comment deleted.")


@console.route(f"{PATH}/<uid:uid>/external", needs=Permission.COMMENT, methods=["GET", "POST"])
def mark_comment(number: int, uid: str) -> Any:
    """Make a comment external, after saying who will read it; or internal again."""
    case, comment = _load(number, uid)
    if request.method == "GET":
        return _ask("mark", case, comment, problem=None if comment.external else marks.refusal_to_mark(case))
    external = request.form.get("external") == "1"
    try:
        marks.mark_comment(case, comment, external, by=g.viewer)
    except Refusal as refusal:
        return _ask("mark", case, comment, problem=refusal.sentence)
    return _saved(case, "External users can read this comment now." if external else "The comment is internal again.")


def _load(number: int, uid: str) -> tuple[Any, Any]:
    case = cases.load(number, change=request.method == "POST")
    return case, comments.load_comment(case, uid)


def _load_own(number: int, uid: str) -> tuple[Any, Any]:
    case, comment = _load(number, uid)
    if comment.author_id != g.viewer.user_id:
        raise NotAllowed("You can change your own comments only.")
    return case, comment


def _ask(kind: str, case: Any, comment: Any, *, form: MessageForm | None = None, problem: str | None = None) -> Any:
    """The form of an act on one comment, as a page or in the drawer."""
    view, audience = queries.case_view(case)
    refusal = marks.refusal_to_mark(case)
    shown = queries.comment_view(comment, g.viewer, can_mark=g.viewer.can(Permission.COMMENT), refusal=refusal)
    status = 422 if (form is not None and form.errors) or (problem and request.method == "POST") else 200
    names = f"console/comments/{kind}.html", f"console/comments/_{kind}.html"
    return show(*names, status=status, case=view, audience=audience, comment=shown, form=form, problem=problem)


def _saved(case: Any, notice: str) -> Any:
    """For htmx the drawer empties and the conversation is drawn anew; else back to the case."""
    if wants_fragment():
        return show("console/comments/_saved.html", notice=notice, **case_context(case))
    return see_other(".case", notice, number=case.number)
