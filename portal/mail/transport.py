"""How a letter leaves: Flask-Mail over SMTP with verified TLS and time limits, or a file where no server is configured."""

from __future__ import annotations

import contextlib
import os
import smtplib
import socket
import ssl
from collections.abc import Callable
from email.utils import make_msgid
from typing import Any

from flask_mail import Connection, Mail, Message

from ..config import Settings
from ..extensions import mail as post_office
from .letters import Letter, write
from .models import OutboxMessage

SECONDS = 10
Started = Callable[[], None]


class Unanswered(Exception):
    """The server took the whole text but never said whether it keeps it."""


class _Phases:
    """Calls back just before the text is sent: from there on the outcome may stay unknown."""

    started: Started | None = None
    in_data = False

    def data(self, message: Any) -> tuple[int, bytes]:
        if self.started:
            self.started()
        self.in_data = True
        answer: tuple[int, bytes] = super().data(message)  # type: ignore[misc]
        self.in_data = False
        return answer


class _Smtp(_Phases, smtplib.SMTP):
    pass


class _SmtpTls(_Phases, smtplib.SMTP_SSL):
    pass


class VerifiedConnection(Connection):
    """Flask-Mail's own neither verifies certificates nor gives up on a silent server (dependencies.md)."""

    host: Any
    settings: Settings
    started: Started | None = None

    def __exit__(self, *_: object) -> None:
        # A server that hangs up before our QUIT has still said yes or no to the letter.
        with contextlib.suppress(smtplib.SMTPException, OSError):
            self.host.quit()

    def configure_host(self) -> Any:
        """Connect, encrypt as configured, sign in."""
        settings = self.settings
        context = ssl.create_default_context(cafile=settings.smtp_ca_file or None)
        if settings.smtp_security == "tls":
            host: Any = _SmtpTls(settings.smtp_host, settings.smtp_port, timeout=SECONDS, context=context)
        else:
            host = _Smtp(settings.smtp_host, settings.smtp_port, timeout=SECONDS)
        try:
            if settings.smtp_security == "starttls":
                host.starttls(context=context)
            if settings.smtp_username:
                host.login(settings.smtp_username, settings.smtp_password)
        except (smtplib.SMTPException, OSError):
            host.close()  # nobody else would: the caller gets no connection
            raise
        host.started = self.started
        return host


def send(mail: Mail, letter: Letter, message_id: str, *, settings: Settings, started: Started) -> str:
    """Deliver one letter and say how: "smtp" or the file's name. Raises Unanswered, smtplib's or the system's errors.

    The settings are handed in, so that nothing is asked of the database while a server is slow.
    """
    message = _message(letter, message_id, settings)
    if not settings.smtp_host:
        started()
        return _to_file(message, settings)
    connection = VerifiedConnection(mail)
    connection.settings, connection.started = settings, started
    try:
        with connection:
            connection.send(message)
    except (smtplib.SMTPServerDisconnected, OSError) as error:
        host = getattr(connection, "host", None)
        if host is not None and host.in_data and not isinstance(error, smtplib.SMTPResponseException):
            raise Unanswered(str(error)) from error
        raise
    return "smtp"


def _subject(text: str) -> str:
    """What people called a case, themselves or their organisation stands in it. An encoded word among that (=?utf-8?q?...?=) would be
    decoded when the letter is written out, line breaks, further headers and a body of its own included; so it is no longer one."""
    return " ".join(text.split()).replace("=?", "= ?")


def _message(letter: Letter, message_id: str, settings: Settings) -> Message:
    message = Message(subject=_subject(letter.subject), recipients=[letter.to], sender=settings.mail_from)
    message.body, message.html = letter.text, letter.html
    message.msgId = message_id
    message.extra_headers = {"Auto-Submitted": "auto-generated"}
    return message


def _to_file(message: Message, settings: Settings) -> str:
    folder = settings.mail_folder
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = "".join(c if c.isalnum() else "-" for c in str(message.msgId).strip("<>"))[:100]
    # The same letter is the same file: written again after a crash, it is still one letter.
    draft, path = folder / f".{name}.part", folder / f"{name}.eml"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(message.as_bytes())
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    return path.name


def send_test(address: str, settings: Settings) -> str:
    """Send one test letter now, past the outbox, so that the answer is the server's own; how, as `send` says it."""
    letter = write(OutboxMessage(letter="mail_test", to_address=address))
    assert letter is not None
    return send(post_office, letter, make_msgid(domain="mail-test.invalid"), settings=settings, started=lambda: None)


def explain(error: BaseException) -> str:
    """A failure in words for the administrator; no traceback, no password."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, text = next(iter(error.recipients.values()))
        return f"the server refused the recipient ({code} {text.decode(errors='replace')[:150]})"
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return "the server refused the user name or password"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the server answered {error.smtp_code} {_decoded(error.smtp_error)[:150]}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return "the server's certificate is not trusted or names another host"
    if isinstance(error, socket.gaierror):
        return "the server's name cannot be resolved"
    if isinstance(error, TimeoutError):
        return "the server did not answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "nobody answers at the server's address"
    return (str(error) or type(error).__name__)[:200]


def _decoded(said: Any) -> str:
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)


def is_permanent(error: BaseException) -> bool:
    """Whether trying again cannot help: the server said a definite no."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(500 <= code < 600 for code, _ in error.recipients.values())
    return (
        isinstance(error, smtplib.SMTPResponseException)
        and 500 <= error.smtp_code < 600
        and not isinstance(error, smtplib.SMTPAuthenticationError)
    )


__all__ = ["Unanswered", "explain", "is_permanent", "send", "send_test"]
