"""A colleague can stop the letters about a case for themselves."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]


@pytest.mark.parametrize("who", ["ada", "olga", "ruth"])
def test_a_colleague_can_stop_letters_and_get_them_again(world: World, browse: Browse, who: str) -> None:
    browser, page = browse(who), f"/console/cases/{world.cases['shared']}"
    assert f"{page}/letters" in browser.get(page).text
    assert "No e-mails about this case" in browser.get(f"{page}/letters").text
    answer = browser.post(f"{page}/letters", {"quiet": "y"}, follow_redirects=True)
    assert f"You get no more e-mails about case #{world.cases['shared']}." in answer.text
    assert "You get no e-mails about this case." in browser.get(f"{page}/letters", htmx=True).text
    assert "again" in browser.post(f"{page}/letters", {}, follow_redirects=True).text
    assert "No e-mails about this case" in browser.get(f"{page}/letters").text


@pytest.mark.parametrize(("who", "name"), [("otto", "shared"), ("ada", "foreign"), ("ruth", "restricted")])
def test_nobody_can_mute_what_they_cannot_see(world: World, browse: Browse, who: str, name: str) -> None:
    browser = browse(who)
    assert browser.get(f"/console/cases/{world.cases[name]}/letters").status_code == 404
    browser.get("/console/")
    assert browser.post(f"/console/cases/{world.cases[name]}/letters", {"quiet": "y"}).status_code == 404
