"""What every template keeps: a nonce on what htmx obeys, no inline script or style, a token in each form that posts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.files import read, templates

PAGES = [path for path in templates() if path.suffix == ".html" and path.parts[2] != "mail"]
LETTERS = [path for path in templates() if path.parts[2] == "mail"]
TAG = re.compile(r"""<([a-zA-Z][\w-]*)((?:"[^"]*"|'[^']*'|[^<>"'])*)>""")
NONCE = "\x01nonce\x01"
# Read from somebody's disk, where this product's style sheets are not; headers.py's policy would have it without style in a browser.
DOCUMENTS = {Path("portal/templates/external/download/document.html")}


def _plain(text: str) -> str:
    """The template as HTML: comments gone, hx() made visible, other Jinja replaced by something harmless of the same number of lines.

    `mark` is a hx() that was asked for once and handed on.
    """

    def harmless(found: re.Match[str]) -> str:
        inside = found[0]
        keep = f" {NONCE} " if re.search(r"\bhx\(\)|^{{ mark }}$", inside) else (" J " if inside.startswith("{{") else " ")
        return keep + "\n" * inside.count("\n")

    return re.sub(r"{#.*?#}|{{.*?}}|{%.*?%}", harmless, text, flags=re.DOTALL)


def _tags(path: Path) -> Iterator[tuple[str, str, str]]:
    """(place, element, attributes) of each start tag."""
    text = _plain(read(path))
    for found in TAG.finditer(text):
        yield f"{path}:{text.count(chr(10), 0, found.start()) + 1}", found[1].lower(), found[2]


def _attributes(text: str) -> set[str]:
    return {
        name.lower() for name in re.findall(r"""(?:^|\s)([a-zA-Z@:][\w:.-]*)(?=\s*=|\s|/|$)""", re.sub(r""""[^"]*"|'[^']*'""", '""', text))
    }


def test_there_are_templates_to_read() -> None:
    assert PAGES
    assert LETTERS


def test_every_element_that_htmx_obeys_carries_the_nonce() -> None:
    naked = [
        f"{place} <{element}>"
        for path in PAGES
        for place, element, text in _tags(path)
        if {name for name in _attributes(text) if name.startswith("hx-")} - {"hx-ignore"} and NONCE not in text
    ]
    assert not naked


def test_htmx_is_never_asked_to_run_text() -> None:
    wrong = [
        f"{place} {name}"
        for path in PAGES
        for place, _, text in _tags(path)
        for name in _attributes(text)
        if re.match(r"hx-(on|vals|vars)\b", name)
    ]
    assert not wrong


def test_no_inline_handlers_or_styles() -> None:
    wrong = [
        f"{place} <{element} {name}>"
        for path in PAGES
        for place, element, text in _tags(path)
        for name in _attributes(text)
        if name == "style" or re.fullmatch(r"on[a-z]+", name)
    ]
    wrong += [f"{place} <style>" for path in PAGES for place, element, _ in _tags(path) if element == "style" and path not in DOCUMENTS]
    assert not wrong


def test_scripts_come_from_files_with_a_nonce() -> None:
    tags = [(place, text) for path in PAGES for place, element, text in _tags(path) if element == "script"]
    assert not [place for place, text in tags if "nonce" not in _attributes(text) or "src" not in _attributes(text)]


def test_every_posting_form_carries_the_token() -> None:
    forms = [(path, form) for path in PAGES for form in re.findall(r"<form\b.*?</form>", read(path), flags=re.DOTALL)]
    posting = [(path, form) for path, form in forms if re.search(r"""method=["']post""", form, re.IGNORECASE)]
    missing = [f"{path}: {form.splitlines()[0][:100]}" for path, form in posting if "csrf" not in form]
    assert not missing


def test_pages_name_no_foreign_address() -> None:
    foreign = [f"{path}: {url}" for path in PAGES for url in re.findall(r"""(?:src|href|action)=["'](https?:)?//[^"']*""", read(path))]
    assert not foreign


def test_pages_of_the_portal_join_no_addresses_from_parts() -> None:
    pages = [path for path in PAGES if path.parts[2] in ("external", "entry")]
    assert pages
    assert not [f"{path}: {found}" for path in pages for found in re.findall(r"""~ *["'][/?][^"']*["']""", read(path))]


@pytest.mark.parametrize("kind", ["subject", "txt", "html"])
def test_every_letter_has_three_forms(kind: str) -> None:
    names = {path.stem for path in LETTERS if path.stem != "base" and not path.name.startswith("_")}
    there = {path.stem for path in LETTERS if path.suffix == f".{kind}"}
    assert not names - there


def test_letters_fetch_nothing() -> None:
    wrong = [
        place
        for path in LETTERS
        for place, element, text in _tags(path)
        if element in ("img", "link", "script", "iframe") or "src" in _attributes(text)
    ]
    assert not wrong
