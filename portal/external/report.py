"""Reporting an incident: five short questions, a draft that is kept while they are answered, a last look, and sending."""

from __future__ import annotations

from typing import Any

from flask import g, jsonify, render_template, request

from ..accounts.permissions import Permission
from ..refusals import Refusal, Stale, Unfit
from ..web.face import Needs
from ..web.forms import typed_before
from ..web.show import see_other, show
from ..web.uploads import received
from ..words import _, later
from .evidence_forms import ReportForm
from .face import external

PATH = "/report"
STALE = later(
    "This report was changed in another window meanwhile. What you see here is not kept yet: saving again replaces what is there."
)
CHANGED = later(
    "Not kept: this report was changed, sent or discarded in another window. Copy what you typed here, then reload the page to see it."
)


@external.route(PATH, needs=Permission.CREATE_CASE)
def report() -> Any:
    """The questions, with what was answered before. `check`: say what is still missing."""
    kept = g.window.reports.draft()
    form = _form_of(kept)
    if "check" in request.args:
        _judge(kept, form)
    return _page(form, kept)


def _form_of(kept: Any) -> ReportForm:
    return ReportForm(formdata=typed_before(kept.fields) if kept else None)


def _judge(kept: Any, form: ReportForm) -> Any:
    """The report as it would be sent; None when it cannot be, with the reason at its field."""
    if not form.validate():
        return None
    try:
        return g.window.reports.look(kept, form.moment, form.moment_in_words)
    except Unfit as refusal:
        form[refusal.field].errors = [refusal.sentence]
    except Refusal as refusal:
        form.items.errors = [refusal.sentence]
    return None


def _page(form: ReportForm, kept: Any, *, problem: str | None = None) -> Any:
    status = 422 if problem else 200
    own = g.window.reports
    context = {"form": form, "kept": kept, "can_add": own.can_add}
    return show("external/report/write.html", status=status, problem=problem, **context)


@external.route(PATH, needs=Permission.CREATE_CASE, methods=["POST"], endpoint="write_report")
def write() -> Any:
    """Keep what was typed; then go on to the last look, if that was asked for and nothing is missing."""
    form = ReportForm()
    try:
        kept = _keep(form, last=True)
    except Refusal as refusal:
        newer = g.window.reports.draft() if isinstance(refusal, Stale) else None
        return _page(form, newer, problem=str(STALE) if newer else refusal.sentence)
    if request.form.get("act") != "review":
        return see_other(".report", _("Your report is kept. You can go on with it whenever you like."))
    return see_other(".review_report") if _judge(kept, _form_of(kept)) else see_other(".report", check=1)


def _keep(form: ReportForm, *, last: bool = False) -> Any:
    of_page = {"seen": request.form.get("seen", ""), "page": request.form.get("page", "")}
    return g.window.reports.keep(form.typed_fields, **of_page, last=last)


@external.route(f"{PATH}/draft", needs=Permission.CREATE_CASE, methods=["POST"])
def keep_report() -> Any:
    """Keep what was typed so far; the page asks for it by itself while somebody writes."""
    kept, problem = None, None
    try:
        kept = _keep(ReportForm())
    except Stale:
        problem = str(CHANGED)
    except Refusal as refusal:
        problem = refusal.sentence
    return render_template("external/report/_kept.html", kept=kept, problem=problem)


@external.route(f"{PATH}/discard", needs=Permission.CREATE_CASE, methods=["GET", "POST"])
def discard_report() -> Any:
    """Throw away what was begun, after asking."""
    kept = g.window.reports.draft()
    if kept is None:
        return see_other(".home")
    if request.method == "GET":
        return show("external/report/discard.html", kept=kept, problem=None)
    try:
        g.window.reports.discard(request.form.get("seen", ""))
    except Refusal as refusal:
        return show("external/report/discard.html", status=422, kept=g.window.reports.draft(), problem=refusal.sentence)
    return see_other(".home", _("What you had begun is discarded."))


@external.route(f"{PATH}/review", needs=Permission.CREATE_CASE)
def review_report() -> Any:
    """The report as it would be sent, and the files to send with it."""
    kept = g.window.reports.draft()
    return see_other(".report") if kept is None else _review(kept)


def _review(kept: Any, *, problem: str | None = None, again: tuple[str, ...] = ()) -> Any:
    look = _judge(kept, _form_of(kept))
    if look is None:
        return see_other(".report", check=1)
    own = g.window.reports
    context = {"kept": kept, "look": look, "limits": own.limits, "can_add": own.can_add, "problem": problem, "again": again}
    return show("external/report/review.html", status=422 if problem else 200, **context)


@external.route(f"{PATH}/review", needs=Permission.CREATE_CASE, methods=["POST"], uploads=True, endpoint="send_report")
def send() -> Any:
    """Send it: everything or nothing. What was typed stays whatever happens; files that came must be chosen again."""
    kept, uploads = g.window.reports.draft(), received("files")
    form = _form_of(kept)
    if kept is not None and _judge(kept, form) is None:
        return see_other(".report", check=1)
    try:
        number = g.window.reports.send(form.moment, form.moment_in_words, uploads, request.form.get("seen", ""))
    except Refusal as refusal:
        if request.accept_mimetypes.best == "application/json":
            return jsonify(problems=[refusal.sentence]), 422
        return _review(kept, problem=refusal.sentence, again=tuple(upload.name for upload in uploads))
    if number is None and uploads:
        return _sent_before(uploads)
    twice = len(uploads) - len({upload.sha256 for upload in uploads})
    return see_other(".report_sent", twice=twice or None)


def _sent_before(uploads: list[Any]) -> Any:
    """Somebody sent it in another window: that the files of this one did not go with it must be said."""
    names = ", ".join(f"“{upload.name}”" for upload in uploads)
    problem = _("This report was sent already, without these files: %(files)s. Add them on the page of the case.", files=names)
    if request.accept_mimetypes.best == "application/json":
        return jsonify(problems=[problem]), 422
    number = g.window.reports.newest()
    if number is None:
        return see_other(".home", problem, warning=True)
    return see_other(".case", problem, warning=True, number=number)


@external.route(f"{PATH}/sent", needs=Needs.SIGNED_IN)
def report_sent() -> Any:
    """What became of the last report: its number, and what happens next. `twice`: how many files were the same as others sent with it."""
    number, twice = g.window.reports.newest(), request.args.get("twice", 0, type=int)
    return see_other(".home") if number is None else show("external/report/sent.html", case=g.window.case(number), twice=twice)
