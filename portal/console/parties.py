"""External organisations: the list, making one, its details, the cases shared with it."""

from __future__ import annotations

from typing import Any

from flask import g, request, url_for

from ..accounts import roster
from ..accounts.permissions import Permission
from ..organisations import contacts, parties
from ..organisations.models import Party
from ..refusals import Refusal, Stale
from ..web.show import see_other, show
from .face import console
from .new_person import open_organisations, roles_in_words
from .party_forms import KINDS, EditPartyForm, PartyForm, brought_up, differences, offer

MANAGE = Permission.MANAGE_USER
PATH = "/external-organisations"
ONE = f"{PATH}/<id:party_id>"


@console.route(PATH, needs=MANAGE, endpoint="parties")
def party_list() -> Any:
    """The external organisations by name, a page at a time."""
    search, after = request.args.get("q", "")[:128].replace("\0", ""), request.args.get("after", "")
    page = parties.listed(search, after, by=g.viewer)
    asked: dict[str, Any] = {"q": search} if search else {}
    more = url_for(".parties", after=page.next, **asked) if page.next else None
    first = url_for(".parties", **asked) if after else None
    return show("console/parties/list.html", rows=page.rows, search=search, more=more, first=first, kinds=KINDS)


@console.route(f"{PATH}/new", needs=MANAGE, methods=["GET", "POST"])
def new_party() -> Any:
    """Make an external organisation."""
    form = _new_form()
    if request.method == "GET" or not form.validate():
        return _new_page(form)
    home: dict[str, Any] = {"organisation_id": form.organisation_id.data or 0} if g.viewer.platform else {}
    try:
        made = parties.create(**form.draft(), **home, by=g.viewer)
    except Refusal as refusal:
        return _new_page(form, form.place(refusal))
    return see_other(".add_staff", f"{made.name} is created. Add its first people.", party_id=made.id)


def _new_form() -> PartyForm:
    form = PartyForm() if request.method == "POST" else PartyForm(formdata=None)
    offer(form.role_ids, roles := parties.roles())
    if g.viewer.platform:
        offer(
            form.organisation_id, [pair for pair in open_organisations() if pair[0] != g.viewer.organisation_id], "Choose an organisation"
        )
    else:
        del form.organisation_id
    if request.method == "GET":
        form.role_ids.data = [key for key, _name in roles]
    return form


def _new_page(form: PartyForm, problem: str | None = None) -> Any:
    status = 422 if problem or form.errors else 200
    return show("console/parties/new.html", status=status, form=form, problem=problem, may=roles_in_words())


@console.route(ONE, needs=MANAGE, methods=["GET", "POST"])
def party(party_id: int) -> Any:
    """What is known of an external organisation, and the form that changes it."""
    found = parties.reach(party_id, by=g.viewer, change=request.method == "POST")
    if request.method == "GET":
        return _page(found, _form(found))
    form = _form(found)
    return _save(found, form) if form.validate() else _page(found, form)


def _form(found: Party) -> EditPartyForm:
    form = EditPartyForm() if request.method == "POST" else EditPartyForm(formdata=None, data=_stored(found))
    offer(form.role_ids, parties.roles())
    besides = [found.primary_contact_id] if found.primary_contact_id else []
    offer(form.primary_contact_id, contacts.names(found.id, by=g.viewer, besides=besides), "Nobody yet")
    return form


def _stored(found: Party) -> dict[str, Any]:
    names = ("name", "phone", "domains", "cap", "notes", "primary_contact_id", "version")
    known = {name: getattr(found, name) for name in names}
    return {**known, "kind": found.kind.value, "role_ids": [key for key, _name in parties.open_roles(found.id, by=g.viewer)]}


def _save(found: Party, form: EditPartyForm) -> Any:
    try:
        parties.edit(found.id, **form.draft(), version=form.version.data, by=g.viewer)
    except Stale as refusal:
        stored = _stored(found)
        return _page(found, brought_up(form, found.version), refusal.sentence, stale=differences(form, stored))
    except Refusal as refusal:
        return _page(found, form, form.place(refusal))
    return see_other(".party", f"{found.name} is saved.", party_id=found.id)


def _page(found: Party, form: EditPartyForm, problem: str | None = None, *, stale: list[Any] | None = None) -> Any:
    status = 422 if problem or form.errors else 200
    context: dict[str, Any] = {"people": roster.number_active(found), "admins": roster.number_of_admins(found)}
    context |= {"form": form, "problem": problem, "stale": stale, "may": roles_in_words()}
    return page("details", found, status=status, **context)


def page(name: str, found: Party, part: str = "", *, status: int = 200, **context: Any) -> Any:
    """A page about an external organisation, under its heading and tabs."""
    fragment = f"console/parties/{part}.html" if part else None
    return show(f"console/parties/{name}.html", fragment, status=status, party=found, kinds=KINDS, **context)


@console.route(f"{ONE}/cases", needs=MANAGE)
def party_cases(party_id: int) -> Any:
    """The cases shared with it that the viewer may see."""
    found, after = parties.reach(party_id, by=g.viewer), request.args.get("after", "")
    shared = parties.shared(party_id, after, by=g.viewer)
    older = url_for(".party_cases", party_id=party_id, after=shared.next) if shared.next else None
    newest = url_for(".party_cases", party_id=party_id) if after else None
    return page("cases", found, rows=shared.rows, older=older, newest=newest)
