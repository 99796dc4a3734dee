"""What the pages show of an upload."""

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
"""Milliseconds between two polls: when a worker has the photo or takes it next, when no worker
is running, and the most otherwise."""

PLACES_A_SECOND = 10
"""Upper bound of a worker's throughput, used to space out polling by queue position."""


@dataclass(frozen=True, slots=True)
class Place:
    """A box on the photo, in percent of the photo's width or height."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class FaceView:
    """A face with its look-alikes; ``exact_matches`` if an exhaustive search is shown too."""

    face: UploadedFace
    place: Place
    matches: list[Match]
    exact_matches: list[Match]

    @property
    def best(self) -> Match | None:
        return self.matches[0] if self.matches else None

    @property
    def agreeing(self) -> int:
        """How many people both searches found."""
        exact = {match.celebrity_id for match in self.exact_matches}
        return sum(match.celebrity_id in exact for match in self.matches)

    @property
    def is_weak(self) -> bool:
        """Whether even the best match is hardly alike."""
        return self.best is None or band(self.best.number) == HARDLY


def describe_upload(upload: Upload) -> dict[str, Any]:
    """Template context of an upload's page and of its status fragment."""
    context: dict[str, Any] = {"upload": upload}
    if upload.status == Status.DONE:
        context["faces"] = list_faces(upload)
    elif upload.status == Status.FAILED:
        context["failure"] = describe_failure(upload.failure, upload.detail)
    else:
        context.update(_describe_waiting(upload))
    return context


def list_faces(upload: Upload) -> list[FaceView]:
    """The faces, largest first, in two queries."""
    return _show_faces(list(upload.faces.select_related("upload")))


def show_face(face: UploadedFace) -> FaceView:
    """One face with its look-alikes."""
    return _show_faces([face])[0]


def _show_faces(faces: list[UploadedFace]) -> list[FaceView]:
    """Leaves out people who were unpublished since the search."""
    matches = (
        Match.objects.filter(face__in=faces, celebrity__published=True)
        .select_related("celebrity", "portrait")
        .defer("portrait__vector", "portrait__landmarks")
        .order_by("face", "exhaustive", "rank")
    )
    found: dict[tuple[int, bool], list[Match]] = {}
    for match in matches:
        found.setdefault((match.face_id, match.exhaustive), []).append(match)
    return [
        FaceView(
            face,
            place_box(face.box, face.upload.width, face.upload.height),
            found.get((face.pk, False), []),
            found.get((face.pk, True), []),
        )
        for face in faces
    ]


def place_box(box: list[float], width: int, height: int) -> Place:
    """``box`` in pixels -> percent, clipped at the photo's edges."""
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
        "poll_ms": AWAY_MS if away else _pause_at(place),
        "people_count": upload.compared_with,
        "worker_away": away,
    }


def _pause_at(place: int) -> int:
    """Milliseconds to the next poll. Only those whose photo is at work or next poll often, so
    that a long queue does not slow the workers down."""
    if place <= settings.WORKERS:
        return SOON_MS
    return min(1000 * (1 + place // (PLACES_A_SECOND * settings.WORKERS)), MOST_MS)
