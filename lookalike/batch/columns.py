"""What a component holds: for each photo a value, or None with the reason why not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lookalike import environ
from lookalike.faces.errors import PhotoError, Reason
from lookalike.faces.photos.colours import flatten_to_rgb
from lookalike.faces.types import Pixels

Column = NDArray[np.object_]
"""(n,) of any values: always a list of photos, whether their shapes agree or not."""

NO_FILE = "no_file"
"""The reason of a photo whose file is missing. All others are those of the engine's Reason."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a photo has no value."""

    reason: str


def make_column(values: Sequence[Any] | Column) -> Column:
    """Values side by side; numpy on its own would join those of one shape to a matrix."""
    column = np.empty(len(values), object)
    for number, value in enumerate(values):
        column[number] = value
    return column


def try_each(function: Callable[..., Any], jobs: Iterable[Sequence[Any]]) -> list[Any]:
    """``function(*job)`` of each job, on all cores, in order.

    None where a part of the job is None already, and a Failure where the photo cannot be
    used. Other exceptions go through.
    """

    def attempt(job: Sequence[Any]) -> Any:
        if any(part is None for part in job):
            return None
        try:
            return function(*job)
        except PhotoError as error:
            return Failure(error.reason)
        except FileNotFoundError:
            return Failure(NO_FILE)
        except OSError:
            return Failure(Reason.UNREADABLE)

    with ThreadPoolExecutor(environ.count_cores()) as pool:
        return list(pool.map(attempt, jobs))


def as_rgb(image: Any) -> Pixels:
    """A Pillow image, or an array of 1 to 4 channels, as (height, width, 3) uint8 RGB.

    Raises ValueError for arrays that aren't uint8 or have another shape.
    """
    if not isinstance(image, Image.Image):
        image = np.asarray(image)
        if image.dtype != np.uint8:
            raise ValueError(f"Pixels are uint8, 0 to 255; these are {image.dtype}.")
        if image.ndim == 3 and image.shape[2] == 3:
            return np.ascontiguousarray(image)
        if image.ndim == 3 and image.shape[2] == 1:
            image = image[:, :, 0]
        if image.ndim not in (2, 3):
            raise ValueError(f"An image is (height, width[, channels]); this is {image.shape}.")
        image = Image.fromarray(np.ascontiguousarray(image))
    return np.asarray(flatten_to_rgb(image))
