"""Tasks: the tab of a case, one task, what can be done with it, and my tasks over all cases."""

from __future__ import annotations

from typing import Any

from flask import g, request, url_for

from ..accounts.permissions import Permission
from ..cases import cases, queries, task_queries, tasks
from ..clock import now
from ..refusals import NotAllowed, Refusal, Stale, Unfit
from ..web import times
from ..web.face import Needs
from ..web.show import see_other, show, wants_fragment
from .face import console
from .task_forms import EditTaskForm, LogForm, QuickTaskForm, TaskForm, data_of

PATH = "/cases/<id:number>/tasks"
ONE = f"{PATH}/<uid:task>"
ADDED = "The task is added."


def due_today(row: Any) -> bool:
    """Whether an open task is due on the reader's today."""
    return bool(row.open and not row.overdue and row.due_at and times.local(row.due_at).date() == times.local(now()).date())


@console.route(PATH, needs=Needs.TEAM, endpoint="tasks")
def task_list(number: int) -> Any:
    """The tasks of a case by group."""
    return show_tasks(cases.load(number))


def show_tasks(
    case: Any, form: QuickTaskForm | None = None, *, problem: str | None = None, notice: str | None = None, status: int = 200
) -> Any:
    """The tab, or for htmx its part with the count on the tab and a sentence."""
    view, audience = queries.case_view(case)
    context: dict[str, Any] = {"case": view, "audience": audience, "can": g.viewer.permissions, "due_today": due_today}
    groups, form = task_queries.groups_of(case), form or QuickTaskForm(formdata=None)
    names, context["added"] = ("console/tasks/list.html", "console/tasks/_changed.html"), notice == ADDED
    return show(*names, status=status, groups=groups, form=form, problem=problem, notice=notice, **context)


@console.route(PATH, needs=Permission.TASK, methods=["POST"])
def add_task(number: int) -> Any:
    """Add a task by its title; the rest can be said later."""
    case, form = cases.load(number, change=True), QuickTaskForm()
    if not form.validate():
        return show_tasks(case, form, status=422)
    try:
        tasks.add_task(case, tasks.Draft(form.title.data), by=g.viewer)
    except Refusal as refusal:
        return show_tasks(case, form, problem=refusal.sentence, status=422)
    if wants_fragment():
        return show_tasks(case, notice=ADDED)
    return see_other(".tasks", ADDED, number=number, _anchor="new-task")


@console.route(f"{PATH}/new", needs=Permission.TASK, methods=["GET", "POST"])
def new_task(number: int) -> Any:
    """Add a task with all there is to say about it."""
    case = cases.load(number, change=request.method == "POST")
    form = TaskForm() if request.method == "POST" else TaskForm(formdata=None, data={"title": request.args.get("title", "")[:128]})
    form.offer(tasks.assignable(case))
    if request.method == "GET" or not form.validate():
        return _edit_page(case, None, form)
    try:
        made = tasks.add_task(case, form.draft(), by=g.viewer)
    except Refusal as refusal:
        return _edit_page(case, None, form, _place(form, refusal))
    return see_other(".tasks", ADDED, number=number, _anchor=f"task-{made.uid}")


def _place(form: TaskForm, refusal: Refusal) -> str | None:
    """Put the sentence beside the field it is about; what is about none is returned."""
    if not isinstance(refusal, Unfit):
        return refusal.sentence
    form[refusal.field].errors = [*form[refusal.field].errors, refusal.sentence]
    return None


def _edit_page(case: Any, task: Any, form: TaskForm, problem: str | None = None, *, stale: list[Any] | None = None) -> Any:
    view, audience = queries.case_view(case)
    status = 422 if problem or form.errors or stale is not None else 200
    if request.method == "GET" and view.stage == "Closed":
        problem = tasks.CLOSED_CASE
    names = "console/tasks/edit.html", "console/tasks/_edit.html"
    suggested = task_queries.group_names(case)
    return show(*names, status=status, case=view, audience=audience, task=task, form=form, groups=suggested, problem=problem, stale=stale)


@console.route(ONE, needs=Needs.TEAM)
def task(number: int, task: str) -> Any:
    """One task and its log."""
    case = cases.load(number)
    return show_task(case, tasks.load_task(case, task))


def show_task(case: Any, found: Any, form: LogForm | None = None, *, problem: str | None = None, status: int = 200) -> Any:
    """The page of a task."""
    view, audience = queries.case_view(case)
    logs, shown = task_queries.log_views(found, g.viewer), task_queries.task_view(found)
    context: dict[str, Any] = {"case": view, "audience": audience, "can": g.viewer.permissions, "due_today": due_today, "logs": logs}
    form = form or LogForm(formdata=None)
    return show("console/tasks/show.html", status=status, task=shown, form=form, problem=problem, **context)


@console.route(f"{ONE}/edit", needs=Permission.TASK, methods=["GET", "POST"])
def edit_task(number: int, task: str) -> Any:
    """Change what is said about a task."""
    case, found = load(number, task)
    form = EditTaskForm() if request.method == "POST" else EditTaskForm(formdata=None, data=data_of(found))
    people = tasks.assignable(case, besides=[found.assignee_id])
    name = task_queries.task_view(found).assignee
    if found.assignee_id is not None and found.assignee_id not in dict(people):
        people.append((found.assignee_id, f"{name} (no longer active, or may not see this case)"))
    form.offer(people)
    if request.method == "GET" or not form.validate():
        return _edit_page(case, task_queries.task_view(found), form)
    return _save(case, found, form)


