"""Which organisations somebody works in, and what they may do in each."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import delete, insert, select, update

from ..alike import same_name
from ..audit.kinds import Kind
from ..audit.record import record
from ..database import queue_up
from ..extensions import db
from ..organisations.models import Organisation, Party, PartyKind
from ..refusals import NotAllowed, NotVisible, Refusal, Unfit
from . import affiliation, links, powers
from .models import AccountType, ApiKey, Membership, Profile, Purpose, User, membership_profile
from .permissions import CATALOGUE, ProfileType
from .platform import join
from .sending import send_invitation
from .viewer import Viewer

LONGEST_PARTY = 128
UNKNOWN_PLACE = "Choose one of the organisations in the list."
PLATFORM_ONLY = "Only an administrator of the platform decides who works in which organisations."
NO_CASES = "External users work where cases are, and the admin organisation holds none. Choose another one."


@dataclass(frozen=True)
class Seat:
    """A place in an organisation: with which profiles, and whether it is the one to begin in."""

    organisation_id: int
    profile_ids: frozenset[int] = frozenset()
    default: bool = False


@dataclass(frozen=True)
class Held:
    """A place somebody has, as the viewer may know of it."""

    membership_id: int
    organisation_id: int
    organisation: str
    built_in: bool
    locked: bool
    default: bool
    works_for: str
    profiles: list[Profile] = field(default_factory=list)
    party_id: int | None = None


def held_by(user_id: int, *, by: Viewer, organisation_id: int | None = None) -> list[Held]:
    """The person's organisations, the one they begin in first; only one's own for an organisation's administrator."""
    wanted = (
        select(Membership, Organisation, Party.name)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .outerjoin(Party, Party.id == Membership.party_id)
        .where(Membership.user_id == user_id)
        .order_by(Membership.is_default.desc(), Organisation.name)
    )
    if not by.platform:
        wanted = wanted.where(Organisation.id == by.organisation_id)
    if organisation_id is not None:
        wanted = wanted.where(Organisation.id == organisation_id)
    rows = db.session.execute(wanted).all()
    profiles = _profiles_of([m.id for m, _, _ in rows])
    return [Held(m.id, o.id, o.name, o.built_in, o.locked, m.is_default, party or "", profiles[m.id], m.party_id) for m, o, party in rows]


def held_at(user_id: int, organisation_id: int, *, by: Viewer) -> Held:
    """The person's place in this organisation."""
    seats = held_by(user_id, by=by, organisation_id=organisation_id)
    if not seats:
        raise NotVisible("membership")
    return seats[0]


def _profiles_of(membership_ids: list[int]) -> dict[int, list[Profile]]:
    held = select(membership_profile.c.membership_id, Profile).join(Profile, Profile.id == membership_profile.c.profile_id)
    profiles: dict[int, list[Profile]] = {key: [] for key in membership_ids}
    for key, profile in db.session.execute(held.where(membership_profile.c.membership_id.in_(membership_ids)).order_by(Profile.name)):
        profiles[key].append(profile)
    return profiles


def profiles_for(kind: AccountType, organisation: Organisation) -> list[Profile]:
    """The profiles an account of this kind may hold in this organisation."""
    wanted = select(Profile).where(Profile.type == powers.type_for(kind, organisation))
    return list(db.session.scalars(wanted.order_by(Profile.name)))


def fitting(kind: AccountType, organisation: Organisation, profile_ids: Collection[int], *, by: Viewer) -> list[Profile]:
    """The profiles chosen for an account of this kind in this organisation; refused, at their field, when they will not do."""
    external = kind is AccountType.EXTERNAL
    where = "roles" if external else "profile"
    if external and organisation.built_in:
        raise Unfit("organisation", NO_CASES)
    known = profiles_for(kind, organisation)
    chosen = [profile for profile in known if profile.id in profile_ids]
    if len(chosen) < len(set(profile_ids)):
        names = ", ".join(profile.name for profile in known)
        raise Unfit(where, f"This does not fit {'an external user' if external else organisation.name}. Choose from: {names}.")
    if not chosen:
        raise Unfit(where, "Choose at least one role." if external else f"Choose a profile for {organisation.name}.")
    if len(chosen) > 1 and not external:
        raise Unfit(where, f"Choose one profile only for {organisation.name}.")
    try:
        powers.check_grant(chosen, by=by)
    except Refusal as refusal:
        raise Unfit(where, refusal.sentence) from refusal
    return chosen


def organisation_to_join(organisation_id: int, *, by: Viewer) -> Organisation:
    """The organisation, for adding somebody to it; refused at the field when it is unknown or locked."""
    try:
        return powers.organisation_for(organisation_id, by=by)
    except NotVisible:
        raise Unfit("organisation", UNKNOWN_PLACE) from None
    except NotAllowed:
        raise
    except Refusal as refusal:
        raise Unfit("organisation", refusal.sentence) from refusal


def party_of(organisation: Organisation, name: str, *, by: Viewer) -> Party | None:
    """The outside organisation called that, made when it is new."""
    name = " ".join(name.split())
    if len(name) > LONGEST_PARTY:
        raise Unfit("works_for", f"Use at most {LONGEST_PARTY} characters.")
    if not name:
        return None
    if (known := _called(organisation, name)) is not None:
        return known
    queue_up("names of external organisations")
    if (known := _called(organisation, name)) is not None:
        return known
    party = Party(organisation_id=organisation.id, name=name, kind=PartyKind.CLIENT)
    db.session.add(party)
    db.session.flush()
    told: dict[str, list[object]] = {"party": [name, name], "kind": [None, party.kind.value], "roles": [None, []]}
    record(Kind.PARTY_CREATED, actor=by, organisation_id=organisation.id, object_id=party.id, changes=told)
    return party


