"""What both applications are measured with: 10,000 cases, 50,000 comments, 200 people; the same every time."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

CASES, STAFF, GUESTS = 10_000, 20, 180
# Further accounts, so that there are 10,000: outside people of the measured organisation, and people of others.
CROWD, ELSEWHERE, OTHERS = 8_800, 1_000, 10
GUEST_CASES = 500  # what the measured guest sees
LONG_TALK = 20  # comments on case 1, the measured case page
USUAL_TALK = 5
SHORTER = LONG_TALK - USUAL_TALK  # so many cases have one comment less, to make 50,000
LAST = datetime(2026, 11, 20, 12, tzinfo=UTC)
STATUSES = ("New", "InProgress", "InProgress", "TruePositive", "FalsePositive")
SUBJECTS = ("Phishing mail to", "Odd sign-in of", "Malware on the laptop of", "Data sent out by", "Lost phone of", "Port scan from")
OBJECTS = ("the finance team", "a contractor", "the Oslo office", "a build server", "two executives", "the web shop", "a kiosk")
SENTENCES = """
the host was taken off the network and the image is with forensics please confirm whether anybody opened the attachment before noon
we reset the account and looked at sign-ins of the last thirty days nothing else stands out the sender domain is blocked since this morning
"""
WORDS = SENTENCES.split()


@dataclass(frozen=True)
class Talk:
    """A comment. `by_guest` tells whose number `author` is."""

    number: int
    author: int
    by_guest: bool
    text: str
    at: datetime


@dataclass(frozen=True)
class Incident:
    """A case, its owner among the staff and the one guest it is shared with, both counted from 1."""

    number: int
    title: str
    body: str
    status: str
    severity: int
    owner: int
    guest: int
    created_at: datetime
    updated_at: datetime
    talk: tuple[Talk, ...]


def _text(dice: random.Random, words: int) -> str:
    return " ".join(dice.choices(WORDS, k=words)).capitalize() + "."


def _length(number: int) -> int:
    if number == 1:
        return LONG_TALK
    return USUAL_TALK - 1 if number > CASES - SHORTER else USUAL_TALK


def incidents() -> Iterator[Incident]:
    """All cases in the order of their numbers. Case 1 changed last, so that it leads both lists."""
    dice = random.Random(2026)
    talked = 0
    for number in range(1, CASES + 1):
        updated = LAST if number == 1 else LAST - timedelta(seconds=dice.randint(60, 2 * 365 * 86400))
        created = updated - timedelta(hours=dice.randint(1, 400))
        guest = 1 if number % (CASES // GUEST_CASES) == 1 else dice.randint(2, GUESTS)
        talk = []
        for place in range(_length(number)):
            talked += 1
            by_guest = place % 2 == 1
            author = guest if by_guest else dice.randint(1, STAFF)
            talk.append(Talk(talked, author, by_guest, _text(dice, 35), created + (updated - created) * (place + 1) / _length(number)))
        yield Incident(
            number,
            f"{dice.choice(SUBJECTS)} {dice.choice(OBJECTS)} ({number})",
            _text(dice, 120),
            dice.choice(STATUSES),
            dice.randint(1, 4),
            dice.randint(1, STAFF),
            guest,
            created,
            updated,
            tuple(talk),
        )
