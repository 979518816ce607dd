"""Sending an invitation: a link, its letter and the entry, all or none."""

from __future__ import annotations

from collections.abc import Collection

from ..audit.kinds import Kind
from ..audit.record import Trace, record, record_all
from ..mail.outbox import post, post_all
from ..organisations.models import Organisation
from ..refusals import Refusal
from . import links
from .models import AccountType, OneTimeLink, Purpose, User
from .viewer import Viewer


def send_invitation(user: User, organisation: Organisation, *, by: Viewer | None, trace: Trace | None = None) -> OneTimeLink:
    """A new link and its letter; the older link dies. `trace` as `record` takes it."""
    check_open(user)
    if organisation.locked:
        raise Refusal(f"{organisation.name} is locked. Unlock it before you send an invitation.")
    link = links.make_link(Purpose.INVITATION, user=user, organisation_id=organisation.id, by=by)
    post("invitation", to_user_id=user.id, organisation_id=organisation.id, link_id=link.id)
    record(Kind.USER_INVITED, actor=by, organisation_id=organisation.id, object_id=user.id, trace=trace)
    return link


def send_invitations(users: Collection[User], organisation: Organisation, *, by: Viewer) -> None:
    """The same for many people, who were asked about before, with as many statements as for one."""
    made = links.make_links(Purpose.INVITATION, users, organisation_id=organisation.id, by=by)
    post_all("invitation", made, organisation_id=organisation.id)
    record_all(Kind.USER_INVITED, {user.id: {} for user in users}, actor=by, organisation_id=organisation.id)


def check_open(user: User) -> None:
    """Only who has not taken possession of the account is invited."""
    if not user.active:
        raise Refusal(f"{user.name}'s account is locked. Unlock it before you send an invitation.")
    if user.type is AccountType.SERVICE:
        raise Refusal(f"{user.name} is a program: it needs an API key, not an invitation.")
    if user.activated_at is not None:
        raise Refusal(f"{user.name} has set up the account already. They can use 'Forgotten your password?' on the sign-in page.")
