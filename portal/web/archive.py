"""A ZIP that is written while it is sent: no part of it waits in memory or on the disk, however slowly it is taken."""

from __future__ import annotations

import threading
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from flask import Response, current_app

from ..refusals import TooMany
from ..storage import store
from ..words import _, language, speaking
from .downloads import POLICY, disposition

# Each one keeps a thread busy for as long as its taker likes; the others are for everybody's pages.
AT_ONCE = 3
BUSY_SECONDS = 60
# How long a turn lasts: who takes slowly breaks off at the next piece after that, without an end. Who takes nothing at all is never asked
# for the next piece; their turn is over all the same, and the server that waits for them has a limit of its own for silent connections.
TURN_SECONDS = 15 * 60
LONGEST_NAME = 180  # bytes; with the folder in front it fits every file system
FORBIDDEN = frozenset('<>:"/\\|?*')
DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))})


class TurnOver(Exception):
    """It took longer than a turn lasts."""


@dataclass(frozen=True)
class Member:
    """A file and the name it gets. `read` is asked when its turn comes. What it raises ends the download without an end, so that
    nobody takes it for whole; only content that is Damaged is left out. `size`: as far as it is known before."""

    name: str
    size: int
    moment: datetime
    read: Callable[[], Iterator[bytes]]


class Turns:
    """Who takes one right now: a few people at once, and each of them one."""

    def __init__(self, at_once: int) -> None:
        self._at_once, self._lock, self._takers = at_once, threading.Lock(), dict[int, float]()

    def take(self, person: int) -> float:
        """Begin, or TooMany. Answers when the turn is over, on the clock that is never set."""
        moment = time.monotonic()
        with self._lock:
            self._takers = {taker: end for taker, end in self._takers.items() if end > moment}
            if person in self._takers:
                raise TooMany(_("You are downloading a case already. Wait until it is there, then take the next one."), BUSY_SECONDS)
            if len(self._takers) >= self._at_once:
                raise TooMany(_("Others are downloading right now. Wait a minute, then try again."), BUSY_SECONDS)
            self._takers[person] = moment + TURN_SECONDS
            return self._takers[person]

    def give_back(self, person: int, end: float) -> None:
        """Another one may begin. Who has begun the next one meanwhile, because this one was over, keeps that."""
        with self._lock:
            if self._takers.get(person) == end:
                del self._takers[person]


turns = Turns(AT_ONCE)


def send_archive(name: str, person: int, members: Iterable[Member], moment: datetime) -> Response:
    """All of them as one download. `moment`: when it was made, on its reader's clock."""
    pieces = _held(person, turns.take(person), _pieces(members, moment, current_app.logger, language()))
    next(pieces)  # from here on its end gives the turn back, whatever becomes of the answer
    answer = Response(pieces, content_type="application/zip")
    answer.headers["Content-Disposition"] = disposition(name)
    answer.headers["Content-Security-Policy"] = POLICY
    return answer


def _held(person: int, end: float, pieces: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield b""
        for piece in pieces:
            if time.monotonic() > end:
                raise TurnOver
            yield piece
    finally:
        turns.give_back(person, end)


class _Pipe:
    """What the ZIP is written to; it cannot go back, so what was taken is gone."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None: ...

    def take(self) -> bytes:
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


def _pieces(members: Iterable[Member], moment: datetime, log: Any, spoken: str) -> Iterator[bytes]:
    pipe, lost = _Pipe(), []
    with ZipFile(cast("Any", pipe), "w", ZIP_DEFLATED) as archive:
        for member in members:
            try:
                yield from _content(archive, pipe, member)
            except store.Damaged as error:
                log.error("left out of a download: %s", error)
                lost.append(member.name)
                _forget(archive, member.name)
        if lost:
            with speaking(spoken):
                text = _("The content of these files is missing or damaged, so they are not here. Tell the security team.")
            archive.writestr(_info("missing.txt", moment), f"{text}\r\n\r\n" + "".join(f"{name}\r\n" for name in lost))
    yield pipe.take()


def _content(archive: ZipFile, pipe: _Pipe, member: Member) -> Iterator[bytes]:
    content = member.read()
    info = _info(member.name, member.moment, member.size)
    with archive.open(info, "w", force_zip64=member.size > 1 << 30) as entry:
        for piece in content:
            entry.write(piece)
            yield pipe.take()
    yield pipe.take()


def _forget(archive: ZipFile, name: str) -> None:
    """What was begun and turned out damaged is not in the table of contents, so no program shows it."""
    archive.filelist[:] = [info for info in archive.filelist if info.filename != name]
    archive.NameToInfo.pop(name, None)


def _info(name: str, moment: datetime, size: int = 0) -> ZipInfo:
    info = ZipInfo(name, (max(moment.year, 1980), *moment.timetuple()[1:6]))
    info.compress_type, info.external_attr, info.file_size = ZIP_DEFLATED, 0o600 << 16, size
    info._compresslevel = 1  # type: ignore[attr-defined]  # most files are packed already; the server has other work
    return info


def fitting_names(names: Iterable[str], folder: str) -> list[str]:
    """Names for these files in one folder, on every system: nothing that climbs out of it, no two that are the same."""
    taken: set[str] = set()
    told = []
    for name in names:
        stem, extension = _split(_clean(name))
        place, count = stem + extension, 1
        while place.casefold() in taken:
            count += 1
            place = f"{stem} ({count}){extension}"
        taken.add(place.casefold())
        told.append(f"{folder}/{place}")
    return told


def _clean(name: str) -> str:
    name = unicodedata.normalize("NFC", name)
    name = "".join("_" if c in FORBIDDEN or unicodedata.category(c)[0] == "C" else c for c in name)
    name = name.strip(" .") or "file"
    return f"_{name}" if name.split(".")[0].strip().casefold() in DEVICES else name


def _split(name: str) -> tuple[str, str]:
    """Stem and extension, the stem cut to what fits."""
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension) > 12:
        stem, extension = name, ""
    room = LONGEST_NAME - len(extension.encode()) - 8
    return stem.encode()[:room].decode(errors="ignore").rstrip(" .") or "file", f".{extension}" if extension else ""
