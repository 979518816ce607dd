"""Markdown from people to safe HTML: rendered once when written, cleaned by an allow-list, never trusted."""

from __future__ import annotations

import re
from collections.abc import Mapping

import nh3
from markdown_it import MarkdownIt
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

# Reference links are off: each use repeats the whole address, and 26 kB of text became 40 MB of page.
_markdown = (
    MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": 20}).enable(["table", "strikethrough"]).disable("reference")
)


def render(source: str) -> str:
    """The safe HTML of a Markdown text. Headings start at level three: a text never outranks the page it stands on.

    What would take too long, such as a pasted log or a huge table, stays as it was typed.
    """
    if _work(source) > MOST_WORK:
        return f"<pre>{escape(source)}</pre>\n"
    tokens = _markdown.parse(source)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + 2)}"
    return nh3.clean(
        _markdown.renderer.render(tokens, _markdown.options, {}),
        tags=TAGS | TABLE,
        attributes={"*": set(), "a": {"href"}},  # without the star, title and lang stay
        url_schemes={"http", "https", "mailto"},
        url_relative="deny",
        link_rel="noopener noreferrer nofollow",
    )


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


def with_headings(html: Markup, said: Mapping[str, object]) -> Markup:
    """The same text with the known headings `said` in other words: the first of each that comes after the one before, in their order.
    What stands there once more is somebody's own heading and stays."""
    done, rest = "", str(html)
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
