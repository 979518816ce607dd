"""Telling the sample world to a database, with the same verbs people use, each at the time it is said to have happened."""

from __future__ import annotations

import os
import secrets
from datetime import timedelta
from pathlib import Path

from flask import Flask
from sqlalchemy import case as case_of
from sqlalchemy import delete, select, update

from ..accounts import affiliation, invitations, passwords, platform, sessions
from ..accounts.models import AccountType, Profile, User
from ..accounts.permissions import Permission
from ..accounts.viewer import Viewer
from ..audit.models import AuditEntry
from ..cases import attachments, cases, comments, lifecycle, observables, reports, samples, task_logs, tasks, templates
from ..cases.models import Case as Row
from ..clock import at, now
from ..database import start_writing
from ..dates import reading_of, time_words
from ..extensions import db
from ..mail.models import OutboxMessage
from ..notices import notices
from ..organisations.models import Organisation, Party, PartyKind
from ..settings.models import Setting
from ..sharing.access import set_access
from ..sharing.models import Access, Grant
from ..storage import intake
from . import clients, departments, facts, organisations, outside, papers, traces, vendors, work
from .people import PARTIES, PEOPLE, TEAM
from .shape import Case, Clue, Moved, Paper, Person, Reported, Said, Trace
from .work import Planned

MARK = "sample-password"
WORDS = (
    "amber", "basalt", "cedar", "dapple", "ember", "fjord", "garnet", "harbour", "indigo", "juniper",
    "kelp", "lantern", "maple", "nimbus", "ochre", "pebble", "quartz", "river", "saffron", "tundra",
)  # fmt: skip
ADMIN = Person(
    "admin", "Orsolya Keresztes", "orsolya.keresztes@it.northwind.example", "internal", ("Admin",), None, "platform administrator"
)
Cast = dict[str, Viewer]
Step = Said | Moved | Trace | Paper | Planned | Clue | None
# Whoever looks around should not need a phone for it.
NO_SECOND_STEP = {"mfa_admin": False, "mfa_organisation": False}


class RealData(Exception):
    """The database holds something else than the sample world."""


def load(app: Flask) -> str:
    """Fill an empty database, or recognise one filled before; the password of all sample people."""
    path: Path = app.config["SETTINGS"].instance / MARK
    with app.app_context():
        known = db.session.scalar(select(User.id).where(User.email == PEOPLE[0].email))
        if known and path.exists():
            return path.read_text().strip()
        if known or platform.has_people():
            raise RealData(
                "This database holds real data, so the sample world is not loaded into it. "
                "Use another PORTAL_INSTANCE or PORTAL_DATABASE_URL."
            )
        password = "-".join(secrets.choice(WORDS) for _ in range(4)) + f"-{secrets.randbelow(90) + 10}"
        stored = passwords.hash_password(password)
        start_writing()
        _tell(stored)
        # The mark is durable before the world is: a crash in between leaves an empty database and an unused mark.
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(password)
        db.session.commit()
        return password


def _tell(stored: str) -> None:
    db.session.add(Setting(name="sign_in", value=NO_SECOND_STEP))
    begin = now() - timedelta(days=150)
    with at(begin):
        organisation = platform.create_organisation(TEAM)
        # Analysts of this team may share by themselves; elsewhere the right is given by hand.
        analyst = platform.profile("Analyst")
        analyst.permissions = sorted({*analyst.permissions, Permission.SHARE_OUTSIDE})
        cast = _people(organisation, stored)
        facts.define(cast[ADMIN.key])
        for template in (work.PHISHING, work.RANSOMWARE):
            templates.create(template, by=cast["ines"])
    told: list[Case | Reported] = [*clients.CASES, *departments.CASES, *vendors.CASES, *outside.REPORTS]
    for case in sorted(told, key=lambda c: -c.days_ago):
        _reported(case, cast) if isinstance(case, Reported) else _case(case, cast)
    db.session.execute(delete(OutboxMessage))  # what happened long ago was mailed long ago
    db.session.flush()
    face = case_of((AuditEntry.actor_external, "portal"), else_="console")  # nobody of the sample is a program
    db.session.execute(update(AuditEntry).where(AuditEntry.actor_id.is_not(None)).values(channel=face))
    for person in PEOPLE:
        user = db.session.get_one(User, cast[person.key].user_id)
        if person.state == "invited":
            invitations.send_invitation(user, organisation, by=cast[PEOPLE[0].key])
        if person.state == "locked":
            user.active = False


