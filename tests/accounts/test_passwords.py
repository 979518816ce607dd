"""Passwords: how they are kept, which are refused, and that hashing cannot be made to stop the machine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError
from argon2.low_level import Type
from flask import Flask

from portal.accounts import passwords
from portal.config import Settings
from portal.refusals import Refusal, TooMany
from tests.fixtures.rooms import at_once

GOOD = "meadow-lantern-quartz-71"


@pytest.fixture
def inside(app: Flask) -> object:
    """The product's context, without the world."""
    with app.app_context():
        yield app


def test_a_password_is_kept_as_argon2id_and_never_twice_alike(inside: Flask) -> None:
    first, second = passwords.hash_password(GOOD), passwords.hash_password(GOOD)
    assert extract_parameters(first).type is Type.ID
    assert first != second
    assert GOOD not in first
    assert passwords.verify(first, GOOD)
    assert passwords.verify(second, GOOD)
    assert not passwords.verify(first, GOOD + " ")


def test_the_defaults_are_those_that_were_measured(inside: Flask) -> None:
    fields = Settings.__dataclass_fields__
    assert (fields["argon2_memory_mib"].default, fields["argon2_time"].default) == (64, 3)
    assert extract_parameters(passwords.hash_password(GOOD)).memory_cost == 1024  # what the tests' own settings ask for


def test_a_stolen_database_alone_cannot_be_searched(inside: Flask, make_app: Callable[..., Flask]) -> None:
    """The pepper lies in the key file: without it the right password does not fit."""
    stored = passwords.hash_password(GOOD)
    with pytest.raises(VerifyMismatchError):
        PasswordHasher().verify(stored, GOOD)
    with make_app(secret_key="another-installation-" * 3).app_context():
        assert not passwords.verify(stored, GOOD)


@pytest.mark.parametrize("stored", [None, "", "!", "$argon2id$v=19$broken"])
@pytest.mark.parametrize("typed", ["", "nobody", GOOD])
def test_nothing_fits_an_account_without_a_password(inside: Flask, stored: str | None, typed: str) -> None:
    assert not passwords.verify(stored, typed)


def test_an_unknown_account_costs_the_same_work(make_app: Callable[..., Flask]) -> None:
    with make_app(argon2_memory_mib=24, argon2_time=3).app_context():
        stored = passwords.hash_password(GOOD)
        passwords.verify(None, GOOD)  # the first time makes the stand-in

        def spent(kept: str | None) -> float:
            begun = time.thread_time()
            passwords.verify(kept, "wrong")
            return time.thread_time() - begun

        known, unknown = (min(spent(kept) for _ in range(5)) for kept in (stored, None))
    assert 0.5 < unknown / known < 2


def test_older_parameters_are_noticed(inside: Flask, make_app: Callable[..., Flask]) -> None:
    stored = passwords.hash_password(GOOD)
    assert not passwords.needs_rehash(stored)
    with make_app(argon2_time=2).app_context():
        assert passwords.needs_rehash(stored)
        assert passwords.verify(stored, GOOD)


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "elevenchars",
        "password1234",
        "aaaaaaaaaaaaaaaa",
        "123456789012345",
        "qwertyuiop123",
        "hanna.weiss2024",
        "HannaWeiss!2026",
        "harbourline-hanna",
        "portal-console-password",
        "x" * 257,
    ],
)
def test_a_weak_password_is_refused_with_a_sentence(inside: Flask, password: str) -> None:
    with pytest.raises(Refusal) as refused:
        passwords.check_strength(password, ["Hanna Weiss", "hanna.weiss@harbourline.example"])
    assert refused.value.sentence.endswith(".")
    assert not password or password not in refused.value.sentence


@pytest.mark.parametrize(
    "password", [GOOD, "correcthorsebatterystaple", "Übergrößenträger am Kai 9", "雨の日は図書館で本を読む予定です", "x9$Kq!v2Lm#8" * 20]
)
def test_a_strong_password_of_any_kind_is_taken(inside: Flask, password: str) -> None:
    passwords.check_strength(password, ["Hanna Weiss", "hanna.weiss@harbourline.example"])
    assert passwords.verify(passwords.hash_password(password), password)


def test_looking_at_a_long_password_is_quick(inside: Flask) -> None:
    begun = time.perf_counter()
    for text in ("a1" * 128, "qwerty" * 42, "".join(chr(33 + i % 90) for i in range(256))):
        try:
            passwords.check_strength(text, ["x" * 128, "y" * 128])
        except Refusal:
            continue
    assert time.perf_counter() - begun < 8  # 0.5 s each here; what must not happen is minutes


def test_too_many_at_once_are_told_to_come_back(make_app: Callable[..., Flask]) -> None:
    """Two hash, sixteen wait; whoever comes then is answered at once and nobody who waits is lost."""
    app = make_app(argon2_memory_mib=16, argon2_time=3)
    with app.app_context():
        stored = passwords.hash_password(GOOD)
    results = at_once(app, *[lambda: passwords.verify(stored, GOOD)] * 40)
    refused = [result for result in results if result is not True]
    assert {type(result) for result in refused} == {TooMany}
    assert all(result.retry_after > 0 for result in refused)
    assert results.count(True) >= 18
    with app.app_context():
        assert passwords.verify(stored, GOOD)
    assert threading.active_count() < 40
