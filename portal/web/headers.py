"""Headers of every answer, errors and files included: what the browser may do with it, and that nobody else keeps it."""

from __future__ import annotations

import gzip
import secrets

from flask import Flask, Response, current_app, g, request

SMALLEST_GZIP = 600


def nonce() -> str:
    """The one-time value that marks this answer's own scripts and htmx elements."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    value: str = g.nonce
    return value


def policy() -> str:
    """The content security policy. Never add 'strict-dynamic': a script inside a swapped fragment would run (measured)."""
    return (
        f"default-src 'none'; script-src 'nonce-{nonce()}'; style-src 'self'; img-src 'self' blob:; "
        "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        "object-src 'none'; trusted-types htmx; require-trusted-types-for 'script'"
    )


def install(app: Flask) -> None:
    """Add the headers after every request."""
    app.after_request(add)


def add(response: Response) -> Response:
    """Set what is the same for all answers; a view may have set a stricter referrer policy or its own caching."""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", policy())
    headers["X-Content-Type-Options"] = "nosniff"
    headers.setdefault("Referrer-Policy", "same-origin")
    headers["X-Frame-Options"] = "DENY"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(), payment=(), usb=()"
    if current_app.config["SETTINGS"].secure:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    caching = headers.get("Cache-Control", "")
    if not (caching.startswith("public") or (caching.startswith("private") and response.mimetype == "image/png")):
        headers["Cache-Control"] = "no-store"
        for name in ("Cookie", "Accept-Language", "HX-Request", "HX-Request-Type"):
            response.vary.add(name)
    return _compress(response)


def _compress(response: Response) -> Response:
    """Gzip of text, with a file name of random length in its header: the size then tells nothing of a secret beside typed text."""
    if (
        response.status_code in (204, 304)
        or "Content-Encoding" in response.headers
        or response.is_streamed
        or response.direct_passthrough
        or not (response.mimetype or "").startswith("text/")
        or not request.accept_encodings["gzip"] > 0
    ):
        return response
    body = response.get_data()
    response.vary.add("Accept-Encoding")
    if len(body) < SMALLEST_GZIP:
        return response
    response.set_data(_gzip(body))
    response.headers["Content-Encoding"] = "gzip"
    return response


def _gzip(body: bytes) -> bytes:
    packed = gzip.compress(body, 5, mtime=0)
    name = secrets.token_hex(16)[: 1 + secrets.randbelow(31)].encode()
    # Bit 3 of the flags says that a zero-terminated file name follows the ten header bytes (RFC 1952).
    return packed[:3] + b"\x08" + packed[4:10] + name + b"\0" + packed[10:]
