"""Who may manage whom: the walls of an organisation, nobody above oneself, and an administrator always remains."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import ColumnElement, Select, and_, func, select

from ..audit.kinds import Kind
from ..audit.models import AuditEntry
from ..database import queue_up, straight
from ..extensions import db
from ..organisations.models import Organisation
from ..refusals import NotAllowed, NotVisible, Refusal
from .models import AccountType, Membership, Profile, User, membership_profile
from .permissions import CATALOGUE, Permission, ProfileType
from .viewer import Viewer

NO_RIGHT = "Your profile does not let you manage people. Ask an administrator of your organisation."
LAST_ADMINISTRATOR = "This would leave the platform without an administrator who can sign in. Make another one first."


def type_for(kind: AccountType, organisation: Organisation) -> ProfileType:
    """The type of profile an account of this kind holds in this organisation."""
    if kind is AccountType.EXTERNAL:
        return ProfileType.EXTERNAL
    return ProfileType.ADMIN if organisation.built_in else ProfileType.ORGANISATION


def organisation_for(organisation_id: int, *, by: Viewer) -> Organisation:
    """The organisation this person may add people to: their own, or any for the platform's administrators."""
    if not by.can(Permission.MANAGE_USER):
        raise NotAllowed(NO_RIGHT)
    if organisation_id != by.organisation_id and not by.platform:
        raise NotVisible("organisation")
    organisation = db.session.get(Organisation, organisation_id)
    if organisation is None:
        raise NotVisible("organisation")
    if organisation.locked:
        raise Refusal(f"{organisation.name} is locked. Unlock it before you add people to it.")
    return organisation


