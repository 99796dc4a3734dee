"""The gallery's background work, on a queue of its own, so that visitors never wait for it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Max
from django.utils import timezone

from celebrities.candidates import forget_requests
from celebrities.desk import jobs
from celebrities.desk.following import follow_build
from celebrities.errors import BuildRunning, EmptyGallery, FilesMissing, NoSpace
from celebrities.gallery import embed_portraits
from celebrities.incoming import files
from celebrities.index.cleaning import remove_old_builds
from celebrities.index.due import when_due
from celebrities.index.rebuild import gallery_changed, is_outdated, rebuild_index
from celebrities.index.search import is_whole
from celebrities.models import IndexBuild, Portrait
from celebrities.sweeping import sweep_files
from celebrities.watching import WRONG_STORAGE, mark_storage
from lookalike import engine
from lookalike.celery import app
from lookalike.queue import QueueAway, send

logger = logging.getLogger(__name__)

A_TASK = 20
"""Portraits embedded by one task: a few seconds' work, far below the time limit."""

QUIET = timedelta(seconds=30)
PATIENCE = timedelta(minutes=10)
"""The index is not rebuilt on its own while portraits keep coming, unless the one in use is
older than PATIENCE. See also `celebrities.index.due`."""

RETRY_AFTER = timedelta(minutes=1)
"""A build that failed is not tried again on its own before."""

HOURS = 60 * 60

Status = IndexBuild.Status


@app.task
def embed_portraits_task(ids: Sequence[int]) -> None:
    """Embed these portraits, whatever their status."""
    embed_portraits(Portrait.objects.filter(pk__in=ids))


@app.task(soft_time_limit=5 * HOURS, time_limit=5 * HOURS + 60)
def rebuild_index_task(asked_at: str) -> None:
    """Rebuild, unless a build began after this was asked for (an ISO 8601 time)."""
    current = IndexBuild.objects.current()
    if current is None or current.started_at < datetime.fromisoformat(asked_at):
        _rebuild()


@app.task(soft_time_limit=5 * HOURS, time_limit=5 * HOURS + 60)
def tend_gallery_task() -> None:
    """Embed pending portraits, a few at a time, then rebuild the index if the gallery has
    changed. The first index is built of the first few, so that visitors need not wait for the
    rest. Cheap if there is nothing to do."""
    look_after_storage()
    if jobs.has_lost_worker():
        work_on_jobs_task.delay()
    if files.has_lost_worker():
        work_on_imports_task.delay()
    pending = list(Portrait.objects.due().values_list("pk", flat=True)[:A_TASK])
    if pending:
        embed_portraits(Portrait.objects.filter(pk__in=pending))
        if IndexBuild.objects.current() is None:
            _rebuild(embed=False)
        tend_gallery_task.delay()
    elif gallery_changed() and _may_rebuild_now():
        _rebuild()
    else:
        engine.release()


@app.task(soft_time_limit=5 * HOURS, time_limit=5 * HOURS + 60)
def follow_build_task(build_id: str) -> None:
    """What follows a published build: everybody's look-alikes, what waits for curators, how well
    the gallery is told apart, then cleaning."""
    build = IndexBuild.objects.filter(pk=build_id).first()
    if build is not None:
        follow_build(build)
    else:
        remove_old_builds()


@app.task(soft_time_limit=HOURS, time_limit=HOURS + 60)
def work_on_jobs_task() -> None:
    """A few seconds' work on the curators' jobs; the rest goes behind whatever waits."""
    if jobs.work_on_jobs():
        work_on_jobs_task.delay()


@app.task(soft_time_limit=HOURS, time_limit=HOURS + 60)
def work_on_imports_task() -> None:
    """A few seconds' work on files sent to the desk; the rest goes behind whatever waits."""
    from celebrities.incoming.work import work_on_imports

    if work_on_imports():
        work_on_imports_task.delay()


@app.task
def remove_old_builds_task() -> None:
    remove_old_builds()


@app.task
def forget_requests_task() -> None:
    forget_requests()


@app.task
def sweep_files_task() -> None:
    sweep_files()
    files.forget_files()


def request_embedding(ids: Sequence[int]) -> None:
    """Queue the embedding of these portraits after the transaction commits. Raises QueueAway;
    `tend_gallery_task` finds those that are pending later."""
    for start in range(0, len(ids), A_TASK):
        send("celebrities.tasks.embed_portraits_task", list(ids[start : start + A_TASK]))


def request_rebuild() -> None:
    """Queue a rebuild of the index after the transaction commits. Raises QueueAway."""
    send("celebrities.tasks.rebuild_index_task", timezone.now().isoformat())


def look_after_storage() -> None:
    """Mark the gallery's storage, or say that it is a wrong one."""
    try:
        if mark_storage():
            return
    except Exception as error:  # noqa: BLE001 - a storage fails in many ways, and may come back.
        logger.error("The gallery's storage cannot be reached: %s", type(error).__name__)
        return
    logger.error(WRONG_STORAGE)


def _may_rebuild_now() -> bool:
    now = timezone.now()
    current = IndexBuild.objects.current()
    if IndexBuild.objects.filter(status=Status.FAILED, started_at__gt=now - RETRY_AFTER).exists():
        return False
    if current is None or not is_whole(current) or is_outdated(current):
        return True
    due = when_due(current)
    if due is None or due > now:
        return False
    if current.started_at < now - PATIENCE:
        return True
    newest = Portrait.objects.aggregate(newest=Max("embedded_at"))["newest"]
    return newest is None or newest < now - QUIET


def _rebuild(*, embed: bool = True) -> None:
    try:
        build = rebuild_index(embed=embed)
    except BuildRunning:
        logger.info("The index is being built already.")
    except (FilesMissing, NoSpace) as problem:
        logger.error("%s", problem)
    except EmptyGallery:
        logger.info("The gallery is empty: there is no index.")
    else:
        logger.info("Index %s: %d portraits, %d people.", build.name, build.items, build.people)
        try:
            send("celebrities.tasks.follow_build_task", str(build.pk))
        except QueueAway:
            logger.warning("The queue is away: look-alikes in the gallery stay those of before.")
