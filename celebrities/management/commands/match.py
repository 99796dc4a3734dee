from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import CommandError, CommandParser

from celebrities.errors import GalleryError
from celebrities.index.search import encoder_of, find_lookalikes, open_current
from celebrities.models import Celebrity
from celebrities.photos import open_to_keep
from lookalike import engine
from lookalike.database import DatabaseCommand
from lookalike.faces.errors import FacesError, NoFace, PhotoError, Reason
from lookalike.faces.index import Method
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
                result = match_photo(photo, options["k"], exact=options["exact"])
            except GalleryError as error:
                raise CommandError(str(error), returncode=NO_INDEX) from error
            problem = result.pop("problem", "")
            result["seconds"] = round(time.perf_counter() - started, 4)
            if problem:
                self.stderr.write(f"{photo}: {problem}")
            self.stdout.write(json.dumps(result) if options["json"] else describe(result))


def match_photo(path: Path, k: int, *, exact: bool) -> dict[str, Any]:
    """The JSON object for one photo, with a ``problem`` for people if it can't be used."""
    result: dict[str, Any] = {"photo": str(path), "outcome": "matched", "faces": []}
    try:
        photo = open_to_keep(path)
        upright, detections = engine.get_finder().find_faces(photo)
        if not detections:
            raise NoFace
    except PhotoError as error:
        words = error.reason.replace("_", " ")
        problem = f"{words}: {error}" if str(error) else words
        return {**result, "outcome": error.reason, "problem": problem}
    except OSError as error:
        problem = error.strerror or str(error)
        return {**result, "outcome": Reason.UNREADABLE, "problem": problem}
    opened = open_current()
    faces = engine.get_engine(encoder_of(opened[0])).encode_faces(upright, detections)
    vectors = np.stack([face.vector for face in faces])
    method = Method.EXACT if exact else None
    found = find_lookalikes(vectors, k=k, method=method, opened=opened).neighbours
    people = Celebrity.objects.in_bulk({near.celebrity_id for one in found for near in one})
    result["faces"] = [
        describe_face(upright, face, near, people) for face, near in zip(faces, found, strict=True)
    ]
    return result


def describe_face(
    photo: Photo, face: Face, found: list[Neighbour], people: dict[int, Celebrity]
) -> dict[str, Any]:
    """A face, its box in pixels of the full upright photo, and its matches, nearest first."""
    return {
        "box": [round(side, 1) for side in face.box.scaled(1 / photo.scale)],
        "confidence": round(float(face.confidence), 4),
        "matches": [
            {
                "name": people[near.celebrity_id].name,
                "slug": people[near.celebrity_id].slug,
                "similarity": max(0, round(near.similarity)),
                "distance": round(near.distance, 4),
            }
            for near in found
            if near.celebrity_id in people
        ],
    }


def describe(result: dict[str, Any]) -> str:
    outcome = result["outcome"].replace("_", " ")
    lines = [f"{result['photo']}: {outcome} ({result['seconds']:.2f} s)"]
    for number, face in enumerate(result["faces"], 1):
        if len(result["faces"]) > 1:
            lines.append(f"  face {number}")
        lines += [f"  {match['similarity']:3d}  {match['name']}" for match in face["matches"]]
    return "\n".join(lines)
