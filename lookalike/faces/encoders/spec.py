from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lookalike.faces.runtime import Runtime
from lookalike.faces.types import Encoder, Scale
from lookalike.faces.weights import Weights


@dataclass(frozen=True, slots=True)
class EncoderSpec:
    """All that the site needs to know of an encoder before it is loaded.

    ``scale`` is used until the gallery is large enough for its own. ``load`` takes the
    runtime and the folder of fetched weights, and raises WeightsMissing, WeightsAltered or
    DeviceMissing. ``weights`` is None if they come with a package.
    """

    name: str
    version: str
    scale: Scale
    load: Callable[[Runtime, Path], Encoder]
    weights: Weights | None = None

    def is_available(self, weights_dir: Path) -> bool:
        return self.weights is None or (weights_dir / self.weights.file_name).is_file()
