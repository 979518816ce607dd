"""What somebody wants of the list of cases, as it stands in its address: read, told in words, written again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..sharing.records import CaseWishes
from ..web import times
from ..web.filters import SEVERITY, STAGE
from ..web.lists import address_with, day_asked, days_ago
from ..words import Wording, _, later

LONGEST = 300
OPEN = "open"
STATUSES = Wording(
    {OPEN: later("Open (new or in progress)"), "New": later("New"), "InProgress": later("In progress"), "Closed": later("Closed")}
)
DATES = ("opened_from", "opened_to", "updated_from", "updated_to")
FLAGS = Wording({"waiting": later("Waiting for your answer"), "unread": later("News you have not read"), "mine": later("Reported by you")})
NAMES = ("q", "status", "severity", "tag", *FLAGS, *DATES)
ORDERS = Wording(
    {"updated": later("Latest news"), "opened": later("Date opened"), "severity": later("Severity"), "number": later("Case number")}
)
WEEK = "week"
# What it means that nothing fits, where no more than this was asked for.
NOTHING = Wording(
    {
        ("waiting", "yes"): later("No case waits for your answer."),
        ("unread", "yes"): later("There is no news you have not read."),
        ("mine", "yes"): later("None of these cases was reported by you."),
        ("status", OPEN): later("No case is open."),
        ("status", "Closed"): later("No case is closed."),
        ("updated_from", WEEK): later("There was no news in the last 7 days."),
    }
)


@dataclass(frozen=True)
class Chosen:
    """What of the address makes sense, as text for addresses and as wishes for the window."""

    texts: dict[str, str]
    wishes: CaseWishes

    def url(self, endpoint: str = "external.home", *, without: tuple[str, ...] = (), **more: Any) -> str:
        """The address of the list with these wishes, but for some."""
        return address_with(endpoint, {name: text for name, text in self.texts.items() if name not in without} | more)

    @property
    def narrowed(self) -> bool:
        """Whether anything but the order was asked for."""
        return any(name in self.texts for name in NAMES)


def read(args: Mapping[str, str]) -> Chosen:
    """What in the address makes sense; the rest is left out."""
    texts, values = {}, {}
    for name in (*NAMES, "sort"):
        text = args.get(name, "").strip()
        value = _value(name, text) if text and "\0" not in text and (len(text) <= LONGEST or name == "q") else None
        if value is not None:
            texts[name], values[{"q": "words", "status": "stage"}.get(name, name)] = text, value
    return Chosen(texts, CaseWishes(**values))


def _value(name: str, text: str) -> Any:
    """The text as the window wants it; None when it makes no sense."""
    if name in FLAGS:
        return True if text == "yes" else None
    if name in DATES:
        return days_ago(7) if (name, text) == ("updated_from", WEEK) else day_asked(text, after=name.endswith("_to"))
    if name == "severity":
        return int(text) if text in map(str, SEVERITY) else None
    known: dict[str, Any] = {"status": STATUSES, "sort": (*ORDERS, *(f"-{order}" for order in ORDERS))}
    return text if name not in known or text in known[name] else None


def chips(chosen: Chosen) -> list[tuple[str, str]]:
    """Each wish in words, with the address of the list without it."""
    return [(_words(name, text), chosen.url(without=(name,))) for name, text in chosen.texts.items() if name != "sort"]


def _words(name: str, text: str) -> str:
    if name in FLAGS:
        return FLAGS[name]
    if name in DATES:
        return _("News in the last 7 days") if text == WEEK else _dated(name, times.calendar_day(text))
    if name == "severity":
        return _("Severity: %(word)s", word=SEVERITY[int(text)])
    if name == "status":
        return _("Status: %(word)s", word=_("Open") if text == OPEN else STAGE[text])
    return _("Search: %(words)s", words=text) if name == "q" else _("Tag: %(tag)s", tag=text)


def _dated(name: str, day: str) -> str:
    match name:
        case "opened_from":
            return _("Opened on or after %(day)s", day=day)
        case "opened_to":
            return _("Opened on or before %(day)s", day=day)
        case "updated_from":
            return _("News on or after %(day)s", day=day)
    return _("News on or before %(day)s", day=day)


def nothing(chosen: Chosen) -> tuple[str, str]:
    """What to say where nothing fits, and what to do about it: the same of a number they may not see and of one that is nowhere."""
    asked = [(name, text) for name, text in chosen.texts.items() if name != "sort"]
    number = chosen.wishes.words.removeprefix("#")
    if number.isascii() and number.isdecimal() and number[0] != "0" and len(number) < 19:
        return _("No case #%(number)s is shared with you.", number=number), _("Look whether the number is right.")
    if len(asked) == 1 and asked[0] in NOTHING:
        return NOTHING[asked[0]], ""
    return _("None of your cases fits"), _what_to_do(chosen.wishes, several=len(asked) > 1)


def _what_to_do(wanted: CaseWishes, *, several: bool) -> str:
    if wanted.opened_from and wanted.opened_to and wanted.opened_from >= wanted.opened_to:
        return _("Opened: the day at “from” comes after the day at “to”. Change one of them.")
    if wanted.updated_from and wanted.updated_to and wanted.updated_from >= wanted.updated_to:
        return _("Latest news: the day at “from” comes after the day at “to”. Change one of them.")
    if wanted.words:
        return _("Try fewer or other words, or the beginning of a word with a * behind it, as in mail*.")
    return _("Ask for less at once.") if several else ""


def quick(chosen: Chosen, *, can_write: bool, can_report: bool) -> list[tuple[str, str, bool]]:
    """The filters for everybody: words, address, whether the list is just that now."""
    offered: list[tuple[str, dict[str, str]]] = [(_("All"), {}), (_("Open cases"), {"status": OPEN})]
    offered += [(FLAGS["waiting"], {"waiting": "yes"})] if can_write else []
    offered += [(FLAGS["mine"], {"mine": "yes"})] if can_report else []
    offered += [(_("News this week"), {"updated_from": WEEK}), (_("Closed cases"), {"status": "Closed"})]
    kept = {name: text for name, text in chosen.texts.items() if name in ("q", "sort")}
    now_set = {name: text for name, text in chosen.texts.items() if name not in kept}
    return [(word, address_with("external.home", kept | wanted), now_set == wanted) for word, wanted in offered]


def headings(chosen: Chosen) -> dict[str, tuple[str, str, str]]:
    """For each order: its words, how the list is sorted by it now in ARIA's words, and where it leads: last first, first first, off."""
    told = {}
    asked = chosen.wishes.sort
    for name, word in ORDERS.items():
        at = asked or "-updated"
        following = {f"-{name}": name, name: ""}.get(at, f"-{name}")
        said = {f"-{name}": "descending", name: "ascending"}.get(at, "")
        if following == "-updated":
            following = ""  # that is how the list stands anyway
        told[name] = (word, said, chosen.url(without=("sort",), **({"sort": following} if following else {})))
    return told
