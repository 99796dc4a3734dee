"""People as rows of an index: how alike a face is to a person, beside how alike others are.

The score of a person is the mean similarity (dot product of unit vectors) of their portraits to
a face, less the mean and divided by the standard deviation of the person's similarities to the
most similar tenth of other people's portraits. Speaker recognition knows this as Z-norm
(Auckenthaler et al. 2000), here over the upper tail. The score is linear in the face's vector, so
a person is one row.

On 1,205 photos of 413 people that took no part in any choice, with some portraits of a person
as gallery and others as queries:

                                   rank-1   with a wrong portrait   never first
                                            at one person in five
    best portrait                  0.980    0.920                   0.18
    mean of the portraits          0.982    0.870
    mean, normalised (in use)      0.982    0.948                   0.07

Never first are people who are nearest to nobody but themselves. With best portrait, people with
four portraits come first 2.8 times as often as those with two, here 1.1 times.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lookalike.faces.index import NO_IDS, Ids, IndexRows
from lookalike.faces.types import Scale, Tail, Vectors

UPPER_SHARE: Final = 0.1
"""The share of other people's portraits that makes a person's tail. Rank-1 is the same within the
spread from 0.05 to 0.3. Table: "person" of `make choices`."""

BUILT_IN_WEIGHT: Final = 50
"""So many people count as much as the encoder's built-in tail: with fewer, a tenth is only a
handful of portraits. In galleries of 10 to 200 people, 20 to 100 do equally well within the spread,
and one more person moves scores by 0.02 of their spread or less. Table: "person" of
`make choices`."""

ODD: Final = 40.0
"""A portrait is odd if its number for the row of the person's other ones is lower.

84 people with three to five portraits each, some of them tilted, dark, blurred, noisy or small; in
one person of five the last portrait is somebody else's. Table: "person" of `make choices`.

    limit                     30          35          40          45            50
    wrong ones found          .90 to .96  .95 to .98  .96 to .98  .99 to 1.00   .99 to 1.00
    right ones blamed, most   .001        .001        .004        .008          .008
