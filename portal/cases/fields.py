"""Values of custom fields on cases: read, checked, written the one way their type allows."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import bindparam, delete, exists, select

from ..accounts.permissions import Permission
from ..accounts.viewer import Viewer
from ..audit.kinds import Kind
from ..audit.record import record
from ..clock import now
from ..database import kept
from ..extensions import db
from ..refusals import NotAllowed, NotVisible, Refusal, Stale, Unfit
from .models import Case, CustomField, CustomValue, FieldType
from .text import tidy

LONGEST_VALUE = 1024
MOST_VALUES = 50
WHOLE = re.compile(r"[+-]?[0-9]{1,12}")
NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
YES_OR_NO = {"yes": "yes", "no": "no", "true": "yes", "false": "no", "1": "yes", "0": "no"}


def one_line(text: str) -> str:
    """What was typed without blanks at its ends and without what nobody can see; the two joiners stay, some languages need them."""
    seen = (c for c in tidy(text) if unicodedata.category(c) != "Cf" or c in "\u200c\u200d")
    return " ".join("".join(seen).split())


def parse(field: CustomField, text: str) -> str:
    """The one way a value of this field is written, or Unfit with what would be right."""
    text = one_line(text)
    if not text:
        raise Unfit(field.name, f"{field.label}: give a value, or leave the field empty.")
    if len(text) > LONGEST_VALUE:
        raise Unfit(field.name, f"{field.label}: use at most {LONGEST_VALUE:,} characters.")
    written: str | None = PARSERS[field.type](text)
    if written is None:
        raise Unfit(field.name, f"{field.label}: {WANTED[field.type]}")
    if field.options and written not in field.options:
        raise Unfit(field.name, f"{field.label}: choose one of the options.")
    return written


WANTED = {
    FieldType.STRING: "write some text.",
    FieldType.INTEGER: "write a whole number from -2,147,483,648 to 2,147,483,647, without separators, such as 1200.",
    FieldType.FLOAT: "write a number with a point, such as 12.5.",
    FieldType.BOOLEAN: "choose yes or no.",
    FieldType.DATE: "write a date between 1900 and 2999 as year, month and day, such as 2026-11-21.",
    FieldType.URL: "write a web address that begins with https:// or http://, such as https://example.org/report.",
}


def _integer(text: str) -> str | None:
    number = int(text) if WHOLE.fullmatch(text) else None
    return str(number) if number is not None and -(2**31) <= number < 2**31 else None


def _float(text: str) -> str | None:
    number = float(text) if NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(number):
        return None
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def _date(text: str) -> str | None:
    try:
        day = date.fromisoformat(text) if DAY.fullmatch(text) else None
    except ValueError:
        return None
    return day.isoformat() if day is not None and 1900 <= day.year <= 2999 else None


def _url(text: str) -> str | None:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 (raises for a port that is none)
    except ValueError:
        return None
    fine = parts.scheme in ("http", "https") and parts.hostname and text.isprintable() and not re.search(r"[\s\"<>\\^`{|}]", text)
    return text if fine else None


PARSERS = {
    FieldType.STRING: lambda text: text,
    FieldType.INTEGER: _integer,
    FieldType.FLOAT: _float,
    FieldType.BOOLEAN: lambda text: YES_OR_NO.get(text.lower()),
    FieldType.DATE: _date,
    FieldType.URL: _url,
}


def definitions(*, hold: bool = False) -> list[CustomField]:
    """Every custom field, group by group in their order; `hold`: they stay as they are until the end of the transaction."""
    wanted = select(CustomField).order_by(CustomField.position, CustomField.id)
    held = wanted.with_for_update(read=True).execution_options(populate_existing=True)
    rows = list(db.session.scalars(held if hold else wanted))
    return sorted(rows, key=_group_order(rows))


def _group_order(rows: Iterable[CustomField]) -> Any:
    """Groups stand where their first field stands; the one without a name comes first."""
    places: dict[str, int] = {"": -1}
    for place, row in enumerate(rows):
        places.setdefault(row.group, place)
    return lambda row: places[row.group]


def values_of(case_id: int) -> dict[str, list[str]]:
    """Technical name -> values in their order, of the fields that have any on a case the viewer may see."""
    wanted = select(CustomField.name, CustomValue.value).join(CustomField, CustomField.id == CustomValue.field_id)
    found: dict[str, list[str]] = defaultdict(list)
    for name, value in db.session.execute(wanted.where(CustomValue.case_id == case_id).order_by(CustomValue.position)):
        found[name].append(value)
    return dict(found)


@dataclass(frozen=True)
class FieldView:
    """A field of a case as colleagues read it."""

    name: str
    label: str
    type: str
    description: str
    mandatory: bool
    shown_outside: bool
    values: list[str]


@dataclass(frozen=True)
class Group:
    """Fields under one heading; `known` counts those without a value, too."""

    name: str
    fields: list[FieldView]
    known: int


_on_case = (CustomValue.field_id == CustomField.id) & (CustomValue.case_id == bindparam("case_id"))
_WITH_VALUES = kept(
    select(CustomField, CustomValue.value)
    .outerjoin(CustomValue, _on_case)
    .order_by(CustomField.position, CustomField.id, CustomValue.position)
)


def groups_of(case_id: int) -> list[Group]:
    """Every group there is with the fields that have a value on this case; one query."""
    rows = db.session.execute(_WITH_VALUES, {"case_id": case_id}).all()
    values: dict[int, list[str]] = defaultdict(list)
    for field, value in rows:
        values[field.id] += [value] * (value is not None)
    fields = list({field.id: field for field, _ in rows}.values())
    groups: dict[str, list[FieldView]] = defaultdict(list)
    for field in sorted(fields, key=_group_order(fields)):
        groups[field.group].append(_view(field, values[field.id]))
    return [Group(name, [view for view in views if view.values], len(views)) for name, views in groups.items()]


def _view(field: CustomField, values: list[str]) -> FieldView:
    return FieldView(field.name, field.label, field.type.value, field.description, field.mandatory, field.shown_outside, values)


def missing_mandatory(case: Case) -> list[str]:
    """Labels of the fields that must have a value before the case can be closed, and have none."""
    has_value = exists().where(CustomValue.field_id == CustomField.id, CustomValue.case_id == case.id)
    return [field.label for field in db.session.scalars(_in_order(select(CustomField).where(CustomField.mandatory, ~has_value)))]


def _in_order(wanted: Any) -> Any:
    return wanted.order_by(CustomField.position, CustomField.id)


def check_complete(case: Case) -> None:
    """Refuse to close a case while a mandatory field has no value."""
    if missing := missing_mandatory(case):
        raise Refusal(f"Before the case can be closed, fill in: {', '.join(missing)}.")


def checked(field: CustomField, texts: Sequence[str], before: Sequence[str]) -> list[str]:
    """The values as they are written, without blanks and repeats. What the case has already may stay, even if it is no option any more."""
    typed = dict.fromkeys(one_line(text) for text in texts)
    wanted = list(dict.fromkeys(text if text in before else parse(field, text) for text in typed if text))
    if len(wanted) > MOST_VALUES:
        raise Unfit(field.name, f"{field.label}: give at most {MOST_VALUES} values.")
    return wanted


def set_values(case: Case, texts: Mapping[str, Sequence[str]], *, version: int, by: Viewer) -> list[str]:
    """Write the values of the fields named and return the labels of those that changed. `version`: the case as the form showed it."""
    if not by.can_inside(Permission.UPDATE_CASE):
        raise NotAllowed("Your profile does not let you edit cases.")
    if version != case.version:
        raise Stale("Somebody else changed this case while you were editing its fields.")
    changed = _changes(case, texts)
    if not changed:
        return []
    for field, _, new in changed:
        _write(case, field, new)
    told = in_trail(changed)
    record(Kind.FIELD_SET, actor=by, case=case, object_id=case.number, changes=told)
    case.version += 1
    case.updated_at = moment = now()
    if any(field.shown_outside for field, _, _ in changed):
        case.details_at = case.outside_at = moment
    return list(told)


def in_trail(changed: Iterable[tuple[CustomField, Any, Any]]) -> dict[str, list[Any]]:
    """Old and new values by label; fields of one label are told apart by their names."""
    told: dict[str, list[Any]] = {}
    for field, old, new in changed:
        told[field.label if field.label not in told else field.name] = [old, new]
    return told


def _changes(case: Case, texts: Mapping[str, Sequence[str]]) -> list[tuple[CustomField, list[str], list[str]]]:
    """Field, old and new values, where they differ. The fields stay as they are until the end of the transaction."""
    rows = db.session.scalars(_in_order(select(CustomField).where(CustomField.name.in_(texts))).with_for_update(read=True))
    known = {field.name: field for field in rows}
    if gone := sorted(set(texts) - set(known)):
        raise Refusal(f"There is no custom field {gone[0]} any more. Open the form again.")
    before = values_of(case.id)
    pairs = [(field, before.get(name, []), checked(field, texts[name], before.get(name, []))) for name, field in known.items()]
    return [(field, old, new) for field, old, new in pairs if old != new]


def _write(case: Case, field: CustomField, values: list[str]) -> None:
    db.session.execute(delete(CustomValue).where(CustomValue.case_id == case.id, CustomValue.field_id == field.id))
    db.session.add_all(CustomValue(case_id=case.id, field_id=field.id, position=place, value=text) for place, text in enumerate(values))
    db.session.flush()


def in_group(group: str | None) -> list[CustomField]:
    """The fields of one group, or of all for None; NotVisible where there are none of that name."""
    found = [field for field in definitions() if group is None or field.group == group]
    if not found:
        raise NotVisible("group of custom fields")
    return found
