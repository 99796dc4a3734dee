"""facenet-pytorch's InceptionResnetV1, trained on VGGFace2: vectors of 512 dimensions.

`manage.py fetch_weights` downloads its weights: 112 MB, LFW accuracy 0.9965 as published by
facenet-pytorch. On a CPU they are put into the kept graph (`facenet_network`), without torch.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lookalike.faces.encoders.base import ChipEncoder, EncoderSpec
from lookalike.faces.encoders.facenet_network import fill_network
from lookalike.faces.errors import WeightsMissing
from lookalike.faces.runtime import OnnxSession, Runtime, Session, TorchSession
from lookalike.faces.types import Box, Detection, Pixels, Scale, Tail
from lookalike.faces.weights import FACENET, check_weights

if TYPE_CHECKING:
    import torch


class FacenetEncoder(ChipEncoder):
    """The weights are read and checked only when the network is made from them, once.

    Raises WeightsMissing, WeightsAltered or DeviceMissing.
    """

    name = "facenet"
    version = "1"
    dimensions = 512
    chip_size = 160

    def __init__(
        self, weights_path: Path, runtime: Runtime, *, expected_sha256: str = FACENET.sha256
    ) -> None:
        if not weights_path.is_file():
            raise WeightsMissing(
                f"The weights of the facenet encoder are not at {weights_path}. Run "
                '"manage.py fetch_weights facenet", or "manage.py fetch_weights facenet '
                f'--from FILE" with your own copy of {FACENET.file_name}.'
            )
        super().__init__(_open_session(weights_path, expected_sha256, runtime))

    def align(self, pixels: Pixels, detection: Detection, zoom: float = 1.0) -> Pixels:
        """The box, resized as facenet-pytorch does with margin 0. Other zooms are untested."""
        return crop_box(pixels, zoom_box(detection.box, zoom), self.chip_size)


def zoom_box(box: Box, zoom: float) -> Box:
    """The box about its centre, ``zoom`` times smaller."""
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    across, down = box.width / zoom / 2, box.height / zoom / 2
    return Box(x - across, y - down, x + across, y + down)


def crop_box(pixels: Pixels, box: Box, side: int) -> Pixels:
    """(side, side, 3): the part of ``box`` inside the picture, stretched to a square."""
    height, width = pixels.shape[:2]
    left = min(max(int(box.left), 0), width - 1)
    top = min(max(int(box.top), 0), height - 1)
    right = max(min(int(box.right), width), left + 1)
    bottom = max(min(int(box.bottom), height), top + 1)
    from PIL import Image

    crop = Image.fromarray(np.ascontiguousarray(pixels[top:bottom, left:right]))
    return np.asarray(crop.resize((side, side), Image.Resampling.BILINEAR))


def _open_session(weights_path: Path, expected_sha256: str, runtime: Runtime) -> Session:
    if runtime.device != "cpu":
        return TorchSession(lambda: make_module(weights_path, expected_sha256), runtime.device)
    return OnnxSession(fill_network(weights_path, expected_sha256), runtime.threads)


def make_module(weights_path: Path, expected_sha256: str) -> torch.nn.Module:
    import torch
    from facenet_pytorch import InceptionResnetV1

    from lookalike.faces.encoders.chip_network import ChipNetwork

    check_weights(weights_path, expected_sha256)
    state = torch.load(weights_path, map_location="cpu", weights_only=True)
    network = InceptionResnetV1()
    trained = {key: tensor for key, tensor in state.items() if not key.startswith("logits.")}
    network.load_state_dict(trained)
    return ChipNetwork(network, scaled=True)


SPEC = EncoderSpec(
    name=FacenetEncoder.name,
    version=FacenetEncoder.version,
    # Distances of 1.36 and 0.66, read off those published for FaceNet (Schroff et al. 2015,
    # figure 1 and the threshold of 1.242 squared). The tail is that of a normal distribution
    # of strangers with a deviation of 0.12. Not measured here; the gallery's own take over.
    scale=Scale(stranger=0.075, same=0.78),
    tail=Tail(mean=0.285, deviation=0.05),
    load=lambda runtime, weights_dir: FacenetEncoder(weights_dir / FACENET.file_name, runtime),
    weights=FACENET,
)
