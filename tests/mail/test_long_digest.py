"""A letter about many cases asks as little of the database as one about few, and takes in no more than it can tell in time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import current_app
from sqlalchemy import delete

from portal.clock import now
from portal.extensions import db
from portal.mail import digest, sender
from portal.mail.letters import write
from portal.mail.models import OutboxMessage
from portal.mail.news import DIGEST, INSIDE, KIND
from portal.mail.outbox import post
from tests.factories import say, share
from tests.fixtures.post import PostOffice
from tests.fixtures.rooms import Cast, letters
from tests.fixtures.statements import counted
from tests.mail.telling import HANNA, LATER, both, drain, shared_with_hanna, tell

FOR_COLLEAGUES = {letter for letter, kind in KIND.items() if kind in INSIDE}


def news_of_everything(cast: Cast, who: str, count: int) -> OutboxMessage:
    """One letter to the person with every kind of news of so many cases."""
    found, at, items = shared_with_hanna(cast, count), (now() - timedelta(hours=1)).isoformat(), []
    for case in found:
        case.assignee_id = cast("ada").user_id
        comment = say(case, cast("ada"), "Fresh news", external=True)
        db.session.flush()
        about: dict[str, Any] = {"case_id": case.id, "comment_id": None, "at": at}
        told = FOR_COLLEAGUES if who == "ada" else KIND.keys() - FOR_COLLEAGUES - {"cases_shared"}
        items += [{"letter": letter, "extra": {"marks": 0}, **about} for letter in sorted(told)]
        items.append({**about, "letter": "external_reply" if who == "ada" else "case_news", "comment_id": comment.id, "extra": {}})
        items.append({**about, "letter": "external_reply", "extra": {"more": True}} if who == "ada" else _files(about, at))
    if who == "hanna":
        items.append(
            {"letter": "cases_shared", "case_id": None, "comment_id": None, "extra": {"cases": [case.id for case in found]}, "at": at}
        )
    db.session.commit()
    row = OutboxMessage(letter=DIGEST, organisation_id=found[0].organisation_id, to_user_id=cast(who).user_id, extra={"items": items})
    db.session.expunge_all()
    return row


def _files(about: dict[str, Any], at: str) -> dict[str, Any]:
    return {**about, "letter": "case_news", "extra": {"files": at}}


@pytest.mark.parametrize("who", ["hanna", "ada"])
def test_a_letter_about_many_cases_asks_no_more_than_one_about_two(sending: Cast, who: str) -> None:
    app, made = current_app._get_current_object(), []  # type: ignore[attr-defined]
    for count in (2, 30):
        row = news_of_everything(sending, who, count)
        with counted(app) as asked:
            letter = write(row)
        assert letter is not None
        assert letter.subject == f"{count} cases have news"
        made.append(asked)
        db.session.rollback()
    assert len(made[0]) == len(made[1]) <= 12, "\n".join(made[1])


def test_whom_many_cases_reach_is_one_question(sending: Cast, smtp_server: PostOffice) -> None:
    app, made = current_app._get_current_object(), []  # type: ignore[attr-defined]
    vic = sending("vic")
    for count in (2, 30):
        found = shared_with_hanna(sending, count)
        share(found[-1], sending("ada"), vic)
        db.session.execute(delete(OutboxMessage))
        about: dict[str, Any] = {"cases": [case.id for case in found], "but": [], "marks": 0}
        post("cases_shared", organisation_id=found[0].organisation_id, extra=about)
        db.session.commit()
        lease = sender._claim()
        assert lease is not None
        with counted(app) as asked:
            sender._spread(lease)
        made.append(asked)
        assert {row.to_user_id for row in letters("cases_shared") if row.to_user_id} == {sending("hanna").user_id, vic.user_id}
    assert len(made[0]) == len(made[1]) <= 8, "\n".join(made[1])


def test_what_does_not_fit_comes_in_the_next_letter(sending: Cast, smtp_server: PostOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digest, "MOST", 3)
    found = shared_with_hanna(sending, 5)
    for case in found:
        tell(sending, case)
    drain()
    assert [letter["Subject"] for letter in smtp_server.to(HANNA)] == ["3 cases have news"]
    drain(LATER)
    assert [letter["Subject"] for letter in smtp_server.to(HANNA)[1:]] == ["2 cases have news"]
    told = "".join(both(letter) for letter in smtp_server.to(HANNA))
    assert all(told.count(f"/portal/cases/{case.number}") == 2 for case in found)


def test_a_letter_about_many_cases_counts_as_many(sending: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digest, "MOST", 3)
    place, hanna = sending.world.places["here"], sending("hanna").user_id
    keys = [case.id for case in shared_with_hanna(sending, 3)]
    rows = [
        OutboxMessage(message_id=name, letter=letter, organisation_id=place, to_user_id=hanna, case_id=case_id, extra=extra)
        for name, letter, case_id, extra in (
            ("<1@x>", "case_shared", keys[0], {}),
            ("<2@x>", "cases_shared", None, {"cases": keys}),
            ("<3@x>", "case_status", keys[1], {"was": "new"}),
        )
    ]
    db.session.add_all(rows)
    db.session.commit()
    assert digest.gather(rows[0]) is None
    db.session.commit()
    assert [item["letter"] for item in rows[0].extra["items"]] == ["case_shared", "case_status"]
    assert [row.message_id for row in letters("cases_shared")] == ["<2@x>"]
