"""What is done to the people of an external organisation: by its portal administrators for their own, by the security team for all."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, delete, func, insert, select, update

from ..audit.kinds import Kind
from ..audit.record import record_all
from ..clock import now
from ..extensions import db
from ..mail.models import OutboxMessage, State
from ..mail.outbox import post_all
from ..organisations import parties
from ..organisations.models import Party
from ..settings import values
from ..words import _
from . import links, newcomers, powers, roster, sending
from . import people as accounts
from .models import Membership, OneTimeLink, Purpose, User, membership_profile
from .newcomers import Added as Added
from .newcomers import Typed as Typed
from .newcomers import add as add
from .newcomers import check as check
from .roster import Person as Person
from .roster import chosen as chosen
from .roster import everybody as everybody
from .roster import people as people
from .viewer import Viewer

MOST_A_DAY = 20  # invitations of a portal administrator
A_DAY = timedelta(days=1)
STAYS = "Stays deactivated. From now on only the security team can reactivate the account."

Seats = Sequence[tuple[User, Membership]]


@dataclass(frozen=True)
class Outcome:
    """What became of one person."""

    user_id: int
    name: str
    done: bool
    sentence: str


def _elsewhere(party: Party, seats: Seats) -> set[int]:
    """Who of them is also a member of another organisation, whose people would feel what is done to the whole account."""
    others = select(Membership.user_id).where(Membership.organisation_id != party.organisation_id)
    return set(db.session.scalars(others.where(Membership.user_id.in_([user.id for user, _seat in seats]))))


def _not_here(by: Viewer) -> str:
    if by.external:
        return _("This can't be done here; ask the security team.")
    return "Also works in another organisation, so only an administrator of the platform can do this."


def _each(seats: Seats, refused: Callable[[User, Membership], str], sentence: str) -> tuple[Seats, list[Outcome]]:
    """Those with whom it can be done, and what is told of everybody. Asked of one after the other: the answer may hang on those before."""
    fit, told = [], []
    for user, membership in seats:
        if why := refused(user, membership):
            told.append(Outcome(user.id, user.name, False, why))
        else:
            fit.append((user, membership))
            told.append(Outcome(user.id, user.name, True, sentence))
    return fit, told


def _note(kind: Kind, party: Party, seats: Seats, by: Viewer) -> None:
    changes = {user.id: {"works_for": [party.name, party.name]} for user, _seat in seats}
    record_all(kind, changes, actor=by, organisation_id=party.organisation_id)


def invite(party_id: int, user_ids: Collection[int], *, by: Viewer) -> list[Outcome]:
    """Send each of them an invitation; an older one ends. Nobody is reactivated by it."""
    party = newcomers.hold(party_id, by)
    seats = roster.seats(party, user_ids)
    organisation = newcomers.check_open(party)
    elsewhere = _elsewhere(party, seats) if by.external else set()
    paced = links.paced(Purpose.INVITATION, [user.id for user, _seat in seats])
    left = [MOST_A_DAY - _sent_today(by) if by.external else len(seats)]

    def refused(user: User, _membership: Membership) -> str:
        if not user.active:
            return _("Is deactivated. Reactivate the account before you send an invitation.")
        if user.activated_at is not None:
            return _("Has set up the account already, so there is nothing to invite to.")
        if "@" not in user.email:
            return _("Has no e-mail address.")
        if user.id in elsewhere:
            return _not_here(by)
        if user.id in paced:
            return _("Was sent %(most)s invitations within an hour. Wait before you send another one.", most=links.MOST_AN_HOUR)
        if left[0] < 1:
            return _("You can send %(most)s invitations a day. Send this one later, or ask the security team.", most=MOST_A_DAY)
        left[0] -= 1
        return ""

    mails = values.mail_is_set_up()
    fit, told = _each(
        seats, refused, _("The invitation is on its way.") if mails else _("Invited. The security team can hand over the link.")
    )
    sending.send_invitations([user for user, _seat in fit], organisation, by=by)
    return told


def _sent_today(by: Viewer) -> int:
    sent = (OneTimeLink.created_by_id == by.user_id, OneTimeLink.created_at > now() - A_DAY, OneTimeLink.purpose == Purpose.INVITATION)
    return db.session.scalar(select(func.count()).select_from(OneTimeLink).where(*sent)) or 0


def cancel_invite(party_id: int, user_ids: Collection[int], *, by: Viewer) -> list[Outcome]:
    """Take their invitations back: the links stop working."""
    party = newcomers.hold(party_id, by)
    seats = roster.seats(party, user_ids)
    elsewhere = set() if by.platform else _elsewhere(party, seats)

    def refused(user: User, _membership: Membership) -> str:
        if user.activated_at is not None:
            return _("Has set up the account already. Deactivate it if they should not use it.")
        return _not_here(by) if user.id in elsewhere else ""

    fit, told = _each(seats, refused, _("The invitation was withdrawn."))
    had = links.supersede_all(Purpose.INVITATION, [user.id for user, _seat in fit])
    _note(Kind.INVITATION_CANCELLED, party, [seat for seat in fit if seat[0].id in had], by)
    without = _("Has no invitation that could be withdrawn.")
    return [Outcome(one.user_id, one.name, False, without) if one.done and one.user_id not in had else one for one in told]


def closed_outside(shown: Collection[Person]) -> set[int]:
    """Whose accounts a portal administrator closed, and can open again; one query."""
    return powers.closed_outside([person.user_id for person in shown if person.standing.state == "locked"])


def deactivate(party_id: int, user_ids: Collection[int], *, by: Viewer) -> list[Outcome]:
    """Close their accounts: sessions, invitations and letters on their way end in this transaction. It can be taken back.

    The security team's word counts also where a portal administrator was quicker: it is written down, and they cannot reactivate any more.
    """
    party = newcomers.hold(party_id, by)
    seats = roster.seats(party, user_ids)
    elsewhere = set() if by.platform else _elsewhere(party, seats)
    admins, closed = [roster.number_of_admins(party)], [user.id for user, _seat in seats if not user.active]
    settled = set(closed) - (set() if by.external else powers.closed_outside(closed))

    def refused(user: User, membership: Membership) -> str:
        if user.id == by.user_id:
            return _("You cannot deactivate yourself. Ask another portal administrator, or the security team.")
        if user.id in settled:
            return _("Is deactivated already.")
        return _not_here(by) if user.id in elsewhere else _last(admins, user, membership, by)

    fit, told = _each(seats, refused, _("Deactivated: signed out everywhere, and cannot sign in."))
    if users := [user for user, _seat in fit if user.active]:
        accounts.close(users, "the account was deactivated")
        links.supersede_all(Purpose.INVITATION, [user.id for user in users])
    _note(Kind.STAFF_DEACTIVATED, party, fit, by)
    return [Outcome(one.user_id, one.name, True, STAYS) if one.done and one.user_id in closed else one for one in told]


def _last(admins: list[int], user: User, membership: Membership, by: Viewer) -> str:
    """Why the person must stay portal administrator; where not, there is one less of those who could act from here on."""
    if not membership.portal_admin or not user.active or user.activated_at is None:
        return ""
    if by.external and admins[0] <= 1:
        return _("Is the last portal administrator. Make somebody else portal administrator first, or ask the security team.")
    admins[0] -= 1
    return ""


def reactivate(party_id: int, user_ids: Collection[int], *, by: Viewer) -> list[Outcome]:
    """Let them in again, as many as the organisation may have; what ended with the account stays ended."""
    party = newcomers.hold(party_id, by)
    seats = roster.seats(party, user_ids)
    elsewhere = set() if by.platform else _elsewhere(party, seats)
    mine = powers.closed_outside([user.id for user, _seat in seats]) if by.external else set(user_ids)
    left = [newcomers.places(party, len(seats))]

    def refused(user: User, _membership: Membership) -> str:
        if user.active:
            return _("Is not deactivated.")
        if user.id in elsewhere:
            return _not_here(by)
        if user.id not in mine:
            return _("The security team closed this account. Ask them to open it again.")
        if left[0] < 1:
            return newcomers.full(party)
        left[0] -= 1
        return ""

    fit, told = _each(seats, refused, _("Reactivated: can sign in again."))
    for user, _seat in fit:
        user.active = True
    _note(Kind.STAFF_REACTIVATED, party, fit, by)
    anew = {user.id for user, _seat in fit if user.activated_at is None}
    uninvited = _("Reactivated. Send an invitation, so that they can set up the account.")
    return [Outcome(one.user_id, one.name, True, uninvited) if one.user_id in anew else one for one in told]


def make_admin(party_id: int, user_ids: Collection[int], *, by: Viewer) -> list[Outcome]:
    """Let them manage the people of their organisation in the portal, and tell them by mail."""
    party = newcomers.hold(party_id, by)
    seats = roster.seats(party, user_ids)
    made_or_removed = (Kind.PORTAL_ADMIN_MADE, Kind.PORTAL_ADMIN_REMOVED)
    taken = powers.decided_by_team(made_or_removed, user_ids, party.organisation_id) if by.external else set()

    def refused(user: User, membership: Membership) -> str:
        if membership.portal_admin:
            return _("Is portal administrator already.")
        if user.id in taken:  # the newest is that it was taken: they are none
            return _("The security team took this from them. Ask the security team.")
        return "" if user.active else _("Is deactivated. Reactivate the account first.")

    fit, told = _each(seats, refused, _("Is portal administrator now."))
    for _user, membership in fit:
        membership.portal_admin = True
    # Who has not set up the account is told when they do: before, they could not come in.
    told_already = _told_today(party, fit)
    to = dict.fromkeys(user.id for user, _seat in fit if user.activated_at is not None and user.id not in told_already)
    post_all("portal_admin", to, organisation_id=party.organisation_id, extra={"by": by.name if by.user_id else ""})
    _note(Kind.PORTAL_ADMIN_MADE, party, fit, by)
    return told


def _told_today(party: Party, seats: Seats) -> set[int]:
    """Who was written to already, or is about to be; a letter that was dropped reached nobody."""
    recent = _admin_letters(party, seats, OutboxMessage.created_at > now() - A_DAY, OutboxMessage.state != State.DROPPED)
    return set(db.session.scalars(select(OutboxMessage.to_user_id).where(*recent)))


def _admin_letters(party: Party, seats: Seats, *more: ColumnElement[bool]) -> tuple[ColumnElement[bool], ...]:
    to = OutboxMessage.to_user_id.in_([user.id for user, _seat in seats])
    return (to, OutboxMessage.letter == "portal_admin", OutboxMessage.organisation_id == party.organisation_id, *more)


def remove_admin(party_id: int, user_ids: Collection[int], *, by: Viewer) -> list[Outcome]:
    """Let them manage nobody any more; the last one is spared, unless the security team does it."""
    party = newcomers.hold(party_id, by)
    admins = [roster.number_of_admins(party)]

    def refused(user: User, membership: Membership) -> str:
        if not membership.portal_admin:
            return _("Is not portal administrator.")
        return _last(admins, user, membership, by)

    fit, told = _each(roster.seats(party, user_ids), refused, _("Is not portal administrator any more."))
    for _user, membership in fit:
        membership.portal_admin = False
    waiting = _admin_letters(party, fit, OutboxMessage.state == State.WAITING)
    db.session.execute(update(OutboxMessage).where(*waiting).values(state=State.DROPPED, last_error="is portal administrator no more"))
    _note(Kind.PORTAL_ADMIN_REMOVED, party, fit, by)
    return told


def set_roles(party_id: int, user_ids: Collection[int], role_ids: Collection[int], *, by: Viewer) -> list[Outcome]:
    """Give them exactly these roles. One that the security team gave and did not open, a portal administrator cannot take away."""
    party = newcomers.hold(party_id, by)
    seats = roster.seats(party, user_ids)
    held = roster.roles_of([membership.id for _user, membership in seats])
    opened = newcomers.open_to(party, by=by)
    known = opened if by.external else _with_held(opened, held)
    chosen = newcomers.chosen_roles(known, role_ids)
    told, rows, changed, changes = [], [], [], {}
    for user, membership in seats:
        before = held[membership.id]
        kept = {key: name for key, name in before.items() if key not in known}
        after = {**kept, **chosen}
        same = after.keys() == before.keys()
        told.append(Outcome(user.id, user.name, True, _roles_said(list(kept.values()), same=same)))
        if not same:
            changed.append(membership.id)
            rows += [{"membership_id": membership.id, "profile_id": key} for key in after]
            changes[user.id] = {"roles": [sorted(before.values()), sorted(after.values())]}
    if changed:
        db.session.execute(delete(membership_profile).where(membership_profile.c.membership_id.in_(changed)))
        db.session.execute(insert(membership_profile), rows)
    record_all(Kind.STAFF_ROLES_CHANGED, changes, actor=by, organisation_id=party.organisation_id)
    return told


def roles_for(party_id: int, user_ids: Collection[int], *, by: Viewer) -> list[tuple[int, str]]:
    """The roles the security team can choose from for these people, by name: the open ones, and what they hold besides."""
    party = parties.reach_as_team(party_id, by=by)
    held = {
        person.user_id: dict(zip(person.role_ids, person.role_names, strict=True)) for person in roster.chosen(party_id, user_ids, by=by)
    }
    return sorted(_with_held(newcomers.open_to(party, by=by), held).items(), key=lambda pair: pair[1])


def _with_held(opened: dict[int, str], held: Mapping[int, dict[int, str]]) -> dict[int, str]:
    return {**opened, **{key: name for roles in held.values() for key, name in roles.items()}}


def _roles_said(kept: list[str], *, same: bool) -> str:
    if kept:
        return _("Has these roles, and keeps %(roles)s, which the security team gave.", roles=", ".join(map(roster.role_word, kept)))
    return _("Has these roles already.") if same else _("Has these roles now.")
