from __future__ import annotations

import subprocess
import sys

from tests.conftest import CHECKOUT


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )


def test_it_works_without_django() -> None:
    done = run("import sys, lookalike.batch; assert 'django' not in sys.modules")

    assert done.returncode == 0, done.stderr


def test_says_what_to_install() -> None:
    done = run("import sys; sys.modules['batchflow'] = None; import lookalike.batch")

    assert done.stderr.strip().endswith(
        "ImportError: lookalike.batch needs batchflow, which is not installed. "
        "Run pip install -r requirements-batch.txt."
    )
