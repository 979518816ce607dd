"""Adding people to an external organisation: many addresses at once, each with its own result."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import and_, insert, select

from ..alike import is_team
from ..audit.kinds import Kind
from ..audit.record import record_all
from ..database import queue_up
from ..extensions import db
from ..organisations import parties
from ..organisations.models import Contact, ContactEmail, Organisation, Party
from ..refusals import Refusal, Unfit
from ..words import _, ngettext
from . import mail_addresses, roster, throttle
from .mail_addresses import Address
from .models import AccountType, Membership, User, membership_profile, search_text_of
from .viewer import Viewer

MOST_AT_ONCE = 500  # as many as can be invited at once right after
MOST_NAMED = 10  # addresses in one sentence
MOST_A_DAY = 500  # addresses a portal administrator adds or tries to


@dataclass(frozen=True)
class Typed:
    """One of the addresses in the box; `problem` is empty when it can be added."""

    email: str
    problem: str


@dataclass(frozen=True)
class Added:
    """What became of one address. `deactivated`: it is somebody's who stays deactivated."""

    email: str
    done: bool
    sentence: str
    user_id: int | None = None
    deactivated: bool = False


@dataclass
class Found:
    """What is known of an address: whose account of this organisation, whose contact of it, or that it is taken elsewhere."""

    user_id: int | None = None
    contact_id: int | None = None
    taken: bool = False


@dataclass
class Newcomer:
    """An account to be made: for a contact that is there, or with one of its own. `others`: further addresses of the same contact."""

    email: str
    name: str
    confirmed: bool
    contact_id: int | None
    others: list[str] = field(default_factory=list)


def hold(party_id: int, by: Viewer) -> Party:
    """The external organisation, held for changing its people: one such change after the other, and none beside the console's."""
    parties.reach(party_id, by=by)
    queue_up("administrators")
    return parties.reach(party_id, by=by, change=True)


def check(party_id: int, text: str, *, by: Viewer) -> list[Typed]:
    """Each address in the text, and why it cannot be added, as far as that may be known before it is tried."""
    party = parties.reach(party_id, by=by)
    words = _words(text)
    return _judged(party, words, _look_up(party, [address for address in words.values() if isinstance(address, Address)]))


def _words(text: str) -> dict[str, Address | Unfit]:
    """What stands in the text, each address once however it is written."""
    words, known = mail_addresses.split(text), set()
    if len(words) > MOST_AT_ONCE:
        raise Unfit("addresses", _("Add at most %(most)s addresses at once.", most=f"{MOST_AT_ONCE:,}"))
    told: dict[str, Address | Unfit] = {}
    for word in words:
        try:
            address = mail_addresses.read(word)
        except Unfit as refusal:
            told[word] = refusal
            continue
        if address.key not in known:
            known.add(address.key)
            told[address.email] = address
    return told


def _judged(party: Party, words: dict[str, Address | Unfit], found: dict[str, Found]) -> list[Typed]:
    """What belongs to others counts as new here: a chip must not tell that it does."""
    domains, room = parties.allowed_domains(party), places(party, len(words))
    told: list[Typed] = []
    coming: set[int | str] = set()
    for word, address in words.items():
        if isinstance(address, Unfit):
            told.append(Typed(word, address.sentence))
        elif domains and address.domain not in domains:
            told.append(Typed(word, _("Only addresses of these domains can be added: %(domains)s.", domains=party.domains)))
        else:
            known = found[word]
            if known.user_id is None:
                coming.add(known.contact_id or word)
            problem = "" if known.user_id is not None or len(coming) <= room else full(party)
            told.append(Typed(word, problem))
    return told


def places(party: Party, otherwise: int) -> int:
    """How many more people there may be who are not deactivated; without a cap as many as asked for."""
    return otherwise if party.cap is None else party.cap - roster.number_active(party)


def full(party: Party) -> str:
    """Why there may be no more."""
    return _("The organisation may have %(cap)s people. Deactivate somebody first, or ask the security team.", cap=party.cap)


