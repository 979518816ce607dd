"""The log of a task: add, edit and delete entries."""

from __future__ import annotations

from typing import Any

from flask import g, request

from ..accounts.permissions import Permission
from ..cases import queries, task_logs, task_queries
from ..refusals import NotAllowed, Refusal
from ..storage import intake
from ..storage.intake import Upload
from ..web.downloads import send
from ..web.face import Needs
from ..web.show import see_other, show
from ..web.uploads import received
from .face import console
from .task_forms import LogForm
from .tasks import ONE, load, show_task

LOG = f"{ONE}/log"


@console.route(LOG, needs=Permission.TASK, methods=["POST"], uploads=True)
def add_log(number: int, task: str) -> Any:
    """Say what was done, with files; one that will not do is named and does not stop the others."""
    (case, found), form = load(number, task), LogForm()
    fine, problems = _checked(received("files"))
    if not form.validate():
        return show_task(case, found, form, status=422)
    try:
        log = task_logs.add_log(case, found, form.message.data or "", by=g.viewer, files=len(fine))
    except NotAllowed:
        raise
    except Refusal as refusal:
        return show_task(case, found, form, problem=" ".join(problems) or refusal.sentence, status=422)
    for upload in fine:
        task_logs.add_file(case, found, log, upload, by=g.viewer)
    notice = " ".join(["The log has a new entry.", *problems])
    return see_other(".task", notice, warning=bool(problems), number=number, task=task, _anchor=f"log-{log.uid}")


def _checked(uploads: list[Upload]) -> tuple[list[Upload], list[str]]:
    """Those that can be kept, and what is wrong with the others."""
    fine: list[Upload] = []
    uploads, problems = intake.once(uploads)
    for upload in uploads:
        try:
            intake.check(upload)
            fine.append(upload)
        except Refusal as refusal:
            problems.append(refusal.sentence)
    return fine, problems


@console.route(f"{ONE}/files/<uid:file>", needs=Needs.TEAM)
def log_file(number: int, task: str, file: str) -> Any:
    """A file of the log, always as a download."""
    _, found = load(number, task)
    wanted = task_logs.load_file(found, file)
    return send(wanted.name, wanted.sha256, wanted.size)


@console.route(f"{LOG}/<uid:log>/edit", needs=Permission.TASK, methods=["GET", "POST"])
def edit_log(number: int, task: str, log: str) -> Any:
    """Change one's own words."""
    case, found, entry = _load_own(number, task, log)
    form = LogForm() if request.method == "POST" else LogForm(formdata=None, data={"message": entry.message})
    if request.method == "GET" or not form.validate():
        return _ask("edit_log", case, found, entry, form)
    try:
        task_logs.edit_log(case, entry, form.message.data or "", by=g.viewer)
    except Refusal as refusal:
        return _ask("edit_log", case, found, entry, form, refusal.sentence)
    return see_other(".task", "The entry is changed.", number=number, task=task, _anchor=f"log-{log}")


@console.route(f"{LOG}/<uid:log>/delete", needs=Permission.TASK, methods=["GET", "POST"])
def delete_log(number: int, task: str, log: str) -> Any:
    """Take one's own entry back."""
    case, found, entry = _load_own(number, task, log)
    if request.method == "GET":
        return _ask("delete_log", case, found, entry)
    try:
        task_logs.delete_log(case, entry, by=g.viewer)
    except Refusal as refusal:
        return _ask("delete_log", case, found, entry, problem=refusal.sentence)
    return see_other(".task", "The entry is deleted.", number=number, task=task)


def _load_own(number: int, task: str, log: str) -> tuple[Any, Any, Any]:
    case, found = load(number, task)
    entry = task_logs.load_log(found, log)
    if entry.author_id != g.viewer.user_id:
        raise NotAllowed("You can change your own entries only.")
    return case, found, entry


def _ask(kind: str, case: Any, found: Any, entry: Any, form: LogForm | None = None, problem: str | None = None) -> Any:
    view, _ = queries.case_view(case)
    status = 422 if problem or (form is not None and form.errors) else 200
    names = f"console/tasks/{kind}.html", f"console/tasks/_{kind}.html"
    shown, log = task_queries.task_view(found), task_queries.log_view(entry, g.viewer)
    return show(*names, status=status, case=view, task=shown, log=log, form=form, problem=problem)
