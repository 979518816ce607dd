"""What a verb raises when it will not do a thing: sentences for people, turned into answers by web.errors."""

from __future__ import annotations


class Refusal(Exception):
    """The act is not possible as things stand; `sentence` tells the person why and what would be right."""

    status = 409

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence := str(sentence))  # said here, where the language of whoever asked is spoken
        self.sentence = sentence


class Stale(Refusal):
    """Somebody else changed the thing in between; the newer state must be shown before anything is overwritten."""


class NotAllowed(Refusal):
    """A colleague lacks the right (403): they may know that the thing exists."""

    status = 403


class Unfit(Refusal):
    """What was typed into one field will not do; `field` says which, so that the sentence stands beside it. `other`: of another field."""

    status = 422

    def __init__(self, field: str, sentence: str, other: Unfit | None = None) -> None:
        super().__init__(sentence)
        self.field, self.other = field, other


class TooMany(Refusal):
    """A limit is used up; `retry_after` says in how many seconds another try makes sense."""

    status = 429

    def __init__(self, sentence: str, retry_after: int) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class NotVisible(Exception):
    """For this person the thing does not exist (404): the same answer as for what was never there."""
