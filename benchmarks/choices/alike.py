"""Part "alike": whether covering parts of a face says why two are alike, and how to cover them."""

from __future__ import annotations

from dataclasses import dataclass
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from benchmarks.choices.portraits import Portrait, list_firsts, list_seconds, load_engine
from benchmarks.choices.statistics import FOLDS, resample_people, split_people
from benchmarks.figures import Figures
from benchmarks.timing import amount
from lookalike.faces import parts
from lookalike.faces.display import cut_display_chip
from lookalike.faces.parts import cover_parts, cut_chip, label_cover, place_covers
from lookalike.faces.types import Part, Vectors

Maps = NDArray[np.float32]
"""(people, look-alikes, covers): what each cover takes off the similarity."""

NEAREST = amount(5, quick=2)
"""Look-alikes of each person."""
COVERS = ((4, 0.09), (5, 0.055), (5, 0.075), (5, 0.095), (6, 0.075))
"""Covers in a row, and a cover's standard deviation."""
SPREADS = (0.0, 0.002, 0.003, 0.004, 0.005)


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Two photos of one person, and the people who look most like the first."""

    first: Portrait
    second: Portrait
    nearest: list[Portrait]


@dataclass(frozen=True, slots=True, eq=False)
class Covered:
    """The vector of a portrait, and those with each part covered (covers, d)."""

    whole: Vectors
    parts: Vectors


def bench_alike() -> Figures:
    pairs = list_pairs()
    in_use = cover_all(pairs, both=True)
    maps = {side: make_maps(pairs, in_use, side) for side in ("the other's", "one's own", "both")}
    return {
        "covered face": {side: describe(pairs, *found) for side, found in maps.items()},
        "covers": {
            f"{grid} x {grid}, {sigma}": describe(pairs, *try_covers(pairs, grid, sigma))
            for grid, sigma in COVERS
        },
        "least spread": describe_spreads(*maps["the other's"]),
        "usual losses": {
            f"row {row + 1}": {f"{at + 1}": round(float(loss), 4) for at, loss in enumerate(losses)}
            for row, losses in enumerate(
                np.stack(maps["the other's"]).mean(axis=(0, 1, 2)).reshape(parts.GRID, -1)
            )
        },
    }


def list_pairs() -> list[Pair]:
    firsts = list_firsts()
    by_person = {portrait.person: portrait for portrait in firsts}
    vectors = np.stack([portrait.vector for portrait in firsts])
    pairs = []
    for second in list_seconds():
        first = by_person[second.person]
        order = np.argsort(-(vectors @ first.vector))
        others = [firsts[at] for at in order if firsts[at].person != first.person]
        pairs.append(Pair(first, second, others[:NEAREST]))
    return pairs


def cover_all(pairs: list[Pair], *, both: bool = False) -> dict[str, Covered]:
    """By file: the look-alikes, and with ``both`` the people themselves."""
    needed = {other.file: other for pair in pairs for other in pair.nearest}
    mine = {one.file: one for pair in pairs for one in (pair.first, pair.second)}
    covered = {name: _cover(portrait) for name, portrait in needed.items()}
    for name, portrait in mine.items():
        covered.setdefault(name, _cover(portrait, with_parts=both))
    return covered


def _cover(portrait: Portrait, *, with_parts: bool = True) -> Covered:
    encoder = load_engine().encoder
    chip = cut_display_chip(portrait.pixels, portrait.landmarks)
    chips = [chip, *(cover_parts(chip) if with_parts else [])]
    vectors = encoder.encode([cut_chip(encoder, one) for one in chips])
    return Covered(vectors[0], vectors[1:])


def make_maps(pairs: list[Pair], covered: dict[str, Covered], side: str) -> tuple[Maps, Maps]:
    """Of each pair's first photos, and of their second ones, with the same look-alikes."""

    def losses(one: Portrait, other: Portrait) -> NDArray[np.float32]:
        mine, theirs = covered[one.file], covered[other.file]
        match side:
            case "the other's":
                after = theirs.parts @ mine.whole
            case "one's own":
                after = mine.parts @ theirs.whole
            case _:
                after = (mine.parts * theirs.parts).sum(axis=1)
        return np.asarray(mine.whole @ theirs.whole - after, np.float32)

    return (
        np.array([[losses(pair.first, other) for other in pair.nearest] for pair in pairs]),
        np.array([[losses(pair.second, other) for other in pair.nearest] for pair in pairs]),
    )


def try_covers(pairs: list[Pair], grid: int, sigma: float) -> tuple[Maps, Maps]:
    with patch.object(parts, "GRID", grid), patch.object(parts, "SIGMA", sigma):
        return make_maps(pairs, cover_all(pairs), "the other's")


def describe(pairs: list[Pair], first: Maps, second: Maps) -> Figures:
    """Correlations of two photos' maps in the median, less what all other folds' pairs share."""
    people = [pair.first.person for pair in pairs]
    one, other = take_off_usual(people, first, second)
    agreement = correlate(one, other)
    interval = resample_people(np.median(agreement, axis=1).astype(float), people, np.median)
    return {
        "two photos": round(float(np.median(agreement)), 3),
        "95 %": f"{interval[0]:.2f} to {interval[1]:.2f}",
        "another look-alike": round(float(np.median(correlate(one, np.roll(other, 1, axis=1)))), 3),
        "another person": round(float(np.median(correlate(one, np.roll(other, 1, axis=0)))), 3),
    }


def take_off_usual(people: list[str], first: Maps, second: Maps) -> tuple[Maps, Maps]:
    """Without the mean map of the pairs in the other folds."""
    fold = split_people(people)
    usual = np.stack(
        [np.stack([first[fold != at], second[fold != at]]).mean((0, 1, 2)) for at in range(FOLDS)]
    )[fold][:, None]
    return first - usual, second - usual


def describe_spreads(first: Maps, second: Maps) -> dict[str, Figures]:
    """How many maps have at least each spread, and how well those agree; which parts they name."""
    people = [str(at) for at in range(len(first))]
    one, other = take_off_usual(people, first, second)
    spread, agreement = one.std(axis=2), correlate(one, other)
    most = [np.argmax(name_parts(maps), axis=2) for maps in (one, other)]
    least = [np.argmin(name_parts(maps), axis=2) for maps in (one, other)]
    return {
        str(limit): {
            "of all": share_of(spread >= limit),
            "agreement": round(float(np.median(agreement[spread >= limit])), 3),
            "below 0.45": share_of(agreement[spread >= limit] < 0.45),
            "same part most": share_of((most[0] == most[1])[spread >= limit]),
            "same part least": share_of((least[0] == least[1])[spread >= limit]),
        }
        for limit in SPREADS
    }


def name_parts(maps: Maps) -> NDArray[np.float32]:
    """The mean over each part's covers (people, look-alikes, parts)."""
    labels = [label_cover(x, y) for x, y in place_covers()]
    return np.stack(
        [maps[..., [label is part for label in labels]].mean(axis=-1) for part in Part], axis=-1
    )


def correlate(one: Maps, other: Maps) -> NDArray[np.float64]:
    one, other = (maps - maps.mean(axis=-1, keepdims=True) for maps in (one, other))
    lengths = np.linalg.norm(one, axis=-1) * np.linalg.norm(other, axis=-1)
    return np.asarray((one * other).sum(axis=-1) / np.maximum(lengths, 1e-9), float)


def share_of(which: NDArray[np.bool_]) -> float:
    return round(float(which.mean()), 3)
