"""What follows a published build, for the worker and for commands."""

from __future__ import annotations

from celebrities.desk.merging import forget_merged
from celebrities.index.builds import noted_steps
from celebrities.index.cleaning import remove_old_builds
from celebrities.index.measuring import measure_gallery
from celebrities.index.pairs import compare_portraits, find_doubled_people
from celebrities.index.resemblances import store_resemblances
from celebrities.models import IndexBuild
from lookalike.faces.index import Progress


def follow_build(build: IndexBuild, progress: Progress = lambda step, share: None) -> None:
    """Store everybody's look-alikes, how well the gallery is told apart, and what waits for
    curators; then clean up."""
    with noted_steps(build, progress) as tell:
        store_resemblances(build, tell)
        tell("measuring accuracy", 0.0)
        measure_gallery(build)
        compare_portraits(build, tell)
        find_doubled_people()
    remove_old_builds()
    forget_merged()
