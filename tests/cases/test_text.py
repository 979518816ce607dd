"""Markdown from people: nothing in it runs, loads or misleads, and no text takes long."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser
from string import punctuation

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markupsafe import escape

from portal.cases.text import LONGEST, TABLE, TAGS, render, snippet, tidy
from portal.plain import plain_text

SECONDS = 3  # a tenth without coverage; its tracing makes these five times slower, a busy machine twice again; a bomb would take minutes
HARMLESS = re.compile(r"(?:https?|mailto):", re.IGNORECASE)


class Reader(HTMLParser):
    """Tags and attributes as a browser would find them."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.links: list[list[str]] = []  # address and words of each
        self._open: list[int] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag == "a":
            self._open.append(len(self.links))
            self.links.append([dict(attrs).get("href") or "", ""])

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._open.pop()

    def handle_data(self, data: str) -> None:
        self.text += data
        for place in self._open:
            self.links[place][1] += data

    @property
    def visible(self) -> str:
        """All that can be read: the words, and where the links with words lead."""
        return " ".join([self.text, *(address for address, words in self.links if words.strip())])


def read(source: str) -> Reader:
    reader = Reader()
    reader.feed(render(source))
    reader.close()
    return reader


CORPUS = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example></sCrIpT>",
    "<img src=x onerror=alert(1)>",
    "![x](http://evil.example/beacon.png)",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "![x][y]\n\n[y]: http://evil.example/b.png",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](<java\nscript:alert(1)>)",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](vbscript:msgbox)",
    "[x](file:///etc/passwd)",
    "[x](//evil.example)",
    "[x](/console/cases)",
    "[x](../people)",
    "[x](#comment-1)",
    "<javascript:alert(1)>",
    "[x]\n\n[x]: javascript:alert(1)",
    '[x](http://a.example "onmouseover=alert(1)")',
    '[x](http://a.example/"onclick="alert(1))',
    '<a href="javascript:alert(1)">x</a>',
    "<svg/onload=alert(1)>",
    "<iframe src=http://evil.example></iframe>",
    "<form action=http://evil.example><button>x</button></form>",
    '<div hx-get="/console/people" hx-trigger="load">x</div>',
    "<style>*{display:none}</style>",
    "<link rel=stylesheet href=//evil.example>",
    '<base href="http://evil.example">',
    '<meta http-equiv=refresh content="0;url=http://evil.example">',
    "<!-- --><b onclick=alert(1)>x</b>",
    "<math><mi//xlink:href=javascript:alert(1)>",
    "<p id=main class=toast style=position:fixed>x</p>",
    "```<script>alert(1)</script>```",
    "```html onload=alert(1)\n<script>alert(1)</script>\n```",
    "| a | b |\n|:--|--:|\n| <script> | [x](javascript:1) |",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "{{ 7*7 }} {% include 'x' %} {0.__class__}",
    "</div></main><script>alert(1)</script>",
    "<plaintext>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?php echo 1 ?>",
    "[x](http://a.example) <http://b.example> <mailto:c@d.example> c@d.example",
]


@pytest.mark.parametrize("source", CORPUS)
def test_nothing_runs_loads_or_styles(source: str) -> None:
    found = read(source)
    assert set(found.tags) <= TAGS | TABLE
    assert {name for name, _ in found.attributes} <= {"href", "rel", "start", "value"}
    assert all((value or "").isdecimal() for name, value in found.attributes if name in ("start", "value"))
    assert [value for name, value in found.attributes if name == "href" and not HARMLESS.match(value or "")] == []


def test_links_to_other_places_tell_them_nothing(request: pytest.FixtureRequest) -> None:
    found = read("[x](https://a.example/?q=1&r=2)")
    assert dict(found.attributes) == {"href": "https://a.example/?q=1&r=2", "rel": "noopener noreferrer nofollow"}


def test_what_looks_like_markup_is_shown_as_typed() -> None:
    assert render("<b>5 < 6 & 7</b>") == "<p>&lt;b&gt;5 &lt; 6 &amp; 7&lt;/b&gt;</p>\n"
    assert render("{{ 7*7 }}") == "<p>{{ 7*7 }}</p>\n"


