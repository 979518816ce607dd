"""Where a person works and as what: changing a profile, adding to and taking out of organisations."""

from __future__ import annotations

from typing import Any

from flask import g, request
from sqlalchemy import select

from ..accounts import joining, people, powers
from ..accounts.joining import Held, Seat
from ..accounts.models import AccountType, User
from ..accounts.permissions import Permission, ProfileType
from ..extensions import db
from ..organisations.models import Organisation
from ..refusals import Refusal
from ..web.show import see_other, show
from .face import console
from .new_person import allowed, made, new_employer, offer, open_organisations, roles_in_words
from .people_forms import SeatPageForm
from .person import back, confirm, parties

MANAGE = Permission.MANAGE_USER
NOT_OWN = "You cannot change where you work or what you may do yourself. Ask another administrator."


@console.route("/people/<id:user_id>/organisations/<id:organisation_id>", needs=MANAGE, methods=["GET", "POST"])
def seat(user_id: int, organisation_id: int) -> Any:
    """Another profile, or other roles, in one organisation."""
    user, _ = powers.member(user_id, by=g.viewer, change=request.method == "POST")
    held = joining.held_at(user.id, organisation_id, by=g.viewer)
    if user.id == g.viewer.user_id:
        return back(user_id, Refusal(NOT_OWN))
    form = _seat_form(user, held)
    if request.method == "GET" or (new := _fits(user, form, organisation_id)) is None:
        return _seat_page(user, form, held)
    try:
        chosen = form.chosen(external=user.external)
        joining.set_profiles(user_id, organisation_id, chosen, by=g.viewer, works_for=form.works_for.data or "")
    except Refusal as refusal:
        return _seat_page(user, form, held, form.place(refusal))
    return back(user_id, f"{user.name} works in {held.organisation} with what you chose, from their next click on.{new}")


def _fits(user: User, form: SeatPageForm, organisation_id: int) -> str | None:
    """None where the form cannot be taken, else what is told of a new external organisation: made only where that was ticked."""
    new = form.validate() and user.external and new_employer(form, {organisation_id})
    return None if form.errors else made(form, new)


def _seat_form(user: User, held: Held) -> SeatPageForm:
    if request.method == "POST":
        form = SeatPageForm()
    else:
        ids = [profile.id for profile in held.profiles]
        data = {"profile": ids[0] if ids else 0, "roles": ids, "works_for": held.works_for}
        form = SeatPageForm(formdata=None, data=data)
    organisation = db.session.get_one(Organisation, held.organisation_id)
    fitting = [(profile.id, profile.name) for profile in joining.profiles_for(user.type, organisation)]
    form.offer([], fitting, fitting)
    return form


def _seat_page(user: User, form: SeatPageForm, held: Held | None, problem: str | None = None) -> Any:
    if user.external:
        kinds = [ProfileType.EXTERNAL]
    elif held is None:
        kinds = [ProfileType.ORGANISATION, ProfileType.ADMIN]
    else:
        kinds = [ProfileType.ADMIN if held.built_in else ProfileType.ORGANISATION]
    context: dict[str, Any] = {"person": user, "form": form, "held": held, "problem": problem, "parties": parties()}
    context |= {"allowed": allowed(*kinds), "may": roles_in_words(), "program": user.type is AccountType.SERVICE}
    return show("console/people/seat.html", status=422 if problem or form.errors else 200, **context)


@console.route("/people/<id:user_id>/organisations/add", needs=MANAGE, methods=["GET", "POST"])
def add_seat(user_id: int) -> Any:
    """One more organisation."""
    user, _ = powers.member(user_id, by=g.viewer, change=request.method == "POST")
    if not g.viewer.platform or user.id == g.viewer.user_id:
        return back(user_id, Refusal(joining.PLATFORM_ONLY if not g.viewer.platform else NOT_OWN))
    form = SeatPageForm() if request.method == "POST" else SeatPageForm(formdata=None)
    offer(form, but=_not_offered(user))
    if request.method == "GET" or (new := _fits(user, form, form.organisation.data or 0)) is None:
        return _seat_page(user, form, None)
    wanted = Seat(form.organisation.data or 0, form.chosen(external=user.external), form.default.data)
    try:
        joining.add(user_id, wanted, by=g.viewer, works_for=form.works_for.data or "")
    except Refusal as refusal:
        return _seat_page(user, form, None, form.place(refusal))
    return back(user_id, f"{user.name} works in {dict(open_organisations())[form.organisation.data]} too.{new}")


def _not_offered(user: User) -> frozenset[int]:
    """Organisations the person is in already, and for external users the one without cases."""
    held = {held.organisation_id for held in joining.held_by(user.id, by=g.viewer)}
    return frozenset(held | set(db.session.scalars(select(Organisation.id).where(Organisation.built_in))) if user.external else held)


@console.route("/people/<id:user_id>/organisations/<id:organisation_id>/default", needs=MANAGE, methods=["POST"])
def default_seat(user_id: int, organisation_id: int) -> Any:
    """The organisation to begin in."""
    try:
        user = joining.begin_in(user_id, organisation_id, by=g.viewer)
    except Refusal as refusal:
        return back(user_id, refusal)
    return back(user_id, f"{user.name} begins there after the next sign-in.")


@console.route("/people/<id:user_id>/organisations/<id:organisation_id>/remove", needs=MANAGE, methods=["GET", "POST"])
def remove_seat(user_id: int, organisation_id: int) -> Any:
    """Take the person out of an organisation, once that was confirmed."""
    user, _ = powers.member(user_id, by=g.viewer, change=request.method == "POST")
    held = joining.held_at(user.id, organisation_id, by=g.viewer)
    if user.id == g.viewer.user_id:
        return back(user_id, Refusal("You cannot remove yourself. Ask another administrator."))
    if not people.works_elsewhere(user.id, organisation_id):
        return see_other(".delete_person", user_id=user_id)  # with the last place the account goes, which asks for more
    if request.method == "GET":
        return _remove_page(user, held)
    try:
        people.remove(user_id, organisation_id, by=g.viewer)
    except Refusal as refusal:
        return back(user_id, refusal)
    notice = f"{user.name} no longer works in {held.organisation}."
    return back(user_id, notice) if g.viewer.platform else see_other(".people", notice)


def _remove_page(user: User, held: Held) -> Any:
    points = [
        f"{user.name} loses every right in {held.organisation} and is no longer named on its cases.",
        "What they wrote there stays and keeps the name.",
        "The account itself goes on in the other organisations.",
    ]
    return confirm(user, f"Remove {user.name} from {held.organisation}?", points, f"Remove from {held.organisation}")