def _people(organisation: Organisation, stored: str) -> Cast:
    parties = {}
    for party in PARTIES:
        parties[party.key] = Party(organisation_id=organisation.id, name=party.name, kind=PartyKind(party.kind))
        db.session.add(parties[party.key])
    db.session.flush()
    admin = db.session.scalars(select(Organisation).where(Organisation.built_in)).one()
    profiles = {profile.name: profile for profile in db.session.scalars(select(Profile))}
    cast: Cast = {}
    for person in (*PEOPLE, ADMIN):
        kind = AccountType.EXTERNAL if person.kind == "external" else AccountType.NORMAL
        user = User(email=person.email, name=person.name, type=kind)
        if person.state != "invited":
            user.password_hash, user.activated_at = stored, now()
        db.session.add(user)
        db.session.flush()
        place = admin if person is ADMIN else organisation
        works_for = parties[person.party] if person.party else None
        affiliation.enter(user, platform.join(user, place, [profiles[role] for role in person.roles], default=True), works_for)
        viewer = sessions.viewer_of(user.id, place.id)
        assert viewer is not None
        cast[person.key] = viewer
    organisations.describe(parties, cast)
    return cast


def _case(case: Case, cast: Cast) -> None:
    opened = now() - timedelta(days=case.days_ago)
    begun = opened - timedelta(hours=case.started_before_hours)
    draft = cases.Draft(case.title, case.description, case.severity, case.tlp, case.pap, tuple(sorted(case.tags)), begun)
    with at(opened):
        row = cases.create_case(draft, by=cast[case.opened_by])
        row.assignee_id = cast[case.assignee].user_id if case.assignee else None
        facts.fill(row, case.key, cast[case.opened_by])
    steps: list[tuple[float, int, Step]] = [(said.after, 2, said) for said in case.talk]
    steps += [(clue.after, 3, clue) for clue in outside.CLUES.get(case.key, ())]
    steps += [(trace.after, 3, trace) for trace in traces.OF.get(case.key, ())]
    steps += [(paper.after, 3, paper) for paper in papers.OF.get(case.key, ())]
    steps += [(moved.after, 1, moved) for moved in case.moves]
    steps += [(plan.after, 1, plan) for plan in work.OF.get(case.key, ())]
    if case.access != "internal":
        steps.append((case.shared_after, 0, None))
    for after, _, step in sorted(steps, key=lambda s: s[:2]):
        with at(opened + timedelta(hours=after)):
            _open_up(row, case, cast) if step is None else _step(row, step, cast)


def _reported(told: Reported, cast: Cast) -> None:
    opened, by = now() - timedelta(days=told.days_ago), cast[told.by]
    begun = opened - timedelta(hours=told.began_before_hours)
    report = reports.Report(told.title, told.answers, begun, time_words(begun, reading_of("", "en")), "\n".join(told.items))
    with at(opened):
        number = reports.send(report, [_content(paper) for paper in told.files], by=by).number
    row = db.session.scalars(select(Row).where(Row.number == number)).one()
    if told.assignee:
        draft = {"assignee_id": cast[told.assignee].user_id, "severity": told.severity, "tags": told.tags, "status": "InProgress"}
        with at(opened + timedelta(hours=told.taken_after)):
            cases.update_case(row, cases.draft_of(row, **draft), version=row.version, by=cast[told.assignee])
    steps: list[Said | Moved] = sorted((*told.talk, *told.moves), key=lambda step: step.after)
    for step in steps:
        with at(opened + timedelta(hours=step.after)):
            _step(row, step, cast)


