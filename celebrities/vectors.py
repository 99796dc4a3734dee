"""The gallery's vectors to a text file, and vectors computed elsewhere back from one.

A line names a portrait by its file's name in the gallery, as `export_vectors` writes it
and as a batch over the gallery's own files names its photos.
"""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from celebrities.errors import BadSource
from celebrities.index.builds import encoder_id
from celebrities.models import Portrait
from lookalike import engine

if TYPE_CHECKING:
    from lookalike.faces.types import Encoder, Vector
    from lookalike.faces.vectors_csv import VectorTable

CHUNK = 1000


def export_vectors(path: Path) -> int:
    """Write every vector of the encoder in use, with a header that states it, and return how
    many there are. The file appears whole or not at all. Raises OSError."""
    from lookalike.faces.vectors_csv import write_vectors

    encoder = encoder_id(engine.get_engine().encoder)
    beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with beside.open("x", encoding="utf-8", newline="") as file:
            count = write_vectors(file, _stored_vectors(encoder), encoder=encoder, header=True)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return count


def _stored_vectors(encoder: str) -> Iterator[tuple[str, Vector]]:
    import numpy as np

    rows = Portrait.objects.ready().filter(encoder=encoder).order_by("pk")
    for image, vector in rows.values_list("image", "vector").iterator(chunk_size=CHUNK):
        yield (
            PurePosixPath(image).name,
            np.frombuffer(bytes(vector or b""), "<f4").astype(np.float32),
        )


def import_vectors(path: Path, *, stated: str = "", photos: Path | None = None) -> int:
    """Give portraits the vectors of a file, and return how many got one.

    ``stated`` is the encoder ("name/version") of a file that doesn't say itself. With
    ``photos``, lines name files of that folder, and each portrait that was imported from
    such a file gets its vector. Vectors are brought to unit length. All is checked before
    anything changes: raises BadLine, which names the line, BadSource when the vectors are
    another encoder's than the site's, and OSError.
    """
    from lookalike.faces.vectors_csv import normalise, read_vectors

    table = read_vectors(path)
    encoder = engine.get_engine().encoder
    _check_encoder(table, stated, encoder)
    portraits = _find_portraits(table, photos)
    now = timezone.now()
    rows = zip(portraits, normalise(table.vectors), strict=True)
    changed = [
        Portrait(
            pk=pk,
            vector=vector.astype("<f4").tobytes(),
            encoder=encoder_id(encoder),
            embedded_at=now,
        )
        for keys, vector in rows
        for pk in keys
    ]
    with transaction.atomic():
        Portrait.objects.bulk_update(changed, ["vector", "encoder", "embedded_at"], CHUNK)
    return len(changed)


def _check_encoder(table: VectorTable, stated: str, encoder: Encoder) -> None:
    from lookalike.faces.vectors_csv import BadLine

    wanted = encoder_id(encoder)
    if table.encoder and stated and table.encoder != stated:
        raise BadSource(f"The file's header says {table.encoder}, not {stated}.")
    found = table.encoder or stated
    if not found:
        raise BadSource(
            "The file doesn't say which encoder made its vectors. "
            f"Say so with --encoder, for example --encoder {wanted}."
        )
    if found != wanted:
        raise BadSource(
            f"The vectors are of {found}, and the site compares visitors by {wanted}. Choose "
            "the same encoder here (LOOKALIKE_ENCODER), or compute the vectors with this one."
        )
    if table.vectors.shape[1] != encoder.dimensions:
        raise BadLine(
            table.lines[0],
            f"{table.vectors.shape[1]} numbers, and {wanted} has {encoder.dimensions}",
        )


def _find_portraits(table: VectorTable, photos: Path | None) -> list[list[int]]:
    """The portraits that each line names. Raises BadLine."""
    from lookalike.faces.vectors_csv import BadLine

    known = _portraits_by_hash() if photos else _portraits_by_name()
    found = []
    for line, name in zip(table.lines, table.names, strict=True):
        rows = known.get(_hash_of(photos, name, line) if photos else PurePosixPath(name).name)
        if not rows:
            raise BadLine(line, f"{name} is no portrait of this gallery")
        statuses = {status for _, status in rows}
        if Portrait.Status.PENDING in statuses:
            raise BadLine(line, f"{name} waits to be read: run rebuild_index on its own before")
        if Portrait.Status.FAILED in statuses:
            raise BadLine(line, f"{name} has no face that this site can show")
        found.append([key for key, _ in rows])
    return found


Rows = dict[str, list[tuple[int, str]]]


def _portraits_by_name() -> Rows:
    rows: Rows = defaultdict(list)
    for key, image, status in Portrait.objects.values_list("pk", "image", "status"):
        rows[PurePosixPath(image).name].append((key, status))
    return rows


def _portraits_by_hash() -> Rows:
    rows: Rows = defaultdict(list)
    for key, digest, status in Portrait.objects.values_list("pk", "image_hash", "status"):
        rows[digest].append((key, status))
    return rows


def _hash_of(photos: Path, name: str, line: int) -> str:
    from lookalike.faces.vectors_csv import BadLine

    try:
        return hashlib.sha256((photos / name).read_bytes()).hexdigest()
    except FileNotFoundError:
        raise BadLine(line, f"there is no {name} in {photos}") from None
