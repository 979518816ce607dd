"""Markdown from people to safe HTML: rendered once when written, cleaned by an allow-list, never trusted. No word of it gets lost."""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import punctuation
from types import SimpleNamespace
from typing import Any, cast

import nh3
from markdown_it import MarkdownIt
from markdown_it.helpers import parseLinkDestination, parseLinkLabel, parseLinkTitle
from markdown_it.rules_block import StateBlock, table
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markupsafe import Markup, escape

# Nothing here can load, run or style: no images, no classes, no ids (security.md 3.9).
TAGS = {"p", "br", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "h3", "h4", "h5", "h6", "hr", "a"}
TABLE = {"table", "thead", "tbody", "tr", "th", "td"}
LONGEST = 65_536
# Each unit of work takes up to 20 microseconds; texts are rendered while nobody else can write (SQLite), so this is what one may take.
MOST_WORK = 5_000
_COSTLY = "[!*_~`|>"
_TURNS = "\n$%&*+-:<=>@[\\]^_`{}~!#;"  # where the parser stops to look
_ITEM = re.compile(r"(?:[-+*]|\d[.)])(?=\s)")
_DELIMITERS = re.compile(r"[ \t>*+\d.)|:-]+")  # the second line of a table, also one in a list or quote

_ADDRESS = re.compile(r"(?:https?|mailto):", re.IGNORECASE)
_CELL = re.compile(r"(?<!\\)\|")
_BAR = "\\|"  # within a cell
MOST_NESTED = 20

_clean = nh3.Cleaner(
    tags=TAGS | TABLE,
    attributes={"*": set(), "a": {"href"}, "ol": {"start"}, "li": {"value"}},  # without the star, title and lang stay
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel="noopener noreferrer nofollow",
).clean


class _Markdown(MarkdownIt):
    """A link that would lose its address when it is cleaned is none: it stays as it was typed."""

    def validateLink(self, url: str) -> bool:  # noqa: N802 (the name markdown-it calls it by)
        return bool(_ADDRESS.match(url)) and " href=" in _clean(f'<a href="{escape(url)}">')


# Images are off: an image becomes a link to it. Entities are off: what was typed is shown, also where it would look like nothing.
# Reference links are off: each use repeats the whole address, and 26 kB of text became 40 MB of page.
_markdown = (
    _Markdown("commonmark", {"html": False, "breaks": True, "maxNesting": MOST_NESTED})
    .enable(["table", "strikethrough"])
    .disable(["reference", "image", "entity"])
)


