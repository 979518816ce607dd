"""External organisations: who may touch one, the list of them, making and editing them, the roles open to them."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import delete, func, insert, select, tuple_

from ..accounts.models import AccountType, Membership, Profile, User, folded
from ..accounts.permissions import Permission, ProfileType
from ..accounts.viewer import Viewer
from ..alike import bare, is_team, same_name
from ..audit.kinds import Kind
from ..audit.record import record
from ..cases.models import Case
from ..database import queue_up
from ..extensions import db
from ..paging import SIZE, Page, cursor, read_cursor
from ..refusals import NotAllowed, NotVisible, Stale, Unfit
from ..sharing import scope
from ..sharing.models import Access, PartyGrant
from ..words import _
from . import phone_numbers
from .models import Contact, Organisation, Party, PartyKind, party_profile

LONGEST_NAME, LONGEST_PHONE, LONGEST_NOTES, LARGEST_CAP, MOST_DOMAINS = 128, 64, 65_536, 100_000, 100
NO_RIGHT = "Your profile does not let you manage external organisations. Ask an administrator of your organisation."
NO_PLACE = "Choose the organisation whose cases it has to do with; the admin organisation holds none."
UNKNOWN_ROLE = "One of these roles is not there any more. Look at the list again."
# What a portal administrator may change of their own organisation.
OWN_FIELDS = frozenset({"name", "phone"})


@dataclass(frozen=True)
class PartyRow:
    """A line of the list. `cases`: how many shared with it the viewer may see."""

    id: int
    name: str
    kind: PartyKind
    organisation: str
    people: int
    admins: int
    cases: int


def reach(party_id: int, *, by: Viewer, change: bool = False) -> Party:
    """The external organisation, for whoever manages its people: the gate of every call about it.

    `change` locks its row until the end of the transaction, so that two administrators act one after the other.
    """
    if not by.external:
        check_right(by)
    wanted = select(Party).where(Party.id == party_id)
    if change:  # rows may still be made that refer to it
        wanted = wanted.with_for_update(key_share=True).execution_options(populate_existing=True)
    party = db.session.scalar(wanted) if not by.external or (mine(by) and by.party_id == party_id) else None
    if party is None or not (by.platform or party.organisation_id == by.organisation_id):
        raise NotVisible("external organisation")
    if by.external and change and not _still(party, by):
        raise NotVisible("external organisation")
    return party


def check_right(by: Viewer) -> None:
    """The right of the security team's side."""
    if by.external:
        raise NotVisible("external organisation")
    if not by.can_inside(Permission.MANAGE_USER):
        raise NotAllowed(NO_RIGHT)


def reach_as_team(party_id: int, *, by: Viewer, change: bool = False) -> Party:
    """Like `reach`, for what the security team alone may do."""
    check_right(by)
    return reach(party_id, by=by, change=change)


def mine(by: Viewer) -> bool:
    """Whether this person manages the people of the external organisation they work for."""
    return by.external and by.portal_admin and by.party_id is not None and by.viewed_by_id is None


def _still(party: Party, by: Viewer) -> bool:
    """Whether they manage it now that it is locked: another administrator may have been quicker."""
    wanted = select(Membership.id).join(User, User.id == Membership.user_id)
    wanted = wanted.where(User.id == by.user_id, User.active, User.deleted_at.is_(None), Membership.portal_admin)
    here = wanted.where(Membership.organisation_id == party.organisation_id, Membership.party_id == party.id)
    return db.session.scalar(here) is not None


def listed(search: str = "", after: str = "", *, by: Viewer) -> Page[PartyRow]:
    """A page of those whose name contains the words, by name; `after` is the id of the last row of the page before.

    Names are compared here, as databases do not agree on capitals and accents.
    """
    check_right(by)
    known = select(Party.id, Party.name)
    known = known if by.platform else known.where(Party.organisation_id == by.organisation_id)
    pairs = sorted((folded(name), key) for key, name in db.session.execute(known))
    start = int(after) if after.isascii() and after.isdigit() and len(after) < 18 else 0
    place = next((pair for pair in pairs if pair[1] == start), ("", 0))
    wanted = folded(" ".join(search.split()))
    ids = [key for name, key in pairs if wanted in name and (name, key) > place][: SIZE + 1]
    return Page(_rows(ids[:SIZE], by), str(ids[SIZE - 1]) if len(ids) > SIZE else None)


