"""ZIP archives: evidence unpacked without trusting what the archive says of itself, and sealed with a password to leave."""

from __future__ import annotations

import stat
import struct
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

from ..refusals import Refusal

PASSWORD = "infected"  # the custom of the field: it keeps scanners and slips of the hand from opening what is inside  # noqa: S105
MOST_ENTRIES = 200
MOST_DIRECTORY = 1024 * 1024  # of the table of contents, which is read as a whole before its entries can be counted
MOST_BYTES = 512 * 1024 * 1024  # unpacked, of one archive
MOST_OLD_BYTES = 16 * 1024 * 1024  # the old encryption is undone in Python, at about a megabyte a second
MOST_TIMES = 250  # how much larger than packed a file may get, once it is larger than this
SMALL = 1024 * 1024
CHUNK = 256 * 1024
STORED, DEFLATED = 0, 8
# What reading a damaged archive can end in, beside what the library calls a bad archive.
BROKEN = (zlib.error, struct.error, EOFError, OSError, ValueError, KeyError, IndexError, OverflowError, NotImplementedError)
NOT_A_ZIP = "This is not a ZIP archive, or it is damaged. Add it as it is, without unpacking."


class Unreadable(Exception):
    """One file in an archive cannot be taken out; `sentence` says why. The others can."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True)
class Entry:
    """A file in an archive. `name`: its last part, as the archive spells it; the caller cleans it. `size`: what the archive claims."""

    name: str
    size: int
    info: Any


class Archive:
    """An opened archive whose table of contents was checked."""

    def __init__(self, opened: Any, password: str, room: int) -> None:
        self._opened, self._room = opened, room
        self._password = (password or PASSWORD).encode()
        self.taken = 0  # bytes
        self.entries = _checked(opened, room)

    def chunks(self, entry: Entry) -> Iterator[bytes]:
        """The content of a file, never more than the archive claimed nor more than the limits."""
        import pyzipper

        self._refuse_odd(entry)
        read = 0
        try:
            with self._opened.open(entry.info, pwd=self._password if entry.info.flag_bits & 1 else None) as content:
                while chunk := content.read(CHUNK):
                    read += len(chunk)
                    self.taken += len(chunk)
                    if read > entry.size or self.taken > self._room:
                        raise Unreadable("It is larger inside than the archive says. It was left out.")
                    yield chunk
        except RuntimeError as error:
            raise Unreadable(_about_password(error)) from None
        except (pyzipper.BadZipFile, *BROKEN):
            raise Unreadable("It is damaged in the archive.") from None
        if read != entry.size:
            raise Unreadable("It is damaged in the archive.")

    def _refuse_odd(self, entry: Entry) -> None:
        method = getattr(entry.info, "compress_type", None)
        if method not in (STORED, DEFLATED):
            raise Unreadable("It is packed in a way that is not read here. Unpack it on your own machine and add the file.")
        if entry.size > SMALL and entry.size > MOST_TIMES * max(entry.info.compress_size, 1):
            raise Unreadable(f"It would grow to more than {MOST_TIMES} times its packed size, as only traps do.")
        if entry.info.flag_bits & 1 and not _is_strong(entry.info) and entry.size > MOST_OLD_BYTES:
            raise Unreadable("It is encrypted in the old way and too large for that. Unpack it on your own machine and add the file.")


def _about_password(error: RuntimeError) -> str:
    if isinstance(error, NotImplementedError):
        return "It is packed in a way that is not read here. Unpack it on your own machine and add the file."
    return "The password does not fit. Type the password of the archive."


def _is_strong(info: Any) -> bool:
    return bool(getattr(info, "wz_aes_version", None))


class _Sparing:
    """The file of an archive; whoever reads a table of contents from it that is too large is stopped before it is in memory."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        if size > MOST_DIRECTORY:
            raise Refusal(f"There are more than {MOST_ENTRIES} files in this archive, or their names are too long. Add it as it is.")
        return self._file.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@contextmanager
def opened(file: IO[bytes], password: str = "", *, room: int = MOST_BYTES) -> Iterator[Archive]:
    """Open an archive to take its files out, at most `room` bytes; or a Refusal about the archive as a whole."""
    import pyzipper

    try:
        found = pyzipper.AESZipFile(_Sparing(file))
    except (pyzipper.BadZipFile, *BROKEN):
        raise Refusal(NOT_A_ZIP) from None
    with found:
        yield Archive(found, password, room)


def _checked(found: Any, room: int) -> list[Entry]:
    """The files among the entries: no folders, no links."""
    infos = [info for info in found.infolist() if not info.is_dir() and not stat.S_ISLNK(info.external_attr >> 16)]
    if not infos:
        raise Refusal("There is no file in this archive.")
    if len(infos) > MOST_ENTRIES:
        raise Refusal(f"There are {len(infos):,} files in this archive; at most {MOST_ENTRIES} are unpacked. Add it as it is.")
    if sum(info.file_size for info in infos) > room:
        raise Refusal(f"This would unpack to more than {MOST_BYTES // 1024**2} MB in all. Add it as it is.")
    end = found.fp.seek(0, 2)
    if sum(info.compress_size for info in infos) > end:
        raise Refusal("The files in this archive lie over one another, as they do in traps only. Add it as it is.")
    return [Entry(_last(info.filename), info.file_size, info) for info in infos]


def _last(path: str) -> str:
    """The last part of a path of any system."""
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2] or "file"


def seal(content: Iterable[bytes], name: str, target: IO[bytes]) -> None:
    """Write a ZIP with one encrypted file in it, a piece at a time."""
    import pyzipper

    with pyzipper.AESZipFile(target, "w", compression=DEFLATED, compresslevel=1, encryption=pyzipper.WZ_AES) as made:
        made.setpassword(PASSWORD.encode())
        with made.open(name, "w", force_zip64=True) as inside:
            for chunk in content:
                inside.write(chunk)
