"""Files as observables: taken in as they are or out of archives, and handed out sealed with a password."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from threading import Lock
from typing import IO

from ..accounts.viewer import Viewer
from ..refusals import Refusal
from ..storage import intake, store
from ..storage.intake import Upload
from ..words import _
from . import archives, indicators
from .models import Case, Observable
from .observables import Facets, Outcome, check_writer, checked, holds_files, keep_new, keys_on, new_observable

MOST_FILES = 500
_SEALING = Lock()


@dataclass(frozen=True)
class Found:
    """A file that may become an observable; `problem`: why it cannot, before anybody looked at the case; `message`: what is said of it."""

    name: str
    upload: Upload | None = None
    problem: str | None = None
    message: str = ""


@contextmanager
def as_received(uploads: list[Upload]) -> Iterator[list[Found]]:
    """The files as they came."""
    yield [Found(upload.name, upload) for upload in uploads]


@contextmanager
def unpacked(uploads: list[Upload], password: str) -> Iterator[list[Found]]:
    """What is in these archives, on the disk until the end of the block. Archives inside archives stay as they are."""
    with ExitStack() as places:
        found: list[Found] = []
        room = archives.MOST_BYTES
        for upload in uploads:
            try:
                intake.check(upload)
                room -= _take_out(upload, password, room, places, found)
            except Refusal as refusal:
                found.append(Found(upload.name, problem=refusal.sentence))
            if len(found) > MOST_FILES:
                raise Refusal(f"These archives hold more than {MOST_FILES} files. Add them in parts.")
        yield found


def _take_out(upload: Upload, password: str, room: int, places: ExitStack, found: list[Found]) -> int:
    """Write the files of one archive to the disk; returns how many bytes they took."""
    with upload.path.open("rb") as file, archives.opened(file, password, room=room) as archive:
        for entry in archive.entries:
            place = intake.incoming()
            places.callback(place.close)
            name = intake.clean_name(entry.name)
            try:
                for chunk in archive.chunks(entry):
                    place.write(chunk)
                place.seek(0)
                found.append(Found(name, place.upload(name)))
            except archives.Unreadable as problem:
                place.close()
                found.append(Found(name, problem=problem.sentence))
        return archive.taken


def add_files(case: Case, kind: str, found: Iterable[Found], facets: Facets, *, by: Viewer) -> list[Outcome]:
    """Add what can be added and say for each file what became of it. The case must be locked."""
    check_writer(by)
    if not holds_files(kind):
        raise Refusal("Choose a type of files from the list.")
    values, told, rows = checked(facets), [], []
    files = list(found)
    there = keys_on(case, (indicators.key_of_file(kind, one.upload.sha256) for one in files if one.upload), by=by)
    for place, one in enumerate(files, 1):
        problem, row = one.problem, None
        if one.upload is not None:
            own = replace(values, message=one.message) if one.message else values
            problem, row = _added(case, kind, one.upload, there, own, by)
        rows += [row] if row else []
        told.append(Outcome(place, kind, one.name, problem))
    keep_new(case, rows, by=by)
    return told


def _added(case: Case, kind: str, upload: Upload, there: set[str], values: Facets, by: Viewer) -> tuple[str | None, Observable | None]:
    key = indicators.key_of_file(kind, upload.sha256)
    if key in there:
        return _("A file with this content is on the case already."), None
    try:
        intake.check(upload)
    except Refusal as refusal:
        return refusal.sentence, None
    there.add(key)
    blob = intake.keep(upload)
    told = {"blob_id": blob.id, "content_type": upload.content_type, "size": upload.size, "sha256": upload.sha256}
    return None, new_observable(case, kind, upload.name, key, values, by=by, **told)


def sealed(value: str, sha256: str, length: int) -> tuple[IO[bytes], int, str]:
    """The file in a ZIP with the password `infected`, at its beginning; its size and the name for it. The caller closes it.

    It takes a while, and the processor: no transaction should be open meanwhile, and others wait for their turn.
    Raises store.Damaged when the content is not what it was.
    """
    name = intake.clean_name(value)
    file = tempfile.TemporaryFile(dir=store.incoming())  # noqa: SIM115
    try:
        with _SEALING:
            archives.seal(store.content(sha256, length), name, file)
    except BaseException:
        file.close()
        raise
    size = file.tell()
    file.seek(0)
    return file, size, f"{intake.shortened(name)[:200]}.zip"
