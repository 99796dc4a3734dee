"""Where the benchmarks read and write."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"
FIGURES = ROOT / "docs" / "benchmarks"
"""One JSON file of figures per part, and the plots."""
WORK = ROOT / "var" / "benchmarks"
"""Cache of exported networks."""
CAST = ROOT / "celebrities" / "galleries" / "fictional"
PORTRAITS = ROOT.parent / "shared" / "faces" / "public_domain"
"""Real portraits; optional, the cast stands in."""
BESIDE = "LOOKALIKE_BENCHMARKS_BESIDE"
"""The environment variable with the folder of another checkout, to be measured in the same run."""
