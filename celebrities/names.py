"""Names as people type them, in any script."""

from __future__ import annotations

import unicodedata

# Letters that no accent can be taken off, as people type them on a plain keyboard.
_PLAIN_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"}
)
_APOSTROPHES = "'’‘ʼʹ`´"


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
