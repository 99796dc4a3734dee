"""InceptionResnetV1 of facenet-pytorch with its VGGFace2 weights: 512 numbers a face.

The weights are fetched apart (`lookalike.faces.weights`): 112 MB, LFW accuracy 0.9965 as
published by facenet-pytorch.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from lookalike.faces.encoders.chips import encode_in_batches, load_chip_session
from lookalike.faces.errors import WeightsMissing
from lookalike.faces.types import Box, Detection, Pixels, Vectors
from lookalike.faces.weights import FACENET, check_weights

if TYPE_CHECKING:
    import torch

CHIP_SIZE = 160


class FacenetEncoder:
    """Implements Encoder. ``version`` goes up with anything that changes the vectors."""

    name = "facenet"
    version = "1"
    dimensions = 512
    chip_size = CHIP_SIZE

    def __init__(
        self,
        weights_path: Path,
        cache_dir: Path,
        *,
        threads: int = 1,
        device: str = "cpu",
        expected_sha256: str = FACENET.sha256,
    ) -> None:
        """Raises WeightsMissing, WeightsAltered or DeviceMissing.

        The file is read and checked only when it is exported, which is once.
        """
        if not weights_path.is_file():
            raise WeightsMissing(
                f"The weights of the facenet encoder are not at {weights_path}. Run "
                '"manage.py fetch_weights facenet", or "manage.py fetch_weights facenet '
                f'--from FILE" with your own copy of {FACENET.file_name}.'
            )
        self._session = load_chip_session(
            "encoder-facenet",
            lambda: _make_module(weights_path, expected_sha256),
            CHIP_SIZE,
            cache_dir,
            f"{expected_sha256} version {self.version}",
            threads=threads,
            device=device,
        )

    def align(self, pixels: Pixels, detection: Detection) -> Pixels:
        """(160, 160, 3) uint8: the box, resized as facenet-pytorch does with margin 0."""
        return crop_box(pixels, detection.box, CHIP_SIZE)

    def encode(self, chips: Sequence[Pixels]) -> Vectors:
        """(n, 512) float32 of unit length."""
        return encode_in_batches(self._session, chips, self.dimensions)


def crop_box(pixels: Pixels, box: Box, side: int) -> Pixels:
    """(side, side, 3): the part of ``box`` inside the picture, stretched to a square."""
    height, width = pixels.shape[:2]
    left = min(max(int(box.left), 0), width - 1)
    top = min(max(int(box.top), 0), height - 1)
    right = max(min(int(box.right), width), left + 1)
    bottom = max(min(int(box.bottom), height), top + 1)
    crop = Image.fromarray(np.ascontiguousarray(pixels[top:bottom, left:right]))
    return np.asarray(crop.resize((side, side), Image.Resampling.BILINEAR))


def _make_module(weights_path: Path, expected_sha256: str) -> torch.nn.Module:
    """The network with its trained state; the classifier's own layer is left out."""
    import torch
    from facenet_pytorch import InceptionResnetV1

    from lookalike.faces.encoders.chip_network import ChipNetwork

    class Scaled(torch.nn.Module):
        """Takes RGB from 0 to 255."""

        def __init__(self, network: torch.nn.Module) -> None:
            super().__init__()
            self.network = network

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = self.network((image - 127.5) / 128.0)
            return found

    check_weights(weights_path, expected_sha256)
    state = torch.load(weights_path, map_location="cpu", weights_only=True)
    network = InceptionResnetV1()
    network.load_state_dict(
        {name: tensor for name, tensor in state.items() if not name.startswith("logits.")}
    )
    return ChipNetwork(Scaled(network), mirrored=False)
