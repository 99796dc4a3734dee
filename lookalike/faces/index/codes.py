"""Heads as whole numbers, and what follows from them about a row's distance.

A row's head is what its vector has in the first principal directions. Rounded to a byte a
coordinate it is a quarter as much to read, and processors multiply bytes several times as
fast as floats. Each score comes with how far rounding may have moved it at most, so that a
search can leave rows out and still be exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lookalike.faces.index.clustering import Basis
from lookalike.faces.runtime import OnnxSession, Session

LEVELS: Final = 127
"""Codes go from -127 to 127, all that a signed byte holds on both sides of zero."""

QUERY_LEVELS: Final = 63
"""A query's codes go from -63 to 63: on processors without VNNI two products of bytes are
added in 16 bits, where 2 * (63 + 63) * 127 is still correct and twice that would not be."""

Codes = NDArray[np.int8]
Terms = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Coding:
    """How heads were rounded: a code times ``step`` is a coordinate. ``error`` is the
    longest difference between a head and its codes, ``longest`` the longest coded head."""

    step: float
    error: float
    longest: float


def find_coding(heads: NDArray[np.float32]) -> Coding:
    """The finest step with which (n, h) heads (n > 0) fit into a byte a coordinate."""
    step = float(max(heads.max(), -heads.min()) / np.float32(LEVELS)) or 1.0
    error = longest = 0.0
    for start in range(0, len(heads), 65_536):
        part = heads[start : start + 65_536]
        coded = encode_heads(part, step) * np.float32(step)
        error = max(error, float(np.linalg.norm(part - coded, axis=1).max()))
        longest = max(longest, float(np.linalg.norm(coded, axis=1).max()))
    return Coding(step, error, longest)


def encode_heads(heads: NDArray[np.float32], step: float) -> Codes:
    """(n, h) heads as bytes."""
    codes: Codes = np.rint(heads / np.float32(step)).clip(-LEVELS, LEVELS).astype(np.int8)
    return codes


def find_terms(
    vectors: NDArray[np.float32], heads: NDArray[np.float32], codes: Codes, basis: Basis
) -> Terms:
    """(3, n): what a row's score needs beside the products: the sum of its codes, the
    length of what its head leaves out, and minus half its squared length."""
    centred = vectors - basis.origin
    rest = centred - heads @ basis.directions.T
    return np.stack(
        [
            codes.sum(axis=1, dtype=np.float32),
            np.linalg.norm(rest, axis=1),
            -0.5 * np.einsum("ij,ij->i", centred, centred),
        ]
    ).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class CodedQuery:
    """A query as it meets codes. ``squared - 2 * score`` is a squared distance that the
    row's true one is not under (Cauchy and Schwarz, and the rounding of both sides)."""

    squared: float
    codes: NDArray[np.uint8]
    scale: np.float32
    weights: NDArray[np.float32]

    def multiply(self, codes: Codes) -> NDArray[np.int32]:
        """(n,) products with (h, n) codes."""
        products: NDArray[np.int32] = _multiplier()(self.codes, codes)[0][0]
        return products

    def score(self, products: NDArray[np.int32], scores: NDArray[np.float32]) -> None:
        """Add (n,) products to (n,) scores that have the rows' terms already."""
        scaled = products.astype(np.float32)
        scaled *= self.scale
        scores += scaled


def code_query(vector: NDArray[np.float32], basis: Basis, coding: Coding) -> CodedQuery:
    """Of a (d,) vector of unit length."""
    centred = vector - basis.origin
    head = centred @ basis.directions
    rest = float(np.linalg.norm(centred - basis.directions @ head))
    scale = float(np.abs(head).max()) / QUERY_LEVELS or 1.0
    rounded = np.rint(head / scale)
    lost = float(np.linalg.norm(head - rounded * scale))
    slack = coding.error * float(np.linalg.norm(head)) + coding.longest * lost
    # The codes are moved to be unsigned, as the product wants them; the rows' sums undo it.
    return CodedQuery(
        squared=float(centred @ centred) - 2.0 * slack,
        codes=(rounded + QUERY_LEVELS).astype(np.uint8)[None],
        scale=np.float32(scale * coding.step),
        weights=np.array([-QUERY_LEVELS * scale * coding.step, rest, 1.0], dtype=np.float32),
    )


@cache
def _multiplier() -> Session:
    """(1, h) unsigned times (h, n) signed bytes in ONNX Runtime: numpy has no fast one."""
    from onnx import TensorProto, helper

    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["query", "rows"], ["products"])],
        "multiply",
        [
            helper.make_tensor_value_info("query", TensorProto.UINT8, [1, "h"]),
            helper.make_tensor_value_info("rows", TensorProto.INT8, ["h", "n"]),
        ],
        [helper.make_tensor_value_info("products", TensorProto.INT32, [1, "n"])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return OnnxSession(model.SerializeToString())
