"""The second lock: lays the rules on every ORM SELECT of a request, and refuses an outsider's session anything else."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, cast

from sqlalchemy import BindParameter, event
from sqlalchemy.orm import LoaderCriteriaOption, ORMExecuteState
from sqlalchemy.sql import visitors

from ..accounts.viewer import Viewer
from ..database import KEPT
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
        condition = visitors.replacement_traverse(super()._resolve_where_criteria(ext_info), {}, _plain_value)
        return ext_info._adapter.traverse(condition) if ext_info.is_aliased_class else condition


def _plain_value(element: Any, **_: Any) -> Any:
    """A value as it stands in the rule itself. SQLAlchemy marks a copy of each, which is equal to it by its hash but not the same: then
    every execution compares the two, by writing an expression, and that costs more than the query."""
    return element._deannotate() if isinstance(element, BindParameter) and element._annotations else None


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


def _models_read(statement: Any, conditions: frozenset[int]) -> set[type[Any]] | None:
    """The models a statement reads; None for one that reads past them: text() in its several guises, and tables taken from
    the metadata instead of from a model, the rules' own excepted.

    SQLAlchemy marks what comes from a model, and each select must have such a mark for every table it reads: the plain
    tables and columns it derives by itself then carry the same name.
    """
    models: set[type[Any]] = set()
    marked: set[str] = set()
    read: set[str] = set()
    stack = [statement]
    while stack:
        element = stack.pop()
        kind = element.__visit_name__
        if id(element) in conditions:
            continue  # a rule itself, written in by scope.visible
        if _is_text(element):
            return None
        if kind in ("column", "table", "alias"):
            source = element.table if kind == "column" else element
            name = str(getattr(source, "name", ""))
            entity = element._annotations.get("parententity")
            if entity is not None:
                marked.add(name)
                models.add(entity.mapper.class_)
            elif name and not name.startswith(scope.RULE):
                read.add(name)
        elif kind == "select" and element is not statement:
            inner = _models_read(element, conditions)
            if inner is None:
                return None
            models |= inner
        else:
            stack.extend(element.get_children())
    return models if read <= marked else None


def _is_text(element: Any) -> bool:
    """SQL that somebody wrote by hand: text(), literal columns, prefixes, hints."""
    kind = element.__visit_name__
    if kind == "column":
        return element.is_literal and str(element) not in SQLALCHEMYS_OWN
    if kind == "select":
        return bool(element._prefixes or element._suffixes or element._hints or element._statement_hints)
    return kind in ("textclause", "textual_select", "text_as_from")


@event.listens_for(db.session, "before_flush")
def keep_from_writing(session: Any, _context: Any, _instances: Any) -> None:
    """Who looks through somebody's eyes writes nothing, whatever a view may try."""
    viewer: Viewer | None = session.info.get("viewer")
    if viewer is not None and viewer.viewed_by_id is not None:
        raise UnscopedRead("a look may not write")


@event.listens_for(db.session, "do_orm_execute")
def keep_in_scope(run: ORMExecuteState) -> None:
    """Add the viewer's conditions to the statement, or refuse it."""
    viewer: Viewer | None = run.session.info.get("viewer")
    if viewer is None:
        return
    info, statement = run.session.info, run.statement
    if viewer.external:
        if not (run.is_select and run.is_orm_statement):
            raise UnscopedRead(str(statement))
        lay = _narrowed_once if statement in KEPT else _narrowed
        run.statement = lay(statement, info["criteria"], info["conditions"])
    elif run.is_select:
        run.statement = _laid_once(statement, info["criteria"]) if statement in KEPT else statement.options(*info["criteria"])


def _narrowed(statement: Any, rules: tuple[Rule, ...], conditions: frozenset[int]) -> Any:
    models = _models_read(statement, conditions)
    if models is None:
        raise UnscopedRead(str(statement))
    # Loader options bring in models the statement does not name: then all rules are laid, else those it needs.
    if getattr(statement, "_with_options", ()):
        return statement.options(*rules)
    return statement.options(*(rule for rule in rules if cast("Any", rule.entity).class_ in models))


# For statements that are kept: working out which rules they need, and how SQLAlchemy knows them again, costs more than running them.
_narrowed_once = lru_cache(maxsize=1024)(_narrowed)


@lru_cache(maxsize=1024)
def _laid_once(statement: Any, rules: tuple[Rule, ...]) -> Any:
    """For colleagues: the rules of what the statement reads, or all where that cannot be told."""
    models = None if getattr(statement, "_with_options", ()) else _models_read(statement, frozenset())
    return statement.options(*(rule for rule in rules if models is None or cast("Any", rule.entity).class_ in models))
