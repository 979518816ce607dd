"""Comments: write, edit and read earlier versions, delete, make external or internal."""

from __future__ import annotations

from typing import Any

from flask import g, request

from ..accounts.permissions import Permission
from ..cases import cases, comments, queries
from ..refusals import NotAllowed, Refusal, Stale
from ..sharing import marks
from ..web.face import Needs
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
        comment = _add(case, form.message.data, external)
    except Refusal as refusal:
        return show_case(case, form, problem=refusal.sentence, status=422)
    done = "Sent to external users." if external else "Internal note added."
    if wants_fragment():
        return show_case(case, MessageForm(formdata=None), done=done)
    return see_other(".case", done, number=number, _anchor=f"comment-{comment.uid}")


def _add(case: Any, text: str, external: bool) -> Any:
    if external:
        marks.check_shown(case, request.form.get("seen", ""))
    comment = comments.add_comment(case, text, external=external, by=g.viewer)
    if external:
        marks.tell_outside(case, comment, but=g.viewer.user_id)
    return comment


@console.route(f"{PATH}/<uid:uid>/edit", needs=Permission.COMMENT, methods=["GET", "POST"])
def edit_comment(number: int, uid: str) -> Any:
    """Change one's own words."""
    case, comment = _load_own(number, uid)
    form = MessageForm() if request.method == "POST" else MessageForm(formdata=None, data={"message": comment.message})
    if request.method == "GET" or not form.validate():
        return _ask("edit", case, comment, form=form)
    try:
        if comment.external:
            marks.check_shown(case, request.form.get("seen", ""))
        comments.edit_comment(case, comment, form.message.data, by=g.viewer, version=request.form.get("version", ""))
    except Refusal as refusal:
        return _ask("edit", case, comment, form=form, problem=refusal.sentence)
    return _saved(case, "Comment changed.")


@console.route(f"{PATH}/<uid:uid>/delete", needs=Permission.COMMENT, methods=["GET", "POST"])
def delete_comment(number: int, uid: str) -> Any:
    """Take one's own comment back; an administrator of the organisation, somebody else's."""
    case, comment = _load(number, uid)
    if not comments.can_delete(comment, g.viewer):
        raise NotAllowed("Only an administrator of the organisation can delete what somebody else wrote.")
    if request.method == "GET":
        return _ask("delete", case, comment)
    comments.remove_comment(case, comment, by=g.viewer)
    return _saved(case, "Comment deleted.")


@console.route(f"{PATH}/<uid:uid>/versions", needs=Needs.TEAM)
def comment_versions(number: int, uid: str) -> Any:
    """What a comment said before it was edited."""
    case, comment = _load(number, uid)
    return _ask("versions", case, comment, versions=comments.versions_of(comment))


@console.route(f"{PATH}/<uid:uid>/external", needs=Permission.COMMENT, methods=["GET", "POST"])
def mark_comment(number: int, uid: str) -> Any:
    """Make a comment external, after saying who will read it; or internal again."""
    case, comment = _load(number, uid)
    if request.method == "GET":
        return _ask("mark", case, comment, problem=None if comment.external else marks.refusal_to_mark(case))
    external, seen = request.form.get("external") == "1", request.form.get("seen", "")
    try:
        marks.mark_comment(case, comment, external, by=g.viewer, seen=seen, version=request.form.get("version", ""))
    except Refusal as refusal:
        return _ask("mark", case, comment, problem=refusal.sentence, again=isinstance(refusal, Stale))
    return _saved(case, "External users can read this comment now." if external else "The comment is internal again.")


def _load(number: int, uid: str) -> tuple[Any, Any]:
    case = cases.load(number, change=request.method == "POST")
    return case, comments.load_comment(case, uid)


def _load_own(number: int, uid: str) -> tuple[Any, Any]:
    case, comment = _load(number, uid)
    if comment.author_id != g.viewer.user_id:
        raise NotAllowed("You can change your own comments only.")
    return case, comment


def _ask(
    kind: str, case: Any, comment: Any, *, form: MessageForm | None = None, problem: str | None = None, again: bool = False, **more: Any
) -> Any:
    """The form of an act on one comment, as a page or in the drawer. `again`: the problem is told, and the button stays."""
    view, audience = queries.case_view(case)
    refusal = marks.refusal_to_mark(case)
    shown = queries.comment_view(comment, g.viewer, can_mark=g.viewer.can(Permission.COMMENT), refusal=refusal)
    status = 422 if (form is not None and form.errors) or (problem and request.method == "POST") else 200
    names = f"console/comments/{kind}.html", f"console/comments/_{kind}.html"
    version = comments.version_of(comment)
    more |= {"again": again, "version": version, "newer": request.method == "POST" and request.form.get("version") != version}
    return show(*names, status=status, case=view, audience=audience, comment=shown, form=form, problem=problem, **more)


def _saved(case: Any, notice: str) -> Any:
    """For htmx the drawer empties and the conversation is drawn anew; else back to the case."""
    if wants_fragment():
        return show("console/comments/_saved.html", notice=notice, **case_context(case))
    return see_other(".case", notice, number=case.number)
