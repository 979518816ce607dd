"""Case templates: an organisation's own, and what a case made with one begins with."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from portal.cases import cases, definitions, fields, tasks, templates
from portal.cases.models import CaseTemplate, CustomField, FieldType
from portal.cases.templates import Draft
from portal.database import start_writing
from portal.extensions import db
from portal.refusals import NotAllowed, NotVisible, Stale, Unfit
from tests.fixtures.rooms import Cast, at_once, newest_audit

PHISHING = Draft(
    "Phishing",
    title_prefix="Phishing:",
    case_description="Who got it?",
    severity=3,
    tags=("phishing",),
    tasks=(tasks.Draft("Block the sender", group="Containment", mandatory=True), tasks.Draft("Ask who clicked")),
)


def make_field(name: str, kind: FieldType = FieldType.STRING, options: tuple[str, ...] = ()) -> CustomField:
    field = CustomField(name=name, label=name.capitalize(), type=kind, options=list(options))
    db.session.add(field)
    db.session.flush()
    return field


def made(cast: Cast, draft: Draft = PHISHING, who: str = "olga", **change: Any) -> CaseTemplate:
    return templates.create(replace(draft, **change), by=cast(who))


def test_olga_can_make_change_and_delete_a_template(cast: Cast) -> None:
    template = made(cast)
    assert templates.draft_of(template) == PHISHING
    assert templates.edit(template, replace(PHISHING, severity=4), version=1, by=cast("olga"))
    assert (template.severity, template.version) == (4, 2)
    assert newest_audit()[0].changes == {"name": ["Phishing", "Phishing"], "severity": [3, 4]}
    assert not templates.edit(template, replace(PHISHING, severity=4), version=2, by=cast("olga"))
    assert templates.delete(template, by=cast("olga")) == "Phishing"
    assert [name for _, name in templates.names(cast("olga"))] == ["Template here"]


@pytest.mark.parametrize("who", ["ada", "ruth"])
def test_others_cannot_manage_templates(cast: Cast, who: str) -> None:
    template = made(cast)
    with pytest.raises(NotAllowed):
        made(cast, who=who, name="Other")
    with pytest.raises(NotAllowed):
        templates.edit(template, PHISHING, version=1, by=cast(who))
    with pytest.raises(NotAllowed):
        templates.delete(template, by=cast(who))


def test_templates_stay_in_their_organisation(cast: Cast) -> None:
    template = made(cast)
    assert [name for _, name in templates.names(cast("otto"))] == ["Template there"]
    with pytest.raises(NotVisible):
        templates.load(template.id, by=cast("otto"))
    made(cast, who="otto")  # the same name elsewhere is another one


def test_an_older_version_is_stale(cast: Cast) -> None:
    template = made(cast)
    templates.edit(template, replace(PHISHING, tlp=3), version=1, by=cast("olga"))
    with pytest.raises(Stale):
        templates.edit(template, PHISHING, version=1, by=cast("olga"))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"name": "PHISHING"}, "name"),
        ({"title_prefix": "x" * 129}, "title_prefix"),
        ({"description": "x" * 1001}, "description"),
        ({"case_description": "x" * 70_000}, "case_description"),
        ({"tags": tuple(str(n) for n in range(51))}, "tags"),
        ({"tasks": (tasks.Draft(""),)}, "tasks"),
        ({"tasks": tuple(tasks.Draft("x") for _ in range(51))}, "tasks"),
    ],
)
def test_what_does_not_fit_is_said_beside_its_field(cast: Cast, change: dict[str, Any], field: str) -> None:
    made(cast)
    with pytest.raises(Unfit) as refused:
        made(cast, **{"name": "Another", **change})
    assert refused.value.field == field


def test_field_values_are_kept_as_their_field_writes_them(cast: Cast) -> None:
    make_field("cost", FieldType.INTEGER)
    template = made(cast, fields={"cost": " 0012 ", "gone": "x", "empty": " "})
    assert template.fields == {"cost": "12"}
    with pytest.raises(Unfit):
        made(cast, name="Other", fields={"cost": "much"})


def test_a_case_begins_with_the_tasks_and_values_of_its_template(cast: Cast) -> None:
    make_field("area", options=("North", "South"))
    template = made(cast, fields={"area": "North"})
    ada = cast("ada")
    case = cases.create_case(cases.Draft("Phishing: again", "It happened."), by=ada)
    templates.furnish(case, template, [" Call  the bank ", ""], by=ada)
    rows = tasks.tasks_of(case)
    assert [(row.title, row.group, row.mandatory) for row in rows] == [
        ("Block the sender", "Containment", True),
        ("Ask who clicked", "", False),
        ("Call the bank", "", False),
    ]
    assert fields.values_of(case.id) == {"area": ["North"]}


def test_the_trail_tells_fields_of_one_label_apart(cast: Cast) -> None:
    for name in ("area", "region-too"):
        make_field(name).label = "Area"
    template = made(cast, fields={"area": "North", "region-too": "South"})
    case = cases.create_case(cases.Draft("Phishing: again", "It happened."), by=cast("ada"))
    templates.furnish(case, template, by=cast("ada"))
    assert newest_audit()[0].changes == {"Area": [None, "North"], "region-too": [None, "South"]}


def test_a_value_is_not_written_while_its_field_changes(app: Flask, cast: Cast) -> None:
    """On PostgreSQL the second one waits for the first; SQLite has one writer anyway."""
    start_writing()
    key, template = make_field("area", options=("North", "South")).id, made(cast, fields={"area": "North"}).id
    db.session.commit()
    pia, ada, begun = cast("pia"), cast("ada"), threading.Event()

    def change() -> None:
        start_writing()
        definitions.edit(key, definitions.Shape("Area", options=("East",)), version=1, by=pia)
        db.session.flush()
        begun.set()
        time.sleep(0.5)
        db.session.commit()

    def furnish() -> dict[str, list[str]]:
        begun.wait(10)
        start_writing()
        case = cases.create_case(cases.Draft("Phishing: again", "It happened."), by=ada)
        templates.furnish(case, templates.load(template, by=ada), by=ada)
        db.session.commit()
        return fields.values_of(case.id)

    assert at_once(app, change, furnish) == [None, {}]


def test_a_value_that_fits_no_more_is_left_out(cast: Cast) -> None:
    field = make_field("area", options=("North", "South"))
    template = made(cast, fields={"area": "North"})
    field.options = ["East"]
    db.session.flush()
    assert templates.field_values(template) == []
    assert not templates.edit(template, templates.draft_of(template), version=1, by=cast("olga"))


def test_a_case_can_be_given_to_a_colleague_at_birth_who_is_told(cast: Cast) -> None:
    olga = cast.world.people["olga"]
    case = cases.create_case(cases.Draft("T", "D", assignee_id=olga), by=cast("ada"))
    assert case.assignee_id == olga
    for who in ("hanna", "otto", "dora"):
        with pytest.raises(Exception, match="active colleague"):
            cases.create_case(cases.Draft("T", "D", assignee_id=cast.world.people[who]), by=cast("ada"))


@pytest.mark.parametrize("lines", [["x" * 129], [str(n) for n in range(201)]])
def test_too_long_or_too_many_tasks_are_refused_before_the_case_is_made(lines: list[str]) -> None:
    with pytest.raises(Unfit):
        templates.check_tasks(None, lines)
