"""A case to take along: a ZIP with everything this person may see, and the same document as PDF."""

from __future__ import annotations

from typing import Any

from flask import Response, g, render_template, request

from ..web import archive, paper, times
from ..web.export import csv_text
from ..web.face import Needs
from ..web.plain import plain_text
from .face import external

MOST_FILES = 500 * 1024 * 1024  # bytes of one ZIP; what does not fit is listed, and fetched one by one
# Of one PDF; the ZIP has them all.
MOST_MESSAGES = 300
MOST_TEXT = 300_000  # characters of their HTML


@external.record_once
def _teach(state: Any) -> None:
    """What the templates here ask."""
    state.app.jinja_env.globals.update(pdf_possible=paper.possible, most_files=MOST_FILES)
    state.app.jinja_env.filters["in_words"] = times.in_words


@external.route("/cases/<id:number>/download/zip", needs=Needs.SIGNED_IN)
def download_zip(number: int) -> Any:
    """The case with its files. Whether each may still be read is asked once more when its turn comes."""
    context, name = _context(number), f"case-{number}.zip"
    if (early := _not_taken()) is not None:
        return early
    read = g.window.takeout.reader(number)
    packed = [_member(context, file, read) for file in context["files"] if file.uid not in context["apart"]]
    taker = g.viewer.viewed_by_id or g.viewer.user_id  # a colleague who looks takes nobody's turn but their own
    answer = archive.send_archive(name, taker, _texts(context), packed, times.local(context["made_at"]))
    g.window.takeout.note(number, name)
    return answer


def _member(context: dict[str, Any], file: Any, read: Any) -> archive.Member:
    return archive.Member(context["places"][file.uid], file.size, times.local(file.created_at), lambda: read(file.uid))


@external.route("/cases/<id:number>/download/pdf", needs=Needs.SIGNED_IN)
def download_pdf(number: int) -> Any:
    """The case as one document."""
    context, name = _context(number), f"case-{number}.pdf"
    if (early := _not_taken()) is not None:
        return early
    context["messages"], context["left_out"] = _newest(context["messages"])
    answer = paper.send_pdf(name, render_template("external/download/document.html", **context))
    g.window.takeout.note(number, name)
    return answer


def _not_taken() -> Response | None:
    """The answer to who asks only whether it is there; whoever takes one case after the other is stopped."""
    if request.environ["REQUEST_METHOD"] == "HEAD":
        return Response()
    g.window.takeout.check_pace()
    return None


def _context(number: int) -> dict[str, Any]:
    window = g.window
    case, files = window.case(number), window.takeout.files(number)
    places = archive.fitting_names((file.name for file in files), "files")
    return {
        "case": case,
        "fields": window.fields(number),
        "messages": window.messages(number),
        "files": files,
        "places": dict(zip((file.uid for file in files), places, strict=True)),
        "apart": _apart(files),
        "items": window.takeout.items(number),
        "made_at": window.takeout.now(),
        "left_out": 0,
        "zone": times.zone_in_words(),
    }


def _apart(files: list[Any]) -> set[str]:
    """The files that do not fit into a ZIP any more, the newest coming first."""
    apart, room = set(), MOST_FILES
    for file in reversed(files):
        if file.size > room:
            apart.add(file.uid)
        else:
            room -= file.size
    return apart


def _newest(messages: list[Any]) -> tuple[list[Any], int]:
    """As many of the newest messages as fit, and how many older ones do not."""
    room, kept = MOST_TEXT, 0
    for message in reversed(messages[-MOST_MESSAGES:]):
        room -= len(message.message_html)
        if room < 0:
            break
        kept += 1
    return messages[len(messages) - kept :], len(messages) - kept


def _texts(context: dict[str, Any]) -> list[tuple[str, str]]:
    spoken = [(message, plain_text(message.message_html)) for message in context["messages"]]
    description = plain_text(context["case"].description_html)
    texts = [
        ("case.html", render_template("external/download/document.html", **context, zipped=True)),
        ("messages.txt", render_template("external/download/messages.txt", **context, spoken=spoken, description=description)),
    ]
    if context["files"]:
        texts += [("files.csv", _list_of_files(context)), ("SHA256SUMS", _sums(context))]
    if context["items"]:
        texts.append(("evidence-items.csv", _list_of_items(context)))
    return texts


def _list_of_files(context: dict[str, Any]) -> str:
    columns = ("file", "name", "bytes", "SHA-256", "added by", f"added ({context['zone']})")
    rows = [
        (_place(context, file), file.name, file.size, file.sha256, _author(file), _written(file.created_at)) for file in context["files"]
    ]
    return csv_text(columns, rows)


def _place(context: dict[str, Any], file: Any) -> str:
    return "not included: download it on the page of the case" if file.uid in context["apart"] else context["places"][file.uid]


def _author(file: Any) -> str:
    return f"{file.author} (security team)" if file.from_team and file.author != "Security team" else file.author


def _written(moment: Any) -> str:
    return times.local(moment).isoformat(sep=" ", timespec="seconds")


def _sums(context: dict[str, Any]) -> str:
    """What the usual programs for checking hashes read."""
    files = [file for file in context["files"] if file.uid not in context["apart"]]
    return "".join(f"{file.sha256}  {context['places'][file.uid]}\n" for file in files)


def _list_of_items(context: dict[str, Any]) -> str:
    columns = ("type", "value", "bytes", "SHA-256", "added by", f"added ({context['zone']})")
    return csv_text(
        columns, [(item.kind, item.value, item.size, item.sha256, item.author, _written(item.created_at)) for item in context["items"]]
    )
