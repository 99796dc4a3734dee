"""Names as people type them, in any script."""

from __future__ import annotations

import re
import unicodedata

from anyascii import anyascii

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


# What is written in several ways and sounds much the same, in the order of looking for it.
_SOUNDS = [
    (re.compile(pattern), sound)
    for pattern, sound in (
        ("^u(?=[aeio])", "v"),
        ("ch(?=[lr])", "k"),
        ("shch|tsch|sch|tch|sh|ch", "s"),
        ("dzh|dj|zh|dg(?=e)|g(?=[ei])", "j"),
        ("kh", "h"),
        ("ph", "f"),
        ("gh", ""),
        ("th", "t"),
        ("ck|qu|q", "k"),
        ("x", "ks"),
        ("w", "v"),
        ("ts|tz|z", "s"),
        ("c(?=[eiy])", "s"),
        ("c", "k"),
        ("(?<=.)h", ""),
        ("^[aeiouy]+", "a"),
        ("(?<!^)[aeiouy]", ""),
        (r"(.)\1+", r"\1"),
    )
]
# Begin and end of a sound: nothing that folded text has, so typing finds no sound by accident.
_LATIN, _OTHER, _END = "|", "~", "."


def romanise(word: str) -> str:
    """A folded word of any script in Latin letters, as far as letters alone can tell: kanji come
    out in their Chinese reading."""
    return fold(anyascii(unicodedata.normalize("NFC", word)))


def sound_out(word: str) -> str:
    """How a word of any script sounds, roughly: the consonants in Latin letters, so that
    "Шварценеггер" and "Schwarzenegger" agree. Vowels differ too much between languages."""
    sound = re.sub("[^a-z]", "", romanise(word))
    for pattern, replacement in _SOUNDS:
        sound = pattern.sub(replacement, sound)
    return sound


def make_search_key(names: str) -> str:
    """What names, one a line, are found by: their words folded, those of other scripts in Latin
    letters, and how each word and each whole name sounds."""
    words = fold(names).split()
    wholes = [fold(name).replace(" ", "") for name in names.splitlines()]
    latin = [romanise(word) for word in words if not word.isascii()]
    sounds = [
        f"{_LATIN if word.isascii() else _OTHER}{sound}{_END}"
        for word in dict.fromkeys([*words, *wholes])
        if len(sound := sound_out(word)) > 1
    ]
    return " ".join([*words, *latin, *sounds])


def list_spellings(word: str) -> list[str]:
    """The parts of search keys that a folded, typed word may stand for: itself; typed in another
    script also in Latin letters and by its sound; typed in Latin by the sound of names in others.
    A sound of two consonants is only taken for a whole word, a longer one for the beginning."""
    sound = sound_out(word)
    end = _END if len(sound) < 3 else ""
    marks = _OTHER if word.isascii() else _LATIN + _OTHER
    sounds = [f"{mark}{sound}{end}" for mark in marks if len(sound) > 1]
    return [word, *([] if word.isascii() else [romanise(word)]), *sounds]
