"""Work on many people or portraits: at once for a few, else as a job of a worker's."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from celebrities.desk import portraits
from celebrities.desk.history import Author, CannotTakeBack, change_rows, take_back
from celebrities.do_not_import import add_people, add_portraits
from celebrities.gallery import delete_celebrities, delete_portraits, embed_portraits
from celebrities.models import NUMBERS, Celebrity, Change, GalleryImport, Job, Portrait
from lookalike.database import let_others_write
from lookalike.queue import send

logger = logging.getLogger(__name__)

AT_ONCE = 200
"""More rows than this are a job."""

SLICE_SECONDS = 2.0
"""So long a worker stays with a job before it looks for other work."""

SILENT = timedelta(seconds=60)
"""A job that was not heard of for so long has lost its worker."""

Options = dict[str, Any]
Work = Callable[[Sequence[int], Author, Options], object]


@dataclass(frozen=True, slots=True)
class Kind:
    """``rank``: removals come before everything. ``chunk`` rows take well under half a second of
    the database, and ``needs_worker`` what the web process cannot do."""

    words: str | Promise
    work: Work
    chunk: int
    rank: int = 1
    needs_worker: bool = False


def publish(ids: Sequence[int], by: Author, options: Options) -> int:
    people = Celebrity.objects.filter(pk__in=ids, merged_into=None)
    return change_rows(people, by, gettext("published"), published=True)


def hide(ids: Sequence[int], by: Author, options: Options) -> int:
    people = Celebrity.objects.filter(pk__in=ids)
    return change_rows(people, by, gettext("hidden"), published=False)


def take_out(ids: Sequence[int], by: Author, options: Options) -> int:
    people = Celebrity.objects.filter(pk__in=ids)
    with transaction.atomic():
        add_people(people, options.get("reason") or "taken out by a curator")
        return delete_celebrities(people)


def delete_people(ids: Sequence[int], by: Author, options: Options) -> int:
    return delete_celebrities(Celebrity.objects.filter(pk__in=ids))


def take_portraits_out(ids: Sequence[int], by: Author, options: Options) -> int:
    gone = Portrait.objects.filter(pk__in=ids)
    with transaction.atomic():
        add_portraits(list(gone.defer(*NUMBERS)), "taken out by a curator")
        return _delete_noted(gone, by)


def delete_some_portraits(ids: Sequence[int], by: Author, options: Options) -> int:
    with transaction.atomic():
        return _delete_noted(Portrait.objects.filter(pk__in=ids), by)


def _delete_noted(gone: QuerySet[Portrait], by: Author) -> int:
    """Delete portraits, and say so in the history of their people, who stay."""
    people = gone.order_by().values_list("celebrity_id", flat=True)
    Change.objects.bulk_create(
        Change(
            group=by.group,
            user_id=by.user_id,
            way=by.way,
            what=gettext("portrait deleted"),
            celebrity_id=person,
        )
        for person in people
    )
    return delete_portraits(gone)


def reject(ids: Sequence[int], by: Author, options: Options) -> int:
    return portraits.reject(Portrait.objects.filter(pk__in=ids), by)


def accept(ids: Sequence[int], by: Author, options: Options) -> int:
    return portraits.accept(Portrait.objects.filter(pk__in=ids), by)


def confirm(ids: Sequence[int], by: Author, options: Options) -> int:
    return portraits.confirm(Portrait.objects.filter(pk__in=ids), by)


def recompute(ids: Sequence[int], by: Author, options: Options) -> None:
    embed_portraits(Portrait.objects.filter(pk__in=ids).exclude(status=Portrait.Status.REJECTED))


def set_credits(ids: Sequence[int], by: Author, options: Options) -> int:
    chosen = Portrait.objects.filter(pk__in=ids)
    return change_rows(chosen, by, gettext("credits set"), **options["values"])


def add_category(ids: Sequence[int], by: Author, options: Options) -> None:
    category = options["category"]
    for person in Celebrity.objects.filter(pk__in=ids).exclude(categories=category):
        wanted = sorted({*person.categories.values_list("pk", flat=True), category})
        one = Celebrity.objects.filter(pk=person.pk)
        change_rows(one, by, gettext("category added"), categories=wanted)


def take_import_back(ids: Sequence[int], by: Author, options: Options) -> None:
    """``ids`` are people whom the import ``record`` brought, gave a portrait or changed. What
    somebody has changed since stays, and people who have other portraits stay."""
    record = GalleryImport.objects.get(pk=options["record"])
    for person in Celebrity.objects.filter(pk__in=ids):
        for change in person.changes.filter(group=record.group).exclude(after={}):
            with suppress(CannotTakeBack):
                take_back(Change.objects.filter(pk=change.pk), by)
        with transaction.atomic():
            _delete_noted(Portrait.objects.filter(celebrity=person, imported_in=record), by)
            if person.imported_in_id == record.pk and not person.portraits.exists():
                delete_celebrities(Celebrity.objects.filter(pk=person.pk))


def undo(ids: Sequence[int], by: Author, options: Options) -> None:
    """``ids`` are those of changes."""
    take_back(Change.objects.filter(pk__in=ids), by)


KINDS: dict[str, Kind] = {
    "publish": Kind(_("publish people"), publish, 50),
    "hide": Kind(_("unpublish people"), hide, 50, rank=0),
    "take_out": Kind(_("take people out for good"), take_out, 10, rank=0),
    "delete": Kind(_("delete people"), delete_people, 20, rank=0),
    "take_portraits_out": Kind(_("take portraits out"), take_portraits_out, 20, rank=0),
    "delete_portraits": Kind(_("delete portraits"), delete_some_portraits, 50, rank=0),
    "reject": Kind(_("reject portraits"), reject, 50, rank=0),
    "accept": Kind(_("accept portraits"), accept, 50),
    "confirm": Kind(_("confirm portraits"), confirm, 50),
    "credits": Kind(_("set credits"), set_credits, 15),
    "category": Kind(_("add a category"), add_category, 50),
    "undo": Kind(_("take back"), undo, 100, rank=0),
    "import": Kind(_("take an import back"), take_import_back, 10, rank=0),
    "recompute": Kind(_("recompute portraits"), recompute, 8, rank=2, needs_worker=True),
}


def start(
    kind: str, ids: Sequence[int], by: Author, selection: str = "", **options: Any
) -> Job | None:
    """Do something with these rows: at once and None, or by a job that is returned. Raises
    QueueAway from the commit if no worker can be told; the job is begun later all the same."""
    spec = KINDS[kind]
    if len(ids) <= AT_ONCE and not spec.needs_worker:
        for first in range(0, len(ids), spec.chunk):
            spec.work(ids[first : first + spec.chunk], by, options)
        return None
    return begin_job(kind, ids, by, selection, **options)


def begin_job(
    kind: str, ids: Sequence[int], by: Author, selection: str = "", **options: Any
) -> Job:
    """Raises QueueAway from the commit, as `start` does."""
    job = Job.objects.create(
        kind=kind,
        options=options,
        selection=selection[:300],
        ids=list(ids),
        total=len(ids),
        user_id=by.user_id,
        group=by.group,
    )
    send("celebrities.tasks.work_on_jobs_task")
    return job


def work_on_jobs() -> bool:
    """Work for some seconds on the job that comes first. Returns whether there is more."""
    until = time.monotonic() + SLICE_SECONDS
    while job := next_job():
        work_on(job)
        if time.monotonic() >= until:
            return next_job() is not None
    return False


def next_job() -> Job | None:
    """Removals first, then the smallest, then the oldest."""
    jobs = list(Job.objects.open().defer("ids"))
    return min(jobs, key=lambda job: (KINDS[job.kind].rank, job.total, job.pk), default=None)


def work_on(job: Job) -> None:
    """The job's next few rows. One that fails is counted, and the others go on."""
    spec, now = KINDS[job.kind], timezone.now()
    Job.objects.filter(pk=job.pk, started_at=None).update(started_at=now)
    ids = job.ids[job.at : job.at + spec.chunk]
    by = Author(Change.Way.ACTION, job.user, job.group)
    problem, failed = "", 0
    try:
        spec.work(ids, by, job.options)
    except Exception as error:
        logger.exception("Job %s failed on some rows", job.pk)
        problem, failed = f"{type(error).__name__}: {error}"[:300], len(ids)
    at = job.at + len(ids)
    mine = Job.objects.filter(pk=job.pk, at=job.at)
    mine.update(at=at, failed=F("failed") + failed, heartbeat_at=timezone.now())
    still = Q(status__in=[Job.Status.WAITING, Job.Status.RUNNING])
    if problem:
        Job.objects.filter(pk=job.pk).update(problem=problem)
    if at >= job.total:
        Job.objects.filter(still, pk=job.pk).update(
            status=Job.Status.DONE, finished_at=timezone.now(), ids=[]
        )
    else:
        Job.objects.filter(still, pk=job.pk).update(status=Job.Status.RUNNING)
        let_others_write()


def stop_job(job: Job) -> bool:
    """Returns whether it was still going."""
    return bool(
        Job.objects.open()
        .filter(pk=job.pk)
        .update(status=Job.Status.STOPPED, finished_at=timezone.now())
    )


def has_lost_worker() -> bool:
    """Whether a job is open that nobody works on."""
    silent = Q(heartbeat_at=None) | Q(heartbeat_at__lt=timezone.now() - SILENT)
    return Job.objects.open().filter(silent).exists()
