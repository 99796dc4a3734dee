"""Batches of photos. A photo that fails keeps its place and gets a reason."""

from __future__ import annotations

import inspect
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Self, TypeVar

import batchflow
import numpy as np
from batchflow import FilesIndex, ImagesBatch
from numpy.typing import NDArray
from PIL import Image

from lookalike.batch import steps
from lookalike.batch.columns import Column, as_rgb, make_column, try_each

log = logging.getLogger("lookalike.batch")

Method = TypeVar("Method", bound=Callable[..., Any])

_noting = threading.Lock()
_PLACES = ("src", "dst")


def action(method: Method) -> Method:
    """batchflow's decorator for methods that pipelines may call, with types kept."""
    marked: Method = batchflow.action(method)
    return marked


class PhotoBatch(ImagesBatch):  # type: ignore[misc]
    """A batch of photos. A photo that cannot be used does not stop the others.

    Every component is a column, (n,) of objects, with None for a photo without a value.
    ``images`` holds (height, width, 3) uint8 RGB arrays, or Pillow images after `to_pil`;
    ``scales`` the loaded image's pixels per pixel of the file; ``reasons`` why a photo has no
    value: the text of a `Reason` or an `Absence`, such as "no_face".

    Photos that drop out are logged by reason and collected by name in the pipeline's variable
    ``missing``.
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
        """Read photos upright and in RGB, at most about twice ``target_side`` pixels long.

        ``src`` is their folder or a FilesIndex, by default the batch's own FilesIndex.
        ``target_side`` None decodes at full size.
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
        """Resize images to ``size``, (width, height), by linear interpolation. A side that is
        None keeps the proportions. ``fmt`` ("cv" or "pil") changes nothing: arrays stay
        arrays, Pillow images stay Pillow images."""
        if fmt not in ("cv", "pil"):
            raise ValueError('fmt is "cv" or "pil".')
        return self._change(src, dst, lambda image: steps.resize(image, size))

    @action
    def to_rgb(self, src: str = "images", dst: str = "images") -> Self:
        """Convert grey, transparent and Pillow images to (height, width, 3) uint8 RGB arrays.
        Photos from `load_cv` are RGB already."""
        return self._change(src, dst, as_rgb)

    @action
    def to_pil(self, src: str = "images", dst: str = "images") -> Self:
        """Convert to Pillow images in RGB."""
        return self._change(src, dst, lambda image: Image.fromarray(as_rgb(image)))

    def stack(self, component: str) -> tuple[list[str], NDArray[Any]]:
        """The names of the photos that have a value, and the values as one array.

        Raises ValueError if there are none.
        """
        rows = zip(self._names(), self.column(component), strict=True)
        known = [(name, value) for name, value in rows if value is not None]
        if not known:
            raise ValueError(f"No photo of this batch has a value in {component}.")
        names, values = zip(*known, strict=True)
        return list(names), np.stack(values)

    def column(self, component: str) -> Column:
        """A copy of the component's column, (n,) of objects; all None if it was never filled."""
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
        if component not in self.components:
            self.add_components(component)
        setattr(self, component, make_column(values))

    def _change(self, src: str, dst: str, change: Callable[[Any], Any]) -> Self:
        self._fill(dst, self._try_each(change, ((image,) for image in self.column(src))))
        return self

    def _try_each(self, function: Callable[..., Any], jobs: Iterable[Sequence[Any]]) -> list[Any]:
        """`try_each`, with failures recorded and replaced by None."""
        results = try_each(function, jobs)
        self._note({at: found for at, found in enumerate(results) if isinstance(found, StrEnum)})
        return [None if isinstance(found, StrEnum) else found for found in results]

    def _note(self, failures: Mapping[int, StrEnum]) -> None:
        """Record reasons, given by position, and log their counts."""
        reasons, names = self.column("reasons"), self._names()
        for number, reason in failures.items():
            reasons[number] = reason.value
        self.reasons = reasons
        missing = self._missing()
        if not failures:
            return
        with _noting:
            missing.update({names[number]: reason.value for number, reason in failures.items()})
            total = len(missing)
        counts = Counter(failures.values()).most_common()
        text = ", ".join(f"{reason}: {count}" for reason, count in counts)
        message = "Photos left out: %d of %d in this batch (%s), %d so far."
        log.warning(message, len(failures), len(self), text, total)

    def _forget_reasons(self) -> None:
        """Clear the reasons of photos that are read again."""
        self.reasons = make_column([None] * len(self))
        missing = self._missing()
        with _noting:
            for name in self._names():
                missing.pop(name, None)

    def _missing(self) -> dict[str, str]:
        """The pipeline's variable, shared by its batches; a new dict without a pipeline."""
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
        raise ValueError("The folder of the photos is unknown: use load_cv(src=...).")

    # batchflow 0.10.1 passes ``src`` and ``dst`` to actions that do not take them, and knows
    # no missing values. With these two overrides its own actions run on photos too.

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
