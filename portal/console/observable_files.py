"""Files as observables: adding several at once, or what is in archives, and downloading one sealed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

from flask import Response, g, request
from werkzeug.exceptions import NotFound

from ..accounts.permissions import Permission
from ..audit.kinds import Kind
from ..audit.record import record_apart
from ..cases import cases, observables, samples
from ..database import start_writing
from ..extensions import db
from ..refusals import Refusal
from ..storage.intake import largest
from ..storage.store import BLOCK, Damaged
from ..web.downloads import POLICY, Lost, disposition
from ..web.face import Needs, first_answer
from ..web.show import show
from ..web.uploads import received
from .face import console
from .observable_forms import AddFilesForm
from .observables import NOTHING, ONE, PATH, added, page_context


@console.route(f"{PATH}/files", needs=Permission.OBSERVABLE, methods=["GET", "POST"], late=True, uploads=True)
def add_observable_files(number: int) -> Any:
    """Several files, or what is in archives; unpacking comes first, writing is quick."""
    case = cases.load(number)
    if request.method == "GET":
        return _page(case, _form(formdata=None, data={"tlp": case.tlp, "pap": case.pap, "type": "file"}))
    form, uploads = _form(), received("files")
    if not form.validate() or not uploads:
        return _page(case, form, None if form.errors else "Choose at least one file.")
    db.session.rollback()  # nothing stays open while archives are unpacked
    try:
        with samples.unpacked(uploads, form.password.data or "") if form.unpack.data else samples.as_received(uploads) as found:
            return _add(number, form, found)
    except Refusal as refusal:
        return _page(cases.load(number), form, refusal.sentence)


def _add(number: int, form: AddFilesForm, found: list[samples.Found]) -> Any:
    start_writing()
    if first := first_answer():
        return first
    case = cases.load(number, change=True)
    outcomes = samples.add_files(case, form.type.data, found, form.facets(), by=g.viewer)
    return added(case, outcomes) or _page(case, form, NOTHING, outcomes=outcomes)


def _form(**options: Any) -> AddFilesForm:
    form = AddFilesForm(**options)
    form.offer(observables.types_for(files=True))
    return form


def _page(case: Any, form: AddFilesForm, problem: str | None = None, *, outcomes: list[observables.Outcome] | None = None) -> Any:
    status = 422 if problem or form.errors else 200
    more: dict[str, Any] = {"form": form, "problem": problem, "outcomes": outcomes, "largest": largest()}
    return show("console/observables/add_files.html", status=status, **more, **page_context(case))


@console.route(f"{ONE}/download", needs=Needs.TEAM)
def download_observable(number: int, observable: str) -> Any:
    """The file, never as it is: in a ZIP with the password `infected`."""
    found = observables.load_observable(cases.load(number), observable)
    if found.blob_id is None:
        raise NotFound
    content = found.value, found.sha256 or "", found.size or 0
    db.session.rollback()  # packing takes a while, and nothing stays open meanwhile
    answer = _sealed(*content)
    try:
        record_apart(Kind.OBSERVABLE_DOWNLOADED, actor=g.viewer, case=cases.load(number), object_id=observable)
    except BaseException:
        answer.close()
        raise
    return answer


def _sealed(value: str, sha256: str, length: int) -> Response:
    try:
        file, size, name = samples.sealed(value, sha256, length)
    except Damaged:
        raise Lost("The content of this file is missing or damaged. Tell the administrator of this system; a backup may have it.") from None
    pieces = _pieces(file)
    next(pieces)
    answer = Response(pieces, mimetype="application/zip", direct_passthrough=True)
    answer.content_length = size
    answer.headers["Content-Disposition"] = disposition(name)
    answer.headers["Content-Security-Policy"] = POLICY
    return answer


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    """The content; the first piece is empty, and from then on the file is closed whatever becomes of the answer."""
    with file:
        yield b""
        while piece := file.read(BLOCK):
            yield piece
