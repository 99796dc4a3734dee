"""The component ``embedding`` to text files and back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from lookalike.batch.columns import Column, make_column
from lookalike.faces.types import Vector
from lookalike.faces.vectors_csv import read_vectors, write_vectors

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
    """Write a line per photo that has a vector.

    ``mode`` "a" appends to what is there, with a header only at the beginning of the file.
    Batches that are prefetched in threads write one at a time.
    """
    rows = [(name, vector) for name, vector in zip(names, vectors, strict=True)]
    known = [(name, vector) for name, vector in rows if vector is not None]
    with _writing, path.open(mode, encoding="utf-8", newline="") as file:
        write_vectors(file, known, encoder=encoder, header=header and file.tell() == 0)


def load_vectors(path: Path, names: Sequence[str]) -> tuple[Column, str]:
    """The vectors of ``names`` from a file that `dump_vectors` or ``manage.py
    export_vectors`` wrote, None for those that aren't in it, and the encoder that its
    header states ("" for none). Raises BadLine."""
    status = path.stat()
    rows, encoder = _read_once(path.resolve(), status.st_mtime_ns, status.st_size)
    return make_column([rows.get(name) for name in names]), encoder


@lru_cache(maxsize=1)
def _read_once(path: Path, changed: int, size: int) -> tuple[dict[str, Vector], str]:
    """The file's vectors by name. Each batch of a run asks for the same file, so the last one
    is kept until it changes."""
    table = read_vectors(path)
    return dict(zip(table.names, table.vectors, strict=True)), table.encoder


def load_table(
    path: Path,
    indices: Sequence[Any],
    components: Sequence[str],
    post: Callable[..., Any],
    **options: Any,
) -> dict[str, Column]:
    """Columns that ``post`` makes of another program's table.

    ``post(data, src=, fmt=, components=, **options)`` takes the rows of ``indices`` as a
    pandas DataFrame and returns a mapping, or a DataFrame, from component to values.
    """
    import pandas  # type: ignore[import-untyped]

    data = pandas.read_csv(path, **options).loc[list(indices)]
    made: Mapping[str, Any] = post(
        data, src=str(path), fmt="csv", components=tuple(components), **options
    )
    return {component: make_column(list(made[component])) for component in components}


def as_vector(value: Any) -> Any:
    """A loaded value as a (d,) float32 vector; None and NaN, which stand for none, as None."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    return np.asarray(value, np.float32)
