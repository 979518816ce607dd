"""Your organisation: what a portal administrator sees of their own external organisation, and does to its people and addresses."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import select

from ..accounts import newcomers, roster, staff
from ..accounts.models import Profile, User
from ..accounts.permissions import Permission
from ..accounts.viewer import Viewer
from ..extensions import db
from ..organisations import addresses, agreements, parties
from ..organisations.models import Contact, Party
from ..paging import Page
from ..refusals import NotVisible
from ..settings import values
from ..vault import veiled
from ..words import Wording, later
from . import guard
from .records import (
    AddedPerson,
    OwnAddress,
    OwnAgreement,
    OwnAgreementPage,
    OwnDetails,
    OwnOutcome,
    OwnPerson,
    OwnRole,
    SharedContent,
    TypedAddress,
)

READS = later("Read the cases that are shared with them")
ALLOWS = Wording(
    {
        Permission.CREATE_CASE: later("Report incidents to the security team"),
        Permission.UPDATE_CASE: later("Upload files to these cases"),
        Permission.COMMENT: later("Write messages to the security team on these cases"),
        Permission.OBSERVABLE: later("Add evidence items, such as suspicious addresses, to these cases"),
    }
)
# What can be done to people, by its name in addresses.
ACTS = {
    "invite": staff.invite,
    "cancel": staff.cancel_invite,
    "deactivate": staff.deactivate,
    "reactivate": staff.reactivate,
    "make-admin": staff.make_admin,
    "remove-admin": staff.remove_admin,
}

_ADDRESS = [name for name in OwnAddress.__slots__ if name != "id"]


class OwnOrganisation:
    """The external organisation one portal administrator manages. For everybody else, and who looks through their eyes, it is not there."""

    # How an account stands, in words; how many people can be added or ticked at once.
    states = roster.WORDS
    most = newcomers.MOST_AT_ONCE

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self._party: Party | None = None  # read once; a window lives no longer than a request

    @contextmanager
    def _inside(self) -> Iterator[Party]:
        """Past the rules of the portal, which open no account but one's own: only here, and only for what the rooms let this person do."""
        viewer = self.viewer
        if not viewer.external or not viewer.portal_admin or viewer.party_id is None or viewer.viewed_by_id is not None:
            raise NotVisible("an external organisation")
        with guard.aside():
            self._party = self._party or parties.reach(viewer.party_id, by=viewer)
            yield self._party
            db.session.flush()

    @property
    def mark(self) -> str:
        """Whose form it is; somebody may look after two organisations."""
        return veiled("party", self.viewer.party_id or 0)

    # Details.

    def details(self) -> OwnDetails:
        """Name, phone and what the security team has laid down."""
        with self._inside() as party:
            contact = party.primary_contact_id
            named = select(Contact.name).where(Contact.id == contact, Contact.party_id == party.id)
            return OwnDetails(
                name=party.own_name or party.name,
                phone=party.phone,
                kind=party.kind.value,
                primary_contact=(db.session.scalar(named) or "") if contact else "",
                domains=party.domains.split(),
                cap=party.cap,
                people=roster.number_active(party),
                version=f"{self.mark}_{party.version}",
            )

    def edit(self, *, name: str, phone: str, version: str) -> None:
        """Change name and phone; Stale where somebody changed the organisation since this version, or it is another one."""
        whose, _bar, seen = version.partition("_")
        with self._inside() as party:
            known = int(seen) if whose == self.mark and seen.isascii() and seen.isdigit() and len(seen) < 18 else 0
            parties.edit(party.id, version=known, by=self.viewer, name=name, phone=phone)

    def uninvited(self) -> int:
        """How many people nobody invited yet."""
        with self._inside() as party:
            return roster.numbers(party)[1]

    def role_names(self) -> list[OwnRole]:
        """The roles that are open to the organisation, by name."""
        with self._inside() as party:
            return [OwnRole(_role(key), roster.role_word(name), []) for key, name in parties.open_roles(party.id, by=self.viewer)]

    def roles(self) -> list[OwnRole]:
        """The same, with what each allows."""
        with self._inside() as party:
            pairs = parties.open_roles(party.id, by=self.viewer)
            found = select(Profile.id, Profile.permissions).where(Profile.id.in_([key for key, _name in pairs]))
            allowed: dict[int, Any] = {row.id: row.permissions for row in db.session.execute(found)} if pairs else {}
            words = {key: [str(READS), *(ALLOWS[p] for p in ALLOWS if p in allowed.get(key, ()))] for key, _name in pairs}
            return [OwnRole(_role(key), roster.role_word(name), words[key]) for key, name in pairs]

    def _role_ids(self, party: Party, uids: Iterable[str]) -> tuple[int, ...]:
        """The roles that are meant; 0, which none has, for one that is not open."""
        opened = {_role(key): key for key, _name in parties.open_roles(party.id, by=self.viewer)}
        return tuple(opened.get(uid, 0) for uid in uids)

    # People.

    @property
    def mails(self) -> bool:
        """Whether invitations go out by mail; where not, the security team hands over their links."""
        return values.mail_is_set_up()

    def people(self, *, q: str = "", sort: str = "name", state: str = "", after: str = "") -> Page[OwnPerson]:
        """Who has an account and works for the organisation."""
        with self._inside() as party:
            page = staff.people(party.id, q=q, sort=sort, state=state, after=self._inward(party, after, sort), by=self.viewer)
            return Page(_persons(page.rows), page.next and _placed(page.next, sort, page.rows[-1].uid))

    def _inward(self, party: Party, place: str, sort: str) -> str:
        """The place as the rooms name it; without the person before it where that is nobody of theirs, or not any more."""
        first, _bar, second = place.partition("-")
        uid = second if sort.endswith("seen") else first
        return _placed(place, sort, roster.numbers_of(party.id, [uid], by=self.viewer).get(uid, 0)) if place else ""

    def _user_ids(self, party: Party, uids: Iterable[str], *, still: bool = False) -> tuple[int, ...]:
        wanted = list(dict.fromkeys(uid.replace("\0", "") for uid in uids))
        known = roster.numbers_of(party.id, wanted, by=self.viewer)
        if not still and known.keys() != set(wanted):
            raise NotVisible("person")
        return tuple(known[uid] for uid in wanted if uid in known)

    def chosen(self, uids: Iterable[str], *, still: bool = False) -> list[OwnPerson]:
        """These of its people, by name; NotVisible when one of them is not one. `still`: those of them who are there still."""
        with self._inside() as party:
            return _persons(roster.chosen(party.id, self._user_ids(party, uids, still=still), by=self.viewer, still=still))

    def only_admin(self) -> bool:
        """Whether nobody besides the reader could manage the organisation."""
        with self._inside() as party:
            return roster.number_of_admins(party) <= 1

    def check(self, text: str) -> list[TypedAddress]:
        """Each address in what was typed, and why nobody can be added with it."""
        with self._inside() as party:
            return [TypedAddress(typed.email, typed.problem) for typed in staff.check(party.id, text, by=self.viewer)]

    def add(self, text: str, role_uids: Iterable[str]) -> list[AddedPerson]:
        """Add people by their addresses; what became of each."""
        with self._inside() as party:
            told = staff.add(party.id, text, self._role_ids(party, role_uids), by=self.viewer)
            named = select(User.id, User.uid).where(User.id.in_({line.user_id for line in told if line.user_id}))
            uids = dict(db.session.execute(named).all())
            return [AddedPerson(line.email, line.done, line.sentence, uids.get(line.user_id or 0, ""), line.deactivated) for line in told]

    def act(self, act: str, uids: Iterable[str]) -> list[OwnOutcome]:
        """Do one of ACTS to each of them; what became of each."""
        with self._inside() as party:
            return self._told(ACTS[act](party.id, self._user_ids(party, uids), by=self.viewer))

    def set_roles(self, uids: Iterable[str], role_uids: Iterable[str]) -> list[OwnOutcome]:
        """Give them these roles instead of those they hold."""
        with self._inside() as party:
            people, roles = self._user_ids(party, uids), self._role_ids(party, role_uids)
            return self._told(staff.set_roles(party.id, people, roles, by=self.viewer))

    def _told(self, outcomes: Iterable[staff.Outcome]) -> list[OwnOutcome]:
        return [OwnOutcome(one.name, one.done, one.sentence, one.user_id == self.viewer.user_id) for one in outcomes]

    # Addresses.

    def addresses(self) -> tuple[list[OwnAddress], str]:
        """Where the organisation is, and what tells this list from what it becomes later."""
        with self._inside() as party:
            lines = addresses.addresses(party.id, by=self.viewer)
            own = [OwnAddress(at, **{name: getattr(line, name) for name in _ADDRESS}) for at, line in enumerate(lines, 1)]
            return own, _seen(party, lines)

    def save_addresses(self, lines: Iterable[OwnAddress], *, seen: str) -> None:
        """Replace them all; Stale when they are not any more what was `seen`."""
        with self._inside() as party:
            before = addresses.addresses(party.id, by=self.viewer)
            ids = {0: 0, **{at: line.id for at, line in enumerate(before, 1)}}
            kept = [addresses.AddressLine(ids.get(line.id, -1), **{name: getattr(line, name) for name in _ADDRESS}) for line in lines]
            known = addresses.mark(before) if seen == _seen(party, before) else "of another list"
            addresses.save(party.id, kept, seen=known, by=self.viewer)

    # Service agreements.

    def agreements(self) -> list[OwnAgreement]:
        """Those that are no drafts."""
        with self._inside() as party:
            rows = agreements.agreements(party.id, by=self.viewer)
            return [OwnAgreement(row.uid, row.number, row.title, row.state, row.starts_on, row.ends_on) for row in rows]

    def agreement(self, uid: str) -> OwnAgreementPage:
        """One of them."""
        with self._inside() as party:
            row = agreements.agreement(party.id, uid, by=self.viewer)
            times = [(int(level), *row.times[level]) for level in sorted(row.times, reverse=True) if any(row.times[level])]
            basics = (row.uid, row.number, row.title, row.state, row.starts_on, row.ends_on, row.hours)
            return OwnAgreementPage(*basics, times, [name for _id, name in row.contacts], row.document_name, row.document_size)

    def document(self, uid: str) -> SharedContent:
        """Its file."""
        with self._inside() as party:
            return SharedContent(*agreements.document(party.id, uid, by=self.viewer))


def _role(key: int) -> str:
    return veiled("role", key)


def _seen(party: Party, lines: list[addresses.AddressLine]) -> str:
    return veiled("addresses", f"{party.id} {addresses.mark(lines)}")


def _placed(place: str, sort: str, name: str | int) -> str:
    """The place in the list, with this name for the person before it."""
    first, _bar, second = place.partition("-")
    return f"{first}-{name}" if sort.endswith("seen") else f"{name}-{second}"


def _persons(rows: Collection[Any]) -> list[OwnPerson]:
    theirs = staff.closed_outside(rows)
    return [_person(row, closed=row.standing.state == "locked" and row.user_id not in theirs) for row in rows]


def _person(row: Any, *, closed: bool) -> OwnPerson:
    return OwnPerson(
        uid=row.uid,
        name=row.name,
        email=row.email,
        role_uids=tuple(map(_role, row.role_ids)),
        role_names=tuple(map(roster.role_word, row.role_names)),
        portal_admin=row.portal_admin,
        state="closed" if closed else row.standing.state,
        until=row.standing.until,
        last_sign_in_at=row.last_sign_in_at,
        confirmed=row.confirmed,
        me=row.me,
    )
