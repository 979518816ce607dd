"""Whom somebody works for outside: the external organisation of their membership and the contact they are there, kept in step."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import Table, delete, select, update

from ..database import queue_up
from ..extensions import db
from ..organisations import parties
from ..organisations.models import Contact, ContactEmail, Party
from ..refusals import Unfit
from . import newcomers
from .mail_addresses import spellings
from .models import Membership, User

_contact, _email, _membership, _party, _user = (
    cast("Table", model.__table__) for model in (Contact, ContactEmail, Membership, Party, User)
)


def enter(user: User, membership: Membership, party: Party | None) -> None:
    """Let the person work for this external organisation from now on, or for none: as a contact of it, and not as its administrator.

    The contact they were elsewhere stays there, without the account and without the account's address.
    """
    if party is not None and membership.party_id == party.id and membership.contact_id is not None:
        return
    if party is not None and membership.party_id != party.id:
        newcomers.check_joining(party, user)
    former = membership.contact_id
    contact = _contact_for(user, party, former) if party else None
    membership.party_id, membership.contact_id = (party.id, contact.id) if party and contact else (None, None)
    membership.portal_admin = False
    db.session.flush()


def _contact_for(user: User, party: Party, former: int | None) -> Contact:
    """The contact with the person's address, made where there is none; refused where it is somebody else."""
    queue_up("addresses")
    wanted = select(Contact, ContactEmail.id, Membership.id).join(ContactEmail, ContactEmail.contact_id == Contact.id)
    wanted = wanted.outerjoin(Membership, Membership.contact_id == Contact.id)
    here = ContactEmail.organisation_id == party.organisation_id
    found = db.session.execute(wanted.where(here, ContactEmail.email.in_(spellings(user.email)))).first()
    if found is not None and found[0].id == former:
        db.session.execute(delete(ContactEmail).where(ContactEmail.id == found[1]))
    elif found is not None:
        contact, _address, holder = found
        if holder or contact.party_id != party.id:
            whose = "" if contact.party_id == party.id else " of another external organisation"
            raise Unfit("works_for", f"{user.email} is an address of {contact.name}, a contact{whose}. Take it from that contact first.")
        if not contact.confirmed:
            contact.name, contact.confirmed = user.name, True
        return contact
    contact = Contact(party_id=party.id, name=user.name, confirmed=True)
    db.session.add(contact)
    db.session.flush()
    db.session.add(ContactEmail(contact_id=contact.id, organisation_id=party.organisation_id, email=user.email))
    return contact


def employer(user_id: int, organisation_id: int) -> str:
    """The external organisation the person works for there; empty for none."""
    wanted = select(Party.name).join(Membership, Membership.party_id == Party.id)
    return db.session.scalar(wanted.where(Membership.user_id == user_id, Membership.organisation_id == organisation_id)) or ""


def employers(user_id: int) -> list[Party]:
    """All external organisations the person works for."""
    wanted = select(Party).join(Membership, Membership.party_id == Party.id).where(Membership.user_id == user_id)
    return list(db.session.scalars(wanted.order_by(Party.id)))


# Past the guard: people do these to themselves, in a session that shows them no contact.


def rename(user: User) -> None:
    """The person said what they are called: their contacts are called so from now on."""
    changed = update(_contact).where(_contact.c.id.in_(_contacts_of(user.id)))
    db.session.connection().execute(changed.values(name=user.name, confirmed=True, version=_contact.c.version + 1))


def readdress(user: User, before: str) -> None:
    """The account has another address: the contact has it, too."""
    held = select(_email.c.id, _email.c.contact_id, _email.c.email).where(_email.c.contact_id.in_(_contacts_of(user.id)))
    connection = db.session.connection()
    rows = connection.execute(held.where(_email.c.email.in_(spellings(before)))).all()
    # Should a contact have both ways of writing it, the one that was the account's.
    lines = {row.contact_id: row.id for row in sorted(rows, key=lambda row: row.email == before)}
    has_it = set(connection.scalars(select(_email.c.contact_id).where(_email.c.email == user.email)))
    wanted = [line for contact_id, line in lines.items() if contact_id not in has_it]
    connection.execute(update(_email).where(_email.c.id.in_(wanted)).values(email=user.email))


def _contacts_of(user_id: int) -> Any:
    return select(_membership.c.contact_id).where(_membership.c.user_id == user_id, _membership.c.contact_id.is_not(None))


def address_of(email: str, *, but: int) -> str:
    """Who has the address besides this account: another account, or somebody else's contact where they work; empty for nobody."""
    ways, connection = spellings(email), db.session.connection()
    account = connection.scalar(select(_user.c.name).where(_user.c.email.in_(ways), _user.c.id != but))
    here = select(_membership.c.organisation_id).where(_membership.c.user_id == but)
    others = select(_contact.c.name).join(_email, _email.c.contact_id == _contact.c.id).where(_email.c.email.in_(ways))
    contact = connection.scalar(others.where(_email.c.organisation_id.in_(here), _email.c.contact_id.not_in(_contacts_of(but))))
    return str(account or contact or "")


def allows(user_id: int, email: str) -> bool:
    """Whether those the person works for let their people have such an address."""
    own = select(_party.c.domains).join(_membership, _membership.c.party_id == _party.c.id).where(_membership.c.user_id == user_id)
    known = [parties.plain_domains(domains) for domains in db.session.connection().scalars(own)]
    return all(parties.allows(domains, email) for domains in known)


def managed_by(user_id: int) -> list[int]:
    """The teams for whose external organisations the person is portal administrator."""
    own = select(_membership.c.organisation_id).where(_membership.c.user_id == user_id, _membership.c.party_id.is_not(None))
    return list(db.session.connection().scalars(own.where(_membership.c.portal_admin)))
