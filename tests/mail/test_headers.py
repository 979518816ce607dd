"""What people write into names and titles stays inside the subject of a letter, however it is spelt."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from flask import Flask

from portal.extensions import mail
from portal.mail.letters import Letter
from portal.mail.transport import send

ENCODED = "=?utf-8?q?x=0D=0AX-Injected:_yes=0D=0AContent-Type:_text/html=0D=0A=0D=0A=3Cimg_src=3D'//evil.example/=3F?="
HOSTILE = [
    ENCODED,
    f"Case #17: {ENCODED}",
    ENCODED.replace("=?", "=?=?"),
    ENCODED.replace("utf-8", "UTF-8*en"),
    "=?utf-8?b?eA0KQmNjOiBldmlsQGV2aWwuZXhhbXBsZQ0KDQpib2R5?=",
    f"é {ENCODED}",
    f"{ENCODED} {ENCODED}",
    "=\u200b?utf-8?q?a=0D=0ABcc:_x@evil.example?=",
    "plain\r\nBcc: evil@evil.example\r\n\r\nbody",
    "x" * 2000 + ENCODED,
]
HEADERS = {"subject", "from", "to", "date", "message-id", "mime-version", "content-type", "auto-submitted"}


@pytest.mark.parametrize("subject", HOSTILE)
def test_a_subject_brings_no_headers_and_no_body(app: Flask, tmp_path: Path, subject: str) -> None:
    with app.app_context():
        settings = replace(app.config["SETTINGS"], smtp_host="", instance=tmp_path)
        letter = Letter("hanna@people.example", subject, "The words of the letter.", "<p>The words of the letter.</p>")
        name = send(mail, letter, "<one@portal.invalid>", settings=settings, started=lambda: None)
    raw = (settings.mail_folder / name).read_bytes()
    head, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    names = {line.split(b":")[0].decode().lower() for line in head.split(b"\n") if not line.startswith((b" ", b"\t"))}
    assert names == HEADERS
    assert body.startswith(b"--")
    read = message_from_bytes(raw, policy=policy.default)
    assert read.get_content_maintype() == "multipart"
    assert {key.lower() for key in read} == HEADERS
    text = read.get_body(("plain",))
    assert text is not None
    assert text.get_content().strip() == "The words of the letter."
    assert "\n" not in str(read["subject"])
