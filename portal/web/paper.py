"""Documents as PDF, made in a process of its own: whatever a text does to its setter there, the server goes on."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from flask import Response, current_app

from ..refusals import Refusal, TooMany
from ..words import _
from .archive import Turns
from .downloads import POLICY, disposition

PRESS = Path(__file__).with_name("press.py")
SECONDS = 20
PATIENCE = 5.0  # seconds to wait for the one before
NO_LIBRARY = 3  # the exit code of press.py
# All the process needs to know of this one: no secret is among them.
HANDED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "XDG_CACHE_HOME", "FONTCONFIG_FILE", "FONTCONFIG_PATH", "SYSTEMROOT", "TEMP")
_turn = threading.Lock()
# Who waits for a document, or has it made: so few that the other threads are there for everybody's pages.
_takers = Turns(4)
# Its setter looks at the rest of a piece of text for each line of it: one word of 65,536 letters kept it busy for half a minute.
_MARK = re.compile(r"""<(?:"[^"]*"|'[^']*'|[^"'>])*>""")
_PIECE = re.compile(r"(?:(?>&#?\w{1,31};|.){500,999}\s|(?>&#?\w{1,31};|.){1,1000})", re.DOTALL)


class NoPaper(Refusal):
    """There is no PDF here: the library is not installed, so neither is the button there."""

    status = 404


class TooMuch(Refusal):
    """The document could not be made within the limits."""


@lru_cache(maxsize=1)
def possible() -> bool:
    """Whether PDF documents can be made here: the extra `pdf` is installed."""
    return find_spec("weasyprint") is not None


def send_pdf(name: str, paper: IO[bytes]) -> Response:
    """What was printed out, as a download."""
    size = paper.seek(0, os.SEEK_END)
    paper.seek(0)
    answer = Response(_read(paper), content_type="application/pdf")
    answer.content_length = size
    answer.headers["Content-Disposition"] = disposition(name)
    answer.headers["Content-Security-Policy"] = POLICY
    return answer


def _read(paper: IO[bytes]) -> Iterator[bytes]:
    with paper:
        while block := paper.read(64 * 1024):
            yield block


@contextmanager
def one_each(person: int) -> Iterator[None]:
    """While it lasts, this person gets no other document made: who asks for slow ones keeps the press from nobody for long."""
    end = _takers.take(person)
    try:
        yield
    finally:
        _takers.give_back(person, end)


def in_pieces(html: str) -> str:
    """The same with a place to break in long texts, after every thousand characters at the latest, and after a blank where there is one.
    Shorter words stay whole, so that hashes are copied as they are."""
    told, place = [], html.find("<body")
    head, body = html[: max(0, place)], html[max(0, place) :]
    place = 0
    for mark in _MARK.finditer(body):
        told += ["<wbr>".join(_PIECE.findall(body[place : mark.start()])), mark[0]]
        place = mark.end()
    return "".join([head, *told, "<wbr>".join(_PIECE.findall(body[place:]))])


def print_out(html: str) -> IO[bytes]:
    """The document as a file without a name; one at a time, and none longer than its time."""
    if not possible():
        raise NoPaper(_("PDF documents are not made here. Print the page of the case instead: your browser can save it as PDF."))
    if not _turn.acquire(timeout=PATIENCE):
        raise TooMany(_("Another PDF is being made right now. Wait a few seconds, then try again."), 10)
    try:
        return _pressed(in_pieces(html))
    finally:
        _turn.release()


def _pressed(html: str) -> IO[bytes]:
    paper = tempfile.TemporaryFile()  # noqa: SIM115  (whoever sends it closes it)
    env = {name: os.environ[name] for name in HANDED_ON if name in os.environ}
    command = [sys.executable, "-I", str(PRESS), str(SECONDS)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=paper, stderr=subprocess.PIPE, env=env) as press:  # noqa: S603
        try:
            said = press.communicate(html.encode(errors="replace"), timeout=SECONDS)[1]
        except subprocess.TimeoutExpired:
            press.kill()
            said = b"it took too long"
    if press.returncode == 0:
        return paper
    paper.close()
    current_app.logger.error(
        "no PDF was made: exit code %s, %s", press.returncode, said.decode(errors="replace").strip().rpartition("\n")[2][:300]
    )
    if press.returncode == NO_LIBRARY:
        raise NoPaper(
            _("PDF documents cannot be made here right now. Print the page of the case instead: your browser can save it as PDF.")
        )
    raise TooMuch(_("This case is too long for a PDF. Download it as ZIP, or print its page: your browser can save it as PDF."))
