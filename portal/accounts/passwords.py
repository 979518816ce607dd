"""Passwords: argon2id behind a pepper, a strength check without the network, and a cap on simultaneous hashing."""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import current_app

from ..config import Settings
from ..refusals import Refusal, TooMany
from ..settings import values
from ..words import _, later

LONGEST = 256
TOO_EASY = later("It is too easy to guess.")
# What zxcvbn says of a password, so that the catalogues have it.
WARNINGS = (
    later("Straight rows of keys are easy to guess."),
    later("Short keyboard patterns are easy to guess."),
    later('Repeats like "aaa" are easy to guess.'),
    later('Repeats like "abcabcabc" are only slightly harder to guess than "abc".'),
    later('Sequences like "abc" or "6543" are easy to guess.'),
    later("Recent years are easy to guess."),
    later("Dates are often easy to guess."),
    later("This is a top-10 common password."),
    later("This is a top-100 common password."),
    later("This is a very common password."),
    later("This is similar to a commonly used password."),
    later("A word by itself is easy to guess."),
    later("Names and surnames by themselves are easy to guess."),
    later("Common names and surnames are easy to guess."),
)
PRODUCT_WORDS = ["portal", "console", "password", "security", "incident"]

# Each hash takes 64 MiB and a core: unbounded, the sign-in page would be a lever to stop the machine (security.md 3.3).
_running = threading.BoundedSemaphore(2)
_queue = threading.BoundedSemaphore(18)


@contextmanager
def _turn() -> Iterator[None]:
    if not _queue.acquire(blocking=False):
        raise TooMany(_("Too many people are signing in at this moment. Try again in a few seconds."), 5)
    try:
        with _running:
            yield
    finally:
        _queue.release()


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings


@lru_cache(maxsize=4)
def _hasher(memory_mib: int, time: int) -> PasswordHasher:
    return PasswordHasher(time_cost=time, memory_cost=memory_mib * 1024, parallelism=1)


def hasher() -> PasswordHasher:
    """The hasher with the parameters of the settings."""
    return _hasher(_settings().argon2_memory_mib, _settings().argon2_time)


def _peppered(password: str) -> str:
    return hmac.new(_settings().secret_key.encode(), b"password:" + password.encode(), hashlib.sha256).hexdigest()


def hash_password(password: str) -> str:
    """The stored form of a password; a stolen database alone cannot be searched, since the pepper lies apart."""
    with _turn():
        return hasher().hash(_peppered(password))


@lru_cache(maxsize=4)
def _dummy(memory_mib: int, time: int) -> str:
    return _hasher(memory_mib, time).hash("nobody")


def verify(stored: str | None, password: str) -> bool:
    """Whether the password is right. An account that does not exist costs the same work, so that the answer's time tells nothing."""
    against = stored or _dummy(_settings().argon2_memory_mib, _settings().argon2_time)
    with _turn():
        try:
            hasher().verify(against, _peppered(password))
        except (VerificationError, InvalidHashError):
            return False
    return stored is not None


def needs_rehash(stored: str) -> bool:
    """Whether it was made with older parameters."""
    return hasher().check_needs_rehash(stored)


def _left_without(words: list[str], password: str) -> int:
    """How many letters and digits remain when these words are taken out."""
    rest = password.lower()
    for word in sorted(words, key=len, reverse=True):
        rest = rest.replace(word, "")
    return sum(character.isalnum() for character in rest)


def check_strength(password: str, about: list[str]) -> None:
    """Refuse what is short, common or made of the person's own data (`about`: name, address, team)."""
    shortest = values.sign_in_policy().password_shortest
    if len(password) < shortest:
        raise Refusal(_("Use at least %(count)s characters. A few words in a row are easy to remember.", count=shortest))
    if len(password) > LONGEST:
        raise Refusal(_("Use at most %(count)s characters.", count=LONGEST))
    from zxcvbn import zxcvbn  # loaded when somebody sets a password: its word lists are large

    own = [part.lower() for text in about for part in text.replace("@", " ").replace(".", " ").split() if len(part) > 2]
    words = own + PRODUCT_WORDS
    if _left_without(words, password) < shortest // 2:  # zxcvbn counts each word as one more thing to guess, known or not
        raise Refusal(_("Choose a harder password: this one is made of your name, your address or words of this product."))
    result = zxcvbn(password[:72], user_inputs=words)
    if result["score"] < 3:
        warning = result["feedback"]["warning"] or TOO_EASY.text
        hint = _(warning)
        raise Refusal(_("Choose a harder password: %(hint)s. A few unrelated words in a row work well.", hint=hint.rstrip(".")))
