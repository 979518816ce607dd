"""Limits on guessing and on mail: counted in the database, so that a restart forgives nothing."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import delete, func, insert, select

from ..clock import now
from ..database import queue_up, start_writing
from ..extensions import db
from ..refusals import TooMany
from ..settings import values
from ..words import ngettext
from .models import Attempt

# (how many, within how many seconds)
Limits = tuple[tuple[int, int], ...]


def sign_in_account() -> Limits:
    """Tries at one account from one place; administrators choose how many."""
    policy = values.sign_in_policy()
    return ((policy.attempts, policy.attempt_minutes * 60),)


SIGN_IN_ACCOUNT = sign_in_account
SIGN_IN_NETWORK = ((50, 900),)
MAIL_ADDRESS = ((3, 3600), (5, 86400))
MAIL_NETWORK = ((20, 3600),)
LONGEST = 86400


def spend(*budgets: tuple[str, str, Limits | Callable[[], Limits]]) -> None:
    """Count one try against each (name, key, limits) and commit; raise TooMany when one is used up.

    Call it before the request's own transaction writes: the count must survive whatever that one does.
    """
    start_writing()
    moment = now()
    for name, key, limits in budgets:
        bucket = _bucket(name, key)
        queue_up(bucket)
        for most, seconds in limits() if callable(limits) else limits:
            since = moment - timedelta(seconds=seconds)
            count, first = db.session.execute(
                select(func.count(), func.min(Attempt.at)).where(Attempt.bucket == bucket, Attempt.at > since)
            ).one()
            if count >= most:
                db.session.rollback()
                wait = max(1, int((first - since).total_seconds()))
                raise TooMany(_sentence(wait), wait)
        db.session.add(Attempt(bucket=bucket, at=moment))
    db.session.execute(delete(Attempt).where(Attempt.at < moment - timedelta(seconds=LONGEST)))
    db.session.commit()


def take(name: str, key: str, number: int, most: int) -> bool:
    """Count so many at once against a day's budget, or none when they are too many; part of the running transaction."""
    bucket, moment = _bucket(name, key), now()
    queue_up(bucket)
    since = moment - timedelta(seconds=LONGEST)
    used = db.session.scalar(select(func.count()).select_from(Attempt).where(Attempt.bucket == bucket, Attempt.at > since)) or 0
    if used + number > most:
        return False
    db.session.execute(insert(Attempt), [{"bucket": bucket, "at": moment}] * number)
    return True


def forgive(name: str, key: str, *, tries: int | None = None) -> None:
    """Forget the tries of one key after a success, all of them or only the newest so many; part of the running transaction."""
    mine = Attempt.bucket == _bucket(name, key)
    newest = select(Attempt.id).where(mine).order_by(Attempt.id.desc()).limit(tries)
    db.session.execute(delete(Attempt).where(mine if tries is None else Attempt.id.in_(newest)))


def network(ip: str) -> str:
    """What counts as one place: an IPv4 address, or the /64 that one IPv6 customer has all of."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ip
    if isinstance(address, ipaddress.IPv4Address):
        return ip
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))


def _bucket(name: str, key: str) -> str:
    return hashlib.sha256(f"{name}:{key}".encode()).hexdigest()


def _sentence(seconds: int) -> str:
    if seconds < 90:
        return ngettext(
            "Too many tries. Wait %(num)s second, then try again.", "Too many tries. Wait %(num)s seconds, then try again.", seconds
        )
    minutes = -(-seconds // 60)
    if minutes < 90:
        return ngettext(
            "Too many tries. Wait %(num)s minute, then try again.", "Too many tries. Wait %(num)s minutes, then try again.", minutes
        )
    hours = -(-minutes // 60)
    return ngettext("Too many tries. Wait %(num)s hour, then try again.", "Too many tries. Wait %(num)s hours, then try again.", hours)
