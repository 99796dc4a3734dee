"""The component ``embedding`` in text files."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from lookalike.batch.columns import Column, make_column
from lookalike.faces.tables import read_table
from lookalike.faces.types import Vector
from lookalike.faces.vectors_csv import NAME_COLUMN, is_heading, read_vectors, write_vectors

_writing = threading.Lock()


def dump_vectors(
    path: Path,
    names: Sequence[str],
    vectors: Column,
    *,
    mode: str = "w",
    header: bool = False,
    encoder: str = "",
) -> None:
    """Write one row per photo that has a vector.

    ``mode`` "a" appends; the heading is only written to an empty file. Batches that are
    prefetched in threads write one at a time.
    """
    rows = [row for row in zip(names, vectors, strict=True) if row[1] is not None]
    with _writing, path.open(mode, encoding="utf-8", newline="") as file:
        write_vectors(file, rows, encoder=encoder, header=header and file.tell() == 0)


def load_vectors(path: Path, names: Sequence[str]) -> tuple[Column, str]:
    """The vectors of ``names``, None for those not in the file, and the encoder that its
    heading states ("" for none). Raises BadLine."""
    status = path.stat()
    rows, encoder = _read_once(path.resolve(), status.st_mtime_ns, status.st_size)
    return make_column([rows.get(name) for name in names]), encoder


@lru_cache(maxsize=1)
def _read_once(path: Path, changed: int, size: int) -> tuple[dict[str, Vector], str]:
    """The file's vectors by name, cached because every batch of a run asks for them."""
    table = read_vectors(path)
    return dict(zip(table.names, table.vectors, strict=True)), table.encoder


def load_table(
    path: Path,
    indices: Sequence[Any],
    components: Sequence[str],
    post: Callable[..., Any],
    **options: Any,
) -> dict[str, Column]:
    """Columns that ``post`` makes of a table of any shape.

    ``post(data, src=, fmt=, components=, **options)`` gets the rows of ``indices`` as a
    pandas DataFrame and returns a mapping, or a DataFrame, from component to values. A table
    without a heading, as `dump_vectors` writes by default, gets file_name, 0, 1, 2, ...
    """
    import pandas  # type: ignore[import-untyped]

    heading = {} if {"header", "names"} & options.keys() else _missing_heading(path)
    data = pandas.read_csv(path, **heading, **options).loc[list(indices)]
    made: Mapping[str, Any] = post(
        data, src=str(path), fmt="csv", components=tuple(components), **options
    )
    return {component: make_column(list(made[component])) for component in components}


def _missing_heading(path: Path) -> dict[str, Any]:
    _, first = next(read_table(path).rows, (1, [""]))
    if is_heading(first):
        return {}
    return {"header": None, "names": [NAME_COLUMN, *map(str, range(len(first) - 1))]}


def as_vector(value: Any) -> Any:
    """A loaded value as a (d,) float32 vector; None and NaN as None."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    return np.asarray(value, np.float32)
