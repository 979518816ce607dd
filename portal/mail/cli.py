"""Commands about mail."""

from __future__ import annotations

import signal
import smtplib
import threading
from email.utils import make_msgid
from typing import Any

import click
from flask import Flask

from ..extensions import mail
from .letters import write
from .models import OutboxMessage
from .sender import run
from .transport import Unanswered, explain, send


def work(app: Flask) -> None:
    """Send mail until told to stop."""
    stop = threading.Event()

    def finish(*_: Any) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, finish)
    signal.signal(signal.SIGINT, finish)
    click.echo("Sending mail. Stop with Ctrl+C.")
    run(app, stop)


def send_test(app: Flask, address: str) -> None:
    """Send one letter outside the queue, so that the answer is the server's own."""
    settings = app.config["SETTINGS"]
    with app.app_context():
        letter = write(OutboxMessage(letter="mail_test", to_address=address))
        assert letter is not None
        try:
            how = send(mail, letter, make_msgid(domain="mail-test.invalid"), started=lambda: None)
        except (Unanswered, smtplib.SMTPException, OSError) as error:
            where = f"{settings.smtp_host}:{settings.smtp_port} ({settings.smtp_security})"
            raise click.ClickException(f"Not sent by {where}: {explain(error)}.") from error
    if how == "smtp":
        click.echo(f"{settings.smtp_host} accepted the letter to {address}.")
    else:
        click.echo(f"Mail is not set up; the letter was written to {settings.mail_folder / how}. Set PORTAL_SMTP_HOST to send.")
