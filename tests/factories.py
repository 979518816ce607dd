"""Plain functions that make people, cases and what is said on them, with the product's own verbs; call them in an app context."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from portal.accounts import passwords, platform, sessions
from portal.accounts.models import AccountType, Profile, User
from portal.accounts.viewer import Viewer
from portal.cases import attachments, cases, comments, observables, reports, samples, task_logs, tasks
from portal.cases.models import Attachment, Case, Comment, Observable, Task
from portal.clock import now
from portal.database import start_writing
from portal.extensions import db
from portal.organisations.models import Organisation
from portal.settings.models import Setting
from portal.sharing import marks
from portal.sharing.access import set_access
from portal.sharing.models import Access, Grant
from portal.storage import intake

NO_SECOND_STEP = {"mfa_admin": False, "mfa_organisation": False}
PASSWORD = "meadow-lantern-quartz-71"


def make_platform() -> Organisation:
    """What every installation has; the admin organisation."""
    start_writing()
    platform.seed()
    db.session.add(Setting(name="sign_in", value=NO_SECOND_STEP))  # tests of the second step ask for it themselves
    db.session.flush()
    return db.session.scalars(select(Organisation).where(Organisation.built_in)).one()


def make_profile(name: str, like: str, *more: str) -> Profile:
    """A profile with the permissions of another one and some more."""
    model = platform.profile(like)
    profile = Profile(name=name, type=model.type, permissions=sorted({*model.permissions, *more}))
    db.session.add(profile)
    db.session.flush()
    return profile


def make_user(
    name: str,
    organisation: Organisation,
    *profiles: str,
    kind: AccountType = AccountType.NORMAL,
    activated: bool = True,
    active: bool = True,
    party_id: int | None = None,
) -> Viewer:
    """A person with an account in the organisation, as the viewer they are there."""
    user = User(email=f"{name.lower()}@people.example", name=f"{name} Person", type=kind, active=active)
    if activated:
        user.password_hash, user.activated_at = passwords.hash_password(PASSWORD), now()
    db.session.add(user)
    db.session.flush()
    platform.join(user, organisation, [platform.profile(p) for p in profiles], default=True, party_id=party_id)
    user.active = True
    viewer = sessions.viewer_of(user.id, organisation.id)
    assert viewer is not None
    user.active = active
    return viewer


def make_case(by: Viewer, title: str = "A case", description: str = "It happened.", **more: Any) -> Case:
    """A case of the viewer's organisation."""
    return cases.create_case(cases.Draft(title, description, **more), by=by)


def share(case: Case, by: Viewer, *people: Viewer, everybody: bool = False) -> None:
    """Share with these people, with everybody outside, or (nobody named) with nobody."""
    access = Access.ALL_EXTERNAL if everybody else Access.EXTERNAL if people else Access.INTERNAL
    set_access(case, access, {p.user_id for p in people}, by=by, again=True)


def restrict(case: Case, *people: Viewer) -> None:
    """Restrict to these colleagues."""
    case.access = Access.RESTRICTED
    for person in people:
        db.session.add(Grant(case_id=case.id, user_id=person.user_id))


def say(case: Case, by: Viewer, text: str, *, external: bool = False) -> Comment:
    """A comment."""
    return comments.add_comment(case, text, external=external, by=by)


def attach(case: Case, by: Viewer, name: str, data: bytes, *, external: bool = False) -> Attachment:
    """A file on the case."""
    return attachments.add_file(case, intake.upload_of(name, data), external=external, by=by)


def plan(case: Case, by: Viewer, title: str, **more: Any) -> Task:
    """A task, with an entry in its log."""
    task = tasks.add_task(case, tasks.Draft(title, **more), by=by)
    task_logs.add_log(case, task, f"Done for {title}.", by=by)
    return task


def sample(case: Case, by: Viewer, name: str, data: bytes, **facets: Any) -> str:
    """Add a file as an observable; returns its uid."""
    found = [samples.Found(name, intake.upload_of(name, data))]
    told = samples.add_files(case, "file", found, observables.Facets(**facets), by=by)
    assert told[0].problem is None, told[0].problem
    db.session.flush()
    return db.session.scalars(select(Observable.uid).where(Observable.case_id == case.id).order_by(Observable.id.desc()).limit(1)).one()


def hint(case: Case, by: Viewer, text: str) -> str:
    """Add an evidence item, as somebody outside does; returns its uid."""
    told = reports.add_items(case, "", text, by=by)
    assert told[0].problem is None, told[0].problem
    return db.session.scalars(select(Observable.uid).where(Observable.case_id == case.id).order_by(Observable.id.desc()).limit(1)).one()


def mark(case: Case, comment: Comment, external: bool, by: Viewer) -> None:
    """Make the comment external or internal."""
    marks.mark_comment(case, comment, external, by=by)
