"""Vectors as a table: one photo per row, its file name and then the vector's numbers.

A heading written here names the encoder, as ``file_name,dlib/1/0,dlib/1/1,...``. Tables of
other programs may have any heading or none.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from lookalike.faces.tables import FILE_HEADINGS, BadLine, read_table, tidy_heading
from lookalike.faces.types import Vector, Vectors

NAME_COLUMN = FILE_HEADINGS[0]
_NAME_HEADINGS = (*FILE_HEADINGS, "name", "index")
# pandas writes row numbers under an empty heading, and reads that heading as "Unnamed: 0".
_ROW_NUMBERS = re.compile(r"|index|unnamed:_\d+")
# Numbers in a form that only Python reads: np.float32(0.1), [0.1 0.2].
_PYTHON_NUMBERS = re.compile(r"\s*(np\.|\[)")
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True, eq=False)
class VectorTable:
    """Row i of ``vectors``, (n, d) float32, belongs to ``names[i]`` and begins on line
    ``lines[i]``. Every row is finite and not zero, and has its original length. ``encoder``
    is "name/version" if the heading states it, otherwise empty."""

    names: list[str]
    vectors: Vectors
    lines: list[int]
    encoder: str


class _Columns(NamedTuple):
    name: int
    numbers: Sequence[int]


def write_vectors(
    file: IO[str], rows: Iterable[tuple[str, Vector]], *, encoder: str = "", header: bool = False
) -> int:
    """Write (file name, vector) rows and return how many there were.

    Numbers take the fewest digits that read back as the same float32. With ``header``, a
    heading names the ``encoder`` ("name/version"). Open ``file`` for text with ``newline=""``.
    """
    writer = csv.writer(file, lineterminator="\n")
    count = 0
    for name, vector in rows:
        if header and count == 0:
            prefix = f"{encoder}/" if encoder else ""
            writer.writerow([NAME_COLUMN, *(f"{prefix}{at}" for at in range(len(vector)))])
        writer.writerow([name, *map(str, np.asarray(vector, np.float32))])
        count += 1
    return count


def read_vectors(path: Path) -> VectorTable:
    """Read a whole table.

    Raises BadLine for a heading that belongs neither to the file name nor to the vector; for a
    name that is missing or repeated; for a vector of another length than the first, not
    finite, or zero; and if there is no vector at all.
    """
    vectors: list[Vector] = []
    lines: dict[str, int] = {}
    heading: list[str] = []
    columns = None
    for line, cells in read_table(path).rows:
        if columns is None and is_heading(cells):
            heading, columns = cells, _find_columns(line, cells)
        if cells == heading:  # Appended tables repeat it.
            continue
        columns = columns or _Columns(0, range(1, len(cells)))
        name, vector = _parse_row(line, cells, columns)
        if name in lines:
            raise BadLine(line, f"{name} is already on line {lines[name]}")
        lines[name] = line
        vectors.append(vector)
    if not vectors:
        raise BadLine(1, "there is no vector in the file")
    encoder = _stated_encoder(heading, columns)
    return VectorTable(list(lines), np.stack(vectors), list(lines.values()), encoder)


def is_heading(cells: Sequence[str]) -> bool:
    """True if this first row names columns: a known heading of file names, no number at all,
    or the column numbers 0, 1, 2, ... that pandas writes for a matrix."""
    numbers = [cell for cell in cells[1:] if _is_number(cell) or _PYTHON_NUMBERS.match(cell)]
    if any(tidy_heading(cell) in _NAME_HEADINGS for cell in cells):
        return all(cell.strip().isdigit() for cell in numbers)
    return len(cells) > 1 and (_counts_up(cells[1:]) or not numbers)


def _find_columns(line: int, heading: Sequence[str]) -> _Columns:
    words = [tidy_heading(cell) for cell in heading]
    name = next((words.index(word) for word in _NAME_HEADINGS if word in words), 0)
    others = [
        at for at, word in enumerate(words) if at != name and not _ROW_NUMBERS.fullmatch(word)
    ]
    unknown = [f'"{heading[at]}"' for at in others if not words[at][-1:].isdigit()]
    if 0 < len(unknown) < len(others):
        raise BadLine(
            line, f"the column {unknown[0]} is neither the file name nor part of the vector"
        )
    return _Columns(name, others)


def _stated_encoder(heading: Sequence[str], columns: _Columns | None) -> str:
    numbers = columns.numbers if heading and columns else ()
    stated = {re.sub(r"/\d+$", "", heading[at]) for at in numbers}
    encoder = stated.pop() if len(stated) == 1 else ""
    return encoder if re.fullmatch(r"[^/]+/[^/]+", encoder) else ""


def _parse_row(line: int, cells: Sequence[str], columns: _Columns) -> tuple[str, Vector]:
    name = cells[columns.name] if columns.name < len(cells) else ""
    if not name.strip():
        raise BadLine(line, "there is no file name")
    if not columns.numbers:
        raise BadLine(
            line, "there is no number after the file name; separate them by comma, semicolon or tab"
        )
    expected = len(columns.numbers)
    surplus = len(cells) - 1 - max(columns.name, *columns.numbers)
    if surplus:
        raise BadLine(line, f"{expected + surplus} numbers, expected {expected}")
    texts = [cells[at] for at in columns.numbers]
    if _counts_up(texts):
        raise BadLine(line, "this is a heading, not a vector")
    vector = np.array([_parse_number(line, text) for text in texts], np.float32)
    if not np.any(vector):
        raise BadLine(line, "the vector is zero")
    return name, vector


def _counts_up(texts: Sequence[str]) -> bool:
    """Column numbers from 0 or 1. Two of them may as well be a vector."""
    return len(texts) > 2 and any(
        all(text.strip() == str(at) for at, text in enumerate(texts, start)) for start in (0, 1)
    )


def _parse_number(line: int, text: str) -> float:
    if not _is_number(text):
        advice = "; write plain numbers" if _PYTHON_NUMBERS.match(text) else ""
        raise BadLine(line, f'"{text[:40]}" is not a number{advice}')
    number = float(text.replace(",", "."))
    if not abs(number) <= _LARGEST:
        raise BadLine(line, f'"{text[:40]}" is not a finite number')
    return number


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


def normalise(vectors: Vectors) -> Vectors:
    """Each row at unit length; rows are finite and not zero."""
    # In double precision, since squares of tiny and huge float32 values leave its range.
    wide = vectors.astype(np.float64)
    return np.asarray(wide / np.linalg.norm(wide, axis=1, keepdims=True), np.float32)
