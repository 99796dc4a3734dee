"""docs/lookalike.ipynb: it runs from its first cell to its last, and draws both pictures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lookalike.faces.pipeline import FaceEngine
from tests.conftest import CHECKOUT

NOTEBOOK = CHECKOUT / "docs" / "lookalike.ipynb"

# The kernel's client leaves sockets to the garbage collector.
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning",
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)


def test_it_works(
    engine: FaceEngine, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import nbformat
    from nbclient import NotebookClient

    # A kernel of this environment, whatever kernels the machine has.
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("LOOKALIKE_PHOTOS", str(photos))
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    notebook = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]

    NotebookClient(
        notebook, timeout=240, kernel_name="python3", resources={"metadata": {"path": CHECKOUT}}
    ).execute()

    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert [o["data"]["text/plain"] for o in outputs if o.output_type == "execute_result"] == [
        "(18, 128)"
    ]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 2
    assert not [output for output in outputs if output.get("name") == "stderr"]


def test_is_kept_without_outputs() -> None:
    """Pictures and numbers are the reader's own; kept ones would grow old."""
    cells = json.loads(NOTEBOOK.read_text())["cells"]

    assert all(not cell["outputs"] for cell in cells if cell["cell_type"] == "code")
