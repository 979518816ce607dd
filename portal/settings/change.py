"""Changing what holds for the whole platform; every change says what was there before, and holds from the next request on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from flask import current_app
from sqlalchemy import select

from ..accounts.permissions import CATALOGUE, Permission, ProfileType
from ..accounts.viewer import Viewer
from ..audit.kinds import Kind
from ..audit.record import record
from ..clock import now
from ..config import LIMITS, Settings
from ..database import queue_up
from ..extensions import db
from ..refusals import NotAllowed, Stale, Unfit
from ..vault import Unreadable, open_sealed, seal
from . import values
from .models import Setting
from .values import MAIL, SEALED, SignInPolicy

Group = dict[str, Any]

NO_RIGHT = "Your profile does not let you change the platform's settings. Ask an administrator of the platform."
STALE = "Somebody changed these settings after you opened the page. Compare below, then save again."
PLAIN = (
    "Without encryption anybody on the way could read the letters and their links, so this is for a mail server on this machine only. "
    "Choose STARTTLS or TLS."
)
SECURITIES = ("starttls", "tls", "none")
# Whoever decides where letters go reads the links in them.
WAY_OUT = ("smtp_host", "smtp_port", "smtp_security", "smtp_username", "smtp_password")
HOST = re.compile(r"[A-Za-z0-9._:-]{1,253}", re.ASCII)
SIGN_IN_LIMITS: dict[str, tuple[int, int]] = {
    "password_shortest": (12, 64),
    "attempts": (3, 50),
    "attempt_minutes": (1, 120),
    "idle_minutes_console": (5, 720),
    "idle_minutes_portal": (5, 720),
    "hours_console": (1, 72),
    "hours_portal": (1, 72),
}


def check_right(by: Viewer) -> None:
    """Settings are the business of the platform's administrators."""
    if not by.can(Permission.MANAGE_PLATFORM):
        raise NotAllowed(NO_RIGHT)


def version_of(name: str) -> int:
    """Which version of a group is stored; 0 while nobody changed it."""
    return db.session.scalar(select(Setting.version).where(Setting.name == name)) or 0


def password_state() -> str:
    """What is known of the mail server's password: "none", "kept", "lost" (sealed with another key) or "environment"."""
    settings: Settings = current_app.config["SETTINGS"]
    if settings.overrules(SEALED):
        return "environment"
    sealed = values.stored("mail").get(SEALED)
    if not sealed:
        return "none"
    try:
        open_sealed(sealed, SEALED)
    except Unreadable:
        return "lost"
    return "kept"


def draft_mail(chosen: Mapping[str, Any], *, by: Viewer) -> Settings:
    """The settings as they would be with these choices, to try them out; nothing is stored."""
    check_right(by)
    return values.merged(_mail_group(chosen, values.stored("mail")))


def save_mail(chosen: Mapping[str, Any], *, version: int, by: Viewer) -> None:
    """Store how letters leave and how long their links work. An empty password keeps the one there is; `forget_password` removes it.

    What the environment settles is left out, whatever was sent.
    """
    check_right(by)
    row = _row("mail")
    group = _mail_group(chosen, row.value)
    if any(group.get(name) != row.value.get(name) for name in WAY_OUT) and not set(CATALOGUE[ProfileType.ADMIN]) <= by.permissions:
        raise NotAllowed(
            "Letters carry links that open accounts, so only an administrator with every permission may change how they leave. "
            "You may change how long links work."
        )
    _store(row, group, version, by)


def save_sign_in(policy: SignInPolicy, *, version: int, by: Viewer) -> None:
    """Store how people sign in."""
    check_right(by)
    for name, (least, most) in SIGN_IN_LIMITS.items():
        if not least <= getattr(policy, name) <= most:
            raise Unfit(name, f"Use a whole number between {least} and {most}.")
    for face in ("console", "portal"):
        if policy.idle(face) >= policy.longest(face):
            hours = policy.longest(face).total_seconds() / 3600
            raise Unfit(f"idle_minutes_{face}", f"This must be shorter than the longest time signed in, which is {hours:g} h.")
    usual, row = asdict(SignInPolicy()), _row("sign_in")
    _store(row, {name: value for name, value in asdict(policy).items() if value != usual[name]}, version, by)


