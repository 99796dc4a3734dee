"""What a release promises: one version everywhere, and migrations that never change again."""

from __future__ import annotations

import hashlib
import re

import lookalike
from tests.live import CHECKOUT

FROZEN = CHECKOUT / "tests" / "site" / "migrations-1.0.0.sha256"


def test_it_works() -> None:
    project = (CHECKOUT / "pyproject.toml").read_text()
    assert f'version = "{lookalike.__version__}"' in project
    assert re.fullmatch(r"\d+\.\d+\.\d+", lookalike.__version__)


def test_42_migrations_of_a_release_do_not_change() -> None:
    """A database that has run one would not run it again. Add a migration instead. After a release:
    `sha256sum */migrations/0*.py > tests/site/migrations-VERSION.sha256`."""
    lines = [line.split() for line in FROZEN.read_text().splitlines()]
    assert len(lines) >= 15
    changed = [
        name
        for digest, name in lines
        if hashlib.sha256((CHECKOUT / name).read_bytes()).hexdigest() != digest
    ]
    assert changed == []
