"""The README's table of settings is whole."""

from __future__ import annotations

import re

from tests.live import CHECKOUT

VARIABLE = re.compile(r"\b(?:LOOKALIKE_[A-Z0-9_]+|DATABASE_URL|REDIS_URL)\b")


def variables_read() -> set[str]:
    names = ["settings.py", "environ.py", "storage.py", "management/commands/prepare.py"]
    text = "".join((CHECKOUT / "lookalike" / name).read_text() for name in names)
    text += (CHECKOUT / "gunicorn.conf.py").read_text()
    return {name for name in VARIABLE.findall(text) if f'"{name}"' in text}


def test_it_lists_every_setting_and_no_other() -> None:
    lines = (CHECKOUT / "README.md").read_text().splitlines()
    table = [line.split("|")[1] for line in lines if line.startswith("| `")]
    assert {name for cell in table for name in VARIABLE.findall(cell)} - {
        "LOOKALIKE_ENCODER"
    } == variables_read() - {"LOOKALIKE_ENCODER"}


def test_it_names_every_requirement_that_is_asked_for() -> None:
    lists = ("requirements-serve.in", "requirements.in")
    asked = "".join((CHECKOUT / name).read_text() for name in lists)
    names = re.findall(r"^([a-z][a-z0-9-]+)", asked, re.MULTILINE)
    text = (CHECKOUT / "README.md").read_text().split("## What each requirement is for")[1]
    assert len(names) > 15
    assert [name for name in names if name not in text] == []
