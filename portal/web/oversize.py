"""Requests larger than the server reads: whoever sent one is answered by a page of the product, and what they sent is never read."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from waitress.channel import HTTPChannel
from waitress.task import ErrorTask, WSGITask
from waitress.utilities import RequestEntityTooLarge

UNREAD = "portal.unread"  # in the environment of such a request; no header can put it there


class _Unread(WSGITask):  # type: ignore[misc]
    """The application answers, as to an empty form; the connection ends with it, for what still comes is no request."""

    def execute(self) -> None:
        self.set_close_on_finish()
        super().execute()

    def get_environment(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environment()
        environ.update({UNREAD: True, "CONTENT_LENGTH": "0", "wsgi.input": BytesIO()})
        return environ


def _refusal(channel: HTTPChannel, request: Any) -> Any:
    return (_Unread if isinstance(request.error, RequestEntityTooLarge) else ErrorTask)(channel, request)


def install() -> None:
    """Let the application say it, instead of the server's one bare line in English."""
    HTTPChannel.error_task_class = staticmethod(_refusal)
