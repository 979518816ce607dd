"""Custom fields as the platform defines them: made, changed and deleted by its administrators."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Select, Table, func, select

from ..accounts.permissions import Permission
from ..accounts.viewer import Viewer
from ..audit.kinds import Kind
from ..audit.record import record
from ..database import queue_up
from ..extensions import db
from ..refusals import NotAllowed, NotVisible, Refusal, Stale, Unfit
from ..sharing import scope
from ..sharing.models import SHARED
from .fields import one_line, parse
from .models import Case, CustomField, CustomValue, FieldType
from .text import tidy

LONGEST_NAME = 64
LONGEST_DESCRIPTION = 2000
MOST_OPTIONS, MOST_USES = 200, 1000
NAME = re.compile(r"[a-z][a-z0-9-]*")
WITH_OPTIONS = (FieldType.STRING, FieldType.INTEGER, FieldType.FLOAT)
NO_RIGHT = "Your profile does not let you manage custom fields. Ask an administrator of the platform."
STALE = "Somebody changed this field after you opened it. Compare below, then save again."

_value, _case, _field = (cast("Table", model.__table__) for model in (CustomValue, Case, CustomField))


@dataclass(frozen=True)
class Shape:
    """What can be changed of a field later."""

    label: str
    group: str = ""
    description: str = ""
    options: tuple[str, ...] = ()
    mandatory: bool = False
    shown_outside: bool = False
    position: int = 0


def check_right(by: Viewer) -> None:
    """Custom fields are the platform's business."""
    if not by.can(Permission.MANAGE_FIELDS):
        raise NotAllowed(NO_RIGHT)


def load(field_id: int, *, by: Viewer, change: bool = False) -> CustomField:
    """The field; `change` locks its row until the end of the transaction."""
    check_right(by)
    wanted = select(CustomField).where(CustomField.id == field_id)
    found = db.session.scalar(wanted.with_for_update().execution_options(populate_existing=True) if change else wanted)
    if found is None:
        raise NotVisible("custom field")
    return found


def create(name: str, kind: FieldType, shape: Shape, *, by: Viewer) -> CustomField:
    """A new field; its technical name and its type stay what they are born as."""
    check_right(by)
    name = name.strip()
    if len(name) > LONGEST_NAME or not NAME.fullmatch(name):
        raise Unfit("name", f"Use a to z, digits and -, beginning with a letter, at most {LONGEST_NAME} characters: business-unit.")
    shape = _checked(CustomField(name=name, type=kind), shape)
    queue_up("custom fields")
    if db.session.scalar(select(CustomField.id).where(CustomField.name == name)) is not None:
        raise Unfit("name", f"There is already a custom field with the name {name}. Choose another one.")
    field = CustomField(name=name, type=kind, **_columns(shape))
    db.session.add(field)
    db.session.flush()
    changes = {"name": [None, name], "type": [None, kind.value], "label": [None, shape.label], "shown_outside": [None, shape.shown_outside]}
    record(Kind.FIELD_CREATED, actor=by, object_id=name, changes=changes)
    return field


def _columns(shape: Shape) -> dict[str, Any]:
    return {**vars(shape), "options": list(shape.options)}


def _checked(field: CustomField, shape: Shape) -> Shape:
    """The shape, tidied; `field` says name and type."""
    label, group, description = one_line(shape.label), one_line(shape.group), tidy(shape.description)
    if not label:
        raise Unfit("label", "Give the field a label; it is what people read.")
    for name, text in (("label", label), ("group", group)):
        if len(text) > LONGEST_NAME:
            raise Unfit(name, f"Use at most {LONGEST_NAME} characters.")
    if len(description) > LONGEST_DESCRIPTION:
        raise Unfit("description", f"Use at most {LONGEST_DESCRIPTION:,} characters; it is a help beside the field.")
    if shape.position not in range(10_000):
        raise Unfit("position", "Give a whole number from 0 to 9,999.")
    return Shape(label, group, description, _options(field, shape.options), shape.mandatory, shape.shown_outside, shape.position)


