"""A new case: from nothing or from a template, whose tasks and field values come with it."""

from __future__ import annotations

import re
from typing import Any

from flask import g, request

from ..accounts.directory import colleagues
from ..accounts.permissions import Permission
from ..cases import cases, templates
from ..cases.models import CaseTemplate
from ..cases.tags import split_tags
from ..refusals import NotVisible, Refusal, Unfit
from ..web.show import see_other, show
from .cases import draft_from
from .face import console
from .template_forms import NewCaseForm

SCALES = ("severity", "tlp", "pap")
USUAL = 2


@console.route("/cases/new", needs=Permission.CREATE_CASE, methods=["GET", "POST"])
def new_case() -> Any:
    """Open a case."""
    form = NewCaseForm() if request.method == "POST" else NewCaseForm(formdata=None, data={"assignee": str(g.viewer.user_id)})
    _offer(form)
    wanted = _template(form.template.data if request.method == "POST" else request.args.get("template", ""))
    before = _template(form.filled.data or "")
    if request.method == "GET" or request.form.get("fill") or wanted is not before:
        return _page(_filled(form, before, wanted), wanted, changed=request.method == "POST" and not request.form.get("fill"))
    if not form.validate():
        return _page(form, wanted)
    return _open(form, wanted)


def _offer(form: NewCaseForm) -> None:
    people = colleagues(g.viewer.organisation_id, besides=[g.viewer.user_id])
    mine = [(key, f"{name} (you)" if key == g.viewer.user_id else name) for key, name in people]
    form.offer(templates.names(g.viewer), sorted(mine, key=lambda pair: pair[0] != g.viewer.user_id))


def _template(key: object) -> CaseTemplate | None:
    """The template of this number; none for anything else."""
    text = str(key or "")
    if not (text.isascii() and text.isdigit() and len(text) < 18):
        return None
    try:
        return templates.load(int(text), by=g.viewer)
    except NotVisible:
        return None


def _filled(form: NewCaseForm, before: CaseTemplate | None, wanted: CaseTemplate | None) -> NewCaseForm:
    """The form with what the template brings instead of what the one before brought; what somebody typed stays."""
    form.title.data = _titled(form.title.data or "", before.title_prefix if before else "", wanted.title_prefix if wanted else "")
    text = (form.description.data or "").replace("\r\n", "\n").strip()
    if not text or (before and text == before.case_description):
        form.description.data = wanted.case_description if wanted else ""
    for name in SCALES:
        if form[name].data in (None, getattr(before, name, USUAL)):
            form[name].data = getattr(wanted, name, USUAL)
    tags = set(split_tags(form.tags.data or "")) - set(before.tags if before else ())
    form.tags.data = ", ".join(sorted(tags | set(wanted.tags if wanted else ())))
    form.template.data, form.filled.data = (wanted.id, str(wanted.id)) if wanted else (None, "")
    return form


def _titled(title: str, before: str, prefix: str) -> str:
    """The title with this prefix instead of the one before; one that was typed by hand, or its colon, is not said twice."""
    own = title.strip()
    own = own[len(before) :].strip() if _begins(own, before) else own
    if _begins(own, prefix) and not prefix.endswith(":"):
        return own
    if prefix.endswith(":"):
        own = own.removeprefix(prefix).lstrip(": ")
    return f"{prefix} {own}".strip()


def _begins(title: str, prefix: str) -> bool:
    """Whether it stands there for itself, and is not the beginning of a longer word."""
    return bool(prefix and re.match(rf"{re.escape(prefix)}(?!(?<=\w)\w)", title))


def _open(form: NewCaseForm, template: CaseTemplate | None) -> Any:
    try:
        templates.check_tasks(template, lines := (form.tasks.data or "").splitlines())
        made = cases.create_case(draft_from(form, None, assignee_id=form.assignee.data), by=g.viewer)
    except Unfit as refusal:
        form[refusal.field].errors = [*form[refusal.field].errors, refusal.sentence]
        return _page(form, template)
    except Refusal as refusal:
        return _page(form, template, refusal.sentence)
    templates.furnish(made, template, lines, by=g.viewer)
    return see_other(".case", f"Case #{made.number} is open.", number=made.number)


def _page(form: NewCaseForm, template: CaseTemplate | None, problem: str | None = None, *, changed: bool = False) -> Any:
    """`changed`: the form was sent with a template that it was not filled in with yet."""
    status = 422 if problem or form.errors else 200
    brings = {"tasks": templates.task_drafts(template), "values": templates.field_values(template)} if template else None
    return show("console/cases/new.html", status=status, form=form, template=template, brings=brings, problem=problem, changed=changed)
