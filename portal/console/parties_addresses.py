"""Addresses of an external organisation: one form for all of them; nothing counts until it is saved."""

from __future__ import annotations

from typing import Any

from flask import g, request

from ..organisations import addresses, parties
from ..refusals import Refusal, Stale
from ..web.address_list import number
from ..web.show import see_other
from .face import console
from .parties import MANAGE, ONE, page
from .party_forms import ADDRESS_KINDS, PartyAddresses


@console.route(f"{ONE}/addresses", needs=MANAGE, methods=["GET", "POST"])
def party_addresses(party_id: int) -> Any:
    """Where the organisation is, and the form that changes it; buttons that add and remove one save nothing."""
    parties.reach(party_id, by=g.viewer)
    if request.method == "GET":
        return _page(party_id, _of(party_id))
    form = PartyAddresses.sent(request.form, request.form.getlist("row"), request.form.get("seen", ""))
    if "more" in request.form or "drop" in request.form:
        return _rearranged(party_id, form)
    return _save(party_id, form) if form.validate() else _page(party_id, form)


def _of(party_id: int) -> PartyAddresses:
    lines = addresses.addresses(party_id, by=g.viewer)
    return PartyAddresses.of(lines, addresses.mark(lines))


def _rearranged(party_id: int, form: PartyAddresses) -> Any:
    if "drop" in request.form:
        form.leave_out(number(request.form["drop"]))
    else:
        form.add()
    return _page(party_id, form)


def _save(party_id: int, form: PartyAddresses) -> Any:
    try:
        addresses.save(party_id, form.lines, seen=form.seen, by=g.viewer)
    except Stale as refusal:
        stored, yours = addresses.addresses(party_id, by=g.viewer), form.lines
        form.go_on_from(stored, addresses.mark(stored))
        return _page(party_id, form, refusal.sentence, stale=_differences(stored, yours))
    except Refusal as refusal:
        return _page(party_id, form, form.place(refusal))
    return see_other(".party_addresses", "The addresses are saved.", party_id=party_id)


def _differences(stored: list[addresses.AddressLine], yours: list[addresses.AddressLine]) -> list[tuple[str, str, str]]:
    """Address by address: which, theirs, yours."""
    theirs, own = {line.id: _in_words(line) for line in stored}, {line.id: _in_words(line) for line in yours if line.id}
    told = [(f"Address {at}", theirs.get(key, ""), own.get(key, "")) for at, key in enumerate(dict.fromkeys([*theirs, *own]), 1)]
    told += [("New address", "", _in_words(line)) for line in yours if not line.id]
    return [row for row in told if row[1] != row[2]]


def _in_words(line: addresses.AddressLine) -> str:
    return f"{ADDRESS_KINDS.get(line.kind, line.kind)}: {line.in_words}"


def _page(party_id: int, form: PartyAddresses, problem: str | None = None, *, stale: list[Any] | None = None) -> Any:
    status = 422 if problem or form.errors else 200
    party = parties.reach(party_id, by=g.viewer)
    return page("addresses", party, status=status, form=form, problem=problem, stale=stale)