def _rows(ids: list[int], by: Viewer) -> list[PartyRow]:
    wanted = select(Party.id, Party.name, Party.kind, Organisation.name.label("organisation"))
    rows = db.session.execute(wanted.join(Organisation, Organisation.id == Party.organisation_id).where(Party.id.in_(ids)))
    found = {row.id: row for row in rows}
    people, cases = _people_of(ids), _cases_of(ids, by)
    rows_told = ((found[key], people.get(key, (0, 0)), cases.get(key, 0)) for key in ids if key in found)
    return [PartyRow(row.id, row.name, row.kind, row.organisation, *numbers, shared) for row, numbers, shared in rows_told]


def _people_of(ids: list[int]) -> dict[int | None, tuple[int, int]]:
    """How many of their people are not deactivated, and how many of those are portal administrators."""
    number = (Membership.party_id, func.count(), func.count().filter(Membership.portal_admin))
    wanted = select(*number).join(User, User.id == Membership.user_id).where(Membership.party_id.in_(ids), *_PERSON, User.active)
    return {row[0]: (row[1], row[2]) for row in db.session.execute(wanted.group_by(Membership.party_id))}


# A grant counts while its case is shared with selected people.
_SHARED = (Case.access == Access.EXTERNAL, scope.not_ended(Case))
_PERSON = (User.type == AccountType.EXTERNAL, User.deleted_at.is_(None))


@dataclass(frozen=True)
class SharedCase:
    """A case shared with an external organisation."""

    number: int
    title: str
    severity: int
    shared_at: datetime


def shared(party_id: int, after: str = "", *, by: Viewer) -> Page[SharedCase]:
    """The cases shared with it that the viewer may see, the latest first; not those all external users see, nor those shared with one
    of its people by name."""
    party = reach_as_team(party_id, by=by)
    wanted = scope.visible(by, Case, Case.id, Case.number, Case.title, Case.severity, PartyGrant.granted_at)
    wanted = wanted.join(PartyGrant, PartyGrant.case_id == Case.id).where(PartyGrant.party_id == party.id, *_SHARED)
    if place := read_cursor(after):
        wanted = wanted.where(tuple_(PartyGrant.granted_at, Case.id) < place)
    rows = db.session.execute(wanted.order_by(PartyGrant.granted_at.desc(), Case.id.desc()).limit(SIZE + 1)).all()
    more = cursor(rows[SIZE - 1].granted_at, rows[SIZE - 1].id) if len(rows) > SIZE else None
    return Page([SharedCase(row.number, row.title, row.severity, row.granted_at) for row in rows[:SIZE]], more)


def _cases_of(ids: list[int], by: Viewer) -> dict[int, int]:
    cases = scope.visible(by, Case, Case.id).where(*_SHARED)
    wanted = select(PartyGrant.party_id, func.count()).where(PartyGrant.party_id.in_(ids), PartyGrant.case_id.in_(cases))
    return {row[0]: row[1] for row in db.session.execute(wanted.group_by(PartyGrant.party_id))}


def open_roles(party_id: int, *, by: Viewer) -> list[tuple[int, str]]:
    """Id and name of the functional roles its people can be given, by name."""
    party = reach(party_id, by=by)
    wanted = select(Profile.id, Profile.name).join(party_profile, party_profile.c.profile_id == Profile.id)
    rows = db.session.execute(wanted.where(party_profile.c.party_id == party.id).order_by(Profile.name))
    return [(row.id, row.name) for row in rows]


def roles() -> list[tuple[int, str]]:
    """Id and name of every functional role there is, by name."""
    wanted = select(Profile.id, Profile.name).where(Profile.type == ProfileType.EXTERNAL)
    return [(row.id, row.name) for row in db.session.execute(wanted.order_by(Profile.name))]


def create(
    *,
    name: str,
    kind: str,
    phone: str = "",
    domains: str = "",
    cap: int | None = None,
    notes: str = "",
    role_ids: Collection[int] = (),
    organisation_id: int | None = None,
    by: Viewer,
) -> Party:
    """A new external organisation without people; `organisation_id` for the platform's administrators, who work in none."""
    check_right(by)
    home = _home(organisation_id, by)
    values = _fitting({"name": name, "kind": kind, "phone": phone, "domains": domains, "cap": cap, "notes": notes}, home.id)
    chosen = _roles_among(role_ids)
    party = Party(organisation_id=home.id, **values)
    db.session.add(party)
    db.session.flush()
    _open(party.id, chosen)
    told = {"party": [party.name, party.name], "kind": [None, party.kind.value], "roles": [None, list(chosen.values())]}
    record(Kind.PARTY_CREATED, actor=by, organisation_id=home.id, object_id=party.id, changes=told)
    return party


