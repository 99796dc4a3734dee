"""What the commands do and print when the index is to be rebuilt."""

from __future__ import annotations

import logging
import time

from django.core.management.base import CommandError, OutputWrapper
from django.utils import timezone

from celebrities.desk.following import follow_build
from celebrities.errors import BuildRunning, EmptyGallery, FilesMissing, NoSpace, PgvectorMissing
from celebrities.index.builds import DEAD_AFTER, take_over_dead_build
from celebrities.index.rebuild import rebuild_index
from celebrities.management.progress import share_progress
from celebrities.models import IndexBuild
from lookalike.faces.errors import FacesError
from lookalike.faces.index import BuildFacts

logger = logging.getLogger(__name__)

LONGEST_WAIT = 6 * 60 * 60.0


def rebuild_and_tell(stdout: OutputWrapper) -> IndexBuild | None:
    """Rebuild the index, after waiting for another process's build, and print the result.
    Returns None if the gallery is empty. Raises CommandError with what to do."""
    deadline = time.monotonic() + LONGEST_WAIT
    told = False
    while True:
        try:
            with share_progress() as progress:
                build = rebuild_index(progress)
        except BuildRunning as error:
            if time.monotonic() > deadline:
                raise CommandError(str(error)) from error
            if not told:
                stdout.write(f"The index is being built by {describe_builder()}. Waiting for it.")
                told = True
            while IndexBuild.objects.filter(status=IndexBuild.Status.BUILDING).exists():
                time.sleep(1)
                take_over_dead_build()
        except EmptyGallery as error:
            stdout.write(str(error))
            return None
        except (FacesError, FilesMissing, NoSpace, PgvectorMissing) as error:
            raise CommandError(str(error)) from error
        else:
            facts = BuildFacts.from_json(build.manifest)
            stdout.write(
                f"Index {build.name} is in use: {build.items} portraits of {build.people} people, "
                f"{facts.method} search, recall {facts.recall:.3f}, "
                f"built in {facts.seconds:.1f} s. {facts.why}"
            )
            _follow_up(build)
            return build


def describe_builder() -> str:
    build = IndexBuild.objects.filter(status=IndexBuild.Status.BUILDING).first()
    if build is None:
        return "another process"
    silent = (timezone.now() - build.heartbeat_at).total_seconds()
    return (
        f"another process ({build.builder}, heard {silent:.0f} s ago, taken over after "
        f"{DEAD_AFTER.total_seconds():.0f} s of silence)"
    )


def _follow_up(build: IndexBuild) -> None:
    """Here rather than in a task: a command needs no broker. The build stays in use if it fails."""
    try:
        with share_progress() as progress:
            follow_build(build, progress)
    except Exception:
        logger.exception("The index is in use, but what follows a build failed")
