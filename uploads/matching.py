"""The worker's side: a photo -> faces -> matches, each step only under the latest claim."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Sequence
from uuid import UUID

import numpy as np
from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction
from django.utils import timezone

from celebrities.errors import EmptyGallery, NoIndex
from celebrities.filters import Filters
from celebrities.index.search import SearchResult, find_lookalikes
from celebrities.models import Portrait
from celebrities.photos import open_to_keep
from lookalike.engine import get_engine
from lookalike.faces.errors import IndexProblem, PhotoError
from lookalike.faces.photos.jpeg import encode_jpeg
from lookalike.faces.types import Face, Neighbour, Photo
from uploads.claims import ClaimLost, claim_upload, update_claimed
from uploads.crops import cut_faces
from uploads.failures import failure_of
from uploads.models import Match, Upload, UploadedFace
from uploads.storage import delete_files, delete_folder, delete_strays, read_file, store_file

logger = logging.getLogger(__name__)

MAX_FACES = 8


class NoFace(Exception):
    """The photo shows no face from any side."""


def match_upload(upload_id: UUID, *, redelivered: bool = False) -> None:
    """Bring one upload to its end: done, or failed with a reason. Never raises for either.

    Does nothing when the upload is gone, finished, or in another worker's hands. Nothing
    about the visitor is logged, and the faces' vectors die with this call.
    """
    upload = claim_upload(upload_id, redelivered=redelivered)
    if upload is None:
        return
    try:
        _match_claimed(upload)
    except ClaimLost:
        _end_quietly(upload)
    except Exception as error:
        _fail(upload, error)


def _match_claimed(upload: Upload) -> None:
    photo = _keep_photo(upload)
    engine = get_engine()
    turned, detections = engine.find_faces(photo, max_faces=MAX_FACES)
    if not detections:
        raise NoFace
    if turned is not photo:
        _store_photo(upload, turned)
    faces = engine.encode_faces(turned, detections)
    update_claimed(upload, stage=Upload.Stage.COMPARING)
    found, says = _search(upload, faces)
    rows = cut_faces(upload, turned.pixels, faces)
    try:
        _finish(upload, rows, found, says)
    except ClaimLost:
        delete_files([name for row in rows for name in (row.crop.name, row.chip.name)])
        raise


def _keep_photo(upload: Upload) -> Photo:
    """The upright photo of at most STORED_SIDE pixels, kept without metadata in place of the
    bytes received. An attempt that follows a lost one may find that done already."""
    kept = {upload.received.name, upload.photo.name}
    delete_strays(upload.pk, kept)
    name = upload.received.name or upload.photo.name
    # Of a long narrow photo what is kept has a side under the least that may be sent.
    photo = open_to_keep(read_file(name), min_side=None if upload.received else 1)
    if upload.received:
        _store_photo(upload, photo)
    else:
        update_claimed(upload, stage=Upload.Stage.FINDING)
    return photo


def _store_photo(upload: Upload, photo: Photo) -> None:
    """Put the photo in the place of whatever was kept or received, which is deleted. It is
    the one whose faces are to be found."""
    replaced = [upload.received.name, upload.photo.name]
    height, width = photo.pixels.shape[:2]
    name = store_file(upload.pk, encode_jpeg(photo.pixels, 88), ".jpg")
    try:
        update_claimed(
            upload,
            photo=name,
            received="",
            width=width,
            height=height,
            stage=Upload.Stage.FINDING,
        )
    except ClaimLost:
        delete_files([name])
        raise
    delete_files(replaced)


def _search(
    upload: Upload, faces: Sequence[Face]
) -> tuple[dict[str, list[list[Neighbour]]], dict[str, object]]:
    """Neighbours by kind of search, one list a face, and what the row is to say of it."""
    filters = Filters(upload.category, upload.gender, upload.living_only)
    vectors = np.stack([face.vector for face in faces])
    result = find_lookalikes(vectors, k=upload.k, filters=filters)
    if not any(result.neighbours):
        raise EmptyGallery
    found = {Match.Search.APPROXIMATE.value: result.neighbours}
    says: dict[str, object] = {
        "build_name": result.build.name,
        "encoder": result.build.encoder,
        "compared_with": result.compared_with,
        "approximate_ms": result.ms,
    }
    if upload.exhaustive:
        exact: SearchResult = find_lookalikes(vectors, k=upload.k, filters=filters, method="exact")
        found[Match.Search.EXACT.value], says["exact_ms"] = exact.neighbours, exact.ms
    return found, says


def _finish(
    upload: Upload,
    faces: list[UploadedFace],
    found: dict[str, list[list[Neighbour]]],
    says: dict[str, object],
) -> None:
    """Faces, matches and the status in one transaction, under the claim or not at all."""
    with transaction.atomic():
        update_claimed(
            upload,
            status=Upload.Status.DONE,
            stage=Upload.Stage.NONE,
            finished_at=timezone.now(),
            **says,
        )
        UploadedFace.objects.bulk_create(faces)
        Match.objects.bulk_create(_match_rows(faces, found))


def _match_rows(faces: list[UploadedFace], found: dict[str, list[list[Neighbour]]]) -> list[Match]:
    """A row for each neighbour whose portrait the gallery still has."""
    wanted = {near.portrait_id for lists in found.values() for one in lists for near in one}
    there = set(Portrait.objects.filter(pk__in=wanted).values_list("pk", flat=True))
    rows = []
    for search, lists in found.items():
        for face, neighbours in zip(faces, lists, strict=True):
            kept = [near for near in neighbours if near.portrait_id in there]
            rows += [_match_row(face, search, rank, near) for rank, near in enumerate(kept, 1)]
    return rows


def _match_row(face: UploadedFace, search: str, rank: int, near: Neighbour) -> Match:
    return Match(
        face=face,
        search=search,
        rank=rank,
        celebrity_id=near.celebrity_id,
        portrait_id=near.portrait_id,
        distance=near.distance,
        similarity=near.similarity,
    )


def _fail(upload: Upload, error: Exception) -> None:
    """Write down why it failed; what was received goes, the stored photo stays to be shown."""
    failure, detail = _name_failure(error)
    try:
        update_claimed(
            upload,
            status=Upload.Status.FAILED,
            stage=Upload.Stage.NONE,
            failure=failure,
            detail=detail,
            received="",
            finished_at=timezone.now(),
        )
    except ClaimLost:
        _end_quietly(upload)
    else:
        delete_strays(upload.pk, {upload.photo.name})


def _name_failure(error: Exception) -> tuple[Upload.Failure, str]:
    if _is_timeout(error):
        return Upload.Failure.TOOK_TOO_LONG, ""
    match error:
        case NoFace():
            return Upload.Failure.NO_FACE, ""
        case PhotoError():
            return failure_of(error)
        case EmptyGallery():
            return Upload.Failure.EMPTY_GALLERY, ""
        case NoIndex():
            return Upload.Failure.NO_INDEX, ""
        case IndexProblem():
            # These exceptions speak of the index's files, never of a visitor.
            logger.error("no search is possible: %s", error)
            return Upload.Failure.NO_INDEX, ""
    # The message of an unknown exception may hold anything, so only its place is logged.
    place = "".join(traceback.format_tb(error.__traceback__))
    logger.error("an upload failed with %s\n%s", type(error).__name__, place)
    return Upload.Failure.INTERNAL, ""


def _end_quietly(upload: Upload) -> None:
    """The claim is gone: leave no file behind if the whole upload is gone with it."""
    if not Upload.objects.filter(pk=upload.pk).exists():
        delete_folder(upload.pk)


def _is_timeout(error: BaseException | None) -> bool:
    """Whether the time limit struck, perhaps inside a decoder that renamed the exception."""
    while error is not None:
        if isinstance(error, SoftTimeLimitExceeded):
            return True
        error = error.__cause__ or error.__context__
    return False
