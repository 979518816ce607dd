"""Editing a case as a whole, and what of a stored case a form holds; two people at it at once see each other's values."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from flask import g, request

from ..accounts.directory import colleagues
from ..accounts.permissions import Permission
from ..cases import cases, queries, statuses
from ..cases.tags import split_tags
from ..refusals import Refusal, Stale
from ..web import times
from ..web.show import see_other
from .cases import draft_from, edit_page
from .face import console
from .forms import EditCaseForm, choices

FIELDS = ("title", "description", "severity", "tlp", "pap", "status", "assignee", "start_date", "tags")
TAKEN_OVER = "Not changed by you: the stored value is in the form now."


@console.route("/cases/<id:number>/edit", needs=Permission.UPDATE_CASE, methods=["GET", "POST"])
def edit_case(number: int) -> Any:
    """Change what is known about the case."""
    case = cases.load(number, change=request.method == "POST")
    view, _ = queries.case_view(case)
    form = EditCaseForm() if request.method == "POST" else EditCaseForm(formdata=None, data=form_data(case))
    offer(form, case, view.assignee)
    if request.method == "GET":
        form.base.data = json.dumps(marks(case))
    if request.method == "GET" or not form.validate():
        return edit_page(form, view)
    return _save(case, view, form)


def offer(form: Any, case: Any, assignee: str | None) -> None:
    """Fill the lists of statuses and of people, where the form has them."""
    if "status" in form:
        form.status.choices = choices(*statuses.choices_of(case))
    if "assignee" in form:
        form.assignee.choices = choices(("", "Nobody"), *((str(key), name) for key, name in _assignees(case, assignee)))


def _assignees(case: Any, name: str | None) -> list[tuple[int, str]]:
    """Whom the case can be assigned to; somebody who left or is locked may keep it."""
    known = colleagues(case.organisation_id, besides=[case.assignee_id, g.viewer.user_id])
    if case.assignee_id is not None and case.assignee_id not in dict(known):
        known.append((case.assignee_id, f"{name} (no longer active)"))
    return known


def _save(case: Any, view: Any, form: EditCaseForm) -> Any:
    draft = draft_from(form, case.start_date, status=form.status.data, assignee_id=form.assignee.data)
    try:
        changed = cases.update_case(case, draft, version=form.version.data, by=g.viewer, reason=form.reason.data or "")
    except Stale as refusal:
        differences = _merge(form, case)
        form.version.data = case.version
        form.version.raw_data = [str(case.version)]
        form.base.data = json.dumps(marks(case))
        return edit_page(form, view, problem=refusal.sentence, stale=differences)
    except Refusal as refusal:
        return edit_page(form, view, problem=form.place(refusal))
    warning = cases.warning_after(case, changed)
    return see_other(".case", f"Case #{case.number} is saved. {warning}".strip(), warning=bool(warning), number=case.number)


def form_data(case: Any) -> dict[str, Any]:
    """The stored case as the fields of a form hold it."""
    names = ("title", "description", "severity", "tlp", "pap", "status", "version")
    more = {"start_date": times.local(case.start_date), "tags": ", ".join(case.tags), "assignee": str(case.assignee_id or "")}
    return {name: getattr(case, name) for name in names} | more


def plain(name: str, value: Any) -> str:
    """A field's value as text, so that what is the same compares as the same."""
    if value is None or value == "":
        return ""
    if name == "start_date":
        return str(value.strftime("%Y-%m-%d %H:%M"))
    if name == "tags":
        return ", ".join(split_tags(value))
    return str(value).replace("\r\n", "\n").strip()


def mark(text: str) -> str:
    """What a form remembers of a value it was opened with."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def marks(case: Any) -> dict[str, str]:
    """The marks of everything the form shows when it is opened."""
    stored = form_data(case)
    return {name: mark(plain(name, stored[name])) for name in FIELDS}


def _merge(form: EditCaseForm, case: Any) -> list[tuple[str, str, str]]:
    """Where the stored case and the form differ: label, theirs, yours. What only the other one changed is taken into the form."""
    told, opened_with, stored = [], _opened_with(form), form_data(case)
    for name in FIELDS:
        field, theirs = form[name], plain(name, stored[name])
        yours = plain(name, field.data)
        if theirs == yours:
            continue
        shown = word_of(field, theirs)
        if opened_with.get(name) == mark(yours):
            take(field, stored[name])
            told.append((field.label.text, shown, TAKEN_OVER))
        else:
            told.append((field.label.text, shown, word_of(field, yours)))
    return told


def _opened_with(form: EditCaseForm) -> dict[str, Any]:
    try:
        kept = json.loads(form.base.data or "{}")
    except ValueError:
        return {}
    return kept if isinstance(kept, dict) else {}


def word_of(field: Any, value: str) -> str:
    """How a list calls the value; of other fields the value itself."""
    words = {str(choice.value): choice.label for choice in field.choices} if hasattr(field, "choices") else {}
    return str(words.get(value, value))


def take(field: Any, value: Any) -> None:
    """Put a stored value into a field that was sent with another one."""
    field.data = field.coerce(value) if hasattr(field, "coerce") else value
    field.raw_data = None
