"""What the pages say of an upload."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings

from lookalike.faces.similarity import HARDLY, band
from lookalike.processes.heartbeat import worker_is_away
from uploads.failures import describe_failure
from uploads.models import Match, Upload, UploadedFace

Status = Upload.Status


SOON_MS, AWAY_MS, MOST_MS = 250, 3000, 10_000
"""Milliseconds to the page's next question: while a worker has the photo or takes it next,
while no worker is there, and the most while there is one."""

PLACES_A_SECOND = 10
"""So many photos a worker does in a second at the most: who has them before them need not
ask a second earlier."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a box lies on the photo, each number in percent of its width or height."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class FaceView:
    """A face with its look-alikes; ``style`` is the place of its box on the photo."""

    face: UploadedFace
    style: Place
    matches: list[Match]
    exact_matches: list[Match]

    @property
    def best(self) -> Match | None:
        return self.matches[0] if self.matches else None

    @property
    def agreeing(self) -> int:
        """How many names both kinds of search found."""
        exact = {match.celebrity_id for match in self.exact_matches}
        return sum(match.celebrity_id in exact for match in self.matches)

    @property
    def is_weak(self) -> bool:
        """Whether nobody in the gallery is a strong look-alike."""
        return self.best is None or band(self.best.number) == HARDLY


def describe_upload(upload: Upload) -> dict[str, Any]:
    """The context of an upload's page and of its status fragment."""
    context: dict[str, Any] = {"upload": upload}
    if upload.status == Status.DONE:
        context["faces"] = list_faces(upload)
    elif upload.status == Status.FAILED:
        context["failure"] = describe_failure(upload.failure, upload.detail)
    else:
        context.update(_describe_waiting(upload))
    return context


def list_faces(upload: Upload) -> list[FaceView]:
    """The faces, largest first, in three queries however many there are."""
    faces = list(upload.faces.all())
    matches = (
        Match.objects.filter(face__in=faces)
        .select_related("celebrity", "portrait")
        .defer("portrait__vector", "portrait__landmarks")
        .order_by("face", "search", "rank")
    )
    found: dict[tuple[int, str], list[Match]] = {}
    for match in matches:
        found.setdefault((match.face_id, match.search), []).append(match)
    return [
        FaceView(
            face,
            place_box(face.box, upload.width, upload.height),
            found.get((face.pk, Match.Search.APPROXIMATE), []),
            found.get((face.pk, Match.Search.EXACT), []),
        )
        for face in faces
    ]


def place_box(box: list[float], width: int, height: int) -> Place:
    """The box over a picture of any size, cut at the picture's edges."""
    left, right = (min(max(side, 0), width) / width * 100 for side in (box[0], box[2]))
    top, bottom = (min(max(side, 0), height) / height * 100 for side in (box[1], box[3]))
    return Place(
        left=round(left, 2),
        top=round(top, 2),
        width=round(right - left, 2),
        height=round(bottom - top, 2),
    )


def _describe_waiting(upload: Upload) -> dict[str, Any]:
    place = 0
    if upload.status == Status.QUEUED:
        place = Upload.objects.waiting().filter(created_at__lt=upload.created_at).count() + 1
    away = worker_is_away()
    return {
        "place": place,
        "look_again": AWAY_MS if away else _pause_at(place),
        "people_count": upload.compared_with,
        "worker_away": away,
    }


def _pause_at(place: int) -> int:
    """Milliseconds. Only as many visitors as there are workers, twice, ask every moment, so
    that a long queue does not take the machine from the photos."""
    if place <= settings.WORKERS:
        return SOON_MS
    return min(1000 * (1 + place // (PLACES_A_SECOND * settings.WORKERS)), MOST_MS)
