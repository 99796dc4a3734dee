from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import CommandError, CommandParser

from celebrities.errors import GalleryError
from celebrities.index.builds import open_current
from celebrities.index.search import find_lookalikes
from celebrities.models import Celebrity
from celebrities.photos import open_to_keep
from lookalike import engine
from lookalike.database import DatabaseCommand
from lookalike.faces.errors import (
    FacesError,
    FaceTooSmall,
    PhotoError,
    PhotoTooLarge,
    PhotoTooSmall,
    TooManyPixels,
    UnsupportedFormat,
)
from lookalike.faces.types import Face, Neighbour, Photo

NO_INDEX = 2


class Command(DatabaseCommand):
    help = (
        "Find the people in the gallery who look most like those on photos, as the site "
        "does. Exit code 0 when every photo got an outcome, 2 when there is no usable index."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO")
        parser.add_argument("--k", type=int, default=6, help="how many look-alikes (6)")
        parser.add_argument("--exact", action="store_true", help="compare with everybody")
        parser.add_argument("--json", action="store_true", help="one JSON object a line")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["k"] < 1:
            raise CommandError("--k must be at least 1.")
        try:
            open_current()
        except (GalleryError, FacesError) as error:
            raise CommandError(str(error), returncode=NO_INDEX) from error
        for photo in options["photos"]:
            started = time.perf_counter()
            try:
                says = match_photo(photo, options["k"], exact=options["exact"])
            except GalleryError as error:
                raise CommandError(str(error), returncode=NO_INDEX) from error
            problem = says.pop("problem", "")
            says["seconds"] = round(time.perf_counter() - started, 4)
            if problem:
                self.stderr.write(f"{photo}: {problem}")
            self.stdout.write(json.dumps(says) if options["json"] else describe(says))


def match_photo(path: Path, k: int, *, exact: bool) -> dict[str, Any]:
    """What the gallery says to a photo, and, where it can't be used, what the problem is."""
    says: dict[str, Any] = {"photo": str(path), "outcome": "matched", "faces": []}
    try:
        photo = open_to_keep(path)
        upright, detections = engine.get_engine().find_faces(photo)
    except PhotoError as error:
        outcome = name_outcome(error)
        return {**says, "outcome": outcome, "problem": f"{outcome.replace('_', ' ')}: {error}"}
    except OSError as error:
        return {**says, "outcome": "unreadable", "problem": error.strerror or str(error)}
    if not detections:
        return {**says, "outcome": "no_face"}
    faces = engine.get_engine().encode_faces(upright, detections)
    vectors = np.stack([face.vector for face in faces])
    found = find_lookalikes(vectors, k=k, method="exact" if exact else None).neighbours
    names = name_people(found)
    says["faces"] = [
        describe_face(upright, face, near, names) for face, near in zip(faces, found, strict=True)
    ]
    return says


def name_outcome(error: PhotoError) -> str:
    match error:
        case UnsupportedFormat():
            return "unsupported"
        case PhotoTooLarge() | TooManyPixels():
            return "too_large"
        case PhotoTooSmall() | FaceTooSmall():
            return "too_small"
    return "unreadable"


def name_people(found: list[list[Neighbour]]) -> dict[int, tuple[str, str]]:
    ids = {near.celebrity_id for one in found for near in one}
    people = Celebrity.objects.filter(pk__in=ids).values_list("pk", "name", "slug")
    return {pk: (name, slug) for pk, name, slug in people}


def describe_face(
    photo: Photo, face: Face, found: list[Neighbour], names: dict[int, tuple[str, str]]
) -> dict[str, Any]:
    """A face in full upright pixels, with its look-alikes, nearest first."""
    return {
        "box": [round(side, 1) for side in face.box.scaled(1 / photo.scale)],
        "confidence": round(float(face.confidence), 4),
        "matches": [
            {
                "name": names[near.celebrity_id][0],
                "slug": names[near.celebrity_id][1],
                "similarity": round(near.similarity),
                "distance": round(near.distance, 4),
            }
            for near in found
            if near.celebrity_id in names
        ],
    }


def describe(says: dict[str, Any]) -> str:
    """The same for people to read."""
    lines = [f"{says['photo']}: {says['outcome'].replace('_', ' ')} ({says['seconds']:.2f} s)"]
    for number, face in enumerate(says["faces"], 1):
        if len(says["faces"]) > 1:
            lines.append(f"  face {number}")
        lines += [f"  {match['similarity']:3d}  {match['name']}" for match in face["matches"]]
    return "\n".join(lines)