def check_joining(party: Party, user: User) -> None:
    """Refuse, at its field, who may not work for it: when it has as many people as it may, or for an address of another domain.

    Who asks holds "administrators", so that two do not pass the cap together.
    """
    if not parties.allows(parties.allowed_domains(party), user.email):
        raise Unfit("works_for", f"{party.name} takes only addresses of these domains: {party.domains}.")
    if user.active:
        check_room(party)


def check_room(party: Party) -> None:
    """Refuse one more person who is not deactivated, when the cap is reached."""
    if places(party, 1) < 1:
        raise Unfit("works_for", f"{party.name} may have {party.cap} people. Deactivate somebody there, or let it have more.")


def _look_up(party: Party, addresses: Sequence[Address]) -> dict[str, Found]:
    """What is known of each address; two questions, whatever there is to find."""
    ways = {way: address.email for address in addresses for way in address.spellings}
    found = {address.email: Found() for address in addresses}
    for row in db.session.execute(_contacts(party).where(ContactEmail.email.in_(ways))):
        known = found[ways[row.email]]
        if row.party_id == party.id:
            known.contact_id, known.user_id = row.contact_id, row.user_id
        else:
            known.taken = True
    for row in db.session.execute(_accounts(party).where(User.email.in_(ways))):
        own = row.type is AccountType.EXTERNAL and row.party_id == party.id
        found[ways[row.email]] = Found(user_id=row.id if own else None, taken=not own)
    return found


def _contacts(party: Party) -> Any:
    wanted = select(ContactEmail.email, ContactEmail.contact_id, Contact.party_id, Membership.user_id)
    wanted = wanted.join(Contact, Contact.id == ContactEmail.contact_id).outerjoin(Membership, Membership.contact_id == Contact.id)
    return wanted.where(ContactEmail.organisation_id == party.organisation_id)


def _accounts(party: Party) -> Any:
    here = and_(Membership.user_id == User.id, Membership.organisation_id == party.organisation_id)
    return select(User.id, User.email, User.type, Membership.party_id).outerjoin(Membership, here)


def open_to(party: Party, *, by: Viewer) -> dict[int, str]:
    """The roles that can be given there, by name."""
    return dict(parties.open_roles(party.id, by=by))


def chosen_roles(known: dict[int, str], role_ids: Collection[int]) -> dict[int, str]:
    """Those of the known roles; refused when there is none, or when one of them is not open to the organisation (any more)."""
    if not role_ids:
        raise Unfit("roles", _("Choose at least one role."))
    if not set(role_ids) <= known.keys():
        raise Unfit("roles", _("One of these roles is not open to the organisation any more. Choose again."))
    return {key: name for key, name in known.items() if key in set(role_ids)}


def add(party_id: int, text: str, role_ids: Collection[int], *, by: Viewer) -> list[Added]:
    """Give each address in the text an account with these roles. Nobody is invited yet.

    What can be seen to be wrong, of addresses and roles at once, refuses all of it; what turns out to be taken is told, and the others are
    added.
    """
    party = hold(party_id, by)
    queue_up("addresses")
    addresses, found, wrong = _read(party, text)
    try:
        roles = chosen_roles(open_to(party, by=by), role_ids)
    except Unfit as refusal:
        raise Unfit(refusal.field, refusal.sentence, wrong) from None
    if wrong is not None:
        raise wrong
    check_open(party)
    if by.external and not throttle.take("add-people", str(by.user_id), len(addresses), MOST_A_DAY):
        most = f"{MOST_A_DAY:,}"
        raise Unfit("addresses", _("You can add %(most)s addresses a day. Add these later, or ask the security team.", most=most))
    return _add(party, addresses, found, roles, by=by)


