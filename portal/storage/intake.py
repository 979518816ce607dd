"""Taking files in: streamed to the disk while they are hashed, judged, and kept once by content."""

from __future__ import annotations

import hashlib
import os
import secrets
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import puremagic
from flask import current_app
from sqlalchemy import insert, update

from ..clock import now
from ..config import Settings
from ..database import queue_up
from ..extensions import db
from ..refusals import Refusal
from ..words import Number, _
from . import store
from .models import Blob

LONGEST_NAME = 255
LONGEST_TYPE = 128
HEAD = 64 * 1024  # as much of a file as its type is guessed from
UNKNOWN = "application/octet-stream"


@dataclass(frozen=True)
class Upload:
    """A file that was received: its bytes lie under `path` until they are kept. `unwritten`: the disk did not take them."""

    name: str
    path: Path
    size: int
    sha256: str
    sha1: str
    md5: str
    content_type: str
    unwritten: bool = False


class Incoming:
    """What a request's file is written to: hashed on its way to the disk, and never in memory. Of one that is too large
    only the size is kept."""

    def __init__(self, folder: Path, largest: int) -> None:
        self.path = folder / f"{secrets.token_hex(12)}.part"
        self.size, self.unwritten = 0, False
        self._largest = largest
        self._hashes = {name: hashlib.new(name, usedforsecurity=False) for name in ("sha256", "sha1", "md5")}
        self._file: BinaryIO | None = None
        self._head = b""

    def write(self, data: bytes) -> int:
        """Take the next piece."""
        self.size += len(data)
        try:
            if self._file is None and not self.unwritten:
                self._file = os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "wb")
            if self.size > self._largest:
                self._let_go()
            elif self._file:
                self._file.write(data)
        except OSError:  # a full disk: said of this file, others may still fit
            self._let_go()
            self.unwritten = True
        if self._file:
            self._head += data[: HEAD - len(self._head)]
            for sum_ in self._hashes.values():
                sum_.update(data)
        return len(data)

    def _let_go(self) -> None:
        if self._file and not self._file.closed:
            with suppress(OSError):  # what cannot be written is not wanted any more
                os.ftruncate(self._file.fileno(), 0)
            with suppress(OSError):
                self._file.close()
        self._file, self.unwritten = None, True

    def seek(self, _offset: int, _whence: int = 0) -> int:
        """The parser has seen the end: everything goes down to the disk."""
        if self._file and not self._file.closed:
            try:
                self._file.flush()
                os.fsync(self._file.fileno())
                self._file.close()
            except OSError:  # the last bytes found the disk full
                self._let_go()
        return 0

    def upload(self, name: str) -> Upload:
        """The file as it was received."""
        sums = {kind: sum_.hexdigest() for kind, sum_ in self._hashes.items()}
        unwritten = self.unwritten and self.size <= self._largest
        return Upload(clean_name(name), self.path, self.size, **sums, content_type=sniff(self._head), unwritten=unwritten)

    def close(self) -> None:
        """Throw away what was not kept."""
        if self._file and not self._file.closed:
            with suppress(OSError):
                self._file.close()
        self.path.unlink(missing_ok=True)


def incoming() -> Incoming:
    """A place for one file that is about to come."""
    return Incoming(store.incoming(), largest())


def largest() -> int:
    """How many bytes one file may have."""
    return _settings().max_upload * 1_000_000


def most_files() -> int:
    """How many files a case can have."""
    return _settings().max_files


def forbidden() -> frozenset[str]:
    """Extensions that are not taken, in small letters and without the dot."""
    words = _settings().forbidden_extensions.replace(",", " ").split()
    return frozenset(word.strip().lstrip(".").lower() for word in words)


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings


