"""Vectors as a table in plain text: a file name a line, then the vector's numbers.

The first line may be a header. One written here names the encoder, as
``file_name,dlib/1/0,dlib/1/1,...``, so that vectors never meet those of another encoder.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from lookalike.faces.errors import FacesError
from lookalike.faces.types import Vector, Vectors

NAME_COLUMN = "file_name"
LARGEST = float(np.finfo(np.float32).max)


class BadLine(FacesError):
    """A line of the file that cannot be used. ``line`` counts from 1."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"Line {line}: {problem}.")
        self.line = line


@dataclass(frozen=True, slots=True, eq=False)
class VectorTable:
    """What a file holds. Row i of ``vectors``, (n, d) float32, belongs to ``names[i]`` and
    stands on line ``lines[i]``. Every row is finite and not zero; its length is as written.
    ``encoder`` is "name/version" as the header states it, or empty."""

    names: list[str]
    vectors: Vectors
    lines: list[int]
    encoder: str


def write_vectors(
    file: IO[str], rows: Iterable[tuple[str, Vector]], *, encoder: str = "", header: bool = False
) -> int:
    """Write a line per (file name, vector) and return how many.

    Numbers take the fewest digits that read back as the same float32. With ``header``, a
    first line names the ``encoder`` ("name/version"). ``file`` is open for text with
    ``newline=""``.
    """
    writer = csv.writer(file, lineterminator="\n")
    count = 0
    for name, vector in rows:
        if header and count == 0:
            writer.writerow(_header(encoder, len(vector)))
        writer.writerow([name, *map(str, np.asarray(vector, np.float32))])
        count += 1
    return count


def read_vectors(path: Path) -> VectorTable:
    """Read the whole file.

    Raises BadLine, naming the first line that has no name, a name that stood before,
    another count of numbers than the first, something that is no finite number, or a
    vector of zeros; and when there is no vector at all.
    """
    names: list[str] = []
    vectors: list[Vector] = []
    lines: dict[str, int] = {}
    encoder = ""
    with path.open(encoding="utf-8-sig", newline="") as file:
        for line, row in _read_rows(file):
            if not vectors and line == 1 and _is_header(row):
                encoder = _stated_encoder(row)
                continue
            vector = _parse_vector(line, row[1:], len(vectors[0]) if vectors else None)
            _check_name(line, row[0], lines)
            names.append(row[0])
            vectors.append(vector)
            lines[row[0]] = line
    if not vectors:
        raise BadLine(1, "there is no vector in the file")
    return VectorTable(names, np.stack(vectors), list(lines.values()), encoder)


def _read_rows(file: IO[str]) -> Iterator[tuple[int, list[str]]]:
    """(line number, fields) of each line that isn't blank."""
    reader = csv.reader(file, strict=True)
    try:
        for row in reader:
            if row:
                yield reader.line_num, row
    except csv.Error as problem:
        raise BadLine(reader.line_num, f"this is not comma-separated text ({problem})") from problem
    except UnicodeDecodeError as problem:
        raise BadLine(reader.line_num + 1, "the text is not UTF-8") from problem


def _header(encoder: str, dimensions: int) -> list[str]:
    prefix = f"{encoder}/" if encoder else ""
    return [NAME_COLUMN, *(f"{prefix}{number}" for number in range(dimensions))]


def _is_header(row: Sequence[str]) -> bool:
    return row[0] == NAME_COLUMN or (len(row) > 1 and _parse_number(row[1]) is None)


def _stated_encoder(row: Sequence[str]) -> str:
    stated = {re.sub(r"/\d+$", "", column) for column in row[1:]}
    encoder = stated.pop() if len(stated) == 1 else ""
    return encoder if re.fullmatch(r"[^/]+/[^/]+", encoder) else ""


def _check_name(line: int, name: str, lines: dict[str, int]) -> None:
    if not name.strip():
        raise BadLine(line, "there is no file name")
    if name in lines:
        raise BadLine(line, f"{name} stood already on line {lines[name]}")


def _parse_vector(line: int, fields: Sequence[str], dimensions: int | None) -> Vector:
    if not fields:
        raise BadLine(line, "there is no number behind the file name")
    if dimensions is not None and len(fields) != dimensions:
        raise BadLine(line, f"{len(fields)} numbers, where the lines before have {dimensions}")
    numbers = [_parse_number(text) for text in fields]
    for text, number in zip(fields, numbers, strict=True):
        if number is None:
            raise BadLine(line, f'"{text[:40]}" is not a number')
        if not abs(number) <= LARGEST:
            raise BadLine(line, f'"{text[:40]}" is not a finite number')
    vector = np.array(numbers, np.float32)
    if not np.any(vector):
        raise BadLine(line, "the vector is zero")
    return vector


def _parse_number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def normalise(vectors: Vectors) -> Vectors:
    """Each row at unit length; rows are finite and not zero."""
    # In double precision, so that neither tiny nor huge numbers spoil the length.
    wide = vectors.astype(np.float64)
    lengths = np.sqrt((wide * wide).sum(axis=1, keepdims=True))
    return np.asarray(wide / lengths, np.float32)
