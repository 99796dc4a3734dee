"""MTCNN's three networks as sessions that take uint8 pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookalike.faces.runtime import Runtime, Session, load_session

if TYPE_CHECKING:
    from torch import nn


def load_network(name: str, runtime: Runtime) -> Session:
    """The network ``name`` as a session: uint8 RGB pictures in, one float32 array out.

    - "pnet": (1, height, width, 3) -> (1, 5, rows, columns), one output for each 12 x 12
      window at a stride of 2; along axis 1 a face's log-odds and four edge corrections.
    - "rnet": (n, 24, 24, 3) -> (n, 5), the same for each crop.
    - "onet": (n, 48, 48, 3) -> (n, 15), the same, then five x and five y of the landmarks.

    Corrections and landmarks are shares of the window's or crop's side. Raises DeviceMissing,
    WeightsMissing or WeightsAltered.
    """

    def build() -> nn.Module:
        from lookalike.faces.detection.lean_mtcnn import build_network

        return build_network(name)

    return load_session(f"mtcnn-{name}", build, runtime)
