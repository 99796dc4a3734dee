"""The life of an index build's row: claimed, alive, published, superseded or failed.

One build runs at a time, beside the one in use.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from celebrities.errors import BuildRunning, EmptyGallery, NoIndex
from celebrities.models import BuildCohort, Celebrity, IndexBuild, Portrait
from lookalike.faces.calibration import built_in_tail
from lookalike.faces.errors import IndexDamaged
from lookalike.faces.index import BuildFacts, Progress
from lookalike.faces.people import Cohort
from lookalike.faces.types import EncoderId

DEAD_AFTER = timedelta(minutes=1)
"""A build without a heartbeat for this long is taken over. One whose process has ended is
taken over at once."""

HEARTBEAT_SECONDS = 5.0

STEP_SECONDS = 2.0
"""So often a build's row tells what is being done."""

GRACE = timedelta(hours=1)
"""How long the previous build is kept for searches that began on it."""

Status = IndexBuild.Status


def current_build() -> IndexBuild:
    """The build that searches use.

    Raises EmptyGallery if there is nobody to search, and NoIndex if there are people but
    no build yet.
    """
    build = IndexBuild.objects.current()
    if build is not None:
        return build
    ready = Portrait.objects.ready().filter(celebrity__published=True)
    if ready.exists() or Celebrity.objects.coming().exists():
        raise NoIndex("There is no index yet. Build it: manage.py rebuild_index.")
    raise EmptyGallery("The gallery is empty. Import people: manage.py import_celebrities.")


@contextmanager
def claim_build(encoder: EncoderId) -> Iterator[IndexBuild]:
    """The row of the one build that may run now.

    If the block raises, the row is marked as failed; for EmptyGallery it is deleted.
    Raises BuildRunning if another build runs.
    """
    take_over_dead_build()
    now = timezone.now()
    build = IndexBuild(
        encoder=str(encoder),
        backend=settings.INDEX_BACKEND,
        builder=f"{socket.gethostname()}:{os.getpid()}"[-100:],
        started_at=now,
        heartbeat_at=now,
    )
    build.name = f"{encoder.name}-{now:%Y%m%d-%H%M%S}-{build.pk.hex[:8]}"
    try:
        with transaction.atomic():
            build.save(force_insert=True)
    except IntegrityError as error:
        raise BuildRunning("The index is being built by another process already.") from error
    mine = IndexBuild.objects.filter(pk=build.pk, status=Status.BUILDING)
    try:
        with _heard(build):
            yield build
    except EmptyGallery:
        mine.delete()
        raise
    except BaseException as error:
        text = str(error) or type(error).__name__
        mine.update(status=Status.FAILED, error=text, finished_at=timezone.now())
        raise


