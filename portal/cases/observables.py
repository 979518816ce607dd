"""Adding, changing and deleting observables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, select

from ..accounts.permissions import Permission
from ..accounts.viewer import Viewer
from ..audit.kinds import Kind
from ..audit.record import record
from ..clock import now
from ..extensions import db
from ..refusals import NotAllowed, NotVisible, Refusal, Stale
from ..words import Number, _
from . import indicators
from .cases import SLACK
from .comments import recount_outside
from .models import Case, Observable, ObservableType
from .tags import checked as checked_tags
from .text import LONGEST, render, tidy

MOST_LINES = 500
LONGEST_TEXT = 65_536  # bytes of one paste
_type = cast("Table", ObservableType.__table__)
GUESS = ""  # as a type: find it out for each line


@dataclass(frozen=True)
class Facets:
    """What can be said about an observable, and changed later. TLP 0-4, PAP 0-3."""

    message: str = ""
    tags: tuple[str, ...] = ()
    tlp: int = 2
    pap: int = 2
    ioc: bool = False
    sighted: bool = False
    sighted_at: datetime | None = None
    ignore_similarity: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of one line or file. `place`: its line, from 1. `problem`: why it was left out; None for what was added."""

    place: int
    type: str
    value: str
    problem: str | None = None

    @property
    def shown(self) -> str:
        """The value, harmless."""
        return indicators.defang(self.type, self.value)


def load_observable(case: Case, uid: str) -> Observable:
    """An observable of this case as the viewer may see it."""
    found: Observable | None = db.session.scalar(select(Observable).where(Observable.uid == uid, Observable.case_id == case.id))
    if found is None:
        raise NotVisible("observable")
    return found


def check_writer(by: Viewer, found: Observable | None = None) -> None:
    """Whether this person may add observables, or touch the one `found`; people outside only what they added themselves."""
    if not by.can(Permission.OBSERVABLE) or (by.external and found is not None and found.author_id != by.user_id):
        raise NotAllowed(_("Your profile does not let you add or change observables."))


def checked(facets: Facets) -> Facets:
    """The facets as they will be kept, or a Refusal."""
    message = tidy(facets.message)
    if len(message) > LONGEST:
        raise Refusal(f"The message is longer than {LONGEST:,} characters. Put the rest into a comment.")
    if facets.tlp not in range(5) or facets.pap not in range(4):
        raise Refusal("Choose TLP and PAP from the lists.")
    since = (facets.sighted_at or now()) if facets.sighted else None
    if since and since > now() + SLACK:
        raise Refusal("It cannot have been sighted in the future. Check the date, or leave it empty for now.")
    own = {field.name: getattr(facets, field.name) for field in fields(Facets)}
    return Facets(**{**own, "message": message, "tags": tuple(checked_tags(facets.tags)), "sighted_at": since})


