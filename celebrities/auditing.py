"""Whether rows and files of the gallery agree, and how to put that right."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from celebrities.deleted import find_deleted
from celebrities.errors import EmptyGallery, GalleryError
from celebrities.gallery import delete_portraits
from celebrities.index.builds import is_dead, take_over_dead_build
from celebrities.index.cleaning import remove_old_builds
from celebrities.index.rebuild import rebuild_index
from celebrities.index.search import open_current
from celebrities.models import IndexBuild, Portrait, gallery_storage
from celebrities.sweeping import find_orphans, sweep_files
from lookalike.faces.errors import FacesError

MOST_LOST = 0.1
"""Where more of the portraits lack their files, the storage is taken for a wrong one."""


class CannotRepair(Exception):
    """Why something is left to the operator, in a sentence."""


@dataclass(frozen=True, slots=True)
class Check:
    """``find`` lists what is wrong. ``repair`` puts it right, or raises CannotRepair."""

    name: str
    words: str
    find: Callable[[], list[Any]]
    repair: Callable[[list[Any]], None]


def list_names(folder: str = "") -> set[str]:
    """Every file of the gallery's storage below a folder."""
    try:
        folders, files = gallery_storage().listdir(folder)
    except FileNotFoundError:
        return set()
    names = {f"{folder}/{name}".lstrip("/") for name in files if name}
    for each in folders:
        names |= list_names(f"{folder}/{each}".lstrip("/"))
    return names


def _rows() -> Iterable[Portrait]:
    return Portrait.objects.only("pk", "image", "chip", "thumbnail_width").order_by("pk")


def find_lost() -> list[int]:
    """Portraits whose picture is missing."""
    there = list_names()
    return [row.pk for row in _rows() if str(row.image.name) not in there]


def delete_lost(lost: list[int]) -> None:
    total = Portrait.objects.count()
    if len(lost) > max(1, total * MOST_LOST):
        raise CannotRepair(
            f"{len(lost)} of {total} portraits lack their pictures: the storage is another one, or "
            "empty. Bring it back. To delete them all the same, use the admin."
        )
    delete_portraits(Portrait.objects.filter(pk__in=lost))


def find_incomplete() -> list[int]:
    """Portraits whose picture is there, but not its thumbnails or chip."""
    there = list_names()
    return [
        row.pk
        for row in _rows()
        if str(row.image.name) in there and not there.issuperset(row.file_names)
    ]


def read_again(portraits: list[int]) -> None:
    """The gallery's worker reads them, and makes their files anew."""
    Portrait.objects.filter(pk__in=portraits).update(
        status=Portrait.Status.PENDING, retry_at=None, problem=""
    )


def find_refused_without_file() -> list[int]:
    """Portraits that failed because their file was missing, and whose file is there now."""
    failed = Portrait.objects.filter(status=Portrait.Status.FAILED).exclude(problem="")
    there = list_names() if failed.exists() else set()
    return [row.pk for row in failed if str(row.image.name) in there]


def sweep_all() -> None:
    sweep_files(everything=True)


def find_unopenable() -> list[str]:
    """The build in use, if it cannot be opened here."""
    current = IndexBuild.objects.current()
    try:
        opened = open_current()[0]
    except EmptyGallery:
        return []
    except (GalleryError, FacesError):
        return [current.name if current else "none"]
    return [] if current is None or opened == current else [current.name]


def find_unread() -> list[int]:
    """Portraits in use without a vector of the encoder of the build in use."""
    current = IndexBuild.objects.current()
    if current is None:
        return []
    return list(Portrait.objects.unread(current.encoder).values_list("pk", flat=True))


def build_anew(found: list[Any]) -> None:
    try:
        rebuild_index()
        remove_old_builds()
    except (GalleryError, FacesError) as error:
        raise CannotRepair(str(error)) from error


def find_stuck_builds() -> list[str]:
    running = IndexBuild.objects.filter(status=IndexBuild.Status.BUILDING)
    return [build.name for build in running if is_dead(build)]


def find_deleted_people() -> list[str]:
    return [f"{person.pk} {person.name}" for person in find_deleted()]


def leave_deleted(found: list[str]) -> None:
    raise CannotRepair(
        "They were deleted after this copy of the database was made. Delete them again in the "
        "admin, or with manage.py audit --delete-again."
    )


CHECKS = [
    Check("portraits_without_picture", "portraits without a picture", find_lost, delete_lost),
    Check("pictures_incomplete", "pictures without thumbnails", find_incomplete, read_again),
    Check(
        "refused_without_file",
        "portraits refused for a missing file that is there",
        find_refused_without_file,
        read_again,
    ),
    Check(
        "files_without_portrait",
        "files without a portrait",
        find_orphans,
        lambda found: sweep_all(),
    ),
    Check("index_unopenable", "index in use cannot be opened", find_unopenable, build_anew),
    Check("vectors_missing", "portraits not read by the encoder in use", find_unread, build_anew),
    Check(
        "builds_stuck",
        "builds whose process is gone",
        find_stuck_builds,
        lambda found: take_over_dead_build(),
    ),
    Check(
        "people_deleted",
        "people who were deleted since",
        find_deleted_people,
        leave_deleted,
    ),
]
