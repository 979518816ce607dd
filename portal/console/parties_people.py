"""People of an external organisation: the list, adding many at once, and what is done to those ticked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import g, request, url_for

from ..accounts import newcomers, roster, staff, standing
from ..organisations import parties
from ..organisations.models import Party
from ..refusals import Refusal, Unfit
from ..settings import values
from ..web import results
from ..web.face import go_to
from ..web.show import see_other, show
from .face import console
from .forms import choices
from .new_person import roles_in_words
from .parties import MANAGE, ONE, page
from .party_forms import PeopleForm, RolesForm, offer
from .people_forms import number

MOST = newcomers.MOST_AT_ONCE
NOBODY = "Tick at least one person, then choose what to do with them."
STATES = choices(("", "Any state"), *((state, roster.WORDS[state]) for state in standing.FILTERS))
Act = Callable[..., list[staff.Outcome]]
ACTS: dict[str, Act] = {
    "invite": staff.invite,
    "cancel": staff.cancel_invite,
    "deactivate": staff.deactivate,
    "reactivate": staff.reactivate,
    "admin": staff.make_admin,
    "no-admin": staff.remove_admin,
}
SORTS = {"name": ("name", "-name", "ascending", "descending"), "seen": ("seen", "-seen", "descending", "ascending")}


@console.route(f"{ONE}/people", needs=MANAGE, endpoint="staff")
def staff_list(party_id: int) -> Any:
    """The people who have an account, with their state."""
    found = parties.reach(party_id, by=g.viewer)
    kept = _kept()
    asked = {name: kept.get(name, "") for name in ("q", "state", "sort")} | {"sort": kept.get("sort", "name")}
    rows = staff.people(party_id, **asked, after=kept.get("after", ""), by=g.viewer)
    first = url_for(".staff", party_id=party_id, **_first(kept)) if "after" in kept else None
    if first and not rows.rows:  # who stood there does not fit any more
        return go_to(first)
    more = url_for(".staff", party_id=party_id, **{**kept, "after": rows.next}) if rows.next else None
    context: dict[str, Any] = {"rows": rows.rows, "asked": asked, "states": STATES, "more": more, "first": first}
    context |= {"headers": _headers(_first(kept)), "kept": kept, "theirs": staff.closed_outside(rows.rows)}
    context |= {"admins": roster.number_of_admins(found), "mails": values.mail_is_set_up()}
    number_now, uninvited = roster.numbers(found)
    return page("people", found, **context, number=number_now, uninvited=uninvited if asked["state"] != "uninvited" else 0)


def _kept() -> dict[str, Any]:
    """How the list is searched, narrowed and sorted and where it goes on; pages that lead back to it take this along."""
    most = {"q": 128, "state": 128, "sort": 128, "after": 400}
    asked = {name: request.args.get(name, "")[:length].replace("\0", "") for name, length in most.items()}
    asked["sort"] = asked["sort"] if asked["sort"] in ("-name", "seen", "-seen") else ""
    return {name: value for name, value in asked.items() if value}


def _first(kept: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in kept.items() if name != "after"}


def _headers(kept: dict[str, str]) -> dict[str, tuple[str, dict[str, str]]]:
    """For each column that sorts: how it is sorted now, in ARIA's words, and what its heading asks for."""
    sort = kept.get("sort", "name")
    told = {}
    for column, (first, second, said, other) in SORTS.items():
        told[column] = ({first: said, second: other}.get(sort, ""), {**kept, "sort": second if sort == first else first})
    return told


@console.route(f"{ONE}/people/add", needs=MANAGE, methods=["GET", "POST"])
def add_staff(party_id: int) -> Any:
    """Add people by their addresses, many at once."""
    found, form = parties.reach(party_id, by=g.viewer), PeopleForm()
    offer(form.roles, roles := parties.open_roles(party_id, by=g.viewer))
    if request.method == "GET":
        form.roles.data = [roles[0][0]] if len(roles) == 1 else []
        return _told_again(found, "added") if results.NAME in request.args else _add_page(found, form)
    if not form.validate() or "check" in request.form:
        return _add_page(found, form, checked=True)
    try:
        added = staff.add(party_id, form.addresses.data or "", form.roles.data or (), by=g.viewer)
    except Unfit as refusal:
        return _add_page(found, form, form.place(refusal), checked=True)
    except Refusal as refusal:
        return _add_page(found, form, refusal.sentence, checked=True)
    return _tell_added(found, added)


