"""Service agreements: what was agreed with an external organisation; written by the security team, read by both sides."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import delete as delete_from
from sqlalchemy import func, insert, select

from ..accounts.viewer import Viewer
from ..audit.kinds import Kind
from ..audit.record import record
from ..clock import now
from ..extensions import db
from ..refusals import NotVisible, Refusal, Stale, Unfit
from ..storage import intake
from ..storage.intake import Upload
from ..storage.models import Blob
from . import parties
from .models import Agreement, AgreementStatus, Contact, Party, agreement_contact
from .parties import reach, reach_as_team

LONGEST_NUMBER, LONGEST_TITLE, LONGEST_HOURS, LONGEST_TIME, MOST = 64, 200, 300, 64, 200
SEVERITIES = ("1", "2", "3", "4")
STALE = "Somebody changed this agreement after you opened it. Compare below, then save again."


@dataclass(frozen=True)
class AgreementRow:
    """A line of the list. `over`: its last day has passed, whatever its status says."""

    id: int
    uid: str
    number: str
    title: str
    status: AgreementStatus
    starts_on: date | None
    ends_on: date | None
    document_name: str

    @property
    def over(self) -> bool:
        """Whether its last day has passed."""
        return self.ends_on is not None and self.ends_on < now().date()

    @property
    def state(self) -> str:
        """How it stands today: draft, coming, active or ended."""
        if self.status is not AgreementStatus.ACTIVE:
            return self.status.value
        if self.over:
            return AgreementStatus.ENDED.value
        return "coming" if self.starts_on is not None and self.starts_on > now().date() else AgreementStatus.ACTIVE.value


@dataclass(frozen=True)
class AgreementDetail(AgreementRow):
    """All of it. `times`: severity ("1" to "4") -> response and resolution; `contacts`: id and name."""

    hours: str = ""
    times: dict[str, tuple[str, str]] = field(default_factory=dict)
    contacts: tuple[tuple[int, str], ...] = ()
    document_size: int = 0
    version: int = 1


def agreements(party_id: int, *, by: Viewer) -> list[AgreementRow]:
    """Those of the organisation, the latest first; drafts for the security team only."""
    party = reach(party_id, by=by)
    rows = db.session.scalars(
        _shown(party, by).order_by(func.coalesce(Agreement.starts_on, date.max).desc(), Agreement.id.desc()).limit(MOST)
    )
    return [AgreementRow(**_values(row)) for row in rows]


def _shown(party: Party, by: Viewer) -> Any:
    wanted = select(Agreement).where(Agreement.party_id == party.id)
    return wanted.where(Agreement.status != AgreementStatus.DRAFT) if by.external else wanted


def _values(row: Agreement) -> dict[str, Any]:
    return {name: getattr(row, name) for name in AgreementRow.__dataclass_fields__}


def agreement(party_id: int, agreement_id: int | str, *, by: Viewer) -> AgreementDetail:
    """One of them, by its number or by its name for the outside."""
    return _detail(_load(reach(party_id, by=by), agreement_id, by))


def _load(party: Party, agreement_id: int | str, by: Viewer) -> Agreement:
    one = Agreement.uid == agreement_id if isinstance(agreement_id, str) else Agreement.id == agreement_id
    wanted = _shown(party, by).where(one).execution_options(populate_existing=True)
    found: Agreement | None = db.session.scalar(wanted)
    if found is None:
        raise NotVisible("agreement")
    return found


def _detail(row: Agreement) -> AgreementDetail:
    wanted = select(Contact.id, Contact.name).join(agreement_contact, agreement_contact.c.contact_id == Contact.id)
    named = db.session.execute(wanted.where(agreement_contact.c.agreement_id == row.id).order_by(func.lower(Contact.name), Contact.id))
    size = db.session.scalar(select(Blob.size).where(Blob.id == row.document_id)) if row.document_id else 0
    return AgreementDetail(
        **_values(row),
        hours=row.hours,
        times={key: (row.times.get(key, ["", ""])[0], row.times.get(key, ["", ""])[1]) for key in SEVERITIES},
        contacts=tuple((one.id, one.name) for one in named),
        document_size=size or 0,
        version=row.version,
    )


def document(party_id: int, agreement_id: int | str, *, by: Viewer) -> tuple[str, int, str]:
    """Name, size and SHA-256 of the agreement's document."""
    found = _load(reach(party_id, by=by), agreement_id, by)
    blob = db.session.execute(select(Blob.size, Blob.sha256).where(Blob.id == found.document_id)).one_or_none()
    if blob is None:
        raise NotVisible("document")
    return found.document_name, blob.size, blob.sha256


