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
from ..accounts.viewer import LANGUAGES
from ..cases.models import Case
from ..clock import now
from ..dates import Reading, reading_of, time_words
from ..extensions import db
from ..organisations.models import Organisation
from . import digest, news
from .addressee import Addressee
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
    to = Addressee(user, row)
    told = _news(to) if row.letter in news.LETTERS else _single(row, to)
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


def _single(row: OutboxMessage, to: Addressee) -> Told | None:
    context = LETTERS[row.letter](row, to)
    return None if context is None else Told(row.letter, context)


def _news(to: Addressee) -> Told | None:
    """What is left to tell of what was posted: the letter about it, or one about all of it."""
    told = [told for part in to.parts if to.wants(part) and (told := _single(part, to)) is not None]
    if not told:
        return None
    more = {"wishes_link": _url(f"/{_face(to.user)}/account/letters")}
    if len(told) == 1:
        return replace(told[0], context={**told[0].context, **more})
    lines = _lines(told)
    link = lines[0].link if len(lines) == 1 else ""
    return Told(news.DIGEST, {"cases": lines[:MOST_LINES], "count": len(lines), "link": link or _url(f"/{_face(to.user)}/"), **more})


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


def invitation(row: OutboxMessage, to: Addressee) -> Context | None:
    """Purpose, reason, secure link, expiry."""
    link = _living_link(row, to.user)
    if link is None or to.user.activated_at is not None:
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
        "face": "portal" if to.user.external else "console",
    }


def reset(row: OutboxMessage, to: Addressee) -> Context | None:
    """The link that lets somebody choose a new password."""
    link = _living_link(row, to.user)
    if link is None:
        return None
    return {"link": _url(f"/reset/{links.token_for(link)}"), "expires_at": link.expires_at, "sent_by": link.created_by_name}


def password_changed(row: OutboxMessage, _to: Addressee) -> Context | None:
    """Tells the owner, who may not have been the one who did it."""
    return {"at": datetime.fromisoformat(row.extra["at"])}


def email_change(row: OutboxMessage, to: Addressee) -> Context | None:
    """The link that confirms a new address, sent there; not when somebody else has it by now."""
    link = _living_link(row, to.user)
    if link is None or db.session.scalar(select(User.id).where(User.email == link.email)) is not None:
        return None
    return {"link": _url(f"/new-address/{links.token_for(link)}"), "expires_at": link.expires_at, "email": link.email}


def email_changed(row: OutboxMessage, _to: Addressee) -> Context | None:
    """Tells the old address, whose owner may not have been the one who did it."""
    return {"at": datetime.fromisoformat(row.extra["at"])}


def mfa_changed(row: OutboxMessage, _to: Addressee) -> Context | None:
    """Tells the owner what became of their second step, who may not have been the one who did it."""
    return {"at": datetime.fromisoformat(row.extra["at"]), "what": row.extra["what"], "left": row.extra.get("left", 0)}


def mfa_reset(row: OutboxMessage, to: Addressee) -> Context | None:
    """Tells the owner who took their second step away."""
    return {"at": datetime.fromisoformat(row.extra["at"]), "by": row.extra["by"], "face": "portal" if to.user.external else "console"}


def _case(row: OutboxMessage, to: Addressee) -> Case | None:
    """The case, if this person may see it now, and the comment the letter is about."""
    if row.comment_id is not None and row.comment_id not in to.comments:
        return None
    return to.cases.get(row.case_id or 0)


def _named(case: Case, to: Addressee) -> tuple[int, str, str]:
    """Number, title where the organisation lets letters carry it, and address."""
    return case.number, case.title if to.titles else "", _url(f"/{_face(to.user)}/cases/{case.number}")


def _about(case: Case | None, to: Addressee, **more: object) -> Context | None:
    if case is None or to.user.activated_at is None:  # who cannot sign in yet is told by the invitation
        return None
    number, title, link = _named(case, to)
    return {"number": number, "title": title, "link": link, **more}


