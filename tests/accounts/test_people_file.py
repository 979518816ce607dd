"""People of external organisations from a table, tried out first and safe to take in again."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import func, select

from portal.accounts import people_file, staff
from portal.accounts.cli import import_people, list_people
from portal.accounts.models import User
from portal.audit.models import AuditEntry
from portal.database import start_writing
from portal.extensions import db
from portal.organisations import contacts
from portal.refusals import Refusal, Stale
from tests.accounts.staffing import TAKEN, Firm, a_party
from tests.fixtures.rooms import Cast, at_once, letters, roles_of

TABLE = """organisation,email,name,roles,portal administrator
Acme,Kim@Acme.example,Kim Doe,External-Reader; external-actor,yes
acme,lee@acme.example,,External-Reader,
Acme,worker@acme.example,Somebody Else,External-Actor,no
Acme,ada@people.example,Ada,External-Reader,no
Acme,nonsense,Non Sense,External-Reader,no
Nowhere,a@b.example,A,External-Reader,no
Acme,b@acme.example,B,Org-Admin,no
Acme,c@acme.example,C,,no
Acme,d@acme.example,Security Team,External-Reader,no
Acme,e@acme.example,E,External-Reader,perhaps
,f@acme.example,F,External-Reader,no
"""
DONE = [True, True, True, *[False] * 8]


@pytest.fixture
def acme(cast: Cast) -> Firm:
    return Firm(cast)


def take_in(text: str, *, apply: bool, team: str = "") -> list[people_file.Result]:
    start_writing()
    told = people_file.take_in(people_file.read(text), team=team)
    if apply:
        db.session.commit()
    else:
        db.session.rollback()
    return told


def accounts() -> int:
    return db.session.scalar(select(func.count()).select_from(User)) or 0


def test_each_row_has_its_result_and_a_trial_changes_nothing(acme: Firm) -> None:
    before = accounts()
    tried = take_in(TABLE, apply=False)
    assert [one.done for one in tried] == DONE
    assert [one.number for one in tried] == list(range(2, 13))
    assert accounts() == before
    said = {one.email: one.sentence for one in tried}
    assert said["ada@people.example"] == TAKEN
    assert said["a@b.example"] == "There is no external organisation called Nowhere. Make it in the console first."
    assert said["b@acme.example"] == "The role Org-Admin is not open to Acme. Open there: External-Actor, External-Reader."
    assert said["c@acme.example"] == "Name at least one role."
    assert "what the team is called" in said["d@acme.example"]
    assert take_in(TABLE, apply=True) == tried
    assert accounts() == before + 2


def test_what_was_taken_in_is_there(acme: Firm) -> None:
    take_in(TABLE, apply=True)
    people = acme.people()
    assert (people["kim"].name, people["kim"].confirmed, people["kim"].portal_admin) == ("Kim Doe", True, True)
    assert (people["lee"].name, people["lee"].confirmed, people["lee"].portal_admin) == ("lee", False, False)
    assert people["worker"].name == "worker"
    assert people["kim"].role_names == ("External-Actor", "External-Reader")
    assert letters("invitation") == []
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.object_id == str(people["kim"].user_id)).order_by(AuditEntry.id)).first()
    assert entry is not None
    assert (entry.kind, entry.actor_id, entry.actor_name, entry.organisation_id) == ("people:added", None, "the command line", acme.tenant)


def test_taking_it_in_twice_changes_nothing_more(acme: Firm) -> None:
    take_in(TABLE, apply=True)
    before = (accounts(), db.session.scalar(select(func.max(AuditEntry.id))), len(letters()))
    again = take_in(TABLE, apply=True)
    assert [one.done for one in again] == DONE
    assert again[0].sentence == "Has an account with these roles already. Is portal administrator already."
    assert (accounts(), db.session.scalar(select(func.max(AuditEntry.id))), len(letters())) == before


def test_nobody_is_demoted_or_loses_a_role_by_it(acme: Firm) -> None:
    take_in("organisation,email,roles,portal administrator\nAcme,boss@acme.example,External-Actor,no\n", apply=True)
    assert acme.people()["boss"].portal_admin
    assert roles_of(acme.ids["boss"], acme.tenant) == ["External-Actor", "External-Reader"]


@pytest.mark.parametrize("text", ["\ufeffOrganisation;E-Mail\n", "", "organisation,email\n", "organisation,email,roles,colour\n", ",,\n"])
def test_a_table_without_the_right_columns_is_refused(text: str) -> None:
    with pytest.raises(Refusal, match="The first row must name the columns organisation, email"):
        people_file.read(text)


def test_a_table_that_is_none_is_refused_by_its_line() -> None:
    with pytest.raises(Refusal, match="Line 2 cannot be read"):
        people_file.read('organisation,email,roles\n"Acme"x,b,c\n')


@pytest.mark.parametrize("between", [";", "\t"])
def test_what_spreadsheets_write_is_understood(acme: Firm, between: str) -> None:
    rows = [
        "Organisation,EMAIL,Name,Roles,Portal_Administrator",
        'Acme,zoe@acme.example,"Zoë\nO’Neill",External-Reader|External-Actor,X',
        ",,,,",
    ]
    text = "\ufeff" + "\r\n".join(rows).replace(",", between)
    assert [one.done for one in take_in(text, apply=True)] == [True]
    assert acme.people()["zoe"].name == "Zoë O’Neill"


def test_the_same_name_with_two_teams_must_be_told_apart(acme: Firm) -> None:
    a_party(acme.cast, "Acme", "there")
    row = "organisation,email,roles\nAcme,new@acme.example,External-Reader\n"
    assert "Several security teams" in take_in(row, apply=True)[0].sentence
    assert take_in(row, apply=True, team="northwind")[0].done
    assert "new" in acme.people()


def test_deactivated_people_stay_so(acme: Firm) -> None:
    acme.act(staff.deactivate, "worker")
    table = "organisation,email,roles,portal administrator\nAcme,worker@acme.example,External-Actor,"
    [told] = take_in(f"{table}no\n", apply=True)
    assert told.done
    assert "stays deactivated" in told.sentence
    [refused] = take_in(f"{table}yes\n", apply=True)
    assert (refused.done, refused.sentence) == (False, "Is deactivated. Reactivate the account first.")
    assert not acme.user("worker").active
    assert not acme.people()["worker"].portal_admin


def test_a_row_with_too_many_cells_is_refused_and_the_others_are_done(acme: Firm) -> None:
    table = "organisation,email,name,roles\nAcme,kim@acme.example,Doe, Kim,External-Reader\nAcme,lee@acme.example,Lee,External-Reader,,\n"
    first, second = take_in(table, apply=True)
    assert (first.done, second.done) == (False, True)
    assert first.sentence == "The row has more than 4 cells. Put quotation marks around what contains a separator."
    assert "kim" not in acme.people()


def test_a_column_that_is_there_twice_is_refused() -> None:
    with pytest.raises(Refusal, match="The first row must name each column once: email is there twice"):
        people_file.read("organisation,email,roles,Email\nAcme,a@acme.example,External-Reader,b@acme.example\n")


def test_a_name_that_is_not_taken_over_is_told(acme: Firm) -> None:
    acme.contact("Con Tact", "con@acme.example")
    rows = ["worker@acme.example,Somebody Else", "worker@acme.example,worker", "con@acme.example,Other Name", "new@acme.example,New"]
    told = take_in("organisation,roles,email,name\n" + "".join(f"Acme,External-Reader,{row}\n" for row in rows), apply=True)
    assert [one.sentence.partition("Keeps")[2] for one in told] == [" the name worker.", "", " the name Con Tact.", ""]


def test_an_import_beside_somebody_who_saves_contacts_waits_for_nobody_for_ever(app: Flask, acme: Firm) -> None:
    rival, olga = Firm(acme.cast, "rival"), acme.cast("olga")
    held = {firm.id: firm.contact(f"Con {firm.name}", f"con@{firm.name}.example") for firm in (acme, rival)}
    ids = {key: contact.id for key, contact in held.items()}

    def save() -> None:
        for number in range(30):
            for key in (rival.id, acme.id):
                start_writing()
                found = contacts.contact(key, ids[key], by=olga)
                about = {"name": found.name, "phone": "", "job_title": f"Number {number}"}
                contacts.edit(key, ids[key], version=found.version, emails="\n".join(found.emails), by=olga, **about)
                db.session.commit()

    def bring() -> None:
        for number in range(10):
            rows = [f"{name},p{number}{turn}@{name}.example,External-Reader\n" for turn in range(3) for name in ("acme", "rival")]
            told = take_in("organisation,email,roles\n" + "".join(rows), apply=True)
            assert all(one.done for one in told), told

    assert [one for one in at_once(app, save, bring, save) if one is not None and not isinstance(one, Stale)] == []


def test_the_command_says_what_would_be_done_and_then_does_it(app: Flask, acme: Firm, capsys: pytest.CaptureFixture[str]) -> None:
    before = accounts()
    for apply, last in ((False, "can be done. Nothing was changed"), (True, "done. Nobody was invited yet")):
        with pytest.raises(SystemExit):
            import_people(app, TABLE.encode(), team="", apply=apply)
        said = capsys.readouterr().out
        assert "Line 2, Kim@Acme.example: Added. Is portal administrator now.\n" in said
        assert f"Line 5, ada@people.example: NOT DONE. {TAKEN}\n" in said
        assert f"3 of 11 rows {last}" in said
    db.session.rollback()
    assert accounts() == before + 2
    list_people(app, party="acme", team="")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "organisation\temail\tname\troles\tportal administrator\tstate"
    assert "Acme\tkim@acme.example\tKim Doe\tExternal-Actor; External-Reader\tyes\tNot invited" in lines
    assert len(lines) == 6


def test_the_commands_exist() -> None:
    from portal.cli import main

    told = CliRunner().invoke(main, ["people", "import", "--help"])
    assert told.exit_code == 0
    assert "--apply" in told.output
    assert "--party" in CliRunner().invoke(main, ["people", "list", "--help"]).output
