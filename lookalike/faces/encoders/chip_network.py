"""Wraps an encoder's network: uint8 chips in, unit vectors out."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class ChipNetwork(nn.Module):
    """(n, side, side, 3) uint8 -> (n, d) float32 of unit length.

    With ``mirrored``, each chip's output is averaged with that of its mirror image. The
    graph converts layout and type and normalises, so that no copy of the chips is made
    outside it.
    """

    def __init__(self, network: nn.Module, *, mirrored: bool) -> None:
        super().__init__()
        self.network = network
        self.mirrored = mirrored

    def forward(self, chips: Tensor) -> Tensor:
        image = chips.permute(0, 3, 1, 2).float()
        if not self.mirrored:
            return functional.normalize(self.network(image))
        pairs = torch.cat([image, image.flip(3)])
        found = self.network(pairs)
        return functional.normalize(found.reshape(2, -1, found.shape[1]).sum(0))
