"""Custom fields in the console: the case's form, the page, the administration; and what of it the portal shows."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from portal.cases import definitions
from portal.cases.models import Case, CustomField, CustomValue
from portal.database import start_writing
from portal.extensions import db
from tests.access.roads import plain
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]
NEW = {"name": "unit", "type": "string", "label": "Business unit", "group": "", "description": "", "options": "", "position": "3"}


def version(page: str) -> str:
    return page.split('name="version"')[1].split('value="')[1].split('"')[0]


def field_id(app: Flask, name: str) -> int:
    with app.app_context():
        return db.session.scalars(select(CustomField.id).where(CustomField.name == name)).one()


def values(app: Flask, number: int) -> dict[str, list[str]]:
    wanted = select(CustomField.name, CustomValue.value).join(CustomField, CustomField.id == CustomValue.field_id)
    with app.app_context():
        found: dict[str, list[str]] = {}
        of_case = wanted.join(Case, Case.id == CustomValue.case_id).where(Case.number == number).order_by(CustomValue.position)
        for name, value in db.session.execute(of_case):
            found.setdefault(name, []).append(value)
        return found


def make(browse: Browse, **change: Any) -> None:
    assert browse("pia").post("/console/custom-fields/new", {**NEW, **change}).status_code == 303


def edit(pia: Browser, path: str, **change: Any) -> Any:
    """Send the form of a field with something changed; a box is unticked with None."""
    page = pia.get(path).text
    texts = dict(re.findall(r'<input[^>]*name="(label|group|position)"[^>]*value="([^"]*)"', page))
    boxes = {name: "y" for name in ("mandatory", "shown_outside") if re.search(rf'name="{name}"[^>]*checked', page)}
    sent = {"description": "", "options": "", **texts, **boxes, "version": version(page), **change}
    return pia.post(path, {name: value for name, value in sent.items() if value is not None})


def save(ada: Browser, path: str, change: dict[str, Any], **more: Any) -> Any:
    page = ada.get(path).text
    names = {name.removeprefix("field-") for name in change}
    return ada.post(path, {"fields": sorted(names), "version": version(page), **change, **more})


def test_ada_can_fill_in_a_group(app: Flask, world: World, browse: Browse) -> None:
    ada, number = browse("ada"), world.cases["internal"]
    path = f"/console/cases/{number}/fields?group=Place"
    page = ada.get(path).text
    assert "Affected region" in page
    assert "Estimated loss" not in page
    assert save(ada, path, {"field-region": "Oslo"}).status_code == 303
    assert values(app, number) == {"region": ["Oslo"], "loss": values(app, number)["loss"]}
    page = ada.get(f"/console/cases/{number}").text
    assert "Saved: Affected region." in page
    assert "Oslo" in page
    history = ada.get(f"/console/cases/{number}/history").text
    assert "Region of internal" in history


def test_every_mistake_is_told_at_its_field_and_nothing_is_lost(app: Flask, world: World, browse: Browse) -> None:
    make(browse, name="seen-on", type="date", label="Seen on")
    ada, path = browse("ada"), f"/console/cases/{world.cases['internal']}/fields"
    before = values(app, world.cases["internal"])
    answer = save(ada, path, {"field-region": "Oslo", "field-loss": "a lot", "field-seen-on": "yesterday"})
    page = unescape(answer.text)
    assert answer.status_code == 422
    assert page.count("Estimated loss: write a whole number") == 2
    assert page.count("Seen on: write a date") == 2
    assert all(f'value="{text}"' in page for text in ("Oslo", "a lot", "yesterday"))
    assert values(app, world.cases["internal"]) == before


def test_a_field_can_take_several_values(app: Flask, world: World, browse: Browse) -> None:
    ada, number = browse("ada"), world.cases["internal"]
    path = f"/console/cases/{number}/fields?group=Place"
    asked = save(ada, path, {"field-region": "Oslo"}, several="region")
    assert "<textarea" in asked.text
    assert ">Oslo" in asked.text.replace("\r\n", "").replace("\n", "")
    assert save(ada, path, {"field-region": "Oslo\r\nBergen\r\n\r\nOslo"}, lines="region").status_code == 303
    assert values(app, number)["region"] == ["Oslo", "Bergen"]
    assert "<textarea" in ada.get(path).text
    assert save(ada, path, {"field-region": ""}).status_code == 303
    assert "region" not in values(app, number)


def test_options_and_yes_or_no_are_picked(app: Flask, world: World, browse: Browse) -> None:
    make(browse, options="Sales\nLegal")
    make(browse, name="insured", type="boolean", label="Insured")
    ada, number = browse("ada"), world.cases["internal"]
    path = f"/console/cases/{number}/fields"
    page = ada.get(path).text
    assert re.search(r'<select[^>]*id="field-unit"', page)
    assert '<option value="no">No</option>' in page
    assert save(ada, path, {"field-unit": "HR", "field-insured": "maybe"}).status_code == 422
    assert save(ada, path, {"field-unit": ["Legal", "Sales"], "field-insured": "no"}).status_code == 303
    assert values(app, number)["unit"] == ["Legal", "Sales"]
    assert ada.get(path).text.count('type="checkbox"') == 2
    assert ">No</span>" in ada.get(f"/console/cases/{number}").text


def test_a_second_writer_sees_both_values(app: Flask, world: World, browse: Browse) -> None:
    ada, number = browse("ada"), world.cases["internal"]
    path = f"/console/cases/{number}/fields?group=Place"
    old = version(ada.get(path).text)
    assert save(ada, path, {"field-region": "Oslo"}).status_code == 303
    answer = ada.post(path, {"fields": "region", "version": old, "field-region": "Bergen"})
    assert answer.status_code == 422
    assert '<td class="text">Oslo</td>' in answer.text
    assert '<td class="text">Bergen</td>' in answer.text
    again = ada.post(path, {"fields": "region", "version": version(answer.text), "field-region": "Bergen"})
    assert again.status_code == 303
    assert values(app, number)["region"] == ["Bergen"]


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"fields": "region"},
        {"fields": ["region", "region"], "field-region": ["a", "b"], "version": "9" * 50},
        {"fields": "nothing", "version": "1"},
        {"fields": "\x00", "field-\x00": "\x00", "version": "-1"},
        {"fields": "region", "field-region": "\x00\ud7ff", "version": "1", "several": "\x00"},
        {"fields": "loss", "field-loss": "9" * 5000, "version": "1"},
        {"lines": ["region"] * 50, "several": "loss"},
    ],
)
def test_odd_input_is_answered(world: World, browse: Browse, sent: dict[str, Any]) -> None:
    ada, path = browse("ada"), f"/console/cases/{world.cases['internal']}/fields"
    assert ada.post(path, sent).status_code in (303, 422)
    for group in ("Nowhere", "%00", "x" * 2000):
        assert ada.get(f"{path}?group={group}").status_code == 404


def test_addresses_are_links_for_colleagues_and_text_outside(app: Flask, world: World, browse: Browse) -> None:
    make(browse, name="report", type="url", label="Report", shown_outside="y")
    ada, number, address = browse("ada"), world.cases["shared"], "https://evil.example/?a=1&b=2"
    assert save(ada, f"/console/cases/{number}/fields", {"field-report": address}).status_code == 303
    link = re.search(r'<a href="https://evil[^>]*>', ada.get(f"/console/cases/{number}").text)
    assert link
    assert 'rel="noopener noreferrer nofollow"' in link[0]
    page = unescape(browse("hanna").get(f"/portal/cases/{number}").text)
    assert address in page
    assert 'href="https://evil' not in page


def test_hanna_reads_what_is_shown_and_nothing_else(world: World, browse: Browse) -> None:
    number = world.cases["shared"]
    page = browse("hanna").get(f"/portal/cases/{number}").text
    for text in ("Affected region", "Where it happened.", "Region of shared"):
        assert text in page
    for text in ("Estimated loss", "In thousands", "Money", "Place", "Region of internal"):
        assert text not in page
    assert "Affected region" not in browse("vic").get(f"/portal/cases/{world.cases['all']}").text


def test_a_field_switched_off_is_gone_from_the_portal_at_once(app: Flask, world: World, browse: Browse) -> None:
    path = f"/console/custom-fields/{field_id(app, 'region')}"
    pia, hanna, number = browse("pia"), browse("hanna"), world.cases["shared"]
    assert "Affected region" in hanna.get(f"/portal/cases/{number}").text
    assert edit(pia, path, shown_outside=None).status_code == 303
    page = hanna.get(f"/portal/cases/{number}").text
    assert "Affected region" not in page
    assert "Region of shared" not in page


def test_showing_a_field_asks_once_and_says_where_it_will_appear(app: Flask, world: World, browse: Browse) -> None:
    path = f"/console/custom-fields/{field_id(app, 'loss')}"
    pia, hanna, number = browse("pia"), browse("hanna"), world.cases["shared"]
    asked = edit(pia, path, shown_outside="y")
    assert asked.status_code == 422
    assert "It will appear in 1 shared case at once" in asked.text
    assert "Estimated loss" not in hanna.get(f"/portal/cases/{number}").text
    assert edit(pia, path, shown_outside="y", sure="1").status_code == 303
    assert "Estimated loss" in hanna.get(f"/portal/cases/{number}").text


@pytest.mark.parametrize("name", ["loss", "unit"])
def test_what_is_hidden_changes_no_byte_outside(app: Flask, world: World, browse: Browse, name: str) -> None:
    """Whether a hidden field gets, changes or loses a value, is renamed or made: the portal is the same to the byte."""
    hanna, ada, pia, number = browse("hanna"), browse("ada"), browse("pia"), world.cases["shared"]
    paths = ("/portal/", f"/portal/cases/{number}")

    def seen() -> list[str]:
        return [
            re.sub(r'(?:title|datetime)="[^"]*"|just now|\d+ \w+ ago|(?i:content-length|date): [^\n]*', "", plain(hanna.get(path)))
            for path in paths
        ]

    hanna.get(paths[1])
    before = seen()
    make(browse)
    assert seen() == before
    for text in ("12", "13", ""):
        assert save(ada, f"/console/cases/{number}/fields", {f"field-{name}": text}).status_code == 303
        assert seen() == before
    assert edit(pia, f"/console/custom-fields/{field_id(app, 'loss')}", label="Other").status_code == 303
    assert seen() == before


def test_mandatory_fields_are_named_where_a_case_is_closed(app: Flask, world: World, browse: Browse) -> None:
    make(browse, mandatory="y")
    ada, number = browse("ada"), world.cases["internal"]
    path = f"/console/cases/{number}"
    drawer = ada.get(f"{path}/close", htmx=True).text
    assert "fill in: Business unit" in drawer
    assert f'href="{path}/fields"' in drawer
    end = {"status": "Other", "summary": "s", "impact": "NoImpact", "version": version(drawer)}
    refused = ada.post(f"{path}/close", end)
    assert refused.status_code == 422
    assert "fill in: Business unit" in refused.text
    assert save(ada, f"{path}/fields", {"field-unit": "HR"}).status_code == 303
    assert "fill in" not in ada.get(f"{path}/close").text
    assert ada.post(f"{path}/close", {**end, "version": version(ada.get(f"{path}/close").text)}).status_code == 303


def test_ruth_reads_values_but_cannot_change_them(world: World, browse: Browse) -> None:
    ruth, path = browse("ruth"), f"/console/cases/{world.cases['internal']}"
    page = ruth.get(path).text
    assert "Region of internal" in page
    assert "/fields" not in page
    assert ruth.get(f"{path}/fields").status_code == ruth.post(f"{path}/fields", {}).status_code == 403


def test_what_is_shown_outside_carries_its_mark_while_the_case_is_shared(world: World, browse: Browse) -> None:
    ada = browse("ada")

    def marked(name: str) -> bool:
        page = ada.get(f"/console/cases/{world.cases[name]}").text
        return "External" in page.split("Affected region")[1].split("</dt>")[0]

    assert marked("shared")
    assert not marked("internal")


def test_pia_can_make_change_and_delete_a_field(app: Flask, browse: Browse) -> None:
    pia = browse("pia")
    assert pia.post("/console/custom-fields/new", {**NEW, "options": "A\nB", "mandatory": "y"}).status_code == 303
    page = pia.get("/console/custom-fields").text
    for text in ("Business unit", "Text, 2 options", "Mandatory", "No case", "Affected region", "4 cases"):
        assert text in page
    path = f"/console/custom-fields/{field_id(app, 'unit')}"
    assert "It stays" in pia.get(path).text
    assert edit(pia, path, label="Unit", options="A\nC").status_code == 303
    assert "A\r\nC" in pia.get(path).text.replace("\r\n", "\n").replace("\n", "\r\n")
    assert pia.post(f"{path}/delete").status_code == 303
    assert pia.get(path).status_code == 404
    used = f"/console/custom-fields/{field_id(app, 'region')}"
    assert "4 cases have a value in it" in pia.get(f"{used}/delete").text
    assert pia.post(f"{used}/delete").status_code == 422


def test_two_administrators_see_both_versions(app: Flask, browse: Browse) -> None:
    path, pia = f"/console/custom-fields/{field_id(app, 'loss')}", browse("pia")
    old = version(pia.get(path).text)
    assert edit(pia, path, label="Loss").status_code == 303
    answer = edit(pia, path, label="Damage", version=old)
    assert answer.status_code == 422
    assert '<td class="text">Loss</td>' in answer.text
    assert '<td class="text">Damage</td>' in answer.text


@pytest.mark.parametrize(
    ("change", "at"),
    [
        ({"name": "Not Plain"}, "name"),
        ({"name": "region"}, "name"),
        ({"label": ""}, "label"),
        ({"type": "float", "options": "x"}, "options"),
        ({"type": "uuid"}, "type"),
        ({"position": "9" * 30}, "position"),
        ({"position": "first"}, "position"),
    ],
)
def test_a_mistake_in_a_definition_is_told_at_its_field(browse: Browse, change: dict[str, str], at: str) -> None:
    answer = browse("pia").post("/console/custom-fields/new", {**NEW, **change})
    assert answer.status_code == 422
    assert f'id="{at}-error"' in answer.text


@pytest.mark.parametrize("who", ["ada", "olga", "ruth"])
def test_colleagues_have_no_way_into_the_definitions(browse: Browse, who: str) -> None:
    browser = browse(who)
    assert browser.get("/console/custom-fields").status_code == 403
    assert "/console/custom-fields" not in browser.get("/console/cases").text


def test_a_value_that_is_no_option_any_more_stays(app: Flask, world: World, browse: Browse) -> None:
    with app.app_context():
        start_writing()
        found = db.session.scalars(select(CustomField).where(CustomField.name == "region")).one()
        found.options = ["North"]
        db.session.commit()
        assert definitions.uses(found.id) == 4
    ada, path = browse("ada"), f"/console/cases/{world.cases['internal']}/fields"
    assert "Region of internal" in ada.get(path).text
    assert save(ada, path, {"field-region": "Region of internal", "field-loss": "7"}).status_code == 303
    assert values(app, world.cases["internal"])["loss"] == ["7"]
