"""The second lock: lays the rules on every ORM SELECT of a request, and refuses an outsider's session anything else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NamedTuple, cast

from sqlalchemy import BindParameter, Select, event
from sqlalchemy.orm import LoaderCriteriaOption, ORMExecuteState
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BooleanClauseList

from ..accounts.viewer import Viewer
from ..database import KEPT
from ..extensions import Base, db
from . import scope

# What SQLAlchemy itself writes literally: count(*) and EXISTS (SELECT * ...).
SQLALCHEMYS_OWN = ("*", "1")


class UnscopedRead(Exception):
    """Somebody tried to read past the rules; the request dies rather than answer."""


Conditions = frozenset[tuple[type[Any], int]]  # the rules' own conditions, known by what they are: (model, id)


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


class _Same:
    """Rules as a key: the very dictionary, which is written once for each viewer and held here, so that nothing else comes by its id."""

    def __init__(self, rules: scope.Rules) -> None:
        self.rules = rules

    def __hash__(self) -> int:
        return id(self.rules)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.rules is other.rules


class Laid(NamedTuple):
    """What the guard keeps of one viewer's rules: the options that lay them on a statement, and the rules' own conditions."""

    criteria: tuple[Rule, ...]
    conditions: Conditions
    held: tuple[_Same, _Same]


def engage(viewer: Viewer) -> None:
    """From here on this session shows only what the viewer may see."""
    laid = _laid(_Same(scope.rules(viewer)), _Same(scope.sayings(viewer)), scope.otherwise(viewer), viewer.external)
    db.session.info.update(viewer=viewer, laid=laid)


def release() -> None:
    """Forget the viewer; the next request lays its own rules."""
    db.session.info.pop("viewer", None)
    db.session.info.pop("laid", None)


@contextmanager
def aside() -> Iterator[None]:
    """For the people administration of an external organisation, which is no case: it reads and writes accounts, links and sessions that
    no rule of the portal opens, and asks in each call whether every id in it is the caller's own organisation's."""
    info = db.session.info
    kept = {name: info.pop(name) for name in ("viewer", "laid") if name in info}
    try:
        yield
    finally:
        info.update(kept)


@lru_cache(maxsize=512)
def _laid(rules: _Same, sayings: _Same, otherwise: Any, external: bool) -> Laid:
    """For an outsider every model there is has a condition; for a colleague those that have a rule."""
    models = [mapper.class_ for mapper in Base.registry.mappers] if external else list(rules.rules)
    pairs = [(model, rules.rules.get(model, otherwise)) for model in models]
    conditions = frozenset((model, id(condition)) for model, condition in (*pairs, *sayings.rules.items()))
    return Laid(tuple(Rule(model, condition, include_aliases=True) for model, condition in pairs), conditions, (rules, sayings))


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
        run.statement = lay(statement, info["laid"].criteria, info["laid"].conditions)
    elif run.is_select:
        laid: Laid = info["laid"]
        few = statement in KEPT
        run.statement = _laid_once(statement, laid.criteria, laid.conditions) if few else statement.options(*laid.criteria)


def _narrowed(statement: Any, rules: tuple[Rule, ...], conditions: Conditions) -> Any:
    ids = frozenset(key for _, key in conditions)
    models = _models_read(statement, ids)
    if models is None or not models <= {cast("Any", rule.entity).class_ for rule in rules}:  # nor a model that came after the rules
        raise UnscopedRead(str(statement))
    # Loader options bring in models the statement does not name: then all rules are laid, else those it needs.
    if getattr(statement, "_with_options", ()):
        return statement.options(*rules)
    return _with(statement, rules, models, conditions, ids)


def _with(statement: Any, rules: tuple[Rule, ...], models: set[type[Any]], conditions: Conditions, ids: frozenset[int]) -> Any:
    """The statement with the rules of these models, those excepted that it says itself."""
    wanted = ((rule, cast("Any", rule.entity).class_) for rule in rules)
    needed = [rule for rule, model in wanted if model in models and not _says(statement, model, conditions, ids)]
    return statement.options(*needed) if needed else statement


def _says(statement: Any, model: type[Any], conditions: Conditions, ids: frozenset[int]) -> bool:
    """Whether scope.visible wrote the model's rule into the statement, so that laying it once more would only be asked twice: the very
    condition is among what WHERE demands of every row, and the model's table is read there alone, under its own name."""
    if not isinstance(statement, Select):
        return False
    own = {key for of, key in conditions if of is model}
    return any(id(demand) in own for demand in _demanded(statement._where_criteria)) and not _reads_within(statement, model, ids)


def _demanded(clauses: Iterable[Any]) -> Iterator[Any]:
    for clause in clauses:
        yield clause
        if isinstance(clause, BooleanClauseList) and clause.operator is operators.and_:
            yield from _demanded(clause.clauses)


# Whatever is read under another name, or by a select within the select.
WITHIN = frozenset({"alias", "compound_select", "cte", "lateral", "select", "subquery", "tablesample", "table_valued_alias", "values"})


def _reads_within(statement: Any, model: type[Any], ids: frozenset[int]) -> bool:
    """Whether the model's table is named anywhere but on the statement's own level; the rules themselves do not count."""
    name = cast("Any", model).__table__.name
    stack = [(child, False) for child in statement.get_children()]
    while stack:
        element, within = stack.pop()
        if id(element) in ids:
            continue
        kind = element.__visit_name__
        within = within or kind in WITHIN
        source = element.table if kind == "column" else element
        while source is not None and getattr(source, "__visit_name__", "") in WITHIN:
            within, source = True, getattr(source, "element", None)
        if within and getattr(source, "name", None) == name:
            return True
        stack.extend((child, within) for child in element.get_children())
    return False


# For statements that are kept: working out which rules they need, and how SQLAlchemy knows them again, costs more than running them.
_narrowed_once = lru_cache(maxsize=1024)(_narrowed)


@lru_cache(maxsize=1024)
def _laid_once(statement: Any, rules: tuple[Rule, ...], conditions: Conditions) -> Any:
    """For colleagues: the rules of what the statement reads, or all where that cannot be told."""
    models = None if getattr(statement, "_with_options", ()) else _models_read(statement, frozenset())
    if models is None:
        return statement.options(*rules)
    return _with(statement, rules, models, conditions, frozenset(key for _, key in conditions))
