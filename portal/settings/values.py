"""What holds now: defaults, overruled by what an administrator set, overruled by the environment."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Any

from flask import current_app
from sqlalchemy import select

from ..config import Settings
from ..extensions import db
from ..vault import Unreadable, open_sealed
from .models import Setting

# Names of config.Settings that administrators may set too.
MAIL: tuple[str, ...] = (
    "smtp_host",
    "smtp_port",
    "smtp_security",
    "smtp_username",
    "smtp_password",
    "mail_from",
    "invitation_hours",
    "reset_minutes",
)
SEALED = "smtp_password"


@dataclass(frozen=True)
class SignInPolicy:
    """How people sign in. `attempts` wrong passwords within `attempt_minutes`, then a wait; `mfa_*`: a second factor is required."""

    password_shortest: int = 12
    attempts: int = 10
    attempt_minutes: int = 15
    idle_minutes_console: int = 30
    idle_minutes_portal: int = 30
    hours_console: int = 12
    hours_portal: int = 8
    mfa_admin: bool = True
    mfa_organisation: bool = True
    mfa_external: bool = False

    def idle(self, face: str) -> timedelta:
        """How long a session of this face lives without being used."""
        return timedelta(minutes=self.idle_minutes_portal if face == "portal" else self.idle_minutes_console)

    def longest(self, face: str) -> timedelta:
        """How long it lives at most."""
        return timedelta(hours=self.hours_portal if face == "portal" else self.hours_console)

    def demands_mfa(self, *, external: bool, platform: bool) -> bool:
        """Whether somebody who works in such an organisation in such a role needs a second factor."""
        return self.mfa_external if external else self.mfa_admin if platform else self.mfa_organisation


def policy_from(value: dict[str, Any] | None) -> SignInPolicy:
    """The policy a stored group describes; what it does not know any more is left out."""
    known = {field.name for field in fields(SignInPolicy)}
    return SignInPolicy(**{name: chosen for name, chosen in (value or {}).items() if name in known})


def remember(**groups: dict[str, Any] | None) -> None:
    """Keep what a request has read already, until its session ends; later reads of it ask nothing."""
    db.session.info.setdefault("settings", {}).update({name: value or {} for name, value in groups.items()})


def stored(name: str) -> dict[str, Any]:
    """The group as it lies in the database; empty while nobody changed it."""
    kept: dict[str, dict[str, Any]] = db.session.info.setdefault("settings", {})
    if name not in kept:
        kept[name] = db.session.scalar(select(Setting.value).where(Setting.name == name)) or {}
    return kept[name]


def forget() -> None:
    """Read again what others may have changed; for work that goes on and on in one session."""
    db.session.info.pop("settings", None)


def sign_in_policy() -> SignInPolicy:
    """The policy that holds now."""
    return policy_from(stored("sign_in"))


def mail_is_set_up() -> bool:
    """Whether letters are sent at all, rather than written to files."""
    settings: Settings = current_app.config["SETTINGS"]
    return bool(settings.smtp_host if settings.overrules("smtp_host") else stored("mail").get("smtp_host"))


def current() -> Settings:
    """The settings that hold now: those of the environment, and for mail and links what an administrator set where it is silent."""
    return merged(stored("mail"))


def merged(group: dict[str, Any]) -> Settings:
    """The settings as they would be with this group stored."""
    settings: Settings = current_app.config["SETTINGS"]
    chosen = {name: value for name, value in group.items() if name in MAIL and not settings.overrules(name)}
    if SEALED in chosen:
        try:
            chosen[SEALED] = open_sealed(chosen[SEALED], SEALED)
        except Unreadable:
            del chosen[SEALED]  # another secret key: the password must be typed again
    host, security = (chosen.get(name, getattr(settings, name)) for name in ("smtp_host", "smtp_security"))
    if host and security == "none" and not settings.may_send_plainly(host):
        chosen["smtp_security"] = "starttls"  # what was fine when it was chosen no longer is with what the environment says
    return replace(settings, **chosen) if chosen else settings
