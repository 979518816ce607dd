"""The types observables can have, for the platform's administrators: what there is, making one, deleting one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import cast

from sqlalchemy import Table, func, select

from ..accounts.permissions import Permission
from ..accounts.viewer import Viewer
from ..audit.kinds import Kind
from ..audit.record import record
from ..database import queue_up
from ..extensions import db
from ..refusals import NotAllowed, NotVisible, Refusal, Unfit
from .models import Observable, ObservableType

LONGEST_NAME = 64
MOST_TYPES = 200
MANY = 1_000  # counting stops right after
_NAME = re.compile(r"[a-z0-9_-]{1,64}")
# The platform's administrators see no case, and so no observable; how many of a type there are is all they need.
_observable, _type = cast("Table", Observable.__table__), cast("Table", ObservableType.__table__)


@dataclass(frozen=True)
class TypeRow:
    """A line of the list; `used` by how many observables, MANY + 1 for more."""

    id: int
    name: str
    is_file: bool
    built_in: bool
    used: int


def _check(by: Viewer) -> None:
    if not by.can(Permission.MANAGE_TYPES):
        raise NotAllowed("Your profile does not let you manage the types of observables.")


def listed(*, by: Viewer) -> list[TypeRow]:
    """All types by name."""
    _check(by)
    found = list(db.session.scalars(select(ObservableType).order_by(ObservableType.name)))
    used = _used()
    return [TypeRow(row.id, row.name, row.is_file, row.built_in, used.get(row.name, 0)) for row in found]


def _used(name: str | None = None) -> dict[str, int]:
    few = select(_observable.c.id).where(_observable.c.type == _type.c.name).limit(MANY + 1).correlate(_type).subquery()
    wanted = select(_type.c.name, select(func.count()).select_from(few).scalar_subquery())
    if name is not None:
        wanted = wanted.where(_type.c.name == name)
    return dict(db.session.connection().execute(wanted).all())


def load(type_id: int, *, by: Viewer) -> TypeRow:
    """One type, or NotVisible."""
    _check(by)
    found = db.session.get(ObservableType, type_id)
    if found is None:
        raise NotVisible("observable type")
    return TypeRow(found.id, found.name, found.is_file, found.built_in, _used(found.name).get(found.name, 0))


def create(name: str, *, is_file: bool, by: Viewer) -> ObservableType:
    """A new type. Its name is what observables keep, so it never changes."""
    _check(by)
    name = name.strip().lower()
    if not _NAME.fullmatch(name):
        raise Unfit("name", "Use 1 to 64 small letters, digits, hyphens and underscores, as in bank-account.")
    queue_up("observable types")
    if db.session.scalar(select(ObservableType.id).where(ObservableType.name == name)) is not None:
        raise Unfit("name", "There is a type of this name already. Choose another name.")
    if (db.session.scalar(select(func.count(ObservableType.id))) or 0) >= MOST_TYPES:
        raise Refusal(f"There are {MOST_TYPES} types, more than anybody can choose from. Delete some that are not used first.")
    made = ObservableType(name=name, is_file=is_file)
    db.session.add(made)
    db.session.flush()
    record(Kind.TYPE_CREATED, actor=by, object_id=made.id, changes={"name": [None, name], "is_file": [None, is_file]})
    return made


def delete(type_id: int, *, by: Viewer) -> str:
    """Delete a type nothing uses; returns its name."""
    queue_up("observable types")
    _check(by)
    # Whoever is adding one of this type holds its row until that is done; see observables.keep_new.
    db.session.scalar(select(ObservableType.id).where(ObservableType.id == type_id).with_for_update())
    row = load(type_id, by=by)
    if problem := refusal_to_delete(row):
        raise Refusal(problem)
    found = db.session.get_one(ObservableType, type_id)
    record(Kind.TYPE_DELETED, actor=by, object_id=row.id, changes={"name": [row.name, None]})
    db.session.delete(found)
    db.session.flush()
    return row.name


def refusal_to_delete(row: TypeRow) -> str | None:
    """Why the type has to stay, if it has to."""
    if row.built_in:
        return "This type came with the product and stays."
    if row.used:
        many = f"{row.used:,}" if row.used <= MANY else f"More than {MANY:,}"
        count = "1 observable has" if row.used == 1 else f"{many} observables have"
        return f"{count} this type. A type can be deleted once nothing has it."
    return None