def clean_name(name: str) -> str:
    """The name without its path and without what nobody can see or what turns text around; never empty."""
    name = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(" " if c.isspace() else c for c in name if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Cn", "Co"))
    name = " ".join(name.split()).rstrip(". ")
    return shortened(name) or "file"


def shortened(name: str, more: str = "") -> str:
    """At most 255 characters with `more` before the extension; what is cut is the middle of the name."""
    stem, dot, extension = name.rpartition(".")
    if not dot or not stem or len(extension) > 20:
        stem, extension = name, ""
    ending = f"{more}.{extension}" if extension else more
    return f"{stem[: LONGEST_NAME - len(ending)]}{ending}"


def sniff(head: bytes) -> str:
    """The type as the content has it, for people to read; nothing is decided by it, and what a browser claims counts for nothing."""
    if head.startswith(b"PK\3\4") and b"[Content_Types].xml" not in head:
        return "application/zip"  # every office document begins like this, so a plain archive would be taken for one
    try:
        found: str = puremagic.from_string(head, mime=True)
    except (puremagic.PureError, ValueError, IndexError):
        found = ""
    return found[:LONGEST_TYPE] or ("text/plain" if _is_text(head) else UNKNOWN)


def _is_text(head: bytes) -> bool:
    try:
        text = head[: HEAD - 4].decode() if len(head) < HEAD else head[:-4].decode(errors="ignore")
    except UnicodeDecodeError:
        return False
    return bool(text) and not any(c < " " and c not in "\t\r\n\f\x1b" for c in text)


def check(upload: Upload) -> None:
    """Refuse, by name, what is empty, too large, or of a kind that is not taken here."""
    if upload.size == 0:
        raise Refusal(_("“%(file)s” is empty. Choose a file with something in it.", file=upload.name))
    if upload.size > largest():
        most = Number(_settings().max_upload)
        raise Refusal(_("“%(file)s” is too large. A file may have up to %(most)s MB.", file=upload.name, most=most))
    endings = {part.lower() for part in upload.name.split(".")[1:]}
    if refused := sorted(endings & forbidden()):
        raise Refusal(
            _(
                "“%(file)s” is of a kind that is not taken here (.%(ending)s). Put it into an archive, or send it another way.",
                file=upload.name,
                ending=refused[0],
            )
        )
    if upload.unwritten:
        raise Refusal(
            _("“%(file)s” could not be stored: there is no room on the disk. Tell your administrator, then try again.", file=upload.name)
        )


def _refused(upload: Upload) -> bool:
    try:
        check(upload)
    except Refusal:
        return True
    return False


def once(uploads: Iterable[Upload]) -> tuple[list[Upload], list[str]]:
    """Each of the files sent together once, and a sentence for each that was chosen again: the same name and the same content.
    Of what `check` refuses that alone is said."""
    found: dict[tuple[str, str], Upload] = {}
    twice: dict[tuple[str, str], str] = {}
    for upload in uploads:
        key = (upload.name, upload.sha256)
        if key in found and not _refused(upload):
            twice[key] = _("“%(file)s” was chosen twice. It is the same file, so it is taken once.", file=upload.name)
        found.setdefault(key, upload)
    return list(found.values()), list(twice.values())


def keep(upload: Upload) -> Blob:
    """Keep the content; once, however many files have it, and whole again where it was lost or cut short. Inside the transaction
    that will name it: a kill at any moment leaves bytes without a row at worst, and the sweep sets those aside."""
    queue_up(store.GATE)
    known = store.find(upload.sha256)
    target = store.path_of(upload.sha256)
    if known is None or store.length(target) != upload.size:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        upload.path.replace(target)
        store.settle(target.parent)
        store.settle(target.parent.parent)
    if known is None:
        return _new_row(upload)
    if known.unused_since is not None:
        db.session.connection().execute(update(store.blobs).where(store.blobs.c.id == known.id).values(unused_since=None))
    return Blob(**{**known._mapping, "unused_since": None})


def _new_row(upload: Upload) -> Blob:
    values: dict[str, Any] = {
        "sha256": upload.sha256,
        "sha1": upload.sha1,
        "md5": upload.md5,
        "size": upload.size,
        "created_at": now(),
    }
    result = db.session.connection().execute(insert(store.blobs).values(values))
    assert result.inserted_primary_key is not None
    return Blob(id=result.inserted_primary_key[0], **values)


def upload_of(name: str, data: bytes) -> Upload:
    """Bytes at hand, written down like a file that was received."""
    place = incoming()
    place.write(data)
    place.seek(0)
    return place.upload(name)
