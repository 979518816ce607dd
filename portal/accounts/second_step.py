"""The second step of signing in: what may be shown, and the session once it was right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select

from ..audit.kinds import Kind
from ..audit.record import Trace, record_apart
from ..clock import now
from ..database import start_writing
from ..extensions import db
from ..refusals import Refusal
from ..words import later
from . import mfa, passkeys, sign_in, steps, throttle
from .models import Totp, User
from .steps import Aim, Step

# Tries at one account, each way for itself: who guesses codes must not keep the owner's passkey out.
LIMITS = ((5, 300), (20, 3600), (50, 86400))


class Way(StrEnum):
    """How the second step is taken."""

    CODE = "code"
    PASSKEY = "passkey"
    RECOVERY = "recovery"


CHECKS: dict[Way, Callable[[Step, str], bool]] = {
    Way.CODE: lambda step, code: mfa.use_code(step.user_id, code),
    Way.PASSKEY: passkeys.use,
    Way.RECOVERY: lambda step, code: mfa.use_recovery_code(step.user_id, code),
}
WRONG: dict[Way, str] = {
    Way.CODE: later(
        "This code is not right. Each code works once: wait for the next one in your app, then type it. A recovery code has its own field."
    ),
    Way.PASSKEY: passkeys.NOT_PROVEN,
    Way.RECOVERY: later("This recovery code is not right, or it was used before. Type one you have not used yet."),
}


@dataclass(frozen=True)
class Due:
    """What can be shown: codes of an app, a passkey (what the browser needs for it), a recovery code at any time."""

    app: bool
    passkey: str


def due(key: str, face: str) -> Due | None:
    """The step that waits in this browser; None when there is none any more."""
    step = steps.find(key, face, Aim.SIGN_IN)
    if step is None:
        return None
    app = db.session.scalar(select(Totp.id).where(Totp.user_id == step.user_id)) is not None
    return Due(app, passkeys.request_options(step))


def finish(key: str, way: Way, proof: str, *, face: str, trace: Trace, language: str = "") -> sign_in.SignedIn:
    """Open the session for who shows their second factor; each try is counted, a wrong one is on record."""
    step = steps.find(key, face, Aim.SIGN_IN)
    if step is None:
        raise mfa.Over
    bucket = f"second-step {way}"
    throttle.spend((bucket, str(step.user_id), LIMITS))
    start_writing()
    user = db.session.get_one(User, step.user_id, populate_existing=True, with_for_update=True)
    if steps.find(key, face, Aim.SIGN_IN) is None:
        raise mfa.Over
    if not CHECKS[way](step, proof):
        db.session.rollback()
        record_apart(Kind.MFA_FAILED, actor=user, object_id=step.user_id)
        raise Refusal(WRONG[way])
    if not steps.consume(step):
        raise mfa.Over
    throttle.forgive(bucket, str(step.user_id), tries=1)
    return sign_in.start(user, face, trace, mfa_at=now(), language=language)
