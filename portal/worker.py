"""What is done beside the requests: letters in one thread, chores in another, so that neither waits for the other."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import click
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from .accounts import purge, reminders, team_news
from .database import learn
from .extensions import db
from .mail import sender
from .mail.outbox import posted
from .sharing import ending
from .storage import sweep

log = logging.getLogger("portal.worker")

LOOK_EVERY = 2.0
ENDINGS_EVERY = 60.0
DIGEST_EVERY = 600.0
PURGE_EVERY = 3600.0


@dataclass
class Chore:
    """Something to do now and again, in seconds; the first time at once."""

    name: str
    act: Callable[[], Any]
    every: float
    at: float = field(default_factory=time.monotonic)


def do_chores(app: Flask, stop: threading.Event) -> None:
    """Write down endings of sharing, throw away what has had its time, clear the store, until told to stop."""

    def purge_all() -> None:
        while purge.purge() and not stop.is_set():
            pass  # a batch at a time, so that nobody waits for it

    chores = (
        Chore("endings", ending.tick, ENDINGS_EVERY),
        Chore("reminders", reminders.tick, ENDINGS_EVERY),
        Chore("people digest", team_news.tick, DIGEST_EVERY),
        Chore("purge", purge_all, PURGE_EVERY),
        Chore("statistics", learn, PURGE_EVERY),
        Chore("storage", sweep.Clock().tick, LOOK_EVERY),
    )
    while not stop.is_set():
        for chore in chores:
            if time.monotonic() >= chore.at and not stop.is_set():
                chore.at = time.monotonic() + chore.every
                _do(app, chore)
        stop.wait(LOOK_EVERY)


def _do(app: Flask, chore: Chore) -> None:
    """Whatever happens, the other chores are done and this one is tried again in its time."""
    with app.app_context():
        try:
            chore.act()
        except SQLAlchemyError as error:
            log.warning("not done (%s): %s", chore.name, str(error).splitlines()[0])
            db.session.rollback()
        except Exception:
            log.exception("not done: %s", chore.name)
            db.session.rollback()


class Background:
    """Both threads, until `end`."""

    def __init__(self, app: Flask) -> None:
        self._stop = threading.Event()
        self._sender = self._start(sender.run, app, "mail-sender")
        self._chores = self._start(do_chores, app, "chores")

    def _start(self, work: Callable[[Flask, threading.Event], None], app: Flask, name: str) -> threading.Thread:
        thread = threading.Thread(target=work, args=(app, self._stop), name=name, daemon=True)
        thread.start()
        return thread

    def end(self, seconds: float) -> bool:
        """Let both finish what they have in hand, but no longer than this; whether the letter was finished.

        A chore that is cut off has lost nothing: the next start takes it up again.
        """
        until = time.monotonic() + seconds
        self._stop.set()
        posted.set()
        for thread in (self._sender, self._chores):
            thread.join(max(0.0, until - time.monotonic()))
        return not self._sender.is_alive()


def work(app: Flask) -> None:
    """Send mail and do the chores until told to stop."""
    told = threading.Event()

    def finish(*_: Any) -> None:
        told.set()

    signal.signal(signal.SIGTERM, finish)
    signal.signal(signal.SIGINT, finish)
    click.echo("Sending mail. Stop with Ctrl+C.")
    background = Background(app)
    told.wait()
    background.end(sender.LEASE.total_seconds())