def _table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A table whose rows keep what they have more than its head, in their last cell."""
    before = len(state.tokens)
    found = bool(table(state, start, end, silent))
    if silent or not found:
        return found
    columns = sum(token.type == "th_open" for token in state.tokens[before:])
    cells = [token for token in state.tokens[before:] if token.type == "inline"]
    for last in cells[2 * columns - 1 :: columns]:
        line = last.map[0] if last.map else start
        row = state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]].strip().removeprefix("|")
        more = _CELL.split(row, maxsplit=columns)[columns:]
        if more and more[0]:
            last.content = f"{last.content} | {more[0].removesuffix('|').strip().replace(_BAR, '|')}"
    return True


def _escape(state: StateInline, silent: bool) -> bool:
    """A sign behind a backslash does nothing, and both are shown: people paste paths, accounts and patterns."""
    found = state.src[state.pos : min(state.pos + 2, state.posMax)]
    if len(found) < 2 or found[0] != "\\" or found[1] not in punctuation:
        return False
    if not silent:
        state.pending += found
    state.pos += 2
    return True


def _title(source: str, start: int, maximum: int) -> Any:
    """The title of a link as it was typed."""
    found = parseLinkTitle(source, start, maximum)
    if found.ok:
        found.str = source[start + 1 : found.pos - 1]
    return found


_helpers = {"parseLinkDestination": parseLinkDestination, "parseLinkLabel": parseLinkLabel, "parseLinkTitle": _title}
_markdown.helpers = cast("Any", SimpleNamespace(**_helpers))  # markdown-it has a module there
_markdown.inline.ruler.at("escape", _escape)
_markdown.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})


def render(source: str) -> str:
    """The safe HTML of a Markdown text. Headings start at level three: a text never outranks the page it stands on.

    What would take too long or is nested too deep, such as a pasted log or a huge table, stays as it was typed.
    """
    tokens = _markdown.parse(source) if _work(source) <= MOST_WORK else None
    if tokens is None or any(token.level >= MOST_NESTED - 1 and token.type in _CONTAINERS for token in tokens):
        return f"<pre>{escape(source)}</pre>\n"
    told: list[Token] = []
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + 2)}"
        elif token.type == "inline":
            token.children = _with_addresses(token.children or [])
        elif token.type == "fence" and token.info.strip():
            told += _paragraph(token.info.strip())
        told.append(token)
    _number(told)
    return _clean(_markdown.renderer.render(told, _markdown.options, {}))


_CONTAINERS = ("blockquote_open", "list_item_open")  # the parser leaves out what is in them when they are too deep


def _text(words: str) -> Token:
    return Token("text", "", 0, content=words)


def _paragraph(words: str) -> list[Token]:
    return [Token("paragraph_open", "p", 1, block=True), Token("inline", "", 0, children=[_text(words)]), Token("paragraph_close", "p", -1)]


def _with_addresses(children: list[Token]) -> list[Token]:
    """The same, with the titles of links behind them, and the addresses of those that have no words to be seen by."""
    told: list[Token] = []
    titles: list[str] = []
    bare = ""
    for token in children:
        if bare and token.type in ("link_open", "link_close"):  # a browser ends a link where another one begins in it
            told.append(_text(bare))
            bare = ""
        elif any(sign.isprintable() and not sign.isspace() for sign in token.content):
            bare = ""
        told.append(token)
        if token.type == "link_open":
            bare = str(token.attrGet("href") or "")
            titles.append(str(token.attrs.pop("title", "")))
        elif token.type == "link_close" and (title := titles.pop()):
            told.append(_text(f" ({title})"))
    return told


def _number(tokens: list[Token]) -> None:
    """Each point of a list with the number it was given: "3." before "7." is not 3 and 4."""
    counts: list[int] = []
    for token in tokens:
        if token.type == "ordered_list_open":
            counts.append(int(token.attrs.get("start", 1)))
        elif token.type == "ordered_list_close":
            counts.pop()
        elif token.type == "list_item_open" and token.info:
            if int(token.info) != counts[-1]:
                token.attrSet("value", token.info)
            counts[-1] = int(token.info) + 1


def _work(source: str) -> int:
    """About how long rendering takes, judged by the signs that make it long."""
    signs = sum(source.count(sign) for sign in _COSTLY) + 2 * source.count("\n") + 3 * source.count("<")
    turns = sum(source.count(sign) for sign in _TURNS)
    again = min(source.count("["), 20) * turns // 50  # from each bracket on, as deep as they nest, all is read again
    return signs + turns // 10 + again + 2 * len(_ITEM.findall(source)) + _missing_cells(source)


def _missing_cells(source: str) -> int:
    """How many cells are added to the rows of tables that are shorter than their head."""
    columns = cells = 0
    for line in source.split("\n"):
        if "|" in line and _DELIMITERS.fullmatch(line):
            columns = max(columns, line.strip(" \t>").strip("|").count("|") + 1)
        elif not line.strip(" \t>"):
            columns = 0
        else:
            cells += max(0, columns - line.count("|"))
    return cells


def shown(source: str) -> Markup:
    """A text as it would look, for a page; cleaned by the allow-list like everything people write."""
    return Markup(render(source))


def with_headings(html: str, said: Mapping[str, object]) -> Markup:
    """The same text, which is clean, with the known headings `said` in other words: the first of each that comes after the one before, in
    their order."""
    done, rest = "", html
    for heading, words in said.items():
        before, found, after = rest.partition(f"<h3>{escape(heading)}</h3>")
        if found:
            done, rest = f"{done}{before}<h3>{escape(str(words))}</h3>", after
    return Markup(done + rest)


def tidy(text: str) -> str:
    """What the person typed, without the control characters nobody can see, with plain line ends and no blank edges."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in lines if c in "\n\t" or (ord(c) >= 32 and ord(c) != 127)).strip()


def snippet(text: str, length: int = 90) -> str:
    """The beginning of a text on one line."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"
