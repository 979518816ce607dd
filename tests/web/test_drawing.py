"""How templates become Python: the short cuts give what Jinja would have given."""

from __future__ import annotations

import pytest
from flask import Flask
from jinja2 import nodes
from markupsafe import Markup
from wtforms.widgets import core

from portal import words
from portal.web import drawing
from portal.web.forms import MessageForm

CASES = {
    "an icon": '{{ icon("x") }}',
    "in words around it": 'a {{ icon("x") }} b {{ value }} c',
    "with a label": '{{ icon("x", "Close") }}',
    "with a label that varies": '{{ icon("x", value) }}',
    "as an argument": '{% set drawn = icon("users") %}{{ drawn }}{{ external_mark() }}',
    "in a loop": '{% for n in (1, 2) %}{{ icon("x") }}{{ n }}{{ severity(n) }}{% endfor %}',
    "in a macro": '{% macro m(x) %}{{ icon("x") }}{{ x }}{{ who(x) }}{% endmacro %}{{ m(value) }}',
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_drawn_when_a_template_is_read_is_what_is_drawn_later(app: Flask, name: str) -> None:
    """The same with another name for each mark, which no short cut knows."""
    env = app.jinja_env
    slow = CASES[name]
    for mark in ("icon", "external_mark", "severity", "who"):
        env.globals[f"slow_{mark}"] = env.globals[mark]
        slow = slow.replace(f"{mark}(", f"slow_{mark}(").replace("slow_slow_", "slow_")
    with app.test_request_context("/portal/"):
        quick = env.from_string(CASES[name]).render(value="<b>Ann</b>")
        assert quick == env.from_string(slow).render(value="<b>Ann</b>")
    assert "<b>" not in quick


class Loud(str):
    """A text that is not quite a str."""

    __slots__ = ()


class Drawn:
    """Something that draws itself."""

    def __html__(self) -> str:
        return "<i>drawn</i>"


VALUES = {
    "str": "<b>&'\"",
    "Markup": Markup("<b>&amp;"),
    "int": 7,
    "None": None,
    "bool": True,
    "Loud": Loud("<b>"),
    "Drawn": Drawn(),
    "list": ["<b>"],
    "bytes": b"<b>",
    "later": words.later("<b> & %(a)s", a="<i>"),
}


PLACES = ["{{ value }}", "a {{ value }} b", "{% set x %}{{ value }}{% endset %}{{ x }}", "{% for n in (1, 2) %}{{ value }}{% endfor %}"]


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("place", PLACES)
def test_values_are_laid_down_as_jinja_lays_them(app: Flask, name: str, place: str) -> None:
    env, value = app.jinja_env, VALUES[name]
    quick = env.from_string(place).render(value=value)
    plain = env.from_string("{% autoescape flag %}" + place + "{% endautoescape %}").render(value=value, flag=True)  # escape(), not laid()
    assert quick == plain
    assert "<b>" not in quick.replace("<b>&amp;", "") or name == "Markup"


def test_indentation_stays_in_the_templates_and_spaces_between_words_do_not(app: Flask) -> None:
    env = app.jinja_env
    read = env._parse("<p>\n    a  b\n\n    {{ x }} c\n  </p>", "some.html", None)
    assert "".join(data.data for data in read.find_all(nodes.TemplateData)) == "<p>\na  b\n c\n</p>"
    kept = env._parse("<pre>\n    a\n  </pre>", "some.html", None)
    assert "    a" in "".join(data.data for data in kept.find_all(nodes.TemplateData))


def test_a_templates_own_mark_is_its_own(app: Flask) -> None:
    with app.test_request_context("/portal/"):
        shadow = app.jinja_env.from_string('{% macro icon(name) %}mine {{ name }}{% endmacro %}{{ icon("x") }}')
        assert shadow.render() == "mine x"


def test_attributes_are_those_of_wtforms_in_each_language_and_for_markup(app: Flask) -> None:
    """Kept by what they are: a text that reads the same but is markup, a switch that reads like a word, another language."""
    told = [{"a": "&amp;"}, {"a": Markup("&amp;")}, {"a": True, "b": False}, {"a": "True"}, {"a": 'x"y', "data_b": 7}, {"class_": "wide"}]
    for _ in range(2):
        assert [core.html_params(**each) for each in told] == [drawing.html_params(**each) for each in told]
    assert core.html_params(title=words.later("Sign in")) == 'title="Sign in"'
    with words.speaking("fr"):
        assert core.html_params(title=words.later("Sign in")) == f'title="{words._("Sign in")}"' != 'title="Sign in"'


def test_a_text_area_is_drawn_as_wtforms_draws_it(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with app.test_request_context("/portal/"):
        drawn = [str(MessageForm(data={"message": text}).message(rows=5)) for text in ("<one>", "two")]
        monkeypatch.setattr(core, "html_params", drawing.html_params)
        assert drawn == [str(MessageForm(data={"message": text}).message(rows=5)) for text in ("<one>", "two")]
