"""Finding: the conditions that pick the cases a search hits, and where in a case the words were found."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Select, Table, bindparam, column, literal_column, select, table
from sqlalchemy import cast as cast_to
from sqlalchemy.dialects.postgresql import TSQUERY

from ..cases.models import Case
from ..extensions import db
from . import terms
from .index import SIGNS, SOURCES
from .models import PARTS, SearchText
from .words import WORD, fold

WRITTEN = ("description", "summary", "comment", "task")  # in Markdown
CASE_PLACE = "place_case"  # the bound value that says after which case hits go on
BEFORE, AFTER = 50, 90  # characters of a snippet on each side
_stored = cast("Table", SearchText.__table__)
# SQLite's index: its rows have the keys of the parts, so that walking it backwards meets the newest cases first.
_index = table("search_index", column("rowid"))
_key = _index.c.rowid.op("/", return_type=SearchText.id.type)(literal_column(str(PARTS)))
_matches = literal_column("search_index").op("MATCH", is_comparison=True)(bindparam("words"))
_said = _stored.c.words.op("@@", is_comparison=True)(cast_to(bindparam("words"), TSQUERY))


def search_words(wanted: tuple[terms.Term, ...]) -> str:
    """The bound value `words` of the conditions here."""
    return terms.for_postgres(wanted) if db.engine.dialect.name == "postgresql" else terms.for_sqlite(wanted)


def hits(kind: str) -> Any:
    """That a case is among the hits."""
    if kind == "postgresql":
        return Case.id.in_(select(_stored.c.case_id).where(_said))
    return Case.id.in_(select(_key).select_from(_index).where(_matches))


def hits_here(kind: str) -> Any:
    """The same, asked of one case after the other: for when few cases are left to ask."""
    if kind == "postgresql":
        return select(_stored.c.id).where(_stored.c.case_id == Case.id, _said).correlate(Case).limit(1).scalar_subquery().is_not(None)
    parts = _index.c.rowid.between(
        Case.id * literal_column(str(PARTS)), Case.id * literal_column(str(PARTS)) + literal_column(str(PARTS - 1))
    )
    return select(_index.c.rowid).where(_matches, parts).correlate(Case).limit(1).scalar_subquery().is_not(None)


def order_of_hits(wanted: Select[Any], kind: str, *, further: bool) -> Select[Any]:
    """The hits alone, newest case first; `further`: behind the case CASE_PLACE names."""
    if kind == "postgresql":
        wanted = wanted.where(hits(kind)).order_by(Case.id.desc())
        return wanted.where(Case.id < bindparam(CASE_PLACE)) if further else wanted
    wanted = wanted.join(_index, Case.id == _key).where(_matches).order_by(_index.c.rowid.desc()).distinct()
    return wanted.where(_index.c.rowid < bindparam(CASE_PLACE) * PARTS) if further else wanted


@dataclass(frozen=True)
class Snippet:
    """A place where a word was found: what kind of text it is in, and the words around it."""

    source: str
    before: str
    hit: str
    after: str


def snippets(case_ids: list[int], wanted: tuple[terms.Term, ...]) -> dict[int, Snippet]:
    """For cases the viewer may see: where the search was found, if not in what the list shows anyway. One query."""
    if not case_ids or not wanted:
        return {}
    bodies: dict[int, list[str]] = defaultdict(list)
    parts = (
        select(_stored.c.case_id, _stored.c.body).where(_stored.c.case_id.in_(bindparam("cases", expanding=True))).order_by(_stored.c.id)
    )
    for case_id, body in db.session.connection().execute(parts, {"cases": case_ids}):
        bodies[case_id].append(body)
    found = {case_id: _first(texts, wanted) for case_id, texts in bodies.items()}
    return {case_id: snippet for case_id, snippet in found.items() if snippet}


def _first(bodies: Iterable[str], wanted: tuple[terms.Term, ...]) -> Snippet | None:
    for body in bodies:
        folded = fold(body)
        hidden = _after_head(body)
        for term in wanted:
            if place := _place(folded, term, hidden):
                return _cut(body, *place)
    return None


def _after_head(body: str) -> int:
    """Where the first text begins that is neither title nor tag; the list shows those."""
    return next((at for at, letter in enumerate(body) if SOURCES.get(letter, "title") not in ("title", "tag")), len(body))


def _place(folded: str, term: terms.Term, start: int) -> tuple[int, int] | None:
    """Where the term stands in the text from `start` on."""
    at = folded.find(term.words[0], start)
    while at >= 0:
        end = _end(folded, term, at)
        if end and (at == 0 or not folded[at - 1].isalnum()):
            return at, end
        at = folded.find(term.words[0], at + 1)
    return None


def _end(folded: str, term: terms.Term, at: int) -> int:
    """Where the term ends that may begin at `at`; 0 when it is not there."""
    last = len(term.words) - 1
    for number, wanted in enumerate(term.words):
        found = WORD.search(folded, at)
        if found is None or not (found[0] == wanted or (number == last and term.open and found[0].startswith(wanted))):
            return 0
        at = found.end()
    return at


def _cut(body: str, start: int, end: int) -> Snippet:
    sign = max(body.rfind(letter, 0, start) for letter in SOURCES)
    following = min((at for letter in SOURCES if (at := body.find(letter, end)) >= 0), default=len(body))
    first = max(sign + 1, start - BEFORE)
    last = min(following, end + AFTER)
    if first > sign + 1:
        first = body.find(" ", first, start) + 1 or first
    if last < following:
        last = body.rfind(" ", end, last) if body.rfind(" ", end, last) > end else last
    source = SOURCES[body[sign]]
    before, hit, after = body[first:start], body[start:end], body[end:last]
    if source in WRITTEN:
        before, hit, after = _unmarked(before, hit, after)
    return Snippet(source, ("…" if first > sign + 1 else "") + before, hit, after + ("…" if last < following else ""))


def _unmarked(before: str, hit: str, after: str) -> tuple[str, str, str]:
    """The words as they read when the Markdown is drawn; of a link those shown, unless what was found stands behind them."""
    text = f"{before}{_FROM}{hit}{_TO}{after}"  # no stored text has these signs
    text = _LINK.sub(lambda link: f"{link[1]} ({link[2]})" if _FROM in link[2] or _TO in link[2] else link[1], _BLOCK.sub("", text))
    for mark in _MARKS:
        text = mark.sub(r"\2", text)
    before, _, rest = text.partition(_FROM)
    hit, _, after = rest.partition(_TO)
    return before, hit, after


_FROM, _TO = SIGNS["title"], SIGNS["tag"]
# Headings, quotes, points of lists and the second line of a table; of numbered points the number stays.
_BLOCK = re.compile(r"^[ \t]*(?:#{1,6}[ \t]+|>[ \t]?|[-*+][ \t]+|[|:-][ \t|:-]*--[ \t|:-]*$|`{3,}|~{3,})", re.MULTILINE)
_LINK = re.compile(r"!?\[([^]\n]+)\]\(([^)\n]*)\)")
# Two stars or waves are a mark wherever they stand, for a snippet may begin between them; one star and a line only around words.
_MARKS = (
    re.compile(r"(\*\*|~~|`+)()"),
    re.compile(r"(?<![\w\\*])(\*)(?=[^\s*])([^*\n]*[^\s*])\1(?![\w*])"),
    re.compile(r"(?<![\w\\])(__?)(?=[^\s_])([^_\n]*[^\s_])\1(?!\w)"),
)
