"""Files on a case: adding them, naming them apart, taking them off; whether outsiders see one is decided in sharing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Select, Table, func, select, tuple_

from ..accounts.permissions import Permission
from ..accounts.viewer import Viewer
from ..audit.kinds import Kind
from ..audit.record import record
from ..clock import now
from ..extensions import db
from ..paging import SIZE, Page, cursor, read_cursor
from ..refusals import NotAllowed, NotVisible, Refusal
from ..storage import intake
from ..storage.intake import Upload
from ..storage.models import Blob
from ..words import Number, _
from .comments import recount_outside
from .models import Attachment, Case


@dataclass(frozen=True)
class FileRow:
    """A file for colleagues, with what its content is known by."""

    uid: str
    name: str
    content_type: str
    size: int
    sha256: str
    sha1: str
    md5: str
    external: bool
    author: str
    author_external: bool
    created_at: datetime


_table = cast("Table", Attachment.__table__)
_NUMBERED = re.compile(r" \((?:[2-9]|[1-9]\d\d?)\)(?=(?:\.[^.]{1,20})?$)")
_SHOWN: tuple[Any, ...] = (
    Attachment.id,
    Attachment.uid,
    Attachment.name,
    Attachment.content_type,
    Attachment.size,
    Attachment.sha256,
    Blob.sha1,
    Blob.md5,
    Attachment.external,
    Attachment.author_name,
    Attachment.author_external,
    Attachment.created_at,
)


def files_of(case: Case, after: str = "") -> Page[FileRow]:
    """The case's own files, newest first, 25 a page; those of task logs stand with their log."""
    wanted = _files(case).order_by(Attachment.created_at.desc(), Attachment.id.desc()).limit(SIZE + 1)
    if place := read_cursor(after):
        wanted = wanted.where(tuple_(Attachment.created_at, Attachment.id) < place)
    rows = db.session.execute(wanted).all()
    more = cursor(rows[SIZE - 1].created_at, rows[SIZE - 1].id) if len(rows) > SIZE else None
    return Page([_row(row) for row in rows[:SIZE]], more)


def chosen(case: Case, uids: list[str]) -> list[FileRow]:
    """Those of these files that are on the case."""
    return [_row(row) for row in db.session.execute(_files(case).where(Attachment.uid.in_(uids)).order_by(Attachment.id))]


def _files(case: Case) -> Select[Any]:
    joined = select(*_SHOWN).join(Blob, Blob.id == Attachment.blob_id)
    return joined.where(Attachment.case_id == case.id, Attachment.log_id.is_(None))


def _row(row: Any) -> FileRow:
    values = {name: value for name, value in row._mapping.items() if name not in ("id", "author_name")}
    return FileRow(**values, author=row.author_name)


def load_file(case: Case, uid: str) -> Attachment:
    """A file of this case as the viewer may see it; its own case is part of the question."""
    wanted = select(Attachment).where(Attachment.uid == uid, Attachment.case_id == case.id, Attachment.log_id.is_(None))
    file: Attachment | None = db.session.scalar(wanted)
    if file is None:
        raise NotVisible("file")
    return file


def add_file(case: Case, upload: Upload, *, by: Viewer, external: bool = False) -> Attachment:
    """Put a file on the case. What an external user sends is external; a colleague's is internal unless they chose otherwise."""
    if not by.can(Permission.UPDATE_CASE):
        raise NotAllowed(_("Your profile does not let you add files."))
    external = external or by.external
    if external and not case.shared:
        raise Refusal("This case is not shared with anybody outside, so a file cannot be sent to external users. Share the case first.")
    intake.check(upload)
    _check_room(case, upload, by)
    moment = now()
    file = Attachment(
        case_id=case.id,
        blob_id=intake.keep(upload).id,
        name=_free_name(upload.name, _names(case, external=external)),
        content_type=upload.content_type,
        size=upload.size,
        sha256=upload.sha256,
        external=external,
        author_id=by.user_id,
        author_name=by.name,
        author_external=by.external,
        created_at=moment,
        outside_at=moment if external else None,
    )
    db.session.add(file)
    db.session.flush()
    case.updated_at = moment
    if external:
        case.outside_at = moment
    changes = {"name": [None, file.name], "size": [None, file.size], "sha256": [None, file.sha256], "external": [None, external]}
    record(Kind.FILE_ADDED, actor=by, case=case, object_id=file.uid, changes=changes)
    return file


def _check_room(case: Case, upload: Upload, by: Viewer) -> None:
    wanted = select(func.count()).select_from(_table).where(_table.c.case_id == case.id, _table.c.log_id.is_(None))
    if by.external:  # a refusal must not tell how many internal files there are
        wanted = wanted.where(_table.c.external)
    if (db.session.connection().scalar(wanted) or 0) >= intake.most_files():
        values = {"file": upload.name, "most": Number(intake.most_files())}
        raise Refusal(
            _("“%(file)s” was not added: a case can have %(most)s files. Remove some, or put several into one archive.", **values)
        )


def _names(case: Case, *, external: bool) -> list[str]:
    """Names a new file must differ from. For one that goes outside these are the external ones only: a number in its name
    would tell that there is an internal file of the same name."""
    wanted = select(func.lower(_table.c.name)).where(_table.c.case_id == case.id, _table.c.log_id.is_(None))
    return list(db.session.connection().scalars(wanted.where(_table.c.external) if external else wanted))


def name_outside(case: Case, file: Attachment) -> str:
    """The name under which a file of the case goes outside: the number it may have got among the internal ones goes, for it
    would tell of them; it gets another one only where outsiders have a file of that name."""
    db.session.flush()  # several may go outside at once
    return _free_name(_NUMBERED.sub("", file.name), _names(case, external=True))


def _free_name(name: str, taken: list[str]) -> str:
    """The name, with a number when the case has a file of that name."""
    known, free, number = {word.lower() for word in taken}, name, 1
    while free.lower() in known:
        number += 1
        free = intake.shortened(name, f" ({number})")
    return free


def remove_file(case: Case, file: Attachment, *, by: Viewer) -> None:
    """Take a file off the case; the audit trail keeps its name and hash, the store its bytes while another one has them."""
    if not by.can(Permission.UPDATE_CASE) or (by.external and file.author_id != by.user_id):
        raise NotAllowed(_("Your profile does not let you remove files."))
    changes = {"name": [file.name, None], "size": [file.size, None], "sha256": [file.sha256, None], "external": [file.external, None]}
    record(Kind.FILE_DELETED, actor=by, case=case, object_id=file.uid, changes=changes)
    db.session.delete(file)
    db.session.flush()
    case.updated_at = now()
    recount_outside(case)
