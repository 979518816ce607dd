"""Clearing away what nothing names any more, and comparing rows with bytes; never more than one content at a time is held up."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import delete, select, update

from ..clock import now
from ..database import queue_up, start_writing
from ..extensions import db
from . import store
from .store import blobs, named

log = logging.getLogger("portal.storage")

UNUSED_FOR = timedelta(hours=24)
SET_ASIDE_FOR = timedelta(days=30)
STALE_SECONDS = 24 * 3600  # an upload that takes longer than a day is none
# More files without a row than this, and more than half of all: then the database is more likely the wrong one than the files.
MANY = 20
EVERY = 3600.0
BATCH = 200


@dataclass
class Found:
    """What a check came upon: hashes of rows whose bytes are missing or changed, and files no row names. `aside`: what was moved
    out of the way for that, and on which day."""

    rows: int = 0
    missing: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unnamed: list[str] = field(default_factory=list)
    aside: list[tuple[date, str]] = field(default_factory=list)

    @property
    def well(self) -> bool:
        """Whether everything that was accepted is there, byte for byte. Files without a row are the sweep's business."""
        return not (self.missing or self.changed)


def sweep() -> int:
    """Remove contents unused for a day and leftovers of broken uploads; how many files went. Bytes no row ever named are moved out
    of the way, and removed 30 days later."""
    _note_unused()
    gone = 0
    while batch := _remove_rows():
        gone += sum(_take_away(store.path_of(sha256), None) for sha256 in batch)
    _set_aside()
    return gone + _clear_aside() + _remove_leftovers()


def _note_unused() -> None:
    """Nobody says so when a file, an observable, a log or a whole case goes: the rows that name a content do."""
    start_writing()
    queue_up(store.GATE)
    connection = db.session.connection()
    connection.execute(update(blobs).where(blobs.c.unused_since.is_(None), ~named).values(unused_since=now()))
    connection.execute(update(blobs).where(blobs.c.unused_since.is_not(None), named).values(unused_since=None))
    db.session.commit()


def _remove_rows() -> list[str]:
    """The rows first: killed here, bytes without a row are left, and the next sweep sets them aside."""
    start_writing()
    queue_up(store.GATE)
    connection = db.session.connection()
    old = select(blobs.c.id, blobs.c.sha256).where(blobs.c.unused_since < now() - UNUSED_FOR, ~named).limit(BATCH)
    rows = connection.execute(old).all()
    connection.execute(delete(blobs).where(blobs.c.id.in_([row.id for row in rows])))
    db.session.commit()
    return [row.sha256 for row in rows]


def _contents() -> Iterator[Path]:
    for folder in _folders():
        yield from sorted(folder.iterdir())


def _folders() -> list[Path]:
    return sorted(store.root().glob("[0-9a-f][0-9a-f]"))


def _hash_of(path: Path) -> str:
    return path.parent.name + path.name


def _set_aside() -> None:
    unnamed: list[Path] = []
    total = 0
    for folder in _folders():
        paths, known = sorted(folder.iterdir()), _known(folder.name)
        db.session.rollback()
        total += len(paths)
        unnamed += [path for path in paths if _hash_of(path) not in known]
    if len(unnamed) > MANY and len(unnamed) * 2 > total:
        log.error(
            "%s of %s stored files are in no row of this database, so none was touched. Is it the database these files belong to?",
            len(unnamed),
            total,
        )
        return
    aside = store.unnamed() / now().date().isoformat()
    if moved := sum(_take_away(path, aside) for path in unnamed):
        log.warning("%s stored files are in no row of the database; they lie in %s now", moved, aside)


def _take_away(path: Path, aside: Path | None) -> bool:
    """Remove bytes no row names, or move them aside. Whoever keeps a content holds the gate from placing its bytes until its row is
    committed, so the answer under the gate is the true one."""
    sha256 = _hash_of(path)
    start_writing()
    queue_up(store.GATE)
    there = sha256 not in _known(sha256) and path.exists()
    if there and aside is None:
        path.unlink()
    elif there and aside is not None:
        aside.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.replace(aside / sha256)
    db.session.rollback()
    return there


def _aside() -> Iterator[tuple[date, Path]]:
    for path in sorted(store.unnamed().glob("[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]/*")):
        yield date.fromisoformat(path.parent.name), path


def _clear_aside() -> int:
    """Put back what a row names after all, as when the right database is here again; remove what has lain aside for long."""
    gone = 0
    for day, path in _aside():
        start_writing()
        queue_up(store.GATE)
        if _known(path.name):
            _put_back(path)
        elif day < (now() - SET_ASIDE_FOR).date():
            path.unlink(missing_ok=True)
            gone += 1
        db.session.rollback()
        with suppress(OSError):  # something else lies there still
            path.parent.rmdir()
    return gone


def _put_back(path: Path) -> None:
    target = store.path_of(path.name)
    if target.exists():
        path.unlink(missing_ok=True)
    else:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.replace(target)


def _known(beginning: str) -> set[str]:
    """Hashes with this beginning, or this hash, that have a row."""
    wanted = select(blobs.c.sha256).where(blobs.c.sha256.between(beginning, beginning + "g"))
    return set(db.session.connection().scalars(wanted))


def _remove_leftovers() -> int:
    gone = 0
    for path in store.incoming().glob("*.part"):
        try:
            if now().timestamp() - path.stat().st_mtime > STALE_SECONDS:
                path.unlink()
                gone += 1
        except FileNotFoundError:
            continue  # its upload has just come to its end
    return gone


def check() -> Found:
    """Compare every row with its bytes, and every file with the rows."""
    found = Found()
    names = set()
    for sha256, size in db.session.connection().execute(select(blobs.c.sha256, blobs.c.size)).all():
        found.rows += 1
        names.add(sha256)
        if (problem := _problem(sha256, size)) is not None:
            getattr(found, problem).append(sha256)
    found.unnamed = [_hash_of(path) for path in _contents() if _hash_of(path) not in names]
    found.aside = [(day, path.name) for day, path in _aside()]
    db.session.rollback()
    return found


def _problem(sha256: str, size: int) -> str | None:
    seen, count = hashlib.sha256(), 0
    try:
        with store.open_content(sha256) as file:
            while block := file.read(store.BLOCK):
                seen.update(block)
                count += len(block)
    except store.Damaged:
        return "missing"
    return None if (seen.hexdigest(), count) == (sha256, size) else "changed"


class Clock:
    """Says when the next sweep is due; the first one comes soon after the start."""

    def __init__(self) -> None:
        self._at = time.monotonic() + 60

    def tick(self) -> None:
        """Sweep if it is time."""
        if time.monotonic() < self._at:
            return
        self._at = time.monotonic() + EVERY
        if gone := sweep():
            log.info("%s unused files were removed", gone)
