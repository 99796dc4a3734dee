"""MTCNN's three networks as torch modules, rearranged for speed.

Weights and architecture are facenet-pytorch's (after Zhang et al. 2016). The rearrangement
changes results by rounding only:

- The input is uint8 RGB with channels last; scaling to -1..1 is folded into the first
  convolution.
- PReLU took more time in ONNX Runtime than the convolutions. It is written as
  a*x + (1-a)*relu(x), which keeps the convolutions' blocked layout, and the first one follows
  the pooling instead of preceding it, on a quarter of the values.
- Channels are padded with zeros to whole blocks.
- The last layers are joined, and give a face's log-odds instead of two probabilities.
"""

from __future__ import annotations

from typing import Any

import torch
from facenet_pytorch.models.mtcnn import ONet, PNet, RNet
from torch import Tensor, nn
from torch.nn import functional


def build_network(name: str) -> nn.Module:
    """The module "pnet", "rnet" or "onet" with its weights. See `load_network` for shapes."""
    with torch.no_grad():
        source: Any = {"pnet": PNet, "rnet": RNet, "onet": ONet}[name]()
        layers: list[nn.Module] = [
            _FirstStage(source.conv1, source.prelu1, source.pool1),
            _pad_input(source.conv2),
            _PReLU(source.prelu2),
        ]
        if name == "pnet":
            layers += [source.conv3, _PReLU(source.prelu3)]
            layers += [_make_convolution(*_join(source.conv4_1, source.conv4_2), 5, 32)]
        elif name == "rnet":
            layers += [source.pool2, source.conv3, _PReLU(source.prelu3)]
            layers += [nn.Flatten(), _reorder_input(source.dense4, 64), source.prelu4]
            layers += [_join_products(source.dense5_1, source.dense5_2)]
        else:
            layers += [source.pool2, source.conv3, _PReLU(source.prelu3), source.pool3]
            layers += [source.conv4, _PReLU(source.prelu4)]
            layers += [nn.Flatten(), _reorder_input(source.dense5, 128), source.prelu5]
            layers += [_join_products(source.dense6_1, source.dense6_2, source.dense6_3)]
        return nn.Sequential(*layers).eval().requires_grad_(False)


class _FirstStage(nn.Module):
    """uint8 pixels -> convolution, pooling, PReLU, in this order.

    A PReLU of slope a >= 0 is monotonic, so it may follow the pooling: a*y + (1-a)*relu(y) of
    the pooled y. With a < 0 it is max(x, a*x), since all slopes here are at most 1: both are
    pooled, to y and v, and the maximum y + relu(v - y) is taken afterwards.
    """

    def __init__(self, conv: Any, prelu: nn.PReLU, pool: nn.Module) -> None:
        super().__init__()
        slopes = prelu.weight
        falling = torch.nonzero(slopes < 0).flatten()
        channels, extra = conv.out_channels, len(falling)
        weight = torch.cat([conv.weight, conv.weight[falling] * slopes[falling].view(-1, 1, 1, 1)])
        bias = torch.cat([conv.bias, conv.bias[falling] * slopes[falling]])
        bias = bias - weight.sum((1, 2, 3)) * (127.5 / 128)
        wide, narrow = _whole_blocks(channels + extra), _whole_blocks(channels)
        self.conv = _make_convolution(weight / 128, bias, wide, 3)
        self.pool = pool

        take, rise, skip = (torch.zeros(narrow, wide, 1, 1) for _ in range(3))
        for channel, slope in enumerate(slopes):
            take[channel, channel] = 1
            rise[channel, channel] = 1 - slope
            skip[channel, channel] = slope
        mix = rise[:, :narrow].clone()
        for position, channel in enumerate(falling.tolist()):
            take[channel, channel], take[channel, channels + position] = -1, 1
            mix[channel, channel] = skip[channel, channel] = 1
        self.take = _make_convolution(take, torch.zeros(narrow), narrow, wide)
        self.mix = _make_convolution(mix, torch.zeros(narrow), narrow, narrow)
        self.skip = _make_convolution(skip, torch.zeros(narrow), narrow, wide)

    def forward(self, image: Tensor) -> Tensor:
        pooled = self.pool(self.conv(image.permute(0, 3, 1, 2).float()))
        return torch.add(self.skip(pooled), self.mix(torch.relu(self.take(pooled))))


class _PReLU(nn.Module):
    """PReLU as a*x + (1-a)*relu(x), by depthwise 1 x 1 convolutions."""

    def __init__(self, prelu: nn.PReLU) -> None:
        super().__init__()
        channels = prelu.num_parameters
        self.below = nn.Conv2d(channels, channels, 1, groups=channels, bias=False)
        self.above = nn.Conv2d(channels, channels, 1, groups=channels, bias=False)
        self.below.weight.copy_(prelu.weight.view(-1, 1, 1, 1))
        self.above.weight.copy_(1 - prelu.weight.view(-1, 1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.add(self.below(x), self.above(torch.relu(x)))


def _whole_blocks(channels: int) -> int:
    return -(-channels // 8) * 8


def _make_convolution(weight: Tensor, bias: Tensor, outputs: int, inputs: int) -> nn.Conv2d:
    """A convolution, zero-padded to ``outputs`` and ``inputs`` channels."""
    conv = nn.Conv2d(inputs, outputs, weight.shape[-1])
    offsets: Any = conv.bias
    conv.weight.zero_()
    conv.weight[: weight.shape[0], : weight.shape[1]] = weight
    offsets.copy_(functional.pad(bias, (0, outputs - len(bias))))
    return conv


def _pad_input(conv: Any) -> nn.Module:
    inputs = _whole_blocks(conv.in_channels)
    return _make_convolution(conv.weight, conv.bias, conv.out_channels, inputs)


def _reorder_input(linear: nn.Linear, channels: int) -> nn.Linear:
    """facenet-pytorch flattens in the order columns, rows, channels; this one takes
    (channels, rows, columns) as they are."""
    side = round((linear.in_features / channels) ** 0.5)
    weight = linear.weight.view(-1, side, side, channels).permute(0, 3, 2, 1)
    linear.weight.copy_(weight.reshape(linear.out_features, -1))
    return linear


def _join(face: Any, *others: Any) -> tuple[Tensor, Tensor]:
    """Weight and bias for a face's log-odds, from two logits, then for the other outputs."""
    weight = torch.cat([face.weight[1:] - face.weight[:1], *(other.weight for other in others)])
    bias = torch.cat([face.bias[1:] - face.bias[:1], *(other.bias for other in others)])
    return weight, bias


def _join_products(face: nn.Linear, *others: nn.Linear) -> nn.Linear:
    weight, bias = _join(face, *others)
    joined = nn.Linear(face.in_features, len(bias))
    joined.weight.copy_(weight)
    joined.bias.copy_(bias)
    return joined
