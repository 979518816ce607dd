"""Uploads to a real server: what they cost in memory, and what a kill or a broken connection leaves behind."""

from __future__ import annotations

import http.client
import re
import threading
import time
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bench.upload import MB, Sender, a_case, forget_peak, memory, sample_sign_in
from tests.fixtures.server import LiveServer, Start

pytestmark = pytest.mark.sqlite_only  # about files and processes; the database has no part in it


@pytest.fixture
def server(start_server: Start) -> LiveServer:
    return start_server("demo")


def signed_in(server: LiveServer) -> Sender:
    sender = Sender(server.url)
    sender.sign_in(*sample_sign_in(server.output()))
    return sender


def store_of(server: LiveServer) -> Path:
    return server.instance / "attachments"


def names_on(sender: Sender, number: int) -> str:
    return sender.get(f"/console/cases/{number}/attachments")


def test_a_large_upload_does_not_fill_the_memory(server: LiveServer) -> None:
    sender = signed_in(server)
    number = a_case(sender)
    assert sender.upload(number, "warm.bin", MB) == 303
    assert server.process is not None
    before = forget_peak(server.process.pid)
    assert sender.upload(number, "large.bin", 100 * MB) == 303
    assert memory(server.process.pid) - before < 64
    assert "large.bin" in names_on(sender, number)


def test_a_kill_while_a_file_comes_leaves_nothing_half(server: LiveServer) -> None:
    sender = signed_in(server)
    number = a_case(sender)
    sending = threading.Thread(target=_try, args=(sender, number, "killed.bin", 90 * MB))
    sending.start()
    deadline = time.monotonic() + 30
    while not list(store_of(server).glob("incoming/*.part")):
        assert time.monotonic() < deadline, "the file never came"
        time.sleep(0.002)
    server.kill()
    sending.join(30)
    server.start()
    again = signed_in(server)
    assert "killed.bin" not in names_on(again, number)
    checked = server.portal("files", "check")
    assert checked.returncode == 0, checked.stderr
    assert again.upload(number, "killed.bin", 90 * MB) == 303
    assert "killed.bin" in names_on(again, number)
    assert server.portal("files", "check").returncode == 0


def test_a_broken_connection_leaves_nothing(server: LiveServer) -> None:
    sender = signed_in(server)
    number = a_case(sender)
    before = {path for path in store_of(server).rglob("*") if path.is_file()}
    _try(sender, number, "broken.bin", 20 * MB, cut_after=5 * MB)
    assert "broken.bin" not in names_on(sender, number)
    assert {path for path in store_of(server).rglob("*") if path.is_file()} == before


def _try(sender: Sender, number: int, name: str, size: int, cut_after: int | None = None) -> None:
    with suppress(OSError, http.client.HTTPException):
        sender.upload(number, name, size, cut_after=cut_after)


def test_a_stranger_cannot_fill_the_disk_with_one_request(start_server: Start) -> None:
    """What a request brings is stored before anybody looks who sends it, so the server itself must stop it: at its head."""
    server = start_server("serve", PORTAL_MAX_UPLOAD="1")
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.putrequest("POST", "/portal/sign-in")
    connection.putheader("Content-Length", str(3 * MB))
    connection.endheaders(b"x" * 1000)
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("Connection")) == (413, "close")
    assert b"This is too large</h1>" in answer.read()
    connection.close()


def test_readers_who_take_nothing_leave_room_for_others(start_server: Start) -> None:
    """More stalled downloads than there are threads: what they have not taken waits in files, and the next request is answered."""
    server = start_server("demo", PORTAL_THREADS="2")
    sender = signed_in(server)
    number = a_case(sender)
    assert sender.upload(number, "large.bin", 40 * MB) == 303
    found = re.search(rf'href="(/console/cases/{number}/attachments/[^"/]+)"', names_on(sender, number))
    assert found is not None
    cookies = "; ".join(f"{name}={value}" for name, value in sender.cookies.items())
    with ExitStack() as stack:
        for _ in range(3):
            stalled = stack.enter_context(closing(http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=20)))
            stalled.request("GET", found[1], headers={"Cookie": cookies})
            assert stalled.getresponse().status == 200
        began = time.monotonic()
        assert "large.bin" in names_on(signed_in(server), number)
        assert time.monotonic() - began < 20
