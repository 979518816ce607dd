"""Addresses as people type and paste them: whatever looks like one is that one, and names pasted with them are left out."""

from __future__ import annotations

import pytest

from portal.accounts import mail_addresses, staff
from portal.refusals import Unfit
from tests.accounts.staffing import Firm
from tests.fixtures.rooms import Cast


@pytest.fixture
def acme(cast: Cast) -> Firm:
    return Firm(cast)


def test_spellings_that_are_no_address_stay_what_they_are() -> None:
    assert mail_addresses.spellings("deleted-12") == {"deleted-12"}


@pytest.mark.parametrize("odd", ["bob@\uff45xample.com", "Bob@\uff25xample.com", "bob@e\uff58ample.com"])
def test_letters_that_only_look_like_others_are_the_same_address(acme: Firm, odd: str) -> None:
    assert mail_addresses.tidied(odd) == "bob@example.com"
    [typed] = staff.check(acme.id, f"{odd} bob@example.com", by=acme("boss"))
    assert (typed.email, typed.problem) == ("bob@example.com", "")
    [added] = acme.add(odd)
    [again] = acme.add("bob@example.com")
    assert (added.email, added.user_id) == ("bob@example.com", again.user_id)


def test_an_account_kept_with_odd_letters_is_still_found() -> None:
    assert mail_addresses.spellings("bob@\uff45xample.com") == {"bob@\uff45xample.com", "bob@example.com"}
    with pytest.raises(Unfit, match="at most 128"):
        mail_addresses.read("b@" + ".".join(["\ufb03" * 20] * 3) + ".example" + "x" * 52)


PASTED = 'Anna Kvam <anna.kvam@x.example>; "Bakke, Ole" <OLE@x.example>, Siri Dahl: siri@x.example, mailto:kari@x.example, nils@x.example.'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (PASTED, ["anna.kvam@x.example", "ole@x.example", "siri@x.example", "kari@x.example", "nils@x.example"]),
        ("Bakke, Ole <ole@x.example>; Kvam, Anna <anna@x.example>", ["ole@x.example", "anna@x.example"]),
        ("kari@x.example<mailto:kari@x.example?subject=hello>", ["kari@x.example"]),
        ("'ole@x.example'; \"kim@x.example\"", ["ole@x.example", "kim@x.example"]),
        ("To: anna@x.example, nobody", ["anna@x.example", "nobody"]),
        ("bob, dana@x.example; carol", ["bob", "dana@x.example", "carol"]),
        ("Moe, Kari <kari@x.example>, bob", ["moe", "kari@x.example", "bob"]),
        ("bob, Kari Moe, kari@x.example", ["bob", "kari", "moe", "kari@x.example"]),
        ("bob.2, Kari Moe <kari@x.example>", ["bob.2", "kari@x.example"]),
        ("Nils Dahl, nils.dahl@x.example\r\nKari Moe; kari@x.example", ["nils.dahl@x.example", "kari", "moe", "kari@x.example"]),
        ("Moe, Kari\tkari@x.example (Bergen)", ["kari@x.example"]),
        ("Siri:siri@x.example, ole@x.example", ["siri@x.example", "ole@x.example"]),
        ("bob kim\nAnna Kvam <anna@x.example> Vik", ["bob", "kim", "anna@x.example"]),
        ("ole@x.example, kari.x.example bad-1 J. O'Hara-Vik", ["ole@x.example", "kari.x.example", "bad-1", "j.", "o'hara-vik"]),
        ("ole@x.example kari.x.example bad-1 J. O'Hara-Vik", ["ole@x.example", "kari.x.example", "bad-1"]),
        ("Nils Dahl\nnils@x.example", ["nils", "dahl", "nils@x.example"]),
        ("<bob> <anna@x.example", ["bob", "anna@x.example"]),
        ('"Anna Kvam" anna@x.example', ["anna@x.example"]),
        ('"anna@x.example", "Bob" <bob@x.example>', ["anna@x.example", "bob@x.example"]),
        ('"ole@old.example" <ole@x.example>', ["ole@x.example"]),
        ("o'hara@x.example, kim+soc@x.example", ["o'hara@x.example", "kim+soc@x.example"]),
        ('"<;,\u200b\0', []),
    ],
)
def test_what_mail_programs_copy_is_taken_apart(text: str, words: list[str]) -> None:
    assert mail_addresses.split(text) == words


def test_a_pasted_list_is_checked_and_added_without_the_names(acme: Firm) -> None:
    five = ["anna.kvam@x.example", "ole@x.example", "siri@x.example", "kari@x.example", "nils@x.example"]
    assert {one.email: one.problem for one in staff.check(acme.id, PASTED, by=acme("boss"))} == dict.fromkeys(five, "")
    assert [(one.email, one.done) for one in acme.add(PASTED)] == [(email, True) for email in five]
