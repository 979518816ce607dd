"""A new person: who they are, where they work, what they may do there."""

from __future__ import annotations

from typing import Any

from flask import g, request
from sqlalchemy import select

from ..accounts import directory, invitations
from ..accounts.models import AccountType, Profile, User
from ..accounts.permissions import ALWAYS, Permission, ProfileType, in_words
from ..alike import same_name
from ..extensions import db
from ..organisations.models import Organisation
from ..refusals import Refusal
from ..settings import values
from ..web.show import see_other, show
from .face import console
from .people_forms import MOST_SEATS, NewPersonForm, SeatForm, SeatPageForm, number

INSIDE = (ProfileType.ORGANISATION, ProfileType.ADMIN)


@console.route("/people/new", needs=Permission.MANAGE_USER, methods=["GET", "POST"])
def new_person() -> Any:
    """Make an account and send its owner an invitation."""
    form = _form()
    if request.method == "GET" or _rearranged(form) or not form.validate():
        return _page(form)
    new = _new_employer(form)
    if form.works_for.errors:
        return _page(form)
    try:
        user = invitations.invite(**form.details(), seats=form.wanted(), by=g.viewer)
    except Refusal as refusal:
        return _page(form, form.place(refusal))
    return see_other(".person", _told(user) + made(form, new), user_id=user.id)


def _new_employer(form: NewPersonForm) -> bool:
    return form.type is AccountType.EXTERNAL and new_employer(form, {home.organisation_id for home in form.wanted()})


def new_employer(form: NewPersonForm | SeatPageForm, homes: set[int]) -> bool:
    """Whether nobody in one of these organisations knows whom they work for; said beside the field until it is ticked that it is new."""
    name = " ".join((form.works_for.data or "").split())
    if not name:
        return False
    known = {key: any(same_name(party, name) for party in directory.parties(key)) for key in homes}
    names = dict(open_organisations()) if g.viewer.platform else {}
    where = [f" in {names[key]}" if key in names else "" for key in homes if not known[key]]
    new = [f"There is no external organisation called {name}{place} yet." for place in sorted(where)]
    if new and not form.new_party.data:
        form.complain("works_for", f"{' '.join(new)} Choose one that is offered, or tick that it is new.")
    return bool(new)


def made(form: NewPersonForm | SeatPageForm, new: bool) -> str:
    """The sentence behind what was done, where that made an external organisation."""
    return f" {form.works_for.data} is a new external organisation." if new else ""


def _told(user: User) -> str:
    if user.type is AccountType.SERVICE:
        return f"{user.name} is added. Make its API key below."
    return f"{user.name} is added. The invitation to {user.email} is on its way."


def _form() -> NewPersonForm:
    """The form with as many places as it was sent with; an organisation's administrator adds people to that one only."""
    sent = request.method == "POST"
    marks = list(dict.fromkeys(number(text) for text in request.form.getlist("seat")))[:MOST_SEATS] if sent and g.viewer.platform else []
    seats = [_seat(mark) for mark in marks or [0]]
    form = NewPersonForm(seats=seats) if sent else NewPersonForm(formdata=None, seats=seats)
    if not sent:
        seats[0].organisation.data = number(request.args.get("organisation")) or None
        actor = next((choice.value for choice in seats[0].roles.iter_choices() if choice.label == "External-Actor"), None)
        seats[0].roles.data = [actor] if actor else []
    return form


def _seat(mark: int) -> SeatForm:
    prefix = f"seat-{mark}-"
    seat = SeatForm(prefix=prefix) if request.method == "POST" else SeatForm(formdata=None, prefix=prefix)
    offer(seat)
    if not g.viewer.platform:
        seat.organisation.data = g.viewer.organisation_id
    return seat


def offer(seat: SeatForm, *, but: frozenset[int] = frozenset()) -> None:
    """Fill the lists of a place; `but`: organisations the person is in already."""
    held = profiles_by_type()
    profiles = [(profile.id, profile.name) for profile in held[ProfileType.ORGANISATION]]
    if g.viewer.platform:
        profiles += [(profile.id, f"{profile.name} (admin organisation)") for profile in held[ProfileType.ADMIN]]
    roles = [(profile.id, profile.name) for profile in held[ProfileType.EXTERNAL]]
    seat.offer([pair for pair in open_organisations() if pair[0] not in but], profiles, roles)


def open_organisations() -> list[tuple[int, str]]:
    """Those somebody could be added to."""
    if not g.viewer.platform:
        return []
    wanted = select(Organisation.id, Organisation.name).where(Organisation.locked.is_(False)).order_by(Organisation.name)
    return [(row.id, row.name) for row in db.session.execute(wanted)]


def profiles_by_type() -> dict[ProfileType, list[Profile]]:
    """Every profile, under its type, by name."""
    if "profiles" not in g:
        rows = list(db.session.scalars(select(Profile).order_by(Profile.name)))
        g.profiles = {kind: [row for row in rows if row.type is kind] for kind in ProfileType}
    found: dict[ProfileType, list[Profile]] = g.profiles
    return found


def allowed(*kinds: ProfileType) -> list[tuple[str, list[tuple[str, list[str]]]]]:
    """What the profiles of these types let people do: what goes without saying, then each profile by name."""
    held = profiles_by_type()
    return [(ALWAYS[kind], [(profile.name, in_words(profile.permissions, kind)) for profile in held[kind]]) for kind in kinds]


def roles_in_words() -> dict[str, str]:
    """What each role lets external users do, in a line."""
    roles = profiles_by_type()[ProfileType.EXTERNAL]
    return {role.name: "; ".join(["Read what is shared with them", *in_words(role.permissions, role.type)]) for role in roles}


def _rearranged(form: NewPersonForm) -> bool:
    """Buttons that add and take away a row come here without anything being checked."""
    if "more" in request.form and g.viewer.platform and len(form.seats) < MOST_SEATS:
        form.seats.append(_empty_seat(max(number(text) for text in request.form.getlist("seat") or ["0"]) + 1))
        return True
    if "drop" in request.form and g.viewer.platform and len(form.seats) > 1:
        at = next((i for i, seat in enumerate(form.seats) if seat._prefix == f"seat-{number(request.form['drop'])}-"), 0)
        del form.seats[at]
        form.default.data = 0 if form.default.data == at else form.default.data - (form.default.data > at)
        return True
    return "more" in request.form or "drop" in request.form


def _empty_seat(mark: int) -> SeatForm:
    seat = SeatForm(formdata=None, prefix=f"seat-{mark}-")
    offer(seat)
    return seat


def _offered_parties() -> list[str]:
    """The external organisations that are known; the platform's administrators choose among those of all."""
    if not g.viewer.platform:
        return directory.parties(g.viewer.organisation_id)
    return sorted({name for key, _name in open_organisations() for name in directory.parties(key)})


def _page(form: NewPersonForm, problem: str | None = None) -> Any:
    kinds = (*INSIDE, ProfileType.EXTERNAL) if g.viewer.platform else (ProfileType.ORGANISATION, ProfileType.EXTERNAL)
    context: dict[str, Any] = {
        "form": form,
        "problem": problem,
        "parties": _offered_parties(),
        "hours": values.current().invitation_hours,
        "mails": values.mail_is_set_up(),
        "may": roles_in_words(),
        "allowed": allowed(*kinds),
        "most": MOST_SEATS,
    }
    return show("console/people/new.html", status=422 if problem or form.errors else 200, **context)
