"""Fixtures come as plugins, one file a subject; what each gives is said in its first line."""

from __future__ import annotations

pytest_plugins = [
    "tests.fixtures.required",
    "tests.fixtures.pace",
    "tests.fixtures.database",
    "tests.fixtures.product",
    "tests.fixtures.post",
    "tests.fixtures.server",
    "tests.fixtures.browser",
    "tests.fixtures.world",
    "tests.fixtures.company",
    "tests.fixtures.begun",
    "tests.fixtures.rooms",
    "tests.fixtures.languages",
]
