"""People of external organisations from a table: a row each, tried out first, and safe to take in again."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from ..extensions import db
from ..organisations.models import Organisation, Party
from ..refusals import NotVisible, Refusal
from . import newcomers, staff
from .invitations import proper_name
from .models import AccountType
from .permissions import Permission
from .viewer import Viewer

COLUMNS = ("organisation", "email", "name", "roles", "portal administrator")
NEEDED = ("organisation", "email", "roles")
YES, NO = frozenset({"yes", "y", "true", "1", "x"}), frozenset({"", "no", "n", "false", "0", "-"})


@dataclass(frozen=True)
class Line:
    """A row as it was written; `number` as an editor counts."""

    number: int
    organisation: str
    email: str
    name: str
    roles: tuple[str, ...]
    admin: str


@dataclass(frozen=True)
class Result:
    """What became, or would become, of a row."""

    number: int
    email: str
    done: bool
    sentence: str


def read(text: str) -> list[Line]:
    """The rows of a table with commas, semicolons or tabs between; its first row names the columns."""
    text = text.removeprefix("\ufeff")
    first = text.partition("\n")[0]
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    try:
        names = [" ".join(name.replace("_", " ").split()).lower() for name in next(rows, [])]
        if wrong := [name for name in NEEDED if name not in names] + [name for name in names if name not in COLUMNS]:
            what = f"{wrong[0]} is {'missing' if wrong[0] in NEEDED else 'none of them'}" if wrong[0] else "one has no name"
            raise Refusal(f"The first row must name the columns {', '.join(COLUMNS)}: {what}.")
        return [_line(rows.line_num, dict(zip(names, row, strict=False))) for row in rows if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise Refusal(f"Line {rows.line_num} cannot be read as CSV: {error}.") from None


def _line(number: int, row: dict[str, str]) -> Line:
    cells = {name: " ".join(row.get(name, "").replace("\0", "").split()) for name in COLUMNS}
    roles = tuple(part.strip() for part in cells["roles"].replace("|", ";").replace(",", ";").split(";") if part.strip())
    return Line(number, cells["organisation"], cells["email"], cells["name"], roles, cells["portal administrator"].lower())


def command_line() -> Viewer:
    """Whoever runs commands on the machine: may do what an administrator of the platform may, and is nobody."""
    admin = db.session.scalars(select(Organisation).where(Organisation.built_in)).one()
    return Viewer(0, "the command line", "", False, admin.id, admin.name, frozenset({Permission.MANAGE_USER}), platform=True)


def parties_called(name: str, team: str) -> list[Party]:
    """The external organisations of that name, of one security team or of all; empty for any name."""
    wanted = select(Party, Organisation.name).join(Organisation, Organisation.id == Party.organisation_id).order_by(Party.name, Party.id)
    same = [(party, whose) for party, whose in db.session.execute(wanted) if name.casefold() in ("", party.name.casefold())]
    return [party for party, whose in same if team.casefold() in ("", whose.casefold())]


def take_in(lines: Iterable[Line], *, team: str) -> list[Result]:
    """Do what each row says, in the running transaction; a row that cannot be done changes nothing."""
    by, told = command_line(), []
    for line in lines:
        try:
            with db.session.begin_nested():
                sentence = _take_in(line, team, by)
        except (Refusal, NotVisible) as refusal:
            told.append(Result(line.number, line.email, False, getattr(refusal, "sentence", "This cannot be done.")))
        else:
            told.append(Result(line.number, line.email, True, sentence))
    return told


def _take_in(line: Line, team: str, by: Viewer) -> str:
    if line.admin not in YES | NO:
        raise Refusal("Write yes or no for portal administrator.")
    found = _party(line.organisation, team)
    party = newcomers.hold(found.id, by)
    organisation = newcomers.check_open(party)
    name = proper_name(line.name, AccountType.EXTERNAL, organisation) if line.name else ""
    added = newcomers.add_named(party, line.email, name, _roles(party, line.roles, by), by=by)
    if not added.done or added.user_id is None:
        raise Refusal(added.sentence)
    if line.admin in NO:
        return added.sentence
    [outcome] = staff.make_admin(party.id, [added.user_id], by=by)
    return f"{added.sentence} {outcome.sentence}"


def _party(name: str, team: str) -> Party:
    if not name:
        raise Refusal("Name the organisation.")
    found = parties_called(name, team)
    if len(found) > 1:
        raise Refusal(f"Several security teams have an external organisation called {name}. Say whose with --team.")
    if not found:
        raise Refusal(f"There is no external organisation called {name}. Make it in the console first.")
    return found[0]


def _roles(party: Party, names: Sequence[str], by: Viewer) -> dict[int, str]:
    opened = {name.casefold(): (key, name) for key, name in newcomers.open_to(party, by=by).items()}
    if wrong := [name for name in names if name.casefold() not in opened]:
        known = ", ".join(name for _key, name in opened.values()) or "none"
        raise Refusal(f"The role {wrong[0]} is not open to {party.name}. Open there: {known}.")
    if not names:
        raise Refusal("Name at least one role.")
    return dict(opened[name.casefold()] for name in names)
