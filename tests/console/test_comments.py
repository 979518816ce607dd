"""Comments in the console: internal unless chosen otherwise, one's own to change, external only while the case is shared."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]


def case(world: World, name: str) -> str:
    """The address of a case."""
    return f"/console/cases/{world.cases[name]}"


def portal(browse: Browse, world: World, name: str = "shared") -> str:
    """What Hanna reads on it."""
    return browse("hanna").get(f"/portal/cases/{world.cases[name]}").text


@pytest.mark.parametrize(
    ("audience", "seen"),
    [({}, False), ({"audience": "internal"}, False), ({"audience": "nonsense"}, False), ({"audience": "external"}, True)],
)
def test_a_comment_is_internal_unless_chosen_otherwise(world: World, browse: Browse, audience: dict[str, str], seen: bool) -> None:
    ada = browse("ada")
    answer = ada.post(f"{case(world, 'shared')}/comments", {"message": "A **new** thing", **audience})
    assert answer.status_code == 303
    assert "A <strong>new</strong> thing" in ada.get(case(world, "shared")).text
    assert ("A <strong>new</strong> thing" in portal(browse, world)) is seen


def test_htmx_gets_the_conversation(world: World, browse: Browse) -> None:
    answer = browse("ada").post(f"{case(world, 'shared')}/comments", {"message": "A new thing"}, htmx=True)
    assert answer.status_code == 200
    assert "A new thing" in answer.text
    assert "<html" not in answer.text
    assert f'id="case-{world.cases["shared"]}-conversation"' in answer.text


@pytest.mark.parametrize("htmx", [False, True])
def test_nothing_can_be_sent_outside_from_an_unshared_case(world: World, browse: Browse, htmx: bool) -> None:
    answer = browse("ada").post(f"{case(world, 'internal')}/comments", {"message": "For nobody", "audience": "external"}, htmx=htmx)
    assert answer.status_code == 422
    assert "This case is not shared with anybody outside" in answer.text
    assert "For nobody" in answer.text, "what was typed is kept"


@pytest.mark.parametrize("message", ["", "   \n ", "x" * 65_537])
def test_an_empty_or_endless_comment_is_refused(world: World, browse: Browse, message: str) -> None:
    answer = browse("ada").post(f"{case(world, 'shared')}/comments", {"message": message})
    assert answer.status_code == 422
    assert not message.strip() or message in answer.text


@pytest.mark.parametrize("htmx", [False, True])
def test_ada_can_make_a_comment_external_and_internal_again(world: World, browse: Browse, htmx: bool) -> None:
    ada = browse("ada")
    path = f"{case(world, 'shared')}/comments/{world.comments['shared-internal']}/external"
    asked = ada.get(path, htmx=htmx)
    assert "Hanna Person" in asked.text, "it says who will read it"
    for external, seen in (("1", True), ("1", True), ("0", False), ("0", False)):
        assert ada.post(path, {"external": external}, htmx=htmx).status_code == (200 if htmx else 303)
        assert ("Internal word on shared." in portal(browse, world)) is seen


@pytest.mark.parametrize("name", ["internal", "restricted", "revoked"])
def test_nothing_on_an_unshared_case_can_be_made_external(world: World, browse: Browse, name: str) -> None:
    ada, path = browse("ada"), f"{case(world, name)}/comments/{world.comments[f'{name}-internal']}/external"
    answer = ada.post(path, {"external": "1"})
    assert answer.status_code == 422
    assert "Share the case first." in answer.text
    assert "Share the case first." in ada.get(path).text


def test_ada_can_edit_and_delete_her_own(world: World, browse: Browse) -> None:
    ada, path = browse("ada"), f"{case(world, 'shared')}/comments/{world.comments['shared-external']}"
    assert "External word on shared." in ada.get(f"{path}/edit").text
    assert ada.post(f"{path}/edit", {"message": ""}).status_code == 422
    assert ada.post(f"{path}/edit", {"message": "Better words"}).status_code == 303
    page = portal(browse, world)
    assert "Better words" in page
    assert "External word on shared." not in page
    assert "edited" in page
    assert ada.post(f"{path}/delete").status_code == 303
    assert "Better words" not in portal(browse, world)
    assert ada.get(f"{path}/edit").status_code == 404


def test_edits_and_deletions_come_back_as_parts(world: World, browse: Browse) -> None:
    ada, path = browse("ada"), f"{case(world, 'shared')}/comments/{world.comments['shared-external']}"
    assert ada.get(f"{path}/edit", htmx=True).text.lstrip().startswith("<dialog")
    saved = ada.post(f"{path}/edit", {"message": "Better words"}, htmx=True)
    assert saved.status_code == 200
    assert "Better words" in saved.text
    assert "<html" not in saved.text
    assert "Better words" not in ada.post(f"{path}/delete", htmx=True).text


@pytest.mark.parametrize("comment", ["shared-hanna", "shared-external"])
def test_olga_cannot_change_others_words(world: World, browse: Browse, comment: str) -> None:
    olga, path = browse("olga"), f"{case(world, 'shared')}/comments/{world.comments[comment]}"
    for act in ("edit", "delete"):
        assert olga.get(f"{path}/{act}").status_code == 403
        assert olga.post(f"{path}/{act}", {"message": "Not mine"}).status_code == 403
    assert "Not mine" not in portal(browse, world)


def test_ruth_can_read_and_cannot_write(world: World, browse: Browse) -> None:
    ruth = browse("ruth")
    assert "Internal word on shared." in ruth.get(case(world, "shared")).text
    assert ruth.post(f"{case(world, 'shared')}/comments", {"message": "May I?"}).status_code == 403


def test_what_a_guest_wrote_is_marked_as_external(world: World, browse: Browse) -> None:
    browse("hanna").post(f"/portal/cases/{world.cases['shared']}/comments", {"message": "From outside"})
    page = browse("ada").get(case(world, "shared")).text
    article = page[page.rindex("<article", 0, page.index("From outside")) : page.index("From outside")]
    assert "Hanna Person" in article
    assert "External" in article
