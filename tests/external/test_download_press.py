"""What people write does not take the PDF of a case from everybody, and one person's tries do not take the press from the others."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from pypdf import PdfReader

from portal.clock import at, now
from portal.database import start_writing
from portal.extensions import db
from portal.external import download
from portal.sharing import takeout
from portal.web import paper
from tests.access.roads import plain
from tests.external.test_download import contents, needs_paper, on_record, path
from tests.factories import say
from tests.fixtures.rooms import Cast
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]


def write(app: Flask, world: World, *texts: str) -> None:
    with app.app_context():
        start_writing()
        cast = Cast(world)
        for text in texts:
            say(cast.case("shared"), cast("hanna"), text)
        db.session.commit()


@needs_paper
@pytest.mark.parametrize(
    "text",
    ["a" * 65_536, "a*b*" * 1_200, "a\n" * 2_400, "a\n" * 32_000, "- a\n" * 1_000, "|a|b|\n|-|-|\n" + "|a|b|\n" * 600],
    ids=["one-word", "emphasis", "lines", "more-lines", "list", "table"],
)
def test_no_message_takes_the_pdf_from_everybody(app: Flask, world: World, browse: Browse, text: str) -> None:
    write(app, world, text, "And this came after it.")
    before = time.monotonic()
    answer = browse("rhea").get(path(world, kind="pdf"))
    assert answer.status_code == 200
    assert time.monotonic() - before < 15
    said = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.data)).pages)
    assert "And this came after it." in said
    assert said.count("a") >= text.count("a")


@needs_paper
def test_evidence_items_that_do_not_fit_are_counted_in_the_pdf(
    app: Flask, world: World, browse: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "MOST_TEXT", 3000)
    hanna = browse("hanna")
    for sign in "bc":
        hanna.post(f"/portal/cases/{world.cases['shared']}/evidence", {"kind": "other", "text": sign * 2000})
    text = plain(hanna.get(path(world, kind="pdf")))
    assert "And 1 more" in text.replace("\n", " ")
    assert text.count("b") >= 2000
    assert "c" * 50 not in text.replace("\n", "")
    assert "c" * 2000 in contents(hanna.get(path(world)).data)["case.html"].decode()


def test_pdfs_that_come_to_nothing_count_too(app: Flask, world: World, browse: Browse, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_html: str) -> Any:
        raise paper.TooMuch("It took too long.")

    monkeypatch.setattr(paper, "print_out", fails)
    monkeypatch.setattr(takeout, "MOST_TRIES", ((3, 3600),))
    hanna = browse("hanna")
    assert [hanna.get(path(world, kind="pdf")).status_code for _ in range(4)] == [409, 409, 409, 429]
    assert browse("rhea").get(path(world, kind="pdf")).status_code == 409
    assert on_record(app) == []
    with at(now() + timedelta(hours=1, minutes=1)):
        assert browse("hanna").get(path(world, kind="pdf")).status_code == 409


def test_one_person_has_one_pdf_made_at_a_time(world: World, browse: Browse, monkeypatch: pytest.MonkeyPatch) -> None:
    """While hers is being made she gets no other; the turn is free again whatever becomes of it."""
    hanna, told = browse("hanna"), []

    def asks_again(_html: str) -> Any:
        told.append(hanna.get(path(world, kind="pdf")))
        raise paper.TooMuch("It took too long.")

    monkeypatch.setattr(paper, "print_out", asks_again)
    assert hanna.get(path(world, kind="pdf")).status_code == 409
    assert [answer.status_code for answer in told] == [429]
    assert "already" in told[0].text
    assert hanna.get(path(world, kind="pdf")).status_code == 409
