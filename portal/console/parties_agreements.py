"""Service agreements with an external organisation: listed, written, ended, deleted; their documents taken in and handed out."""

from __future__ import annotations

from typing import Any

from flask import g, request

from ..organisations import agreements, contacts, parties
from ..organisations.agreements import SEVERITIES, AgreementDetail
from ..refusals import Refusal, Stale
from ..storage import intake
from ..web.address_list import number
from ..web.downloads import send
from ..web.filters import SEVERITY
from ..web.show import see_other
from ..web.uploads import received
from .face import console
from .parties import MANAGE, ONE, page
from .party_forms import STATUSES, AgreementForm, EditAgreementForm, brought_up, differences, offer

AGREEMENT = f"{ONE}/agreements/<id:agreement_id>"


@console.route(f"{ONE}/agreements", needs=MANAGE, endpoint="agreements")
def agreement_list(party_id: int) -> Any:
    """The agreements, the latest first."""
    found = parties.reach(party_id, by=g.viewer)
    return page("agreements", found, rows=agreements.agreements(party_id, by=g.viewer), statuses=STATUSES)


@console.route(f"{ONE}/agreements/new", needs=MANAGE, methods=["GET", "POST"])
def new_agreement(party_id: int) -> Any:
    """Write down an agreement."""
    found, form, problem = parties.reach(party_id, by=g.viewer), AgreementForm(), None
    offer(form.contact_ids, contacts.names(party_id, by=g.viewer))
    if request.method == "POST" and form.validate():
        try:
            made = agreements.create(party_id, form.terms(), by=g.viewer)
            told = f"The agreement {made.number} is written down. Add its document below."
            return see_other(".agreement", told, party_id=party_id, agreement_id=made.id)
        except Refusal as refusal:
            problem = form.place(refusal)
    status = 422 if problem or form.errors else 200
    return page("agreement_new", found, status=status, form=form, problem=problem, severities=_severities())


def _severities() -> list[tuple[str, str]]:
    """The worst first."""
    return [(key, SEVERITY[int(key)]) for key in reversed(SEVERITIES)]


@console.route(AGREEMENT, needs=MANAGE, methods=["GET", "POST"])
def agreement(party_id: int, agreement_id: int) -> Any:
    """What an agreement says, and the form that changes it."""
    found = agreements.agreement(party_id, agreement_id, by=g.viewer)
    form = EditAgreementForm() if request.method == "POST" else EditAgreementForm(formdata=None, data=_stored(found))
    offer(form.contact_ids, contacts.names(party_id, by=g.viewer, besides=[key for key, _name in found.contacts]))
    if request.method == "GET" or not form.validate():
        return _page(party_id, found, form)
    try:
        saved = agreements.edit(party_id, agreement_id, form.terms(), version=form.version.data, by=g.viewer)
    except Stale as refusal:
        found = agreements.agreement(party_id, agreement_id, by=g.viewer)
        return _page(party_id, found, brought_up(form, found.version), refusal.sentence, stale=differences(form, _stored(found)))
    except Refusal as refusal:
        return _page(party_id, found, form, form.place(refusal))
    return see_other(".agreement", f"The agreement {saved.number} is saved.", party_id=party_id, agreement_id=agreement_id)


def _stored(found: AgreementDetail) -> dict[str, Any]:
    known = {name: getattr(found, name) for name in ("number", "title", "starts_on", "ends_on", "hours", "version")}
    times = {f"{name}_{key}": pair[at] for key, pair in found.times.items() for at, name in enumerate(("response", "resolution"))}
    return {**known, **times, "status": found.status.value, "contact_ids": [key for key, _name in found.contacts]}


def _page(
    party_id: int,
    found: AgreementDetail,
    form: EditAgreementForm,
    problem: str | None = None,
    *,
    stale: list[Any] | None = None,
    refused: str | None = None,
) -> Any:
    status = 422 if problem or form.errors or refused else 200
    party = parties.reach(party_id, by=g.viewer)
    context: dict[str, Any] = {"agreement": found, "form": form, "problem": problem or refused, "stale": stale, "refused": refused}
    limits = {"largest": intake.largest(), "forbidden": sorted(intake.forbidden())}
    return page("agreement", party, status=status, **context, severities=_severities(), statuses=STATUSES, limits=limits)


@console.route(f"{AGREEMENT}/end", needs=MANAGE, methods=["POST"])
def end_agreement(party_id: int, agreement_id: int) -> Any:
    """The agreement holds no longer."""
    try:
        told, warning = f"The agreement {agreements.end(party_id, agreement_id, by=g.viewer).number} has ended.", False
    except Refusal as refusal:
        told, warning = refusal.sentence, True
    return see_other(".agreement", told, warning=warning, party_id=party_id, agreement_id=agreement_id)


@console.route(f"{AGREEMENT}/delete", needs=MANAGE, methods=["GET", "POST"])
def delete_agreement(party_id: int, agreement_id: int) -> Any:
    """Ask, then delete."""
    party = parties.reach(party_id, by=g.viewer)
    if request.method == "GET":
        return page("agreement_delete", party, agreement=agreements.agreement(party_id, agreement_id, by=g.viewer))
    number = agreements.delete(party_id, agreement_id, by=g.viewer)
    return see_other(".agreements", f"The agreement {number} is deleted.", party_id=party_id)


@console.route(f"{AGREEMENT}/document", needs=MANAGE)
def agreement_document(party_id: int, agreement_id: int) -> Any:
    """The signed paper, always as a download."""
    return send(*_sent(*agreements.document(party_id, agreement_id, by=g.viewer)))


def _sent(name: str, size: int, sha256: str) -> tuple[str, str, int]:
    return name, sha256, size


@console.route(f"{AGREEMENT}/document", needs=MANAGE, methods=["POST"], uploads=True)
def put_document(party_id: int, agreement_id: int) -> Any:
    """Lay a document with the agreement, in the place of an older one."""
    found, sent = agreements.agreement(party_id, agreement_id, by=g.viewer), received("document")
    try:
        if not sent:
            raise Refusal("Choose a file.")
        if found.document_name and "replace" not in request.form:
            raise Refusal(f"Tick that the new document replaces {found.document_name}, and choose the file again.")
        seen = number(request.form.get("version"))
        name = agreements.put_document(party_id, agreement_id, sent[0], version=seen, by=g.viewer).document_name
    except Refusal as refusal:
        found = agreements.agreement(party_id, agreement_id, by=g.viewer)
        form = EditAgreementForm(formdata=None, data=_stored(found))
        offer(form.contact_ids, contacts.names(party_id, by=g.viewer, besides=[key for key, _name in found.contacts]))
        return _page(party_id, found, form, refused=refusal.sentence)
    return see_other(".agreement", f"“{name}” lies with the agreement.", party_id=party_id, agreement_id=agreement_id)


@console.route(f"{AGREEMENT}/document/remove", needs=MANAGE, methods=["GET", "POST"])
def remove_document(party_id: int, agreement_id: int) -> Any:
    """Ask, then take the document away."""
    if request.method == "GET":
        found = agreements.agreement(party_id, agreement_id, by=g.viewer)
        return page("document_remove", parties.reach(party_id, by=g.viewer), agreement=found)
    try:
        agreements.remove_document(party_id, agreement_id, version=number(request.form.get("version")), by=g.viewer)
        told, warning = "The document is removed.", False
    except Refusal as refusal:
        told, warning = refusal.sentence, True
    return see_other(".agreement", told, warning=warning, party_id=party_id, agreement_id=agreement_id)