def _save(case: Any, found: Any, form: EditTaskForm) -> Any:
    view = task_queries.task_view(found)
    try:
        changed = tasks.edit_task(case, found, form.draft(found.due_at), version=form.version.data, by=g.viewer)
    except Stale as refusal:
        form.version.data, form.version.raw_data = found.version, [str(found.version)]
        return _edit_page(case, view, form, refusal.sentence, stale=_differences(form, found))
    except Refusal as refusal:
        return _edit_page(case, view, form, _place(form, refusal))
    return see_other(".task", "The task is saved." if changed else "Nothing changed.", number=case.number, task=found.uid)


def _differences(form: EditTaskForm, found: Any) -> list[tuple[str, str, str]]:
    """Where the stored task and the form differ: label, theirs, yours."""
    told, people = [], {str(choice.value): choice.label for choice in form.assignee.choices}
    labels = {"mandatory": "Mandatory", "flagged": "Flagged"}
    for name, theirs in data_of(found).items():
        yours: Any = str(form.assignee.data or "") if name == "assignee" else form[name].data
        if name == "version" or (theirs or "") == (yours or ""):
            continue
        pair = [people.get(value, "") if name == "assignee" else _words(value) for value in (theirs, yours)]
        told.append((labels.get(name) or form[name].label.text, pair[0], pair[1]))
    return told


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return str(value or "")


def load(number: int, uid: str) -> tuple[Any, Any]:
    """Case and task, the case locked where something is about to change."""
    case = cases.load(number, change=request.method == "POST")
    return case, tasks.load_task(case, uid)


@console.route(f"{ONE}/act", needs=Permission.TASK, methods=["POST"])
def act_on_task(number: int, task: str) -> Any:
    """Start, complete, cancel or reopen a task, or move it up or down, in one click."""
    case, found = load(number, task)
    act = request.form.get("act", "")
    try:
        notice = _do(case, found, act)
    except NotAllowed:
        raise
    except Refusal as refusal:
        return _refused(case, found, refusal)
    return _back(case, found, notice)


DONE = {"start": "“{}” is in progress.", "complete": "“{}” is completed.", "cancel": "“{}” is cancelled.", "reopen": "“{}” is open again."}


def _do(case: Any, found: Any, act: str) -> str | None:
    if act in ("up", "down"):
        tasks.move_task(case, found, act == "up", by=g.viewer)
        return None
    tasks.move_on(case, found, act, by=g.viewer)
    return DONE[act].format(found.title)


def _back(case: Any, found: Any, notice: str | None) -> Any:
    """To the page the button was on."""
    back = request.form.get("back", "")
    if back == "mine":
        return see_other(".my_tasks", notice)
    if back == "task":
        return see_other(".task", notice, number=case.number, task=found.uid)
    return (
        show_tasks(case, notice=notice)
        if wants_fragment()
        else see_other(".tasks", notice, number=case.number, _anchor=f"task-{found.uid}")
    )


def _refused(case: Any, found: Any, refusal: Refusal) -> Any:
    if request.form.get("back") in ("task", "mine"):
        return show_task(case, found, problem=refusal.sentence, status=422)
    return show_tasks(case, problem=refusal.sentence, status=422)


@console.route(f"{ONE}/delete", needs=Permission.TASK, methods=["GET", "POST"])
def delete_task(number: int, task: str) -> Any:
    """Ask once, then delete a task with its log."""
    case, found = load(number, task)
    problem = tasks.refusal_to_delete(case, found, by=g.viewer)
    if request.method == "POST":
        try:
            tasks.delete_task(case, found, by=g.viewer)
            return see_other(".tasks", f"“{found.title}” is deleted.", number=number)
        except Refusal as refusal:
            problem = refusal.sentence
    view, audience = queries.case_view(case)
    names, entries = ("console/tasks/delete.html", "console/tasks/_delete.html"), len(task_queries.log_views(found, g.viewer))
    status = 422 if problem and request.method == "POST" else 200
    return show(*names, status=status, case=view, audience=audience, task=task_queries.task_view(found), entries=entries, problem=problem)


STATES = (("", "Open"), ("waiting", "Waiting"), ("progress", "In progress"), ("done", "Completed and cancelled"))


@console.route("/tasks", needs=Needs.TEAM)
def my_tasks() -> Any:
    """What is given to me, over all cases I may see."""
    state, after = request.args.get("state", ""), request.args.get("after", "")
    state = state if state in dict(STATES) else ""
    page = task_queries.my_tasks(g.viewer, state, after)
    chosen: dict[str, Any] = {"state": state} if state else {}
    older = url_for(".my_tasks", **chosen, after=page.next) if page.next else None
    newest = url_for(".my_tasks", **chosen) if after else None
    return show("console/tasks/mine.html", rows=page.rows, state=state, states=STATES, older=older, newest=newest, due_today=due_today)
