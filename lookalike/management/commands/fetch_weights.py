from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from lookalike.faces.encoders import AUTO, ENCODERS
from lookalike.faces.encoders.facenet_network import fill_network
from lookalike.faces.errors import FacesError
from lookalike.faces.weights import fetch_weights, install_weights


class Command(BaseCommand):
    help = "Download the weights of an encoder, or take them from a file. They are checked."

    def add_arguments(self, parser: ArgumentParser) -> None:
        names = sorted(name for name, spec in ENCODERS.items() if spec.weights)
        parser.add_argument("name", choices=names, help="the encoder")
        parser.add_argument("--from", dest="file", type=Path, help="a file got by other means")
        parser.add_argument("--timeout", type=float, default=30.0, help="seconds without a byte")

    def handle(self, *words: str, **options: Any) -> None:
        weights, folder = ENCODERS[options["name"]].weights, settings.WEIGHTS_DIR
        assert weights is not None  # noqa: S101 - the parser takes no other names
        try:
            if options["file"]:
                path = install_weights(weights, options["file"], folder)
            else:
                path = fetch_weights(weights, folder, progress=True, timeout=options["timeout"])
            fill_network(path, weights.sha256)
        except FacesError as problem:
            raise CommandError(str(problem)) from None
        self.stdout.write(f"The weights of {weights.name} are in {path}, whole and checked.")
        if settings.ENCODER not in (AUTO, weights.name):
            self.stdout.write(f"LOOKALIKE_ENCODER is {settings.ENCODER}, so they are not used.")
        else:
            self.stdout.write("Rebuild the index for them: manage.py rebuild_index.")
