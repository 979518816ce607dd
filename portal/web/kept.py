"""Keeping what somebody typed while their session ended: signed into the sign-in form, shown again right after."""

from __future__ import annotations

import hashlib

from flask import current_app, render_template
from itsdangerous import BadSignature, URLSafeTimedSerializer

from .forms import SignInForm

Pairs = list[tuple[str, str]]
HOURS = 2


def _signer() -> URLSafeTimedSerializer:
    options = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="kept.v1", signer_kwargs=options)


def sign_in_page(
    face: str,
    *,
    kept: Pairs | None = None,
    kept_for: str = "",
    token: str = "",
    to: str = "",
    form: SignInForm | None = None,
    problem: str | None = None,
    door: str = "",
) -> str:
    """The sign-in form, carrying what was typed elsewhere (`kept`, for the address `kept_for`) or an earlier token of it.

    `door`: the other face, where the account belongs whose password was right.
    """
    if token:
        kept, kept_for = read(token)
    elif kept:
        signed = _signer().dumps([kept_for, kept])
        token = str(signed)
    return render_template(
        "entry/sign_in.html",
        form=form or SignInForm(formdata=None),
        face=face,
        to=to,
        kept=kept or [],
        kept_token=token,
        expired=bool(kept_for),
        problem=problem,
        door=door,
    )


def read(token: str) -> tuple[Pairs, str]:
    """What a token keeps, and for which address; nothing when it is not ours or too old."""
    try:
        address, pairs = _signer().loads(token, max_age=HOURS * 3600)
    except (BadSignature, ValueError, TypeError):
        return [], ""
    return [(name, value) for name, value in pairs], address
