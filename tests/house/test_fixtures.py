"""The instruments themselves: a mail server that misbehaves when told, a browser that tells, a database that is the test's own."""

from __future__ import annotations

import smtplib
import ssl
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page
from sqlalchemy import create_engine, inspect, text

from tests.fixtures.browser import axe
from tests.fixtures.post import PostOffice, text_of

POLICY = "default-src 'self'; img-src 'self' data:; script-src 'nonce-good'"
PAGES = {
    "/good": "<main><h1>Fine</h1><script nonce=good>document.title = 'run'</script></main>",
    "/inline": "<main><h1>Inline</h1><script>document.title = 'run'</script></main>",
    "/throws": "<main><h1>Throws</h1><script nonce=good>nowhere()</script></main>",
    "/foreign": "<main><h1>Foreign</h1><img alt='' src='http://elsewhere.example/x.png'></main>",
    "/missing": "<main><h1>Missing</h1><img alt='' src='/none.png'></main>",
    "/pale": "<main><h1 style='color:#ddd'>Pale</h1><img src='data:,'></main>",
}


def send(office: PostOffice, context: ssl.SSLContext | None = None) -> None:
    letter = EmailMessage()
    letter["Subject"], letter["From"], letter["To"] = "Grüße", "a@team.example", "b@client.example"
    letter.set_content("plain é")
    letter.add_alternative("<p>rich</p>", subtype="html")
    with smtplib.SMTP(office.host, office.port, timeout=5) as client:
        if context:
            client.starttls(context=context)
        client.send_message(letter)


def test_letters_arrive_whole(smtp_server: PostOffice) -> None:
    send(smtp_server)
    letter = smtp_server.wait_for(1)[0]
    assert letter["Subject"] == "Grüße"
    assert text_of(letter).strip() == "plain é"
    assert text_of(letter, "html").strip() == "<p>rich</p>"
    assert smtp_server.to("b@client.example") == [letter]


def test_the_mail_server_refuses_as_often_as_told(smtp_server: PostOffice) -> None:
    smtp_server.refuse("550 5.1.1 nobody here", at="RCPT", times=1)
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send(smtp_server)
    send(smtp_server)
    smtp_server.refuse()
    with pytest.raises(smtplib.SMTPDataError):
        send(smtp_server)
    smtp_server.accept()
    send(smtp_server)
    assert len(smtp_server.messages) == 2


def test_the_mail_server_keeps_a_letter_it_never_acknowledged(smtp_server: PostOffice) -> None:
    smtp_server.vanish_after_data()
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(smtp_server)
    assert len(smtp_server.messages) == 1


def test_the_mail_server_goes_down_and_comes_back(smtp_server: PostOffice) -> None:
    smtp_server.stop()
    with pytest.raises(ConnectionRefusedError):
        send(smtp_server)
    smtp_server.start()
    send(smtp_server)
    assert len(smtp_server.messages) == 1


def test_the_secure_mail_server_insists(secure_smtp_server: PostOffice) -> None:
    send(secure_smtp_server, ssl.create_default_context(cafile=secure_smtp_server.ca_file))
    assert secure_smtp_server.encrypted == [True]
    with pytest.raises(smtplib.SMTPException):
        send(secure_smtp_server)
    with pytest.raises(ssl.SSLCertVerificationError):
        send(secure_smtp_server, ssl.create_default_context())


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_a_database_of_its_own(database_url: str, turn: int) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        assert "user_account" in inspect(connection).get_table_names()
        assert not inspect(connection).has_table("left_behind")
        connection.execute(text("create table left_behind (id integer)"))
    engine.dispose()


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        found = PAGES.get(self.path)
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(f"<!doctype html><html lang=en><link rel=icon href=data:,><title>page</title>{found}</html>".encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    """A few pages that do one wrong thing each."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.browser
@pytest.mark.parametrize(
    ("path", "complaint"),
    [("/inline", "CSP: script-src"), ("/throws", "script error"), ("/foreign", "foreign request"), ("/missing", "answer 404")],
)
def test_the_browser_tells_what_went_wrong(page: Page, site: str, path: str, complaint: str) -> None:
    page.goto(site + path, wait_until="networkidle")
    assert any(text.startswith(complaint) or complaint in text for text in page.watch.unexpected()), page.watch.complaints
    page.watch.expect_complaint("")


@pytest.mark.browser
def test_the_browser_is_silent_about_a_good_page(page: Page, no_js_page: Page, site: str) -> None:
    page.goto(site + "/good", wait_until="networkidle")
    no_js_page.goto(site + "/good", wait_until="networkidle")
    axe(page)
    assert page.title() == "run"
    assert no_js_page.title() == "page"
    assert page.watch.complaints == []


@pytest.mark.browser
def test_axe_finds_what_is_there_to_find(page: Page, site: str) -> None:
    page.goto(site + "/pale")
    page.watch.expect_complaint("")
    with pytest.raises(AssertionError, match="image-alt"):
        axe(page)
