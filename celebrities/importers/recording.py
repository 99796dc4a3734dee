"""Each import as a row: what it was of, what it did, and taking it back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from celebrities.desk.history import Author
from celebrities.models import Celebrity, Change, GalleryImport

Status = GalleryImport.Status


class SomeReport(Protocol):
    """What reports of imports have in common."""

    @property
    def counts(self) -> Mapping[str, int]: ...

    @property
    def digest(self) -> str: ...

    def to_csv(self) -> str: ...


def begin(source: str, **options: Any) -> GalleryImport:
    """The row of an import that begins now. Options that are off are left out."""
    chosen = {name: value for name, value in options.items() if value}
    return GalleryImport.objects.create(source=source[-300:], options=chosen)


def author_of(record: GalleryImport) -> Author:
    return Author(Change.Way.IMPORT, record.user, record.group)


@contextmanager
def ending(record: GalleryImport | None) -> Iterator[None]:
    """Note that the import ended, or failed."""
    try:
        yield
    except BaseException as error:
        if record:
            end(record, str(error) or type(error).__name__)
        raise
    if record:
        end(record)


def end(record: GalleryImport, problem: str = "") -> None:
    status = Status.FAILED if problem else Status.DONE
    GalleryImport.objects.filter(pk=record.pk).update(
        status=status, problem=problem, finished_at=timezone.now()
    )


def tell(record: GalleryImport, report: SomeReport, **fields: Any) -> None:
    """Add what was done to the import's row."""
    with transaction.atomic():
        now = GalleryImport.objects.select_for_update().get(pk=record.pk)
        counts = Counter(now.counts)
        counts.update(report.counts)
        GalleryImport.objects.filter(pk=record.pk).update(
            counts=dict(counts),
            report=now.report + report.to_csv(),
            digest=now.digest or report.digest,
            heartbeat_at=timezone.now(),
            **fields,
        )


def people_of(record: GalleryImport) -> list[int]:
    """Everybody whom the import brought, gave a portrait or changed."""
    people = Celebrity.objects.filter(
        Q(imported_in=record) | Q(portraits__imported_in=record) | Q(changes__group=record.group)
    )
    return sorted(set(people.values_list("pk", flat=True)))
