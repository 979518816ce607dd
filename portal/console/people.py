"""People: who has an account here, inviting, locking."""

from __future__ import annotations

from typing import Any

from flask import current_app, g, request
from sqlalchemy import select

from ..accounts import directory, invitations, people, powers
from ..accounts.models import AccountType, User
from ..accounts.permissions import Permission
from ..extensions import db
from ..organisations.models import Organisation
from ..refusals import Refusal
from ..web.show import see_other, show
from .face import console
from .forms import InviteForm, choices


@console.route("/people", needs=Permission.MANAGE_USER, endpoint="people")
def people_list() -> Any:
    """Everybody of the organisation, with the state of their account."""
    return show("console/people/list.html", people=directory.people(g.viewer), can_invite=True)


@console.route("/people/invite", needs=Permission.MANAGE_USER, methods=["GET", "POST"])
def invite() -> Any:
    """Add a person and send the invitation."""
    form = InviteForm()
    organisation_id = _fill(form)
    if request.method == "GET" or not form.validate():
        return _page(form)
    try:
        user = _invite(form, organisation_id)
    except Refusal as refusal:
        return _page(form, problem=refusal.sentence)
    return see_other(".people", f"{user.name} is added. The invitation to {user.email} is on its way.")


def _invite(form: InviteForm, organisation_id: int) -> User:
    kind = AccountType.EXTERNAL if form.kind.data == "external" else AccountType.NORMAL
    chosen = form.profiles.data if kind is AccountType.EXTERNAL else [form.profile.data]
    return invitations.invite(
        email=form.email.data,
        name=form.name.data,
        kind=kind,
        profile_ids=chosen or [],
        organisation_id=organisation_id,
        by=g.viewer,
        works_for=form.works_for.data or "",
    )


def _fill(form: InviteForm) -> int:
    """Give the form its choices; return the organisation the person is to join."""
    organisation_id: int = g.viewer.organisation_id
    if g.viewer.platform:
        places = [
            (str(o.id), o.name)
            for o in db.session.scalars(select(Organisation).where(Organisation.locked.is_(False)).order_by(Organisation.name))
        ]
        form.organisation.choices = choices(*places)
        organisation_id = form.organisation.data or next((int(key) for key, _ in places if int(key) != organisation_id), organisation_id)
    else:
        del form.organisation
    organisation = powers.organisation_for(organisation_id, by=g.viewer)
    form.profiles.choices = choices(*((p.id, p.name) for p in invitations.profiles_for(AccountType.EXTERNAL, organisation)))
    form.profile.choices = choices(*((str(p.id), p.name) for p in invitations.profiles_for(AccountType.NORMAL, organisation)))
    return organisation_id


def _page(form: InviteForm, problem: str | None = None) -> Any:
    status = 422 if problem or form.errors else 200
    hours = current_app.config["SETTINGS"].invitation_hours
    known = directory.parties(g.viewer.organisation_id)
    return show("console/people/invite.html", status=status, form=form, parties=known, hours=hours, problem=problem)


@console.route("/people/<id:user_id>/invitation", needs=Permission.MANAGE_USER, methods=["POST"])
def resend(user_id: int) -> Any:
    """Send a new link; the older one stops working."""
    try:
        user = invitations.resend(user_id, by=g.viewer)
    except Refusal as refusal:
        return see_other(".people", refusal.sentence, warning=True)
    return see_other(".people", f"A new invitation to {user.name} is on its way. The older link no longer works.")


@console.route("/people/<id:user_id>/lock", needs=Permission.MANAGE_USER, methods=["POST"])
def lock(user_id: int) -> Any:
    """Close an account at once."""
    try:
        user = people.lock(user_id, by=g.viewer)
    except Refusal as refusal:
        return see_other(".people", refusal.sentence, warning=True)
    return see_other(".people", f"{user.name} is locked and signed out everywhere.")


@console.route("/people/<id:user_id>/unlock", needs=Permission.MANAGE_USER, methods=["POST"])
def unlock(user_id: int) -> Any:
    """Open an account again."""
    user = people.unlock(user_id, by=g.viewer)
    return see_other(
        ".people", f"{user.name} can sign in again." if user.activated_at else f"{user.name} is active again. Send a new invitation."
    )
