"""One function per letter: what it says is settled when it is sent, from what is true then; None means it must not go out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask import current_app, render_template
from sqlalchemy import select

from ..accounts import links
from ..accounts.models import OneTimeLink, User
from ..accounts.sessions import viewer_of
from ..accounts.viewer import LANGUAGES
from ..cases.models import Attachment, Case, Comment
from ..clock import now
from ..dates import Reading, reading_of, time_words
from ..extensions import db
from ..organisations.models import Organisation
from ..sharing import scope
from . import digest, news, wishes
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
    """The letter behind an outbox row, or None when its recipient may no longer have it, or does not want it."""
    if row.to_user_id is None:
        return _render(row.letter, row.to_address or "", {"person": "", "team": ""}) if row.to_address else None
    user = db.session.get(User, row.to_user_id, populate_existing=True)
    if user is None or not user.active:
        return None
    told = _news(row, user) if row.letter in news.LETTERS else _single(row, user)
    if told is None:
        return None
    team = db.session.get(Organisation, row.organisation_id) if row.organisation_id else None
    known = {"person": user.name, "team": team.name if team else "", "reader": _reader(user)}
    return _render(told.letter, row.to_address or user.email, {**known, **told.context})


def _render(letter: str, to: str, context: Context) -> Letter:
    reader = context.get("reader", Reading())
    values = {"at": now(), "wishes_link": "", **context, "base_url": current_app.config["BASE_URL"]}
    values["when"] = lambda moment: time_words(moment, reader)
    name = f"mail/{letter}"
    subject = " ".join(render_template(f"{name}.subject", **values).split())
    return Letter(to, subject, render_template(f"{name}.txt", **values), render_template(f"{name}.html", **values))


def _reader(user: User) -> Reading:
    """How whoever gets the letter reads times."""
    return reading_of(user.time_zone, user.language if user.language in LANGUAGES else "en")


@dataclass(frozen=True)
class Told:
    """Which letter it becomes and what it says."""

    letter: str
    context: Context


@dataclass
class Line:
    """A case in a letter about several."""

    number: int
    title: str
    link: str
    news: list[str]


def _single(row: OutboxMessage, user: User) -> Told | None:
    context = LETTERS[row.letter](row, user)
    return None if context is None else Told(row.letter, context)


def _news(row: OutboxMessage, user: User) -> Told | None:
    """What is left to tell of what was posted: the letter about it, or one about all of it."""
    told = [told for part in digest.parts(row) if (told := _wanted(part, user)) is not None]
    if not told:
        return None
    more = {"wishes_link": _url(f"/{_face(user)}/account/letters")}
    if len(told) == 1:
        return replace(told[0], context={**told[0].context, **more})
    lines = _lines(told)
    link = lines[0].link if len(lines) == 1 else ""
    return Told(news.DIGEST, {"cases": lines[:MOST_LINES], "count": len(lines), "link": link or _url(f"/{_face(user)}/"), **more})


def _wanted(part: OutboxMessage, user: User) -> Told | None:
    if wishes.unwanted(user, news.kind_of(part), part.case_id):
        return None
    return _single(part, user)


def _lines(told: list[Told]) -> list[Line]:
    """Each case once, the oldest news first."""
    lines: dict[int, Line] = {}
    for one in told:
        context = one.context
        for number, title, link in context.get("cases") or [(context["number"], context.get("title", ""), context.get("link", ""))]:
            line = lines.setdefault(number, Line(number, title, link, []))
            said = WORDS[one.letter].format(what=context.get("what", ""))
            if said not in line.news:
                line.news.append(said)
    return list(lines.values())


def _face(user: User) -> str:
    return "portal" if user.external else "console"


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


def _named(case: Case, user: User) -> tuple[int, str, str]:
    """Number, title where the organisation lets letters carry it, and address."""
    allowed = db.session.scalar(select(Organisation.titles_in_mail).where(Organisation.id == case.organisation_id))
    return case.number, case.title if allowed else "", _url(f"/{_face(user)}/cases/{case.number}")


def _about(case: Case | None, user: User, **more: object) -> Context | None:
    if case is None or user.activated_at is None:  # who cannot sign in yet is told by the invitation
        return None
    number, title, link = _named(case, user)
    return {"number": number, "title": title, "link": link, **more}


def _read(row: OutboxMessage, user: User, at: datetime) -> bool:
    seen = wishes.seen_at(user, row.case_id)
    return seen is not None and seen >= at


def case_shared(row: OutboxMessage, user: User) -> Context | None:
    """A case was shared; not when it was opened since."""
    return None if _read(row, user, digest.posted_at(row)) else _about(_case(row, user), user)


def cases_shared(row: OutboxMessage, user: User) -> Context | None:
    """Several cases were shared at once; not when none of them can be seen any more, or all were opened since."""
    viewer = viewer_of(user.id, row.organisation_id) if row.organisation_id and user.activated_at else None
    if viewer is None:
        return None
    ids = set(row.extra["cases"]) - wishes.quiet_among(user, row.extra["cases"], digest.posted_at(row))
    cases = db.session.scalars(scope.visible(viewer, Case).where(Case.id.in_(ids)).order_by(Case.number)).all()
    named = [_named(case, user) for case in cases]
    return {"link": _url(f"/{_face(user)}/"), "cases": named} if named else None


def case_news(row: OutboxMessage, user: User) -> Context | None:
    """Something new to read; not for what its author withdrew in the meantime, nor for what was read."""
    if "files" in row.extra:
        return _about(_case(row, user), user, what="file") if _has_new_files(row, user) else None
    comment = db.session.get(Comment, row.comment_id, populate_existing=True) if row.comment_id else None
    if comment is None or comment.case_id != row.case_id or _read(row, user, comment.outside_at or comment.created_at):
        return None
    return _about(_case(row, user), user, what="message")


def _has_new_files(row: OutboxMessage, user: User) -> bool:
    """Whether this person sees a file that went outside since the note was posted, or with it, and since they last looked."""
    viewer = viewer_of(user.id, row.organisation_id) if row.organisation_id else None
    if viewer is None:
        return False
    newer = Attachment.outside_at >= datetime.fromisoformat(row.extra["files"])
    wanted = scope.visible(viewer, Attachment, Attachment.id).where(Attachment.case_id == row.case_id, newer)
    if seen := wishes.seen_at(user, row.case_id):
        wanted = wanted.where(Attachment.outside_at > seen)
    return db.session.scalar(wanted.limit(1)) is not None


def case_status(row: OutboxMessage, user: User) -> Context | None:
    """The case entered another stage; not when it went back, or was looked at since."""
    case = _case(row, user)
    if case is None or case.stage.value == row.extra.get("was") or _read(row, user, digest.posted_at(row)):
        return None
    return _about(case, user)


def access_ending(row: OutboxMessage, user: User) -> Context | None:
    """Sharing ends in a few days; not when somebody ended it or took the date away in the meantime."""
    case = _case(row, user)
    return _about(case, user, ends_at=case.shared_until, what=_moment(user, case.shared_until)) if case and case.shared_until else None


def access_ended(row: OutboxMessage, user: User) -> Context | None:
    """Sharing ended on the date that was set; not when they can see the case again, or when it is no longer told by its date."""
    case = db.session.get(Case, row.case_id, populate_existing=True) if row.case_id else None
    if case is None or case.shared_until is None or not case.ended or _case(row, user) is not None:
        return None
    if user.activated_at is None or user.activated_at > case.shared_until or viewer_of(user.id, case.organisation_id) is None:
        return None  # whoever came later, or has left, never had it or need not know
    return {"number": case.number, "ended_at": case.shared_until, "what": _moment(user, case.shared_until)}


def _moment(user: User, moment: datetime) -> str:
    return time_words(moment, _reader(user))


def _for_colleague(row: OutboxMessage, user: User) -> Case | None:
    """The case, unless the notice that says the same was read."""
    if user.external or wishes.read_by_colleague(user, news.kind_of(row), row.case_id, digest.posted_at(row)):
        return None
    return _case(row, user)


def external_reply(row: OutboxMessage, user: User) -> Context | None:
    """Somebody outside wrote or added something; not when they took their words back."""
    if "more" not in row.extra and (row.comment_id is None or db.session.get(Comment, row.comment_id, populate_existing=True) is None):
        return None
    return _about(_for_colleague(row, user), user, what="added something" if "more" in row.extra else "wrote")


def case_reported(row: OutboxMessage, user: User) -> Context | None:
    """Somebody outside reported a case; not when it is somebody's by now."""
    case = _for_colleague(row, user)
    return _about(case, user) if case and case.assignee_id in (None, user.id) else None


