"""Live feed: who may know what happened, what a line says, and that a page which asks by itself keeps nobody signed in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from portal.clock import at, now
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]


def test_ada_sees_what_happened_on_her_cases(world: World, browse: Browse) -> None:
    browse("hanna").post(f"/portal/cases/{world.cases['shared']}/comments", {"message": "News."})
    page = browse("ada").get("/console/feed").text
    assert f"#{world.cases['shared']} The shared case" in page
    assert "wrote a comment" in page
    assert "The foreign case" not in page


def test_the_outside_alone_can_be_shown(world: World, browse: Browse) -> None:
    browse("hanna").post(f"/portal/cases/{world.cases['shared']}/comments", {"message": "News."})
    page = browse("ada").get("/console/feed?show=outside", htmx=True).text
    assert "Hanna Person" in page
    assert "<strong>Ada Person</strong>" not in page


def test_a_restricted_case_is_not_told_to_others(browse: Browse) -> None:
    assert "The restricted case" in browse("ada").get("/console/feed").text
    assert "The restricted case" not in browse("ruth").get("/console/feed").text


def test_what_is_done_to_accounts_is_for_those_who_manage_them(world: World, browse: Browse) -> None:
    olga = browse("olga")
    olga.post(f"/console/people/{world.people['vic']}/lock")
    assert "locked an account: Vic Person" in olga.get("/console/feed?show=people").text
    assert "locked an account" not in browse("ada").get("/console/feed").text
    assert "locked an account" not in browse("otto").get("/console/feed").text
    assert "locked an account: Vic Person" in browse("pia").get("/console/feed").text


def test_pia_reads_of_no_case(browse: Browse) -> None:
    assert "case" not in browse("pia").get("/console/feed", htmx=True).text.replace("/console/", "").lower()


def test_odd_addresses_show_the_first_page(browse: Browse) -> None:
    ada = browse("ada")
    for query in ("before=x", "before=" + "9" * 40, "before=%00", "show=nothing", "show=people"):
        assert ada.get(f"/console/feed?{query}").status_code == 200


def test_a_page_that_asks_by_itself_keeps_nobody_signed_in(browse: Browse) -> None:
    ada, start = browse("ada"), now()
    for minutes in (10, 20, 29):
        with at(start + timedelta(minutes=minutes)):
            assert ada.get("/console/feed", htmx=True).status_code == 200
    with at(start + timedelta(minutes=31)):
        assert ada.get("/console/feed", htmx=True).status_code == 401
