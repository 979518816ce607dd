"""Handing out files: always as a download, in a sandbox, streamed, and only while the bytes are what they were."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from flask import Response, current_app, request

from ..refusals import Refusal
from ..storage import store
from ..words import _

POLICY = "sandbox; default-src 'none'"
# Whether bytes are what they were is known when all were read, so a part is handed out after that, and of smaller files only.
PARTS_UP_TO = 64 * 1024 * 1024


class Lost(Refusal):
    """The bytes of a file are missing or were changed on the disk."""

    status = 410


def send(name: str, sha256: str, size: int) -> Response:
    """The content under this name. Whoever has it already is told so; a part of it can be asked for."""
    answer = Response(_content(sha256, size), content_type="application/octet-stream", direct_passthrough=True)
    answer.headers["Content-Disposition"] = disposition(name)
    answer.headers["Content-Security-Policy"] = POLICY
    answer.content_length = size
    answer.set_etag(sha256)
    answer.make_conditional(request, accept_ranges=size <= PARTS_UP_TO, complete_length=size)
    if answer.status_code == 206:
        _content(sha256, size, whole=True)
    return answer


def _content(sha256: str, size: int, *, whole: bool = False) -> Iterator[bytes]:
    """The bytes to hand out; Lost where they are not what they were, as far as can be told before all of them are read."""
    try:
        content = store.content(sha256, size)
        for _part in content if whole else ():
            pass
        return content
    except store.Damaged as error:
        current_app.logger.error("download refused: %s", error)
        raise Lost(
            _("The content of this file is missing or damaged, so it is not handed out. Tell the administrator of this system.")
        ) from error


def disposition(name: str) -> str:
    """The header that names a download, as RFC 6266 has it: plain letters for the old, all of them for the others."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%;' else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def only_asks() -> bool:
    """Whether this is a HEAD, which shows nothing and leaves no mark. The gate lets it pass for GET; the server kept the word."""
    return bool(request.environ["REQUEST_METHOD"] == "HEAD")


def hands_out(answer: Any) -> bool:
    """Whether it hands out any of the content: what goes on record."""
    return answer.status_code in (200, 206) and not only_asks()
