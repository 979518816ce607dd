"""What is known of two of the external organisations: how to reach them, what was agreed, who manages their people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from ..accounts import staff
from ..accounts.viewer import Viewer
from ..clock import now
from ..organisations import addresses, agreements, contacts, parties
from ..organisations.addresses import AddressLine
from ..organisations.agreements import Terms
from ..organisations.models import Party
from ..storage import intake

PAPER = (
    "SERVICE AGREEMENT NC-2026-014",
    "between Northwind CSIRT and Harbourline Freight",
    "",
    "1. Northwind CSIRT answers incidents reported by Harbourline Freight around the clock.",
    "2. The first response to an incident of critical severity comes within 30 minutes.",
    "3. Harbourline Freight names two people who can decide at any hour.",
)


def describe(known: Mapping[str, Party], cast: Mapping[str, Viewer]) -> None:
    """Write it down as the head of the team would."""
    by, harbourline, corvane = cast["ines"], known["harbourline"].id, known["corvane"].id
    for party in known.values():
        _details(party, by, role_ids=[key for key, _name in parties.roles()])
    lead = contacts.contacts(harbourline, q="Solbakken", by=by).rows[0]
    contacts.create(
        harbourline, name="Ingrid Voll", emails="duty@harbourline.example", phone="+47 55 01 02 04", job_title="Duty desk", by=by
    )
    notes = "Calls are answered by the duty desk first. Ask for Marit Solbakken outside of office hours."
    _details(
        known["harbourline"], by, phone="+47 55 01 02 03", domains="harbourline.example", cap=25, notes=notes, primary_contact_id=lead.id
    )
    _details(known["corvane"], by, phone="+34 934 00 11 22", domains="corvane.example")
    places = [
        AddressLine(0, "actual", "Kystveien 12", "Bergen", "Vestland", "5003", "Norway"),
        AddressLine(0, "legal", "Postboks 404", "Bergen", "", "5805", "Norway"),
    ]
    addresses.save(harbourline, places, seen=addresses.mark([]), by=by)
    _agree(harbourline, corvane, lead.id, by)
    staff.make_admin(harbourline, [cast["marit"].user_id], by=by)


def _details(party: Party, by: Viewer, **changes: object) -> None:
    parties.edit(party.id, version=party.version, by=by, **changes)


def _agree(harbourline: int, corvane: int, lead: int, by: Viewer) -> None:
    today = now().date()
    times = {"4": ("30 minutes", "8 hours"), "3": ("2 hours", "2 working days"), "2": ("1 working day", "5 working days"), "1": ("", "")}
    terms = Terms(
        "NC-2026-014",
        "Incident response for Harbourline Freight",
        "active",
        today - timedelta(days=60),
        today + timedelta(days=305),
        "Every day, around the clock",
        times,
        (lead,),
    )
    made = agreements.create(harbourline, terms, by=by)
    paper = intake.upload_of("Service agreement NC-2026-014.txt", "\n".join(PAPER).encode())
    agreements.put_document(harbourline, made.id, paper, version=made.version, by=by)
    agreements.create(corvane, Terms("NC-2026-031", "Disclosure of flaws in Corvane controllers"), by=by)
