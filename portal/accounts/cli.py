"""Commands about accounts."""

from __future__ import annotations

import sys

import click
from email_validator import EmailNotValidError, validate_email
from flask import Flask
from sqlalchemy import select

from ..audit.kinds import Kind
from ..audit.record import record
from ..clock import now
from ..database import start_writing
from ..extensions import db
from ..organisations.models import Organisation
from ..refusals import Refusal
from ..settings import values
from . import invitations, links, mfa, passwords, people_file, platform, staff
from .mail_addresses import spellings
from .models import AccountType, User

LONGEST_TEAM = 64


def print_set_up_link(app: Flask) -> None:
    """While nobody has an account: print a fresh link that makes the first administrator."""
    with app.app_context():
        start_writing()
        link = platform.set_up_link()
        if link is None:
            db.session.rollback()
            return
        token = links.token_for(link)
        db.session.commit()
        settings = app.config["SETTINGS"]
        click.echo("\nNobody has an account yet. Make the first administrator by opening this link (it works once):")
        click.echo(f"\n    {settings.base_url}/set-up/{token}\n")
        click.echo(
            f"It works for {values.current().invitation_hours} hours; starting again prints a new one. Or use: portal create-admin\n"
        )


def create_admin_account(app: Flask, *, email: str, name: str, team: str, password_stdin: bool) -> None:
    """Make an administrator from the command line."""
    try:
        email = validate_email(email, check_deliverability=False, globally_deliverable=False).normalized.lower()
    except EmailNotValidError as error:
        raise click.ClickException("Give an e-mail address like name@example.org.") from error
    with app.app_context():
        first = not platform.has_people()
        if first and not team:
            raise click.ClickException("Name the security team with --team: this is the first administrator.")
        if len(email) > invitations.LONGEST or len(team) > LONGEST_TEAM:
            raise click.ClickException(f"Use at most {invitations.LONGEST} characters for the address and {LONGEST_TEAM} for the team.")
        if not first and db.session.scalar(select(User.id).where(User.email.in_(spellings(email))).limit(1)):
            click.echo(f"{email} has an account already; nothing was changed.")
            return
        password = (
            sys.stdin.readline().rstrip("\n") if password_stdin else click.prompt("Password", hide_input=True, confirmation_prompt=True)
        )
        try:
            _make(first, " ".join(team.split()), invitations.proper_name(name, AccountType.NORMAL, None), email, password)
        except Refusal as refusal:
            raise click.ClickException(refusal.sentence) from refusal
        db.session.commit()
        click.echo(f"{name} can sign in at {app.config['SETTINGS'].base_url}/console/")


def _make(first: bool, team: str, name: str, email: str, password: str) -> None:
    if first:
        platform.create_first_administrator(team=team, name=name, email=email, password=password)
        return
    passwords.check_strength(password, [name, email])
    stored = passwords.hash_password(password)
    start_writing()
    user = User(email=email, name=name, type=AccountType.NORMAL, password_hash=stored, activated_at=now())
    db.session.add(user)
    db.session.flush()
    admin = db.session.scalars(select(Organisation).where(Organisation.built_in)).one()
    platform.join(user, admin, [platform.profile("Admin")], default=True)
    record(Kind.USER_CREATED, actor=None, organisation_id=admin.id, object_id=user.id)


def reset_second_step(app: Flask, email: str) -> None:
    """Take somebody's second factors away, for when no administrator is left who could."""
    with app.app_context():
        start_writing()
        known = select(User).where(User.email.in_(spellings(email.strip().lower())))
        user = db.session.scalar(known.order_by(User.id).limit(1).with_for_update())
        if user is None:
            raise click.ClickException(f"Nobody has an account with the address {email}.")
        if not user.mfa:
            raise click.ClickException(f"{user.name} has no second step; nothing was changed.")
        mfa.take_away(user, by=None)
        db.session.commit()
        click.echo(f"{user.name} can sign in with the password alone now, and is told by mail. Other sessions of theirs have ended.")


def import_people(app: Flask, content: bytes, *, team: str, apply: bool) -> None:
    """Take in people of external organisations from a CSV file, or only say what would become of each row."""
    try:
        lines = people_file.read(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise click.ClickException("The file is not UTF-8. Save it as 'CSV UTF-8' and try again.") from error
    except Refusal as refusal:
        raise click.ClickException(refusal.sentence) from refusal
    with app.app_context():
        start_writing()
        told = people_file.take_in(lines, team=team)
        if apply:
            db.session.commit()
        else:
            db.session.rollback()
    for result in told:
        click.echo(f"Line {result.number}, {result.email or 'no address'}: {'' if result.done else 'NOT DONE. '}{result.sentence}")
    failed = sum(not result.done for result in told)
    click.echo(f"\n{len(told) - failed} of {len(told)} rows {'done' if apply else 'can be done'}.", nl=False)
    click.echo(" Nobody was invited yet: send invitations in the console." if apply else " Nothing was changed: run it again with --apply.")
    if failed:
        raise SystemExit(1)


def list_people(app: Flask, *, party: str, team: str) -> None:
    """Print the people of external organisations, a line each, with tabs between."""
    with app.app_context():
        by, found = people_file.command_line(), people_file.parties_called(party, team)
        if party and not found:
            raise click.ClickException(f"There is no external organisation called {party}.")
        click.echo("\t".join((*people_file.COLUMNS, "state")))
        for one in found:
            for person in staff.everybody(one.id, by=by):
                roles, admin = "; ".join(person.role_names), "yes" if person.portal_admin else "no"
                click.echo(f"{one.name}\t{person.email}\t{person.name}\t{roles}\t{admin}\t{person.standing.word}")
        db.session.rollback()
