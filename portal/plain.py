"""What was written, as plain text: from the HTML that readers may see, for its source may hold more than that."""

from __future__ import annotations

import re
from html.parser import HTMLParser

SPACE = re.compile(r"\s+")
BULLET = re.compile(r"(-|\d+\.) ")
BLOCKS = frozenset({"p", "li", "tr", "pre", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "ul", "ol", "table"})


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._links: list[str] = []
        self._lists: list[int | None] = []  # the last number of each list this is in; None where it has no numbers
        self._kept = 0  # how deep in text whose lines are kept

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        last = self._parts[-1] if self._parts else "\n"
        if (tag in BLOCKS and not BULLET.fullmatch(last)) or tag == "br":
            self._parts.append("\n")
        self._kept += tag == "pre"
        if tag in ("ul", "ol"):
            self._lists.append(_number(attrs, "start", 1) - 1 if tag == "ol" else None)
        if tag == "li":
            self._parts.append(self._bullet(attrs))
        elif tag in ("td", "th"):
            self._parts.append("" if last.endswith("\n") else "| " if last.endswith(" ") else " | ")
        elif tag == "a":
            self._links.append(dict(attrs).get("href") or "")

    def _bullet(self, attrs: list[tuple[str, str | None]]) -> str:
        if not self._lists or self._lists[-1] is None:
            return "- "
        self._lists[-1] = _number(attrs, "value", self._lists[-1] + 1)
        return f"{self._lists[-1]}. "

    def handle_endtag(self, tag: str) -> None:
        self._kept -= tag == "pre"
        if tag in ("ul", "ol") and self._lists:
            self._lists.pop()
        if tag == "a" and self._links:
            target = self._links.pop()
            if target and not self._said(target.removeprefix("mailto:")):
                self._parts.append(f" ({target})")
        elif tag in BLOCKS:
            self._parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._kept:
            data = SPACE.sub(" ", data)
            if not data.strip() and (not self._parts or self._parts[-1][-1:] in "\n "):
                return  # between two blocks
        self._parts.append(data)

    def _said(self, target: str) -> bool:
        return bool(self._parts) and self._parts[-1].strip() == target

    @property
    def text(self) -> str:
        lines: list[str] = []
        for line in "".join(self._parts).splitlines():
            if line.strip() or (lines and lines[-1]):
                lines.append(line.rstrip())
        return "\n".join(lines).strip()


def _number(attrs: list[tuple[str, str | None]], name: str, otherwise: int) -> int:
    said = dict(attrs).get(name) or ""
    return int(said) if said.isdecimal() else otherwise


def plain_text(html: str) -> str:
    """The words of sanitised HTML, with line breaks where blocks are and addresses behind the words that link to them."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.text
