"""The same file chosen twice in one form: named, and taken once; on a case and in the log of a task."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from html import unescape

from flask import Flask

from tests.console.test_attachments import send, stored
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]
SAID = "“photo.jpg” was chosen twice. It is the same file, so it is taken once."


def test_the_same_file_on_a_case(app: Flask, world: World, browse: Browse) -> None:
    ada, number = browse("ada"), world.cases["shared"]
    answer = send(ada, number, ("photo.jpg", b"one"), ("photo.jpg", b"one"), ("other.jpg", b"one"), ("photo.jpg", b"two"))
    assert answer.status_code == 303
    assert SAID in unescape(ada.follow(answer).text)
    assert {"photo.jpg", "other.jpg", "photo (2).jpg"} <= set(stored(app, number))
    assert "photo (3).jpg" not in stored(app, number)


def test_of_two_empty_files_it_is_said_once_that_they_are_empty(world: World, browse: Browse) -> None:
    answer = send(browse("ada"), world.cases["shared"], ("none.txt", b""), ("none.txt", b""))
    assert unescape(answer.text).count("“none.txt” is empty.") == 1
    assert "chosen twice" not in answer.text


def test_the_same_file_in_the_log_of_a_task(world: World, browse: Browse) -> None:
    ada, tasks = browse("ada"), f"/console/cases/{world.cases['shared']}/tasks"
    found = re.search(rf'href="({tasks}/[0-9a-f]+)"', ada.get(tasks).text)
    assert found
    sent = [(io.BytesIO(data), name) for name, data in (("photo.jpg", b"one"), ("photo.jpg", b"one"), ("other.jpg", b"one"))]
    page = unescape(ada.follow(ada.post(f"{found[1]}/log", {"message": "Looked.", "files": sent})).text)
    assert SAID in page
    assert len(re.findall(">photo.jpg<", page)) == len(re.findall(">other.jpg<", page)) == 1
