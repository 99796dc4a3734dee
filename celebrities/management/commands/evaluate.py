from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from celebrities.errors import BadSource
from celebrities.evaluating import read_gallery, read_queries
from celebrities.importers.layout import plan_import
from celebrities.importers.opening import open_source
from celebrities.importers.sources import Source
from celebrities.management.progress import count_progress
from lookalike import engine
from lookalike.faces.calibration import built_in_tail
from lookalike.faces.encoders import list_choices, load_encoder
from lookalike.faces.errors import FacesError
from lookalike.faces.evaluation import measure_accuracy
from lookalike.faces.pipeline import FaceEngine


class Command(BaseCommand):
    help = (
        "Measure on your own labelled photos how often the right person is found: "
        "<person>_<anything>.jpg or a folder per person, with a manifest.csv for results by "
        "gender and birth decade. Nothing is stored, and no database is touched."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--gallery", type=Path, required=True, metavar="DIR")
        parser.add_argument("--queries", type=Path, required=True, metavar="DIR")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--encoder", choices=list_choices(), help="another than the site's")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.perf_counter()
        try:
            sources = open_source(options["gallery"]), open_source(options["queries"])
            faces = make_engine(options["encoder"])
            result = evaluate(faces, *sources, started)
        except (BadSource, FacesError, ValueError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(result) if options["json"] else describe(result))


def make_engine(encoder: str | None) -> FaceEngine:
    """The site's engine, or one with another encoder. Raises WeightsMissing."""
    faces = engine.get_engine()
    if encoder is None:
        return faces
    chosen = load_encoder(encoder, settings.WEIGHTS_DIR, engine.make_runtime())
    return FaceEngine(faces.detector, chosen)


def evaluate(faces: FaceEngine, gallery: Source, queries: Source, started: float) -> dict[str, Any]:
    """The figures, as --json prints them. Raises ValueError if no photo has a usable face."""
    total = sum(len(plan_import(source).portraits) for source in (gallery, queries))
    with count_progress("Reading photos", total) as progress:
        known = read_gallery(faces, gallery, progress)
        asked = read_queries(faces, queries, progress)
    accuracy = measure_accuracy(
        known.vectors(faces.encoder.dimensions),
        known.people,
        asked.vectors(faces.encoder.dimensions),
        asked.people,
        tail=built_in_tail(faces.encoder.name),
        missed_people=[person for person, _ in asked.missed],
        labels={name: known.labels[name] | asked.labels[name] for name in known.labels},
    )
    missed = known.missed + asked.missed
    figures = asdict(accuracy)
    groups = figures.pop("groups")
    return {
        "gallery_photos": known.photos,
        "query_photos": asked.photos,
        "people": len({*known.people, *(person for person, _ in known.missed)}),
        "no_face": len(missed),
        "left_out": dict(Counter(reason for _, reason in missed).most_common()),
        "turned": len(known.turned) + len(asked.turned),
        **_rounded(figures),
        "seconds": round(time.perf_counter() - started, 3),
        "groups": {
            question: {member: _rounded(values) for member, values in group.items()}
            for question, group in groups.items()
            if group
        },
    }


def _rounded(figures: dict[str, Any]) -> dict[str, Any]:
    return {
        name: round(value, 4) if isinstance(value, float) else value
        for name, value in figures.items()
    }


def describe(result: dict[str, Any]) -> str:
    lines = [
        f"{result['gallery_photos']} gallery photos of {result['people']} people, "
        f"{result['query_photos']} query photos; {result['turned']} turned, "
        f"{result['no_face']} without a usable face"
        + "".join(f", {count} {reason}" for reason, count in result["left_out"].items())
        + ".",
        f"Right person first: {result['rank1']:.1%}; among the first six: {result['rank6']:.1%}.",
        f"Same person or not: {result['verification']:.1%} right "
        f"at distance {result['threshold']}.",
    ]
    for question, groups in result["groups"].items():
        for group, figures in groups.items():
            lines.append(
                f"  {question} {group}: {figures['query_photos']} photos, "
                f"first {figures['rank1']:.1%}, among six {figures['rank6']:.1%}"
            )
    return "\n".join([*lines, f"{result['seconds']} s."])
