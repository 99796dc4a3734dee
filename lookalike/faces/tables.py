"""The one reader of CSV, as spreadsheets, pandas and people write it."""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import BinaryIO

from lookalike.faces.errors import FacesError

FILE_HEADINGS = ("file_name", "filename", "file", "image", "photo", "path")
"""Headings of a column of file names, as `tidy_heading` gives them."""

_CODE_PAGES = ("cp1251", "cp1252", "cp1250", "cp1253", "koi8-r", "cp866", "mac-roman")
"""The first of equals is taken."""


class BadLine(FacesError):
    """A line of a table that cannot be used. ``line`` counts from 1; ``problem`` says why."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"Line {line}: {problem}.")
        self.line = line
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Table:
    """A table being read. ``encoding`` is Python's name for it.

    ``rows`` yields (number of the row's first line, cells) for every row that is not blank.
    It raises BadLine for broken quotes and for bytes that the encoding does not allow.
    """

    encoding: str
    rows: Iterator[tuple[int, list[str]]]


def read_table(source: Path | bytes) -> Table:
    """Begin to read a table: find its encoding and its separator (comma, semicolon or tab).

    A first line ``sep=;`` names the separator. Raises OSError, and BadLine if this is not
    text, or text of no known encoding.
    """
    with _open(source) as file:
        encoding = _find_encoding(file)
    return Table(encoding, _read_rows(source, encoding))


def tidy_heading(cell: str) -> str:
    """A heading for comparing: "Date of birth" becomes "date_of_birth"."""
    return re.sub(r"[\s_-]+", "_", cell.strip().lower())


def _open(source: Path | bytes) -> BinaryIO:
    return io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")


def _read_rows(source: Path | bytes, encoding: str) -> Iterator[tuple[int, list[str]]]:
    with io.TextIOWrapper(_open(source), encoding, newline="") as text:
        yield from _split_rows(text)


def _split_rows(text: io.TextIOWrapper) -> Iterator[tuple[int, list[str]]]:
    line = 1
    try:
        first = text.readline()
        stated = re.fullmatch(r'"?sep=(.)"?\s*', first)
        if stated:
            first, line = text.readline(), 2
        while first and not first.strip():
            first, line = text.readline(), line + 1
        delimiter = stated[1] if stated else _guess_delimiter(first)
        reader = csv.reader(chain([first], text), delimiter=delimiter, strict=True)
        before = line
        for cells in reader:
            if any("\0" in cell for cell in cells):
                raise BadLine(line, "this is not plain text: it contains NUL characters")
            if any(cell.strip() for cell in cells):
                yield line, cells
            line = before + reader.line_num
    except csv.Error as error:
        raise BadLine(line, f"the quotes or separators are broken ({error})") from error
    except UnicodeDecodeError as error:
        raise BadLine(line, f"the text is not {text.encoding}") from error


def _guess_delimiter(line: str) -> str:
    """The most frequent one outside quotes; a semicolon counts double for its decimal commas."""
    bare = re.sub(r'"[^"]*"?', "", line)
    return max("\t,;|", key=lambda sign: bare.count(sign) * (2 if sign == ";" else 1))


def _find_encoding(file: BinaryIO) -> str:
    """UTF-8, UTF-16 with a byte order mark, or the Windows code page that fits best."""
    start = file.read(4)
    if start.startswith(b"PK\x03\x04"):
        raise BadLine(1, "this is a spreadsheet or an archive; save the table as CSV")
    if start.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if len(start) == 4 and (nul := [byte == 0 for byte in start]) in (_NUL_LE, _NUL_BE):
        return "utf-16-le" if nul == _NUL_LE else "utf-16-be"
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for block in iter(lambda: file.read(1 << 20), b""):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        _check_mixture(file)
        return _guess_code_page(file)
    return "utf-8"


def _check_mixture(file: BinaryIO) -> None:
    """Raises BadLine if most letters beyond ASCII are in UTF-8, as when files were joined."""
    file.seek(0)
    beyond = right = broken = 0
    for number, line in enumerate(file, 1):
        here = len(re.findall(rb"[\x80-\xff]", line))
        fitting = sum(map(len, _UTF8_LETTER.findall(line)))
        beyond, right = beyond + here, right + fitting
        broken = broken or (number if fitting < here else 0)
    if right > beyond / 2:
        raise BadLine(broken, "the text is not UTF-8 as the rest is")


_UTF8_LETTER = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
# ASCII at the start of UTF-16 without a byte order mark.
_NUL_LE = [False, True, False, True]
_NUL_BE = [True, False, True, False]


def _guess_code_page(file: BinaryIO) -> str:
    """The code page in which the fewest words look odd.

    charset-normalizer needs paragraphs: it takes "José" in cp1252 for cp1251.
    """
    file.seek(0)
    sample = b" ".join(islice((line for line in file if not line.isascii()), 500))
    odd = {encoding: _share_of_odd(sample.decode(encoding, "replace")) for encoding in _CODE_PAGES}
    best = min(odd, key=odd.__getitem__)
    if odd[best] > 0.3:
        raise BadLine(1, "the encoding of the text is unknown; save the table as UTF-8")
    return best


def _share_of_odd(text: str) -> float:
    words = [word for word in re.findall(r"[A-Za-z\x80-\U0010ffff]+", text) if not word.isascii()]
    return sum(map(_looks_odd, words)) / max(len(words), 1)


# Signs that no name has, Greek letters that are rare or end a word, six Russian consonants, and
# four Latin letters that are all accented.
_ODD = re.compile("[§¶†‡•‰ΐΰ]|ς.|[бвгджзйклмнпрстфхцчшщ]{6}|[À-ɏ]{4}", re.IGNORECASE)


def _looks_odd(word: str) -> bool:
    """True for mixed alphabets, a symbol, a capital where none belongs, and what `_ODD` finds."""
    return (
        _ODD.search(word) is not None
        or (any(sign.isascii() for sign in word) and any("Ѐ" <= sign <= "ӿ" for sign in word))
        or any(unicodedata.category(sign)[0] in "SNC" for sign in word)
        or has_odd_capital(word)
    )


def has_odd_capital(word: str) -> bool:
    """True for a capital after a small letter, and for two before one."""
    after_small = any(one.islower() and two.isupper() for one, two in pairwise(word))
    threes = zip(word, word[1:], word[2:], strict=False)
    return after_small or any(
        one.isupper() and two.isupper() and three.islower() for one, two, three in threes
    )
