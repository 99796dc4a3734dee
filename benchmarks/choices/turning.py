"""Part "turning": are upright photos left alone, lying ones righted, tilted heads recognised?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks.choices.guises import GUISES, draw_guise, tilt
from benchmarks.choices.portraits import (
    Portrait,
    as_photo,
    choose_people,
    find,
    list_seconds,
    load_engine,
)
from benchmarks.choices.search import rank_vectors
from benchmarks.figures import Figures
from benchmarks.timing import amount
from lookalike.faces import turning
from lookalike.faces.types import Photo, Vector

SIDES = {"on its right side": 90, "on its head": 180, "on its left side": 270}
ANGLES = range(0, 360, 30)
UPRIGHT, LYING, COMPARED = amount(6, quick=2), amount(30, quick=8), amount(60, quick=20)
"""One person in so many, in every guise, is looked at upright, on each side, and both with other
constants."""

OTHERS: dict[str, tuple[Any, ...]] = {
    "SURE": (5.0, 6.0, 9.0),
    "SURE_AGAIN": (4.0, 6.0),
    "ZOOMS": ((1.0,),),
    "TURN_COST": (0.0, 0.5, 1.5, 2.0, 3.0),
    "ENOUGH": (3.0, 5.0),
}
"""Other values of the constants of `lookalike.faces.turning`."""


@dataclass(frozen=True, slots=True, eq=False)
class Turned:
    """A portrait in a guise, leaning clockwise by ``degrees``, as the engine shows it.

    ``shown`` is by how many degrees it leans then, None if no face was found.
    """

    portrait: Portrait
    guise: str
    degrees: int
    shown: int | None
    vector: Vector | None = None

    @property
    def is_upright(self) -> bool:
        """Within 45 degrees of upright; at 45 itself either way will do."""
        return self.shown is not None and min(self.shown, 360 - self.shown) <= 45


def bench_turning() -> Figures:
    upright = [turn(portrait, guise, 0) for portrait in choose_people(UPRIGHT) for guise in GUISES]
    return {
        "upright": count_turned(upright),
        "upright_by_guise": count_by_guise(upright),
        "lying": count_righted(list_lying(choose_people(LYING))),
        "angles": measure_angles(list_seconds()[::2]),
        "constants": compare_constants(choose_people(COMPARED)),
    }


def turn(portrait: Portrait, guise: str, degrees: int, *, encode: bool = False) -> Turned:
    engine, photo = load_engine(), as_photo(tilt(draw_guise(portrait, guise), degrees))
    shown, faces = find(engine, photo)
    if not faces:
        return Turned(portrait, guise, degrees, None)
    lean = (degrees + 90 * count_turns(photo, shown)) % 360
    vector = engine.encode_faces(shown, faces[:1])[0].vector if encode else None
    return Turned(portrait, guise, degrees, lean, vector)


def count_turns(photo: Photo, shown: Photo) -> int:
    """Clockwise quarter turns that made ``shown`` of ``photo``."""
    return next(
        turns for turns in range(4) if np.array_equal(np.rot90(photo.pixels, -turns), shown.pixels)
    )


def list_lying(portraits: Sequence[Portrait]) -> list[Turned]:
    return [
        turn(portrait, guise, degrees)
        for portrait in portraits
        for guise in GUISES
        for degrees in SIDES.values()
    ]


def count_turned(found: Sequence[Turned]) -> Figures:
    """What became of upright photos."""
    faces = [one for one in found if one.shown is not None]
    wrong = [one for one in faces if not one.is_upright]
    return {
        "photos": len(found),
        "people": len({one.portrait.person for one in found}),
        "turned": len(wrong),
        "onto a side": sum(one.shown != 180 for one in wrong),
        "onto its head": sum(one.shown == 180 for one in wrong),
        "no face": len(found) - len(faces),
        "which": [f"{one.portrait.file}, {one.guise}" for one in wrong],
    }


def count_by_guise(found: Sequence[Turned]) -> dict[str, Figures]:
    return {
        guise: {
            "turned": sum(one.shown is not None and not one.is_upright for one in mine),
            "no face": sum(one.shown is None for one in mine),
        }
        for guise in GUISES
        if (mine := [one for one in found if one.guise == guise])
    }


def count_righted(found: Iterable[Turned]) -> Figures:
    """The share of photos that are shown upright, by side; without a face counts as not."""
    kept = list(found)
    return {
        side: share([one.is_upright for one in kept if one.degrees == degrees])
        for side, degrees in SIDES.items()
    } | {"photos": len(kept) // len(SIDES)}


def share(values: Sequence[bool]) -> float:
    return round(float(np.mean(values)), 4)


def measure_angles(portraits: Sequence[Portrait]) -> dict[int, Figures]:
    """By angle: how many find their person among everybody's first portraits, and are shown
    within 45 degrees of upright."""
    figures = {}
    for degrees in ANGLES:
        found = [turn(portrait, "as it is", degrees, encode=True) for portrait in portraits]
        seen = [(one.portrait.person, one.vector) for one in found if one.vector is not None]
        ranks = rank_vectors(np.array([vector for _, vector in seen]), [who for who, _ in seen])
        figures[degrees] = {
            "rank-1": round(float(np.sum(ranks < 1)) / len(found), 4),
            "upright": share([one.is_upright for one in found]),
        }
    return figures


def compare_constants(portraits: Sequence[Portrait]) -> dict[str, Figures]:
    """The constants in use and others, each alone: upright photos turned, lying ones righted."""
    in_use = ", ".join(f"{name} = {getattr(turning, name)}" for name in OTHERS)
    rows = {in_use: measure_constants(portraits)}
    for name, values in OTHERS.items():
        for value in values:
            with patch.object(turning, name, value):
                rows[f"{name} = {value}"] = measure_constants(portraits)
    return rows


def measure_constants(portraits: Sequence[Portrait]) -> Figures:
    upright = [turn(portrait, guise, 0) for portrait in portraits for guise in GUISES]
    righted = count_righted(list_lying(portraits))
    return {"upright turned": count_turned(upright)["turned"], **righted}
