"""Imports for the commands, with progress and a report."""

from __future__ import annotations

from pathlib import Path

from django.core.management.base import CommandError, OutputWrapper

from celebrities.errors import BadSource
from celebrities.importers.importing import Options, Summary, import_plan
from celebrities.importers.layout import Plan, plan_import
from celebrities.importers.sources import Source, open_source
from celebrities.management.progress import count_progress
from lookalike.faces.errors import FacesError


def import_and_report(
    path: Path, options: Options, stdout: OutputWrapper, stderr: OutputWrapper, verbosity: int = 1
) -> Summary:
    """Import a folder or archive, and report each file that failed; at a higher verbosity
    also those skipped. Raises CommandError with what to do."""
    try:
        source = open_source(path)
        plan = plan_import(source)
    except BadSource as error:
        raise CommandError(str(error)) from error
    for remark in plan.remarks:
        stderr.write(f"{remark}.")
    if not plan.portraits and not plan.failed:
        raise CommandError(f"There is no portrait in {path}.")
    summary = run_import(source, plan, options)
    report_summary(summary, stdout, stderr, verbosity)
    return summary


def report_summary(
    summary: Summary, stdout: OutputWrapper, stderr: OutputWrapper, verbosity: int
) -> None:
    for problem in summary.failed:
        stderr.write(f"{problem.where}: {problem.reason}")
    if verbosity > 1:
        for problem in summary.skipped:
            stdout.write(f"{problem.where}: skipped, {problem.reason}")
    stdout.write(
        f"Imported {summary.imported} portraits ({summary.people} new people), "
        f"skipped {len(summary.skipped)}, failed {len(summary.failed)}."
    )


def run_import(source: Source, plan: Plan, options: Options) -> Summary:
    try:
        with count_progress("Importing portraits", len(plan.portraits)) as progress:
            return import_plan(source, plan, options, progress)
    except FacesError as error:
        raise CommandError(str(error)) from error
