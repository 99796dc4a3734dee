"""`make audit` fails on advisories, and wherever it cannot know that there are none."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest

from tests.live import CHECKOUT

GOOD = {"name": "django", "version": "5.2", "vulns": []}
FLAW = {"id": "CVE-2026-1", "fix_versions": ["5.3"]}


def judge(*found: dict[str, Any], expected: int = 1) -> list[str]:
    spec = importlib.util.spec_from_file_location("audit", CHECKOUT / ".ci" / "audit.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    problems: list[str] = module.judge({"dependencies": [*found]}, expected)
    return problems


def test_29_it_works() -> None:
    assert judge(GOOD) == []


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ([{**GOOD, "vulns": [FLAW]}], "django 5.2: CVE-2026-1"),
        ([{"name": "torch", "skip_reason": "not found on PyPI"}], "1 skipped"),
        ([], "Only 0 of 1 requirements"),
    ],
)
def test_29_rejects(found: list[dict[str, Any]], says: str) -> None:
    [problem] = judge(*found)
    assert says in problem


def test_29_ci_asks_only_where_there_is_a_source() -> None:
    script = (CHECKOUT / ".ci" / "run").read_text()
    assert 'if [ "${LOOKALIKE_AUDIT:-0}" = 1 ]; then\n    make audit\nfi' in script
