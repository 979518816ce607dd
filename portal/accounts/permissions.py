"""The permission catalogue: the reference's own names, which profile type may hold them, and plain words for people."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class ProfileType(StrEnum):
    """What kind of account a profile fits; decides which permissions may be picked."""

    ADMIN = "Admin"
    ORGANISATION = "Organisation"
    EXTERNAL = "External"


class Permission(StrEnum):
    """A right to change something. Reading never needs one. Only what does something here is listed."""

    MANAGE_ORGANISATION = "manageOrganisation"
    MANAGE_USER = "manageUser"
    MANAGE_PROFILE = "manageProfile"
    MANAGE_PLATFORM = "managePlatform"
    MANAGE_FIELDS = "manageCustomField"
    MANAGE_TYPES = "manageObservableTemplate"
    CREATE_CASE = "manageCase/create"
    UPDATE_CASE = "manageCase/update"
    DELETE_CASE = "manageCase/delete"
    REOPEN_CASE = "manageCase/reopen"
    COMMENT = "manageComment"
    OBSERVABLE = "manageObservable"
    TASK = "manageTask"
    MANAGE_TEMPLATES = "manageCaseTemplate"
    RESTRICT = "manageCaseAccess/restrict"
    SHARE_OUTSIDE = "manageCaseAccess/external"


P, T = Permission, ProfileType

# Which types may hold a permission, and how it reads there.
CATALOGUE: dict[ProfileType, dict[Permission, str]] = {
    T.ADMIN: {
        P.MANAGE_ORGANISATION: "Create, edit and lock organisations",
        P.MANAGE_USER: "Invite and manage people in every organisation",
        P.MANAGE_PROFILE: "Create, edit and delete profiles",
        P.MANAGE_PLATFORM: "Change mail and sign-in settings, and the statuses of cases",
        P.MANAGE_FIELDS: "Create, edit and delete custom fields",
        P.MANAGE_TYPES: "Create and delete types of observables",
    },
    T.ORGANISATION: {
        P.MANAGE_USER: "Invite and manage people of the organisation",
        P.CREATE_CASE: "Create cases",
        P.UPDATE_CASE: "Edit and close cases, add files and decide who sees them",
        P.REOPEN_CASE: "Reopen closed cases",
        P.DELETE_CASE: "Delete cases for good",
        P.COMMENT: "Write comments and decide who sees them",
        P.OBSERVABLE: "Add, edit and delete observables",
        P.TASK: "Add, edit and work on tasks",
        P.MANAGE_TEMPLATES: "Create, edit and delete case templates",
        P.RESTRICT: "Restrict cases to named colleagues",
        P.SHARE_OUTSIDE: "Share cases with external users",
    },
    T.EXTERNAL: {
        P.CREATE_CASE: "Report incidents",
        P.UPDATE_CASE: "Upload files",
        P.COMMENT: "Write messages",
        P.OBSERVABLE: "Add evidence items",
    },
}

ANALYST = frozenset({P.CREATE_CASE, P.UPDATE_CASE, P.DELETE_CASE, P.REOPEN_CASE, P.COMMENT, P.OBSERVABLE, P.TASK})

# name, type, permissions, locked (cannot be edited or deleted)
BUILT_IN: tuple[tuple[str, ProfileType, frozenset[Permission], bool], ...] = (
    ("Admin", T.ADMIN, frozenset(CATALOGUE[T.ADMIN]), True),
    ("Org-Admin", T.ORGANISATION, frozenset(CATALOGUE[T.ORGANISATION]), True),
    ("Analyst", T.ORGANISATION, ANALYST, False),
    ("Read-Only", T.ORGANISATION, frozenset(), True),
    ("External-Reader", T.EXTERNAL, frozenset(), True),
    ("External-Actor", T.EXTERNAL, frozenset(CATALOGUE[T.EXTERNAL]), True),
)

# What everybody with a profile of this type may do without any permission.
ALWAYS: dict[ProfileType, str] = {
    T.ADMIN: "Sign in to the console. Never reads cases.",
    T.ORGANISATION: "Read the organisation's cases, except restricted ones they are not named on.",
    T.EXTERNAL: "Sign in to the portal and read what was shared with them.",
}


def in_words(permissions: Iterable[str], kind: ProfileType) -> list[str]:
    """Each permission of a profile of this type as a sentence, in the order of the catalogue."""
    held = set(permissions)
    return [words for permission, words in CATALOGUE[kind].items() if permission in held]
