"""Custom fields of the sample world, a status of its own, and what some cases say in those fields."""

from __future__ import annotations

from ..accounts.viewer import Viewer
from ..cases import definitions, fields, statuses
from ..cases.definitions import Shape
from ..cases.models import Case, FieldType, Stage

UNITS = ("Clients", "Facilities", "Finance", "Human resources", "Internal IT", "Sales")
FIELDS: tuple[tuple[str, FieldType, Shape], ...] = (
    ("business-unit", FieldType.STRING, Shape("Business unit", "Business", "Whose work is disturbed most.", UNITS)),
    ("estimated-loss", FieldType.FLOAT, Shape("Estimated loss", "Business", "In thousand euros, as far as it is known.", position=1)),
    (
        "affected-systems",
        FieldType.STRING,
        Shape("Affected systems", "Reach", "What we know to be affected so far.", shown_outside=True, position=2),
    ),
    (
        "personal-data",
        FieldType.BOOLEAN,
        Shape("Personal data concerned", "Duties", "Whether data about people was read, changed or lost.", shown_outside=True, position=3),
    ),
    (
        "report-due",
        FieldType.DATE,
        Shape("Report due", "Duties", "When the authority must have been told.", shown_outside=True, position=4),
    ),
    ("advisory", FieldType.URL, Shape("Advisory", "Reach", "What others have written about it.", position=5)),
)
SAID: dict[str, dict[str, list[str]]] = {
    "harbourline-ransomware": {
        "business-unit": ["Clients"],
        "estimated-loss": ["140"],
        "affected-systems": ["HL-FS02", "Backup share of the dispatch office"],
        "personal-data": ["yes"],
    },
    "kestrel-webshell": {"business-unit": ["Clients"], "affected-systems": ["Project exchange"], "personal-data": ["no"]},
    "lost-laptop": {"business-unit": ["Human resources"], "personal-data": ["yes"]},
    "leaver-files": {"business-unit": ["Human resources"], "estimated-loss": ["35.5"]},
    "vendor-update": {"business-unit": ["Internal IT"], "advisory": ["https://advisories.corvane.example/lineview-7-4-2"]},
}

# How a case that ended so says what came of it: impact and summary.
ENDS: dict[str, tuple[str, str]] = {
    "TruePositive": ("WithImpact", "It was real. What happened and what was done about it is told in the comments."),
    "FalsePositive": ("NoImpact", "A false alarm; the comments say what set it off."),
    "Indeterminate": ("NotApplicable", "What there was to look at is not enough to say what happened."),
    "Other": ("NoImpact", "Settled without being an incident; see the comments."),
    "Duplicated": ("NotApplicable", "Another case tells of the same thing."),
}


def define(by: Viewer) -> None:
    """The fields and the status, as the platform's administrator makes them."""
    for name, kind, shape in FIELDS:
        definitions.create(name, kind, shape, by=by)
    look = statuses.Look("Waiting for an answer", "#b45309", "We asked somebody outside and can do nothing until they answer.", 2)
    statuses.create("WaitingForAnswer", Stage.IN_PROGRESS, look, by=by)


def fill(row: Case, key: str, by: Viewer) -> None:
    """What the case says in its fields."""
    if texts := SAID.get(key):
        fields.set_values(row, texts, version=row.version, by=by)
