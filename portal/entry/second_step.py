"""The second step of signing in: a code, a passkey or a recovery code."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, g, request

from ..accounts import mfa, second_step
from ..accounts.second_step import Way
from ..accounts.sign_in import SignedIn
from ..refusals import Refusal, TooMany
from ..web import times
from ..web.face import Needs
from ..words import _, ngettext
from . import cookies
from .face import entry
from .factor_forms import PROOFS
from .sign_in import FACE, afterwards, go_on, step_page


@entry.route(f"/{FACE}/sign-in/step", needs=Needs.ANYONE, methods=["GET", "POST"], late=True, endpoint="second_step")
def second_step_view(face: str) -> Any:
    """Ask for the second factor of whoever typed the right password in this browser; open their session."""
    key, to, token = cookies.step_key(face), request.values.get("to", ""), request.form.get("kept", "")
    if request.method == "GET":
        return go_on(face, to) if g.viewer else step_page(face, key=key, to=to)
    sent = request.form.get("way", "")
    way = Way(sent) if sent in list(Way) else Way.CODE
    form = PROOFS[way]()
    shown = {"key": key, "to": to, "token": token, "sent": way.value, "form": form}
    if not form.validate():
        return step_page(face, **shown), 422
    try:
        opened = second_step.finish(key, way, form.proof, face=face, trace=cookies.trace(), language=times.language(""))
    except Refusal as refusal:
        return _again(face, shown, refusal)
    return _welcome(face, to, token, way, opened)


def _again(face: str, shown: dict[str, Any], refusal: Refusal) -> Any:
    if isinstance(refusal, TooMany):
        return step_page(face, **shown, problem=refusal.sentence), 429, {"Retry-After": str(refusal.retry_after)}
    shown["form"].process()  # what was shown is worth nothing now
    return step_page(face, **shown, problem=refusal.sentence), 422


def _welcome(face: str, to: str, token: str, way: Way, opened: SignedIn) -> Response:
    cookies.start_over()
    if way is Way.RECOVERY:
        left = mfa.factors_of(opened.user.id).codes_left
        flash(_left(left), "warning" if left < 3 else "message")
    return cookies.drop_step(cookies.welcome(afterwards(face, to, token), opened), face)


def _left(count: int) -> str:
    if not count:
        return _("You have no recovery codes left. You can make new ones under Your account.")
    return ngettext(
        "You have %(num)s recovery code left. You can make new ones under Your account.",
        "You have %(num)s recovery codes left. You can make new ones under Your account.",
        count,
    )
