"""Export vectors to a table whose rows name portraits by file name, and import such a table."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np
from django.utils import timezone

from celebrities.errors import BadSource
from celebrities.models import Portrait
from lookalike import engine
from lookalike.chunks import batched
from lookalike.faces.tables import BadLine
from lookalike.faces.types import Encoder, EncoderId, Vector
from lookalike.faces.vectors_csv import VectorTable, normalise, read_vectors, write_vectors

CHUNK = 1000


def export_vectors(path: Path) -> int:
    """Write every vector of the encoder in use, under a heading that states it, and return
    how many there are. The file appears complete or not at all. Raises OSError."""
    encoder = str(EncoderId.of(engine.get_engine().encoder))
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("x", encoding="utf-8", newline="") as file:
            count = write_vectors(file, _stored_vectors(encoder), encoder=encoder, header=True)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return count


def _stored_vectors(encoder: str) -> Iterator[tuple[str, Vector]]:
    rows = Portrait.objects.ready().filter(encoder=encoder).order_by("pk")
    for image, vector in rows.values_list("image", "vector").iterator(chunk_size=CHUNK):
        yield PurePosixPath(image).name, np.frombuffer(bytes(vector or b""), "<f4")


def import_vectors(path: Path, *, stated: str = "", photos: Path | None = None) -> int:
    """Give portraits the vectors of a table, at unit length, and return how many got one.

    ``stated`` is the encoder ("name/version") of a table whose heading does not state it.
    With ``photos``, rows name files of that folder, and every portrait imported from such a
    file gets its vector. The whole table is checked before anything changes: raises BadLine,
    BadSource if the vectors are of another encoder than the site's, and OSError.
    """
    table = read_vectors(path)
    encoder = engine.get_engine().encoder
    _check_encoder(table, stated, encoder)
    same = {"encoder": str(EncoderId.of(encoder)), "embedded_at": timezone.now()}
    changed = (
        Portrait(pk=key, vector=vector.astype("<f4").tobytes(), **same)
        for keys, vector in zip(
            _find_portraits(table, photos), normalise(table.vectors), strict=True
        )
        for key in keys
    )
    fields = ["vector", *same]
    return sum(Portrait.objects.bulk_update(rows, fields) for rows in batched(changed, CHUNK))


def _check_encoder(table: VectorTable, stated: str, encoder: Encoder) -> None:
    wanted = str(EncoderId.of(encoder))
    if table.encoder and stated and table.encoder != stated:
        raise BadSource(f"The file's heading says {table.encoder}, not {stated}.")
    found = table.encoder or stated
    if not found:
        raise BadSource(
            "The file does not state the encoder of its vectors. "
            f"Name it, for example --encoder {wanted}."
        )
    if found != wanted:
        raise BadSource(
            f"The vectors are of {found}, and the site uses {wanted}. Choose the same encoder "
            f"here (LOOKALIKE_ENCODER), or compute the vectors with {wanted}."
        )
    count = table.vectors.shape[1]
    if count != encoder.dimensions:
        raise BadLine(table.lines[0], f"{count} numbers, and {wanted} has {encoder.dimensions}")


def _find_portraits(table: VectorTable, photos: Path | None) -> list[list[int]]:
    """The portraits of each row of the table. Raises BadLine."""
    named = list(zip(table.lines, table.names, strict=True))
    if photos:
        keys = [_hash_of(photos, name, line) for line, name in named]
    else:
        keys = [PurePosixPath(name).name for name in table.names]
    known: dict[str, list[tuple[int, str]]] = {key: [] for key in keys}
    rows = Portrait.objects.values_list("pk", "image_hash" if photos else "image", "status")
    for number, value, status in rows.iterator(chunk_size=CHUNK):
        if (key := PurePosixPath(value).name) in known:
            known[key].append((number, status))
    for key, (line, name) in zip(keys, named, strict=True):
        statuses = {status for _, status in known[key]}
        if not statuses:
            raise BadLine(line, f"{name} is not a portrait of this gallery")
        if Portrait.Status.PENDING in statuses:
            raise BadLine(line, f"{name} has not been read yet: run rebuild_index first")
        if Portrait.Status.FAILED in statuses:
            raise BadLine(line, f"{name} has no usable face")
    return [[number for number, _ in known[key]] for key in keys]


def _hash_of(photos: Path, name: str, line: int) -> str:
    try:
        return hashlib.sha256((photos / name).read_bytes()).hexdigest()
    except FileNotFoundError:
        raise BadLine(line, f"there is no {name} in {photos}") from None
