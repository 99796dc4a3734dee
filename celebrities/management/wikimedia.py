"""Shared by the commands that ask Wikimedia: arguments, client, progress, report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError, CommandParser, OutputWrapper
from filelock import FileLock, Timeout

from celebrities.management.progress import people_progress
from celebrities.sweeping import sweep_files
from celebrities.wikidata.cache import Cache
from celebrities.wikidata.client import Client
from celebrities.wikidata.errors import Refused, WikimediaError
from celebrities.wikidata.options import Services
from celebrities.wikidata.report import Report
from lookalike.faces.errors import FacesError

GO_ON = "Run the same command again: it goes on where it stopped."


def read_services() -> Services:
    return Services(settings.WIKIDATA_SPARQL, settings.WIKIDATA_API, settings.COMMONS_API)


def add_shared_arguments(parser: CommandParser) -> None:
    parser.add_argument(
        "--language",
        default="en,ru",
        metavar="CODES",
        help="languages of names: the first is the name's, others become other names "
        "(default: en,ru)",
    )
    parser.add_argument(
        "--portraits",
        type=int,
        choices=(1, 2, 3),
        default=1,
        help="how many of each person. With more than one, pictures of the person's Commons "
        "category are asked for where Wikidata names too few (default: 1)",
    )
    parser.add_argument("--no-rebuild", action="store_true", help="leave the index as it is")
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="write a line for each person and picture, CSV"
    )


def read_languages(text: str) -> tuple[str, ...]:
    """Raises CommandError for anything but codes separated by commas."""
    codes = tuple(each.strip().lower() for each in text.split(",") if each.strip())
    if not codes or not all(each.replace("-", "").isalnum() for each in codes):
        raise CommandError(f"--language is {text!r}, but must be codes such as en,ru.")
    return codes


def ask_wikimedia(
    work: Callable[[Client, Report], None],
    total: int | None,
    report_path: Path | None,
    stdout: OutputWrapper,
    verbosity: int,
) -> Report:
    """Run ``work`` with a client and a progress bar, and print the report even if it fails.

    ``total`` is the number of people to expect. Raises CommandError with what to do.
    """
    report = Report()
    if report_path is not None:
        # Fail now rather than after an hour.
        _write(report, report_path)
    client = None
    try:
        with (
            people_progress(total) as progress,
            open_client(progress.note if progress.is_shown else stdout.write) as client,
        ):
            sweep_files()
            report.on_change = lambda report: progress.show(
                report.people, report.pictures, report.outcomes["refused"]
            )
            work(client, report)
    except KeyboardInterrupt:
        raise CommandError(f"Stopped. {GO_ON}", returncode=130) from None
    except Refused as error:
        raise CommandError(f"Wikimedia refused a request: {error}.") from error
    except (WikimediaError, FacesError) as error:
        raise CommandError(str(error)) from error
    finally:
        if client is not None:
            tell_report(report, report_path, stdout, verbosity)
    return report


@contextmanager
def open_client(on_wait: Callable[[str], None]) -> Iterator[Client]:
    """Only one client may be open on a data folder. Raises CommandError if there is another."""
    folder = settings.DATA_DIR / "wikidata"
    folder.mkdir(parents=True, exist_ok=True)
    services = read_services()
    endpoints = (services.sparql, services.wikidata, services.commons)
    try:
        with FileLock(folder / "lock", timeout=0):
            cache = Cache(folder / "cache.sqlite3")
            try:
                yield Client(cache, settings.CONTACT, endpoints, on_wait=on_wait)
            finally:
                cache.close()
    except Timeout:
        raise CommandError(
            "Another command is asking Wikimedia at this moment, and one at a time may. Try "
            "again when it has ended."
        ) from None


def tell_report(report: Report, path: Path | None, stdout: OutputWrapper, verbosity: int) -> None:
    if verbosity > 1:
        for line in report.lines:
            about = " ".join(part for part in (line.id, line.name, line.file) if part)
            stdout.write(f"{line.outcome}: {about}" + (f": {line.reason}" if line.reason else ""))
    refused = report.outcomes["refused"]
    stdout.write(
        f"{report.people} of these people are in the gallery. "
        f"{report.pictures} pictures are new, {refused} people or pictures were refused."
    )
    for reason, count in report.reasons():
        stdout.write(f"  {count} refused: {reason}")
    if path is not None:
        _write(report, path)


def _write(report: Report, path: Path) -> None:
    try:
        report.write_csv(path)
    except OSError as error:
        raise CommandError(f"The report could not be written: {error}") from error
