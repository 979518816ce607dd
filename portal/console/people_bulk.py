"""Several people at once: what is about to happen to whom, then done for each by itself, and told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import g, request
from werkzeug.exceptions import NotFound
from wtforms import SelectField

from ..accounts import directory, invitations, joining, people, powers, selection
from ..accounts.models import AccountType
from ..accounts.permissions import Permission
from ..audit.kinds import Kind
from ..audit.record import record_apart
from ..extensions import db
from ..refusals import NotVisible, Refusal
from ..web import results
from ..web.export import FORMATS, export
from ..web.forms import CheckboxList, Form
from ..web.show import see_other, show
from .face import console
from .forms import choices
from .people_filters import read_filters
from .person import posted

MOST = 200
NOBODY = "Tick at least one person, then choose what to do with them."
COLUMNS = ("id", "name", "address", "kind", "organisations", "profiles", "state", "second_factor", "last_sign_in_at")


@dataclass(frozen=True)
class Outcome:
    """What became of one person: done, or why not."""

    name: str
    done: bool
    sentence: str


class RolesForm(Form):
    """What the people ticked may do from now on: roles for external users, one profile for colleagues."""

    roles = CheckboxList("Roles of the external users", coerce=int, choices=[])
    profile = SelectField("Profile of the colleagues", coerce=lambda text: int(text) if text else 0, validate_choice=False)

    def ids_for(self, row: directory.PersonRow) -> list[int]:
        """The profiles chosen for somebody of this kind."""
        return list(self.roles.data or ()) if row.kind == "external" else [self.profile.data] * bool(self.profile.data)


def _resend(row: directory.PersonRow, _form: RolesForm, _place: int) -> str:
    invitations.resend(row.id, by=g.viewer)
    return posted("A new invitation is on its way. The older link no longer works.")


def _lock(row: directory.PersonRow, _form: RolesForm, _place: int) -> str:
    people.lock(row.id, by=g.viewer)
    return "Stays locked: only the security team can unlock it." if row.state == "locked" else "Locked and signed out everywhere."


def _unlock(row: directory.PersonRow, _form: RolesForm, _place: int) -> str:
    if row.state != "locked":
        raise Refusal("The account was not locked.")
    user = people.unlock(row.id, by=g.viewer)
    return "Can sign in again." if user.activated_at else "Active again. Send a new invitation."


def _set_profiles(row: directory.PersonRow, form: RolesForm, place: int) -> str:
    joining.set_profiles(row.id, place, form.ids_for(row), by=g.viewer)
    return "What they may do has been set."


Act = Callable[[directory.PersonRow, RolesForm, int], str]
ACTS: dict[str, Act] = {"resend": _resend, "lock": _lock, "unlock": _unlock, "profile": _set_profiles}


@console.route("/people/bulk", needs=Permission.MANAGE_USER, methods=["GET", "POST"])
def people_bulk() -> Any:
    """Say what would be done to whom; with POST, do it."""
    act = request.values.get("act", "")
    if request.method == "GET" and results.NAME in request.args:
        return _tell_again(act)
    try:
        rows = _ticked()
        place = _check(act, rows)
    except Refusal as refusal:
        return see_other(".people", refusal.sentence if request.values else None, warning=True)
    form, asked = _roles(act, place), request.method == "GET"
    problem = None if asked else _problem(act, form, rows)
    if asked or problem:
        return show("console/people/bulk.html", status=422 if problem else 200, act=act, rows=rows, form=form, problem=problem, place=place)
    outcomes = [_one(ACTS[act], row, form, place) for row in sorted(rows, key=lambda row: row.id)]
    return _tell(act, outcomes)


def _tell(act: str, outcomes: list[Outcome]) -> Any:
    """What became of each person, at an address that can be loaded again."""
    if mark := results.keep(f"{request.path} {act}", outcomes):
        return see_other(".people_bulk", act=act, told=mark)
    return show("console/people/done.html", act=act, outcomes=outcomes)


def _tell_again(act: str) -> Any:
    lines = results.told(f"{request.path} {act}")
    if lines is None:
        return see_other(".people")
    return show("console/people/done.html", act=act, outcomes=[Outcome(*line) for line in lines])


def _ticked() -> list[directory.PersonRow]:
    texts = request.values.getlist("people")
    ids = {int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 18}
    if len(ids) > MOST:
        raise Refusal(f"Tick at most {MOST} people at once.")
    return directory.chosen(g.viewer, ids) if ids else []


def _check(act: str, rows: list[directory.PersonRow]) -> int:
    """The organisation it is about; a profile is held in one, the other acts concern the account."""
    if act not in ACTS or not rows:
        raise Refusal(NOBODY)
    place: int = g.viewer.organisation_id
    if act == "profile" and g.viewer.platform:
        text = request.values.get("organisation", "")
        if not (text.isascii() and text.isdigit() and len(text) < 18):
            raise Refusal("Narrow the list to one organisation first: everybody holds a profile for each organisation of their own.")
        place = int(text)
    if act == "profile":
        powers.organisation_for(place, by=g.viewer)
    return place


def _roles(act: str, place: int) -> RolesForm:
    """The form with what can be given in this organisation."""
    form = RolesForm(formdata=request.form)
    if act == "profile":
        organisation = powers.organisation_for(place, by=g.viewer)
        roles = () if organisation.built_in else joining.profiles_for(AccountType.EXTERNAL, organisation)
        colleagues = joining.profiles_for(AccountType.NORMAL, organisation)
        form.roles.choices = choices(*((p.id, p.name) for p in roles))
        form.profile.choices = choices(("", "Choose a profile"), *((str(p.id), p.name) for p in colleagues))
    return form


def _problem(act: str, form: RolesForm, rows: list[directory.PersonRow]) -> str | None:
    missing = {row.kind == "external" for row in rows if act == "profile" and not form.ids_for(row)}
    if True in missing:
        return "Choose at least one role for the external users."
    return "Choose a profile for the colleagues." if missing else None


def _one(act: Act, row: directory.PersonRow, form: RolesForm, place: int) -> Outcome:
    """What is refused for one person must not undo what was done for the others."""
    try:
        with db.session.begin_nested():
            return Outcome(row.name, True, act(row, form, place))
    except Refusal as refusal:
        return Outcome(row.name, False, refusal.sentence)
    except NotVisible:
        return Outcome(row.name, False, "Not a member of this organisation.")


@console.route("/people/export", needs=Permission.MANAGE_USER)
def export_people() -> Any:
    """Everybody the filters leave, as a file."""
    kind = request.args.get("format", "csv")
    if kind not in FORMATS:
        raise NotFound
    _, chosen = read_filters()
    rows = [_exported(row) for row in directory.everybody(g.viewer, selection.Filters(**chosen))]
    record_apart(Kind.PEOPLE_EXPORTED, actor=g.viewer, object_id=kind)
    return export("people", kind, COLUMNS, rows)


def _exported(row: directory.PersonRow) -> tuple[Any, ...]:
    several = len(row.places) > 1
    profiles = [f"{place.organisation}: {name}" if several else name for place in row.places for name in place.profiles]
    organisations = [place.organisation for place in row.places]
    return row.id, row.name, row.email, row.kind, organisations, profiles, row.state, row.second_factor, row.last_sign_in_at
