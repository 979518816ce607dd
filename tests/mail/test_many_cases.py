"""Many cases shared at once: one letter a person, naming none of them, and only while there is one to see."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from portal.cases import lifecycle
from portal.cases.models import Case
from portal.database import start_writing
from portal.extensions import db
from portal.mail.sender import drain
from portal.sharing.bulk import Choice, prospect, share
from portal.sharing.models import Access
from tests.fixtures.post import PostOffice, text_of
from tests.fixtures.rooms import Cast, letters


def choice(cast: Cast, *who: str, access: Access = Access.EXTERNAL, **more: Any) -> Choice:
    return Choice(access, frozenset(cast.world.people[name] for name in who), **more)


def share_many(cast: Cast, wanted: Choice, *names: str) -> None:
    seen = {case.number: prospect(case, wanted).mark for case in (cast.case(name) for name in names)}
    start_writing()
    assert all(outcome.done for outcome in share(seen, wanted, by=cast("ada")))


def to_whom(name: str) -> list[int | None]:
    return [row.to_user_id for row in letters(name)]


def test_each_person_gets_one_letter(sending: Cast, smtp_server: PostOffice) -> None:
    cast = sending
    share_many(cast, choice(cast, "vic", "hanna", again=True), "internal", "shared", "revoked")
    assert to_whom("case_shared") == []
    assert sorted(key or 0 for key in to_whom("cases_shared")) == sorted(cast.world.people[name] for name in ("hanna", "vic"))
    db.session.commit()
    drain()
    mine = [letter for letter in smtp_server.messages if "vic" in letter["To"]]
    assert [letter["Subject"] for letter in mine] == ["Cases were shared with you"]
    text = text_of(mine[0])
    assert "several cases" in text
    assert not any(str(word) in text for word in ("The internal case", "The shared case", *(f"#{n}" for n in cast.world.cases.values())))


def test_no_letter_for_cases_that_were_revoked_before_it_left(sending: Cast, smtp_server: PostOffice) -> None:
    cast = sending
    share_many(cast, choice(cast, "vic", again=True), "internal", "revoked")
    db.session.commit()
    share_many(cast, choice(cast, access=Access.INTERNAL), "internal", "revoked")
    db.session.commit()
    drain()
    assert not [people for people in smtp_server.recipients if any("vic" in address for address in people)]


def test_one_of_them_left_is_enough_for_the_letter(sending: Cast, smtp_server: PostOffice) -> None:
    cast = sending
    share_many(cast, choice(cast, "vic", again=True), "internal", "revoked")
    db.session.commit()
    share_many(cast, choice(cast, access=Access.INTERNAL), "internal")
    db.session.commit()
    drain()
    assert len([people for people in smtp_server.recipients if any("vic" in address for address in people)]) == 1
    assert db.session.scalar(select(Case.access).where(Case.number == cast.world.cases["revoked"])) is Access.EXTERNAL


def test_deleting_one_of_them_does_not_lose_the_news_of_the_others(sending: Cast, smtp_server: PostOffice) -> None:
    cast = sending
    share_many(cast, choice(cast, "vic", again=True), "internal", "revoked")
    db.session.commit()
    start_writing()
    case = cast.case("internal")
    lifecycle.delete_case(case, str(case.number), version=case.version, by=cast("olga"))
    db.session.commit()
    drain()
    assert [letter["Subject"] for letter in smtp_server.messages if "vic" in letter["To"]] == ["Cases were shared with you"]


def test_deleting_one_of_them_keeps_the_note_for_everybody(sending: Cast, smtp_server: PostOffice) -> None:
    cast = sending
    share_many(cast, choice(cast, access=Access.ALL_EXTERNAL, again=True), "internal", "revoked")
    db.session.commit()
    start_writing()
    case = cast.case("internal")
    lifecycle.delete_case(case, str(case.number), version=case.version, by=cast("olga"))
    db.session.commit()
    drain()
    assert any("vic" in letter["To"] for letter in smtp_server.messages)