"""

LEAST_TO_JUDGE: Final = 3
"""Portraits of a person needed to tell which of them is the wrong one."""

MOST_PORTRAITS: Final = 2000
"""Portraits of a cohort. With 50 scores move by 0.48 of their spread, with 200 by 0.26, with 400 by
0.11: a build of a million people can afford more. Table: "person" of `make choices`."""

BLOCK: Final = 4096
"""People compared with the cohort at once, which bounds memory."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Portraits:
    """(n, d) unit ``vectors`` with the ``ids`` of portraits and people, (n,) each, in the order
    of people."""

    vectors: Vectors
    ids: Ids
    people: Ids

    @classmethod
    def none(cls, dimensions: int) -> Portraits:
        return cls(np.empty((0, dimensions), np.float32), NO_IDS, NO_IDS)

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, at: NDArray[np.int64] | NDArray[np.bool_]) -> Portraits:
        return Portraits(self.vectors[at], self.ids[at], self.people[at])

    @property
    def starts(self) -> Ids:
        """Where each person's portraits begin."""
        return np.flatnonzero(np.diff(self.people, prepend=self.people[:1] - 1))

    @property
    def counts(self) -> Ids:
        """(n,) how many portraits the person of each portrait has."""
        counts = np.diff(self.starts, append=len(self))
        return np.repeat(counts, counts)

    @property
    def places(self) -> Ids:
        """(n,) the number of each portrait among its person's, from 0."""
        starts = self.starts
        return np.arange(len(self)) - np.repeat(starts, np.diff(starts, append=len(self)))


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """(n, d) ``means`` of the unit vectors of people's portraits, and the people's ``ids``.

    A mean is not brought to unit length: people whose portraits differ would gain by that.
    ``checksums`` are the sums of the ids of each one's portraits, and ``portraits`` is the
    number of all.
    """

    means: Floats
    ids: Ids
    checksums: Ids
    portraits: int

    @classmethod
    def join(cls, parts: Sequence[People]) -> People:
        """Those of one or more parts, one after the other."""
        return cls(
            np.concatenate([part.means for part in parts]),
            np.concatenate([part.ids for part in parts]),
            np.concatenate([part.checksums for part in parts]),
            sum(part.portraits for part in parts),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """The portraits that everybody is compared with: (c, d) unit ``vectors`` and their
    ``people``, (c,). ``tail`` is the encoder's, which stands in where they are few."""

    vectors: Vectors
    people: Ids
    tail: Tail

    def to_bytes(self) -> bytes:
        return self.people.astype("<i8").tobytes() + self.vectors.astype("<f4").tobytes()

    @classmethod
    def from_bytes(cls, content: bytes, dimensions: int, tail: Tail) -> Cohort:
        """From `to_bytes`."""
        count = len(content) // (8 + 4 * dimensions)
        people = np.frombuffer(content, "<i8", count)
        vectors = np.frombuffer(content, "<f4", offset=8 * count).reshape(count, dimensions)
        return cls(vectors, people, tail)


def choose_cohort(portraits: Portraits, tail: Tail) -> Cohort:
    """At most MOST_PORTRAITS of the portraits, of as many people as possible. Deterministic."""
    order = np.random.default_rng(0).permutation(len(portraits))
    first = order[np.argsort(portraits.places[order], kind="stable")]
    chosen = portraits.take(np.sort(first[:MOST_PORTRAITS]))
    return Cohort(chosen.vectors, chosen.people, tail)


def average(portraits: Portraits) -> People:
    if not len(portraits):
        return People(portraits.vectors, portraits.people, portraits.ids, 0)
    starts = portraits.starts
    counts = np.diff(starts, append=len(portraits)).astype(np.float32)
    means = np.add.reduceat(portraits.vectors, starts)
    means /= counts[:, None]
    checksums = np.add.reduceat(portraits.ids, starts)
    return People(means, portraits.people[starts], checksums, len(portraits))


def make_rows(people: People, cohort: Cohort) -> IndexRows:
    """A row for each person, with the person's id."""
    mean, deviation = find_tails(people.means, people.ids, cohort)
    return IndexRows(
        people.means / deviation[:, None], -mean / deviation, people.ids, people.checksums
    )


def find_tails(means: Floats, people: Ids, cohort: Cohort) -> tuple[Floats, Floats]:
    """Mean and standard deviation, (n,) each, of the upper tail of (n, d) mean vectors'
    similarities to the portraits of the cohort that are not of the same person.

    Blended with the built-in ones, whose weight falls from 1 as other people come, so that
    nothing jumps at some size of the gallery.
    """
    mean = np.zeros(len(means), np.float32)
    deviation = np.zeros(len(means), np.float32)
    for part in _blocks(len(means) if len(cohort.people) else 0):
        mean[part], deviation[part] = _measure_tails(means[part], people[part], cohort)
    others = len(np.unique(cohort.people)) - np.isin(people, cohort.people).astype(np.float32)
    share = others / (others + BUILT_IN_WEIGHT)
    built_in = cohort.tail
    return (
        share * mean + (1 - share) * np.float32(built_in.mean),
        share * deviation + (1 - share) * np.float32(built_in.deviation),
    )


def _measure_tails(means: Floats, people: Ids, cohort: Cohort) -> tuple[Floats, Floats]:
    similarities = means @ cohort.vectors.T
    own = people[:, None] == cohort.people
    similarities[own] = -np.inf
    # A tenth of 25 portraits is two and a half: the third counts for half.
    sizes = np.maximum(UPPER_SHARE * (len(cohort.people) - own.sum(axis=1)), 1.0)
    most = min(int(np.ceil(sizes.max())), len(cohort.people))
    upper = np.sort(np.partition(similarities, -most, axis=1)[:, -most:], axis=1)[:, ::-1]
    weights = np.clip(sizes[:, None] - np.arange(most), 0.0, 1.0).astype(np.float32)
    weights[np.isneginf(upper)] = 0.0
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
    upper = np.maximum(upper, -1.0)
    mean = (weights * upper).sum(axis=1)
    return mean, np.sqrt((weights * np.square(upper - mean[:, None])).sum(axis=1))


def score_left_out(portraits: Portraits, cohort: Cohort) -> Floats:
    """(n,) the score of each portrait for the row of the person's other ones. Every person must
    have two or more."""
    others, similarities = _leave_out(portraits)
    mean, deviation = find_tails(others, portraits.people, cohort)
    return (similarities - mean) / deviation


def find_odd(
    portraits: Portraits, confirmed: NDArray[np.bool_], cohort: Cohort, scale: Scale
) -> NDArray[np.bool_]:
    """(n,) which portraits seem to be of somebody else: of each person's, the one least similar
    to the others, if its number is under ODD and nobody has ``confirmed`` it. Every person must
    have three or more."""
    others, similarities = _leave_out(portraits)
    least = np.lexsort((similarities, portraits.people))[portraits.starts]
    mean, deviation = find_tails(others[least], portraits.people[least], cohort)
    limit = scale.stranger + ODD / 100 * (scale.same - scale.stranger)
    odd = np.zeros(len(portraits), np.bool_)
    odd[least] = (similarities[least] - mean) / deviation < limit
    return odd & ~confirmed


def _leave_out(portraits: Portraits) -> tuple[Floats, Floats]:
    """The mean of each one's others, (n, d), and its similarity to that, (n,)."""
    if not len(portraits):
        return portraits.vectors, np.empty(0, np.float32)
    starts = portraits.starts
    sizes = np.diff(starts, append=len(portraits))
    sums = np.add.reduceat(portraits.vectors, starts).repeat(sizes, axis=0)
    others: Floats = (sums - portraits.vectors) / (portraits.counts - 1).astype("f4")[:, None]
    return others, np.einsum("nd,nd->n", others, portraits.vectors)


def _blocks(count: int) -> Iterator[slice]:
    return (slice(start, start + BLOCK) for start in range(0, count, BLOCK))
