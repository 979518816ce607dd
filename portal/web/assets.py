"""Static files: read at the start, bundled, named by their content and kept by browsers for good."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from flask import Response, request
from werkzeug.exceptions import NotFound

ROOT = Path(__file__).resolve().parent.parent / "static"
HTMX = "vendor/htmx-4.0.1"
SHARED = ("reset", "tokens", "base", "layout", "components", "entry")
BUNDLES = {
    "console.css": [f"css/{name}.css" for name in (*SHARED, "console", "print")],
    "external.css": [f"css/{name}.css" for name in (*SHARED, "external", "print")],
    "htmx.js": [f"{HTMX}/htmx.min.js", f"{HTMX}/hx-csp.min.js"],
    "app.js": ["js/app.js"],
    "passkey.js": ["js/passkey.js"],
    "upload.js": ["js/upload.js"],
    "report.js": ["js/report.js"],
    "icons.svg": ["icons.svg"],
    "favicon.svg": ["favicon.svg"],
}
TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}


@dataclass(frozen=True)
class Asset:
    """A file as it is sent; `version` is made of its content."""

    body: bytes
    packed: bytes
    version: str
    mimetype: str


@lru_cache(maxsize=32)
def load(name: str) -> Asset:
    """The named bundle or file."""
    body = b"\n".join((ROOT / part).read_bytes() for part in BUNDLES[name])
    version = hashlib.sha256(body).hexdigest()[:12]
    return Asset(body, gzip.compress(body, 9, mtime=0), version, TYPES[name.rsplit(".", 1)[1]])


@lru_cache(maxsize=32)
def asset(name: str) -> str:
    """The address of a file; a new content has a new address. The product is always at the root: its cookies demand it."""
    return f"/static/{load(name).version}/{name}"


def serve(version: str, name: str) -> Response:
    """Send a file. An old version's address gives the present file without letting anybody keep it."""
    if name not in BUNDLES:
        raise NotFound
    found = load(name)
    zipped = request.accept_encodings["gzip"] > 0
    response = Response(found.packed if zipped else found.body, content_type=found.mimetype)
    if zipped:
        response.headers["Content-Encoding"] = "gzip"
    response.vary.add("Accept-Encoding")
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if version == found.version else "public, max-age=0"
    return response
