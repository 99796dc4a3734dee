"""What docs/operations.md promises of itself."""

from __future__ import annotations

import re
from pathlib import Path

from django.core.management import get_commands

from lookalike.processes.commands import NAMES
from tests.live import CHECKOUT

PAGE = (CHECKOUT / "docs" / "operations.md").read_text()


def rows() -> list[tuple[list[int], list[Path]]]:
    """The numbers and the test files of each row. A name without a folder is in the one before."""
    found = []
    for line in re.findall(r"^\| \d.*\|$", PAGE.partition("## What is to hold")[2], re.M):
        numbers = [int(each) for each in re.findall(r"\d+", line.split("|")[1])]
        files: list[Path] = []
        for name in re.findall(r"`([\w/]+\.py)`", line):
            here = CHECKOUT / name
            files.append(here if "/" in name else files[-1].with_name(name))
        found.append((numbers, files))
    return found


def test_48_every_line_has_a_test_that_is_there() -> None:
    assert sorted(number for numbers, _ in rows() for number in numbers) == [*range(1, 49)]
    for numbers, files in rows():
        assert files, numbers
        assert [path for path in files if not path.is_file()] == []


def test_48_long_tests_are_marked_as_such() -> None:
    for line in PAGE.partition("## What is to hold")[2].splitlines():
        if "tests/faults/" in line:
            assert "faults: `tests/faults/" in line, line


def test_it_names_commands_and_processes_that_exist() -> None:
    assert {*re.findall(r"manage\.py ([a-z_]+)", PAGE)} <= {*get_commands()}
    assert {*re.findall(r"manage\.py serve ([a-z]+)", PAGE)} <= {*NAMES}


def test_43_an_upgrade_is_told_in_its_order() -> None:
    part = PAGE.partition("## Upgrade")[2].partition("\n## ")[0]
    steps = (
        *("Back up first", "make install", "manage.py prepare", "migrates the database"),
        *("Restart the workers", "then the web processes", "manage.py audit", "The version is in"),
    )
    places = [part.index(step) for step in steps]

    assert places == sorted(places)
    assert "docs/operations.md#upgrade" in (CHECKOUT / "README.md").read_text()
