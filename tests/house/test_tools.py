"""The tools that read the whole code: each must have nothing to say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.files import ROOT

BIN = Path(sys.executable).parent
TOOLS = {
    "ruff": ["ruff", "check", "."],
    "ruff format": ["ruff", "format", "--check", "."],
    "mypy": ["mypy"],
    "djlint lint": ["djlint", "--lint", "--quiet", "portal/templates"],
    "djlint format": ["djlint", "--check", "portal/templates"],
    "import contracts": ["lint-imports"],
    "shell": ["/bin/sh", "-n", "run.sh"],
}


@pytest.mark.parametrize("name", TOOLS)
def test_tool_is_content(name: str) -> None:
    program, *arguments = TOOLS[name]
    done = subprocess.run([BIN / program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