def _read(party: Party, text: str) -> tuple[list[Address], dict[str, Found], Unfit | None]:
    """The addresses in the text, what is known of each, and why not all of them can be added."""
    try:
        words = _words(text)
    except Unfit as refusal:
        return [], {}, refusal
    if not words:
        return [], {}, Unfit("addresses", _("Type at least one e-mail address."))
    addresses = [address for address in words.values() if isinstance(address, Address)]
    found = _look_up(party, addresses)
    wrong = [typed for typed in _judged(party, words, found) if typed.problem]
    return addresses, found, Unfit("addresses", _named(wrong)) if wrong else None


def _named(wrong: Sequence[Typed]) -> str:
    """Which addresses cannot be added and why, those of one reason together."""
    by_reason: dict[str, list[str]] = {}
    for typed in wrong:
        by_reason.setdefault(typed.problem, []).append(typed.email[: mail_addresses.LONGEST])
    return " ".join(_refused(emails, reason) for reason, emails in by_reason.items())


def _refused(emails: Sequence[str], reason: str) -> str:
    named, more = ", ".join(emails[:MOST_NAMED]), len(emails) - MOST_NAMED
    if more > 0:
        named = ngettext("%(addresses)s and %(num)s more", "%(addresses)s and %(num)s more", more, addresses=named)
    return ngettext(
        "%(addresses)s can't be added: %(reason)s", "%(addresses)s can't be added: %(reason)s", len(emails), addresses=named, reason=reason
    )


def check_open(party: Party) -> Organisation:
    """The tenant, which must not be locked."""
    organisation = db.session.get_one(Organisation, party.organisation_id)
    if organisation.locked:
        raise Refusal(_("%(team)s is locked, so nobody can be added or invited.", team=organisation.name))
    return organisation


def add_named(party: Party, email: str, name: str, roles: dict[int, str], *, by: Viewer) -> Added:
    """One person by name, as a list from elsewhere has them; the organisation is held already."""
    queue_up("addresses")
    words = _words(email)
    if len(words) != 1:
        raise Unfit("addresses", _("Enter an e-mail address like name@example.org."))
    addresses = [address for address in words.values() if isinstance(address, Address)]
    found = _look_up(party, addresses)
    if problem := next(iter(_judged(party, words, found))).problem:
        raise Unfit("addresses", problem)
    return _add(party, addresses, found, roles, name=name, by=by)[0]


def _add(
    party: Party, addresses: Sequence[Address], found: dict[str, Found], roles: dict[int, str], *, name: str = "", by: Viewer
) -> list[Added]:
    people = _newcomers(addresses, found, name, db.session.get_one(Organisation, party.organisation_id).name)
    users = _make(party, people, roles, by=by)
    told = _give(party, {known.user_id for known in found.values() if known.user_id is not None}, roles, by=by)
    for person in people:
        told[person.email] = Added(person.email, True, _("Added."), users[person.email])
        for other in person.others:
            told[other] = Added(other, True, _("The same person as %(address)s.", address=person.email), users[person.email])
    return [_told(address, found[address.email], told) for address in addresses]


def _newcomers(addresses: Sequence[Address], found: dict[str, Found], name: str, tenant: str) -> list[Newcomer]:
    """Who needs an account: one for all addresses of a contact. Until they confirm it they are called as given, as the contact is, or
    what stands before the last @; by the whole address, where that would be the team's name."""
    new = [address.email for address in addresses if not found[address.email].taken and found[address.email].user_id is None]
    contacts = _contacts_by_id([key for email in new if (key := found[email].contact_id) is not None])
    coming: dict[int | str, Newcomer] = {}
    for email in new:
        key = found[email].contact_id
        if (known := coming.get(key or email)) is not None:
            known.others.append(email)
            continue
        contact = contacts.get(key or 0)
        if contact is not None and name and not contact.confirmed:
            contact.name, contact.confirmed = name, True
        local = email.rpartition("@")[0]
        called = contact.name if contact is not None else name or (email if is_team(local, tenant) else local)
        coming[key or email] = Newcomer(email, called, bool(name), key)
    return list(coming.values())


