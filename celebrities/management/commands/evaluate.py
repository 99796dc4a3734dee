from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from celebrities.errors import BadSource
from celebrities.evaluating import read_gallery, read_queries
from celebrities.importers.layout import plan_import
from celebrities.importers.opening import open_source
from celebrities.importers.sources import Source
from celebrities.management.progress import count_progress
from lookalike import engine
from lookalike.faces.encoders import list_choices, load_encoder
from lookalike.faces.errors import FacesError
from lookalike.faces.evaluation import measure_accuracy
from lookalike.faces.pipeline import FaceEngine
from lookalike.faces.similarity import PERCENTILES
from lookalike.faces.types import Floats


class Command(BaseCommand):
    help = (
        "Measure on your own labelled photos how often the right person is found: "
        "<person>_<anything>.jpg or a folder per person, with a manifest.csv for results by "
        "gender and birth decade. Queries of people who are not in the gallery tell how near "
        "look-alikes usually are. Nothing is stored, and no database is touched."
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
    labels = {name: known.labels[name] | asked.labels[name] for name in known.labels}
    accuracy = measure_accuracy(
        known.vectors(faces.encoder.dimensions),
        known.people,
        asked.vectors(faces.encoder.dimensions),
        asked.people,
        encoder=faces.encoder.name,
        missed_people=[person for person, _ in asked.missed],
        labels=labels,
    )
    missed, turned = known.missed + asked.missed, known.turned + asked.turned
    figures = asdict(accuracy)
    outsiders, groups = figures.pop("outsiders"), figures.pop("groups")
    return {
        "gallery_photos": known.photos,
        "query_photos": asked.photos,
        "people": len({*known.people, *(person for person, _ in known.missed)}),
        "no_face": len(missed),
        "left_out": count_reasons(missed),
        "turned": len(turned),
        **rounded(figures),
        "outsiders": describe_outsiders(outsiders),
        "seconds": round(time.perf_counter() - started, 3),
        "groups": {
            question: {
                group: {
                    **rounded(values),
                    "left_out": count_reasons(
                        (who, why) for who, why in missed if labels[question].get(who) == group
                    ),
                    "turned": sum(labels[question].get(who) == group for who in turned),
                }
                for group, values in measured.items()
            }
            for question, measured in groups.items()
            if measured
        },
    }


def count_reasons(missed: Iterable[tuple[str, str]]) -> dict[str, int]:
    return dict(Counter(reason for _, reason in missed).most_common())


def describe_outsiders(numbers: Floats) -> dict[str, Any]:
    """How many query photos show nobody of the gallery, and percentiles of the numbers of
    their best and sixth match."""
    found: dict[str, Any] = {"photos": len(numbers)}
    if len(numbers):
        for name, column in (("best", numbers[:, 0]), ("sixth", numbers[:, 1])):
            values = np.percentile(column, PERCENTILES).round(1).tolist()
            found[name] = dict(zip(map(str, PERCENTILES), values, strict=True))
    return found


def rounded(figures: dict[str, Any]) -> dict[str, Any]:
    """With four decimals, intervals too."""
    found = {}
    for name, value in figures.items():
        if name == "intervals":
            value = {key: [round(end, 4) for end in ends] for key, ends in value.items()}
        found[name] = round(value, 4) if isinstance(value, float) else value
    return found


def describe(result: dict[str, Any]) -> str:
    lines = [
        f"{result['gallery_photos']} gallery photos of {result['people']} people, "
        f"{result['query_photos']} query photos; {result['turned']} turned, "
        f"{result['no_face']} left out"
        + "".join(f", {count} {reason}" for reason, count in result["left_out"].items())
        + ".",
    ]
    if result["rank1"] is not None:
        low, high = result["intervals"]["rank1"]
        lines += [
            f"Right person first: {result['rank1']:.1%} ({low:.1%} to {high:.1%}); "
            f"among the first six: {result['rank6']:.1%}.",
            f"Same person or not: {result['verification']:.1%} right "
            f"at distance {result['threshold']}.",
        ]
    lines.append(
        f"Never first for anyone else: {result['never_first']:.1%} of the people; the most "
        f"frequent tenth takes {result['top_tenth_share']:.1%} of the first places."
    )
    if best := result["outsiders"].get("best"):
        lines.append(
            f"People not in the gallery ({result['outsiders']['photos']} photos): best match "
            f"{best['50']}, sixth {result['outsiders']['sixth']['50']} of 100, as medians."
        )
    for question, groups in result["groups"].items():
        for group, figures in groups.items():
            lines.append(
                f"  {question} {group}: {figures['query_photos']} photos, "
                f"first {figures['rank1']:.1%}, among six {figures['rank6']:.1%}"
            )
    return "\n".join([*lines, f"{result['seconds']} s."])
