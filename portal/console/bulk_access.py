"""Manage external access to many cases: one choice, what it would do to each of them, then the act."""

from __future__ import annotations

import hashlib
from typing import Any

from flask import g, request

from ..accounts.directory import count_outsiders
from ..accounts.permissions import Permission
from ..cases import bulk
from ..refusals import Refusal
from ..sharing.access import KEEP
from ..sharing.bulk import Choice, Prospect, people_once, prospects, share
from ..sharing.models import Access
from ..sharing.offer import offer
from ..web import times
from ..web.show import see_other, show, wants_fragment
from .bulk_forms import BulkAccessForm
from .case_bulk import seen, tell, tell_again, ticked_numbers, told_before, way_back
from .face import console


@console.route("/cases/bulk/share", needs=Permission.SHARE_OUTSIDE, methods=["GET", "POST"])
def bulk_share() -> Any:
    """Show what a choice of access would change; with POST, do it to each case."""
    if told_before():
        return tell_again(act="share")
    try:
        cases = bulk.ticked(ticked_numbers(), change=request.method == "POST")
    except Refusal as refusal:
        return see_other(".cases", refusal.sentence, warning=True)
    if not cases:
        return see_other(".cases", bulk.NOTHING, warning=True)
    form = BulkAccessForm(formdata=request.form if request.method == "POST" else request.args)
    if request.method == "POST":
        return _confirm(cases, form)
    if "q" in request.args and wants_fragment():
        return show("console/access/_people.html", **_people(form))
    return _drawer(cases, form, preview=not {"access", "until"}.isdisjoint(request.args))  # the effect alone, asked for with every choice


def _confirm(cases: list[Any], form: BulkAccessForm) -> Any:
    if "find" in request.form:  # the search button of the page without JavaScript: everything ticked comes along
        return _drawer(cases, form)
    if not form.validate():
        return _drawer(cases, form, problem=None if form.until.errors else "Choose who should see these cases.")
    choice = _choice(form)
    if choice is None or "look" in request.form or request.form.get("shown") != _mark(choice):
        return _drawer(cases, form, unseen=True)  # nothing is opened that was not shown before
    return tell(share(seen("effect"), choice, by=g.viewer), act="share")


def _choice(form: BulkAccessForm) -> Choice | None:
    """What the form says, None while nothing is chosen. A number no account can have becomes one that none has."""
    access, adding = form.access.data, form.access.data == "add"
    if access not in ("internal", "all_external", "external", "add"):
        return None
    users = frozenset(key if 0 < key < 2**63 else 0 for key in form.users.data or ())
    parties = frozenset(key if 0 < key < 2**63 else 0 for key in form.parties.data or ())
    if access not in ("external", "add"):
        users = parties = frozenset()
    until = None if form.endless.data else times.end_of_day(form.until.data) if form.until.data else KEEP
    return Choice(
        Access.EXTERNAL if adding else Access(access),
        users,
        bool(form.again.data),
        form.reason.data or "",
        adding,
        parties,
        until,
        times.reading(),
    )


def _mark(choice: Choice) -> str:
    """What tells this choice from another one."""
    chosen = f"{sorted(choice.users)}:{sorted(choice.parties)}:{choice.until}"
    return hashlib.sha256(f"{choice.access.value}:{choice.adding}:{chosen}".encode()).hexdigest()[:16]


def _drawer(cases: list[Any], form: BulkAccessForm, *, problem: str | None = None, preview: bool = False, unseen: bool = False) -> Any:
    if "until" in request.values and not form.until.errors:
        form.until.validate(form)
    choice = None if form.until.errors else _choice(form)
    lines = prospects(cases, choice) if choice else []
    part = "console/bulk/_effect.html" if preview else "console/bulk/_share.html"
    context: dict[str, Any] = {"form": form, "cases": cases, "lines": lines, "problem": problem, "unseen": unseen, **way_back()}
    context |= {"shown": _mark(choice) if choice else "", "everybody": 0}
    context |= {"button": _button(lines), "button_later": _button(lines, later=True), "short": (_short(lines), *people_once(lines))}
    if not preview or not wants_fragment():
        context |= {"everybody": count_outsiders(g.viewer.organisation_id), **_people(form)}
    return show("console/bulk/share.html", part, status=422 if (problem or form.errors) and request.method == "POST" else 200, **context)


def _button(lines: list[Prospect], *, later: bool = False) -> str:
    """The effect, as the confirming button says it; empty when there is none. `later`: with those that only want a reason or a tick."""
    plans = [line.plan for line in lines if line.plan and line.plan.changed and (later or not line.left_out)]
    if not plans:
        return ""
    if plans[0].access is Access.INTERNAL:
        return f"Make {_cases(len(plans))} internal"
    if all(plan.only_the_end for plan in plans):
        return f"Set the last day of {_cases(len(plans))}" if plans[0].until else f"Take the last day away from {_cases(len(plans))}"
    shared, taken = sum(1 for plan in plans if plan.gained or not plan.lost), sum(1 for plan in plans if plan.lost)
    if not shared:
        return f"Take access away in {_cases(taken)}"
    up_to = "up to " if any(line.left_out for line in lines) and later else ""
    return f"Share {up_to}{_cases(shared)}" + (f", take access away in {taken}" if taken else "")


def _cases(count: int) -> str:
    return "1 case" if count == 1 else f"{count} cases"


def _short(lines: list[Prospect]) -> str:
    """Beside the button: how many cases change."""
    return _cases(sum(1 for line in lines if line.plan and line.plan.changed and not line.left_out))


def _people(form: BulkAccessForm) -> dict[str, Any]:
    """Whom to offer, see sharing.offer."""
    chosen, parties = ({key for key in field.data or () if 0 < key < 2**63} for field in (form.users, form.parties))
    return offer(g.viewer.organisation_id, chosen, parties, str(request.values.get("q", "")))