def lines_of(text: str, *, one_per_line: bool) -> list[tuple[int, str]]:
    """Number and text of each value in a paste, blank lines left out; or a Refusal when it is too much."""
    if len(text.encode(errors="replace")) > LONGEST_TEXT:
        raise Refusal(_("This is more than %(size)s KB of text. Add it in parts, or as a file.", size=LONGEST_TEXT // 1024))
    whole = tidy(text)
    if not one_per_line:
        return [(1, whole)] if whole else []
    found = [(number, line.strip()) for number, line in enumerate(tidy_lines(text), 1) if line.strip()]
    if len(found) > MOST_LINES:
        raise Refusal(_("These are %(count)s lines. Add at most %(most)s at once.", count=Number(len(found)), most=MOST_LINES))
    return found


def tidy_lines(text: str) -> list[str]:
    """The lines of a text, blank ones at its beginning counted too."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [tidy(line) for line in lines]


def read_lines(case: Case, kind: str, text: str, *, one_per_line: bool, by: Viewer) -> list[Outcome]:
    """What adding this text would do, line by line; nothing is written."""
    check_writer(by)
    if kind != GUESS and holds_files(kind) is not False:
        raise Refusal("Choose a type from the list. Files are added with the button for files.")
    lines = lines_of(text, one_per_line=one_per_line)
    if not lines:
        raise Refusal("Type or paste at least one value.")
    if kind == GUESS and "\n" in lines[0][1]:
        raise Refusal("This is more than one line. Tick one per line to add each by itself, or choose a type to keep them together.")
    read = [_read(number, kind or indicators.guess(line), line) for number, line in lines]
    return without_repeats(case, read, by)


def _read(number: int, kind: str, line: str) -> Outcome:
    value = indicators.fitting(kind, line)
    return Outcome(number, kind, value or line, indicators.problem_with(kind, value))


def holds_files(kind: str) -> bool | None:
    """Whether observables of this type are files; None when there is no such type."""
    found: bool | None = db.session.connection().scalar(select(_type.c.is_file).where(_type.c.name == kind))  # past the guard, as below
    return found


def without_repeats(case: Case | None, read: list[Outcome], by: Viewer) -> list[Outcome]:
    """The same, with a problem said of what comes twice or is on the case already; None: there is no case yet."""
    keys = {one.place: indicators.key_of(one.type, one.value) for one in read if one.problem is None}
    there = keys_on(case, keys.values(), by=by) if case is not None else set()
    first: dict[str, int] = {}
    told = []
    for one in read:
        key, problem = keys.get(one.place, ""), one.problem
        if problem is None and key in there:
            problem = _("This is on the case already.")
        elif problem is None and key in first:
            problem = _("This is the same as line %(line)s.", line=first[key])
        else:
            first.setdefault(key, one.place)
        told.append(Outcome(one.place, one.type, one.value, problem))
    return told


def keys_on(case: Case, keys: Iterable[str], *, by: Viewer) -> set[str]:
    """Which of these keys the case has already, as this person may know: an outsider is told of what outsiders added only."""
    wanted = select(Observable.value_key).where(Observable.case_id == case.id, Observable.value_key.in_(set(keys)))
    return set(db.session.scalars(wanted.where(Observable.author_external) if by.external else wanted))


def add_lines(case: Case, kind: str, text: str, facets: Facets, *, one_per_line: bool, by: Viewer) -> list[Outcome]:
    """Add what can be added of the text and say for each line what became of it. The case must be locked."""
    outcomes = read_lines(case, kind, text, one_per_line=one_per_line, by=by)
    values = checked(facets)
    good = [one for one in outcomes if one.problem is None]
    rows = [new_observable(case, one.type, one.value, indicators.key_of(one.type, one.value), values, by=by) for one in good]
    keep_new(case, rows, by=by)
    return outcomes


def new_observable(case: Case, kind: str, value: str, key: str, facets: Facets, *, by: Viewer, **more: Any) -> Observable:
    """A row, not stored yet. What external users add is theirs to see; what colleagues add never leaves."""
    moment = now()
    return Observable(
        case_id=case.id,
        organisation_id=case.organisation_id,
        type=kind,
        value=value,
        value_key=key,
        message=facets.message,
        message_html=render(facets.message),
        tlp=facets.tlp,
        pap=facets.pap,
        tags=list(facets.tags),
        ioc=facets.ioc,
        sighted=facets.sighted,
        sighted_at=facets.sighted_at,
        ignore_similarity=facets.ignore_similarity,
        author_id=by.user_id,
        author_name=by.name,
        author_external=by.external,
        outside_at=moment if by.external else None,
        created_at=moment,
        **more,
    )


def keep_new(case: Case, rows: list[Observable], *, by: Viewer) -> None:
    """Store new rows with one entry in the trail that names them all."""
    if not rows:
        return
    _hold_types({row.type for row in rows})
    db.session.add_all(rows)
    db.session.flush()
    case.updated_at = now()
    if by.external:
        case.outside_at = case.updated_at
    told = [_in_words(row) for row in rows]
    record(Kind.OBSERVABLE_ADDED, actor=by, case=case, object_id=rows[0].uid, changes={"observables": [None, told]})


def _hold_types(names: set[str]) -> None:
    """The types stay until the end of the transaction; refused when one of them was deleted while the form was open."""
    held = select(_type.c.name).where(_type.c.name.in_(names)).order_by(_type.c.id).with_for_update(read=True)
    if gone := sorted(names - set(db.session.connection().scalars(held))):  # past the guard: outsiders' sessions know no types
        raise Refusal(_("There is no type %(type)s any more. Choose another one.", type=gone[0]))


def _in_words(row: Observable) -> str:
    return f"{row.type} {row.value}"


def edit_observable(case: Case, found: Observable, facets: Facets, *, version: int, by: Viewer) -> list[str]:
    """Change what is said about an observable; its type and value stay. Returns the names of what changed."""
    check_writer(by, found)
    if version != found.version:
        raise Stale("Somebody else changed this observable while you were editing it.")
    return change(case, found, facets, by=by)


def change(case: Case, found: Observable, facets: Facets, *, by: Viewer) -> list[str]:
    """Write what differs, without asking what the person saw before."""
    check_writer(by, found)
    wanted = checked(facets)
    told: dict[str, list[Any]] = {}
    for name, value in ((field.name, getattr(wanted, field.name)) for field in fields(Facets)):
        value = list(value) if name == "tags" else value
        if (old := getattr(found, name)) != value:
            told[name] = [_plain(old), _plain(value)]
            setattr(found, name, value)
    if not told:
        return []
    moment = now()
    if "message" in told:
        found.message_html = render(found.message)
    found.version += 1
    found.updated_at = case.updated_at = moment
    record(Kind.OBSERVABLE_EDITED, actor=by, case=case, object_id=found.uid, changes={"observable": [None, _in_words(found)], **told})
    return sorted(told)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def facets_of(found: Observable) -> Facets:
    """What is said about an observable now."""
    return Facets(**{field.name: getattr(found, field.name) for field in fields(Facets)} | {"tags": tuple(found.tags)})


def delete_observable(case: Case, found: Observable, *, by: Viewer) -> None:
    """Take an observable off the case; the trail keeps type and value."""
    check_writer(by, found)
    told: dict[str, Any] = {"observable": [_in_words(found), None]}
    if found.sha256:
        told["sha256"] = [found.sha256, None]
    record(Kind.OBSERVABLE_DELETED, actor=by, case=case, object_id=found.uid, changes=told)
    outside = found.author_external
    db.session.delete(found)
    db.session.flush()
    case.updated_at = now()
    if outside:
        recount_outside(case)


def take_back(case: Case, found: Observable, *, by: Viewer) -> None:
    """Take one's own observable away from everybody outside. What colleagues have written on it stays with them: on the same one of their
    own, where there is one, or as an internal one."""
    check_writer(by, found)
    if found.version == 1 or _given_to_twin(case, found, by):
        delete_observable(case, found, by=by)
        return
    record(Kind.OBSERVABLE_WITHDRAWN, actor=by, case=case, object_id=found.uid, changes={"external": [True, False]})
    found.author_external, case.updated_at = False, now()
    db.session.flush()
    recount_outside(case)


_own = cast("Table", Observable.__table__)  # past the guard: people outside see no internal ones
_FLAGS = ("ioc", "sighted", "ignore_similarity")


def _given_to_twin(case: Case, found: Observable, by: Viewer) -> bool:
    """Whether there is the same observable inside; it has then what colleagues wrote on this one, too."""
    same = (_own.c.case_id == case.id, _own.c.value_key == found.value_key, _own.c.author_external.is_(False))
    twin = db.session.connection().execute(select(_own).where(*same)).one_or_none()
    if twin is None:
        return False
    changed = {name: value for name, value in _united(twin, found).items() if getattr(twin, name) != value}
    if not changed:
        return True
    told = {name: [_plain(getattr(twin, name)), _plain(value)] for name, value in changed.items()}
    if "message" in changed:
        changed["message_html"] = render(changed["message"])
    moment = now()
    db.session.connection().execute(
        _own.update().where(_own.c.id == twin.id).values(**changed, version=twin.version + 1, updated_at=moment)
    )
    told["observable"] = [None, f"{_in_words(found)}; what colleagues wrote on the one that {by.name} had added, and withdrew"]
    record(Kind.OBSERVABLE_EDITED, actor=None, case=case, object_id=twin.uid, changes=told)  # none of it is that person's
    return True


def _united(twin: Any, found: Observable) -> dict[str, Any]:
    """What is said about either; where somebody made it stricter, that."""
    stricter = {
        name: max(getattr(twin, name), getattr(found, name)) for name in ("tlp", "pap") if getattr(found, name) != getattr(Facets, name)
    }
    return {
        "message": "\n\n".join(dict.fromkeys(filter(None, (twin.message, found.message)))),
        "tags": sorted({*twin.tags, *found.tags}),
        "sighted_at": min(filter(None, (twin.sighted_at, found.sighted_at)), default=None),
        **{name: getattr(twin, name) or getattr(found, name) for name in _FLAGS},
        **stricter,
    }


def types_for(*, files: bool | None = None) -> list[str]:
    """Names of the types a value, or a file, can have; of all when that is not said."""
    wanted = select(ObservableType.name).order_by(ObservableType.name)
    return list(db.session.scalars(wanted if files is None else wanted.where(ObservableType.is_file.is_(files))))