@dataclass(frozen=True)
class Terms:
    """What an agreement says. `times`: severity -> response and resolution, each in words."""

    number: str
    title: str
    status: str = "draft"
    starts_on: date | None = None
    ends_on: date | None = None
    hours: str = ""
    times: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    contact_ids: Collection[int] = ()


def create(party_id: int, terms: Terms, *, by: Viewer) -> AgreementDetail:
    """Write down an agreement."""
    party = reach_as_team(party_id, by=by, change=True)
    values, named = _fitting(party, terms), _named(party, terms.contact_ids)
    if (db.session.scalar(select(func.count()).where(Agreement.party_id == party.id)) or 0) >= MOST:
        raise Refusal(f"An organisation can have {MOST} agreements. Delete old ones first.")
    made = Agreement(party_id=party.id, **values)
    db.session.add(made)
    db.session.flush()
    _name(made.id, named)
    _record(Kind.AGREEMENT_CREATED, party, made, by, {"title": [None, made.title], "status": [None, made.status.value]})
    return _detail(made)


def edit(party_id: int, agreement_id: int, terms: Terms, *, version: int, by: Viewer) -> AgreementDetail:
    """Change what the agreement says; its document is another matter."""
    party = reach_as_team(party_id, by=by, change=True)
    found = _load(party, agreement_id, by)
    if version != found.version:
        raise Stale(STALE)
    values, named = _fitting(party, terms, but=found.id), _named(party, terms.contact_ids)
    before = dict(_detail(found).contacts)
    changes = {key: [getattr(found, key), new] for key, new in values.items() if getattr(found, key) != new}
    for key, (_old, new) in changes.items():
        setattr(found, key, new)
    told = {key: [_in_words(old), _in_words(new)] for key, (old, new) in changes.items()}
    if named.keys() != before.keys():
        _name(found.id, named)
        told["contacts"] = [list(before.values()), list(named.values())]
    if told:
        found.version += 1
        _record(Kind.AGREEMENT_EDITED, party, found, by, told)
    return _detail(found)


def _in_words(value: Any) -> Any:
    """A value as the audit trail keeps it."""
    if isinstance(value, dict):
        return [f"{key}: {' / '.join(pair)}" for key, pair in value.items()]
    return value.isoformat() if isinstance(value, date) else value


def end(party_id: int, agreement_id: int, *, by: Viewer) -> AgreementDetail:
    """The agreement holds no longer, from today or from the day it ended on."""
    party = reach_as_team(party_id, by=by, change=True)
    found = _load(party, agreement_id, by)
    if found.status is AgreementStatus.ENDED:
        raise Refusal("This agreement has ended already.")
    told: dict[str, Any] = {"status": [found.status.value, AgreementStatus.ENDED.value]}
    today = now().date()
    found.status = AgreementStatus.ENDED
    if found.ends_on is None or found.ends_on > today:
        last = max(today, found.starts_on or today)
        told["ends_on"] = [_in_words(found.ends_on), last.isoformat()]
        found.ends_on = last
    found.version += 1
    _record(Kind.AGREEMENT_ENDED, party, found, by, told)
    return _detail(found)


def delete(party_id: int, agreement_id: int, *, by: Viewer) -> str:
    """Delete the agreement with its document; return its number."""
    party = reach_as_team(party_id, by=by, change=True)
    found = _load(party, agreement_id, by)
    number = found.number
    changes = {"title": [found.title, None], "document": [found.document_name or None, None]}
    _record(Kind.AGREEMENT_DELETED, party, found, by, changes)
    db.session.execute(delete_from(agreement_contact).where(agreement_contact.c.agreement_id == found.id))
    db.session.delete(found)
    db.session.flush()
    return number


