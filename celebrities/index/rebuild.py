"""The one way from portraits to a published build."""

from __future__ import annotations

import logging

from django.conf import settings

from celebrities.errors import BuildRunning, EmptyGallery, FilesMissing, NoSpace
from celebrities.gallery import BATCH, embed_portraits
from celebrities.index.backends import get_backend
from celebrities.index.builds import claim_build, publish_build, with_heartbeat
from celebrities.index.cleaning import remove_old_builds, withdraw_builds
from celebrities.index.odd import flag_odd
from celebrities.index.rows import read_people, read_sample
from celebrities.index.search import is_whole
from celebrities.models import IndexBuild, Portrait
from lookalike import engine
from lookalike.database import patient_database
from lookalike.faces.calibration import (
    built_in_scale,
    built_in_tail,
    calibrate,
    measure_outsiders,
)
from lookalike.faces.index import Progress
from lookalike.faces.people import choose_cohort, make_rows
from lookalike.faces.types import EncoderId
from lookalike.health import describe_full_disk

logger = logging.getLogger(__name__)

UNREAD_SHARE = 0.01
"""Portraits that a build may leave out because their files could not be read."""


def rebuild_index(progress: Progress | None = None, *, embed: bool = True) -> IndexBuild:
    """Embed outdated portraits unless ``embed`` is False, build the index, and publish it.

    Searches go on with the previous build meanwhile. `celebrities.index.resemblances` and
    `celebrities.index.cleaning` follow a published build. Raises BuildRunning if another
    process builds, EmptyGallery (with every build withdrawn) if nobody is searchable,
    FilesMissing if too many portraits could not be read, NoSpace, PgvectorMissing, and
    WeightsMissing or DeviceMissing if there is no engine.
    """
    encoder = engine.get_engine().encoder
    name = EncoderId.of(encoder)
    with patient_database(), claim_build(name) as build:
        tell = with_heartbeat(build, progress)
        if embed:
            embed_outdated(str(name), tell)
        check_unread(str(name))
        searchable = Portrait.objects.searchable(str(name))
        sample = read_sample(searchable, encoder.dimensions)
        cohort = choose_cohort(sample, built_in_tail(name.name))
        calibration = calibrate(sample, cohort, built_in_scale(name.name))
        flag_odd(searchable, encoder.dimensions, cohort, calibration.scale, tell)
        people = read_people(searchable, encoder.dimensions, tell)
        if not people.portraits:
            withdraw_builds()
            raise EmptyGallery("The gallery is empty: there is nothing to build an index of.")
        check_space()
        rows = make_rows(people, cohort)
        calibration = measure_outsiders(rows, cohort, calibration)
        facts = get_backend().build(build.name, rows, name, calibration, tell)
        try:
            publish_build(build, facts, cohort, portraits=people.portraits)
        except BuildRunning:
            remove_old_builds()
            raise
    return build


def embed_outdated(encoder: str, progress: Progress) -> None:
    """Embed the portraits that are pending or were read by another encoder, in parts."""
    outdated = Portrait.objects.outdated(encoder).order_by("pk")
    unread = Portrait.objects.unread(encoder)
    count, done, last = outdated.count(), 0, 0
    if old := outdated.exclude(encoder="").count():
        logger.info("%d portraits were read by another encoder or version: reading again.", old)
    while batch := list(outdated.filter(pk__gt=last)[:BATCH]):
        progress("embedding portraits", min(done / count, 1.0) if count else 1.0)
        embed_portraits(batch)
        done, last = done + len(batch), batch[-1].pk
        if unread.filter(pk__lte=last).count() > may_be_unread():
            return


def check_space() -> None:
    """Raises NoSpace. A build that fills the disk would take the site with it."""
    if problem := describe_full_disk():
        raise NoSpace(f"No index was built, and the one in use stays: {problem}")


def check_unread(encoder: str) -> None:
    """Raises FilesMissing if the encoder has not read more than UNREAD_SHARE of the portraits in
    use: the storage is away or another one, and a build would leave those people out."""
    unread = Portrait.objects.unread(encoder)
    total = Portrait.objects.ready().count()
    if ((count := unread.count()) < total and count <= may_be_unread()) or not count:
        return
    noted = unread.exclude(problem="").values_list("pk", "problem").first()
    example = f" The first, portrait {noted[0]}: {noted[1]}." if noted else ""
    raise FilesMissing(
        f"{count} of {total} portraits are not read by {encoder}, and "
        f"files are missing.{example} The index in use stays. Bring the storage back "
        "(LOOKALIKE_STORAGE, LOOKALIKE_S3_BUCKET, LOOKALIKE_DATA_DIR), or delete the portraits "
        "whose files are lost (manage.py audit lists them), then run manage.py rebuild_index."
    )


def may_be_unread() -> int:
    """How many of the portraits in use a build may leave out."""
    return max(1, int(Portrait.objects.ready().count() * UNREAD_SHARE))


def gallery_changed() -> bool:
    """Whether the index should be rebuilt: the gallery differs from what it was built of, or
    it does not fit the site's encoder or settings, or it cannot be opened."""
    build = IndexBuild.objects.current()
    if build is None:
        return Portrait.objects.ready().filter(celebrity__published=True).exists()
    if is_outdated(build) or not is_whole(build):
        return True
    searchable = Portrait.objects.searchable(build.encoder)
    return (
        searchable.filter(embedded_at__gte=build.started_at).exists()
        or searchable.count() != build.items
    )


def is_outdated(build: IndexBuild) -> bool:
    """Whether it does not fit the site's encoder or settings. One that a curator has taken
    instead of the next may."""
    fits = build.encoder == str(engine.configured_encoder())
    return not build.held and not (fits and build.backend == settings.INDEX_BACKEND)
