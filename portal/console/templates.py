"""Case templates: the list, making, changing, duplicating and deleting them."""

from __future__ import annotations

from typing import Any

from flask import g, request

from ..accounts.permissions import Permission
from ..cases import fields, templates
from ..cases.models import CaseTemplate
from ..refusals import Refusal, Stale, Unfit
from ..web.show import see_other, show
from .face import console
from .template_forms import PREFIX, TemplateForm, data_of, values_form

MANAGE = Permission.MANAGE_TEMPLATES


@console.route("/templates", needs=MANAGE, endpoint="templates")
def template_list() -> Any:
    """The organisation's templates."""
    return show("console/templates/list.html", rows=templates.listed(g.viewer))


@console.route("/templates/new", needs=MANAGE, methods=["GET", "POST"])
def new_template() -> Any:
    """Make a template, from nothing or like another one."""
    if request.method == "GET":
        return _page(None, *_blank())
    form, values = TemplateForm(), _typed()
    if _rearranged(form) or not form.validate():
        return _page(None, form, values)
    try:
        made = templates.create(form.draft(values), by=g.viewer)
    except Refusal as refusal:
        return _page(None, form, values, _place(form, refusal))
    return see_other(".templates", f"The template {made.name} is created. It can be chosen for new cases now.")


def _blank() -> tuple[TemplateForm, dict[str, str]]:
    """An empty form, or a copy of the template the address names; the copy needs a name of its own."""
    like = request.args.get("like", "")
    if not (like.isascii() and like.isdigit() and len(like) < 18):
        return TemplateForm(formdata=None), {}
    model = templates.draft_of(templates.load(int(like), by=g.viewer))
    copied = data_of(model) | {"name": f"{model.name[: templates.LONGEST_NAME - 5]} copy"}
    return TemplateForm(formdata=None, data=copied), model.fields


def _typed() -> dict[str, str]:
    """The custom fields as they were sent, by technical name."""
    return {name.removeprefix(PREFIX): text.strip() for name, text in request.form.items() if name.startswith(PREFIX) and text.strip()}


def _rearranged(form: TemplateForm) -> bool:
    """One more row of tasks, or one less, or two change places: the form goes back with the rows as asked."""
    act, _, place = request.form.get("rows", "").partition("-")
    rows: list[dict[str, Any]] = [row.data for row in form.tasks]
    number = int(place) if place.isascii() and place.isdigit() and len(place) < 4 else -1
    other = {"up": number - 1, "down": number + 1}.get(act, number)
    if act == "add" and len(rows) < templates.MOST_TASKS:
        rows.append({})
    elif act == "remove" and 0 <= number < len(rows):
        del rows[number]
    elif act in ("up", "down") and 0 <= number < len(rows) and 0 <= other < len(rows):
        rows[number], rows[other] = rows[other], rows[number]
    elif act not in ("add", "remove", "up", "down"):
        return False
    form.tasks.process(None, rows)
    return True


def _place(form: TemplateForm, refusal: Refusal) -> str | None:
    """Put the sentence beside the field it is about; what is about none is returned."""
    if not isinstance(refusal, Unfit) or refusal.field not in form or refusal.field == "tasks":
        return refusal.sentence
    field = form[refusal.field]
    field.errors = [*field.errors, refusal.sentence]
    return None


def _page(
    template: CaseTemplate | None, form: TemplateForm, values: dict[str, str], problem: str | None = None, *, stale: list[Any] | None = None
) -> Any:
    known = fields.definitions()
    status = 422 if problem or form.errors or stale is not None else 200
    context: dict[str, Any] = {
        "values": values_form(known, values),
        "most": templates.MOST_TASKS,
        "grown": request.form.get("rows") == "add",
    }
    return show("console/templates/edit.html", status=status, template=template, form=form, problem=problem, stale=stale, **context)


@console.route("/templates/<id:template_id>", needs=MANAGE, methods=["GET", "POST"], endpoint="template")
def edit_template(template_id: int) -> Any:
    """Change a template; cases that began with it stay as they are."""
    found = templates.load(template_id, by=g.viewer, change=request.method == "POST")
    if request.method == "GET":
        draft = templates.draft_of(found)
        return _page(found, TemplateForm(formdata=None, data=data_of(draft, found.version)), draft.fields)
    form, values = TemplateForm(), _typed()
    if _rearranged(form) or not form.validate():
        return _page(found, form, values)
    return _save(found, form, values)


def _save(found: CaseTemplate, form: TemplateForm, values: dict[str, str]) -> Any:
    draft = form.draft(values)
    try:
        changed = templates.edit(found, draft, version=form.version.data or 0, by=g.viewer)
    except Stale as refusal:
        form.version.data, form.version.raw_data = found.version, [str(found.version)]
        return _page(found, form, values, refusal.sentence, stale=_differences(templates.draft_of(found), draft))
    except Refusal as refusal:
        return _page(found, form, values, _place(form, refusal))
    return see_other(".templates", f"The template {found.name} is saved." if changed else "Nothing changed.")


def _differences(theirs: templates.Draft, yours: templates.Draft) -> list[tuple[str, str, str]]:
    """Where the stored template and the form differ: what, theirs, yours."""
    return [
        (name.replace("_", " ").capitalize(), _words(old), _words(new))
        for (name, old), new in zip(vars(theirs).items(), vars(yours).values(), strict=True)
        if old != new
    ]


def _words(value: Any) -> str:
    if isinstance(value, tuple):
        return "\n".join(item if isinstance(item, str) else templates.task_in_words(dict(vars(item))) for item in value)
    return "\n".join(templates.in_words(value)) if isinstance(value, dict) else str(value)


@console.route("/templates/<id:template_id>/delete", needs=MANAGE, methods=["GET", "POST"])
def delete_template(template_id: int) -> Any:
    """Ask, then delete."""
    found = templates.load(template_id, by=g.viewer, change=request.method == "POST")
    if request.method == "GET":
        return show("console/templates/delete.html", template=found)
    name = templates.delete(found, by=g.viewer)
    return see_other(".templates", f"The template {name} is deleted.")
