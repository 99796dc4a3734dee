"""Photos in a batch: read, changed, written; one that fails keeps its place."""

from __future__ import annotations

import inspect
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

import batchflow
import numpy as np
from batchflow import FilesIndex, ImagesBatch
from numpy.typing import NDArray
from PIL import Image

from lookalike.batch import steps
from lookalike.batch.columns import Column, Failure, as_rgb, make_column, try_each

log = logging.getLogger("lookalike.batch")

Method = TypeVar("Method", bound=Callable[..., Any])

_noting = threading.Lock()
_PLACES = ("src", "dst")


def action(method: Method) -> Method:
    """Lets a pipeline call ``method`` (batchflow's decorator, with the types kept)."""
    marked: Method = batchflow.action(method)
    return marked


class PhotoBatch(ImagesBatch):  # type: ignore[misc]
    """A batch of photos, in which one that cannot be used doesn't stop the others.

    Every component is a column, (n,) of objects in the order of the photos, and holds None
    where a photo has no value; ``reasons`` then says why, such as "no_face".
    Of each photo, ``images`` holds (height, width, 3) uint8 RGB, or a Pillow image after
    `to_pil`, and ``scales`` the image's pixels per pixel of the file, as loaded.

    Photos that drop out are logged by number and reason, and a pipeline gathers them in its
    variable ``missing``, by name: ``pipeline.v("missing")``.
    """

    components: tuple[str, ...] = ("images", "scales", "reasons")

    @action
    def load_cv(
        self,
        src: Any = None,
        fmt: str = "cv",
        components: str = "images",
        *,
        target_side: int | None = steps.TARGET_SIDE,
    ) -> Self:
        """Read photos: upright, RGB, at most about twice ``target_side`` pixels long.

        ``src`` is the folder where they lie, or a FilesIndex; without it, the files are
        those of the batch's own FilesIndex. ``target_side`` None decodes every pixel.
        """
        if fmt != "cv":
            raise ValueError('load_cv reads photos as arrays: fmt="cv".')
        self._forget_reasons()
        jobs = [(self._file_of(name, src), target_side or 1 << 30) for name in self.indices]
        photos = self._try_each(steps.open_file, jobs)
        self._fill(components, [photo and photo.pixels for photo in photos])
        self.scales = make_column([photo and photo.scale for photo in photos])
        return self

    @action
    def resize(
        self,
        size: tuple[int | None, int | None],
        fmt: str = "cv",
        src: str = "images",
        dst: str = "images",
    ) -> Self:
        """Bring images to ``size``, (width, height), by linear interpolation; a side that is
        None follows the other. Arrays stay arrays and Pillow images Pillow images, whatever
        ``fmt`` ("cv" or "pil")."""
        if fmt not in ("cv", "pil"):
            raise ValueError('fmt is "cv" or "pil".')
        return self._change(src, dst, lambda image: steps.resize(image, size))

    @action
    def to_rgb(self, src: str = "images", dst: str = "images") -> Self:
        """(height, width, 3) uint8 RGB arrays of grey, transparent and Pillow images. Photos
        from `load_cv` are RGB from the start and stay as they are."""
        return self._change(src, dst, as_rgb)

    @action
    def to_pil(self, src: str = "images", dst: str = "images") -> Self:
        """Pillow images, in RGB."""
        return self._change(src, dst, lambda image: Image.fromarray(as_rgb(image)))

    def stack(self, component: str) -> tuple[list[str], NDArray[Any]]:
        """The names of the photos that have a value, and the values as one array.

        Raises ValueError when none has one.
        """
        values = self.column(component)
        known = [number for number, value in enumerate(values) if value is not None]
        if not known:
            raise ValueError(f"No photo of this batch has a value in {component}.")
        names = self._names()
        return [names[number] for number in known], np.stack([values[number] for number in known])

    def column(self, component: str) -> Column:
        """The component's values, (n,) of objects; all None where it was never filled.

        A copy of the column, not of the values.
        """
        values = getattr(self, component)
        return make_column([None] * len(self) if values is None else list(values))

    def _load_image(self, src: Any = None, fmt: str | None = None, dst: str = "images") -> Self:
        return self.load_cv(src, components=dst).to_pil(src=dst, dst=dst)

    def _dump_image(self, src: str = "images", dst: Any = None, fmt: str | None = None) -> Self:
        for name, image in zip(self._names(), self.column(src), strict=True):
            if image is not None:
                suffix = f".{fmt}" if fmt else ""
                Image.fromarray(as_rgb(image)).save(Path(dst) / f"{name}{suffix}")
        return self

    def _fill(self, component: str, values: Sequence[Any] | Column) -> None:
        """Set a component, made first if there is none of that name."""
        if component not in self.components:
            self.add_components(component)
        setattr(self, component, make_column(values))

    def _change(self, src: str, dst: str, change: Callable[[Any], Any]) -> Self:
        self._fill(dst, self._try_each(change, ((image,) for image in self.column(src))))
        return self

    def _try_each(self, function: Callable[..., Any], jobs: Iterable[Sequence[Any]]) -> list[Any]:
        """`try_each`, with the failures noted and None in their places."""
        results = try_each(function, jobs)
        failures = {
            number: result.reason
            for number, result in enumerate(results)
            if isinstance(result, Failure)
        }
        self._note(failures)
        return [None if number in failures else result for number, result in enumerate(results)]

    def _note(self, failures: Mapping[int, str]) -> None:
        """Keep the reasons, by position, and say how many there are."""
        reasons, names = self.column("reasons"), self._names()
        for number, reason in failures.items():
            reasons[number] = reason
        self.reasons = reasons
        missing = self._missing()
        if not failures:
            return
        with _noting:
            missing.update({names[number]: reason for number, reason in failures.items()})
            total = len(missing)
        counts = Counter(failures.values()).most_common()
        log.warning(
            "Photos left out: %d of %d in this batch (%s), %d so far.",
            len(failures),
            len(self),
            ", ".join(f"{reason}: {count}" for reason, count in counts),
            total,
        )

    def _forget_reasons(self) -> None:
        """Photos that are read anew count anew."""
        self.reasons = make_column([None] * len(self))
        missing = self._missing()
        with _noting:
            for name in self._names():
                missing.pop(name, None)

    def _missing(self) -> dict[str, str]:
        """The pipeline's variable, shared by its batches; a new one without a pipeline."""
        if self.pipeline is None:
            return {}
        with _noting:
            if not self.pipeline.has_variable("missing"):
                self.pipeline.variables.create("missing", default={}, pipeline=self.pipeline)
            missing: dict[str, str] = self.pipeline.get_variable("missing")
            return missing

    def _names(self) -> list[str]:
        return [str(name) for name in self.indices]

    def _file_of(self, name: Any, src: Any) -> Path:
        if isinstance(src, FilesIndex):
            return Path(src.get_fullpath(name))
        if src is not None:
            return steps.find_file(Path(src), str(name))
        if isinstance(self.index, FilesIndex):
            return Path(self.index.get_fullpath(name))
        raise ValueError("Say in which folder the photos are: load_cv(src=...).")

    # batchflow 0.10.1 hands ``src`` and ``dst`` also to actions that don't take them, and
    # has no notion of a missing value; with these two its own actions run on photos too.

    def _apply_once(self, item: Any, *args: Any, func: Any = None, **kwargs: Any) -> Any:
        if item is None:
            return None
        taken = inspect.signature(func).parameters
        kept = {key: value for key, value in kwargs.items() if key not in _PLACES or key in taken}
        return super()._apply_once(item, *args, func=func, **kept)

    def _assemble_component(
        self, result: Sequence[Any], *args: Any, component: str = "images", **kwargs: Any
    ) -> None:
        self._fill(component, result)