def find_member(user_id: int, *, by: Viewer, change: bool = False) -> tuple[User, Organisation]:
    """The person and the organisation in which `by` looks at them; the platform's administrators reach everybody.

    `change` locks the person's row until the end of the transaction.
    """
    if not by.can(Permission.MANAGE_USER):
        raise NotAllowed(NO_RIGHT)
    if change:
        queue_up("administrators")  # before any row: two administrators who lock each other must not wait in a circle
    wanted = (
        select(User, Organisation)
        .join(Membership, Membership.user_id == User.id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(User.id == user_id, User.deleted_at.is_(None))
        .order_by(Membership.is_default.desc(), Membership.id)
    )
    if not by.platform:
        wanted = wanted.where(Membership.organisation_id == by.organisation_id)
    if change:  # other rows may still refer to it, so that two people who act on each other do not wait for ever
        wanted = wanted.with_for_update(of=User, key_share=True).execution_options(populate_existing=True)
    found = db.session.execute(wanted).first()
    if found is None:
        raise NotVisible("person")
    return found[0], found[1]


def member(user_id: int, *, by: Viewer, change: bool = True) -> tuple[User, Organisation]:
    """Like `find_member`, for doing something to them: refused when their profile allows what one's own does not."""
    user, organisation = find_member(user_id, by=by, change=change)
    if outranks(user, by):
        where = "the platform" if by.platform else "this organisation"
        raise NotAllowed(f"{user.name}'s profile allows more than yours, so somebody with at least those rights in {where} must do it.")
    return user, organisation


def outranks(user: User, by: Viewer) -> bool:
    """Whether the person may do something here that `by` may not."""
    if user.id == by.user_id or user.type is AccountType.EXTERNAL:
        return False
    return bool(_held(user.id, by.organisation_id) - by.permissions)


def account(user_id: int, *, by: Viewer, change: bool = True) -> tuple[User, Organisation]:
    """Like `member`, for what touches the account as a whole: refused when the person also works where `by` has no say."""
    user, organisation = member(user_id, by=by, change=change)
    if elsewhere(user.id, by):
        raise Refusal(f"{user.name} also works in another organisation, so only an administrator of the platform can do this.")
    return user, organisation


def elsewhere(user_id: int, by: Viewer) -> bool:
    """Whether the person also works in an organisation that is none of `by`'s business."""
    others = select(Membership.id).where(Membership.user_id == user_id, Membership.organisation_id != by.organisation_id)
    return not by.platform and db.session.scalar(others.limit(1)) is not None


def closed_outside(user_ids: Collection[int]) -> set[int]:
    """Whose accounts a portal administrator closed, and can open again: the newest closing on record is theirs. An account is closed as a
    whole, so the word of any team of this installation counts."""
    closings = AuditEntry.kind.in_((Kind.STAFF_DEACTIVATED, Kind.USER_LOCKED))
    return {user_id for user_id, external in _newest(user_ids, closings).items() if external}


def decided_by_team(kinds: Collection[Kind], user_ids: Collection[int], organisation_id: int) -> set[int]:
    """With whom the organisation's security team did the newest of these things, which nobody outside may undo."""
    here = and_(AuditEntry.kind.in_(kinds), AuditEntry.organisation_id == organisation_id)
    return {user_id for user_id, external in _newest(user_ids, here).items() if not external}


def _newest(user_ids: Collection[int], which: ColumnElement[bool]) -> dict[int, bool]:
    """For each account with such an entry of the audit, whether the newest was somebody outside; past the guard, which would leave out what
    another team of this installation did."""
    those = AuditEntry.object_id.in_([str(key) for key in user_ids])
    newest = select(func.max(AuditEntry.id)).where(which, those).group_by(AuditEntry.object_id)
    rows = straight(select(AuditEntry.object_id, AuditEntry.actor_external).where(AuditEntry.id.in_(newest)))
    return {int(row.object_id): row.actor_external for row in rows}


def _held(user_id: int, organisation_id: int) -> set[str]:
    """What somebody may do in an organisation."""
    rows = db.session.scalars(
        select(Profile.permissions)
        .join(membership_profile, membership_profile.c.profile_id == Profile.id)
        .join(Membership, Membership.id == membership_profile.c.membership_id)
        .where(Membership.user_id == user_id, Membership.organisation_id == organisation_id)
    )
    return {name for permissions in rows for name in permissions}


def check_grant(profiles: Iterable[Profile], *, by: Viewer) -> None:
    """Refuse to hand out more than one holds oneself. Roles of the portal are another matter: they say what guests may do."""
    own = ProfileType.ADMIN if by.platform else ProfileType.ORGANISATION
    for profile in profiles:
        if profile.type is own and set(profile.permissions) - by.permissions:
            raise Refusal(f"You cannot give the profile {profile.name}: it allows more than your own.")


def keep_an_administrator(*, without_user: int = 0, without_profile: int = 0) -> None:
    """Refuse when nobody who can administer the whole platform would be left without this account or this profile's rights.

    Call it before the change, when it takes somebody's powers away. Such changes wait for each other, so that two
    administrators cannot remove one another at the same moment.
    """
    queue_up("administrators")
    everything = {permission.value for permission in CATALOGUE[ProfileType.ADMIN]}
    profiles = db.session.scalars(select(Profile).where(Profile.type == ProfileType.ADMIN, Profile.id != without_profile))
    enough = [profile.id for profile in profiles if everything <= set(profile.permissions)]
    if db.session.scalar(_usable(enough).where(User.id != without_user).limit(1)) is None:
        raise Refusal(LAST_ADMINISTRATOR)


def spare(user_id: int) -> None:
    """Refuse to take the powers of the last administrator; anybody else's may go."""
    if administers(user_id):
        keep_an_administrator(without_user=user_id)


def administers(user_id: int) -> bool:
    """Whether this person is one of those who must not all go away."""
    profiles = db.session.scalars(select(Profile.id).where(Profile.type == ProfileType.ADMIN))
    return db.session.scalar(_usable(list(profiles)).where(User.id == user_id).limit(1)) is not None


def _usable(profile_ids: list[int]) -> Select[int]:
    return (
        select(User.id)
        .join(Membership, Membership.user_id == User.id)
        .join(membership_profile, membership_profile.c.membership_id == Membership.id)
        .where(
            membership_profile.c.profile_id.in_(profile_ids),
            User.active,
            User.activated_at.is_not(None),
            User.deleted_at.is_(None),
            User.type == AccountType.NORMAL,
        )
    )
