"""Lazy batchflow pipelines over folders of photos, for research and notebooks, without Django.

docs/batch.md leads from a folder of photos to nearest neighbours.
"""

from __future__ import annotations

try:
    from lookalike.batch.celebrity_batch import CelebrityBatch
    from lookalike.batch.engine import get_engine, open_engine, use_engine
    from lookalike.batch.model import EncoderModel
except ModuleNotFoundError as missing:
    package = (missing.name or "batchflow").split(".")[0]
    raise ImportError(
        f"lookalike.batch needs {package}, which is not installed. "
        "Run pip install -r requirements-batch.txt."
    ) from missing

__all__ = ["CelebrityBatch", "EncoderModel", "get_engine", "open_engine", "use_engine"]
