"""The portal's list and case page: what is there, in which order, and that nothing else is."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.audit.kinds import Kind
from portal.audit.models import AuditEntry
from portal.extensions import db
from tests.access.roads import plain
from tests.fixtures.world import BASE, Browser, World

Browse = Callable[[str], Browser]


def titles(page: str) -> list[str]:
    """Titles of the cases, in order."""
    return list(dict.fromkeys(re.findall(r"The \w+ case", unescape(page))))


@pytest.mark.parametrize(
    ("who", "names"),
    [("hanna", ["all", "shared"]), ("rhea", ["all", "shared"]), ("vic", ["all"]), ("gast", ["foreign"])],
)
def test_everybody_sees_what_was_shared_with_them(browse: Browse, who: str, names: list[str]) -> None:
    page = browse(who).get("/portal/")
    assert page.status_code == 200
    assert titles(page.text) == [f"The {name} case" for name in names]


def test_somebody_with_nothing_shared_reads_so(world: World, browse: Browse) -> None:
    ada, vic = browse("ada"), browse("vic")
    ada.confirm(f"/console/cases/{world.cases['all']}/access", {"access": "internal"})
    page = vic.get("/portal/").text
    assert titles(page) == []
    assert 'class="empty' in page


def test_hanna_reads_a_case_and_its_messages(world: World, browse: Browse) -> None:
    page = unescape(browse("hanna").get(f"/portal/cases/{world.cases['shared']}").text)
    for text in ("The shared case", "Description of the shared case.", "tag-shared", "Medium", "External word on shared.", "Ada Person"):
        assert text in page
    assert page.index("External word on shared.") < page.index("Hanna's word on shared.")
    assert "Internal word" not in page


def views(app: Flask) -> int:
    """How often somebody outside opened a case, as it is on record."""
    with app.app_context():
        return db.session.scalar(select(func.count(AuditEntry.id)).where(AuditEntry.kind == Kind.CASE_VIEWED)) or 0


def test_asking_whether_a_case_is_still_there_is_not_reading_it(app: Flask, world: World, browse: Browse) -> None:
    hanna, case = browse("hanna"), f"/portal/cases/{world.cases['shared']}"
    unread = hanna.get("/portal/").text.count('class="unread"')
    assert unread
    assert hanna.client.head(case, base_url=BASE).status_code == 200
    assert hanna.get("/portal/").text.count('class="unread"') == unread
    assert views(app) == 0
    hanna.get(case)
    assert views(app) == 1
    assert hanna.get("/portal/").text.count('class="unread"') == unread - 1


def test_no_word_of_the_console_is_read_in_the_portal(world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    words = ("TLP", "PAP", "ssignee", "estricted", "nternal", "ada@people.example", "olga", "manageCase", "/console")
    for path in ("/portal/", f"/portal/cases/{world.cases['shared']}", "/portal/account", "/portal/cases/999"):
        page = plain(hanna.get(path))
        assert [word for word in words if word in page] == [], path


def test_htmx_gets_parts_and_history_pages(world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    for path in ("/portal/", f"/portal/cases/{world.cases['shared']}"):
        part = hanna.get(path, htmx=True)
        assert "<html" not in part.text
        assert "<html" in hanna.get(path, htmx=True, headers={"HX-History-Restore-Request": "true"}).text
        assert "HX-Request" in part.headers["Vary"]


def test_the_list_moves_only_with_what_is_shared(world: World, browse: Browse) -> None:
    hanna, ada = browse("hanna"), browse("ada")
    comment = f"/console/cases/{world.cases['shared']}/comments"
    ada.post(comment, {"message": "Between us"})
    assert titles(hanna.get("/portal/").text) == ["The all case", "The shared case"]
    ada.confirm(comment, {"message": "For you", "audience": "external"}, asked=comment.removesuffix("/comments"))
    assert titles(hanna.get("/portal/").text) == ["The shared case", "The all case"]


def test_a_taken_back_message_leaves_no_later_date(world: World, browse: Browse) -> None:
    hanna, ada = browse("hanna"), browse("ada")
    console = f"/console/cases/{world.cases['shared']}"
    ada.confirm(f"{console}/comments", {"message": "For you", "audience": "external"}, asked=console)
    page = hanna.get(f"/portal/cases/{world.cases['shared']}").text
    uid = re.findall(r'id="comment-(\w+)"', page)[-1]
    ada.post(f"/console/cases/{world.cases['shared']}/comments/{uid}/delete")
    assert titles(hanna.get("/portal/").text) == ["The all case", "The shared case"]


def test_odd_numbers_are_not_found(browse: Browse) -> None:
    hanna = browse("hanna")
    for number in ("0", "-1", "01", "1x", "99999999999999999999", "1%20", "1;2", "%31%00"):
        assert hanna.get(f"/portal/cases/{number}").status_code == 404, number


def test_opening_a_case_is_on_record_once_an_hour(world: World, browse: Browse) -> None:
    hanna, ada = browse("hanna"), browse("ada")
    for _ in range(3):
        hanna.get(f"/portal/cases/{world.cases['shared']}")
    page = ada.get(f"/console/cases/{world.cases['shared']}/history").text
    assert page.count("opened the case in the portal") == 1


@pytest.mark.parametrize("after", ["²-1", "1-²", "٣-٣", "-", "9" * 30 + "-1", "1-1-1", "\x00"])
def test_hanna_gets_the_first_page_for_a_place_that_is_none(browse: Callable[[str], Browser], after: str) -> None:
    answer = browse("hanna").get("/portal/", query_string={"after": after})
    assert answer.status_code == 200
    assert "The shared case" in answer.text
