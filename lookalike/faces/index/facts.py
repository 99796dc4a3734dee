"""A build's metadata, for any backend."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from lookalike.faces.index.protocol import Method
from lookalike.faces.similarity import Calibration


@dataclass(frozen=True, slots=True)
class BuildFacts:
    """A build described for its row, its manifest, the admin and the commands.

    ``items`` counts rows, ``encoder`` is "name/version", ``method`` what searches use and
    ``why`` the reason in a sentence. ``recall`` is that method's share of the true 12
    best rows. The milliseconds are medians of one query; ``width`` is the effort of an
    approximate search that they were measured with. ``files`` holds each file's SHA-256,
    and is empty where the build is no folder.
    """

    encoder: str
    dimensions: int
    items: int
    calibration: Calibration
    method: Method = Method.EXACT
    why: str = "There is nobody to compare with."
    recall: float = 1.0
    width: int = 0
    exact_ms: float = 0.0
    approximate_ms: float = 0.0
    seconds: float = 0.0
    files: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Any) -> BuildFacts:
        """Raises ValueError for anything that `to_json` did not write."""
        facts: BuildFacts = _parse(cls, value)
        return facts


@cache
def _read_hints(kind: type[Any]) -> dict[str, Any]:
    """Each search reads a build's facts, and this takes most of the time."""
    return get_type_hints(kind)


def _parse(kind: Any, value: Any) -> Any:
    """Build ``kind`` (a dataclass, a dict, a list, an enum or a plain type) from parsed JSON."""
    if isinstance(kind, type) and is_dataclass(kind) and isinstance(value, dict):
        hints = _read_hints(kind)
        names = {each.name for each in fields(kind)}
        if set(value) != names:
            raise ValueError(f"expected {sorted(names)}")
        return kind(**{name: _parse(hints[name], value[name]) for name in names})
    if get_origin(kind) is dict and isinstance(value, dict):
        return {name: _parse(get_args(kind)[1], part) for name, part in value.items()}
    if get_origin(kind) is list and isinstance(value, list):
        return [_parse(get_args(kind)[0], part) for part in value]
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return kind(value)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise ValueError(f"expected {kind}, found {value!r}")
    return value
