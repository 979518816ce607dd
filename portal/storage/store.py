"""Where the bytes lie: each content once, under its SHA-256, in the instance's `attachments` folder."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from flask import current_app
from sqlalchemy import Table, exists, select

from ..cases.models import Attachment, Observable
from ..extensions import db
from ..organisations.models import Agreement
from .models import Blob

BLOCK = 1024 * 1024
# Whoever adds or takes away content passes here one at a time: bytes and rows then always tell the same story.
GATE = "storage"

blobs = cast("Table", Blob.__table__)
_attachment, _observable, _agreement = (cast("Table", model.__table__) for model in (Attachment, Observable, Agreement))
named = (
    exists().where(_attachment.c.blob_id == blobs.c.id)
    | exists().where(_observable.c.blob_id == blobs.c.id)
    | exists().where(_agreement.c.document_id == blobs.c.id)
)


class Damaged(Exception):
    """The bytes are not there, or not what they were when they were accepted."""


def root() -> Path:
    """The folder of all contents."""
    folder: Path = current_app.config["SETTINGS"].instance / "attachments"
    return folder


def incoming() -> Path:
    """The folder of what is just being received; on the same filesystem, so that a rename is all it takes to keep it."""
    folder = root() / "incoming"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def unnamed() -> Path:
    """The folder of bytes no row names, by the day they were found; see sweep."""
    return root() / "unnamed"


def path_of(sha256: str) -> Path:
    """Where the content with this hash lies."""
    if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
        raise Damaged("not a hash")
    return root() / sha256[:2] / sha256[2:]


def length(path: Path) -> int | None:
    """How long the bytes there are; None where there are none."""
    try:
        return path.stat().st_size
    except OSError:
        return None


def open_content(sha256: str) -> BinaryIO:
    """The content, to read; Damaged when it is gone."""
    try:
        return path_of(sha256).open("rb")
    except OSError as error:
        raise Damaged(f"content {sha256} cannot be read: {error.strerror}") from error


def content(sha256: str, size: int) -> Iterator[bytes]:
    """The content to hand out, piece by piece; Damaged when it is gone or not as long as it was."""
    path = path_of(sha256)
    try:
        length = path.stat().st_size
    except OSError as error:
        raise Damaged(f"content {sha256} cannot be read: {error.strerror}") from error
    if length != size:
        raise Damaged(f"content {sha256} has another length than it had")
    return _pieces(path, sha256)


def _pieces(path: Path, sha256: str) -> Iterator[bytes]:
    """The last piece stays back unless the whole has its hash, so that nobody takes what was changed on the disk for the file."""
    seen, held = hashlib.sha256(), b""
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            seen.update(block)
            if held:
                yield held
            held = block
    if seen.hexdigest() != sha256:
        raise Damaged(f"content {sha256} has changed")
    yield held


def find(sha256: str) -> Any:
    """The row of this content, if there is one."""
    return db.session.connection().execute(select(blobs).where(blobs.c.sha256 == sha256)).one_or_none()


def settle(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
