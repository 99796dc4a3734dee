"""The worker's side: claim -> read -> find faces -> store -> encode -> search -> save."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterable, Sequence
from itertools import chain
from uuid import UUID

import numpy as np
from celery.exceptions import SoftTimeLimitExceeded
from django.db import IntegrityError, transaction
from django.utils import timezone

from celebrities.errors import EmptyGallery, GalleryError, NoIndex
from celebrities.filters import Filters
from celebrities.index.search import (
    Opened,
    SearchResult,
    encoder_of,
    find_lookalikes,
    open_current,
)
from celebrities.models import Celebrity, Portrait
from celebrities.photos import open_strangers, open_to_keep
from lookalike.engine import get_engine, get_finder
from lookalike.faces.encoders import find_spec
from lookalike.faces.errors import (
    FacesError,
    FaceTooSmall,
    IndexProblem,
    NoFace,
    PhotoError,
    Reason,
)
from lookalike.faces.index import Method
from lookalike.faces.photos.decoding import rotate_photo
from lookalike.faces.similarity import PERCENTILES, find_percentile
from lookalike.faces.types import EncoderId, Face, Photo
from lookalike.metrics import count
from lookalike.outages import is_outage
from uploads.claims import ClaimLost, claim_upload, fail_claimed, give_back, update_claimed
from uploads.crops import cut_faces, store_jpeg
from uploads.models import Match, Upload, UploadedFace
from uploads.storage import delete_files, delete_folder, list_files, read_file
from uploads.watching import LOST, Stopwatch

logger = logging.getLogger(__name__)

MAX_FACES = 8

MOST_GROWN = 1.25
"""Times as many people as a build was made of. With twice as many the median best match is 3 to 4
nearer (`lookalike.faces.similarity.BANDS`), so with a quarter more it is 1."""

_shown: set[int] = set()

DARK = 40
"""A photo whose mean is below this (of 255) is so dark that this may be why no face is found."""


def match_upload(upload_id: UUID, *, redelivered: bool = False) -> None:
    """Bring one upload to its end: done, or failed with a reason. Raises for neither. If a service
    is away it waits for the sweeper, as long as it has attempts left.

    Does nothing if the upload is gone, finished, or claimed by another worker. Nothing about
    the visitor is logged, and the vectors exist only during this call.
    """
    upload = claim_upload(upload_id, redelivered=redelivered)
    if upload is None:
        return
    watch = Stopwatch()
    try:
        try:
            _match_claimed(upload, watch)
            watch.tell("done")
        except ClaimLost:
            raise
        except Exception as error:  # noqa: BLE001 - whatever failed, the visitor is told so.
            if is_outage(error):
                logger.warning("a photo waits: %s", type(error).__name__)
                give_back(upload)
                return
            reason, detail = _explain(error)
            fail_claimed(upload, reason, detail)
            watch.tell(reason)
    except ClaimLost:
        count(LOST)
        if not Upload.objects.filter(pk=upload_id).exists():
            delete_folder(upload_id)


def _match_claimed(upload: Upload, watch: Stopwatch) -> None:
    photo = _read_photo(upload)
    watch.see(photo)
    watch.passed("read")
    try:
        if upload.rotation is None:
            upright, detections = get_finder().find_faces(photo, max_faces=MAX_FACES)
        else:
            upright = photo
            detections = get_finder().find_faces_as_it_is(photo, max_faces=MAX_FACES)
    except FaceTooSmall:
        _store_photo(upload, photo)
        raise
    watch.passed("find")
    _store_photo(upload, upright, is_turned=upright is not photo)
    watch.passed("store")
    if not detections:
        raise NoFace("dark" if upright.pixels.mean() < DARK else "")
    # The encoder is the index's own, also while the site changes to another.
    opened = open_current()
    encoder = encoder_of(opened[0])
    faces = get_engine(encoder).encode_faces(upright, detections)
    watch.passed("encode")
    searches = _search(upload, faces, opened)
    watch.passed("search")
    pair = compare_pair(faces, encoder)
    _save(upload, cut_faces(upload, upright.pixels, faces), searches, pair)
    watch.passed("save")


def _read_photo(upload: Upload) -> Photo:
    """The upright photo, its longer side at most STORED_SIDE pixels: the received one, or the one
    that an earlier attempt stored, turned as the visitor has asked for."""
    if upload.received:
        return open_strangers(read_file(upload.received.name))
    photo = open_to_keep(read_file(upload.photo.name), is_ours=True)
    return rotate_photo(photo, upload.rotation or 0)


def _store_photo(upload: Upload, photo: Photo, *, is_turned: bool = False) -> None:
    """Replace all files of the upload, leftovers of killed attempts included, by this photo."""
    # Listed before the claim is checked: a later claimant's files are not among these.
    replaced = list_files(upload.pk)
    height, width = photo.pixels.shape[:2]
    update_claimed(
        upload,
        photo=store_jpeg(upload, photo.pixels),
        received="",
        width=width,
        height=height,
        rotation=None if upload.rotation is None else 0,
        is_turned=upload.is_turned or is_turned,
        stage=Upload.Stage.COMPARING,
    )
    delete_files(replaced)


def _search(upload: Upload, faces: Sequence[Face], opened: Opened) -> list[SearchResult]:
    """The search, plus an exhaustive one if requested and the first was approximate. Raises
    EmptyGallery if nobody passes the filters."""
    vectors = np.stack([face.vector for face in faces])
    filters = Filters.from_json(upload.filters)
    searches = [find_lookalikes(vectors, k=upload.k, filters=filters, opened=opened)]
    if not any(searches[0].neighbours):
        raise EmptyGallery
    if upload.exhaustive and searches[0].method == "approximate":
        searches.append(
            find_lookalikes(
                vectors, k=upload.k, filters=filters, method=Method.EXACT, opened=opened
            )
        )
    return searches


def compare_pair(faces: Sequence[Face], encoder: EncoderId) -> float | None:
    """How alike the two people of a photo are: 0 as two strangers, 100 as two photos of one
    person. None for any other number of faces, and if either face says little."""
    spec = find_spec(encoder)
    if spec is None or len(faces) != 2 or any(face.is_weak for face in faces):
        return None
    return spec.scale.number(float(faces[0].vector @ faces[1].vector))


def _save(
    upload: Upload, faces: list[UploadedFace], searches: list[SearchResult], pair: float | None
) -> None:
    """Raises ClaimLost."""
    try:
        _save_result(upload, faces, searches, pair)
    except IntegrityError:
        # A portrait was deleted after the search found it.
        found = {near.portrait_id for search in searches for near in chain(*search.neighbours)}
        kept = Portrait.objects.filter(pk__in=found).values_list("pk", flat=True)
        _save_result(upload, faces, searches, pair, gone=found - set(kept))


def _save_result(
    upload: Upload,
    faces: list[UploadedFace],
    searches: list[SearchResult],
    pair: float | None,
    gone: Iterable[int] = (),
) -> None:
    first, *second = searches
    best, sixth = _read_usual(first)
    # The builds measure them among everybody.
    measured = {} if Filters.from_json(upload.filters) else {1: best, 6: sixth}
    with transaction.atomic():
        update_claimed(
            upload,
            status=Upload.Status.DONE,
            sender="",
            stage=Upload.Stage.NONE,
            finished_at=timezone.now(),
            build_name=first.build.name,
            encoder=first.build.encoder,
            compared_with=first.compared_with,
            method=str(first.method),
            search_ms=first.ms,
            exact_ms=second[0].ms if second else None,
            usual_best=best[PERCENTILES.index(50)] if best else None,
            pair=pair,
        )
        UploadedFace.objects.bulk_create(faces)
        Match.objects.bulk_create(
            Match(
                face=face,
                exhaustive=search is not first,
                rank=rank,
                celebrity_id=near.celebrity_id,
                portrait_id=near.portrait_id,
                distance=near.distance,
                similarity=near.similarity,
                percentile=find_percentile(near.similarity, measured.get(rank, [])),
            )
            for search in searches
            for face, neighbours in zip(faces, search.neighbours, strict=True)
            for rank, near in enumerate(
                (near for near in neighbours if near.portrait_id not in gone), 1
            )
        )
    _note_shown({near.celebrity_id for near in chain(*first.neighbours)})


def _note_shown(people: set[int]) -> None:
    """Each worker says of each person once that a visitor has seen them."""
    if new := people - _shown:
        Celebrity.objects.filter(pk__in=new, was_shown=False).update(was_shown=True)
        _shown.update(new)


def _read_usual(search: SearchResult) -> tuple[list[float], list[float]]:
    """PERCENTILES of the best and of the sixth match of somebody who is not in the gallery; empty
    if the build measured none, or in a gallery so much smaller that look-alikes were farther."""
    facts = search.build.facts
    if facts is None or search.compared_with > MOST_GROWN * search.build.people:
        return [], []
    return facts.calibration.best, facts.calibration.sixth


def _explain(error: Exception) -> tuple[Reason, str]:
    """Reason and detail for the visitor. Errors on our side are logged, except timeouts."""
    if _is_timeout(error):
        return Reason.TOOK_TOO_LONG, ""
    match error:
        case PhotoError():
            return error.reason, error.detail
        case EmptyGallery():
            return Reason.EMPTY_GALLERY, ""
    if isinstance(error, FacesError | GalleryError):
        # These speak of files and settings, never of a visitor.
        what = f": {error}"
    else:
        # The message may contain anything, so only the place is logged.
        what = "\n" + "".join(traceback.format_tb(error.__traceback__))
    logger.error("an upload failed with %s%s", type(error).__name__, what)
    is_index = isinstance(error, NoIndex | IndexProblem)
    return Reason.NO_INDEX if is_index else Reason.INTERNAL, ""


def _is_timeout(error: BaseException | None) -> bool:
    """Whether the time limit struck, perhaps inside a decoder that renamed the exception."""
    while error is not None:
        if isinstance(error, SoftTimeLimitExceeded):
            return True
        error = error.__cause__ or error.__context__
    return False
