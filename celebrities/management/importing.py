"""Imports for the commands, with progress and a report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from django.core.management.base import CommandError, OutputWrapper

from celebrities.errors import BadSource
from celebrities.importers.importing import import_plan
from celebrities.importers.layout import Plan, plan_import
from celebrities.importers.people import Options
from celebrities.importers.recording import ending, tell
from celebrities.importers.report import SHOWN, Kind, Report
from celebrities.importers.restoring import GalleryArchive, restore_gallery
from celebrities.importers.sources import Source
from celebrities.management.progress import count_progress
from celebrities.sweeping import sweep_files
from lookalike.faces.errors import FacesError

DETAILS = (Kind.PERSON, Kind.PORTRAIT, Kind.SKIPPED)
"""Kinds of lines that are shown only at a higher verbosity; new people also by a dry run."""


def make_plan(
    source: Source, same: Sequence[str], skip_bad_lines: bool, stderr: OutputWrapper
) -> Plan:
    """Raises CommandError for a manifest with lines that cannot be used, unless they are to be
    skipped: files would be published without their names and credits."""
    try:
        plan = plan_import(source, same)
    except BadSource as error:
        raise CommandError(str(error), returncode=2) from error
    for remark in plan.remarks:
        stderr.write(f"{remark}.")
    if plan.bad_lines and not skip_bad_lines:
        for problem in plan.bad_lines[:SHOWN]:
            stderr.write(f"{problem.where}: {problem.reason}")
        count = len(plan.bad_lines)
        if count > SHOWN:
            stderr.write(f"... and {count - SHOWN:,} more lines")
        raise CommandError(
            f"{count:,} lines of the manifest cannot be used. Nothing was imported. Correct them, "
            "or leave their files out with --skip-bad-lines."
            if count > 1
            else "A line of the manifest cannot be used. Nothing was imported. Correct it, or "
            "leave its file out with --skip-bad-lines.",
            returncode=2,
        )
    return plan


def run_import(source: Source, plan: Plan, options: Options) -> Report:
    what = "Reading portraits" if options.dry_run else "Importing portraits"
    if not options.dry_run:
        sweep_files()
    try:
        with ending(options.record), count_progress(what, len(plan.portraits)) as progress:
            report = import_plan(source, plan, options, progress)
            if options.record:
                tell(options.record, report)
            return report
    except FacesError as error:
        raise CommandError(str(error)) from error


def run_restore(archive: GalleryArchive, options: Options) -> Report:
    if not options.dry_run:
        sweep_files()
    with (
        ending(options.record),
        count_progress("Restoring portraits", len(archive.portraits)) as progress,
    ):
        record, dry_run = options.record, options.dry_run
        report = restore_gallery(archive, progress, dry_run=dry_run, record=record)
        if record:
            tell(record, report)
        return report


def show_report(
    report: Report,
    options: Options,
    stdout: OutputWrapper,
    stderr: OutputWrapper,
    verbosity: int = 1,
) -> None:
    """Write what failed to ``stderr``, and the rest to ``stdout``."""
    for kind in Kind:
        shown = kind not in DETAILS or verbosity > 1
        if shown or (kind is Kind.PERSON and options.dry_run):
            out = stderr if kind is Kind.FAILED else stdout
            for line in report.sum_up(kind):
                out.write(line if kind is Kind.FAILED else f"{kind}: {line}")
    more = "".join(
        f", {words} {report.count(kind)}"
        for kind, words in (
            (Kind.HELD, "kept out of sight"),
            (Kind.FILLED, "filled in"),
            (Kind.UPDATED, "updated"),
            (Kind.REPLACED, "replaced"),
            (Kind.DIFFERS, "different (taken with --update)"),
            (Kind.KEPT, "kept as changed by hand"),
            (Kind.QUESTION, "questions"),
            (Kind.REFUSED, "refused"),
        )
        if report.count(kind)
    )
    stdout.write(
        f"{'Would import' if options.dry_run else 'Imported'} {report.imported} portraits "
        f"({report.people} new people), skipped {len(report.skipped)}, "
        f"failed {len(report.failed)}{more}."
    )


def save_report(report: Report, path: Path | None) -> None:
    if path is None:
        return
    try:
        report.write_csv(path)
    except OSError as error:
        raise CommandError(f"The report could not be written: {error}") from error
