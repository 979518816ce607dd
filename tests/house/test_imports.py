"""Who may know whom, beyond what import contracts can say: each rule reads the syntax tree, so that no comment can hide a use."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import grimp

from tests.house.files import ROOT, module, python, read

CONTRACTS = {"layers", "wall", "models"}
FACES_AND_WEB = ("portal.web", "portal.console", "portal.external", "portal.entry", "portal.api")
OF_ONE_REQUEST = {"request", "session", "g", "has_request_context", "copy_current_request_context"}
# What the external face may hold: its window, the records it hands out, names of rights, sentences of refusal, HTTP.
OUTSIDE_MAY_IMPORT = re.compile(
    r"portal\.(external|web|sharing\.window|sharing\.records|accounts\.permissions|refusals|words)(\.|$)|(flask|wtforms|markupsafe|typing|collections|dataclasses|__future__)(\.|$)"
)
MAY_COMMIT = {
    "portal.web.face",
    "portal.mail.sender",
    "portal.accounts.throttle",
    "portal.accounts.purge",
    "portal.upgrade",
    "portal.accounts.cli",
    "portal.mail.cli",
    "portal.sample.load",
    "portal.storage.sweep",
    "portal.accounts.reminders",
    "portal.accounts.team_news",
    "portal.sharing.ending",
    "portal.database",  # of nothing, where nothing was written
}
# Small transactions of their own beside the request's: traces that must survive a refusal or a read.
MAY_BEGIN = MAY_COMMIT | {
    "portal.search.index",
}
CLOCKS = {"now", "utcnow", "today", "fromtimestamp", "time", "time_ns"}


def _modules() -> list[Path]:
    return [path for path in python("portal") if "migrations" not in path.parts]


def _imports(path: Path) -> Iterator[tuple[str, str, int]]:
    """Every imported (module, name, line), relative ones made absolute."""
    package = module(path).split(".") if path.name == "__init__.py" else module(path).split(".")[:-1]
    for node in ast.walk(ast.parse(read(path))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "", node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*above, node.module] if node.module else above)
            yield from ((source, alias.name, node.lineno) for alias in node.names)


def _calls(path: Path) -> Iterator[tuple[str, str, int]]:
    """Every call of an attribute: (the thing it is called on, the attribute, line)."""
    for node in ast.walk(ast.parse(read(path))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield ast.unparse(node.func.value), node.func.attr, node.lineno


def _full(source: str, name: str) -> str:
    """The module that `from source import name` reaches."""
    path = ROOT / Path(*source.split("."), name)
    return f"{source}.{name}" if name and (path.with_suffix(".py").exists() or (path / "__init__.py").exists()) else source


def test_the_import_contracts_are_all_there() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    assert {contract["id"] for contract in settings["contracts"]} == CONTRACTS


def test_every_module_has_its_place_in_the_layers() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = next(contract for contract in settings["contracts"] if contract["id"] == "layers")["layers"]
    placed = [name.strip("() ") for layer in layers for name in re.split(r"[:|]", layer)]
    inner = [module(path) for path in _modules() if path.name != "__init__.py"]
    lost = [name for name in inner if not any(name == place or name.startswith(f"{place}.") for place in placed)]
    assert not lost


def test_no_circle_in_the_imports() -> None:
    """A package whose modules take something from its __init__ is a circle too: what they share has a module of its own."""
    graph = grimp.build_graph("portal", exclude_type_checking_imports=True)
    TopologicalSorter({name: graph.find_modules_directly_imported_by(name) for name in graph.modules}).prepare()


def test_the_external_face_imports_only_what_it_may_hold() -> None:
    files = [path for path in _modules() if path.parts[1] == "external"]
    wrong = [
        f"{path}:{line} {_full(source, name)}"
        for path in files
        for source, name, line in _imports(path)
        if not OUTSIDE_MAY_IMPORT.match(_full(source, name))
    ]
    assert not wrong


def test_only_faces_and_web_know_a_request() -> None:
    files = [path for path in _modules() if not module(path).startswith(FACES_AND_WEB)]
    wrong = [
        f"{path}:{line} {name}" for path in files for source, name, line in _imports(path) if source == "flask" and name in OF_ONE_REQUEST
    ]
    wrong += [
        f"{path}:{line} flask as a whole" for path in files for source, name, line in _imports(path) if source == "flask" and not name
    ]
    assert not wrong


def test_only_the_clock_tells_the_time() -> None:
    wrong = [
        f"{path}:{line} {thing}.{name}()"
        for path in _modules()
        if module(path) != "portal.clock"
        for thing, name, line in _calls(path)
        if name in CLOCKS and thing.split(".")[-1] in ("datetime", "date", "time")
    ]
    wrong += [
        f"{path}:{line} from time import {name}"
        for path in _modules()
        for source, name, line in _imports(path)
        if source == "time" and name in CLOCKS
    ]
    assert not wrong


def test_commits_happen_in_few_places() -> None:
    wrong = [
        f"{path}:{line} {thing}.{name}()"
        for path in _modules()
        for thing, name, line in _calls(path)
        if (name == "commit" and module(path) not in MAY_COMMIT) or (name == "begin" and module(path) not in MAY_BEGIN)
    ]
    assert not wrong
