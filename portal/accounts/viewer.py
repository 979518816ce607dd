"""Viewer: who is looking, in which organisation, with which rights; built anew for every request."""

from __future__ import annotations

from dataclasses import dataclass

from flask_login import UserMixin

# What the console can be in, and what the portal: languages by their own names.
CONSOLE_LANGUAGES = {"en-GB": "English (day first)", "en-US": "English (month first)"}
LANGUAGES = {**CONSOLE_LANGUAGES, "fr": "Français", "de": "Deutsch", "es": "Español"}


def languages_for(viewer: Viewer) -> dict[str, str]:
    """What somebody may choose from: people outside all, colleagues what the console speaks."""
    return LANGUAGES if viewer.external else CONSOLE_LANGUAGES


@dataclass(frozen=True)
class Viewer(UserMixin):  # type: ignore[misc]
    """Frozen, so that nothing a view does can widen it. `permissions` are those of the organisation worked in;
    `platform` says that this is the admin organisation; `names_analysts`, that outsiders are told analysts' names; `must_enrol`, that
    a second factor is required of them and missing, so that they may do nothing but set one up; `party_id`, which external organisation
    they work for; `portal_admin`, that they manage its people; `viewed_by_id`, the colleague who looks
    through their eyes: such a viewer only reads, and leaves no trace."""

    user_id: int
    name: str
    email: str
    external: bool
    organisation_id: int
    organisation_name: str
    permissions: frozenset[str]
    platform: bool = False
    session_id: int | None = None
    names_analysts: bool = True
    organisations: tuple[tuple[int, str], ...] = ()
    language: str = ""
    time_zone: str = ""
    picture: str = ""
    organisation_picture: str = ""
    must_enrol: bool = False
    viewed_by_id: int | None = None
    party_id: int | None = None
    portal_admin: bool = False

    def can(self, permission: str) -> bool:
        """Whether their profiles in this organisation hold the permission."""
        return permission in self.permissions

    def can_inside(self, permission: str) -> bool:
        """The same of a colleague only: people outside hold some of these rights for less, see permissions.CATALOGUE."""
        return not self.external and self.can(permission)

    def get_id(self) -> str:
        """Flask-Login's name for the person; never stored in a cookie here."""
        return str(self.user_id)
