"""`Firm`: an external organisation of the world's team with two portal administrators, for tests of its people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from portal.accounts import sessions, staff
from portal.accounts.models import Membership, Profile, User
from portal.accounts.viewer import Viewer
from portal.clock import now
from portal.database import start_writing
from portal.extensions import db
from portal.organisations import parties
from portal.organisations.models import Contact, ContactEmail, Party, PartyKind
from tests.fixtures.rooms import Cast

ROLES = ("External-Actor", "External-Reader")
TAKEN = "This address can't be added; ask the security team."


def role_ids(*names: str) -> list[int]:
    """The ids of these roles, in their order."""
    found = dict(db.session.execute(select(Profile.name, Profile.id).where(Profile.name.in_(names))).all())
    return [found[name] for name in names]


class Firm:
    """Acme, or another: `boss` and `deputy` are portal administrators, `worker` is not; all have set up their accounts."""

    def __init__(self, cast: Cast, name: str = "acme") -> None:
        self.cast, self.name = cast, name
        start_writing()
        party = parties.create(name=name.capitalize(), kind="client", role_ids=role_ids(*ROLES), by=cast("olga"))
        self.id, self.tenant = party.id, party.organisation_id
        text = " ".join(self.email(who) for who in ("boss", "deputy", "worker"))
        added = staff.add(self.id, text, role_ids("External-Reader"), by=cast("olga"))
        self.ids = {one.email.partition("@")[0]: one.user_id or 0 for one in added}
        for user in db.session.scalars(select(User).where(User.id.in_(self.ids.values()))):
            user.activated_at = now()
        for seat in db.session.scalars(select(Membership).where(Membership.user_id.in_((self.ids["boss"], self.ids["deputy"])))):
            seat.portal_admin = True
        db.session.commit()

    def email(self, who: str) -> str:
        return f"{who}@{self.name}.example"

    def __call__(self, who: str) -> Viewer:
        viewer = sessions.viewer_of(self.ids[who], self.tenant)
        assert viewer is not None, f"{who} may not look"
        return viewer

    def user(self, who: str) -> User:
        return db.session.get_one(User, self.ids[who], populate_existing=True)

    def seat(self, who: str) -> Membership:
        wanted = select(Membership).where(Membership.user_id == self.ids[who]).execution_options(populate_existing=True)
        return db.session.scalars(wanted).one()

    def party(self) -> Party:
        return db.session.get_one(Party, self.id, populate_existing=True)

    def add(self, text: str, *roles: str, by: Viewer | None = None) -> list[staff.Added]:
        """Added and committed, by the boss where nobody else is named."""
        start_writing()
        told = staff.add(self.id, text, role_ids(*(roles or ("External-Reader",))), by=by or self("boss"))
        db.session.commit()
        return told

    def new(self, who: str) -> int:
        """One more person, not invited yet."""
        [added] = self.add(self.email(who))
        assert added.user_id is not None
        self.ids[who] = added.user_id
        return added.user_id

    def act(self, verb: Callable[..., Any], *who: str, by: Viewer | None = None) -> list[tuple[str, bool]]:
        """Done to these people by name and committed; each with whether it was done."""
        start_writing()
        outcomes = verb(self.id, [self.ids[one] for one in who], by=by or self("boss"))
        db.session.commit()
        names = {key: name for name, key in self.ids.items()}
        return [(names[one.user_id], one.done) for one in outcomes]

    def people(self) -> dict[str, staff.Person]:
        """By the part of their address before the @."""
        return {person.email.partition("@")[0]: person for person in staff.everybody(self.id, by=self.cast("olga"))}

    def contact(self, name: str, *emails: str) -> Contact:
        """A contact without an account."""
        start_writing()
        contact = Contact(party_id=self.id, name=name, confirmed=True)
        db.session.add(contact)
        db.session.flush()
        for position, email in enumerate(emails):
            db.session.add(ContactEmail(contact_id=contact.id, organisation_id=self.tenant, email=email, position=position))
        db.session.commit()
        return contact


def a_party(cast: Cast, name: str, place: str = "here") -> Party:
    """One without people."""
    party = Party(organisation_id=cast.world.places[place], name=name, kind=PartyKind.VENDOR)
    db.session.add(party)
    db.session.commit()
    return party
