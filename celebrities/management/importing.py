"""Imports for the commands, with progress and a report."""

from __future__ import annotations

from django.core.management.base import BaseCommand, CommandError

from celebrities.importers.importing import Options, Summary, import_plan
from celebrities.importers.layout import Plan
from celebrities.importers.sources import Source
from celebrities.management.progress import count_progress
from lookalike.faces.errors import FacesError


def import_and_report(
    command: BaseCommand, source: Source, plan: Plan, options: Options, verbosity: int
) -> Summary:
    """Import, and report each file that failed; at a higher verbosity also those skipped.
    Raises CommandError with what to do."""
    try:
        with count_progress("Importing portraits", len(plan.portraits)) as progress:
            summary = import_plan(source, plan, options, progress)
    except FacesError as error:
        raise CommandError(str(error)) from error
    for problem in summary.failed:
        command.stderr.write(f"{problem.where}: {problem.reason}")
    for problem in summary.skipped if verbosity > 1 else ():
        command.stdout.write(f"{problem.where}: skipped, {problem.reason}")
    command.stdout.write(
        f"Imported {summary.imported} portraits ({summary.people} new people), "
        f"skipped {len(summary.skipped)}, failed {len(summary.failed)}."
    )
    return summary
