"""Phone numbers as people write them."""

from __future__ import annotations

import re
import unicodedata

from ..refusals import Unfit
from ..words import _

# One digit is enough in-house; an extension comes last, as people of each language write it.
_SHAPE = re.compile(
    r"(?=[+(]*[0-9])[0-9+()\-/. ]+(?:(?:(?:ext|x|poste|int|dw|durchwahl)\.?|#) ?[0-9]{1,10})?",
    re.IGNORECASE,
)
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2212"), "-")  # word processors have dashes of their own


def tidied(line: str, known: str = "") -> str:
    """The number, refused at its field when it is none; what is stored already may stay as it is."""
    shown = (c for c in line.translate(_DASHES) if unicodedata.category(c) != "Cf")  # no marks of direction, copied along unseen
    number = "".join(shown).strip()
    if not number or line == known or _SHAPE.fullmatch(number):
        return line if line == known else number
    raise Unfit(
        "phone",
        _("Type a phone number such as +49 30 1234567: digits, spaces and + ( ) - / . only. An extension can follow, such as ext. 12."),
    )
