"""The gallery's part of health and metrics, and the marker of its storage."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta

from django.core.files.base import ContentFile
from django.utils import timezone

from celebrities.index.due import failed_build, is_stale
from celebrities.index.search import encoder_of, is_whole
from celebrities.models import Celebrity, IndexBuild, Portrait, gallery_storage
from lookalike import engine
from lookalike.health import MARKER, Lacking, add_part
from lookalike.metrics import Figure, add_source

logger = logging.getLogger(__name__)

WORDS = b"Lookalike keeps its gallery here. Without this file the site takes no photo.\n"

WRONG_STORAGE = (
    "The gallery's storage lacks the portraits' files: it is another folder or bucket than before, "
    "or empty. Bring it back."
)

WAITS_TOO_LONG = timedelta(minutes=15)

LOOKED_AT = 20
"""Portraits whose files must be missing, all of them, for a storage to be the wrong one."""


def ask_index() -> None:
    """Opens nothing, so that the web process can ask."""
    build = IndexBuild.objects.current()
    if build is None:
        ready = Portrait.objects.ready().filter(celebrity__published=True)
        if ready.exists() or Celebrity.objects.coming().exists():
            raise Lacking("There is no index yet. The gallery's worker builds it.")
        return
    if not is_whole(build):
        raise Lacking(
            f"The index {build.name} cannot be opened. The gallery's worker builds it anew; "
            "manage.py rebuild_index does so at once."
        )
    if not engine.can_encode(encoder_of(build)):
        raise Lacking(
            f"The index was built by {build.encoder}, which is not on this machine. Run this "
            "version's manage.py rebuild_index, or fetch the weights."
        )


def ask_gallery() -> None:
    """Photos are taken meanwhile; somebody should look."""
    late = Portrait.objects.pending().filter(created_at__lt=timezone.now() - WAITS_TOO_LONG)
    if pk := late.order_by("pk").values_list("pk", flat=True).first():
        raise Lacking(
            f"Portrait {pk} has waited to be read for more than 15 minutes. See "
            f"/admin/celebrities/portrait/{pk}/change/ and the log of the gallery's worker."
        )
    if failed := failed_build():
        raise Lacking(f"The last build of the index failed: {failed.error[:200]}")
    build = IndexBuild.objects.current()
    if build is not None and is_stale(build):
        raise Lacking(
            f"The index {build.name} is older than a day, and much of the gallery has changed. "
            "Run manage.py rebuild_index."
        )


add_part("index", ask_index, "database", "queue", "storage")
add_part("gallery", ask_gallery, "database", is_needed=False)


def mark_storage() -> bool:
    """Put the marker into the gallery's storage, unless it lacks the portraits' files: then it is
    a wrong or an empty one. Returns whether the marker is there."""
    storage = gallery_storage()
    if storage.exists(MARKER):
        return True
    some = Portrait.objects.order_by("-pk").values_list("image", flat=True)[:LOOKED_AT]
    if some and not any(storage.exists(str(name)) for name in some):
        return False
    storage.save(MARKER, ContentFile(WORDS))
    return True


@add_source
def read_gallery() -> Iterable[Figure]:
    yield Figure("portraits_waiting", Portrait.objects.pending().count())
    yield Figure("portraits_with_problem", Portrait.objects.exclude(problem="").count())
    build = IndexBuild.objects.current()
    if build is not None and build.finished_at is not None:
        age = (timezone.now() - build.finished_at).total_seconds()
        yield Figure("index_age_seconds", round(age))
        yield Figure("index_portraits", build.items)
        yield Figure("index_people", build.people)
