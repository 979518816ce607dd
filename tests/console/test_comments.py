"""Comments in the console: internal unless chosen otherwise, one's own to change, external only while the case is shared."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.fixtures.world import SHOWN, Browser, World

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
    page = case(world, "shared")
    answer = ada.confirm(f"{page}/comments", {"message": "A **new** thing", **audience}, asked=page)
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
        assert ada.confirm(path, {"external": external}, htmx=htmx).status_code == (200 if htmx else 303)
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
    assert ada.confirm(f"{path}/edit", {"message": "Better words"}).status_code == 303
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
    saved = ada.confirm(f"{path}/edit", {"message": "Better words"}, htmx=True)
    assert saved.status_code == 200
    assert "Better words" in saved.text
    assert "<html" not in saved.text
    assert "Better words" not in ada.post(f"{path}/delete", htmx=True).text


@pytest.mark.parametrize("comment", ["shared-hanna", "shared-external"])
def test_olga_cannot_change_others_words(world: World, browse: Browse, comment: str) -> None:
    olga, path = browse("olga"), f"{case(world, 'shared')}/comments/{world.comments[comment]}"
    assert olga.get(f"{path}/edit").status_code == 403
    assert olga.post(f"{path}/edit", {"message": "Not mine"}).status_code == 403
    assert "Not mine" not in portal(browse, world)


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize("comment", ["shared-hanna", "shared-external"])
def test_olga_can_remove_others_comments_and_leaves_a_trace(world: World, browse: Browse, comment: str, htmx: bool) -> None:
    """Colleagues see that there was one; outside, its own author alone learns that it was withdrawn."""
    olga, uid = browse("olga"), world.comments[comment]
    path, words = f"{case(world, 'shared')}/comments/{uid}", "Hanna's word on shared." if "hanna" in comment else "External word on shared."
    assert words in olga.get(f"{path}/delete", htmx=htmx).text
    assert olga.post(f"{path}/delete", htmx=htmx).status_code == (200 if htmx else 303)
    author = "Hanna" if "hanna" in comment else "Ada"
    page = browse("ruth").get(case(world, "shared")).text
    assert f"A comment by {author} Person was removed by Olga Person" in page
    assert words not in page
    for act in ("edit", "delete", "external", "versions"):
        assert olga.get(f"{path}/{act}").status_code == 404
    assert words not in portal(browse, world)
    assert ("withdrawn by the security team" in portal(browse, world)) is ("hanna" in comment)
    seen = browse("rhea").get(f"/portal/cases/{world.cases['shared']}").text
    assert "withdrawn" not in seen
    assert uid not in seen


@pytest.mark.parametrize("comment", ["shared-hanna", "shared-external"])
def test_ada_cannot_remove_others_comments_without_the_right(world: World, browse: Browse, comment: str) -> None:
    uid = world.comments[comment] if comment == "shared-hanna" else _of_olga(world, browse)
    ada, path = browse("ada"), f"{case(world, 'shared')}/comments/{uid}/delete"
    assert ada.get(path).status_code == 403
    assert ada.post(path).status_code == 403
    assert path not in ada.get(case(world, "shared")).text


def _of_olga(world: World, browse: Browse) -> str:
    answer = browse("olga").post(f"{case(world, 'shared')}/comments", {"message": "Olga's words"})
    return answer.headers["Location"].rpartition("#comment-")[2]


def test_colleagues_can_read_earlier_versions_and_nobody_else(world: World, browse: Browse) -> None:
    ada, path = browse("ada"), f"{case(world, 'shared')}/comments/{world.comments['shared-external']}"
    for words in ("Better words", "Best words"):
        ada.confirm(f"{path}/edit", {"message": words})
    assert f"{path}/versions" in ada.get(case(world, "shared")).text
    page = browse("ruth").get(f"{path}/versions").text
    assert page.index("Best words") < page.index("Better words") < page.index("External word on shared.")
    assert browse("ruth").get(f"{path}/versions", htmx=True).text.lstrip().startswith("<dialog")
    assert browse("otto").get(f"{path}/versions").status_code == 404
    assert "Better words" not in portal(browse, world)
    assert (
        browse("hanna").get(f"/portal/cases/{world.cases['shared']}/comments/{world.comments['shared-external']}/versions").status_code
        == 404
    )


def test_hanna_learns_that_her_message_was_withdrawn_and_rhea_nothing(world: World, browse: Browse) -> None:
    uid = world.comments["shared-hanna"]
    assert browse("ada").post(f"{case(world, 'shared')}/comments/{uid}/external", {"external": "0"}).status_code == 303
    hanna, page = browse("hanna"), portal(browse, world)
    assert "withdrawn by the security team" in page
    assert "word on shared" in page
    assert "Hanna's word" not in page
    for act in ("edit", "delete"):
        assert hanna.post(f"/portal/cases/{world.cases['shared']}/comments/{uid}/{act}", {"message": "Back"}).status_code == 404
    assert "withdrawn" not in browse("rhea").get(f"/portal/cases/{world.cases['shared']}").text
    browse("ada").confirm(f"{case(world, 'shared')}/comments/{uid}/external", {"external": "1"})
    assert "Hanna's word" in portal(browse, world)
    assert "withdrawn" not in portal(browse, world)


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


def widen(world: World, browse: Browse) -> None:
    """Olga opens the case to all while Ada writes."""
    answer = browse("olga").confirm(f"{case(world, 'shared')}/access", {"access": "all_external"})
    assert answer.status_code == 303


def fields(page: str) -> dict[str, str]:
    """What the page sends back of what it showed."""
    return dict(SHOWN.findall(page))


@pytest.mark.parametrize("htmx", [False, True])
def test_ada_cannot_send_to_people_nobody_showed_her(world: World, browse: Browse, htmx: bool) -> None:
    ada, page = browse("ada"), case(world, "shared")
    shown, sent = fields(ada.get(page).text), {"message": "For Hanna and Rhea", "audience": "external"}
    assert ada.post(f"{page}/comments", sent, htmx=htmx).status_code == 422, "what does not say what it showed showed nothing"
    widen(world, browse)
    held = ada.post(f"{page}/comments", {**sent, **shown}, htmx=htmx)
    assert held.status_code == 422
    assert "Nothing was sent: who can see this case has changed. Shared with all external users." in held.text
    assert "For Hanna and Rhea</textarea>" in held.text
    assert "For Hanna and Rhea" not in browse("vic").get(f"/portal/cases/{world.cases['shared']}").text
    assert ada.post(f"{page}/comments", {**sent, **fields(held.text)}, htmx=htmx).status_code == (200 if htmx else 303)
    assert "For Hanna and Rhea" in browse("vic").get(f"/portal/cases/{world.cases['shared']}").text


def test_an_internal_note_is_never_held_up(world: World, browse: Browse) -> None:
    ada, page = browse("ada"), case(world, "shared")
    shown = fields(ada.get(page).text)
    widen(world, browse)
    assert ada.post(f"{page}/comments", {"message": "Between us", "audience": "internal", **shown}).status_code == 303


@pytest.mark.parametrize("htmx", [False, True])
def test_ada_cannot_make_external_for_people_nobody_showed_her(world: World, browse: Browse, htmx: bool) -> None:
    ada, path = browse("ada"), f"{case(world, 'shared')}/comments/{world.comments['shared-internal']}/external"
    shown = fields(ada.get(path, htmx=htmx).text)
    widen(world, browse)
    held = ada.post(path, {"external": "1", **shown}, htmx=htmx)
    assert held.status_code == 422
    assert "Nothing was sent" in held.text
    assert "Shared with all external users" in held.text
    assert "Internal word on shared." not in portal(browse, world)
    assert ada.post(path, {"external": "1", **fields(held.text)}, htmx=htmx).status_code == (200 if htmx else 303)
    assert "Internal word on shared." in portal(browse, world)


def test_words_changed_after_the_question_are_not_made_external(world: World, browse: Browse) -> None:
    ada, path = browse("ada"), f"{case(world, 'shared')}/comments/{world.comments['shared-internal']}"
    shown = fields(browse("olga").get(f"{path}/external").text)
    assert ada.confirm(f"{path}/edit", {"message": "Names of the guilty"}).status_code == 303
    olga = browse("olga")
    held = olga.post(f"{path}/external", {"external": "1", **shown})
    assert held.status_code == 422
    assert "Names of the guilty" in held.text
    assert "Make external" in held.text
    assert "Names of the guilty" not in portal(browse, world)
    assert olga.post(f"{path}/external", {"external": "1", **fields(held.text)}).status_code == 303
    assert "Names of the guilty" in portal(browse, world)


@pytest.mark.parametrize("htmx", [False, True])
def test_a_second_window_does_not_overwrite_what_the_first_saved(world: World, browse: Browse, htmx: bool) -> None:
    ada, path = browse("ada"), f"{case(world, 'shared')}/comments/{world.comments['shared-internal']}/edit"
    shown = fields(ada.get(path).text)
    assert ada.post(path, {"message": "From the first window", **shown}).status_code == 303
    assert ada.post(path, {"message": "From the first window", **shown}).status_code == 303, "the same words again change nothing"
    held = ada.post(path, {"message": "From the second window", **shown}, htmx=htmx)
    assert held.status_code == 422
    assert "<p>From the first window</p>" in held.text
    assert "From the second window</textarea>" in held.text
    assert "From the first window" in ada.get(case(world, "shared")).text
    saved = ada.post(path, {"message": "From the second window", **fields(held.text)}, htmx=htmx)
    assert saved.status_code == (200 if htmx else 303)
    assert "From the second window" in ada.get(case(world, "shared")).text


def test_words_are_not_edited_for_people_who_were_not_there(world: World, browse: Browse) -> None:
    """The comment went outside, or the case to more people, after the form was opened."""
    ada, olga, page = browse("ada"), browse("olga"), case(world, "shared")
    inside, outside = (f"{page}/comments/{world.comments[f'shared-{kind}']}" for kind in ("internal", "external"))
    before = fields(ada.get(f"{inside}/edit").text), fields(ada.get(f"{outside}/edit").text)
    assert olga.confirm(f"{inside}/external", {"external": "1"}).status_code == 303
    assert ada.post(f"{inside}/edit", {"message": "Only for us", **before[0]}).status_code == 422
    widen(world, browse)
    assert ada.post(f"{outside}/edit", {"message": "Only for them", **before[1]}).status_code == 422
    assert "Only for" not in portal(browse, world)


@pytest.mark.parametrize(("audience", "said"), [("internal", "Internal note added."), ("external", "Sent to external users.")])
def test_what_is_said_after_writing_names_the_door(world: World, browse: Browse, audience: str, said: str) -> None:
    ada, path = browse("ada"), f"/console/cases/{world.cases['shared']}"
    seen = re.search(r'name="seen" value="([^"]+)"', ada.get(path).text)
    assert seen is not None
    part = ada.post(f"{path}/comments", {"message": "News.", "audience": audience, "seen": seen[1]}, htmx=True)
    assert (part.status_code, f'data-conversation="{said}"' in part.text) == (200, True)
    assert 'data-conversation=""' in ada.get(path).text, "nothing is said of what somebody else wrote"
