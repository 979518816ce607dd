"""Commands about mail."""

from __future__ import annotations

import smtplib
from pathlib import Path

import click
from flask import Flask
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from ..config import Settings
from ..settings import values
from . import transport
from .transport import Unanswered, explain


def send_test(app: Flask, address: str) -> None:
    """Send one letter outside the queue, so that the answer is the server's own."""
    with app.app_context():
        settings = _settings(app)
        try:
            how = transport.send_test(address, settings)
        except (Unanswered, smtplib.SMTPException, OSError) as error:
            where = f"{settings.smtp_host}:{settings.smtp_port} ({settings.smtp_security})"
            raise click.ClickException(f"Not sent by {where}: {explain(error)}.") from error
    if how == "smtp":
        click.echo(f"{settings.smtp_host} accepted the letter to {address}.")
    else:
        click.echo(f"Mail is not set up; the letter was written to {settings.mail_folder / how}. Set PORTAL_SMTP_HOST to send.")


def _settings(app: Flask) -> Settings:
    """What holds now, with what administrators set; a database that is not there, or older, has nothing to say about it."""
    settings: Settings = app.config["SETTINGS"]
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        return settings
    try:
        return values.current()
    except DBAPIError:
        return settings
