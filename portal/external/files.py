"""Files that were shared with outsiders, to download."""

from __future__ import annotations

from typing import Any

from flask import g

from ..web.downloads import hands_out, send
from ..web.face import Needs
from .face import external


@external.route("/cases/<id:number>/files/<uid:file>", needs=Needs.SIGNED_IN)
def download(number: int, file: str) -> Any:
    """One file."""
    found = g.window.content(number, file)
    answer = send(found.name, found.sha256, found.size)
    if hands_out(answer):
        g.window.note_download(number, file)
    return answer
