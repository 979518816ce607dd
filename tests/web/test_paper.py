"""PDFs: made apart, within a time, from nothing but the text they are given."""

from __future__ import annotations

import hashlib
import io
import re
import threading
import time
from collections.abc import Iterator
from html import unescape
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from flask import Flask
from pypdf import PdfReader

from portal.refusals import TooMany
from portal.web import paper

pytestmark = pytest.mark.skipif(not paper.possible(), reason="the extra 'pdf' is not installed")


def told(html: str) -> str:
    with paper.print_out(html) as file:
        file.seek(0)
        return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(file.read())).pages)


@pytest.fixture
def asked() -> Iterator[tuple[str, list[str]]]:
    """Address of a server on this machine, and what was asked of it."""
    paths: list[str] = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(404)
            self.end_headers()

    server = HTTPServer(("127.0.0.1", 0), Listener)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", paths
    server.shutdown()
    thread.join()
    server.server_close()


def test_words_of_many_scripts_arrive(app: Flask) -> None:
    with app.app_context():
        text = told('<html lang="en"><head><title>T</title></head><body><h1>Grüße</h1><p>Привет, Ελλάδα &lt;b&gt;</p></body></html>')
    for word in ("Grüße", "Привет", "Ελλάδα", "<b>"):
        assert word in text


def test_nothing_is_fetched_from_anywhere(app: Flask, asked: tuple[str, list[str]], tmp_path: Path) -> None:
    url, paths = asked
    secret = tmp_path / "secret.txt"
    secret.write_text("TOPSECRET")
    html = (
        f'<html lang="en"><head><title>T</title><link rel="stylesheet" href="{url}/a.css"><link rel="attachment" href="{secret.as_uri()}">'
        f'<style>@import "{url}/b.css"; body {{ background: url({url}/c.png) }}</style></head>'
        f'<body><img alt="" src="{url}/d.png"><img alt="" src="{secret.as_uri()}"><object data="{secret.as_uri()}"></object>'
        "<p>End</p></body></html>"
    )
    with app.app_context(), paper.print_out(html) as file:
        file.seek(0)
        reader = PdfReader(io.BytesIO(file.read()))
    assert paths == []
    assert "End" in reader.pages[0].extract_text()
    assert reader.attachments == {}


def test_what_takes_too_long_is_ended(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table of a hundred thousand cells: the setter would go on for minutes."""
    table = "<table>" + ("<tr>" + "<td>word word</td>" * 100 + "</tr>") * 1000 + "</table>"
    before = time.monotonic()
    page = '<html lang="en"><head><title>T</title></head><body>{}</body></html>'
    monkeypatch.setattr(paper, "SECONDS", 2)
    with app.app_context(), pytest.raises(paper.TooMuch) as refusal:
        paper.print_out(page.format(table))
    monkeypatch.undo()
    assert "ZIP" in refusal.value.sentence
    assert time.monotonic() - before < 30
    with app.app_context():
        assert "Next" in told(page.format("<p>Next</p>"))


PAGE = '<html lang="en"><head><title>T</title><style>body {{ overflow-wrap: anywhere }}</style></head><body>{}</body></html>'


@pytest.mark.parametrize(
    "text",
    ["a" * 65_536, ("b" * 110 + " ") * 590, "<code>" + "c" * 65_536 + "</code>", "&amp;" * 40_000],
    ids=["one-word", "long-words", "code", "signs"],
)
def test_a_text_without_blanks_is_printed_in_a_few_seconds(app: Flask, text: str) -> None:
    """Each of them kept the press busy for half a minute, and nobody got the case it was in."""
    before = time.monotonic()
    with app.app_context():
        said = told(PAGE.format(f"<p>{text}</p>"))
    assert time.monotonic() - before < 12
    for sign in "abc&":
        assert said.count(sign) == unescape(re.sub("<.*?>", "", text)).count(sign)


def test_a_hash_in_a_document_stays_whole(app: Flask) -> None:
    sums = [hashlib.sha512(bytes([number])).hexdigest() for number in range(60)]
    html = paper.in_pieces(PAGE.format(f'<p title="{"x>" * 2000}">{" ".join(sums)} &lt;{"&amp;" * 1500}</p>'))
    assert all(one in html for one in sums)
    assert html.count("<wbr>") >= 6
    assert html.replace("<wbr>", "") == PAGE.format(f'<p title="{"x>" * 2000}">{" ".join(sums)} &lt;{"&amp;" * 1500}</p>')
    assert "x><wbr>" not in html
    assert not re.search(r"&[a-z]*<wbr>", html)


def test_one_is_made_at_a_time(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paper, "PATIENCE", 0.05)
    with app.app_context(), paper._turn, pytest.raises(TooMany):
        paper.print_out("<p>x</p>")


def test_the_process_knows_no_secret(app: Flask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    spy = tmp_path / "spy.py"
    spy.write_text("import os, sys; sys.stdin.read(); sys.stdout.write(repr(dict(os.environ)))")
    monkeypatch.setenv("PORTAL_SECRET_KEY", "s" * 40)
    monkeypatch.setattr(paper, "PRESS", spy)
    with app.app_context(), paper.print_out("x") as file:
        file.seek(0)
        said = file.read().decode()
    assert "PORTAL_" not in said
    assert "PATH" in said


def test_a_broken_library_is_said_so(app: Flask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    press = tmp_path / "press.py"
    press.write_text("import sys; sys.stdin.read(); sys.exit(3)")
    monkeypatch.setattr(paper, "PRESS", press)
    with app.app_context(), pytest.raises(paper.NoPaper):
        paper.print_out("x")
