"""Whom somebody works for outside: the external organisation of their membership and the contact they are there, kept in step."""

from __future__ import annotations

from typing import cast

from sqlalchemy import Table, delete, exists, select, update

from ..database import queue_up
from ..extensions import db
from ..organisations.models import Contact, ContactEmail, Party
from ..refusals import Unfit
from .mail_addresses import spellings
from .models import Membership, User

_contact, _email, _membership = (cast("Table", model.__table__) for model in (Contact, ContactEmail, Membership))


def enter(user: User, membership: Membership, party: Party | None) -> None:
    """Let the person work for this external organisation from now on, or for none: as a contact of it, and not as its administrator.

    The contact they were elsewhere stays there, without the account and without the account's address.
    """
    if party is not None and membership.party_id == party.id and membership.contact_id is not None:
        return
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


# Past the guard: people do these two to themselves, in a session that shows them no contact.


def rename(user: User) -> None:
    """The person said what they are called: their contacts are called so from now on."""
    own = select(_membership.c.contact_id).where(_membership.c.user_id == user.id, _membership.c.contact_id.is_not(None))
    changed = update(_contact).where(_contact.c.id.in_(own))
    db.session.connection().execute(changed.values(name=user.name, confirmed=True, version=_contact.c.version + 1))


def readdress(user: User, before: str) -> None:
    """The account has another address: the contact has it, too, unless another contact does."""
    own = select(_membership.c.contact_id).where(_membership.c.user_id == user.id, _membership.c.contact_id.is_not(None))
    other = _email.alias()
    taken = exists().where(other.c.organisation_id == _email.c.organisation_id, other.c.email == user.email)
    changed = update(_email).where(_email.c.contact_id.in_(own), _email.c.email == before, ~taken)
    db.session.connection().execute(changed.values(email=user.email))
