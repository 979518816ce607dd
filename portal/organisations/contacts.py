"""Contacts: the people an external organisation has, with or without an account; editing, deleting and merging them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete as delete_from
from sqlalchemy import insert, select, update

from ..accounts import mail_addresses
from ..accounts.models import Membership, User, folded
from ..accounts.viewer import Viewer
from ..audit.kinds import Kind
from ..audit.record import record
from ..database import queue_up
from ..extensions import db
from ..paging import SIZE, Page
from ..refusals import NotVisible, Refusal, Stale, Unfit
from . import parties, phone_numbers
from .models import Agreement, Contact, ContactEmail, Party, agreement_contact
from .parties import reach, reach_as_team

LONGEST_NAME, LONGEST_PHONE, LONGEST_TITLE, MOST_EMAILS = 128, 64, 128, 20
CHOICES = 500  # contacts offered in a list to choose from
STALE = "Somebody changed this contact after you opened it. Compare below, then save again."
HAS_ACCOUNT = "This contact has an account. Delete the account first, or deactivate it and keep the contact."
TWO_ACCOUNTS = "Both have an account, and a contact has one at most. Delete one of the accounts first."
SAME = "Choose two different contacts."


@dataclass(frozen=True)
class ContactRow:
    """A contact with its addresses, the one to write to first; `user_id` and `account` where there is an account."""

    id: int
    name: str
    emails: tuple[str, ...]
    phone: str
    job_title: str
    confirmed: bool
    version: int
    user_id: int | None
    account: str
    agreements: tuple[tuple[int, str], ...] = ()

    @property
    def label(self) -> str:
        """How it stands in a list to choose from."""
        return f"{self.name} ({self.emails[0]})" if self.emails else self.name


def contacts(party_id: int, *, q: str = "", after: str = "", by: Viewer) -> Page[ContactRow]:
    """A page of them by name; `q`: parts of the name or of an address; `after` is the id of the last row of the page before.

    Names are compared here, as databases do not agree on capitals and accents.
    """
    party = reach(party_id, by=by)
    words = {key: folded(name) for key, name in _named(party.id)}
    pairs = sorted((name, key) for key, name in words.items())
    start = int(after) if after.isascii() and after.isdigit() and len(after) < 18 else 0
    place = next((pair for pair in pairs if pair[1] == start), ("", 0))
    if wanted := folded(q.replace("\0", "")).split()[:8]:
        texts = _with_emails(words)
        pairs = [pair for pair in pairs if all(word in texts[pair[1]] for word in wanted)]
    ids = [key for name, key in pairs if (name, key) > place][: SIZE + 1]
    found = {one.id: one for one in db.session.scalars(select(Contact).where(Contact.id.in_(ids[:SIZE])))}
    return Page(_told([found[key] for key in ids[:SIZE] if key in found]), str(ids[SIZE - 1]) if len(ids) > SIZE else None)


def _named(party_id: int) -> list[tuple[int, str]]:
    return [(row.id, row.name) for row in db.session.execute(select(Contact.id, Contact.name).where(Contact.party_id == party_id))]


def _with_emails(words: dict[int, str]) -> dict[int, str]:
    texts = dict(words)
    ids = select(ContactEmail.contact_id, ContactEmail.email).where(ContactEmail.contact_id.in_(words))
    for key, email in db.session.execute(ids):
        texts[key] += f" {folded(email)}"
    return texts


def contact(party_id: int, contact_id: int, *, by: Viewer) -> ContactRow:
    """One of them."""
    return _told([_load(reach(party_id, by=by), contact_id)])[0]


def names(party_id: int, *, by: Viewer, besides: Iterable[int] = ()) -> list[tuple[int, str]]:
    """Id and name of the first 500 by name, and of those in `besides`, to choose from."""
    party, kept = reach(party_id, by=by), set(besides)
    rows = sorted(_named(party.id), key=lambda pair: (folded(pair[1]), pair[0]))
    return [pair for place, pair in enumerate(rows) if place < CHOICES or pair[0] in kept]


def _load(party: Party, contact_id: int, *, change: bool = False) -> Contact:
    """`change` locks its row too: somebody who activates their account gives their own name, whoever holds the party."""
    wanted = select(Contact).where(Contact.id == contact_id, Contact.party_id == party.id).execution_options(populate_existing=True)
    found = db.session.scalar(wanted.with_for_update() if change else wanted)
    if found is None:
        raise NotVisible("contact")
    return found


def _told(found: list[Contact]) -> list[ContactRow]:
    ids = [one.id for one in found]
    emails: dict[int, list[str]] = defaultdict(list)
    in_order = select(ContactEmail.contact_id, ContactEmail.email).where(ContactEmail.contact_id.in_(ids))
    for key, email in db.session.execute(in_order.order_by(ContactEmail.position, ContactEmail.id)):
        emails[key].append(email)
    accounts = _accounts(ids)
    agreements: dict[int, list[tuple[int, str]]] = defaultdict(list)
    named = select(agreement_contact.c.contact_id, Agreement.id, Agreement.number).join(Agreement)
    for key, agreement_id, number in db.session.execute(named.where(agreement_contact.c.contact_id.in_(ids)).order_by(Agreement.number)):
        agreements[key].append((agreement_id, number))
    return [
        ContactRow(
            **{name: getattr(one, name) for name in ("id", "name", "phone", "job_title", "confirmed", "version")},
            emails=tuple(emails[one.id]),
            user_id=accounts[one.id].id if one.id in accounts else None,
            account=accounts[one.id].email if one.id in accounts else "",
            agreements=tuple(agreements[one.id]),
        )
        for one in found
    ]


def _accounts(ids: Iterable[int]) -> dict[int, Any]:
    """The account of each contact that has one."""
    wanted = select(Membership.contact_id, User.id, User.name, User.email).join(User, User.id == Membership.user_id)
    return {row.contact_id: row for row in db.session.execute(wanted.where(Membership.contact_id.in_(ids), User.deleted_at.is_(None)))}


def create(party_id: int, *, name: str, emails: str = "", phone: str = "", job_title: str = "", by: Viewer) -> ContactRow:
    """A contact without an account."""
    party = reach_as_team(party_id, by=by, change=True)
    values = _fitting(name=name, phone=phone, job_title=job_title)
    wanted = _free_emails(party, emails)
    made = Contact(party_id=party.id, confirmed=True, **values)
    db.session.add(made)
    db.session.flush()
    _write_emails(party, made.id, wanted)
    _record(Kind.CONTACT_CREATED, party, made.id, by, {"name": [None, made.name], "addresses": [None, wanted]})
    return _told([made])[0]


def edit(party_id: int, contact_id: int, *, version: int, name: str, emails: str, phone: str, job_title: str, by: Viewer) -> ContactRow:
    """Change the contact; `emails` are all its addresses, the one to write to first. Whom an account belongs to keeps its address."""
    party = reach_as_team(party_id, by=by, change=True)
    found = _load(party, contact_id, change=True)
    before = _told([found])[0]
    if version != found.version:
        raise Stale(STALE)
    values = _fitting(name=name, phone=phone, job_title=job_title, known=found.phone)
    wanted = _free_emails(party, emails, but=before)
    changes: dict[str, Any] = {key: [getattr(found, key), new] for key, new in values.items() if getattr(found, key) != new}
    for key in changes:
        setattr(found, key, changes[key][1])
    if wanted != list(before.emails):
        changes["addresses"] = [list(before.emails), wanted]
        _write_emails(party, found.id, wanted)
    if changes:
        found.version, found.confirmed = found.version + 1, found.confirmed or "name" in changes
        _record(Kind.CONTACT_EDITED, party, found.id, by, {"contact": [found.name, found.name], **changes})
    return _told([found])[0]


def delete(party_id: int, contact_id: int, *, by: Viewer) -> str:
    """Delete a contact that has no account; return its name."""
    party = reach_as_team(party_id, by=by, change=True)
    found = _load(party, contact_id, change=True)
    if _accounts([found.id]):
        raise Refusal(HAS_ACCOUNT)
    if party.primary_contact_id == found.id:
        party.primary_contact_id = None
        party.version += 1
    name, emails = found.name, list(_told([found])[0].emails)
    _record(Kind.CONTACT_DELETED, party, found.id, by, {"name": [name, None], "addresses": [emails, None]})
    _erase(found)
    return name


def _erase(found: Contact) -> None:
    db.session.execute(delete_from(agreement_contact).where(agreement_contact.c.contact_id == found.id))
    db.session.execute(delete_from(ContactEmail).where(ContactEmail.contact_id == found.id))
    # The place of somebody whose account was deleted may still name it.
    db.session.execute(update(Membership).where(Membership.contact_id == found.id).values(contact_id=None))
    db.session.delete(found)
    db.session.flush()


@dataclass(frozen=True)
class Merged:
    """What becomes of two contacts that are one person."""

    keep: ContactRow
    other: ContactRow
    result: ContactRow
    refusal: str


def merging(party_id: int, keep_id: int, other_id: int, *, by: Viewer) -> Merged:
    """What merging would make of them, and why it cannot be done."""
    party = reach_as_team(party_id, by=by)
    if keep_id == other_id:
        raise Refusal(SAME)
    return _merging(_load(party, keep_id), _load(party, other_id))


def _merging(kept: Contact, gone: Contact) -> Merged:
    keep, other = _told([kept, gone])
    own_name = keep.confirmed or not other.confirmed
    account = keep if keep.user_id else other
    result = ContactRow(
        keep.id,
        keep.name if own_name else other.name,
        (*keep.emails, *other.emails),
        keep.phone or other.phone,
        keep.job_title or other.job_title,
        keep.confirmed or other.confirmed,
        keep.version,
        account.user_id,
        account.account,
        tuple(sorted({*keep.agreements, *other.agreements}, key=lambda pair: pair[1])),
    )
    refusal = TWO_ACCOUNTS if keep.user_id and other.user_id else ""
    if not refusal and len(result.emails) > MOST_EMAILS:
        refusal = f"Together they have more than {MOST_EMAILS} addresses. Remove some first."
    return Merged(keep, other, result, refusal)


def merge(party_id: int, keep_id: int, other_id: int, *, by: Viewer) -> ContactRow:
    """Make one contact of two of this organisation: addresses, account, agreements and what the first lacks come to it, the other goes."""
    party = reach_as_team(party_id, by=by, change=True)
    if keep_id == other_id:
        raise Refusal(SAME)
    kept, gone = _load(party, keep_id, change=True), _load(party, other_id, change=True)
    plan = _merging(kept, gone)
    if plan.refusal:
        raise Refusal(plan.refusal)
    told = {"kept": [plan.keep.label, plan.result.label], "merged": [plan.other.label, None]}
    _record(Kind.CONTACTS_MERGED, party, kept.id, by, told)
    _move(plan)
    if party.primary_contact_id == gone.id:
        party.primary_contact_id = kept.id
        party.version += 1
    _erase(gone)
    for name in ("name", "phone", "job_title", "confirmed"):
        setattr(kept, name, getattr(plan.result, name))
    kept.version += 1
    db.session.flush()
    return _told([kept])[0]


def _move(plan: Merged) -> None:
    """What the other contact had comes to the one that stays."""
    keep, other = plan.keep.id, plan.other.id
    shift = {"contact_id": keep, "position": ContactEmail.position + len(plan.keep.emails)}
    quick = {"synchronize_session": False}
    db.session.execute(update(ContactEmail).where(ContactEmail.contact_id == other).values(shift), execution_options=quick)
    if plan.keep.user_id is None and plan.other.user_id is not None:
        # Whoever was deleted may still hold the place: one account per contact at most.
        db.session.execute(update(Membership).where(Membership.contact_id == keep).values(contact_id=None))
        db.session.execute(update(Membership).where(Membership.contact_id == other).values(contact_id=keep))
    if missing := {key for key, _ in plan.other.agreements} - {key for key, _ in plan.keep.agreements}:
        db.session.execute(insert(agreement_contact), [{"agreement_id": key, "contact_id": keep} for key in missing])


def _fitting(*, name: str, phone: str, job_title: str, known: str = "") -> dict[str, str]:
    values = {
        "name": parties.within("name", name, LONGEST_NAME),
        "phone": phone_numbers.tidied(parties.within("phone", phone, LONGEST_PHONE), known),
        "job_title": parties.within("job_title", job_title, LONGEST_TITLE),
    }
    if not values["name"]:
        raise Unfit("name", "Type a name.")
    return values


def _free_emails(party: Party, text: str, but: ContactRow | None = None) -> list[str]:
    """The addresses, tidied, each once; refused when one is none, somebody else's, or when that of the account is left out."""
    wanted = [_tidied(word) for word in mail_addresses.split(text)]
    if len(wanted) > MOST_EMAILS:
        raise Unfit("emails", f"A contact can have {MOST_EMAILS} addresses.")
    if but is not None and but.account and but.account not in wanted:
        raise Unfit("emails", f"Keep {but.account}: it is the address of the account.")
    queue_up("addresses")
    own, ways = but.id if but else 0, [way for email in wanted for way in mail_addresses.spellings(email)]
    others = select(ContactEmail.email, Contact.name).join(Contact, Contact.id == ContactEmail.contact_id)
    others = others.where(ContactEmail.organisation_id == party.organisation_id, ContactEmail.email.in_(ways), Contact.id != own)
    if taken := db.session.execute(others).first():
        raise Unfit("emails", f"{taken.email} is an address of {taken.name} already. Merge the two contacts if they are one person.")
    accounts = select(User.email).where(User.email.in_(ways), User.id != ((but.user_id if but else None) or 0))
    if email := db.session.scalar(accounts):
        raise Unfit("emails", f"{email} is the address of another account. Choose another one.")
    return wanted


def _tidied(word: str) -> str:
    try:
        return mail_addresses.tidied(word)
    except Unfit:
        raise Unfit("emails", f"“{word[:64]}” is not an e-mail address. Write addresses like name@example.org, one a line.") from None


def _write_emails(party: Party, contact_id: int, wanted: list[str]) -> None:
    db.session.execute(delete_from(ContactEmail).where(ContactEmail.contact_id == contact_id))
    for position, email in enumerate(wanted):
        db.session.add(ContactEmail(contact_id=contact_id, organisation_id=party.organisation_id, email=email, position=position))
    db.session.flush()


def _record(kind: Kind, party: Party, contact_id: int, by: Viewer, changes: dict[str, Any]) -> None:
    told = {"party": [party.name, party.name], **changes}
    record(kind, actor=by, organisation_id=party.organisation_id, object_id=contact_id, changes=told)