def _content(paper: Paper) -> intake.Upload:
    return intake.upload_of(paper.name, "\n".join(paper.lines).encode())


def _trace(row: Row, trace: Trace, cast: Cast) -> None:
    facets = observables.Facets(message=trace.message, tags=trace.tags, tlp=row.tlp, pap=row.pap, ioc=trace.ioc, sighted=trace.sighted)
    if trace.file:
        content = intake.upload_of(trace.file, "\n".join(trace.lines).encode())
        samples.add_files(row, "file", [samples.Found(trace.file, content)], facets, by=cast[trace.by])
    else:
        observables.add_lines(row, observables.GUESS, "\n".join(trace.lines), facets, one_per_line=True, by=cast[trace.by])


def _step(row: Row, step: Said | Moved | Trace | Paper | Planned | Clue, cast: Cast) -> None:
    if isinstance(step, Trace):
        _trace(row, step, cast)
    elif isinstance(step, Paper):
        attachments.add_file(row, _content(step), external=step.external, by=cast[step.by])
    elif isinstance(step, Clue):
        reports.add_items(row, observables.GUESS, "\n".join(step.lines), by=cast[step.by])
        notices.tell_of_reply(row, by=cast[step.by])
    elif isinstance(step, Planned):
        _plan(row, step, cast)
    elif isinstance(step, Said):
        comments.add_comment(row, step.text, external=step.external or cast[step.by].external, by=cast[step.by])
        if cast[step.by].external:
            notices.tell_of_reply(row, by=cast[step.by])
    elif step.status in facts.ENDS:
        impact, summary = facts.ENDS[step.status]
        lifecycle.close_case(row, status=step.status, summary=summary, impact=impact, version=row.version, by=cast[step.by])
    else:
        _move(row, step, cast)


def _move(row: Row, step: Moved, cast: Cast) -> None:
    by, version = cast[step.by], row.version
    if step.summary:
        lifecycle.close_case(row, status=step.status, summary=step.summary, impact=step.impact, version=version, by=by)
    else:
        cases.update_case(row, cases.draft_of(row, status=step.status), version=version, by=by)


def _plan(row: Row, plan: Planned, cast: Cast) -> None:
    assignee = cast[plan.assignee].user_id if plan.assignee else None
    due = row.created_at + timedelta(days=plan.due) if plan.due is not None else None
    draft = tasks.Draft(plan.title, plan.group, plan.description, assignee, due, plan.mandatory, plan.flagged)
    task = tasks.add_task(row, draft, by=cast[plan.by])
    for author, words in plan.log:
        task_logs.add_log(row, task, words, by=cast[author])
    for act in plan.acts:
        tasks.move_on(row, task, act, by=cast[plan.assignee or plan.by])


def _open_up(row: Row, case: Case, cast: Cast) -> None:
    ids = {cast[key].user_id for key in case.shared_with}
    if case.access == "restricted":
        row.access = Access.RESTRICTED
        for user_id in ids:
            db.session.add(Grant(case_id=row.id, user_id=user_id))
        return
    ends = row.created_at + timedelta(days=round(case.days_ago) + case.shared_for_days)
    until = ends.replace(hour=23, minute=59, second=59, microsecond=0) if case.shared_for_days else None
    set_access(row, Access(case.access), ids, by=cast[case.shared_by or PEOPLE[0].key], until=until)


def welcome(base_url: str, password: str) -> str:
    """What the demo prints: the two addresses and the sample sign-ins, each with its role."""
    lines = [
        "",
        f"  Analyst console   {base_url}/console/",
        f"  External portal   {base_url}/portal/",
        "",
        f"  Password of everybody in the sample world:  {password}",
        "  No second step is asked for here; a real installation asks colleagues and administrators for one.",
        "",
    ]
    for title, kind in (("Console", "internal"), ("Portal", "external")):
        lines.append(f"  {title}")
        people = [p for p in (*PEOPLE, ADMIN) if p.kind == kind and p.state == "active"]
        lines += [f"    {p.email:46} {p.name:22} {p.about}" for p in people]
        lines.append("")
    return "\n".join(lines)
