"""Types of observables: counted no further than needed, and never deleted under what is just being added."""

from __future__ import annotations

import threading
import time

import pytest
from flask import Flask

from portal.cases import definitions, observable_types, observables
from portal.cases.cases import load
from portal.cases.models import CustomField
from portal.database import start_writing
from portal.extensions import db
from portal.refusals import Refusal
from tests.fixtures.rooms import Cast, at_once


def made(cast: Cast) -> int:
    start_writing()
    key = observable_types.create("bank-account", is_file=False, by=cast("pia")).id
    db.session.commit()
    return key


@pytest.mark.parametrize("first", ["add", "delete"])
def test_a_type_is_not_deleted_under_what_is_being_added(app: Flask, cast: Cast, first: str) -> None:
    """On PostgreSQL the second one waits for the first; SQLite has one writer anyway."""
    key, pia, ada, number, begun = made(cast), cast("pia"), cast("ada"), cast.world.cases["internal"], threading.Event()

    def add() -> int:
        told = observables.add_lines(load(number, change=True), "bank-account", "4711", observables.Facets(), one_per_line=True, by=ada)
        return sum(one.problem is None for one in told)

    def delete() -> str:
        return observable_types.delete(key, by=pia)

    def run(name: str) -> object:
        if name != first:
            begun.wait(10)
        start_writing()
        done = {"add": add, "delete": delete}[name]()
        if name == first:
            begun.set()
            time.sleep(0.5)
        db.session.commit()
        return done

    added, deleted = at_once(app, lambda: run("add"), lambda: run("delete"))
    if first == "add":
        assert (added, isinstance(deleted, Refusal)) == (1, True), deleted
    else:
        assert (deleted, isinstance(added, Refusal)) == ("bank-account", True), added


def test_lists_stop_counting(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observable_types, "MANY", 1)
    monkeypatch.setattr(definitions, "MOST_USES", 2)
    assert {row.name: row.used for row in observable_types.listed(by=cast("pia"))}["file"] == 2, "more than one"
    region = db.session.query(CustomField.id).filter_by(name="region").scalar()
    assert definitions.uses_of_all()[region] == 3, "more than two"
