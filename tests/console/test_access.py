"""Manage external access: as page and drawer, the preview, what is refused and why."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest

from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]


def path(world: World, case: str) -> str:
    """The address of the drawer."""
    return f"/console/cases/{world.cases[case]}/access"


def test_the_drawer_is_a_page_too(world: World, browse: Browse) -> None:
    ada = browse("ada")
    page, part = ada.get(path(world, "shared")).text, ada.get(path(world, "shared"), htmx=True).text
    assert "<html" in page
    assert part.lstrip().startswith("<dialog")
    for text in (page, part):
        chosen = re.findall(r'name="users"[^>]*value="(\d+)"[^>]*checked', text)
        assert {int(key) for key in chosen} == {world.people["hanna"], world.people["rhea"]}
        assert "Dora Person" not in text
        assert "Gast Person" not in text


def test_ada_can_share_and_revoke_without_javascript(world: World, browse: Browse) -> None:
    ada, vic = browse("ada"), browse("vic")
    answer = ada.post(path(world, "internal"), {"access": "external", "users": [world.people["vic"]]})
    assert answer.headers["Location"] == f"/console/cases/{world.cases['internal']}"
    page = ada.get(answer.headers["Location"]).text
    assert "1 external user can see this case now." in page
    assert "Shared with Vic Person" in page
    assert vic.get(f"/portal/cases/{world.cases['internal']}").status_code == 200
    assert ada.post(path(world, "internal"), {"access": "internal"}).status_code == 303
    assert vic.get(f"/portal/cases/{world.cases['internal']}").status_code == 404


def test_ada_can_share_from_the_drawer(world: World, browse: Browse) -> None:
    number = world.cases["internal"]
    answer = browse("ada").post(path(world, "internal"), {"access": "all_external"}, htmx=True)
    assert answer.status_code == 200
    for target in (f"#case-{number}-badge", f"#case-{number}-banner"):
        assert target in answer.text
    assert "Shared with all external users" in answer.text
    assert "<html" not in answer.text


def test_the_preview_says_who_gains_and_loses_and_writes_nothing(world: World, browse: Browse) -> None:
    ada = browse("ada")
    query = {"access": "external", "users": [world.people["hanna"], world.people["vic"]]}
    text = unescape(ada.get(path(world, "shared"), query_string=query, htmx=True).text)
    assert "Vic Person" in text
    assert "Rhea Person" in text
    assert "Share with 1 person, revoke for 1" in text
    assert browse("vic").get(f"/portal/cases/{world.cases['shared']}").status_code == 404


@pytest.mark.parametrize(
    "query",
    [{"access": "external"}, {"access": "nonsense"}, {"access": ""}, {"access": "restricted"}, {"access": "external", "users": "x"}],
)
def test_a_preview_of_nonsense_is_no_fault(world: World, browse: Browse, query: dict[str, str]) -> None:
    assert browse("ada").get(path(world, "shared"), query_string=query, htmx=True).status_code == 200


def test_a_restricted_case_cannot_be_shared_and_says_why(world: World, browse: Browse) -> None:
    ada = browse("ada")
    for access in ("all_external", "external", "internal"):
        answer = ada.post(path(world, "restricted"), {"access": access, "users": [world.people["hanna"]]})
        assert answer.status_code == 422
        assert "A restricted case cannot be shared with external users." in answer.text
    drawer = ada.get(path(world, "restricted"), htmx=True).text
    assert "A restricted case cannot be shared with external users." in drawer
    assert "disabled" in drawer
    assert browse("hanna").get(f"/portal/cases/{world.cases['restricted']}").status_code == 404


@pytest.mark.parametrize("who", ["dora", "gast", "ada", "otto"])
def test_a_case_cannot_be_shared_with_somebody_who_is_no_guest_here(world: World, browse: Browse, who: str) -> None:
    answer = browse("ada").post(path(world, "internal"), {"access": "external", "users": [world.people[who]]})
    assert answer.status_code == 422
    assert "cannot be given access any more" in answer.text


@pytest.mark.parametrize("data", [{"access": "external"}, {}, {"access": "restricted"}, {"access": "external", "users": "x"}])
def test_an_incomplete_choice_is_refused(world: World, browse: Browse, data: dict[str, str]) -> None:
    assert browse("ada").post(path(world, "internal"), data).status_code == 422


def test_a_stale_choice_is_refused_and_shows_the_present(world: World, browse: Browse) -> None:
    ada, olga = browse("ada"), browse("olga")
    version = re.search(r'name="version" value="(\d+)"', ada.get(path(world, "shared")).text)
    assert version is not None
    assert olga.post(path(world, "shared"), {"access": "internal"}).status_code == 303
    data = {"access": "external", "users": [world.people["hanna"]], "version": version[1]}
    answer = ada.post(path(world, "shared"), data)
    assert answer.status_code == 422
    assert "Somebody changed this case or its access" in answer.text
    assert browse("hanna").get(f"/portal/cases/{world.cases['shared']}").status_code == 404


def test_what_would_appear_again_must_be_confirmed(world: World, browse: Browse) -> None:
    ada, hanna = browse("ada"), browse("hanna")
    data = {"access": "external", "users": [world.people["hanna"]]}
    refused = ada.post(path(world, "revoked"), data)
    assert refused.status_code == 422
    assert "External word on revoked." in refused.text
    assert hanna.get(f"/portal/cases/{world.cases['revoked']}").status_code == 404
    assert ada.post(path(world, "revoked"), {**data, "again": "y"}).status_code == 303
    page = hanna.get(f"/portal/cases/{world.cases['revoked']}").text
    assert "External word on revoked." in page
    assert "Internal word" not in page


@pytest.mark.parametrize("who", ["ruth"])
def test_a_colleague_without_the_right_cannot_share(world: World, browse: Browse, who: str) -> None:
    browser = browse(who)
    assert browser.get(path(world, "shared")).status_code == 403
    assert browser.post(path(world, "shared"), {"access": "internal"}).status_code == 403
    assert browse("hanna").get(f"/portal/cases/{world.cases['shared']}").status_code == 200


def test_nothing_is_shared_that_was_not_shown_before(world: World, browse: Callable[[str], Browser]) -> None:
    """Without JavaScript, or quicker than the preview: the first click shows the effect, the second one confirms what was shown."""
    ada, path = browse("ada"), f"/console/cases/{world.cases['internal']}/access"
    seen = re.search(r'name="seen" value="(\w+)"', ada.get(path).text)
    assert seen is not None
    version = re.search(r'name="version" value="(\d+)"', ada.get(path).text)
    assert version is not None
    form = {"access": "all_external", "version": version[1]}
    answer = ada.post(path, {**form, "seen": seen[1]})
    assert answer.status_code == 200
    assert "Nothing is changed yet." in answer.text
    assert "Share with all external users" in answer.text
    assert "people who are invited later" in answer.text
    assert browse("vic").get(f"/portal/cases/{world.cases['internal']}").status_code == 404
    shown = re.search(r'name="seen" value="(\w+)"', answer.text)
    assert shown is not None
    assert ada.post(path, {**form, "seen": shown[1]}).status_code == 303
    assert browse("vic").get(f"/portal/cases/{world.cases['internal']}").status_code == 200
