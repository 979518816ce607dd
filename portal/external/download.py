"""A case to take along: a ZIP with everything this person may see, and the same document as PDF."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, cast

from flask import Response, copy_current_request_context, current_app, g

from ..refusals import Refusal
from ..web import archive, paper, times
from ..web.downloads import only_asks
from ..web.export import csv_text
from ..web.face import Needs
from ..web.plain import plain_text
from ..words import _, language, later, ngettext, speaking
from .face import external

MOST_FILES = 500 * 1024 * 1024  # bytes of one ZIP; what does not fit is listed, and fetched one by one
# Of one PDF; the ZIP has them all.
MOST_MESSAGES = 300
MOST_TEXT = 300_000  # characters of their HTML, and as many of evidence items
MOST_ITEMS = 1000
# Tags and lines, each of which costs a millisecond and more: what has more than that is set without its layout.
MOST_MARKS_OF_ONE = 1500
MOST_MARKS = 8000
PIECE = 256 * 1024  # bytes of a text that are sent on one look at whether it still holds
CHANGED = later("Something in this case was changed or withdrawn while your download was being made, so it was not handed out. Try again.")
PLAIN = {"_": _, "ngettext": ngettext}  # in pages these words are escaped; a text is none
Write = Callable[[dict[str, Any]], str]


@external.record_once
def _teach(state: Any) -> None:
    """What the templates here ask."""
    state.app.jinja_env.globals.update(pdf_possible=paper.possible, most_files=MOST_FILES)
    state.app.jinja_env.filters["in_words"] = times.in_words


@external.route("/cases/<id:number>/download/zip", needs=Needs.SIGNED_IN)
def download_zip(number: int) -> Any:
    """The case with its files. Each text is made, and each file opened, when its turn comes; what may not be read by then ends it."""
    context, name = _context(number), f"case-{number}.zip"
    if (early := _not_taken()) is not None:
        return early
    read = g.window.takeout.reader(number)
    packed = [_file(context, file, read) for file in context["files"] if file.uid not in context["apart"]]
    taker = g.viewer.viewed_by_id or g.viewer.user_id  # a colleague who looks takes nobody's turn but their own
    answer = archive.send_archive(name, taker, [*_texts(context), *packed], times.local(context["made_at"]))
    g.window.takeout.note(number, name)
    return answer


def _file(context: dict[str, Any], file: Any, read: Any) -> archive.Member:
    return archive.Member(context["places"][file.uid], file.size, times.local(file.created_at), lambda: read(file.uid))


@external.route("/cases/<id:number>/download/pdf", needs=Needs.SIGNED_IN)
def download_pdf(number: int) -> Any:
    """The case as one document. What was changed or taken back while it was made is not in it: it is made once more then."""
    context = _context(number)
    if (early := _not_taken()) is not None:
        return early
    with paper.one_each(g.viewer.viewed_by_id or g.viewer.user_id):
        g.window.takeout.count_try()
        answer = _printed(context) or _printed(_anew(number))
    if answer is None:
        raise Refusal(str(CHANGED))
    return answer


def _printed(context: dict[str, Any]) -> Response | None:
    """The document as it is handed out; None where something in it does not hold any more when it is made."""
    number, told = context["case"].number, _told(context)
    name = f"case-{number}.pdf"
    html = _rendered("document.html", {**context, **_fitting(context)})
    g.window = g.window.anew()
    made, answer = paper.print_out(html), None
    try:
        if _noted(number, name, told):
            answer = paper.send_pdf(name, made)
        return answer
    finally:
        if answer is None:
            made.close()


def _noted(number: int, name: str, told: set[Any]) -> bool:
    """Whether all of this holds still and its download is on record. Asked twice: writing may have had to wait."""
    if not told <= _told(_anew(number)):
        return False
    g.window.takeout.note(number, name)
    return told <= _told(_anew(number))


def _anew(number: int) -> dict[str, Any]:
    """The case as it is now, whatever was read of it before; NotVisible where it, or its reader, is gone."""
    g.window = g.window.anew()
    return _context(number)


def _told(context: dict[str, Any]) -> set[Any]:
    """What a copy tells, thing by thing: it holds while each of them is told still, and in the same words."""
    case = context["case"]
    things = {(case.title, case.description_html, case.stage, case.severity, tuple(case.tags))}
    return things.union(
        ((field.label, field.help, tuple(field.values)) for field in context["fields"]),
        (replace(message, new=False) for message in context["messages"]),
        context["files"],
        context["items"],
    )


def _not_taken() -> Response | None:
    """The answer to who asks only whether it is there; whoever takes one case after the other is stopped."""
    if only_asks():
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
        "printed": MOST_ITEMS,
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


def _fitting(context: dict[str, Any]) -> dict[str, Any]:
    """What a PDF has instead, so that no text takes it from everybody: how many there are, how long they are, how they are laid out."""
    messages, left_out = _newest(context["messages"])
    room, told = MOST_MARKS, []
    for message in reversed(messages):
        html, room = _simple(message.message_html, room)
        told.append(replace(message, message_html=html))
    case = replace(context["case"], description_html=_simple(context["case"].description_html, MOST_MARKS)[0])
    return {"case": case, "messages": told[::-1], "left_out": left_out, "printed": _number_fitting(context["items"][:MOST_ITEMS])}


def _number_fitting(items: list[Any]) -> int:
    room = MOST_TEXT
    for place, item in enumerate(items):
        room -= len(item.shown)
        if room < 0:
            return place
    return len(items)


def _simple(html: Any, room: int) -> tuple[Any, int]:
    """A text as it is, or only its words, in one paragraph, where it has too many tags and lines; and the room there is after it."""
    marks = html.count("<") + html.count("\n")
    if marks > min(room, MOST_MARKS_OF_ONE):
        return " ".join(plain_text(html).split()), room
    return html, room - marks


def _texts(context: dict[str, Any]) -> list[archive.Member]:
    texts: list[tuple[str, Write]] = [("case.html", _document), ("messages.txt", _conversation)]
    if context["files"]:
        texts += [("files.csv", _list_of_files), ("SHA256SUMS", _sums)]
    if context["items"]:
        texts.append(("evidence-items.csv", _list_of_items))
    afterwards = _afterwards()
    return [_text(context, name, write, afterwards) for name, write in texts]


def _text(began: dict[str, Any], name: str, write: Write, afterwards: Callable[..., Any]) -> archive.Member:
    return archive.Member(name, 0, times.local(began["made_at"]), lambda: _pieces(began, write, afterwards))


def _afterwards() -> Callable[..., Any]:
    """Does work as this request would, long after it: each time for the same person, in their language, but in a database session of
    its own."""
    app, viewer, window, spoken = cast("Any", current_app)._get_current_object(), g.viewer, g.window, language()

    @copy_current_request_context
    def asked(work: Callable[..., Any], *told: Any) -> Any:
        g.viewer, g.window, g.face = viewer, window, "portal"
        return work(*told)

    def afterwards(work: Callable[..., Any], *told: Any) -> Any:
        with app.app_context(), speaking(spoken):
            return asked(work, *told)

    return afterwards


def _pieces(began: dict[str, Any], write: Write, afterwards: Callable[..., Any]) -> Iterator[bytes]:
    """A text, as the case is when its turn comes; what is taken back while it is sent ends it."""
    text, told = afterwards(_writing, began, write)
    yield text[:PIECE]
    for place in range(PIECE, len(text), PIECE):
        afterwards(_check, began, told)
        yield text[place : place + PIECE]


def _writing(began: dict[str, Any], write: Write) -> tuple[bytes, set[Any]]:
    context = _by_now(began)
    return write(context).encode(), _told(context)


def _check(began: dict[str, Any], told: set[Any]) -> None:
    if not told <= _told(_by_now(began)):
        raise Refusal(str(CHANGED))


def _by_now(began: dict[str, Any]) -> dict[str, Any]:
    """The case as it is now, with those files only that come with it: one that was added since has no place in this archive."""
    context = _anew(began["case"].number)
    files = [file for file in context["files"] if file.uid in began["places"]]
    return {**context, "files": files, "places": began["places"], "apart": began["apart"]}


def _document(context: dict[str, Any]) -> str:
    return _rendered("document.html", {**context, "zipped": True})


def _conversation(context: dict[str, Any]) -> str:
    spoken = [(message, plain_text(message.message_html)) for message in context["messages"]]
    description = plain_text(context["case"].description_html)
    return _rendered("messages.txt", {**context, "spoken": spoken, "description": description, **PLAIN})


def _rendered(name: str, context: dict[str, Any]) -> str:
    """Without what the pages of the product have around them: who is signed in is not asked for it once more."""
    return current_app.jinja_env.get_template(f"external/download/{name}").render(
        **context, viewer=g.viewer, language=times.reading().language
    )


def _list_of_files(context: dict[str, Any]) -> str:
    columns = (_("file"), _("name"), _("bytes"), "SHA-256", _("added by"), _("added (%(zone)s)", zone=context["zone"]))
    rows = [
        (_place(context, file), file.name, file.size, file.sha256, _author(file), _written(file.created_at)) for file in context["files"]
    ]
    return csv_text(columns, rows)


def _place(context: dict[str, Any], file: Any) -> str:
    return _("not included: download it on the page of the case") if file.uid in context["apart"] else context["places"][file.uid]


def _author(file: Any) -> str:
    named = file.from_team and file.author != _("Security team")
    return _("%(person)s (security team)", person=file.author) if named else file.author


def _written(moment: Any) -> str:
    return times.local(moment).isoformat(sep=" ", timespec="seconds")


def _sums(context: dict[str, Any]) -> str:
    """What the usual programs for checking hashes read."""
    files = [file for file in context["files"] if file.uid not in context["apart"]]
    return "".join(f"{file.sha256}  {context['places'][file.uid]}\n" for file in files)


def _list_of_items(context: dict[str, Any]) -> str:
    columns = (_("type"), _("value (made harmless)"), _("bytes"), "SHA-256", _("added by"), _("added (%(zone)s)", zone=context["zone"]))
    return csv_text(
        columns, [(item.kind, item.shown, item.size, item.sha256, item.author, _written(item.created_at)) for item in context["items"]]
    )
