"""Your organisation, for its portal administrators: details, addresses, and the service agreements to read."""

from __future__ import annotations

from typing import Any

from flask import g, request

from ..refusals import Refusal, Stale
from ..sharing.records import OwnDetails
from ..web.address_list import number
from ..web.downloads import send
from ..web.face import Needs
from ..web.show import see_other, show
from ..words import Wording, _, later
from .face import external
from .organisation_forms import ADDRESS_KINDS, DetailsForm, OwnAddresses

PATH = "/organisation"
AGREEMENT = f"{PATH}/agreements/<uid:agreement>"
KINDS = Wording({"client": later("Client"), "department": later("Department"), "vendor": later("Vendor")})
STATES = Wording({"coming": later("Not begun"), "active": later("In force"), "ended": later("Ended")})
STALE = later("This was changed in another window meanwhile. What is saved now stands below; saving again replaces it with what you typed.")


@external.route(PATH, needs=Needs.PORTAL_ADMIN)
def organisation() -> Any:
    """Name and phone, to change; and what the security team has laid down, to read."""
    own = g.window.organisation.details()
    return _details(own, DetailsForm(formdata=None, data={"name": own.name, "phone": own.phone, "version": own.version}))


def _details(own: OwnDetails, form: DetailsForm, *, status: int = 200, **more: Any) -> Any:
    return show(
        "external/organisation/details.html", status=status, own=own, form=form, kinds=KINDS, **{"problem": None, "newer": False, **more}
    )


@external.route(PATH, needs=Needs.PORTAL_ADMIN, methods=["POST"])
def edit_organisation() -> Any:
    """Change name and phone."""
    form, own = DetailsForm(), g.window.organisation.details()
    if not form.validate():
        return _details(own, form, status=422)
    try:
        g.window.organisation.edit(name=form.name.data, phone=form.phone.data, version=form.version.data or "")
    except Stale:
        own = g.window.organisation.details()
        form.version.data = str(own.version)
        return _details(own, form, status=422, problem=str(STALE), newer=True)
    except Refusal as refusal:
        return _details(own, form, status=422, problem=form.place(refusal))
    return see_other(".organisation", _("The details are saved."))


@external.route(f"{PATH}/addresses", needs=Needs.PORTAL_ADMIN)
def organisation_addresses() -> Any:
    """Where the organisation is."""
    return _addresses(OwnAddresses.of(*g.window.organisation.addresses()))


def _addresses(form: OwnAddresses, *, status: int = 200, **more: Any) -> Any:
    context = {"problem": None, "newer": None, "focus": None, **more}
    return show("external/organisation/addresses.html", status=status, form=form, address_kinds=ADDRESS_KINDS, **context)


@external.route(f"{PATH}/addresses", needs=Needs.PORTAL_ADMIN, methods=["POST"])
def save_addresses() -> Any:
    """Save them all at once; or show the form with one more, or one less, and save nothing."""
    form = OwnAddresses.sent(request.form, request.form.getlist("row"), request.form.get("seen", ""))
    act, _dash, which = request.form.get("act", "").partition("-")
    if act in ("add", "leave"):
        return _changed(form, act, number(which))
    if not form.validate():
        return _addresses(form, status=422)
    try:
        g.window.organisation.save_addresses(form.records, seen=form.seen)
    except Stale:
        newer, seen = g.window.organisation.addresses()
        form.go_on_from(newer, seen)
        return _addresses(form, status=422, problem=str(STALE), newer=newer)
    except Refusal as refusal:
        return _addresses(form, status=422, problem=form.place(refusal))
    return see_other(".organisation_addresses", _("The addresses are saved."))


def _changed(form: OwnAddresses, act: str, which: int) -> Any:
    if act == "leave":
        form.leave_out(which)
        return _addresses(form)
    form.add()
    return _addresses(form, focus=form.rows[-1][0])


@external.route(f"{PATH}/agreements", needs=Needs.PORTAL_ADMIN)
def agreements() -> Any:
    """The service agreements."""
    return show("external/organisation/agreements.html", rows=g.window.organisation.agreements(), states=STATES)


@external.route(AGREEMENT, needs=Needs.PORTAL_ADMIN)
def agreement(agreement: str) -> Any:
    """One of them."""
    found = g.window.organisation.agreement(agreement)
    return show("external/organisation/agreement.html", agreement=found, states=STATES)


@external.route(f"{AGREEMENT}/document", needs=Needs.PORTAL_ADMIN)
def agreement_document(agreement: str) -> Any:
    """Its document."""
    found = g.window.organisation.document(agreement)
    return send(found.name, found.sha256, found.size)
