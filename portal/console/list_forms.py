"""What the list of cases is narrowed to and ordered by, as it stands in its address: read, told in chips, written again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask import g

from ..cases import statuses
from ..cases.listing import ORDERS, SHARED_STATES, SIZES, Filters
from ..cases.narrowing import DATES
from ..web.filters import SEVERITY, STAGE, TLP
from ..web.lists import address_with, day_asked

LONGEST = 1024
SHARED_WORDS = {"all": "With all", "selected": "With selected", "not": "Not shared", "restricted": "Restricted"}
DATE_WORDS = {"opened": "Opened", "updated": "Updated", "began": "Began", "closed": "Closed"}
DATE_FIELDS = {
    f"{name}_{end}": f"{word} {said}"
    for name, word in DATE_WORDS.items()
    if name in DATES
    for end, said in (("from", "on or after"), ("to", "on or before"))
}
LABELS = {
    "q": "Search",
    "stage": "Stage",
    "severity": "Severity",
    "assignee": "Assignee",
    "shared": "Shared",
    "status": "Status",
    "tlp": "TLP",
    "tag": "Tag",
    "flagged": "Flagged",
    "outside": "Reported by",
    "field": "Field",
    **DATE_FIELDS,
}
# What stays on the bar; the rest waits behind "More filters".
IN_THE_BAR = ("stage", "severity", "assignee", "shared")
BEHIND = tuple(name for name in LABELS if name not in (*IN_THE_BAR, "q"))
SORTED_FIRST = {"title": "title", "status": "status", "number": "-number", "severity": "-severity"}  # the rest: latest first


@dataclass(frozen=True)
class Chosen:
    """The filters that make sense, as text for addresses and as values for the question."""

    texts: dict[str, str]
    filters: Filters

    def url(self, endpoint: str = ".cases", *, without: tuple[str, ...] = (), **more: Any) -> str:
        """The address of the list with these filters, but for some."""
        values: dict[str, Any] = {name: text for name, text in self.texts.items() if name not in without}
        return address_with(f"console{endpoint}", values | more)

    @property
    def more(self) -> int:
        """How many of those behind "More filters" are set."""
        return sum(name in self.texts for name in BEHIND)


@dataclass(frozen=True)
class Options:
    """What can be chosen where the database says so: value and label."""

    people: list[tuple[str, str]]
    fields: list[tuple[str, str]]
    statuses: list[tuple[str, str]]


def read(args: Mapping[str, str], options: Options) -> Chosen:
    """What in the address makes sense; the rest is left out."""
    texts = {name: args[name].strip() for name in (*LABELS, "value", "sort", "size") if args.get(name, "").strip()}
    texts = {name: text for name, text in texts.items() if len(text) <= LONGEST or name == "q"}
    values = {name: value for name, text in texts.items() if (value := _value(name, text, options)) is not None}
    if "field" not in values or "value" not in values:
        values.pop("field", None)
        values.pop("value", None)
    texts = {name: text for name, text in texts.items() if name in values and not (name == "size" and values["size"] == SIZES[0])}
    return Chosen(texts, Filters(**values))


def _value(name: str, text: str, options: Options) -> Any:
    """The text as the question wants it; None when it makes no sense."""
    if "\0" in text:
        return None
    return day_asked(text, after=name.endswith("_to")) if name in DATE_FIELDS else READERS[name](text, options)


def _one_of(known: Callable[[Options], list[tuple[str, str]]]) -> Callable[[str, Options], str | None]:
    return lambda text, options: text if any(text == value for value, _ in known(options)) else None


def _assignee(text: str, options: Options) -> int | None:
    if text == "me":
        return int(g.viewer.user_id)
    if text == "nobody":
        return 0
    return int(text) if any(text == value for value, _ in options.people) else None


def _yes(text: str, _options: Options) -> bool | None:
    return True if text == "yes" else None


def _number(*known: int) -> Callable[[str, Options], int | None]:
    return lambda text, _options: next((number for number in known if text == str(number)), None)


READERS: dict[str, Callable[[str, Options], Any]] = {
    "q": lambda text, _: text,
    "stage": lambda text, _: text if text in STAGE else None,
    "status": _one_of(lambda options: options.statuses),
    "severity": _number(*SEVERITY),
    "assignee": _assignee,
    "shared": lambda text, _: text if text in SHARED_STATES else None,
    "tlp": _number(*TLP),
    "tag": lambda text, _: text,
    "flagged": _yes,
    "outside": _yes,
    "field": lambda text, options: int(text) if any(text == value for value, _ in options.fields) else None,
    "value": lambda text, _: text,
    "sort": lambda text, _: text if text.removeprefix("-") in ORDERS else None,
    "size": _number(*SIZES),
}


def words_of(chosen: Chosen, options: Options) -> list[tuple[str, str]]:
    """Each active filter in words, with the address of the list without it."""
    told = []
    for name, text in chosen.texts.items():
        if name in ("sort", "size", "value"):
            continue
        gone = ("field", "value") if name == "field" else (name,)
        told.append((_words(name, text, chosen, options), chosen.url(without=gone)))
    return told


def _words(name: str, text: str, chosen: Chosen, options: Options) -> str:
    if name == "field":
        return f"{dict(options.fields)[text]}: {chosen.texts['value']}"
    if name == "outside":
        return "Reported by external users"
    if name == "flagged":
        return "Flagged"
    known: dict[str, str] = dict(choices_of(name, options))
    word = known.get(text, text)
    return f"{LABELS[name]} {word}" if name in DATE_FIELDS else f"{LABELS[name]}: {word}"


def choices_of(name: str, options: Options) -> tuple[tuple[str, str], ...]:
    """What a filter can be set to."""
    if name == "assignee":
        return (("me", "Me"), ("nobody", "Nobody"), *options.people)
    if name in ("field", "status"):
        return tuple(getattr(options, "fields" if name == "field" else "statuses"))
    return _fixed(name)


@lru_cache(maxsize=32)
def _fixed(name: str) -> tuple[tuple[str, str], ...]:
    known: dict[str, Mapping[Any, str]] = {"stage": STAGE, "severity": SEVERITY, "tlp": TLP, "shared": SHARED_WORDS}
    return tuple((str(value), word) for value, word in known.get(name, {}).items())


def headers(chosen: Chosen, name: str, *, down: bool) -> dict[str, tuple[str, str]]:
    """For each column that sorts: how it is sorted now, in ARIA's words, and where its heading leads: up, down, off.

    `name`, `down`: the order the list is in.
    """
    sorts = {}
    for column in ("severity", "number", "title", "status", "began", "opened", "updated"):
        first = SORTED_FIRST.get(column, f"-{column}")
        second = first.removeprefix("-") if first.startswith("-") else f"-{first}"
        now = chosen.filters.sort
        following = {"sort": second} if now == first else {} if now == second else {"sort": first}
        said = ("descending" if down else "ascending") if column == name else ""
        sorts[column] = (said, chosen.url(without=("sort",), **following))
    return sorts


def status_choices() -> list[tuple[str, str]]:
    """Every status there is, hidden ones too: cases may have them."""
    return [(word.value, word.label) for word in statuses.words().values()]
