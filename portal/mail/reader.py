"""How whoever gets a letter reads: in which language, and by which clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable

from sqlalchemy import func, select

from ..accounts.models import Membership, OneTimeLink, Purpose, User
from ..accounts.viewer import CONSOLE_LANGUAGES, LANGUAGES
from ..dates import Reading, reading_of
from ..extensions import db


def reading_for(user: User) -> Reading:
    """As they speak; who has never been here, as whoever of theirs invited them, or as most of those they work with. Colleagues write
    English to people they know nothing of."""
    spoken = _spoken(user)
    if not spoken and user.external and user.last_sign_in_at is None:
        inviter = _inviter(user)
        by_inviter = _spoken(inviter) if inviter else ""
        spoken = by_inviter if inviter and inviter.external and by_inviter else _spoken_at_work(user) or by_inviter
    return reading_of(user.time_zone, spoken or "en")


def _inviter(user: User) -> User | None:
    """Who sent them the last invitation; a new link can be asked for by oneself."""
    sent = select(User).join(OneTimeLink, OneTimeLink.created_by_id == User.id)
    sent = sent.where(OneTimeLink.user_id == user.id, OneTimeLink.purpose == Purpose.INVITATION)
    inviter: User | None = db.session.scalar(sent.order_by(OneTimeLink.id.desc()).limit(1))
    return inviter


def _spoken_at_work(user: User) -> str:
    """What most people of the external organisations they work for speak, as far as that is known."""
    theirs = select(Membership.party_id).where(Membership.user_id == user.id, Membership.party_id.is_not(None))
    count = func.count(User.id.distinct())
    wanted = select(User.language, User.browser_language, count).join(Membership, Membership.user_id == User.id)
    wanted = wanted.where(Membership.party_id.in_(theirs), User.active, User.last_sign_in_at.is_not(None))
    told: Counter[str] = Counter()
    for chosen, browser, people in db.session.execute(wanted.group_by(User.language, User.browser_language)):
        told[_known((chosen, browser), LANGUAGES)] += people
    del told[""]
    return min(told, key=lambda tag: (-told[tag], tag), default="")


def _spoken(user: User) -> str:
    """Colleagues speak English; people outside what they chose, else what their browser asked for. Empty where that is not known."""
    return _known((user.language, user.browser_language), LANGUAGES if user.external else CONSOLE_LANGUAGES)


def _known(tags: Iterable[str], spoken: Container[str]) -> str:
    return next((tag for tag in tags if tag in spoken), "")
