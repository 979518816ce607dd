"""The history of a case: what it tells, what it can be narrowed to, and the way to what it was about."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from portal.audit.feed import KINDS, _event
from portal.audit.kinds import SENTENCES, Kind
from portal.audit.models import AuditEntry
from portal.clock import now
from portal.sharing.scope import OF_CASES
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]


def entries(browser: Browser, world: World, query: str = "", name: str = "shared") -> str:
    """The list alone, as text without tags."""
    page = browser.get(f"/console/cases/{world.cases[name]}/history{query}", htmx=True)
    assert page.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


@pytest.mark.parametrize(
    ("query", "told", "untold"),
    [
        ("", ["created the case", "wrote a comment", "changed who outside"], []),
        ("?show=case", ["created the case"], ["wrote a comment", "changed who outside"]),
        ("?show=comments", ["wrote a comment"], ["created the case"]),
        ("?show=comments&by=outside", ["Hanna Person wrote a comment"], ["Ada Person wrote"]),
        ("?by=inside", ["created the case", "Ada Person wrote a comment"], ["Hanna Person wrote"]),
        ("?show=sharing", ["changed who outside"], ["created the case", "wrote a comment"]),
        ("?show=views", ["Hanna Person opened the case in the portal"], ["wrote a comment"]),
        ("?show=views&by=inside", ["Nothing like this"], ["created the case"]),
        ("?show=nonsense&by=nobody", ["created the case", "wrote a comment"], []),
        ("?before=%00&show=%00", ["created the case"], []),
        ("?before=1", ["Nothing like this has happened on this case before this point"], []),
    ],
)
def test_the_history_can_be_narrowed(world: World, browse: Browse, query: str, told: list[str], untold: list[str]) -> None:
    browse("hanna").get(f"/portal/cases/{world.cases['shared']}")
    text = entries(browse("ada"), world, query)
    assert all(words in text for words in told), text
    assert not any(words in text for words in untold), text


def test_every_kind_of_a_case_is_in_a_group() -> None:
    of_cases = {kind for kind in Kind if kind.partition(":")[0] in OF_CASES}
    assert of_cases == {kind for kinds in KINDS.values() for kind in kinds}
    assert set(SENTENCES) == set(Kind)


def test_an_entry_says_through_which_door_and_leads_to_what_is_still_there(world: World, browse: Browse) -> None:
    ada, number = browse("ada"), world.cases["shared"]
    browse("hanna").post(f"/portal/cases/{number}/comments", {"message": "News."})
    gone = ada.post(f"/console/cases/{number}/comments", {"message": "Gone soon"}).headers["Location"].rpartition("-")[2]
    ada.post(f"/console/cases/{number}/comments/{gone}/delete")
    text = entries(ada, world)
    assert "Hanna Person wrote a comment External in the portal, just now" in text
    assert "Ada Person deleted a comment in the console, just now" in text
    page = ada.get(f"/console/cases/{number}/history").text
    assert f'href="/console/cases/{number}#comment-{world.comments["shared-hanna"]}"' in page
    assert f"#comment-{gone}" not in page


def test_old_and_new_words_of_an_edit_are_told(world: World, browse: Browse) -> None:
    path = f"/console/cases/{world.cases['shared']}/comments/{world.comments['shared-external']}/edit"
    assert browse("ada").confirm(path, {"message": "Better words"}).status_code == 303
    assert "Message External word on shared. → Better words" in entries(browse("ruth"), world, "?show=comments")


def test_pages_of_a_narrowed_history_go_on_narrowed(world: World, browse: Browse) -> None:
    ada, path = browse("ada"), f"/console/cases/{world.cases['shared']}/comments"
    for number in range(52):
        ada.post(path, {"message": f"Note {number}"})
    page = ada.get(f"/console/cases/{world.cases['shared']}/history?show=comments").text
    older = re.search(r'href="([^"]+before=\d+[^"]*)"', page)
    assert older
    assert "show=comments" in older[1]
    second = ada.get(older[1].replace("&amp;", "&")).text
    assert "wrote a comment" in second
    assert "created the case" not in second
    assert "Back to the newest" in second


def test_a_removed_task_keeps_its_name_in_the_history(world: World, browse: Browse) -> None:
    ada, number = browse("ada"), world.cases["shared"]
    ada.post(f"/console/cases/{number}/tasks", {"title": "Call the bank"})
    assert "added a task: Call the bank" in entries(ada, world, "?show=tasks")


def test_the_feed_tells_of_deleted_cases_among_cases(world: World, browse: Browse) -> None:
    olga, number = browse("olga"), world.cases["internal"]
    olga.post(f"/console/cases/{number}/delete", {"confirmation": str(number), "version": "1"})
    for page in ("/console/feed", "/console/feed?show=cases"):
        assert f"deleted a case: #{number}" in " ".join(olga.get(page).text.split())


def test_codes_are_told_in_words(world: World, browse: Browse) -> None:
    ada, number = browse("ada"), world.cases["internal"]
    form = {"title": "The internal case", "description": "Changed.", "status": "InProgress", "assignee": "", "version": "1"}
    ada.post(f"/console/cases/{number}/edit", {**form, "severity": "4", "tlp": "1", "pap": "3"})
    text = entries(ada, world, "?show=case", "internal")
    for words in ("Severity Medium → Critical", "TLP AMBER → GREEN", "PAP AMBER → RED", "Status New → In progress"):
        assert words in text, text


def test_days_are_told_in_words(world: World, browse: Browse) -> None:
    ada, number = browse("ada"), world.cases["shared"]
    day = (now() + timedelta(days=30)).date()
    users = [world.people["hanna"], world.people["rhea"]]
    chosen = {"access": "external", "users": users, "until": day.isoformat()}
    assert ada.confirm(f"/console/cases/{number}/access", chosen).status_code == 303
    text = entries(ada, world, "?show=sharing")
    assert f"{day.isoformat()}T" not in text
    assert re.search(rf"Last day {day.day} {day:%b %Y}|Last day {day:%b} {day.day}, {day.year}", text), text
    page = ada.get(f"/console/cases/{number}").text
    assert "23:59" in page
    assert not re.search(r"\.(<[^>]+>)*Ends by itself", page), "a space between the sentences of the banner"


def test_a_name_that_stayed_is_said_once() -> None:
    row = AuditEntry(id=1, at=now(), kind="file:shared", actor_name="Ada", actor_external=False, channel="console", object_id="x")
    row.changes = {"name": ["a.txt", "a.txt"], "external": [False, True]}
    event = _event(row)
    assert (event.about, event.changes) == ("a.txt", [("external", "no", "yes")])
