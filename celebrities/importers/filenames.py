"""Names of files as sources give them: their encoding, their form, and left-overs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from pathlib import PurePosixPath

from lookalike.faces.tables import has_odd_capital

LEFTOVERS = {
    "thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
    "picasa.ini",
    "zbthumbnail.info",
    "pspbrwse.jbf",
    "__macosx",
    "@eadir",
    "@__thumb",
    "@recycle",
    "@recently-snapshot",
    "#recycle",
    "#snapshot",
    "$recycle.bin",
    "recycler",
    "lost+found",
    "system volume information",
    "icon\r",
    "network trash folder",
    "temporary items",
    "thumbs",
    "thumb",
    "thumbnails",
    "_thumbs",
    "_thumb",
    "_thumbnails",
}
# Hidden files, "..", thumbnails and notes beside a picture, and files of half a copy.
_LEFTOVER = re.compile(
    r"\.|~\$|_?thumb_|synophoto_|synoindex_|synothumb|.*:zone\.identifier$|.*~$"
    r"|.*\.(aae|bak|bts|crdownload|ctg|db|ini|lnk|lrcat|lrprev|part|partial|thm|tmp|xmp)$"
)

ZIP_ENCODINGS = ("cp437", "cp850", "cp866", "cp1251", "cp1252", "cp932")
"""What names in a ZIP may be written in if it doesn't say. DOS's code pages come first, since
Windows packs with them."""

TAR_ENCODINGS = ("cp1251", "cp1252", "cp866", "cp437", "cp932")

_SIGNS = "'’.,&()[]!+#@~ªº°№-–—_ "


def tidy_path(name: str) -> str:
    """A relative path in composed letters, with "/" between folders."""
    path = unicodedata.normalize("NFC", name).replace("\\", "/")
    path = re.sub(r"^[A-Za-z]:(?=/)", "", path)
    return "/".join(part for part in path.split("/") if part not in ("", "."))


def find_leftover(path: str) -> str:
    """The part of a path that only a system or another program needs, or ""."""
    for part in PurePosixPath(path).parts:
        word = part.lower()
        if word in LEFTOVERS or _LEFTOVER.match(word):
            return part
    return ""


def decode_names(names: Sequence[bytes], encodings: Sequence[str]) -> list[str | None]:
    """Names as text: UTF-8, or else the one of ``encodings`` in which the fewest names look
    odd, the first of equals. None for a name in an unknown encoding."""
    foreign = [name for name in names if not _is_utf8(name)]
    odd = {each: sum(_looks_odd(name, each) for name in foreign) for each in encodings}
    best = min(odd, key=odd.__getitem__)
    known = odd[best] <= len(foreign) / 3

    def decode(name: bytes) -> str | None:
        if _is_utf8(name):
            return name.decode()
        return name.decode(best) if known and not _looks_odd(name, best) else None

    return list(map(decode, names))


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


def _looks_odd(name: bytes, encoding: str) -> bool:
    """True if it cannot be decoded, has signs that names don't have, or mixes alphabets or
    small and capital letters within a word."""
    try:
        text = name.decode(encoding)
    except UnicodeDecodeError:
        return True
    if any(_is_sign(sign) for sign in text if not sign.isascii() and sign not in _SIGNS):
        return True
    return any(map(_mixes, re.findall(r"[^\W\d_]+", text)))


def _is_sign(sign: str) -> bool:
    return unicodedata.category(sign)[0] in "SNPCZ"


def _mixes(word: str) -> bool:
    alphabets = {unicodedata.name(sign, "?").partition(" ")[0] for sign in word}
    mixed = len(alphabets) > 1 and not alphabets <= {"HIRAGANA", "KATAKANA", "CJK"}
    return mixed or (not word.isascii() and has_odd_capital(word))
