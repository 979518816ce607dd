"""Telling the sample world to a database, with the same verbs people use, each at the time it is said to have happened."""

from __future__ import annotations

import os
import secrets
from datetime import timedelta
from pathlib import Path

from flask import Flask
from sqlalchemy import delete, select

from ..accounts import affiliation, invitations, passwords, platform, sessions
from ..accounts.models import AccountType, Profile, User
from ..accounts.permissions import Permission
from ..accounts.viewer import Viewer
from ..cases import attachments, cases, comments, lifecycle, observables, samples, task_logs, tasks, templates
from ..cases.models import Case as Row
from ..clock import at, now
from ..database import start_writing
from ..extensions import db
from ..mail.models import OutboxMessage
from ..notices import notices
from ..organisations.models import Organisation, Party, PartyKind
from ..settings.models import Setting
from ..sharing.access import set_access
from ..sharing.models import Access, Grant
from ..storage import intake
from . import clients, departments, facts, organisations, papers, traces, vendors, work
from .people import PARTIES, PEOPLE, TEAM
from .shape import Case, Moved, Paper, Person, Said, Trace
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
    for case in sorted(clients.CASES + departments.CASES + vendors.CASES, key=lambda c: -c.days_ago):
        _case(case, cast)
    db.session.execute(delete(OutboxMessage))  # what happened long ago was mailed long ago
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
    steps: list[tuple[float, int, Said | Moved | Trace | Paper | Planned | None]] = [(said.after, 2, said) for said in case.talk]
    steps += [(trace.after, 3, trace) for trace in traces.OF.get(case.key, ())]
    steps += [(paper.after, 3, paper) for paper in papers.OF.get(case.key, ())]
    steps += [(moved.after, 1, moved) for moved in case.moves]
    steps += [(plan.after, 1, plan) for plan in work.OF.get(case.key, ())]
    if case.access != "internal":
        steps.append((case.shared_after, 0, None))
    for after, _, step in sorted(steps, key=lambda s: s[:2]):
        with at(opened + timedelta(hours=after)):
            _step(row, case, step, cast)


def _trace(row: Row, trace: Trace, cast: Cast) -> None:
    facets = observables.Facets(message=trace.message, tags=trace.tags, tlp=row.tlp, pap=row.pap, ioc=trace.ioc, sighted=trace.sighted)
    if trace.file:
        content = intake.upload_of(trace.file, "\n".join(trace.lines).encode())
        samples.add_files(row, "file", [samples.Found(trace.file, content)], facets, by=cast[trace.by])
    else:
        observables.add_lines(row, observables.GUESS, "\n".join(trace.lines), facets, one_per_line=True, by=cast[trace.by])


def _step(row: Row, case: Case, step: Said | Moved | Trace | Paper | Planned | None, cast: Cast) -> None:
    if step is None:
        _open_up(row, case, cast)
    elif isinstance(step, Trace):
        _trace(row, step, cast)
    elif isinstance(step, Paper):
        content = intake.upload_of(step.name, "\n".join(step.lines).encode())
        attachments.add_file(row, content, external=step.external, by=cast[step.by])
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
