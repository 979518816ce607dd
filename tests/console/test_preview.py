"""Preview: what is written is shown as it would be kept, and nothing is kept, not even the one-time token of the form."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]
PATH = "/console/preview"


@pytest.mark.parametrize("field", ["message", "description", "summary"])
@pytest.mark.parametrize("htmx", [False, True])
def test_ada_sees_how_it_will_look(browse: Browse, field: str, htmx: bool) -> None:
    answer = browse("ada").post(PATH, {"preview": field, field: "A **new** thing"}, htmx=htmx)
    assert answer.status_code == 200
    assert "A <strong>new</strong> thing" in answer.text
    assert ("<html" in answer.text) is not htmx


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "[x](javascript:alert(1))", "![x](https://evil.example/x.png)", "{{ 7*7 }}"])
def test_a_preview_is_as_safe_as_what_is_kept(browse: Browse, text: str) -> None:
    shown = browse("ada").post(PATH, {"preview": "message", "message": text}, htmx=True).text
    for word in ("<script", 'href="javascript', "<img", "49"):
        assert word not in shown


@pytest.mark.parametrize(
    "data",
    [{}, {"preview": "message"}, {"preview": "message", "message": " \0 "}, {"preview": "title", "title": "x"}, {"preview": "csrf_token"}],
)
def test_nothing_written_is_said_so(browse: Browse, data: dict[str, str]) -> None:
    answer = browse("ada").post(PATH, data, htmx=True)
    assert answer.status_code == 200
    assert "nothing to preview yet" in answer.text


def test_what_is_too_long_is_said_so(browse: Browse) -> None:
    assert "longer than 65,536" in browse("ada").post(PATH, {"preview": "message", "message": "x" * 65_537}).text


def test_a_form_that_was_looked_at_can_still_be_sent_once(world: World, browse: Browse) -> None:
    ada, path = browse("ada"), f"/console/cases/{world.cases['shared']}"
    form = {"submission": "a" * 32, "message": "Looked at"}
    for _ in range(2):
        assert "Looked at" in ada.post(PATH, {**form, "preview": "message"}).text
    assert "Looked at" not in ada.get(path).text
    for _ in range(2):
        assert ada.post(f"{path}/comments", form).status_code == 303
    assert ada.get(path).text.count("Looked at") == 1


def test_every_writing_place_offers_it(world: World, browse: Browse) -> None:
    ada, case = browse("ada"), f"/console/cases/{world.cases['shared']}"
    for page in (case, f"{case}/edit", f"{case}/close", "/console/cases/new", f"{case}/comments/{world.comments['shared-external']}/edit"):
        assert f'formaction="{PATH}"' in ada.get(page).text
    assert "Formatting help" in ada.get(case).text
