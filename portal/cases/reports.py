"""Incidents that people outside report, and the evidence they add: plain answers become a case, plain lines become observables."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from markupsafe import Markup

from ..accounts.permissions import Permission
from ..accounts.viewer import Viewer
from ..audit.kinds import Kind
from ..audit.record import record
from ..clock import now
from ..dates import said_again
from ..extensions import db
from ..mail import news
from ..notices import notices
from ..refusals import NotAllowed, Refusal, Unfit
from ..sharing.models import Access, Grant
from ..storage import intake
from ..storage.intake import Upload
from ..words import Later, Number, Wording, _, language, later
from . import guests, indicators, samples, statuses
from .cases import SLACK, next_number
from .models import Case, Stage
from .observables import GUESS, Facets, Outcome, check_writer, keep_new, lines_of, new_observable, without_repeats
from .text import LONGEST, render, tidy, with_headings

LONGEST_TITLE = 200
FILE = "file"
# What people outside can say a line is, in their words; the rest of the words is for what was found out.
_OFFERED = {
    GUESS: later("Find it out for me"),
    "url": later("Web address"),
    "mail": later("E-mail address"),
    "phone": later("Phone number"),
    "filename": later("File name"),
    "ip": later("IP address"),
    "other": later("Something else"),
}
OFFERED = Wording(_OFFERED)
WORDS = Wording(
    {
        **_OFFERED,
        "domain": later("Website name"),
        "fqdn": later("Website name"),
        "hostname": later("Computer name"),
        "hash": later("File fingerprint"),
        "mail-subject": later("Subject of a mail"),
        "uri_path": later("Part of a web address"),
        "user-agent": later("Browser name"),
        "registry": later("Windows setting"),
        "autonomous-system": later("Network number"),
        FILE: later("File"),
    }
)


class Question(NamedTuple):
    """One question of the report: its field and the heading its answer gets in the description."""

    name: str
    heading: Later


# The description is one text for everybody: the team, who may edit it, the reporter, and others it is shared with. So the headings are
# kept in English, the team's language, and the portal says them in the language of whoever reads there, see `worded`; and so is when it
# began.
QUESTIONS = (
    Question("happened", later("What happened")),
    Question("affected", later("Who is affected")),
    Question("done", later("What was done already")),
    Question("matters", later("Why it matters")),
)
BEGAN: Later = later("When it began")


@dataclass(frozen=True)
class Report:
    """What was answered. `when`: the beginning in English words; `items`: suspicious things, one a line."""

    title: str
    answers: dict[str, str]
    began: datetime | None = None
    when: str = ""
    items: str = ""


def word_for(kind: str) -> str:
    """A type of observable in plain words."""
    return WORDS[kind if kind in WORDS and kind != GUESS else "other"]


def read_items(kind: str, text: str, *, by: Viewer, case: Case | None = None) -> list[Outcome]:
    """What adding these lines would do. Nobody outside has to know what their evidence is called: what cannot be what they said is
    taken for what it looks like."""
    check_writer(by)
    if kind not in OFFERED:
        raise Refusal(_("Choose from the list what it is."))
    read = [_read(number, kind, line) for number, line in lines_of(text, one_per_line=True)]
    return without_repeats(case, read, by)


def _read(number: int, kind: str, line: str) -> Outcome:
    fits = [one for one in (kind, indicators.guess(line)) if one and not indicators.problem_with(one, indicators.fitting(one, line))]
    chosen = fits[0] if fits else "other"
    value = indicators.fitting(chosen, line)
    return Outcome(number, chosen, value or line, indicators.problem_with(chosen, value))


def add_items(case: Case, kind: str, text: str, *, by: Viewer) -> list[Outcome]:
    """Add what can be added of these lines and say of each what became of it. The case must be locked."""
    outcomes = read_items(kind, text, by=by, case=case)
    if not outcomes:
        raise Refusal(_("Type or paste at least one line."))
    good = [one for one in outcomes if one.problem is None]
    if good:
        guests.check_pace(guests.ITEMS, by)
    keys = ((one, indicators.key_of(one.type, one.value)) for one in good)
    keep_new(case, [new_observable(case, one.type, one.value, key, Facets(), by=by) for one, key in keys], by=by)
    return outcomes


def checked(report: Report) -> tuple[str, str]:
    """Title and description as the case gets them, or Unfit with the field to look at."""
    title = " ".join("".join(c for c in tidy(report.title) if unicodedata.category(c) != "Cf").split())  # none that turn the others round
    if not title:
        raise Unfit("title", _("Say in a few words what it is about, such as: Strange payment request by mail."))
    if len(title) > LONGEST_TITLE:
        raise Unfit("title", _("Use at most %(most)s characters here; there is room for the details below.", most=LONGEST_TITLE))
    if not tidy(report.answers.get("happened", "")):
        raise Unfit("happened", _("Tell us what happened; one sentence is enough to begin with."))
    if report.began and report.began > now() + SLACK:
        raise Unfit("began", _("This is in the future. Check the date, or leave it empty if you do not know."))
    description = described(report)
    if len(description) > LONGEST:
        most = Number(LONGEST)
        raise Unfit(
            "happened", _("This is longer than %(most)s characters in all. Shorten it, or put a part of it into a file.", most=most)
        )
    return title, description


_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")


def described(report: Report) -> str:
    """The answers as the description of a case, one below the other."""
    parts = [(question.heading.text, tidy(report.answers.get(question.name, ""))) for question in QUESTIONS]
    parts.insert(1, (BEGAN.text, report.when))
    return "\n\n".join(f"# {heading}\n\n{_closed(text)}" for heading, text in parts if text)


_FIRST, *_OTHERS = (question.heading for question in QUESTIONS)
_HEADINGS = {heading.text: heading for heading in (_FIRST, BEGAN, *_OTHERS)}  # as they follow each other in a description
_WHEN = re.compile(rf"(?<=<h3>{BEGAN.text}</h3>\n<p>)[^<]+(?=</p>)")


def worded(html: Markup) -> Markup:
    """The description of a case that was reported outside, with the headings of a report and its beginning in the language spoken now. A
    heading of the same words that somebody wrote is taken for ours where ours is missing: the text says the same either way."""
    if (code := language()) == "en":
        return html
    return with_headings(_WHEN.sub(lambda found: said_again(found[0], code), str(html), count=1), _HEADINGS)


def _closed(text: str) -> str:
    """An answer whose block of code has no end, as in a pasted log, must not swallow the answers behind it."""
    fence = ""
    for line in text.splitlines():
        found = _FENCE.match(line)
        if found and not fence:
            fence = found[1]
        elif found and fence and found[1].startswith(fence) and not found[2].strip():
            fence = ""
    return f"{text}\n{fence}" if fence else text


def check_writer_of_reports(by: Viewer) -> None:
    """Whether this person may report incidents at all."""
    if not (by.external and by.can(Permission.CREATE_CASE)):
        raise NotAllowed(_("Your profile does not let you report incidents."))


def send(report: Report, uploads: list[Upload], *, by: Viewer) -> Case:
    """Make the case with all that was sent, or refuse all of it: there is never half a case. Seen by its reporter, assigned to nobody."""
    check_writer_of_reports(by)
    title, description = checked(report)
    if tidy(report.items):
        read_items(GUESS, report.items, by=by)
    _check_files(uploads)
    guests.check_pace(guests.REPORTS, by)
    case = _new_case(title, description, report, by)
    record(Kind.CASE_CREATED, actor=by, case=case, object_id=case.number, changes={"access": [None, Access.EXTERNAL.value]})
    if tidy(report.items):
        add_items(case, GUESS, report.items, by=by)
    _add_files(case, uploads, by)
    notices.tell_team(case, by=by)
    news.tell_team(case)
    news.tell_reporter(case, user_id=by.user_id)
    return case


def _check_files(uploads: list[Upload]) -> None:
    """Every file that will not do is named at once."""
    problems = []
    for upload in uploads:
        try:
            intake.check(upload)
        except Refusal as refusal:
            problems.append(refusal.sentence)
    if problems:
        raise Unfit("files", " ".join(problems))


def _add_files(case: Case, uploads: list[Upload], by: Viewer) -> None:
    """Files that came twice are kept once; the team reads the other names."""
    unlike: dict[str, list[Upload]] = {}
    for upload in uploads:
        unlike.setdefault(upload.sha256, []).append(upload)
    found = [samples.Found(same[0].name, same[0], message=_also(same)) for same in unlike.values()]
    told = samples.add_files(case, FILE, found, Facets(), by=by) if found else []
    if problem := next((one.problem for one in told if one.problem), None):
        raise Unfit("files", problem)


def _also(same: list[Upload]) -> str:
    names = dict.fromkeys(upload.name for upload in same if upload.name != same[0].name)
    return "\n\n".join(["Sent with the same content, too:", *(f"    {name}" for name in names)]) if names else ""


def _new_case(title: str, description: str, report: Report, by: Viewer) -> Case:
    moment = now()
    case = Case(
        number=next_number(),
        organisation_id=by.organisation_id,
        title=title,
        description=description,
        description_html=render(description),
        status=statuses.first_of(Stage.NEW),
        start_date=report.began or moment,
        created_by_id=by.user_id,
        created_by_name=by.name,
        reported_outside=True,
        access=Access.EXTERNAL,
        shared_since=moment,
        **dict.fromkeys(("new_at", "created_at", "updated_at", "details_at", "outside_at"), moment),
    )
    db.session.add(case)
    db.session.flush()
    db.session.add(Grant(case_id=case.id, user_id=by.user_id, granted_by_id=by.user_id))
    db.session.flush()
    return case
