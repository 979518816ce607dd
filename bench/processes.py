"""Servers under measurement: started by us, ended by their number, their processor time read from /proc."""

from __future__ import annotations

import http.cookiejar
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path
from typing import IO

TICKS = os.sysconf("SC_CLK_TCK")
THREADS = 8


def free_port() -> int:
    """A port nobody listens on just now."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clean_environ() -> dict[str, str]:
    """This environment without PORTAL_* variables: what is measured or drawn never touches somebody's real installation."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}


class Server:
    """A process that answers on the loopback address only."""

    def __init__(self, command: list[str], port: int, environ: dict[str, str]) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (lives as long as the process)
        self.process = subprocess.Popen(command, env=clean_environ() | environ, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + 90
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                self.log.seek(0)
                sys.exit(f"a server did not start:\n{self.log.read().decode(errors='replace')}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            Browser(self.url).get("/")
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    def cpu_ms(self) -> float:
        """Processor time used so far, in milliseconds."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) * 1000 / TICKS

    def memory_mb(self) -> float:
        """Proportional set size."""
        lines = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024

    def drain(self) -> None:
        """Wait until what an ended load left in the queue is done."""
        for _ in range(50):
            before = self.cpu_ms()
            time.sleep(0.2)
            if self.cpu_ms() - before <= 10:
                return

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)


def floor(database: Path | str) -> Server:
    """The floor under waitress. `database`: an SQLite file, or the address of a PostgreSQL for SQLAlchemy."""
    port = free_port()
    code = f"import waitress; from bench.floor.app import app; waitress.serve(app, listen='127.0.0.1:{port}', threads={THREADS})"
    return Server([sys.executable, "-c", code], port, {"FLOOR_DATABASE": str(database)})


def product(instance: Path) -> Server:
    """The product as `portal serve` runs it."""
    port = free_port()
    environ = {"PORTAL_INSTANCE": str(instance), "PORTAL_PORT": str(port), "PORTAL_THREADS": str(THREADS)}
    return Server([sys.executable, "-c", "from portal.cli import main; main(['serve'])"], port, environ)


def demo(instance: Path) -> Server:
    """The sample world in an instance folder of its own; its mail server is down, so nothing is sent."""
    port = free_port()
    mail = {"PORTAL_SMTP_HOST": "127.0.0.1", "PORTAL_SMTP_PORT": str(free_port()), "PORTAL_SMTP_SECURITY": "none"}
    environ = {"PORTAL_INSTANCE": str(instance), "PORTAL_PORT": str(port), **mail}
    return Server([sys.executable, "-c", "from portal.cli import main; main(['demo'])"], port, environ)


class _Hidden(HTMLParser):
    """Hidden fields of a form, and what a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "input" and found.get("type") == "hidden" and found.get("name"):
            self.fields[str(found["name"])] = found.get("value") or ""
        for name in ("src", "href"):
            wanted = (
                tag in ("script", "img")
                or (tag == "link" and found.get("rel") in ("stylesheet", "icon", "preload", "modulepreload"))
                or tag == "use"
            )
            if wanted and found.get(name):
                self.loads.append(str(found[name]).split("#")[0])


class Browser:
    """Cookies and forms, as much as signing in needs."""

    def __init__(self, url: str) -> None:
        if urllib.parse.urlsplit(url).hostname != "127.0.0.1":
            sys.exit("only the loopback address is ever asked")
        self.url, self.jar = url, http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.jar))

    def get(self, path: str, data: dict[str, str] | None = None, **headers: str) -> tuple[bytes, dict[str, str]]:
        """Fetch a page, or post a form; body and headers of the answer after redirects."""
        body = urllib.parse.urlencode(data).encode() if data is not None else None
        sent = {"Origin": self.url, "Referer": f"{self.url}/", **headers}
        request = urllib.request.Request(urllib.parse.urljoin(self.url, path), data=body, headers=sent)
        with self.opener.open(request, timeout=30) as answer:
            return answer.read(), {name.lower(): value for name, value in answer.headers.items()}

    def sign_in(self, path: str, **fields: str) -> Browser:
        """Send the sign-in form with its hidden fields."""
        page = _Hidden()
        page.feed(self.get(path)[0].decode())
        body, _ = self.get(path, {**page.fields, **fields})
        if b'type="password"' in body:
            sys.exit(f"signing in at {path} did not work")
        return self

    @property
    def cookies(self) -> str:
        """The Cookie header."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.jar)


def loads(page: bytes) -> list[str]:
    """What a browser fetches for this page, in order, each once."""
    parser = _Hidden()
    parser.feed(page.decode())
    return list(dict.fromkeys(parser.loads))
