"""The encoders as models of batchflow's pipelines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from batchflow.model_dir import NonInitializedModel
from batchflow.models.base import BaseModel
from PIL import Image

from lookalike import environ
from lookalike.batch.columns import Column, as_rgb, make_column
from lookalike.batch.engine import get_engine
from lookalike.faces.encoders import load_encoder
from lookalike.faces.encoders.facenet import FacenetEncoder
from lookalike.faces.runtime import Runtime
from lookalike.faces.types import Encoder, Pixels, Vectors
from lookalike.machine import count_processors


class EncoderModel(BaseModel):  # type: ignore[misc]
    """Turns chips into vectors of unit length.

    In a pipeline: ``.init_model("faces", EncoderModel, "static", config={"load": {...}})``,
    with the arguments of `load`. Without them the model shares the encoder of `get_engine`.
    """

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        self.encoder: Encoder
        self.load(**((config or {}).get("load") or {}))

    def load(
        self,
        path: str | Path | None = None,
        *,
        encoder: str = "auto",
        threads: int = 1,
        device: str = "cpu",
    ) -> None:
        """``path`` is a file of InceptionResnetV1 weights, or the folder in which ``encoder``
        ("auto", "facenet" or "dlib") looks for them.

        Raises ValueError, WeightsMissing, WeightsAltered or DeviceMissing.
        """
        if path is None and encoder == "auto":
            self.encoder = get_engine().encoder
            return
        weights = Path(path or environ.weights_dir())
        runtime = Runtime(threads, device)
        if path is None or weights.is_dir() or encoder == "dlib":
            self.encoder = load_encoder(encoder, weights, runtime)
        else:
            self.encoder = FacenetEncoder(weights, runtime)

    def predict(self, images: Iterable[Any]) -> Column:
        """The (dimensions,) vector of each chip; None for None.

        A chip that does not have the encoder's size is resized, which changes the vector a
        little. Raises ValueError for a picture that is not square.
        """
        images = list(images)
        chips = [self._fit(image) for image in images if image is not None]
        vectors = iter(self._encode(chips))
        return make_column([None if image is None else next(vectors) for image in images])

    def _fit(self, image: Any) -> Pixels:
        chip = as_rgb(image)
        side = self.encoder.chip_size
        height, width = chip.shape[:2]
        if height != width:
            raise ValueError(
                f"The encoder takes square chips, and one is {width} x {height} pixels. "
                "Call detect_face() and crop_from_bbox() first."
            )
        if width == side:
            return chip
        return np.asarray(Image.fromarray(chip).resize((side, side), Image.Resampling.BILINEAR))

    def _encode(self, chips: Sequence[Pixels]) -> Vectors:
        """Encode on all cores; one run of a network uses one core."""
        shares = np.array_split(np.arange(len(chips)), count_processors())
        parts = [[chips[number] for number in share] for share in shares]
        with ThreadPoolExecutor() as pool:
            return np.concatenate(list(pool.map(self.encoder.encode, parts)))

    def reset(self) -> None:
        """Do nothing: an encoder has no state."""

    def train(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("The encoders are already trained. Use predict_model.")

    def save(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("There is nothing to save: the encoder never changes.")


def find_models(pipeline: Any) -> dict[str, EncoderModel]:
    """The encoder models of a pipeline by name; models not yet initialized are made."""
    found = {}
    for name, model in list(pipeline.models.models.items()) if pipeline is not None else ():
        if isinstance(model, NonInitializedModel) and (
            model.source or model.model_class is EncoderModel
        ):
            model = pipeline.get_model_by_name(name)
        if isinstance(model, EncoderModel):
            found[name] = model
    return found