def _options(field: CustomField, texts: tuple[str, ...]) -> tuple[str, ...]:
    """The closed list, each as a value of the field is written; empty for a field that takes anything of its type."""
    wanted = [text for text in (one_line(text) for text in texts) if text]
    if wanted and field.type not in WITH_OPTIONS:
        raise Unfit("options", "Only fields of text, whole numbers and numbers can have options.")
    if len(wanted) > MOST_OPTIONS:
        raise Unfit("options", f"Give at most {MOST_OPTIONS} options.")
    plain = CustomField(name=field.name, type=field.type, label="An option", options=[])
    try:
        return tuple(dict.fromkeys(parse(plain, text) for text in wanted))
    except Unfit as refusal:
        raise Unfit("options", refusal.sentence) from None


def edit(field_id: int, shape: Shape, *, version: int, by: Viewer) -> CustomField:
    """Another shape; `version` is the one the form showed, an older one is Stale. What the portal shows follows at once."""
    field = load(field_id, by=by, change=True)
    if version != field.version:
        raise Stale(STALE)
    shape = _checked(field, shape)
    if changes := differences(field, shape):
        for name, (_, value) in changes.items():
            setattr(field, name, value)
        field.version += 1
        record(Kind.FIELD_EDITED, actor=by, object_id=field.name, changes=changes)
    return field


def differences(field: CustomField, shape: Shape) -> dict[str, list[Any]]:
    """Where the stored one differs: name -> [stored, wanted]."""
    pairs = {name: [getattr(field, name), wanted] for name, wanted in _columns(shape).items()}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def uses(field_id: int) -> int:
    """In how many cases the field has a value, counted past the viewer's scope, for administrators see no cases; at most 1,001."""
    return _counted(select(_value.c.case_id).distinct().where(_value.c.field_id == field_id))


def appearances(field_id: int) -> int:
    """In how many shared cases outsiders see its value, or would; at most 1,001."""
    on = _value.join(_case, _case.c.id == _value.c.case_id)
    shared = (_case.c.access.in_(SHARED), scope.not_ended(_case.c))
    return _counted(select(_value.c.case_id).distinct().select_from(on).where(_value.c.field_id == field_id, *shared))


def _counted(wanted: Select[Any]) -> int:
    return db.session.connection().scalar(select(func.count()).select_from(wanted.limit(MOST_USES + 1).subquery())) or 0


def in_words(number: int, thing: str = "case") -> str:
    """1 case, 12 cases, 1,000+ cases."""
    many = f"{number:,}" if number <= MOST_USES else f"{MOST_USES:,}+"
    return f"{many} {thing}{'' if number == 1 else 's'}"


def uses_of_all() -> dict[int, int]:
    """Field -> in how many cases it has a value, at most 1,001, for the list."""
    first = (_value.c.field_id == _field.c.id, _value.c.position == 0)  # a case with values has a first one
    few = select(_value.c.id).where(*first).limit(MOST_USES + 1).correlate(_field).subquery()
    held = select(_field.c.id, select(func.count()).select_from(few).scalar_subquery())
    return {key: number for key, number in db.session.connection().execute(held) if number}


def why_not_deleted(field: CustomField) -> str | None:
    """Why the field cannot be deleted, None when it can."""
    number = uses(field.id)
    if not number:
        return None
    return f"{in_words(number)} {'has' if number == 1 else 'have'} a value in it, which would be lost. Empty the field there first."


def delete(field_id: int, *, by: Viewer) -> str:
    """Remove a field no case has a value of; return its label."""
    field = load(field_id, by=by, change=True)
    if reason := why_not_deleted(field):
        raise Refusal(reason)
    record(Kind.FIELD_DELETED, actor=by, object_id=field.name, changes={"label": [field.label, None]})
    db.session.delete(field)
    db.session.flush()
    return field.label
