"""Indicators: harmless writing there and back, guesses, what fits a type, what counts as the same; never slow."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.cases import indicators
from portal.cases.indicators import defang, fitting, guess, key_of, problem_with, refang


@pytest.mark.parametrize(
    ("typed", "kind", "value"),
    [
        ("hxxps://evil[.]example/a.php?x=1", "url", "https://evil.example/a.php?x=1"),
        ("hXXp[://]evil(.)example/", "url", "http://evil.example/"),
        ("fxp://192.0.2[.]7/x", "url", "ftp://192.0.2.7/x"),
        ("192.0.2[.]7", "ip", "192.0.2.7"),
        ("2001:db8[:]:1", "ip", "2001:db8::1"),
        ("192.0.2.0/24", "ip", "192.0.2.0/24"),
        ("evil[dot]example", "domain", "evil.example"),
        ("evil.co.uk", "domain", "evil.co.uk"),
        ("mail{.}evil.example", "fqdn", "mail.evil.example"),
        ("bob[at]evil[.]example", "mail", "bob@evil.example"),
        ("D41D8CD98F00B204E9800998ECF8427E", "hash", "d41d8cd98f00b204e9800998ecf8427e"),
        ("invoice.pdf.exe", "filename", "invoice.pdf.exe"),
        ("C:\\Users\\x\\a b.dll", "filename", "C:\\Users\\x\\a b.dll"),
        ("HKLM\\Software\\Run", "registry", "HKLM\\Software\\Run"),
        ("+49 170 1234567", "phone", "+49 170 1234567"),
        ("AS64500", "autonomous-system", "AS64500"),
        ("Mozilla/5.0 (X11; Linux)", "user-agent", "Mozilla/5.0 (X11; Linux)"),
        ("Re: your invoice", "mail-subject", "Re: your invoice"),
        ("/wp-login.php", "uri_path", "/wp-login.php"),
        ("^evil[.]example$", "regexp", "^evil[.]example$"),
        ("something else", "other", "something else"),
    ],
)
def test_a_line_is_guessed_and_written_as_machines_write_it(typed: str, kind: str, value: str) -> None:
    assert guess(typed) == kind
    assert fitting(kind, typed) == value
    assert problem_with(kind, value) is None


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("url", "https://evil.example/a.php", "hxxps://evil[.]example/a.php"),
        ("ip", "192.0.2.7", "192[.]0[.]2[.]7"),
        ("ip", "2001:db8::1", "2001[:]db8[:][:]1"),
        ("mail", "bob@evil.example", "bob[@]evil[.]example"),
        ("filename", "exe.\u202etxt", "exe.[U+202E]txt"),
        ("regexp", "a.b", "a.b"),
    ],
)
def test_what_is_shown_is_harmless(kind: str, value: str, shown: str) -> None:
    assert defang(kind, value) == shown


@given(st.from_regex(r"[a-z0-9]{1,12}(\.[a-z]{2,8}){1,3}", fullmatch=True), st.sampled_from(["domain", "fqdn", "url", "mail"]))
def test_harmless_and_back_is_the_same(name: str, kind: str) -> None:
    value = {"url": f"https://{name}/a?b=c", "mail": f"bob@{name}"}.get(kind, name)
    assert refang(defang(kind, value)) == value


@given(st.text(max_size=200))
def test_no_text_breaks_anything(text: str) -> None:
    kind = guess(text)
    value = fitting(kind, text)
    problem_with(kind, value)
    assert len(key_of(kind, value)) == 64
    assert not any(c in defang(kind, value) for c in "\u202e\u200b\u2066")


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("ip", "2001:DB8:0:0::1", "2001:db8::1"),
        ("domain", "Evil.Example.", "evil.example"),
        ("domain", "bücher.example", "xn--bcher-kva.example"),
        ("url", "HTTPS://Evil.Example", "https://evil.example/"),
        ("mail", "Bob@Evil.example", "bob@evil.example"),
        ("hash", "ABCDEF", "abcdef"),
        ("autonomous-system", "as 64500", "AS64500"),
        ("phone", "+49 170 12-34", "+491701234"),
    ],
)
def test_what_makes_no_difference_is_the_same(kind: str, one: str, other: str) -> None:
    assert key_of(kind, one) == key_of(kind, other)


def test_what_makes_a_difference_is_not_the_same() -> None:
    assert key_of("url", "https://evil.example/A") != key_of("url", "https://evil.example/a")
    assert key_of("domain", "evil.example") != key_of("fqdn", "evil.example")


@pytest.mark.parametrize("kind", list(indicators.WRONG))
def test_nonsense_is_refused_with_what_would_be_right(kind: str) -> None:
    problem = problem_with(kind, "no such thing ]")
    assert problem == indicators.WRONG[kind]


@pytest.mark.parametrize(
    "piece", ["a.", "[", "[.]", "hxxp", "1", "@", "a@", "+1 ", ":", "\\", "é.", "xn--", "(dot", "http://.", "[ . ", "-", "\u202e", "%2e"]
)
def test_hostile_text_takes_no_time(piece: str) -> None:
    text = (piece * 65_536)[:65_536]
    began = time.perf_counter()
    guess(text)
    guess(text[:4000])
    for kind in [*indicators.WRONG, "phone", "registry", "filename", "other"]:
        value = fitting(kind, text)
        problem_with(kind, value)
        problem_with(kind, value[:4000])
        key_of(kind, value)
        defang(kind, value)
    # Not how fast, but that it does not grow with the square of the text: that would take minutes.
    assert time.perf_counter() - began < 10.0
