"""Names and words that must not appear: vague modules, ways round escaping, what belongs to one machine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.house.files import python, read, templates, texts

VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers", "service", "services"}
# Where text is declared safe: what the sanitiser made when it was stored, and the markup that filters build themselves.
MAY_MARK_UP = {
    Path("portal/cases/comments.py"),
    Path("portal/cases/finds.py"),
    Path("portal/cases/queries.py"),
    Path("portal/cases/task_queries.py"),
    Path("portal/cases/text.py"),
    Path("portal/sharing/window.py"),
    Path("portal/web/filters.py"),
    Path("portal/web/headers.py"),
    Path("portal/web/scripts.py"),
    Path("portal/web/times.py"),
    Path("portal/words.py"),
}
THIS_FILE = Path("tests/house/test_words.py")


def _found(pattern: str, files: list[Path]) -> list[str]:
    wanted = re.compile(pattern)
    return [
        f"{path}:{number}: {line.strip()[:100]}"
        for path in files
        if path != THIS_FILE
        for number, line in enumerate(read(path).splitlines(), 1)
        if wanted.search(line)
    ]


def test_modules_are_named_after_nouns() -> None:
    vague = [str(path) for path in python() if VAGUE & {part.removesuffix(".py") for part in path.parts}]
    assert not vague


def test_included_templates_start_with_an_underscore() -> None:
    reference = re.compile(r"""{%-?\s*(?:include|import|from)\s+["']([^"']+)["']""")
    whole = [f"{path}: {name}" for path in templates() for name in reference.findall(read(path)) if not name.split("/")[-1].startswith("_")]
    assert not whole


def test_partials_extend_nothing() -> None:
    wrong = [str(path) for path in templates() if path.name.startswith("_") and re.search(r"{%-?\s*extends", read(path))]
    assert not wrong


def test_templates_switch_no_escaping_off() -> None:
    assert not _found(r"\|\s*safe\b|{%-?\s*autoescape|\|\s*forceescape", templates())


def test_markup_is_made_in_few_places() -> None:
    files = [path for path in python("portal") if path not in MAY_MARK_UP]
    assert not _found(r"\bMarkup\(|__html__", files)


def test_templates_are_files() -> None:
    assert not _found(r"render_template_string|(?<!puremagic\.)from_string\(", python("portal"))


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?<![\w.])/(?:work|root|home/[a-z])(?:/|\b)",
        r"(?<![\w.])/tmp/[A-Za-z]",
        r"pypi\.org|pythonhosted|registry\.npmjs|deb\.debian\.org|index-url",
        r"\b(?:TODO|FIXME|XXX|HACK)\b",
        r"-----BEGIN [A-Z ]*PRIVATE KEY",
    ],
    ids=["machine-path", "temporary-path", "registry-host", "left-for-later", "private-key"],
)
def test_files_carry_nothing_of_one_machine(pattern: str) -> None:
    assert not _found(pattern, texts())
