"""One handler for everything that goes wrong: a page, or a fragment for htmx; nothing typed is lost, nothing internal shown."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, current_app, g, make_response, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge, SecurityError

from ..extensions import db
from ..refusals import NotVisible, Refusal, TooMany
from ..words import _, later
from .face import go_to, page_at

TITLES = {
    400: later("This request could not be understood"),
    403: later("This is not allowed"),
    404: later("Page not found"),
    405: later("This is not possible here"),
    409: later("This cannot be done right now"),
    410: later("This is gone"),
    413: later("This is too large"),
    429: later("Too many tries"),
    503: later("Busy for a moment"),
}
SENTENCES = {
    400: later("Go back, reload the page and try again."),
    403: later("Go back to where you came from, or ask an administrator if you think you should be able to do this."),
    404: later("There is nothing at this address, or it is not available to you. It may have been shared before and withdrawn."),
    405: later("Go back and use the buttons on the page."),
    413: later("Shorten what you are sending, or choose a smaller file, and try again. A picture may have up to 500 kB."),
    500: later(
        "Something went wrong on our side. Nothing was changed. Try again; if it happens again, give your security team this reference."
    ),
    503: later("The system is busy. Wait a few seconds and try again; nothing was changed."),
}
NO_CASE = later("This case is not available")
GONE = later("Either there is no such case, or it is not shared with you now. Ask the security team if you need it.")
MOST_KEPT, AROUND = 200_000, 200  # characters that are kept, and what the page writes around each field
NEVER_KEPT = frozenset({"csrf_token", "submission", "seen", "version", "again", "current", "code", "recovery_code", "credential"})
# What a page sends along and what is chosen in it, rather than typed; so is a number, and the y of a box or a button.
PICKED = {"page", "act", "seen", "shown", "effect", "version", "kind", "zone", "quiet", "access", "visible_to", "audience", "status"}
PICKED |= {"impact", "back", "base", "filled", "confirmed", "letter", "language", "theme", "sort", "find", "look"}


def install(app: Flask) -> None:
    """Handle every exception in one place."""
    app.jinja_env.filters["readable"] = readable
    app.register_error_handler(Exception, handle)


def handle(error: Exception) -> Response:
    """The answer to whatever a view or verb raised."""
    db.session.rollback()
    if isinstance(error, SecurityError):
        return _wrong_host()
    if isinstance(error, CSRFError):
        return _send_again()
    if isinstance(error, MethodNotAllowed) and (back := _way_back()):
        return back
    status, sentence, retry_after = _read(error)
    if status >= 500 and status != 503:
        current_app.logger.error("request %s failed", g.get("request_id", "-"), exc_info=error)
    elif isinstance(error, DBAPIError):  # what the database said; the statement's values stay out of the log
        current_app.logger.warning("request %s: %s", g.get("request_id", "-"), str(error.orig).splitlines()[0])
    if gone := status == 404 and _case_is_gone():
        sentence = _not_there() if request.method == "POST" else str(GONE)
    title = str(NO_CASE) if gone else TITLES.get(status, _("Something went wrong"))
    response = answer(status, sentence, title=title, gone=gone)
    if retry_after:
        response.headers["Retry-After"] = str(retry_after)
    return response


def _not_there() -> str:
    """Nothing here, or nothing for this person: they must not learn which; but whoever was writing is told that it was not kept."""
    if request.method == "POST":
        return _("This was not saved: what you were working on is not available to you any more. What you typed is kept for you to copy.")
    if g.get("face") == "console":
        return "There is nothing at this address, or your profile and organisation do not let you see it."
    return str(SENTENCES[404])


def _case_is_gone() -> bool:
    """Whether the page is about a case that its reader outside cannot see; the same for one that is nowhere."""
    window, number = g.get("window"), (request.view_args or {}).get("number")
    return window is not None and number is not None and not window.still_sees(number)


def _way_back() -> Response | None:
    """For an address that only takes forms, opened or reloaded by hand: the page the form stands on."""
    path = request.path
    while request.method == "GET" and path.count("/") > 2:
        path = path.rsplit("/", 1)[0]
        if page_at(path):
            return go_to(path)
    return None


def _wrong_host() -> Response:
    """A host name nobody configured: no page can be built for it, and none should be."""
    text = "This is not the address of this product."
    settings = current_app.config["SETTINGS"]
    if settings.is_local:
        text += f" Open {settings.base_url} instead."
    return Response(f"{text}\n", 400, mimetype="text/plain")


def _read(error: Exception) -> tuple[int, str, int]:
    if isinstance(error, TooMany):
        return 429, error.sentence, error.retry_after
    if isinstance(error, Refusal):
        return error.status, error.sentence, 0
    if isinstance(error, NotVisible):
        return 404, _not_there(), 0
    if isinstance(error, IntegrityError):  # two people did the same at the same moment, and this one came second
        return 409, _("Somebody else did the same at this very moment. Go back, reload the page and look before you try again."), 0
    if isinstance(error, OperationalError):
        return 503, SENTENCES[503], 5
    if isinstance(error, HTTPException) and error.code:
        own = error.description if error.code == 403 and error.description and " " in error.description else ""
        stock = error.description == type(error).description
        return error.code, own if own and not stock else SENTENCES.get(error.code, SENTENCES[400]), 0
    return 500, SENTENCES[500], 0


def typed() -> list[tuple[str, str]]:
    """What the person had typed into the form they sent, secrets excepted."""
    if request.method != "POST" or request.mimetype != "application/x-www-form-urlencoded":
        return []
    try:
        pairs = list(request.form.items(multi=True))
    except RequestEntityTooLarge:  # reading it is what went wrong
        return []
    return _as_much_as_fits([(name, value) for name, value in pairs if name not in NEVER_KEPT and "password" not in name and value.strip()])


def readable(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """What of it somebody may want to read and to copy: the words they typed."""
    return [(name, value) for name, value in pairs if value not in ("", "y") and name not in PICKED and not value.isdigit()]


def _as_much_as_fits(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The first of them; the page writes each twice, and a sign-in carries them all along."""
    size = 0
    for at, (name, value) in enumerate(pairs):
        size += len(name) + len(value) + AROUND
        if size > MOST_KEPT:
            return pairs[:at]
    return pairs


