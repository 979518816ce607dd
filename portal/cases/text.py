"""Markdown from people to safe HTML: rendered once when written, cleaned by an allow-list, never trusted."""

from __future__ import annotations

import nh3
from markdown_it import MarkdownIt

# Nothing here can load, run or style: no images, no classes, no ids (security.md 3.9).
TAGS = {"p", "br", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "h3", "h4", "h5", "h6", "hr", "a"}
TABLE = {"table", "thead", "tbody", "tr", "th", "td"}
LONGEST = 65_536

# Reference links are off: each use repeats the whole address, and 26 kB of text became 40 MB of page.
_markdown = (
    MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": 20}).enable(["table", "strikethrough"]).disable("reference")
)


def render(source: str) -> str:
    """The safe HTML of a Markdown text. Headings start at level three: a text never outranks the page it stands on."""
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


def tidy(text: str) -> str:
    """What the person typed, without the control characters nobody can see, with plain line ends and no blank edges."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in lines if c in "\n\t" or (ord(c) >= 32 and ord(c) != 127)).strip()


def snippet(text: str, length: int = 90) -> str:
    """The beginning of a text on one line."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"
