"""Case templates: what a new case of a kind begins with; an organisation's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as column
from typing import Any

from sqlalchemy import func, select

from ..accounts.permissions import Permission
from ..accounts.viewer import Viewer
from ..audit.kinds import Kind
from ..audit.record import record
from ..clock import now
from ..database import queue_up
from ..extensions import db
from ..refusals import NotAllowed, NotVisible, Refusal, Stale, Unfit
from . import fields, tasks
from .models import Case, CaseTemplate, CustomField, CustomValue
from .tags import checked as checked_tags
from .text import LONGEST, tidy

LONGEST_NAME, LONGEST_PREFIX, LONGEST_DESCRIPTION = 64, 128, 1000
MOST, MOST_TASKS = 200, 50
NO_RIGHT = "Your profile does not let you manage case templates."
STALE = "Somebody else changed this template after you opened it. Compare below, then save again."


@dataclass(frozen=True)
class Draft:
    """The editable part of a template. `tasks`: title, group, description, mandatory; `fields`: technical name -> value as typed."""

    name: str
    description: str = ""
    title_prefix: str = ""
    case_description: str = ""
    severity: int = 2
    tlp: int = 2
    pap: int = 2
    tags: tuple[str, ...] = ()
    tasks: tuple[tasks.Draft, ...] = ()
    fields: dict[str, str] = column(default_factory=dict)


def listed(viewer: Viewer) -> list[CaseTemplate]:
    """The organisation's templates by name."""
    wanted = select(CaseTemplate).where(CaseTemplate.organisation_id == viewer.organisation_id)
    return sorted(db.session.scalars(wanted.limit(MOST)), key=lambda row: row.name.casefold())


def names(viewer: Viewer) -> list[tuple[int, str]]:
    """Id and name of each, to choose from."""
    wanted = select(CaseTemplate.id, CaseTemplate.name).where(CaseTemplate.organisation_id == viewer.organisation_id)
    return sorted(((row.id, row.name) for row in db.session.execute(wanted.limit(MOST))), key=lambda pair: pair[1].casefold())


def load(template_id: int, *, by: Viewer, change: bool = False) -> CaseTemplate:
    """A template of the organisation one works in; `change` locks its row."""
    wanted = select(CaseTemplate).where(CaseTemplate.id == template_id, CaseTemplate.organisation_id == by.organisation_id)
    found = db.session.scalar(wanted.with_for_update().execution_options(populate_existing=True) if change else wanted)
    if found is None:
        raise NotVisible("template")
    return found


def check_right(by: Viewer) -> None:
    """Templates are made by those the organisation trusts with them."""
    if not by.can(Permission.MANAGE_TEMPLATES):
        raise NotAllowed(NO_RIGHT)


def create(draft: Draft, *, by: Viewer) -> CaseTemplate:
    """A new template of the organisation."""
    check_right(by)
    queue_up("case templates")
    values = _checked(draft, by)
    held = select(func.count(CaseTemplate.id)).where(CaseTemplate.organisation_id == by.organisation_id)
    if (db.session.scalar(held) or 0) >= MOST:
        raise Refusal(f"An organisation has at most {MOST} templates. Delete one you do not need any more.")
    template = CaseTemplate(organisation_id=by.organisation_id, **values)
    db.session.add(template)
    db.session.flush()
    record(Kind.TEMPLATE_CREATED, actor=by, object_id=template.id, changes={"name": [None, template.name]})
    return template


def edit(template: CaseTemplate, draft: Draft, *, version: int, by: Viewer) -> bool:
    """Write what differs, and say whether anything did; cases that began with it stay as they are."""
    check_right(by)
    if version != template.version:
        raise Stale(STALE)
    queue_up("case templates")
    values = _checked(draft, by, but=template)
    changed = {name: value for name, value in values.items() if getattr(template, name) != value}
    if not changed:
        return False
    changes = {name: [in_words(getattr(template, name)), in_words(value)] for name, value in changed.items()}
    record(Kind.TEMPLATE_EDITED, actor=by, object_id=template.id, changes={"name": [template.name, template.name], **changes})
    for name, value in changed.items():
        setattr(template, name, value)
    template.version += 1
    template.updated_at = now()
    return True


def delete(template: CaseTemplate, *, by: Viewer) -> str:
    """Remove a template, and return the name it had; cases that began with it stay."""
    check_right(by)
    record(Kind.TEMPLATE_DELETED, actor=by, object_id=template.id, changes={"name": [template.name, None]})
    db.session.delete(template)
    db.session.flush()
    return template.name


def in_words(value: Any) -> Any:
    """Tasks and field values as a person reads them; the rest as it is."""
    if isinstance(value, dict):
        return [f"{name}: {text}" for name, text in sorted(value.items())]
    if isinstance(value, list):
        return [task_in_words(row) if isinstance(row, dict) else row for row in value]
    return value


def task_in_words(row: Mapping[str, Any]) -> str:
    """A task on one line."""
    parts = [str(row["title"])]
    if row.get("group"):
        parts.append(f"({row['group']})")
    if row.get("mandatory"):
        parts.append("mandatory")
    return " ".join(parts)


