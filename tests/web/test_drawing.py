"""How templates become Python: the short cuts give what Jinja would have given."""

from __future__ import annotations

import pytest
from flask import Flask

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


def test_a_templates_own_mark_is_its_own(app: Flask) -> None:
    with app.test_request_context("/portal/"):
        shadow = app.jinja_env.from_string('{% macro icon(name) %}mine {{ name }}{% endmacro %}{{ icon("x") }}')
        assert shadow.render() == "mine x"
