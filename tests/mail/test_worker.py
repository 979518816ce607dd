"""`portal worker` as a real process: ended in the middle of its work again and again, it loses no letter."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete, func, select, update

from portal.cases.models import Case
from portal.clock import now
from portal.config import Settings
from portal.database import start_writing
from portal.extensions import db
from portal.mail.models import OutboxMessage, State
from portal.mail.outbox import post
from tests.fixtures.post import PostOffice, free_port, text_of
from tests.fixtures.server import ROOT, clean_environ, portal_command
from tests.fixtures.world import World


@pytest.fixture
def environ(settings: Settings, smtp_server: PostOffice) -> dict[str, str]:
    """What a process needs to work on the test's database and mail server."""
    known = {"PORTAL_DATABASE_URL": settings.database_url, "PORTAL_SECRET_KEY": settings.secret_key, "PORTAL_MAIL_RETRY_SECONDS": "1"}
    return clean_environ(settings.instance, **known, **smtp_server.environ)


def worker(environ: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(portal_command("worker"), env=environ, cwd=ROOT, stdout=output, stderr=output, start_new_session=True)


def fill(world: World, count: int) -> set[str]:
    db.session.execute(delete(OutboxMessage))
    to, moment = world.people["hanna"], now().isoformat()
    rows = [post("password_changed", organisation_id=None, to_user_id=to, extra={"at": moment}) for _ in range(count)]
    db.session.commit()
    return {row.message_id for row in rows}


def wait_until(there: Callable[[], bool], what: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def end_leases() -> None:
    """As if a minute had passed."""
    start_writing()
    db.session.execute(update(OutboxMessage).where(OutboxMessage.state == State.SENDING).values(leased_until=now()))
    db.session.commit()


def unsent() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count(OutboxMessage.id)).where(OutboxMessage.state != State.SENT)) or 0


def test_a_worker_that_is_killed_loses_nothing(
    app: Flask, world: World, environ: dict[str, str], smtp_server: PostOffice, tmp_path: Path
) -> None:
    with app.app_context():
        wanted = fill(world, 14)
        # Killed before the server says yes, while it thinks, and wherever the clock happens to catch it.
        for command, pause in (("DATA", 0.2), ("RCPT", 0.05), ("DATA", 0.02)):
            before = len(smtp_server.messages)
            smtp_server.stall(pause, at=command)
            process = worker(environ, tmp_path / "worker.log")
            wait_until(lambda before=before: len(smtp_server.messages) >= before + 2, (tmp_path / "worker.log").read_text())
            os.kill(process.pid, signal.SIGKILL)
            process.wait(10)
            end_leases()
        smtp_server.accept()
        process = worker(environ, tmp_path / "worker.log")
        wait_until(lambda: unsent() == 0, "all letters sent")
        process.terminate()
        assert process.wait(10) == 0
    arrived = Counter(letter["Message-ID"] for letter in smtp_server.messages)
    assert set(arrived) == wanted
    assert sum(count - 1 for count in arrived.values()) <= 3  # at most the one in hand at each kill, and told by its Message-ID


def test_two_workers_of_which_one_is_killed_tell_each_news(
    app: Flask, world: World, environ: dict[str, str], smtp_server: PostOffice, tmp_path: Path
) -> None:
    """News to one person go together, whichever worker has them in hand and wherever it dies."""
    hanna, wanted = world.people["hanna"], {world.cases[name] for name in ("shared", "all")}
    with app.app_context():
        db.session.execute(delete(OutboxMessage))
        keys = list(db.session.scalars(select(Case.id).where(Case.number.in_(wanted))))
        for key in keys * 4:
            post("case_status", organisation_id=world.places["here"], to_user_id=hanna, case_id=key, extra={"was": "Closed"})
        db.session.commit()
        smtp_server.stall(0.4, at="DATA")
        first, second = (worker(environ, tmp_path / f"worker-{n}.log") for n in (1, 2))
        wait_until(lambda: len(smtp_server.messages) >= 1, "the first letter")
        os.kill(first.pid, signal.SIGKILL)
        first.wait(10)
        smtp_server.accept()
        for _ in range(3):
            _a_quarter_of_an_hour_later()
            time.sleep(3)
        second.terminate()
        assert second.wait(10) == 0
        db.session.rollback()
        assert set(db.session.scalars(select(OutboxMessage.state))) <= {State.SENT, State.DROPPED}
    arrived = {str(letter["Message-ID"]): text_of(letter) for letter in smtp_server.messages}
    told = {number for text in arrived.values() for number in wanted if f"/portal/cases/{number}" in text}
    assert told == wanted
    assert len(arrived) <= 3  # the one that went first, what the other worker had in hand, and what was left


