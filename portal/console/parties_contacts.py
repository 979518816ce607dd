"""Contacts of an external organisation: listed, added, edited, merged, deleted."""

from __future__ import annotations

from typing import Any

from flask import g, request, url_for

from ..organisations import contacts, parties
from ..organisations.contacts import ContactRow
from ..refusals import Refusal, Stale
from ..web.show import see_other
from .face import console
from .parties import MANAGE, ONE, page
from .party_forms import ContactForm, EditContactForm, brought_up, differences
from .people_forms import number

CONTACT = f"{ONE}/contacts/<id:contact_id>"


@console.route(f"{ONE}/contacts", needs=MANAGE)
def party_contacts(party_id: int) -> Any:
    """The contacts by name."""
    found = parties.reach(party_id, by=g.viewer)
    search, after = request.args.get("q", "")[:128].replace("\0", ""), request.args.get("after", "")
    rows = contacts.contacts(party_id, q=search, after=after, by=g.viewer)
    asked: dict[str, Any] = {"party_id": party_id, **({"q": search} if search else {})}
    more = url_for(".party_contacts", after=rows.next, **asked) if rows.next else None
    first = url_for(".party_contacts", **asked) if after else None
    return page("contacts", found, rows=rows.rows, search=search, more=more, first=first)


@console.route(f"{ONE}/contacts/new", needs=MANAGE, methods=["GET", "POST"])
def new_contact(party_id: int) -> Any:
    """Add a contact without an account."""
    found, form = parties.reach(party_id, by=g.viewer), ContactForm()
    problem = None
    if request.method == "POST" and form.validate():
        try:
            made = contacts.create(party_id, **form.draft(), by=g.viewer)
            return see_other(".party_contacts", f"{made.name} is a contact of {found.name} now.", party_id=party_id)
        except Refusal as refusal:
            problem = form.place(refusal)
    status = 422 if problem or form.errors else 200
    return page("contact_new", found, status=status, form=form, problem=problem)


@console.route(CONTACT, needs=MANAGE, methods=["GET", "POST"])
def contact(party_id: int, contact_id: int) -> Any:
    """What is known of a contact, and the form that changes it."""
    found = contacts.contact(party_id, contact_id, by=g.viewer)
    if request.method == "GET":
        return _page(party_id, found, EditContactForm(formdata=None, data=_stored(found)))
    form = EditContactForm()
    return _save(party_id, found, form) if form.validate() else _page(party_id, found, form)


def _stored(found: ContactRow) -> dict[str, Any]:
    known = {name: getattr(found, name) for name in ("name", "phone", "job_title", "version")}
    return {**known, "emails": "\n".join(found.emails)}


def _save(party_id: int, found: ContactRow, form: EditContactForm) -> Any:
    try:
        saved = contacts.edit(party_id, found.id, **form.draft(), version=form.version.data, by=g.viewer)
    except Stale as refusal:
        found = contacts.contact(party_id, found.id, by=g.viewer)
        return _page(party_id, found, brought_up(form, found.version), refusal.sentence, stale=differences(form, _stored(found)))
    except Refusal as refusal:
        return _page(party_id, found, form, form.place(refusal))
    return see_other(".party_contacts", f"{saved.name} is saved.", party_id=party_id)


def _page(party_id: int, found: ContactRow, form: EditContactForm, problem: str | None = None, *, stale: list[Any] | None = None) -> Any:
    status = 422 if problem or form.errors else 200
    party = parties.reach(party_id, by=g.viewer)
    others = [pair for pair in contacts.names(party_id, by=g.viewer) if pair[0] != found.id]
    return page("contact", party, status=status, contact=found, form=form, problem=problem, stale=stale, others=others)


@console.route(f"{CONTACT}/merge", needs=MANAGE, methods=["GET", "POST"])
def merge_contact(party_id: int, contact_id: int) -> Any:
    """Show two contacts and what would be kept of them; then make one of them."""
    party, other = parties.reach(party_id, by=g.viewer), number(request.values.get("other"))
    try:
        if not other:
            raise Refusal("Choose the other contact first.")
        if request.method == "POST":
            kept = contacts.merge(party_id, contact_id, other, by=g.viewer)
            return see_other(".contact", f"{kept.name} is one contact now.", party_id=party_id, contact_id=contact_id)
        return page("merge", party, plan=contacts.merging(party_id, contact_id, other, by=g.viewer))
    except Refusal as refusal:
        contacts.contact(party_id, contact_id, by=g.viewer)
        return see_other(".contact", refusal.sentence, warning=True, party_id=party_id, contact_id=contact_id)


@console.route(f"{CONTACT}/delete", needs=MANAGE, methods=["GET", "POST"])
def delete_contact(party_id: int, contact_id: int) -> Any:
    """Ask, then delete a contact that has no account."""
    party, found = parties.reach(party_id, by=g.viewer), contacts.contact(party_id, contact_id, by=g.viewer)
    if request.method == "GET":
        return page("contact_delete", party, contact=found, reason=contacts.HAS_ACCOUNT if found.user_id else None)
    try:
        name = contacts.delete(party_id, contact_id, by=g.viewer)
    except Refusal as refusal:
        return page("contact_delete", party, status=422, contact=found, reason=refusal.sentence)
    return see_other(".party_contacts", f"The contact {name} is deleted.", party_id=party_id)
