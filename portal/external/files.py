"""Files of a case: those that were shared, to download; and adding one's own, and taking them back while that is possible."""

from __future__ import annotations

from typing import Any

from flask import g, jsonify, request

from ..accounts.permissions import Permission
from ..refusals import Refusal
from ..web.downloads import hands_out, send
from ..web.face import Needs
from ..web.show import see_other, show, wants_fragment
from ..web.uploads import received
from ..words import _, ngettext
from .face import external
from .news import show_part

PATH = "/cases/<id:number>/files"
ONE = f"{PATH}/<uid:file>"


@external.route(PATH, needs=Needs.SIGNED_IN)
def files(number: int) -> Any:
    """The files of a case."""
    return _show(number)


def files_context(number: int, items: list[Any]) -> dict[str, Any]:
    """What the section of the files shows. `items`: the evidence of the case, where the files of a report are."""
    evidence = g.window.evidence
    context = {"files": g.window.files(number), "can_upload": evidence.can_upload, "limits": evidence.limits, "file_problems": []}
    return context | {"sent_apart": _sent_apart(items)}


def _sent_apart(items: list[Any]) -> str:
    """Whose files came with a report: nobody's (empty), the reader's ("mine") or somebody's."""
    sent = [item for item in items if item.size is not None]
    return ("mine" if all(item.mine for item in sent) else "others") if sent else ""


def _show(number: int, *, problems: list[str] | None = None, notice: str = "", withdrawn: str = "") -> Any:
    context = {"case": g.window.case(number), **files_context(number, g.window.evidence.items(number).rows), "withdrawn": withdrawn}
    context |= {"file_problems": problems or [], "notice": notice}
    part = "external/files/_saved.html" if notice else "external/_files.html"
    return show_part("external/files/list.html", part, number, status=422 if problems else 200, **context)


@external.route(PATH, needs=Permission.UPDATE_CASE, methods=["POST"], uploads=True)
def add_files(number: int) -> Any:
    """Put files on the case, each by itself: one that will not do is named and does not stop the others."""
    added, problems = g.window.evidence.upload(number, received("files"))
    if request.accept_mimetypes.best == "application/json":
        answer = jsonify(added=added, problems=problems)
        return answer if added or not problems else (answer, 422)
    if problems and not added:
        return _show(number, problems=problems)
    sentence = ngettext("“%(file)s” is sent.", "%(num)s files are sent.", len(added), file=added[0] if added else "")
    return see_other(".case", " ".join([sentence, *problems]), warning=bool(problems), number=number, _anchor="files")


@external.route(ONE, needs=Needs.SIGNED_IN)
def download(number: int, file: str) -> Any:
    """One file."""
    found = g.window.content(number, file)
    answer = send(found.name, found.sha256, found.size)
    if hands_out(answer):
        g.window.note_download(number, file)
    return answer


@external.route(f"{ONE}/withdraw", needs=Permission.UPDATE_CASE, methods=["GET", "POST"])
def withdraw_file(number: int, file: str) -> Any:
    """Take an own file back, for everybody, while that is possible."""
    evidence, case = g.window.evidence, g.window.case(number)
    try:
        if request.method == "GET":
            context = {"case": case, "file": file, "name": evidence.file(number, file), "limits": evidence.limits}
            return show("external/files/withdraw.html", "external/files/_withdraw.html", **context)
        evidence.withdraw_file(number, file)
    except Refusal as refusal:
        if wants_fragment():
            raise
        return _show(number, problems=[refusal.sentence])
    if wants_fragment():
        return _show(number, notice=_("Your file is withdrawn."), withdrawn=file)
    return see_other(".case", _("Your file is withdrawn."), number=number, _anchor="files-title")
