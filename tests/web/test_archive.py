"""ZIPs that are written while they are sent: names that fit everywhere, whole or without an end, and few at a time."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from portal.refusals import NotVisible, TooMany
from portal.storage.store import Damaged
from portal.web import archive
from portal.web.plain import plain_text

MOMENT = datetime(2026, 11, 21, 14, 3, 8, tzinfo=UTC)


def member(name: str, *pieces: bytes, then: Exception | None = None) -> archive.Member:
    def read() -> Iterator[bytes]:
        yield from pieces
        if then:
            raise then

    return archive.Member(name, sum(map(len, pieces)), MOMENT, read)


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "turns", archive.Turns(2))


def test_what_is_sent_is_a_whole_archive(app: Flask) -> None:
    with app.app_context():
        answer = archive.send_archive(
            "case-1.zip", 1, [member("a.txt", "Grüße".encode()), member("files/b.bin", b"x" * 5000, b"y")], MOMENT
        )
    with zipfile.ZipFile(io.BytesIO(answer.data)) as packed:
        assert packed.testzip() is None
        assert packed.namelist() == ["a.txt", "files/b.bin"]
        assert packed.read("a.txt").decode() == "Grüße"
        assert packed.read("files/b.bin") == b"x" * 5000 + b"y"
        assert packed.getinfo("files/b.bin").date_time == (2026, 11, 21, 14, 3, 8)


def test_it_comes_in_pieces_as_large_as_those_of_its_files(app: Flask) -> None:
    def endless() -> Iterator[bytes]:
        for number in range(64):
            asked.append(number)
            yield bytes([number % 7, 255 - number]) * 300_000

    asked: list[int] = []
    with app.app_context():
        answer = archive.send_archive("c.zip", 1, [archive.Member("files/b", 38_400_000, MOMENT, endless)], MOMENT)
    pieces = answer.response
    assert asked == []
    largest = max(len(piece) for piece in pieces)  # type: ignore[arg-type]
    assert len(asked) == 64
    assert largest < 1_000_000


def test_damaged_content_is_left_out_and_named(app: Flask) -> None:
    files = [member("files/a", b"good"), member("files/b", b"half", then=Damaged("changed")), member("files/c", b"fine")]
    with app.app_context():
        data = archive.send_archive("c.zip", 1, files, MOMENT).data
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        assert packed.testzip() is None
        assert packed.namelist() == ["files/a", "files/c", "missing.txt"]
        assert "files/b" in packed.read("missing.txt").decode()


def test_what_may_not_be_read_any_more_leaves_it_without_an_end(app: Flask) -> None:
    files = [member("files/a", b"good"), member("files/b", then=NotVisible("file"))]
    with app.app_context():
        pieces = archive.send_archive("c.zip", 1, files, MOMENT).response
    got = io.BytesIO()
    with pytest.raises(NotVisible):
        got.writelines(pieces)  # type: ignore[arg-type]
    assert not zipfile.is_zipfile(got)
    archive.turns.take(1)  # it was given back


def test_one_person_takes_one_at_a_time_and_few_take_any(app: Flask) -> None:
    with app.app_context():
        held = [archive.send_archive("c.zip", person, [], MOMENT) for person in (1, 2)]
        for person in (1, 3):
            with pytest.raises(TooMany):
                archive.send_archive("c.zip", person, [], MOMENT)
        held[0].close()  # whoever breaks off gives their turn back, too
        archive.send_archive("c.zip", 3, [], MOMENT).close()


def test_a_turn_is_over_after_its_time_however_slowly_it_is_taken(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "TURN_SECONDS", 0.2)
    with app.app_context():
        slow, stuck = (archive.send_archive("c.zip", person, [member("a", b"x", b"y")], MOMENT) for person in (1, 2))
        got = [next(slow.response)]  # type: ignore[call-overload]
        time.sleep(0.3)
        with pytest.raises(archive.TurnOver):
            got.extend(slow.response)
        assert not zipfile.is_zipfile(io.BytesIO(b"".join(got)))
        monkeypatch.undo()
        archive.turns._at_once = 2
        for person in (3, 2):  # who takes nothing at all holds nobody up, themselves neither
            archive.turns.take(person)
        stuck.close()  # and ends their own turn only, not the next one
        with pytest.raises(TooMany):
            archive.turns.take(2)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("../../etc/passwd", "files/_._etc_passwd"),
        ("..", "files/file"),
        ("C:\\Windows\\x.dll", "files/C__Windows_x.dll"),
        ("/abs", "files/_abs"),
        ("CON.txt", "files/_CON.txt"),
        ("nul", "files/_nul"),
        ("a\u202etxt.exe", "files/a_txt.exe"),
        ("a\x00b\r\n.txt", "files/a_b__.txt"),
        ("   ", "files/file"),
        ("name. ", "files/name"),
        (".bashrc", "files/bashrc"),
        ("Übersicht 2026.pdf", "files/Übersicht 2026.pdf"),
    ],
)
def test_a_name_stays_in_its_folder(name: str, place: str) -> None:
    assert archive.fitting_names([name], "files") == [place]


@given(st.lists(st.text(max_size=300), max_size=12))
def test_names_are_unlike_each_other_and_fit_every_system(names: list[str]) -> None:
    told = archive.fitting_names(names, "files")
    assert len(told) == len(names)
    assert len({name.casefold() for name in told}) == len(names)
    for name in told:
        folder, _, rest = name.partition("/")
        assert folder == "files"
        assert rest.strip(" .") == rest != ""
        assert not set(rest) & archive.FORBIDDEN
        assert rest.isprintable() or all(c.isprintable() or c.isspace() for c in rest)
        assert len(rest.encode()) <= 210


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p>\n<p>Two<br>lines</p>", "One\n\nTwo\nlines"),
        ("<ul>\n<li>a</li>\n<li>b &lt;i&gt;</li>\n</ul>", "- a\n\n- b <i>"),
        ("<table>\n<thead>\n<tr>\n<th>A</th>\n<th>B</th>\n</tr>\n</thead>\n</table>", "A | B"),
        ("<ol>\n<li>a.\n<ul>\n<li>b</li>\n</ul>\n</li>\n<li>c</li>\n</ol>", "1. a.\n\n- b\n\n2. c"),
        ("<p>soft\nbreak</p>\n<pre><code>kept\n  lines\n</code></pre>", "soft break\n\nkept\n  lines"),
        ('<p><a href="https://x.example/">here</a></p>', "here (https://x.example/)"),
        ('<p><a href="https://x.example/">https://x.example/</a></p>', "https://x.example/"),
        ("<p>a<!-- hidden --></p>", "a"),
        ("", ""),
        ('<ol start="14"><li>a</li><li value="20">b</li><li>c</li></ol>', "14. a\n\n20. b\n\n21. c"),
    ],
)
def test_words_of_html(html: str, text: str) -> None:
    assert plain_text(html) == text
