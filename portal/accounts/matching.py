"""Finding people by parts of their name or address, without regard to capitals and accents."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from .models import User, folded


def words_of(text: str) -> list[str]:
    """The words of a search, all of which must occur, without regard to capitals and accents."""
    return folded(text.replace("\0", "")).split()[:8]


class _Position(FunctionElement[int]):
    """Where a text occurs in another, from 1; 0 where it does not. Half the work of LIKE, and no character means anything else."""

    inherit_cache = True


@compiles(_Position)
def _in_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"instr({compiler.process(element.clauses, **options)})"


@compiles(_Position, "postgresql")
def _in_postgres(element: Any, compiler: Any, **options: Any) -> str:
    return f"strpos({compiler.process(element.clauses, **options)})"


def found(word: str | ColumnElement[str]) -> ColumnElement[bool]:
    """The condition that the word occurs in somebody's name or address."""
    return _Position(User.search_text, literal(word) if isinstance(word, str) else word) > 0
