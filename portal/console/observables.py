"""Observables of a case: the list, adding values, changing and deleting one, where else it was seen."""

from __future__ import annotations

from typing import Any

from flask import g, request
from werkzeug.exceptions import NotFound

from ..accounts.directory import counted
from ..accounts.permissions import Permission
from ..audit.kinds import Kind
from ..audit.record import record_apart
from ..cases import cases, finds, observables, queries
from ..refusals import Refusal, Stale
from ..web import times
from ..web.export import FORMATS, export
from ..web.face import Needs
from ..web.filters import PAP, TLP
from ..web.show import see_other, show
from .face import console
from .observable_forms import AddForm, EditObservableForm, chips, filters_of, list_url, read_filters

PATH = "/cases/<id:number>/observables"
ONE = f"{PATH}/<uid:observable>"
COLUMNS = (
    *("type", "value", "value_defanged", "ioc", "sighted", "sighted_at", "tlp", "pap", "tags", "message"),
    *("size", "sha256", "added_by", "external", "added_at"),
)


@console.route(PATH, needs=Needs.TEAM, endpoint="observables")
def observable_list(number: int) -> Any:
    """The case's observables, newest first, as filtered."""
    case = cases.load(number)
    form, chosen = read_filters(observables.types_for())
    after = request.args.get("after", "")
    page, total = finds.listed(g.viewer, case.id, filters_of(chosen), after)
    return show(
        "console/observables/list.html",
        "console/observables/_table.html",
        rows=page.rows,
        total=counted(total, finds.MANY),
        filters=form,
        chips=chips(number, form, chosen),
        **_links(number, chosen, page.next, after),
        **page_context(case),
    )


def _links(number: int, chosen: dict[str, str], following: str | None, after: str) -> dict[str, Any]:
    return {
        "files": [(kind, list_url(number, chosen, ".export_observables", format=kind)) for kind in FORMATS],
        "older": list_url(number, chosen, after=following) if following else None,
        "newest": list_url(number, chosen) if after else None,
    }


def page_context(case: Any) -> dict[str, Any]:
    """What every page about a case's observables shows of the case."""
    view, audience = queries.case_view(case)
    return {"case": view, "audience": audience, "can": g.viewer.permissions}


@console.route(f"{PATH}/export", needs=Needs.TEAM)
def export_observables(number: int) -> Any:
    """All that the filters leave, as a file; the value both as it is and harmless."""
    case, kind = cases.load(number), request.args.get("format", "csv")
    if kind not in FORMATS:
        raise NotFound
    _, chosen = read_filters(observables.types_for())
    rows = [_exported(row) for row in finds.everything(g.viewer, case.id, filters_of(chosen))]
    record_apart(Kind.OBSERVABLES_EXPORTED, actor=g.viewer, case=case, object_id=kind)
    return export(f"case-{number}-observables", kind, COLUMNS, rows)


def _exported(row: finds.ObservableRow) -> tuple[Any, ...]:
    marks = (row.ioc, row.sighted, row.sighted_at, TLP[row.tlp], PAP[row.pap], row.tags, row.message)
    return row.type, row.value, row.shown, *marks, row.size, row.sha256, row.author, row.external, row.created_at


@console.route(f"{PATH}/new", needs=Permission.OBSERVABLE, methods=["GET", "POST"])
def add_observables(number: int) -> Any:
    """One value or one per line; with "Check first" only told what would become of them."""
    asked = request.method == "GET"
    case = cases.load(number, change=not asked)
    form = AddForm(formdata=None, data={"tlp": case.tlp, "pap": case.pap}) if asked else AddForm()
    form.offer(observables.types_for(files=False))
    if asked or not form.validate():
        return _add_page(case, form)
    what = {"kind": form.type.data, "text": form.text.data, "one_per_line": form.per_line.data, "by": g.viewer}
    try:
        if request.form.get("act") == "check":
            return _add_page(case, form, outcomes=observables.read_lines(case, **what))
        outcomes = observables.add_lines(case, facets=form.facets(), **what)
    except Refusal as refusal:
        return _add_page(case, form, refusal.sentence)
    return added(case, outcomes) or _add_page(case, form, NOTHING, outcomes=outcomes)


NOTHING = "Nothing was added. Why is said for each line below."


def added(case: Any, outcomes: list[observables.Outcome]) -> Any:
    """Back to the list when everything was added, what became of each when only some was; None when nothing was."""
    good = sum(one.problem is None for one in outcomes)
    if not good:
        return None
    if good == len(outcomes):
        return see_other(".observables", "1 observable added." if good == 1 else f"{good} observables added.", number=case.number)
    names = "console/observables/added.html", "console/observables/_added.html"
    return show(*names, outcomes=outcomes, good=good, **page_context(case))