def _home(organisation_id: int | None, by: Viewer) -> Organisation:
    if organisation_id is not None and organisation_id != by.organisation_id and not by.platform:
        raise NotVisible("organisation")
    home = db.session.get(Organisation, organisation_id or by.organisation_id)
    if home is None or home.built_in or home.locked:
        raise Unfit("organisation_id", NO_PLACE)
    return home


def edit(party_id: int, *, version: int, by: Viewer, **changes: Any) -> Party:
    """Change some of name, kind, phone, domains, cap, notes, primary_contact_id, role_ids; a portal administrator phone and name only: the
    name they give is what they read themselves, the team goes on with its own."""
    party = reach(party_id, by=by, change=True)
    if by.external and not changes.keys() <= OWN_FIELDS:
        raise NotAllowed(_("Only the security team changes this."))
    if version != party.version:
        raise Stale(_("Somebody changed these details after you opened them. Compare below, then save again."))
    if by.external and "name" in changes:
        changes["own_name"] = changes.pop("name")
    roles_before, chosen = {}, None
    if "role_ids" in changes:
        roles_before, chosen = dict(open_roles(party_id, by=by)), _roles_among(changes.pop("role_ids"))
    wanted = _fitting(changes, party.organisation_id, but=party.id, phone=party.phone)
    told = {key: [getattr(party, key), new] for key, new in wanted.items() if getattr(party, key) != new}
    for key, (_old, new) in told.items():
        setattr(party, key, new)
    if "primary_contact_id" in told:
        told["primary_contact"] = _contact_names(told.pop("primary_contact_id"))
    if chosen is not None and chosen.keys() != roles_before.keys():
        _open(party.id, chosen)
        told["roles"] = [list(roles_before.values()), list(chosen.values())]
    if told:
        party.version += 1
        told = {"party": [party.name, party.name], **told}
        record(Kind.PARTY_EDITED, actor=by, organisation_id=party.organisation_id, object_id=party.id, changes=told)
    return party


def _contact_names(ids: list[Any]) -> list[str]:
    names = dict(db.session.execute(select(Contact.id, Contact.name).where(Contact.id.in_([key for key in ids if key]))).all())
    return [names.get(key, "") for key in ids]


def _open(party_id: int, chosen: dict[int, str]) -> None:
    db.session.execute(delete(party_profile).where(party_profile.c.party_id == party_id))
    if chosen:
        db.session.execute(insert(party_profile), [{"party_id": party_id, "profile_id": key} for key in chosen])


def _roles_among(role_ids: Iterable[int]) -> dict[int, str]:
    wanted = set(role_ids)
    chosen = {key: name for key, name in roles() if key in wanted}
    if len(chosen) < len(wanted):
        raise Unfit("role_ids", UNKNOWN_ROLE)
    return chosen


def _fitting(values: dict[str, Any], organisation_id: int, *, but: int = 0, phone: str = "") -> dict[str, Any]:
    """The values tidied; refused at their field when they will not do. `phone`: the one of today."""
    tidy: dict[str, Any] = {}
    for key, value in values.items():
        if key == "name":
            tidy[key] = _free_name(value, organisation_id, but=but)
        elif key == "own_name":
            tidy[key] = _own_name(value, organisation_id, but)
        elif key == "primary_contact_id":
            tidy[key] = _own_contact(value, but)
        elif key == "phone":
            tidy[key] = phone_numbers.tidied(within("phone", value, LONGEST_PHONE), phone)
        else:
            tidy[key] = _TIDY[key](value)
    return tidy


def _own_contact(contact_id: int | None, party_id: int) -> int | None:
    if not contact_id:
        return None
    known = select(Contact.id).where(Contact.id == contact_id, Contact.party_id == party_id)
    if db.session.scalar(known) is None:
        raise NotVisible("contact")
    return contact_id


