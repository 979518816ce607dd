"""The analyst console."""

from . import (
    access,
    cases,
    comments,
    feed,
    lifecycle,
    new_person,
    organisations,
    people,
    people_bulk,
    person,
    profiles,
    proofs,
    restriction,
    seats,
    settings,
)
from .face import console

__all__ = [
    "access",
    "cases",
    "comments",
    "console",
    "feed",
    "lifecycle",
    "new_person",
    "organisations",
    "people",
    "people_bulk",
    "person",
    "profiles",
    "proofs",
    "restriction",
    "seats",
    "settings",
]
