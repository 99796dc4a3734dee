"""Index builds: one at a time, beside the one in use, then published by name.

The rows say what is in use; the files lie in INDEX_DIR/<name>. Where the storage is S3,
a build's files are also put there, and every machine fetches them once. With pgvector a
build is a table of the database instead.
"""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from celebrities.errors import BuildRunning, EmptyGallery, NoIndex
from celebrities.index import pgvector
from celebrities.index.files import fetch_build, remove_old_builds, send_build, withdraw_builds
from celebrities.models import IndexBuild, Portrait
from lookalike import engine
from lookalike.faces.errors import IndexProblem, IndexStale
from lookalike.faces.types import Encoder

if TYPE_CHECKING:
    from celebrities.index.pgvector import PgvectorIndex, PgvectorManifest
    from lookalike.faces.index import Index, IndexRows, Manifest

Progress = Callable[[str, float], None]
"""Called with what is being done and the share of that which is done, 0 to 1."""

DEAD_AFTER = timedelta(minutes=10)
"""A build silent for so long is taken over; one whose process is gone, at once."""

HEARTBEAT_SECONDS = 5.0

Status = IndexBuild.Status
REBUILD = "Rebuild the index: manage.py rebuild_index."


def encoder_id(encoder: Encoder) -> str:
    """The encoder as rows name it: "name/version". Vectors of two ids are never compared."""
    return f"{encoder.name}/{encoder.version}"


def current_build() -> IndexBuild:
    """The build that searches use.

    Raises EmptyGallery when there is nobody to search, and NoIndex when there are people
    but no build yet.
    """
    build = IndexBuild.objects.current()
    if build is not None:
        return build
    if Portrait.objects.ready().filter(celebrity__published=True).exists():
        raise NoIndex(f"There is no index yet. {REBUILD}")
    raise EmptyGallery("The gallery is empty. Import people: manage.py import_celebrities.")


def open_current() -> tuple[IndexBuild, Index | PgvectorIndex]:
    """The build in use and its index, fetched from storage if this machine lacks it.

    Raises EmptyGallery, or NoIndex when there is none that this site's encoder can search.
    """
    build = current_build()
    try:
        return build, open_build(build)
    except IndexProblem as problem:
        # Perhaps a newer build was published since, and the files of this one are gone.
        newer = current_build()
        if newer.pk == build.pk:
            raise NoIndex(f"{problem} {REBUILD}") from problem
    try:
        return newer, open_build(newer)
    except IndexProblem as problem:
        raise NoIndex(f"{problem} {REBUILD}") from problem


def open_build(build: IndexBuild) -> Index | PgvectorIndex:
    """The build's index. Raises IndexMissing, IndexDamaged, or IndexStale when it was built
    by another encoder, or is kept elsewhere than LOOKALIKE_INDEX says."""
    if pgvector.is_in_database(build) != in_database():
        raise IndexStale(
            f"The index {build.name} was not built for LOOKALIKE_INDEX={settings.INDEX_BACKEND}."
        )
    if in_database():
        if build.encoder != encoder_id(engine.get_engine().encoder):
            raise IndexStale(f"The index was built by {build.encoder}, and another is in use.")
        return pgvector.open_table(build)
    fetch_build(build)
    return engine.get_index(build.name)


def in_database() -> bool:
    """Whether the index is kept in PostgreSQL rather than in files."""
    return settings.INDEX_BACKEND == "pgvector"


def gallery_changed() -> bool:
    """Whether the gallery differs from what the build in use was made of."""
    build = IndexBuild.objects.current()
    if build is None:
        return Portrait.objects.ready().filter(celebrity__published=True).exists()
    searchable = Portrait.objects.searchable(build.encoder)
    return (
        searchable.filter(embedded_at__gte=build.started_at).exists()
        or searchable.count() != build.items
    )


def make_build(encoder: Encoder, progress: Progress | None = None) -> IndexBuild:
    """Build the index of every searchable portrait, and put it in use.

    Searches go on with the build before. Raises BuildRunning when another process is at it,
    EmptyGallery (with every build withdrawn) when there is nothing to build, and
    PgvectorMissing when the index is to be kept in a database that cannot.
    """
    from celebrities.index.resemblances import store_resemblances

    with claim_build(encoder) as build:
        tell = _with_heartbeat(build, progress)
        tell("reading vectors", 0.0)
        rows = read_rows(encoder)
        if not len(rows):
            withdraw_builds()
            raise EmptyGallery("The gallery is empty: there is nothing to build an index of.")
        manifest = write_build(build, rows, encoder, tell)
        build.manifest = asdict(manifest)
        build.items, build.people = manifest.items, manifest.people
        publish_build(build)
    store_resemblances(build, rows, progress)
    remove_old_builds()
    return build