def draft_of(template: CaseTemplate) -> Draft:
    """The template as the draft it was made from."""
    kept = ("name", "description", "title_prefix", "case_description", "severity", "tlp", "pap")
    return Draft(
        **{name: getattr(template, name) for name in kept},
        tags=tuple(template.tags),
        tasks=tuple(task_drafts(template)),
        fields=dict(template.fields),
    )


def task_drafts(template: CaseTemplate) -> list[tasks.Draft]:
    """The tasks a case made with it begins with."""
    return [
        tasks.Draft(row["title"], group=row.get("group", ""), description=row.get("description", ""), mandatory=bool(row.get("mandatory")))
        for row in template.tasks
    ]


def furnish(case: Case, template: CaseTemplate | None, more: Iterable[str] = (), *, by: Viewer) -> None:
    """Give a case that was just made the tasks and field values of the template, and further tasks by their titles."""
    if drafts := check_tasks(template, more):
        tasks.add_tasks(case, drafts, by=by)
    values = field_values(template, hold=True) if template else []
    for field, value in values:
        db.session.add(CustomValue(case_id=case.id, field_id=field.id, value=value))
    if values:
        changes = fields.in_trail((field, None, value) for field, value in values)
        record(Kind.FIELD_SET, actor=by, case=case, object_id=case.number, changes=changes)


def check_tasks(template: CaseTemplate | None, more: Iterable[str]) -> list[tasks.Draft]:
    """The tasks of a new case, the template's first, or a Refusal; asked before the case is made."""
    typed = [tasks.Draft(title) for line in more if (title := " ".join(tidy(line).split()))]
    for draft in typed:
        if len(draft.title) > tasks.LONGEST_TITLE:
            raise Unfit("tasks", f"Use at most {tasks.LONGEST_TITLE} characters for each task: “{draft.title[:40]}…” is longer.")
    drafts = [*(task_drafts(template) if template else ()), *typed]
    if len(drafts) > tasks.MOST:
        raise Unfit("tasks", f"A case has at most {tasks.MOST} tasks. Leave some of them out.")
    return drafts


def field_values(template: CaseTemplate, *, hold: bool = False) -> list[tuple[CustomField, str]]:
    """The field values a case made with it gets: those that still fit, in the order of the fields. `hold`: to write them."""
    found = []
    for field in fields.definitions(hold=hold) if template.fields else []:
        try:
            found.append((field, fields.parse(field, template.fields[field.name])))
        except (KeyError, Unfit):  # not in the template; or the field has changed since
            continue
    return found


def _checked(draft: Draft, by: Viewer, but: CaseTemplate | None = None) -> dict[str, Any]:
    """The values as they are kept, or a Refusal naming the field."""
    if draft.severity not in range(1, 5) or draft.tlp not in range(5) or draft.pap not in range(4):
        raise Refusal("Choose severity, TLP and PAP from the lists.")
    texts = {
        "description": _fits("description", tidy(draft.description), LONGEST_DESCRIPTION),
        "title_prefix": _fits("title_prefix", " ".join(tidy(draft.title_prefix).split()), LONGEST_PREFIX),
        "case_description": _fits("case_description", tidy(draft.case_description), LONGEST),
    }
    return {
        "name": _free_name(draft.name, by, but),
        **texts,
        "severity": draft.severity,
        "tlp": draft.tlp,
        "pap": draft.pap,
        "tags": checked_tags(draft.tags),
        "tasks": _task_rows(draft.tasks),
        "fields": _field_values(draft.fields, but),
    }


def _fits(name: str, text: str, longest: int) -> str:
    if len(text) > longest:
        raise Unfit(name, f"Use at most {longest:,} characters here.")
    return text


def _free_name(name: str, by: Viewer, but: CaseTemplate | None) -> str:
    """The name, tidied; refused when another template of the organisation has it. Compared here, for databases fold ASCII only."""
    name = " ".join(tidy(name).split())
    if not name:
        raise Unfit("name", "Give the template a name.")
    if len(name) > LONGEST_NAME:
        raise Unfit("name", f"Use at most {LONGEST_NAME} characters for the name.")
    taken = {text.casefold() for key, text in names(by) if but is None or key != but.id}
    if name.casefold() in taken:
        raise Unfit("name", f"There is a template called {name} already. Choose another name.")
    return name


def _task_rows(drafts: Iterable[tasks.Draft]) -> list[dict[str, Any]]:
    rows = []
    for number, draft in enumerate(drafts, 1):
        try:
            rows.append({**tasks.checked_texts(draft), "mandatory": draft.mandatory})
        except Unfit as refusal:
            raise Unfit("tasks", f"Task {number}: {refusal.sentence}") from None
    if len(rows) > MOST_TASKS:
        raise Unfit("tasks", f"A template has at most {MOST_TASKS} tasks.")
    return rows


def _field_values(texts: dict[str, str], but: CaseTemplate | None) -> dict[str, str]:
    """Each value as its field writes it. One the template has already may stay, even if it is no option any more."""
    known = {row.name: row for row in fields.definitions()}
    kept = but.fields if but else {}
    values = {}
    for name, text in texts.items():
        if not text.strip() or name not in known:
            continue
        values[name] = text if kept.get(name) == text else fields.parse(known[name], text)
    return values
