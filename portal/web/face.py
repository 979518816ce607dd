"""Face: a blueprint whose routes must say what they need, and the one place where a request's work is committed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, g, request, url_for
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from werkzeug.exceptions import HTTPException

from ..accounts.models import Submission
from ..accounts.permissions import Permission
from ..database import finish_reading, start_writing
from ..extensions import db
from .uploads import fingerprint

LONGEST_LOCATION = 400
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
View = Callable[..., Any]


class Needs(StrEnum):
    """What a route asks for when it asks for no permission."""

    ANYONE = "anyone"
    SIGNED_IN = "signed in"
    TEAM = "member of a team"
    PORTAL_ADMIN = "portal administrator"


class Face(Blueprint):
    """One audience's routes. `served_at` is the path prefix the gate knows the face by."""

    def route(  # type: ignore[override]
        self,
        rule: str,
        *,
        needs: Needs | Permission,
        late: bool = False,
        quiet: bool = False,
        enrolling: bool = False,
        dry: bool = False,
        uploads: bool = False,
        **options: Any,
    ) -> Callable[[View], View]:
        """Register a view. `needs` is not optional. `late`: the view's verb begins writing by itself, after slow work.
        `quiet`: pages ask for it by themselves, so an htmx request to it does not count as somebody being there.
        `enrolling`: open to somebody who must set up a second factor before anything else.
        `dry`: asked by POST for the length of the question only; nothing is kept, not even that the form was sent.
        `uploads`: its form may carry files, and be as large as they may be; see web/uploads.py. When it is late as well, the view
        asks `first_answer()` after it began writing: a note made before would hold everybody up, and be undone by that."""

        def register(view: View) -> View:
            @wraps(view)
            def once(**values: Any) -> Response:
                unsafe = request.method not in SAFE and not dry
                if unsafe and not (late and uploads) and (first := first_answer()):
                    return first
                response = current_app.make_response(view(**values))
                if unsafe and response.status_code < 400:
                    _remember_where(response)
                    db.session.commit()
                else:
                    finish_reading()
                return response

            once.needs = needs  # type: ignore[attr-defined]
            once.late = late or dry  # type: ignore[attr-defined]
            once.quiet = quiet  # type: ignore[attr-defined]
            once.enrolling = enrolling  # type: ignore[attr-defined]
            once.uploads = uploads  # type: ignore[attr-defined]
            self.add_url_rule(rule, view_func=once, **options)
            return view

        return register


def first_answer() -> Response | None:
    """The answer to a form that was sent before, as it is now; else note that it was sent now.

    With other words it is another thing: whoever never saw the first answer and went on writing must not lose them."""
    viewer = getattr(g, "viewer", None)
    if not request.form.get("submission") or viewer is None:
        return None
    token = fingerprint()
    known = select(Submission.location).where(Submission.user_id == viewer.user_id, Submission.token == token)
    location = db.session.scalar(known)
    if location is None:
        g.submission = Submission(user_id=viewer.user_id, token=token)
        db.session.add(g.submission)
        try:
            db.session.flush()
            return None
        except IntegrityError:  # the twin of this request was quicker by a moment
            start_writing()
            location = db.session.scalar(known) or ""
    db.session.rollback()
    return go_to(location or url_for(f"{request.blueprint}.home"))


def _remember_where(response: Response) -> None:
    submission: Submission | None = g.pop("submission", None)
    if submission is None:
        return
    own = response.headers.get("Location") or response.headers.get("HX-Redirect")
    try:
        target = urlsplit(own or request.headers.get("HX-Current-URL") or request.path)
    except ValueError:  # what a browser says of itself need not be an address
        target = urlsplit(request.path)
    # Part of it may be what a browser claimed: it stays a path of this product, never another host's.
    path = "/" + target.path.lstrip("/\\")[: LONGEST_LOCATION - 1]
    whole = f"{path}?{target.query}" if own and target.query else path
    submission.location = whole if len(whole) <= LONGEST_LOCATION else path


def page_at(path: str) -> tuple[str, Mapping[str, Any]] | None:
    """Endpoint and values of the page at this path; None where there is none that can be opened."""
    try:
        adapter = current_app.create_url_adapter(request)
        return adapter.match(path, method="GET") if adapter else None
    except HTTPException:
        return None


def go_to(location: str) -> Response:
    """Send the browser to a page of this product: a redirect, or its htmx form."""
    if request.headers.get("HX-Request") == "true":
        return Response(headers={"HX-Redirect": location})
    return Response(status=303, headers={"Location": location})
