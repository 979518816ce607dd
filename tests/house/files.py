"""The files a rule is about: what git tracks or would track, so that nobody's leftovers count."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = {".png", ".woff2", ".ico", ".mo"}


@cache
def tracked() -> list[Path]:
    """Every file of the repository that exists, relative to its root."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    return sorted(Path(name) for name in names if name and (ROOT / name).is_file())


def texts() -> list[Path]:
    """All of them that people wrote and can read."""
    return [path for path in tracked() if path.suffix not in BINARY and "vendor" not in path.parts]


def python(*folders: str) -> list[Path]:
    """Python files, of these folders or of all."""
    return [path for path in tracked() if path.suffix == ".py" and (not folders or path.parts[0] in folders)]


def templates() -> list[Path]:
    """Everything Jinja renders."""
    return [path for path in tracked() if path.parts[:2] == ("portal", "templates")]


def read(path: Path) -> str:
    """The text of a tracked file."""
    return (ROOT / path).read_text(encoding="utf-8")


def module(path: Path) -> str:
    """portal/cases/comments.py -> portal.cases.comments"""
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")
