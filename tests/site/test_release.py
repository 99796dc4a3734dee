"""What a release promises: one version everywhere, and migrations that never change again."""

from __future__ import annotations

import hashlib
import re

from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import (
    AddConstraint,
    AddField,
    AddIndex,
    AlterField,
    CreateModel,
    RemoveConstraint,
    RunPython,
    SeparateDatabaseAndState,
)

import lookalike
from tests.live import CHECKOUT

FROZEN = CHECKOUT / "tests" / "site" / "migrations-1.0.0.sha256"

MADE_ANEW = {"one_resemblance_per_rank"}
"""Constraints of rows that the next build makes anew, whichever version could not store them."""


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


def test_42_migrations_since_the_release_only_add() -> None:
    """The release's processes go on beside them, and store rows that lack what is new."""
    released = {line.split()[1] for line in FROZEN.read_text().splitlines()}
    loader = MigrationLoader(None)
    made: set[str] = set()
    seen = 0
    for app, name in sorted(loader.disk_migrations):
        path = f"{app}/migrations/{name}.py"
        if app not in {"celebrities", "uploads"} or path in released:
            continue
        for operation in loader.disk_migrations[app, name].operations:
            seen += 1
            made |= {operation.name_lower} if isinstance(operation, CreateModel) else set()
            assert leaves_rows_alone(operation, made), f"{path}: {operation.describe()}"
    assert seen > 10


def leaves_rows_alone(operation: object, made: set[str]) -> bool:
    """Whether code that doesn't know of the operation can go on reading and storing rows of the
    models that are not new."""
    if getattr(operation, "model_name_lower", "") in made:
        return True
    if isinstance(operation, AddField):
        return operation.field.null or operation.field.has_db_default()
    if isinstance(operation, AlterField):  # Of choices, validators and names.
        # A foreign key may only become looser.
        return not (operation.field.unique or getattr(operation.field, "db_constraint", False))
    if isinstance(operation, AddConstraint):
        return operation.constraint.name in MADE_ANEW
    if isinstance(operation, SeparateDatabaseAndState):  # The column stays for a release.
        return operation.database_operations == []
    return isinstance(operation, (AddIndex, CreateModel, RemoveConstraint, RunPython))
