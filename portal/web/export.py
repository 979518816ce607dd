"""Lists as files: CSV that no spreadsheet can be tricked by, and JSON."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from flask import Response

from ..clock import now

FORMATS = ("csv", "json")
# What begins like this may be run as a formula by the program that opens the file. Not only at the beginning of a cell: where the
# list separator is a semicolon, a program may begin a new cell at each of them, whatever the quotes say.
FORMULA = re.compile(r"(^|[;\t\r\n])(\s*)(?=[=+\-@＝＋－＠])|^(?=[\t\r])")
BOM = "\N{BYTE ORDER MARK}"  # tells spreadsheets that the file is UTF-8


def export(name: str, kind: str, columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> Response:
    """The rows as a file to keep, called after the thing and the day. `kind`: one of FORMATS."""
    body = csv_text(columns, rows) if kind == "csv" else _json(columns, rows)
    answer = Response(body, content_type="text/csv; charset=utf-8" if kind == "csv" else "application/json")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}-{now():%Y-%m-%d}.{kind}"'
    return answer


def csv_text(columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> str:
    """The rows as the text of a file."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return BOM + text.getvalue()


def _cell(value: Any) -> Any:
    value = _plain(value)
    if isinstance(value, list):
        value = "; ".join(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return FORMULA.sub(r"\1\2'", value) if isinstance(value, str) else value


def _json(columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> str:
    told = [dict(zip(columns, (_plain(value) for value in row), strict=True)) for row in rows]
    return json.dumps(told, ensure_ascii=False, indent=1)


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if isinstance(value, datetime) else value