def _tell_added(found: Party, added: list[staff.Added]) -> Any:
    if mark := results.keep(f"added {found.id}", added):
        return see_other(".add_staff", party_id=found.id, told=mark, **_kept())
    return _added(found, added)


def _told_again(found: Party, act: str) -> Any:
    """What became of each, while this browser still has it; else the list."""
    lines = results.told(f"{act} {found.id}")
    if lines is None:
        return see_other(".staff", party_id=found.id, **_kept())
    if act == "added":
        return _added(found, [staff.Added(*line) for line in lines])
    return _done(found, act, [staff.Outcome(*line) for line in lines])


def _added(found: Party, added: list[staff.Added]) -> Any:
    """What became of each address, and whether to invite those who are waiting for it."""
    people = staff.chosen(found.id, {one.user_id for one in added if one.user_id}, by=g.viewer, still=True)
    waiting = [one.user_id for one in people if one.standing.can_invite]
    return page("added", found, added=added, waiting=waiting, mails=values.mail_is_set_up(), kept=_kept())


def _add_page(found: Party, form: PeopleForm, problem: str | None = None, *, checked: bool = False) -> Any:
    status = 422 if problem or form.errors else 200
    typed = staff.check(found.id, form.addresses.data or "", by=g.viewer) if checked and not form.addresses.errors else []
    number_now = roster.number_active(found)
    context: dict[str, Any] = {"form": form, "problem": problem, "typed": typed, "may": roles_in_words(), "number": number_now}
    return page("add", found, status=status, kept=_kept(), **context)


@console.route(f"{ONE}/people/check", needs=MANAGE, methods=["POST"], dry=True)
def check_staff(party_id: int) -> Any:
    """Each address of the box as a chip, with the reason where it cannot be added; for htmx, while somebody types."""
    parties.reach(party_id, by=g.viewer)
    typed = staff.check(party_id, request.form.get("addresses", "")[:100_000], by=g.viewer)
    return show("console/parties/_chips.html", typed=typed)


@console.route(f"{ONE}/people/act", needs=MANAGE, methods=["GET", "POST"])
def act_on_staff(party_id: int) -> Any:
    """Say what would be done to whom; with POST, do it and tell what became of each."""
    found, form = parties.reach(party_id, by=g.viewer), RolesForm(formdata=request.form)
    act, ids = request.values.get("act", ""), _ticked()
    if results.NAME in request.args and request.method == "GET":
        return _told_again(found, act)
    if act not in (*ACTS, "roles") or not ids or len(ids) > MOST:
        return _to_list(found, NOBODY if len(ids) <= MOST else f"Tick at most {MOST} people.")
    offer(form.roles, staff.roles_for(party_id, ids, by=g.viewer) if act == "roles" else ())
    if request.method == "GET":
        return _ask(found, act, ids, form)
    try:
        outcomes = staff.set_roles(party_id, ids, form.roles.data or (), by=g.viewer) if act == "roles" else _do(party_id, act, ids)
    except Refusal as refusal:
        return _ask(found, act, ids, form, form.place(refusal))
    return _tell_done(found, act, outcomes)


def _ticked() -> list[int]:
    return list(dict.fromkeys(number(text) for text in request.values.getlist("people")))


def _to_list(found: Party, why: str) -> Any:
    return see_other(".staff", why, warning=True, party_id=found.id, **_kept())


def _tell_done(found: Party, act: str, outcomes: list[staff.Outcome]) -> Any:
    if mark := results.keep(f"{act} {found.id}", outcomes):
        return see_other(".act_on_staff", party_id=found.id, act=act, told=mark, **_kept())
    return _done(found, act, outcomes)


def _done(found: Party, act: str, outcomes: list[staff.Outcome]) -> Any:
    return page("done", found, act=act, outcomes=outcomes, mails=values.mail_is_set_up(), kept=_kept())


def _do(party_id: int, act: str, ids: list[int]) -> list[staff.Outcome]:
    return ACTS[act](party_id, ids, by=g.viewer)


def _ask(found: Party, act: str, ids: list[int], form: RolesForm, problem: str | None = None) -> Any:
    rows = staff.chosen(found.id, ids, by=g.viewer)
    if act == "roles" and request.method == "GET" and len(rows) == 1:
        form.roles.data = list(rows[0].role_ids)
    status = 422 if problem or form.errors else 200
    return page("act", found, status=status, act=act, rows=rows, form=form, problem=problem, may=roles_in_words(), kept=_kept())
