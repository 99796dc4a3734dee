"""Embed portraits, store and delete their files. The web process may import this module."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from celery.exceptions import SoftTimeLimitExceeded
from django.core.files.base import ContentFile
from django.db import models, transaction
from django.utils import timezone

from celebrities.do_not_import import hash_picture
from celebrities.models import Celebrity, IndexBuild, Portrait, gallery_storage
from celebrities.sweeping import storing
from lookalike import engine
from lookalike.chunks import batched
from lookalike.faces.errors import Reason
from lookalike.faces.types import EncoderId, Face, Vectors

if TYPE_CHECKING:
    from celebrities.portraits import Reading
    from lookalike.faces.pipeline import FaceEngine

logger = logging.getLogger(__name__)

BATCH = 16
"""Portraits read at once: full batches for the encoder, bounded memory."""

CHUNK = 1000

NOTHING_NEXT = {"next_encoder": "", "next_reason": "", "next_vector": None}

RETRY_AFTER = timedelta(minutes=10)
"""A waiting portrait that could not be read is not tried again before."""


def embed_portraits(portraits: Iterable[Portrait]) -> None:
    """Read each portrait's file and set status, reason, face, vector and files.

    In batches, each stored as soon as it is read; then photos of several faces once more, of
    the same people, since their other portraits may decide. A portrait that is deleted or given
    another file meanwhile stays as it is. So does one whose file is unreachable or
    whose processing fails: this is logged and stored in ``problem``; the rest continue.
    Raises WeightsMissing or DeviceMissing when there is no engine.
    """
    faces = engine.get_engine()
    people: set[int] = set()
    for batch in batched(portraits, BATCH):
        _embed_batch(faces, batch)
        people.update(portrait.celebrity_id for portrait in batch)
    several = models.Q(reason=Reason.SEVERAL_FACES) | models.Q(next_reason=Reason.SEVERAL_FACES)
    unclear = Portrait.objects.filter(several, celebrity__in=people)
    for batch in batched(unclear, BATCH):
        _embed_batch(faces, batch)


def _embed_batch(faces: FaceEngine, batch: Sequence[Portrait]) -> None:
    fresh = [portrait for portrait in batch if not portrait.width]
    known = [portrait for portrait in batch if portrait.width]
    for group, keep in ((fresh, False), (known, True)):
        files = {}
        for portrait in group:
            with noted_problems(portrait):
                files[portrait] = read_file(portrait)
        for portrait, reading in _read_group(faces, files, keep).items():
            with noted_problems(portrait):
                store_reading(portrait, reading, str(EncoderId.of(faces.encoder)))


def _read_group(
    faces: FaceEngine, files: dict[Portrait, bytes], keep: bool
) -> dict[Portrait, Reading]:
    """Read one by one if the batch fails, so that only the cause is left out."""
    try:
        return _read(faces, files, keep)
    except SoftTimeLimitExceeded:
        raise
    except Exception:  # noqa: BLE001 - each portrait then reports its own problem.
        logger.warning("A batch of portraits failed and is read one by one")
    alone: dict[Portrait, Reading] = {}
    for portrait, data in files.items():
        with noted_problems(portrait):
            alone |= _read(faces, {portrait: data}, keep)
    return alone


def _read(faces: FaceEngine, files: dict[Portrait, bytes], keep: bool) -> dict[Portrait, Reading]:
    from celebrities.portraits import read_portraits

    portraits, encoder = list(files), str(EncoderId.of(faces.encoder))

    def find_others(position: int) -> Vectors | None:
        portrait = portraits[position]
        return read_vectors(portrait.celebrity, encoder, without=portrait.pk)

    readings = read_portraits(
        faces,
        list(files.values()),
        find_others=find_others,
        find_choice=lambda position: portraits[position].chosen_face,
        keep_pictures=keep,
    )
    return dict(zip(portraits, readings, strict=True))


def read_vectors(
    person: Celebrity | None, encoder: str, *, without: int | None = None
) -> Vectors | None:
    """The vectors, (n, d), of a person's ready portraits; None without any."""
    if person is None or person.pk is None:
        return None
    own = Portrait.objects.read_by(encoder).filter(celebrity=person)
    rows: Iterable[Any] = own.values_list("pk", "vector_read")  # type: ignore[misc]
    vectors = [bytes(each or b"") for pk, each in rows if pk != without]
    return np.array([np.frombuffer(each, "<f4") for each in vectors]) if vectors else None


@contextmanager
def noted_problems(portrait: Portrait) -> Iterator[None]:
    """Log a failure inside and note it on the portrait's row, which otherwise stays as it is.
    The time limit passes."""
    name = portrait.image.name
    try:
        yield
    except SoftTimeLimitExceeded:
        raise
    except Exception as error:
        missing = isinstance(error, FileNotFoundError)
        if missing:
            logger.warning("Portrait %s could not be read: its file is missing", portrait.pk)
        else:
            logger.exception("Portrait %s could not be read", portrait.pk)
        problem = "the file is missing" if missing else f"{type(error).__name__}: {error}"
        Portrait.objects.filter(pk=portrait.pk, image=name).update(
            problem=problem[:200], retry_at=timezone.now() + RETRY_AFTER
        )


