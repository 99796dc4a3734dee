"""What an index says of itself: its manifest, written as JSON with a checksum."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields, is_dataclass
from typing import Any, Final, get_args, get_origin, get_type_hints

from lookalike.faces.similarity import Calibration
from lookalike.faces.types import Scale

FORMAT: Final = "lookalike-index-2"
METRIC: Final = "euclidean"


@dataclass(frozen=True, slots=True)
class FileMark:
    """A file's size in bytes and SHA-256 in hexadecimal digits."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Tuning:
    """What a build measured on this gallery, and what it chose from that.

    ``method`` is the fastest way that reaches ``recall_wanted``: "exact" or "approximate".
    ``recall`` is the share of the true 12 nearest portraits that the approximate search
    found for ``queries`` faces that are not in the gallery, with ``trees`` Annoy trees,
    ``search_k`` nodes inspected and ``probes`` cells scanned. Times are medians in
    milliseconds a query; ``seconds`` is how long the tuning itself took.
    """

    method: str
    recall_wanted: float
    recall: float
    trees: int
    search_k: int
    probes: int
    exact_ms: float
    approximate_ms: float
    queries: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an index holds. ``cells`` is how many groups of neighbouring rows there are,
    ``head`` how many coordinates of each row are coded (0: no codes), ``built_at`` an ISO
    8601 UTC time."""

    format: str
    encoder_name: str
    encoder_version: str
    dimensions: int
    metric: str
    items: int
    people: int
    cells: int
    head: int
    built_at: str
    seconds: float
    calibration: Calibration
    tuning: Tuning
    files: dict[str, FileMark]

    @property
    def scale(self) -> Scale:
        return self.calibration.scale

    def to_json(self) -> str:
        """The text of the manifest's file, which carries its own checksum."""
        facts = asdict(self)
        return json.dumps({"checksum": _checksum(facts), **facts}, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Raises ValueError when the text is not a manifest as `to_json` wrote it."""
        facts = json.loads(text)
        if not isinstance(facts, dict) or facts.get("format") != FORMAT:
            raise ValueError("not the manifest of an index of this version")
        if facts.pop("checksum", None) != _checksum(facts):
            raise ValueError("the manifest was altered")
        manifest: Manifest = parse_facts(cls, facts)
        return manifest


def _checksum(facts: dict[str, Any]) -> str:
    canonical = json.dumps(facts, sort_keys=True, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def parse_facts(kind: Any, value: Any) -> Any:
    """Build ``kind`` (a dataclass, a dict of them, or a plain type) from parsed JSON.

    Raises ValueError when it is anything else.
    """
    if is_dataclass(kind) and isinstance(value, dict):
        hints = get_type_hints(kind)
        names = {field.name for field in fields(kind)}
        if set(value) != names:
            raise ValueError(f"expected {sorted(names)}")
        return kind(**{name: parse_facts(hints[name], value[name]) for name in names})  # type: ignore[operator]
    if get_origin(kind) is dict and isinstance(value, dict):
        return {name: parse_facts(get_args(kind)[1], part) for name, part in value.items()}
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise ValueError(f"expected {kind}, found {value!r}")
    return value
