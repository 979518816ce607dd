"""Receiving files: a request whose files go to the disk while they come, hashed on the way, and are gone at its end unless kept."""

from __future__ import annotations

import hashlib
import json
from typing import IO, Any, cast

from flask import Request, current_app, request

from ..config import Settings
from ..refusals import Refusal
from ..storage.intake import Incoming, Upload, incoming, largest
from ..words import Number, _

MOST_PARTS = 100
AROUND = 1024 * 1024  # what the form itself may have besides its files


class TooLarge(Refusal):
    """More was sent than a form with files may have."""

    status = 413


class Received(Request):
    """Flask's request; where the gate lets files in, they go to the disk."""

    takes_files = False

    def take_files(self) -> None:
        """From here on this request may be as large as its files may be."""
        self.takes_files = True
        self.max_content_length = largest_request(current_app.config["SETTINGS"])
        self.max_form_parts = MOST_PARTS

    def _get_file_stream(
        self, total_content_length: int | None, content_type: str | None, filename: str | None = None, content_length: int | None = None
    ) -> IO[bytes]:
        if not self.takes_files:
            return super()._get_file_stream(total_content_length, content_type, filename, content_length)
        place = incoming()
        self.__dict__.setdefault("incoming", []).append(place)
        return cast("IO[bytes]", place)

    def close(self) -> None:
        """Runs at the end of the request, however it ends."""
        super().close()
        for place in self.__dict__.get("incoming", []):
            place.close()


def largest_request(settings: Settings) -> int:
    """How large a request with files may be: as large as one file, for the server stores it before anybody knows who sends it.
    The server in front of the application must let it through."""
    return settings.max_upload * 1_000_000 + AROUND


def too_large() -> str:
    """What would be right, in a sentence."""
    each = largest() // 1_000_000
    return _(
        "This is too much at once. A file may have up to %(megabytes)s MB, and so may all files of one form together, "
        "which are %(most)s at most. Send them in parts.",
        megabytes=Number(each),
        most=MOST_PARTS - 10,
    )


def received(field: str) -> list[Upload]:
    """The files a form sent in this field. An input that nobody used sends a nameless empty one, which is none."""
    found: list[Upload] = []
    for file in request.files.getlist(field):
        place: Any = file.stream
        if isinstance(place, Incoming) and (file.filename or place.size):
            found.append(place.upload(file.filename or ""))
    return found


def fingerprint() -> str:
    """Tells a form that is sent again from one whose words, files or purpose were changed since it was sent with the same mark."""
    said = [[name, value] for name, value in request.form.items(multi=True) if name != "csrf_token"]
    files = [[name, file.filename, _sum_of(file.stream)] for name, file in request.files.items(multi=True)]
    return hashlib.sha256(json.dumps([request.path, said, files]).encode()).hexdigest()


def _sum_of(place: Any) -> str:
    return place.upload("").sha256 if isinstance(place, Incoming) else ""