def _a_quarter_of_an_hour_later() -> None:
    end_leases()
    start_writing()
    db.session.execute(update(OutboxMessage).where(OutboxMessage.state == State.WAITING).values(due_at=now()))
    db.session.execute(update(OutboxMessage).where(OutboxMessage.state == State.SENT).values(sent_at=now() - timedelta(minutes=16)))
    db.session.commit()


def test_a_worker_sends_when_the_server_is_back(
    app: Flask, world: World, environ: dict[str, str], smtp_server: PostOffice, tmp_path: Path
) -> None:
    smtp_server.stop()
    with app.app_context():
        wanted = fill(world, 2)
        process = worker(environ, tmp_path / "worker.log")
        attempts = select(func.min(OutboxMessage.attempts))

        def tried() -> bool:
            db.session.rollback()
            return bool(db.session.scalar(attempts))

        wait_until(tried, "each letter tried once")
        smtp_server.start()
        assert {letter["Message-ID"] for letter in smtp_server.wait_for(2, seconds=30)} == wanted
        process.terminate()
        assert process.wait(10) == 0


def test_a_server_that_is_ended_finishes_the_letter_in_hand(
    app: Flask, world: World, environ: dict[str, str], smtp_server: PostOffice, tmp_path: Path
) -> None:
    smtp_server.stall(1.5, at="DATA")
    with app.app_context():
        fill(world, 5)
        log = tmp_path / "server.log"
        with log.open("ab") as output:
            command = portal_command("serve")
            variables = {**environ, "PORTAL_PORT": str(free_port())}
            process = subprocess.Popen(command, env=variables, cwd=ROOT, stdout=output, stderr=output, start_new_session=True)

        def begun() -> bool:
            db.session.rollback()
            return bool(db.session.scalar(select(func.count(OutboxMessage.id)).where(OutboxMessage.data_started_at.is_not(None))))

        wait_until(begun, "a letter on its way")
        process.terminate()
        assert process.wait(20) == 0, log.read_text()
        db.session.rollback()
        states = Counter(db.session.scalars(select(OutboxMessage.state)))
    assert "Traceback" not in log.read_text()
    assert states[State.SENT] == len(smtp_server.messages)
    assert 1 <= states[State.SENT] < 5
    assert set(states) == {State.SENT, State.WAITING}


def run(environ: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(portal_command(*words), env=environ, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


def test_the_operator_is_told_what_the_server_says(environ: dict[str, str], smtp_server: PostOffice) -> None:
    done = run(environ, "mail", "test", "ops@team.example")
    assert (done.returncode, done.stdout) == (0, "127.0.0.1 accepted the letter to ops@team.example.\n")
    assert smtp_server.to("ops@team.example")[0]["Subject"] == "Test mail"
    smtp_server.refuse("550 5.1.1 nobody here", at="RCPT")
    refused = run(environ, "mail", "test", "ops@team.example")
    assert refused.returncode == 1
    assert refused.stderr.endswith(
        f"Error: Not sent by 127.0.0.1:{smtp_server.port} (none): the server refused the recipient (550 5.1.1 nobody here).\n"
    )
    down = run({**environ, "PORTAL_SMTP_PORT": str(free_port())}, "mail", "test", "ops@team.example")
    assert "nobody answers at the server's address" in down.stderr
    assert "Traceback" not in refused.stderr + down.stderr


def test_without_a_server_the_operator_is_told_where_letters_are(environ: dict[str, str], settings: Settings) -> None:
    without = {name: value for name, value in environ.items() if "SMTP" not in name}
    done = run(without, "mail", "test", "ops@team.example")
    [path] = settings.mail_folder.iterdir()
    assert done.stdout == f"Mail is not set up; the letter was written to {path}. Set PORTAL_SMTP_HOST to send.\n"
