"""Opening a case to the outside and closing it: what is refused, what is said before, who is told after."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from portal.accounts import people
from portal.cases import cases
from portal.cases.models import Attachment, Case, Observable
from portal.clock import now
from portal.database import start_writing
from portal.extensions import db
from portal.mail.sender import drain
from portal.refusals import NotAllowed, Refusal, Stale, Unfit
from portal.sharing import access, guard, scope
from portal.sharing.access import plan, set_access
from portal.sharing.models import Access, Grant
from portal.storage.models import Blob
from tests.factories import make_case, mark, restrict, say, share
from tests.fixtures.rooms import Cast, at_once, letters, newest_audit


def ids(cast: Cast, *who: str) -> set[int]:
    return {cast.world.people[name] for name in who}


def sees(cast: Cast, who: str, name: str) -> bool:
    db.session.flush()
    wanted = scope.visible(cast(who), Case, Case.id).where(Case.number == cast.world.cases[name])
    return db.session.execute(wanted).first() is not None


def told(case: Case, before: int) -> list[int | None]:
    return sorted(row.to_user_id or 0 for row in letters("case_shared") if row.id > before and row.case_id == case.id)


def last_letter() -> int:
    return max((row.id for row in letters()), default=0)


def test_ada_can_share_with_selected_people(cast: Cast) -> None:
    case, before = cast.case("internal"), last_letter()
    version = case.version
    done = set_access(case, Access.EXTERNAL, ids(cast, "hanna", "vic"), by=cast("ada"), version=version)
    db.session.commit()
    assert (done.gains, done.losses, done.total) == (["Hanna Person", "Vic Person"], [], 2)
    assert [sees(cast, who, "internal") for who in ("hanna", "vic", "rhea", "gast")] == [True, True, False, False]
    assert (case.shared, case.shared_since, case.version) == (True, case.outside_at, version + 1)
    assert told(case, before) == sorted(ids(cast, "hanna", "vic"))
    entry = newest_audit()[0]
    assert entry.changes == {"access": ["internal", "external"], "gained": [None, ["Hanna Person", "Vic Person"]]}
    assert entry.actor_name == "Ada Person"


def test_revoking_takes_it_from_everybody_and_keeps_the_marks(cast: Cast) -> None:
    case, before = cast.case("shared"), last_letter()
    done = set_access(case, Access.INTERNAL, set(), by=cast("ada"))
    db.session.commit()
    assert done.losses == ["Hanna Person", "Rhea Person"]
    assert not any(sees(cast, who, "shared") for who in ("hanna", "rhea", "vic"))
    assert (case.shared_since, told(case, before)) == (None, [])
    assert cast.comment("shared-external").external
    assert db.session.scalars(select(Grant).where(Grant.case_id == case.id)).all() == []


def test_narrowing_and_widening_tell_only_those_who_gain(cast: Cast) -> None:
    case, before = cast.case("shared"), last_letter()
    since = case.shared_since
    done = set_access(case, Access.EXTERNAL, ids(cast, "hanna", "vic"), by=cast("ada"))
    assert (done.gains, done.losses) == (["Vic Person"], ["Rhea Person"])
    assert told(case, before) == sorted(ids(cast, "vic"))
    done = set_access(case, Access.ALL_EXTERNAL, set(), by=cast("ada"))
    assert done.gains == ["Newt Person", "Rhea Person"]
    note = letters("case_shared")[-1]
    assert (note.to_user_id, note.extra["but"]) == (None, sorted(ids(cast, "hanna", "vic")))
    db.session.commit()
    drain()
    # What waited for Vic may have been joined with other news; the note itself reaches the two who gained.
    assert sorted({*told(case, before)} - ids(cast, "vic")) == sorted([0, *ids(cast, "newt", "rhea")])
    assert case.shared_since == since


def test_going_from_all_to_selected_takes_it_from_the_rest(cast: Cast) -> None:
    case, before = cast.case("all"), last_letter()
    done = set_access(case, Access.EXTERNAL, ids(cast, "vic"), by=cast("ada"))
    db.session.commit()
    assert (done.gains, done.losses) == ([], ["Hanna Person", "Newt Person", "Rhea Person"])
    assert [sees(cast, who, "all") for who in ("vic", "hanna")] == [True, False]
    assert told(case, before) == []


def test_all_external_users_are_whoever_there_is(cast: Cast) -> None:
    case = cast.case("internal")
    set_access(case, Access.ALL_EXTERNAL, set(), by=cast("ada"))
    cast.user("newt").activated_at = now()
    people.unlock(cast.world.people["dora"], by=cast("olga"))
    db.session.commit()
    assert [sees(cast, who, "internal") for who in ("newt", "dora", "gast")] == [True, True, False]


@pytest.mark.parametrize("who", ["ruth", "hanna", "pia"])
def test_people_without_the_right_cannot_share(cast: Cast, who: str) -> None:
    with pytest.raises(NotAllowed, match="share cases with external users"):
        set_access(cast.case("internal"), Access.ALL_EXTERNAL, set(), by=cast(who))


def test_an_analyst_shares_only_where_the_right_was_given(cast: Cast) -> None:
    plain = replace(cast("ada"), permissions=cast("ada").permissions - {"manageCaseAccess/external"})
    with pytest.raises(NotAllowed):
        set_access(cast.case("shared"), Access.INTERNAL, set(), by=plain)


@pytest.mark.parametrize("wanted", [Access.EXTERNAL, Access.ALL_EXTERNAL, Access.INTERNAL])
def test_a_restricted_case_cannot_be_shared(cast: Cast, wanted: Access) -> None:
    case = cast.case("restricted")
    with pytest.raises(Refusal) as refused:
        set_access(case, wanted, ids(cast, "hanna"), by=cast("ada"))
    assert refused.value.sentence == access.RESTRICTED
    assert (case.access, sees(cast, "hanna", "restricted")) == (Access.RESTRICTED, False)


def test_nobody_restricts_through_sharing(cast: Cast) -> None:
    with pytest.raises(Refusal, match="three kinds"):
        set_access(cast.case("shared"), Access.RESTRICTED, set(), by=cast("ada"))


def test_a_colleague_named_on_a_restricted_case_is_no_outsider(cast: Cast) -> None:
    """Grants of both kinds lie in one table: the access says which count."""
    case = cast.case("internal")
    restrict(case, cast("ada"), cast("hanna"))
    db.session.commit()
    assert not sees(cast, "hanna", "internal")
    assert sees(cast, "ada", "internal")


@pytest.mark.parametrize("chosen", [(), ("dora",), ("ruth",), ("ada",), ("gast",), ("otto",), ("hanna", "gast"), ("nobody",)])
def test_only_external_people_of_the_organisation_can_be_chosen(cast: Cast, chosen: tuple[str, ...]) -> None:
    wanted = {cast.world.people.get(name, 10**6) for name in chosen}
    case, before = cast.case("internal"), newest_audit()[0].id
    with pytest.raises(Refusal, match="cannot be given access" if chosen else "Choose at least one"):
        set_access(case, Access.EXTERNAL, wanted, by=cast("ada"))
    assert (case.access, newest_audit()[0].id) == (Access.INTERNAL, before)
    assert db.session.scalars(select(Grant).where(Grant.case_id == case.id)).all() == []


def test_more_than_128_at_once_is_refused(cast: Cast) -> None:
    with pytest.raises(Refusal, match="at most 128"):
        plan(cast.case("internal"), Access.EXTERNAL, set(range(1, 130)))


@pytest.mark.parametrize(
    ("name", "wanted", "chosen"),
    [("shared", Access.EXTERNAL, ("hanna", "rhea")), ("all", Access.ALL_EXTERNAL, ()), ("internal", Access.INTERNAL, ("hanna",))],
)
def test_nothing_to_change_changes_nothing(cast: Cast, name: str, wanted: Access, chosen: tuple[str, ...]) -> None:
    case = cast.case(name)
    before = (case.version, case.updated_at, newest_audit()[0].id, last_letter())
    done = set_access(case, wanted, ids(cast, *chosen), by=cast("ada"))
    db.session.commit()
    assert (done.changed, done.button) == (False, "Nothing to change")
    assert (case.version, case.updated_at, newest_audit()[0].id, last_letter()) == before


def test_what_would_return_must_be_confirmed(cast: Cast) -> None:
    case = cast.case("revoked")
    wanted = plan(case, Access.EXTERNAL, ids(cast, "hanna"))
    assert {"Ada Person: External word on revoked.", "Hanna Person: Hanna's word on revoked."} <= set(wanted.returning)
    assert len(wanted.returning) == wanted.returns
    assert not any("nternal" in line for line in wanted.returning)
    with pytest.raises(Refusal, match=f"{wanted.returns} comments and files were external"):
        set_access(case, Access.EXTERNAL, ids(cast, "hanna"), by=cast("ada"))
    assert not sees(cast, "hanna", "revoked")
    set_access(case, Access.EXTERNAL, ids(cast, "hanna"), by=cast("ada"), again=True)
    assert sees(cast, "hanna", "revoked")


def test_comments_made_internal_do_not_return(cast: Cast) -> None:
    case = make_case(cast("ada"))
    share(case, cast("ada"), cast("hanna"))
    words = [say(case, cast("ada"), f"Word {number}", external=True) for number in (1, 2)]
    share(case, cast("ada"))
    mark(case, words[0], False, cast("ada"))
    db.session.commit()
    assert plan(case, Access.ALL_EXTERNAL, set()).returning == ["Ada Person: Word 2"]
    with pytest.raises(Refusal, match="One comment or file was external"):
        set_access(case, Access.ALL_EXTERNAL, set(), by=cast("ada"))


def test_files_and_findings_of_guests_return_too_and_of_many_the_first_are_named(cast: Cast) -> None:
    case, hanna = make_case(cast("ada")), cast("hanna")
    author = {"author_id": hanna.user_id, "author_name": hanna.name, "author_external": True}
    blob = Blob(sha256="a" * 64, sha1="b" * 40, md5="c" * 32, size=1)
    db.session.add(blob)
    db.session.flush()
    for number in range(25):
        file = {"name": f"log-{number}.txt", "content_type": "text/plain", "size": 1, "sha256": "a" * 64, "external": number < 23}
        db.session.add(Attachment(case_id=case.id, blob_id=blob.id, **file, **author))
    for external in (True, False):
        thing = {
            "type": "domain",
            "value": f"example-{external}.org".lower(),
            "value_key": f"{external}",
            "organisation_id": case.organisation_id,
        }
        db.session.add(Observable(case_id=case.id, **thing, **{**author, "author_external": external}))
    db.session.flush()
    wanted = plan(case, Access.EXTERNAL, ids(cast, "hanna"))
    assert (wanted.returns, wanted.files, wanted.comments) == (24, 23, 0)
    assert wanted.returning[0].startswith("File by Hanna Person: log-")
    assert wanted.returning[-1] == "Observable by Hanna Person: example-true.org"
    assert len(wanted.returning) == 21


def test_widening_a_shared_case_asks_for_no_confirmation(cast: Cast) -> None:
    assert plan(cast.case("shared"), Access.ALL_EXTERNAL, set()).returning == []


@pytest.mark.parametrize(
    ("name", "wanted", "chosen", "button"),
    [
        ("internal", Access.EXTERNAL, ("hanna",), "Share with 1 person"),
        ("internal", Access.EXTERNAL, ("hanna", "vic"), "Share with 2 people"),
        ("internal", Access.ALL_EXTERNAL, (), "Share with all external users"),
        ("shared", Access.EXTERNAL, ("vic",), "Share with 1 person, revoke for 2"),
        ("shared", Access.EXTERNAL, ("hanna",), "Revoke access for 1 person"),
        ("shared", Access.INTERNAL, (), "Revoke access for 2 people"),
    ],
)
def test_the_button_says_what_it_does(cast: Cast, name: str, wanted: Access, chosen: tuple[str, ...], button: str) -> None:
    assert plan(cast.case(name), wanted, ids(cast, *chosen)).button == button


def test_planning_writes_nothing(cast: Cast) -> None:
    case = cast.case("internal")
    plan(case, Access.EXTERNAL, ids(cast, "hanna"))
    assert not db.session.new
    assert not db.session.dirty
    assert case.access is Access.INTERNAL


@pytest.mark.parametrize(("tlp", "warns"), [(0, False), (2, False), (3, True), (4, True)])
def test_sharing_a_protected_case_is_warned_about(cast: Cast, tlp: int, warns: bool) -> None:
    case = cast.case("internal")
    case.tlp = tlp
    warnings = plan(case, Access.EXTERNAL, ids(cast, "hanna")).warnings
    assert any("TLP:" in warning for warning in warnings) is warns
    if tlp < 4:
        assert plan(case, Access.ALL_EXTERNAL, set()).warnings[0] == "This includes people who are invited later."
    assert plan(case, Access.INTERNAL, set()).warnings == []


def test_red_is_for_named_people_only(cast: Cast) -> None:
    case = cast.case("internal")
    case.tlp = 4
    for again in (False, True):
        with pytest.raises(Refusal, match="TLP:RED, which is for named people only"):
            set_access(case, Access.ALL_EXTERNAL, set(), by=cast("ada"), again=again, reason="Because I say so")
    assert not set_access(case, Access.EXTERNAL, ids(cast, "hanna"), by=cast("ada")).needs_reason
    with pytest.raises(Refusal, match="named people only"):
        set_access(case, Access.ALL_EXTERNAL, set(), by=cast("ada"))


@pytest.mark.parametrize("reason", ["", "   ", "too short", " a b c    \n   d "])
def test_amber_strict_goes_out_with_a_written_reason_only(cast: Cast, reason: str) -> None:
    case = cast.case("internal")
    case.tlp = 3
    with pytest.raises(Refusal, match="at least 10 characters why these people may receive it"):
        set_access(case, Access.EXTERNAL, ids(cast, "hanna"), by=cast("ada"), reason=reason)
    assert not sees(cast, "hanna", "internal")
    set_access(case, Access.EXTERNAL, ids(cast, "hanna"), by=cast("ada"), reason="Their server,  their logs.")
    assert newest_audit()[0].changes["reason"] == [None, "Their server, their logs."]
    assert not set_access(case, Access.EXTERNAL, ids(cast, "hanna", "vic"), by=cast("ada"), reason="Vic runs it now.").losses
    for other, sentence in (("", "characters why"), ("x" * 1001, "longer than 1,000 characters")):
        with pytest.raises(Refusal, match=sentence):
            set_access(case, Access.ALL_EXTERNAL, set(), by=cast("ada"), reason=other)
    done = set_access(case, Access.EXTERNAL, ids(cast, "vic"), by=cast("ada"))  # nobody gains
    assert not done.needs_reason
    assert "reason" not in newest_audit()[0].changes


def test_a_longer_last_day_reaches_nobody_new_and_asks_no_new_reason(cast: Cast) -> None:
    """Decided: the reason is for the people; the record tells both days. Once it has ended, it is a new share."""
    case, first, later = cast.case("internal"), now() + timedelta(days=3), now() + timedelta(days=9)
    case.tlp = 3
    set_access(case, Access.EXTERNAL, ids(cast, "hanna"), by=cast("ada"), reason="Their server, their logs.", until=first)
    done = set_access(case, Access.EXTERNAL, ids(cast, "hanna"), by=cast("ada"), until=later)
    assert (done.changed, done.needs_reason) == (True, False)
    assert newest_audit()[0].changes == {"access": ["external", "external"], "until": [first.isoformat(), later.isoformat()]}
    assert set_access(case, Access.EXTERNAL, ids(cast, "hanna"), by=cast("ada"), until=None).needs_reason is False
    set_access(case, Access.EXTERNAL, ids(cast, "hanna"), by=cast("ada"), until=first)
    with time_machine.travel(first, tick=False):
        assert plan(case, Access.EXTERNAL, ids(cast, "hanna"), later).needs_reason


def test_a_reason_nobody_asked_for_is_not_kept(cast: Cast) -> None:
    set_access(cast.case("internal"), Access.EXTERNAL, ids(cast, "hanna"), by=cast("ada"), reason="Just because of that")
    assert "reason" not in newest_audit()[0].changes


def test_a_case_shared_with_all_cannot_become_red(cast: Cast) -> None:
    case = cast.case("all")
    with pytest.raises(Refusal, match="Share it with people by name or make it internal"):
        cases.update_case(case, cases.draft_of(case, tlp=4), version=case.version, by=cast("ada"))
    assert case.tlp == 2
    why = "Every client is hit by it."
    cases.update_case(case, cases.draft_of(case, tlp=3), version=case.version, by=cast("ada"), reason=why)
    selected = cast.case("shared")
    cases.update_case(selected, cases.draft_of(selected, tlp=4), version=selected.version, by=cast("ada"))
    assert (case.tlp, selected.tlp) == (3, 4)


def test_a_stale_decision_changes_nothing(cast: Cast) -> None:
    case = cast.case("internal")
    seen = case.version
    set_access(case, Access.EXTERNAL, ids(cast, "hanna"), by=cast("olga"), version=seen)
    db.session.commit()
    with pytest.raises(Stale):
        set_access(case, Access.ALL_EXTERNAL, set(), by=cast("ada"), version=seen)
    assert case.access is Access.EXTERNAL


def test_two_decisions_at_once_are_one_and_one_refusal(app: Flask, cast: Cast) -> None:
    number, version, ada = cast.world.cases["internal"], cast.case("internal").version, cast("ada")

    def decide(who: str) -> str:
        start_writing()
        guard.engage(ada)
        try:
            case = cases.load(number, change=True)
            set_access(case, Access.EXTERNAL, ids(cast, who), by=ada, version=version)
            db.session.commit()
        finally:
            guard.release()
        return who

    results = at_once(app, *[lambda who=who: decide(who) for who in ("hanna", "vic", "rhea")])
    assert [type(result) for result in results].count(Stale) == 2, results
    [winner] = [result for result in results if isinstance(result, str)]
    assert [who for who in ("hanna", "vic", "rhea") if sees(cast, who, "internal")] == [winner]


def test_a_person_locked_while_named_comes_back_to_what_is_still_theirs(cast: Cast) -> None:
    """Dora was named on `shared` before she was locked; nobody took it from her."""
    people.unlock(cast.world.people["dora"], by=cast("olga"))
    db.session.commit()
    assert sees(cast, "dora", "shared")


def test_a_decision_made_while_somebody_was_away_counts_for_them(cast: Cast) -> None:
    set_access(cast.case("shared"), Access.EXTERNAL, ids(cast, "rhea"), by=cast("ada"))
    people.unlock(cast.world.people["dora"], by=cast("olga"))
    db.session.commit()
    assert not sees(cast, "dora", "shared")


def test_internal_cases_with_left_over_grants_stay_closed(cast: Cast) -> None:
    """Both must hold: the access of the case and the name on it."""
    case = cast.case("internal")
    db.session.add(Grant(case_id=case.id, user_id=cast.world.people["hanna"]))
    say(case, cast("ada"), "For us")
    db.session.commit()
    assert not sees(cast, "hanna", "internal")
    share(case, cast("ada"), cast("vic"))
    db.session.commit()
    assert not sees(cast, "hanna", "internal")


@pytest.mark.parametrize("name", ["shared", "all"])
def test_a_shared_case_becomes_amber_strict_for_a_reason_only(cast: Cast, name: str) -> None:
    case = cast.case(name)
    for reason in ("", " short    ", "x" * 1001):
        with pytest.raises(Unfit):
            cases.update_case(case, cases.draft_of(case, tlp=3, title="T"), version=case.version, by=cast("ada"), reason=reason)
    assert (case.tlp, case.title == "T") == (2, False)
    cases.update_case(case, cases.draft_of(case, tlp=3), version=case.version, by=cast("ada"), reason="Their own  systems are hit.")
    assert newest_audit()[0].changes == {"tlp": [2, 3], "reason": [None, "Their own systems are hit."]}
    cases.update_case(case, cases.draft_of(case, title="T"), version=case.version, by=cast("ada"))
    assert "reason" not in newest_audit()[0].changes


@pytest.mark.parametrize(("name", "tlp"), [("internal", 3), ("revoked", 3), ("shared", 1), ("shared", 4)])
def test_no_reason_is_asked_for_where_nobody_outside_sees_it_or_the_tlp_is_another(cast: Cast, name: str, tlp: int) -> None:
    case = cast.case(name)
    cases.update_case(case, cases.draft_of(case, tlp=tlp), version=case.version, by=cast("ada"), reason="Nobody asked for this.")
    assert newest_audit()[0].changes == {"tlp": [2, tlp]}
