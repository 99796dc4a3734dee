"""Made-up vectors with the structure of faces: few directions, and people as clusters."""

from __future__ import annotations

import numpy as np

from lookalike.faces.index import IndexRows
from lookalike.faces.people import Portraits
from lookalike.faces.types import Vectors

DIMENSIONS = 64


def make_vectors(count: int, *, seed: int = 0, directions: int = 12) -> Vectors:
    """(count, 64) unit vectors around a common mean, most of their variance in a few
    directions, the same ones for every seed."""
    mixing = np.random.default_rng(1).standard_normal((directions, DIMENSIONS))
    mixing *= np.linspace(1.0, 0.2, directions)[:, None]
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((count, directions)) @ mixing * 0.15
    vectors += rng.standard_normal((count, DIMENSIONS)) * 0.03
    vectors[:, 0] += 3.0
    return normalised(vectors)


def make_rows(people: int, *, seed: int = 0) -> IndexRows:
    """A unit vector without bias for each of ``people``, whose ids begin at 100."""
    return IndexRows.of_vectors(make_vectors(people, seed=seed), np.arange(100, 100 + people))


def make_portraits(
    people: int, *, portraits: int = 2, spread: float = 0.02, seed: int = 0
) -> Portraits:
    """``people`` with ``portraits`` each. Person 100's portraits are 1000, 1001 and so on."""
    rng = np.random.default_rng(seed + 1000)
    centres = make_vectors(people, seed=seed).repeat(portraits, axis=0)
    vectors = normalised(centres + rng.standard_normal(centres.shape) * spread)
    owners = np.arange(100, 100 + people).repeat(portraits)
    return Portraits(vectors, np.arange(1000, 1000 + len(vectors)), owners)


def make_biased_rows(people: int, *, seed: int = 0) -> IndexRows:
    """``people`` with rows longer than a unit vector, and a bias that nearly cancels
    the mean score, as scores normalised for each person have them. Ids begin at 100."""
    rng = np.random.default_rng(seed + 2000)
    ids = np.arange(100, 100 + people)
    vectors = make_vectors(people, seed=seed)
    lengths = rng.uniform(8.0, 12.0, people).astype(np.float32)
    bias = -lengths * vectors.mean(axis=0)[0] + rng.normal(0.0, 0.2, people)
    return IndexRows(vectors * lengths[:, None], bias.astype(np.float32), ids, ids)


def normalised(vectors: np.ndarray) -> Vectors:
    unit: Vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return unit
