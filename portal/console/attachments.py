"""Attachments: the files of a case; adding, downloading, making external or internal, removing."""

from __future__ import annotations

from typing import Any

from flask import Response, g, jsonify, request, url_for

from ..accounts.permissions import Permission
from ..cases import attachments, cases, queries
from ..clock import now
from ..refusals import NotAllowed, Refusal, Stale
from ..sharing import marks
from ..storage import intake
from ..storage.intake import Upload
from ..web.downloads import send
from ..web.face import Needs
from ..web.show import see_other, show, wants_fragment
from ..web.uploads import MOST_PARTS, received
from .face import console

PATH = "/cases/<id:number>/attachments"
ONE = f"{PATH}/<uid:file>"


@console.route(PATH, needs=Needs.TEAM, endpoint="attachments")
def file_list(number: int) -> Any:
    """The files of a case, newest first."""
    return show_files(cases.load(number), after=request.args.get("after", ""))


def show_files(case: Any, *, after: str = "", problems: list[str] | None = None) -> Any:
    """The page of the files, or their table for htmx. `problems`: what was not added, and why."""
    context = list_context(case, after) | {"problems": problems or []}
    return show("console/attachments/list.html", "console/attachments/_part.html", status=422 if problems else 200, **context)


def list_context(case: Any, after: str = "") -> dict[str, Any]:
    """One page of the files, and what is shown around it."""
    page = attachments.files_of(case, after)
    older = url_for(".attachments", number=case.number, after=page.next) if page.next else None
    newest = url_for(".attachments", number=case.number) if after else None
    return {"rows": page.rows, "older": older, "newest": newest, **page_context(case)}


def page_context(case: Any) -> dict[str, Any]:
    """What every page about the files shows of the case and of what may be sent."""
    view, audience = queries.case_view(case)
    limits = {"largest": intake.largest(), "forbidden": sorted(intake.forbidden()), "most": MOST_PARTS - 10}
    return {"case": view, "audience": audience, "can": g.viewer.permissions, "limits": limits, "refusal": marks.refusal_to_mark(case)}


@console.route(PATH, needs=Permission.UPDATE_CASE, methods=["POST"], uploads=True)
def add_files(number: int) -> Any:
    """Put files on the case, each by itself: one that will not do is named and does not stop the others."""
    case, external = cases.load(number, change=True), request.form.get("audience") == "external"
    begun = now()
    added, problems = _add_each(case, received("files"), external)
    if added and external:
        marks.tell_of_files(case, but=g.viewer.user_id, since=begun)
    if request.accept_mimetypes.best == "application/json":
        answer = jsonify(added=added, problems=problems, audience=_audience(case) if problems else None)
        return answer if added or not problems else (answer, 422)
    if problems and not added:
        return show_files(case, problems=problems)
    return _told(case, added, problems, external)


def _add_each(case: Any, uploads: list[Upload], external: bool) -> tuple[list[str], list[str]]:
    uploads, problems = intake.once(uploads)
    added, problems = [], problems if uploads else ["Choose at least one file."]
    if external:
        try:
            marks.check_shown(case, request.form.get("seen", ""))
        except Stale as refusal:
            return [], [refusal.sentence]
    for upload in uploads:
        try:
            added.append(attachments.add_file(case, upload, external=external, by=g.viewer).name)
        except NotAllowed:
            raise
        except Refusal as refusal:
            problems.append(refusal.sentence)
    return added, problems


def _audience(case: Any) -> dict[str, str] | None:
    """Who would see what is sent now, for the page that goes on sending."""
    audience = queries.case_view(case)[1]
    return None if audience.nobody else {"seen": audience.mark, "label": audience.send_label}


def _told(case: Any, added: list[str], problems: list[str], external: bool) -> Response:
    """Back to the list, with what became of each."""
    one = len(added) == 1
    sentence = f"“{added[0]}” is on the case" if one else f"{len(added)} files are on the case"
    if external:
        sentence += f", and external users can see {'it' if one else 'them'}"
    return see_other(".attachments", " ".join([f"{sentence}.", *problems]), warning=bool(problems), number=case.number)


@console.route(ONE, needs=Needs.TEAM)
def download_file(number: int, file: str) -> Any:
    """One file, always as a download."""
    found = attachments.load_file(cases.load(number), file)
    return send(found.name, found.sha256, found.size)


@console.route(f"{ONE}/external", needs=Permission.UPDATE_CASE, methods=["GET", "POST"])
def mark_file(number: int, file: str) -> Any:
    """Make a file external, after saying who will see it; or internal again."""
    case, found = _load(number, file)
    if request.method == "GET":
        return _ask("mark", case, found, problem=None if found.external else marks.refusal_to_mark(case))
    external = request.form.get("external") == "1"
    try:
        marks.mark_attachment(case, found, external, by=g.viewer, seen=request.form.get("seen", ""))
    except Refusal as refusal:
        return _ask("mark", case, found, problem=refusal.sentence, again=isinstance(refusal, Stale))
    return _saved(case, "External users can see this file now." if external else "The file is internal again.")


@console.route(f"{ONE}/remove", needs=Permission.UPDATE_CASE, methods=["GET", "POST"])
def remove_file(number: int, file: str) -> Any:
    """Take a file off the case."""
    case, found = _load(number, file)
    if request.method == "GET":
        return _ask("remove", case, found)
    attachments.remove_file(case, found, by=g.viewer)
    return _saved(case, "The file is removed.")


def _load(number: int, uid: str) -> tuple[Any, Any]:
    case = cases.load(number, change=request.method == "POST")
    return case, attachments.load_file(case, uid)


def _ask(kind: str, case: Any, file: Any, *, problem: str | None = None, again: bool = False) -> Any:
    """The form of an act on one file, as a page or in the drawer. `again`: the problem is told, and the button stays."""
    status = 422 if problem and request.method == "POST" else 200
    names = f"console/attachments/{kind}.html", f"console/attachments/_{kind}.html"
    return show(*names, status=status, file=file, problem=problem, again=again, **page_context(case))


def _saved(case: Any, notice: str) -> Any:
    """For htmx the drawer empties and the table is drawn anew; else back to the list."""
    if not wants_fragment():
        return see_other(".attachments", notice, number=case.number)
    return show("console/attachments/_saved.html", notice=notice, **list_context(case))
