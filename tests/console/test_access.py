"""Manage external access: as page and drawer, the preview, what is refused and why."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select, update

from portal.accounts.models import User
from portal.cases.models import Case
from portal.clock import now
from portal.database import start_writing
from portal.extensions import db
from tests.fixtures.world import SHOWN, Browser, World

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
    answer = ada.confirm(path(world, "internal"), {"access": "external", "users": [world.people["vic"]]})
    assert answer.headers["Location"] == f"/console/cases/{world.cases['internal']}"
    page = ada.get(answer.headers["Location"]).text
    assert "1 external user can see this case now." in page
    assert "Shared with Vic Person" in page
    assert vic.get(f"/portal/cases/{world.cases['internal']}").status_code == 200
    assert ada.confirm(path(world, "internal"), {"access": "internal"}).status_code == 303
    assert vic.get(f"/portal/cases/{world.cases['internal']}").status_code == 404


def test_ada_can_share_from_the_drawer(world: World, browse: Browse) -> None:
    number = world.cases["internal"]
    answer = browse("ada").confirm(path(world, "internal"), {"access": "all_external"}, htmx=True)
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
    assert olga.confirm(path(world, "shared"), {"access": "internal"}).status_code == 303
    data = {"access": "external", "users": [world.people["hanna"]], "version": version[1]}
    answer = ada.post(path(world, "shared"), data)
    assert answer.status_code == 422
    assert "Somebody changed this case or its access" in answer.text
    assert browse("hanna").get(f"/portal/cases/{world.cases['shared']}").status_code == 404


def test_what_would_appear_again_must_be_confirmed(world: World, browse: Browse) -> None:
    ada, hanna = browse("ada"), browse("hanna")
    data = {"access": "external", "users": [world.people["hanna"]]}
    refused = ada.confirm(path(world, "revoked"), data)
    assert refused.status_code == 422
    assert "External word on revoked." in refused.text
    assert hanna.get(f"/portal/cases/{world.cases['revoked']}").status_code == 404
    assert ada.confirm(path(world, "revoked"), {**data, "again": "y"}).status_code == 303
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


def test_ada_can_share_until_a_day_on_her_clock(app: Flask, world: World, browse: Browse) -> None:
    with app.app_context():
        start_writing()
        db.session.execute(update(User).where(User.id == world.people["ada"]).values(time_zone="America/New_York"))
        db.session.commit()
    day = (now() + timedelta(days=30)).date()
    ada, form = browse("ada"), {"access": "external", "users": [world.people["vic"]]}
    assert ada.confirm(path(world, "internal"), {**form, "until": day.isoformat()}).status_code == 303
    assert f"{day.day} {day:%b %Y}, 23:59" in ada.get(f"/console/cases/{world.cases['internal']}").text
    ends = ended_on(app, world)
    assert ends == datetime.combine(day, time(23, 59, 59), ZoneInfo("America/New_York"))
    # Olga, elsewhere on the globe, leaves the day as her clock shows it: the moment stays.
    hers = re.search(r'name="until"[^>]*value="([\d-]+)"', browse("olga").get(path(world, "internal")).text)
    assert hers is not None
    assert browse("olga").confirm(path(world, "internal"), {**form, "until": hers[1]}).status_code == 303
    assert ended_on(app, world) == ends
    assert "no end date any more" in ada.get(ada.confirm(path(world, "internal"), {**form, "until": ""}).headers["Location"]).text
    assert ended_on(app, world) is None


def test_the_drawer_says_whom_a_last_day_ends_it_for_too(app: Flask, world: World, browse: Browse) -> None:
    ada, days = browse("ada"), [(now() + timedelta(days=ahead)).date() for ahead in (10, 20, 30)]
    people = {name: world.people[name] for name in ("hanna", "rhea", "vic")}

    def told(day: date | str, *who: str) -> str:
        form = {"access": "external", "users": [people[name] for name in who], "until": str(day)}
        page = ada.get(path(world, "shared"), query_string=form, htmx=True).text
        return " ".join(re.sub(r"<[^>]+>", "", unescape(page)).split())

    assert "Hanna Person and Rhea Person, until now without an end, lose access on that day, too." in told(days[1], *people)
    assert "Hanna Person, until now without an end, loses access on that day." in told(days[1], "hanna"), "nobody gains it"
    assert "on that day" not in told("", *people)
    assert "on that day" not in told(days[1], "vic"), "the others lose it at once"
    form = {"access": "external", "users": [people["hanna"], people["rhea"]], "until": days[1].isoformat()}
    assert ada.confirm(path(world, "shared"), form).status_code == 303
    before = f"so far until {days[1].day} {days[1]:%b %Y}"
    assert f"Hanna Person and Rhea Person, {before}, lose access on that day, too." in told(days[0], *people)
    assert f"Hanna Person and Rhea Person, {before}, keep access until that day, too." in told(days[2], *people)
    assert "so far" not in told(days[1], *people), "the day stays"


def ended_on(app: Flask, world: World) -> datetime | None:
    with app.app_context():
        return db.session.scalars(select(Case.shared_until).where(Case.number == world.cases["internal"])).one()


@pytest.mark.parametrize("until", ["2001-01-01", "1900-01-01", "9999-12-31", "nonsense", "2026-02-31", "\0"])
def test_a_day_that_cannot_be_is_refused(world: World, browse: Browse, until: str) -> None:
    ada, form = browse("ada"), {"access": "all_external", "until": until}
    assert ada.post(path(world, "internal"), form).status_code == 422
    assert ada.get(path(world, "internal"), query_string=form, htmx=True).status_code == 200
    assert browse("vic").get(f"/portal/cases/{world.cases['internal']}").status_code == 404


def test_a_form_without_the_day_leaves_it(app: Flask, world: World, browse: Browse) -> None:
    day, ada = (now() + timedelta(days=30)).date(), browse("ada")
    form = {"access": "external", "users": [world.people["vic"]]}
    ada.confirm(path(world, "internal"), {**form, "until": day.isoformat()})
    ends = ended_on(app, world)
    ada.confirm(path(world, "internal"), {"access": "external", "users": [world.people["hanna"]]})
    assert ended_on(app, world) == ends


def test_taking_the_last_day_away_is_shown_before_it_is_done(app: Flask, world: World, browse: Browse) -> None:
    ada, form = browse("ada"), {"access": "external", "users": [world.people["vic"]]}
    day = (now() + timedelta(days=30)).date().isoformat()
    ada.confirm(path(world, "internal"), {**form, "until": day})
    shown = dict(SHOWN.findall(ada.get(path(world, "internal"), query_string={**form, "until": day}).text))
    answer = ada.post(path(world, "internal"), {**form, "until": "", **shown})
    assert "Nothing is changed yet." in answer.text
    assert "Remove the end date" in answer.text
    assert ended_on(app, world)
    assert ada.confirm(path(world, "internal"), {**form, "until": ""}).status_code == 303
    assert ended_on(app, world) is None


def test_a_reason_is_asked_for_only_when_the_tlp_says_so(app: Flask, world: World, browse: Browse) -> None:
    ada, query = browse("ada"), {"access": "external", "users": [world.people["vic"]]}
    assert 'name="reason"' not in ada.get(path(world, "internal"), query_string=query, htmx=True).text
    with app.app_context():
        start_writing()
        db.session.execute(update(Case).where(Case.number == world.cases["internal"]).values(tlp=3))
        db.session.commit()
    assert 'name="reason"' in ada.get(path(world, "internal"), query_string=query, htmx=True).text
    refused = ada.confirm(path(world, "internal"), query)
    assert refused.status_code == 422
    assert "why these people may receive it" in refused.text
    assert ada.confirm(path(world, "internal"), {**query, "reason": "They run\r\nthe machine."}).status_code == 303
    assert "They run the machine." in ada.get(f"/console/cases/{world.cases['internal']}/history").text
    assert "They run the machine." not in browse("vic").get(f"/portal/cases/{world.cases['internal']}").text


def test_the_drawer_counts_what_will_be_seen(world: World, browse: Browse) -> None:
    query = {"access": "external", "users": [world.people["vic"]], "again": "y"}
    text = " ".join(browse("ada").get(path(world, "revoked"), query_string=query, htmx=True).text.split())
    assert re.search(r"They see the case with 2 external comments and (no|\d+) external files?\.", text)


def test_a_refused_share_does_not_read_as_done(app: Flask, world: World, browse: Browse) -> None:
    with app.app_context():
        start_writing()
        db.session.execute(update(Case).where(Case.number == world.cases["internal"]).values(tlp=3))
        db.session.commit()
    text = browse("ada").confirm(path(world, "internal"), {"access": "external", "users": [world.people["vic"]]}).text
    assert "Who will see this case" in text
    assert "Who sees this case now" not in text
    assert "Share with 1 person" in text
    assert "At least 10 characters" in text
    assert re.search(r'<textarea[^>]*name="reason"[^>]* required', text)


def test_a_last_day_that_has_passed_is_an_error_at_the_field(world: World, browse: Browse) -> None:
    ada, form = browse("ada"), {"access": "all_external", "until": "2001-01-01"}
    assert 'id="until-error"' in ada.post(path(world, "internal"), form).text
    part = ada.get(path(world, "internal"), query_string=form, htmx=True).text
    assert re.search(r'class="error".*The last day must not be in the past', part, re.DOTALL)


def test_an_end_date_that_stands_is_said_to_hold_for_newcomers(app: Flask, world: World, browse: Browse) -> None:
    with app.app_context():
        start_writing()
        db.session.execute(update(Case).where(Case.number == world.cases["shared"]).values(shared_until=now() + timedelta(days=9)))
        db.session.commit()
    query = {"access": "external", "users": [world.people[name] for name in ("hanna", "rhea", "vic")]}
    assert "for those who gain access now, too" in browse("ada").get(path(world, "shared"), query_string=query, htmx=True).text


@pytest.mark.parametrize("left_out", ["seen", "version"])
def test_a_form_that_does_not_say_what_it_showed_is_answered_with_the_effect(world: World, browse: Browse, left_out: str) -> None:
    ada, query = browse("ada"), {"access": "all_external"}
    shown = dict(SHOWN.findall(ada.get(path(world, "internal"), query_string=query).text))
    assert shown.pop(left_out)
    answer = ada.post(path(world, "internal"), {**query, **shown})
    assert "Nothing is changed yet." in answer.text
    assert "Share with all external users" in answer.text
    assert browse("vic").get(f"/portal/cases/{world.cases['internal']}").status_code == 404
