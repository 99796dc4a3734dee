"""Removing builds that no search uses any more."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from celebrities.gallery import take_next_readings
from celebrities.index.backends import BACKENDS
from celebrities.index.builds import names_in_use
from celebrities.models import BuildCohort, IndexBuild, Resemblance

KEPT_ROWS = 20
"""Rows of builds kept as a record, the one in use included."""

Status = IndexBuild.Status


def remove_old_builds(*, at_once: bool = False) -> None:
    """Delete what is kept of builds that are no longer searched, but for their rows, and the
    oldest rows.

    The previous build stays for an hour, unless ``at_once``.
    """
    in_use = partial(names_in_use, at_once=at_once)
    for backend in BACKENDS.values():
        backend.keep_only(in_use)
    _drop_old_vectors(in_use())
    gone = IndexBuild.objects.exclude(name__in=in_use()).exclude(status=Status.BUILDING)
    BuildCohort.objects.filter(build__in=gone.order_by()).delete()
    oldest = gone.order_by("-started_at").values_list("pk", flat=True)[KEPT_ROWS:]
    IndexBuild.objects.filter(pk__in=list(oldest)).delete()


def _drop_old_vectors(names: Collection[str]) -> None:
    """After a change of the encoder, once no build that may be searched needs the one before."""
    current = IndexBuild.objects.current()
    finished = IndexBuild.objects.filter(name__in=names).exclude(status=Status.BUILDING)
    encoders = set(finished.values_list("encoder", flat=True))
    if current is not None and encoders == {current.encoder}:
        take_next_readings(current.encoder)


def withdraw_builds() -> None:
    """Take every build out of use, with its files and resemblances: the gallery is empty."""
    IndexBuild.objects.filter(status=Status.PUBLISHED).update(status=Status.SUPERSEDED)
    Resemblance.objects.all().delete()
    remove_old_builds(at_once=True)