def put_document(party_id: int, agreement_id: int, upload: Upload, *, version: int, by: Viewer) -> AgreementDetail:
    """Lay the signed paper with the agreement; it takes the place of an older one."""
    party = reach_as_team(party_id, by=by, change=True)
    found = _load(party, agreement_id, by)
    _check_seen(found, version)
    intake.check(upload)
    changes = {"document": [found.document_name or None, upload.name], "sha256": [None, upload.sha256]}
    found.document_id, found.document_name = intake.keep(upload).id, upload.name
    found.version += 1
    _record(Kind.AGREEMENT_EDITED, party, found, by, changes)
    db.session.flush()
    return _detail(found)


def remove_document(party_id: int, agreement_id: int, *, version: int, by: Viewer) -> AgreementDetail:
    """Take the document away."""
    party = reach_as_team(party_id, by=by, change=True)
    found = _load(party, agreement_id, by)
    if found.document_id is None:
        raise Refusal("This agreement has no document.")
    _check_seen(found, version)
    _record(Kind.AGREEMENT_EDITED, party, found, by, {"document": [found.document_name, None]})
    found.document_id, found.document_name = None, ""
    found.version += 1
    db.session.flush()
    return _detail(found)


def _check_seen(found: Agreement, version: int) -> None:
    """Nobody takes away or replaces a document they have not seen."""
    if version != found.version:
        raise Stale("Somebody changed this agreement after you opened it. Look at what it has now, then try again.")


def _fitting(party: Party, terms: Terms, *, but: int = 0) -> dict[str, Any]:
    """What the agreement says, tidied; refused at the field that will not do."""
    values: dict[str, Any] = {
        "number": parties.within("number", terms.number, LONGEST_NUMBER),
        "title": parties.within("title", terms.title, LONGEST_TITLE),
        "hours": parties.within("hours", terms.hours, LONGEST_HOURS),
        "times": _fitting_times(terms.times),
        "status": _status(terms.status),
        "starts_on": terms.starts_on,
        "ends_on": terms.ends_on,
    }
    for key, sentence in (("number", "Give the agreement a number."), ("title", "Give the agreement a title.")):
        if not values[key]:
            raise Unfit(key, sentence)
    if terms.starts_on and terms.ends_on and terms.ends_on < terms.starts_on:
        raise Unfit("ends_on", "It must not end before it begins.")
    taken = select(Agreement.id).where(Agreement.party_id == party.id, Agreement.number == values["number"], Agreement.id != but)
    if db.session.scalar(taken) is not None:
        raise Unfit("number", "There is already an agreement with this number. Choose another one.")
    return values


def _status(word: str) -> AgreementStatus:
    try:
        return AgreementStatus(word)
    except ValueError:
        raise Unfit("status", "Choose draft, active or ended.") from None


def _fitting_times(times: Mapping[str, tuple[str, str]]) -> dict[str, list[str]]:
    names = ("response", "resolution")
    tidy = {
        key: [parties.within(f"{name}_{key}", text, LONGEST_TIME) for name, text in zip(names, times.get(key, ("", "")), strict=True)]
        for key in SEVERITIES
    }
    return {key: pair for key, pair in tidy.items() if any(pair)}


def _named(party: Party, contact_ids: Collection[int]) -> dict[int, str]:
    """Id and name of the contacts; all of them must be the organisation's own."""
    wanted = select(Contact.id, Contact.name).where(Contact.party_id == party.id, Contact.id.in_(set(contact_ids)))
    named = {row.id: row.name for row in db.session.execute(wanted.order_by(Contact.id))}
    if len(named) < len(set(contact_ids)):
        raise NotVisible("contact")
    return named


def _name(agreement_id: int, named: Collection[int]) -> None:
    db.session.execute(delete_from(agreement_contact).where(agreement_contact.c.agreement_id == agreement_id))
    if named:
        db.session.execute(insert(agreement_contact), [{"agreement_id": agreement_id, "contact_id": key} for key in named])


def _record(kind: Kind, party: Party, found: Agreement, by: Viewer, changes: dict[str, Any]) -> None:
    told = {"party": [party.name, party.name], "agreement": [found.number, found.number], **changes}
    record(kind, actor=by, organisation_id=party.organisation_id, object_id=found.id, changes=told)