def one_line(text: str) -> str:
    """A line as people meant it: no control characters, no blanks in a row."""
    return " ".join("".join(c if not c.isspace() else " " for c in text if c.isspace() or unicodedata.category(c) != "Cc").split())


def within(field: str, text: str, most: int) -> str:
    """The line, refused at its field when it is too long."""
    text = one_line(text)
    if len(text) > most:
        raise Unfit(field, _("Use at most %(most)s characters.", most=f"{most:,}"))
    return text


def _free_name(name: str, organisation_id: int, *, but: int) -> str:
    name = within("name", name, LONGEST_NAME)
    if not name:
        raise Unfit("name", _("Give the organisation a name."))
    queue_up("names of external organisations")
    known = dict(db.session.execute(select(Party.id, Party.name).where(Party.organisation_id == organisation_id)).all())
    known.pop(but, None)
    taken = next((other for other in known.values() if same_name(other, name)), None)
    if taken is not None:
        raise Unfit("name", f"There is already an external organisation called {taken}. Choose another name.")
    return name


def _own_name(name: str, organisation_id: int, party_id: int) -> str:
    """What an organisation calls itself: nothing a reader would take for the team. Empty while it is what the team calls it."""
    name = within("name", name, LONGEST_NAME)
    if not name:
        raise Unfit("name", _("Give the organisation a name."))
    party = db.session.get_one(Party, party_id)
    if name == party.name:
        return ""
    if name == party.own_name:
        return name
    if not bare(name) or is_team(name, db.session.get_one(Organisation, organisation_id).name):
        raise Unfit("name", _("This name can't be used. Choose another one, or ask the security team."))
    return name


def _tidy_kind(kind: str) -> PartyKind:
    try:
        return PartyKind(kind)
    except ValueError:
        raise Unfit("kind", "Choose client, department or vendor.") from None


def _tidy_cap(cap: int | None) -> int | None:
    if cap is not None and not 1 <= cap <= LARGEST_CAP:
        raise Unfit("cap", f"Give a number from 1 to {LARGEST_CAP:,}, or leave it empty.")
    return cap


def _tidy_notes(notes: str) -> str:
    notes = "".join(c for c in notes.replace("\r\n", "\n") if c in "\n\t" or unicodedata.category(c) != "Cc").strip()
    if len(notes) > LONGEST_NOTES:
        raise Unfit("notes", f"Use at most {LONGEST_NOTES:,} characters.")
    return notes


def tidy_domains(text: str) -> str:
    """Domains as they are stored: in lower case, each once, with spaces between; refused when one is none."""
    words = [word.lstrip("@").rstrip(".").lower() for word in text.replace(",", " ").replace(";", " ").split()]
    wanted = list(dict.fromkeys(word for word in words if word))
    if len(wanted) > MOST_DOMAINS:
        raise Unfit("domains", f"Give at most {MOST_DOMAINS} domains.")
    if starred := [word for word in wanted if "*" in word]:
        raise Unfit("domains", f"Write out each domain instead of “{starred[0][:64]}”: a star does not stand for all domains below one.")
    if wrong := [word for word in wanted if not _is_domain(word)]:
        raise Unfit("domains", f"“{wrong[0][:64]}” is not a domain. Write domains like example.org, with spaces between.")
    return " ".join(wanted)


def _is_domain(word: str) -> bool:
    try:
        validate_email(f"a@{word}", check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError:
        return False
    return True


def plain_domain(domain: str) -> str:
    """The domain as machines write it, so that two ways of writing an international one are equal."""
    try:
        return validate_email(f"a@{domain}", check_deliverability=False, globally_deliverable=False).ascii_domain.lower()
    except EmailNotValidError:
        return domain.lower()


def allows(domains: Collection[str], email: str) -> bool:
    """Whether an address has one of these domains, each as `plain_domain` writes it; none at all allow any."""
    return not domains or plain_domain(email.rpartition("@")[2]) in domains


def allowed_domains(party: Party) -> frozenset[str]:
    """The domains its people's addresses must have, for `allows`; empty for any."""
    return plain_domains(party.domains)


def plain_domains(text: str) -> frozenset[str]:
    """The domains in a text as machines write them."""
    return frozenset(plain_domain(word) for word in text.split())


_TIDY: dict[str, Any] = {
    "kind": _tidy_kind,
    "domains": tidy_domains,
    "cap": _tidy_cap,
    "notes": _tidy_notes,
}
