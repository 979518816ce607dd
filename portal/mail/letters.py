"""One function per letter: what it says is settled when it is sent, from what is true then; None means it must not go out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask import current_app, render_template
from sqlalchemy import select

from ..accounts import affiliation, links, team_news
from ..accounts.models import Membership, OneTimeLink, User
from ..accounts.permissions import Permission
from ..cases.models import Case
from ..clock import now
from ..dates import Reading, time_words
from ..extensions import db
from ..organisations.models import Organisation, Party
from ..words import _, ngettext, speaking
from . import digest, news
from .addressee import Addressee
from .models import OutboxMessage
from .reader import reading_for


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
        return _test(row.letter, row.to_address) if row.to_address else None
    user = db.session.get(User, row.to_user_id, populate_existing=True)
    if user is None or not user.active:
        return None
    reader = reading_for(user)
    with speaking(reader.language):
        return _written(row, user, reader)


def _test(letter: str, to: str) -> Letter:
    """A letter to nobody in particular is in English, whoever sends it."""
    with speaking("en"):
        return _render(letter, to, {"person": "", "team": ""}, Reading())


def _written(row: OutboxMessage, user: User, reader: Reading) -> Letter | None:
    to = Addressee(user, row, reader)
    told = _news(to) if row.letter in news.LETTERS else _single(row, to)
    if told is None:
        return None
    team = db.session.get(Organisation, row.organisation_id) if row.organisation_id else None
    known = {"person": user.name, "team": team.name if team else ""}
    return _render(told.letter, row.to_address or user.email, {**known, **told.context}, reader)


# In pages these words are escaped; the subject and the plain text are none.
PLAIN = {"_": _, "ngettext": ngettext}


def _render(letter: str, to: str, context: Context, reader: Reading) -> Letter:
    values = {"at": now(), "wishes_link": "", **context, "base_url": current_app.config["BASE_URL"], "language": reader.language}
    values["when"] = lambda moment: time_words(moment, reader)
    name = f"mail/{letter}"
    subject = render_template(f"{name}.subject", **values, **PLAIN)
    if title := context.get("title"):
        subject = _("%(subject)s: %(title)s", subject=subject, title=title)
    text = render_template(f"{name}.txt", **values, **PLAIN)
    return Letter(to, " ".join(subject.split()), text, render_template(f"{name}.html", **values))


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
    only = lines[0] if len(lines) == 1 else None
    link = only.link if only and only.link else _url(f"/{_face(to.user)}/")
    about = {"cases": lines[:MOST_LINES], "count": len(lines), "link": link, "title": only.title if only else ""}
    return Told(news.DIGEST, {**about, **more})


def _lines(told: list[Told]) -> list[Line]:
    """Each case once, the oldest news first."""
    lines: dict[int, Line] = {}
    for one in told:
        context = one.context
        for number, title, link in context.get("cases") or [(context["number"], context.get("title", ""), context.get("link", ""))]:
            line = lines.setdefault(number, Line(number, title, link, []))
            if context["said"] not in line.news:
                line.news.append(context["said"])
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
    team = organisation.name if organisation else _("The security team")
    works_for, manages = _works_for(to.user, link.organisation_id)
    return {
        "link": _url(f"/invitation/{links.token_for(link)}"),
        "expires_at": link.expires_at,
        "invited_by": link.created_by_name or team,
        "organisation": team,
        "works_for": works_for,
        "manages": manages,
        "face": _face(to.user),
    }


def _works_for(user: User, organisation_id: int | None) -> tuple[str, bool]:
    """The external organisation the person works for there, if any, and whether they manage its people in the portal."""
    wanted = select(Party.name, Membership.portal_admin).join(Party, Party.id == Membership.party_id)
    row = db.session.execute(wanted.where(Membership.user_id == user.id, Membership.organisation_id == organisation_id)).first()
    return (row.name, row.portal_admin) if row and user.external else ("", False)


def portal_admin(row: OutboxMessage, to: Addressee) -> Context | None:
    """Tells somebody that they manage the people of their organisation now: who has no account yet, when they set it up."""
    works_for, manages = _works_for(to.user, row.organisation_id)
    if not manages or to.user.activated_at is None or to.viewer is None:
        return None
    return {"works_for": works_for, "by": row.extra.get("by", ""), "link": _url("/portal/organisation")}


def people_digest(row: OutboxMessage, to: Addressee) -> Context | None:
    """Tells who manages people what portal administrators did to theirs; not who may not know it any more, or wants no such letters."""
    wants = news.News.PEOPLE.value not in to.user.unwanted.split()
    if to.user.activated_at is None or not wants or to.viewer is None or not to.viewer.can_inside(Permission.MANAGE_USER):
        return None
    since, until = (datetime.fromisoformat(row.extra[key]) for key in ("since", "until"))
    deeds = team_news.deeds(row.organisation_id or 0, since, until, most=MOST_DEEDS + 1)
    lines = [(_moment(to, deed.at), deed.line) for deed in deeds[:MOST_DEEDS]]
    more = {"link": _url("/console/feed?show=people"), "wishes_link": _url("/console/account/letters")}
    return {"lines": lines, "more": len(deeds) > MOST_DEEDS, **more} if lines else None


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
    if link is None or not link.email or affiliation.address_of(link.email, but=to.user.id):
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
    """What every letter about the case says; `said`: what a letter about several cases says of this one."""
    if case is None or to.user.activated_at is None:  # who cannot sign in yet is told by the invitation
        return None
    number, title, link = _named(case, to)
    return {"number": number, "title": title, "link": link, **more}


def case_shared(row: OutboxMessage, to: Addressee) -> Context | None:
    """A case was shared; not when this person has opened it since, however much came after that."""
    return None if to.opened(row.case_id, row) else _about(_case(row, to), to, said=_("shared with you"))


def cases_shared(row: OutboxMessage, to: Addressee) -> Context | None:
    """Several cases were shared at once; not when none of them can be seen any more, or all were opened since."""
    if to.user.activated_at is None:
        return None
    cases = [to.cases[key] for key in row.extra["cases"] if key in to.cases and not to.mutes(key) and not to.opened(key, row)]
    named = [_named(case, to) for case in sorted(cases, key=lambda case: case.number)]
    return {"link": _url(f"/{_face(to.user)}/"), "cases": named, "said": _("shared with you")} if named else None


def case_news(row: OutboxMessage, to: Addressee) -> Context | None:
    """Something new to read; not for what its author withdrew in the meantime, nor for what was read."""
    if "files" in row.extra:
        return _about(_case(row, to), to, what="file", said=_("new file")) if to.has_file(row) else None
    comment = to.comments.get(row.comment_id or 0)
    if comment is None or comment.case_id != row.case_id or to.read(row.case_id, comment.outside_at or comment.created_at):
        return None
    return _about(_case(row, to), to, what="message", said=_("new message"))


def case_status(row: OutboxMessage, to: Addressee) -> Context | None:
    """The case entered another stage; not when it went back, or was looked at since."""
    case = _case(row, to)
    if case is None or case.stage.value == row.extra.get("was") or to.read(row.case_id, digest.posted_at(row)):
        return None
    return _about(case, to, said=_("new status"))


def access_ending(row: OutboxMessage, to: Addressee) -> Context | None:
    """Sharing ends in a few days; not when somebody ended it or took the date away in the meantime."""
    case = _case(row, to)
    if case is None or case.shared_until is None:
        return None
    return _about(case, to, ends_at=case.shared_until, said=_("your access ends on %(when)s", when=_moment(to, case.shared_until)))


def access_ended(row: OutboxMessage, to: Addressee) -> Context | None:
    """Sharing ended on the date that was set; not when they can see the case again, or when it is no longer told by its date."""
    case, since = to.ended.get(row.case_id or 0), to.user.activated_at
    if case is None or case.shared_until is None or not case.ended or _case(row, to) is not None:
        return None
    if since is None or since > case.shared_until or to.viewer is None or case.organisation_id != to.place:
        return None  # whoever came later, or has left, never had it or need not know
    said = _("your access ended on %(when)s", when=_moment(to, case.shared_until))
    return {"number": case.number, "ended_at": case.shared_until, "said": said}


def _moment(to: Addressee, moment: datetime) -> str:
    return time_words(moment, to.reading)


def _for_colleague(row: OutboxMessage, to: Addressee) -> Case | None:
    """The case, unless the notice that says the same was read."""
    return None if to.user.external or to.read_notice(row) else _case(row, to)


def external_reply(row: OutboxMessage, to: Addressee) -> Context | None:
    """Somebody outside wrote or added something; not when they took all of it back."""
    what = "added something" if "more" in row.extra else "wrote"
    known = to.has_more(row) if "more" in row.extra else row.comment_id is not None
    return _about(_for_colleague(row, to), to, what=what, said=f"an external user {what}") if known else None


def case_reported(row: OutboxMessage, to: Addressee) -> Context | None:
    """Somebody outside reported a case; not when it is somebody's by now."""
    case = _for_colleague(row, to)
    return _about(case, to, said="reported in the portal") if case and case.assignee_id in (None, to.user.id) else None


def case_assigned(row: OutboxMessage, to: Addressee) -> Context | None:
    """A case was given to this colleague; not when it is somebody else's by now."""
    case = _for_colleague(row, to)
    return _about(case, to, said="assigned to you") if case and case.assignee_id == to.user.id else None


def report_received(row: OutboxMessage, to: Addressee) -> Context | None:
    """Confirms to whoever reported a case that it arrived, and under which number."""
    return _about(_case(row, to), to)


# Each is called while the reader's language is spoken.
LETTERS: dict[str, Callable[[OutboxMessage, Addressee], Context | None]] = {
    "invitation": invitation,
    "invitation_reminder": invitation,
    "portal_admin": portal_admin,
    "people_digest": people_digest,
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
MOST_LINES = 20  # of a letter about several cases
MOST_DEEDS = 100  # of a letter about people