def _row(name: str) -> Setting:
    """The group, locked; a new one while nobody changed it."""
    queue_up(f"setting {name}")
    wanted = select(Setting).where(Setting.name == name).with_for_update().execution_options(populate_existing=True)
    return db.session.scalar(wanted) or Setting(name=name, value={}, version=0)


def _store(row: Setting, group: Group, version: int, by: Viewer) -> None:
    if group == row.value:
        return  # pressed twice, or nothing was changed
    if version != row.version:
        raise Stale(STALE)
    changes = _changes(row.name, row.value, group)
    row.value, row.version, row.updated_at = group, row.version + 1, now()
    db.session.add(row)
    values.remember(**{row.name: group})
    record(Kind.SETTINGS_CHANGED, actor=by, object_id=row.name, changes=changes)


def _changes(name: str, before: Group, after: Group) -> dict[str, list[Any]]:
    """What was and what is; of a password only that it changed."""
    usual = asdict(SignInPolicy()) if name == "sign_in" else {key: getattr(current_app.config["SETTINGS"], key) for key in MAIL}
    told = {}
    for key in usual:
        old, new = before.get(key, usual[key]), after.get(key, usual[key])
        if old != new:
            told[key] = [None, "changed" if new else "removed"] if key == SEALED else [old, new]
    return told


def _mail_group(chosen: Mapping[str, Any], kept: Group) -> Group:
    """What would be stored: what differs from the defaults, and what the environment hides, as it was."""
    settings: Settings = current_app.config["SETTINGS"]
    group = dict(kept)
    for name in MAIL:
        if name != SEALED and name in chosen and not settings.overrules(name):
            group.pop(name, None)
            if chosen[name] not in (getattr(settings, name), ""):
                group[name] = chosen[name]
    _check_mail(group)
    _seal_password(group, chosen, kept)
    return group


def _holding(name: str, group: Group) -> Any:
    """What would hold with this group."""
    settings: Settings = current_app.config["SETTINGS"]
    usual = getattr(settings, name)
    return usual if settings.overrules(name) else group.get(name, usual)


def _check_mail(group: Group) -> None:
    for name in ("smtp_port", "invitation_hours", "reset_minutes"):
        least, most = LIMITS[name]
        if not least <= _holding(name, group) <= most:
            raise Unfit(name, f"Use a whole number between {least} and {most}.")
    host, security = _holding("smtp_host", group), _holding("smtp_security", group)
    if host and not HOST.fullmatch(host):
        raise Unfit("smtp_host", "Enter the name or address of a mail server, for example smtp.example.org.")
    if security not in SECURITIES:
        raise Unfit("smtp_security", "Choose one of the three.")
    if security == "none" and host and not current_app.config["SETTINGS"].may_send_plainly(host):
        raise Unfit("smtp_security", PLAIN)


def _seal_password(group: Group, chosen: Mapping[str, Any], kept: Group) -> None:
    """A password goes to the server it was typed for and to no other."""
    typed = chosen.get(SEALED) or ""
    if current_app.config["SETTINGS"].overrules(SEALED):
        return
    host, before = _holding("smtp_host", group), _holding("smtp_host", kept)
    if chosen.get("forget_password"):
        group.pop(SEALED, None)
    elif typed:
        if SEALED not in group or not _opens_to(group[SEALED], typed):  # sealed anew it would look like another one
            group[SEALED] = seal(typed, SEALED)
    elif SEALED in group and host not in ("", before):
        raise Unfit(SEALED, f"Type the password again: the one that is kept was given for {before or 'another server'}, not for {host}.")


def _opens_to(sealed: str, typed: str) -> bool:
    try:
        return open_sealed(sealed, SEALED) == typed
    except Unreadable:
        return False