def write_build(
    build: IndexBuild, rows: IndexRows, encoder: Encoder, tell: Progress
) -> Manifest | PgvectorManifest:
    """The rows as the build's table or files, and what is to be known of it."""
    if in_database():
        from celebrities.index.pgvector_build import build_table

        return build_table(build.name, rows, encoder, recall=settings.RECALL, tell=tell)
    from lookalike.faces.index import build_index

    manifest = build_index(
        settings.INDEX_DIR,
        build.name,
        rows,
        encoder_name=encoder.name,
        encoder_version=encoder.version,
        recall=settings.RECALL,
        progress=tell,
    )
    send_build(build)
    return manifest


@contextmanager
def claim_build(encoder: Encoder) -> Iterator[IndexBuild]:
    """The one row that may build now; marked as failed if the block raises."""
    take_over_dead_build()
    now = timezone.now()
    build = IndexBuild(
        encoder=encoder_id(encoder), builder=this_process(), started_at=now, heartbeat_at=now
    )
    build.name = f"{encoder.name}-{now:%Y%m%d-%H%M%S}-{build.pk.hex[:8]}"
    try:
        with transaction.atomic():
            build.save(force_insert=True)
    except IntegrityError as error:
        raise BuildRunning("The index is being built by another process already.") from error
    try:
        yield build
    except BaseException as error:
        mine = IndexBuild.objects.filter(pk=build.pk, status=Status.BUILDING)
        text = str(error) or type(error).__name__
        mine.update(status=Status.FAILED, error=text, finished_at=timezone.now())
        shutil.rmtree(settings.INDEX_DIR / build.name, ignore_errors=True)
        raise


def this_process() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"[-100:]


def take_over_dead_build() -> None:
    """Mark a build as failed when the process that made it is gone or silent."""
    for build in IndexBuild.objects.filter(status=Status.BUILDING):
        if build.heartbeat_at < timezone.now() - DEAD_AFTER or not _may_live(build.builder):
            unchanged = IndexBuild.objects.filter(
                pk=build.pk, status=Status.BUILDING, heartbeat_at__lte=build.heartbeat_at
            )
            error = "The process that built it ended without a word."
            unchanged.update(status=Status.FAILED, error=error, finished_at=timezone.now())


def _may_live(builder: str) -> bool:
    """False only when the process was on this machine and is no more."""
    host, _, pid = builder.rpartition(":")
    if host != socket.gethostname() or not pid.isdigit():
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _with_heartbeat(build: IndexBuild, progress: Progress | None) -> Progress:
    """Progress that also tells the row, now and then, that its process lives."""
    told = time.monotonic()

    def tell(what: str, share: float) -> None:
        nonlocal told
        if time.monotonic() - told > HEARTBEAT_SECONDS:
            told = time.monotonic()
            mine = IndexBuild.objects.filter(pk=build.pk, status=Status.BUILDING)
            if not mine.update(heartbeat_at=timezone.now()):
                raise BuildRunning("Another process has taken this build over.")
        if progress is not None:
            progress(what, share)

    return tell


def read_rows(encoder: Encoder) -> IndexRows:
    """Every searchable portrait's vector with its own and its person's id."""
    return rows_of(
        Portrait.objects.searchable(encoder_id(encoder))
        .order_by("pk")
        .values_list("pk", "celebrity_id", "vector")
        .iterator(chunk_size=5000),
        encoder.dimensions,
    )


def rows_of(
    portraits: Iterable[tuple[int, int, bytes | memoryview | None]], dimensions: int
) -> IndexRows:
    """Rows for the index; portraits whose vector has another length are left out."""
    import numpy as np

    from lookalike.faces.index import IndexRows

    ids: list[tuple[int, int]] = []
    joined = bytearray()
    for portrait_id, celebrity_id, vector in portraits:
        if vector is not None and len(vector) == 4 * dimensions:
            ids.append((portrait_id, celebrity_id))
            joined += vector
    vectors = np.frombuffer(joined, "<f4").astype(np.float32).reshape(-1, dimensions)
    table = np.array(ids, np.int64).reshape(-1, 2)
    return IndexRows(vectors, table[:, 0].copy(), table[:, 1].copy())


def publish_build(build: IndexBuild) -> None:
    """Put the build in use, unless another process has taken it over meanwhile."""
    with transaction.atomic():
        build.status, build.finished_at = Status.PUBLISHED, timezone.now()
        IndexBuild.objects.filter(status=Status.PUBLISHED).update(status=Status.SUPERSEDED)
        mine = IndexBuild.objects.filter(pk=build.pk, status=Status.BUILDING)
        if not mine.update(
            status=build.status,
            finished_at=build.finished_at,
            items=build.items,
            people=build.people,
            manifest=build.manifest,
        ):
            raise BuildRunning("Another process has taken this build over.")
