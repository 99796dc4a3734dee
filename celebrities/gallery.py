"""What spans people, files and engine: embed a portrait, keep its files, take it away.

The web process may import this module: the engine loads its networks only when asked.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from django.core.files.base import ContentFile
from django.db import models, transaction
from django.utils import timezone

from celebrities.index.builds import (
    Progress,
    current_build,
    encoder_id,
    gallery_changed,
    make_build,
)
from celebrities.models import Celebrity, IndexBuild, Portrait, gallery_storage
from celebrities.portraits import Reading, read_portraits
from lookalike import engine

__all__ = [
    "current_build",
    "delete_celebrities",
    "delete_portraits",
    "embed_portraits",
    "gallery_changed",
    "rebuild_index",
    "store_reading",
]

T = TypeVar("T")

BATCH = 16
"""Portraits read together: enough for the encoder's batches, little enough for memory."""


def rebuild_index(progress: Progress | None = None) -> IndexBuild:
    """Embed what is not embedded by the encoder in use, build the index, put it in use.

    Searches go on with the build before meanwhile. Raises BuildRunning when another process
    is at it, EmptyGallery (with every build withdrawn) when nobody is searchable, and
    WeightsMissing or DeviceMissing when there is no engine.
    """
    encoder = engine.get_engine().encoder
    embed_outdated(encoder_id(encoder), progress)
    return make_build(encoder, progress)


def embed_outdated(encoder: str, progress: Progress | None = None) -> None:
    """Embed the portraits that wait, and those that another encoder has read."""
    outdated = list(Portrait.objects.outdated(encoder).values_list("pk", flat=True))
    for start in range(0, len(outdated), BATCH):
        if progress is not None:
            progress("embedding portraits", start / len(outdated))
        embed_portraits(Portrait.objects.filter(pk__in=outdated[start : start + BATCH]))


def embed_portraits(portraits: Iterable[Portrait]) -> None:
    """Read each portrait's file and set status, reason, face, vector and files.

    In batches, each stored as soon as it is read. A portrait that is deleted or given
    another file meanwhile is left as it is. Raises WeightsMissing or DeviceMissing when
    there is no engine, and OSError when the storage cannot be read.
    """
    faces = engine.get_engine()
    for batch in batched(portraits, BATCH):
        fresh = [portrait for portrait in batch if not portrait.width]
        known = [portrait for portrait in batch if portrait.width]
        for group, keep in ((fresh, False), (known, True)):
            files = [read_file(portrait) for portrait in group]
            readings = read_portraits(faces, files, keep_pictures=keep)
            for portrait, reading in zip(group, readings, strict=True):
                store_reading(portrait, reading, encoder_id(faces.encoder))


def read_file(portrait: Portrait) -> bytes:
    """The bytes of the portrait's file; none when it is gone, which reads as unreadable."""
    try:
        with gallery_storage().open(str(portrait.image.name)) as file:
            return bytes(file.read())
    except FileNotFoundError:
        return b""


def store_reading(portrait: Portrait, reading: Reading, encoder: str) -> None:
    """Set the row to what was read, with files of new names; the files before go.

    A new portrait (without a primary key) is added, and must have celebrity and hash.
    """
    before = portrait.file_names
    values = reading_values(reading, encoder)
    if reading.picture:
        values.update(save_files(reading))
    for name, value in values.items():
        setattr(portrait, name, value)
    stored = False
    try:
        if portrait.pk is None:
            portrait.save(force_insert=True)
            stored = True
        else:
            same = Portrait.objects.filter(pk=portrait.pk, image=before[0])
            stored = bool(same.update(**values))
    finally:
        kept = set(portrait.file_names)
        remove_files(set(before) - kept if stored else kept - set(before))


def reading_values(reading: Reading, encoder: str) -> dict[str, Any]:
    """The row's fields that say what was read, without the files."""
    values: dict[str, Any] = {
        "status": Portrait.Status.FAILED if reading.reason else Portrait.Status.READY,
        "reason": reading.reason,
        "encoder": encoder,
        "embedded_at": timezone.now(),
        "box": None,
        "landmarks": None,
        "confidence": None,
        "vector": None,
    }
    if reading.face is not None:
        face = reading.face
        values["box"] = [round(float(side), 2) for side in face.box]
        values["landmarks"] = [[round(float(x), 2), round(float(y), 2)] for x, y in face.landmarks]
        values["confidence"] = float(face.confidence)
        values["vector"] = face.vector.astype("<f4").tobytes()
    return values


def save_files(reading: Reading) -> dict[str, Any]:
    """Write the reading's files under a new name, and say which in the row's fields."""
    key = uuid.uuid4().hex
    stem = f"portraits/{key[:2]}/{key}"
    files = {f"{stem}.jpg": reading.picture}
    if reading.chip:
        files[f"{stem}-chip.jpg"] = reading.chip
    for width, data in reading.thumbnails.items():
        files[f"{stem}-{width}.webp"] = data
    storage = gallery_storage()
    for name, data in files.items():
        storage.save(name, ContentFile(data))
    return {
        "image": f"{stem}.jpg",
        "chip": f"{stem}-chip.jpg" if reading.chip else "",
        "width": reading.width,
        "height": reading.height,
        "thumbnail_width": max(reading.thumbnails, default=0),
    }


def delete_portraits(portraits: models.QuerySet[Portrait]) -> int:
    """Delete portraits with their files, and return how many there were."""
    names = [name for portrait in portraits.defer("vector") for name in portrait.file_names]
    with transaction.atomic():
        _, counts = portraits.delete()
        transaction.on_commit(lambda: remove_files(names))
    return counts.get(Portrait._meta.label, 0)


def delete_celebrities(people: models.QuerySet[Celebrity]) -> int:
    """Delete people with their portraits and all files, and return how many there were."""
    with transaction.atomic():
        delete_portraits(Portrait.objects.filter(celebrity__in=people.order_by().values("pk")))
        _, counts = people.delete()
    return counts.get(Celebrity._meta.label, 0)


def remove_files(names: Iterable[str]) -> None:
    storage = gallery_storage()
    for name in names:
        storage.delete(name)


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of ``size`` items, the last one shorter."""
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch
