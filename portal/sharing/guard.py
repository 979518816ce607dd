"""The second lock: lays the rules on every ORM SELECT of a request, and refuses an outsider's session anything else."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import LoaderCriteriaOption, ORMExecuteState

from ..accounts.viewer import Viewer
from ..extensions import Base, db
from . import scope

# What SQLAlchemy itself writes literally: count(*) and EXISTS (SELECT * ...).
SQLALCHEMYS_OWN = ("*", "1")


class UnscopedRead(Exception):
    """Somebody tried to read past the rules; the request dies rather than answer."""


class Rule(LoaderCriteriaOption):
    """A condition that follows its model into aliases.

    SQLAlchemy adapts conditions to an alias in FROM, but not to one that is joined: `join(other, ...)` beside the model
    itself would have been filtered by the model's columns, and read in full.
    """

    _traverse_internals = LoaderCriteriaOption._traverse_internals  # what tells one viewer's compiled statement from another's

    def _resolve_where_criteria(self, ext_info: Any) -> Any:
        condition = super()._resolve_where_criteria(ext_info)
        return ext_info._adapter.traverse(condition) if ext_info.is_aliased_class else condition


def engage(viewer: Viewer) -> None:
    """From here on this session shows only what the viewer may see."""
    pairs = _pairs(viewer)
    db.session.info["viewer"] = viewer
    db.session.info["criteria"] = _laid(pairs)
    db.session.info["conditions"] = frozenset(id(condition) for _, condition in pairs)


def release() -> None:
    """Forget the viewer; the next request lays its own rules."""
    db.session.info.pop("viewer", None)
    db.session.info.pop("criteria", None)
    db.session.info.pop("conditions", None)


def _pairs(viewer: Viewer) -> tuple[tuple[type[Any], Any], ...]:
    """Each model with its condition; for an outsider that is every model there is."""
    rules, otherwise = scope.rules(viewer), scope.otherwise(viewer)
    if not viewer.external:
        return tuple(rules.items())
    return tuple((mapper.class_, rules.get(mapper.class_, otherwise)) for mapper in Base.registry.mappers)


@lru_cache(maxsize=512)
def _laid(pairs: tuple[tuple[type[Any], Any], ...]) -> tuple[Rule, ...]:
    return tuple(Rule(model, condition, include_aliases=True) for model, condition in pairs)


def _past_models(statement: Any, conditions: frozenset[int]) -> bool:
    """True for text() in its several guises and for tables taken from the metadata instead of from a model, the rules' own excepted.

    SQLAlchemy marks what comes from a model, and each select must have such a mark for every table it reads: the plain
    tables and columns it derives by itself then carry the same name.
    """
    marked: set[str] = set()
    read: set[str] = set()
    stack, nested = [statement], []
    if any(getattr(statement, name, None) for name in ("_prefixes", "_suffixes", "_hints", "_statement_hints")):
        return True
    while stack:
        element = stack.pop()
        if id(element) in conditions:
            continue  # a rule itself, written in by scope.visible
        kind = element.__visit_name__
        if kind in ("textclause", "textual_select", "text_as_from"):
            return True
        if getattr(element, "is_literal", False) and str(element) not in SQLALCHEMYS_OWN:
            return True
        if kind in ("column", "table", "alias"):
            source = element.table if kind == "column" else element
            name = str(getattr(source, "name", ""))
            if name and not name.startswith(scope.RULE):
                (marked if "parententity" in element._annotations else read).add(name)
        elif kind == "select" and element is not statement:
            nested.append(element)
        else:
            stack.extend(element.get_children())
    return not read <= marked or any(_past_models(inner, conditions) for inner in nested)


@event.listens_for(db.session, "do_orm_execute")
def keep_in_scope(run: ORMExecuteState) -> None:
    """Add the viewer's conditions to the statement, or refuse it."""
    viewer: Viewer | None = run.session.info.get("viewer")
    if viewer is None:
        return
    if viewer.external and (not run.is_select or not run.is_orm_statement or _past_models(run.statement, run.session.info["conditions"])):
        raise UnscopedRead(str(run.statement))
    if run.is_select:
        run.statement = run.statement.options(*run.session.info["criteria"])
