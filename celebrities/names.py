"""Names as people type them, in any script."""

from __future__ import annotations

import re
import unicodedata

# Letters that no accent can be taken off, as people type them on a plain keyboard.
_PLAIN_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"}
)
_APOSTROPHES = "'’‘ʼʹ`´"


# Marks that are seen only by what they do to other letters: turn the direction of writing, part
# words, begin a file. The joiners of Persian and Indian scripts are none of them.
_UNSEEN = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)


def tidy(text: str) -> str:
    """A name as it is stored: composed letters, one space between words, nothing unseen."""
    return " ".join(_UNSEEN.sub("", unicodedata.normalize("NFC", text)).split())


def fold(text: str) -> str:
    """Text of any script for comparing names: case, combining marks and punctuation dropped,
    one space between words."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(_PLAIN_LETTERS))
    kept = "".join(
        " " if unicodedata.category(sign).startswith("P") else sign
        for sign in decomposed
        if not unicodedata.combining(sign) and sign not in _APOSTROPHES
    )
    return " ".join(kept.split())