def case_shared(row: OutboxMessage, to: Addressee) -> Context | None:
    """A case was shared; not when this person has opened it since, however much came after that."""
    return None if to.opened(row.case_id, row) else _about(_case(row, to), to)


def cases_shared(row: OutboxMessage, to: Addressee) -> Context | None:
    """Several cases were shared at once; not when none of them can be seen any more, or all were opened since."""
    if to.user.activated_at is None:
        return None
    cases = [to.cases[key] for key in row.extra["cases"] if key in to.cases and not to.mutes(key) and not to.opened(key, row)]
    named = [_named(case, to) for case in sorted(cases, key=lambda case: case.number)]
    return {"link": _url(f"/{_face(to.user)}/"), "cases": named} if named else None


def case_news(row: OutboxMessage, to: Addressee) -> Context | None:
    """Something new to read; not for what its author withdrew in the meantime, nor for what was read."""
    if "files" in row.extra:
        return _about(_case(row, to), to, what="file") if to.has_file(row) else None
    comment = to.comments.get(row.comment_id or 0)
    if comment is None or comment.case_id != row.case_id or to.read(row.case_id, comment.outside_at or comment.created_at):
        return None
    return _about(_case(row, to), to, what="message")


def case_status(row: OutboxMessage, to: Addressee) -> Context | None:
    """The case entered another stage; not when it went back, or was looked at since."""
    case = _case(row, to)
    if case is None or case.stage.value == row.extra.get("was") or to.read(row.case_id, digest.posted_at(row)):
        return None
    return _about(case, to)


def access_ending(row: OutboxMessage, to: Addressee) -> Context | None:
    """Sharing ends in a few days; not when somebody ended it or took the date away in the meantime."""
    case = _case(row, to)
    return _about(case, to, ends_at=case.shared_until, what=_moment(to, case.shared_until)) if case and case.shared_until else None


def access_ended(row: OutboxMessage, to: Addressee) -> Context | None:
    """Sharing ended on the date that was set; not when they can see the case again, or when it is no longer told by its date."""
    case, since = to.ended.get(row.case_id or 0), to.user.activated_at
    if case is None or case.shared_until is None or not case.ended or _case(row, to) is not None:
        return None
    if since is None or since > case.shared_until or to.viewer is None or case.organisation_id != to.place:
        return None  # whoever came later, or has left, never had it or need not know
    return {"number": case.number, "ended_at": case.shared_until, "what": _moment(to, case.shared_until)}


def _moment(to: Addressee, moment: datetime) -> str:
    return time_words(moment, _reader(to.user))


def _for_colleague(row: OutboxMessage, to: Addressee) -> Case | None:
    """The case, unless the notice that says the same was read."""
    return None if to.user.external or to.read_notice(row) else _case(row, to)


def external_reply(row: OutboxMessage, to: Addressee) -> Context | None:
    """Somebody outside wrote or added something; not when they took all of it back."""
    if "more" in row.extra:
        return _about(_for_colleague(row, to), to, what="added something") if to.has_more(row) else None
    return _about(_for_colleague(row, to), to, what="wrote") if row.comment_id is not None else None


def case_reported(row: OutboxMessage, to: Addressee) -> Context | None:
    """Somebody outside reported a case; not when it is somebody's by now."""
    case = _for_colleague(row, to)
    return _about(case, to) if case and case.assignee_id in (None, to.user.id) else None


def case_assigned(row: OutboxMessage, to: Addressee) -> Context | None:
    """A case was given to this colleague; not when it is somebody else's by now."""
    case = _for_colleague(row, to)
    return _about(case, to) if case and case.assignee_id == to.user.id else None


def report_received(row: OutboxMessage, to: Addressee) -> Context | None:
    """Confirms to whoever reported a case that it arrived, and under which number."""
    return _about(_case(row, to), to)


LETTERS: dict[str, Callable[[OutboxMessage, Addressee], Context | None]] = {
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
