"""Columns: a value for each photo, or None with a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lookalike.faces.errors import PhotoError, Reason
from lookalike.faces.photos.colours import flatten_to_rgb
from lookalike.faces.photos.headers.exif import read_orientation
from lookalike.faces.photos.orientation import TRANSPOSE
from lookalike.faces.types import Pixels
from lookalike.machine import count_processors

Column = NDArray[np.object_]
"""(n,) of any values, one per photo."""


class Absence(StrEnum):
    """Reasons that only batches know, beside `lookalike.faces.errors.Reason`."""

    NO_FILE = "no_file"
    NO_VECTOR = "no_vector"


def make_column(values: Sequence[Any] | Column) -> Column:
    """An array of objects. numpy itself would join arrays of one shape to a matrix."""
    return np.fromiter(values, object, len(values))


def try_each(function: Callable[..., Any], jobs: Iterable[Sequence[Any]]) -> list[Any]:
    """Run ``function(*job)`` for each job on all cores; results keep the order of jobs.

    A result is None if a part of the job is None, and a Reason or an Absence if the photo
    cannot be used. Other exceptions are raised.
    """

    def attempt(job: Sequence[Any]) -> Any:
        if any(part is None for part in job):
            return None
        try:
            return function(*job)
        except PhotoError as error:
            return error.reason
        except FileNotFoundError:
            return Absence.NO_FILE
        except OSError:
            return Reason.UNREADABLE

    with ThreadPoolExecutor(count_processors()) as pool:
        return list(pool.map(attempt, jobs))


def stand_upright(image: Image.Image) -> Image.Image:
    """A Pillow image turned as its EXIF says."""
    turn = TRANSPOSE.get(read_orientation(image.info.get("exif") or b""))
    if turn is None:
        return image
    upright = image.transpose(turn)
    upright.info.pop("exif", None)
    return upright


def as_rgb(image: Any) -> Pixels:
    """A Pillow image, or a (height, width[, 1 to 4 channels]) array, as (height, width, 3)
    uint8 RGB. Pillow images are turned upright by their EXIF.

    Raises ValueError for arrays of another type or shape.
    """
    if isinstance(image, Image.Image):
        return np.asarray(flatten_to_rgb(stand_upright(image)))
    array = np.asarray(image)
    if array.dtype != np.uint8:
        raise ValueError(f"Pixels are uint8, 0 to 255; these are {array.dtype}.")
    shape = array.shape
    if not (len(shape) == 2 or (len(shape) == 3 and 1 <= shape[2] <= 4)):
        is_first = len(shape) == 3 and 1 <= shape[0] <= 4
        advice = " Its channels come first: use image.transpose(1, 2, 0)." if is_first else ""
        raise ValueError(f"An image is (height, width[, channels]); this one is {shape}.{advice}")
    if shape[2:] == (3,):
        return np.ascontiguousarray(array)
    if shape[2:] == (1,):
        array = array[:, :, 0]
    return np.asarray(flatten_to_rgb(Image.fromarray(np.ascontiguousarray(array))))
