"""People of external organisations from a table: a row each, tried out first, and safe to take in again."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from ..alike import same_name
from ..database import queue_up
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
    problem: str = ""


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
        if twice := [name for name in names if names.count(name) > 1]:
            raise Refusal(f"The first row must name each column once: {twice[0]} is there twice.")
        return [_line(rows.line_num, names, row) for row in rows if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise Refusal(f"Line {rows.line_num} cannot be read as CSV: {error}.") from None


def _line(number: int, names: list[str], cells_written: list[str]) -> Line:
    row = dict(zip(names, cells_written, strict=False))  # empty cells at the end may be left out
    many = any(cell.strip() for cell in cells_written[len(names) :])
    problem = f"The row has more than {len(names)} cells. Put quotation marks around what contains a separator." if many else ""
    cells = {name: " ".join(row.get(name, "").replace("\0", "").split()) for name in COLUMNS}
    roles = tuple(part.strip() for part in cells["roles"].replace("|", ";").replace(",", ";").split(";") if part.strip())
    return Line(number, cells["organisation"], cells["email"], cells["name"], roles, cells["portal administrator"].lower(), problem)


def command_line() -> Viewer:
    """Whoever runs commands on the machine: may do what an administrator of the platform may, and is nobody."""
    admin = db.session.scalars(select(Organisation).where(Organisation.built_in)).one()
    return Viewer(0, "the command line", "", False, admin.id, admin.name, frozenset({Permission.MANAGE_USER}), platform=True)


def parties_called(name: str, team: str) -> list[Party]:
    """The external organisations of that name, of one security team or of all; empty for any name."""
    wanted = select(Party, Organisation.name).join(Organisation, Organisation.id == Party.organisation_id).order_by(Party.name, Party.id)
    same = [(party, whose) for party, whose in db.session.execute(wanted) if not name or same_name(name, party.name)]
    return [party for party, whose in same if not team or same_name(team, whose)]


def take_in(lines: Iterable[Line], *, team: str) -> list[Result]:
    """Do what each row says, in the running transaction; a row that cannot be done changes nothing."""
    by, told, lines = command_line(), [], list(lines)
    _hold({line.organisation for line in lines}, team)
    for line in lines:
        try:
            with db.session.begin_nested():
                sentence = _take_in(line, team, by)
        except (Refusal, NotVisible) as refusal:
            told.append(Result(line.number, line.email, False, getattr(refusal, "sentence", "This cannot be done.")))
        else:
            told.append(Result(line.number, line.email, True, sentence))
    return told


def _hold(names: Iterable[str], team: str) -> None:
    """Hold all of them, in their order, before any address: whoever saves a contact holds its organisation before the addresses."""
    ids = {found[0].id for name in names if name and len(found := parties_called(name, team)) == 1}
    queue_up("administrators")
    held = select(Party.id).where(Party.id.in_(ids)).order_by(Party.id).with_for_update(key_share=True)
    db.session.execute(held)
    queue_up("addresses")


def _take_in(line: Line, team: str, by: Viewer) -> str:
    if line.problem:
        raise Refusal(line.problem)
    if line.admin not in YES | NO:
        raise Refusal("Write yes or no for portal administrator.")
    found = _party(line.organisation, team)
    party = newcomers.hold(found.id, by)
    organisation = newcomers.check_open(party)
    name = proper_name(line.name, AccountType.EXTERNAL, organisation) if line.name else ""
    added = newcomers.add_named(party, line.email, name, _roles(party, line.roles, by), by=by)
    if not added.done or added.user_id is None:
        raise Refusal(added.sentence)
    said = [added.sentence]
    if line.admin in YES:
        [outcome] = staff.make_admin(party.id, [added.user_id], by=by)
        said.append(outcome.sentence)
    [person] = staff.chosen(party.id, [added.user_id], by=by)
    if line.admin in YES and not person.portal_admin:
        raise Refusal(said[-1])
    if name and person.name != name:
        said.append(f"Keeps the name {person.name}.")
    return " ".join(said)


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
