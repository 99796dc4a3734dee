"""What the commands say and do when the index is to be built anew."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import CommandError, OutputWrapper

from celebrities.errors import BuildRunning, EmptyGallery, PgvectorMissing
from celebrities.gallery import rebuild_index
from celebrities.index.builds import take_over_dead_build
from celebrities.management.progress import share_progress
from celebrities.models import IndexBuild
from lookalike.faces.errors import FacesError

LONGEST_WAIT = 6 * 60 * 60.0


def rebuild_and_tell(stdout: OutputWrapper) -> IndexBuild | None:
    """Rebuild the index, after another process's build if one is running, and say what came
    of it; None when the gallery is empty. Raises CommandError with what to do."""
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
                stdout.write("The index is being built by another process. Waiting for it.")
                told = True
            _wait_for_build()
        except EmptyGallery as error:
            stdout.write(str(error))
            return None
        except (FacesError, PgvectorMissing) as error:
            raise CommandError(str(error)) from error
        else:
            stdout.write(describe_build(build))
            return build


def describe_build(build: IndexBuild) -> str:
    tuning: dict[str, Any] = build.manifest["tuning"]
    return (
        f"Index {build.name} is in use: {build.items} portraits of {build.people} people, "
        f"{tuning['method']} search, recall {tuning['recall']:.3f}, "
        f"built in {build.manifest['seconds']:.1f} s."
    )


def _wait_for_build() -> None:
    while IndexBuild.objects.filter(status=IndexBuild.Status.BUILDING).exists():
        time.sleep(1)
        take_over_dead_build()