@contextmanager
def _heard(build: IndexBuild) -> Iterator[None]:
    """Record heartbeats from a thread of its own: some steps take minutes."""
    if connection.in_atomic_block:
        yield
        return
    ended = threading.Event()

    def record() -> None:
        while not ended.wait(HEARTBEAT_SECONDS):
            with suppress(DatabaseError):
                _record_heartbeat(build)
            connection.close()

    thread = threading.Thread(target=record, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _record_heartbeat(build: IndexBuild, **step: str | float) -> int:
    mine = IndexBuild.objects.filter(pk=build.pk, status=Status.BUILDING)
    return mine.update(heartbeat_at=timezone.now(), **step)


def take_over_dead_build() -> None:
    """Mark a build as failed if its process has ended or gone silent."""
    for build in IndexBuild.objects.filter(status=Status.BUILDING):
        if is_dead(build):
            unchanged = IndexBuild.objects.filter(
                pk=build.pk, status=Status.BUILDING, heartbeat_at__lte=build.heartbeat_at
            )
            error = "The process that built it ended unexpectedly."
            unchanged.update(status=Status.FAILED, error=error, finished_at=timezone.now())


def is_dead(build: IndexBuild) -> bool:
    return build.heartbeat_at < timezone.now() - DEAD_AFTER or not _may_live(build.builder)


def _may_live(builder: str) -> bool:
    """False if the process ran on this host and no longer exists; True if we cannot tell."""
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


def with_heartbeat(build: IndexBuild, progress: Progress | None) -> Progress:
    """Progress that also records a heartbeat and the step every few seconds.

    Raises BuildRunning if the build was stopped or another process has taken it over.
    """
    recorded = time.monotonic()

    def tell(step: str, share: float) -> None:
        nonlocal recorded
        if time.monotonic() - recorded > STEP_SECONDS:
            recorded = time.monotonic()
            if not _record_heartbeat(build, step=step[:40], share=share):
                raise BuildRunning("This build was stopped, or another process has taken it over.")
        if progress is not None:
            progress(step, share)

    return tell


@contextmanager
def noted_steps(build: IndexBuild, progress: Progress) -> Iterator[Progress]:
    """Progress of what follows a build, which its row tells until the end."""
    noted = 0.0
    mine = IndexBuild.objects.filter(pk=build.pk)

    def tell(step: str, share: float) -> None:
        nonlocal noted
        if time.monotonic() - noted > STEP_SECONDS:
            noted = time.monotonic()
            mine.update(step=step[:40], share=share)
        progress(step, share)

    try:
        yield tell
    finally:
        mine.update(step="", share=0)


def stop_build(who: str) -> bool:
    """Give the running build up: its process notices within seconds. Returns whether one ran.
    None is made without being asked for until somebody asks."""
    running = IndexBuild.objects.filter(status=Status.BUILDING)
    return bool(
        running.update(
            status=Status.FAILED,
            error=f"Stopped by {who}.",
            finished_at=timezone.now(),
            held=True,
        )
    )


def former_build() -> IndexBuild | None:
    """The last build before the one in use, while it is kept."""
    kept = IndexBuild.objects.filter(name__in=names_in_use(), status=Status.SUPERSEDED)
    return kept.order_by("-finished_at").first()


def use_former(former: IndexBuild) -> None:
    """Put the build before in use again. No other takes its place without being asked for."""
    with transaction.atomic():
        IndexBuild.objects.filter(status=Status.PUBLISHED).update(status=Status.SUPERSEDED)
        IndexBuild.objects.filter(pk=former.pk).update(status=Status.PUBLISHED, held=True)


def publish_build(build: IndexBuild, facts: BuildFacts, cohort: Cohort, *, portraits: int) -> None:
    """Put the build in use. ``portraits`` are those that its rows are made of. Raises
    BuildRunning if another process has taken it over."""
    build.status, build.finished_at = Status.PUBLISHED, timezone.now()
    build.items, build.people, build.manifest = portraits, facts.items, facts.to_json()
    with transaction.atomic():
        IndexBuild.objects.filter(status=Status.PUBLISHED).update(status=Status.SUPERSEDED)
        IndexBuild.objects.filter(held=True).update(held=False)
        if not IndexBuild.objects.filter(pk=build.pk, status=Status.BUILDING).update(
            status=build.status,
            step="",
            finished_at=build.finished_at,
            items=build.items,
            people=build.people,
            manifest=build.manifest,
        ):
            raise BuildRunning("This build was stopped, or another process has taken it over.")
        BuildCohort.objects.create(build=build, content=cohort.to_bytes())


def load_cohort(build: IndexBuild, dimensions: int) -> Cohort:
    """What the people of a published build were compared with. Raises IndexDamaged."""
    row = BuildCohort.objects.filter(build=build).first()
    if row is None:
        raise IndexDamaged(f"The index {build.name} has lost its cohort.")
    tail = built_in_tail(EncoderId.parse(build.encoder).name)
    return Cohort.from_bytes(bytes(row.content), dimensions, tail)


def names_in_use(*, at_once: bool = False) -> set[str]:
    """Builds that must be kept: running, in use, or superseded within GRACE, the last one and
    the last of another encoder.

    ``at_once`` leaves out those superseded.
    """
    needed = Q(status__in=[Status.BUILDING, Status.PUBLISHED])
    current = IndexBuild.objects.current()
    if current is not None and not at_once:
        before = IndexBuild.objects.filter(status=Status.SUPERSEDED).order_by("-finished_at")
        others = before.exclude(encoder=current.encoder)
        last, other = before.first(), others.first()
        same = IndexBuild.objects.filter(encoder=current.encoder).exclude(finished_at=None)
        if other and other.finished_at:
            same = same.filter(finished_at__gt=other.finished_at)
        changed = same.order_by("finished_at").values_list("finished_at", flat=True).first()
        for build, since in ((last, current.finished_at), (other, changed)):
            if build and since and since > timezone.now() - GRACE:
                needed |= Q(pk=build.pk)
    return set(IndexBuild.objects.filter(needed).values_list("name", flat=True))
