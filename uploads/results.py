"""What the pages show of an upload."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils.translation import ngettext

from lookalike.faces.similarity import HARDLY, band
from lookalike.faces.types import EncoderId
from lookalike.processes.heartbeat import worker_is_away
from uploads.failures import describe_failure
from uploads.limits import estimate_seconds
from uploads.models import Match, Upload, UploadedFace
from uploads.questions import usual_parts

Status = Upload.Status


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
    def is_explained(self) -> bool:
        """Whether the site can tell which parts of the face make a look-alike."""
        return usual_parts(EncoderId.parse(self.face.upload.encoder)) is not None

    @property
    def is_weak(self) -> bool:
        """Whether nobody is alike: even the best match is in the lowest band, or there is none.
        Such a face has places instead of numbers, and is not shared."""
        return self.best is None or band(self.best.number) == HARDLY


def describe_upload(upload: Upload) -> dict[str, Any]:
    """Template context of an upload's page and of its status fragment."""
    context: dict[str, Any] = {"upload": upload}
    if upload.status == Status.DONE:
        faces = show_faces(list(upload.faces.select_related("upload")))
        context["faces"] = faces
        # The site has turned the photo, or the visitor has, or a face says little as it stands.
        is_doubtful = upload.is_turned or upload.rotation is not None
        context["in_doubt"] = is_doubtful or any(view.face.is_weak for view in faces)
        context["has_numbers"] = not all(view.is_weak for view in faces)
    elif upload.status == Status.FAILED:
        context["failure"] = describe_failure(upload.failure, upload.detail)
    else:
        context.update(_describe_waiting(upload))
    return context


def show_faces(faces: list[UploadedFace]) -> list[FaceView]:
    """The faces with their look-alikes, without people unpublished and
    portraits rejected since the search. One query."""
    matches = (
        Match.objects.filter(face__in=faces, celebrity__published=True)
        .exclude(portrait__status="rejected")
        .select_related("celebrity", "portrait")
        .defer("portrait__vector", "portrait__landmarks")
        .order_by("face", "exhaustive", "rank")
    )
    found: defaultdict[tuple[int, bool], list[Match]] = defaultdict(list)
    for match in matches:
        found[match.face_id, match.exhaustive].append(match)
    return [
        FaceView(face, place_box(face), found[face.pk, False], found[face.pk, True])
        for face in faces
    ]


def place_box(face: UploadedFace) -> Place:
    """The face's box in percent, clipped at the photo's edges."""
    width, height = face.upload.width, face.upload.height
    left, right = (min(max(side, 0), width) / width * 100 for side in face.box[::2])
    top, bottom = (min(max(side, 0), height) / height * 100 for side in face.box[1::2])
    return Place(*(round(share, 2) for share in (left, top, right - left, bottom - top)))


def _describe_waiting(upload: Upload) -> dict[str, Any]:
    place = 0
    if upload.status == Status.QUEUED:
        earlier = Q(turn__lt=upload.turn) | Q(turn=upload.turn, created_at__lt=upload.created_at)
        place = Upload.objects.waiting().filter(earlier).count() + 1
    away = worker_is_away()
    if away:
        poll_ms = 3000
    elif place <= settings.WORKERS:
        poll_ms = 150
    else:
        # A long queue must not slow the workers down. Each handles at most ten photos a second.
        poll_ms = min(1000 * (1 + place // (10 * settings.WORKERS)), 10_000)
    return {
        "place": place,
        "ahead": max(place - 1, 0),
        "wait": _describe_wait(estimate_seconds(place)) if place > 1 else "",
        "poll_ms": poll_ms,
        "people_count": upload.compared_with,
        "worker_away": away,
    }


def _describe_wait(seconds: float) -> str:
    if seconds < 90:
        count = max(5 * round(seconds / 5), 5)
        return ngettext("%(count)d second", "%(count)d seconds", count) % {"count": count}
    count = round(seconds / 60)
    return ngettext("%(count)d minute", "%(count)d minutes", count) % {"count": count}