def _called(organisation: Organisation, name: str) -> Party | None:
    known = db.session.scalars(select(Party).where(Party.organisation_id == organisation.id).order_by(Party.id))
    return next((party for party in known if same_name(party.name, name)), None)


def set_profiles(user_id: int, organisation_id: int, profile_ids: Collection[int], *, by: Viewer, works_for: str | None = None) -> User:
    """What the person may do in an organisation from their next click on; `works_for`, of external users, stays when it is None."""
    user, organisation, seat = seat_of(user_id, organisation_id, by=by)
    if user.id == by.user_id:
        raise Refusal("You cannot change your own profile. Ask another administrator.")
    wanted = fitting(user.type, organisation, profile_ids, by=by)
    if organisation.built_in and not set(CATALOGUE[ProfileType.ADMIN]) <= set(wanted[0].permissions):
        powers.spare(user.id)
    changes: dict[str, list[object]] = {}
    if works_for is not None and user.external:
        changes |= _employ(user, organisation, seat, " ".join(works_for.split()), by=by)
    if {profile.id for profile in wanted} != {profile.id for profile in seat.profiles}:
        changes["profiles"] = [[profile.name for profile in seat.profiles], [profile.name for profile in wanted]]
        _give(seat.membership_id, wanted)
        _renew(user, organisation, by=by)
    if changes:
        record(Kind.MEMBERSHIP_CHANGED, actor=by, organisation_id=organisation.id, object_id=user.id, changes=changes)
    return user


def _employ(user: User, organisation: Organisation, seat: Held, name: str, *, by: Viewer) -> dict[str, list[object]]:
    """Let the person work for somebody from now on, or for nobody any more. Another employer is another account: cases that were
    shared with the person by name were shared with somebody of the former one."""
    if same_name(name, seat.works_for):
        return {}
    if name and seat.works_for:
        raise Unfit(
            "works_for",
            f"{user.name} works for {seat.works_for}. Whoever changes employer gets a new account: "
            "deactivate this one and invite them with the new address.",
        )
    party = party_of(organisation, name, by=by)
    membership = db.session.get_one(Membership, seat.membership_id, populate_existing=True)
    managed = membership.portal_admin
    affiliation.enter(user, membership, party)
    if managed:
        changes: dict[str, list[object]] = {"works_for": [seat.works_for, seat.works_for]}
        record(Kind.PORTAL_ADMIN_REMOVED, actor=by, organisation_id=organisation.id, object_id=user.id, changes=changes)
    return {"works_for": [seat.works_for, party.name if party else ""]}


def _renew(user: User, organisation: Organisation, *, by: Viewer) -> None:
    """End what was handed out while the account could do something else: a link somebody copied, a key somebody made.

    An invitation that was open goes out anew, to the address on file.
    """
    if user.activated_at is None and links.supersede(Purpose.INVITATION, user) and user.active:
        send_invitation(user, organisation, by=by)
    if user.type is AccountType.SERVICE:
        db.session.execute(delete(ApiKey).where(ApiKey.user_id == user.id))


def _give(membership_id: int, profiles: list[Profile]) -> None:
    db.session.execute(delete(membership_profile).where(membership_profile.c.membership_id == membership_id))
    db.session.execute(insert(membership_profile), [{"membership_id": membership_id, "profile_id": profile.id} for profile in profiles])


def seat_of(user_id: int, organisation_id: int, *, by: Viewer) -> tuple[User, Organisation, Held]:
    """The person, the organisation and their place in it, for changing that place."""
    user, _ = powers.member(user_id, by=by)
    seat = held_at(user.id, organisation_id, by=by)
    return user, db.session.get_one(Organisation, organisation_id), seat


def add(user_id: int, seat: Seat, *, by: Viewer, works_for: str = "") -> User:
    """Let the person work in one more organisation."""
    user, _ = powers.member(user_id, by=by)
    if not by.platform:
        raise Refusal(PLATFORM_ONLY)
    if user.id == by.user_id:
        raise Refusal("You cannot add yourself to an organisation. Ask another administrator.")
    organisation = organisation_to_join(seat.organisation_id, by=by)
    if held_by(user.id, by=by, organisation_id=organisation.id):
        raise Unfit("organisation", f"{user.name} works in {organisation.name} already. Choose another one.")
    profiles = fitting(user.type, organisation, seat.profile_ids, by=by)
    party = party_of(organisation, works_for, by=by) if user.external else None
    affiliation.enter(user, join(user, organisation, profiles), party)
    changes = {"profiles": [None, [profile.name for profile in profiles]]}
    record(Kind.MEMBERSHIP_ADDED, actor=by, organisation_id=organisation.id, object_id=user.id, changes=changes)
    _renew(user, organisation, by=by)
    if seat.default:
        begin_in(user.id, organisation.id, by=by)
    return user


def begin_in(user_id: int, organisation_id: int, *, by: Viewer) -> User:
    """The organisation the person is in after signing in."""
    user, organisation, _ = seat_of(user_id, organisation_id, by=by)
    if not by.platform:
        raise Refusal(PLATFORM_ONLY)
    before = [seat for seat in held_by(user.id, by=by) if seat.default]
    if [seat.organisation_id for seat in before] != [organisation.id]:
        mark_default(user.id, organisation.id)
        changes = {"default_organisation": [before[0].organisation if before else None, organisation.name]}
        record(Kind.USER_EDITED, actor=by, organisation_id=organisation.id, object_id=user.id, changes=changes)
    return user


def mark_default(user_id: int, organisation_id: int) -> None:
    """Begin there from now on."""
    own = update(Membership).where(Membership.user_id == user_id)
    db.session.execute(own.values(is_default=Membership.organisation_id == organisation_id))