def read_file(portrait: Portrait) -> bytes:
    """Raises what the storage raises, such as FileNotFoundError, and OSError for an empty file."""
    with gallery_storage().open(str(portrait.image.name)) as file:
        data = bytes(file.read())
    if not data:
        raise OSError(f"the storage has no bytes of {portrait.image.name}")
    return data


def store_reading(portrait: Portrait, reading: Reading, encoder: str) -> None:
    """Update the row from a reading and store its files under new names; the old files are
    deleted. A portrait without a primary key is added, and must have celebrity and hash.

    While the build in use needs the vector of another encoder, the new one waits beside it."""
    before = portrait.file_names
    is_next = is_needed(portrait, encoder)
    values = next_values(reading, encoder) if is_next else reading_values(reading, encoder)
    with storing():
        if reading.picture and not (is_next and reading.error):
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
                same = same.exclude(status=Portrait.Status.REJECTED)
                stored = bool(same.update(**values))
        finally:
            kept = set(portrait.file_names)
            remove_files(set(before) - kept if stored else kept - set(before))
        # The person's other portraits have another nearest one now, perhaps.
        mine = Portrait.objects.filter(celebrity=portrait.celebrity_id)
        mine.exclude(compared_at=None).update(compared_at=None)


def is_needed(portrait: Portrait, encoder: str) -> bool:
    """Whether the build in use is made of the portrait's vector, by another than this encoder."""
    if portrait.status != Portrait.Status.READY or portrait.encoder == encoder:
        return False
    current = IndexBuild.objects.current()
    return current is not None and current.encoder == portrait.encoder


def reading_values(reading: Reading, encoder: str) -> dict[str, Any]:
    """The row's fields for a reading, without those of the files."""
    error, face = reading.error, reading.face
    return {
        **NOTHING_NEXT,
        "status": Portrait.Status.FAILED if error else Portrait.Status.READY,
        "reason": error.reason if error else "",
        "problem": "",
        "retry_at": None,
        "encoder": encoder,
        "embedded_at": timezone.now(),
        **_face_values(face),
        "vector": face and face.vector.astype("<f4").tobytes(),
        "faces": [[round(float(side), 2) for side in box] for box in reading.rivals] or None,
        "compared_at": None,
        "phash": f"{hash_picture(reading.picture):064x}" if reading.picture else "",
    }


def next_values(reading: Reading, encoder: str) -> dict[str, Any]:
    """The row's fields for a reading by the encoder of the next build."""
    error, face = reading.error, reading.face
    return {
        "problem": "",
        "retry_at": None,
        "next_encoder": encoder,
        "next_reason": error.reason if error else "",
        "next_vector": face and face.vector.astype("<f4").tobytes(),
        **(_face_values(face) if face else {}),
    }


def _face_values(face: Face | None) -> dict[str, Any]:
    return {
        "box": face and [round(float(side), 2) for side in face.box],
        "landmarks": face and [[round(x, 2), round(y, 2)] for x, y in face.landmarks.tolist()],
        "confidence": face and float(face.confidence),
    }


def take_next_readings(encoder: str) -> None:
    """Replace the vectors of encoders before by those that this one has read, some at a time."""
    waiting = Portrait.objects.filter(next_encoder=encoder)
    while some := list(waiting.values_list("pk", flat=True)[:CHUNK]):
        rows = waiting.filter(pk__in=some)
        rows.exclude(next_reason="").update(
            status=Portrait.Status.FAILED,
            reason=models.F("next_reason"),
            vector=None,
            encoder=encoder,
            **NOTHING_NEXT,
        )
        rows.update(
            vector=models.F("next_vector"), encoder=encoder, compared_at=None, **NOTHING_NEXT
        )


def save_files(reading: Reading) -> dict[str, Any]:
    """Store the files under a new name, and return the row's fields for them."""
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
    """Delete portraits with their files, and return their number."""
    gone = list(portraits.defer("vector"))
    names = [name for portrait in gone for name in portrait.file_names]
    with transaction.atomic():
        note_change({portrait.celebrity_id for portrait in gone})
        _, counts = portraits.delete()
        transaction.on_commit(lambda: remove_files(names))
    return counts.get(Portrait._meta.label, 0)


def confirm_portraits(portraits: models.QuerySet[Portrait]) -> int:
    """Say that portraits show the person they are filed under, and return their number."""
    chosen = Portrait.objects.filter(pk__in=portraits.order_by().values("pk"))
    with transaction.atomic():
        note_change(set(chosen.values_list("celebrity_id", flat=True)))
        return chosen.update(flag=Portrait.Flag.CONFIRMED)


def note_change(people: Iterable[int]) -> None:
    """Have searches look at these people's portraits again, and the next build compare them."""
    people = list(people)
    Celebrity.objects.filter(pk__in=people).update(updated_at=timezone.now())
    Portrait.objects.filter(celebrity__in=people).update(compared_at=None)


def delete_celebrities(people: models.QuerySet[Celebrity]) -> int:
    """Delete people with their portraits and files, and return their number."""
    with transaction.atomic():
        delete_portraits(Portrait.objects.filter(celebrity__in=people.order_by().values("pk")))
        _, counts = people.delete()
    return counts.get(Celebrity._meta.label, 0)


def remove_files(names: Iterable[str]) -> None:
    storage = gallery_storage()
    for name in names:
        storage.delete(name)
