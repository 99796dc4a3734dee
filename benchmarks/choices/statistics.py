"""How well people are told apart, with folds and spreads over people, never over photos."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from lookalike.faces.ranking import find_interval

Scores = NDArray[np.float32]
"""(queries, people)."""
Columns = NDArray[np.intp]
"""(queries,): the column of each query's person."""

FOLDS = 5


def split_people(people: Sequence[str]) -> NDArray[np.intp]:
    """Which fold each entry is in; all of one person's are in one."""
    names, owner = np.unique(np.asarray(people), return_inverse=True)
    fold: NDArray[np.intp] = np.random.default_rng(0).permutation(len(names))[owner] % FOLDS
    return fold


def find_ranks(scores: Scores, right: Columns) -> Columns:
    """How many other people score at least as high as the right one."""
    own = scores[np.arange(len(scores)), right]
    ranks: Columns = (scores >= own[:, None]).sum(axis=1) - 1
    return ranks


def measure_spread(scores: Scores, right: Columns) -> float:
    """d': how many standard deviations lie between the same and different people."""
    is_own = np.zeros(scores.shape, bool)
    is_own[np.arange(len(scores)), right] = True
    same, other = scores[is_own], scores[~is_own]
    return float((same.mean() - other.mean()) / np.sqrt((same.var() + other.var()) / 2))


def resample_people(
    values: NDArray[np.float64],
    people: Sequence[str],
    figure: Callable[[NDArray[np.float64]], float] = np.mean,
) -> tuple[float, float]:
    """The 95 % interval of a figure of ``values`` when people are drawn anew."""
    names, owner = np.unique(np.asarray(people), return_inverse=True)
    of_each = [values[owner == at] for at in range(len(names))]
    return find_interval(
        len(names), lambda drawn: float(figure(np.concatenate([of_each[at] for at in drawn])))
    )
