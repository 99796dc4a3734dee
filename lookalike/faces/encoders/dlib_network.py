"""dlib's face recognition ResNet as a torch module.

The architecture is dlib's ``dnn_face_recognition_ex`` (Davis King, 2017): 29 convolutions,
150 x 150 RGB in, 128 numbers out. The scale and shift after each convolution are folded into
it, and the input's mean and divisor into the first one (exact, since it has no padding).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from lookalike.faces.encoders.dlib_file import Parameters, UnexpectedContent, read_layers

GROUPS = ((32, 3), (64, 4), (128, 3), (256, 3), (256, 1))
"""Output channels and number of the residual blocks. The first block of each group but the
first one halves the size."""

Layers = Iterator[tuple[str, Parameters]]


class DlibNetwork(nn.Module):
    """(n, 3, 150, 150) float32, RGB 0 to 255 -> (n, 128) float32, not normalised."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        layers = read_layers(content)
        self.first = _take_convolution(layers, 3, 32, kernel=7, stride=2, padding=0)
        _fold_input_scale(self.first)
        blocks: list[nn.Module] = []
        channels = 32
        for output, count in GROUPS:
            for position in range(count):
                halves = position == 0 and len(blocks) > 0
                blocks.append(Block(layers, channels, output, halves))
                channels = output
        self.blocks = nn.Sequential(*blocks)
        weights = _take(layers, "fc", 256 * 128).reshape(256, 128)
        self.product = nn.Parameter(torch.from_numpy(weights.copy()))

    def forward(self, image: Tensor) -> Tensor:
        found = functional.max_pool2d(functional.relu(self.first(image)), 3, 2)
        found = self.blocks(found)
        return torch.matmul(found.mean((2, 3)), self.product)


class Block(nn.Module):
    """A residual block of two 3 x 3 convolutions; a halving one average-pools the shortcut.

    If the two branches differ in size or channels, the smaller is padded with zeros.
    """

    def __init__(self, layers: Layers, channels: int, output: int, halves: bool) -> None:
        super().__init__()
        stride, padding = (2, 0) if halves else (1, 1)
        self.halves = halves
        self.first = _take_convolution(layers, channels, output, 3, stride, padding)
        self.second = _take_convolution(layers, output, output, 3, 1, 1)

    def forward(self, image: Tensor) -> Tensor:
        found = self.second(functional.relu(self.first(image)))
        shortcut = functional.avg_pool2d(image, 2) if self.halves else image
        if self.halves:
            found, shortcut = _pad_to_match(found, shortcut)
        return functional.relu(found + shortcut)


def _pad_to_match(found: Tensor, shortcut: Tensor) -> tuple[Tensor, Tensor]:
    """Sizes are converted to int so that tracing records them as constants."""
    missing = [int(a) - int(b) for a, b in zip(found.shape[1:], shortcut.shape[1:], strict=True)]
    channels, rows, columns = missing
    shortcut = functional.pad(shortcut, (0, 0, 0, 0, 0, channels)) if channels else shortcut
    return functional.pad(found, (0, -columns, 0, -rows)) if rows else found, shortcut


def _take(layers: Layers, name: str, count: int) -> Parameters:
    found, parameters = next(layers, ("", np.empty(0, np.float32)))
    if found != name or parameters.size != count:
        raise UnexpectedContent(
            f'"{found}" with {parameters.size} numbers where "{name}" with {count} belongs'
        )
    return parameters


def _take_convolution(
    layers: Layers, channels: int, output: int, kernel: int, stride: int, padding: int
) -> nn.Conv2d:
    """The next convolution, with the affine layer after it folded in."""
    size = output * channels * kernel * kernel
    parameters = _take(layers, "con", size + output)
    scale, shift = _take(layers, "affine", 2 * output).reshape(2, output)
    filters = parameters[:size].reshape(output, channels, kernel, kernel)
    layer = nn.Conv2d(channels, output, kernel, stride, padding)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(filters * scale[:, None, None, None]))
        layer.bias.copy_(torch.from_numpy(parameters[size:] * scale + shift))  # type: ignore[union-attr]
    return layer


def _fold_input_scale(layer: nn.Conv2d) -> None:
    """Let ``layer`` take RGB from 0 to 255 instead of ``(rgb - mean) / 256``."""
    with torch.no_grad():
        layer.weight /= 256.0
        mean = torch.tensor((122.782, 117.001, 104.298)).reshape(1, 3, 1, 1)
        layer.bias -= (layer.weight * mean).sum((1, 2, 3))  # type: ignore[operator]
