"""How templates become Python: as Jinja does it, with short cuts for pages that draw the same small things hundreds of times."""

from __future__ import annotations

import re
from collections.abc import Callable, MutableMapping
from functools import lru_cache
from typing import Any

import markupsafe
from flask.templating import Environment
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.idtracking import VAR_LOAD_RESOLVE
from jinja2.visitor import NodeTransformer
from markupsafe import Markup, escape
from wtforms.widgets import core
from wtforms.widgets.core import html_params

from .marks import NAMES, TEMPLATE

# Globals that are ordinary functions: no macro, and none that wants Jinja's context. They are called as Python calls a function.
PLAIN = {*NAMES, "_", "ngettext", "words_of", "asset", "url_for", "hx", "portrait", "logo"}


@lru_cache(maxsize=2048)
def _attributes(pairs: tuple[tuple[str, type[Any], Any], ...]) -> Markup:
    drawn: Markup = html_params(**{name: value for name, _, value in pairs})
    return drawn


def _attributes_of(**values: Any) -> Markup:
    """WTForms' html_params, drawn once for each set of attributes: those of selects, their options and text areas are few and return on
    every page. What is said in the reader's language is said here, so that each language has its own."""
    said = ((name, value if isinstance(value, (bool, str)) else str(value)) for name, value in values.items())
    return _attributes(tuple((name, type(value), value) for name, value in said))


core.html_params = _attributes_of  # what text areas, selects and options ask; inputs, which carry what was typed, have their own


_escaped: Callable[[str], str] = getattr(markupsafe, "_escape_inner", escape)


def laid(value: Any) -> str:
    """What a value writes into a page: the letters of escape(value), without a Markup around them. A page lays hundreds of values down
    and joins them at once, and making each a Markup first was a twentieth of its time."""
    kind = type(value)
    if kind is str:
        return _escaped(value)
    drawn: str = value if kind is Markup else escape(value)
    return drawn


_INDENTED = re.compile(r"[ \t]*\n\s*")
_KEEPING = re.compile(r"<(pre|textarea)\b")  # where spaces are seen


class _Drawing(NodeTransformer):
    """Icons without a variable in them are drawn when the template is read; its indentation stays there: a fifth of a list was spaces."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment

    def visit_TemplateData(self, node: nodes.TemplateData) -> nodes.Node:  # noqa: N802 (Jinja's name)
        node.data = _INDENTED.sub("\n", node.data)
        return node

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        name = _plain(node)
        if name not in ("icon", "external_mark") or node.kwargs or not all(isinstance(argument, nodes.Const) for argument in node.args):
            return node
        draw: Any = self.environment.globals[name]
        return nodes.TemplateData(str(draw(*(argument.as_const() for argument in node.args))), lineno=node.lineno)


def _plain(node: nodes.Call) -> str | None:
    """The name of the ordinary function that is called, if it is one."""
    name = node.node.name if isinstance(node.node, nodes.Name) and not (node.dyn_args or node.dyn_kwargs) else None
    return name if name in PLAIN else None


class _Generator(CodeGenerator):
    def write_commons(self) -> None:
        super().write_commons()
        self.writeline("laid = environment.laid")

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if frame.eval_ctx.autoescape and not frame.eval_ctx.volatile and finalize.src is None:
            self.write("laid(")
        else:
            super()._output_child_pre(node, frame, finalize)

    def visit_Output(self, node: nodes.Output, frame: Frame) -> None:  # noqa: N802
        """Text and values that follow each other leave in one piece: each piece is handed up through every block and include."""
        if frame.buffer is not None or frame.require_output_check or len(node.nodes) < 2:
            super().visit_Output(node, frame)
            return
        inner = frame.copy()
        inner.buffer = self.temporary_identifier()
        self.writeline(f"{inner.buffer} = []")
        super().visit_Output(node, inner)
        self.writeline(f"yield ''.join({inner.buffer})")

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:  # noqa: N802
        name = _plain(node)
        if forward_caller or name is None or not self._is_global(name, frame):
            super().visit_Call(node, frame, forward_caller=forward_caller)
            return
        self.visit(node.node, frame)
        self.write("(")
        for argument in node.args:
            self.visit(argument, frame)
            self.write(", ")
        for named in node.kwargs:
            self.write(f"{named.key}=")
            self.visit(named.value, frame)
            self.write(", ")
        self.write(")")

    @staticmethod
    def _is_global(name: str, frame: Frame) -> bool:
        load = frame.symbols.find_load(frame.symbols.ref(name))
        return load is not None and load[0] == VAR_LOAD_RESOLVE


class Templates(Environment):
    """Flask's environment, with one dictionary of globals for all templates.

    Jinja lays a ChainMap over it for globals a single template may bring, which none here does, and compares the two at
    every import: that comparison was a tenth of the work of a page.
    """

    code_generator_class = _Generator
    laid = staticmethod(laid)

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """The environment's own globals, unless a template brings some."""
        return super().make_globals(d) if d else self.globals

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        read = super()._parse(source, name, filename)
        if not (name or "").endswith(".html") or _KEEPING.search(source):
            return read
        own = {named.name for named in read.find_all(nodes.Name) if named.ctx != "load"} | {one.name for one in read.find_all(nodes.Macro)}
        return read if name == TEMPLATE or "icon" in own or "external_mark" in own else _Drawing(self).visit(read)
