"""One function per letter: what it says is settled when it is sent, from what is true then; None means it must not go out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app, render_template
from sqlalchemy import select

from ..accounts import links
from ..accounts.models import OneTimeLink, User
from ..accounts.sessions import viewer_of
from ..cases.models import Attachment, Case, Comment
from ..clock import now
from ..extensions import db
from ..organisations.models import Organisation
from ..sharing import scope
from .models import OutboxMessage


@dataclass(frozen=True)
class Letter:
    """A finished letter: to whom, subject, both forms of the text."""

    to: str
    subject: str
    text: str
    html: str


Context = dict[str, Any]


def write(row: OutboxMessage) -> Letter | None:
    """The letter behind an outbox row, or None when its recipient may no longer have it."""
    if row.to_user_id is None:
        return _render(row, row.to_address or "", {"person": "", "team": ""}) if row.to_address else None
    user = db.session.get(User, row.to_user_id, populate_existing=True)
    if user is None or not user.active:
        return None
    context = LETTERS[row.letter](row, user)
    if context is None:
        return None
    team = db.session.get(Organisation, row.organisation_id) if row.organisation_id else None
    return _render(row, row.to_address or user.email, {"person": user.name, "team": team.name if team else "", **context})


def _render(row: OutboxMessage, to: str, context: Context) -> Letter:
    values = {"at": now(), **context, "base_url": current_app.config["BASE_URL"]}
    name = f"mail/{row.letter}"
    subject = " ".join(render_template(f"{name}.subject", **values).split())
    return Letter(to, subject, render_template(f"{name}.txt", **values), render_template(f"{name}.html", **values))


def _url(path: str) -> str:
    return f"{current_app.config['BASE_URL']}{path}"


def _living_link(row: OutboxMessage, user: User) -> OneTimeLink | None:
    link = db.session.get(OneTimeLink, row.link_id, populate_existing=True)
    if link is None or link.used_at or link.superseded_at or link.expires_at <= now() or link.epoch != user.epoch:
        return None
    return link


def invitation(row: OutboxMessage, user: User) -> Context | None:
    """Purpose, reason, secure link, expiry."""
    link = _living_link(row, user)
    if link is None or user.activated_at is not None:
        return None
    organisation = db.session.get(Organisation, link.organisation_id, populate_existing=True)
    if organisation is not None and organisation.locked:
        return None
    team = organisation.name if organisation else "The security team"
    return {
        "link": _url(f"/invitation/{links.token_for(link)}"),
        "expires_at": link.expires_at,
        "invited_by": link.created_by_name or team,
        "organisation": team,
        "face": "portal" if user.external else "console",
    }


def reset(row: OutboxMessage, user: User) -> Context | None:
    """The link that lets somebody choose a new password."""
    link = _living_link(row, user)
    if link is None:
        return None
    return {"link": _url(f"/reset/{links.token_for(link)}"), "expires_at": link.expires_at, "sent_by": link.created_by_name}


def password_changed(row: OutboxMessage, _user: User) -> Context | None:
    """Tells the owner, who may not have been the one who did it."""
    return {"at": datetime.fromisoformat(row.extra["at"])}


def email_change(row: OutboxMessage, user: User) -> Context | None:
    """The link that confirms a new address, sent there; not when somebody else has it by now."""
    link = _living_link(row, user)
    if link is None or db.session.scalar(select(User.id).where(User.email == link.email)) is not None:
        return None
    return {"link": _url(f"/new-address/{links.token_for(link)}"), "expires_at": link.expires_at, "email": link.email}


def email_changed(row: OutboxMessage, _user: User) -> Context | None:
    """Tells the old address, whose owner may not have been the one who did it."""
    return {"at": datetime.fromisoformat(row.extra["at"])}


def mfa_changed(row: OutboxMessage, _user: User) -> Context | None:
    """Tells the owner what became of their second step, who may not have been the one who did it."""
    return {"at": datetime.fromisoformat(row.extra["at"]), "what": row.extra["what"], "left": row.extra.get("left", 0)}


def mfa_reset(row: OutboxMessage, user: User) -> Context | None:
    """Tells the owner who took their second step away."""
    return {"at": datetime.fromisoformat(row.extra["at"]), "by": row.extra["by"], "face": "portal" if user.external else "console"}


def _case(row: OutboxMessage, user: User) -> Case | None:
    """The case, if this person may see it now: the question is asked for them, not for whoever caused the letter."""
    viewer = viewer_of(user.id, row.organisation_id) if row.organisation_id else None
    if viewer is None or row.case_id is None:
        return None
    case: Case | None = db.session.scalar(scope.visible(viewer, Case).where(Case.id == row.case_id))
    if case and row.comment_id is not None and db.session.scalar(scope.can_see(viewer, Comment, row.comment_id)) is None:
        return None
    return case


def _about_case(row: OutboxMessage, user: User) -> Context | None:
    case = _case(row, user) if user.activated_at else None  # who cannot sign in yet is told by the invitation
    if case is None:
        return None
    face = "portal" if user.external else "console"
    return {"number": case.number, "link": _url(f"/{face}/cases/{case.number}")}


def cases_shared(row: OutboxMessage, user: User) -> Context | None:
    """Several cases were shared at once; not when none of them can be seen any more."""
    viewer = viewer_of(user.id, row.organisation_id) if row.organisation_id and user.activated_at else None
    if viewer is None or db.session.scalar(scope.visible(viewer, Case, Case.id).where(Case.id.in_(row.extra["cases"])).limit(1)) is None:
        return None
    return {"link": _url(f"/{'portal' if user.external else 'console'}/")}


def case_news(row: OutboxMessage, user: User) -> Context | None:
    """Something new to read; not for what its author withdrew in the meantime."""
    if "files" in row.extra:
        return _about_case(row, user) if _has_new_files(row, user) else None
    if row.comment_id is None or db.session.scalar(select(Comment.id).where(Comment.id == row.comment_id)) is None:
        return None
    return _about_case(row, user)


def _has_new_files(row: OutboxMessage, user: User) -> bool:
    """Whether this person sees a file that went outside since the note was posted, or with it."""
    viewer = viewer_of(user.id, row.organisation_id) if row.organisation_id else None
    if viewer is None:
        return False
    newer = Attachment.outside_at >= datetime.fromisoformat(row.extra["files"])
    wanted = scope.visible(viewer, Attachment, Attachment.id).where(Attachment.case_id == row.case_id, newer)
    return db.session.scalar(wanted.limit(1)) is not None


def access_ending(row: OutboxMessage, user: User) -> Context | None:
    """Sharing ends in a few days; not when somebody ended it or took the date away in the meantime."""
    case, context = _case(row, user), _about_case(row, user)
    return {**context, "ends_at": case.shared_until} if case and context and case.shared_until else None


def access_ended(row: OutboxMessage, user: User) -> Context | None:
    """Sharing ended on the date that was set; not when they can see the case again, or when it is no longer told by its date."""
    case = db.session.get(Case, row.case_id, populate_existing=True) if row.case_id else None
    if case is None or case.shared_until is None or not case.ended or _case(row, user) is not None:
        return None
    if user.activated_at is None or user.activated_at > case.shared_until or viewer_of(user.id, case.organisation_id) is None:
        return None  # whoever came later, or has left, never had it or need not know
    return {"number": case.number, "ended_at": case.shared_until}


LETTERS: dict[str, Callable[[OutboxMessage, User], Context | None]] = {
    "invitation": invitation,
    "reset": reset,
    "password_changed": password_changed,
    "email_change": email_change,
    "email_changed": email_changed,
    "mfa_changed": mfa_changed,
    "mfa_reset": mfa_reset,
    "case_shared": _about_case,
    "cases_shared": cases_shared,
    "access_ending": access_ending,
    "access_ended": access_ended,
    "case_news": case_news,
    "external_reply": case_news,
}
