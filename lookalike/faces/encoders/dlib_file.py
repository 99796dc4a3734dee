"""Reads the parameters in dlib's face recognition file, without dlib.

The file is dlib's serialisation of a network. An integer is a byte with its length (the top
bit is the sign), then that many little-endian bytes. A tensor is the integer 2 (its version),
four integers (samples, channels, rows, columns), and little-endian float32. Layers are in
forward order; a trained one begins with its name as a string (its length as an integer, then
the text), followed by its parameters as one flat tensor.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_LAYER_NAMES = re.compile(rb"\x01\x05con_4|\x01\x07affine_|\x01\x04fc_2")

Parameters = NDArray[np.float32]


class UnexpectedContent(ValueError):
    """The bytes are not what dlib writes."""


def read_layers(content: bytes) -> Iterator[tuple[str, Parameters]]:
    """Name ("con", "affine" or "fc") and flat float32 parameters of each trained layer.

    "con" has filters, then biases; "affine" scales, then shifts; "fc" weights, input by
    input. Raises UnexpectedContent.
    """
    for found in _LAYER_NAMES.finditer(content):
        name = found.group()[2:].decode().partition("_")[0]
        offset = found.end()
        if name == "fc":  # Skip the number of outputs and the kind of bias.
            _, offset = _read_integer(content, offset)
            _, offset = _read_integer(content, offset)
        yield name, _read_tensor(content, offset)


def _read_integer(content: bytes, offset: int) -> tuple[int, int]:
    """The integer at ``offset``, and the offset after it."""
    if offset >= len(content):
        raise UnexpectedContent("the file ends within a number")
    length = content[offset] & 0x0F
    end = offset + 1 + length
    if not 1 <= length <= 8 or end > len(content):
        raise UnexpectedContent(f"no number at byte {offset}")
    value = int.from_bytes(content[offset + 1 : end], "little")
    return (-value if content[offset] & 0x80 else value), end


def _read_tensor(content: bytes, offset: int) -> Parameters:
    version, offset = _read_integer(content, offset)
    if version != 2:
        raise UnexpectedContent(f"a tensor of version {version} at byte {offset}")
    shape = []
    for _ in range(4):
        size, offset = _read_integer(content, offset)
        shape.append(size)
    count = math.prod(shape)
    if count < 0 or offset + 4 * count > len(content):
        raise UnexpectedContent(f"the file ends within a tensor of {count} numbers")
    return np.frombuffer(content, "<f4", count, offset)
