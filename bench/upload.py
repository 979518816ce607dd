"""How much memory a large upload takes: `python bench/upload.py [megabytes]` starts the sample world, sends one file, prints figures.

The promise is that 1 GB raises the server's memory by no more than 64 MB. Linux only: the peak is read from /proc.
"""

from __future__ import annotations

import argparse
import http.client
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode, urlsplit

MB = 1_000_000
PIECE = bytes(range(256)) * 4000
TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
BOUNDARY = "upload-of-the-bench"


class Sender:
    """An analyst at a plain HTTP client: signs in, sends files of any size without holding them."""

    def __init__(self, url: str) -> None:
        self.url, self.cookies, self.token = url, {}, ""
        self._host = urlsplit(url).netloc

    def _ask(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, str]:
        sent = {"Origin": self.url, "Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items()), **headers}
        with closing(http.client.HTTPConnection(self._host, timeout=300)) as connection:
            connection.request(method, path, body=body, headers=sent)  # type: ignore[arg-type]
            answer = connection.getresponse()
            for cookie in answer.headers.get_all("Set-Cookie") or ():
                name, _, value = cookie.split(";", 1)[0].partition("=")
                self.cookies[name] = value
            text = answer.read().decode(errors="replace")
        if found := TOKEN.search(text):
            self.token = found[1]
        return answer.status, text

    def get(self, path: str) -> str:
        """A page."""
        return self._ask("GET", path)[1]

    def sign_in(self, email: str, password: str) -> None:
        """On the console."""
        self.get("/console/sign-in")
        form = urlencode({"csrf_token": self.token, "email": email, "password": password})
        status, _ = self._ask("POST", "/console/sign-in", form, **{"Content-Type": "application/x-www-form-urlencoded"})
        assert status == 303, status
        self.get("/console/account")

    def upload(self, number: int, name: str, size: int, *, cut_after: int | None = None) -> int:
        """Send a file of so many bytes to a case; the status. `cut_after`: break off after so many bytes of it."""
        head = self._part("csrf_token", self.token) + self._part("files", "", f'; filename="{name}"')[:-2]
        tail = f"\r\n--{BOUNDARY}--\r\n".encode()
        length = len(head) + size + len(tail)
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        body = self._body(head, size, tail) if cut_after is None else self._cut(self._body(head, cut_after, b""))
        path = f"/console/cases/{number}/attachments"
        return self._ask("POST", path, body, **{"Content-Type": kind, "Content-Length": str(length)})[0]

    @staticmethod
    def _part(name: str, value: str, more: str = "") -> bytes:
        return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{value}\r\n'.encode()

    @staticmethod
    def _cut(body: Iterator[bytes]) -> Iterator[bytes]:
        yield from body
        raise ConnectionAbortedError("cut, as asked")

    @staticmethod
    def _body(head: bytes, size: int, tail: bytes) -> Iterator[bytes]:
        yield head
        for start in range(0, size, len(PIECE)):
            yield PIECE[: min(len(PIECE), size - start)]
        yield tail


def memory(pid: int, what: str = "VmHWM") -> float:
    """The peak of a process's memory (or what it uses now, VmRSS), in MB."""
    found = re.search(rf"{what}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) / 1000


def forget_peak(pid: int) -> float:
    """Begin the peak anew from what the process uses now, and give that."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return memory(pid, "VmRSS")


def sample_sign_in(output: str) -> tuple[str, str]:
    """An analyst's address, and the password of all sample people, from what `portal demo` prints."""
    password = re.search(r"\b[a-z]+-[a-z]+-[a-z]+-[a-z]+-\d\d\b", output)
    email = re.search(r"(\S+@\S+)\s+Tobias", output)
    assert password is not None
    assert email is not None
    return email[1], password[0]


def a_case(sender: Sender) -> int:
    """The number of some case."""
    found = re.search(r"/console/cases/(\d+)", sender.get("/console/cases"))
    assert found is not None
    return int(found[1])


def main() -> None:
    """Start, send, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("megabytes", type=int, nargs="?", default=1000)
    size = parser.parse_args().megabytes
    with socket.socket() as free, tempfile.TemporaryDirectory() as folder:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        environ = {**os.environ, "PORTAL_INSTANCE": f"{folder}/instance", "PORTAL_PORT": str(port), "PORTAL_MAX_UPLOAD": str(size + 1)}
        log = Path(folder, "log")
        with log.open("w") as out:
            command = [str(Path(sys.executable).with_name("portal")), "demo"]
            server = subprocess.Popen(command, env=environ, stdout=out, stderr=subprocess.STDOUT)
        try:
            while "Listening on" not in log.read_text():
                assert server.poll() is None, log.read_text()
                time.sleep(0.2)
            _measure(server.pid, Sender(f"http://127.0.0.1:{port}"), log.read_text(), size)
        finally:
            server.terminate()
            server.wait(20)


def _measure(pid: int, sender: Sender, printed: str, size: int) -> None:
    sender.sign_in(*sample_sign_in(printed))
    number = a_case(sender)
    sender.upload(number, "warm.bin", MB)
    before, began = forget_peak(pid), time.perf_counter()
    status = sender.upload(number, "large.bin", size * MB)
    seconds, grew = time.perf_counter() - began, memory(pid) - before
    print(f"{size} MB: status {status}, {seconds:.1f} s, memory grew by {grew:.1f} MB from {before:.1f} MB (at most 64)")
    if status != 303 or grew > 64:
        sys.exit(1)


if __name__ == "__main__":
    main()