def is_htmx() -> bool:
    """Whether htmx sent the request."""
    return request.headers.get("HX-Request") == "true"


def base_template() -> str:
    """The frame to show an error in: the face's own only for somebody who is signed in to it."""
    if g.get("viewer") is None:
        return "entry/base.html"
    return "console/base.html" if g.face == "console" else "external/base.html"


def answer(status: int, sentence: str, *, title: str, gone: bool = False) -> Response:
    """An error as a page or a fragment. A reference is given where somebody will have to look into it. `gone`: it takes the place of the
    page, for nothing of what stands there may stay."""
    reference = g.get("request_id", "") if status >= 500 else ""
    face = g.get("face", "portal")
    if is_htmx() and not gone:
        return _fragment(status, sentence, reference=reference)
    home = url_for("console.home") if face == "console" else url_for("external.home")
    platform = g.get("viewer") is not None and g.viewer.platform
    label = "Back to the start" if platform else "Back to cases" if face == "console" else _("Back to your cases")
    if status == 413 and page_at(request.path):  # the form it was sent with
        home, label = request.path, _("Back to where you sent it")
    context: dict[str, Any] = dict(base=base_template(), status=status, title=title, sentence=sentence, reference=reference)
    context |= dict(back_url=home, back_label=label, kept=typed())
    if not (gone and is_htmx()):
        return make_response(render_template("errors/page.html", **context), status)
    response = make_response(render_template("errors/_gone.html", gone=True, **context), status)
    response.headers["HX-Retarget"], response.headers["HX-Reswap"] = "#main", "innerHTML"
    return response


def _fragment(status: int, sentence: str, *, reference: str = "", sign_in_url: str | None = None, renew: bool = False) -> Response:
    """For htmx: what stands on the page stays; the sentence comes as a partial, and new form tokens where they would help."""
    context = {"sentence": sentence, "reference": reference, "sign_in_url": sign_in_url, "renew": renew}
    response = make_response(render_template("errors/_fragment.html", **context), status)
    response.headers["HX-Reswap"] = "none"
    return response


def session_ended(face: str, *, ended: bool = False) -> Response:
    """401 for somebody who was signed out while working: a sign-in form that keeps what they typed. Whose session or account was
    `ended` has no case on the screen any more, if they are from outside; a report they were writing stays."""
    url = url_for("entry.sign_in", face=face)
    if is_htmx() and ended and (request.path == "/portal/" or request.path.startswith("/portal/cases")):
        sentence = _("This browser was signed out in another window, or by whoever looks after your account. Sign in again to go on.")
        return answer(401, sentence, title=_("You are signed out."), gone=True)
    if is_htmx():
        sentence = _(
            "You have been signed out. Sign in again in a new tab, then come back and send this again: what you typed is still here."
        )
        return _fragment(401, sentence, sign_in_url=url)
    from .kept import sign_in_page  # needs the sign-in form, which needs this module

    return make_response(sign_in_page(face, kept=typed(), kept_for=request.path), 401)


def _send_again() -> Response:
    """A form from before a sign-in carries a token of the past: show what was typed and let it be sent once more."""
    if is_htmx():
        if g.get("viewer") is None:
            return _fragment(400, _("This page is out of date. Copy what you typed, reload the page, then send it again."))
        # They are signed in and the request came from this site's own page: its forms may go on with today's tokens.
        return _fragment(
            400, _("You have signed in again since this page was opened. Send it once more: what you typed is still here."), renew=True
        )
    if g.get("viewer") is None:
        return answer(400, _("This page was open for too long. Go back, reload it and try again."), title=_("This page is out of date"))
    context: dict[str, Any] = dict(base=base_template(), action=request.path, kept=typed())
    return make_response(render_template("entry/resume.html", to_url=request.path, **context), 400)
