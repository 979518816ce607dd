"""Files and functions stay small enough to be read in one go (house.md section 5)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.house.files import python, read, templates

FILE, TEMPLATE, FUNCTION, VIEW = 400, 150, 30, 15
FACES = ("console", "external", "entry", "api")
Function = ast.FunctionDef | ast.AsyncFunctionDef


def _functions(path: Path) -> Iterator[Function]:
    for node in ast.walk(ast.parse(read(path))):
        if isinstance(node, Function):
            yield node


def _lines(function: Function) -> int:
    """Lines of the body, docstring left out; the signature is as long as its arguments need."""
    body = function.body[1:] if ast.get_docstring(function) and len(function.body) > 1 else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1


def _is_view(function: Function) -> bool:
    calls = [decorator.func for decorator in function.decorator_list if isinstance(decorator, ast.Call)]
    return any(isinstance(call, ast.Attribute) and call.attr in ("route", "get", "post") for call in calls)


def test_no_python_file_is_too_long() -> None:
    long = {str(path): count for path in python() if (count := len(read(path).splitlines())) > FILE}
    assert not long


def test_no_template_is_too_long() -> None:
    long = {str(path): count for path in templates() if (count := len(read(path).splitlines())) > TEMPLATE}
    assert not long


def test_no_function_is_too_long() -> None:
    files = [path for path in python("portal", "bench") if "migrations" not in path.parts]
    long = [f"{path}:{f.lineno} {f.name} {_lines(f)}" for path in files for f in _functions(path) if _lines(f) > FUNCTION]
    assert not long


def test_views_are_thin() -> None:
    files = [path for path in python("portal") if path.parts[1] in FACES]
    fat = [f"{path}:{f.lineno} {f.name} {_lines(f)}" for path in files for f in _functions(path) if _is_view(f) and _lines(f) > VIEW]
    assert not fat


def test_every_module_says_what_it_is_for() -> None:
    silent = [str(path) for path in python() if read(path).strip() and not ast.get_docstring(ast.parse(read(path)))]
    assert not silent
