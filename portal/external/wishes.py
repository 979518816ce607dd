"""What somebody wants of the list of cases, as it stands in its address: read, told in words, written again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..sharing.records import CaseWishes
from ..web import times
from ..web.filters import SEVERITY, STAGE
from ..web.lists import address_with, day_asked, days_ago

LONGEST = 300
STATUSES = {"open": "Open (new or in progress)", **STAGE}
DATES = {
    "opened_from": "Opened on or after",
    "opened_to": "Opened on or before",
    "updated_from": "News on or after",
    "updated_to": "News on or before",
}
FLAGS = {"waiting": "Waiting for your answer", "unread": "News you have not read", "mine": "Reported by you"}
NAMES = ("q", "status", "severity", "tag", *FLAGS, *DATES)
ORDERS = {"updated": "Latest news", "opened": "Date opened", "severity": "Severity", "number": "Case number"}
WEEK = "week"
# What it means that nothing fits, where no more than this was asked for.
NOTHING = {
    ("waiting", "yes"): "No case waits for your answer.",
    ("unread", "yes"): "There is no news you have not read.",
    ("mine", "yes"): "None of these cases was reported by you.",
    ("status", "open"): "No case is open.",
    ("status", "Closed"): "No case is closed.",
    ("updated_from", WEEK): "There was no news in the last 7 days.",
}


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
        return "News in the last 7 days" if text == WEEK else f"{DATES[name]} {times.calendar_day(text)}"
    if name == "severity":
        return f"Severity: {SEVERITY[int(text)]}"
    if name == "status":
        return f"Status: {STATUSES[text].split(' (')[0]}"
    return f"{'Search' if name == 'q' else 'Tag'}: {text}"


def nothing(chosen: Chosen) -> tuple[str, str]:
    """What to say where nothing fits, and what to do about it: the same of a number they may not see and of one that is nowhere."""
    asked = [(name, text) for name, text in chosen.texts.items() if name != "sort"]
    number = chosen.wishes.words.removeprefix("#")
    if number.isascii() and number.isdecimal() and number[0] != "0" and len(number) < 19:
        return f"No case #{number} is shared with you.", "Look whether the number is right."
    if len(asked) == 1 and asked[0] in NOTHING:
        return NOTHING[asked[0]], ""
    for start, end, word in (("opened_from", "opened_to", "Opened"), ("updated_from", "updated_to", "Latest news")):
        first, last = getattr(chosen.wishes, start), getattr(chosen.wishes, end)
        if first and last and first >= last:
            return "None of your cases fits", f"{word}: the day at “from” comes after the day at “to”. Change one of them."
    if chosen.wishes.words:
        return "None of your cases fits", "Try fewer or other words, or the beginning of a word with a * behind it, as in mail*."
    return "None of your cases fits", "Ask for less at once." if len(asked) > 1 else ""


def quick(chosen: Chosen, *, can_write: bool, can_report: bool) -> list[tuple[str, str, bool]]:
    """The filters for everybody: words, address, whether the list is just that now."""
    offered = [("All", {}), ("Open", {"status": "open"})]
    offered += [("Waiting for your answer", {"waiting": "yes"})] if can_write else []
    offered += [("Reported by you", {"mine": "yes"})] if can_report else []
    offered += [("News this week", {"updated_from": WEEK}), ("Closed", {"status": "Closed"})]
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