def _add_page(case: Any, form: AddForm, problem: str | None = None, *, outcomes: list[observables.Outcome] | None = None) -> Any:
    status = 422 if problem or form.errors else 200
    names = "console/observables/add.html", "console/observables/_add.html"
    return show(*names, status=status, form=form, problem=problem, outcomes=outcomes, **page_context(case))


def _load(number: int, uid: str) -> tuple[Any, Any]:
    case = cases.load(number, change=request.method == "POST")
    return case, observables.load_observable(case, uid)


@console.route(f"{ONE}/edit", needs=Permission.OBSERVABLE, methods=["GET", "POST"])
def edit_observable(number: int, observable: str) -> Any:
    """Change what is said about one; type and value stay."""
    case, found = _load(number, observable)
    if request.method == "GET":
        return _ask("edit", case, found, form=EditObservableForm(formdata=None, data=_data(found)))
    form = EditObservableForm()
    if not form.validate():
        return _ask("edit", case, found, form=form)
    try:
        observables.edit_observable(case, found, form.changed(found.sighted_at), version=form.seen, by=g.viewer)
    except Stale as refusal:
        stale = _differences(form, found)
        form.version.data = str(found.version)
        return _ask("edit", case, found, form=form, problem=refusal.sentence, stale=stale)
    except Refusal as refusal:
        return _ask("edit", case, found, form=form, problem=refusal.sentence)
    return see_other(".observables", "The observable is saved.", number=number)


def _data(found: Any) -> dict[str, Any]:
    names = ("message", "tlp", "pap", "ioc", "sighted", "ignore_similarity", "version")
    more = {"tags": ", ".join(found.tags), "sighted_at": times.local(found.sighted_at) if found.sighted_at else None}
    return {name: getattr(found, name) for name in names} | more


def _differences(form: EditObservableForm, found: Any) -> list[tuple[str, str, str]]:
    """Where the stored observable and the form differ: label, theirs, yours."""
    theirs, yours = observables.facets_of(found), form.changed(found.sighted_at)
    told = []
    for name in ("message", "tags", "tlp", "pap", "ioc", "sighted", "sighted_at", "ignore_similarity"):
        pair = [_in_words(name, getattr(facets, name)) for facets in (theirs, yours)]
        if pair[0] != pair[1]:
            told.append((LABELS.get(name) or form[name].label.text, pair[0], pair[1]))
    return told


LABELS = {"ioc": "IOC", "sighted": "Sighted", "ignore_similarity": "Left out of other cases"}


def _in_words(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if name in ("tlp", "pap"):
        return (TLP if name == "tlp" else PAP)[value]
    if name == "sighted_at":
        return times.local(value).strftime("%Y-%m-%d %H:%M") if value else ""
    return ", ".join(value) if name == "tags" else str(value).replace("\r\n", "\n")


@console.route(f"{ONE}/delete", needs=Permission.OBSERVABLE, methods=["GET", "POST"])
def delete_observable(number: int, observable: str) -> Any:
    """Ask, then delete."""
    case, found = _load(number, observable)
    if request.method == "GET":
        return _ask("delete", case, found)
    observables.delete_observable(case, found, by=g.viewer)
    return see_other(".observables", "The observable is deleted.", number=number)


def _ask(act: str, case: Any, found: Any, *, form: Any = None, problem: str | None = None, stale: list[Any] | None = None) -> Any:
    """The form of an act on one observable, as a page or in the drawer."""
    status = 422 if problem or (form is not None and form.errors) else 200
    names = f"console/observables/{act}.html", f"console/observables/_{act}.html"
    more: dict[str, Any] = {"one": finds.row_of(found), "form": form, "problem": problem, "stale": stale}
    return show(names[0], names[1], status=status, **more, **page_context(case))


@console.route(f"{ONE}/elsewhere", needs=Needs.TEAM)
def observable_elsewhere(number: int, observable: str) -> Any:
    """The other cases the same thing was seen in, as far as the viewer sees them."""
    case, found = _load(number, observable)
    after = request.args.get("after", "")
    page = finds.sightings(g.viewer, found, after)
    here: dict[str, Any] = {"number": number, "observable": observable}
    return show(
        "console/observables/elsewhere.html",
        one=finds.row_of(found),
        rows=page.rows,
        following={**here, "after": page.next} if page.next else None,
        first=here if after else None,
        **page_context(case),
    )
