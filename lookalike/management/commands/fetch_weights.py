"""`manage.py fetch_weights facenet`: downloads a network's weights, or takes them from a file."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from lookalike.faces.errors import FacesError
from lookalike.faces.weights import FACENET, Weights, fetch_weights, install_weights

KNOWN = {FACENET.name: FACENET}


class Command(BaseCommand):
    help = "Download the weights of an encoder, resumed and checked, or take them from a file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", choices=sorted(KNOWN), help="the encoder")
        parser.add_argument("--from", dest="file", type=Path, help="a file got by other means")
        parser.add_argument("--timeout", type=float, default=30.0, help="seconds without a byte")
        parser.add_argument("--attempts", type=int, default=3)

    def handle(self, *words: str, **options: Any) -> None:
        weights, folder = KNOWN[options["name"]], settings.WEIGHTS_DIR
        try:
            if options["file"]:
                path = install_weights(weights, options["file"], folder)
            else:
                path = download(weights, folder, options["timeout"], options["attempts"])
        except FacesError as problem:
            raise CommandError(str(problem)) from None
        self.stdout.write(f"The weights of {weights.name} are in {path}, whole and checked.")
        if settings.ENCODER == "dlib":
            self.stdout.write("LOOKALIKE_ENCODER is dlib, so they are not used.")
        else:
            self.stdout.write("Rebuild the index for them: manage.py rebuild_index.")


def download(weights: Weights, folder: Path, timeout: float, attempts: int) -> Path:
    """Fetch with a progress bar. Raises DownloadFailed or WeightsAltered."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    columns = ("[progress.description]{task.description}", BarColumn(), DownloadColumn())
    with Progress(*columns, TimeRemainingColumn()) as bar:
        task = bar.add_task(weights.file_name, total=weights.size)
        return fetch_weights(
            weights,
            folder,
            progress=lambda have, size: bar.update(task, completed=have, total=size),
            timeout=timeout,
            attempts=attempts,
        )