def _told(address: Address, known: Found, told: dict[int | str, Added]) -> Added:
    if known.taken:
        return Added(address.email, False, _("This address can't be added; ask the security team."))
    own = told[known.user_id or address.email]
    return Added(address.email, own.done, own.sentence, own.user_id, own.deactivated)


def _contacts_by_id(ids: Collection[int]) -> dict[int, Contact]:
    return {contact.id: contact for contact in db.session.scalars(select(Contact).where(Contact.id.in_(ids)))} if ids else {}


def _make(party: Party, people: Sequence[Newcomer], roles: dict[int, str], *, by: Viewer) -> dict[str, int]:
    """Accounts, contacts where there are none, places and roles, with as many statements for hundreds as for one; the ids by address."""
    if not people:
        return {}
    _make_contacts(party, [person for person in people if person.contact_id is None])
    external = {"type": AccountType.EXTERNAL}
    rows = [{**external, "email": p.email, "name": p.name, "search_text": search_text_of(p.name, p.email)} for p in people]
    users = dict(db.session.execute(insert(User).returning(User.email, User.id), rows).all())
    here = {"organisation_id": party.organisation_id, "party_id": party.id, "is_default": True}
    seats = [{**here, "user_id": users[person.email], "contact_id": person.contact_id} for person in people]
    made = db.session.scalars(insert(Membership).returning(Membership.id), seats).all()
    db.session.execute(insert(membership_profile), [{"membership_id": seat, "profile_id": key} for seat in made for key in roles])
    changes = {
        users[p.email]: {
            "name": [None, p.name],
            "email": [None, p.email],
            "roles": [None, list(roles.values())],
            "works_for": [None, party.name],
        }
        for p in people
    }
    record_all(Kind.STAFF_ADDED, changes, actor=by, organisation_id=party.organisation_id)
    return users


def _make_contacts(party: Party, people: Sequence[Newcomer]) -> None:
    """A contact for each of these. Those of one name are made alike, so which becomes whose is all the same."""
    if not people:
        return
    rows = [{"party_id": party.id, "name": person.name, "confirmed": person.confirmed} for person in people]
    free: dict[str, list[int]] = {}
    for name, key in db.session.execute(insert(Contact).returning(Contact.name, Contact.id), rows):
        free.setdefault(name, []).append(key)
    for person in people:
        person.contact_id = free[person.name].pop()
    here = {"organisation_id": party.organisation_id}
    db.session.execute(insert(ContactEmail), [{**here, "contact_id": person.contact_id, "email": person.email} for person in people])


def _give(party: Party, user_ids: Collection[int], roles: dict[int, str], *, by: Viewer) -> dict[int | str, Added]:
    """Roles for those who have an account here already; who is deactivated stays so."""
    if not user_ids:
        return {}
    seats = roster.seats(party, sorted(user_ids))
    held = roster.roles_of([membership.id for _user, membership in seats])
    told: dict[int | str, Added] = {}
    rows, changes = [], {}
    for user, membership in seats:
        before = held[membership.id]
        more = {key: name for key, name in roles.items() if key not in before}
        rows += [{"membership_id": membership.id, "profile_id": key} for key in more]
        if more:
            changes[user.id] = {"roles": [sorted(before.values()), sorted({**before, **more}.values())]}
        words = [roster.role_word(name) if by.external else name for name in more.values()]
        told[user.id] = Added(user.email, True, _said(user, words), user.id, not user.active)
    if rows:
        db.session.execute(insert(membership_profile), rows)
    record_all(Kind.STAFF_ROLES_CHANGED, changes, actor=by, organisation_id=party.organisation_id)
    return told


def _said(user: User, more: list[str]) -> str:
    names = ", ".join(more)
    if not user.active:
        if not more:
            return _("Has these roles already, and stays deactivated.")
        return _("Has an account already, which stays deactivated. Roles added: %(roles)s.", roles=names)
    return _("Has an account already. Roles added: %(roles)s.", roles=names) if more else _("Has an account with these roles already.")
