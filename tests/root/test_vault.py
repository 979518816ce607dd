"""The vault: what is sealed can be opened with the same key at the same place, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from portal.vault import Unreadable, open_sealed, seal

SECRET = "öpen sesame \U0001f511"


@pytest.fixture(autouse=True)
def inside(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def test_what_is_sealed_can_be_opened() -> None:
    for secret in ("", "x", SECRET, "y" * 5000):
        assert open_sealed(seal(secret, "here"), "here") == secret


def test_the_same_secret_never_looks_the_same() -> None:
    sealed = {seal(SECRET, "here") for _ in range(50)}
    assert len(sealed) == 50
    assert [text for text in sealed if SECRET in text] == []


def test_it_cannot_be_opened_at_another_place() -> None:
    with pytest.raises(Unreadable):
        open_sealed(seal(SECRET, "totp of 1"), "totp of 2")


def test_it_cannot_be_opened_with_another_key(make_app: Callable[..., Flask]) -> None:
    sealed = seal(SECRET, "here")
    with make_app(secret_key="another-installation-" * 3).app_context(), pytest.raises(Unreadable):
        open_sealed(sealed, "here")


def test_what_was_changed_cannot_be_opened() -> None:
    sealed = seal(SECRET, "here")
    middle = len(sealed) // 2
    changed = "A" if sealed[middle] != "A" else "B"
    wrong = ["", "v1", "v1:", "v1:AAAA", "v1:%%%", "v1:é", sealed[:-8], sealed[:middle] + changed + sealed[middle + 1 :], "v2" + sealed[2:]]
    for text in wrong:
        with pytest.raises(Unreadable):
            open_sealed(text, "here")
