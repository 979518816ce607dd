"""Whom outside a case reaches: people named on it, those who work for an external organisation that is, or everybody."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import bindparam, exists, select, union_all

from ..accounts.directory import MANY, Outsider, outsider_ids, outsiders
from ..accounts.models import AccountType, Membership, User
from ..cases.models import Case
from ..database import kept
from ..extensions import db
from ..organisations.models import Party
from .models import Access, Grant, PartyGrant

# The external people a case reaches: their ids, or None for every one there is and will be.
Reach = frozenset[int] | None
NOBODY: frozenset[int] = frozenset()


def named_on(case: Case) -> set[int]:
    """Ids of the people named on the case."""
    return set(db.session.scalars(select(Grant.user_id).where(Grant.case_id == case.id)))


def reach(case: Case) -> Reach:
    """Whom outside the case reaches now; people who were locked since they were named are not among them."""
    people = reached(case)
    return None if people is None else frozenset(person.id for person in people)


_NAMED = select(Grant.user_id).where(Grant.case_id == bindparam("case_id"))
_THROUGH = (
    select(Membership.user_id)
    .join(PartyGrant, PartyGrant.party_id == Membership.party_id)
    .where(PartyGrant.case_id == bindparam("case_id"))
)
_either = union_all(_NAMED, _THROUGH).subquery()
# Whoever is named on a case or works for an external organisation that is.
REACHED = select(_either.c.user_id)
_CREW = select(Membership.user_id).where(Membership.party_id.in_(bindparam("parties", expanding=True)))
_PARTIES = kept(
    select(PartyGrant.case_id, Party.id, Party.name)
    .join(Party, Party.id == PartyGrant.party_id)
    .where(PartyGrant.case_id.in_(bindparam("cases", expanding=True)))
    .order_by(Party.name, Party.id)
)


def still_there(case: Case) -> list[Outsider]:
    """The external people named on the case who can be shared with today."""
    return outsiders(case.organisation_id, ids=_NAMED, case_id=case.id)


def reached(case: Case) -> list[Outsider] | None:
    """Whom outside the case reaches now, by name or through their organisation; None for everybody."""
    if case.access_now is Access.ALL_EXTERNAL:
        return None
    return outsiders(case.organisation_id, ids=REACHED, case_id=case.id) if case.access_now is Access.EXTERNAL else []


def parties_on(*cases: Case) -> dict[int, dict[int, str]]:
    """Case -> the external organisations it is shared with, id -> name."""
    found: dict[int, dict[int, str]] = {case.id: {} for case in cases}
    shared = [case.id for case in cases if case.access_now is Access.EXTERNAL]
    for case_id, key, name in db.session.execute(_PARTIES, {"cases": shared}) if shared else ():
        found[case_id][key] = name
    return found


def people_of(organisation_id: int, parties: Iterable[int]) -> list[Outsider]:
    """Who works for these external organisations and can be shared with today."""
    ids = sorted(parties)
    return outsiders(organisation_id, ids=_CREW, parties=ids) if ids else []


_EMPLOYERS = kept(
    select(Party.name)
    .where(
        Party.organisation_id == bindparam("organisation_id"),
        exists().where(Membership.party_id == Party.id, User.id == Membership.user_id, User.type == AccountType.EXTERNAL, User.active),
    )
    .order_by(Party.name)
    .limit(MANY + 1)
)


def employers(organisation_id: int) -> list[str]:
    """The external organisations with somebody who can be shared with today, by name; MANY and one stand for more."""
    return list(db.session.scalars(_EMPLOYERS, {"organisation_id": organisation_id}))


_ON_ANY = union_all(
    select(Grant.user_id).where(Grant.case_id.in_(bindparam("cases", expanding=True))),
    select(Membership.user_id)
    .join(PartyGrant, PartyGrant.party_id == Membership.party_id)
    .where(PartyGrant.case_id.in_(bindparam("cases", expanding=True))),
).subquery()
_REACHED_BY_ANY = select(_ON_ANY.c.user_id)


def audience(*cases: Case) -> list[int]:
    """Ids of everybody outside who can see the case, or one of them, now: one question for all cases of an organisation."""
    found: set[int] = set()
    for organisation_id in {case.organisation_id for case in cases}:
        here = [case for case in cases if case.organisation_id == organisation_id]
        if any(case.access_now is Access.ALL_EXTERNAL for case in here):
            found.update(outsider_ids(organisation_id))
        elif named := [case.id for case in here if case.access_now is Access.EXTERNAL]:
            found.update(person.id for person in outsiders(organisation_id, ids=_REACHED_BY_ANY, cases=named))
    return sorted(found)
