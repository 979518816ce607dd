"""Catalogues: what the product says is in each of them, as it stands in the code, and what translators wrote fits it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from babel.messages.catalog import Catalog, Message

from bench import words
from bench.words import TRANSLATED, forms
from portal.web import scripts
from portal.web.assets import BUNDLES

# Whether every message has to be translated.
COMPLETE = True
PLACEHOLDER = re.compile(r"%\((\w+)\)s")
HINT = "Run ./run.sh words, then translate what is new."


@pytest.fixture(scope="module")
def said() -> Catalog:
    return words.messages()


def _ids(message: Message) -> tuple[str, ...]:
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def _translated(code: str) -> list[Message]:
    return [message for message in words.catalogue(code) if message.id and all(forms(message))]


def _wrong(code: str, fits: Callable[[Message], bool]) -> list[str]:
    return [f"{_ids(message)[0]!r}: {forms(message)}" for message in _translated(code) if not fits(message)]


def _named(text: str) -> set[str]:
    return set(PLACEHOLDER.findall(text))


@pytest.mark.parametrize("code", TRANSLATED)
def test_a_catalogue_has_every_message_of_the_code_and_no_other(code: str, said: Catalog) -> None:
    wanted, found = ({_ids(message) for message in catalogue if message.id} for catalogue in (said, words.catalogue(code)))
    assert len(wanted) > 500
    assert found == wanted, f"{HINT} {sorted(wanted ^ found)[:10]}"


@pytest.mark.parametrize("code", TRANSLATED)
def test_a_catalogue_is_written_as_the_tool_writes_it(code: str) -> None:
    found = words.catalogue(code)
    assert not found.obsolete
    assert not [_ids(message)[0] for message in found if message.id and message.fuzzy]
    assert words.place(code, "po").read_text(encoding="utf-8") == words.written(found), HINT


@pytest.mark.parametrize("code", TRANSLATED)
def test_what_the_product_reads_is_what_translators_wrote(code: str) -> None:
    assert words.place(code, "mo").read_bytes() == words.compiled(words.catalogue(code)), HINT


@pytest.mark.parametrize("code", TRANSLATED)
def test_every_message_is_translated(code: str) -> None:
    missing = [_ids(message)[0] for message in words.catalogue(code) if message.id and not all(forms(message))]
    half = [text for message in words.catalogue(code) if any(forms(message)) and not all(forms(message)) for text in _ids(message)]
    assert not half
    assert not (COMPLETE and missing), missing


@pytest.mark.parametrize("code", TRANSLATED)
def test_translations_name_the_values_of_their_message(code: str) -> None:
    def fits(message: Message) -> bool:
        one, *more = (_named(text) for text in forms(message))
        ids = [_named(text) for text in _ids(message)]
        return one in ids and all(names == ids[-1] for names in more)

    assert not _wrong(code, fits)


@pytest.mark.parametrize("code", TRANSLATED)
def test_translations_have_no_other_percent_signs(code: str) -> None:
    def fits(message: Message) -> bool:
        valued = any(map(_named, _ids(message)))
        rests = [PLACEHOLDER.sub("", text).replace("%%", "" if valued else "%%") for text in forms(message)]
        return not valued or not any("%" in rest for rest in rests)

    assert not _wrong(code, fits)


@pytest.mark.parametrize("code", TRANSLATED)
def test_translations_bring_no_markup_of_their_own(code: str) -> None:
    def fits(message: Message) -> bool:
        return not any(sign in text for sign in '"<&' for text in forms(message) if sign not in "".join(_ids(message)))

    assert not _wrong(code, fits)


@pytest.mark.parametrize("code", TRANSLATED)
def test_translations_begin_and_end_as_their_message_does(code: str) -> None:
    def fits(message: Message) -> bool:
        return all(text == text.strip() for text in forms(message)) or any(text != text.strip() for text in _ids(message))

    assert not _wrong(code, fits)


def test_what_scripts_are_given_is_what_translators_see(said: Catalog) -> None:
    for name in (name for name in BUNDLES if name.endswith(".js") and name != "htmx.js"):
        plain, numbered = scripts.sentences(name)
        assert plain, name
        assert not [text for text in [*plain, *numbered] if text not in said], "Babel does not look into `${…}`."


def test_scripts_speak_in_literals_only() -> None:
    """A sentence put together in a script would come out in English, or in pieces."""
    for name in (name for name in BUNDLES if name.endswith(".js") and name != "htmx.js"):
        text = scripts.load(name).body.decode()
        called = len(re.findall(r"(?<![\w.])_\(", text)) - text.count("_((words[one]")
        assert called == len(scripts.sentences(name)[0]), name
