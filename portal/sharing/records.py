"""What outsiders may know, field by field. Adding a field here is a decision to disclose it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class CaseWishes:
    """What the portal's list is narrowed to; None and empty mean any. `words`: what was typed to search for; `stage`: a stage, or "open".

    `mine`: reported by the reader; `waiting`: the security team wrote last. `sort`: updated, opened, severity or number, with a minus for
    the last first. Dates: from the first moment on, before the second.
    """

    words: str = ""
    stage: str = ""
    severity: int | None = None
    tag: str = ""
    mine: bool = False
    unread: bool = False
    waiting: bool = False
    opened_from: datetime | None = None
    opened_to: datetime | None = None
    updated_from: datetime | None = None
    updated_to: datetime | None = None
    sort: str = ""


@dataclass(frozen=True, slots=True)
class StageReached:
    """That a case entered a stage, and when."""

    stage: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SharedCaseRow:
    """A line of the portal's list. `updated_at` moves only with what its reader can see; `unread`: later than they last looked."""

    number: int
    title: str
    severity: int
    stage: str
    stage_at: datetime
    tags: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    unread: bool = False


@dataclass(frozen=True, slots=True)
class SharedCase:
    """A case on its own page. `start_date`: when it began, where anybody said so; `muted`: its reader wants no letters about it."""

    number: int
    title: str
    severity: int
    stage: str
    stage_at: datetime
    tags: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    description_html: Markup
    start_date: datetime | None
    new_at: datetime | None
    in_progress_at: datetime | None
    closed_at: datetime | None
    muted: bool = False


@dataclass(frozen=True, slots=True)
class SharedField:
    """A custom field the platform shows outside, with its values on a case. `kind`: the type, for how a date is written."""

    label: str
    help: str
    kind: str
    values: list[str]


@dataclass(frozen=True, slots=True)
class SharedComment:
    """A message. `author` is a display name or the team's; `message` is the source text, for its author to edit.

    `withdrawn`: the team took it away; its own author is told so, without the words, and nobody else is told anything.
    `version`: of its words, for its author to edit. `new`: somebody else wrote it, or changed it, after its reader last looked.
    """

    uid: str
    author: str
    from_team: bool
    mine: bool
    message: str
    message_html: Markup
    created_at: datetime
    edited_at: datetime | None
    withdrawn: bool = False
    version: str = ""
    new: bool = False


@dataclass(frozen=True, slots=True)
class SharedFile:
    """A file that was made external. `author` is a display name or the team's; `withdraw_until`: how long its sender can take it back.

    `new`: somebody else's, gone outside after its reader last looked.
    """

    uid: str
    name: str
    size: int
    author: str
    from_team: bool
    mine: bool
    created_at: datetime
    withdraw_until: datetime | None = None
    new: bool = False


@dataclass(frozen=True, slots=True)
class SharedContent:
    """What it takes to hand a file out: the hash is where its bytes are found."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class TakenFile:
    """A file as it is taken along with its case: the hash is there to check it by."""

    uid: str
    name: str
    size: int
    sha256: str
    author: str
    from_team: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class TakenItem:
    """An evidence item as it is taken along with its case. `kind`: in plain words; `shown`: the value, harmless; `size` and `sha256`
    of a file only."""

    kind: str
    shown: str
    size: int | None
    sha256: str | None
    author: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SharedItem:
    """A piece of evidence somebody outside added. `kind`: in plain words; `shown`: its harmless form, or the name of a file, which is
    described by size and hash and handed out to nobody."""

    uid: str
    kind: str
    shown: str
    size: int | None
    sha256: str
    author: str
    mine: bool
    created_at: datetime
    withdraw_until: datetime | None


@dataclass(frozen=True, slots=True)
class ItemLine:
    """What became of one line of evidence somebody typed. `shown`: its harmless form; `problem`: why it was left out."""

    place: int
    kind: str
    shown: str
    problem: str | None


@dataclass(frozen=True, slots=True)
class KeptReport:
    """A report somebody has begun: what they typed, by field, for themselves alone."""

    fields: dict[str, str]
    updated_at: datetime
    version: str


@dataclass(frozen=True, slots=True)
class ReportLook:
    """A report as it would be sent, for its writer to look at. `items`: what would become of each line of evidence."""

    title: str
    description_html: Markup
    items: list[ItemLine]


@dataclass(frozen=True, slots=True)
class OwnRole:
    """A functional role open to the reader's own external organisation. `words`: what it allows."""

    uid: str
    name: str
    words: list[str]


@dataclass(frozen=True, slots=True)
class OwnDetails:
    """The reader's own external organisation. `domains`: those its people's addresses must have; `people`: how many it has that are not
    deactivated, out of `cap`."""

    name: str
    phone: str
    kind: str
    primary_contact: str
    domains: list[str]
    cap: int | None
    people: int
    version: str


@dataclass(frozen=True, slots=True)
class OwnPerson:
    """Somebody with an account who works for the reader's own external organisation. `state`: one of the words accounts/roster.py has."""

    uid: str
    name: str
    email: str
    role_uids: tuple[str, ...]
    role_names: tuple[str, ...]
    portal_admin: bool
    state: str
    until: datetime | None
    last_sign_in_at: datetime | None
    confirmed: bool
    me: bool


@dataclass(frozen=True, slots=True)
class TypedAddress:
    """One of the addresses somebody typed. `problem`: why nobody can be added with it, empty where that is not so."""

    email: str
    problem: str


@dataclass(frozen=True, slots=True)
class AddedPerson:
    """What became of one address. `deactivated`: its person was here before, and stays without access until reactivated."""

    email: str
    done: bool
    sentence: str
    uid: str
    deactivated: bool


@dataclass(frozen=True, slots=True)
class OwnOutcome:
    """What became of one person: done, or why not."""

    name: str
    done: bool
    sentence: str
    me: bool


@dataclass(frozen=True, slots=True)
class OwnAddress:
    """Where the reader's own external organisation is. `id`: its place in the list, 0 where it is not kept yet."""

    id: int
    kind: str
    street: str
    city: str
    region: str
    postal_code: str
    country: str


@dataclass(frozen=True, slots=True)
class OwnAgreement:
    """A service agreement of the reader's own external organisation, in a list. `state`: coming, active or ended."""

    uid: str
    number: str
    title: str
    state: str
    starts_on: date | None
    ends_on: date | None


@dataclass(frozen=True, slots=True)
class OwnAgreementPage:
    """A service agreement on its own page. `times`: severity, first answer, solution; `document`: the name of its file, if there is one."""

    uid: str
    number: str
    title: str
    state: str
    starts_on: date | None
    ends_on: date | None
    hours: str
    times: list[tuple[int, str, str]]
    contacts: list[str]
    document: str
    document_size: int