def case_assigned(row: OutboxMessage, user: User) -> Context | None:
    """A case was given to this colleague; not when it is somebody else's by now."""
    case = _for_colleague(row, user)
    return _about(case, user) if case and case.assignee_id == user.id else None


def report_received(row: OutboxMessage, user: User) -> Context | None:
    """Confirms to whoever reported a case that it arrived, and under which number."""
    return _about(_case(row, user), user)


LETTERS: dict[str, Callable[[OutboxMessage, User], Context | None]] = {
    "invitation": invitation,
    "reset": reset,
    "password_changed": password_changed,
    "email_change": email_change,
    "email_changed": email_changed,
    "mfa_changed": mfa_changed,
    "mfa_reset": mfa_reset,
    "case_shared": case_shared,
    "cases_shared": cases_shared,
    "access_ending": access_ending,
    "access_ended": access_ended,
    "case_news": case_news,
    "case_status": case_status,
    "external_reply": external_reply,
    "case_reported": case_reported,
    "case_assigned": case_assigned,
    "report_received": report_received,
}
# What a letter about several cases says of each.
MOST_LINES = 20
WORDS = {
    "case_shared": "shared with you",
    "cases_shared": "shared with you",
    "case_news": "new {what}",
    "case_status": "new status",
    "access_ending": "your access ends on {what}",
    "access_ended": "your access ended on {what}",
    "external_reply": "an external user {what}",
    "case_reported": "reported in the portal",
    "case_assigned": "assigned to you",
}