def test_what_is_meant_is_rendered() -> None:
    html = render("# T\n\n**b** *e* ~~s~~ `c`\nline\n\n- one\n\n1. two\n\n> q\n\n| a |\n|---|\n| b |\n\n---\n\n###### deep")
    for part in (
        "<h3>T</h3>",
        "<strong>b</strong>",
        "<em>e</em>",
        "<s>s</s>",
        "<code>c</code>",
        "<br>",
        "<ul>",
        "<ol>",
        "<blockquote>",
        "<td>b</td>",
        "<hr>",
        "<h6>deep</h6>",
    ):
        assert part in html
    assert "<h1" not in html
    assert "<h2" not in html


BOMBS = {
    "quotes": ">" * LONGEST,
    "spaced quotes": "> " * (LONGEST // 2),
    "lists": "- " * (LONGEST // 2),
    "indented lists": "\n".join("  " * depth + "- x" for depth in range(240)),
    "brackets": "[" * LONGEST,
    "closed brackets": "[" * (LONGEST // 2) + "]" * (LONGEST // 2),
    "links": "[a](" * (LONGEST // 4),
    "nested links": "[" * 16_000 + "x" + "](u)" * 12_000,
    "images": "![" * (LONGEST // 2),
    "stars": "*" * LONGEST,
    "emphasis": "*a_ " * (LONGEST // 4),
    "alternating": "*a **b " * (LONGEST // 8),
    "strikes": "~~a " * (LONGEST // 4),
    "ticks": "".join("`" * n + " " for n in range(1, 360)),
    "angles": "<" * LONGEST,
    "comments": "<!-" * (LONGEST // 3),
    "entities": "&#" * (LONGEST // 2),
    "backslashes": "\\" * LONGEST,
    "references": "\n".join(f"[{n}]: <u{n}" for n in range(5_000)),
    "one reference": "[a]: u\n" + "[a]" * 20_000,
    "table": "|a" * 10_000 + "|\n" + "|-" * 10_000 + "|\n" + "|\n" * 10_000,
    "wide table": "a|" * 100 + "\n" + "-|" * 100 + "\nx" * 20_000,
    "fences": "```\n" * (LONGEST // 4),
    "underlines": "a\n=\n" * (LONGEST // 4),
    "spaces": " " * (LONGEST - 1) + "x",
    "newlines": "a\n" * (LONGEST // 2),
    "mail": "a@" * (LONGEST // 2),
    "words": "wörd " * (LONGEST // 6),
    # As much work as is let through.
    "few deep brackets": "[" * 20 + ":" * 12_000,
    "few brackets": "[" * 2_500 + "w " * (LONGEST // 3),
    "lazy quotes": "> " * 19 + "x\n" * 2_300,
    "many items": "1. a\n" * 1_100 + "w " * (LONGEST // 3),
    "items in items": "- - - a\n" * 550 + "w " * (LONGEST // 3),
    "addresses": "<http://a>" * 1_100 + "w " * (LONGEST // 3),
    "short tables": "a|b\n-|-\nc|d\n\n" * 330,
    "padded table": "|a" * 50 + "|\n" + "|-" * 50 + "|\n" + "x\n" * 70,
    "colons": ":" * 40_000,
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_no_text_takes_long(bomb: str) -> None:
    source = BOMBS[bomb][:LONGEST]
    begun = time.process_time()
    html = render(source)
    assert time.process_time() - begun < SECONDS
    assert len(html) < 6 * LONGEST


@pytest.mark.parametrize(
    "head",
    [
        "|a" * 300 + "|\n" + "|-" * 300 + "|\n",
        "a|" * 60 + "\n" + "-|" * 60 + "\n",
        "> |a|b|c\n> :-|-|-\n" + "> x\n" * 900,
        "1. a|b\n   -|-\n",
    ],
)
def test_a_table_too_large_to_draw_stays_as_it_was_typed(head: str) -> None:
    source = head + "x\n" * 1_800
    assert render(source) == f"<pre>{escape(source)}</pre>\n"


def test_what_stays_as_it_was_typed_is_no_markup() -> None:
    html = render("<img src=x onerror=alert(1)> & </pre><script>alert(1)</script>\n" * 900)
    assert html.startswith("<pre>&lt;img src=x onerror=alert(1)&gt; &amp; &lt;/pre&gt;&lt;script&gt;")
    assert html.count("<") == 2


def test_a_long_report_is_rendered() -> None:
    source = "## Findings\n\n" + "The host **web-01** asked `198.51.100.7` for [this](https://example.org/a-b_c); see _below_.\n\n" * 100
    source += "| Host | Address | Seen |\n|---|---|---|\n" + "| web-01 | 198.51.100.7 | 2026-11-21 10:00 |\n" * 100
    html = render(source)
    assert html.count("<strong>web-01</strong>") == 100
    assert html.count("<td>") == 300


@pytest.mark.parametrize("sign", [">", "> ", "- ", "1. ", "> - "])
def test_what_is_nested_too_deep_stays_as_it_was_typed(sign: str) -> None:
    for depth in range(1, 40):
        html = render(sign * depth + "word")
        assert "word" in html
        assert html.count("<blockquote>") + html.count("<ul>") + html.count("<ol>") <= 20
    assert html == f"<pre>{escape(sign * depth)}word</pre>\n"


def test_tidying_keeps_what_people_typed() -> None:
    assert tidy(" \r\na\r\nb\rc\td\x00\x1b\x7f \n ") == "a\nb\nc\td"
    assert tidy("Straße – 東京 👩‍💻") == "Straße – 東京 👩‍💻"


def test_a_snippet_is_one_short_line() -> None:
    assert snippet("a\n b") == "a b"
    assert snippet("word " * 40) == ("word " * 18).strip()[:89] + "…"
    assert len(snippet("x" * 500)) == 90


def test_a_short_text_cannot_become_a_long_page() -> None:
    """A definition used four thousand times would repeat its address four thousand times."""
    source = "[a]: http://" + "x" * 10_000 + "\n\n" + "[a] " * 4_000
    assert len(render(source)) < 4 * len(source)


TYPED = {
    "[Sign in here](ftp://dropper.example/payload.zip)": "<p>[Sign in here](ftp://dropper.example/payload.zip)</p>",
    "[Open](ms-word:ofe|u|https://a.example/x.docx)": "<p>[Open](ms-word:ofe|u|https://a.example/x.docx)</p>",
    "[Pay](/login.php?id=77)": "<p>[Pay](/login.php?id=77)</p>",
    '[Pay](../login.php "Now")': '<p>[Pay](../login.php "Now")</p>',
    "[x](https://)": "<p>[x](https://)</p>",
    "[x](http://[::1)": "<p>[x](http://[::1)</p>",
    "<ftp://a.example/x>": "<p>&lt;ftp://a.example/x&gt;</p>",
    "![logo](cid:part1)": "<p>![logo](cid:part1)</p>",
    "[1]: https://a.example": "<p>[1]: https://a.example</p>",
    "a&nbsp;&#8203;b": "<p>a&amp;nbsp;&amp;#8203;b</p>",
}


@pytest.mark.parametrize("source", TYPED)
def test_what_cannot_be_shown_as_it_was_meant_stays_as_it_was_typed(source: str) -> None:
    assert render(source).strip() == TYPED[source]


READ = {
    "![logo](https://evil.example/pixel.png)": "!logo (https://evil.example/pixel.png)",
    "[](https://evil.example/)": "https://evil.example/",
    "[ \u200b](https://evil.example/)": "\u200bhttps://evil.example/ (https://evil.example/)",
    "[](<https://evil.example/> 'Bank')": "https://evil.example/ (Bank)",
    '[a](https://evil.example/ "Your bank")': "a (https://evil.example/) (Your bank)",
    '[a](https://evil.example/ "C:\\.x &amp; \\"me\\"")': 'a (https://evil.example/) (C:\\.x &amp; \\"me\\")',
    "[<https://in.example>](https://out.example)": "https://out.examplehttps://in.example",
    "```From: the boss\nx\n```": "From: the boss\n\nx",
    "|a|b|\n|-|-|\n|c|d|e \\| f|g|\n|h|": "a | b\n\nc | d | e | f|g\n\nh |",
    "> a|b\n> -|-\n> c|d|e": "a | b\n\nc | d | e",
    "14. November\n20. November\n21. November": "14. November\n\n20. November\n\n21. November",
    "1. a\n   1. b\n   3. c\n2. d": "1. a\n\n1. b\n\n3. c\n\n2. d",
}


@pytest.mark.parametrize("source", READ)
def test_nothing_that_was_typed_becomes_invisible(source: str) -> None:
    assert plain_text(render(source)) == READ[source]


@pytest.mark.parametrize("sign", punctuation)
def test_a_backslash_before_a_sign_stays(sign: str) -> None:
    for source in (f"C:\\{sign}hidden", f"DOMAIN\\{sign}user{sign}", f"\\{sign}word\\{sign}", f"^a\\{sign}b\\{sign}c$\\"):
        assert plain_text(render(source)) == source


def test_a_sign_behind_a_backslash_does_nothing() -> None:
    assert render("\\*a\\* \\[b](https://c.example) `\\*` **\\\\host\\e$**") == (
        "<p>\\*a\\* \\[b](https://c.example) <code>\\*</code> <strong>\\\\host\\e$</strong></p>\n"
    )


SIGNS = st.lists(st.builds("\\{}{}".format, st.sampled_from(punctuation), st.from_regex(r"[a-z]{1,3}", fullmatch=True)), min_size=1)


@settings(max_examples=200, deadline=None)
@given(source=SIGNS.map("".join))
def test_no_sign_behind_a_backslash_is_lost(source: str) -> None:
    assert plain_text(render(source)) == source


WORD = st.from_regex(r"[a-z]{3,8}[0-9]{2,3}", fullmatch=True)
ADDRESS = st.builds(
    "{}{}".format,
    st.sampled_from(["https://", "http://", "mailto:", "ftp://", "ms-word:", "cid:", "/", "//", "../", "#", "?id=", ""]),
    WORD,
)
TITLE = st.one_of(st.just(""), *(st.builds(shape.format, WORD) for shape in (' "{}"', " '{}'", " ({})")))
INLINE = st.recursive(
    st.one_of(WORD, st.builds("<{}>".format, ADDRESS), st.builds("`{}`".format, WORD), st.just(""), st.just("\\"), st.just("|")),
    lambda inner: st.one_of(
        st.builds("[{}]({}{})".format, inner, ADDRESS, TITLE),
        st.builds("![{}](<{}>{})".format, inner, ADDRESS, TITLE),
        st.builds("[{}][{}]".format, inner, WORD),
        *(st.builds(shape.format, inner) for shape in ("**{}**", "_{}_", "~~{}~~", "<b>{}</b>", "<!-- {} -->", "&{};", "[{}]()")),
        st.builds("{} {}".format, inner, inner),
    ),
    max_leaves=6,
)
ROW = st.lists(INLINE, min_size=1, max_size=5).map("|".join)
BLOCK = st.one_of(
    INLINE,
    st.builds("| {} |\n|-|-|\n{}\n{}".format, ROW, ROW, ROW),
    st.builds("{}|{}\n:-|-\n|{}|\n{}".format, INLINE, INLINE, ROW, ROW),
    st.builds("{}{}\n{}\n{}".format, st.sampled_from(["```", "~~~~", " ```"]), ROW, INLINE, st.sampled_from(["```", "~~~~", ""])),
    st.builds("[{}]: {}{}".format, WORD, ADDRESS, TITLE),
    *(st.builds(shape.format, INLINE) for shape in ("# {} #", "    {}", "{}\n===", "<div>\n{}", "{}  \nend", "<p {}=x>")),
    st.builds("{}. {}\n{}. {}".format, st.integers(0, 999), INLINE, st.integers(0, 999), INLINE),
)
PREFIX = st.sampled_from(["", "> ", "- ", "1. ", "> - "])
SOURCE = st.lists(
    st.builds(lambda sign, block: "\n".join(sign + line for line in block.split("\n")), PREFIX, BLOCK), min_size=1, max_size=4
).map("\n".join)


@settings(max_examples=400, deadline=None)
@given(source=SOURCE)
@example(source="![alt10](https://pixel20)\n- [](ftp://word10 'title20')")
def test_every_word_can_be_read(source: str) -> None:
    found = read(source)
    seen = found.visible
    assert [word for word in re.findall(r"[a-z]{3,8}[0-9]{2,3}", source) if word not in seen] == []
    assert [value for name, value in found.attributes if name == "href" and not HARMLESS.match(value or "")] == []
    assert set(found.tags) <= TAGS | TABLE
