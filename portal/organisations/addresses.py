"""Where an external organisation is: its addresses, read and saved as one list."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from sqlalchemy import select

from ..accounts.viewer import Viewer
from ..audit.kinds import Kind
from ..audit.record import record
from ..extensions import db
from ..refusals import NotVisible, Refusal, Stale, Unfit
from ..words import _
from . import parties
from .models import AddressKind, PartyAddress

MOST = 50
# What a line has besides its kind, and how long each may be.
LONGEST = {"street": 200, "city": 128, "region": 128, "postal_code": 32, "country": 64}


@dataclass(frozen=True)
class AddressLine:
    """An address as a form shows it; id 0 is one that is new."""

    id: int
    kind: str
    street: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""

    @property
    def in_words(self) -> str:
        """The address on one line."""
        town = " ".join(word for word in (self.postal_code, self.city) if word)
        return ", ".join(word for word in (self.street, town, self.region, self.country) if word)


def addresses(party_id: int, *, by: Viewer) -> list[AddressLine]:
    """The addresses in their order."""
    return [_line(row) for row in _rows(parties.reach(party_id, by=by).id)]


def _rows(party_id: int) -> list[PartyAddress]:
    wanted = select(PartyAddress).where(PartyAddress.party_id == party_id)
    return list(db.session.scalars(wanted.order_by(PartyAddress.position, PartyAddress.id)))


def _line(row: PartyAddress) -> AddressLine:
    return AddressLine(row.id, row.kind.value, **{name: getattr(row, name) for name in LONGEST})


def mark(lines: list[AddressLine]) -> str:
    """What tells this list from another one."""
    return hashlib.sha256(json.dumps([asdict(line) for line in lines]).encode()).hexdigest()[:16]


def save(party_id: int, lines: list[AddressLine], *, seen: str, by: Viewer) -> None:
    """Make these the addresses: those left out are deleted, those with id 0 are new.

    `seen`: the mark of the list the form was made from.
    """
    party = parties.reach(party_id, by=by, change=True)
    rows = {row.id: row for row in _rows(party.id)}
    kept = [line.id for line in lines if line.id]
    before = [_line(row) for row in rows.values()]
    if seen != mark(before):
        raise Stale(_("Somebody changed the addresses after you opened them. Compare below, then save again."))
    if not set(kept) <= rows.keys() or len(kept) != len(set(kept)):
        raise NotVisible("address")
    if len(lines) > MOST:
        raise Refusal(_("An organisation can have %(most)s addresses. Remove some first.", most=MOST))
    wanted = [_fitting(number, line) for number, line in enumerate(lines)]
    if wanted == before:
        return
    for key in rows.keys() - set(kept):
        db.session.delete(rows[key])
    for position, line in enumerate(wanted):
        row = rows.get(line.id) or PartyAddress(party_id=party.id)
        row.kind, row.position = AddressKind(line.kind), position
        for name in LONGEST:
            setattr(row, name, getattr(line, name))
        db.session.add(row)
    db.session.flush()
    told = {"party": [party.name, party.name], "addresses": [_told(before), _told(wanted)]}
    record(Kind.PARTY_ADDRESSES_CHANGED, actor=by, organisation_id=party.organisation_id, object_id=party.id, changes=told)


def _told(lines: list[AddressLine]) -> list[str]:
    return [f"{line.kind}: {line.in_words}" for line in lines]


def _fitting(number: int, line: AddressLine) -> AddressLine:
    """The line tidied; refused, with its number before the field, when it will not do."""
    if line.kind not in {kind.value for kind in AddressKind}:
        raise Unfit(f"{number}-kind", _("Choose what the address is for."))
    tidy = {name: parties.within(f"{number}-{name}", getattr(line, name), most) for name, most in LONGEST.items()}
    if not any(tidy.values()):
        raise Unfit(f"{number}-street", _("Fill in this address, or remove it."))
    return AddressLine(line.id, line.kind, **tidy)
