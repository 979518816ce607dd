"""Secrets at rest: sealed with a key that does not lie in the database, and tied to the row they belong to."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app

VERSION = "v1"


class Unreadable(Exception):
    """It was sealed with another key, for another row, or changed since."""


@lru_cache(maxsize=4)
def _cipher(secret_key: str) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=None, info=b"portal secrets at rest v1").derive(secret_key.encode()))


def veiled(kind: str, number: int | str) -> str:
    """What stands in for a number in pages for people outside: always the same, and it tells neither order nor number."""
    key = current_app.config["SETTINGS"].secret_key.encode()
    return hmac.new(key, f"veiled:{kind}:{number}".encode(), hashlib.sha256).hexdigest()[:16]


def seal(secret: str, about: str) -> str:
    """AES-256-GCM with a random nonce; `about` names the place it is kept at, and only there can it be opened."""
    return seal_bytes(secret.encode(), about)


def seal_bytes(secret: bytes, about: str) -> str:
    """The same for what is no text."""
    nonce = os.urandom(12)
    sealed = _cipher(current_app.config["SETTINGS"].secret_key).encrypt(nonce, secret, about.encode())
    return f"{VERSION}:{base64.urlsafe_b64encode(nonce + sealed).decode()}"


def open_sealed(sealed: str, about: str) -> str:
    """The secret again."""
    return open_bytes(sealed, about).decode()


def open_bytes(sealed: str, about: str) -> bytes:
    """The same for what is no text."""
    version, _, packed = sealed.partition(":")
    try:
        raw = base64.urlsafe_b64decode(packed)
        if version != VERSION:
            raise Unreadable
        return _cipher(current_app.config["SETTINGS"].secret_key).decrypt(raw[:12], raw[12:], about.encode())
    except (InvalidTag, ValueError) as error:
        raise Unreadable("sealed with another secret key") from error
