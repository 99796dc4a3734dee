"""Wraps an encoder's network: uint8 chips in, unit vectors out."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class ChipNetwork(nn.Module):
    """(n, side, side, 3) uint8 -> (n, d) float32 of unit length, and (n,) agreement.

    With ``mirrored``, each chip's output is averaged with that of its mirror image, and the
    agreement is the cosine similarity of the two; otherwise it is 1. With ``scaled``, the
    network takes -1 to 1 instead of 0 to 255.
    """

    def __init__(self, network: nn.Module, *, mirrored: bool = False, scaled: bool = False) -> None:
        super().__init__()
        self.network = network
        self.mirrored = mirrored
        self.scaled = scaled

    def forward(self, chips: Tensor) -> tuple[Tensor, Tensor]:
        image = chips.permute(0, 3, 1, 2).float()
        if self.scaled:
            image = (image - 127.5) / 128.0
        sides = [image, image.flip(3)] if self.mirrored else [image]
        found = self.network(torch.cat(sides))
        found = found.reshape(len(sides), -1, found.shape[1])
        units = functional.normalize(found, dim=2)
        return functional.normalize(found.sum(0)), (units[0] * units[-1]).sum(1)
