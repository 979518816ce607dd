"""Many cases at once at the face: shown first, then done, each told about; with htmx and without; nothing odd is a fault."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from portal.cases.models import Case
from portal.clock import now
from portal.database import start_writing
from portal.dates import Reading, date_words
from portal.extensions import db
from tests.fixtures.company import Company
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]
ACTS = ("change/none", "share", "delete", "assign", "status", "severity", "tlp", "tags")


def numbers(world: World, *names: str) -> list[int]:
    return [world.cases[name] for name in names]


def hidden(page: str, *names: str) -> dict[str, list[str]]:
    """The hidden fields of these names."""
    return {name: re.findall(rf'<input type="hidden" name="{name}" value="([^"]*)"', page) for name in names}


def ask(browser: Browser, act: str, cases: list[int], **more: Any) -> str:
    answer = browser.get(f"/console/cases/bulk/{act}", query_string={"case": cases, **more})
    assert answer.status_code == 200, answer.status_code
    return str(unescape(answer.text))


def send(browser: Browser, act: str, page: str, **more: Any) -> Any:
    kept = hidden(page, "case", "seen", "effect", "shown", "back", "submission")
    return browser.post(f"/console/cases/bulk/{act}", {**kept, **more})


def confirm(browser: Browser, act: str, page: str, **more: Any) -> Any:
    """The page somebody reads afterwards."""
    return browser.follow(send(browser, act, page, **more))


def stored(app: Flask, world: World, name: str, column: str) -> Any:
    with app.app_context():
        return db.session.scalar(select(getattr(Case, column)).where(Case.number == world.cases[name]))


def test_ada_sets_the_severity_of_the_cases_she_ticked(app: Flask, world: World, browse: Browse) -> None:
    ada = browse("ada")
    page = ask(ada, "severity", numbers(world, "internal", "shared"))
    assert "Set the severity of 2 cases" in page
    assert "External users can see one of these cases" in page
    answer = confirm(ada, "severity", page, severity="4")
    assert answer.status_code == 200
    assert "2 cases were changed" in answer.text
    assert [stored(app, world, name, "severity") for name in ("internal", "shared", "all")] == [4, 4, 2]


def test_the_result_names_what_was_left_and_why(app: Flask, world: World, browse: Browse) -> None:
    ada = browse("ada")
    page = ask(ada, "tlp", numbers(world, "internal", "all"))
    browse("olga").post(f"/console/cases/{world.cases['all']}/facts/pap", {"pap": "0", "base": ""})
    ada.post(f"/console/cases/{world.cases['internal']}/flag", {"flagged": "y"})
    fresh = browse("olga")
    changed = ask(fresh, "severity", numbers(world, "all"))
    assert confirm(fresh, "severity", changed, severity="3").status_code == 200
    text = unescape(confirm(ada, "tlp", page, tlp="1").text)
    assert "1 case was changed" in text, "a flag is no reason to ask again"
    assert "1 case was left as it is" in text
    assert "Somebody changed it while you were deciding" in text


def test_cases_that_cannot_be_seen_read_like_none(world: World, browse: Browse) -> None:
    ada = browse("ada")
    cases = [*numbers(world, "internal", "foreign"), 987_654]
    page = ask(ada, "severity", cases)
    assert "foreign" not in page
    assert hidden(page, "case")["case"] == [str(world.cases["internal"])]
    forged = {"case": cases, "seen": [f"{number}.1" for number in cases], "severity": "3"}
    text = unescape(ada.follow(ada.post("/console/cases/bulk/severity", forged)).text)
    lines = [re.sub(r"\d+", "N", line) for line in re.findall(r"<strong>(#\d+ ?)</strong>", text)]
    assert lines == ["#N ", "#N "]
    assert text.count("There is no such case any more, or you may not see it.") == 2


def test_the_assignee_is_a_colleague(app: Flask, world: World, browse: Browse) -> None:
    ada = browse("ada")
    page = ask(ada, "assign", numbers(world, "internal", "shared"))
    assert "Hanna" not in re.sub(r"Shared with[^<]*", "", page)
    answer = confirm(ada, "assign", page, assignee=str(world.people["olga"]))
    assert "2 cases were assigned" in answer.text
    assert stored(app, world, "shared", "assignee_id") == world.people["olga"]
    page = ask(ada, "assign", numbers(world, "internal"))
    assert confirm(ada, "assign", page, assignee=str(world.people["hanna"])).status_code == 422
    assert "No case was assigned" not in confirm(ada, "assign", ask(ada, "assign", numbers(world, "internal")), assignee="").text


def test_tags_are_added_and_removed(app: Flask, world: World, browse: Browse) -> None:
    ada = browse("ada")
    page = ask(ada, "tags", numbers(world, "internal", "all"))
    assert confirm(ada, "tags", page, add="", remove="").status_code == 422
    confirm(ada, "tags", page, add="vpn, mail", remove="tag-all")
    assert [stored(app, world, name, "tags") for name in ("internal", "all")] == [["mail", "tag-internal", "vpn"], ["mail", "vpn"]]


def test_the_status_is_an_open_one(app: Flask, world: World, browse: Browse) -> None:
    ada = browse("ada")
    page = ask(ada, "status", numbers(world, "internal"))
    assert "True positive" not in page
    assert confirm(ada, "status", page, status="TruePositive").status_code == 422
    assert confirm(ada, "status", page, status="InProgress").status_code == 200
    assert stored(app, world, "internal", "status") == "InProgress"


def test_deleting_needs_the_number_of_cases(app: Flask, world: World, browse: Browse) -> None:
    olga = browse("olga")
    page = ask(olga, "delete", numbers(world, "internal", "all"))
    assert "External users can see one of them" in page
    answer = confirm(olga, "delete", page, confirmation="1")
    assert answer.status_code == 422
    assert "Type 2 to say" in answer.text
    text = confirm(olga, "delete", answer.text, confirmation="2").text
    assert "2 cases were deleted" in text
    assert stored(app, world, "internal", "id") is None
    assert olga.get(f"/console/cases/{world.cases['all']}").status_code == 404


def test_what_sharing_does_is_shown_for_each_case_first(app: Flask, world: World, browse: Browse) -> None:
    ada = browse("ada")
    cases = numbers(world, "internal", "shared", "restricted")
    page = ask(ada, "share", cases)
    answer = confirm(ada, "share", page, access="external", users=str(world.people["vic"]))
    text = unescape(answer.text)
    assert "Nothing is changed yet" in text
    assert stored(app, world, "internal", "access") == "internal"
    assert "will see it: Vic Person" in re.sub(r"<[^>]+>", "", text)
    assert "will lose it: Hanna Person, Rhea Person" in re.sub(r"<[^>]+>", "", text)
    assert "A restricted case cannot be shared" in text
    assert "Share 2 cases" in text
    text = unescape(confirm(ada, "share", text, access="external", users=str(world.people["vic"])).text)
    assert "2 cases were changed" in text
    assert "1 case was left as it is" in text
    seen = [browse("vic").get(f"/portal/cases/{number}").status_code for number in cases]
    assert seen == [200, 200, 404]
    assert browse("hanna").get(f"/portal/cases/{world.cases['shared']}").status_code == 404


def test_another_choice_than_the_one_shown_is_shown_first(app: Flask, world: World, browse: Browse) -> None:
    ada = browse("ada")
    page = ask(ada, "share", numbers(world, "internal"), access="external", users=world.people["vic"])
    text = confirm(ada, "share", page, access="all_external").text
    assert "Nothing is changed yet" in text
    assert stored(app, world, "internal", "access") == "internal"


def test_revoking_many(world: World, browse: Browse) -> None:
    ada = browse("ada")
    page = ask(ada, "share", numbers(world, "shared", "all", "internal"), access="internal")
    assert "Make 2 cases internal" in page
    assert "Stays as it is" in page
    assert "3 cases were changed" in confirm(ada, "share", page, access="internal").text
    assert browse("hanna").get(f"/portal/cases/{world.cases['shared']}").status_code == 404


def test_a_double_click_does_it_once(app: Flask, world: World, browse: Browse) -> None:
    ada = browse("ada")
    page = ask(ada, "tags", numbers(world, "internal"))
    once, again = (send(ada, "tags", page, add="once") for _ in range(2))
    assert (once.status_code, again.status_code) == (303, 303)
    assert "1 case was changed" in ada.follow(again).text
    assert stored(app, world, "internal", "version") == 2


def test_htmx_gets_the_drawer_and_the_result_in_it(world: World, browse: Browse) -> None:
    ada = browse("ada")
    query = {"case": numbers(world, "internal"), "back": "severity=2&_x=1&endpoint=1"}
    part = ada.get("/console/cases/bulk/severity", query_string=query, htmx=True).text
    assert part.lstrip().startswith("<dialog")
    kept = hidden(unescape(part), "case", "seen", "back", "submission")
    done = ada.post("/console/cases/bulk/severity", {**kept, "severity": "1"}, htmx=True).text
    assert "1 case was changed" in done
    page = ada.get(re.findall(r'href="([^"]+told=[^"]+)"', done)[0].replace("&amp;", "&")).text
    assert "1 case was changed" in page, "the drawer goes with the next page, its result can be kept"
    assert 'href="/console/cases?severity=2&amp;_x=1&amp;endpoint=1"' in page
    assert 'hx-get="/console/cases?severity=2&amp;_x=1&amp;endpoint=1"' in done


@pytest.mark.parametrize("act", ACTS[1:])
def test_nothing_ticked_leads_back_to_the_list(browse: Browse, act: str) -> None:
    ada = browse("olga")
    for query in ({}, {"case": "x"}, {"case": "9" * 30}, {"case": "987654"}, {"case": "\0"}, {"case": [str(n) for n in range(300)]}):
        answer = ada.get(f"/console/cases/bulk/{act}", query_string=query)
        assert (answer.status_code, answer.headers.get("Location")) == (303, "/console/cases"), query
        assert ada.post(f"/console/cases/bulk/{act}", query).status_code in (200, 303, 422), query


@pytest.mark.parametrize("act", ACTS[1:])
def test_odd_forms_are_no_fault(world: World, browse: Browse, act: str) -> None:
    olga, number = browse("olga"), world.cases["internal"]
    for form in (
        {},
        {"seen": "x.y", "effect": "..", "shown": "\0", "back": "%ff&&=;"},
        {"seen": [f"{number}.1"] * 3, "assignee": "x", "severity": "\0", "tlp": "9" * 40, "status": "\0", "access": "\0", "add": "\0"},
        {"access": "external", "users": ["9" * 40, "-1", "x"], "find": "1", "q": "\0"},
    ):
        assert olga.post(f"/console/cases/bulk/{act}", {"case": str(number), **form}).status_code in (200, 303, 422), form


@pytest.mark.parametrize("act", ACTS)
def test_ruth_is_neither_offered_nor_allowed_it(world: World, browse: Browse, act: str) -> None:
    ruth = browse("ruth")
    expected = 404 if act == "change/none" else 403
    assert ruth.get(f"/console/cases/bulk/{act}", query_string={"case": world.cases["internal"]}).status_code == expected
    assert "/console/cases/bulk" not in ruth.get("/console/cases").text


def plain(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def retell(app: Flask, world: World, name: str, **columns: Any) -> None:
    with app.app_context():
        start_writing()
        db.session.execute(update(Case).where(Case.number == world.cases[name]).values(**columns))
        db.session.commit()


def preview(browser: Browser, cases: list[int], **more: Any) -> str:
    """What the drawer answers to a choice."""
    return unescape(browser.get("/console/cases/bulk/share", query_string={"case": cases, **more}, htmx=True).text)


def test_the_preview_says_what_becomes_readable_until_when_and_what_warns(app: Flask, world: World, browse: Browse) -> None:
    ends = now() + timedelta(days=30)
    retell(app, world, "shared", tlp=4, shared_until=ends)
    ada, cases = browse("ada"), numbers(world, "internal", "shared")
    assert "TLP:RED" in plain(ask(ada, "share", cases)), "before anything is chosen"
    text = plain(preview(ada, cases, access="external", users=world.people["vic"]))
    assert text.count("They see the case with") == 2
    assert "Ends by itself:" in text
    assert "for those who gain access now, too" in text
    assert "The case is TLP:RED: only for the people you name." in text


def test_the_button_says_who_loses_and_a_total_stands_beside_it(world: World, browse: Browse) -> None:
    ada, cases = browse("ada"), numbers(world, "internal", "shared")
    page = preview(ada, cases, access="external", users=world.people["vic"])
    assert "Share 2 cases, take access away in 1<" in page
    assert "2 cases, +1 , −2 people" in plain(page)
    assert "Take access away in 1 case<" in preview(ada, cases[1:], access="external", users=world.people["hanna"])
    assert "The people and organisations you tick and nobody else" in ask(ada, "share", cases)


def test_a_case_without_its_reason_is_not_counted(app: Flask, world: World, browse: Browse) -> None:
    retell(app, world, "internal", tlp=3)
    ada, cases = browse("ada"), numbers(world, "internal", "shared")
    asked = {"access": "external", "users": world.people["vic"]}
    page = preview(ada, cases, **asked, reason="short")
    assert "Left out: no reason." in plain(page)
    assert "Share 1 case," in page
    page = preview(ada, cases, **asked, reason="Their systems are hit.")
    assert "Left out" not in page
    assert "Share 2 cases," in page
    whole = ask(ada, "share", cases, **asked)
    assert "At least 10 characters" in whole
    assert whole.count("(optional)") == 1, "the last day"
    assert "Share up to 2 cases" in whole, "without JavaScript the reason is sent with the same click"


def test_people_are_added_and_nobody_loses(world: World, browse: Browse) -> None:
    ada, cases = browse("ada"), numbers(world, "internal", "shared")
    page = ask(ada, "share", cases, access="add", users=world.people["vic"])
    assert "will lose it" not in page
    assert "2 cases were changed" in confirm(ada, "share", page, access="add", users=str(world.people["vic"])).text
    assert browse("hanna").get(f"/portal/cases/{cases[1]}").status_code == 200
    assert [browse("vic").get(f"/portal/cases/{number}").status_code for number in cases] == [200, 200]


def test_delete_stands_away_from_tick_all(browse: Browse) -> None:
    bar = browse("olga").get("/console/cases").text
    assert bar.index('data-tick="none"') < bar.index('id="bulk-share"') < bar.index('id="bulk-delete"')


def test_a_number_nobody_sees_is_named(browse: Browse) -> None:
    assert "There is no case #987654 you can see" in browse("ada").get("/console/cases?q=%23987654").text


def test_the_drawer_takes_a_last_day_for_all_of_the_cases(app: Flask, world: World, browse: Browse) -> None:
    ada, cases, day = browse("ada"), numbers(world, "internal", "shared"), (now() + timedelta(days=9)).date()
    asked: dict[str, Any] = {"access": "add", "users": str(world.people["vic"]), "until": day.isoformat()}
    page = ask(ada, "share", cases, **asked)
    assert page.count("Ends by itself:") == 2
    assert f'value="{day.isoformat()}"' in page
    page = confirm(ada, "share", page, **asked | {"until": ""}).text
    assert "Nothing is changed yet." in page, "another choice than the one shown"
    others = "Hanna Person and Rhea Person, until now without an end, lose access on that day, too."
    assert " ".join(plain(page).split()).count("on that day, too") == 0, "without a day"
    assert " ".join(plain(ask(ada, "share", cases, **asked)).split()).count(others) == 1, "of the case that is shared already"
    page = confirm(ada, "share", page, **asked).text
    told = confirm(ada, "share", page, **asked).text
    assert "2 cases were changed" in told
    assert told.count(f"The last day of sharing is {date_words(datetime(day.year, day.month, day.day, tzinfo=UTC), Reading())}.") == 2
    assert [stored(app, world, name, "shared_until").date() for name in ("internal", "shared")] == [day, day]
    later = {**asked, "until": (day + timedelta(days=9)).isoformat()}
    page = ask(ada, "share", cases, **later)
    assert "Set the last day of 2 cases<" in page
    assert page.count("The same people.") == page.count("Ends by itself:") == 2


@pytest.mark.parametrize("until", ["2001-01-01", "1900-01-01", "9999-12-31", "nonsense", "\0"])
def test_a_day_that_cannot_be_is_refused_for_many(world: World, browse: Browse, until: str) -> None:
    ada, cases = browse("ada"), numbers(world, "internal")
    asked = {"access": "all_external", "until": until}
    page = ask(ada, "share", cases, **asked)
    assert 'class="error"' in page
    assert 'class="error"' in preview(ada, cases, **asked)
    answer = confirm(ada, "share", page, **asked)
    assert (answer.status_code, "This did not work" in answer.text) == (422, False)
    assert browse("vic").get(f"/portal/cases/{cases[0]}").status_code == 404


def test_everybody_of_several_organisations_is_said_beside_the_button(world: World, browse: Browse, company: Company) -> None:
    ada, cases = browse("ada"), numbers(world, "internal", "shared")
    page = preview(ada, cases, access="all_external")
    assert re.search(r"People of several organisations read the same case: #\d+, #\d+<", page)
    assert page.count("read the same case") == 1, "said once, not with each case"
    alone = preview(ada, cases[:1], access="all_external")
    assert alone.count("will read the same case and what the others write") == alone.count("read the same case") == 1


def test_the_last_day_of_many_can_be_taken_away_and_nobody_gains_or_loses(app: Flask, world: World, browse: Browse) -> None:
    ada, cases = browse("ada"), numbers(world, "shared", "all", "internal")
    for name in ("shared", "all"):
        retell(app, world, name, shared_until=now() + timedelta(days=30))
    assert "No last day any more" in ask(ada, "share", cases)
    page = ask(ada, "share", cases, access="add", endless="y")
    assert "Take the last day away from 2 cases<" in page
    assert page.count("No end date any more.") == page.count("The same people.") == 2
    assert "It is not shared, so it has no last day." in page
    both = ask(ada, "share", cases, access="add", endless="y", until=(now() + timedelta(days=3)).date().isoformat())
    assert "Choose a last day or none, not both." in both
    told = confirm(ada, "share", page, access="add", endless="y").text
    assert told.count("Sharing has no last day any more.") == 2
    assert [stored(app, world, name, "shared_until") for name in ("shared", "all")] == [None, None]
    assert [stored(app, world, name, "access") for name in ("shared", "all", "internal")] == ["external", "all_external", "internal"]
    assert "Choose at least one person or organisation to add." in preview(ada, cases, access="add"), "nothing is chosen at all"


def test_what_red_leaves_as_it_is_is_said_before_it_is_chosen(app: Flask, world: World, browse: Browse) -> None:
    ada = browse("ada")
    page = plain(ask(ada, "tlp", numbers(world, "internal", "shared", "all")))
    assert "RED is for named people only, and one of these cases is shared with all external users or a whole organisation." in page
    assert "AMBER+STRICT asks why they may receive them." in page
    assert "RED is for named people only" not in ask(ada, "tlp", numbers(world, "internal", "shared")), "by name"
    assert "RED is for named people only" not in ask(ada, "severity", numbers(world, "all"))


def test_raising_shared_cases_to_amber_strict_asks_why_before_any_is_touched(app: Flask, world: World, browse: Browse) -> None:
    ada, cases = browse("ada"), numbers(world, "internal", "shared")
    page = ask(ada, "tlp", cases)
    assert "External users can see one of these cases." in page
    assert 'name="reason"' not in ask(ada, "tlp", cases[:1])
    refused = confirm(ada, "tlp", page, tlp="3", reason="too short")
    assert refused.status_code == 422
    assert "too short</textarea>" in refused.text
    assert "Write in at least 10 characters" in refused.text
    assert [stored(app, world, name, "tlp") for name in ("internal", "shared")] == [2, 2]
    done = confirm(ada, "tlp", refused.text, tlp="3", reason="Their systems are hit.")
    assert "2 cases were changed" in done.text
    assert "Their systems are hit." in ada.get(f"/console/cases/{cases[1]}/history").text


@pytest.mark.parametrize("act", ["assign", "status", "severity", "tlp", "tags", "delete", "share"])
def test_nothing_in_the_drawer_is_called_like_something_in_the_list(world: World, browse: Browse, act: str) -> None:
    """Or a label would name the button of the bar instead of the field."""
    olga, cases = browse("olga"), numbers(world, "internal", "shared")
    beneath = set(re.findall(r'\bid="([^"]+)"', olga.get("/console/cases").text))
    drawer = olga.get(f"/console/cases/bulk/{act}", query_string={"case": cases}, htmx=True).text
    assert not beneath & set(re.findall(r'\bid="([^"]+)"', drawer))


@pytest.mark.parametrize(("part", "last"), [("observables", 'value="delete"'), ("attachments", 'value="remove"')])
def test_the_bars_of_a_case_count_what_is_ticked_and_end_with_what_deletes(world: World, browse: Browse, part: str, last: str) -> None:
    page = browse("ada").get(f"/console/cases/{world.cases['shared']}/{part}").text
    bar = page[page.index('class="bulk"') :]
    assert bar.index("data-count=") < bar.index('data-tick="all"') < bar.index(last)
